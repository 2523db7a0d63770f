//! JSON Lines: one object a row, a file for each table, or all into one stream.
//!
//! Columns that are NULL are left out in both forms, so that NULL is never taken for an empty value and a table with
//! 65,000 columns costs no more than what is in it. Keys that begin with `_` are never columns.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::file_name::FileNames;
use super::json_text::{self, TypedCells};
use super::staging;
use super::{ExportError, Extras, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm};

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// Where the lines go.
pub(crate) enum JsonlOutput {
    /// A file for each table, in this folder.
    Folder(PathBuf),
    /// One stream; `_table` tells the rows of several tables apart.
    Stream(Box<dyn Write>, TableKey),
}

/// Whether rows name their table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TableKey {
    Named,
    Unnamed,
}

/// The sink.
pub(crate) struct JsonlSink {
    output: JsonlOutput,
    form: ValueForm,
    extras: Extras,
    names: FileNames,
    cells: TypedCells,
    buffer: Vec<u8>,
    current: Option<Current>,
}

/// The table being written.
struct Current {
    table: TableInfo,
    /// `"name":` of each column and index.
    keys: Vec<Vec<u8>>,
    index_keys: Vec<Vec<u8>>,
    /// `"_table":"name"`, if rows name it.
    table_key: Vec<u8>,
    file: Option<(String, File)>,
    rows: u64,
}

impl JsonlSink {
    pub(crate) fn new(output: JsonlOutput, form: ValueForm, extras: Extras) -> JsonlSink {
        JsonlSink {
            output,
            form,
            extras,
            names: FileNames::default(),
            cells: TypedCells::default(),
            buffer: Vec::with_capacity(BLOCK + BLOCK / 4),
            current: None,
        }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let file = self.current.as_mut().and_then(|current| current.file.as_mut());
        match (file, &mut self.output) {
            (Some((_, file)), _) => file.write_all(&self.buffer)?,
            (None, JsonlOutput::Stream(stream, _)) => stream.write_all(&self.buffer)?,
            (None, JsonlOutput::Folder(_)) => return Err(ExportError::NoTable),
        }
        self.buffer.clear();
        Ok(())
    }
}

/// `"name":`
fn key(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json_text::text(&mut out, name);
    out.push(b':');
    out
}

impl TableSink for JsonlSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        let mut table_key = Vec::new();
        let file = match &self.output {
            JsonlOutput::Folder(folder) => {
                let name = self.names.give(&table.name, "jsonl");
                let file = staging::create(&folder.join(&name))?;
                Some((name, file))
            }
            JsonlOutput::Stream(_, named) => {
                if *named == TableKey::Named {
                    table_key = key("_table");
                    json_text::text(&mut table_key, &table.name);
                }
                None
            }
        };
        self.cells.kept_raw = 0;
        self.current = Some(Current {
            keys: table.column_keys(str::to_owned).iter().map(|name| key(name)).collect(),
            index_keys: table.indexes.iter().map(|index| key(&index.name)).collect(),
            table: table.clone(),
            table_key,
            file,
            rows: 0,
        });
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), ExportError> {
        let current = self.current.as_mut().ok_or(ExportError::NoTable)?;
        let out = &mut self.buffer;
        let start = out.len() + 1;
        out.push(b'{');
        out.extend_from_slice(&current.table_key);
        for (place, cell) in row.cells() {
            let (Some(key), Some(column)) = (current.keys.get(place), current.table.columns.get(place)) else {
                continue;
            };
            separate(out, start);
            out.extend_from_slice(key);
            match self.form {
                ValueForm::Raw => json_text::raw_cell(out, cell),
                ValueForm::Typed => self.cells.cell(out, column, cell),
            }
        }
        if self.extras.deleted && row.state == RowState::Deleted {
            separate(out, start);
            out.extend_from_slice(b"\"_deleted\":true");
        }
        if self.extras.provenance {
            separate(out, start);
            source(out, row);
        }
        if self.extras.keys {
            separate(out, start);
            keys(out, row, &current.index_keys);
        }
        out.extend_from_slice(b"}\n");
        current.rows += 1;
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        self.flush()?;
        let current = self.current.take().ok_or(ExportError::NoTable)?;
        let file = current.file.map(|(name, file)| file.sync_all().map(|()| name)).transpose()?;
        Ok(TableOutput { file, rows: current.rows, kept_raw: self.cells.kept_raw })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        if let JsonlOutput::Stream(stream, _) = &mut self.output {
            stream.flush()?;
        }
        Ok(())
    }
}

/// A comma, unless this is the first member.
fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

/// `"_source":{"pgno":36,"line":1,"status":"intact"}`
fn source(out: &mut Vec<u8>, row: &Row) {
    out.extend_from_slice(b"\"_source\":");
    let Some(provenance) = row.provenance else { return out.extend_from_slice(b"null") };
    out.extend_from_slice(b"{\"pgno\":");
    json_text::number(out, provenance.pgno);
    out.extend_from_slice(b",\"line\":");
    json_text::number(out, provenance.line);
    out.extend_from_slice(b",\"status\":");
    json_text::text(out, provenance.status);
    out.push(b'}');
}

