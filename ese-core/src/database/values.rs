//! The values of a record, column by column, as its table has them (spec 06).
//!
//! Only what the record stores is gone through, so that a table with very many columns costs what its rows take. Values
//! behind references are put together, compressed ones decompressed, defaults filled in.

use crate::catalog::Table;
use crate::compress::DecompressError;
use crate::format::{ColumnKind, ColumnType, PageSize, Pgno};
use crate::long_value::{LongValueError, LongValues, ValueBuffer, ValueError};
use crate::record::{Column, Origin, Record, RecordError, Stored, TableLayout, TaggedField, TaggedValue};
use crate::source::Pages;

/// Why a value is not known.
#[derive(Debug, thiserror::Error)]
pub enum ValueFault {
    /// The record does not say where the value is.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The column has a default that the catalog does not tell.
    #[error("default value: expected one in the catalog, found none")]
    Default,
}

impl ValueFault {
    /// True if nothing is wrong with the value: nobody but the engine, or the owner of its key, can read it.
    #[must_use]
    pub fn is_undecodable(&self) -> bool {
        match self {
            ValueFault::Record(_) => false,
            ValueFault::Value(
                ValueError::Decompress(error) | ValueError::LongValue(LongValueError::Decompress { error, .. }),
            ) => matches!(error, DecompressError::Unsupported(_)),
            ValueFault::Value(error) => {
                matches!(error, ValueError::Encrypted | ValueError::LongValue(LongValueError::Encrypted { .. }))
            }
            ValueFault::Default => true,
        }
    }

    /// The page that could not be read, if that is the reason.
    #[must_use]
    pub fn pgno(&self) -> Option<Pgno> {
        match self {
            ValueFault::Value(ValueError::LongValue(LongValueError::Tree { fault, .. })) => Some(fault.pgno()),
            _ => None,
        }
    }
}

/// A value of a row, as it was stored: put together and decompressed.
#[derive(Debug)]
pub struct StoredValue<'a> {
    /// Place of its column in [`TableLayout::columns`].
    pub column: usize,
    /// Its number among the values of the column, 1-based.
    pub sequence: usize,
    /// Its bytes, or why they are not known.
    pub bytes: Result<&'a [u8], ValueFault>,
    /// What there is instead where they are not known: the bytes in the record, or the beginning of the value.
    pub instead: &'a [u8],
}

/// Reads the values of one row after the other.
pub struct ValueReader<'d> {
    layout: &'d TableLayout,
    /// Columns with a default, which rows need not store: fixed, variable, tagged.
    defaults: Vec<usize>,
    long_values: Option<LongValues<'d>>,
    buffer: ValueBuffer,
}

