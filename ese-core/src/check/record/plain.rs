//! The rules of the header, the fixed and the variable columns: R1 to R6, R15 and R17 (spec 06 section 7).
//!
//! Sound columns are passed by masks and limits that the layout has ready; a column is looked up only to name it.

use super::faults::{Rule, Said};
use super::{RecordCheck, named};
use crate::format::ColumnKind;
use crate::format::record::{
    END_BYTES, END_MASK, END_NULL, OFFSET_FIXED_END, OFFSET_LAST_FIXED, OFFSET_LAST_VARIABLE, SHORT_VALUE_MOST,
    record_most,
};
use crate::record::{Origin, RecordFault, RequiredColumns};

/// R1: no longer than any record can be. The reader asks for the header.
pub(super) fn size_is_possible(check: &mut RecordCheck<'_, '_>) {
    let (most, found) = (record_most(check.record.page_size()), check.record.data().len());
    if found > most {
        check.add(Rule::R1, most, |_| {
            Said::new(format!("size: expected at most {most} bytes, found {found}")).compared(most, found)
        });
    }
}

/// R3 and R4. False if the columns of the record cannot be told apart.
pub(super) fn header_fits_the_table(check: &mut RecordCheck<'_, '_>) -> bool {
    let (record, layout) = (check.record, check.layout);
    let highest = [
        ("fixed", OFFSET_LAST_FIXED, layout.last_fixed(), record.last_fixed()),
        ("variable", OFFSET_LAST_VARIABLE, layout.last_variable(), record.last_variable()),
    ];
    let mut fits = true;
    for (kind, at, expected, found) in highest {
        if found > expected {
            fits = false;
            check.add(Rule::R4, at, |_| {
                let text =
                    format!("highest {kind} id: expected at most {expected}, as the catalog has it, found {found}");
                Said::new(text).compared(expected.into(), found.into())
            });
        }
    }
    let last = record.last_fixed();
    let found = record.fixed_end();
    if let Some(expected) = layout.fixed_end(last).filter(|expected| *expected != found && last <= layout.last_fixed())
    {
        fits = false;
        check.add(Rule::R3, OFFSET_FIXED_END, |_| {
            let text = format!(
                "end of fixed data: expected {expected}, as the {last} fixed columns and their NULL bits are long, found {found}"
            );
            Said::new(text).compared(expected, found)
        });
    }
    fits
}

/// R6, R15 and R17 on the fixed columns.
pub(super) fn fixed_columns(check: &mut RecordCheck<'_, '_>) {
    let record = check.record;
    let null_map = record.null_bits();
    let nulls = null_map.iter().rev().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let stored = first_bits(usize::from(record.last_fixed()));
    let spare = first_bits(8 * null_map.len()) & !stored;
    if nulls & spare != spare {
        let found = null_map.last().copied().unwrap_or(0);
        check.add(Rule::R6, record.fixed_end() - 1, |_| {
            let last = record.last_fixed();
            Said::new(format!("NULL bit map: expected ones behind the bit of column {last}, found byte 0x{found:02x}"))
                .found(found)
        });
    }
    if check.is_clean() {
        let missing = Missing::of(check.layout.required_fixed(), stored, nulls);
        let null_map_at = record.fixed_end() - null_map.len();
        missing.report(check, 1, |bit| null_map_at + bit / 8, OFFSET_LAST_FIXED);
    }
    for &(id, at) in check.layout.bits() {
        if id > record.last_fixed() {
            break;
        }
        let is_null = nulls >> (id - 1) & 1 == 1;
        let found = record.data().get(at).copied().unwrap_or(0);
        if !is_null && !is_bit(found) {
            check.add(Rule::R17, at, |layout| odd_bit(named(layout, id, Origin::Own), found));
        }
    }
}

/// The two bytes that the engine writes for a Bit.
pub(super) fn is_bit(byte: u8) -> bool {
    byte.wrapping_add(1) <= 1
}

/// R17 of a column.
pub(super) fn odd_bit(column: String, found: u8) -> Said {
    Said::new(format!("{column}: expected 0x00 or 0xff in a Bit, found 0x{found:02x}")).found(found)
}

