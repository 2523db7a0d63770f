//! Tables and rows for tests.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ese_core::format::{CODE_PAGE_UNICODE, ColumnFlags, ColumnType, LongValueId};

use super::long::Visit;
use super::output::BlockWriter;
use super::row::{LongForm, LongRef};
use super::{ColumnInfo, ExportError, IndexColumn, IndexInfo, LongSource, Provenance, Row, TableInfo, TableSink};

/// Long values, by their ids from 0 on; they come in small pieces of an odd size.
#[derive(Default)]
pub(super) struct LongBytes(pub(super) Vec<Vec<u8>>);

impl LongSource for LongBytes {
    fn read(&mut self, long: LongRef, visit: &mut Visit<'_, [u8]>) -> Result<(), ExportError> {
        let value =
            usize::try_from(long.id.0).ok().and_then(|id| self.0.get(id)).ok_or(ExportError::Changed(long.id))?;
        assert_eq!(value.len() as u64, long.bytes);
        value.chunks(7).try_for_each(visit)
    }
}

/// A row that holds none of the values in `source`: the first in cell 0; an empty one and all of them in cell 1, with their
/// faults.
pub(super) fn long_row(source: &LongBytes, faults: &[Option<&str>]) -> Row {
    let mut row = Row::new(0);
    let add = |row: &mut Row, id: usize| {
        let mut value = row.begin_value();
        value.push(&source.0[id]);
        let fault = faults.get(id).copied().flatten().map(str::to_owned);
        value.end(LongValueId(id as u64), LongForm::Decoded, fault);
    };
    row.begin_cell(0);
    add(&mut row, 0);
    row.begin_cell(1);
    row.push(&[0]);
    (0..source.0.len()).for_each(|id| add(&mut row, id));
    row
}

pub(super) fn column(name: &str, column_type: ColumnType) -> ColumnInfo {
    ColumnInfo {
        name: name.to_owned(),
        id: 256,
        column_type,
        code_page: if column_type.is_text() { CODE_PAGE_UNICODE } else { 0 },
        max_len: 0,
        flags: ColumnFlags::empty(),
    }
}

pub(super) fn table(name: &str, columns: Vec<ColumnInfo>) -> TableInfo {
    TableInfo { name: name.to_owned(), columns, indexes: Vec::new() }
}

/// A table with a column of every type that has values, each named as its type; `Long` is multi-valued.
pub(super) fn every_type() -> TableInfo {
    let with_values = |t: &ColumnType| !matches!(t, ColumnType::Nil | ColumnType::Streaming);
    let columns = ColumnType::ALL.into_iter().filter(with_values).map(|t| column(t.name(), t));
    let mut table = table("Every/type", columns.collect());
    table.columns[3].flags = ColumnFlags::MULTI_VALUED;
    table.indexes = vec![IndexInfo {
        name: "primary".to_owned(),
        primary: true,
        unique: true,
        columns: vec![IndexColumn { column: 2, descending: true }, IndexColumn { column: 9, descending: false }],
    }];
    table
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A row of [`every_type`] with a value in every column.
pub(super) fn full_row() -> Row {
    let mut row = Row::default();
    let mut one = |column: usize, values: &[&[u8]]| {
        row.begin_cell(column);
        for value in values {
            row.push(value);
        }
    };
    one(0, &[&[0xFF]]);
    one(1, &[&[200]]);
    one(2, &[&(-2_i16).to_le_bytes()]);
    one(3, &[&53_i32.to_le_bytes(), &(-87_i32).to_le_bytes()]);
    one(4, &[&12_345_i64.to_le_bytes()]);
    one(5, &[&1.5_f32.to_le_bytes()]);
    one(6, &[&f64::NAN.to_le_bytes()]);
    one(7, &[&25_569.5_f64.to_le_bytes()]);
    one(8, &[&[0, 0xAB]]);
    one(9, &[&utf16("=1+1 \"x\"\u{202E}\n")]);
    one(10, &[&[]]);
    one(11, &[&utf16("")]);
    one(12, &[&u32::MAX.to_le_bytes()]);
    one(13, &[&i64::MIN.to_le_bytes()]);
    one(14, &[&[0x11; 16]]);
    one(15, &[&65_535_u16.to_le_bytes()]);
    one(16, &[&u64::MAX.to_le_bytes()]);
    row.provenance = Some(Provenance { pgno: 36, line: 1, status: "intact" });
    row
}

/// A row of [`every_type`] whose values do not decode.
pub(super) fn faulty_row() -> Row {
    let mut row = Row::default();
    row.begin_cell(2);
    row.push(&[1, 2, 3]);
    row.begin_cell(3);
    row.push(&53_i32.to_le_bytes());
    row.push(&[9]);
    row.begin_cell(9);
    row.push(&[0x00, 0xDC]);
    row.begin_cell(10);
    row.push_faulty(&[0x30, 1], "encrypted".to_owned());
    row
}

/// A table, and the same row twice: one holds all of its values, the other none.
fn held_and_long() -> (TableInfo, Row, Row, LongBytes) {
    let columns = [
        ("text", ColumnType::LongText),
        ("several", ColumnType::LongBinary),
        ("no text", ColumnType::LongText),
        ("no number", ColumnType::Long),
        ("lost", ColumnType::LongBinary),
    ];
    let mut table = table("t", columns.map(|(name, of)| column(name, of)).to_vec());
    table.columns[1].flags = ColumnFlags::MULTI_VALUED;
    let text = utf16(&"=cmd|\" \u{202E}\u{1F600}\n,'".repeat(40));
    let malformed = [&text[..], &[0]].concat();
    let values: [(usize, Vec<u8>, Option<&str>); 6] = [
        (0, text, None),
        (1, vec![0xAB; 300], None),
        (1, vec![0xCD; 1_000], None),
        (2, malformed, None),
        (3, vec![3; 257], None),
        (4, vec![4; 257], Some("cut short")),
    ];
    let fill = |mut row: Row| {
        for (id, (column, bytes, fault)) in (0..).zip(&values) {
            if row.current_column() != Some(*column) {
                row.begin_cell(*column);
            }
            let mut value = row.begin_value();
            bytes.chunks(100).for_each(|piece| value.push(piece));
            value.end(LongValueId(id), LongForm::Decoded, fault.map(str::to_owned));
        }
        row
    };
    let (held, long) = (fill(Row::default()), fill(Row::new(0)));
    (table, held, long, LongBytes(values.map(|(_, bytes, _)| bytes).to_vec()))
}

/// What the sink writes of a row that does not hold its values; that is the same as of one that does.
pub(super) fn same_for_long_values(sink: &dyn Fn(BlockWriter) -> Box<dyn TableSink>) -> String {
    let (table, held, long, mut source) = held_and_long();
    let mut text = |row: &Row| {
        let shared = Shared::default();
        let mut sink = sink(BlockWriter::stream(Box::new(shared.clone())));
        sink.begin_table(&table).unwrap();
        sink.row(row, &mut source).unwrap();
        (sink.end_table().unwrap(), shared.text())
    };
    let expected = text(&held);
    assert_eq!(text(&long), expected);
    assert!(expected.1.len() > 4_000);
    expected.1
}

/// A stream that is read while others write to it.
#[derive(Clone, Default)]
pub(super) struct Shared(Rc<RefCell<Vec<u8>>>);

impl Shared {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
