//! What an index says of its keys, in the form that making a key needs (spec 08 section 1, with 05 sections 4 and 6).
//!
//! Built once for each index from catalog rows that the caller has resolved, and checked here, so that key making
//! meets no definition that it could not bound. Columns are opaque references: this module never sees their names.

use thiserror::Error;

use super::normalize::KeyLimits;
use super::number::Number;
use crate::format::{
    CODE_PAGE_UNICODE, ColumnFlags, ColumnKind, ColumnType, IndexFlags, KEY_MOST_DEFAULT, KEY_MOST_LARGEST, KeyField,
    SEGMENTS_MOST, SegmentFlags, TupleLimits,
};

/// First byte of a segment: NULL, below all data.
const PREFIX_NULL: u8 = 0x00;
/// First byte of a segment: NULL of an index that sorts it behind all data.
const PREFIX_NULL_HIGH: u8 = 0xC0;

/// A column, by its place in a table that only the caller knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ColumnRef(pub usize);

/// What the catalog says of a column that a key is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyColumn {
    /// The caller's name for it.
    pub column: ColumnRef,
    /// Type of its values.
    pub column_type: ColumnType,
    /// Code page of its text; anything for other types.
    pub code_page: u32,
    /// Its flags: multi-valued counts.
    pub flags: ColumnFlags,
}

/// An index definition from which no keys can be made (spec 08 check I1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DefinitionError {
    /// The column is deleted or of the obsolete streaming type.
    #[error("segment over column {column_id}: expected a column with values, found type {}", .found.name())]
    Column {
        /// Id of the column.
        column_id: u16,
        /// Its type.
        found: ColumnType,
    },
    /// No segment, or too many.
    #[error("index: expected 1 to {SEGMENTS_MOST} segments, found {found}")]
    Segments {
        /// Segments found.
        found: usize,
    },
    /// Too many conditions.
    #[error("index: expected at most {SEGMENTS_MOST} conditions, found {found}")]
    Conditions {
        /// Conditions found.
        found: usize,
    },
    /// No key could be so long, or none so short.
    #[error("KeyMost: expected 1 to {KEY_MOST_LARGEST} bytes, found {found}")]
    KeyMost {
        /// Bytes found.
        found: usize,
    },
    /// A segment cannot be longer than the key, nor empty.
    #[error("VarSegMac: expected 1 to {key_most} bytes, found {found}")]
    VarSegMac {
        /// Longest key in bytes.
        key_most: usize,
        /// Bytes found.
        found: usize,
    },
    /// Pieces are cut of text and of binary only.
    #[error("tuple index: expected text or binary in the first segment, found another type")]
    TupleSegment,
    /// Every record must have exactly one node in its table.
    #[error("primary index: expected neither conditions nor tuple limits, found some")]
    PartialPrimary,
}

/// How the bytes of a value become bytes of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// A size that never changes.
    Number(Number),
    /// Binary in a fixed column: as it is.
    Plain,
    /// Binary elsewhere: in groups of eight.
    Grouped,
    /// Text of a code page other than 1200.
    Text,
    /// UTF-16 text: only Windows' tables know.
    Unicode,
}

/// One column of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    pub(super) column: ColumnRef,
    pub(super) encoding: Encoding,
    /// 0xFF in descending segments, else 0: every byte is written with these bits flipped.
    pub(super) flip: u8,
    /// The byte that stands for NULL, flipped already.
    pub(super) null: u8,
    /// Further values of the column make further keys.
    pub(super) multi_valued: bool,
    /// Bytes at the beginning of a value that can change the key.
    pub(super) reach: usize,
}

