//! XPRESS10: recognised and checked, not decoded (spec 07 section 4.5).
//!
//! The stream is a hardware compressor's and its format is not public. Its checksum is, so that a damaged value can be
//! told from one that merely cannot be read here. Never gives data.

use crc::{CRC_64_NVME, Crc};

use super::{DecompressError, input::Input};

const STREAM_CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_NVME);

/// The reason why the value in `input` cannot be had: its own damage, or the scheme.
pub(super) fn refuse(input: &mut Input<'_>) -> DecompressError {
    check(input).err().unwrap_or(DecompressError::Unsupported(input.scheme()))
}

fn check(input: &mut Input<'_>) -> Result<(), DecompressError> {
    input.stated_size()?;
    input.u32("the checksum of the data")?;
    let stored = input.u64("the checksum of the stream")?;
    let computed = STREAM_CHECKSUM.checksum(input.rest());
    if stored == computed {
        Ok(())
    } else {
        Err(DecompressError::Checksum { scheme: input.scheme(), stored, computed })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Scheme, decompress, decompressed_size};
    use super::*;

    /// A value of 1000 bytes with this stream; the checksum of "123456789" is the catalogue's check value.
    fn value(stream: &[u8]) -> Vec<u8> {
        let checksum = 0xAE8B_1486_0A79_9888u64;
        [&[0x30, 0xE8, 0x03, 1, 2, 3, 4], &checksum.to_le_bytes()[..], stream].concat()
    }

    fn error(value: &[u8]) -> DecompressError {
        let mut out = vec![1];
        let error = decompress(value, 4096, &mut out).unwrap_err();
        assert_eq!(out, []);
        error
    }

    #[test]
    fn a_sound_stream_is_unsupported_but_states_its_size() {
        let value = value(b"123456789");
        assert_eq!(error(&value), DecompressError::Unsupported(Scheme::Xpress10));
        assert_eq!(error(&value).jet(), -1620);
        assert_eq!(decompressed_size(&value), Some(1000));
    }

    #[test]
    fn a_damaged_stream_is_an_integrity_failure() {
        let error = error(&value(b"123456788"));
        let DecompressError::Checksum { scheme: Scheme::Xpress10, stored, computed } = error else { panic!("{error}") };
        assert_eq!(stored, 0xAE8B_1486_0A79_9888);
        assert_ne!(computed, stored);
        assert_eq!(error.jet(), -431);
    }

    #[test]
    fn a_value_without_its_header_is_broken() {
        for (len, at, field) in
            [(2, 1, "the decompressed size"), (6, 3, "the checksum of the data"), (14, 7, "the checksum of the stream")]
        {
            let fault = Fault::Ends(field);
            assert_eq!(error(&value(b"")[..len]), DecompressError::Broken { scheme: Scheme::Xpress10, at, fault });
        }
    }
}
