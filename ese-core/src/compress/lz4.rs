//! LZ4: the size, then one block of the common block format (spec 07 section 4.3).
//!
//! The block is decoded by the `lz4_flex` crate in its safe form, into a buffer of exactly the stated size. No file at
//! hand holds such a value: builds that write them are of level 210,460 and later.

use lz4_flex::block::DecompressError as BlockError;

use super::{DecompressError, Fault, grow, input::Input};

/// Decompresses the size and block in `input` into the empty `out`.
pub(super) fn decompress(input: &mut Input<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let size = input.stated_size()?;
    grow(out, size, limit, input.scheme())?;
    let found = lz4_flex::block::decompress_into(input.rest(), out).map_err(|error| input.broken(fault(&error)))?;
    if found == size {
        Ok(())
    } else {
        Err(input.broken(Fault::value("the size of the block's data", found, size, size)))
    }
}

/// The crate does not tell positions: the errors stand at the block's first byte.
fn fault(error: &BlockError) -> Fault {
    match error {
        BlockError::LiteralOutOfBounds => Fault::Ends("the literals of a sequence"),
        BlockError::ExpectedAnotherByte => Fault::Ends("the rest of a sequence"),
        BlockError::OffsetZero | BlockError::OffsetOutOfBounds => Fault::Missing("a match inside what was decoded"),
        BlockError::OutputTooSmall { expected, actual } => {
            Fault::value("the size of the block's data", *expected, *actual, *actual)
        }
        _ => Fault::Missing("a sound LZ4 block"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Scheme, decompress, decompressed_size};
    use super::*;

    fn decoded(size: u16, block: &[u8]) -> Result<Vec<u8>, DecompressError> {
        let mut out = Vec::new();
        decompress(&[&[0x38], &size.to_le_bytes()[..], block].concat(), usize::from(u16::MAX), &mut out).map(|scheme| {
            assert_eq!(scheme, Scheme::Lz4);
            out
        })
    }

    /// "abcd", 16 more bytes of it, then five literals.
    const BLOCK: &[u8] = b"\x4cabcd\x04\x00\x50bcdef";

    #[test]
    fn a_block_of_literals_and_a_match_is_decoded() {
        assert_eq!(decoded(25, BLOCK), Ok(b"abcdabcdabcdabcdabcdbcdef".to_vec()));
        assert_eq!(decompressed_size(&[0x38, 25, 0]), Some(25));
    }

    #[test]
    fn broken_blocks_are_refused() {
        let size =
            |found, right| Fault::Value { what: "the size of the block's data", found, least: right, most: right };
        let no_match = Fault::Missing("a match inside what was decoded");
        for (stated, block, fault) in [
            (26, BLOCK, size(25, 26)),
            (24, BLOCK, size(25, 24)),
            (25, &BLOCK[..12], Fault::Ends("the literals of a sequence")),
            (25, &BLOCK[..6], Fault::Ends("the rest of a sequence")),
            (25, b"\x4cabcd\x00\x00\x50bcdef", no_match),
            (25, b"\x4cabcd\x05\x00\x50bcdef", no_match),
        ] {
            let error = DecompressError::Broken { scheme: Scheme::Lz4, at: 3, fault };
            assert_eq!(decoded(stated, block), Err(error));
            assert_eq!(error.jet(), -1620);
        }
    }

    #[test]
    fn the_stated_size_is_compared_with_the_limit() {
        let mut out = Vec::new();
        let error = DecompressError::TooLarge { scheme: Scheme::Lz4, size: 25, limit: 24 };
        assert_eq!(decompress(&[&[0x38, 25, 0], BLOCK].concat(), 24, &mut out), Err(error));
        assert_eq!(out.capacity(), 0);
    }

    proptest! {
        #[test]
        fn compressed_data_come_back(words in prop::collection::vec("[a-d]{1,6}", 1..400)) {
            let data = words.concat().into_bytes();
            let mut block = vec![0; lz4_flex::block::get_maximum_output_size(data.len())];
            let len = lz4_flex::block::compress_into(&data, &mut block).unwrap();
            prop_assert_eq!(decoded(u16::try_from(data.len()).unwrap(), &block[..len]), Ok(data));
        }
    }
}