impl Segment {
    /// The segment that `field` of an index with `flags` makes of `column`.
    ///
    /// # Errors
    /// [`DefinitionError::Column`] if the type of the column has no values.
    pub fn new(field: KeyField, column: KeyColumn, flags: IndexFlags) -> Result<Segment, DefinitionError> {
        let kind = ColumnKind::of(field.column_id);
        let column_type = column.column_type;
        let encoding = match column_type {
            ColumnType::Binary if kind == Some(ColumnKind::Fixed) => Encoding::Plain,
            ColumnType::Binary | ColumnType::LongBinary => Encoding::Grouped,
            ColumnType::Text | ColumnType::LongText if column.code_page == CODE_PAGE_UNICODE => Encoding::Unicode,
            ColumnType::Text | ColumnType::LongText => Encoding::Text,
            _ => Number::new(column_type, flags)
                .map(Encoding::Number)
                .ok_or(DefinitionError::Column { column_id: field.column_id, found: column_type })?,
        };
        let flip = if field.flags.contains(SegmentFlags::DESCENDING) { u8::MAX } else { 0 };
        let null = if flags.contains(IndexFlags::NULLS_HIGH) { PREFIX_NULL_HIGH } else { PREFIX_NULL };
        Ok(Segment {
            column: column.column,
            encoding,
            flip,
            null: null ^ flip,
            multi_valued: kind == Some(ColumnKind::Tagged) && column.flags.contains(ColumnFlags::MULTI_VALUED),
            reach: usize::MAX,
        })
    }

    /// The column whose values it holds.
    #[must_use]
    pub const fn column(&self) -> ColumnRef {
        self.column
    }

    /// True for text of code page 1200, whose bytes cannot be computed.
    #[must_use]
    pub fn is_unicode(&self) -> bool {
        self.encoding == Encoding::Unicode
    }

    /// True if it sorts from high to low, that is, with all bits flipped.
    #[must_use]
    pub const fn is_descending(&self) -> bool {
        self.flip != 0
    }

    /// Bytes at the beginning of a value that can change a key of at most `key_most` bytes.
    fn reach(&self, key_most: usize) -> usize {
        match self.encoding {
            Encoding::Number(_) => usize::MAX,
            Encoding::Plain | Encoding::Grouped | Encoding::Text => key_most,
            Encoding::Unicode => unicode_reach(key_most),
        }
    }

    /// Bytes that a piece of a tuple index is counted in.
    fn unit(&self) -> usize {
        if self.is_unicode() { size_of::<u16>() } else { 1 }
    }
}

/// Bytes of UTF-16 text that are sorted. With the default limit the engine takes as many bytes of text as of key; with
/// any other it goes on until the key is full, and text without weights never fills it.
const fn unicode_reach(key_most: usize) -> usize {
    if key_most == KEY_MOST_DEFAULT { KEY_MOST_DEFAULT - 1 } else { usize::MAX }
}

/// What a condition asks of its column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nullness {
    /// The record must have no value, nor the column a default.
    Null,
    /// There must be a value.
    NotNull,
}

/// A column that decides whether a record is in the index at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The column; its first value counts.
    pub column: ColumnRef,
    /// What it must be.
    pub must_be: Nullness,
}

impl Condition {
    /// The condition that `field` makes of `column`.
    #[must_use]
    pub fn new(field: KeyField, column: ColumnRef) -> Condition {
        let must_be = if field.flags.contains(SegmentFlags::MUST_BE_NULL) { Nullness::Null } else { Nullness::NotNull };
        Condition { column, must_be }
    }
}

/// An index as its catalog row has it, columns resolved: what [`IndexKey::new`] checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexDefinition {
    /// Flags, both halves.
    pub flags: IndexFlags,
    /// `KeyMost` in bytes; `None` if the row has none.
    pub key_most: Option<u16>,
    /// `VarSegMac` in bytes; `None` if the row has none.
    pub var_seg_mac: Option<u16>,
    /// From the first to the last segment.
    pub segments: Vec<Segment>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// Makes it a tuple index.
    pub tuple: Option<TupleLimits>,
}

/// How the first segment of a tuple index is cut, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pieces {
    pub(super) unit: usize,
    pub(super) start: usize,
    pub(super) increment: usize,
    pub(super) shortest: usize,
    pub(super) longest: usize,
    /// Pieces of one value; 0 if the key cannot hold the shortest.
    pub(super) most: usize,
}

impl Pieces {
    fn new(limits: &TupleLimits, first: &Segment, key_most: usize) -> Pieces {
        let unit = first.unit();
        let bytes = |units: u32| usize::try_from(units).unwrap_or(usize::MAX).saturating_mul(unit);
        let shortest = bytes(limits.shortest);
        Pieces {
            unit,
            start: bytes(limits.start),
            increment: bytes(limits.increment),
            shortest,
            longest: bytes(limits.longest).min(first.reach(key_most)),
            most: if shortest > key_most { 0 } else { usize::try_from(limits.pieces_most).unwrap_or(usize::MAX) },
        }
    }

