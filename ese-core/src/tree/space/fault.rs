//! What keeps a part of the space of a tree from being known, and where.

use std::fmt;

use super::read::EXTENTS_MOST;
use super::{Place, SpacePart};
use crate::format::{NodeError, Objid, Pgno};
use crate::tree::cursor::DEPTH_MOST;
use crate::tree::reader::PageFault;

/// What keeps a part of the space of a tree from being known.
#[derive(Debug, thiserror::Error)]
pub enum SpaceFaultKind {
    /// A page cannot be had.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// The root is no root of this tree.
    #[error("expected the root of tree {expected}, found {found}")]
    ForeignRoot {
        /// Id of the tree.
        expected: Objid,
        /// What it is.
        found: String,
    },
    /// Tag 0 of the root holds no space header.
    #[error("expected a space header in tag 0, found {found} bytes")]
    NoHeader {
        /// Bytes in tag 0.
        found: usize,
    },
    /// The root of the database has no space trees.
    #[error("expected a space header with multiple extents")]
    Single,
    /// The only extent of a tree is none.
    #[error("expected 1 page or more in the only extent, found {cpg}")]
    NoExtent {
        /// Its number of pages.
        cpg: u32,
    },
    /// A page of the space tree lacks the flag.
    #[error("page {pgno}: expected a page of a space tree, found flags 0x{found:x}")]
    NotSpaceTree {
        /// The page.
        pgno: Pgno,
        /// Its flags.
        found: u32,
    },
    /// A page of the space tree belongs to another tree.
    #[error("page {pgno}: expected a page of tree {expected}, found one of tree {found}")]
    OtherTree {
        /// The page.
        pgno: Pgno,
        /// Id of the tree.
        expected: Objid,
        /// Id on the page.
        found: Objid,
    },
    /// The root flag is missing on the root of a space tree, or set below it.
    #[error("expected the flag of a root on the root of a space tree and nowhere else, found flags 0x{found:x}")]
    RootFlag {
        /// Its flags.
        found: u32,
    },
    /// The page was met in a space tree before.
    #[error("page {pgno}: expected each page once in all space trees, found it named again by page {parent}")]
    Again {
        /// The page.
        pgno: Pgno,
        /// Where it is named again.
        parent: Pgno,
    },
    /// There are more levels than any tree has.
    #[error("expected at most {DEPTH_MOST} levels, found more")]
    Depth,
    /// A node cannot be taken apart.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node of an internal page names no child.
    #[error("line {line}: expected a child page number of 4 bytes, found {found} bytes")]
    NoChild {
        /// The line.
        line: usize,
        /// Bytes of its data.
        found: usize,
    },
    /// A node is no extent.
    #[error(
        "line {line}: expected an extent, a key of 4 (or, with a pool, 5) bytes and 4 bytes of data, found a key of {key} and {data} bytes"
    )]
    NotExtent {
        /// The line.
        line: usize,
        /// Bytes of its key.
        key: usize,
        /// Bytes of its data.
        data: usize,
    },
    /// A link to a sibling is not that of the order in which the parents name the leaves.
    #[error("sibling: expected page {expected}, found {found}")]
    Link {
        /// The page that should be named there.
        expected: Pgno,
        /// The page that is.
        found: Pgno,
    },
    /// Tag 0 of the root of a space tree is no split buffer.
    #[error("expected a split buffer of 16 bytes in tag 0, found {found} bytes")]
    NoSplitBuffer {
        /// Bytes in tag 0.
        found: usize,
    },
    /// There are more extents than are kept.
    #[error("expected at most {EXTENTS_MOST} extents in all trees together, found more")]
    TooMany,
    /// A database that owns nothing.
    #[error("expected at least one owned extent")]
    Empty,
}

/// Something about the space of a tree that is not known.
#[derive(Debug)]
pub struct SpaceFault {
    /// Which part.
    pub part: SpacePart,
    /// Where the wrong bytes are: where a page is named that cannot be had, else on the page itself.
    pub place: Place,
    /// What is wrong.
    pub kind: SpaceFaultKind,
}

impl fmt::Display for SpaceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            kind @ (SpaceFaultKind::Page(_)
            | SpaceFaultKind::NotSpaceTree { .. }
            | SpaceFaultKind::OtherTree { .. }
            | SpaceFaultKind::Again { .. }) => kind.fmt(f),
            kind => write!(f, "page {}: {kind}", self.place.pgno),
        }
    }
}

impl std::error::Error for SpaceFault {}

impl SpaceFault {
    /// The page that is needed and lies behind the end of the file, if that is what is wrong.
    #[must_use]
    pub fn beyond_file(&self) -> Option<Pgno> {
        match self.kind {
            SpaceFaultKind::Page(PageFault::NotInFile { pgno, last }) => Some(pgno).filter(|pgno| *pgno > last),
            _ => None,
        }
    }

    /// True if nothing is missing because of it.
    pub(super) fn is_harmless(&self) -> bool {
        matches!(self.kind, SpaceFaultKind::Link { .. } | SpaceFaultKind::NoSplitBuffer { .. })
    }
}
