//! The buffers that making keys works in, kept from record to record, so that only the first keys allocate.
//!
//! Several keys of one record gather here, so that equal ones are entered once (spec 08 section 4.3). What a record
//! can make them hold is limited; nothing here decides which keys a record has.

use super::definition::{IndexKey, Segment};
use super::enumerate::{KeyError, Presence, RecordValues};
use super::normalize::{SegmentOutcome, append_segment};
use super::pattern::{KeyView, push_value};
use crate::format::SEGMENTS_MOST;

/// Most keys of one record, before equal ones are dropped. A text of a tuple index with the engine's default limits
/// makes an eighth of that.
pub const KEYS_PER_RECORD_MOST: usize = 1 << 18;

/// Most bytes of all keys of one record that has several.
pub const KEY_BYTES_PER_RECORD_MOST: usize = 32 << 20;

/// Which value of its column each segment takes, 1-based; segments behind the last do not count.
pub(super) type Itags = [usize; SEGMENTS_MOST];

/// Every segment takes the first value.
pub(super) const FIRST_VALUES: Itags = [1; SEGMENTS_MOST];

/// Buffers for [`super::for_each_key`]: one for each thread is enough, for all indexes.
#[derive(Default, Debug)]
pub struct KeyScratch {
    pub(super) key: KeyBuffer,
    /// The value that a tuple index cuts into pieces.
    pub(super) whole: Vec<u8>,
    pub(super) keys: KeySet,
}

/// One key in the making.
#[derive(Default, Debug)]
pub(super) struct KeyBuffer {
    /// The bytes before the first Unicode text: all of them if there is none.
    known: Vec<u8>,
    /// The values from that text on; see [`push_value`].
    values: Vec<u8>,
}

impl KeyBuffer {
    /// Makes the key of the values that `itags` choose, with `piece` for the first one if there is one. Returns the
    /// segments that are NULL, bit n for segment n; those without room count too.
    #[inline]
    pub(super) fn build<V: RecordValues>(
        &mut self,
        index: &IndexKey,
        values: &mut V,
        itags: &Itags,
        mut piece: Option<&[u8]>,
    ) -> Result<u32, KeyError<V::Error>> {
        self.known.clear();
        self.values.clear();
        let mut nulls = 0;
        let mut bit = 1;
        for (segment, itag) in index.segments.iter().zip(itags) {
            let value = match piece.take() {
                Some(piece) => Some(piece),
                None => values.value(segment.column, *itag, segment.reach).map_err(KeyError::Value)?,
            };
            if value.is_none() {
                nulls |= bit;
            }
            bit <<= 1;
            self.append(index, segment, value)?;
        }
        Ok(nulls)
    }

    #[inline]
    fn append<E>(&mut self, index: &IndexKey, segment: &Segment, value: Option<&[u8]>) -> Result<(), KeyError<E>> {
        if self.values.is_empty() {
            let outcome = append_segment(&mut self.known, segment, value, index.limits)
                .map_err(|wrong| KeyError::Size { column: segment.column, wrong })?;
            if outcome == SegmentOutcome::Exact {
                return Ok(());
            }
        }
        push_value(&mut self.values, value.map(|value| value.get(..segment.reach).unwrap_or(value)));
        Ok(())
    }

    /// What was built.
    pub(super) fn view(&self) -> KeyView<'_> {
        KeyView::new(&self.known, &self.values)
    }
}

/// A key among others of its record.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    values: usize,
    end: usize,
    presence: Presence,
}

impl Entry {
    /// The two parts of the key, known bytes and values.
    fn parts(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        (bytes.get(self.start..self.values).unwrap_or_default(), bytes.get(self.values..self.end).unwrap_or_default())
    }
}

/// The keys of one record.
#[derive(Default, Debug)]
pub(super) struct KeySet {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl KeySet {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Adds the key in `buffer`, equal to others or not.
    pub(super) fn push<E>(&mut self, buffer: &KeyBuffer, presence: Presence) -> Result<(), KeyError<E>> {
        let start = self.bytes.len();
        let values = start + buffer.known.len();
        let end = values + buffer.values.len();
        if self.entries.len() >= KEYS_PER_RECORD_MOST || end > KEY_BYTES_PER_RECORD_MOST {
            return Err(KeyError::TooMany { keys: self.entries.len() + 1, bytes: end });
        }
        self.bytes.extend_from_slice(&buffer.known);
        self.bytes.extend_from_slice(&buffer.values);
        self.entries.push(Entry { start, values, end, presence });
        Ok(())
    }

    /// Hands over the keys in order, each once: as required if it is so anywhere. Returns their number.
    pub(super) fn emit(&mut self, mut emit: impl FnMut(KeyView<'_>, Presence)) -> usize {
        let bytes = &self.bytes;
        self.entries.sort_unstable_by(|a, b| (a.parts(bytes), a.presence).cmp(&(b.parts(bytes), b.presence)));
        self.entries.dedup_by(|later, kept| later.parts(bytes) == kept.parts(bytes));
        for entry in &self.entries {
            let (known, values) = entry.parts(bytes);
            emit(KeyView::new(known, values), entry.presence);
        }
        self.entries.len()
    }
}
