//! The space check: rules S1 to S12 of spec 04 section 5.
//!
//! [`SpaceCheck::findings`] holds the space of all trees against itself; [`UsedPages`] (S8, S9) and [`SpaceCheck::leaked`]
//! (S10) hold it against what the walks of the trees reached. A rule that can only fail because something could not be read is left out:
//! what is wrong with the page itself is for other checks to say.

mod tree;
mod used;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::check::Shutdown;
use crate::finding::{Code, Finding, Severity};
use crate::format::{Objid, PageSize, Pgno};
use crate::source::Pages;
use crate::tree::{
    Conflict, ConflictKind, ExtentAt, Ownership, Place, Space, SpaceFault, SpacePart, TreeInfo, TreeList, TreeSpace,
};

use tree::{TreeCheck, fault_finding};
pub use used::UsedPages;

/// Pages that a finding names where it stands for many.
const PAGES_NAMED: usize = 10;

/// The space of a database, to be checked.
#[derive(Clone, Copy)]
pub struct SpaceCheck<'a> {
    /// The trees.
    pub list: &'a TreeList,
    /// Their space.
    pub space: &'a Space,
    /// Who owns each page.
    pub ownership: &'a Ownership,
    /// The pages of the file.
    pub pages: Pages<'a>,
    /// How the database was closed.
    pub shutdown: Shutdown,
}

/// S11: a file that ends before `owned`, the last page that its database owns.
#[must_use]
pub fn ends_early(pages: Pages<'_>, owned: Pgno) -> Finding {
    let last = pages.last();
    let text = format!("file size: expected pages up to {owned}, which the database owns; found pages up to {last}");
    let mut finding =
        Finding::in_file(Code::DbTruncated, pages.source().len(), text).rule("S11").compared(owned.0, last.0);
    finding.detail.count = Some(u64::from(owned.0.saturating_sub(last.0)));
    finding
}

