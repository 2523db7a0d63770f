//! `_rest`: what the columns of a format cannot hold, a JSON object by the names of the columns.
//!
//! Long values are files of their own here, beside the file of their table: SQLite and Parquet hold a value whole, and so do
//! their readers. The cell names the file: `{"file":"TABLE.values/1.bin","bytes":12345678}`. It has the bytes of the value as
//! they were stored, put together and decompressed; `"error"` tells why they are not the value.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::file_name::FileNames;
use super::json_text::{self, JsonCells};
use super::long::Shown;
use super::row::{Cell, Content, LongRef, Stored};
use super::{ColumnInfo, ExportError, LongSource, ValueFiles, ValueForm, staging};

/// The column.
pub(crate) const REST: &str = "_rest";

/// The object of one row after the other, and the files that they name.
pub(crate) struct Rest {
    folder: PathBuf,
    names: FileNames,
    /// Those of the table.
    files: ValueFiles,
    json: Vec<u8>,
}

impl Rest {
    /// Files will be in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Rest {
        let files = ValueFiles { folder: String::new(), files: 0 };
        Rest { folder, names: FileNames::default(), files, json: Vec::new() }
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
        cells: &mut JsonCells,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        let Rest { folder, files, json, .. } = self;
        json.push(if json.is_empty() { b'{' } else { b',' });
        json_text::text(json, key);
        json.push(b':');
        let single = cells.single(column, cell);
        let mut write = |out: &mut Vec<u8>, stored: Stored<'_>| {
            let Content::Long(long) = stored.content else { return cells.stored(out, column, stored, source) };
            let error = match (cells.form, stored.fault) {
                (ValueForm::Raw, fault) => fault.map(str::to_owned),
                (ValueForm::Typed, _) => match Shown::of(column, long, stored, source)? {
                    Shown::Undecoded(error) => Some(error),
                    Shown::Text | Shown::Binary => None,
                },
            };
            cells.kept_raw += u64::from(cells.form == ValueForm::Typed && error.is_some());
            file(folder, files, out, long, error.as_deref(), source)
        };
        match single {
            Some(stored) => write(json, stored),
            None => json_text::list(json, cell, write),
        }
    }

    /// The object; `None` if nothing was added.
    pub(crate) fn close(&mut self) -> Option<&[u8]> {
        if self.json.is_empty() {
            return None;
        }
        self.json.push(b'}');
        Some(&self.json)
    }
}

/// Writes `long` to the next of `files`, and what tells of that to `out`.
fn file(
    folder: &Path,
    files: &mut ValueFiles,
    out: &mut Vec<u8>,
    long: LongRef,
    error: Option<&str>,
    source: &mut dyn LongSource,
) -> Result<(), ExportError> {
    let folder = folder.join(&files.folder);
    if files.files == 0 {
        fs::create_dir(&folder)?;
    }
    files.files += 1;
    let name = format!("{}.bin", files.files);
    let mut file = BufWriter::new(staging::create(&folder.join(&name))?);
    source.read(long, &mut |piece| Ok(file.write_all(piece)?))?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    out.extend_from_slice(b"{\"file\":");
    json_text::text(out, &format!("{}/{name}", files.folder));
    out.extend_from_slice(b",\"bytes\":");
    json_text::number(out, long.bytes);
    if let Some(error) = error {
        out.extend_from_slice(b",\"error\":");
        json_text::text(out, error);
    }
    out.push(b'}');
    Ok(())
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
        let mut rest = Rest::new(folder.path().to_owned());
        let (mut cells, mut source) = (JsonCells::new(ValueForm::Typed), LongBytes(vec![vec![1; 300], vec![2; 400]]));
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
        assert_eq!(cells.kept_raw, 2, "one in each row");
        assert_eq!(fs::read(folder.path().join(name(6))).unwrap(), [2; 400]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing escapes the folder");
    }
}
