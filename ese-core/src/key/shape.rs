//! What can be said of the sort key of a text without Windows' tables: where it ends in a key, and how many parts it
//! has (spec 08 section 2.5; section 5, I10 and I11).
//!
//! Works on bytes of index entries, which may be anything. It never says that a sort key is right, only that it could
//! be one.

use thiserror::Error;

use super::definition::Segment;
use super::normalize::{KeyLimits, PREFIX_DATA};

/// Separates the parts of a sort key.
const SEPARATOR: u8 = 0x01;
/// Ends a sort key.
const TERMINATOR: u8 = 0x00;
/// Separators in a sort key of five parts.
const SEPARATORS: usize = 4;
/// Bytes of primary weights from which on the last part, which counts pairs of them, can have a separator or a
/// terminator among its own bytes.
const PRIMARY_AMBIGUOUS: usize = 254 * 2;
/// Bytes of an entry of the last part: position, then weights.
const SPECIAL: usize = 4;

/// Where the key of an entry is no key of its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ShapeError {
    /// Longer than the index allows.
    #[error("index key: expected at most {key_most} bytes, found {found}")]
    TooLong {
        /// Longest key in bytes.
        key_most: usize,
        /// Bytes of the entry's key.
        found: usize,
    },
    /// Bytes that were computed are not there.
    #[error("index key: expected the bytes of the record before segment {before} (0-based), found others")]
    Differs {
        /// The segment behind the last one that was compared, 0-based.
        before: usize,
    },
    /// Another first byte than that of a value.
    #[error("Unicode segment: expected the prefix {expected:#04x}, found {found:#04x}")]
    Prefix {
        /// The byte for a value.
        expected: u8,
        /// The byte that is there.
        found: u8,
    },
    /// Neither a terminator nor a reason to be without.
    #[error("Unicode segment: expected a terminator or {room} bytes, found {found} bytes without one")]
    Unterminated {
        /// Bytes that a cut segment would have.
        room: usize,
        /// Bytes found.
        found: usize,
    },
    /// Too few or too many parts.
    #[error("sort key: expected {SEPARATORS} separators, found {found}")]
    Separators {
        /// Separators found.
        found: usize,
    },
    /// More bytes than the segments have.
    #[error("index key: expected its end, found {found} more bytes")]
    Trailing {
        /// Bytes behind the last segment.
        found: usize,
    },
}

/// A Unicode segment as an entry has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnicodeSegment<'a> {
    /// All its bytes, prefix and terminator included, flipped if it is descending: equal texts of an index must have
    /// equal ones, up to the shorter one where a segment was cut.
    pub bytes: &'a [u8],
    /// How it ends.
    pub end: SegmentEnd,
    flip: u8,
}

/// How a Unicode segment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SegmentEnd {
    /// With its terminator.
    Terminated,
    /// Where there was no more room.
    Cut,
}

/// Splits `rest`, an entry's key from a Unicode segment on, behind that segment (I10): it begins with the prefix of a
/// value and goes to its terminator, or as far as `limits` let it, where `key_most` is the room left in the key.
///
/// # Errors
/// [`ShapeError::Prefix`]; [`ShapeError::Unterminated`] if it ends before the room does, and if it is empty.
pub fn split_unicode_segment<'k>(
    rest: &'k [u8],
    segment: &Segment,
    limits: KeyLimits,
) -> Result<(UnicodeSegment<'k>, &'k [u8]), ShapeError> {
    let room = limits.segment_room(0);
    let flip = segment.flip;
    let window = rest.get(..room).unwrap_or(rest);
    let unterminated = ShapeError::Unterminated { room, found: window.len() };
    let (prefix, sort_key) = window.split_first().ok_or(unterminated)?;
    let expected = PREFIX_DATA ^ flip;
    if *prefix != expected {
        return Err(ShapeError::Prefix { expected, found: *prefix });
    }
    let (length, end) = match terminator(sort_key, flip) {
        Some(at) => (at + 2, SegmentEnd::Terminated),
        None => (room, SegmentEnd::Cut),
    };
    // A cut segment takes all its room: the key must have as much.
    let (bytes, behind) = rest.split_at_checked(length).ok_or(unterminated)?;
    Ok((UnicodeSegment { bytes, end, flip }, behind))
}

/// Checks that a sort key made with `LCMapFlags` 0x30401 has its five parts (I11). Nothing is asked of one that was
/// cut, nor of one with so many primary weights that its last part may contain a separator.
///
/// # Errors
/// [`ShapeError::Separators`].
pub fn check_sort_key_shape(segment: &UnicodeSegment<'_>) -> Result<(), ShapeError> {
    let separator = SEPARATOR ^ segment.flip;
    let sort_key = segment.bytes.get(1..).unwrap_or_default();
    if segment.end == SegmentEnd::Cut || primary_bytes(sort_key, separator) >= PRIMARY_AMBIGUOUS {
        return Ok(());
    }
    match sort_key.iter().filter(|byte| **byte == separator).count() {
        SEPARATORS => Ok(()),
        found => Err(ShapeError::Separators { found }),
    }
}

/// Bytes before the first separator.
fn primary_bytes(sort_key: &[u8], separator: u8) -> usize {
    sort_key.iter().position(|byte| *byte == separator).unwrap_or(sort_key.len())
}

