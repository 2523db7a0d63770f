//! The entries of an open catdb: which hash, and which catalogs name it (spec 14 sections 0.2 to 0.4).
//!
//! Which tables and columns hold them is the profile's to say. A row that cannot be read is a fault and costs itself.

use ese_core::database::{Database, DeletedRows, Table};
use ese_core::key::{ColumnRef, IndexKey, KeyScratch, KeyView, RecordValues, for_each_key};
use std::convert::Infallible;

use super::entry::{NameFault, catalog_names};
use super::profile::{Algorithm, Detected, Encoding, detect, profiles};
use crate::export::fault::{Fault, Faults};
use crate::export::read::{TableRows, table_info};
use crate::export::row::{HELD_MOST, Stored};
use crate::export::{Row, TableInfo};

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) table: String,
    /// By the size of the hash; `None` if there is no such algorithm.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) hash: Vec<u8>,
    /// In the order in which they were added, with their case.
    pub(crate) catalogs: Vec<String>,
    pub(crate) pgno: u32,
    pub(crate) line: u32,
}

/// A catdb.
pub(crate) struct Catdb<'d> {
    pub(crate) detected: Detected,
    tables: Vec<EntryTable<'d>>,
}

/// A table of entries.
struct EntryTable<'d> {
    table: Table<'d>,
    /// Places of the two columns among the table's own.
    hash: usize,
    names: usize,
}

impl<'d> Catdb<'d> {
    /// `None` if the database is no catdb.
    pub(crate) fn open(database: &'d Database) -> Option<Catdb<'d>> {
        let infos: Vec<TableInfo> = database.tables().map(table_info).collect();
        let detected = detect(&infos, &profiles().ok()?)?;
        let profile = detected.profile();
        let tables = detected.entry_tables(&infos).into_iter().filter_map(|info| {
            let place = |name: &str| info.columns.iter().position(|column| column.name == name);
            let (hash, names) = (place(&profile.hash_column)?, place(&profile.names_column)?);
            Some(EntryTable { table: database.table(&info.name)?, hash, names })
        });
        Some(Catdb { tables: tables.collect(), detected })
    }

    /// Hands every entry to `visit`, table by table, in the order of the hashes. Ends when `visit` fails.
    pub(crate) fn for_each<E>(
        &self,
        faults: &mut Faults,
        mut visit: impl FnMut(&Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        for table in &self.tables {
            let mut rows = TableRows::new(table.table, DeletedRows::Skip, &());
            let mut row = Row::default();
            while rows.next_row(&mut row, None, faults).is_some() {
                visit(&table.entry(self.detected.profile().entry_encoding, &row, faults))?;
            }
        }
        Ok(())
    }

    /// The entries of `hash`, by one way down the tree of each table; where that way is damaged, by all rows.
    pub(crate) fn find(&self, hash: &[u8], faults: &mut Faults) -> Vec<Entry> {
        let encoding = self.detected.profile().entry_encoding;
        let mut found = Vec::new();
        for table in &self.tables {
            let mut row = Row::default();
            let before = faults.count;
            let mut rows = TableRows::new(table.table, DeletedRows::Skip, &());
            if let Some(key) = table.key_of(hash) {
                rows.seek(&key, faults);
                if rows.next_row(&mut row, None, faults).is_some() && table.hash_of(&row) == Some(hash) {
                    found.push(table.entry(encoding, &row, faults));
                    continue;
                }
                if faults.count == before {
                    continue;
                }
                rows = TableRows::new(table.table, DeletedRows::Skip, &());
            }
            while rows.next_row(&mut row, None, &mut Faults::default()).is_some() {
                if table.hash_of(&row) == Some(hash) {
                    found.push(table.entry(encoding, &row, faults));
                }
            }
        }
        found
    }
}

impl EntryTable<'_> {
    fn entry(&self, encoding: Encoding, row: &Row, faults: &mut Faults) -> Entry {
        let hash = self.hash_of(row).unwrap_or_default().to_vec();
        let (pgno, line) = row.provenance.map_or((0, 0), |source| (source.pgno, source.line));
        let values = || row.cell(self.names).into_iter().flat_map(|cell| cell.values());
        let fault = |message: String| Fault {
            line: usize::try_from(line).ok(),
            ..Fault::of_table(self.table.name(), Some(ese_core::format::Pgno(pgno)), message)
        };
        if values().any(|value| value.held().is_none()) {
            faults.add(|| fault(format!("catalog names: expected at most {HELD_MOST} bytes, found more")));
        }
        let names = values().filter_map(Stored::held);
        let mut catalogs = Vec::new();
        for name in catalog_names(encoding, names) {
            match name {
                Ok(name) => catalogs.push(name),
                // Some writers leave an empty item, which says nothing.
                Err(NameFault::Empty) => {}
                Err(error) => faults.add(|| fault(error.to_string())),
            }
        }
        Entry {
            table: self.table.name().to_owned(),
            algorithm: Algorithm::of_size(hash.len()),
            hash,
            catalogs,
            pgno,
            line,
        }
    }

    fn hash_of<'r>(&self, row: &'r Row) -> Option<&'r [u8]> {
        row.cell(self.hash).and_then(|cell| cell.first().held())
    }

    /// The key of the row with `hash`; `None` if the primary index is not over the hash alone.
    fn key_of(&self, hash: &[u8]) -> Option<Vec<u8>> {
        let schema = self.table.schema();
        let (place, _) = self.table.columns().nth(self.hash)?;
        let index = schema.primary_index()?;
        if index.segments.as_ref().ok()?.len() != 1 {
            return None;
        }
        let key: IndexKey = index.key(&schema.layout).ok()?;
        let mut values = OnlyHash { place: ColumnRef(place), hash };
        let mut found = None;
        let keys = for_each_key(&key, &mut values, &mut KeyScratch::default(), |key, _| {
            if let KeyView::Exact(key) = key {
                found = Some(key.to_vec());
            }
        });
        keys.ok().and(found)
    }
}

/// A row of which only the hash is known.
struct OnlyHash<'h> {
    place: ColumnRef,
    hash: &'h [u8],
}

impl RecordValues for OnlyHash<'_> {
    type Error = Infallible;

    fn value(&mut self, column: ColumnRef, itag: usize, _: usize) -> Result<Option<&[u8]>, Infallible> {
        Ok((column == self.place && itag == 1).then_some(self.hash))
    }
}
