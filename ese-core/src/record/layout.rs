//! The header of a record, its fixed and its variable columns (spec 06 section 1).

use super::error::{RecordError, RecordFault};
use super::tagged::TaggedFields;
use crate::format::record::{
    END_BYTES, END_MASK, END_NULL, NO_VARIABLE, OFFSET_FIXED_END, OFFSET_LAST_FIXED, OFFSET_LAST_VARIABLE,
    RECORD_HEADER_BYTES, null_map_bytes,
};
use crate::format::{ColumnKind, PageSize};

/// What a record stores of one column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored<'a> {
    /// Nothing: the value is the column's default, or NULL if it has none.
    Absent,
    /// NULL, whatever the default.
    Null,
    /// A value; its bytes as they stand.
    Value(&'a [u8]),
}

impl<'a> Stored<'a> {
    /// The bytes of a value that is stored.
    #[must_use]
    pub fn value(self) -> Option<&'a [u8]> {
        match self {
            Stored::Value(bytes) => Some(bytes),
            Stored::Absent | Stored::Null => None,
        }
    }
}

/// A view of the bytes of one record.
///
/// ```
/// use ese_core::format::PageSize;
/// use ese_core::record::{Record, Stored};
/// // One fixed column of two bytes, its NULL bit clear; one variable column.
/// let record = Record::new(&[1, 128, 7, 0, 0x34, 0x12, 0xFE, 3, 0, b'a', b'b', b'c'], PageSize::K4)?;
/// assert_eq!(record.fixed(1, 4, 2)?, Stored::Value(&[0x34, 0x12]));
/// assert_eq!(record.variable(128)?, Stored::Value(b"abc"));
/// assert_eq!(record.variable(129)?, Stored::Absent);
/// # Ok::<(), ese_core::record::RecordError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    data: &'a [u8],
    size: PageSize,
    last_fixed: u8,
    last_variable: u8,
    /// Where the NULL bit map begins, which ends at `fixed_end`.
    fixed_data_end: usize,
    fixed_end: usize,
    variable_start: usize,
}

impl<'a> Record<'a> {
    /// A view of `data`, the data of a leaf node on a page of `size`.
    ///
    /// # Errors
    /// [`RecordError`] if the header does not say where the fixed and variable columns are (R1 and R2, but for the
    /// upper limit of the size, and for where the tagged columns begin).
    #[inline]
    pub fn new(data: &'a [u8], size: PageSize) -> Result<Record<'a>, RecordError> {
        let header = data.first_chunk::<RECORD_HEADER_BYTES>();
        let header = header.ok_or(RecordFault::TooShort { found: data.len() }.at(0))?;
        let (last_fixed, last_variable) = (header[OFFSET_LAST_FIXED], header[OFFSET_LAST_VARIABLE]);
        let fixed_end = usize::from(u16::from_le_bytes([header[OFFSET_FIXED_END], header[OFFSET_FIXED_END + 1]]));
        if u16::from(last_fixed) > ColumnKind::FIXED_LAST {
            return Err(RecordFault::LastFixed { found: last_fixed }.at(OFFSET_LAST_FIXED));
        }
        let variables = last_variable
            .checked_sub(NO_VARIABLE)
            .ok_or(RecordFault::LastVariable { found: last_variable }.at(OFFSET_LAST_VARIABLE))?;
        let bit_map = null_map_bytes(u16::from(last_fixed));
        let least = RECORD_HEADER_BYTES + bit_map;
        if fixed_end < least || fixed_end > data.len() {
            let fault = RecordFault::FixedEnd { least, most: data.len(), found: fixed_end };
            return Err(fault.at(OFFSET_FIXED_END));
        }
        let variable_start = fixed_end + END_BYTES * usize::from(variables);
        if variable_start > data.len() {
            let fault = RecordFault::EndOffsets { most: data.len(), found: variable_start };
            return Err(fault.at(OFFSET_LAST_VARIABLE));
        }
        let fixed_data_end = fixed_end - bit_map;
        Ok(Record { data, size, last_fixed, last_variable, fixed_data_end, fixed_end, variable_start })
    }

    /// All bytes of the record.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Size of the page that the record lies on: it decides how tagged columns are read.
    #[must_use]
    #[inline]
    pub fn page_size(&self) -> PageSize {
        self.size
    }

    /// F: id of the highest fixed column stored, 0 if there is none.
    #[must_use]
    #[inline]
    pub fn last_fixed(&self) -> u16 {
        u16::from(self.last_fixed)
    }

    /// V: id of the highest variable column stored, 127 if there is none.
    #[must_use]
    #[inline]
    pub fn last_variable(&self) -> u16 {
        u16::from(self.last_variable)
    }

    /// E: offset behind the NULL bit map.
    #[must_use]
    #[inline]
    pub fn fixed_end(&self) -> usize {
        self.fixed_end
    }

    /// The fixed columns, from the end of the header to the NULL bit map.
    #[must_use]
    pub fn fixed_area(&self) -> &'a [u8] {
        self.data.get(RECORD_HEADER_BYTES..self.fixed_data_end).unwrap_or_default()
    }

