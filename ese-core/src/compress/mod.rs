//! Decompression of long value chunks and of compressed values inside records (spec 07 section 4).
//!
//! The first byte names the scheme, the rest belongs to it; each scheme has a file here. Nothing in this module
//! compresses, and no content makes it produce or allocate more than the caller's limit: stated sizes are compared
//! with the limit before memory is taken. What is plain and what is compressed is known to the caller only (spec 07
//! section 1.2): a plain chunk may begin with any byte.

mod error;
mod input;
mod lz4;
mod output;
mod seven_bit;
mod xpress;
mod xpress10;
mod xpress9;

#[cfg(test)]
mod real_chunks;

use std::fmt;

pub use error::{DecompressError, Fault};

use input::Input;

/// Bits of the first byte below the scheme's id; they mean something in the 7-bit schemes only.
const LOW_BITS: u32 = 3;

/// How a value was compressed (spec 07 section 4, the table).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Characters of 7 bits, a byte each.
    SevenBitAscii,
    /// Characters of 7 bits, two bytes each (UTF-16LE below U+0080).
    SevenBitUnicode,
    /// XPRESS: LZ77 without entropy coding.
    Xpress,
    /// XPRESS9: LZ77 with Huffman codes, written by builds of the Exchange line.
    Xpress9,
    /// XPRESS10: a hardware compressor's format, which is not public.
    Xpress10,
    /// LZ4, one block.
    Lz4,
}

impl Scheme {
    fn of(first: u8) -> Result<Scheme, DecompressError> {
        match first >> LOW_BITS {
            1 => Ok(Self::SevenBitAscii),
            2 => Ok(Self::SevenBitUnicode),
            3 => Ok(Self::Xpress),
            // The filler that maintenance writes over the chunks of dead values.
            4 => Err(DecompressError::Scrubbed),
            5 => Ok(Self::Xpress9),
            6 => Ok(Self::Xpress10),
            7 => Ok(Self::Lz4),
            id => Err(DecompressError::Unknown(id)),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SevenBitAscii => "7-bit ASCII",
            Self::SevenBitUnicode => "7-bit Unicode",
            Self::Xpress => "XPRESS",
            Self::Xpress9 => "XPRESS9",
            Self::Xpress10 => "XPRESS10",
            Self::Lz4 => "LZ4",
        })
    }
}

