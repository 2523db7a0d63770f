//! Keys: how the column values of a record become the bytes that its indexes sort by (spec 08 sections 2 to 4).
//!
//! The caller builds an [`IndexKey`] from the catalog once for each index, then asks [`for_each_key`] for the keys of
//! one record after the other. Nothing here knows pages, records or catalog rows; values come through
//! [`RecordValues`], and no key allocates once the buffers of [`KeyScratch`] have grown. Sort keys of Unicode text are
//! never computed: such keys come as a [`KeyPattern`] that an entry is held against.

mod definition;
mod enumerate;
mod normalize;
mod number;
mod pattern;
mod scratch;
mod shape;
#[cfg(test)]
mod testing;

pub use definition::{ColumnRef, Condition, DefinitionError, IndexDefinition, IndexKey, KeyColumn, Nullness, Segment};
pub use enumerate::{KeyError, Presence, RecordKeys, RecordValues, for_each_key};
pub use normalize::{KeyLimits, SegmentOutcome, WrongSize, append_segment};
pub(crate) use pattern::push_value;
pub use pattern::{KeyPattern, KeyView};
pub use scratch::{KEY_BYTES_PER_RECORD_MOST, KEYS_PER_RECORD_MOST, KeyScratch};
pub use shape::{SegmentEnd, ShapeError, UnicodeSegment, check_sort_key_shape, split_unicode_segment};
