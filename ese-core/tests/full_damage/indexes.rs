//! Rows and the entries of indexes that do not agree: rules I3 to I8 (spec 08 section 5).

use catdb_test_data::build::{Catalog, RowKind};
use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

/// `fNoNullSeg` of an index.
const NO_NULL_SEGMENT: u32 = 0x10;
/// Where the column `value` lies in a record of the table `Small`: behind the head, `id` and `flag`.
const VALUE: usize = 4 + 4 + 1;

/// Gives row 2 of `Small` the value of row 1.
fn repeat_value(base: &mut Base) -> (u64, u64) {
    let (row, entry) = (base.node("Small", 1), base.node("Small/by_value", 1));
    base.built.edit_node(row, |node| node.data[VALUE..VALUE + 4].copy_from_slice(&10_i32.to_le_bytes()));
    (base.data_at(row), base.key_at(entry))
}

pub(super) const TABLE: &[Damage] = &[
    damage("a key that is not that of its row", Code::RecordKey, "I3", |base| {
        let row = base.node("Files", 52);
        base.built.edit_node(row, |node| *node.key.last_mut().unwrap() += 1);
        base.key_at(row)
    }),
    damage("a row number of a table without primary index", Code::RecordKey, "I3", |base| {
        let row = base.node("Heap", 0);
        base.built.edit_node(row, |node| node.key = vec![0; 4]);
        base.key_at(row)
    }),
    damage("NULL in an index that forbids it", Code::RecordKey, "I4", |base| {
        base.built.edit_catalog(Catalog::Both, "Small", RowKind::Index, "by_value", |row| {
            let flags = u32::from_le_bytes(row.get(6).unwrap().try_into().unwrap());
            row.set_u32(6, flags | NO_NULL_SEGMENT);
        });
        base.key_at(base.node("Small", 2))
    }),
    damage("an entry that is gone", Code::IdxEntryMissing, "I5", |base| {
        let entry = base.node("Files/by_name", 52);
        let (_, node) = base.built.nodes("Files/by_name")[52].clone();
        base.remove(entry);
        let row = base.built.find("Files", &node.data).unwrap();
        base.data_at(row)
    }),
    damage("a row that is gone", Code::IdxEntryExtra, "I6", |base| {
        let row = base.node("Small", 3);
        base.remove(row);
        base.key_at(base.node("Small/by_value", 2))
    }),
    damage("an entry with another key", Code::IdxEntryWrong, "I7", |base| {
        let entry = base.node("Small/by_value", 2);
        base.built.edit_node(entry, |node| *node.key.last_mut().unwrap() += 1);
        base.key_at(entry)
    }),
    damage("an entry that leads to no row", Code::IdxEntryWrong, "I7", |base| {
        let entry = base.node("Small/by_value", 2);
        base.built.edit_node(entry, |node| *node.data.last_mut().unwrap() += 100);
        base.key_at(entry)
    }),
    damage("a row with the value of another in a unique index", Code::IdxDuplicateKey, "I8", |base| {
        repeat_value(base).0
    })
    // The row's own entry still has the value from before.
    .also(&[Code::IdxEntryWrong]),
];
