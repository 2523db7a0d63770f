//! The columns of an index row in the catalog: flags, segment lists, limits of tuples (spec 08 section 1, 05
//! section 5).
//!
//! Each is decoded for itself from the bytes of its column, never against a table: whether the columns named exist is
//! for the caller to see.

use bitflags::bitflags;
use thiserror::Error;

use super::PageSize;

/// Longest key in bytes of an index whose row has no `KeyMost`. Such indexes cut Unicode text before sorting it.
pub const KEY_MOST_DEFAULT: usize = 255;

/// Longest key in bytes that any page size allows.
pub const KEY_MOST_LARGEST: usize = key_most_limit(PageSize::K32);

/// Most segments of a key, and most conditions of an index.
pub const SEGMENTS_MOST: usize = 16;

/// Shortest and longest piece that a tuple index may ask for, in code units or bytes.
pub const TUPLE_LENGTHS: std::ops::RangeInclusive<u32> = 2..=255;

/// Longest key in bytes that a database with pages of `size` may choose for an index.
#[must_use]
pub const fn key_most_limit(size: PageSize) -> usize {
    match size {
        PageSize::K2 => 500,
        PageSize::K4 => 1000,
        PageSize::K8 | PageSize::K16 | PageSize::K32 => 2000,
    }
}

bitflags! {
    /// Flags of an index: the low half as spec 08 section 1.2, the high half as section 1.3. Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct IndexFlags: u32 {
        /// The key alone identifies an entry.
        const UNIQUE = 0x0001;
        /// An entry is made when every segment is NULL.
        const ALLOW_ALL_NULLS = 0x0002;
        /// An entry is made when the first segment is NULL and another is not.
        const ALLOW_FIRST_NULL = 0x0004;
        /// An entry is made when the first segment is not NULL and another is.
        const ALLOW_SOME_NULLS = 0x0008;
        /// Records with a NULL in any segment are refused.
        const NO_NULL_SEGMENT = 0x0010;
        /// The table's own tree.
        const PRIMARY = 0x0020;
        /// The creator named the locale; says nothing of keys.
        const LOCALE_SET = 0x0040;
        /// Some segment's column is multi-valued.
        const MULTI_VALUED = 0x0080;
        /// Index of a template table.
        const TEMPLATE = 0x0100;
        /// Inherited: the definition is the template's.
        const DERIVED = 0x0200;
        /// Some segment is Unicode text.
        const LOCALIZED_TEXT = 0x0400;
        /// NULL sorts behind data.
        const NULLS_HIGH = 0x0800;
        /// Obsolete.
        const UNICODE_FIX_UP = 0x1000;
        /// All combinations of the values of multi-valued segments are entered.
        const CROSS_PRODUCT = 0x2000;
        /// Records whose key would be truncated are refused.
        const NO_TRUNCATION = 0x4000;
        /// Values of equal position in multi-valued segments go together.
        const NESTED_TABLE = 0x8000;

        /// Segments and conditions take four bytes each, not two.
        const EXTENDED = 0x0001_0000;
        /// GUIDs sort as .NET sorts them.
        const DOT_NET_GUID = 0x0002_0000;
        /// The index is not complete yet.
        const DEFERRED_POPULATE = 0x0004_0000;
        /// Uniqueness may be given up; stored as not unique.
        const OPTIONALLY_UNIQUE = 0x0008_0000;

        const _ = !0;
    }
}

bitflags! {
    /// Flags of one segment or condition (spec 08 section 1.4). Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct SegmentFlags: u8 {
        /// A condition: the column must be NULL; clear: it must not.
        const MUST_BE_NULL = 0x20;
        /// A segment: sorts from high to low.
        const DESCENDING = 0x40;
        /// The column is the template table's.
        const TEMPLATE = 0x80;

        const _ = !0;
    }
}

bitflags! {
    /// `LCMapFlags` of an index: what Windows' sort key of its Unicode text is made with (spec 08 section 2.5). Unknown
    /// bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct LcMapFlags: u32 {
        /// Ignore case.
        const IGNORE_CASE = 0x1;
        /// Make a sort key at all.
        const SORT_KEY = 0x400;
        /// Ignore the type of kana.
        const IGNORE_KANA_TYPE = 0x1_0000;
        /// Ignore the width.
        const IGNORE_WIDTH = 0x2_0000;

        const _ = !0;
    }
}

