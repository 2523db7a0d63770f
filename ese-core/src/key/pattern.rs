//! What is known of a key with Unicode text in it: the bytes before the text, and the values from there on (spec 08
//! section 5, I10).
//!
//! How long the sort key of a text is, and with that where the next segment begins and how much room it has, only an
//! entry of the index can tell. So an entry is held against the pattern; a pattern never becomes bytes of its own.

use super::definition::{IndexKey, Segment};
use super::normalize::{KeyLimits, append_segment};
use super::shape::{ShapeError, UnicodeSegment, split_unicode_segment};

/// A key of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyView<'a> {
    /// All its bytes.
    Exact(&'a [u8]),
    /// It has Unicode text in it.
    Pattern(KeyPattern<'a>),
}

impl<'a> KeyView<'a> {
    pub(super) fn new(known: &'a [u8], values: &'a [u8]) -> KeyView<'a> {
        if values.is_empty() { KeyView::Exact(known) } else { KeyView::Pattern(KeyPattern { known, values }) }
    }
}

/// A key with at least one text whose sort key is not known. Patterns of one index are equal exactly if their known
/// bytes and all values behind them are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPattern<'a> {
    known: &'a [u8],
    /// The values of the last segments, each as [`push_value`] writes it.
    values: &'a [u8],
}

impl<'a> KeyPattern<'a> {
    /// A pattern of `known` bytes and of `values`, each as [`push_value`] writes it.
    pub(crate) const fn of_parts(known: &'a [u8], values: &'a [u8]) -> KeyPattern<'a> {
        KeyPattern { known, values }
    }

    /// The key's bytes before its first Unicode text.
    #[must_use]
    pub const fn known(&self) -> &'a [u8] {
        self.known
    }

    /// The values of the segments behind [`known`](Self::known), `None` for NULL, cut to what can change the key. The
    /// first is a Unicode text; the last is that of the last segment.
    pub fn values(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.values;
        std::iter::from_fn(move || {
            let (value, behind) = next_value(rest)?;
            rest = behind;
            Some(value)
        })
    }

    /// Holds `entry`, the key of an entry of `index`, against the pattern: known bytes and computable segments must be
    /// equal, Unicode segments must have their prefix and their end (I10). Each Unicode segment goes to `found` with
    /// the text it was made of, whole code units that count; what precedes a difference is reported before it is
    /// found. `segment_bytes` is a buffer that is reused.
    ///
    /// Only for indexes whose `LCMapFlags` ask for a sort key (0x400).
    ///
    /// # Errors
    /// [`ShapeError`]: where the entry is not a key of these values.
    pub fn match_entry(
        &self,
        index: &IndexKey,
        entry: &[u8],
        segment_bytes: &mut Vec<u8>,
        mut found: impl FnMut(&[u8], UnicodeSegment<'_>),
    ) -> Result<(), ShapeError> {
        let key_most = index.limits.key_most;
        if entry.len() > key_most {
            return Err(ShapeError::TooLong { key_most, found: entry.len() });
        }
        let first = index.segments.len().saturating_sub(self.values().count());
        let mut rest = entry.strip_prefix(self.known).ok_or(ShapeError::Differs { before: first })?;
        for ((position, segment), value) in index.segments.iter().enumerate().skip(first).zip(self.values()) {
            let left = KeyLimits { key_most: index.limits.room(entry.len() - rest.len()), ..index.limits };
            rest = match value {
                Some(text) if segment.is_unicode() && !text.is_empty() => {
                    if left.key_most == 0 {
                        continue;
                    }
                    let (sort_key, behind) = split_unicode_segment(rest, segment, left)?;
                    found(whole_units(text), sort_key);
                    behind
                }
                _ => strip_segment(rest, segment, value, left, segment_bytes)
                    .ok_or(ShapeError::Differs { before: position + 1 })?,
            };
        }
        if rest.is_empty() { Ok(()) } else { Err(ShapeError::Trailing { found: rest.len() }) }
    }
}

