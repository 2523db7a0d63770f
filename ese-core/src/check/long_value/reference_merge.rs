//! What does not agree, where the sums of references differ: all references in order beside all roots in order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::reports::{self, Report, Reports, Rule, Weights, count_one_more};
use crate::finding::{Code, Finding};
use crate::format::long_value::{IdRange, REFERENCES_DELETING};
use crate::format::{DbState, LongValueId, LongValueKey, LongValueRoot, Node, Page, PageSize, Pgno};
use crate::sort::{ExternalSorter, SortError, SortLimits, SortedRecords};

/// Pages with references into the void that get a finding of their own; the rest is counted with the last of them.
const LOST_PAGES_MOST: usize = 1000;

/// Where a record refers to a long value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RecordPlace {
    /// Page of the record.
    pub pgno: Pgno,
    /// Its line, 1-based.
    pub line: u16,
    /// Offset of the reference from the start of the page, in bytes.
    pub at: u16,
}

/// Bytes of an id in a sorted record.
const ID_BYTES: usize = 8;
/// Bytes of id, pgno, line and offset.
const SORTED_BYTES: usize = ID_BYTES + 4 + 2 + 2;

/// All references that the records of a table make, gathered in any order.
#[derive(Debug)]
pub struct ReferenceList(ExternalSorter);

impl ReferenceList {
    /// An empty list that keeps to `limits`.
    #[must_use]
    pub fn new(limits: SortLimits) -> ReferenceList {
        ReferenceList(ExternalSorter::new(limits))
    }

    /// Adds a reference to `id`.
    ///
    /// # Errors
    /// [`SortError`] if memory is full and the temporary file cannot be written.
    pub fn add(&mut self, id: LongValueId, place: RecordPlace) -> Result<(), SortError> {
        let mut record = [0; SORTED_BYTES];
        let parts = id.0.to_be_bytes().into_iter().chain(place.pgno.0.to_be_bytes());
        let parts = parts.chain(place.line.to_be_bytes()).chain(place.at.to_be_bytes());
        record.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        self.0.push(&record)
    }
}

fn read_sorted(record: &[u8]) -> Option<(LongValueId, RecordPlace)> {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *record.first_chunk::<SORTED_BYTES>()?;
    let [i, j, k, l, m, n, o, p] = rest;
    let place = RecordPlace {
        pgno: Pgno(u32::from_be_bytes([i, j, k, l])),
        line: u16::from_be_bytes([m, n]),
        at: u16::from_be_bytes([o, p]),
    };
    Some((LongValueId(u64::from_be_bytes([a, b, c, d, e, f, g, h])), place))
}

/// Whether the references of all records are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// They are.
    Complete,
    /// Some records could not be read: nothing is said about references that are too few.
    Partial,
}

/// All references to one long value.
#[derive(Clone, Copy, Debug)]
struct Group {
    id: LongValueId,
    count: u64,
    first: RecordPlace,
}

/// Sorted references, gathered by id.
#[derive(Debug)]
struct Groups {
    sorted: SortedRecords,
    /// The first reference of the next group.
    ahead: Option<(LongValueId, RecordPlace)>,
}

impl Groups {
    fn next(&mut self) -> Result<Option<Group>, SortError> {
        let first = match self.ahead.take() {
            Some(first) => Some(first),
            None => self.sorted.next_record()?.and_then(read_sorted),
        };
        let Some((id, first)) = first else { return Ok(None) };
        let mut group = Group { id, count: 1, first };
        while let Some((id, place)) = self.sorted.next_record()?.and_then(read_sorted) {
            if id != group.id {
                self.ahead = Some((id, place));
                break;
            }
            group.count += 1;
        }
        Ok(Some(group))
    }
}

/// What the comparison came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReferenceTally {
    /// References to long values that are not there (L14) or being deleted (L15).
    pub missing: u64,
    /// Long values that count too few references (L16).
    pub low: u64,
    /// Long values that count too many (L17).
    pub high: u64,
    /// Long values that count references, and nobody refers to them (L18).
    pub orphans: u64,
    /// Long values that wait for their deletion (L19).
    pub dead: u64,
}

/// Compares references with roots, which come in the order of the tree: L14 to L19.
#[derive(Debug)]
pub struct ReferenceMerge {
    weights: Weights,
    completeness: Completeness,
    groups: Groups,
    next: Option<Group>,
    last_root: Option<LongValueId>,
    /// A part of the tree is missing because of this page, and no root has come since.
    after_gap: Option<Pgno>,
    /// References that may lead to what is missing, by the page at fault.
    explained: BTreeMap<Pgno, u64>,
    reports: Reports,
    /// L14 and L15 by the page of the record.
    lost: [BTreeMap<Pgno, Finding>; 2],
    first_dead: Option<Report>,
    tally: ReferenceTally,
}

impl ReferenceMerge {
    /// Compares `references` with a tree on pages of `size`, of a database in `state`.
    ///
    /// # Errors
    /// [`SortError`] if the temporary file cannot be written or read.
    pub fn new(
        references: ReferenceList,
        completeness: Completeness,
        size: PageSize,
        state: DbState,
    ) -> Result<ReferenceMerge, SortError> {
        let mut groups = Groups { sorted: references.0.finish()?, ahead: None };
        Ok(ReferenceMerge {
            weights: Weights::new(size, state),
            completeness,
            next: groups.next()?,
            groups,
            last_root: None,
            after_gap: None,
            explained: BTreeMap::new(),
            reports: Reports::new(size, state),
            lost: [BTreeMap::new(), BTreeMap::new()],
            first_dead: None,
            tally: ReferenceTally::default(),
        })
    }

