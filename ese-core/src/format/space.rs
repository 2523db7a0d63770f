//! The space header of a root and the extents of space trees (spec 04 sections 1 and 2, spec 03 section 2).
//!
//! Decoding only: whether an extent is plausible, or owned by the right tree, is judged elsewhere.

use bitflags::bitflags;
use byteorder::{BigEndian, ByteOrder, LittleEndian};

use super::geometry::Pgno;
use super::node::Node;

/// Bytes of a space header, and of the split buffer in tag 0 of a space tree's root.
pub const SPACE_HEADER_BYTES: usize = 16;
/// Bytes of the autoincrement maximum in an extended root header.
const AUTOINC_BYTES: usize = 8;
/// Offsets in a space header.
pub mod offset {
    /// Pages of the first extent or of the last allocation, u32.
    pub const CPG: usize = 0;
    /// FDP of the parent, u32.
    pub const PARENT: usize = 4;
    /// Flags, u8.
    pub const FLAGS: usize = 8;
    /// Three bytes of zeros.
    pub const ZERO: usize = 9;
    /// Root of the OE tree, or the map of free pages, u32.
    pub const OE_OR_MAP: usize = 12;
}
/// Offset of the second extent of a split buffer.
pub const SPLIT_SECOND: usize = 8;

/// The largest page number that an extent may end with.
pub const EXTENT_LAST_MOST: Pgno = Pgno(0x7FEF_FFFE);
/// The smallest page number that an available extent may end with: before it lie the root of the database and its
/// space trees.
pub const AVAILABLE_LAST_LEAST: Pgno = Pgno(4);
/// Pages behind the root for which a space header of a single extent has bits.
pub const SINGLE_EXTENT_BITS: u32 = u32::BITS;

/// Flag byte of an extended root header: a space header follows.
const EXTENDED_SPACE: u8 = 1;
/// Flag byte of an extended root header: an autoincrement maximum follows.
const EXTENDED_AUTOINC: u8 = 2;

bitflags! {
    /// Flags of a space header. Bits without a name are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct SpaceFlags: u8 {
        /// The tree has OE and AE trees; else a single extent and a bit map.
        const MULTIPLE = 1;
        /// Keys of the tree need not be unique.
        const NON_UNIQUE = 2;
        /// The first field is the size of the last allocation.
        const V2 = 4;
    }
}

/// The 16 bytes that say which space a tree owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpaceHeader {
    /// Pages of the first extent, or (v2) of the last allocation.
    pub cpg: u32,
    /// FDP of the parent; none for the database root.
    pub parent: Pgno,
    /// Its flags.
    pub flags: SpaceFlags,
    /// The three bytes that must be zero.
    pub zero: [u8; 3],
    /// Root of the OE tree (multiple extents), or the map of free pages (single extent).
    oe_or_map: u32,
}

impl SpaceHeader {
    /// Where the flags of the space header stand in tag 0 of a root, in bytes: in its own form or behind the flags of
    /// the extended one.
    #[must_use]
    pub fn flags_offset(tag0: &[u8]) -> usize {
        usize::from(tag0.len() != SPACE_HEADER_BYTES) + offset::FLAGS
    }

    fn read(bytes: &[u8; SPACE_HEADER_BYTES]) -> SpaceHeader {
        SpaceHeader {
            cpg: LittleEndian::read_u32(bytes),
            parent: Pgno(LittleEndian::read_u32(&bytes[offset::PARENT..])),
            flags: SpaceFlags::from_bits_retain(bytes[offset::FLAGS]),
            zero: [bytes[offset::ZERO], bytes[offset::ZERO + 1], bytes[offset::ZERO + 2]],
            oe_or_map: LittleEndian::read_u32(&bytes[offset::OE_OR_MAP..]),
        }
    }

    /// Root of the tree of owned extents; `None` for a tree of a single extent. The AE root is the page after it.
    #[must_use]
    pub fn oe_root(&self) -> Option<Pgno> {
        self.flags.contains(SpaceFlags::MULTIPLE).then_some(Pgno(self.oe_or_map))
    }

    /// What the tree with its root at `root` owns if it has a single extent.
    #[must_use]
    pub fn single_extent(&self, root: Pgno) -> Option<Extent> {
        let last = root.0.checked_add(self.cpg.checked_sub(1)?)?;
        (self.oe_root().is_none() && !root.is_none()).then_some(Extent {
            last: Pgno(last),
            count: self.cpg,
            pool: Pool::General,
        })
    }

