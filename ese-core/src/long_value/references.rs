//! The references to long values that a record makes.

use crate::format::{LongValueId, ReferenceError};
use crate::record::{Origin, Record, RecordError, TaggedField, TaggedValue, ValueForm};

/// A reference of a record to a long value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The long value; an error if the bytes are no reference (L13).
    pub id: Result<LongValueId, ReferenceError>,
    /// Id of the column.
    pub column: u16,
    /// Whose column it is.
    pub origin: Origin,
    /// Number of the value among those of the column, 1-based.
    pub sequence: usize,
    /// Offset of the reference in the record, in bytes.
    pub at: usize,
}

/// A part of a record that may hold references and cannot be read: those of the record are not all known.
pub type ReferenceFault = RecordError;

/// All references that `record` makes, in the order of its columns and values.
pub fn references<'a>(record: &Record<'a>) -> impl Iterator<Item = Result<Reference, ReferenceFault>> + use<'a> {
    let (fields, fault) = match record.tagged() {
        Ok(fields) => (Some(fields), None),
        Err(error) => (None, Some(Err(error))),
    };
    let found = fields.into_iter().flatten().flat_map(|field| {
        let (field, fault) = match field {
            Ok(field) => (Some(field), None),
            Err(error) => (None, Some(Err(error))),
        };
        fault.into_iter().chain(field.into_iter().flat_map(of_field))
    });
    fault.into_iter().chain(found)
}

fn of_field(field: TaggedField<'_>) -> impl Iterator<Item = Result<Reference, ReferenceFault>> {
    field.values().filter_map(move |value| match value {
        Ok(value) if value.form == ValueForm::Separated => Some(Ok(of_value(&field, &value))),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

fn of_value(field: &TaggedField<'_>, value: &TaggedValue<'_>) -> Reference {
    let start = field.bytes.as_ptr().addr();
    Reference {
        id: LongValueId::from_reference(value.bytes),
        column: field.id,
        origin: field.origin,
        sequence: value.sequence,
        at: field.bytes_at + value.bytes.as_ptr().addr().saturating_sub(start),
    }
}
