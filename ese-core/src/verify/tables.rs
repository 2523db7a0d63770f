//! One table: its rows, long values and indexes, walked once and compared with each other (spec 12 section 4, phases 4 to
//! 6).
//!
//! Rows and entries are summed on all cores, in any order. Only where sums differ, both sides are gone through again and
//! sorted; what then follows from a page that cannot be read is counted under the finding on that page.

use crate::catalog::{Table, bootstrap_layout};
use crate::check::index::{ExactPass, KeyWorker, RowHealth, TableKeys};
use crate::check::long_value::{
    Completeness, LongValueTreeChecker, RecordPlace, ReferenceKey, ReferenceList, ReferenceMerge, ReferenceSum,
    TreeSummary, tree_missing,
};
use crate::check::record::{HighestNumber, RecordChecker, RecordContext};
use crate::check::tree::{
    self, BoundedLeaf, DbtimeTally, FindingSink, GroupReader, LeafEvent, LeafGroup, Part, TreeShape, WalkContext,
    WalkedTree,
};
use crate::finding::{Finding, Object};
use crate::format::catalog::{MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};
use crate::format::{DbState, LongValueId};
use crate::long_value::{LongValues, Reference, references};
use crate::record::{Record, TableLayout};
use crate::sort::{SortError, SortLimits};
use crate::tree::{Leaf, LeafNode, TrustedPages};

use super::full::FullRun;
use super::parallel;
use super::report::NotChecked;

/// Memory of the sorters that compare one table, in bytes.
const SORT_MEMORY: usize = 12 << 20;

/// A table with its trees.
pub(super) struct TableJob<'a> {
    pub(super) run: &'a FullRun<'a>,
    pub(super) context: WalkContext<'a>,
    /// `None` for a catalog table that the catalog itself does not tell.
    pub(super) table: Option<&'a Table>,
    pub(super) data: TreeShape,
    pub(super) indexes: Vec<TreeShape>,
    pub(super) long_values: Option<TreeShape>,
    /// The space trees of all of them.
    pub(super) space: Vec<TreeShape>,
}

/// What a table leaves.
#[derive(Default)]
pub(super) struct TableOutcome {
    pub(super) dbtime: DbtimeTally,
    pub(super) not_checked: Vec<NotChecked>,
}

/// The run was cancelled.
pub(super) struct Cancelled;

/// What is summed over the rows of a table.
struct RowSums<'k> {
    keys: KeyWorker<'k>,
    references: ReferenceSum,
    numbers: HighestNumber,
    /// Leaves or records that could not be read.
    missing: u64,
}

impl<'a> TableJob<'a> {
    pub(super) fn run(&self) -> Result<TableOutcome, Cancelled> {
        let mut outcome = walk_alone(self.run, &self.space, self.context)?;
        let keys = self.keys();
        let reference_key = ReferenceKey::default();
        let data = self.walk(&self.data, &mut outcome);
        let mut rows = self.rows(&data, &keys, &reference_key)?;
        self.compare_numbers(&rows);
        for index in &self.indexes {
            let walked = self.walk(index, &mut outcome);
            let number = keys.number_of(index.objid);
            rows.keys.merge(&self.entries(index, &walked, &keys, number)?);
        }
        let long_values = match &self.long_values {
            Some(tree) => {
                let walked = self.walk(tree, &mut outcome);
                let summary = self.long_values(tree, &walked, &reference_key)?;
                Some((walked, summary))
            }
            None => None,
        };
        self.compare_references(
            &data,
            long_values.as_ref().map(|(walked, summary)| (walked, summary)),
            &rows,
            &mut outcome,
        );
        self.compare_indexes(&keys, &rows, &mut outcome);
        Ok(outcome)
    }

