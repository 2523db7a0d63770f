//! Nodes: key and data of one line (spec 02 section 5), and keys that lie in two pieces.
//!
//! All parts borrow from the page. A node that does not fit its line is a [`NodeError`]; nothing is checked beyond that.

use std::cmp::Ordering;

use byteorder::{ByteOrder, LittleEndian};

use super::geometry::Pgno;
use super::tag::{LineError, NODE_FLAGS_SHIFT, NodeFlags};

/// Bytes of the prefix size and of the suffix size.
const SIZE_BYTES: usize = 2;
/// The value bits of a prefix or suffix size; on large pages the bits above, in the first of them, are flags.
const SIZE_MASK: u16 = 0x1FFF;
/// Bytes of the data of an internal node: the child's pgno.
pub const CHILD_BYTES: usize = 4;

/// The full key of a node: the part shared with the page's prefix, then its own suffix.
///
/// Keys compare as strings of unsigned bytes over both pieces.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeKey<'a> {
    /// The part taken from the page's prefix; empty if the node is not compressed.
    pub prefix: &'a [u8],
    /// The node's own part.
    pub suffix: &'a [u8],
}

impl<'a> NodeKey<'a> {
    /// A key in one piece.
    #[must_use]
    pub fn whole(key: &'a [u8]) -> NodeKey<'a> {
        NodeKey { prefix: &[], suffix: key }
    }

    /// Bytes of the full key.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// True if the key has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the full key to `out`.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix);
        out.extend_from_slice(self.suffix);
    }

    /// The full key in one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        self.append_to(&mut out);
        out
    }
}

impl Ord for NodeKey<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.prefix.len() > other.prefix.len() {
            return other.cmp(self).reverse();
        }
        // Now: our prefix, the rest of their prefix against our suffix, then what is left of both suffixes.
        let (shared, rest) = other.prefix.split_at(self.prefix.len());
        let middle = rest.len().min(self.suffix.len());
        piece_cmp(self.prefix, shared)
            .then_with(|| piece_cmp(&self.suffix[..middle], rest))
            .then_with(|| piece_cmp(&self.suffix[middle..], other.suffix))
    }
}

/// Compares two pieces of keys. Many are empty, with an address that was never mapped; on such the compare of the C
/// library, which masks its loads, takes longer than on any real key.
#[inline]
fn piece_cmp(a: &[u8], b: &[u8]) -> Ordering {
    if a.is_empty() || b.is_empty() { a.len().cmp(&b.len()) } else { a.cmp(b) }
}

impl PartialOrd for NodeKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for NodeKey<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.cmp(other) == Ordering::Equal
    }
}

impl Eq for NodeKey<'_> {}

/// One node of a page.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its line: the index of its tag, 1-based (tag 0 is no node).
    pub line: usize,
    /// Its flags.
    pub flags: NodeFlags,
    /// Its full key.
    pub key: NodeKey<'a>,
    /// Everything behind the key: a record, an entry's bookmark, a child's pgno.
    pub data: &'a [u8],
}

impl<'a> Node<'a> {
    /// Takes a line apart. `tag_flags` are the flags from the tag (small pages), `None` where the node itself has them
    /// (large pages); `prefix` is the page's.
    #[inline]
    pub(super) fn parse(
        line: usize,
        bytes: &'a [u8],
        tag_flags: Option<NodeFlags>,
        prefix: &'a [u8],
    ) -> Result<Node<'a>, NodeError> {
        let too_short = NodeError::TooShort { line, size: bytes.len() };
        let (first, rest) = bytes.split_at_checked(SIZE_BYTES).ok_or(too_short)?;
        let first = LittleEndian::read_u16(first);
        let flags = tag_flags.unwrap_or_else(|| NodeFlags::from_bits_retain(first >> NODE_FLAGS_SHIFT));
        let (prefix_len, suffix_len, rest) = if flags.contains(NodeFlags::COMPRESSED) {
            let (second, rest) = rest.split_at_checked(SIZE_BYTES).ok_or(too_short)?;
            (usize::from(first & SIZE_MASK), usize::from(LittleEndian::read_u16(second) & SIZE_MASK), rest)
        } else {
            (0, usize::from(first & SIZE_MASK), rest)
        };
        let available = prefix.len();
        let prefix =
            prefix.get(..prefix_len).ok_or(NodeError::PrefixTooLong { line, prefix: prefix_len, available })?;
        let available = rest.len();
        let (suffix, data) = rest.split_at_checked(suffix_len).ok_or(NodeError::SuffixTooLong {
            line,
            suffix: suffix_len,
            available,
        })?;
        Ok(Node { line, flags, key: NodeKey { prefix, suffix }, data })
    }

    /// True if the node is flagged deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.flags.contains(NodeFlags::DELETED)
    }

    /// The child that an internal node points to; `None` if its data is not 4 bytes.
    #[must_use]
    pub fn child(&self) -> Option<Pgno> {
        let data: [u8; CHILD_BYTES] = self.data.try_into().ok()?;
        Some(Pgno(u32::from_le_bytes(data)))
    }
}

