//! The target `export`: everything that an export reads of a whole file: all rows of all tables, all values of each.
//!
//! No file makes more rows than it has room for, nothing depends on what was read before, and reading ends. What formats
//! make of values is held to its promises by the properties beside each format.

use ese_core::database::{Database, DeletedRows, Table};
use ese_core::source::MemorySource;
use ese_core::value::Value;

/// Values that one input may take: rows of a hostile file may all refer to one long value.
const VALUES_MOST: usize = 200_000;

/// What a table gave.
#[derive(PartialEq, Eq, Debug, Default)]
struct Sum {
    rows: usize,
    faults: usize,
    values: usize,
    bytes: usize,
}

pub(crate) fn run(bytes: &[u8]) {
    let Ok(db) = Database::from_source(Box::new(MemorySource(bytes.to_vec()))) else { return };
    let mut left = VALUES_MOST;
    for table in db.tables() {
        let all = read(table, DeletedRows::Include, left);
        let live = read(table, DeletedRows::Skip, left);
        assert!(live.rows <= all.rows);
        // A row takes a tag of four bytes at least.
        assert!(all.rows <= bytes.len() / 4, "{} rows in {} bytes", all.rows, bytes.len());
        left = left.saturating_sub(all.values);
        for row in table.rows().take(3).flatten() {
            for (_, field) in row.fields() {
                assert!(field.is_ok_and(|field| !format!("{field:?}").is_empty()) || all.faults + all.values > 0);
            }
        }
    }
}

fn read(table: Table<'_>, deleted: DeletedRows, most: usize) -> Sum {
    let columns = table.schema().layout.columns();
    let (mut scan, mut values) = (table.scan(deleted), table.values());
    let (mut sum, mut bytes, mut text) = (Sum::default(), Vec::new(), String::new());
    while let Some(row) = scan.next_row() {
        let Ok(row) = row else {
            sum.faults += 1;
            continue;
        };
        sum.rows += 1;
        assert!(row.line > 0, "line 0 is no row");
        if sum.values >= most {
            continue;
        }
        let read = values.for_each(&row.record, |value| {
            sum.values += 1;
            assert!(value.sequence > 0);
            let Some(column) = columns.get(value.column) else { unreachable!("a value of no column") };
            bytes.clear();
            let read = value.bytes.and_then(|mut value| Ok(value.read_into(usize::MAX, &mut bytes)?));
            sum.bytes += bytes.len();
            match read {
                Ok(()) => {
                    let _ = Value::decode_with(column.column_type, column.code_page, &bytes, &mut text);
                }
                Err(fault) => {
                    sum.faults += 1;
                    assert!(!fault.to_string().is_empty());
                }
            }
        });
        sum.faults += usize::from(read.is_err());
    }
    sum
}