impl<'d> ValueReader<'d> {
    pub(super) fn new(pages: Pages<'d>, table: &'d Table) -> ValueReader<'d> {
        let layout = &table.layout;
        let has_default = |column: &Column| column.has_default() && column.column_type != ColumnType::Nil;
        ValueReader {
            layout,
            defaults: (0..).zip(layout.columns()).filter(|(_, c)| has_default(c)).map(|(place, _)| place).collect(),
            long_values: table.long_values.map(|tree| LongValues::new(pages, tree.root, table.lv_chunk_max)),
            buffer: ValueBuffer::default(),
        }
    }

    /// Hands all values of `record` to `visit`: columns in the order in which the record stores them, those that it does
    /// not store and that have a default last; the values of a column in their order. Columns that are NULL or deleted are
    /// left out.
    ///
    /// # Errors
    /// [`RecordError`] if nobody can tell where the tagged columns are; all others have come by then.
    pub fn for_each(&mut self, record: &Record<'_>, mut visit: impl FnMut(StoredValue<'_>)) -> Result<(), RecordError> {
        for id in 1..=record.last_fixed() {
            let Some((column, place)) = self.layout.fixed(id) else { continue };
            self.plain(column, id, record.fixed(id, place.offset, place.len), &mut visit);
        }
        for id in ColumnKind::FIXED_LAST + 1..=record.last_variable() {
            if let Some(column) = self.layout.variable(id) {
                self.plain(column, id, record.variable(id), &mut visit);
            }
        }
        let tagged = record.tagged();
        if let Ok(fields) = tagged {
            for field in fields {
                match field {
                    Ok(field) => self.field(record.page_size(), &field, &mut visit),
                    Err(error) => self.lost_field(error, &mut visit),
                }
            }
        }
        self.absent(record, &mut visit);
        tagged.map(|_| ())
    }

    /// Value number `sequence` (1-based) of the column at `place`; `None` if there is none.
    ///
    /// # Errors
    /// [`ValueFault`] if it is not known.
    pub fn value<'b>(
        &'b mut self,
        record: &Record<'b>,
        place: usize,
        sequence: usize,
    ) -> Result<Option<&'b [u8]>, ValueFault> {
        let Some(column) = self.layout.columns().get(place) else { return Ok(None) };
        let stored = match ColumnKind::of(column.id) {
            Some(ColumnKind::Fixed) => match self.layout.fixed(column.id) {
                Some((_, at)) => record.fixed(column.id, at.offset, at.len)?,
                None => Stored::Absent,
            },
            Some(ColumnKind::Variable) => record.variable(column.id)?,
            Some(ColumnKind::Tagged) => match record.tagged()?.find(column.id, column.origin)? {
                Some(field) => {
                    let Some(value) = field.value(sequence)? else { return Ok(None) };
                    let values = self.long_values.as_mut();
                    return Ok(Some(self.buffer.read(&value, usize::MAX, record.page_size(), values)?));
                }
                None => Stored::Absent,
            },
            None => return Ok(None),
        };
        match stored {
            Stored::Value(bytes) if sequence == 1 => Ok(Some(bytes)),
            Stored::Absent if sequence == 1 => match &column.default {
                Some(default) => Ok(Some(default)),
                None if column.has_default() => Err(ValueFault::Default),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// A fixed or variable column.
    fn plain(
        &self,
        column: &Column,
        id: u16,
        stored: Result<Stored<'_>, RecordError>,
        visit: &mut impl FnMut(StoredValue<'_>),
    ) {
        let bytes = match stored {
            _ if column.column_type == ColumnType::Nil => return,
            Ok(Stored::Absent | Stored::Null) => return,
            Ok(Stored::Value(bytes)) => Ok(bytes),
            Err(error) => Err(error.into()),
        };
        if let Some(place) = self.layout.place_of(id, Origin::Own) {
            visit(StoredValue { column: place, sequence: 1, bytes, instead: &[] });
        }
    }

    fn field(&mut self, size: PageSize, field: &TaggedField<'_>, visit: &mut impl FnMut(StoredValue<'_>)) {
        let Some(place) = self.place_of(field.id, field.origin) else { return };
        for (sequence, value) in (1..).zip(field.values()) {
            match value {
                Ok(value) => self.tagged_value(size, place, &value, visit),
                Err(error) => {
                    visit(StoredValue { column: place, sequence, bytes: Err(error.into()), instead: field.bytes });
                }
            }
        }
    }

    fn tagged_value(
        &mut self,
        size: PageSize,
        column: usize,
        value: &TaggedValue<'_>,
        visit: &mut impl FnMut(StoredValue<'_>),
    ) {
        let sequence = value.sequence;
        match self.buffer.read(value, usize::MAX, size, self.long_values.as_mut()) {
            Ok(bytes) => visit(StoredValue { column, sequence, bytes: Ok(bytes), instead: &[] }),
            Err(error) => {
                let partial = self.buffer.partial();
                let instead = if partial.is_empty() { value.bytes } else { partial };
                visit(StoredValue { column, sequence, bytes: Err(error.into()), instead });
            }
        }
    }

    /// A tagged column whose data lie outside their place.
    fn lost_field(&self, error: RecordError, visit: &mut impl FnMut(StoredValue<'_>)) {
        let column = error.fault.column().and_then(|(id, origin)| self.place_of(id, origin));
        if let Some(column) = column {
            visit(StoredValue { column, sequence: 1, bytes: Err(error.into()), instead: &[] });
        }
    }

    /// The defaults of columns that the record does not store.
    fn absent(&self, record: &Record<'_>, visit: &mut impl FnMut(StoredValue<'_>)) {
        for place in self.defaults.iter().copied() {
            let Some(column) = self.layout.columns().get(place) else { continue };
            let is_absent = match ColumnKind::of(column.id) {
                Some(ColumnKind::Fixed) => column.id > record.last_fixed(),
                Some(ColumnKind::Variable) => column.id > record.last_variable(),
                Some(ColumnKind::Tagged) => {
                    record.tagged().is_ok_and(|fields| matches!(fields.find(column.id, column.origin), Ok(None)))
                }
                None => false,
            };
            if is_absent {
                let bytes = column.default.as_deref().ok_or(ValueFault::Default);
                visit(StoredValue { column: place, sequence: 1, bytes, instead: &[] });
            }
        }
    }

    /// The place of a tagged column, unless it was deleted.
    fn place_of(&self, id: u16, origin: Origin) -> Option<usize> {
        let place = self.layout.place_of(id, origin)?;
        let column = self.layout.columns().get(place)?;
        (column.column_type != ColumnType::Nil).then_some(place)
    }
}