    /// The free runs of [`SpaceHeader::single_extent`]: by the map, and all behind the pages for which it has bits.
    pub fn single_extent_free(&self, root: Pgno) -> impl Iterator<Item = Extent> + use<> {
        let behind_root = self.single_extent(root).map_or(0, |extent| extent.count - 1);
        let map = if behind_root == 0 { 0 } else { self.oe_or_map };
        let beyond_map = behind_root.saturating_sub(SINGLE_EXTENT_BITS);
        let run = move |first: u32, count: u32| {
            (count > 0).then(|| Extent { last: Pgno(root.0 + first + count), count, pool: Pool::General })
        };
        let by_bits = (0..behind_root.min(SINGLE_EXTENT_BITS)).filter(move |bit| map >> bit & 1 != 0);
        by_bits.filter_map(move |bit| run(bit, 1)).chain(run(SINGLE_EXTENT_BITS, beyond_map))
    }
}

/// Tag 0 of a root page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RootHeader {
    /// The space header, if there is one.
    pub space: Option<SpaceHeader>,
    /// The highest autoincrement value given out, if stored.
    pub autoincrement: Option<u64>,
    /// Bits of the flag byte of an extended header that nobody knows.
    pub unknown_flags: u8,
    /// Where in tag 0 the space header begins.
    pub space_at: usize,
}

impl RootHeader {
    /// Reads tag 0 of a root; `None` if its length fits neither form.
    ///
    /// ```
    /// use ese_core::format::{Pgno, RootHeader};
    /// // Page 1 of a fresh database: 254 pages, multiple extents, OE at page 2.
    /// let tag0 = [0xFE, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
    /// let space = RootHeader::read(&tag0).and_then(|root| root.space).unwrap();
    /// assert_eq!(space.oe_root(), Some(Pgno(2)));
    /// ```
    #[must_use]
    pub fn read(tag0: &[u8]) -> Option<RootHeader> {
        if let Ok(bytes) = tag0.try_into() {
            return Some(RootHeader {
                space: Some(SpaceHeader::read(bytes)),
                autoincrement: None,
                unknown_flags: 0,
                space_at: 0,
            });
        }
        let (&flags, mut rest) = tag0.split_first()?;
        let mut root = RootHeader {
            space: None,
            autoincrement: None,
            unknown_flags: flags & !(EXTENDED_SPACE | EXTENDED_AUTOINC),
            space_at: size_of_val(&flags),
        };
        if flags & EXTENDED_SPACE != 0 {
            let (space, after) = rest.split_first_chunk()?;
            root.space = Some(SpaceHeader::read(space));
            rest = after;
        }
        if flags & EXTENDED_AUTOINC != 0 {
            let (maximum, after) = rest.split_first_chunk::<AUTOINC_BYTES>()?;
            root.autoincrement = Some(u64::from_le_bytes(*maximum));
            rest = after;
        }
        rest.is_empty().then_some(root)
    }
}

/// The reason why pages of an AE extent are set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pool {
    /// Ordinary free pages.
    General,
    /// Kept for growth in one piece; such an extent may be empty (a hint).
    Continuous,
    /// Pages beyond the end of the file.
    Shelved,
    /// A pool number that nobody knows.
    Unknown(u8),
}

/// First byte of a pool key: this bit set, the next zero, the pool in the low three.
const POOL_MARK: u8 = 0x80;

/// A run of pages: one node of an OE or AE tree, or one half of a split buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// The last page of the run.
    pub last: Pgno,
    /// Number of pages.
    pub count: u32,
    /// The pool it belongs to (AE only).
    pub pool: Pool,
}

impl Extent {
    /// Reads a node of a space tree; `None` if key or data have no lawful length.
    #[must_use]
    pub fn read(node: &Node<'_>) -> Option<Extent> {
        let mut key = [0u8; 5];
        let len = node.key.len();
        let mut filled = node.key.prefix.iter().chain(node.key.suffix);
        key.iter_mut().zip(&mut filled).for_each(|(to, from)| *to = *from);
        let count = u32::from_le_bytes(node.data.try_into().ok()?);
        let (pool, last) = match len {
            4 => (Pool::General, BigEndian::read_u32(&key)),
            5 => {
                let pool = match key[0] {
                    mark if mark & 0xC0 != POOL_MARK => return None,
                    0x81 => Pool::Continuous,
                    0x82 => Pool::Shelved,
                    other => Pool::Unknown(other & 0x3F),
                };
                (pool, BigEndian::read_u32(&key[1..]))
            }
            _ => return None,
        };
        Some(Extent { last: Pgno(last), count, pool })
    }

