//! The numbers of the record format: header, end offsets, tagged entries, extended byte (spec 06 sections 1, 3 and 4).
//!
//! Only where things stand and what their bits mean; `record` reads with them, `check::record` judges.

use bitflags::bitflags;

use super::geometry::PageSize;
use super::page::{HEADER_LARGE, HEADER_SMALL};
use super::tag::TAG_BYTES;

/// Bytes of the record header: the two highest ids and the end of the fixed data. The first fixed column follows.
pub const RECORD_HEADER_BYTES: usize = 4;
/// Offset in the record of the highest fixed id stored, u8.
pub const OFFSET_LAST_FIXED: usize = 0;
/// Offset in the record of the highest variable id stored, u8.
pub const OFFSET_LAST_VARIABLE: usize = 1;
/// Offset in the record of the end of the fixed data, its NULL bit map included, u16.
pub const OFFSET_FIXED_END: usize = 2;
/// What stands for the highest variable id where none is stored.
pub const NO_VARIABLE: u8 = 127;

/// Bytes of an end offset of a variable column.
pub const END_BYTES: usize = 2;
/// Bits of an end offset that are the offset.
pub const END_MASK: u16 = 0x7FFF;
/// Bit of an end offset that means NULL.
pub const END_NULL: u16 = 0x8000;

/// Bytes of a tagged entry: id, then word.
pub const ENTRY_BYTES: usize = 4;
/// Offset of the word in a tagged entry.
pub const OFFSET_ENTRY_WORD: usize = 2;
/// Bit of an entry's word: the id is one of the template table's.
pub const ENTRY_DERIVED: u16 = 0x8000;
/// Bit of an entry's word, small pages: the data begin with the extended byte. On large pages they always do.
pub const ENTRY_EXTENDED: u16 = 0x4000;
/// Bit of an entry's word, small pages: NULL.
pub const ENTRY_NULL: u16 = 0x2000;

/// Bytes of a word in the array of several values.
pub const VALUE_WORD_BYTES: usize = 2;
/// Bits of such a word that are the offset.
pub const VALUE_MASK: u16 = 0x7FFF;
/// Bit of such a word: this value is separated.
pub const VALUE_SEPARATED: u16 = 0x8000;

/// Most bytes of a value that is not of a long column.
pub const SHORT_VALUE_MOST: usize = 255;
/// Bytes of the length of the key in front of a record.
const KEY_SIZE_BYTES: usize = 2;
/// Least room, in bytes, that large pages keep for the key beside a record: the key of a table without primary index.
const LEAST_KEY_ROOM_LARGE: usize = 4;
/// Least room, in bytes, that small pages keep for the key beside a record.
const LEAST_KEY_ROOM_SMALL: usize = 255;

/// Bytes of the NULL bit map of a record whose highest fixed column is `last`: a bit a column.
#[must_use]
pub const fn null_map_bytes(last: u16) -> usize {
    (last as usize).div_ceil(8)
}

/// Bits of an entry's word that are the offset of its data.
#[must_use]
pub const fn entry_mask(size: PageSize) -> u16 {
    if size.is_large() { 0x7FFF } else { 0x1FFF }
}

/// Most bytes of a record on pages of `size`, whatever the key: room for tag 0, its own tag, the key and its size.
#[must_use]
pub const fn record_most(size: PageSize) -> usize {
    let tags = 2 * TAG_BYTES;
    if size.is_large() {
        size.bytes() - HEADER_LARGE - tags - 2 * KEY_SIZE_BYTES - LEAST_KEY_ROOM_LARGE
    } else {
        size.bytes() - HEADER_SMALL - tags - KEY_SIZE_BYTES - LEAST_KEY_ROOM_SMALL
    }
}

bitflags! {
    /// The extended byte of a tagged column's data (spec 06 section 3). Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct TaggedFlags: u8 {
        /// A long column: binary or text without limit.
        const LONG = 0x01;
        /// The value, or the first of several, is compressed.
        const COMPRESSED = 0x02;
        /// The value is a reference to a long value outside the record.
        const SEPARATED = 0x04;
        /// Several values.
        const MULTI_VALUED = 0x08;
        /// Several values, and exactly two in the short form (small pages only).
        const TWO_VALUES = 0x10;
        /// NULL (large pages; small ones say it in the entry).
        const NULL = 0x20;
        /// Encrypted.
        const ENCRYPTED = 0x40;

        const _ = !0;
    }
}

impl TaggedFlags {
    /// The bits that have a meaning on pages of `size`.
    #[must_use]
    pub const fn known(size: PageSize) -> TaggedFlags {
        let both =
            Self::LONG.union(Self::COMPRESSED).union(Self::SEPARATED).union(Self::MULTI_VALUED).union(Self::ENCRYPTED);
        both.union(if size.is_large() { Self::NULL } else { Self::TWO_VALUES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_records_are_those_of_the_spec() {
        assert_eq!(PageSize::ALL.map(record_most), [1743, 3791, 7887, 16288, 32672]);
    }
}
