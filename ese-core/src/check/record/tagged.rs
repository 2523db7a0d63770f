//! The rules of the tagged columns and their values: R7 to R14, R15 and R17 (spec 06 section 7).
//!
//! A column whose extended byte is wrong is not looked into: nobody knows what its bytes are.

use super::faults::{Rule, Said};
use super::plain::{is_bit, odd_bit, without_value};
use super::{RecordCheck, named};
use crate::compress::{DecompressError, Scheme, decompress, decompressed_size, scheme_of};
use crate::format::record::{OFFSET_ENTRY_WORD, SHORT_VALUE_MOST};
use crate::format::{ColumnFlags, ColumnKind, ColumnType, LongValueId, PageSize, TaggedFlags};
use crate::record::{Column, Origin, TaggedField, TaggedFields, TaggedValue, ValueForm};

/// R7 to R14, R15 and R17 on the tagged columns.
pub(super) fn tagged_columns(check: &mut RecordCheck<'_, '_>) {
    let fields = match check.record.tagged() {
        Ok(fields) => fields,
        Err(error) => return check.refused(error),
    };
    let mut before = None;
    for field in fields {
        match field {
            Ok(field) => {
                ids_ascend(check, before, &field);
                before = Some((field.origin, field.id));
                column_is_lawful(check, &field);
            }
            Err(error) => check.refused(error),
        }
    }
    if check.is_clean() {
        required_columns_have_values(check, fields);
    }
}

/// R7: tagged ids, those of the template first, each group ascending.
fn ids_ascend(check: &mut RecordCheck<'_, '_>, before: Option<(Origin, u16)>, field: &TaggedField<'_>) {
    let id = field.id;
    if id <= ColumnKind::VARIABLE_LAST {
        let least = ColumnKind::VARIABLE_LAST + 1;
        check.add(Rule::R7, field.entry_at, |_| {
            let text = format!("tagged column: expected an id of {least} or more, found {id}");
            Said::new(text).compared(least.into(), id.into())
        });
    } else if let Some(before) = before.filter(|before| *before >= (field.origin, id)) {
        let origin = field.origin;
        check.add(Rule::R7, field.entry_at, |layout| {
            let (column, before) = (named(layout, id, origin), named(layout, before.1, before.0));
            Said::new(format!("{column}: expected in ascending order, the template's first, found behind {before}"))
        });
    }
}

/// R8 to R10, and the values of a column that they let pass.
fn column_is_lawful(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>) {
    let (id, origin) = (field.id, field.origin);
    let Some(column) = check.layout.tagged(id, origin) else {
        if id > ColumnKind::VARIABLE_LAST {
            check.add(Rule::R8, field.entry_at, |layout| {
                let last = layout.last_tagged(origin).unwrap_or(ColumnKind::VARIABLE_LAST);
                let text = format!(
                    "{}: expected a column that the catalog has, up to {last}, found {id}",
                    named(layout, id, origin)
                );
                Said::new(text).compared(last.into(), id.into())
            });
        }
        return;
    };
    if column.column_type == ColumnType::Nil {
        check.add(Rule::R8_DELETED, field.entry_at, |layout| {
            Said::new(format!("{}: the column was deleted, its value is still there", named(layout, id, origin)))
        });
    }
    if field.null {
        null_has_no_data(check, field);
    } else if extended_byte_is_lawful(check, field, column) {
        values_are_lawful(check, field, column);
    }
}

/// R10.
fn null_has_no_data(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>) {
    let (id, origin, found) = (field.id, field.origin, field.bytes.len());
    if field.extended && !check.record.page_size().is_large() {
        check.add(Rule::R10, field.entry_at + OFFSET_ENTRY_WORD, |layout| {
            Said::new(format!("{}: expected NULL alone, found NULL and an extended byte", named(layout, id, origin)))
        });
    } else if found > 0 {
        check.add(Rule::R10, field.bytes_at, |layout| {
            let text = format!("{}: expected no data, as it is NULL, found {found} bytes", named(layout, id, origin));
            Said::new(text).compared(0, found)
        });
    }
}

