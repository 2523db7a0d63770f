//! Records of a table that break the rules of spec 06 section 6.

use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

/// Where `flag` and the bit map of NULLs lie in a record of the table `Small`, and where its fixed part ends.
const FLAG: usize = 8;
const NULLS: usize = 13;

/// Changes a byte of the third record of `Small`; its offset.
fn change(base: &mut Base, at: usize, byte: u8) -> u64 {
    let row = base.node("Small", 3);
    base.built.edit_node(row, |node| node.data[at] = byte);
    base.data_at(row) + at as u64
}

pub(super) const TABLE: &[Damage] = &[
    damage("a record of three bytes", Code::RecordFormat, "R1", |base| {
        let row = base.node("Small", 3);
        base.built.edit_node(row, |node| node.data.truncate(3));
        base.data_at(row)
    }),
    damage("a fixed part that ends behind the record", Code::RecordFormat, "R2", |base| change(base, 3, 0x7F) - 1),
    damage("a fixed part that is too long", Code::RecordFormat, "R3", |base| change(base, 2, 15)),
    damage("a spare bit of the NULL bit map", Code::RecordOdd, "R6", |base| change(base, NULLS, 0x78)),
    damage("a column that must not be NULL", Code::RecordColumn, "R15", |base| change(base, NULLS, 0xF9)),
    damage("a bit that is neither", Code::RecordOdd, "R17", |base| change(base, FLAG, 1)),
];
