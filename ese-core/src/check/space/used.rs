//! Pages in use held against the space of their trees: S8 and S9.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{PAGES_NAMED, SpaceCheck, ranges, runs_text};
use crate::finding::{Code, Finding};
use crate::format::Pgno;
use crate::tree::{Place, SpacePart};

/// Pages that walks reached, held against the space of their trees: S8 and S9.
///
/// Pages whose id is not that of the tree are no matter of its space: the walk reports them and does not add them.
/// Roots and pages of space trees are there from the beginning.
pub struct UsedPages<'a> {
    check: SpaceCheck<'a>,
    /// Extents that findings of S7 name already.
    known: HashSet<Place>,
    /// Free extents of the trees that have pages in use among them, ascending.
    free: HashMap<usize, Vec<(Pgno, Pgno, Place)>>,
    wrong: BTreeMap<(Code, usize, Place), (u64, BTreeSet<Pgno>)>,
}

impl<'a> UsedPages<'a> {
    /// The roots of all trees and the pages of their space trees.
    #[must_use]
    pub fn new(check: SpaceCheck<'a>) -> UsedPages<'a> {
        let known = check.ownership.conflicts().iter().map(|conflict| conflict.place).collect();
        let mut used = UsedPages { check, known, free: HashMap::new(), wrong: BTreeMap::new() };
        for (number, (tree, space)) in check.trees().enumerate() {
            let root = space.header.map(|_| tree.root);
            root.iter().chain(&space.pages).for_each(|pgno| used.add(*pgno, number));
        }
        used
    }

    /// Adds `pgno`, which the walk of `tree` (a place in [`TreeList::trees`](crate::tree::TreeList::trees)) reached: each page once, in any order.
    pub fn add(&mut self, pgno: Pgno, tree: usize) {
        let found = self.used_page_is_free(pgno, tree).map(|place| (Code::SpaceUsedPageFree, tree, place));
        let found =
            found.or_else(|| self.used_page_is_not_owned(pgno, tree).map(|(t, p)| (Code::SpacePageNotOwned, t, p)));
        let Some(found) = found.filter(|(_, _, place)| !self.known.contains(place)) else { return };
        let (count, pages) = self.wrong.entry(found).or_default();
        *count += 1;
        pages.insert(pgno);
        if pages.len() > PAGES_NAMED {
            pages.pop_last();
        }
    }

    /// S8: the extent that lists `pgno`, a page in use, as free.
    pub fn used_page_is_free(&mut self, pgno: Pgno, tree: usize) -> Option<Place> {
        let ownership = self.check.ownership;
        let is_free = ownership.owner(pgno) == Some(tree) && ownership.is_available(pgno);
        let (_, space) = self.check.tree(tree).filter(|_| is_free)?;
        let free = self.free.entry(tree).or_insert_with(|| {
            let mut free: Vec<_> = ranges(space.free()).collect();
            free.sort_unstable();
            free
        });
        let behind = free.partition_point(|(first, ..)| *first <= pgno);
        free.get(behind.checked_sub(1)?).map(|(_, _, place)| *place)
    }

    /// S9: the tree whose extents are wrong, and where, if `pgno`, a page of `tree`, is not among those that it owns.
    #[must_use]
    pub fn used_page_is_not_owned(&self, pgno: Pgno, tree: usize) -> Option<(usize, Place)> {
        let SpaceCheck { list, ownership, .. } = self.check;
        let owner = ownership.owner(pgno);
        if owner == Some(tree) || !self.check.pages.contains(pgno) {
            return None;
        }
        let (_, space) = self.check.tree(tree).filter(|(_, space)| space.is_known(SpacePart::Owned))?;
        // A tree that was cut from this one claims the page, or this one has lost it.
        if let Some(child) = owner.filter(|owner| list.is_within(*owner, tree)) {
            let (_, its) = self.check.tree(child)?;
            return Some((child, its.owned_place(pgno)));
        }
        Some((tree, space.owned_place(pgno)))
    }

    /// One finding for each extent that is wrong.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let each = self.wrong.iter().filter_map(|((code, number, place), (count, pages))| {
            let (tree, _) = self.check.tree(*number)?;
            let (rule, what) = match code {
                Code::SpaceUsedPageFree => ("S8", "used by the tree and listed as free"),
                _ => ("S9", "used, and not as the owned extents of the tree say"),
            };
            let text = format!("{}: {}: {what}", tree.label(), runs_text(*pages.first()?, *count));
            let mut finding = self.check.finding(*code, rule, tree, *place, text);
            finding.detail.count = Some(*count);
            finding.detail.pages = pages.iter().copied().collect();
            Some(finding)
        });
        each.collect()
    }
}