impl<'a> SpaceCheck<'a> {
    /// S1 to S7, S11 and S12: what the space trees say, held against each other and the length of the file.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.file_ends_early());
        for (number, (tree, space)) in self.trees().enumerate() {
            let mut check =
                TreeCheck { check: self, number, tree, space, findings: &mut findings, reported: HashMap::new() };
            check.header_is_lawful();
            check.first_field_agrees();
            check.single_extent_has_no_space_tree();
            check.header_names_the_parent();
            check.space_trees_are_whole();
            check.extents_are_lawful();
            check.extents_do_not_overlap(SpacePart::Owned);
            check.extents_do_not_overlap(SpacePart::Available);
            check.available_is_owned();
            check.split_buffers_are_owned();
        }
        findings.extend(self.ownership.conflicts().iter().filter_map(|conflict| self.conflict(conflict)));
        findings
    }

    fn trees(&self) -> impl Iterator<Item = (&'a TreeInfo, &'a TreeSpace)> {
        self.list.trees().iter().zip(&self.space.trees)
    }

    fn tree(&self, tree: usize) -> Option<(&'a TreeInfo, &'a TreeSpace)> {
        Some((self.list.trees().get(tree)?, self.space.trees.get(tree)?))
    }

    fn label(&self, tree: usize) -> String {
        self.list.trees().get(tree).map(TreeInfo::label).unwrap_or_default()
    }

    /// What is not known of the space of the trees, and no finding says: pages that cannot be read, too many extents.
    pub fn unread(&self) -> impl Iterator<Item = (&'a TreeInfo, &'a SpaceFault)> {
        self.trees().flat_map(|(tree, space)| {
            let unread = space.faults.iter().filter(|fault| fault_finding(&fault.kind).is_none());
            unread.map(move |fault| (tree, fault))
        })
    }

    /// S11.
    fn file_ends_early(&self) -> Option<Finding> {
        let last = self.pages.last();
        let owned = match self.space.database_end() {
            Ok(end) => Some(end.last_in_file).filter(|owned| *owned > last),
            Err(fault) => fault.beyond_file().filter(|_| !last.is_none()),
        };
        owned.map(|owned| ends_early(self.pages, owned))
    }

    /// True if `pgno` lies behind the end of a file that S11 calls cut.
    fn is_cut_off(&self, pgno: Pgno) -> bool {
        let owned = self.ownership.end().map_or(Pgno(u32::MAX), |end| end.last_in_file);
        pgno > self.pages.last() && pgno <= owned
    }

    /// S7.
    fn conflict(&self, conflict: &Conflict) -> Option<Finding> {
        let (tree, _) = self.tree(conflict.tree)?;
        let (its, other) = (tree.label(), self.label(conflict.other));
        let first = *conflict.pages.first()?;
        let pages = runs_text(first, conflict.count);
        let at = conflict.other_place.pgno;
        let more = if conflict.with_others { " and others" } else { "" };
        let text = match conflict.kind {
            ConflictKind::Shared => format!("{pages}: owned by {its}, and by {other} (page {at}){more}"),
            ConflictKind::OutsideParent if self.list.parent_of(conflict.tree) == Some(conflict.other) => {
                format!("{pages}: owned by {its}, but not by {other}, from which its space was cut (page {at})")
            }
            ConflictKind::OutsideParent => {
                format!("{pages}: missing in what {its} owns, though {other} owns them (page {at}){more}")
            }
            ConflictKind::FreeAbove if self.list.is_within(conflict.other, conflict.tree) => {
                format!("{pages}: free in {its}, and owned by {other} (page {at}){more}")
            }
            ConflictKind::FreeAbove => format!("{pages}: owned by {its}, and free in {other} (page {at}){more}"),
        };
        let mut finding = self.finding(Code::SpaceOwnedTwice, "S7", tree, conflict.place, text);
        finding.detail.count = Some(conflict.count);
        finding.detail.pages.clone_from(&conflict.pages);
        Some(finding)
    }

    /// S10: for each tree the pages that it owns and that are not free, of those in `unreached`, which no walk came to.
    /// Pages that no tree owns are left out. `unreached` ascends.
    #[must_use]
    pub fn leaked(&self, unreached: impl IntoIterator<Item = Pgno>) -> Vec<Finding> {
        let mut by_tree: BTreeMap<usize, (u64, Vec<Pgno>)> = BTreeMap::new();
        for pgno in unreached {
            let Some(owner) = self.ownership.owner(pgno).filter(|_| self.ownership.is_in_use(pgno)) else { continue };
            let (count, pages) = by_tree.entry(owner).or_default();
            *count += 1;
            if pages.len() < PAGES_NAMED {
                pages.push(pgno);
            }
        }
        let unknown = (0..).zip(&self.space.trees).filter(|(_, space)| !space.is_known(SpacePart::Owned));
        let incomplete: HashSet<usize> = unknown.filter_map(|(tree, _)| self.list.parent_of(tree)).collect();
        let each = by_tree.into_iter().filter_map(|(number, (count, pages))| {
            let (tree, space) = self.tree(number)?;
            // What a child owns that cannot be read looks like leaked.
            let is_known = |space: &TreeSpace| space.is_known(SpacePart::Owned) && space.is_known(SpacePart::Available);
            if !is_known(space) || incomplete.contains(&number) {
                return None;
            }
            let first = *pages.first()?;
            let text = format!("{}: owned by {}, neither free nor used", runs_text(first, count), tree.label());
            let place = Place { pgno: first, ..Place::default() };
            let mut finding = self.finding(Code::SpaceLeaked, "S10", tree, place, text);
            finding.detail.count = Some(count);
            finding.detail.pages = pages;
            Some(finding)
        });
        each.collect()
    }

    /// C16: a page that is the root of a tree (flag 0x1, not 0x20), in use, and named by no row of the catalog. `objid`
    /// is the id that the page carries.
    #[must_use]
    pub fn unnamed_root(&self, pgno: Pgno, objid: Objid) -> Option<Finding> {
        let owner = self.ownership.owner(pgno)?;
        if self.list.by_root(pgno).is_some() || !self.ownership.is_in_use(pgno) {
            return None;
        }
        let (tree, _) = self.tree(owner)?;
        let text = format!("page {pgno}: the root of tree {objid}, which the catalog does not name");
        let place = Place { pgno, ..Place::default() };
        let mut finding = self.finding(Code::SpaceLeaked, "C16", tree, place, text);
        finding.detail.found = Some(objid.0.into());
        finding.detail.pages = vec![pgno];
        Some(finding)
    }

    /// A finding about `tree`; an error weighs less where pages may be of different age.
    fn finding(&self, code: Code, rule: &'static str, tree: &TreeInfo, place: Place, text: String) -> Finding {
        let size: PageSize = self.pages.size();
        let mut finding = Finding::on_page(code, place.pgno, size, place.at.into(), text).rule(rule);
        if place.line > 0 {
            finding = finding.line(place.line.into());
        }
        if self.shutdown == Shutdown::Dirty {
            finding.severity = finding.severity.min(Severity::Warning);
        }
        finding.object = Some(tree.object());
        finding
    }
}

/// `page 7`, `3 pages from 7 on`.
fn runs_text(first: Pgno, count: u64) -> String {
    if count == 1 { format!("page {first}") } else { format!("{count} pages from {first} on") }
}

/// First and last page, and where they stand, of the extents that have pages.
fn ranges<'e>(extents: impl Iterator<Item = &'e ExtentAt>) -> impl Iterator<Item = (Pgno, Pgno, Place)> {
    extents.filter_map(|found| found.range().map(|(first, last)| (first, last, found.place)))
}

/// Pages in as few runs as can be, ascending.
struct Runs(Vec<(Pgno, Pgno)>);

impl Runs {
    fn of<'e>(extents: impl Iterator<Item = &'e ExtentAt>) -> Runs {
        let mut sorted: Vec<(Pgno, Pgno)> = ranges(extents).map(|(first, last, _)| (first, last)).collect();
        sorted.sort_unstable();
        let mut runs: Vec<(Pgno, Pgno)> = Vec::new();
        for (first, last) in sorted {
            match runs.last_mut() {
                Some(run) if first <= run.1.next() => run.1 = run.1.max(last),
                _ => runs.push((first, last)),
            }
        }
        Runs(runs)
    }

    /// The first page from `first` to `last` that is in no run.
    fn first_gap(&self, first: Pgno, last: Pgno) -> Option<Pgno> {
        let next = self.0.partition_point(|run| run.1 < first);
        match self.0.get(next) {
            Some(run) if run.0 <= first => (run.1 < last).then(|| run.1.next()),
            _ => Some(first),
        }
    }
}
