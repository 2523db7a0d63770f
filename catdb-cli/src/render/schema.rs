//! The answer of `schema`: columns and indexes of each table; JSON is `catdb.schema/1`.
//!
//! What is meant for sharing has names and types alone: no default values, which are content, and nothing that tells one
//! file from another.

use std::io::{self, Write};
use std::path::Path;

use ese_core::database::Table;
use ese_core::format::{ColumnFlags, ColumnKind};
use ese_core::value::Value;
use serde::Serialize;

use super::json::{TOOL, Tool};
use super::shown_text;
use crate::export::read::table_info;

const SCHEMA: &str = "catdb.schema/1";

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// All that the catalog says.
    Full,
    /// Names and types.
    ForSharing,
}

/// All tables.
#[derive(Serialize)]
pub(crate) struct SchemaDocument {
    schema: &'static str,
    tool: Tool,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    page_size: usize,
    tables: Vec<TableEntry>,
}

#[derive(Serialize)]
struct TableEntry {
    table: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    objid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pgno: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    columns: Vec<ColumnEntry>,
    indexes: Vec<IndexEntry>,
}

#[derive(Serialize)]
struct ColumnEntry {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u16>,
    kind: &'static str,
    #[serde(rename = "type")]
    type_name: &'static str,
    /// Most bytes of a value; 0 is no limit.
    max_len: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_page: Option<u32>,
    flags: Vec<String>,
    /// The value of rows that do not store it: as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

#[derive(Serialize)]
struct IndexEntry {
    name: String,
    primary: bool,
    unique: bool,
    /// `+name` ascending, `-name` descending.
    key: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pgno: Option<u32>,
}

impl SchemaDocument {
    pub(crate) fn new(path: &Path, page_size: usize, detail: Detail) -> SchemaDocument {
        let path = (detail == Detail::Full).then(|| path.to_string_lossy().into_owned());
        SchemaDocument { schema: SCHEMA, tool: TOOL, path, page_size, tables: Vec::new() }
    }

    pub(crate) fn add(&mut self, table: Table<'_>, detail: Detail) {
        let (schema, info) = (table.schema(), table_info(table));
        let full = detail == Detail::Full;
        let columns = table.columns().map(|(_, column)| {
            let default = column.default.as_ref().filter(|_| full).map(|bytes| {
                let value = Value::decode(column.column_type, column.code_page, bytes);
                value.unwrap_or(Value::Binary(bytes)).to_string()
            });
            ColumnEntry {
                name: column.name.clone(),
                id: full.then_some(column.id),
                kind: match ColumnKind::of(column.id) {
                    Some(ColumnKind::Fixed) => "fixed",
                    Some(ColumnKind::Variable) => "variable",
                    Some(ColumnKind::Tagged) => "tagged",
                    None => "none",
                },
                type_name: column.column_type.name(),
                max_len: column.max_len,
                code_page: column.column_type.is_text().then_some(column.code_page),
                flags: flags(column.flags),
                default,
            }
        });
        let indexes = info.indexes.iter().zip(&schema.indexes).map(|(index, of)| IndexEntry {
            name: index.name.clone(),
            primary: index.primary,
            unique: index.unique,
            key: index.key(&info),
            pgno: full.then_some(of.root.0),
        });
        self.tables.push(TableEntry {
            table: table.name().to_owned(),
            objid: full.then_some(schema.objid.0),
            pgno: full.then_some(schema.root.0),
            template: schema.template.clone(),
            columns: columns.collect(),
            indexes: indexes.collect(),
        });
    }

    /// For people.
    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(path) = &self.path {
            writeln!(out, "{}: pages of {} bytes", shown_text(path), self.page_size)?;
        }
        for table in &self.tables {
            write!(out, "\n{}", shown_text(&table.table))?;
            if let Some(template) = &table.template {
                write!(out, " (derived from {})", shown_text(template))?;
            }
            writeln!(out)?;
            let width = |of: fn(&ColumnEntry) -> usize, most| table.columns.iter().map(of).max().unwrap_or(0).min(most);
            let names = width(|column| column.name.chars().count(), 40);
            let types = width(|column| column.type_name.len(), 16);
            for column in &table.columns {
                let name = shown_text(&column.name);
                write!(out, "  {name:names$}  {:types$}  {:8}", column.type_name, column.kind)?;
                writeln!(out, "{}", column.rest())?;
            }
            for index in &table.indexes {
                let kind = match (index.primary, index.unique) {
                    (true, _) => "primary index",
                    (false, true) => "unique index",
                    (false, false) => "index",
                };
                let key: Vec<String> = index.key.iter().map(|segment| shown_text(segment)).collect();
                writeln!(out, "  {kind} {} ({})", shown_text(&index.name), key.join(", "))?;
            }
        }
        Ok(())
    }
}

impl ColumnEntry {
    /// Size, code page, flags, default.
    fn rest(&self) -> String {
        let mut rest = String::new();
        if self.max_len > 0 {
            rest.push_str(&format!("  max {}", self.max_len));
        }
        if let Some(code_page) = self.code_page {
            rest.push_str(&format!("  code page {code_page}"));
        }
        if !self.flags.is_empty() {
            rest.push_str(&format!("  {}", self.flags.join(" ")));
        }
        if let Some(default) = &self.default {
            rest.push_str(&format!("  default {}", shown_text(default)));
        }
        rest
    }
}

/// `NOT_NULL` as `not-null`.
fn flags(flags: ColumnFlags) -> Vec<String> {
    flags.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect()
}
