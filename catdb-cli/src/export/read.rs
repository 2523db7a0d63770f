//! Fills rows for sinks from an open database: tables as plain data, and one table's rows, one after the other.
//!
//! Nothing is allocated per row or value. What cannot be read goes to [`Faults`] with its place, and never ends a table.

use ese_core::database::{Database, DeletedRows, RowRef, RowScan, RowState as Stored, Table, ValueFault, ValueReader};
use ese_core::format::{Pgno, SegmentFlags};
use ese_core::long_value::{LongValueReader, ValueStream};
use ese_core::verify::Progress;

use super::fault::{Fault, Faults};
use super::row::{Adding, LongForm};
use super::{ColumnInfo, IndexColumn, IndexInfo, Provenance, Row, RowState, TableInfo};

/// Status of a live row.
const INTACT: &str = "intact";
/// Status of a row that is flagged deleted.
const DELETED: &str = "deleted";

/// What sinks and profiles know of `table`: its columns without deleted ones, and its indexes.
pub(crate) fn table_info(table: Table<'_>) -> TableInfo {
    let schema = table.schema();
    let columns = table.columns().map(|(_, column)| ColumnInfo {
        name: column.name.clone(),
        id: column.id,
        column_type: column.column_type,
        code_page: column.code_page,
        max_len: column.max_len,
        flags: column.flags,
    });
    let places = places(table);
    let indexes = schema.indexes.iter().map(|index| IndexInfo {
        name: index.name.clone(),
        primary: index.is_primary(),
        unique: index.is_primary() || index.flags.contains(ese_core::format::IndexFlags::UNIQUE),
        columns: index
            .columns(&schema.layout)
            .filter_map(|(place, flags)| {
                let column = (*places.get(place?)?)?;
                Some(IndexColumn { column, descending: flags.contains(SegmentFlags::DESCENDING) })
            })
            .collect(),
    });
    TableInfo { name: table.name().to_owned(), columns: columns.collect(), indexes: indexes.collect() }
}

/// For each column of the table its place among those that are not deleted.
fn places(table: Table<'_>) -> Vec<Option<usize>> {
    let mut places = vec![None; table.schema().layout.columns().len()];
    for (output, (place, _)) in table.columns().enumerate() {
        if let Some(slot) = places.get_mut(place) {
            *slot = Some(output);
        }
    }
    places
}

/// What could not be read of the catalog, which is what all tables are made of.
pub(crate) fn catalog_faults(database: &Database, faults: &mut Faults) {
    let catalog = database.catalog();
    if catalog.is_complete {
        return;
    }
    const CATALOG: &str = "MSysObjects";
    for fault in &catalog.faults {
        faults.add(|| Fault::of_table(CATALOG, None, fault.to_string()));
    }
    faults.add(|| Fault::of_table(CATALOG, None, "the catalog is not whole: tables may be missing".to_owned()));
}

/// The rows of one table.
pub(crate) struct TableRows<'d> {
    scan: RowScan<'d>,
    filler: Filler<'d>,
}

/// How a record becomes a [`Row`].
struct Filler<'d> {
    table: Table<'d>,
    values: ValueReader<'d>,
    /// By place in the layout.
    places: Vec<Option<usize>>,
    progress: &'d dyn Progress,
}

impl<'d> TableRows<'d> {
    /// Once `progress` is cancelled, the row at hand is not whole, and no more should be asked for.
    pub(crate) fn new(table: Table<'d>, deleted: DeletedRows, progress: &'d dyn Progress) -> TableRows<'d> {
        let filler = Filler { table, values: table.values(), places: places(table), progress };
        TableRows { scan: table.scan(deleted), filler }
    }

    /// To the first row whose key is `key` or above it.
    pub(crate) fn seek(&mut self, key: &[u8], faults: &mut Faults) {
        if let Err(fault) = self.scan.seek(key) {
            faults.add(|| Fault::of_row(self.filler.table.name(), &fault.into()));
        }
    }

    /// Fills `row` with the next row; its key goes to `key` if that is asked for. `None` behind the last one.
    pub(crate) fn next_row(&mut self, row: &mut Row, key: Option<&mut Vec<u8>>, faults: &mut Faults) -> Option<Pgno> {
        loop {
            match self.scan.next_row()? {
                Ok(found) => {
                    if let Some(key) = key {
                        key.clear();
                        found.key.append_to(key);
                    }
                    self.filler.fill(row, &found, faults);
                    return Some(found.pgno);
                }
                Err(fault) => faults.add(|| Fault::of_row(self.filler.table.name(), &fault)),
            }
        }
    }
}

impl Filler<'_> {
    fn fill(&mut self, row: &mut Row, found: &RowRef<'_>, faults: &mut Faults) {
        let Filler { table, values, places, progress } = self;
        let (table, progress, place) = (*table, *progress, (found.pgno, found.line));
        row.clear();
        let (state, status) = match found.state {
            Stored::Live => (RowState::Live, INTACT),
            Stored::Deleted => (RowState::Deleted, DELETED),
        };
        row.state = state;
        let line = u32::try_from(found.line).unwrap_or(u32::MAX);
        row.provenance = Some(Provenance { pgno: found.pgno.0, line, status });
        let read = values.for_each(&found.record, |value| {
            let Some(column) = places.get(value.column).copied().flatten() else { return };
            if row.current_column() != Some(column) {
                row.begin_cell(column);
            }
            let name = || table.schema().layout.columns().get(value.column).map(|column| column.name.as_str());
            let fault = match value.bytes {
                Ok(ValueStream::Whole(bytes)) => return row.push(bytes),
                Ok(ValueStream::Chunks(reader)) => add_long(row, reader, progress),
                Err(fault) => {
                    row.push_faulty(value.in_record, fault.to_string());
                    Some(fault)
                }
            };
            if let Some(fault) = fault {
                faults.add(|| Fault::of_value(table.name(), place, name(), fault.to_string()));
            }
        });
        if let Err(error) = read {
            faults.add(|| Fault::of_value(table.name(), place, None, error.to_string()));
        }
        row.order_cells();
    }
}

/// Adds a long value to the row, as far as it can be read; gives what is wrong with it. One that nobody here can decode is
/// added as it stands.
fn add_long(row: &mut Row, mut reader: LongValueReader<'_, '_>, progress: &dyn Progress) -> Option<ValueFault> {
    let (id, mut form) = (reader.id(), LongForm::Decoded);
    let mut value = row.begin_value();
    let fault = add_chunks(&mut value, &mut reader, progress);
    if fault.as_ref().is_some_and(ValueFault::is_undecodable)
        && let Ok(mut stored) = reader.restart_as_stored()
    {
        value.restart();
        form = LongForm::AsStored;
        // What keeps it from being decoded is what is told, also if it is not even whole.
        let _ = add_chunks(&mut value, &mut stored, progress);
    }
    value.end(id, form, fault.as_ref().map(ToString::to_string));
    fault
}

fn add_chunks(
    value: &mut Adding<'_>,
    reader: &mut LongValueReader<'_, '_>,
    progress: &dyn Progress,
) -> Option<ValueFault> {
    while !progress.cancelled() {
        match reader.next_chunk()? {
            Ok(chunk) => value.push(chunk.bytes),
            Err(error) => return Some(error.into()),
        }
    }
    None
}
