//! A way through the leaves of one tree, by key or from the beginning (spec 03 sections 3 and 6).
//!
//! It follows parents and never sibling links, so that a broken link costs nothing. It is lenient: a page or a node that
//! cannot be used is a [`TreeFault`], and the next call goes on behind it. It keeps one page a level and never comes to a
//! page twice, whatever the child pointers say.

use std::cmp::Ordering;

use crate::format::{Node, NodeError, NodeKey, Objid, Page, PageFlags, Pgno};
use crate::source::Pages;

use super::levels::foreign;
use super::page_set::PageSet;
use super::reader::{PageFault, TrustedPages};

/// Most levels of a tree; the engine stays below 8 (spec 03 section 8, T10).
pub const DEPTH_MOST: usize = 16;

/// Why a part of a tree cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum TreeFault {
    /// A page cannot be had.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// A page belongs to another tree, or is none that a tree can use.
    #[error("page {pgno}: expected a page of tree {expected}, found {found}")]
    Foreign {
        /// The page.
        pgno: Pgno,
        /// Id of the tree.
        expected: Objid,
        /// What it is.
        found: String,
    },
    /// Two parents name the page, or it is its own ancestor.
    #[error("page {pgno}: expected each page once in a tree, found it named again by page {parent}")]
    Again {
        /// The page.
        pgno: Pgno,
        /// Where it is named again.
        parent: Pgno,
    },
    /// There are more levels than any tree has.
    #[error("page {pgno}: expected at most {DEPTH_MOST} levels, found more")]
    Depth {
        /// The page where the way down was given up.
        pgno: Pgno,
    },
    /// A node cannot be taken apart.
    #[error("page {pgno}: {error}")]
    Node {
        /// The page.
        pgno: Pgno,
        /// What is wrong with the node.
        #[source]
        error: NodeError,
    },
    /// A node of an internal page names no child.
    #[error("page {pgno}, line {line}: expected a child page number of 4 bytes, found {found} bytes")]
    NoChild {
        /// The page.
        pgno: Pgno,
        /// The line.
        line: usize,
        /// Bytes of its data.
        found: usize,
    },
}

impl TreeFault {
    /// The page that is at fault.
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        match self {
            TreeFault::Page(fault) => fault.pgno(),
            TreeFault::Foreign { pgno, .. }
            | TreeFault::Again { pgno, .. }
            | TreeFault::Depth { pgno }
            | TreeFault::Node { pgno, .. }
            | TreeFault::NoChild { pgno, .. } => *pgno,
        }
    }
}

/// A leaf that the cursor came to.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Its number.
    pub pgno: Pgno,
    /// Its bytes; the checksum holds, or was made to by flipping back a bit.
    pub page: Page<'a>,
}

/// A node of a leaf that the cursor came to.
#[derive(Clone, Copy, Debug)]
pub struct LeafNode<'a> {
    /// The leaf that it lies on.
    pub leaf: Leaf<'a>,
    /// The node.
    pub node: Node<'a>,
}

/// One level of the way: a page, and the line that comes next.
struct Level<'s> {
    pages: TrustedPages<'s>,
    pgno: Pgno,
    next: usize,
}

impl Level<'_> {
    /// The child that the next line names; `None` behind the last line, and on a leaf.
    fn next_child(&mut self) -> Option<Result<Pgno, TreeFault>> {
        let (pgno, line) = (self.pgno, self.next);
        let page = self.pages.current()?;
        if page.is_leaf() || line >= page.tag_count() {
            return None;
        }
        self.next += 1;
        let page = self.pages.current()?;
        Some(match page.node(line) {
            Ok(node) => node.child().ok_or(TreeFault::NoChild { pgno, line, found: node.data.len() }),
            Err(error) => Err(TreeFault::Node { pgno, error }),
        })
    }
}

/// A position in a tree. Made at its beginning; gives leaves or nodes from there on.
///
/// ```
/// use catdb_test_data::database;
/// use ese_core::format::{PageSize, Pgno};
/// use ese_core::source::{MemorySource, Pages};
/// use ese_core::tree::Cursor;
///
/// let bytes = database::tiny(PageSize::K4, 8);
/// let source = MemorySource(&bytes);
/// // The owned extents of the database are a tree too.
/// let mut cursor = Cursor::new(Pages::new(&source, PageSize::K4), Pgno(2));
/// let first = cursor.next_node().expect("an extent")?;
/// assert_eq!(first.node.key.to_vec(), [0, 0, 0, 8]);
/// assert!(cursor.next_node().is_none());
/// # Ok::<(), ese_core::tree::TreeFault>(())
/// ```
pub struct Cursor<'s> {
    pages: Pages<'s>,
    root: Pgno,
    /// Pages from the root down; kept when the way goes up again, to be used again.
    levels: Vec<Level<'s>>,
    depth: usize,
    tree: Option<(Objid, PageFlags)>,
    seen: PageSet,
    started: bool,
}

