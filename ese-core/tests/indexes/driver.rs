//! Walks every table and index of a database and runs the index check over them, as a verifier does, but alone.

use ese_core::catalog::{Catalog, Table};
use ese_core::check::Shutdown;
use ese_core::check::index::{DoubtfulRows, ExactPass, KeyWorker, Primary, RowHealth, TableKeys, TextCount};
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::catalog::{MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};
use ese_core::format::{DbState, Pgno};
use ese_core::long_value::LongValues;
use ese_core::record::Record;
use ese_core::sort::SortLimits;
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::{Cursor, Leaf, LeafNode, TrustedPages};
use ese_core::verify::open_header;

/// In which order, and by how many workers, leaves are worked on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// As they come, by one.
    Sequential,
    /// From the last to the first, by three in turn; and every index is compared exactly, which must not say more.
    Split,
}

/// What the check says of a database, and how much it looked at.
#[derive(Default, Debug)]
pub(crate) struct Checked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) consequences: Vec<(Pgno, u64)>,
    /// Primary keys that were computed.
    pub(crate) primary: u64,
    /// Numbered rows.
    pub(crate) numbered: u64,
    /// Primary keys with Unicode text.
    pub(crate) primary_unicode: u64,
    /// Entries of secondary indexes without Unicode text.
    pub(crate) entries: u64,
    /// Entries with.
    pub(crate) unicode_entries: u64,
    pub(crate) texts: TextCount,
    pub(crate) primary_indexes: u64,
    pub(crate) secondary_indexes: u64,
    /// Indexes that needed an exact pass though they have no Unicode text.
    pub(crate) exact: Vec<String>,
    pub(crate) problems: Vec<String>,
}

impl Checked {
    pub(crate) fn errors(&self) -> Vec<&Finding> {
        self.of(Severity::Error)
    }

    pub(crate) fn of(&self, severity: Severity) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.severity == severity).collect()
    }

    pub(crate) fn with_code(&self, code: Code) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.code == code).collect()
    }

    pub(crate) fn add(&mut self, other: Checked) {
        self.findings.extend(other.findings);
        self.consequences.extend(other.consequences);
        self.primary += other.primary;
        self.numbered += other.numbered;
        self.primary_unicode += other.primary_unicode;
        self.entries += other.entries;
        self.unicode_entries += other.unicode_entries;
        self.texts.segments += other.texts.segments;
        self.texts.compared += other.texts.compared;
        self.primary_indexes += other.primary_indexes;
        self.secondary_indexes += other.secondary_indexes;
        self.exact.extend(other.exact);
        self.problems.extend(other.problems);
    }
}

fn leaves(pages: Pages<'_>, root: Pgno) -> Vec<Pgno> {
    let mut cursor = Cursor::new(pages, root);
    let mut leaves = Vec::new();
    while let Some(leaf) = cursor.next_leaf() {
        if let Ok(leaf) = leaf {
            leaves.push(leaf.pgno);
        }
    }
    leaves
}

/// Hands each leaf of a tree to one of the workers.
fn deal<'k>(
    pages: Pages<'_>,
    root: Pgno,
    order: Order,
    workers: &mut [KeyWorker<'k>],
    mut work: impl FnMut(&mut KeyWorker<'k>, Leaf<'_>),
) {
    let mut leaves = leaves(pages, root);
    if order == Order::Split {
        leaves.reverse();
    }
    let count = workers.len();
    let mut trusted = TrustedPages::new(pages);
    for (turn, pgno) in leaves.into_iter().enumerate() {
        let page = trusted.get(pgno).expect("the cursor had it");
        work(&mut workers[turn % count], Leaf { pgno, page });
    }
}

fn table_keys(table: &Table, pages: Pages<'_>, shutdown: Shutdown, order: Order) -> Checked {
    let keys = TableKeys::new(table);
    let mut long_values = table.long_values.map(|tree| LongValues::new(pages, tree.root, table.lv_chunk_max));
    one(&keys, pages, shutdown, order, long_values.as_mut())
}

