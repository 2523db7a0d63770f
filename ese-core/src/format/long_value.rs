//! Long values: their ids, the nodes of their tree, and how a record refers to one (spec 07 sections 1 and 2).
//!
//! Takes keys and data of nodes apart and knows the limits; whether nodes fit each other is for `check::long_value`.

use bitflags::bitflags;

use super::geometry::PageSize;
use super::node::NodeKey;

/// Bit of a stored id, in its width, that tells ids of 64 bits from those of 32.
const WIDE_32: u32 = 1 << 31;
/// The same in ids of 64 bits.
const WIDE_64: u64 = 1 << 63;
/// The same in the first byte of a key.
const WIDE_KEY: u8 = 1 << 7;

/// Bytes of a 32-bit id in keys and references.
const NARROW_BYTES: usize = 4;
/// Bytes of a 64-bit id in keys and references.
const WIDE_BYTES: usize = 8;
/// Bytes of the offset that ends the key of a chunk.
pub const OFFSET_BYTES: usize = 4;

/// Ids of 32 bits that are set aside and have never been seen.
const RESERVED_NARROW: std::ops::RangeInclusive<u64> = 0x7FFF_FF00..=0x7FFF_FFFF;
/// Ids of 64 bits that are set aside and have never been seen.
const RESERVED_WIDE: std::ops::RangeInclusive<u64> = 0x80FF_FFFF_0000_0000..=0x80FF_FFFF_FFFF_FFFF;

/// Id of a long value in the tree of its table: 32 bits with the top bit clear, or 64 bits with the top bit set, so that
/// the number alone tells the width. Ids ascend as their keys do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LongValueId(pub u64);

/// What an id may be used for (spec 07 section 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdRange {
    /// Any long value.
    Usual,
    /// Set aside by the engine: lawful, never seen.
    Reserved,
    /// No long value: zero, or above all ids.
    Impossible,
}

/// A reference that is none. Lengths are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The number of bytes fits no id.
    #[error("expected 4 or 8 bytes, found {found}")]
    Length {
        /// The length found.
        found: usize,
    },
    /// The id does not have the top bit of its width.
    #[error("expected 4 bytes without or 8 bytes with the top bit set, found {found:#x} in {bytes} bytes")]
    Width {
        /// The id found.
        found: u64,
        /// The length of the reference.
        bytes: usize,
    },
    /// Zero is no id.
    #[error("expected a number above 0, found 0")]
    Zero,
}

impl LongValueId {
    /// The id in the bytes of a reference (little-endian, 4 or 8 bytes).
    ///
    /// # Errors
    /// [`ReferenceError`] if the bytes are no id of their width.
    pub fn from_reference(bytes: &[u8]) -> Result<LongValueId, ReferenceError> {
        let (id, fits) = if let Ok(bytes) = <[u8; NARROW_BYTES]>::try_from(bytes) {
            let id = u32::from_le_bytes(bytes);
            (u64::from(id), id & WIDE_32 == 0)
        } else if let Ok(bytes) = <[u8; WIDE_BYTES]>::try_from(bytes) {
            let id = u64::from_le_bytes(bytes);
            (id, id & WIDE_64 != 0)
        } else {
            return Err(ReferenceError::Length { found: bytes.len() });
        };
        match id {
            0 => Err(ReferenceError::Zero),
            _ if !fits => Err(ReferenceError::Width { found: id, bytes: bytes.len() }),
            _ => Ok(LongValueId(id)),
        }
    }

    /// What an id of this number may be used for.
    #[must_use]
    pub fn range(self) -> IdRange {
        match self.0 {
            0 => IdRange::Impossible,
            id if id > *RESERVED_WIDE.end() => IdRange::Impossible,
            id if RESERVED_NARROW.contains(&id) || RESERVED_WIDE.contains(&id) => IdRange::Reserved,
            _ => IdRange::Usual,
        }
    }
}

impl std::fmt::Display for LongValueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The key of a node in a long value tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LongValueKey {
    /// The root of a long value.
    Root(LongValueId),
    /// One of its chunks.
    Chunk {
        /// Whose chunk it is.
        id: LongValueId,
        /// Where it begins in the value: decompressed bytes from its start.
        offset: u32,
    },
}

/// A key that no node of a long value tree has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LongValueKeyError {
    /// The number of bytes fits no key.
    #[error("key: expected 4, 8 or 12 bytes, found {found}")]
    Length {
        /// The length found.
        found: usize,
    },
    /// The first byte says another width than the length.
    #[error("key of {bytes} bytes: expected the top bit {}, found {first:#04x} in front", if *.bytes == NARROW_BYTES { "clear" } else { "set" })]
    Width {
        /// The first byte.
        first: u8,
        /// The length of the key.
        bytes: usize,
    },
}