/// Where `sort_key` has its terminator. That is its first zero, unless the last part may contain zeros; that part is
/// then walked entry by entry, none of which begins with a zero.
fn terminator(sort_key: &[u8], flip: u8) -> Option<usize> {
    let (separator, terminator) = (SEPARATOR ^ flip, TERMINATOR ^ flip);
    let first = sort_key.iter().position(|byte| *byte == terminator)?;
    let ambiguous = primary_bytes(sort_key, separator) >= PRIMARY_AMBIGUOUS;
    let mut separators = sort_key.iter().take(first).enumerate().filter(|(_, byte)| **byte == separator);
    match separators.nth(SEPARATORS - 1) {
        Some((last, _)) if ambiguous => {
            let mut entries = sort_key.iter().enumerate().skip(last + 1).step_by(SPECIAL);
            entries.find(|(_, byte)| **byte == terminator).map(|(at, _)| at)
        }
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Of, down, hex, up};
    use super::*;
    use crate::format::IndexFlags;

    const FULL: KeyLimits = KeyLimits { key_most: 2000, segment_most: 2000 };

    fn ascending() -> Segment {
        up(Of::Unicode).build(0, IndexFlags::empty())
    }

    fn descending() -> Segment {
        down(Of::Unicode).build(0, IndexFlags::empty())
    }

    fn flipped(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().map(|byte| !byte).collect()
    }

    /// Two segments that Windows wrote: of "x", and of `lab\dc-1$` with a zero.
    const SEGMENTS: [&str; 2] = ["7f0ea60101010100", "7f0e480e020e0907410e1a0e0a0d1a072101010101fff9821200"];

    #[test]
    fn a_segment_ends_with_its_terminator() {
        for segment in SEGMENTS.map(hex) {
            for behind in [&[][..], &[0x7F, 0], &[0]] {
                let key = [&segment, behind].concat();
                let (split, rest) = split_unicode_segment(&key, &ascending(), FULL).unwrap();
                assert_eq!((split.bytes, split.end, rest), (&segment[..], SegmentEnd::Terminated, behind));
                assert_eq!(check_sort_key_shape(&split), Ok(()));

                let key = [flipped(&segment), behind.to_vec()].concat();
                let (split, rest) = split_unicode_segment(&key, &descending(), FULL).unwrap();
                assert_eq!((split.bytes, rest), (&flipped(&segment)[..], behind));
                assert_eq!(check_sort_key_shape(&split), Ok(()));
            }
        }
    }

    #[test]
    fn a_segment_without_terminator_must_fill_its_room() {
        let key = hex("7f0ea60e");
        for limits in [KeyLimits { key_most: 4, segment_most: 9 }, KeyLimits { key_most: 9, segment_most: 4 }] {
            let (split, rest) = split_unicode_segment(&key, &ascending(), limits).unwrap();
            assert_eq!((split.bytes, split.end, rest), (&key[..], SegmentEnd::Cut, &[][..]));
            assert_eq!(check_sort_key_shape(&split), Ok(()));
        }
        let (split, rest) =
            split_unicode_segment(&key, &ascending(), KeyLimits { key_most: 9, segment_most: 2 }).unwrap();
        assert_eq!((split.bytes, rest), (&key[..2], &key[2..]));
        let refused = split_unicode_segment(&key, &ascending(), KeyLimits { key_most: 5, segment_most: 5 });
        assert_eq!(refused, Err(ShapeError::Unterminated { room: 5, found: 4 }));
        assert_eq!(
            split_unicode_segment(&[], &ascending(), FULL),
            Err(ShapeError::Unterminated { room: 2000, found: 0 })
        );
    }

    #[test]
    fn a_segment_of_a_text_begins_with_the_prefix_of_a_value() {
        for (segment, expected, found) in
            [(ascending(), 0x7F, 0x40), (ascending(), 0x7F, 0x80), (descending(), 0x80, 0x7F)]
        {
            let key = [found, 1, 1, 1, 1, 0];
            let refused = split_unicode_segment(&key, &segment, FULL);
            assert_eq!(refused, Err(ShapeError::Prefix { expected, found }));
        }
    }

    #[test]
    fn a_sort_key_has_four_separators() {
        for (key, found) in [("7f0ea601010100", 3), ("7f0ea6010101010100", 5), ("7f00", 0)] {
            let key = hex(key);
            let (split, _) = split_unicode_segment(&key, &ascending(), FULL).unwrap();
            assert_eq!(check_sort_key_shape(&split), Err(ShapeError::Separators { found }));
        }
    }

    #[test]
    fn the_last_part_behind_very_many_weights_may_contain_separators_and_zeros() {
        for (pairs, position) in [(254, [0xFF, 0x01]), (255, [0xFF, 0x00]), (511, [0xFE, 0x00])] {
            let hyphen = [&position[..], &[0x82, 0x12]].concat();
            let sort_key = [&[0x0E, 0xA6].repeat(pairs), &[1, 1, 1, 1][..], &hyphen, &hyphen, &[0]].concat();
            let segment = [&[PREFIX_DATA], &sort_key[..]].concat();
            let key = [&segment[..], &[0x7F, 0x80]].concat();
            let (split, rest) = split_unicode_segment(&key, &ascending(), FULL).unwrap();
            assert_eq!((split.bytes, rest), (&segment[..], &[0x7F, 0x80][..]));
            assert_eq!(check_sort_key_shape(&split), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_split_into_themselves_or_an_error(
            key in prop::collection::vec(prop_oneof![Just(0x7Fu8), Just(0x80), 0..3u8, any::<u8>()], 0..1200),
            descends: bool, key_most in 0..1200usize, segment_most in 1..1200usize,
        ) {
            let segment = if descends { descending() } else { ascending() };
            if let Ok((split, rest)) = split_unicode_segment(&key, &segment, KeyLimits { key_most, segment_most }) {
                prop_assert_eq!(&[split.bytes, rest].concat(), &key);
                prop_assert!(!split.bytes.is_empty() && split.bytes.len() <= key_most.min(segment_most));
                let _ = check_sort_key_shape(&split);
            }
        }
    }
}