fn one(
    keys: &TableKeys<'_>,
    pages: Pages<'_>,
    shutdown: Shutdown,
    order: Order,
    mut long_values: Option<&mut LongValues<'_>>,
) -> Checked {
    let mut checked = Checked::default();
    let mut workers: Vec<KeyWorker<'_>> =
        (0..if order == Order::Split { 3 } else { 1 }).map(|_| KeyWorker::new(keys)).collect();
    let mut rows = 0;
    deal(pages, keys.root, order, &mut workers, |worker, leaf| {
        for node in leaf.page.nodes() {
            let Ok(node) = node else {
                worker.unreadable_record();
                continue;
            };
            if node.is_deleted() {
                continue;
            }
            rows += 1;
            match Record::new(node.data, pages.size()) {
                Ok(record) => {
                    let (node, values) = (LeafNode { leaf, node }, long_values.as_deref_mut());
                    worker.record(&node, &record, RowHealth::Sound, values, &mut checked.findings)
                }
                Err(_) => worker.unreadable_record(),
            }
        }
    });
    match keys.primary() {
        Primary::Numbers => checked.numbered += rows,
        Primary::Index(number) if keys.indexes()[number].has_unicode() => checked.primary_unicode += rows,
        Primary::Index(_) => checked.primary += rows,
        Primary::Unknown => {}
    }
    for index in keys.indexes() {
        checked.primary_indexes += u64::from(index.is_primary());
        let Some(number) = keys.number_of(index.objid) else { continue };
        checked.secondary_indexes += 1;
        deal(pages, index.root, order, &mut workers, |worker, leaf| worker.index_leaf(number, leaf));
    }
    let (first, others) = workers.split_first_mut().expect("a worker");
    others.iter().for_each(|other| first.merge(other));
    for (number, index) in keys.indexes().iter().enumerate() {
        checked.entries += first.sums(number).1.count();
        if first.undecided().contains(&number) && !index.has_unicode() {
            checked.exact.push(format!("{}.{}", keys.name, index.name));
        }
    }
    checked.problems =
        keys.problems().iter().map(|problem| format!("{}.{}: {}", keys.name, problem.name, problem.fault)).collect();
    let pass = ExactPass::new(pages, keys, SortLimits::memory(64 << 20), shutdown);
    let numbers = match order {
        Order::Sequential => first.undecided(),
        Order::Split => {
            let is_compared =
                |number: &usize| !keys.indexes()[*number].is_primary() || first.undecided().contains(number);
            (0..keys.indexes().len()).filter(is_compared).collect()
        }
    };
    let report = pass.run(&numbers, &DoubtfulRows::default(), long_values).expect("room to sort");
    checked.findings.extend(report.findings);
    checked.consequences.extend(report.consequences);
    for (number, count) in report.texts {
        checked.texts.segments += count.segments;
        checked.texts.compared += count.compared;
        let index = &keys.indexes()[number];
        if !index.is_primary() {
            checked.unicode_entries += live_entries(pages, index.root);
        }
    }
    checked
}

fn live_entries(pages: Pages<'_>, root: Pgno) -> u64 {
    let mut cursor = Cursor::new(pages, root);
    let mut count = 0;
    while let Some(node) = cursor.next_node() {
        count += u64::from(node.is_ok_and(|node| !node.node.is_deleted()));
    }
    count
}

/// Checks all indexes of the database in `file`.
pub(crate) fn check(file: &[u8], order: Order) -> Checked {
    check_as(file, order, shutdown_of(file))
}

/// The same, whatever the header says of the state.
pub(crate) fn check_as(file: &[u8], order: Order, shutdown: Shutdown) -> Checked {
    let source = MemorySource(file);
    let opened = open_header(&source, &()).expect("a database");
    let pages = Pages::new(&source, opened.page_size);
    let catalog = Catalog::read(pages);
    let mut all = Checked::default();
    for tree in [MSYS_OBJECTS, MSYS_OBJECTS_SHADOW] {
        let place = catalog.schema.table_by_objid(tree.objid).map(|table| table.place);
        all.add(one(&TableKeys::of_catalog(tree, place), pages, shutdown, order, None));
    }
    for table in &catalog.schema.tables {
        if ![MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&table.objid) {
            all.add(table_keys(table, pages, shutdown, order));
        }
    }
    all.findings.sort_by(Finding::cmp_in_report);
    all
}

fn shutdown_of(file: &[u8]) -> Shutdown {
    let source = MemorySource(file);
    let opened = open_header(&source, &()).expect("a database");
    let state = opened.copies.used_copy().map(|copy| copy.header.state());
    if state == Some(DbState::CleanShutdown) { Shutdown::Clean } else { Shutdown::Dirty }
}
