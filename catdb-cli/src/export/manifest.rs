//! `manifest.json`: what an export holds, schema `catdb.export/1`. Fields are only ever added; same input, same bytes.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::fault::Faults;
use super::{ExportError, TableInfo, TableOutput, ValueFiles, ValueForm, staging};
use crate::render::json::{TOOL, Tool};

const SCHEMA: &str = "catdb.export/1";
/// Name of the file.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// The document.
#[derive(Serialize)]
pub(crate) struct Manifest {
    schema: &'static str,
    tool: Tool,
    format: &'static str,
    values: &'static str,
    /// SHA-256 of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_sha256: Option<String>,
    tables: Vec<TableEntry>,
    /// What could not be read.
    faults: Faults,
}

#[derive(Serialize)]
struct TableEntry {
    table: String,
    file: Option<String>,
    rows: u64,
    /// Values that do not decode and are kept as bytes.
    kept_raw: u64,
    /// Files that long values have for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_files: Option<ValueFiles>,
    columns: Vec<ColumnEntry>,
    indexes: Vec<IndexEntry>,
}

#[derive(Serialize)]
struct ColumnEntry {
    name: String,
    /// Its name in the output, where it had to get another.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    id: u16,
    #[serde(rename = "type")]
    type_name: &'static str,
    code_page: u32,
    max_len: u32,
    flags: u16,
    multi_valued: bool,
}

#[derive(Serialize)]
struct IndexEntry {
    name: String,
    primary: bool,
    unique: bool,
    /// `+name` ascending, `-name` descending.
    key: Vec<String>,
}

impl Manifest {
    pub(crate) fn new(format: &'static str, form: ValueForm, input_sha256: Option<String>) -> Manifest {
        let values = match form {
            ValueForm::Typed => "typed",
            ValueForm::Raw => "raw",
        };
        Manifest {
            schema: SCHEMA,
            tool: TOOL,
            format,
            values,
            input_sha256,
            tables: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// What could not be read of all tables.
    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Adds a table that was written.
    pub(crate) fn add(&mut self, table: &TableInfo, output: TableOutput) {
        let keys = table.column_keys();
        let columns = table.columns.iter().zip(keys).map(|(column, key)| ColumnEntry {
            name: column.name.clone(),
            key: (key != column.name).then_some(key),
            id: column.id,
            type_name: column.column_type.name(),
            code_page: column.code_page,
            max_len: column.max_len,
            flags: column.flags.bits(),
            multi_valued: column.is_list(),
        });
        let indexes = table.indexes.iter().map(|index| IndexEntry {
            name: index.name.clone(),
            primary: index.primary,
            unique: index.unique,
            key: index.key(table),
        });
        self.tables.push(TableEntry {
            table: table.name.clone(),
            file: output.file,
            rows: output.rows,
            kept_raw: output.kept_raw,
            value_files: output.value_files,
            columns: columns.collect(),
            indexes: indexes.collect(),
        });
    }

    /// Writes the document into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ExportError> {
        let mut file = staging::create(&folder.join(FILE_NAME))?;
        let mut text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_all()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::every_type;
    use super::*;

    #[test]
    fn a_manifest_names_tables_files_columns_and_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::new("jsonl", ValueForm::Raw, None);
        let value_files = Some(ValueFiles { folder: "x.values".to_owned(), files: 2 });
        let output = TableOutput { file: Some("x.jsonl".to_owned()), rows: 7, kept_raw: 1, value_files };
        manifest.add(&every_type(), output);
        manifest.write(folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], "catdb.export/1");
        let table = &document["tables"][0];
        assert_eq!(
            (&table["table"], &table["file"], &table["rows"]),
            (&"Every/type".into(), &"x.jsonl".into(), &7.into())
        );
        assert_eq!(table["value_files"], serde_json::json!({"folder": "x.values", "files": 2}));
        assert_eq!(table["columns"][3]["type"], "Long");
        assert_eq!(table["columns"][3]["multi_valued"], true);
        assert_eq!(table["indexes"][0]["key"], serde_json::json!(["-Short", "+Text"]));
    }
}
