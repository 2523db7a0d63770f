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

/// All references that `record` makes, in the order of its columns and values. A column or value that cannot be read is
/// an error, and the next one follows: the references of the record are then not all known.
pub fn references<'a>(record: &Record<'a>) -> impl Iterator<Item = Result<Reference, RecordError>> + use<'a> {
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

fn of_field(field: TaggedField<'_>) -> impl Iterator<Item = Result<Reference, RecordError>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::PageSize;
    use crate::record::testing::{RecordBuilder, hex};

    fn found(record: &[u8], size: PageSize) -> Vec<Result<Reference, RecordError>> {
        references(&Record::new(record, size).unwrap()).collect()
    }

    #[test]
    fn references_of_all_columns_and_values_come_in_order() {
        for size in [PageSize::K4, PageSize::K32] {
            let several = hex("0680 0a00 0b80 07000000 78 0600008000000080");
            let record = RecordBuilder::new(size)
                .flagged(256, Origin::Template, 0x05, &hex("01000000"))
                .flagged(256, Origin::Own, 0x01, b"1234")
                .flagged(257, Origin::Own, 0x09, &several)
                .flagged(258, Origin::Own, 0x05, &hex("00000000"))
                .build();
            let found: Vec<_> = found(&record, size).into_iter().map(Result::unwrap).collect();
            let places: Vec<_> = found.iter().map(|r| (r.column, r.origin, r.sequence)).collect();
            let own = Origin::Own;
            assert_eq!(places, [(256, Origin::Template, 1), (257, own, 1), (257, own, 3), (258, own, 1)]);
            let ids: Vec<_> = found.iter().map(|r| r.id).collect();
            let sound = [1, 7, 0x8000_0000_8000_0006].map(|id| Ok(LongValueId(id)));
            assert_eq!((&ids[..3], ids[3]), (&sound[..], Err(ReferenceError::Zero)));
            let at = found.iter().map(|r| record[r.at]);
            assert_eq!(at.collect::<Vec<_>>(), [1, 7, 6, 0]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_the_next_reference_follows() {
        let mut record = RecordBuilder::new(PageSize::K4)
            .flagged(256, Origin::Own, 0x09, &hex("0480 ff80 01000000"))
            .flagged(257, Origin::Own, 0x05, &hex("02000000"))
            .build();
        let ids = |record: &[u8]| {
            let found = found(record, PageSize::K4);
            found.into_iter().map(|found| found.map(|reference| reference.id.unwrap().0).ok()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&record), [None, None, Some(2)]);
        // The first entry does not say how many there are.
        record[6] = 0;
        assert_eq!(ids(&record), [None]);
    }
}
