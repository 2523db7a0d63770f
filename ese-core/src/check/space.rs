//! The space check: rules S1 to S12 of spec 04 section 5.
//!
//! [`SpaceCheck::findings`] holds the space of all trees against itself; [`UsedPages`] (S8, S9) and [`SpaceCheck::leaked`]
//! (S10) hold it against what the walks of the trees reached. A rule that can only fail because something could not be read is left out:
//! what is wrong with the page itself is for other checks to say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::check::Shutdown;
use crate::finding::{Code, Finding, Severity};
use crate::format::space::offset as header_offset;
use crate::format::{AVAILABLE_LAST_LEAST, EXTENT_LAST_MOST, Objid, PageSize, Pgno, Pool, SpaceFlags};
use crate::source::Pages;
use crate::tree::{
    Conflict, ConflictKind, ExtentAt, Ownership, PageFault, Place, Space, SpaceFault, SpaceFaultKind, SpacePart,
    TreeInfo, TreeList, TreeSpace,
};

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
    /// How the database was left.
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

/// The rule that a fault breaks, if it is for this check to report. A page that cannot be read, or whose nodes cannot be
/// taken apart, has findings of its own.
fn fault_finding(kind: &SpaceFaultKind) -> Option<(Code, &'static str)> {
    match kind {
        SpaceFaultKind::Page(PageFault::Blank { .. } | PageFault::NotInFile { .. }) => Some((Code::SpaceRoot, "S3")),
        SpaceFaultKind::Page(PageFault::Read { .. } | PageFault::Checksum { .. })
        | SpaceFaultKind::Node(_)
        | SpaceFaultKind::TooMany => None,
        SpaceFaultKind::ForeignRoot { .. }
        | SpaceFaultKind::NoHeader { .. }
        | SpaceFaultKind::NoExtent { .. }
        | SpaceFaultKind::Single => Some((Code::SpaceHeader, "S1")),
        SpaceFaultKind::NotSpaceTree { .. }
        | SpaceFaultKind::OtherTree { .. }
        | SpaceFaultKind::RootFlag { .. }
        | SpaceFaultKind::Again { .. }
        | SpaceFaultKind::Depth
        | SpaceFaultKind::Link { .. }
        | SpaceFaultKind::Empty => Some((Code::SpaceRoot, "S3")),
        SpaceFaultKind::NoChild { .. } | SpaceFaultKind::NotExtent { .. } => Some((Code::SpaceExtent, "S4")),
        SpaceFaultKind::NoSplitBuffer { .. } => Some((Code::SpaceSplitBuffer, "S12")),
    }
}

/// The space of one tree under check.
struct TreeCheck<'c, 'a> {
    check: &'c SpaceCheck<'a>,
    number: usize,
    tree: &'a TreeInfo,
    space: &'a TreeSpace,
    findings: &'c mut Vec<Finding>,
    /// Where in `findings` those of a kind on a page are.
    reported: HashMap<(Code, Pgno), usize>,
}

impl TreeCheck<'_, '_> {
    /// Reports what is wrong at `place`; of one kind on one page the first, and how many there are.
    fn add(&mut self, code: Code, rule: &'static str, place: Place, text: &str) -> Option<&mut Finding> {
        if let Some(finding) = self.reported.get(&(code, place.pgno)).and_then(|at| self.findings.get_mut(*at)) {
            finding.detail.count = Some(finding.detail.count.unwrap_or(1) + 1);
            return None;
        }
        let text = format!("{}: {text}", self.tree.label());
        self.reported.insert((code, place.pgno), self.findings.len());
        self.findings.push(self.check.finding(code, rule, self.tree, place, text));
        self.findings.last_mut()
    }

    fn header_place(&self, field: usize) -> Place {
        let place = self.space.header_place;
        Place { at: place.at.saturating_add(u16::try_from(field).unwrap_or(0)), ..place }
    }

    /// S1: the values of the header are ones that the engine writes.
    fn header_is_lawful(&mut self) {
        let Some(header) = self.space.header else { return };
        let place = self.header_place(header_offset::FLAGS);
        let flags = header.flags;
        let odd = flags.difference(SpaceFlags::all());
        if !odd.is_empty() || flags.contains(SpaceFlags::V2) && !flags.contains(SpaceFlags::MULTIPLE) {
            let text = format!("space header: expected flags 0, 1, 2, 3, 5 or 7, found 0x{:x}", flags.bits());
            self.add(Code::SpaceHeader, "S1", place, &text);
        }
        if self.space.unknown_flags != 0 {
            let at = self.space.header_place.at.saturating_sub(1);
            let text = format!("tag 0 of the root: nobody knows the flags 0x{:x}", self.space.unknown_flags);
            self.add(Code::SpaceHeader, "S1", Place { at, ..self.space.header_place }, &text);
        }
        if let Some(i) = header.zero.iter().position(|byte| *byte != 0) {
            let place = self.header_place(header_offset::ZERO + i);
            let text =
                format!("space header: expected three bytes of zeros behind the flags, found {:x?}", header.zero);
            if let Some(finding) = self.add(Code::SpaceHeader, "S1", place, &text) {
                // Nothing reads them.
                finding.severity = Severity::Warning;
            }
        }
    }

    /// S2.
    fn header_names_the_parent(&mut self) {
        let Some(header) = self.space.header.filter(|header| header.parent != self.tree.parent) else { return };
        let (expected, found) = (self.tree.parent, header.parent);
        let text = format!("space header: expected parent {expected}, found {found}");
        let place = self.header_place(header_offset::PARENT);
        if let Some(finding) = self.add(Code::SpaceParent, "S2", place, &text) {
            (finding.detail.expected, finding.detail.found) = (Some(expected.0.into()), Some(found.0.into()));
        }
    }