/// `LCMapFlags` of nearly every index, and of those whose row has none: sort keys of five parts.
pub const LC_MAP_DEFAULT: LcMapFlags = LcMapFlags::IGNORE_CASE
    .union(LcMapFlags::SORT_KEY)
    .union(LcMapFlags::IGNORE_KANA_TYPE)
    .union(LcMapFlags::IGNORE_WIDTH);

/// Which of the two lists of columns is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyFieldList {
    /// `KeyFldIDs`: the segments of the key.
    Segments,
    /// `ConditionalColumns`: what decides whether a record is in the index.
    Conditions,
}

impl KeyFieldList {
    /// The flag that a negative number of the two-byte form means.
    const fn negative(self) -> SegmentFlags {
        match self {
            Self::Segments => SegmentFlags::DESCENDING,
            Self::Conditions => SegmentFlags::MUST_BE_NULL,
        }
    }
}

/// One column of `KeyFldIDs` or `ConditionalColumns`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyField {
    /// Id of the column; 0 names none.
    pub column_id: u16,
    /// Direction, or what the condition asks; whose column it is. The two-byte form does not say whose: the template's
    /// column wins there.
    pub flags: SegmentFlags,
}

/// A list of segments or conditions that is no such list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum KeyFieldError {
    /// The length does not divide into entries.
    #[error("list of index columns: expected a multiple of {entry} bytes, found {found}")]
    Length {
        /// Bytes of an entry.
        entry: usize,
        /// Bytes found.
        found: usize,
    },
    /// There are more entries than an index may have, or no segment at all.
    #[error("list of index columns: expected {least} to {SEGMENTS_MOST} entries, found {found}")]
    Count {
        /// Fewest entries allowed.
        least: usize,
        /// Entries found.
        found: usize,
    },
}

/// Reads the list of columns in `bytes`, in the encoding that the index's `flags` name (spec 08 section 1.4).
///
/// # Errors
/// [`KeyFieldError`] if the length does not fit, if there are more than [`SEGMENTS_MOST`], or no segment.
///
/// ```
/// use ese_core::format::{IndexFlags, KeyFieldList, SegmentFlags, parse_key_fields};
/// let fields = parse_key_fields(&[0x40, 0, 0x81, 0], IndexFlags::EXTENDED, KeyFieldList::Segments)?;
/// assert_eq!(fields[0].column_id, 129);
/// assert_eq!(fields[0].flags, SegmentFlags::DESCENDING);
/// # Ok::<(), ese_core::format::KeyFieldError>(())
/// ```
pub fn parse_key_fields(bytes: &[u8], flags: IndexFlags, list: KeyFieldList) -> Result<Vec<KeyField>, KeyFieldError> {
    let (fields, entry, rest) = if flags.contains(IndexFlags::EXTENDED) {
        let (entries, rest) = bytes.as_chunks();
        (entries.iter().map(extended_field).collect::<Vec<_>>(), 4, rest)
    } else {
        let (entries, rest) = bytes.as_chunks();
        (entries.iter().map(|entry| short_field(*entry, list)).collect(), 2, rest)
    };
    let least = usize::from(list == KeyFieldList::Segments);
    if !rest.is_empty() {
        Err(KeyFieldError::Length { entry, found: bytes.len() })
    } else if !(least..=SEGMENTS_MOST).contains(&fields.len()) {
        Err(KeyFieldError::Count { least, found: fields.len() })
    } else {
        Ok(fields)
    }
}

/// Flags, a byte that means nothing, column id.
fn extended_field([flags, _, low, high]: &[u8; 4]) -> KeyField {
    KeyField { column_id: u16::from_le_bytes([*low, *high]), flags: SegmentFlags::from_bits_retain(*flags) }
}

fn short_field(entry: [u8; 2], list: KeyFieldList) -> KeyField {
    let number = i16::from_le_bytes(entry);
    let flags = if number < 0 { list.negative() } else { SegmentFlags::empty() };
    KeyField { column_id: number.unsigned_abs(), flags }
}

