//! CSV for people and spreadsheets: a file for each table, a header line, quoted text.
//!
//! A spreadsheet must not take text for a formula: cells of text that begin like one get an apostrophe in front.
//! Characters that mislead are shown by their numbers. That makes CSV readable, not faithful to the last character:
//! that is what JSON Lines are for. NULL is nothing at all (`a,,b`), an empty text is `""`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use ese_core::value::{DateTime, Guid, Value};

use super::file_name::FileNames;
use super::json_text::{self, TypedCells, misleads};
use super::row::Cell;
use super::staging;
use super::table::ColumnInfo;
use super::{ExportError, Extras, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm};

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// What a formula begins with; the wide forms are taken for the narrow ones by some programs.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

/// The sink.
pub(crate) struct CsvSink {
    folder: PathBuf,
    form: ValueForm,
    extras: Extras,
    names: FileNames,
    cells: TypedCells,
    buffer: Vec<u8>,
    /// One cell with several values, as JSON.
    several: Vec<u8>,
    current: Option<Current>,
}

struct Current {
    table: TableInfo,
    file: File,
    name: String,
    rows: u64,
}

impl CsvSink {
    pub(crate) fn new(folder: PathBuf, form: ValueForm, extras: Extras) -> CsvSink {
        CsvSink {
            folder,
            form,
            extras,
            names: FileNames::default(),
            cells: TypedCells::default(),
            buffer: Vec::with_capacity(BLOCK + BLOCK / 4),
            several: Vec::new(),
            current: None,
        }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let current = self.current.as_mut().ok_or(ExportError::NoTable)?;
        current.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl TableSink for CsvSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        let name = self.names.give(&table.name, "csv");
        let file = staging::create(&self.folder.join(&name))?;
        let out = &mut self.buffer;
        for key in table.column_keys(str::to_owned) {
            text(out, &key);
            out.push(b',');
        }
        if self.extras.deleted {
            out.extend_from_slice(b"\"_deleted\",");
        }
        if self.extras.provenance {
            out.extend_from_slice(b"\"_pgno\",\"_line\",\"_status\",");
        }
        if self.extras.keys {
            out.extend_from_slice(b"\"_keys\",");
        }
        end_line(out);
        self.cells.kept_raw = 0;
        self.current = Some(Current { table: table.clone(), file, name, rows: 0 });
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), ExportError> {
        let current = self.current.as_mut().ok_or(ExportError::NoTable)?;
        let out = &mut self.buffer;
        let columns = &current.table.columns;
        let mut behind = 0;
        for (place, cell) in row.cells() {
            let Some(column) = columns.get(place) else { continue };
            out.resize(out.len() + place.saturating_sub(behind), b',');
            write_cell(out, &mut self.cells, &mut self.several, self.form, column, cell);
            out.push(b',');
            behind = place + 1;
        }
        out.resize(out.len() + columns.len().saturating_sub(behind), b',');
        if self.extras.deleted {
            out.extend_from_slice(if row.state == RowState::Deleted { b"true," } else { b"false," });
        }
        if self.extras.provenance {
            source(out, row);
        }
        if self.extras.keys {
            self.several.clear();
            json_text::keys(&mut self.several, row, &current.table);
            quoted(out, &self.several);
            out.push(b',');
        }
        end_line(out);
        current.rows += 1;
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        self.flush()?;
        let current = self.current.take().ok_or(ExportError::NoTable)?;
        current.file.sync_all()?;
        Ok(TableOutput { file: Some(current.name), rows: current.rows, kept_raw: self.cells.kept_raw })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}

/// Puts the end of the line in place of the last comma.
fn end_line(out: &mut Vec<u8>) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b'\n');
}

fn write_cell(
    out: &mut Vec<u8>,
    cells: &mut TypedCells,
    several: &mut Vec<u8>,
    form: ValueForm,
    column: &ColumnInfo,
    cell: Cell<'_>,
) {
    let single = cell.len() == 1 && !column.is_list();
    if form == ValueForm::Typed && single {
        let stored = cell.first();
        match cells.decode(column, stored) {
            Ok(decoded) => return value(out, &decoded),
            Err(_) => cells.kept_raw += 1,
        }
        out.push(b'"');
        json_text::hex(out, stored.bytes);
        return out.push(b'"');
    }
    several.clear();
    match form {
        ValueForm::Typed => cells.cell(several, column, cell),
        ValueForm::Raw => json_text::raw_cell(several, cell),
    }
    quoted(out, several);
}

/// Numbers and times bare, everything else in quotes.
fn value(out: &mut Vec<u8>, of: &Value<'_>) {
    match of {
        Value::Null => {}
        Value::Text(of) => text(out, of),
        Value::Binary(bytes) => {
            out.push(b'"');
            json_text::hex(out, bytes);
            out.push(b'"');
        }
        Value::DateTime(of) => out.extend_from_slice(of.write_text(&mut [0; DateTime::TEXT_BYTES]).as_bytes()),
        Value::Guid(of) => out.extend_from_slice(of.write_text(&mut [0; Guid::TEXT_BYTES]).as_bytes()),
        // No formula: a number that JSON wants in quotes needs none here.
        number => {
            let start = out.len();
            json_text::value(out, number);
            if out.get(start) == Some(&b'"') {
                out.pop();
                out.remove(start);
            }
        }
    }
}