/// R9.
fn extended_byte_is_lawful(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>, column: &Column) -> bool {
    let deleted = column.column_type == ColumnType::Nil;
    let long = if deleted { field.flags.contains(TaggedFlags::LONG) } else { column.column_type.is_long() };
    let (id, origin, found) = (field.id, field.origin, field.flags.bits());
    let Some(expected) = flags_fault(field.flags, field.extended, check.record.page_size(), long) else {
        let encrypts = deleted || column.flags.contains(ColumnFlags::ENCRYPTED);
        if field.flags.contains(TaggedFlags::ENCRYPTED) && !encrypts {
            check.add(Rule::R9_ENCRYPTED, field.bytes_at.saturating_sub(1), |layout| {
                let column = named(layout, id, origin);
                Said::new(format!(
                    "{column}: expected a value that is not encrypted, as the catalog says, found 0x{found:02x}"
                ))
                .found(found)
            });
        }
        return true;
    };
    let at = if field.extended { field.bytes_at.saturating_sub(1) } else { field.entry_at + OFFSET_ENTRY_WORD };
    check.add(Rule::R9, at, |layout| {
        let column = named(layout, id, origin);
        Said::new(format!("{column}: expected an extended byte {expected}, found 0x{found:02x}")).found(found)
    });
    false
}

/// What the extended byte of a column lacks, as the end of a sentence.
#[inline]
fn flags_fault(flags: TaggedFlags, extended: bool, size: PageSize, long: bool) -> Option<&'static str> {
    let has = |flag: TaggedFlags| flags.intersects(flag);
    if !TaggedFlags::known(size).contains(flags) {
        Some("of known bits only")
    } else if has(TaggedFlags::LONG) != long {
        Some(if long { "with 0x01, as the column is long" } else { "without 0x01, as the column is not long" })
    } else if extended && flags.is_empty() && !size.is_large() {
        Some("that says something, or none")
    } else if has(TaggedFlags::TWO_VALUES) && (long || !has(TaggedFlags::MULTI_VALUED)) {
        Some("with 0x10 only beside 0x08, and not on long columns")
    } else if has(TaggedFlags::SEPARATED | TaggedFlags::COMPRESSED) && !long {
        Some("without 0x02 and 0x04, as the column is not long")
    } else if has(TaggedFlags::SEPARATED) && has(TaggedFlags::COMPRESSED | TaggedFlags::MULTI_VALUED) {
        Some("with 0x04 only without 0x02 and 0x08")
    } else {
        None
    }
}

/// R11 and R12, and every value.
fn values_are_lawful(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>, column: &Column) {
    if !field.flags.contains(TaggedFlags::MULTI_VALUED) {
        // One value, and no error: nearly all columns.
        if let Ok(Some(value)) = field.value(1) {
            value_is_lawful(check, field, &value, column);
        }
        return;
    }
    for value in field.values() {
        match value {
            Ok(value) => value_is_lawful(check, field, &value, column),
            // The values beside it may be anything.
            Err(error) => return check.refused(error),
        }
    }
}

/// R11 to R14 and R17 of one value.
fn value_is_lawful(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>, value: &TaggedValue<'_>, column: &Column) {
    match value.form {
        ValueForm::Separated => reference_is_lawful(check, field, value, column),
        ValueForm::Intrinsic => {
            let (least, most) = column.value_lengths();
            let found = value.bytes.len();
            if found < least || found > most {
                wrong_length(check, field, value, (least, most));
            } else if let (ColumnType::Bit, [byte]) = (column.column_type, value.bytes)
                && !is_bit(*byte)
            {
                let (id, origin, found) = (field.id, field.origin, *byte);
                check.add_at_value(Rule::R17, value, |layout| odd_bit(named(layout, id, origin), found));
            }
        }
        ValueForm::Compressed => compressed_is_sound(check, field, value),
        // Nobody can look into it without the key.
        ValueForm::Encrypted => {}
    }
}

