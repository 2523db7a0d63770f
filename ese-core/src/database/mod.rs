//! A database as a programmer meets it: tables, their rows, the values of each row (spec 11 section 2.5).
//!
//! ```no_run
//! use ese_core::database::Database;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let db = Database::open("catdb".as_ref())?;
//! for table in db.tables() {
//!     println!("{}: {} columns", table.name(), table.columns().count());
//!     for row in table.rows() {
//!         let row = row?; // or: report it and go on, the next rows are there
//!         for (column, field) in row.fields() {
//!             println!("  {} = {}", column.name, field?);
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading stands on the same walks and views as verifying, and is lenient: a page, a record or a value that cannot be had
//! is an error with its place, and never ends a table. Nothing is changed, nothing is kept but a page a level.

mod rows;
mod scan;
mod values;

use std::io;
use std::path::Path;

use crate::catalog::{self, Catalog};
use crate::long_value::LongValues;
use crate::record::Column;
use crate::source::{ByteSource, FileSource, Pages};
use crate::verify::{OpenedHeader, VerifyError, open_header};

pub use rows::{Field, FieldError, Row, Rows};
pub use scan::{DeletedRows, RowFault, RowRef, RowScan, RowState};
pub(crate) use values::locate;
pub use values::{StoredValue, ValueFault, ValueReader};

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened.
    #[error("cannot be opened: {0}")]
    File(#[from] io::Error),
    /// It is no database, or cannot be read at all.
    #[error(transparent)]
    NotADatabase(#[from] VerifyError),
}

/// A database, opened for reading.
pub struct Database {
    source: Box<dyn ByteSource>,
    header: OpenedHeader,
    catalog: Catalog,
}

impl Database {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be opened or is no ESE database. A damaged one opens, with as many of its tables
    /// as can be found: see [`Database::catalog`].
    pub fn open(path: &Path) -> Result<Database, OpenError> {
        Database::from_source(Box::new(FileSource::open(path)?))
    }

    /// Opens a database whose bytes come from `source`.
    ///
    /// # Errors
    /// [`OpenError`] as above.
    pub fn from_source(source: Box<dyn ByteSource>) -> Result<Database, OpenError> {
        let header = open_header(&*source, &())?;
        let catalog = Catalog::read(Pages::new(&*source, header.page_size));
        Ok(Database { source, header, catalog })
    }

    /// Its bytes: for [`Verifier::new`](crate::verify::Verifier::new).
    #[must_use]
    pub fn source(&self) -> &dyn ByteSource {
        &*self.source
    }

    /// Its header copies, and the page size.
    #[must_use]
    pub fn header(&self) -> &OpenedHeader {
        &self.header
    }

    /// Its catalog: what the tables are made of, where it was read from, and what of it could not be.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Its pages.
    #[must_use]
    pub fn pages(&self) -> Pages<'_> {
        Pages::new(&*self.source, self.header.page_size)
    }

    /// All tables, those of the engine too ([`catalog::Table::is_system`]), in the order of their objids.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = Table<'_>> {
        self.catalog.schema.tables.iter().map(|schema| Table { database: self, schema })
    }

    /// The table called `name`; upper and lower case are the same.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<Table<'_>> {
        self.catalog.schema.table(name).map(|schema| Table { database: self, schema })
    }
}

/// A table of a database.
#[derive(Clone, Copy)]
pub struct Table<'d> {
    database: &'d Database,
    schema: &'d catalog::Table,
}

impl<'d> Table<'d> {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'d str {
        &self.schema.name
    }

    /// What the catalog says of it: all columns, deleted ones too, indexes, roots.
    #[must_use]
    pub fn schema(self) -> &'d catalog::Table {
        self.schema
    }

    /// Its columns, without deleted ones, each with its place in [`TableLayout::columns`](crate::record::TableLayout::columns).
    pub fn columns(self) -> impl Iterator<Item = (usize, &'d Column)> {
        let all = self.schema.layout.columns().iter().enumerate();
        all.filter(|(_, column)| column.column_type != crate::format::ColumnType::Nil)
    }

    /// Its rows in the order of the primary key: what is convenient. Deleted rows are left out.
    #[must_use]
    pub fn rows(self) -> Rows<'d> {
        Rows::new(self)
    }

    /// Its rows in the order of the primary key: what is fast. Nothing is copied.
    #[must_use]
    pub fn scan(self, deleted: DeletedRows) -> RowScan<'d> {
        RowScan::new(self.database.pages(), self.schema.root, deleted)
    }

    /// Its long values, by their ids; `None` if it has no tree of them.
    #[must_use]
    pub fn long_values(self) -> Option<LongValues<'d>> {
        let tree = self.schema.long_values?;
        Some(LongValues::new(self.database.pages(), tree.root, self.schema.lv_chunk_max))
    }

    /// A reader of the values of its rows, to be used for one row after the other.
    #[must_use]
    pub fn values(self) -> ValueReader<'d> {
        ValueReader::new(self)
    }
}
