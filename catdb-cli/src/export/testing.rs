//! Tables and rows for tests.

use ese_core::format::{CODE_PAGE_UNICODE, ColumnFlags, ColumnType};

use super::{ColumnInfo, IndexColumn, IndexInfo, Provenance, Row, TableInfo};

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