    /// Bytes at the beginning of a value in which all its pieces lie.
    fn reach(&self) -> usize {
        let before_last = self.increment.saturating_mul(self.most.saturating_sub(1));
        self.start.saturating_add(before_last).saturating_add(self.longest)
    }
}

/// An index definition that keys can be made from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexKey {
    pub(super) flags: IndexFlags,
    pub(super) limits: KeyLimits,
    pub(super) segments: Vec<Segment>,
    pub(super) conditions: Vec<Condition>,
    pub(super) pieces: Option<Pieces>,
    /// Bit n: segment n goes through the values of its column.
    pub(super) stepping: u32,
}

impl IndexKey {
    /// Checks `definition` and prepares it.
    ///
    /// # Errors
    /// [`DefinitionError`]: what [`super::for_each_key`] could not work with. Whether `KeyMost` is lawful for the page
    /// size ([`crate::format::key_most_limit`]) is not looked at.
    pub fn new(definition: IndexDefinition) -> Result<IndexKey, DefinitionError> {
        let IndexDefinition { flags, key_most, var_seg_mac, mut segments, conditions, tuple } = definition;
        let key_most = key_most.map_or(KEY_MOST_DEFAULT, usize::from);
        let segment_most = var_seg_mac.map_or(key_most, usize::from);
        let first = match segments.first() {
            Some(first) if segments.len() <= SEGMENTS_MOST => *first,
            _ => return Err(DefinitionError::Segments { found: segments.len() }),
        };
        if conditions.len() > SEGMENTS_MOST {
            return Err(DefinitionError::Conditions { found: conditions.len() });
        }
        if !(1..=KEY_MOST_LARGEST).contains(&key_most) {
            return Err(DefinitionError::KeyMost { found: key_most });
        }
        if !(1..=key_most).contains(&segment_most) {
            return Err(DefinitionError::VarSegMac { key_most, found: segment_most });
        }
        if flags.contains(IndexFlags::PRIMARY) && (tuple.is_some() || !conditions.is_empty()) {
            return Err(DefinitionError::PartialPrimary);
        }
        if tuple.is_some() && matches!(first.encoding, Encoding::Number(_)) {
            return Err(DefinitionError::TupleSegment);
        }
        let pieces = tuple.map(|limits| Pieces::new(&limits, &first, key_most));
        for segment in &mut segments {
            segment.reach = segment.reach(key_most);
        }
        if let (Some(pieces), Some(first)) = (&pieces, segments.first_mut()) {
            first.reach = pieces.reach();
        }
        let stepping = stepping_segments(&segments, flags);
        Ok(IndexKey { flags, limits: KeyLimits { key_most, segment_most }, segments, conditions, pieces, stepping })
    }

    /// Flags of the index.
    #[must_use]
    pub const fn flags(&self) -> IndexFlags {
        self.flags
    }

    /// Longest key and longest segment.
    #[must_use]
    pub const fn limits(&self) -> KeyLimits {
        self.limits
    }

    /// The segments, first to last; at least one.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// True if some segment is Unicode text, so that keys may come as patterns.
    #[must_use]
    pub fn has_unicode(&self) -> bool {
        self.segments.iter().any(Segment::is_unicode)
    }

    /// True if no record can have more than one key.
    pub(super) const fn is_single(&self) -> bool {
        self.stepping == 0 && self.pieces.is_none()
    }

    /// True if the multi-valued columns go through their values in step.
    pub(super) const fn is_nested(&self) -> bool {
        self.flags.contains(IndexFlags::NESTED_TABLE)
    }
}

/// The segments, one bit each, that go through the values of their columns (spec 08 section 4.3).
fn stepping_segments(segments: &[Segment], flags: IndexFlags) -> u32 {
    if flags.contains(IndexFlags::PRIMARY) {
        return 0;
    }
    let multi_valued = segments.iter().rev().fold(0, |bits, segment| (bits << 1) | u32::from(segment.multi_valued));
    if flags.intersects(IndexFlags::CROSS_PRODUCT | IndexFlags::NESTED_TABLE) {
        multi_valued
    } else {
        // Only the lowest bit that is set: the first of them.
        multi_valued & multi_valued.wrapping_neg()
    }
}
