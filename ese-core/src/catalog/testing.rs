//! Catalog rows made for tests.

use crate::format::catalog::{CATALOG_COLUMNS, CatalogColumn, RowType, column};
use crate::format::record::{END_NULL, NO_VARIABLE, RECORD_HEADER_BYTES};
use crate::format::{ColumnKind, ColumnType, Dbtime, PageSize, Pgno};

use super::row::{CatalogRow, RowPlace};

/// A row with these values; everything else is NULL. Its key is empty, unless it is set.
pub(crate) fn row(values: &[(CatalogColumn, &[u8])]) -> CatalogRow {
    let value = |id: u16| values.iter().find(|(column, _)| column.id == id).map(|(_, bytes)| *bytes);
    let of_kind = |kind| CATALOG_COLUMNS.into_iter().filter(move |column| ColumnKind::of(column.id) == Some(kind));
    let fixed: Vec<CatalogColumn> = of_kind(ColumnKind::Fixed).collect();
    let mut data = vec![0; RECORD_HEADER_BYTES];
    let mut nulls = vec![0xFF; fixed.len().div_ceil(8)];
    for (bit, column) in fixed.iter().enumerate() {
        let mut bytes = vec![0x2A; column.column_type.fixed_size().unwrap()];
        if let Some(value) = value(column.id) {
            bytes.fill(0);
            bytes[..value.len()].copy_from_slice(value);
            nulls[bit / 8] &= !(1 << (bit % 8));
        }
        data.extend(bytes);
    }
    data.extend(nulls);
    let fixed_end = u16::try_from(data.len()).unwrap();
    let (mut ends, mut area) = (Vec::new(), Vec::<u8>::new());
    let variable: Vec<CatalogColumn> = of_kind(ColumnKind::Variable).collect();
    for column in &variable {
        area.extend(value(column.id).unwrap_or_default());
        let null = if value(column.id).is_some() { 0 } else { END_NULL };
        ends.extend((u16::try_from(area.len()).unwrap() | null).to_le_bytes());
    }
    data[0] = u8::try_from(fixed.len()).unwrap();
    data[1] = NO_VARIABLE + u8::try_from(variable.len()).unwrap();
    data[2..4].copy_from_slice(&fixed_end.to_le_bytes());
    data.extend(ends);
    data.extend(area);
    CatalogRow::made(place(), Vec::new(), PageSize::K4, data)
}

fn place() -> RowPlace {
    RowPlace { pgno: Pgno(4), line: 1, record_at: 100, dbtime: Dbtime(1) }
}

/// A row of table `table`.
pub(crate) fn of_table(table: u32, row_type: RowType, id: u32, number: u32, flags: u32, name: &str) -> CatalogRow {
    with(table, row_type, id, number, flags, name, &[])
}

/// A row of table `table` with more values.
pub(crate) fn with(
    table: u32,
    row_type: RowType,
    id: u32,
    number: u32,
    flags: u32,
    name: &str,
    more: &[(CatalogColumn, &[u8])],
) -> CatalogRow {
    let row_type = (1..=5i16).find(|number| RowType::from_number(*number) == Some(row_type)).unwrap();
    let size = ColumnType::try_from(number).ok().and_then(ColumnType::fixed_size).unwrap_or(0);
    let mut values: Vec<(CatalogColumn, &[u8])> = more.to_vec();
    let (table, id, number, flags) = (table.to_le_bytes(), id.to_le_bytes(), number.to_le_bytes(), flags.to_le_bytes());
    let (row_type, size) = (row_type.to_le_bytes(), u32::try_from(size).unwrap().to_le_bytes());
    values.extend([
        (column::OBJID_TABLE, &table[..]),
        (column::TYPE, &row_type),
        (column::ID, &id),
        (column::COLTYP_OR_PGNO_FDP, &number),
        (column::SPACE_USAGE, &size),
        (column::FLAGS, &flags),
        (column::PAGES_OR_LOCALE, &[0; 4]),
        (column::NAME, name.as_bytes()),
    ]);
    row(&values)
}
