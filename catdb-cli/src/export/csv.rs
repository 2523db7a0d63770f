//! CSV for people and spreadsheets: a file for each table, a header line, quoted text.
//!
//! A spreadsheet must not take text for a formula: cells of text that begin like one get an apostrophe in front.
//! Characters that mislead are shown by their numbers. That makes CSV readable, not faithful to the last character:
//! that is what JSON Lines are for. NULL is nothing at all (`a,,b`), an empty text is `""`.

use std::io::Write;

use ese_core::value::{DateTime, Guid, Value};

use super::json_text::{self, JsonCells, misleads};
use super::long::Shown;
use super::output::{self, BlockWriter, Output};
use super::row::{Cell, Content, Stored};
use super::table::ColumnInfo;
use super::{ExportError, Extras, LongSource, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm};

/// What a formula begins with; the wide forms are taken for the narrow ones by some programs.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

/// The sink.
pub(crate) struct CsvSink {
    out: BlockWriter,
    extras: Extras,
    cells: JsonCells,
    /// A cell that is JSON, before quotes are doubled.
    json: Vec<u8>,
    current: Option<Current>,
}

struct Current {
    table: TableInfo,
    file: Option<String>,
    rows: u64,
}

impl CsvSink {
    pub(crate) fn new(out: BlockWriter, form: ValueForm, extras: Extras) -> CsvSink {
        CsvSink { out, extras, cells: JsonCells::new(form), json: Vec::new(), current: None }
    }

    fn cell(&mut self, column: &ColumnInfo, cell: Cell<'_>, source: &mut dyn LongSource) -> Result<(), ExportError> {
        if let Some(stored) = self.cells.single(column, cell) {
            return self.single(column, stored, source);
        }
        self.out.buffer().push(b'"');
        let mut quoted = Quoted { json: &mut self.json, out: &mut self.out };
        self.cells.cell(&mut quoted, column, cell, source)?;
        quoted.relieve()?;
        self.out.buffer().push(b'"');
        Ok(())
    }

    fn single(
        &mut self,
        column: &ColumnInfo,
        stored: Stored<'_>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        match stored.content {
            Content::Held(bytes) => match self.cells.decode(column, bytes, stored.fault) {
                Ok(decoded) => {
                    value(self.out.buffer(), &decoded);
                    return Ok(());
                }
                Err(_) => self.cells.kept_raw += 1,
            },
            Content::Long(long) => match Shown::of(column, long, stored, source)? {
                Shown::Text => {
                    let mut begins = true;
                    return json_text::long_text(&mut self.out, column, long, source, |out, piece| {
                        if begins {
                            disarm(out, piece);
                        }
                        begins &= piece.is_empty();
                        escape(out, piece);
                    });
                }
                Shown::Binary => {}
                Shown::Undecoded(_) => self.cells.kept_raw += 1,
            },
        }
        json_text::stored_hex(&mut self.out, stored.content, source)
    }
}

/// JSON on its way into a cell: it begins with a bracket, and what misleads is escaped already.
struct Quoted<'a> {
    json: &'a mut Vec<u8>,
    out: &'a mut BlockWriter,
}

impl Output for Quoted<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.json
    }

    fn relieve(&mut self) -> Result<(), ExportError> {
        double_quotes(self.out.buffer(), self.json);
        self.json.clear();
        self.out.relieve()
    }
}

impl TableSink for CsvSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        let file = self.out.begin_table(&table.name)?;
        let out = self.out.buffer();
        for key in table.column_keys() {
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
        self.current = Some(Current { table: table.clone(), file, rows: 0 });
        Ok(())
    }

    fn held_most(&self) -> usize {
        output::TEXT_HELD_MOST
    }

    fn row(&mut self, row: &Row, source: &mut dyn LongSource) -> Result<(), ExportError> {
        let mut current = self.current.take().ok_or(ExportError::NoTable)?;
        let columns = &current.table.columns;
        let mut behind = 0;
        for (place, cell) in row.cells() {
            let Some(column) = columns.get(place) else { continue };
            commas(self.out.buffer(), place.saturating_sub(behind));
            self.cell(column, cell, source)?;
            self.out.buffer().push(b',');
            behind = place + 1;
        }
        let out = self.out.buffer();
        commas(out, columns.len().saturating_sub(behind));
        if self.extras.deleted {
            out.extend_from_slice(if row.state == RowState::Deleted { b"true," } else { b"false," });
        }
        if self.extras.provenance {
            provenance(out, row);
        }
        if self.extras.keys {
            self.json.clear();
            json_text::keys(&mut self.json, row, &current.table);
            out.push(b'"');
            double_quotes(out, &self.json);
            out.extend_from_slice(b"\",");
            self.json.clear();
        }
        end_line(out);
        current.rows += 1;
        self.current = Some(current);
        self.out.relieve()
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        self.out.end_table()?;
        let Current { file, rows, .. } = self.current.take().ok_or(ExportError::NoTable)?;
        Ok(TableOutput { file, rows, kept_raw: self.cells.kept_raw, value_files: None })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}

fn commas(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b',');
}

/// Puts the end of the line in place of the last comma.
fn end_line(out: &mut Vec<u8>) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b'\n');
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
    disarm(out, text);
    escape(out, text);
    out.push(b'"');
}

/// What keeps a cell that begins with `text` from being a formula.
fn disarm(out: &mut Vec<u8>, text: &str) {
    if text.starts_with(FORMULA) || text.starts_with(misleads) {
        out.push(b'\'');
    }
}

/// What is between the quotes.
fn escape(out: &mut Vec<u8>, text: &str) {
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
}

fn double_quotes(out: &mut Vec<u8>, json: &[u8]) {
    for byte in json {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
}

fn provenance(out: &mut Vec<u8>, row: &Row) {
    match row.provenance {
        Some(provenance) => {
            let _ = write!(out, "{},{},\"{}\",", provenance.pgno, provenance.line, provenance.status);
        }
        None => out.extend_from_slice(b",,,"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        LongBytes, column, every_type, faulty_row, full_row, same_for_long_values, table, utf16,
    };
    use super::*;
    use ::csv::ReaderBuilder;
    use ese_core::format::ColumnType;
    use proptest::prelude::*;

    fn export(table: &TableInfo, extras: Extras, rows: &[&Row]) -> (String, TableOutput) {
        let folder = tempfile::tempdir().unwrap();
        let out = BlockWriter::files(folder.path().to_owned(), "csv");
        let mut sink = CsvSink::new(out, ValueForm::Typed, extras);
        sink.begin_table(table).unwrap();
        for row in rows {
            sink.row(row, &mut LongBytes::default()).unwrap();
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
    fn what_a_row_does_not_hold_is_written_as_what_it_holds() {
        for form in [ValueForm::Typed, ValueForm::Raw] {
            let text = same_for_long_values(&|out| Box::new(CsvSink::new(out, form, Extras::default())));
            assert_eq!(records(&text).len(), 2);
            assert!(form == ValueForm::Raw || text.contains("\n\"'=cmd"), "a formula is none, however long");
        }
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
