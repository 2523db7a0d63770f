//! The check of long values: rules L1 to L12 and L21 over the tree, L14 to L20 over the references of all records to
//! it (spec 07 section 5).
//!
//! [`LongValueTreeChecker`] is fed the live nodes of a tree in key order and never reads a page itself. A page that could
//! not be read is a gap: what it may explain is not reported. However much is wrong, each rule reports at most once a
//! page. [`ReferenceSum`], [`ReferenceList`] and [`ReferenceMerge`] compare reference counts.

mod chunk;
mod reference_merge;
mod reference_sum;
mod reports;

pub use reference_merge::{Completeness, RecordPlace, ReferenceList, ReferenceMerge, ReferenceTally, tree_missing};
pub use reference_sum::{ReferenceKey, ReferenceSum};

use crate::finding::{Code, Finding};
use crate::format::long_value::{
    IdRange, LONG_VALUE_MOST, LongValueId, LongValueKey, LongValueRoot, OFFSET_ROOT_FLAGS, OFFSET_ROOT_SIZE, chunk_size,
};
use crate::format::{DbState, Node, Page, PageSize, Pgno};

use reports::{Report, Reports, Rule};

/// A live node under check, and where it lies.
#[derive(Clone, Copy)]
struct Place<'p> {
    page: Page<'p>,
    pgno: Pgno,
    line: usize,
}

impl Place<'_> {
    /// A report about the bytes that begin with `part`, `behind` bytes further.
    fn report(self, part: &[u8], behind: usize, message: String) -> Report {
        let at = self.page.offset_of(part) + behind;
        Report { pgno: self.pgno, line: self.line, at, message, compared: None }
    }
}

/// The long value whose root was seen last.
struct OpenValue {
    id: LongValueId,
    /// `None` if its root does not say how long it is.
    root: Option<LongValueRoot>,
    pgno: Pgno,
    line: usize,
    /// Offset of the size on the page of the root.
    size_at: usize,
    /// Where the next chunk should begin.
    end: u64,
    /// Nothing was reported that explains a wrong end, and no page was missing.
    is_whole: bool,
}

/// What a tree holds, as far as it could be read.
#[derive(Clone, Debug)]
pub struct TreeSummary {
    /// Long values with a root.
    pub values: u64,
    /// Their chunks.
    pub chunks: u64,
    /// Chunks whose compression is known but cannot be decoded (XPRESS10): they were not checked.
    pub undecodable: u64,
    /// Long values that are encrypted: their content was not checked.
    pub encrypted: u64,
    /// Long values that wait for their deletion.
    pub dead: u64,
    /// Roots that do not say how often they are referred to.
    pub unknown_counts: u64,
    /// Pages that could not be read.
    pub gaps: u64,
    /// All counts of all live roots.
    pub counted: ReferenceSum,
    first_dead: Option<Report>,
    size: PageSize,
}

impl TreeSummary {
    /// True if `references`, those of all records, are just those that the roots count: then L14 to L18 hold. Otherwise
    /// [`ReferenceMerge`] says what does not.
    #[must_use]
    pub fn agrees_with(&self, references: &ReferenceSum) -> bool {
        self.unknown_counts == 0 && self.gaps == 0 && self.counted == *references
    }

    /// L19: what waits for its deletion, if anything does. Where counts do not agree, [`ReferenceMerge`] reports it.
    #[must_use]
    pub fn dead_values(&self) -> Option<Finding> {
        reports::dead_values(self.size, self.first_dead.clone()?, self.dead)
    }
}

/// Checks the nodes of one long value tree, in key order.
pub struct LongValueTreeChecker<'k> {
    chunk_size: u32,
    key: &'k ReferenceKey,
    reports: Reports,
    open: Option<OpenValue>,
    last_root: Option<LongValueId>,
    /// A page was missing, and no node has come since.
    after_gap: bool,
    /// Chunks without a root of this id are accounted for: reported, or explained by a gap.
    rootless: Option<LongValueId>,
    decompressed: Vec<u8>,
    summary: TreeSummary,
}

