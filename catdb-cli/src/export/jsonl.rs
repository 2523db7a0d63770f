//! JSON Lines: one object a row, a file for each table, or all into one stream.
//!
//! Columns that are NULL are left out in both forms, so that NULL is never taken for an empty value and a table with
//! 65,000 columns costs no more than what is in it. Keys that begin with `_` are never columns.

use super::json_text::{self, JsonCells};
use super::output::{self, BlockWriter, Output};
use super::{ExportError, Extras, LongSource, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm};

/// Whether rows name their table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TableKey {
    Named,
    Unnamed,
}

/// The sink.
pub(crate) struct JsonlSink {
    out: BlockWriter,
    /// Tells the rows of several tables in one stream apart.
    named: TableKey,
    extras: Extras,
    cells: JsonCells,
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
    file: Option<String>,
    rows: u64,
}

impl JsonlSink {
    pub(crate) fn new(out: BlockWriter, named: TableKey, form: ValueForm, extras: Extras) -> JsonlSink {
        JsonlSink { out, named, extras, cells: JsonCells::new(form), current: None }
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
        if self.named == TableKey::Named {
            table_key = key("_table");
            json_text::text(&mut table_key, &table.name);
        }
        let file = self.out.begin_table(&table.name)?;
        self.cells.kept_raw = 0;
        self.current = Some(Current {
            keys: table.column_keys().iter().map(|name| key(name)).collect(),
            index_keys: table.indexes.iter().map(|index| key(&index.name)).collect(),
            table: table.clone(),
            table_key,
            file,
            rows: 0,
        });
        Ok(())
    }

    fn held_most(&self) -> usize {
        output::TEXT_HELD_MOST
    }

    fn row(&mut self, row: &Row, source: &mut dyn LongSource) -> Result<(), ExportError> {
        let current = self.current.as_mut().ok_or(ExportError::NoTable)?;
        let out = &mut self.out;
        out.buffer().push(b'{');
        out.buffer().extend_from_slice(&current.table_key);
        let mut comma = !current.table_key.is_empty();
        for (place, cell) in row.cells() {
            let (Some(key), Some(column)) = (current.keys.get(place), current.table.columns.get(place)) else {
                continue;
            };
            separate(out.buffer(), &mut comma);
            out.buffer().extend_from_slice(key);
            self.cells.cell(out, column, cell, source)?;
        }
        let buffer = out.buffer();
        if self.extras.deleted && row.state == RowState::Deleted {
            separate(buffer, &mut comma);
            buffer.extend_from_slice(b"\"_deleted\":true");
        }
        if self.extras.provenance {
            separate(buffer, &mut comma);
            provenance(buffer, row);
        }
        if self.extras.keys {
            separate(buffer, &mut comma);
            keys(buffer, row, &current.index_keys);
        }
        buffer.extend_from_slice(b"}\n");
        current.rows += 1;
        out.relieve()
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        self.out.end_table()?;
        let current = self.current.take().ok_or(ExportError::NoTable)?;
        Ok(TableOutput { file: current.file, rows: current.rows, kept_raw: self.cells.kept_raw, value_files: None })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}

/// A comma, unless this is the first member.
fn separate(out: &mut Vec<u8>, comma: &mut bool) {
    if std::mem::replace(comma, true) {
        out.push(b',');
    }
}

/// `"_source":{"pgno":36,"line":1,"status":"intact"}`
fn provenance(out: &mut Vec<u8>, row: &Row) {
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
    use super::super::testing::{
        LongBytes, Shared, column, every_type, faulty_row, full_row, same_for_long_values, table, utf16,
    };
    use super::*;
    use ese_core::format::ColumnType;
    use serde_json::{Value, json};

    const EXTRAS: Extras = Extras { provenance: true, keys: true, deleted: true };

    fn lines(table: &TableInfo, form: ValueForm, extras: Extras, rows: &[&Row]) -> (Vec<Value>, TableOutput) {
        let folder = tempfile::tempdir().unwrap();
        let mut sink =
            JsonlSink::new(BlockWriter::files(folder.path().to_owned(), "jsonl"), TableKey::Unnamed, form, extras);
        sink.begin_table(table).unwrap();
        for row in rows {
            sink.row(row, &mut LongBytes::default()).unwrap();
        }
        let output = sink.end_table().unwrap();
        sink.finish().unwrap();
        let text = std::fs::read_to_string(folder.path().join(output.file.as_ref().unwrap())).unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output)
    }

    #[test]
    fn every_type_has_its_form() {
        let (lines, output) = lines(&every_type(), ValueForm::Typed, Extras::default(), &[&full_row()]);
        assert_eq!(
            output,
            TableOutput { file: Some("Every_type.jsonl".to_owned()), rows: 1, kept_raw: 0, value_files: None }
        );
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
    fn what_a_row_does_not_hold_is_written_as_what_it_holds() {
        for form in [ValueForm::Typed, ValueForm::Raw] {
            let text = same_for_long_values(&|out| Box::new(JsonlSink::new(out, TableKey::Unnamed, form, EXTRAS)));
            assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
        }
    }

    #[test]
    fn rows_of_a_stream_name_their_table() {
        let shared = Shared::default();
        let out = BlockWriter::stream(Box::new(shared.clone()));
        let mut sink = JsonlSink::new(out, TableKey::Named, ValueForm::Typed, Extras::default());
        for name in ["a", "b"] {
            sink.begin_table(&table(name, vec![column("x", ColumnType::Bit)])).unwrap();
            let mut row = Row::default();
            row.begin_cell(0);
            row.push(&[0]);
            sink.row(&row, &mut LongBytes::default()).unwrap();
            assert_eq!(sink.end_table().unwrap(), TableOutput { file: None, rows: 1, kept_raw: 0, value_files: None });
        }
        sink.finish().unwrap();
        assert_eq!(shared.text(), "{\"_table\":\"a\",\"x\":false}\n{\"_table\":\"b\",\"x\":false}\n");
    }

    #[test]
    fn a_row_without_a_table_is_refused() {
        let out = BlockWriter::files(std::path::PathBuf::new(), "jsonl");
        let mut sink = JsonlSink::new(out, TableKey::Unnamed, ValueForm::Raw, Extras::default());
        assert!(matches!(sink.row(&Row::default(), &mut LongBytes::default()), Err(ExportError::NoTable)));
        assert!(matches!(sink.end_table(), Err(ExportError::NoTable)));
    }
}
