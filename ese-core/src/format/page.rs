//! A page: header, node data, free space, tag array (spec 02 sections 1 to 5).
//!
//! [`Page`] borrows exactly one page and shows what stands there, right or wrong: its getters cannot fail, and lines
//! and nodes that do not fit the page are typed errors. It never checks a rule; `check::page` does.

use bitflags::bitflags;
use byteorder::{ByteOrder, LittleEndian};

use super::geometry::{Dbtime, Objid, PageSize, Pgno};
use super::node::{Node, NodeError};
use super::tag::{LineError, TAG_BYTES, Tag};

/// Offsets of the header fields that every page has (`PGHDR`); those of the checksum stand in `page_sums`.
pub mod offset {
    /// dbtime of the last change, u64.
    pub const DBTIME: usize = 8;
    /// Left sibling, u32.
    pub const PGNO_PREV: usize = 16;
    /// Right sibling, u32.
    pub const PGNO_NEXT: usize = 20;
    /// Id of the owning tree, u32.
    pub const OBJID: usize = 24;
    /// All free bytes, u16.
    pub const CB_FREE: usize = 28;
    /// Bytes that become free once a transaction commits, u16.
    pub const CB_UNCOMMITTED_FREE: usize = 30;
    /// Where contiguous free space begins, counted behind the header, u16.
    pub const IB_MIC_FREE: usize = 32;
    /// Number of tags and of reserved tags, u16.
    pub const ITAG_STATE: usize = 34;
    /// Page flags, u32.
    pub const FLAGS: usize = super::super::page_sums::OFFSET_FLAGS;
    /// The page's own number, u32 (large pages only).
    pub const PGNO: usize = 64;
    /// Reserved bytes, zero (large pages only).
    pub const RESERVED: usize = 68;
}

/// Bytes of the header of small pages (`PGHDR`).
pub const HEADER_SMALL: usize = 40;
/// Bytes of the header of large pages (`PGHDR2`).
pub const HEADER_LARGE: usize = 80;

/// Low bits of `itagState`: the number of tags.
const ITAG_COUNT_MASK: u16 = 0x0FFF;
/// Position of the number of reserved tags in `itagState`.
const ITAG_RESERVED_SHIFT: u32 = 12;

bitflags! {
    /// `fFlags` of a page (spec 02 section 3). Bits without a name are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct PageFlags: u32 {
        /// Root (FDP) of a tree.
        const ROOT = 0x1;
        /// Leaf.
        const LEAF = 0x2;
        /// Parent of leaves.
        const PARENT_OF_LEAF = 0x4;
        /// A merge moved the nodes away.
        const EMPTY = 0x8;
        /// Written by a repair that did not finish.
        const REPAIR = 0x10;
        /// Page of a space tree (OE or AE).
        const SPACE_TREE = 0x20;
        /// Page of a secondary index.
        const INDEX = 0x40;
        /// Page of a long value tree.
        const LONG_VALUE = 0x80;
        /// Obsolete.
        const OBSOLETE_100 = 0x100;
        /// Obsolete.
        const OBSOLETE_200 = 0x200;
        /// Keys need not be unique: key and data together identify an entry.
        const NON_UNIQUE = 0x400;
        /// Record format of all pages written since 2000.
        const NEW_RECORD_FORMAT = 0x800;
        /// Checksum of the ECC format.
        const ECC = super::page_sums::FLAG_ECC;
        /// Unused space was overwritten.
        const SCRUBBED = 0x4000;
        /// Flush type: two bits.
        const FLUSH_TYPE = 0x1_8000;
        /// Allocated, never filled.
        const PRE_INIT = 0x2_0000;
        /// The tree of this FDP was deleted.
        const FDP_DELETED = 0x4_0000;
    }
}

impl PageFlags {
    /// The bits that say what kind of tree a page belongs to.
    pub const KIND: PageFlags = Self::SPACE_TREE.union(Self::INDEX).union(Self::LONG_VALUE);
    /// The bits that say on which level of a tree a page lies.
    pub const LEVEL: PageFlags = Self::LEAF.union(Self::PARENT_OF_LEAF);

    /// Bits that nobody knows.
    #[must_use]
    pub fn unknown(self) -> u32 {
        self.difference(PageFlags::all()).bits()
    }
}