impl<'s> Cursor<'s> {
    /// A cursor at the beginning of the tree whose root is at `root`.
    #[must_use]
    pub fn new(pages: Pages<'s>, root: Pgno) -> Cursor<'s> {
        Cursor { pages, root, levels: Vec::new(), depth: 0, tree: None, seen: PageSet::default(), started: false }
    }

    /// Back to the beginning.
    pub fn rewind(&mut self) {
        self.depth = 0;
        self.started = false;
        self.seen.clear();
    }

    /// To the first node whose key is `key` or above it: [`Cursor::next_node`] gives that one.
    ///
    /// # Errors
    /// [`TreeFault`] if a page on the way cannot be used; the cursor then stands behind that page.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), TreeFault> {
        self.rewind();
        self.started = true;
        self.descend(self.root, Pgno::NONE)?;
        loop {
            let Some(level) = self.lowest() else { return Ok(()) };
            let Some(page) = level.pages.current() else { return Ok(()) };
            let is_leaf = page.is_leaf();
            level.next = first_line_for(page, key, is_leaf);
            if is_leaf {
                return Ok(());
            }
            // Without a child all separators are below the key.
            let Some(child) = level.next_child() else { return Ok(()) };
            let parent = level.pgno;
            self.descend(child?, parent)?;
        }
    }

    fn lowest(&mut self) -> Option<&mut Level<'s>> {
        self.levels.get_mut(..self.depth)?.last_mut()
    }

    fn lowest_leaf(&self) -> Option<Leaf<'_>> {
        let level = self.levels.get(..self.depth)?.last()?;
        let page = level.pages.current()?;
        page.is_leaf().then_some(Leaf { pgno: level.pgno, page })
    }

    /// The next leaf, or what keeps the cursor from a part of the tree; `None` behind the last one.
    pub fn next_leaf(&mut self) -> Option<Result<Leaf<'_>, TreeFault>> {
        loop {
            if let Err(fault) = self.step()? {
                return Some(Err(fault));
            }
            if self.lowest_leaf().is_some() {
                // As far as leaves go, this one is done.
                self.lowest()?.next = usize::MAX;
                return self.lowest_leaf().map(Ok);
            }
        }
    }

    /// The next node of the leaves in key order, flagged deleted or not, or what keeps the cursor from a part of the
    /// tree; `None` behind the last one.
    pub fn next_node(&mut self) -> Option<Result<LeafNode<'_>, TreeFault>> {
        self.next_node_where(|_| true)
    }

    /// As [`Cursor::next_node`], without the nodes that are not `wanted`.
    pub fn next_node_where(&mut self, wanted: impl Fn(&Node<'_>) -> bool) -> Option<Result<LeafNode<'_>, TreeFault>> {
        let line = loop {
            let from = self.levels.get(..self.depth).and_then(<[_]>::last).map_or(0, |level| level.next);
            let found = self.lowest_leaf().and_then(|leaf| {
                (from..leaf.page.tag_count()).find(|line| leaf.page.node(*line).as_ref().map_or(true, &wanted))
            });
            if let (Some(line), Some(level)) = (found, self.lowest()) {
                level.next = line + 1;
                break line;
            }
            if let Err(fault) = self.step()? {
                return Some(Err(fault));
            }
        };
        let leaf = self.lowest_leaf()?;
        Some(match leaf.page.node(line) {
            Ok(node) => Ok(LeafNode { leaf, node }),
            Err(error) => Err(TreeFault::Node { pgno: leaf.pgno, error }),
        })
    }

    /// Goes up from pages that are done and down to the next child; `None` if all is done.
    fn step(&mut self) -> Option<Result<(), TreeFault>> {
        if !self.started {
            self.started = true;
            return Some(self.descend(self.root, Pgno::NONE));
        }
        loop {
            let level = self.lowest()?;
            let parent = level.pgno;
            match level.next_child() {
                Some(child) => return Some(child.and_then(|child| self.descend(child, parent))),
                None => self.depth -= 1,
            }
        }
    }

    /// Makes `pgno` the lowest page of the way.
    fn descend(&mut self, pgno: Pgno, parent: Pgno) -> Result<(), TreeFault> {
        if self.depth >= DEPTH_MOST {
            return Err(TreeFault::Depth { pgno });
        }
        if !self.seen.insert(pgno) {
            return Err(TreeFault::Again { pgno, parent });
        }
        if self.levels.len() == self.depth {
            self.levels.push(Level { pages: TrustedPages::new(self.pages), pgno, next: 0 });
        }
        let Some(level) = self.levels.get_mut(self.depth) else { return Err(TreeFault::Depth { pgno }) };
        let page = level.pages.get(pgno)?;
        let (objid, kind) = *self.tree.get_or_insert((page.objid(), page.flags() & PageFlags::KIND));
        if let Some(found) = foreign(page, objid, kind) {
            return Err(TreeFault::Foreign { pgno, expected: objid, found });
        }
        level.pgno = pgno;
        level.next = page.first_line();
        self.depth += 1;
        Ok(())
    }
}

/// The first line of `page` that a search for `key` has to look at: on a leaf the first key that is not below it, on an
/// internal page the first separator above it (or the one without a key, which is above all).
fn first_line_for(page: Page<'_>, key: &[u8], is_leaf: bool) -> usize {
    let wanted = NodeKey::whole(key);
    let is_before = |line: usize| match page.node(line) {
        Ok(node) if !is_leaf && node.key.is_empty() => false,
        Ok(node) => match node.key.cmp(&wanted) {
            Ordering::Less => true,
            Ordering::Equal => !is_leaf,
            Ordering::Greater => false,
        },
        // Where a node cannot be read nobody knows: look at all that follows.
        Err(_) => false,
    };
    let (mut low, mut high) = (page.first_line(), page.tag_count());
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