    /// S3, and what else could not be read of the space trees.
    fn space_trees_are_whole(&mut self) {
        for fault in &self.space.faults {
            let Some((code, rule)) = fault_finding(&fault.kind) else { continue };
            // The root of a tree that is not there, or that of another tree, is for the walk of the tree to report.
            let is_root = fault.part == SpacePart::Header && matches!(fault.kind, SpaceFaultKind::Page(_));
            let is_foreign = matches!(fault.kind, SpaceFaultKind::ForeignRoot { .. }) && self.number > 0;
            let is_cut = fault.beyond_file().is_some_and(|pgno| self.check.is_cut_off(pgno));
            if is_cut || is_foreign || is_root && self.number > 0 {
                continue;
            }
            self.add(code, rule, fault.place, &fault.to_string());
        }
    }

    /// S4.
    fn extents_are_lawful(&mut self) {
        if self.space.header.is_none_or(|header| header.oe_root().is_none()) {
            return;
        }
        for part in [SpacePart::Owned, SpacePart::Available] {
            for found in self.space.extents(part) {
                if let Some(wrong) = unlawful(found, part) {
                    self.add(Code::SpaceExtent, "S4", found.place, &format!("{} extent: {wrong}", part_name(part)));
                }
            }
        }
    }

    /// S5.
    fn extents_do_not_overlap(&mut self, part: SpacePart) {
        let mut ranges: Vec<(Pgno, Pgno, Place)> = ranges(self.space.extents(part).iter()).collect();
        ranges.sort_unstable();
        let mut furthest: Option<(Pgno, Pgno, Place)> = None;
        for range in ranges {
            if let Some(before) = furthest.filter(|before| range.0 <= before.1) {
                // The later node is the one that reaches back.
                let (wrong, other) = if before.2 > range.2 { (before, range) } else { (range, before) };
                let text = format!(
                    "{} extent {} to {}: expected no page of another one, found {} to {} (page {}, line {})",
                    part_name(part),
                    wrong.0,
                    wrong.1,
                    other.0,
                    other.1,
                    other.2.pgno,
                    other.2.line
                );
                self.add(Code::SpaceOverlap, "S5", wrong.2, &text);
            }
            if furthest.is_none_or(|before| range.1 > before.1) {
                furthest = Some(range);
            }
        }
    }

    /// S6.
    fn available_is_owned(&mut self) {
        if !self.space.is_known(SpacePart::Owned) {
            return;
        }
        let owned = Runs::of(self.space.owned.iter());
        let available = self.space.available.iter().filter(|found| found.extent.pool != Pool::Shelved);
        for (first, last, place) in ranges(available) {
            let Some(gap) = owned.first_gap(first, last) else { continue };
            let text =
                format!("available extent {first} to {last}: expected owned pages, found page {gap}, which is not");
            if let Some(finding) = self.add(Code::SpaceAvailNotOwned, "S6", place, &text) {
                finding.detail.pages = vec![gap];
            }
        }
    }

    /// S12.
    fn split_buffers_are_owned(&mut self) {
        let holder = self.check.list.parent_of(self.number).unwrap_or(self.number);
        let Some((holder, its)) = self.check.tree(holder) else { return };
        for buffer in &self.space.split_buffers {
            for found in buffer.extents.iter().filter(|found| found.extent.count > 0) {
                let wrong = match found.range() {
                    None => unlawful(found, SpacePart::Owned),
                    Some((first, last)) if its.is_known(SpacePart::Owned) => Runs::of(its.owned.iter())
                        .first_gap(first, last)
                        .map(|gap| format!("expected pages of {}, found page {gap}, which is none", holder.label())),
                    Some(_) => None,
                };
                if let Some(wrong) = wrong {
                    let text = format!("split buffer of the {} extents: {wrong}", part_name(buffer.part));
                    self.add(Code::SpaceSplitBuffer, "S12", found.place, &text);
                }
            }
        }
    }
}

fn part_name(part: SpacePart) -> &'static str {
    match part {
        SpacePart::Header | SpacePart::Owned => "owned",
        SpacePart::Available => "available",
    }
}

/// What is wrong with an extent by itself.
fn unlawful(found: &ExtentAt, part: SpacePart) -> Option<String> {
    let extent = found.extent;
    let least = if part == SpacePart::Available { AVAILABLE_LAST_LEAST } else { Pgno(1) };
    if found.versioned {
        return Some("expected no flag for versions, found it".to_owned());
    }
    match (part, extent.pool) {
        (_, Pool::Unknown(pool)) => return Some(format!("expected pool 1 or 2 in a key of 5 bytes, found {pool}")),
        (SpacePart::Available, _) | (_, Pool::General) => {}
        _ => return Some("expected a key of 4 bytes, found one with a pool".to_owned()),
    }
    if extent.last < least || extent.last > EXTENT_LAST_MOST {
        return Some(format!("expected a last page from {least} to {EXTENT_LAST_MOST}, found {}", extent.last));
    }
    match extent.pool {
        Pool::Continuous if extent.count == 0 => None,
        Pool::Shelved if extent.count != 1 => Some(format!("expected 1 page beyond the end, found {}", extent.count)),
        _ if extent.first().is_none() => {
            Some(format!("expected 1 to {} pages that end with page {0}, found {1}", extent.last, extent.count))
        }
        _ => None,
    }
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

    /// Adds `pgno`, which the walk of `tree` (a place in [`TreeList::trees`]) reached: each page once, in any order.
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