/// Longest key of a long value tree, in bytes.
const KEY_MOST: usize = WIDE_BYTES + OFFSET_BYTES;

impl LongValueKey {
    /// What the key of a node says.
    ///
    /// # Errors
    /// [`LongValueKeyError`] if it is no key of a long value tree.
    pub fn read(key: &NodeKey<'_>) -> Result<LongValueKey, LongValueKeyError> {
        let mut bytes = [0; KEY_MOST];
        let found = key.len();
        let Some(whole) = bytes.get_mut(..found) else { return Err(LongValueKeyError::Length { found }) };
        for (to, from) in whole.iter_mut().zip(key.prefix.iter().chain(key.suffix)) {
            *to = *from;
        }
        let first = bytes[0];
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let (low, middle, high) = ([a, b, c, d], [e, f, g, h], [i, j, k, l]);
        let narrow = LongValueId(u32::from_be_bytes(low).into());
        let wide = LongValueId(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        match (found, first & WIDE_KEY != 0) {
            (NARROW_BYTES, false) => Ok(LongValueKey::Root(narrow)),
            (WIDE_BYTES, false) => Ok(LongValueKey::Chunk { id: narrow, offset: u32::from_be_bytes(middle) }),
            (WIDE_BYTES, true) => Ok(LongValueKey::Root(wide)),
            (KEY_MOST, true) => Ok(LongValueKey::Chunk { id: wide, offset: u32::from_be_bytes(high) }),
            (NARROW_BYTES | KEY_MOST, _) => Err(LongValueKeyError::Width { first, bytes: found }),
            _ => Err(LongValueKeyError::Length { found }),
        }
    }

    /// Whose node it is.
    #[must_use]
    pub fn id(self) -> LongValueId {
        match self {
            LongValueKey::Root(id) | LongValueKey::Chunk { id, .. } => id,
        }
    }

    /// The key as it stands in the tree.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        let id = self.id().0;
        let mut key = u32::try_from(id).map_or_else(|_| id.to_be_bytes().to_vec(), |id| id.to_be_bytes().to_vec());
        if let LongValueKey::Chunk { offset, .. } = self {
            key.extend(offset.to_be_bytes());
        }
        key
    }
}

bitflags! {
    /// Flags of a long value, in its root (spec 07 section 1.1). Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct LongValueFlags: u8 {
        /// Its chunks are encrypted.
        const ENCRYPTED = 1;

        const _ = !0;
    }
}

impl LongValueFlags {
    /// Bits that nobody knows.
    #[must_use]
    pub fn unknown(self) -> u8 {
        self.difference(LongValueFlags::ENCRYPTED).bits()
    }
}

/// Offset in the root's data of the size.
pub const OFFSET_ROOT_SIZE: usize = 4;
/// Offset in the root's data of the flags, which are there only where some are set.
pub const OFFSET_ROOT_FLAGS: usize = 8;
/// Bytes of the root's data without flags.
const ROOT_BYTES: usize = OFFSET_ROOT_FLAGS;
/// Bytes of the root's data with flags.
const ROOT_BYTES_FLAGS: usize = ROOT_BYTES + 1;
/// Most bytes of a long value.
pub const LONG_VALUE_MOST: u32 = 0x7FFF_FFFF;
/// The number of references of a long value whose deletion has begun: chunks may be gone.
pub const REFERENCES_DELETING: u32 = u32::MAX;

/// The data of a root do not have the length of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("root data: expected 8 or 9 bytes, found {0}")]
pub struct RootLengthError(pub usize);

/// The root of a long value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongValueRoot {
    /// How many values of records refer to it; 0 if it waits for its deletion, [`REFERENCES_DELETING`] if that has
    /// begun.
    pub references: u32,
    /// Bytes of the whole value, decompressed.
    pub size: u32,
    /// Its flags; `None` where no byte for them is stored.
    pub flags: Option<LongValueFlags>,
}