impl<'k> LongValueTreeChecker<'k> {
    /// A checker for a tree on pages of `size`. `chunk_max` is `LVChunkMax` of the table in the catalog, `state` that of
    /// the database: in a dirty one some rules only warn. Counts are summed with `key`, which those of the records must
    /// share.
    #[must_use]
    pub fn new(
        size: PageSize,
        chunk_max: Option<u32>,
        state: DbState,
        key: &'k ReferenceKey,
    ) -> LongValueTreeChecker<'k> {
        LongValueTreeChecker {
            chunk_size: chunk_size(size, chunk_max),
            key,
            reports: Reports::new(size, state),
            open: None,
            last_root: None,
            after_gap: false,
            rootless: None,
            decompressed: Vec::new(),
            summary: TreeSummary {
                values: 0,
                chunks: 0,
                undecodable: 0,
                encrypted: 0,
                dead: 0,
                unknown_counts: 0,
                gaps: 0,
                counted: ReferenceSum::default(),
                first_dead: None,
                size,
            },
        }
    }

    /// A part of the tree could not be read: nothing is said about what it may hold.
    pub fn gap(&mut self) {
        self.summary.gaps += 1;
        self.after_gap = true;
        if let Some(open) = &mut self.open {
            open.is_whole = false;
        }
    }

    /// The next node, which lies on `page`. Nodes flagged deleted are passed over.
    pub fn node(&mut self, page: Page<'_>, pgno: Pgno, node: &Node<'_>, findings: &mut Vec<Finding>) {
        if node.is_deleted() {
            return;
        }
        let place = Place { page, pgno, line: node.line };
        let key = match LongValueKey::read(&node.key) {
            Ok(key) => key,
            Err(error) => {
                let report = place.report(node.key.suffix, 0, format!("line {}: {error}", node.line));
                // Whatever it was: what stood here is missing.
                self.after_gap = true;
                self.open.iter_mut().for_each(|open| open.is_whole = false);
                return self.reports.add(Rule::L1, Code::LvChunk, report, findings);
            }
        };
        let id = key.id();
        if id.range() != IdRange::Usual {
            let possible = id.range() == IdRange::Reserved;
            let (rule, what) = if possible { (Rule::L2Reserved, "reserved") } else { (Rule::L2, "impossible") };
            let message = format!("line {}: long value id {id}: expected an id in use, found a {what} one", node.line);
            self.reports.add(rule, Code::LvRoot, place.report(node.key.suffix, 0, message), findings);
            if !possible {
                return;
            }
        }
        match key {
            LongValueKey::Root(id) => self.root(place, node, id, findings),
            LongValueKey::Chunk { id, offset } => self.chunk(place, node, id, offset, findings),
        }
    }

    /// L4, L3: one root an id, in order; and what it says.
    fn root(&mut self, place: Place<'_>, node: &Node<'_>, id: LongValueId, findings: &mut Vec<Finding>) {
        self.close(findings);
        self.after_gap = false;
        self.rootless = None;
        self.summary.values += 1;
        let is_next = self.last_root.is_none_or(|last| last < id);
        if !is_next {
            let last = self.last_root.unwrap_or(id);
            let message = format!("line {}: roots: expected a long value id above {last}, found {id}", node.line);
            let report = place.report(node.key.suffix, 0, message).compared(last.0.saturating_add(1), id.0);
            self.reports.add(Rule::L4, Code::LvRoot, report, findings);
        }
        self.last_root = self.last_root.max(Some(id));
        let root = LongValueRoot::read(node.data).map_err(|error| {
            let message = format!("long value {id}: {error}");
            self.reports.add(Rule::L3, Code::LvRoot, place.report(node.data, 0, message), findings);
        });
        if is_next {
            self.count(place, node, id, root.ok());
        }
        self.summary.encrypted += u64::from(root.is_ok_and(LongValueRoot::is_encrypted));
        let readable = root.ok().filter(|root| self.root_is_lawful(place, node, id, *root, findings));
        let size_at = place.page.offset_of(node.data) + OFFSET_ROOT_SIZE;
        let (pgno, line) = (place.pgno, place.line);
        self.open = Some(OpenValue { id, root: readable, pgno, line, size_at, end: 0, is_whole: true });
    }

    /// Adds what the root counts to the sum.
    fn count(&mut self, place: Place<'_>, node: &Node<'_>, id: LongValueId, root: Option<LongValueRoot>) {
        let Some(root) = root else {
            self.summary.unknown_counts += 1;
            return;
        };
        if root.is_live() {
            self.summary.counted.add_times(self.key, id, root.references);
        } else {
            self.summary.dead += 1;
            self.summary.first_dead.get_or_insert_with(|| place.report(node.data, 0, String::new()));
        }
    }

    /// L3 for the fields of a root. False if its chunks cannot be judged by them.
    fn root_is_lawful(
        &mut self,
        place: Place<'_>,
        node: &Node<'_>,
        id: LongValueId,
        root: LongValueRoot,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let mut add = |at, message| {
            self.reports.add(Rule::L3, Code::LvRoot, place.report(node.data, at, message), findings);
        };
        let flags = root.flags.unwrap_or_default();
        if root.flags.is_some_and(|flags| flags.is_empty()) {
            let message = format!("long value {id}: flags: expected no byte where there are none, found 0x0");
            add(OFFSET_ROOT_FLAGS, message);
        }
        if flags.unknown() != 0 {
            let message = format!("long value {id}: flags: expected 0x1 at most, found {:#x}", flags.bits());
            add(OFFSET_ROOT_FLAGS, message);
        }
        if root.size > LONG_VALUE_MOST {
            let message =
                format!("long value {id}: size: expected at most {LONG_VALUE_MOST} bytes, found {}", root.size);
            add(OFFSET_ROOT_SIZE, message);
        }
        flags.unknown() == 0 && root.size <= LONG_VALUE_MOST
    }

    /// L11: all chunks together are as long as the root says.
    fn close(&mut self, findings: &mut Vec<Finding>) {
        let Some(open) = self.open.take() else { return };
        let Some(root) = open.root.filter(|root| root.is_live() && open.is_whole) else { return };
        let size = u64::from(root.size);
        if open.end != size {
            let message = format!("long value {}: expected {size} bytes in all chunks, found {}", open.id, open.end);
            let report = Report { pgno: open.pgno, line: open.line, at: open.size_at, message, compared: None };
            self.reports.add(Rule::L11, Code::LvChunk, report.compared(size, open.end), findings);
        }
    }

    /// What there was, once the last node has come. Reports that were held back to be counted go to `findings`.
    #[must_use]
    pub fn finish(mut self, findings: &mut Vec<Finding>) -> TreeSummary {
        self.close(findings);
        self.reports.finish(findings);
        self.summary
    }
}
