//! The values of a record as keys are made of them: stored, default, put together and decompressed (spec 06, spec 07).
//!
//! Fixed, variable and plain tagged values are borrowed from the record; what had to be decompressed or fetched stays in a
//! [`ValueBuffer`], so that asking again for the same value costs nothing. It never says whether a value is right.

use crate::database::{ValueFault, locate};
use crate::key::{ColumnRef, RecordValues};
use crate::long_value::{self, LongValues};
use crate::record::{Record, TableLayout, TaggedValue, ValueForm};

/// Room for a value that is not in the record as it is, kept from record to record.
#[derive(Default, Debug)]
pub struct ValueBuffer {
    value: long_value::ValueBuffer,
    held: Option<Held>,
}

/// Which value lies in the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    column: ColumnRef,
    itag: usize,
    /// Bytes that were asked for: there may be more of the value.
    most: usize,
}

/// The values of one record.
pub struct ColumnValues<'r, 'b, 's> {
    record: &'r Record<'r>,
    layout: &'r TableLayout,
    long_values: Option<&'b mut LongValues<'s>>,
    buffer: &'b mut ValueBuffer,
}

impl<'r, 'b, 's> ColumnValues<'r, 'b, 's> {
    /// The values of `record`, which has the columns of `layout`; `long_values` are those of its table, if it has any.
    pub fn new(
        record: &'r Record<'r>,
        layout: &'r TableLayout,
        long_values: Option<&'b mut LongValues<'s>>,
        buffer: &'b mut ValueBuffer,
    ) -> ColumnValues<'r, 'b, 's> {
        buffer.held = None;
        ColumnValues { record, layout, long_values, buffer }
    }

    /// A value that is not in the record as it is.
    fn fetched(
        &mut self,
        column: ColumnRef,
        value: &TaggedValue<'_>,
        most: usize,
    ) -> Result<Option<&[u8]>, ValueFault> {
        // A condition asks only whether there is a value.
        if most == 0 {
            return Ok(Some(&[]));
        }
        let ValueBuffer { value: buffer, held } = &mut *self.buffer;
        let wanted = Held { column, itag: value.sequence, most };
        if !held.is_some_and(|held| held.serves(wanted, buffer.partial().len())) {
            *held = None;
            buffer.read(value, most, self.record.page_size(), self.long_values.as_deref_mut())?;
            *held = Some(wanted);
        }
        Ok(Some(buffer.partial()))
    }
}

impl Held {
    /// True if what is held, `bytes` of it, is what is wanted, or more.
    fn serves(self, wanted: Held, bytes: usize) -> bool {
        let is_same = (self.column, self.itag) == (wanted.column, wanted.itag);
        is_same && (self.most >= wanted.most || bytes < self.most)
    }
}

impl RecordValues for ColumnValues<'_, '_, '_> {
    type Error = ValueFault;

    #[inline]
    fn value(&mut self, place: ColumnRef, itag: usize, most: usize) -> Result<Option<&[u8]>, ValueFault> {
        match locate(self.record, self.layout, place.0, itag)? {
            Some(value) if value.form == ValueForm::Intrinsic => Ok(Some(value.bytes)),
            Some(value) => self.fetched(place, &value, most),
            None => Ok(None),
        }
    }
}
