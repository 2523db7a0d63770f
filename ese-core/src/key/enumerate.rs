//! Which keys a record has in an index: conditions, NULLs, several values, tuples (spec 08 sections 3 and 4.2 to 4.4).
//!
//! Most records have one key, made in one pass over the segments; records with more gather them first. What it never
//! does is follow a record as far as it likes: the number and size of keys are limited, and exceeding them is an error
//! of its own.

use thiserror::Error;

use super::definition::{ColumnRef, IndexKey, Nullness, Pieces, Segment};
use super::normalize::WrongSize;
use super::pattern::KeyView;
use super::scratch::{FIRST_VALUES, Itags, KEY_BYTES_PER_RECORD_MOST, KEYS_PER_RECORD_MOST, KeyScratch};
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
    #[error("{source}")]
    Size {
        /// Whose value it is.
        column: ColumnRef,
        /// The two sizes.
        source: WrongSize,
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

impl<E> KeyError<E> {
    pub(super) fn size(column: ColumnRef, source: WrongSize) -> KeyError<E> {
        KeyError::Size { column, source }
    }
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
    scratch.keys.clear();
    let has_null = match &index.pieces {
        Some(pieces) => gather_tuples(index, pieces, values, scratch)?,
        None => gather_values(index, values, scratch)?,
    };
    Ok(RecordKeys { entered: scratch.keys.emit(emit), has_null })
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

/// The keys of multi-valued columns. Returns whether any has a NULL.
fn gather_values<V: RecordValues>(
    index: &IndexKey,
    values: &mut V,
    scratch: &mut KeyScratch,
) -> Result<bool, KeyError<V::Error>> {
    let mut choice = Choice::first(index);
    let mut has_null = false;
    loop {
        let nulls = scratch.key.build(index, values, &choice.itags, None)?;
        match choice.judge(nulls) {
            Judgement::Missing(position) if choice.roll_over(position) => continue,
            Judgement::Missing(_) | Judgement::Exhausted => return Ok(has_null),
            Judgement::Key => {}
        }
        has_null |= nulls != 0;
        if !admits(index, nulls) {
            return Ok(has_null);
        }
        scratch.keys.push(&scratch.key, Presence::Required)?;
        choice.advance();
    }
}

/// The keys of a tuple index. Returns whether any has a NULL.
fn gather_tuples<V: RecordValues>(
    index: &IndexKey,
    pieces: &Pieces,
    values: &mut V,
    scratch: &mut KeyScratch,
) -> Result<bool, KeyError<V::Error>> {
    let Some(first) = index.segments.first() else { return Ok(false) };
    let mut choice = Choice::first(index);
    let mut presence = Presence::Required;
    let mut loaded = 0;
    let mut has_null = false;
    loop {
        let [itag, ..] = choice.itags;
        if loaded != itag {
            if !load(values, first, itag, &mut scratch.whole)? && itag > 1 {
                return Ok(has_null);
            }
            loaded = itag;
        }
        let mut taken = 0;
        let mut missing = None;
        for piece in pieces.of(&scratch.whole) {
            let nulls = scratch.key.build(index, values, &choice.itags, Some(piece))?;
            match choice.judge(nulls) {
                Judgement::Exhausted => return Ok(has_null),
                Judgement::Missing(position) => {
                    missing = Some(position);
                    break;
                }
                Judgement::Key => {}
            }
            has_null |= nulls != 0;
            if !admits(index, nulls) {
                return Ok(has_null);
            }
            scratch.keys.push(&scratch.key, presence)?;
            taken += 1;
        }
        let goes_on = match missing {
            Some(position) => choice.roll_over(position),
            None if taken == 0 => choice.next_first(),
            None => choice.advance(),
        };
        if !goes_on {
            return Ok(has_null);
        }
        // The engine's updates do not come this far with a first column of one value, unless the limit of pieces ended
        // the text; its rebuilds do.
        if !first.multi_valued && missing.is_none() && taken < pieces.most {
            presence = Presence::Optional;
        }
    }
}

/// Puts value `itag` of the first segment into `whole`; false, and nothing there, if there is none.
fn load<V: RecordValues>(
    values: &mut V,
    first: &Segment,
    itag: usize,
    whole: &mut Vec<u8>,
) -> Result<bool, KeyError<V::Error>> {
    whole.clear();
    let value = values.value(first.column, itag, first.reach).map_err(KeyError::Value)?;
    if let Some(value) = value {
        whole.extend_from_slice(value.get(..first.reach).unwrap_or(value));
    }
    Ok(value.is_some())
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

/// What the NULL segments of a key mean for the values chosen.
enum Judgement {
    /// A key.
    Key,
    /// The segment at this position has no value of its number.
    Missing(usize),
    /// No segment has a value of its number.
    Exhausted,
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

    /// Looks whether the NULLs are values, or the end of them. The first value of a column may be NULL; a further one
    /// that is NULL is not there.
    fn judge(&mut self, nulls: u32) -> Judgement {
        let is_beyond = |(position, itag): &(usize, &mut usize)| **itag > 1 && nulls >> position & 1 != 0;
        if !self.nested {
            self.steppers().find(is_beyond).map_or(Judgement::Key, |(position, _)| Judgement::Missing(position))
        } else if self.stepping != 0 && self.steppers().all(|stepper| is_beyond(&stepper)) {
            Judgement::Exhausted
        } else {
            Judgement::Key
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