/// L8 of a value in the record. Any bytes are a stream of 7-bit characters, so that only their number is looked at.
fn compressed_is_sound(check: &mut RecordCheck<'_, '_>, field: &TaggedField<'_>, value: &TaggedValue<'_>) {
    let limit = check.record.page_size().bytes();
    let is_seven_bit = matches!(scheme_of(value.bytes), Ok(Scheme::SevenBitAscii | Scheme::SevenBitUnicode));
    if is_seven_bit && decompressed_size(value.bytes).is_some_and(|size| size <= limit) {
        return;
    }
    match decompress(value.bytes, limit, check.decompressed) {
        Ok(_) | Err(DecompressError::Unsupported(_)) => {}
        Err(error) => {
            let (id, origin, sequence) = (field.id, field.origin, value.sequence);
            check.add_at_value(Rule::L8, value, |layout| {
                Said::new(format!("{}: value {sequence}, {error}", named(layout, id, origin)))
            });
        }
    }
}

/// R14, and what R11 says of the second of two values.
#[cold]
fn wrong_length(
    check: &mut RecordCheck<'_, '_>,
    field: &TaggedField<'_>,
    value: &TaggedValue<'_>,
    (least, most): (usize, usize),
) {
    let (id, origin, sequence, found) = (field.id, field.origin, value.sequence, value.bytes.len());
    let of_two = field.flags.contains(TaggedFlags::TWO_VALUES) && found > SHORT_VALUE_MOST;
    check.add_at_value(if of_two { Rule::R11 } else { Rule::R14 }, value, |layout| {
        let limit = if found < least { least } else { most };
        let at_most = if least == most { "" } else { "at most " };
        let column = named(layout, id, origin);
        let text = format!("{column}: value {sequence}, expected {at_most}{limit} bytes, found {found}");
        Said::new(text).compared(limit, found)
    });
}

/// R12: only long columns refer to long values. R13: and only by a number that can be one.
fn reference_is_lawful(
    check: &mut RecordCheck<'_, '_>,
    field: &TaggedField<'_>,
    value: &TaggedValue<'_>,
    column: &Column,
) {
    let (id, origin, sequence) = (field.id, field.origin, value.sequence);
    let may_be_long = column.column_type.is_long() || field.flags.contains(TaggedFlags::LONG);
    if !may_be_long {
        check.add_at_value(Rule::R12, value, |layout| {
            let column = named(layout, id, origin);
            Said::new(format!(
                "{column}: value {sequence}, expected in the record, as the column is not long, found separated"
            ))
        });
    } else if let Err(error) = LongValueId::from_reference(value.bytes) {
        check.add_at_value(Rule::R13, value, |layout| {
            Said::new(format!("{}: reference of value {sequence}, {error}", named(layout, id, origin)))
        });
    }
}

impl RecordCheck<'_, '_> {
    /// Notes a fault whose first wrong byte is that of `value`.
    #[cold]
    fn add_at_value(
        &mut self,
        rule: Rule,
        value: &TaggedValue<'_>,
        say: impl FnOnce(&crate::record::TableLayout) -> Said,
    ) {
        let at = self.place.page.offset_of(value.bytes).saturating_sub(self.place.at);
        self.add(rule, at, say);
    }
}

/// R15 on tagged columns, of which few must have a value.
fn required_columns_have_values(check: &mut RecordCheck<'_, '_>, fields: TaggedFields<'_>) {
    let layout = check.layout;
    for column in layout.required_tagged() {
        let (id, origin) = (column.id, column.origin);
        let (at, found) = match fields.find(id, origin) {
            Ok(Some(field)) if field.null => (field.entry_at, "NULL"),
            Ok(None) if !column.has_default() => (fields.at(), "nothing"),
            _ => continue,
        };
        check.add(Rule::R15, at, |layout| without_value(named(layout, id, origin), found));
    }
}
