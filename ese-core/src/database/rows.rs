//! Rows as values of their own: an iterator for everyday use, which shares one copy of each leaf among its rows.

use std::fmt;
use std::sync::Arc;

use crate::format::Pgno;
use crate::long_value::ValueStream;
use crate::record::{Column, Record};
use crate::value::{Value, ValueError};

use super::scan::{DeletedRows, RowFault, RowScan};
use super::values::ValueFault;
use super::{Table, ValueReader};

/// The rows of a table in the order of the primary key.
///
/// A part of the table that cannot be read is an error, and the rows behind it follow.
pub struct Rows<'d> {
    table: Table<'d>,
    scan: RowScan<'d>,
    /// The leaf of the last row.
    leaf: Option<(Pgno, Arc<[u8]>)>,
}

impl<'d> Rows<'d> {
    pub(super) fn new(table: Table<'d>) -> Rows<'d> {
        Rows { table, scan: table.scan(DeletedRows::Skip), leaf: None }
    }
}

impl<'d> Iterator for Rows<'d> {
    type Item = Result<Row<'d>, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.scan.next_row()? {
            Ok(row) => row,
            Err(fault) => return Some(Err(fault)),
        };
        let leaf = match &self.leaf {
            Some((pgno, leaf)) if *pgno == row.pgno => Arc::clone(leaf),
            _ => Arc::from(row.page.bytes()),
        };
        let start = row.page.offset_of(row.record.data());
        let place = start..start + row.record.data().len();
        let next = Row { table: self.table, leaf: Arc::clone(&leaf), place, pgno: row.pgno, line: row.line };
        self.leaf = Some((row.pgno, leaf));
        Some(Ok(next))
    }
}

/// A row.
#[derive(Clone)]
pub struct Row<'d> {
    table: Table<'d>,
    leaf: Arc<[u8]>,
    place: std::ops::Range<usize>,
    pgno: Pgno,
    line: usize,
}

/// Why a field cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The table has no such column.
    #[error("column: expected one of the table, found `{0}`")]
    NoColumn(String),
    /// Its value is not known.
    #[error(transparent)]
    Value(#[from] ValueFault),
}

/// All values of one column in one row: none if it is NULL.
#[derive(Clone, PartialEq, Eq)]
pub struct Field<'r> {
    column: &'r Column,
    values: Vec<Vec<u8>>,
}

impl<'r> Field<'r> {
    /// The column.
    #[must_use]
    pub fn column(&self) -> &'r Column {
        self.column
    }

    /// True if it has no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of each value as they were stored, put together and decompressed.
    pub fn bytes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.values.iter().map(Vec::as_slice)
    }

    /// Each value by its type.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Result<Value<'_>, ValueError>> {
        let column = self.column;
        self.bytes().map(move |bytes| Value::decode(column.column_type, column.code_page, bytes))
    }

    /// The first value by its type; [`Value::Null`] if there is none.
    ///
    /// # Errors
    /// [`ValueError`] if its bytes are no value of the type.
    pub fn value(&self) -> Result<Value<'_>, ValueError> {
        self.values().next().unwrap_or(Ok(Value::Null))
    }
}

impl fmt::Display for Field<'_> {
    /// One value as it is, several in brackets; bytes that are no value of the type as hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| match Value::decode(
            self.column.column_type,
            self.column.code_page,
            bytes,
        ) {
            Ok(value) => value.fmt(f),
            Err(_) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        };
        match self.values.as_slice() {
            [] => f.write_str("NULL"),
            [value] => one(f, value),
            values => {
                for (place, value) in values.iter().enumerate() {
                    f.write_str(if place == 0 { "[" } else { ", " })?;
                    one(f, value)?;
                }
                f.write_str("]")
            }
        }
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.column.name)
    }
}

impl<'d> Row<'d> {
    /// Its leaf.
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        self.pgno
    }

    /// Its line on the leaf, as findings count: the index of the tag.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column called `name`; upper and lower case are the same.
    ///
    /// # Errors
    /// [`FieldError`] if the table has no such column, or a value of it cannot be read.
    pub fn get(&self, name: &str) -> Result<Field<'_>, FieldError> {
        let (place, column) = self.column(name)?;
        Ok(self.field(place, column)?)
    }

    /// All columns, those that are NULL too.
    pub fn fields(&self) -> impl Iterator<Item = (&'d Column, Result<Field<'_>, ValueFault>)> {
        self.table.columns().map(|(place, column)| (column, self.field(place, column)))
    }

    /// Opens value number `sequence` (1-based) of the column called `name`, to be read piece by piece; `None` if there is
    /// none. `values` is a reader of the row's table. For values that are too long for [`Row::get`], which holds them whole:
    ///
    /// ```no_run
    /// # use ese_core::database::Database;
    /// # use std::io::Write;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (db, mut out) = (Database::open("mail.edb".as_ref())?, Vec::new());
    /// let table = db.table("Attachments").ok_or("no such table")?;
    /// let mut values = table.values();
    /// for row in table.rows() {
    ///     let row = row?;
    ///     let Some(mut content) = row.open(&mut values, "Content", 1)? else { continue };
    ///     while let Some(chunk) = content.next_chunk() {
    ///         out.write_all(chunk?.bytes)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FieldError`] if the table has no such column, or nothing of the value is known.
    pub fn open<'v>(
        &'v self,
        values: &'v mut ValueReader<'d>,
        name: &str,
        sequence: usize,
    ) -> Result<Option<ValueStream<'v, 'd>>, FieldError> {
        let (place, _) = self.column(name)?;
        Ok(values.open(&self.record()?, place, sequence)?)
    }

    fn column(&self, name: &str) -> Result<(usize, &'d Column), FieldError> {
        let mut columns = self.table.columns();
        let found = columns.find(|(_, column)| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| FieldError::NoColumn(name.to_owned()))
    }

    fn record(&self) -> Result<Record<'_>, ValueFault> {
        let bytes = self.leaf.get(self.place.clone()).unwrap_or_default();
        Ok(Record::new(bytes, self.table.database.header.page_size)?)
    }

    fn field(&self, place: usize, column: &'d Column) -> Result<Field<'_>, ValueFault> {
        let record = self.record()?;
        let mut reader: ValueReader<'d> = self.table.values();
        let mut values = Vec::new();
        while let Some(mut value) = reader.open(&record, place, values.len() + 1)? {
            let mut bytes = Vec::new();
            value.read_into(usize::MAX, &mut bytes)?;
            values.push(bytes);
        }
        Ok(Field { column, values })
    }
}