/// A cell of text: quoted, no formula, nothing that misleads.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text.starts_with(FORMULA) || text.starts_with(misleads) {
        out.push(b'\'');
    }
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\"\""),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            character if misleads(character) => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            character => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// JSON text in quotes: it begins with a bracket, and what misleads is escaped already.
fn quoted(out: &mut Vec<u8>, json: &[u8]) {
    out.push(b'"');
    for byte in json {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn source(out: &mut Vec<u8>, row: &Row) {
    match row.provenance {
        Some(provenance) => {
            let _ = write!(out, "{},{},\"{}\",", provenance.pgno, provenance.line, provenance.status);
        }
        None => out.extend_from_slice(b",,,"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{column, every_type, faulty_row, full_row, table, utf16};
    use super::*;
    use ::csv::ReaderBuilder;
    use ese_core::format::ColumnType;
    use proptest::prelude::*;

    fn export(table: &TableInfo, extras: Extras, rows: &[&Row]) -> (String, TableOutput) {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = CsvSink::new(folder.path().to_owned(), ValueForm::Typed, extras);
        sink.begin_table(table).unwrap();
        for row in rows {
            sink.row(row).unwrap();
        }
        let output = sink.end_table().unwrap();
        sink.finish().unwrap();
        (std::fs::read_to_string(folder.path().join(output.file.as_ref().unwrap())).unwrap(), output)
    }

    fn records(text: &str) -> Vec<Vec<String>> {
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_type_has_its_form() {
        let (text, output) = export(&every_type(), Extras::default(), &[&full_row(), &Row::default(), &faulty_row()]);
        assert_eq!((output.rows, output.kept_raw), (3, 4));
        let records = records(&text);
        assert_eq!(records.len(), 4);
        assert_eq!(records[0][..4], ["Bit", "UnsignedByte", "Short", "Long"]);
        let expected = [
            "true",
            "200",
            "-2",
            "[53,-87]",
            "1.2345",
            "1.5",
            "NaN",
            "1970-01-01T12:00:00Z",
            "00ab",
            "'=1+1 \"x\"\\u202e\\n",
            "",
            "",
            "4294967295",
            "-9223372036854775808",
            "11111111-1111-1111-1111-111111111111",
            "65535",
            "18446744073709551615",
        ];
        assert_eq!(records[1], expected);
        assert_eq!(records[2], [""; 17]);
        assert_eq!(records[3][2], "010203");
    }

    #[test]
    fn null_is_nothing_and_empty_is_quoted() {
        let table = table("t", vec![column("a", ColumnType::Text), column("b", ColumnType::Text)]);
        let mut row = Row::default();
        row.begin_cell(1);
        row.push(b"");
        let (text, _) = export(&table, Extras::default(), &[&row]);
        assert_eq!(text, "\"a\",\"b\"\n,\"\"\n");
    }

    #[test]
    fn what_is_not_a_column_has_its_own() {
        let mut row = full_row();
        row.push_key(0, &[0x7F]);
        let (text, _) = export(&every_type(), Extras { provenance: true, keys: true, deleted: true }, &[&row]);
        let records = records(&text);
        assert_eq!(records[0][17..], ["_deleted", "_pgno", "_line", "_status", "_keys"]);
        assert_eq!(records[1][17..], ["false", "36", "1", "intact", r#"[["primary","7f"]]"#]);
    }

    #[test]
    fn a_header_is_no_formula_either() {
        let (text, _) =
            export(&table("t", vec![column("=cmd|' /C calc'!A0", ColumnType::Text)]), Extras::default(), &[]);
        assert_eq!(text, "\"'=cmd|' /C calc'!A0\"\n");
    }

    proptest! {
        #[test]
        fn no_text_is_a_formula_and_no_cell_leaves_its_place(start in "[=+@\t\r\n\u{FF1D}-]?", rest: String) {
            let table = table("t", vec![column("a", ColumnType::Text), column("b", ColumnType::Long)]);
            let mut row = Row::default();
            row.begin_cell(0);
            row.push(&utf16(&format!("{start}{rest}")));
            row.begin_cell(1);
            row.push(&(-5_i32).to_le_bytes());
            let (text, _) = export(&table, Extras::default(), &[&row, &row]);
            let records = records(&text);
            prop_assert_eq!(records.len(), 3);
            prop_assert_eq!(&records[1], &records[2]);
            prop_assert_eq!(&records[1][1], "-5");
            let cell = &records[1][0];
            prop_assert!(!cell.starts_with(FORMULA) && !cell.chars().any(misleads), "{}", cell);
        }
    }
}
