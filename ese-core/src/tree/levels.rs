//! A way through all pages of one tree, level by level from the root down (spec 03 sections 1 to 3).
//!
//! For showing what a tree looks like. It is lenient as the cursor is: a page that cannot be used is a [`TreeFault`] in its
//! place, and what its siblings have below them follows all the same. It keeps one page, and the numbers of one level.

use crate::format::{Objid, Page, PageFlags, Pgno};
use crate::source::Pages;

use super::cursor::{DEPTH_MOST, TreeFault};
use super::page_set::PageSet;
use super::reader::{PageFault, TrustedPages};

/// A page that the walk came to.
#[derive(Debug)]
pub struct LevelPage<'a> {
    /// Levels above it: 0 for the root.
    pub level: usize,
    /// Its number.
    pub pgno: Pgno,
    /// The page that names it; none for the root.
    pub parent: Pgno,
    /// The page, or what keeps it from being used.
    pub page: Result<Page<'a>, TreeFault>,
    /// Lines of the page that name no child that can be gone to, the first of them.
    pub faults: Vec<TreeFault>,
}

/// Faults that are kept of one page.
const FAULTS_MOST: usize = 16;

/// A walk through one tree.
pub struct LevelWalk<'s> {
    trusted: TrustedPages<'s>,
    last: Pgno,
    /// Pages of this level, with their parents; the next one at `place`.
    pages: Vec<(Pgno, Pgno)>,
    place: usize,
    level: usize,
    /// Their children.
    below: Vec<(Pgno, Pgno)>,
    seen: PageSet,
    tree: Option<(Objid, PageFlags)>,
}

impl<'s> LevelWalk<'s> {
    /// A walk through the tree whose root is at `root`.
    #[must_use]
    pub fn new(pages: Pages<'s>, root: Pgno) -> LevelWalk<'s> {
        let mut seen = PageSet::default();
        seen.insert(root);
        LevelWalk {
            trusted: TrustedPages::new(pages),
            last: pages.last(),
            pages: vec![(root, Pgno::NONE)],
            place: 0,
            level: 0,
            below: Vec::new(),
            seen,
            tree: None,
        }
    }

    /// The next page; `None` behind the last one.
    pub fn next_page(&mut self) -> Option<LevelPage<'_>> {
        if self.place == self.pages.len() {
            self.pages = std::mem::take(&mut self.below);
            self.place = 0;
            self.level += 1;
        }
        let (pgno, parent) = *self.pages.get(self.place)?;
        self.place += 1;
        let level = self.level;
        let failed = |fault| Some(LevelPage { level, pgno, parent, page: Err(fault), faults: Vec::new() });
        if level >= DEPTH_MOST {
            return failed(TreeFault::Depth { pgno });
        }
        let page = match self.trusted.get(pgno) {
            Ok(page) => page,
            Err(fault) => return failed(fault.into()),
        };
        let (objid, kind) = *self.tree.get_or_insert((page.objid(), page.flags() & PageFlags::KIND));
        if let Some(found) = foreign(page, objid, kind) {
            return failed(TreeFault::Foreign { pgno, expected: objid, found });
        }
        let mut faults = Vec::new();
        let last = self.last;
        if !page.is_leaf() {
            for node in page.nodes() {
                let child = match node {
                    Ok(node) => {
                        node.child().ok_or(TreeFault::NoChild { pgno, line: node.line, found: node.data.len() })
                    }
                    Err(error) => Err(TreeFault::Node { pgno, error }),
                };
                // Only once each, and none that the file has not: then a level is never longer than the file.
                let child =
                    child.and_then(|child| match (child <= last && !child.is_none(), self.seen.insert(child)) {
                        (false, _) => Err(PageFault::NotInFile { pgno: child, last }.into()),
                        (true, false) => Err(TreeFault::Again { pgno: child, parent: pgno }),
                        (true, true) => Ok(child),
                    });
                match child {
                    Ok(child) => self.below.push((child, pgno)),
                    Err(fault) if faults.len() < FAULTS_MOST => faults.push(fault),
                    Err(_) => {}
                }
            }
        }
        Some(LevelPage { level, pgno, parent, page: Ok(page), faults })
    }
}

/// What `page` is, if it is none that the tree can use.
pub(super) fn foreign(page: Page<'_>, objid: Objid, kind: PageFlags) -> Option<String> {
    let flags = page.flags();
    if page.objid() != objid {
        Some(format!("one of tree {}", page.objid()))
    } else if flags.intersects(PageFlags::EMPTY | PageFlags::PRE_INIT) {
        Some("an empty page".to_owned())
    } else if flags & PageFlags::KIND != kind {
        Some(format!("one of another kind (flags 0x{:x})", flags.bits()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::PageSize;
    use crate::source::MemorySource;

    #[test]
    fn a_root_that_is_not_in_the_file_is_one_fault_and_the_end() {
        let source = MemorySource(&[0; 4 * 4096]);
        let mut walk = LevelWalk::new(Pages::new(&source, PageSize::K4), Pgno(9));
        let page = walk.next_page().unwrap();
        assert_eq!((page.level, page.pgno, page.page.is_err()), (0, Pgno(9), true));
        assert!(walk.next_page().is_none());
    }
}
