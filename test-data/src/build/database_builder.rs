//! Builds whole, sound databases in memory.
//!
//! The same specification gives the same bytes; what is written follows spec 18 and nothing of `ese-core` but page
//! sizes and checksums. It is no writer of the product: it never reads a database, and never judges one.

use ese_core::format::PageSize;

use super::built::Built;
use super::contents::TableContents;
use super::page_fill::PageFill;
use super::spec::TableSpec;
use super::store::{Format, Store, Sums};
use super::system_tables;
use super::tree_builder::LEAF;
use super::writer::{Leaves, Shadow, Writer};
use crate::database::seal_header;

/// The random number of the database's signature.
const SIGNATURE: u32 = 0x0BAD_5EED;
/// When it was created: 2024-01-02 03:04:05.
const CREATED: [u8; 8] = [5, 4, 3, 2, 1, 124, 0, 0];
/// Owner of stale pages: no tree.
const STALE_OBJID: u32 = 9999;

/// How the database was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Clean shutdown.
    Clean,
    /// Dirty shutdown, with generation 1 required.
    Dirty,
}

/// Whether MSysObjids and MSysLocales are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SystemTables {
    /// Both, as engines since 2012 make them.
    Present,
    /// Neither: lawful, the engine makes them when it first writes.
    Absent,
}

/// What lies behind the last page that the database owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slack {
    /// This many blank pages.
    Blank(u32),
    /// This many sound leaves of a tree that does not exist.
    Stale(u32),
}

/// A database to be built.
///
/// ```
/// use catdb_test_data::build::{DatabaseBuilder, TableSpec, Type, Value, NOT_NULL};
/// use ese_core::format::PageSize;
///
/// let files = TableSpec::new("Files").fixed("id", Type::Long, NOT_NULL).primary(&["+id"]);
/// let built = DatabaseBuilder::new(PageSize::K4).table(files.row(vec![Value::long(7)])).build();
/// assert_eq!(built.tree("Files").depth(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct DatabaseBuilder {
    size: PageSize,
    format: Format,
    sums: Sums,
    state: State,
    tables: Vec<TableSpec>,
    system_tables: SystemTables,
    shadow: Shadow,
    leaves: Leaves,
    first_dbtime: u64,
    free: u32,
    slack: Slack,
}

impl DatabaseBuilder {
    /// A clean database without tables: format 0x620,290, ECC checksums, 16 free pages, no slack.
    #[must_use]
    pub fn new(size: PageSize) -> DatabaseBuilder {
        DatabaseBuilder {
            size,
            format: Format::Level290,
            sums: Sums::Ecc,
            state: State::Clean,
            tables: Vec::new(),
            system_tables: SystemTables::Absent,
            shadow: Shadow::Full,
            leaves: Leaves::Roomy,
            first_dbtime: super::store::DBTIME_FIRST,
            free: 16,
            slack: Slack::Blank(0),
        }
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: TableSpec) -> DatabaseBuilder {
        self.tables.push(table);
        self
    }

    /// The format level.
    #[must_use]
    pub fn format(mut self, format: Format) -> DatabaseBuilder {
        self.format = format;
        self
    }

    /// The checksum of pages.
    #[must_use]
    pub fn sums(mut self, sums: Sums) -> DatabaseBuilder {
        self.sums = sums;
        self
    }

    /// The state in the header.
    #[must_use]
    pub fn state(mut self, state: State) -> DatabaseBuilder {
        self.state = state;
        self
    }

    /// Adds MSysObjids and MSysLocales.
    #[must_use]
    pub fn system_tables(mut self, tables: SystemTables) -> DatabaseBuilder {
        self.system_tables = tables;
        self
    }

    /// Rows of the second catalog.
    #[must_use]
    pub fn shadow(mut self, shadow: Shadow) -> DatabaseBuilder {
        self.shadow = shadow;
        self
    }

    /// Fills leaves to the last byte, instead of leaving a sixteenth for damages that add something.
    #[must_use]
    pub fn full_leaves(mut self) -> DatabaseBuilder {
        self.leaves = Leaves::Full;
        self
    }

    /// The dbtime of the page that is written first; each further page's is one more.
    #[must_use]
    pub fn first_dbtime(mut self, dbtime: u64) -> DatabaseBuilder {
        self.first_dbtime = dbtime;
        self
    }

