//! The columns of one record, each with its place.

use crate::format::ColumnKind;
use crate::record::{Column, Origin, Record, RecordError, Stored, TableLayout, TaggedField, TaggedValue};

/// Values of one record that are worth looking at; more are only in files that somebody made on purpose.
pub const CELLS_MOST: usize = 20_000;

/// Which columns are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Those that the record stores, NULL or not.
    Stored,
    /// All columns of the table besides.
    All,
}

/// What a record has of a column.
#[derive(Clone, Copy, Debug)]
pub enum CellContent<'a> {
    /// It is not stored: the column's default holds, or NULL if it has none.
    Absent,
    /// NULL.
    Null,
    /// A fixed or variable column: its bytes.
    Plain(&'a [u8]),
    /// A value of a tagged column.
    Tagged {
        /// The column in the record.
        field: TaggedField<'a>,
        /// The value.
        value: TaggedValue<'a>,
    },
    /// Its bytes cannot be had.
    Unreadable(RecordError),
}

/// One column of a record; a column with several values has a cell for each.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a, 'l> {
    /// Id of the column; 0 where not even that can be read.
    pub id: u16,
    /// Whose column it is.
    pub origin: Origin,
    /// The column, if the table has it.
    pub column: Option<&'l Column>,
    /// What the record has of it.
    pub content: CellContent<'a>,
}

impl<'a> Cell<'a, '_> {
    /// The bytes of the value as they stand in the record.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self.content {
            CellContent::Plain(bytes) => Some(bytes),
            CellContent::Tagged { value, .. } => Some(value.bytes),
            CellContent::Absent | CellContent::Null | CellContent::Unreadable(_) => None,
        }
    }

    /// Number of the value among those of its column, 1-based.
    #[must_use]
    pub fn sequence(&self) -> usize {
        if let CellContent::Tagged { value, .. } = self.content { value.sequence } else { 1 }
    }

    /// Where a record keeps the column.
    #[must_use]
    pub fn kind(&self) -> Option<ColumnKind> {
        ColumnKind::of(self.id)
    }
}

/// The columns of `record`: fixed, variable, tagged, in the order of the record, at most [`CELLS_MOST`] values; then with
/// [`Which::All`] the tagged columns that it does not store. Without a layout nobody knows where fixed columns lie, and
/// they are left out.
#[must_use]
pub fn cells<'a, 'l>(record: &Record<'a>, layout: Option<&'l TableLayout>, which: Which) -> Vec<Cell<'a, 'l>> {
    let all = which == Which::All;
    let (fixed_last, variable_last) =
        layout.filter(|_| all).map_or((0, 0), |layout| (layout.last_fixed(), layout.last_variable()));
    let mut found = Vec::new();
    let plain = |id, column, stored: Result<Stored<'a>, RecordError>| Cell {
        id,
        origin: Origin::Own,
        column,
        content: match stored {
            Ok(Stored::Absent) => CellContent::Absent,
            Ok(Stored::Null) => CellContent::Null,
            Ok(Stored::Value(bytes)) => CellContent::Plain(bytes),
            Err(error) => CellContent::Unreadable(error),
        },
    };
    for id in 1..=record.last_fixed().max(fixed_last) {
        if let Some((column, place)) = layout.and_then(|layout| layout.fixed(id)) {
            found.push(plain(id, Some(column), record.fixed(id, place.offset, place.len)));
        }
    }
    for id in ColumnKind::FIXED_LAST + 1..=record.last_variable().max(variable_last) {
        let column = layout.and_then(|layout| layout.variable(id));
        if column.is_some() || id <= record.last_variable() {
            found.push(plain(id, column, record.variable(id)));
        }
    }
    let tagged_from = found.len();
    let failed = |error: RecordError| {
        let (id, origin) = error.fault.column().unwrap_or((0, Origin::Own));
        let column = layout.and_then(|layout| layout.tagged(id, origin));
        Cell { id, origin, column, content: CellContent::Unreadable(error) }
    };
    match record.tagged() {
        Ok(fields) => {
            for field in fields {
                match field {
                    Ok(field) => add_values(&mut found, field, layout),
                    Err(error) => found.push(failed(error)),
                }
                if found.len() >= CELLS_MOST {
                    break;
                }
            }
        }
        Err(error) => found.push(failed(error)),
    }
    if let Some(layout) = layout.filter(|_| all) {
        let stored: std::collections::HashSet<(Origin, u16)> =
            found.iter().skip(tagged_from).map(|cell| (cell.origin, cell.id)).collect();
        let absent = layout.columns().iter().filter(|column| column.id > ColumnKind::VARIABLE_LAST);
        let absent = absent.filter(|column| !stored.contains(&(column.origin, column.id)));
        found.extend(absent.take(CELLS_MOST).map(|column| Cell {
            id: column.id,
            origin: column.origin,
            column: Some(column),
            content: CellContent::Absent,
        }));
    }
    found
}

fn add_values<'a, 'l>(found: &mut Vec<Cell<'a, 'l>>, field: TaggedField<'a>, layout: Option<&'l TableLayout>) {
    let column = layout.and_then(|layout| layout.tagged(field.id, field.origin));
    let cell = |content| Cell { id: field.id, origin: field.origin, column, content };
    if field.null {
        found.push(cell(CellContent::Null));
        return;
    }
    let room = CELLS_MOST.saturating_sub(found.len());
    found.extend(field.values().take(room).map(|value| match value {
        Ok(value) => cell(CellContent::Tagged { field, value }),
        Err(error) => cell(CellContent::Unreadable(error)),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::PageSize;
    use crate::record::testing::{RecordBuilder, hex};

    #[test]
    fn every_value_has_its_own_cell_and_what_cannot_be_read_costs_no_other() {
        let record = RecordBuilder::new(PageSize::K4)
            .flagged(256, Origin::Own, 0x09, &hex("0480 ff80 01000000"))
            .flagged(257, Origin::Own, 0x05, &hex("02000000"))
            .build();
        let record = Record::new(&record, PageSize::K4).unwrap();
        let found = cells(&record, None, Which::Stored);
        let ids: Vec<u16> = found.iter().map(|cell| cell.id).collect();
        assert_eq!(ids.first(), Some(&256));
        assert_eq!(ids.last(), Some(&257));
        assert!(found.iter().any(|cell| matches!(cell.content, CellContent::Unreadable(_))));
        assert_eq!(found.last().unwrap().bytes(), Some(&[2, 0, 0, 0][..]));
    }
}
