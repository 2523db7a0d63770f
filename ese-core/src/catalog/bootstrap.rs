//! The schema with which the catalog tables are read (spec 05 section 2).

use std::sync::LazyLock;

use crate::format::catalog::{CATALOG_COLUMNS, CatalogColumn};
use crate::format::record::SHORT_VALUE_MOST;
use crate::format::{ColumnFlags, ColumnKind};
use crate::record::{Column, Origin, TableLayout};

/// Code page of the names in the catalog.
pub const CODE_PAGE: u32 = 1252;

static LAYOUT: LazyLock<TableLayout> =
    LazyLock::new(|| TableLayout::new(CATALOG_COLUMNS.iter().map(as_column).collect()));

/// The columns of MSysObjects and its shadow.
#[must_use]
pub fn layout() -> &'static TableLayout {
    &LAYOUT
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