/// How a tuple index cuts its text into pieces (spec 08 section 4.4). Lengths and positions count UTF-16 code units in
/// text of code page 1200, else bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TupleLimits {
    /// A piece that is shorter ends the text.
    pub shortest: u32,
    /// No piece is longer.
    pub longest: u32,
    /// No more pieces than this are taken of one text.
    pub pieces_most: u32,
    /// From the beginning of one piece to the beginning of the next.
    pub increment: u32,
    /// Where the first piece begins.
    pub start: u32,
}

/// Limits of tuples that no index can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TupleLimitsError {
    /// Neither the form of three numbers nor that of five.
    #[error("tuple limits: expected 12 or 20 bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// Lengths outside 2 to 255, or the shortest is longer than the longest.
    #[error("tuple limits: expected lengths from 2 to 255, found {shortest} to {longest}")]
    Lengths {
        /// Shortest piece.
        shortest: u32,
        /// Longest piece.
        longest: u32,
    },
    /// No piece would be taken, or the same one for ever.
    #[error("tuple limits: expected pieces and increment above 0, found {pieces_most} and {increment}")]
    Zero {
        /// Most pieces.
        pieces_most: u32,
        /// Step between pieces.
        increment: u32,
    },
}

impl TupleLimits {
    /// Reads the column `TupleLimits`: five numbers, or three, which step by 1 from 0.
    ///
    /// # Errors
    /// [`TupleLimitsError`] for another length, and for limits that the engine does not accept.
    pub fn parse(bytes: &[u8]) -> Result<TupleLimits, TupleLimitsError> {
        let (numbers, rest) = bytes.as_chunks();
        let (shortest, longest, pieces_most, increment, start) = match (numbers, rest) {
            ([a, b, c], []) => (a, b, c, &[1, 0, 0, 0], &[0; 4]),
            ([a, b, c, d, e], []) => (a, b, c, d, e),
            _ => return Err(TupleLimitsError::Length { found: bytes.len() }),
        };
        let [shortest, longest, pieces_most, increment, start] =
            [shortest, longest, pieces_most, increment, start].map(|number| u32::from_le_bytes(*number));
        if !TUPLE_LENGTHS.contains(&shortest) || !TUPLE_LENGTHS.contains(&longest) || shortest > longest {
            Err(TupleLimitsError::Lengths { shortest, longest })
        } else if pieces_most == 0 || increment == 0 {
            Err(TupleLimitsError::Zero { pieces_most, increment })
        } else {
            Ok(TupleLimits { shortest, longest, pieces_most, increment, start })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(column_id: u16, flags: SegmentFlags) -> KeyField {
        KeyField { column_id, flags }
    }

    #[test]
    fn segments_of_four_bytes_name_column_and_direction() {
        let ix_desc = [0x40, 0, 0x81, 0, 0, 0, 0x05, 0];
        let fields = parse_key_fields(&ix_desc, IndexFlags::EXTENDED, KeyFieldList::Segments);
        assert_eq!(fields, Ok(vec![field(129, SegmentFlags::DESCENDING), field(5, SegmentFlags::empty())]));
        let derived = parse_key_fields(&[0x80, 0, 0, 1], IndexFlags::EXTENDED, KeyFieldList::Segments);
        assert_eq!(derived, Ok(vec![field(256, SegmentFlags::TEMPLATE)]));
    }

    #[test]
    fn conditions_say_whether_null_is_asked() {
        let ix_condn = [0x20, 0, 0, 1, 0, 0, 0x80, 0];
        let fields = parse_key_fields(&ix_condn, IndexFlags::EXTENDED, KeyFieldList::Conditions);
        assert_eq!(fields, Ok(vec![field(256, SegmentFlags::MUST_BE_NULL), field(128, SegmentFlags::empty())]));
        assert_eq!(parse_key_fields(&[], IndexFlags::EXTENDED, KeyFieldList::Conditions), Ok(vec![]));
    }

    #[test]
    fn a_negative_number_of_two_bytes_sets_the_flag_of_its_list() {
        let bytes = [0x7f, 0xff, 0x05, 0x00, 0x00, 0x80];
        for (list, flag) in
            [(KeyFieldList::Segments, SegmentFlags::DESCENDING), (KeyFieldList::Conditions, SegmentFlags::MUST_BE_NULL)]
        {
            let fields = parse_key_fields(&bytes, IndexFlags::empty(), list);
            assert_eq!(fields, Ok(vec![field(129, flag), field(5, SegmentFlags::empty()), field(32768, flag)]));
        }
    }

    #[test]
    fn lists_of_wrong_length_are_refused() {
        let segments = |bytes: &[u8], flags| parse_key_fields(bytes, flags, KeyFieldList::Segments);
        assert_eq!(segments(&[0; 6], IndexFlags::EXTENDED), Err(KeyFieldError::Length { entry: 4, found: 6 }));
        assert_eq!(segments(&[0; 3], IndexFlags::empty()), Err(KeyFieldError::Length { entry: 2, found: 3 }));
        assert_eq!(segments(&[], IndexFlags::EXTENDED), Err(KeyFieldError::Count { least: 1, found: 0 }));
        assert_eq!(segments(&[0; 68], IndexFlags::EXTENDED), Err(KeyFieldError::Count { least: 1, found: 17 }));
        assert_eq!(segments(&[0; 64], IndexFlags::EXTENDED).map(|fields| fields.len()), Ok(16));
    }

    fn limits(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn three_tuple_limits_step_by_one_from_zero() {
        let five = TupleLimits::parse(&limits(&[3, 10, 32767, 1, 0]));
        assert_eq!(five, Ok(TupleLimits { shortest: 3, longest: 10, pieces_most: 32767, increment: 1, start: 0 }));
        assert_eq!(TupleLimits::parse(&limits(&[3, 10, 32767])), five);
    }

    #[test]
    fn tuple_limits_that_never_end_or_never_begin_are_refused() {
        assert_eq!(TupleLimits::parse(&[0; 16]), Err(TupleLimitsError::Length { found: 16 }));
        assert_eq!(TupleLimits::parse(&[0; 13]), Err(TupleLimitsError::Length { found: 13 }));
        for (shortest, longest) in [(1, 10), (3, 256), (10, 3)] {
            let refused = Err(TupleLimitsError::Lengths { shortest, longest });
            assert_eq!(TupleLimits::parse(&limits(&[shortest, longest, 5, 1, 0])), refused);
        }
        for (pieces_most, increment) in [(0, 1), (5, 0)] {
            let refused = Err(TupleLimitsError::Zero { pieces_most, increment });
            assert_eq!(TupleLimits::parse(&limits(&[3, 10, pieces_most, increment, 0])), refused);
        }
    }

    #[test]
    fn the_usual_flags_of_sort_keys_are_those_of_the_spec() {
        assert_eq!(LC_MAP_DEFAULT.bits(), 0x3_0401);
    }

    #[test]
    fn unknown_flags_are_kept() {
        assert_eq!(IndexFlags::from_bits_retain(0x8010_0001).bits(), 0x8010_0001);
        assert_eq!(SegmentFlags::from_bits_retain(0x41).bits(), 0x41);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_of_lawful_length_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80), flags: u32,
        ) {
            let flags = IndexFlags::from_bits_retain(flags);
            let entry = if flags.contains(IndexFlags::EXTENDED) { 4 } else { 2 };
            for (list, least) in [(KeyFieldList::Segments, 1), (KeyFieldList::Conditions, 0)] {
                let count = bytes.len() / entry;
                let lawful = bytes.len() % entry == 0 && (least..=SEGMENTS_MOST).contains(&count);
                let fields = parse_key_fields(&bytes, flags, list);
                prop_assert_eq!(fields.map(|fields| fields.len()).ok(), lawful.then_some(count));
            }
        }

        #[test]
        fn any_tuple_limits_are_lawful_or_an_error(numbers in prop::collection::vec(0..300u32, 0..7)) {
            if let Ok(parsed) = TupleLimits::parse(&limits(&numbers)) {
                prop_assert!(2 <= parsed.shortest && parsed.shortest <= parsed.longest && parsed.longest <= 255);
                prop_assert!(parsed.pieces_most > 0 && parsed.increment > 0);
                prop_assert_eq!(&[parsed.shortest, parsed.longest, parsed.pieces_most][..], &numbers[..3]);
            }
        }
    }
}
