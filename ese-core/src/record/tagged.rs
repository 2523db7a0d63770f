//! The tagged columns of a record, and the values of each (spec 06 sections 3, 4 and 6).

use super::error::{RecordError, RecordFault};
use crate::format::record::{
    ENTRY_BYTES, ENTRY_DERIVED, ENTRY_EXTENDED, ENTRY_NULL, OFFSET_ENTRY_WORD, VALUE_MASK, VALUE_SEPARATED,
    VALUE_WORD_BYTES, entry_mask,
};
use crate::format::{PageSize, TaggedFlags};

/// Whose column it is, where a table is derived from a template: both number their tagged columns from 256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// The template table's ("derived").
    Template,
    /// The table's own.
    Own,
}

/// The tagged columns of one record, in the order of their entries.
///
/// Iterates over all of them: a column whose data lie outside their place is an error, and the next one follows.
#[derive(Clone, Copy, Debug)]
pub struct TaggedFields<'a> {
    /// Entries and data; offsets in entries count from its start.
    area: &'a [u8],
    /// Offset of the area in the record.
    at: usize,
    size: PageSize,
    /// Bytes of all entries.
    entries: usize,
    /// Offset of the next entry in the area.
    next: usize,
}

/// One entry as it stands.
#[derive(Clone, Copy)]
struct Entry {
    id: u16,
    word: u16,
}

impl<'a> TaggedFields<'a> {
    /// The tagged columns in `area`, which begins at byte `at` of its record.
    #[inline]
    pub(super) fn new(area: &'a [u8], at: usize, size: PageSize) -> Result<TaggedFields<'a>, RecordError> {
        let mut fields = TaggedFields { area, at, size, entries: 0, next: 0 };
        if area.is_empty() {
            return Ok(fields);
        }
        let first = fields.entry(0).ok_or(RecordFault::NoEntry { found: area.len() }.at(at))?;
        fields.entries = fields.offset(first);
        if !fields.entries.is_multiple_of(ENTRY_BYTES) || fields.entries == 0 || fields.entries > area.len() {
            let fault = RecordFault::FirstEntry { most: area.len(), found: fields.entries };
            return Err(fault.at(at + OFFSET_ENTRY_WORD));
        }
        Ok(fields)
    }

    /// The column `id` of the table itself or of its template; `None` if the record does not store it.
    ///
    /// # Errors
    /// [`RecordError`] if its data lie outside their place.
    pub fn find(&self, id: u16, origin: Origin) -> Result<Option<TaggedField<'a>>, RecordError> {
        let place = (0..self.entries).step_by(ENTRY_BYTES).find_map(|at| {
            let entry = self.entry(at)?;
            (entry.id == id && entry.origin() == origin).then_some((at, entry))
        });
        place.map(|(at, entry)| self.field(at, entry)).transpose()
    }

    /// Offset in the record of the first entry; the end of the record if there is none.
    #[must_use]
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn entry(&self, at: usize) -> Option<Entry> {
        let [a, b, c, d] = *self.area.get(at..)?.first_chunk::<ENTRY_BYTES>()?;
        Some(Entry { id: u16::from_le_bytes([a, b]), word: u16::from_le_bytes([c, d]) })
    }

    #[inline]
    fn offset(&self, entry: Entry) -> usize {
        usize::from(entry.word & entry_mask(self.size))
    }

    /// The column whose entry lies at byte `at` of the area.
    #[inline]
    fn field(&self, at: usize, entry: Entry) -> Result<TaggedField<'a>, RecordError> {
        let Entry { id, word } = entry;
        let origin = entry.origin();
        let start = self.offset(entry);
        let behind = at + ENTRY_BYTES;
        let next = if behind < self.entries { self.entry(behind) } else { None };
        let end = next.map_or(self.area.len(), |next| self.offset(next));
        let data = self.area.get(start..end).filter(|_| start >= self.entries).ok_or_else(|| {
            let (least, most) = (self.entries, self.area.len());
            // An end before a sound start is the fault of the entry that follows.
            let entry = if (least..=most).contains(&start) { behind } else { at };
            RecordFault::TaggedData { id, origin, least, most, start, end }.at(self.at + entry + OFFSET_ENTRY_WORD)
        })?;
        let large = self.size.is_large();
        let extended = large || word & ENTRY_EXTENDED != 0;
        let (flags, bytes) = match data {
            [flags, bytes @ ..] if extended => (TaggedFlags::from_bits_retain(*flags), bytes),
            [] if extended => {
                return Err(RecordFault::NoExtendedByte { id, origin }.at(self.at + at + OFFSET_ENTRY_WORD));
            }
            _ => (TaggedFlags::empty(), data),
        };
        let null = if large { flags.contains(TaggedFlags::NULL) } else { word & ENTRY_NULL != 0 };
        Ok(TaggedField {
            id,
            origin,
            null,
            extended,
            flags,
            bytes,
            entry_at: self.at + at,
            bytes_at: self.at + start + usize::from(extended),
        })
    }
}

impl<'a> Iterator for TaggedFields<'a> {
    type Item = Result<TaggedField<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.entries {
            return None;
        }
        let at = self.next;
        self.next += ENTRY_BYTES;
        Some(self.field(at, self.entry(at)?))
    }
}

impl Entry {
    #[inline]
    fn origin(self) -> Origin {
        if self.word & ENTRY_DERIVED == 0 { Origin::Own } else { Origin::Template }
    }
}

