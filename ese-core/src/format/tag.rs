//! Tags: where the lines of a page lie (spec 02 section 4).
//!
//! A tag is a u32 at the end of the page, size in the low half, offset in the high half. The unused top bits hold
//! stale values in sound files of every age, so they are masked here and never shown.

use bitflags::bitflags;

use super::geometry::PageSize;

/// Bytes of a tag.
pub const TAG_BYTES: usize = 4;

/// Bits of a size or offset on small pages; the three above, in the offset word, are the node's flags.
const MASK_SMALL: u32 = 0x1FFF;
/// Bits of a size or offset on large pages.
const MASK_LARGE: u32 = 0x7FFF;
/// Position of the node's flags in the offset word of small pages, and in the first word of nodes of large ones.
pub(super) const NODE_FLAGS_SHIFT: u32 = 13;

bitflags! {
    /// The three flags of a node (spec 02 section 5).
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct NodeFlags: u16 {
        /// The record had versions when it was written; says nothing on disk.
        const VERSION = 1;
        /// Logically gone.
        const DELETED = 2;
        /// The key begins with a part of the page's prefix.
        const COMPRESSED = 4;
    }
}

/// One tag: a line's place on its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Offset of the line in bytes, counted behind the page header.
    pub offset: usize,
    /// Size of the line in bytes.
    pub size: usize,
    /// The node's flags: in the tag on small pages, nothing on large ones (there the node itself has them).
    pub flags: NodeFlags,
}

impl Tag {
    /// Decodes the u32 of a tag.
    #[must_use]
    pub fn read(word: u32, page_size: PageSize) -> Tag {
        let mask = if page_size.is_large() { MASK_LARGE } else { MASK_SMALL };
        let flags = if page_size.is_large() { 0 } else { word >> (16 + NODE_FLAGS_SHIFT) };
        // Both fields are at most 15 bits, so the conversions cannot fail.
        let field = |value: u32| usize::try_from(value & mask).unwrap_or(0);
        Tag {
            offset: field(word >> 16),
            size: field(word),
            flags: NodeFlags::from_bits_retain(u16::try_from(flags).unwrap_or(0)),
        }
    }

    /// Offset behind the line's last byte, counted as [`Tag::offset`].
    #[must_use]
    pub fn end(self) -> usize {
        self.offset + self.size
    }
}

/// A line of a page that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// The page has fewer tags.
    #[error("line {line}: expected a line below {count}")]
    NoSuchLine {
        /// The line asked for.
        line: usize,
        /// The number of tags.
        count: usize,
    },
    /// The tag points outside the space between header and tag array.
    #[error(
        "line {line}: expected to end at or before {limit}, found {size} bytes at {offset} (counted behind the header)"
    )]
    OutsidePage {
        /// The line asked for.
        line: usize,
        /// Where it begins.
        offset: usize,
        /// How long it is.
        size: usize,
        /// Where the tag array begins.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_high_bits_are_masked() {
        // `1f001480` of `kitchen-4k` page 15, with the top bits of the size word set besides.
        let tag = Tag::read(0x8014_E01F, PageSize::K4);
        assert_eq!(tag, Tag { offset: 20, size: 31, flags: NodeFlags::COMPRESSED });
        let tag = Tag::read(0x800C_800D, PageSize::K32);
        assert_eq!(tag, Tag { offset: 12, size: 13, flags: NodeFlags::empty() });
    }
}