/// Decompresses `data`, a compressed chunk or a compressed value of a record with its scheme byte, into `out`.
///
/// `out` is cleared first; it receives at most `limit` bytes: the expected size of a chunk, the page size for a value
/// in a record (spec 07 section 4.7). Returns the scheme that `data` names.
///
/// ```
/// use ese_core::compress::{Scheme, decompress};
/// let mut out = Vec::new();
/// let data = [0x16, 0xe1, 0x70, 0x38, 0x1c, 0x0e, 0x87, 0xc5, 0x62];
/// assert_eq!(decompress(&data, 4096, &mut out), Ok(Scheme::SevenBitUnicode));
/// assert_eq!(out, b"a\0a\0a\0a\0a\0a\0a\0b\0b\0");
/// ```
///
/// # Errors
/// [`DecompressError`] if `data` is no sound stream of a scheme that can be decoded, or needs more than `limit`
/// bytes; `out` is empty then.
pub fn decompress(data: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<Scheme, DecompressError> {
    out.clear();
    let scheme = scheme_of(data)?;
    let first = data[0];
    let mut input = Input::behind_scheme_byte(data, scheme);
    let done = match scheme {
        Scheme::SevenBitAscii => seven_bit::ascii(first, &mut input, limit, out),
        Scheme::SevenBitUnicode => seven_bit::unicode(first, &mut input, limit, out),
        Scheme::Xpress => xpress::decompress(&mut input, limit, out),
        Scheme::Xpress9 => xpress9::decompress(&mut input, limit, out),
        Scheme::Xpress10 => Err(xpress10::refuse(&mut input)),
        Scheme::Lz4 => lz4::decompress(&mut input, limit, out),
    };
    if done.is_err() {
        out.clear();
    }
    done.map(|()| scheme)
}

/// The scheme that `data` names.
///
/// # Errors
/// [`DecompressError`] if there is no byte, or one that names no scheme.
pub fn scheme_of(data: &[u8]) -> Result<Scheme, DecompressError> {
    Scheme::of(*data.first().ok_or(DecompressError::Empty)?)
}

/// The number of bytes that [`decompress`] would give for `data`, where the scheme states it up front.
///
/// It is the length that says so in the 7-bit schemes, a field in XPRESS, XPRESS10 and LZ4; whether the stream keeps
/// the promise shows only when it is decoded. `None` for XPRESS9, where each block tells its own size, and for bytes
/// that state no size.
#[must_use]
pub fn decompressed_size(data: &[u8]) -> Option<usize> {
    let first = *data.first()?;
    let scheme = Scheme::of(first).ok()?;
    let mut input = Input::behind_scheme_byte(data, scheme);
    match scheme {
        Scheme::SevenBitAscii => seven_bit::characters(first, &input).ok(),
        Scheme::SevenBitUnicode => seven_bit::characters(first, &input).ok()?.checked_mul(seven_bit::UNICODE_BYTES),
        Scheme::Xpress | Scheme::Xpress10 | Scheme::Lz4 => input.stated_size().ok(),
        Scheme::Xpress9 => None,
    }
}

/// Makes `out` `size` bytes long, zeros behind what it has, without ever taking more memory than that.
fn grow(out: &mut Vec<u8>, size: usize, limit: usize, scheme: Scheme) -> Result<(), DecompressError> {
    if size > limit {
        return Err(DecompressError::TooLarge { scheme, size, limit });
    }
    out.reserve_exact(size.saturating_sub(out.len()));
    out.resize(size, 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_without_data_name_the_reason() {
        let mut out = vec![1, 2, 3];
        for (data, error) in [
            (&b""[..], DecompressError::Empty),
            (b"\x00abc", DecompressError::Unknown(0)),
            (b"\x07abc", DecompressError::Unknown(0)),
            (b"\x20LLLLLLL", DecompressError::Scrubbed),
            (b"\x40abc", DecompressError::Unknown(8)),
            (b"\xffabc", DecompressError::Unknown(31)),
        ] {
            out.resize(3, 7);
            assert_eq!(decompress(data, 100, &mut out), Err(error));
            assert_eq!(out, []);
            assert_eq!(decompressed_size(data), None);
            assert_eq!(error.jet(), -1620);
        }
    }

    #[test]
    fn xpress9_states_no_size_up_front() {
        assert_eq!(decompressed_size(&[0x28; 100]), None);
    }

    #[test]
    fn errors_say_where_and_what() {
        let text = |data: &[u8]| decompress(data, 10, &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(text(b"\x18\xff"), "XPRESS: at byte 1: expected the decompressed size, found the end of the input");
        assert_eq!(text(b"\x18\x08\x00"), "XPRESS: at byte 1: the stated size is 0x8, expected 0x9 to 0xffff");
        assert_eq!(text(&[0x0F; 15]), "7-bit ASCII: decompresses to 16 bytes or more, expected at most 10");
        assert_eq!(text(b"\xf8"), "compression scheme 31 is not known, expected 1 to 7");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_stay_below_the_limit(
            first in any::<u8>(),
            // Where most schemes have their size.
            size in 0..1000u16,
            rest in prop::collection::vec(any::<u8>(), 0..400),
            limit in 0..1000usize,
        ) {
            let data = [&[first], &size.to_le_bytes()[..], &rest].concat();
            let mut out = Vec::new();
            let result = decompress(&data, limit, &mut out);
            prop_assert!(out.capacity() <= limit);
            match result {
                Ok(scheme) => {
                    prop_assert_eq!(Scheme::of(first), Ok(scheme));
                    prop_assert!([None, Some(out.len())].contains(&decompressed_size(&data)));
                }
                Err(_) => prop_assert!(out.is_empty()),
            }
        }
    }
}