    /// The NULL bit map: bit (id - 1) for each fixed column stored, set for NULL.
    #[must_use]
    #[inline]
    pub fn null_bits(&self) -> &'a [u8] {
        self.data.get(self.fixed_data_end..self.fixed_end).unwrap_or_default()
    }

    /// True if the NULL bit of the fixed column `id` is set; false for columns that are not stored.
    #[must_use]
    pub fn is_null_fixed(&self, id: u16) -> bool {
        self.has_fixed(id)
            && id
                .checked_sub(1)
                .map(usize::from)
                .and_then(|bit| Some(self.null_bits().get(bit / 8)? & (1 << (bit % 8)) != 0))
                .unwrap_or(false)
    }

    /// The fixed column `id`, which the catalog says has `len` bytes at `offset` of the record.
    ///
    /// # Errors
    /// [`RecordError`] if the record stores the column, but its fixed data end before the column does.
    pub fn fixed(&self, id: u16, offset: usize, len: usize) -> Result<Stored<'a>, RecordError> {
        if !self.has_fixed(id) {
            return Ok(Stored::Absent);
        }
        if self.is_null_fixed(id) {
            return Ok(Stored::Null);
        }
        let end = offset.saturating_add(len);
        let value = self.data.get(offset..end).filter(|_| end <= self.fixed_data_end);
        let fault = RecordFault::FixedColumn { id, most: self.fixed_data_end, found: end };
        value.map(Stored::Value).ok_or(fault.at(OFFSET_FIXED_END))
    }

    fn has_fixed(&self, id: u16) -> bool {
        id != 0 && id <= self.last_fixed()
    }

    /// The variable column `id`.
    ///
    /// # Errors
    /// [`RecordError`] if the column ends before it begins, or behind the record.
    pub fn variable(&self, id: u16) -> Result<Stored<'a>, RecordError> {
        let index = usize::from(id).checked_sub(usize::from(NO_VARIABLE) + 1);
        let Some(index) = index.filter(|_| id <= self.last_variable()) else { return Ok(Stored::Absent) };
        let word = self.end_word(index);
        if word & END_NULL != 0 {
            return Ok(Stored::Null);
        }
        let start = index.checked_sub(1).map_or(0, |before| usize::from(self.end_word(before) & END_MASK));
        let end = usize::from(word & END_MASK);
        let area = self.data.get(self.variable_start..).unwrap_or_default();
        let fault = RecordFault::VariableEnd { id, least: start, most: area.len(), found: end };
        area.get(start..end).map(Stored::Value).ok_or(fault.at(self.fixed_end + END_BYTES * index))
    }

    /// The end offsets of the variable columns stored, from column 128 on: as [`END_MASK`] and [`END_NULL`] say.
    #[inline]
    pub fn end_words(&self) -> impl ExactSizeIterator<Item = u16> + 'a {
        let words = self.data.get(self.fixed_end..self.variable_start).unwrap_or_default();
        words.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word))
    }

    /// End offset number `index`, 0-based; 0 if there is none.
    #[inline]
    fn end_word(&self, index: usize) -> u16 {
        let at = self.fixed_end + END_BYTES * index;
        let word = self.data.get(at..).and_then(<[u8]>::first_chunk::<END_BYTES>);
        word.map_or(0, |word| u16::from_le_bytes(*word))
    }

    /// D: offset behind the end offsets, from which they count.
    #[must_use]
    #[inline]
    pub fn variable_start(&self) -> usize {
        self.variable_start
    }

    /// Offset of the tagged columns: behind the last variable one.
    ///
    /// # Errors
    /// [`RecordError`] if that is behind the record (R2).
    #[inline]
    pub fn tagged_start(&self) -> Result<usize, RecordError> {
        let last = usize::from(self.last_variable.saturating_sub(NO_VARIABLE)).checked_sub(1);
        let found = last.map_or(0, |index| usize::from(self.end_word(index) & END_MASK));
        let most = self.data.len() - self.variable_start;
        if found > most {
            let fault = RecordFault::VariableEnd { id: self.last_variable(), least: 0, most, found };
            return Err(fault.at(self.variable_start - END_BYTES));
        }
        Ok(self.variable_start + found)
    }

    /// The tagged columns.
    ///
    /// # Errors
    /// [`RecordError`] if they begin behind the record (R2), or if the first entry does not tell their number (R7).
    #[inline]
    pub fn tagged(&self) -> Result<TaggedFields<'a>, RecordError> {
        let start = self.tagged_start()?;
        TaggedFields::new(self.data.get(start..).unwrap_or_default(), start, self.size)
    }
}