impl LongValueRoot {
    /// The root in the data of its node.
    ///
    /// # Errors
    /// [`RootLengthError`] if the data are too short or too long.
    pub fn read(data: &[u8]) -> Result<LongValueRoot, RootLengthError> {
        let (fields, flags) = match (data.first_chunk::<ROOT_BYTES>(), data.len()) {
            (Some(fields), ROOT_BYTES) => (fields, None),
            (Some(fields), ROOT_BYTES_FLAGS) => (fields, data.last().copied()),
            _ => return Err(RootLengthError(data.len())),
        };
        let [a, b, c, d, e, f, g, h] = *fields;
        Ok(LongValueRoot {
            references: u32::from_le_bytes([a, b, c, d]),
            size: u32::from_le_bytes([e, f, g, h]),
            flags: flags.map(LongValueFlags::from_bits_retain),
        })
    }

    /// True if records refer to it; what waits for its deletion may be incomplete.
    #[must_use]
    pub fn is_live(self) -> bool {
        self.references != 0 && self.references != REFERENCES_DELETING
    }

    /// True if its chunks are encrypted.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        self.flags.is_some_and(|flags| flags.contains(LongValueFlags::ENCRYPTED))
    }
}

/// Bytes of a whole chunk on pages of `size`, decompressed (spec 07 section 1.2); `chunk_max` is `LVChunkMax` of the
/// table's row in the catalog. A limit that is none, or above that of the page size, changes nothing.
#[must_use]
pub fn chunk_size(size: PageSize, chunk_max: Option<u32>) -> u32 {
    /// Chunks of 16 KiB pages: four, and a root, fill one.
    const K16: u32 = 4050;
    /// Chunks of 32 KiB pages.
    const K32: u32 = 8150;
    /// What a small page keeps free beside one chunk: for its header, tags, the keys and the root.
    const BESIDE: usize = 82;
    let of_page = match size {
        PageSize::K16 => K16,
        PageSize::K32 => K32,
        small => u32::try_from(small.bytes() - BESIDE).unwrap_or(K16),
    };
    chunk_max.filter(|most| (1..of_page).contains(most)).unwrap_or(of_page)
}

/// Bytes that encryption adds to a chunk, and the block it fills up to (spec 07 section 5, L21).
pub mod encryption {
    /// Block of the cipher.
    pub const BLOCK_BYTES: usize = 16;
    /// What an encrypted chunk has beyond whole blocks.
    pub const BEYOND_BLOCKS: usize = 1;
    /// Shortest encrypted chunk.
    pub const LEAST: usize = 33;
    /// Checksum that is encrypted with the data.
    const CHECKSUM_BYTES: usize = 4;
    /// What stands beside the encrypted blocks.
    const BESIDE_BLOCKS: usize = 17;