/// One tagged column of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaggedField<'a> {
    /// Id of the column.
    pub id: u16,
    /// Whose column it is.
    pub origin: Origin,
    /// NULL, whatever the default.
    pub null: bool,
    /// The data begin with the extended byte: always on large pages.
    pub extended: bool,
    /// The extended byte; empty without one.
    pub flags: TaggedFlags,
    /// The data behind the extended byte: a value, or the array of several.
    pub bytes: &'a [u8],
    /// Offset of its entry in the record.
    pub entry_at: usize,
    /// Offset of `bytes` in the record.
    pub bytes_at: usize,
}

/// How the bytes of a value are to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueForm {
    /// They are the value.
    Intrinsic,
    /// They are the value, compressed (spec 07 section 4).
    Compressed,
    /// They refer to a long value: [`LongValueId::from_reference`](crate::format::LongValueId::from_reference).
    Separated,
    /// They are the value, encrypted (and compressed before, perhaps).
    Encrypted,
}

/// One value of a tagged column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaggedValue<'a> {
    /// Its number among the values of the column, 1-based.
    pub sequence: usize,
    /// How to take its bytes.
    pub form: ValueForm,
    /// Its bytes as they stand.
    pub bytes: &'a [u8],
}

impl<'a> TaggedField<'a> {
    /// All values in order; none if it is NULL. A value outside its place is an error, and the next one follows.
    pub fn values(self) -> impl Iterator<Item = Result<TaggedValue<'a>, RecordError>> {
        (1..).map_while(move |sequence| self.value(sequence).transpose())
    }

    /// Value number `sequence`, 1-based; `None` if there are fewer.
    ///
    /// # Errors
    /// [`RecordError`] if the value lies outside its place; for number 1 also if nobody can tell how many there are.
    #[inline]
    pub fn value(&self, sequence: usize) -> Result<Option<TaggedValue<'a>>, RecordError> {
        if self.null || sequence == 0 {
            Ok(None)
        } else if !self.flags.contains(TaggedFlags::MULTI_VALUED) {
            let separated = self.flags.contains(TaggedFlags::SEPARATED);
            Ok((sequence == 1).then(|| self.with_form(1, self.bytes, separated)))
        } else if self.flags.contains(TaggedFlags::TWO_VALUES) {
            self.one_of_two(sequence)
        } else {
            self.one_of_several(sequence)
        }
    }

    #[inline]
    fn with_form(&self, sequence: usize, bytes: &'a [u8], separated: bool) -> TaggedValue<'a> {
        let form = if separated {
            ValueForm::Separated
        } else if self.flags.contains(TaggedFlags::ENCRYPTED) {
            ValueForm::Encrypted
        } else if self.flags.contains(TaggedFlags::COMPRESSED) && sequence == 1 {
            ValueForm::Compressed
        } else {
            ValueForm::Intrinsic
        };
        TaggedValue { sequence, form, bytes }
    }

    /// The short form: size of the first value, both values.
    fn one_of_two(&self, sequence: usize) -> Result<Option<TaggedValue<'a>>, RecordError> {
        let (first, both) =
            self.bytes.split_first().map_or((0, self.bytes), |(first, both)| (usize::from(*first), both));
        let parts = both.split_at_checked(first).filter(|_| !self.bytes.is_empty());
        match (sequence, parts) {
            (1, None) => {
                Err(RecordFault::FirstOfTwo { id: self.id, origin: self.origin, most: both.len(), found: first }
                    .at(self.bytes_at))
            }
            (1, Some((bytes, _))) | (2, Some((_, bytes))) => Ok(Some(self.with_form(sequence, bytes, false))),
            _ => Ok(None),
        }
    }

    /// The long form: an offset word for each value, then the values.
    fn one_of_several(&self, sequence: usize) -> Result<Option<TaggedValue<'a>>, RecordError> {
        let most = self.bytes.len();
        let words = usize::from(self.value_word(0).unwrap_or(0) & VALUE_MASK);
        if !words.is_multiple_of(VALUE_WORD_BYTES) || words < 2 * VALUE_WORD_BYTES || words > most {
            let fault = RecordFault::FirstValue { id: self.id, origin: self.origin, most, found: words };
            return if sequence == 1 { Err(fault.at(self.bytes_at)) } else { Ok(None) };
        }
        let at = sequence.saturating_sub(1).saturating_mul(VALUE_WORD_BYTES);
        let Some(word) = self.value_word(at).filter(|_| at < words) else { return Ok(None) };
        let behind = at + VALUE_WORD_BYTES;
        let next = if behind < words { self.value_word(behind) } else { None };
        let start = usize::from(word & VALUE_MASK);
        let end = next.map_or(most, |next| usize::from(next & VALUE_MASK));
        let bytes = self.bytes.get(start..end).filter(|_| start >= words).ok_or_else(|| {
            let word = if (words..=most).contains(&start) { behind } else { at };
            RecordFault::Value { id: self.id, origin: self.origin, sequence, least: words, most, start, end }
                .at(self.bytes_at + word)
        })?;
        Ok(Some(self.with_form(sequence, bytes, word & VALUE_SEPARATED != 0)))
    }

    fn value_word(&self, at: usize) -> Option<u16> {
        self.bytes.get(at..)?.first_chunk::<VALUE_WORD_BYTES>().map(|word| u16::from_le_bytes(*word))
    }
}
