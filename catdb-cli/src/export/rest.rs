//! `_rest`: what the columns of a format cannot hold, a JSON object by the names of the columns.
//!
//! Long values are files of their own here, beside the file of their table: SQLite and Parquet hold a value whole, and so do
//! their readers. The cell names the file: `{"file":"TABLE.values/1.bin","bytes":12345678}`. It has the bytes of the value as
//! they were stored, put together and decompressed; with `"error"` those that could be had.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::file_name::FileNames;
use super::json_text::{self, TypedCells};
use super::row::{Cell, Content, LongRef, Stored};
use super::{ColumnInfo, ExportError, LongSource, ValueFiles, ValueForm, staging};

/// The column.
pub(crate) const REST: &str = "_rest";

/// The object of one row after the other, and the files that they name.
pub(crate) struct Rest {
    folder: PathBuf,
    form: ValueForm,
    names: FileNames,
    /// Those of the table.
    files: ValueFiles,
    json: Vec<u8>,
}

impl Rest {
    /// Files will be in `folder`.
    pub(crate) fn new(folder: PathBuf, form: ValueForm) -> Rest {
        let files = ValueFiles { folder: String::new(), files: 0 };
        Rest { folder, form, names: FileNames::default(), files, json: Vec::new() }
    }

    /// Begins a table.
    pub(crate) fn begin_table(&mut self, table: &str) {
        self.files = ValueFiles { folder: self.names.give(table, "values"), files: 0 };
    }

    /// Ends the table: its files are synced. Tells where they are, if there are any.
    pub(crate) fn end_table(&mut self) -> Result<Option<ValueFiles>, ExportError> {
        if self.files.files == 0 {
            return Ok(None);
        }
        staging::sync_folder(&self.folder.join(&self.files.folder))?;
        Ok(Some(self.files.clone()))
    }

    /// Begins a row.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
    }

    /// Adds the cell of the column that is called `key` in the output.
    pub(crate) fn add(
        &mut self,
        (key, column): (&str, &ColumnInfo),
        cell: Cell<'_>,
        cells: &mut TypedCells,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        let mut json = std::mem::take(&mut self.json);
        json.push(if json.is_empty() { b'{' } else { b',' });
        json_text::text(&mut json, key);
        json.push(b':');
        let form = self.form;
        let mut write = |out: &mut Vec<u8>, stored: Stored<'_>| match (stored.content, form) {
            (Content::Long(long), _) => self.file(out, long, stored.fault, source),
            (_, ValueForm::Typed) => cells.stored(out, column, stored, source),
            (content, ValueForm::Raw) => json_text::stored_hex(out, content, source),
        };
        if form == ValueForm::Typed && cell.len() == 1 && !column.is_list() {
            write(&mut json, cell.first())?;
        } else {
            json_text::list(&mut json, cell, write)?;
        }
        self.json = json;
        Ok(())
    }

    /// The object; `None` if nothing was added.
    pub(crate) fn close(&mut self) -> Option<&[u8]> {
        if self.json.is_empty() {
            return None;
        }
        self.json.push(b'}');
        Some(&self.json)
    }

    /// Writes `long` to a file, and what tells of that to `out`.
    fn file(
        &mut self,
        out: &mut Vec<u8>,
        long: LongRef,
        fault: Option<&str>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        let folder = self.folder.join(&self.files.folder);
        if self.files.files == 0 {
            fs::create_dir(&folder)?;
        }
        self.files.files += 1;
        let name = format!("{}.bin", self.files.files);
        let mut file = BufWriter::new(staging::create(&folder.join(&name))?);
        source.read(long, &mut |piece| Ok(file.write_all(piece)?))?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        out.extend_from_slice(b"{\"file\":");
        json_text::text(out, &format!("{}/{name}", self.files.folder));
        out.extend_from_slice(b",\"bytes\":");
        json_text::number(out, long.bytes);
        if let Some(fault) = fault {
            out.extend_from_slice(b",\"error\":");
            json_text::text(out, fault);
        }
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LongBytes, column, long_row};
    use super::*;
    use ese_core::format::ColumnType;
    use serde_json::{Value, json};

    #[test]
    fn long_values_are_files_and_the_object_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut rest = Rest::new(folder.path().to_owned(), ValueForm::Typed);
        let (mut cells, mut source) = (TypedCells::default(), LongBytes(vec![vec![1; 300], vec![2; 400]]));
        rest.begin_table("none");
        assert_eq!(rest.end_table().unwrap(), None);
        rest.begin_table("../a");
        let row = long_row(&source, &[None, Some("cut short")]);
        for _ in 0..2 {
            rest.clear();
            let mut add = |key, cell| {
                rest.add((key, &column(key, ColumnType::LongBinary)), cell, &mut cells, &mut source).unwrap();
            };
            add("one", row.cell(0).unwrap());
            add("several", row.cell(1).unwrap());
        }
        let json: Value = serde_json::from_slice(rest.close().unwrap()).unwrap();
        let files = rest.end_table().unwrap().unwrap();
        assert_eq!(files.files, 6);
        let name = |number| format!("{}/{number}.bin", files.folder);
        let expected = json!({
            "one": {"file": name(4), "bytes": 300},
            "several": ["00", {"file": name(5), "bytes": 300}, {"file": name(6), "bytes": 400, "error": "cut short"}],
        });
        assert_eq!(json, expected);
        assert_eq!(fs::read(folder.path().join(name(6))).unwrap(), [2; 400]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing escapes the folder");
    }
}
