//! The stored keys of rows in secondary indexes, for indexes whose keys nobody can compute outside Windows.
//!
//! An index entry names its row by the row's key, and comes in the order of its own. So all entries of a table's indexes
//! are sorted by row, in bounded memory, and then go along with the rows, which come in that order.

use ese_core::database::{Database, Table};
use ese_core::sort::{ExternalSorter, SortError, SortLimits, SortedRecords};
use ese_core::tree::Cursor;

use super::Row;
use super::fault::{Fault, Faults};

/// Memory of the sorter in bytes.
const MEMORY: usize = 16 << 20;
/// Ends the row's key in a record to sort; a zero byte inside the key is followed by [`ZERO`]. So the bytes of records
/// have the order of the keys, also where one key is the beginning of another.
const END: [u8; 2] = [0, 0];
const ZERO: [u8; 2] = [0, 0xFF];
/// Bytes of the place of an index.
const INDEX_BYTES: usize = 4;

/// The keys of a table's rows in its secondary indexes.
pub(crate) struct SecondaryKeys {
    entries: Option<SortedRecords>,
    /// The entry that comes next: its row's key as it is sorted by, the place of its index, its key.
    row: Vec<u8>,
    index: usize,
    key: Vec<u8>,
    at_hand: bool,
    /// The key of the row that is asked for, as it is sorted by.
    wanted: Vec<u8>,
}

impl SecondaryKeys {
    /// Reads all secondary indexes of `table`.
    pub(crate) fn read(database: &Database, table: Table<'_>, faults: &mut Faults) -> Result<SecondaryKeys, SortError> {
        let mut sorter = ExternalSorter::new(SortLimits::memory(MEMORY));
        let (mut record, mut bookmark) = (Vec::new(), Vec::new());
        let secondary = table.schema().indexes.iter().enumerate().filter(|(_, index)| !index.is_primary());
        for (place, index) in secondary {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let mut cursor = Cursor::new(database.pages(), index.root);
            while let Some(found) = cursor.next_node() {
                let node = match found {
                    Ok(found) if found.node.is_deleted() => continue,
                    Ok(found) => found.node,
                    Err(fault) => {
                        let message = format!("index {}: {fault}", index.name);
                        faults.add(|| Fault::of_table(table.name(), Some(fault.pgno()), message));
                        continue;
                    }
                };
                bookmark.clear();
                bookmark.extend_from_slice(node.data);
                record.clear();
                append_sortable(&mut record, &bookmark);
                record.extend_from_slice(&place.to_be_bytes());
                node.key.append_to(&mut record);
                sorter.push(&record)?;
            }
        }
        let entries = if sorter.is_empty() { None } else { Some(sorter.finish()?) };
        let mut keys =
            SecondaryKeys { entries, row: Vec::new(), index: 0, key: Vec::new(), at_hand: false, wanted: Vec::new() };
        keys.advance()?;
        Ok(keys)
    }

    /// Adds to `row` its keys; `key` is its own, and not below those asked for before.
    pub(crate) fn add_to(&mut self, row: &mut Row, key: &[u8]) -> Result<(), SortError> {
        self.wanted.clear();
        append_sortable(&mut self.wanted, key);
        while self.at_hand && self.row <= self.wanted {
            if self.row == self.wanted {
                row.push_key(self.index, &self.key);
            }
            self.advance()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<(), SortError> {
        self.at_hand = false;
        let Some(entries) = &mut self.entries else { return Ok(()) };
        let Some(record) = entries.next_record()? else { return Ok(()) };
        let end = end_of_sortable(record);
        let (row, rest) = record.split_at(end.min(record.len()));
        let Some((index, key)) = rest.split_first_chunk::<INDEX_BYTES>() else { return Ok(()) };
        self.index = usize::try_from(u32::from_be_bytes(*index)).unwrap_or(usize::MAX);
        self.row.clear();
        self.row.extend_from_slice(row);
        self.key.clear();
        self.key.extend_from_slice(key);
        self.at_hand = true;
        Ok(())
    }
}

fn append_sortable(out: &mut Vec<u8>, key: &[u8]) {
    for byte in key {
        if *byte == 0 {
            out.extend_from_slice(&ZERO);
        } else {
            out.push(*byte);
        }
    }
    out.extend_from_slice(&END);
}

/// Bytes that the row's key takes at the beginning of a record, its end included.
fn end_of_sortable(record: &[u8]) -> usize {
    let mut at = 0;
    while let Some(pair) = record.get(at..at + 2) {
        if pair == END {
            return at + 2;
        }
        at += if pair == ZERO { 2 } else { 1 };
    }
    record.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sortable(key: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        append_sortable(&mut out, key);
        out
    }

    proptest! {
        #[test]
        fn records_have_the_order_of_the_keys_and_tell_where_they_end(
            one in prop::collection::vec(0_u8..3, 0..6), other in prop::collection::vec(0_u8..3, 0..6), rest: Vec<u8>,
        ) {
            prop_assert_eq!(sortable(&one).cmp(&sortable(&other)), one.cmp(&other));
            let record = [sortable(&one), rest].concat();
            prop_assert_eq!(end_of_sortable(&record), sortable(&one).len());
        }
    }
}
