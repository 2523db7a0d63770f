//! Who owns each page of a file: the deepest tree whose extents hold it, and whether it is free there (spec 04 section 3).
//!
//! Made by one sweep over the extents of all trees, so that its time grows with their number and never with the pages that
//! they claim; the map itself is as long as the file. Where two trees claim a page the one whose id the page carries is
//! right (spec 04 section 5); it reports no finding.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::Pgno;
use crate::source::Pages;

use super::list::TreeList;
use super::reader::TrustedPages;
use super::space::{ExtentAt, OwnedSpace, Place, Space, SpacePart};

/// Levels of trees: the database, tables, their indexes and long values.
const DEPTHS: usize = 3;
/// Pages that are read in all to find out which of two claimants is right.
const PAGES_ASKED_MOST: usize = 20_000;
/// Pages of one run that are asked.
const PAGES_ASKED_OF_RUN: u32 = 16;
/// Trees that are looked at where many claim the same pages.
const CLAIMANTS_MOST: usize = 4;
/// Pages that a conflict names.
const PAGES_NAMED: usize = 10;

/// Conflicts that are kept: a file that has more is lost in more than its space.
const CONFLICTS_MOST: usize = 10_000;

/// How the extents of two trees contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConflictKind {
    /// Two trees of one level own the pages.
    Shared,
    /// A tree owns pages that its parent does not.
    OutsideParent,
    /// The pages are free in one tree and owned by a tree below it.
    FreeAbove,
}

/// Pages whose extents contradict each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// How.
    pub kind: ConflictKind,
    /// The tree whose extent is wrong, as a place in [`TreeList::trees`].
    pub tree: usize,
    /// Where it is wrong: its extent, or the one beside which the pages are missing.
    pub place: Place,
    /// The tree that is right; the first one where there are several.
    pub other: usize,
    /// The extent of that tree.
    pub other_place: Place,
    /// There are several.
    pub with_others: bool,
    /// Number of pages.
    pub count: u64,
    /// The first of them.
    pub pages: Vec<Pgno>,
}

/// Which tree owns each page of a file.
#[derive(Debug, Default)]
pub struct Ownership {
    /// For each page from 1 on the place of its owner in the list of trees, plus one; the top bit if it is free there.
    map: Vec<u32>,
    end: Option<OwnedSpace>,
    owned_is_known: bool,
    free_is_known: Vec<bool>,
    conflicts: Vec<Conflict>,
}

/// Bit of a page that is free.
const FREE: u32 = 1 << 31;

impl Ownership {
    /// The owners of the pages of `pages`, whose trees are those of `list`.
    #[must_use]
    pub fn new(pages: Pages<'_>, list: &TreeList, space: &Space) -> Ownership {
        let mut sweep = Sweep::new(pages, list, space);
        sweep.run();
        Ownership {
            map: sweep.map,
            end: space.database_end().ok(),
            owned_is_known: space.trees.first().is_some_and(|database| database.is_known(SpacePart::Owned)),
            free_is_known: space.trees.iter().map(|tree| tree.is_known(SpacePart::Available)).collect(),
            conflicts: sweep.conflicts.into_values().collect(),
        }
    }

    fn entry(&self, pgno: Pgno) -> u32 {
        let index = usize::try_from(pgno.0).ok().and_then(|n| n.checked_sub(1));
        index.and_then(|index| self.map.get(index)).copied().unwrap_or(0)
    }

    /// The deepest tree that owns `pgno`, as a place in [`TreeList::trees`].
    #[must_use]
    pub fn owner(&self, pgno: Pgno) -> Option<usize> {
        usize::try_from(self.entry(pgno) & !FREE).ok()?.checked_sub(1)
    }

    /// True if `pgno` is free in the tree that owns it, or kept there for the time when its space tree splits.
    #[must_use]
    pub fn is_available(&self, pgno: Pgno) -> bool {
        self.entry(pgno) & FREE != 0
    }

    /// True if a tree owns `pgno` and does not list it as free; true as well if nobody can say.
    #[must_use]
    pub fn is_in_use(&self, pgno: Pgno) -> bool {
        match self.owner(pgno) {
            Some(owner) => !self.is_available(pgno) || !self.free_is_known.get(owner).is_some_and(|known| *known),
            None => !self.owned_is_known,
        }
    }

    /// Where the space of the database ends; `None` if its space trees cannot be read.
    #[must_use]
    pub fn end(&self) -> Option<OwnedSpace> {
        self.end
    }

    /// The last page that the database owns; `None` if its space trees cannot be read.
    #[must_use]
    pub fn last_owned(&self) -> Option<Pgno> {
        self.end.map(|end| end.last)
    }

    /// Where the extents of trees contradict each other.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }
}

/// An extent of a tree.
#[derive(Clone, Copy)]
struct Claim {
    tree: usize,
    first: Pgno,
    last: Pgno,
    place: Place,
}

/// What the sweep comes to at a page: an extent begins there, or has ended before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: u32,
    claim: u32,
    begins: bool,
}

/// Extents that hold the page the sweep is at: tree, extent.
type Active = BTreeSet<(usize, u32)>;

