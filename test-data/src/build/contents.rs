//! The entries of all trees of a table, from its rows.
//!
//! It sorts what it makes and refuses rows that violate a unique index; it never knows a page. Spec 08 sections 3, 4.

use ese_core::format::PageSize;

use super::key_builder::append_segment;
use super::long_values::LongValues;
use super::record_builder::encode_row;
use super::spec::{ALL_NULLS, FIRST_NULL, Index, MULTI_VALUED, SOME_NULLS, TableSpec, UNIQUE, Value};
use super::store::Format;

/// Takes the next entry: key and data.
pub(crate) type Push<'p> = &'p mut dyn FnMut(&[u8], &[u8]);

/// Gives every entry of a tree to what it is called with, in order.
pub(crate) type Entries<'e> = &'e dyn Fn(Push<'_>);

/// Gives the entries of a table's trees, each tree's in order.
pub(crate) trait Contents {
    /// Primary key and record of every row.
    fn rows(&self, push: Push<'_>);
    /// Key and bookmark of every entry of the secondary index at place `index`.
    fn entries(&self, index: usize, push: Push<'_>);
    /// The long value tree; `false` if the table has none.
    fn has_long_values(&self) -> bool;
    /// Entries of the long value tree.
    fn long_values(&self, push: Push<'_>);
}

type KeysAndData = Vec<(Vec<u8>, Vec<u8>)>;

/// Contents that were made in memory.
#[derive(Debug)]
pub(crate) struct TableContents {
    rows: KeysAndData,
    indexes: Vec<KeysAndData>,
    long_values: KeysAndData,
}

impl TableContents {
    /// Encodes the rows of `table`.
    pub(crate) fn new(table: &TableSpec, size: PageSize, format: Format) -> TableContents {
        let mut long_values = LongValues::new(size, format);
        let mut rows = Vec::new();
        let mut indexes = vec![Vec::new(); table.indexes.len()];
        let most = record_most(size);
        for (number, row) in (1_u32..).zip(&table.rows) {
            let record = encode_row(table, row, size, &mut long_values);
            assert!(record.len() <= most, "a record of {} bytes in {}: at most {most}", record.len(), table.name);
            let bookmark = match &table.primary {
                Some(primary) => key_of(table, primary, row, 0).0,
                None => number.to_be_bytes().to_vec(),
            };
            for (index, entries) in table.indexes.iter().zip(&mut indexes) {
                entries.extend(keys_of(table, index, row).into_iter().map(|key| (key, bookmark.clone())));
            }
            rows.push((bookmark, record));
        }
        sort(&mut rows, &table.name, true);
        for (index, entries) in table.indexes.iter().zip(&mut indexes) {
            sort(entries, &index.name, index.flags & UNIQUE != 0);
        }
        TableContents { rows, indexes, long_values: long_values.entries }
    }
}

impl Contents for TableContents {
    fn rows(&self, push: Push<'_>) {
        self.rows.iter().for_each(|(key, data)| push(key, data));
    }

    fn entries(&self, index: usize, push: Push<'_>) {
        self.indexes[index].iter().for_each(|(key, data)| push(key, data));
    }

    fn has_long_values(&self) -> bool {
        !self.long_values.is_empty()
    }

    fn long_values(&self, push: Push<'_>) {
        self.long_values.iter().for_each(|(key, data)| push(key, data));
    }
}

/// The largest record whatever the longest key (spec 06 section 1).
fn record_most(size: PageSize) -> usize {
    match size {
        PageSize::K2 | PageSize::K4 | PageSize::K8 => size.bytes() - 305,
        PageSize::K16 | PageSize::K32 => size.bytes() - 92 - 2000,
    }
}

fn sort(entries: &mut KeysAndData, name: &str, unique: bool) {
    entries.sort();
    entries.dedup();
    let repeated = unique && entries.windows(2).any(|pair| pair[0].0 == pair[1].0);
    assert!(!repeated, "two rows of {name} have one key");
}

/// The key of a row where the multi-valued segment takes value `turn`, and which segments are NULL.
fn key_of(table: &TableSpec, index: &Index, row: &[Value], turn: usize) -> (Vec<u8>, Vec<bool>) {
    let mut key = Vec::new();
    let several = multi_valued(table, index);
    let nulls = index.segments.iter().map(|segment| {
        let column = &table.columns[segment.column];
        let value = match row.get(segment.column).unwrap_or(&Value::Null) {
            Value::Null => column.default.as_deref(),
            Value::Many(values) if several == Some(segment.column) => values.get(turn).map(Vec::as_slice),
            value => value.first(),
        };
        append_segment(&mut key, column.ty, column.is_fixed(), segment.descending, value);
        value.is_none()
    });
    let nulls = nulls.collect();
    (key, nulls)
}

/// The column whose values give a key each.
fn multi_valued(table: &TableSpec, index: &Index) -> Option<usize> {
    let columns = index.segments.iter().map(|segment| segment.column);
    columns.into_iter().find(|column| {
        let column = &table.columns[*column];
        column.id >= 256 && column.flags & MULTI_VALUED != 0
    })
}

/// All keys of a row in a secondary index, by the rules on NULLs.
fn keys_of(table: &TableSpec, index: &Index, row: &[Value]) -> Vec<Vec<u8>> {
    let turns = match multi_valued(table, index).and_then(|column| row.get(column)) {
        Some(Value::Many(values)) => values.len(),
        _ => 1,
    };
    let entered = |nulls: &[bool]| {
        let needed = if nulls.iter().all(|null| *null) {
            ALL_NULLS
        } else if nulls[0] {
            FIRST_NULL
        } else if nulls.contains(&true) {
            SOME_NULLS
        } else {
            return true;
        };
        index.flags & needed != 0
    };
    let keys = (0..turns).map(|turn| key_of(table, index, row, turn));
    keys.take_while(|(_, nulls)| entered(nulls)).map(|(key, _)| key).collect()
}
