//! Reading the catalog: MSysObjects; where it is damaged its shadow; where both are, whatever leaves are left (spec 05
//! section 8).

use std::collections::BTreeMap;

use crate::format::catalog::{FixedTree, MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};
use crate::format::{Page, PageFlags, Pgno};
use crate::record::RecordError;
use crate::source::Pages;
use crate::tree::{Cursor, TreeFault, TrustedPages};

use super::row::CatalogRow;
use super::schema::Schema;

/// Most bytes that the rows of a catalog may take in memory: some 100,000 rows.
const MEMORY_MOST: usize = 48 << 20;
/// Faults that are kept for the report; more are only counted.
const FAULTS_KEPT: usize = 32;

/// Where the rows of a catalog come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CatalogSource {
    /// MSysObjects, whole.
    Main,
    /// MSysObjects as far as it can be read, and from the shadow what is missing there.
    Merged,
    /// The shadow alone.
    Shadow,
    /// Leaves of both trees, wherever they lie in the file: neither tree can be walked.
    Leaves,
}

/// What kept rows from being read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogFault {
    /// A part of the tree cannot be reached.
    #[error(transparent)]
    Tree(#[from] TreeFault),
    /// A row is no record.
    #[error("page {pgno}, line {line}: {error}")]
    Row {
        /// The leaf.
        pgno: Pgno,
        /// The line.
        line: usize,
        /// What is wrong.
        #[source]
        error: RecordError,
    },
    /// The catalog is larger than any that is read.
    #[error("catalog: expected at most {MEMORY_MOST} bytes of rows, found more")]
    TooLarge,
}

/// The catalog of a database.
#[derive(Debug)]
pub struct Catalog {
    /// Tables, columns and indexes.
    pub schema: Schema,
    /// The rows that the schema was made of.
    pub rows: Vec<CatalogRow>,
    /// Where they come from.
    pub source: CatalogSource,
    /// What could not be read of MSysObjects, the first of it.
    pub faults: Vec<CatalogFault>,
    /// No row is missing, as far as anybody can tell: one of the two tables could be read from end to end.
    pub is_complete: bool,
}

impl Catalog {
    /// Reads the catalog of the database in `pages`, from wherever it can be had. An unreadable one is empty, with the
    /// reasons in `faults`.
    #[must_use]
    pub fn read(pages: Pages<'_>) -> Catalog {
        let main = Rows::of_tree(pages, MSYS_OBJECTS);
        if main.faults.is_empty() && !main.rows.is_empty() {
            return main.into_catalog(CatalogSource::Main, true);
        }
        let shadow = Rows::of_tree(pages, MSYS_OBJECTS_SHADOW);
        let shadow_is_whole = shadow.faults.is_empty() && !shadow.rows.is_empty();
        let source = match (main.rows.is_empty(), shadow.rows.is_empty()) {
            (false, true) if shadow.faults.is_empty() => CatalogSource::Main,
            (false, _) => CatalogSource::Merged,
            (true, false) => CatalogSource::Shadow,
            (true, true) => CatalogSource::Leaves,
        };
        let mut found = main;
        found.add_missing(shadow.rows);
        if source == CatalogSource::Leaves || !shadow.faults.is_empty() {
            found.add_missing(Rows::of_leaves(pages).rows);
        }
        found.into_catalog(source, shadow_is_whole)
    }
}

/// Rows by key.
#[derive(Default)]
struct Rows {
    rows: BTreeMap<Vec<u8>, CatalogRow>,
    memory: usize,
    faults: Vec<CatalogFault>,
}

impl Rows {
    fn into_catalog(self, source: CatalogSource, is_complete: bool) -> Catalog {
        let rows: Vec<CatalogRow> = self.rows.into_values().collect();
        Catalog { schema: Schema::from_rows(&rows), rows, source, faults: self.faults, is_complete }
    }

    fn of_tree(pages: Pages<'_>, tree: FixedTree) -> Rows {
        let mut rows = Rows::default();
        let mut cursor = Cursor::new(pages, tree.root);
        while let Some(leaf) = cursor.next_leaf() {
            match leaf {
                Ok(leaf) if leaf.page.objid() == tree.objid => rows.add_leaf(leaf.page, leaf.pgno),
                Ok(leaf) => rows.fault(CatalogFault::Tree(TreeFault::Foreign {
                    pgno: leaf.pgno,
                    expected: tree.objid,
                    found: format!("one of tree {}", leaf.page.objid()),
                })),
                Err(fault) => rows.fault(fault.into()),
            }
        }
        rows
    }

    /// The rows on every leaf in the file that says it belongs to a catalog table.
    fn of_leaves(pages: Pages<'_>) -> Rows {
        let mut rows = Rows::default();
        let mut trusted = TrustedPages::new(pages);
        for pgno in (1..=pages.last().0).map(Pgno) {
            let Ok(page) = trusted.get(pgno) else { continue };
            let unused = PageFlags::KIND | PageFlags::EMPTY | PageFlags::PRE_INIT;
            let of_catalog = [MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&page.objid());
            if of_catalog && page.is_leaf() && !page.flags().intersects(unused) {
                rows.add_leaf(page, pgno);
            }
        }
        rows
    }

    fn add_leaf(&mut self, page: Page<'_>, pgno: Pgno) {
        for node in page.nodes() {
            match node {
                Ok(node) if node.is_deleted() => {}
                Ok(node) => match CatalogRow::read(page, pgno, &node) {
                    Ok(row) => self.add(row),
                    Err(error) => self.fault(CatalogFault::Row { pgno, line: node.line, error }),
                },
                Err(error) => self.fault(TreeFault::Node { pgno, error }.into()),
            }
        }
    }

    /// Adds a row; of two with one key the newer page has the better one.
    fn add(&mut self, row: CatalogRow) {
        if self.memory + row.memory() > MEMORY_MOST {
            if !self.faults.iter().any(|fault| matches!(fault, CatalogFault::TooLarge)) {
                self.faults.push(CatalogFault::TooLarge);
            }
            return;
        }
        let better = self.rows.get(&row.key).is_none_or(|other| row.place.dbtime > other.place.dbtime);
        if better {
            self.memory += row.memory();
            let replaced = self.rows.insert(row.key.clone(), row);
            self.memory -= replaced.map_or(0, |row| row.memory());
        }
    }

    fn add_missing(&mut self, others: BTreeMap<Vec<u8>, CatalogRow>) {
        for (key, row) in others {
            if !self.rows.contains_key(&key) {
                self.add(row);
            }
        }
    }

    fn fault(&mut self, fault: CatalogFault) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
    }
}