/// The bytes given to [`Page::new`] are no page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("page: expected 2048, 4096, 8192, 16384 or 32768 bytes, found {0}")]
pub struct WrongPageLength(pub usize);

/// A view of the bytes of one page.
///
/// ```
/// use ese_core::format::{Page, PageFlags};
/// let bytes = [0u8; 4096];
/// let page = Page::new(&bytes)?;
/// assert_eq!(page.tag_count(), 0);
/// assert!(!page.flags().contains(PageFlags::LEAF));
/// # Ok::<(), ese_core::format::WrongPageLength>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    bytes: &'a [u8],
    size: PageSize,
}

impl<'a> Page<'a> {
    /// A view of `bytes`, which must be exactly one page long.
    ///
    /// # Errors
    /// [`WrongPageLength`] if the length is not one of the five page sizes.
    pub fn new(bytes: &'a [u8]) -> Result<Page<'a>, WrongPageLength> {
        let size = PageSize::from_bytes(bytes.len()).ok_or(WrongPageLength(bytes.len()))?;
        Ok(Page { bytes, size })
    }

    /// All bytes of the page.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The size of the page.
    #[must_use]
    pub fn size(self) -> PageSize {
        self.size
    }

    /// Bytes of the header: 40, or 80 on large pages.
    #[must_use]
    pub fn header_len(self) -> usize {
        if self.size.is_large() { HEADER_LARGE } else { HEADER_SMALL }
    }

    /// Everything behind the header: node data, free space, tag array. Tag offsets count from its start.
    #[must_use]
    pub fn body(self) -> &'a [u8] {
        &self.bytes[self.header_len()..]
    }

    fn u16_at(self, at: usize) -> u16 {
        LittleEndian::read_u16(&self.bytes[at..])
    }

    fn u32_at(self, at: usize) -> u32 {
        LittleEndian::read_u32(&self.bytes[at..])
    }

    /// dbtime of the last change.
    #[must_use]
    pub fn dbtime(self) -> Dbtime {
        Dbtime(LittleEndian::read_u64(&self.bytes[offset::DBTIME..]))
    }

    /// Left sibling on the same level, or none.
    #[must_use]
    pub fn pgno_prev(self) -> Pgno {
        Pgno(self.u32_at(offset::PGNO_PREV))
    }

    /// Right sibling on the same level, or none.
    #[must_use]
    pub fn pgno_next(self) -> Pgno {
        Pgno(self.u32_at(offset::PGNO_NEXT))
    }

    /// Id of the tree that the page says it belongs to.
    #[must_use]
    pub fn objid(self) -> Objid {
        Objid(self.u32_at(offset::OBJID))
    }

    /// `cbFree`: all free bytes, holes between nodes included.
    #[must_use]
    pub fn cb_free(self) -> u16 {
        self.u16_at(offset::CB_FREE)
    }

    /// `cbUncommittedFree`: bytes that are free only once a transaction commits.
    #[must_use]
    pub fn cb_uncommitted_free(self) -> u16 {
        self.u16_at(offset::CB_UNCOMMITTED_FREE)
    }

    /// `ibMicFree`: where contiguous free space begins, counted from the start of [`Page::body`].
    #[must_use]
    pub fn ib_mic_free(self) -> u16 {
        self.u16_at(offset::IB_MIC_FREE)
    }

    /// `itagMicFree`: the number of tags, tag 0 included, as the header says (it may exceed what fits).
    #[must_use]
    pub fn tag_count(self) -> usize {
        usize::from(self.u16_at(offset::ITAG_STATE) & ITAG_COUNT_MASK)
    }

    /// The number of reserved tags in the high bits of `itagState`; 0 and 1 both mean tag 0.
    #[must_use]
    pub fn reserved_tags(self) -> usize {
        usize::from(self.u16_at(offset::ITAG_STATE) >> ITAG_RESERVED_SHIFT)
    }

    /// The first line that is a node.
    #[must_use]
    pub fn first_line(self) -> usize {
        self.reserved_tags().max(1)
    }

    /// `fFlags`.
    #[must_use]
    pub fn flags(self) -> PageFlags {
        PageFlags::from_bits_retain(self.u32_at(offset::FLAGS))
    }

