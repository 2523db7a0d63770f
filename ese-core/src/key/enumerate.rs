//! Which keys a record has in an index: conditions, NULLs, several values, tuples (spec 08 sections 3 and 4.2 to 4.4).
//!
//! Most records have one key, made in one pass over the segments; records with more gather them first. What it never
//! does is follow a record as far as it likes: the number and size of keys are limited, and exceeding them is an error
//! of its own.

use thiserror::Error;

use super::definition::{ColumnRef, IndexKey, Nullness, Pieces, Segment};
use super::normalize::WrongSize;
use super::pattern::KeyView;
use super::scratch::{
    FIRST_VALUES, Itags, KEY_BYTES_PER_RECORD_MOST, KEYS_PER_RECORD_MOST, KeyBuffer, KeyScratch, KeySet,
};
use crate::format::IndexFlags;

/// Where the values of a record come from.
pub trait RecordValues {
    /// Why a value could not be had.
    type Error;

    /// Value number `itag` (1-based) of `column`, put together and decompressed; `None` if there is none. Number 1 of
    /// a column that the record does not store is its default.
    ///
    /// No more than the first `most` bytes are looked at: of a long value the rest need not be read. In indexes over
    /// several values or tuples the same value is asked for again and again.
    ///
    /// # Errors
    /// Whatever keeps the value from being read; making keys of the record then ends with it.
    fn value(&mut self, column: ColumnRef, itag: usize, most: usize) -> Result<Option<&[u8]>, Self::Error>;
}

/// Why the keys of a record are not known.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeyError<E> {
    /// A value could not be had.
    #[error(transparent)]
    Value(E),
    /// A value does not have the size of its type.
    #[error("column {}: {wrong}", .column.0)]
    Size {
        /// Whose value it is.
        column: ColumnRef,
        /// The two sizes.
        wrong: WrongSize,
    },
    /// The record asks for more than is made for any record: a cross product of many values, or tuples of a very long
    /// text.
    #[error(
        "keys of one record: expected at most {KEYS_PER_RECORD_MOST} in {KEY_BYTES_PER_RECORD_MOST} bytes, \
         found {keys} in {bytes} and more to come"
    )]
    TooMany {
        /// Keys up to the one that was too much.
        keys: usize,
        /// Their bytes.
        bytes: usize,
    },
}

/// Whether an index must have a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// The entry must be there.
    Required,
    /// The entry may be there or not: the engine's updates leave it out, its rebuilds put it in (spec 08 section 4.4,
    /// further segments).
    Optional,
}

/// What a record has in an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecordKeys {
    /// Keys that were handed over.
    pub entered: usize,
    /// Some key, entered or not, has a NULL segment, which an index may forbid (I4).
    pub has_null: bool,
}

