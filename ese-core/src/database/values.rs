//! The values of a record, column by column, as its table has them (spec 06).
//!
//! Only what the record stores is gone through, so that a table with very many columns costs what its rows take. Values
//! behind references are put together, compressed ones decompressed, defaults filled in.

use crate::compress::DecompressError;
use crate::format::{ColumnKind, ColumnType, PageSize, Pgno};
use crate::long_value::{LongValueError, LongValues, ValueBuffer, ValueError, ValueStream};
use crate::record::{
    Column, Origin, Record, RecordError, RecordFault, Stored, TableLayout, TaggedField, TaggedValue, ValueForm,
};

use super::Table;

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

impl From<LongValueError> for ValueFault {
    fn from(error: LongValueError) -> ValueFault {
        ValueFault::Value(error.into())
    }
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

/// A value of a row, as it was stored.
pub struct StoredValue<'a, 's> {
    /// Place of its column in [`TableLayout::columns`].
    pub column: usize,
    /// Its number among the values of the column, 1-based.
    pub sequence: usize,
    /// Its bytes, put together and decompressed, or why nothing of it is known.
    pub bytes: Result<ValueStream<'a, 's>, ValueFault>,
    /// What the record has of it, as it stands: the value itself, compressed maybe; nothing of a long value, which it only
    /// names.
    pub in_record: &'a [u8],
}

impl<'a> StoredValue<'a, '_> {
    /// The only value of a column, which is there as it is.
    fn in_one(column: usize, bytes: Result<&'a [u8], ValueFault>) -> Self {
        let in_record = bytes.as_ref().copied().unwrap_or_default();
        StoredValue { column, sequence: 1, bytes: bytes.map(ValueStream::Whole), in_record }
    }
}

/// Value number `sequence` (1-based) of the column at `place` in `layout`, as `record` has it: fixed and variable columns and
/// defaults too. `None` if there is none: no such column, NULL, or fewer values.
///
/// # Errors
/// [`ValueFault`] if nobody can tell where it is.
#[inline]
pub(crate) fn locate<'a>(
    record: &Record<'a>,
    layout: &'a TableLayout,
    place: usize,
    sequence: usize,
) -> Result<Option<TaggedValue<'a>>, ValueFault> {
    let Some(column) = layout.columns().get(place) else { return Ok(None) };
    let stored = match ColumnKind::of(column.id) {
        Some(ColumnKind::Fixed) => match layout.fixed(column.id) {
            Some((_, at)) => record.fixed(column.id, at.offset, at.len)?,
            None => Stored::Absent,
        },
        Some(ColumnKind::Variable) => record.variable(column.id)?,
        Some(ColumnKind::Tagged) => match record.tagged()?.find(column.id, column.origin)? {
            Some(field) => return Ok(field.value(sequence)?),
            None => Stored::Absent,
        },
        None => return Ok(None),
    };
    let bytes = match stored {
        _ if sequence != 1 => return Ok(None),
        Stored::Value(bytes) => bytes,
        Stored::Null => return Ok(None),
        Stored::Absent => match &column.default {
            Some(default) => default,
            None if column.has_default() => return Err(ValueFault::Default),
            None => return Ok(None),
        },
    };
    Ok(Some(TaggedValue { sequence, form: ValueForm::Intrinsic, bytes }))
}

/// Reads the values of one row after the other.
pub struct ValueReader<'d> {
    layout: &'d TableLayout,
    /// Columns with a default, which rows need not store: fixed, variable, tagged.
    defaults: Vec<usize>,
    long_values: Option<LongValues<'d>>,
    buffer: ValueBuffer,
    /// The number of the record, and for each column that of the last one that had it as a tagged column.
    record: u64,
    met: Vec<u64>,
}