    /// True on a leaf.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        self.flags().contains(PageFlags::LEAF)
    }

    /// True on the root of a tree.
    #[must_use]
    pub fn is_root(self) -> bool {
        self.flags().contains(PageFlags::ROOT)
    }

    /// The page's own number, which large pages carry.
    #[must_use]
    pub fn pgno_field(self) -> Option<Pgno> {
        self.size.is_large().then(|| Pgno(self.u32_at(offset::PGNO)))
    }

    /// The reserved end of the header of large pages; empty on small ones.
    #[must_use]
    pub fn reserved(self) -> &'a [u8] {
        if self.size.is_large() { &self.bytes[offset::RESERVED..HEADER_LARGE] } else { &[] }
    }

    /// Tag `line` as it stands, stale bits masked; `None` if the page has no room for so many tags.
    #[must_use]
    pub fn tag(self, line: usize) -> Option<Tag> {
        let end = self.bytes.len().checked_sub(line.checked_mul(TAG_BYTES)?)?;
        let at = end.checked_sub(TAG_BYTES).filter(|at| *at >= self.header_len())?;
        Some(Tag::read(self.u32_at(at), self.size))
    }

    /// Offset in the page of tag `line`; 0 if the page has no room for so many tags.
    #[must_use]
    pub fn tag_offset(self, line: usize) -> usize {
        line.checked_add(1)
            .and_then(|n| n.checked_mul(TAG_BYTES))
            .and_then(|n| self.bytes.len().checked_sub(n))
            .unwrap_or(0)
    }

    /// Offset in the page of the byte that holds the flags of the node at `line`; 0 if there is no such line.
    #[must_use]
    pub fn node_flags_offset(self, line: usize) -> usize {
        let Ok(bytes) = self.line(line) else { return 0 };
        // Both are the high byte of a little-endian word: of the tag, or of the node's first two bytes.
        if self.size.is_large() { self.offset_of(bytes) + 1 } else { self.tag_offset(line) + TAG_BYTES - 1 }
    }

    /// The bytes that tag `line` points to.
    ///
    /// # Errors
    /// [`LineError`] if there is no such tag, or if it points outside the space between header and tag array.
    pub fn line(self, line: usize) -> Result<&'a [u8], LineError> {
        self.line_with_tag(line).map(|(_, bytes)| bytes)
    }

    /// [`Page::line`] with its tag.
    #[inline]
    fn line_with_tag(self, line: usize) -> Result<(Tag, &'a [u8]), LineError> {
        let count = self.tag_count();
        let tag = self.tag(line).filter(|_| line < count).ok_or(LineError::NoSuchLine { line, count })?;
        if tag.size == 0 {
            // Any offset may stand there.
            return Ok((tag, &[]));
        }
        let body = self.body();
        let limit = body.len().saturating_sub(count.saturating_mul(TAG_BYTES));
        let bytes = body.get(tag.offset..tag.end()).filter(|_| tag.end() <= limit);
        let outside = LineError::OutsidePage { line, offset: tag.offset, size: tag.size, limit };
        bytes.map(|bytes| (tag, bytes)).ok_or(outside)
    }

    /// What tag 0 holds: the space header on a root, the common key prefix elsewhere; empty if it cannot be read.
    #[must_use]
    pub fn external_header(self) -> &'a [u8] {
        self.line(0).unwrap_or_default()
    }

    /// The key prefix that nodes of this page may refer to: tag 0, but nothing on a root.
    #[must_use]
    pub fn prefix(self) -> &'a [u8] {
        if self.is_root() { &[] } else { self.external_header() }
    }

    /// The node at `line` (1-based; tag 0 is no node).
    ///
    /// # Errors
    /// [`NodeError`] if the line cannot be read or its parts do not fit.
    pub fn node(self, line: usize) -> Result<Node<'a>, NodeError> {
        self.node_with_prefix(line, self.prefix())
    }

    /// [`Page::node`] for a caller that has the page's prefix at hand.
    #[inline]
    fn node_with_prefix(self, line: usize, prefix: &'a [u8]) -> Result<Node<'a>, NodeError> {
        let (tag, bytes) = self.line_with_tag(line)?;
        let small_flags = if self.size.is_large() { None } else { Some(tag.flags) };
        Node::parse(line, bytes, small_flags, prefix)
    }

    /// All nodes of the page in the order of their lines; a node that cannot be read is an `Err` and the next follows.
    pub fn nodes(self) -> impl ExactSizeIterator<Item = Result<Node<'a>, NodeError>> + DoubleEndedIterator + 'a {
        let prefix = self.prefix();
        let last = self.tag_count().min(self.body().len() / TAG_BYTES);
        (self.first_line().min(last)..last).map(move |line| self.node_with_prefix(line, prefix))
    }

    /// Offset in the page of the first byte of `part`, which must be borrowed from this page; 0 for anything else.
    #[must_use]
    pub fn offset_of(self, part: &[u8]) -> usize {
        let start = self.bytes.as_ptr() as usize;
        (part.as_ptr() as usize).checked_sub(start).filter(|at| *at <= self.bytes.len()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Page 2 of `kitchen-4k` (spec 02 section 9): header, and the start of the data.
    fn page_2_of_kitchen() -> Vec<u8> {
        let mut bytes = hex("d032d0ef257eda015c14000000000000000000000000000001000000 9a0f 0000 2e00 0410 23280100");
        bytes.extend([0; 16]);
        bytes.extend(hex("0400000000fefe000000 0400000001fe00010000 0400000002fe00010000"));
        bytes.resize(4096, 0);
        for (i, tag) in ["10000000", "0a001000", "0a001a00", "0a002400"].iter().enumerate() {
            bytes[4096 - 4 * (i + 1)..][..4].copy_from_slice(&hex(tag));
        }
        bytes
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn the_example_page_reads_as_the_spec_says() {
        let bytes = page_2_of_kitchen();
        let page = Page::new(&bytes).unwrap();
        assert_eq!(page.dbtime(), Dbtime(0x145C));
        assert_eq!(page.objid(), Objid(1));
        assert_eq!(page.cb_free(), 3994);
        assert_eq!(page.ib_mic_free(), 46);
        assert_eq!((page.tag_count(), page.reserved_tags()), (4, 1));
        assert_eq!(
            page.flags(),
            PageFlags::ROOT
                | PageFlags::LEAF
                | PageFlags::SPACE_TREE
                | PageFlags::NEW_RECORD_FORMAT
                | PageFlags::ECC
                | PageFlags::from_bits_retain(0x10000)
        );
        let nodes: Vec<_> = page.nodes().map(Result::unwrap).collect();
        assert_eq!(nodes.len(), 3);
        assert_eq!(nodes[0].key.to_vec(), [0, 0, 0, 0xFE]);
        assert_eq!(nodes[0].data, [0xFE, 0, 0, 0]);
        assert_eq!(page.offset_of(nodes[1].data), 40 + 16 + 10 + 6);
    }

    #[test]
    fn a_compressed_node_takes_its_prefix_from_tag_0() {
        // Page 15 of `kitchen-4k`, tags 0 and 1 (spec 02 section 5).
        let mut bytes = vec![0; 4096];
        let prefix = hex("7f800000027f80027f5350414345555341474500");
        let node = hex("07000e00017f4d5359534f424a45435453007f800000027f80017f80000002");
        bytes[40..60].copy_from_slice(&prefix);
        bytes[60..91].copy_from_slice(&node);
        bytes[34] = 2;
        bytes[4092..].copy_from_slice(&hex("14000000"));
        bytes[4088..4092].copy_from_slice(&hex("1f001480"));
        let page = Page::new(&bytes).unwrap();
        let node = page.node(1).unwrap();
        assert_eq!(node.key.prefix, &prefix[..7]);
        assert_eq!(node.key.suffix, hex("017f4d5359534f424a4543545300"[..].trim()));
        assert_eq!(node.data, hex("7f800000027f80017f80000002"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_view_that_never_panics(
            seed in proptest::collection::vec(any::<u8>(), 256), size in 0usize..5, dense in any::<bool>(),
        ) {
            let size = PageSize::ALL[size];
            let mut bytes: Vec<u8> = seed.iter().copied().cycle().take(size.bytes()).collect();
            if dense { bytes[35] = 0; }
            let page = Page::new(&bytes).unwrap();
            let _ = (page.flags().unknown(), page.reserved(), page.pgno_field());
            for node in page.nodes().flatten() {
                prop_assert!(node.key.len() <= 2 * bytes.len());
                prop_assert!(page.offset_of(node.data) >= page.header_len());
            }
            for line in 0..5000 {
                let _ = (page.tag(line), page.line(line).is_ok(), page.tag_offset(line));
            }
            prop_assert!(page.tag(usize::MAX).is_none());
        }
    }
}