/// `"_keys":{"index":["hex",...]}`; the keys of one index come one behind the other.
fn keys(out: &mut Vec<u8>, row: &Row, names: &[Vec<u8>]) {
    out.extend_from_slice(b"\"_keys\":{");
    let mut last = None;
    for (index, key) in row.keys() {
        let Some(name) = names.get(index) else { continue };
        if last == Some(index) {
            out.push(b',');
        } else {
            if last.is_some() {
                out.extend_from_slice(b"],");
            }
            out.extend_from_slice(name);
            out.push(b'[');
        }
        last = Some(index);
        out.push(b'"');
        json_text::hex(out, key);
        out.push(b'"');
    }
    out.extend_from_slice(if last.is_some() { b"]}" } else { b"}" });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{column, every_type, faulty_row, full_row, table, utf16};
    use super::*;
    use ese_core::format::ColumnType;
    use serde_json::{Value, json};

    const EXTRAS: Extras = Extras { provenance: true, keys: true, deleted: true };

    fn lines(table: &TableInfo, form: ValueForm, extras: Extras, rows: &[&Row]) -> (Vec<Value>, TableOutput) {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = JsonlSink::new(JsonlOutput::Folder(folder.path().to_owned()), form, extras);
        sink.begin_table(table).unwrap();
        for row in rows {
            sink.row(row).unwrap();
        }
        let output = sink.end_table().unwrap();
        sink.finish().unwrap();
        let text = std::fs::read_to_string(folder.path().join(output.file.as_ref().unwrap())).unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output)
    }

    #[test]
    fn every_type_has_its_form() {
        let (lines, output) = lines(&every_type(), ValueForm::Typed, Extras::default(), &[&full_row()]);
        assert_eq!(output, TableOutput { file: Some("Every_type.jsonl".to_owned()), rows: 1, kept_raw: 0 });
        let expected = json!({
            "Bit": true, "UnsignedByte": 200, "Short": -2, "Long": [53, -87], "Currency": 1.2345,
            "IEEESingle": 1.5, "IEEEDouble": "NaN", "DateTime": "1970-01-01T12:00:00Z", "Binary": "00ab",
            "Text": "=1+1 \"x\"\u{202E}\n", "LongBinary": "", "LongText": "", "UnsignedLong": u32::MAX,
            "LongLong": "-9223372036854775808", "GUID": "11111111-1111-1111-1111-111111111111",
            "UnsignedShort": 65535, "UnsignedLongLong": "18446744073709551615",
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn raw_rows_are_the_bytes_of_each_value() {
        let (lines, _) = lines(&every_type(), ValueForm::Raw, Extras::default(), &[&full_row(), &faulty_row()]);
        assert_eq!(lines[0]["Long"], json!(["35000000", "a9ffffff"]));
        assert_eq!(lines[0]["LongBinary"], json!([""]), "empty is a value");
        assert_eq!(lines[0].as_object().unwrap().len(), 17);
        let expected =
            json!({"Short": ["010203"], "Long": ["35000000", "09"], "Text": ["00dc"], "LongBinary": ["3001"]});
        assert_eq!(lines[1], expected);
    }

    #[test]
    fn values_that_do_not_decode_keep_their_bytes_and_say_why() {
        let (lines, output) = lines(&every_type(), ValueForm::Typed, Extras::default(), &[&faulty_row()]);
        assert_eq!(output.kept_raw, 4);
        assert_eq!(lines[0]["Short"], json!({"hex": "010203", "error": "Short value: expected 2 bytes, found 3"}));
        assert_eq!(lines[0]["Long"][0], json!(53));
        assert_eq!(lines[0]["Long"][1]["hex"], json!("09"));
        assert_eq!(lines[0]["LongBinary"], json!({"hex": "3001", "error": "encrypted"}));
    }

    #[test]
    fn what_is_not_a_column_begins_with_an_underscore() {
        let mut row = full_row();
        row.push_key(0, &[0x7F, 1]);
        row.push_key(0, &[0x7F, 2]);
        row.state = RowState::Deleted;
        let mut empty = Row::default();
        empty.push_key(9, b"no such index");
        let (lines, _) = lines(&every_type(), ValueForm::Raw, EXTRAS, &[&row, &empty]);
        assert_eq!(lines[0]["_source"], json!({"pgno": 36, "line": 1, "status": "intact"}));
        assert_eq!(lines[0]["_keys"], json!({"primary": ["7f01", "7f02"]}));
        assert_eq!(lines[0]["_deleted"], json!(true));
        assert_eq!(lines[1], json!({"_source": null, "_keys": {}}));
    }

    #[test]
    fn a_column_cannot_take_the_place_of_what_is_not_one() {
        let table = table("t", vec![column("_source", ColumnType::Text)]);
        let mut row = Row::default();
        row.begin_cell(0);
        row.push(&utf16("forged"));
        let (lines, _) = lines(&table, ValueForm::Typed, EXTRAS, &[&row]);
        assert_eq!(lines[0], json!({"column:_source": "forged", "_source": null, "_keys": {}}));
    }

    #[test]
    fn rows_of_a_stream_name_their_table() {
        #[derive(Clone, Default)]
        struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let shared = Shared::default();
        let output = JsonlOutput::Stream(Box::new(shared.clone()), TableKey::Named);
        let mut sink = JsonlSink::new(output, ValueForm::Typed, Extras::default());
        for name in ["a", "b"] {
            sink.begin_table(&table(name, vec![column("x", ColumnType::Bit)])).unwrap();
            let mut row = Row::default();
            row.begin_cell(0);
            row.push(&[0]);
            sink.row(&row).unwrap();
            assert_eq!(sink.end_table().unwrap(), TableOutput { file: None, rows: 1, kept_raw: 0 });
        }
        sink.finish().unwrap();
        let text = String::from_utf8(shared.0.borrow().clone()).unwrap();
        assert_eq!(text, "{\"_table\":\"a\",\"x\":false}\n{\"_table\":\"b\",\"x\":false}\n");
    }

    #[test]
    fn a_row_without_a_table_is_refused() {
        let mut sink = JsonlSink::new(JsonlOutput::Folder(PathBuf::new()), ValueForm::Raw, Extras::default());
        assert!(matches!(sink.row(&Row::default()), Err(ExportError::NoTable)));
        assert!(matches!(sink.end_table(), Err(ExportError::NoTable)));
    }
}