impl<'d> ValueReader<'d> {
    pub(super) fn new(table: Table<'d>) -> ValueReader<'d> {
        let layout = &table.schema.layout;
        let has_default = |column: &Column| column.has_default() && column.column_type != ColumnType::Nil;
        ValueReader {
            layout,
            defaults: (0..).zip(layout.columns()).filter(|(_, c)| has_default(c)).map(|(place, _)| place).collect(),
            long_values: table.long_values(),
            buffer: ValueBuffer::default(),
            record: 0,
            met: Vec::new(),
        }
    }

    /// Hands all values of `record` to `visit`: columns in the order in which the record stores them, those that it does
    /// not store and that have a default last; the values of a column in their order. Columns that are NULL or deleted are
    /// left out.
    ///
    /// # Errors
    /// [`RecordError`] if nobody can tell where the tagged columns are, or if one of them is there twice: its first entry
    /// counts, as it does for [`ValueReader::open`]. All others have come by then.
    pub fn for_each(
        &mut self,
        record: &Record<'_>,
        mut visit: impl FnMut(StoredValue<'_, 'd>),
    ) -> Result<(), RecordError> {
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
        let mut lost = tagged.map(|_| ());
        self.record += 1;
        for field in tagged.into_iter().flatten() {
            lost = lost.and(match field {
                Ok(field) => self.field(record.page_size(), &field, &mut visit),
                Err(error) => self.lost_field(error, &mut visit),
            });
        }
        self.absent(record, &mut visit);
        lost
    }

    /// Opens value number `sequence` (1-based) of the column at `place` in [`TableLayout::columns`]; `None` if there is none.
    ///
    /// # Errors
    /// [`ValueFault`] if nothing of it is known.
    pub fn open<'b>(
        &'b mut self,
        record: &Record<'b>,
        place: usize,
        sequence: usize,
    ) -> Result<Option<ValueStream<'b, 'd>>, ValueFault> {
        let Some(value) = locate(record, self.layout, place, sequence)? else { return Ok(None) };
        Ok(Some(self.buffer.open(&value, record.page_size(), self.long_values.as_mut())?))
    }

    /// A fixed or variable column.
    fn plain(
        &self,
        column: &Column,
        id: u16,
        stored: Result<Stored<'_>, RecordError>,
        visit: &mut impl FnMut(StoredValue<'_, 'd>),
    ) {
        let bytes = match stored {
            _ if column.column_type == ColumnType::Nil => return,
            Ok(Stored::Absent | Stored::Null) => return,
            Ok(Stored::Value(bytes)) => Ok(bytes),
            Err(error) => Err(error.into()),
        };
        if let Some(column) = self.layout.place_of(id, Origin::Own) {
            visit(StoredValue::in_one(column, bytes));
        }
    }

    fn field(
        &mut self,
        size: PageSize,
        field: &TaggedField<'_>,
        visit: &mut impl FnMut(StoredValue<'_, 'd>),
    ) -> Result<(), RecordError> {
        let &TaggedField { id, origin, .. } = field;
        let Some(column) = self.place_of(id, origin) else { return Ok(()) };
        if !self.is_first(column) {
            return Err(RecordFault::Repeated { id, origin }.at(field.entry_at));
        }
        for (sequence, value) in (1..).zip(field.values()) {
            match value {
                Ok(value) => {
                    let bytes = self.buffer.open(&value, size, self.long_values.as_mut()).map_err(ValueFault::from);
                    let in_record = if value.form == ValueForm::Separated { &[] } else { value.bytes };
                    visit(StoredValue { column, sequence, bytes, in_record });
                }
                Err(error) => {
                    visit(StoredValue { column, sequence, bytes: Err(error.into()), in_record: field.bytes });
                }
            }
        }
        Ok(())
    }

    /// A tagged column whose data lie outside their place.
    fn lost_field(
        &mut self,
        error: RecordError,
        visit: &mut impl FnMut(StoredValue<'_, 'd>),
    ) -> Result<(), RecordError> {
        let column = error.fault.column().and_then(|(id, origin)| self.place_of(id, origin));
        let Some(column) = column else { return Ok(()) };
        if !self.is_first(column) {
            return Err(error);
        }
        visit(StoredValue::in_one(column, Err(error.into())));
        Ok(())
    }

    /// True if the record did not have this tagged column before.
    fn is_first(&mut self, column: usize) -> bool {
        if self.met.is_empty() {
            self.met.resize(self.layout.columns().len(), 0);
        }
        let met = self.met.get_mut(column).map(|met| std::mem::replace(met, self.record));
        met != Some(self.record)
    }

    /// The defaults of columns that the record does not store.
    fn absent(&self, record: &Record<'_>, visit: &mut impl FnMut(StoredValue<'_, 'd>)) {
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
                visit(StoredValue::in_one(place, bytes));
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
