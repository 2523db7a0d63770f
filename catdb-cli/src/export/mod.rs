//! Exports: tables written as files of other formats.
//!
//! Each format is a [`TableSink`] over plain data ([`TableInfo`], [`Row`]) in a file of its own. A sink knows nothing of
//! databases and pages, never writes outside the folder it was given, and never replaces a file. Values come as stored
//! bytes; sinks decode them by `ese_core::value`, and keep as bytes what does not decode. [`read`] is the other side: it
//! fills rows from an open database.

pub(crate) mod csv;
pub(crate) mod fault;
pub(crate) mod file_name;
pub(crate) mod json_text;
pub(crate) mod jsonl;
pub(crate) mod keys;
pub(crate) mod long;
pub(crate) mod manifest;
pub(crate) mod output;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod read;
#[cfg(any(feature = "sqlite", feature = "parquet"))]
pub(crate) mod rest;
pub(crate) mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod staging;
pub(crate) mod table;
#[cfg(test)]
mod testing;
pub(crate) mod wanted;

use std::io;

use ese_core::format::LongValueId;
use ese_core::value::ValueError;
use serde::Serialize;

pub(crate) use long::LongSource;
pub(crate) use row::{Provenance, Row, RowState};
pub(crate) use table::{ColumnInfo, IndexColumn, IndexInfo, TableInfo};

/// What rows carry beside their columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Extras {
    /// Where each row lies.
    pub(crate) provenance: bool,
    /// The stored keys of its indexes.
    pub(crate) keys: bool,
    /// Whether it was deleted.
    pub(crate) deleted: bool,
}

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ValueForm {
    /// By their types.
    Typed,
    /// Their bytes, as hex.
    Raw,
}

/// What became of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableOutput {
    /// Name of the file in the folder; `None` for a stream.
    pub(crate) file: Option<String>,
    /// Rows written.
    pub(crate) rows: u64,
    /// Values kept as bytes because they do not decode.
    pub(crate) kept_raw: u64,
    /// Files that values have for themselves.
    pub(crate) value_files: Option<ValueFiles>,
}

/// Values in files of their own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct ValueFiles {
    /// Where they are, in the folder.
    pub(crate) folder: String,
    /// How many there are.
    pub(crate) files: u64,
}

/// Why an export ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    #[cfg(feature = "sqlite")]
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[cfg(feature = "parquet")]
    #[error("Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("long value {0}: its bytes are no longer what they were: the input changed while it was read")]
    Changed(LongValueId),
    #[error("interrupted")]
    Interrupted,
    #[error("rows: expected a table begun before, found none")]
    NoTable,
}

/// A format: takes tables one after the other, and the rows of each.
pub(crate) trait TableSink {
    /// Begins a table. The one before it was ended.
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError>;
    /// Bytes of values that rows are to hold; what is longer comes from a [`LongSource`].
    fn held_most(&self) -> usize {
        row::HELD_MOST
    }
    /// Takes one row of the table. Long values that it does not hold come from `source`.
    fn row(&mut self, row: &Row, source: &mut dyn LongSource) -> Result<(), ExportError>;
    /// Ends the table: all its rows are on their way to the disk.
    fn end_table(&mut self) -> Result<TableOutput, ExportError>;
    /// Ends the export: all files are whole and synced.
    fn finish(&mut self) -> Result<(), ExportError>;
}