/// What follows the segment of `value` in `rest`; `None` if `rest` does not begin with it.
fn strip_segment<'k>(
    rest: &'k [u8],
    segment: &Segment,
    value: Option<&[u8]>,
    left: KeyLimits,
    segment_bytes: &mut Vec<u8>,
) -> Option<&'k [u8]> {
    segment_bytes.clear();
    append_segment(segment_bytes, segment, value, left).ok()?;
    rest.strip_prefix(segment_bytes.as_slice())
}

/// Half a code unit at the end of a text is not sorted.
fn whole_units(text: &[u8]) -> &[u8] {
    let (units, _) = text.as_chunks::<{ size_of::<u16>() }>();
    units.as_flattened()
}

/// Appends one value: a byte that is 0 for NULL and else 1, then the length in four bytes, then the value.
pub(crate) fn push_value(values: &mut Vec<u8>, value: Option<&[u8]>) {
    values.push(u8::from(value.is_some()));
    if let Some(value) = value {
        // No value of the format reaches 4 GiB; of one that did, the beginning would do.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        values.extend_from_slice(&length.to_le_bytes());
        values.extend(value.iter().take(usize::try_from(length).unwrap_or(usize::MAX)));
    }
}

/// The first value in `values`, and what follows it; `None` at the end.
fn next_value(values: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (is_some, rest) = values.split_first()?;
    if *is_some == 0 {
        return Some((None, rest));
    }
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((Some(value), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shape::SegmentEnd;
    use super::super::testing::{Of, Record, Seg, definition, down, hex, index, keys, record, up, utf16};
    use super::super::{IndexDefinition, KeyScratch, check_sort_key_shape, for_each_key};
    use super::*;
    use crate::format::{ColumnType, IndexFlags};

    const LONG: Of = Of::Sized(ColumnType::Long);
    /// The segment of "x".
    const X: &str = "7f0ea60101010100";

    /// Texts and their segments.
    type Found = Vec<(Vec<u8>, Vec<u8>)>;

    /// Holds `entry` against the one pattern of `record`.
    fn matched(index: &IndexKey, record: &Record, entry: &[u8]) -> Result<Found, ShapeError> {
        let mut outcome = None;
        for_each_key(index, &mut record.clone(), &mut KeyScratch::default(), |key, _| {
            let KeyView::Pattern(pattern) = key else { panic!("no text in {key:?}") };
            let mut found = Vec::new();
            let matched = pattern.match_entry(index, entry, &mut Vec::new(), |text, segment| {
                found.push((text.to_vec(), segment.bytes.to_vec()));
                if segment.end == SegmentEnd::Terminated {
                    assert_eq!(check_sort_key_shape(&segment), Ok(()));
                }
            });
            assert!(outcome.replace(matched.map(|()| found)).is_none(), "one key");
        })
        .unwrap();
        outcome.unwrap()
    }

    fn mixed() -> (IndexKey, Record) {
        let index =
            index(IndexFlags::empty(), &[up(LONG), up(Of::Unicode), up(Of::Ascii), down(Of::Unicode), up(LONG)]);
        let values = record(&[Some(hex("05000000")), Some(utf16("x")), Some(b"ab".to_vec()), Some(utf16("x")), None]);
        (index, values)
    }

    fn mixed_entry() -> Vec<u8> {
        let x_descending: Vec<u8> = hex(X).iter().map(|byte| !byte).collect();
        [hex("7f80000005"), hex(X), hex("7f414200"), x_descending, hex("00")].concat()
    }

    #[test]
    fn an_entry_of_the_record_gives_each_text_with_its_segment() {
        let (index, values) = mixed();
        let flipped = hex(X).iter().map(|byte| !byte).collect();
        let found = vec![(utf16("x"), hex(X)), (utf16("x"), flipped)];
        assert_eq!(matched(&index, &values, &mixed_entry()), Ok(found));
    }

    #[test]
    fn an_entry_of_another_record_does_not_match() {
        let (index, values) = mixed();
        let entry = mixed_entry();
        for (at, error) in [
            (2, ShapeError::Differs { before: 1 }),
            (5, ShapeError::Prefix { expected: 0x7F, found: 0x7E }),
            (14, ShapeError::Differs { before: 3 }),
            (17, ShapeError::Prefix { expected: 0x80, found: 0x81 }),
            (25, ShapeError::Differs { before: 5 }),
        ] {
            let mut other = entry.clone();
            other[at] ^= 1;
            assert_eq!(matched(&index, &values, &other), Err(error), "byte {at}");
        }
        let longer = [&entry[..], &[0]].concat();
        assert_eq!(matched(&index, &values, &longer), Err(ShapeError::Trailing { found: 1 }));
        let too_long = vec![0; 256];
        assert_eq!(matched(&index, &values, &too_long), Err(ShapeError::TooLong { key_most: 255, found: 256 }));
        for length in 0..entry.len() {
            assert!(matched(&index, &values, &entry[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn segments_behind_a_text_are_cut_to_the_room_that_it_leaves() {
        let segments = [up(Of::Unicode), up(Of::Ascii), up(Of::Unicode), up(LONG)];
        let small = IndexDefinition { key_most: Some(12), ..definition(IndexFlags::empty(), &segments) };
        let small = IndexKey::new(small).unwrap();
        let values = record(&[Some(utf16("x")), Some(b"abcde".to_vec()), Some(utf16("y")), Some(hex("05000000"))]);
        // Room for three bytes of text, the last of which has lost 0x20; none for what follows.
        let entry = [hex(X), hex("7f414243")].concat();
        assert_eq!(matched(&small, &values, &entry), Ok(vec![(utf16("x"), hex(X))]));
        // The sort key alone fills the key.
        let entry = [hex("7f"), hex("0ea6").repeat(5), hex("0e")].concat();
        assert_eq!(matched(&small, &values, &entry), Ok(vec![(utf16("x"), entry)]));
    }

    #[test]
    fn only_so_much_of_a_text_counts_as_is_sorted() {
        let long = [utf16(&"x".repeat(130)), vec![1]].concat();
        let entry = hex(X);
        let text = |key_most| {
            let definition = IndexDefinition { key_most, ..definition(IndexFlags::empty(), &[up(Of::Unicode)]) };
            let found = matched(&IndexKey::new(definition).unwrap(), &record(&[Some(long.clone())]), &entry);
            found.unwrap().remove(0).0
        };
        assert_eq!(text(None), utf16(&"x".repeat(127)));
        assert_eq!(text(Some(1000)), utf16(&"x".repeat(130)));
    }

    #[test]
    fn keys_without_characters_are_no_patterns() {
        let index = index(IndexFlags::empty(), &[up(Of::Unicode), up(LONG)]);
        for (value, key) in [(None, "00 00"), (Some(vec![]), "40 00")] {
            assert_eq!(keys(&index, &record(&[value, None])), super::super::testing::exact(&[key]));
        }
    }

    fn any_segment() -> impl Strategy<Value = Seg> {
        let kinds = prop_oneof![Just(Of::Unicode), Just(Of::Ascii), Just(Of::Binary), Just(LONG)];
        (kinds, any::<bool>()).prop_map(|(of, descends)| if descends { down(of) } else { up(of) })
    }

    proptest! {
        #[test]
        fn any_entry_matches_or_not_and_what_is_found_lies_in_it(
            segments in prop::collection::vec(any_segment(), 1..5),
            values in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 4)), 5),
            entry in prop::collection::vec(prop_oneof![Just(0x7Fu8), 0..3u8, any::<u8>()], 0..40),
            key_most in 1..40u16,
        ) {
            let definition = IndexDefinition { key_most: Some(key_most), ..definition(IndexFlags::empty(), &segments) };
            let index = IndexKey::new(definition).unwrap();
            let mut bytes = Vec::new();
            for_each_key(&index, &mut record(&values), &mut KeyScratch::default(), |key, _| match key {
                KeyView::Exact(key) => assert!(key.len() <= usize::from(key_most)),
                KeyView::Pattern(pattern) => {
                    let with_known = [pattern.known(), &entry].concat();
                    for entry in [&entry, &with_known] {
                        let _ = pattern.match_entry(&index, entry, &mut bytes, |_, segment| {
                            assert!(entry.windows(segment.bytes.len()).any(|window| window == segment.bytes));
                        });
                    }
                }
            }).unwrap();
        }
    }
}
