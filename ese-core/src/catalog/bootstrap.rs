//! The schema with which the catalog tables are read (spec 05 section 2).

use std::sync::LazyLock;

use crate::format::catalog::{CATALOG_COLUMNS, CatalogColumn, CatalogKey};
use crate::format::record::SHORT_VALUE_MOST;
use crate::format::{ColumnFlags, ColumnKind, IndexFlags, KEY_MOST_DEFAULT, KeyField, SegmentFlags};
use crate::key::{ColumnRef, KeyColumn, KeyLimits, Segment, append_segment};
use crate::record::{Column, Origin, TableLayout};

use super::row::CatalogRow;

/// Code page of the names in the catalog.
pub const CODE_PAGE: u32 = 1252;

static LAYOUT: LazyLock<TableLayout> =
    LazyLock::new(|| TableLayout::new(CATALOG_COLUMNS.iter().map(as_column).collect()));

/// The columns of MSysObjects and its shadow.
#[must_use]
pub fn layout() -> &'static TableLayout {
    &LAYOUT
}

/// The key of `row` in the index of the catalog with the segments `key`, made from the row's values; `None` if one of
/// them cannot be read.
#[must_use]
pub fn key_of(row: &CatalogRow, key: &CatalogKey) -> Option<Vec<u8>> {
    let limits = KeyLimits { key_most: KEY_MOST_DEFAULT, segment_most: KEY_MOST_DEFAULT };
    let mut bytes = Vec::new();
    for column in key {
        let value = row.stored(*column)?.value();
        append_segment(&mut bytes, &segment(*column)?, value, limits).ok()?;
    }
    Some(bytes)
}

fn segment(column: CatalogColumn) -> Option<Segment> {
    let field = KeyField { column_id: column.id, flags: SegmentFlags::empty() };
    let described = as_column(&column);
    let key_column = KeyColumn {
        column: ColumnRef(usize::from(column.id)),
        column_type: column.column_type,
        code_page: described.code_page,
        flags: described.flags,
    };
    Segment::new(field, key_column, IndexFlags::UNIQUE).ok()
}

fn as_column(column: &CatalogColumn) -> Column {
    let max_len = match ColumnKind::of(column.id) {
        Some(ColumnKind::Fixed) => column.column_type.fixed_size().unwrap_or(0),
        Some(ColumnKind::Variable) => SHORT_VALUE_MOST,
        Some(ColumnKind::Tagged) | None => 0,
    };
    Column {
        id: column.id,
        origin: Origin::Own,
        column_type: column.column_type,
        max_len: u32::try_from(max_len).unwrap_or(0),
        flags: if column.required { ColumnFlags::NOT_NULL } else { ColumnFlags::empty() },
        code_page: if column.column_type.is_text() { CODE_PAGE } else { 0 },
        offset: None,
        name: column.name.to_owned(),
        default: None,
    }
}