/// Hands each key that the record with `values` has in `index` to `emit`, equal ones once. A record with several keys
/// has them handed over in order.
///
/// # Errors
/// [`KeyError`], with nothing handed over: a value that cannot be read or has a wrong size, or more than
/// [`KEYS_PER_RECORD_MOST`] keys or [`KEY_BYTES_PER_RECORD_MOST`] bytes of them.
pub fn for_each_key<V: RecordValues>(
    index: &IndexKey,
    values: &mut V,
    scratch: &mut KeyScratch,
    mut emit: impl FnMut(KeyView<'_>, Presence),
) -> Result<RecordKeys, KeyError<V::Error>> {
    if !conditions_hold(index, values)? {
        return Ok(RecordKeys::default());
    }
    if index.is_single() {
        let nulls = scratch.key.build(index, values, &FIRST_VALUES, None)?;
        let entered = admits(index, nulls);
        if entered {
            emit(scratch.key.view(), Presence::Required);
        }
        return Ok(RecordKeys { entered: usize::from(entered), has_null: nulls != 0 });
    }
    let KeyScratch { key, whole, keys } = scratch;
    keys.clear();
    let mut gathering = Gathering { index, values, key, keys, has_null: false };
    match &index.pieces {
        Some(pieces) => gathering.tuples(pieces, whole)?,
        None => gathering.choices()?,
    }
    let has_null = gathering.has_null;
    Ok(RecordKeys { entered: keys.emit(emit), has_null })
}

/// Whether the record is in the index at all.
fn conditions_hold<V: RecordValues>(index: &IndexKey, values: &mut V) -> Result<bool, KeyError<V::Error>> {
    for condition in &index.conditions {
        let value = values.value(condition.column, 1, 0).map_err(KeyError::Value)?;
        if value.is_none() != (condition.must_be == Nullness::Null) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a key whose segments `nulls` are NULL is entered.
fn admits(index: &IndexKey, nulls: u32) -> bool {
    let asks = if nulls == 0 || index.flags.contains(IndexFlags::PRIMARY) {
        IndexFlags::empty()
    } else if usize::try_from(nulls.count_ones()) == Ok(index.segments.len()) {
        IndexFlags::ALLOW_ALL_NULLS
    } else if nulls & 1 != 0 {
        IndexFlags::ALLOW_FIRST_NULL
    } else {
        IndexFlags::ALLOW_SOME_NULLS
    };
    index.flags.contains(asks)
}

/// The keys of a record that may have several.
struct Gathering<'a, V> {
    index: &'a IndexKey,
    values: &'a mut V,
    key: &'a mut KeyBuffer,
    keys: &'a mut KeySet,
    /// Some key had a NULL segment.
    has_null: bool,
}

impl<V: RecordValues> Gathering<'_, V> {
    /// All choices of values of multi-valued columns.
    fn choices(&mut self) -> Result<(), KeyError<V::Error>> {
        let mut choice = Choice::first(self.index);
        loop {
            let goes_on = match self.add(&mut choice, None, Presence::Required)? {
                Verdict::Entered => choice.advance(),
                Verdict::Missing(position) => choice.roll_over(position),
                Verdict::Last => false,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// All choices, and for each the pieces of the first value, which is kept in `whole`.
    fn tuples(&mut self, pieces: &Pieces, whole: &mut Vec<u8>) -> Result<(), KeyError<V::Error>> {
        let Some(first) = self.index.segments.first() else { return Ok(()) };
        let mut choice = Choice::first(self.index);
        let mut presence = Presence::Required;
        let mut loaded = 0;
        loop {
            let [itag, ..] = choice.itags;
            if loaded != itag {
                if !self.load(first, itag, whole)? && itag > 1 {
                    return Ok(());
                }
                loaded = itag;
            }
            let mut taken = 0;
            let mut verdict = Verdict::Entered;
            for piece in pieces.of(whole) {
                verdict = self.add(&mut choice, Some(piece), presence)?;
                if verdict != Verdict::Entered {
                    break;
                }
                taken += 1;
            }
            let goes_on = match verdict {
                Verdict::Entered if taken == 0 => choice.next_first(),
                Verdict::Entered => choice.advance(),
                Verdict::Missing(position) => choice.roll_over(position),
                Verdict::Last => false,
            };
            if !goes_on {
                return Ok(());
            }
            // The engine's updates do not come this far with a first column of one value, unless the limit of pieces
            // ended the text; its rebuilds do.
            if !first.multi_valued && verdict == Verdict::Entered && taken < pieces.most {
                presence = Presence::Optional;
            }
        }
    }

    /// Makes the key of the values chosen, and enters it if it is one.
    fn add(
        &mut self,
        choice: &mut Choice,
        piece: Option<&[u8]>,
        presence: Presence,
    ) -> Result<Verdict, KeyError<V::Error>> {
        let nulls = self.key.build(self.index, self.values, &choice.itags, piece)?;
        if let Some(end) = choice.end(nulls) {
            return Ok(end);
        }
        self.has_null |= nulls != 0;
        if !admits(self.index, nulls) {
            return Ok(Verdict::Last);
        }
        self.keys.push(self.key, presence)?;
        Ok(Verdict::Entered)
    }

    /// Puts value `itag` of the first segment into `whole`; false, and nothing there, if there is none.
    fn load(&mut self, first: &Segment, itag: usize, whole: &mut Vec<u8>) -> Result<bool, KeyError<V::Error>> {
        whole.clear();
        let value = self.values.value(first.column, itag, first.reach).map_err(KeyError::Value)?;
        if let Some(value) = value {
            whole.extend_from_slice(value.get(..first.reach).unwrap_or(value));
        }
        Ok(value.is_some())
    }
}

impl Pieces {
    /// The pieces of `whole`, first to last.
    fn of(self, whole: &[u8]) -> impl Iterator<Item = &[u8]> {
        let units = whole.len() / self.unit * self.unit;
        let whole = whole.get(..units).unwrap_or(whole);
        let mut start = self.start;
        (0..self.most).map_while(move |_| {
            let rest = whole.get(start..).filter(|rest| rest.len() >= self.shortest)?;
            start = start.saturating_add(self.increment);
            Some(rest.get(..self.longest).unwrap_or(rest))
        })
    }
}

/// What became of a choice of values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// It is a key.
    Entered,
    /// The segment at this position has no value of its number.
    Missing(usize),
    /// No key, and no further ones of the record: all values are used up, or the null rules refuse this one.
    Last,
}

/// A choice of values, one for each segment, and how to come to the next one.
struct Choice {
    itags: Itags,
    /// Bit n: segment n goes through its values.
    stepping: u32,
    /// All of these go together.
    nested: bool,
}

impl Choice {
    fn first(index: &IndexKey) -> Choice {
        Choice { itags: FIRST_VALUES, stepping: index.stepping, nested: index.is_nested() }
    }

    /// Positions that go through their values, with the value they are at.
    fn steppers(&mut self) -> impl DoubleEndedIterator<Item = (usize, &mut usize)> {
        let stepping = self.stepping;
        self.itags.iter_mut().enumerate().filter(move |(position, _)| stepping >> position & 1 != 0)
    }

    /// Whether the segments `nulls` are NULL because values ended, and which. The first value of a column may be NULL;
    /// a further one that is NULL is not there.
    fn end(&mut self, nulls: u32) -> Option<Verdict> {
        let is_beyond = |(position, itag): &(usize, &mut usize)| **itag > 1 && nulls >> position & 1 != 0;
        if self.nested {
            let used_up = self.stepping != 0 && self.steppers().all(|stepper| is_beyond(&stepper));
            used_up.then_some(Verdict::Last)
        } else {
            self.steppers().find(is_beyond).map(|(position, _)| Verdict::Missing(position))
        }
    }

    /// To the next choice; false if nothing goes through values.
    fn advance(&mut self) -> bool {
        let together = if self.nested { usize::MAX } else { 1 };
        self.steppers().rev().take(together).for_each(|(_, itag)| *itag += 1);
        self.stepping != 0
    }

    /// The segment at `position` has no more values: the next value of the one before it, first values behind that;
    /// false if there is none before it.
    fn roll_over(&mut self, position: usize) -> bool {
        let before = self.steppers().rev().find(|(at, _)| *at < position).map(|(at, itag)| {
            *itag += 1;
            at
        });
        let Some(before) = before else { return false };
        self.steppers().filter(|(at, _)| *at > before).for_each(|(_, itag)| *itag = 1);
        true
    }

    /// The next value of the first segment, from which nothing came whatever the others are at; false if it has only
    /// one value.
    fn next_first(&mut self) -> bool {
        if self.nested {
            self.advance();
        } else {
            let [first, ..] = self.itags;
            self.itags = FIRST_VALUES;
            self.itags[0] = first + 1;
        }
        self.stepping & 1 != 0
    }
}

#[cfg(test)]
mod tests;
