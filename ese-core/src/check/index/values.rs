//! The values of a record as keys are made of them: stored, default, put together and decompressed (spec 06, spec 07).
//!
//! Fixed, variable and plain tagged values are borrowed from the record; what had to be decompressed or fetched stays in a
//! [`ValueBuffer`], so that asking again for the same value costs nothing. It never says whether a value is right.

use crate::compress::{DecompressError, decompress};
use crate::format::{ColumnKind, LongValueId, Pgno, ReferenceError};
use crate::key::{ColumnRef, RecordValues};
use crate::record::{Column, Record, RecordError, Stored, TableLayout, ValueForm};

/// A long value that cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("long value: expected {most} bytes of it, found {reason}")]
pub struct LongValueFault {
    /// Bytes that were asked for.
    pub most: usize,
    /// What there is instead.
    pub reason: String,
    /// The page that could not be read, if it is one.
    pub pgno: Option<Pgno>,
    /// It is encrypted or compressed in a way that cannot be undone: no damage.
    pub is_undecodable: bool,
}

/// Where separated values come from: the long value tree of the table.
pub trait LongValueSource {
    /// Puts the first `most` bytes of the value `id` into `out`, which is empty; fewer if it is shorter.
    ///
    /// # Errors
    /// [`LongValueFault`] if these bytes cannot be had.
    fn read(&mut self, id: LongValueId, most: usize, out: &mut Vec<u8>) -> Result<(), LongValueFault>;
}

/// Why a value is not known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ValueFault {
    /// The record does not say where the value is.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A reference to a long value is none.
    #[error("reference to a long value: {0}")]
    Reference(#[from] ReferenceError),
    /// The long value cannot be had.
    #[error(transparent)]
    LongValue(#[from] LongValueFault),
    /// It cannot be decompressed.
    #[error(transparent)]
    Compressed(#[from] DecompressError),
    /// It is encrypted.
    #[error("value: expected bytes that can be read, found encrypted ones")]
    Encrypted,
    /// The column has a default that the catalog does not tell.
    #[error("default value: expected one in the catalog, found none")]
    Default,
}

impl ValueFault {
    /// True if nothing is wrong with the value: nobody but the engine, or the owner of its key, can read it.
    #[must_use]
    pub fn is_undecodable(&self) -> bool {
        match self {
            ValueFault::Record(_) | ValueFault::Reference(_) => false,
            ValueFault::LongValue(fault) => fault.is_undecodable,
            ValueFault::Compressed(error) => matches!(error, DecompressError::Unsupported(_)),
            ValueFault::Encrypted | ValueFault::Default => true,
        }
    }

    /// The page that could not be read, if that is the reason.
    #[must_use]
    pub fn pgno(&self) -> Option<Pgno> {
        match self {
            ValueFault::LongValue(fault) => fault.pgno,
            _ => None,
        }
    }
}

/// Room for a value that is not in the record as it is, kept from record to record.
#[derive(Default, Debug)]
pub struct ValueBuffer {
    bytes: Vec<u8>,
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
pub struct ColumnValues<'r, 'l, 'b, S> {
    record: &'r Record<'r>,
    layout: &'l TableLayout,
    source: &'b mut S,
    buffer: &'b mut ValueBuffer,
}

impl<'r, 'l, 'b, S: LongValueSource> ColumnValues<'r, 'l, 'b, S> {
    /// The values of `record`, which has the columns of `layout`.
    pub fn new(
        record: &'r Record<'r>,
        layout: &'l TableLayout,
        source: &'b mut S,
        buffer: &'b mut ValueBuffer,
    ) -> ColumnValues<'r, 'l, 'b, S> {
        buffer.held = None;
        ColumnValues { record, layout, source, buffer }
    }

    fn tagged(
        &mut self,
        place: ColumnRef,
        column: &'l Column,
        itag: usize,
        most: usize,
    ) -> Result<Option<&[u8]>, ValueFault> {
        let Some(field) = self.record.tagged()?.find(column.id, column.origin)? else {
            return default_of(column, itag);
        };
        let Some(value) = field.value(itag)? else { return Ok(None) };
        let wanted = Held { column: place, itag, most };
        match value.form {
            ValueForm::Intrinsic => return Ok(Some(value.bytes)),
            ValueForm::Encrypted => return Err(ValueFault::Encrypted),
            // A condition asks only whether there is a value.
            ValueForm::Compressed | ValueForm::Separated if most == 0 => return Ok(Some(&[])),
            ValueForm::Compressed | ValueForm::Separated if self.buffer.has(wanted) => {}
            ValueForm::Compressed => {
                let buffer = &mut *self.buffer;
                buffer.held = None;
                buffer.bytes.clear();
                decompress(value.bytes, self.record.page_size().bytes(), &mut buffer.bytes)?;
                buffer.held = Some(Held { most: usize::MAX, ..wanted });
            }
            ValueForm::Separated => {
                let id = LongValueId::from_reference(value.bytes)?;
                let buffer = &mut *self.buffer;
                buffer.held = None;
                buffer.bytes.clear();
                self.source.read(id, most, &mut buffer.bytes)?;
                buffer.held = Some(wanted);
            }
        }
        Ok(Some(&self.buffer.bytes))
    }
}

impl ValueBuffer {
    fn has(&self, wanted: Held) -> bool {
        self.held.is_some_and(|held| {
            (held.column, held.itag) == (wanted.column, wanted.itag)
                && (held.most >= wanted.most || self.bytes.len() < held.most)
        })
    }
}

/// The value of a record that does not store `column`.
fn default_of(column: &Column, itag: usize) -> Result<Option<&[u8]>, ValueFault> {
    match &column.default {
        _ if itag != 1 => Ok(None),
        Some(default) => Ok(Some(default)),
        None if column.has_default() => Err(ValueFault::Default),
        None => Ok(None),
    }
}

impl<S: LongValueSource> RecordValues for ColumnValues<'_, '_, '_, S> {
    type Error = ValueFault;

    #[inline]
    fn value(&mut self, place: ColumnRef, itag: usize, most: usize) -> Result<Option<&[u8]>, ValueFault> {
        let layout = self.layout;
        let Some(column) = layout.columns().get(place.0) else { return Ok(None) };
        let stored = match ColumnKind::of(column.id) {
            Some(ColumnKind::Fixed) => match layout.fixed(column.id) {
                Some((_, place)) => self.record.fixed(column.id, place.offset, place.len)?,
                None => Stored::Absent,
            },
            Some(ColumnKind::Variable) => self.record.variable(column.id)?,
            Some(ColumnKind::Tagged) => return self.tagged(place, column, itag, most),
            None => return Ok(None),
        };
        match stored {
            _ if itag != 1 => Ok(None),
            Stored::Value(value) => Ok(Some(value)),
            Stored::Null => Ok(None),
            Stored::Absent => default_of(column, itag),
        }
    }
}