    /// Bytes of `plain` bytes once they are encrypted.
    #[must_use]
    pub const fn size(plain: usize) -> usize {
        let blocks = (plain + CHECKSUM_BYTES) / BLOCK_BYTES + 1;
        blocks * BLOCK_BYTES + BESIDE_BLOCKS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(bytes: &[u8]) -> Result<LongValueKey, LongValueKeyError> {
        LongValueKey::read(&NodeKey::whole(bytes))
    }

    #[test]
    fn references_of_both_widths_are_read() {
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0]), Ok(LongValueId(1)));
        let wide = [1, 0, 0, 0x80, 0, 0, 0, 0x80];
        assert_eq!(LongValueId::from_reference(&wide), Ok(LongValueId(0x8000_0000_8000_0001)));
    }

    #[test]
    fn what_is_no_id_of_its_width_is_refused() {
        assert_eq!(LongValueId::from_reference(&[]), Err(ReferenceError::Length { found: 0 }));
        assert_eq!(LongValueId::from_reference(&[1; 5]), Err(ReferenceError::Length { found: 5 }));
        assert_eq!(LongValueId::from_reference(&[0; 4]), Err(ReferenceError::Zero));
        assert_eq!(LongValueId::from_reference(&[0; 8]), Err(ReferenceError::Zero));
        let narrow = ReferenceError::Width { found: 0x8000_0001, bytes: 4 };
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0x80]), Err(narrow));
        let wide = ReferenceError::Width { found: 1, bytes: 8 };
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0, 0, 0, 0, 0]), Err(wide));
    }

    #[test]
    fn the_key_tells_roots_and_chunks_of_both_widths() {
        let (narrow, wide) = (LongValueId(0x0102_0304), LongValueId(0x8000_0000_8000_000B));
        assert_eq!(key(&[1, 2, 3, 4]), Ok(LongValueKey::Root(narrow)));
        assert_eq!(key(&[1, 2, 3, 4, 0, 0, 0x0F, 0xAE]), Ok(LongValueKey::Chunk { id: narrow, offset: 4014 }));
        let root = [0x80, 0, 0, 0, 0x80, 0, 0, 0x0B];
        assert_eq!(key(&root), Ok(LongValueKey::Root(wide)));
        // Page 73 of `kitchen-4k` (spec 07 section 7): the prefix is the key of the chunk.
        let chunk = [0x80, 0, 0, 0, 0x80, 0, 0, 0x0B, 0, 0, 0, 0];
        assert_eq!(key(&chunk), Ok(LongValueKey::Chunk { id: wide, offset: 0 }));
        let in_two = NodeKey { prefix: &chunk[..7], suffix: &chunk[7..] };
        assert_eq!(LongValueKey::read(&in_two), Ok(LongValueKey::Chunk { id: wide, offset: 0 }));
    }

    #[test]
    fn keys_of_other_lengths_or_with_the_wrong_bit_are_none() {
        for len in [0, 1, 3, 5, 7, 9, 11, 13, 400] {
            assert_eq!(key(&vec![0x80; len]), Err(LongValueKeyError::Length { found: len }));
        }
        assert_eq!(key(&[0x80, 0, 0, 1]), Err(LongValueKeyError::Width { first: 0x80, bytes: 4 }));
        let error = key(&[0x7F; 12]).unwrap_err();
        assert_eq!(error.to_string(), "key of 12 bytes: expected the top bit set, found 0x7f in front");
    }

    #[test]
    fn ids_have_the_ranges_of_the_spec() {
        use IdRange::{Impossible, Reserved, Usual};
        for (id, range) in [
            (0, Impossible),
            (1, Usual),
            (0x7FFF_FEFF, Usual),
            (0x7FFF_FF00, Reserved),
            (0x7FFF_FFFF, Reserved),
            (0x8000_0000_0000_0001, Usual),
            (0x80FF_FFFE_FFFF_FFFF, Usual),
            (0x80FF_FFFF_0000_0000, Reserved),
            (0x80FF_FFFF_FFFF_FFFF, Reserved),
            (0x8100_0000_0000_0000, Impossible),
            (u64::MAX, Impossible),
        ] {
            assert_eq!(LongValueId(id).range(), range, "{id:#x}");
        }
    }

    #[test]
    fn roots_have_8_or_9_bytes() {
        // Page 73 of `kitchen-4k`: 6602 bytes, one reference.
        let root = LongValueRoot::read(&[1, 0, 0, 0, 0xCA, 0x19, 0, 0]).unwrap();
        assert_eq!(root, LongValueRoot { references: 1, size: 6602, flags: None });
        assert!(root.is_live() && !root.is_encrypted());
        let root = LongValueRoot::read(&[0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 1]).unwrap();
        assert!(!root.is_live() && root.is_encrypted());
        assert_eq!(LongValueRoot::read(&[0; 7]), Err(RootLengthError(7)));
        assert_eq!(LongValueRoot::read(&[0; 10]), Err(RootLengthError(10)));
    }

    #[test]
    fn chunks_have_the_sizes_of_the_spec() {
        assert_eq!(PageSize::ALL.map(|size| chunk_size(size, None)), [1966, 4014, 8110, 4050, 8150]);
        let with = |most| chunk_size(PageSize::K4, Some(most));
        assert_eq!([0, 1, 1000, 4014, 4015, u32::MAX].map(with), [4014, 1, 1000, 4014, 4014, 4014]);
    }

    #[test]
    fn encryption_pads_to_whole_blocks_and_always_adds() {
        assert_eq!([0, 11, 12, 4014].map(encryption::size), [33, 33, 49, 4049]);
    }

    proptest! {
        #[test]
        fn keys_are_written_as_they_are_read(id in any::<u32>(), low in any::<u64>(), wide in any::<bool>(),
            offset in proptest::option::of(any::<u32>())) {
            let id = LongValueId(if wide { low | WIDE_64 } else { u64::from(id & !WIDE_32) });
            let written = offset.map_or(LongValueKey::Root(id), |offset| LongValueKey::Chunk { id, offset });
            prop_assert_eq!(key(&written.to_vec()), Ok(written));
        }

        #[test]
        fn ids_ascend_as_their_keys_do(a in any::<u64>(), b in any::<u64>()) {
            let id = |bits: u64| LongValueId(if bits & 1 == 0 { bits >> 33 } else { bits | WIDE_64 });
            let key = |id| LongValueKey::Root(id).to_vec();
            prop_assert_eq!(id(a).cmp(&id(b)), key(id(a)).cmp(&key(id(b))));
        }
    }
}