/// R5, and R15 on the variable columns. False if nobody can say where the tagged columns begin.
pub(super) fn variable_columns(check: &mut RecordCheck<'_, '_>) -> bool {
    let record = check.record;
    if let Err(error) = record.tagged_start() {
        check.refused(error);
        return false;
    }
    let most = record.data().len() - record.variable_start();
    let layout = check.layout;
    let (mut start, mut nulls) = (0, 0u128);
    for ((index, word), limit) in record.end_words().enumerate().zip(layout.variable_most()) {
        let end = usize::from(word & END_MASK);
        let is_null = word & END_NULL != 0;
        nulls |= u128::from(is_null) << index;
        let limit = if is_null { 0 } else { *limit };
        // A wrapped length is above every limit.
        if end.wrapping_sub(start) > limit || end > most {
            let span = Span { index, start, end, most };
            if variable_column_is_wrong(check, span, is_null, limit) {
                // The end of the last one is where the tagged columns begin.
                return is_null || index + 1 < record.end_words().len();
            }
        }
        start = end;
    }
    if check.is_clean() {
        let stored = first_bits(record.end_words().len());
        let missing = Missing::of(layout.required_variable(), stored, nulls);
        let end_at = |bit: usize| record.fixed_end() + END_BYTES * bit;
        missing.report(check, usize::from(ColumnKind::FIXED_LAST) + 1, end_at, OFFSET_LAST_VARIABLE);
    }
    true
}

/// Where a variable column lies; offsets count as its end offset does.
#[derive(Clone, Copy)]
struct Span {
    index: usize,
    start: usize,
    end: usize,
    most: usize,
}

/// R5 of one column that passes `limit`. True if the end offset is wrong, and what follows cannot be judged by it.
#[cold]
fn variable_column_is_wrong(check: &mut RecordCheck<'_, '_>, span: Span, is_null: bool, limit: usize) -> bool {
    let Span { index, start, end, most } = span;
    let id = ColumnKind::FIXED_LAST.saturating_add(1).saturating_add(u16::try_from(index).unwrap_or(u16::MAX));
    let at = check.record.fixed_end() + END_BYTES * index;
    let len = end.wrapping_sub(start);
    if end < start || end > most {
        check.add(Rule::R5, at, |layout| {
            let fault = RecordFault::VariableEnd { id, least: start, most, found: end };
            let text = format!("{}: {fault}", named(layout, id, Origin::Own));
            Said::new(text).compared(if end < start { start } else { most }, end)
        });
        return true;
    }
    let (rule, limit) = if is_null || len > SHORT_VALUE_MOST {
        (Rule::R5, if is_null { 0 } else { SHORT_VALUE_MOST })
    } else {
        (Rule::R5_CATALOG, limit)
    };
    check.add(rule, at, |layout| {
        let column = named(layout, id, Origin::Own);
        let text = match (rule == Rule::R5, is_null) {
            (_, true) => format!("{column}: expected no bytes, as it is NULL, found {len}"),
            (true, false) => format!("{column}: expected at most {limit} bytes, found {len}"),
            (false, false) => format!("{column}: expected at most {limit} bytes, as the catalog has it, found {len}"),
        };
        Said::new(text).compared(limit, len)
    });
    rule == Rule::R5
}

/// Required columns of one kind without a value, by bit.
struct Missing {
    null: u128,
    absent: u128,
}

impl Missing {
    fn of(required: RequiredColumns, stored: u128, nulls: u128) -> Missing {
        Missing { null: required.all & stored & nulls, absent: required.without_default & !stored }
    }

    /// R15. `first_id` is the id of bit 0, `null_at` the byte that says NULL, `last_at` the one that says which columns
    /// are stored.
    #[inline]
    fn report(
        &self,
        check: &mut RecordCheck<'_, '_>,
        first_id: usize,
        null_at: impl Fn(usize) -> usize,
        last_at: usize,
    ) {
        if self.null | self.absent == 0 {
            return;
        }
        let (bits, found) = if self.null == 0 { (self.absent, "nothing") } else { (self.null, "NULL") };
        let bit = bits.trailing_zeros() as usize;
        let at = if self.null == 0 { last_at } else { null_at(bit) };
        let id = u16::try_from(first_id + bit).unwrap_or(u16::MAX);
        check.add(Rule::R15, at, |layout| without_value(named(layout, id, Origin::Own), found));
    }
}

/// R15 of a column.
pub(super) fn without_value(column: String, found: &str) -> Said {
    Said::new(format!("{column}: expected a value, as it must have one, found {found}"))
}

/// The lowest `count` bits.
fn first_bits(count: usize) -> u128 {
    let clear = u128::BITS.saturating_sub(u32::try_from(count).unwrap_or(u128::BITS));
    u128::MAX.checked_shr(clear).unwrap_or(0)
}