    fn keys(&self) -> TableKeys<'a> {
        match self.table {
            Some(table) => TableKeys::new(table),
            None if self.data.objid == MSYS_OBJECTS.objid => TableKeys::of_catalog(MSYS_OBJECTS, None),
            None => TableKeys::of_catalog(MSYS_OBJECTS_SHADOW, None),
        }
    }

    /// The columns of the rows; those of the catalog tables are known, whatever the catalog says.
    fn layout(&self) -> &'a TableLayout {
        let is_catalog = [MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&self.data.objid);
        match self.table {
            Some(table) if !is_catalog => &table.layout,
            _ => bootstrap_layout(),
        }
    }

    fn long_value_reader(&self) -> Option<LongValues<'a>> {
        let tree = self.long_values.as_ref()?;
        Some(LongValues::new(self.context.pages, tree.root, self.table?.lv_chunk_max))
    }

    fn walk(&self, tree: &TreeShape, outcome: &mut TableOutcome) -> WalkedTree {
        let mut walked = tree::walk(tree, self.context);
        outcome.dbtime.merge(std::mem::take(&mut walked.dbtime));
        walked
    }

    /// The rows: records, references to long values, keys.
    fn rows<'k>(
        &self,
        walked: &WalkedTree,
        keys: &'k TableKeys<'k>,
        reference_key: &ReferenceKey,
    ) -> Result<RowSums<'k>, Cancelled> {
        let layout = self.layout();
        let context = RecordContext { state: self.state() };
        let init = || RowSums {
            keys: KeyWorker::new(keys),
            references: ReferenceSum::default(),
            numbers: HighestNumber::new(layout),
            missing: 0,
        };
        let one = |mut sums: RowSums<'k>, group: &LeafGroup| {
            let mut checker = RecordChecker::default();
            let mut long_values = self.long_value_reader();
            let mut findings = Vec::new();
            self.leaves(&self.data, group, |event| {
                let LeafEvent::Leaf(bounded) = event else {
                    sums.missing += 1;
                    return;
                };
                sums.missing += u64::from(!is_whole(&bounded));
                let leaf = Leaf { pgno: bounded.pgno, page: bounded.page };
                for node in leaf.page.nodes() {
                    let Ok(node) = node else {
                        sums.missing += 1;
                        continue;
                    };
                    if node.is_deleted() {
                        continue;
                    }
                    let Some(record) = checker.check_node(leaf.page, &node, layout, &context) else {
                        sums.keys.unreadable_record();
                        sums.missing += 1;
                        continue;
                    };
                    sums.numbers.record(&record);
                    let is_faulty = checker.is_faulty(node.line);
                    let health = if is_faulty { RowHealth::Faulty } else { RowHealth::Sound };
                    // A row that is not where it belongs may be an old one, or one that stands elsewhere too.
                    for reference in references(&record).filter(|_| bounded.holds(&node)) {
                        match reference {
                            Ok(Reference { id: Ok(id), .. }) => sums.references.add(reference_key, id),
                            // What is no reference has a finding of the record check.
                            _ => sums.missing += 1,
                        }
                    }
                    sums.keys.record(&LeafNode { leaf, node }, &record, health, long_values.as_mut(), &mut findings);
                }
                checker.finish_page(leaf.page, leaf.pgno, &mut findings);
                self.report(&self.data.object, findings.drain(..));
            });
            sums
        };
        let merge = |mut a: RowSums<'k>, b: RowSums<'k>| {
            a.keys.merge(&b.keys);
            a.references.merge(&b.references);
            a.numbers.merge(&b.numbers);
            a.missing += b.missing;
            a
        };
        let mut rows = self.fold(walked, init, one, merge)?;
        rows.missing += missing_parts(walked);
        Ok(rows)
    }

    /// The entries of an index. Those on leaves that cannot be read are missing from its sum, so that it does not agree.
    fn entries<'k>(
        &self,
        tree: &TreeShape,
        walked: &WalkedTree,
        keys: &'k TableKeys<'k>,
        number: Option<usize>,
    ) -> Result<KeyWorker<'k>, Cancelled> {
        let one = |mut worker: KeyWorker<'k>, group: &LeafGroup| {
            self.leaves(tree, group, |event| {
                if let (LeafEvent::Leaf(leaf), Some(number)) = (event, number) {
                    worker.index_leaf(number, Leaf { pgno: leaf.pgno, page: leaf.page });
                }
            });
            worker
        };
        self.fold(
            walked,
            || KeyWorker::new(keys),
            one,
            |mut a, b| {
                a.merge(&b);
                a
            },
        )
    }

    /// The long values, in key order: a value goes on from leaf to leaf.
    fn long_values(
        &self,
        tree: &TreeShape,
        walked: &WalkedTree,
        reference_key: &ReferenceKey,
    ) -> Result<TreeSummary, Cancelled> {
        let chunk_max = self.table.and_then(|table| table.lv_chunk_max);
        let size = self.context.pages.size();
        let mut checker = LongValueTreeChecker::new(size, chunk_max, self.state(), reference_key);
        let mut findings = Vec::new();
        for part in &walked.parts {
            let Part::Leaves(group) = part else {
                checker.gap();
                continue;
            };
            if self.run.progress.cancelled() {
                return Err(Cancelled);
            }
            self.leaves(tree, group, |event| {
                let LeafEvent::Leaf(leaf) = event else { return checker.gap() };
                for node in leaf.page.nodes() {
                    match node {
                        Ok(node) if node.is_deleted() => {}
                        Ok(node) if !leaf.holds(&node) => checker.gap(),
                        Ok(node) => checker.node(leaf.page, leaf.pgno, &node, &mut findings),
                        Err(_) => checker.gap(),
                    }
                }
                self.report(&tree.object, findings.drain(..));
            });
        }
        let summary = checker.finish(&mut findings);
        self.report(&tree.object, findings);
        Ok(summary)
    }

    /// The numbers of an autoincrement column against the one that the root keeps. Unless the database is clean the root
    /// may be older than the rows.
    fn compare_numbers(&self, rows: &RowSums<'_>) {
        if !self.state().is_clean() {
            return;
        }
        let mut reader = TrustedPages::new(self.context.pages);
        let Ok(page) = reader.get(self.data.root) else { return };
        self.report(&self.data.object, rows.numbers.finding(page, self.data.root));
    }

    /// References against the counts of the long values.
    fn compare_references(
        &self,
        data: &WalkedTree,
        long_values: Option<(&WalkedTree, &TreeSummary)>,
        rows: &RowSums<'_>,
        outcome: &mut TableOutcome,
    ) {
        let result = match (long_values, &self.long_values) {
            (Some((_, summary)), _) if summary.agrees_with(&rows.references) => {
                self.report(&self.data.object, summary.dead_values());
                Ok(())
            }
            (Some((walked, _)), Some(tree)) => self.merge_references(data, tree, walked, rows),
            _ if rows.references.references() == 0 => Ok(()),
            _ => {
                let first = self.first_reference(data);
                let references = rows.references.references();
                let missing =
                    first.map(|first| tree_missing(self.context.pages.size(), self.state(), first, references));
                self.report(&self.data.object, missing);
                Ok(())
            }
        };
        self.sorted(result, "reference counts of long values", outcome);
    }

    /// References and roots side by side, in the order of their ids.
    fn merge_references(
        &self,
        data: &WalkedTree,
        tree: &TreeShape,
        walked: &WalkedTree,
        rows: &RowSums<'_>,
    ) -> Result<(), SortError> {
        let _alone = self.run.sort_alone();
        let mut list = ReferenceList::new(self.limits());
        let mut result = Ok(());
        self.for_each_reference(data, |id, place| {
            result = std::mem::replace(&mut result, Ok(())).and_then(|()| list.add(id, place));
        });
        result?;
        let completeness = if rows.missing == 0 { Completeness::Complete } else { Completeness::Partial };
        let mut merge = ReferenceMerge::new(list, completeness, self.context.pages.size(), self.state())?;
        let mut findings = Vec::new();
        let mut merged = Ok(());
        for part in &walked.parts {
            self.read_again(tree, part, |event| {
                let leaf = match event {
                    LeafEvent::Leaf(leaf) => leaf,
                    LeafEvent::Missing(pgno) => return merge.gap(pgno),
                };
                for node in leaf.page.nodes() {
                    match node {
                        Ok(node) if merged.is_ok() && leaf.holds(&node) => {
                            merged = merge.node(leaf.page, leaf.pgno, &node, &mut findings);
                        }
                        _ => merge.gap(leaf.pgno),
                    }
                }
                self.report(&tree.object, findings.drain(..));
            });
        }
        merged?;
        let (_, explained) = merge.finish(&mut findings)?;
        self.report(&tree.object, findings);
        explained.into_iter().for_each(|(pgno, count)| self.run.log.follow(pgno, count));
        Ok(())
    }

    fn first_reference(&self, data: &WalkedTree) -> Option<RecordPlace> {
        let mut first = None;
        self.for_each_reference(data, |_, place| {
            first.get_or_insert(place);
        });
        first
    }

    /// The references of all rows that are where they belong.
    fn for_each_reference(&self, data: &WalkedTree, mut visit: impl FnMut(LongValueId, RecordPlace)) {
        for part in &data.parts {
            self.read_again(&self.data, part, |event| {
                let LeafEvent::Leaf(leaf) = event else { return };
                for node in leaf.page.nodes().flatten().filter(|node| !node.is_deleted() && leaf.holds(node)) {
                    let Ok(record) = Record::new(node.data, leaf.page.size()) else { continue };
                    for reference in references(&record).flatten() {
                        // Pages have at most 32 KiB.
                        let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
                        let at = short(leaf.page.offset_of(node.data) + reference.at);
                        let place = RecordPlace { pgno: leaf.pgno, line: short(node.line), at };
                        if let Ok(id) = reference.id {
                            visit(id, place);
                        }
                    }
                }
            });
        }
    }

    /// Leaves that were checked before, or what is missing of them.
    fn read_again(&self, tree: &TreeShape, part: &Part, mut visit: impl FnMut(LeafEvent<'_>)) {
        match part {
            Part::Leaves(group) => GroupReader::new(self.context).read_again(tree, group, visit),
            Part::Missing { pgno, .. } => visit(LeafEvent::Missing(*pgno)),
        }
    }

    /// Rows against the entries of indexes.
    fn compare_indexes(&self, keys: &TableKeys<'_>, rows: &RowSums<'_>, outcome: &mut TableOutcome) {
        outcome.not_checked.extend(keys.problems().iter().map(|problem| NotChecked {
            what: format!("index {} of table {}", problem.name, keys.name),
            why: problem.fault.to_string(),
        }));
        let undecided = rows.keys.undecided();
        if undecided.is_empty() {
            return;
        }
        let _alone = self.run.sort_alone();
        let pass = ExactPass::new(self.context.pages, keys, self.limits(), self.context.shutdown);
        let mut long_values = self.long_value_reader();
        let result = pass.run(&undecided, rows.keys.doubtful(), long_values.as_mut()).map(|report| {
            self.report(&self.data.object, report.findings);
            for (pgno, count) in report.consequences {
                self.run.log.follow(pgno, count);
            }
        });
        self.sorted(result, "indexes", outcome);
    }

    /// Notes what a failing temporary file kept from being done.
    fn sorted(&self, result: Result<(), SortError>, what: &str, outcome: &mut TableOutcome) {
        if let Err(error) = result {
            let table = self.data.object.table.as_deref().unwrap_or("?");
            let what = format!("{what} of table {table}");
            outcome.not_checked.push(NotChecked { what, why: error.to_string() });
        }
    }

    fn limits(&self) -> SortLimits {
        SortLimits { memory: SORT_MEMORY, folder: self.run.temporary.map(std::path::Path::to_path_buf) }
    }

    fn state(&self) -> DbState {
        self.run.state()
    }

    /// Hands findings to the log; those that name no tree are of `object`.
    fn report(&self, object: &Object, findings: impl IntoIterator<Item = Finding>) {
        for mut finding in findings {
            finding.object.get_or_insert_with(|| object.clone());
            self.run.log.add(finding);
        }
    }

    fn leaves(&self, tree: &TreeShape, group: &LeafGroup, mut visit: impl FnMut(LeafEvent<'_>)) {
        let mut reader = GroupReader::new(self.context);
        let size = self.context.pages.size().as_u64();
        reader.for_each_leaf(tree, group, |event| {
            visit(event);
            self.run.progress.advance(size);
        });
    }

    /// All groups of leaves of a tree, on all cores.
    fn fold<T: Send>(
        &self,
        walked: &WalkedTree,
        init: impl Fn() -> T + Sync + Send,
        one: impl Fn(T, &LeafGroup) -> T + Sync + Send,
        merge: impl Fn(T, T) -> T + Sync + Send,
    ) -> Result<T, Cancelled> {
        let progress = self.run.progress;
        let result = parallel::fold(
            0..walked.parts.len(),
            &init,
            |sum, place| match walked.parts.get(place) {
                Some(Part::Leaves(group)) if !progress.cancelled() => one(sum, group),
                _ => sum,
            },
            merge,
        );
        if progress.cancelled() { Err(Cancelled) } else { Ok(result) }
    }
}

/// True if all nodes of a leaf lie within its bounds: they ascend, or the page check has said that they do not.
fn is_whole(leaf: &BoundedLeaf<'_>) -> bool {
    let mut nodes = leaf.page.nodes().flatten();
    let (first, last) = (nodes.next(), nodes.next_back());
    first.iter().chain(&last).all(|node| leaf.holds(node))
}

fn missing_parts(walked: &WalkedTree) -> u64 {
    walked.parts.iter().map(|part| u64::from(matches!(part, Part::Missing { .. }))).sum()
}

/// Trees without rows: that of the database, and space trees. They are small, and one after the other.
pub(super) fn walk_alone(
    run: &FullRun<'_>,
    trees: &[TreeShape],
    context: WalkContext<'_>,
) -> Result<TableOutcome, Cancelled> {
    let mut outcome = TableOutcome::default();
    let mut reader = GroupReader::new(context);
    for tree in trees {
        let walked = tree::walk(tree, context);
        outcome.dbtime.merge(walked.dbtime);
        for part in &walked.parts {
            if run.progress.cancelled() {
                return Err(Cancelled);
            }
            if let Part::Leaves(group) = part {
                reader.for_each_leaf(tree, group, |_| run.progress.advance(context.pages.size().as_u64()));
            }
        }
    }
    Ok(outcome)
}
