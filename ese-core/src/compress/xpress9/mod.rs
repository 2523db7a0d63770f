//! XPRESS9: LZ77 with Huffman codes, in blocks with headers of their own (spec 07 section 4.4).
//!
//! Engines of the Exchange line write it and no file at hand holds it, so this prefers being easy to compare with the
//! description to being quick. A block is decoded only after its header was checked and its size was compared with the
//! caller's limit.

mod bits;
mod block;
mod code;

#[cfg(test)]
mod encoder;
#[cfg(test)]
mod tests;

use crc::{CRC_32_ISCSI, Crc};

use super::{DecompressError, Fault, grow, input::Input, output::Output};
use bits::Bits;

/// CRC-32C, over the decompressed data and over the headers of blocks.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The first field of a block.
const MAGIC: u32 = 0x4E86_D72A;
/// Bits of a block's header.
const HEADER_BITS: u32 = 256;

/// Decompresses the checksum and the blocks in `input` into the empty `out`.
pub(super) fn decompress(input: &mut Input<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let stored = input.u32("the checksum of the data")?;
    let mut first = None;
    let mut index = 0;
    while index == 0 || !input.rest().is_empty() {
        let header = Header::read(input, index, first.as_ref())?;
        let start = input.at();
        let body = input.take(header.body_bits.div_ceil(8), "the rest of a block")?;
        let done = out.len();
        grow(out, done.saturating_add(header.size), limit, input.scheme())?;
        let bits = Bits::new(input, body, start, header.body_bits);
        block::decode(&header, bits, &mut Output::new(out, done))?;
        first.get_or_insert(header);
        index += 1;
    }
    let computed = CHECKSUM.checksum(out);
    if stored == computed {
        Ok(())
    } else {
        Err(DecompressError::Checksum { scheme: input.scheme(), stored: stored.into(), computed: computed.into() })
    }
}

/// The header of a block.
#[derive(Debug)]
struct Header {
    /// Decompressed bytes of the block.
    size: usize,
    /// Bits of the block behind the header.
    body_bits: usize,
    /// Those of them that state and tables take.
    tables_bits: usize,
    /// A number that is the same in all blocks of a value.
    session: u32,
    shape: Shape,
}

impl Header {
    /// Reads and checks the header of block `index`, 0-based; `first` is that of block 0.
    fn read(input: &mut Input<'_>, index: u32, first: Option<&Header>) -> Result<Header, DecompressError> {
        let name = "the header of a block";
        let (start, bytes) = (input.at(), input.rest());
        only(input, "the magic number of a block", MAGIC)?;
        let size = input.u32(name)?;
        let bits_at = input.at();
        let bits = input.u32(name)?;
        let flags_at = input.at();
        let flags = input.u32(name)?;
        only(input, "the reserved field of a block", 0)?;
        let session_at = input.at();
        let session = input.u32(name)?;
        only(input, "the index of a block", index)?;
        let (checked, _) = bytes.split_at_checked(input.at() - start).unwrap_or_default();
        only(input, "the checksum of a block's header", CHECKSUM.checksum(checked))?;

        let (shape, tables_bits) = Shape::from_flags(flags).map_err(|fault| input.broken_at(flags_at, fault))?;
        if let Some(first) = first {
            if session != first.session {
                let fault = Fault::value("the session of a block", session, first.session, first.session);
                return Err(input.broken_at(session_at, fault));
            }
            if shape != first.shape {
                return Err(input.broken_at(flags_at, Fault::Missing("the flags of the first block")));
            }
        }
        let least = HEADER_BITS + tables_bits + 1;
        let Some(body_bits) = bits.checked_sub(HEADER_BITS).filter(|body| *body > tables_bits) else {
            return Err(input.broken_at(bits_at, Fault::value("the bits of a block", bits, least, u32::MAX)));
        };
        Ok(Header { size: wide(size), body_bits: wide(body_bits), tables_bits: wide(tables_bits), session, shape })
    }
}

/// Reads a field that has one right value.
fn only(input: &mut Input<'_>, what: &'static str, right: u32) -> Result<(), DecompressError> {
    let at = input.at();
    let found = input.u32(what)?;
    if found == right { Ok(()) } else { Err(input.broken_at(at, Fault::value(what, found, right, right))) }
}

/// A number of the stream as a size in memory; where that cannot hold it, more than any limit.
fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What the flags of a block say about how it is written; the same in all blocks of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Shape {
    /// Binary logarithm of the window, which bounds the distances in a block's state.
    window: u32,
    /// Recent distances that items can refer to: 0, 2 or 4.
    recent: usize,
    /// The shortest match with a distance of its own.
    pointer_min: usize,
    /// The shortest match with a recent distance.
    recent_min: usize,
}

impl Shape {
    const TABLES_BITS: u32 = 13;
    const WINDOW_BITS: u32 = 3;
    const WINDOW_MIN: u32 = 16;
    const RECENT_BITS: u32 = 2;
    const RECENT_PAIRS_MAX: u32 = 2;
    const POINTER_MIN: usize = 3;
    const RECENT_MIN: usize = 2;

    /// The shape, and the number of bits that state and tables take.
    fn from_flags(flags: u32) -> Result<(Shape, u32), Fault> {
        let mut rest = flags;
        let mut field = |bits: u32| {
            let value = rest & ((1 << bits) - 1);
            rest >>= bits;
            value
        };
        let tables_bits = field(Self::TABLES_BITS);
        let window = field(Self::WINDOW_BITS) + Self::WINDOW_MIN;
        let pairs = field(Self::RECENT_BITS);
        let pointer_min = wide(field(1)) + Self::POINTER_MIN;
        let recent_min = wide(field(1)) + Self::RECENT_MIN;
        if pairs > Self::RECENT_PAIRS_MAX {
            return Err(Fault::value("half the number of recent distances", pairs, 0, Self::RECENT_PAIRS_MAX));
        }
        if rest != 0 {
            return Err(Fault::value("the reserved part of a block's flags", rest, 0, 0));
        }
        Ok((Shape { window, recent: 2 * wide(pairs), pointer_min, recent_min }, tables_bits))
    }
}