/// A node that cannot be taken apart. Sizes are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NodeError {
    /// Its line cannot be read.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The line has no room for the sizes of its parts.
    #[error("node at line {line}: expected at least its prefix and suffix sizes, found {size} bytes")]
    TooShort {
        /// The line.
        line: usize,
        /// Its size.
        size: usize,
    },
    /// The key wants more of the page's prefix than there is.
    #[error("node at line {line}: expected a prefix of at most {available} bytes, found {prefix}")]
    PrefixTooLong {
        /// The line.
        line: usize,
        /// The prefix size that the node states.
        prefix: usize,
        /// The size of the page's prefix.
        available: usize,
    },
    /// The key's own part is longer than the line.
    #[error("node at line {line}: expected a suffix of at most {available} bytes, found {suffix}")]
    SuffixTooLong {
        /// The line.
        line: usize,
        /// The suffix size that the node states.
        suffix: usize,
        /// Bytes left in the line.
        available: usize,
    },
}

impl NodeError {
    /// The line of the node.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            NodeError::Line(LineError::NoSuchLine { line, .. } | LineError::OutsidePage { line, .. })
            | NodeError::TooShort { line, .. }
            | NodeError::PrefixTooLong { line, .. }
            | NodeError::SuffixTooLong { line, .. } => *line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_large_page_node_has_its_flags_in_its_first_word() {
        // Page 49 of `kitchen-32k` (spec 02 section 5): flags 5, prefix 7, suffix 1.
        let line = [0x07, 0xA0, 1, 0, 1, 1, 0, 0, 0, 0xF6, 8, 0, 0];
        let node = Node::parse(1, &line, None, &[9; 12]).unwrap();
        assert_eq!(node.flags, NodeFlags::COMPRESSED | NodeFlags::VERSION);
        assert_eq!((node.key.prefix.len(), node.key.suffix), (7, &[1u8][..]));
        assert_eq!(node.data.len(), 8);
    }

    #[test]
    fn parts_that_do_not_fit_are_errors() {
        let compressed = Some(NodeFlags::COMPRESSED);
        assert_eq!(Node::parse(1, &[0], None, &[]).unwrap_err(), NodeError::TooShort { line: 1, size: 1 });
        assert_eq!(
            Node::parse(2, &[9, 0, 0, 0], compressed, &[0; 8]).unwrap_err(),
            NodeError::PrefixTooLong { line: 2, prefix: 9, available: 8 }
        );
        assert_eq!(
            Node::parse(3, &[2, 0, 7], Some(NodeFlags::empty()), &[]).unwrap_err(),
            NodeError::SuffixTooLong { line: 3, suffix: 2, available: 1 }
        );
    }

    proptest! {
        #[test]
        fn keys_compare_as_if_they_were_in_one_piece(
            a in proptest::collection::vec(0u8..3, 0..8), b in proptest::collection::vec(0u8..3, 0..8),
            cut_a in 0usize..9, cut_b in 0usize..9,
        ) {
            let (pa, sa) = a.split_at(cut_a.min(a.len()));
            let (pb, sb) = b.split_at(cut_b.min(b.len()));
            prop_assert_eq!(NodeKey { prefix: pa, suffix: sa }.cmp(&NodeKey { prefix: pb, suffix: sb }), a.cmp(&b));
        }
    }
}