    /// The two extents of a split buffer, tag 0 of the root of a space tree; `None` if it is not 16 bytes.
    #[must_use]
    pub fn read_split_buffer(tag0: &[u8]) -> Option<[Extent; 2]> {
        let bytes: &[u8; SPACE_HEADER_BYTES] = tag0.try_into().ok()?;
        let extent = |bytes: &[u8]| Extent {
            last: Pgno(LittleEndian::read_u32(bytes)),
            count: LittleEndian::read_u32(&bytes[4..]),
            pool: Pool::General,
        };
        Some([extent(bytes), extent(&bytes[SPLIT_SECOND..])])
    }

    /// The first page of the run; `None` if the run is empty or begins before page 1.
    #[must_use]
    pub fn first(&self) -> Option<Pgno> {
        let before = self.count.checked_sub(1)?;
        self.last.0.checked_sub(before).filter(|n| *n > 0).map(Pgno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{NodeFlags, NodeKey};

    fn node<'a>(key: &'a [u8], data: &'a [u8]) -> Node<'a> {
        Node { line: 1, flags: NodeFlags::empty(), key: NodeKey::whole(key), data }
    }

    #[test]
    fn space_headers_of_kitchen_4k_read_as_the_spec_says() {
        let page_653 = [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let space = RootHeader::read(&page_653).unwrap().space.unwrap();
        assert_eq!((space.cpg, space.parent, space.oe_root()), (2, Pgno(1), None));
        let page_7 = [4, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0];
        let space = RootHeader::read(&page_7).unwrap().space.unwrap();
        assert_eq!((space.flags, space.oe_root()), (SpaceFlags::MULTIPLE | SpaceFlags::V2, Some(Pgno(8))));
    }

    #[test]
    fn the_extended_header_of_page_31_holds_an_autoincrement_maximum() {
        let mut tag0 = vec![3];
        tag0.extend([0x10, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0x20, 0, 0, 0]);
        tag0.extend([0xFE, 1, 0, 0, 0, 0, 0, 0]);
        let root = RootHeader::read(&tag0).unwrap();
        assert_eq!((root.autoincrement, root.space.unwrap().oe_root()), (Some(0x1FE), Some(Pgno(32))));
        assert_eq!(RootHeader::read(&tag0[..24]), None);
        assert_eq!(RootHeader::read(&[]), None);
    }

    #[test]
    fn the_map_of_a_single_extent_is_masked_and_pages_behind_it_are_free() {
        let free = |cpg: u32, map: u32| {
            let mut tag0 = [0; 16];
            tag0[..4].copy_from_slice(&cpg.to_le_bytes());
            tag0[12..].copy_from_slice(&map.to_le_bytes());
            let header = RootHeader::read(&tag0).unwrap().space.unwrap();
            header.single_extent_free(Pgno(100)).map(|run| (run.first().unwrap().0, run.last.0)).collect::<Vec<_>>()
        };
        assert_eq!(free(4, 0xFFFF_FFFE), [(102, 102), (103, 103)]);
        assert_eq!(free(1, u32::MAX), []);
        assert_eq!(free(0, u32::MAX), []);
        assert_eq!(free(36, 1), [(101, 101), (133, 135)]);
        assert_eq!(free(u32::MAX, u32::MAX), []);
    }

    #[test]
    fn a_split_buffer_holds_two_extents() {
        let tag0 = [9, 0, 0, 0, 2, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0];
        let [first, second] = Extent::read_split_buffer(&tag0).unwrap();
        assert_eq!((first.last, first.count, second.last, second.count), (Pgno(9), 2, Pgno(20), 1));
        assert_eq!(Extent::read_split_buffer(&tag0[1..]), None);
    }

    #[test]
    fn extents_of_all_key_forms() {
        let owned = Extent::read(&node(&[0, 0, 1, 0xFE], &[0, 1, 0, 0])).unwrap();
        assert_eq!((owned.first(), owned.last, owned.pool), (Some(Pgno(255)), Pgno(510), Pool::General));
        let shelved = Extent::read(&node(&[0x82, 0, 0, 0, 9], &[1, 0, 0, 0])).unwrap();
        assert_eq!((shelved.last, shelved.pool), (Pgno(9), Pool::Shelved));
        assert_eq!(Extent::read(&node(&[0x42, 0, 0, 0, 9], &[1, 0, 0, 0])), None);
        assert_eq!(Extent::read(&node(&[0, 0, 9], &[1, 0, 0, 0])), None);
        assert_eq!(Extent { last: Pgno(3), count: 4, pool: Pool::General }.first(), None);
        assert_eq!(Extent { last: Pgno(3), count: 0, pool: Pool::General }.first(), None);
    }
}