    /// A part of the tree could not be read because of page `pgno`: the roots of references may be there.
    pub fn gap(&mut self, pgno: Pgno) {
        self.after_gap.get_or_insert(pgno);
    }

    /// The next node of the tree, in key order; all but roots are passed over.
    ///
    /// # Errors
    /// [`SortError`] if the temporary file cannot be read.
    pub fn node(
        &mut self,
        page: Page<'_>,
        pgno: Pgno,
        node: &Node<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), SortError> {
        let Ok(LongValueKey::Root(id)) = LongValueKey::read(&node.key) else { return Ok(()) };
        // A root that comes too late was reported (L4), and so was one that cannot be (L2).
        if node.is_deleted() || id.range() == IdRange::Impossible || self.last_root.is_some_and(|last| id <= last) {
            return Ok(());
        }
        while let Some(group) = self.next.filter(|group| group.id < id) {
            self.without_root(group);
            self.next = self.groups.next()?;
        }
        self.after_gap = None;
        self.last_root = Some(id);
        let group = self.next.filter(|group| group.id == id);
        if group.is_some() {
            self.next = self.groups.next()?;
        }
        // A root that does not say how often it is referred to was reported (L3).
        if let Ok(root) = LongValueRoot::read(node.data) {
            let at = page.offset_of(node.data);
            let report = Report { pgno, line: node.line, at, message: String::new(), compared: None };
            self.judge(id, root.references, group, report, findings);
        }
        Ok(())
    }

    /// L15 to L19 for one root.
    fn judge(
        &mut self,
        id: LongValueId,
        counts: u32,
        group: Option<Group>,
        mut report: Report,
        findings: &mut Vec<Finding>,
    ) {
        let expected = group.map_or(0, |group| group.count);
        let found = u64::from(counts);
        let (rule, code, message) = match group {
            Some(group) if counts == REFERENCES_DELETING => return self.being_deleted(group),
            None if counts == 0 || counts == REFERENCES_DELETING => {
                self.tally.dead += 1;
                self.first_dead.get_or_insert(report);
                return;
            }
            Some(_) if expected > found => {
                self.tally.low += 1;
                (Rule::L16, Code::LvRefcountLow, format!("expected a count of {expected} references, found {found}"))
            }
            _ if expected == found || self.completeness == Completeness::Partial => return,
            Some(_) => {
                self.tally.high += 1;
                (Rule::L17, Code::LvRefcountHigh, format!("expected a count of {expected} references, found {found}"))
            }
            None => {
                self.tally.orphans += 1;
                (Rule::L18, Code::LvOrphan, format!("expected {found} references as it counts, found none"))
            }
        };
        report.message = format!("long value {id}: {message}");
        self.reports.add(rule, code, report.compared(expected, found), findings);
    }

    /// L14.
    fn without_root(&mut self, group: Group) {
        match self.after_gap {
            Some(pgno) => *self.explained.entry(pgno).or_default() += group.count,
            None => self.lose(Rule::L14, group, "that is not there"),
        }
    }

    /// L15.
    fn being_deleted(&mut self, group: Group) {
        self.lose(Rule::L15, group, "whose deletion has begun");
    }

    fn lose(&mut self, rule: Rule, group: Group, what: &str) {
        self.tally.missing += group.count;
        let [missing, deleting] = &mut self.lost;
        let lost = if rule == Rule::L15 { deleting } else { missing };
        let report = record_report(group.first, format!("reference to long value {}, {what}", group.id));
        let is_full = lost.len() >= LOST_PAGES_MOST;
        let last = lost.last_key_value().map(|(pgno, _)| *pgno).filter(|_| is_full && !lost.contains_key(&report.pgno));
        match lost.entry(last.unwrap_or(report.pgno)) {
            Entry::Occupied(mut known) => count_one_more(known.get_mut()),
            Entry::Vacant(new) => _ = new.insert(self.weights.finding(rule, Code::LvMissing, report)),
        }
    }

    /// What it came to, once the last node has come, and how many references each page at fault explains.
    ///
    /// # Errors
    /// [`SortError`] if the temporary file cannot be read.
    pub fn finish(mut self, findings: &mut Vec<Finding>) -> Result<(ReferenceTally, Vec<(Pgno, u64)>), SortError> {
        while let Some(group) = self.next {
            self.without_root(group);
            self.next = self.groups.next()?;
        }
        self.reports.finish(findings);
        findings.extend(self.lost.into_iter().flat_map(BTreeMap::into_values));
        let dead = self.tally.dead;
        findings.extend(self.first_dead.and_then(|first| reports::dead_values(self.weights.size, first, dead)));
        Ok((self.tally, self.explained.into_iter().collect()))
    }
}

/// A report at a reference of a record.
fn record_report(place: RecordPlace, message: String) -> Report {
    Report { pgno: place.pgno, line: place.line.into(), at: place.at.into(), message, compared: None }
}

/// L20: `references`, the first of them at `first`, although the catalog has no long value tree for the table.
#[must_use]
pub fn tree_missing(size: PageSize, state: DbState, first: RecordPlace, references: u64) -> Finding {
    let message = "references to long values: expected a long value tree in the catalog, found none".to_owned();
    let mut finding = Weights::new(size, state).finding(Rule::L20, Code::LvMissing, record_report(first, message));
    finding.detail.count = Some(references);
    finding
}
