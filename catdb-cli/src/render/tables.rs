//! The answer of `tables`: schema `catdb.tables/1`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::json::{TOOL, Tool};
use super::{counted, grouped, shown, shown_text};
use crate::export::fault::Faults;

const SCHEMA: &str = "catdb.tables/1";

/// One table.
#[derive(Serialize)]
pub(crate) struct TableLine {
    pub(crate) table: String,
    /// Rows that can be read.
    pub(crate) rows: u64,
    pub(crate) columns: usize,
    pub(crate) indexes: usize,
    /// Whether it has a tree of long values.
    pub(crate) long_values: bool,
    pub(crate) system: bool,
    pub(crate) objid: u32,
    /// The root of its tree.
    pub(crate) pgno: u32,
}

/// All tables.
#[derive(Serialize)]
pub(crate) struct TablesDocument {
    schema: &'static str,
    tool: Tool,
    path: String,
    tables: Vec<TableLine>,
    faults: Faults,
}

impl TablesDocument {
    pub(crate) fn new(path: &Path, tables: Vec<TableLine>, faults: Faults) -> TablesDocument {
        TablesDocument { schema: SCHEMA, tool: TOOL, path: path.to_string_lossy().into_owned(), tables, faults }
    }
}

/// A line for each table, rows first.
pub(crate) fn text(out: &mut dyn Write, path: &Path, tables: &[TableLine]) -> io::Result<()> {
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    writeln!(out, "{}: {}, {}", shown(path), counted(tables.len() as u64, "table"), counted(rows, "row"))?;
    let width = tables.iter().map(|table| grouped(table.rows).len()).max().unwrap_or_default().max(4);
    writeln!(out, "\n  {:>width$}  {:>7}  {:>7}  {:>8}  table", "rows", "columns", "indexes", "root")?;
    for table in tables {
        writeln!(
            out,
            "  {:>width$}  {:>7}  {:>7}  {:>8}  {}",
            grouped(table.rows),
            table.columns,
            table.indexes,
            table.pgno,
            shown_text(&table.table)
        )?;
    }
    Ok(())
}