struct Sweep<'a> {
    list: &'a TreeList,
    space: &'a Space,
    trusted: TrustedPages<'a>,
    asked: usize,
    claims: Vec<Claim>,
    /// Claims from here on are of free extents.
    first_free: usize,
    owned: [Active; DEPTHS],
    free: Active,
    map: Vec<u32>,
    conflicts: BTreeMap<(ConflictKind, usize, Place), Conflict>,
}

impl<'a> Sweep<'a> {
    fn new(pages: Pages<'a>, list: &'a TreeList, space: &'a Space) -> Sweep<'a> {
        let mut claims = Vec::new();
        let claim =
            |tree, found: &ExtentAt| found.range().map(|(first, last)| Claim { tree, first, last, place: found.place });
        for (tree, its) in space.trees.iter().enumerate() {
            claims.extend(its.owned.iter().filter_map(|found| claim(tree, found)));
        }
        let first_free = claims.len();
        for (tree, its) in space.trees.iter().enumerate() {
            claims.extend(its.free().filter_map(|found| claim(tree, found)));
        }
        Sweep {
            list,
            space,
            trusted: TrustedPages::new(pages),
            asked: 0,
            claims,
            first_free,
            owned: Default::default(),
            free: Active::default(),
            map: vec![0; usize::try_from(pages.last().0).unwrap_or(0)],
            conflicts: BTreeMap::new(),
        }
    }

    fn run(&mut self) {
        let mut events = Vec::with_capacity(self.claims.len() * 2);
        for (claim, Claim { first, last, .. }) in (0u32..).zip(&self.claims) {
            events.push(Event { at: first.0, claim, begins: true });
            events.push(Event { at: last.next().0, claim, begins: false });
        }
        events.sort_unstable();
        for (i, event) in events.iter().enumerate() {
            self.apply(*event);
            if let Some(next) = events.get(i + 1).filter(|next| next.at > event.at) {
                self.run_of_pages(Pgno(event.at), Pgno(next.at - 1));
            }
        }
    }

    fn apply(&mut self, event: Event) {
        let Some((index, claim)) =
            usize::try_from(event.claim).ok().and_then(|index| Some((index, self.claims.get(index)?)))
        else {
            return;
        };
        let depth = self.list.depth_of(claim.tree);
        let active = if index >= self.first_free { Some(&mut self.free) } else { self.owned.get_mut(depth) };
        let entry = (claim.tree, event.claim);
        match active {
            Some(active) if event.begins => {
                active.insert(entry);
            }
            Some(active) => {
                active.remove(&entry);
            }
            None => {}
        }
    }

    /// Settles the pages `first` to `last`, which the same extents hold.
    fn run_of_pages(&mut self, first: Pgno, last: Pgno) {
        let carrier = self.is_contested().then(|| self.carrier(first, last)).flatten();
        let mut owner: Option<(usize, u32)> = None;
        for depth in 0..DEPTHS {
            let claimants = self.owned.get(depth).map(first_of_each_tree).unwrap_or_default();
            let Some(right) = self.right_one(&claimants, carrier) else { continue };
            for wrong in claimants.into_iter().filter(|other| other.0 != right.0) {
                self.conflict(ConflictKind::Shared, wrong, right, first, last);
            }
            self.lies_inside_parent(right, carrier, first, last);
            owner = Some(right);
        }
        let mut is_free = false;
        for free in first_of_each_tree(&self.free) {
            let Some(owner) = owner else { break };
            is_free |= free.0 == owner.0;
            // Free pages that the tree does not own are another matter: the check of each tree reports them.
            if free.0 != owner.0 && self.is_owned_by(free.0) && self.list.is_within(owner.0, free.0) {
                let in_use = carrier.is_some_and(|carrier| self.list.is_within(carrier, owner.0));
                let free_in_both = self.is_free_in(owner.0);
                if in_use || free_in_both {
                    self.conflict(ConflictKind::FreeAbove, free, owner, first, last);
                } else {
                    self.conflict(ConflictKind::FreeAbove, owner, free, first, last);
                    is_free = true;
                }
            }
        }
        if let Some((owner, _)) = owner {
            self.paint(first, last, owner, is_free);
        }
    }

    /// True unless the extents that hold the page are those of one tree and of the trees above it.
    fn is_contested(&self) -> bool {
        let mut below: Option<usize> = None;
        for active in self.owned.iter().rev() {
            let (Some((tree, _)), Some((last, _))) = (active.first(), active.last()) else {
                if below.is_some() {
                    return true;
                }
                continue;
            };
            if tree != last || below.is_some_and(|below| self.list.parent_of(below) != Some(*tree)) {
                return true;
            }
            below = Some(*tree);
        }
        let deepest = self.owned.iter().rev().find_map(|active| active.first());
        let is_elsewhere = |free: &(usize, u32)| deepest.is_some_and(|owner| owner.0 != free.0);
        self.free.first().is_some_and(is_elsewhere) || self.free.last().is_some_and(is_elsewhere)
    }

    /// The tree whose id the first pages from `first` on carry, if they carry that of any.
    fn carrier(&mut self, first: Pgno, last: Pgno) -> Option<usize> {
        let last = last.min(Pgno(first.0.saturating_add(PAGES_ASKED_OF_RUN - 1))).min(self.trusted.pages().last());
        for pgno in (first.0..=last.0).map(Pgno) {
            if self.asked >= PAGES_ASKED_MOST {
                return None;
            }
            self.asked += 1;
            let Ok(page) = self.trusted.get(pgno) else { continue };
            let tree = self.list.by_objid(page.objid()).filter(|tree| *tree > 0);
            if tree.is_some() {
                return tree;
            }
        }
        None
    }

    /// Which of the claimants is right: the one that `carrier` is, or is below; else the one that lists the pages as free
    /// besides; else the one with the smaller extent.
    fn right_one(&self, claimants: &[(usize, u32)], carrier: Option<usize>) -> Option<(usize, u32)> {
        let carried = |tree: usize| carrier.is_some_and(|carrier| self.list.is_within(carrier, tree));
        let size = |claim: u32| self.claim(claim).map_or(0, |claim| claim.last.0 - claim.first.0);
        claimants
            .iter()
            .copied()
            .min_by_key(|(tree, claim)| (!carried(*tree), !self.is_free_in(*tree), size(*claim), *tree))
    }

    fn claim(&self, claim: u32) -> Option<Claim> {
        self.claims.get(usize::try_from(claim).ok()?).copied()
    }

    fn is_free_in(&self, tree: usize) -> bool {
        self.free.range((tree, 0)..=(tree, u32::MAX)).next().is_some()
    }

    fn is_owned_by(&self, tree: usize) -> bool {
        let active = self.owned.get(self.list.depth_of(tree));
        active.is_some_and(|active| active.range((tree, 0)..=(tree, u32::MAX)).next().is_some())
    }

    fn lies_inside_parent(&mut self, child: (usize, u32), carrier: Option<usize>, first: Pgno, last: Pgno) {
        let Some(parent) = self.list.parent_of(child.0).filter(|parent| !self.is_owned_by(*parent)) else { return };
        let Some(its) = self.space.trees.get(parent).filter(|its| its.is_known(SpacePart::Owned)) else { return };
        let is_carried = carrier.is_some_and(|carrier| self.list.is_within(carrier, child.0));
        // The database owns all pages up to its end: what is missing below is its own fault.
        let is_hole = parent == 0 && its.owned.last().is_some_and(|end| last <= end.extent.last);
        if !is_carried && !is_hole {
            return self.conflict_at(ConflictKind::OutsideParent, child, (parent, its.header_place), first, last);
        }
        // The pages are those of the child: its parent has lost them.
        let place = its.owned_place(first);
        let Some(claim) = self.claim(child.1) else { return };
        self.note(ConflictKind::OutsideParent, (parent, place), (child.0, claim.place), first, last);
    }

    fn conflict(&mut self, kind: ConflictKind, wrong: (usize, u32), right: (usize, u32), first: Pgno, last: Pgno) {
        let Some(right_claim) = self.claim(right.1) else { return };
        self.conflict_at(kind, wrong, (right.0, right_claim.place), first, last);
    }

    fn conflict_at(&mut self, kind: ConflictKind, wrong: (usize, u32), right: (usize, Place), first: Pgno, last: Pgno) {
        let Some(claim) = self.claim(wrong.1) else { return };
        self.note(kind, (wrong.0, claim.place), right, first, last);
    }

    fn note(&mut self, kind: ConflictKind, wrong: (usize, Place), right: (usize, Place), first: Pgno, last: Pgno) {
        let key = (kind, wrong.0, wrong.1);
        if self.conflicts.len() >= CONFLICTS_MOST && !self.conflicts.contains_key(&key) {
            return;
        }
        let conflict = self.conflicts.entry(key).or_insert_with(|| Conflict {
            kind,
            tree: wrong.0,
            place: wrong.1,
            other: right.0,
            other_place: right.1,
            with_others: false,
            count: 0,
            pages: Vec::new(),
        });
        conflict.with_others |= conflict.other != right.0;
        conflict.count += u64::from(last.0 - first.0) + 1;
        let room = PAGES_NAMED.saturating_sub(conflict.pages.len());
        conflict.pages.extend((first.0..=last.0).map(Pgno).take(room));
    }

    fn paint(&mut self, first: Pgno, last: Pgno, owner: usize, is_free: bool) {
        let index = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let end = index(last.0).min(self.map.len());
        let value = u32::try_from(owner + 1).unwrap_or(0) | if is_free { FREE } else { 0 };
        if let Some(run) = self.map.get_mut(index(first.0) - 1..end) {
            run.fill(value);
        }
    }
}

/// One extent of each tree of `active`, as far as they are few.
fn first_of_each_tree(active: &Active) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = Vec::new();
    let mut next = active.first().copied();
    while let Some(entry) = next.filter(|_| found.len() < CLAIMANTS_MOST) {
        found.push(entry);
        next = active.range((entry.0 + 1, 0)..).next().copied();
    }
    found
}