    /// Free pages of the database root.
    #[must_use]
    pub fn free_pages(mut self, pages: u32) -> DatabaseBuilder {
        self.free = pages;
        self
    }

    /// Pages behind the last owned one.
    #[must_use]
    pub fn slack(mut self, slack: Slack) -> DatabaseBuilder {
        self.slack = slack;
        self
    }

    /// The database.
    ///
    /// # Panics
    /// If rows do not fit their table: too long, not unique, or more than a single extent holds.
    #[must_use]
    pub fn build(&self) -> Built {
        let mut bytes = Vec::new();
        let mut store = Store::new(self.size, self.format, self.sums, &mut bytes);
        store.dbtime = self.first_dbtime;
        let mut writer = Writer::new(store, self.leaves);
        if self.system_tables == SystemTables::Present {
            writer.objid_last = system_tables::LOCALES;
        }
        let contents = |spec: &TableSpec| TableContents::new(spec, self.size, self.format);
        let tables: Vec<_> = self.tables.iter().map(|spec| (spec, contents(spec))).collect();
        let objids: Vec<_> = tables.iter().map(|(spec, contents)| writer.objids(spec, contents)).collect();
        if self.system_tables == SystemTables::Present {
            let last = std::mem::replace(&mut writer.objid_last, system_tables::OBJIDS - 1);
            for spec in [system_tables::objids(&objids), system_tables::locales(self.format)] {
                let contents = contents(&spec);
                let objids = writer.objids(&spec, &contents);
                writer.table(&spec, &objids, &contents);
            }
            writer.objid_last = last.max(system_tables::LOCALES);
        }
        for ((spec, contents), objids) in tables.iter().zip(&objids) {
            writer.table(spec, objids, contents);
        }
        let last = writer.finish(self.shadow, self.free);
        finish_file(&mut writer, last, self.slack, self.state);
        let trees = writer.trees;
        Built::new(self.size, trees, last, bytes)
    }
}

/// Writes slack and both copies of the header, and gives the file its length.
pub(crate) fn finish_file(writer: &mut Writer<'_>, last: u32, slack: Slack, state: State) {
    let store = &mut writer.store;
    let (Slack::Blank(pages) | Slack::Stale(pages)) = slack;
    let size = store.size.as_u64();
    let blank = vec![0; store.size.bytes()];
    // Free pages are never written: the last page of the file is, so that all of them are there.
    if pages > 0 || !writer.trees.iter().any(|tree| tree.pages().any(|pgno| pgno == last)) {
        store.put((u64::from(last + pages) + 1) * size, &blank);
    }
    if matches!(slack, Slack::Stale(_)) {
        let mut fill = PageFill::new(store.size);
        for pgno in last + 1..=last + pages {
            fill.start(&[]);
            fill.push(0, &pgno.to_be_bytes(), b"of a database that was here before");
            store.write(&mut fill, pgno, (0, 0), STALE_OBJID, LEAF);
        }
    }
    let header = header(store, state, writer.objid_last);
    store.put(0, &header);
    store.put(size, &header);
}

/// A header slot (offsets: `structs.csv`, DBFILEHDR): a database that never had logs.
fn header(store: &Store<'_>, state: State, objid_last: u32) -> Vec<u8> {
    let (major, minor) = match store.format {
        Format::Level20 => (20, 0),
        Format::Level290 => (290, 600),
    };
    let (state, generation) = match state {
        State::Clean => (3, 0),
        State::Dirty => (2, 1),
    };
    let page_size = u32::try_from(store.size.bytes()).expect("at most 32768");
    let mut slot = vec![0; store.size.bytes()];
    let mut put = |at: usize, value: u32| slot[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(4, 0x89AB_CDEF);
    put(8, 0x620);
    put(24, SIGNATURE);
    put(52, state);
    put(104, 1);
    put(212, objid_last);
    put(232, major);
    put(236, page_size);
    put(296, generation);
    put(300, generation);
    put(340, 0x620);
    put(344, major);
    put(416, generation);
    put(644, minor);
    put(667, 1);
    slot[16..24].copy_from_slice(&store.dbtime.to_le_bytes());
    slot[28..36].copy_from_slice(&CREATED);
    seal_header(&mut slot);
    slot
}
