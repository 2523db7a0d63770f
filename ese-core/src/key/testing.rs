//! Indexes and records written down in a line each, for the tests of this module. Never compiled into the library.

use super::{
    ColumnRef, Condition, IndexDefinition, IndexKey, KeyColumn, KeyLimits, KeyScratch, KeyView, Presence, RecordValues,
    Segment, SegmentOutcome, append_segment, for_each_key,
};
use crate::format::{
    CODE_PAGE_UNICODE, ColumnFlags, ColumnType, IndexFlags, KeyField, SegmentFlags, TupleLimits, parse_key_fields,
};

/// The bytes that hexadecimal digits spell; spaces are for the reader.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|digit| !digit.is_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "a digit is missing");
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// UTF-16, little-endian.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Kinds of columns that tests ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Of {
    /// A type of fixed size.
    Sized(ColumnType),
    /// Binary in a fixed column.
    FixedBinary,
    /// Binary in a variable column.
    Binary,
    /// Text of code page 1252.
    Ascii,
    /// Text of code page 1200.
    Unicode,
}

/// One segment in a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seg {
    of: Of,
    descending: bool,
    multi_valued: bool,
}

pub(super) fn up(of: Of) -> Seg {
    Seg { of, descending: false, multi_valued: false }
}

pub(super) fn down(of: Of) -> Seg {
    Seg { of, descending: true, multi_valued: false }
}

impl Seg {
    /// With the flag multi-valued, in a tagged column.
    pub(super) fn multi(self) -> Seg {
        Seg { multi_valued: true, ..self }
    }

    pub(super) fn is_descending(self) -> bool {
        self.descending
    }

    /// The segment over column `place`.
    pub(super) fn build(self, place: usize, flags: IndexFlags) -> Segment {
        let (column_type, code_page) = match self.of {
            Of::Sized(column_type) => (column_type, 0),
            Of::FixedBinary | Of::Binary => (ColumnType::Binary, 0),
            Of::Ascii => (ColumnType::Text, 1252),
            Of::Unicode => (ColumnType::Text, CODE_PAGE_UNICODE),
        };
        let column_id = match self.of {
            _ if self.multi_valued => 256,
            Of::Sized(_) | Of::FixedBinary => 1,
            _ => 128,
        };
        let column_flags = if self.multi_valued { ColumnFlags::MULTI_VALUED } else { ColumnFlags::empty() };
        let direction = if self.descending { SegmentFlags::DESCENDING } else { SegmentFlags::empty() };
        let field = KeyField { column_id, flags: direction };
        let column = KeyColumn { column: ColumnRef(place), column_type, code_page, flags: column_flags };
        Segment::new(field, column, flags).unwrap()
    }
}

/// The bytes of one segment with `room` bytes for it; the value must be computable.
pub(super) fn segment_of(segment: Seg, value: Option<&[u8]>, room: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let limits = KeyLimits { key_most: room, segment_most: room };
    let outcome = append_segment(&mut key, &segment.build(0, IndexFlags::empty()), value, limits);
    assert_eq!(outcome, Ok(SegmentOutcome::Exact));
    key
}

/// The definition of an index whose segment n is over column n; all NULLs are entered, KeyMost is 255.
pub(super) fn definition(flags: IndexFlags, segments: &[Seg]) -> IndexDefinition {
    let flags = flags | ALL_NULLS;
    IndexDefinition {
        flags,
        key_most: None,
        var_seg_mac: None,
        segments: segments.iter().enumerate().map(|(place, segment)| segment.build(place, flags)).collect(),
        conditions: Vec::new(),
        tuple: None,
    }
}

pub(super) const ALL_NULLS: IndexFlags =
    IndexFlags::ALLOW_ALL_NULLS.union(IndexFlags::ALLOW_FIRST_NULL).union(IndexFlags::ALLOW_SOME_NULLS);

/// [`definition`], checked.
pub(super) fn index(flags: IndexFlags, segments: &[Seg]) -> IndexKey {
    IndexKey::new(definition(flags, segments)).unwrap()
}

/// [`definition`] with an exact set of flags.
pub(super) fn index_with_flags(flags: IndexFlags, segments: &[Seg]) -> IndexKey {
    IndexKey::new(IndexDefinition { flags, ..definition(flags, segments) }).unwrap()
}

/// A tuple index: shortest, longest, most, increment, start.
pub(super) fn tuple_index(limits: [u32; 5], segments: &[Seg]) -> IndexKey {
    let bytes: Vec<u8> = limits.iter().flat_map(|limit| limit.to_le_bytes()).collect();
    let tuple = Some(TupleLimits::parse(&bytes).unwrap());
    IndexKey::new(IndexDefinition { tuple, ..definition(IndexFlags::empty(), segments) }).unwrap()
}

/// The conditions in `list`, four bytes each, over the columns in `places`.
pub(super) fn conditions(list: &str, places: &[usize]) -> Vec<Condition> {
    let fields = parse_key_fields(&hex(list), IndexFlags::EXTENDED, crate::format::KeyFieldList::Conditions).unwrap();
    fields.into_iter().zip(places).map(|(field, place)| Condition::new(field, ColumnRef(*place))).collect()
}

/// The values of each column; an empty list is NULL.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(pub(super) Vec<Vec<Vec<u8>>>);

/// A record with at most one value in each column.
pub(super) fn record(values: &[Option<Vec<u8>>]) -> Record {
    Record(values.iter().map(|value| value.iter().cloned().collect()).collect())
}

/// A value that could not be read: any of this length.
pub(super) const UNREADABLE: usize = 12345;

impl RecordValues for Record {
    type Error = ColumnRef;

    fn value(&mut self, column: ColumnRef, itag: usize, most: usize) -> Result<Option<&[u8]>, ColumnRef> {
        let value = self.0.get(column.0).and_then(|values| values.get(itag - 1));
        match value {
            Some(value) if value.len() == UNREADABLE => Err(column),
            // Gives no more than it is asked for, so that asking for too little shows.
            Some(value) => Ok(Some(value.get(..most).unwrap_or(value))),
            None => Ok(None),
        }
    }
}

/// What a key was handed over as.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Made {
    Exact(Vec<u8>),
    Pattern(Vec<u8>, Vec<Option<Vec<u8>>>),
    /// As `Exact`, but the entry may be missing.
    Optional(Vec<u8>),
}

impl Made {
    fn of(key: KeyView<'_>, presence: Presence) -> Made {
        match (key, presence) {
            (KeyView::Exact(key), Presence::Required) => Made::Exact(key.to_vec()),
            (KeyView::Exact(key), Presence::Optional) => Made::Optional(key.to_vec()),
            (KeyView::Pattern(pattern), _) => {
                Made::Pattern(pattern.known().to_vec(), pattern.values().map(|v| v.map(<[u8]>::to_vec)).collect())
            }
        }
    }
}

/// The keys of `record`, in the order in which they are handed over.
pub(super) fn keys(index: &IndexKey, record: &Record) -> Vec<Made> {
    let mut made = Vec::new();
    let counted = for_each_key(index, &mut record.clone(), &mut KeyScratch::default(), |key, presence| {
        made.push(Made::of(key, presence));
    })
    .unwrap();
    assert_eq!(counted.entered, made.len());
    made
}

/// Keys that are known whole, from hexadecimal digits.
pub(super) fn exact(keys: &[&str]) -> Vec<Made> {
    keys.iter().map(|key| Made::Exact(hex(key))).collect()
}
