//! One value becomes one segment of a key: prefix, bytes by type, cut to the room, flipped if descending (spec 08
//! sections 2 to 2.4).
//!
//! Segments follow each other without separators; what does not fit is left out without a mark. Unicode text is never
//! turned into bytes here, except NULL and empty text.

use thiserror::Error;

use super::definition::{Encoding, Segment};
use super::number::Number;

/// First byte of a segment: a text or binary of length 0; nothing follows.
const PREFIX_EMPTY: u8 = 0x40;
/// First byte of a segment: a value follows.
pub(super) const PREFIX_DATA: u8 = 0x7F;

/// Bytes of binary that are written together.
const GROUP: usize = 8;
/// Bytes that a group takes in the key: itself, then a count.
const GROUP_IN_KEY: usize = GROUP + 1;
/// The count of a group that another one follows.
const GROUP_GOES_ON: u8 = 9;

/// What is taken from a small letter to make it a capital, and from the last byte of text that was cut.
const TO_CAPITAL: u8 = 0x20;

/// How long keys and segments may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyLimits {
    /// Longest key.
    pub key_most: usize,
    /// Longest text or binary segment, with its prefix; as `key_most` where the index sets no limit.
    pub segment_most: usize,
}

impl KeyLimits {
    /// Bytes left behind `used` bytes of key.
    pub(super) const fn room(self, used: usize) -> usize {
        self.key_most.saturating_sub(used)
    }

    /// Bytes that a text or binary segment may take behind `used` bytes of key.
    pub(super) fn segment_room(self, used: usize) -> usize {
        self.room(used).min(self.segment_most)
    }
}

/// Whether a segment could be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SegmentOutcome {
    /// The key has the segment, or as much of it as there was room for.
    Exact,
    /// Unicode text with characters, and room for it: the key is as it was.
    Uncomputable,
}

/// A value of a type of fixed size that has another size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("value of a fixed size: expected {expected} bytes, found {found}")]
pub struct WrongSize {
    /// Bytes of the type.
    pub expected: usize,
    /// Bytes found.
    pub found: usize,
}

/// Appends the segment of `value`, the bytes as stored (decompressed and put together), `None` for NULL, to a key of
/// which `key` is what precedes it.
///
/// # Errors
/// [`WrongSize`] if the value's size is not that of its type. The key is then as it was.
#[inline]
pub fn append_segment(
    key: &mut Vec<u8>,
    segment: &Segment,
    value: Option<&[u8]>,
    limits: KeyLimits,
) -> Result<SegmentOutcome, WrongSize> {
    let room = limits.room(key.len());
    if room == 0 {
        return Ok(SegmentOutcome::Exact);
    }
    match (value, segment.encoding) {
        (None, _) => key.push(segment.null),
        (Some(value), Encoding::Number(number)) => append_number(key, number, value, segment.flip, room)?,
        (Some([]), _) => key.push(PREFIX_EMPTY ^ segment.flip),
        (Some(_), Encoding::Unicode) => return Ok(SegmentOutcome::Uncomputable),
        (Some(value), encoding) => {
            let start = key.len();
            let bytes = limits.segment_room(start).saturating_sub(1);
            key.push(PREFIX_DATA);
            match encoding {
                Encoding::Text => append_text(key, value, bytes),
                Encoding::Grouped => append_groups(key, value, bytes),
                _ => key.extend_from_slice(value.get(..bytes).unwrap_or(value)),
            }
            if segment.is_descending() {
                key.get_mut(start..).unwrap_or_default().iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
    }
    Ok(SegmentOutcome::Exact)
}

#[inline]
fn append_number(key: &mut Vec<u8>, number: Number, value: &[u8], flip: u8, room: usize) -> Result<(), WrongSize> {
    let end = key.len() + room.min(number.size + 1);
    let bytes = number.normalize(value).ok_or(WrongSize { expected: number.size, found: value.len() })?;
    key.push(PREFIX_DATA ^ flip);
    // Appending a length that is always the same and cutting it is faster than appending one that varies.
    key.extend_from_slice(&bytes.map(|byte| byte ^ flip));
    key.truncate(end);
    Ok(())
}

/// Text of at most `most` bytes in capitals. It ends at its first zero byte and with one; if it would not fit, its last
/// byte loses what a small letter would, whatever it is.
fn append_text(key: &mut Vec<u8>, value: &[u8], most: usize) {
    let fitting = value.get(..most).unwrap_or(value);
    let text = before_zero(fitting);
    if text.len() < most {
        append_capitals(key, text);
        key.push(0);
    } else if let Some((last, before)) = text.split_last() {
        append_capitals(key, before);
        key.push(last.wrapping_sub(TO_CAPITAL));
    }
}

/// `text` up to its first zero byte. Hardly any text has one, and asking whether there is one goes by words, while
/// finding it goes by bytes.
fn before_zero(text: &[u8]) -> &[u8] {
    if text.contains(&0) { text.split(|byte| *byte == 0).next().unwrap_or(text) } else { text }
}

/// Only a to z have capitals, whatever the code page.
fn append_capitals(key: &mut Vec<u8>, text: &[u8]) {
    key.extend(text.iter().map(u8::to_ascii_uppercase));
}

/// Groups of eight bytes, each followed by 9, the last one filled with zeros and followed by its own number of bytes;
/// at most `most` bytes of all that. `value` is not empty.
fn append_groups(key: &mut Vec<u8>, value: &[u8], most: usize) {
    let start = key.len();
    let end = start + most;
    let before_last = value.len().saturating_sub(1) / GROUP * GROUP;
    let (before, last) = value.split_at_checked(before_last).unwrap_or((value, &[]));
    let (groups, _) = before.as_chunks::<GROUP>();
    let groups = groups.get(..most.div_ceil(GROUP_IN_KEY)).unwrap_or(groups);
    // Every count is 9 to begin with; the groups go in between.
    key.resize(start + groups.len() * GROUP_IN_KEY, GROUP_GOES_ON);
    let (slots, _) = key.get_mut(start..).unwrap_or_default().as_chunks_mut::<GROUP_IN_KEY>();
    for (slot, group) in slots.iter_mut().zip(groups) {
        slot.split_at_mut(GROUP).0.copy_from_slice(group);
    }
    if key.len() < end {
        key.extend_from_slice(last);
        key.extend(std::iter::repeat_n(0, GROUP - last.len()));
        key.push(u8::try_from(last.len()).unwrap_or(GROUP_GOES_ON));
    }
    key.truncate(end);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{
        Made, Of, Seg, definition, down, exact, hex, index, index_with_flags, keys, record, segment_of, up,
    };
    use super::super::{IndexDefinition, IndexKey};
    use super::*;
    use crate::format::{ColumnType, IndexFlags};

    const LONG: Of = Of::Sized(ColumnType::Long);

    #[test]
    fn text_and_binary_of_the_engine_s_databases_get_its_segments() {
        for (segment, value, expected) in [
            (up(Of::Ascii), "617171706671", "7f41515150465100"),
            (down(Of::Ascii), "70757166726d", "80afaaaeb9adb2ff"),
            (up(Of::Binary), "765ebc105ef0", "7f765ebc105ef0000006"),
            (up(Of::Binary), "dcaa118d4821f0a0", "7fdcaa118d4821f0a008"),
            (
                up(Of::Binary),
                "bf6a79a2b6d3dafa91b9fd0eb448f8978b",
                "7fbf6a79a2b6d3dafa0991b9fd0eb448f897098b0000000000000001",
            ),
            (up(Of::FixedBinary), "765ebc105ef0", "7f765ebc105ef0"),
        ] {
            assert_eq!(segment_of(segment, Some(&hex(value)), 255), hex(expected), "{value}");
        }
    }

    #[test]
    fn null_and_empty_are_one_byte_even_of_unicode() {
        for of in [LONG, Of::Binary, Of::Ascii, Of::Unicode] {
            assert_eq!(segment_of(up(of), None, 255), [0x00]);
            assert_eq!(segment_of(down(of), None, 255), [0xFF]);
        }
        for of in [Of::Binary, Of::Ascii, Of::Unicode] {
            assert_eq!(segment_of(up(of), Some(&[]), 255), [0x40]);
            assert_eq!(segment_of(down(of), Some(&[]), 255), [0xBF]);
        }
    }

    #[test]
    fn nulls_high_sort_behind_data() {
        let ix_high = index(IndexFlags::NULLS_HIGH, &[up(LONG), up(Of::Ascii)]);
        let made = |values: &[Option<Vec<u8>>]| keys(&ix_high, &record(values));
        assert_eq!(made(&[Some(hex("a6240100")), None]), exact(&["7f800124a6 c0"]));
        assert_eq!(made(&[None, Some(vec![])]), exact(&["c0 40"]));
        let descending = index(IndexFlags::NULLS_HIGH, &[down(LONG)]);
        assert_eq!(keys(&descending, &record(&[None])), exact(&["3f"]));
    }

    #[test]
    fn whole_keys_of_the_engine_s_databases_come_out() {
        let sized = |column_type| Of::Sized(column_type);
        let ix_ll = [
            down(sized(ColumnType::LongLong)),
            up(sized(ColumnType::UnsignedLong)),
            up(sized(ColumnType::UnsignedShort)),
            up(sized(ColumnType::UnsignedByte)),
        ];
        let values = record(&[None, Some(hex("b019abf3")), Some(hex("0f4f")), Some(hex("50"))]);
        assert_eq!(keys(&index(IndexFlags::empty(), &ix_ll), &values), exact(&["ff 7ff3ab19b0 7f4f0f 7f50"]));

        let ix_desc = index(IndexFlags::empty(), &[down(Of::Ascii), up(LONG)]);
        assert_eq!(keys(&ix_desc, &record(&[None, Some(hex("73010000"))])), exact(&["ff 7f80000173"]));

        let root_objects = index(IndexFlags::empty(), &[up(sized(ColumnType::Bit)), up(Of::Ascii)]);
        let values = record(&[Some(vec![0xFF]), Some(b"MSysObjids".to_vec())]);
        assert_eq!(keys(&root_objects, &values), exact(&["7fff 7f4d5359534f424a49445300"]));

        let ix_ul = [
            up(sized(ColumnType::UnsignedLong)),
            down(sized(ColumnType::UnsignedShort)),
            up(sized(ColumnType::Short)),
            down(LONG),
        ];
        let values = ["cc800202", "873f", "d08a", "a6240100"].map(|value| Some(hex(value)));
        let key = "7f020280cc 80c078 7f0ad0 807ffedb59";
        assert_eq!(keys(&index(IndexFlags::empty(), &ix_ul), &record(&values)), exact(&[key]));
    }

    #[test]
    fn text_that_is_cut_loses_its_terminator_and_changes_its_last_byte() {
        for (end, expected) in
            [("38373231", "38373211"), ("6f686920", "4f484900"), ("6174692c", "4154490c"), ("34382044", "34382024")]
        {
            // As long as the room, and longer: both are cut.
            for behind in ["", "7a7a7a"] {
                let value = [vec![b'x'; 250], hex(end), hex(behind)].concat();
                let segment = segment_of(up(Of::Ascii), Some(&value), 255);
                assert_eq!(segment, [vec![0x7F], vec![b'X'; 250], hex(expected)].concat());
            }
        }
        let fits = segment_of(up(Of::Ascii), Some(&[b'x'; 253]), 255);
        assert_eq!(fits, [vec![0x7F], vec![b'X'; 253], vec![0]].concat());
        for (last, cut) in [(b'a', 0x41), (b'A', 0x21), (b'7', 0x17), (b',', 0x0C), (b' ', 0x00), (0x05, 0xE5)] {
            assert_eq!(segment_of(up(Of::Ascii), Some(&[last]), 2), [0x7F, cut]);
        }
        assert_eq!(segment_of(up(Of::Ascii), Some(b"a"), 1), [0x7F]);
    }

    #[test]
    fn text_ends_at_its_first_zero_byte_and_knows_no_code_page() {
        assert_eq!(segment_of(up(Of::Ascii), Some(b"ab\0cd"), 255), hex("7f414200"));
        assert_eq!(segment_of(up(Of::Ascii), Some(b"\0"), 255), hex("7f00"));
        assert_eq!(segment_of(up(Of::Ascii), Some(b"ab\0cd"), 4), hex("7f414200"));
        assert_eq!(segment_of(up(Of::Ascii), Some(&[0xE4, 0x61, 0xFF, 0x7B]), 255), hex("7fe441ff7b00"));
    }

    #[test]
    fn binary_is_cut_at_any_byte_of_a_group() {
        let value: Vec<u8> = (1..=255).collect();
        let whole = segment_of(up(Of::Binary), Some(&value), 1000);
        assert_eq!(whole.len(), 1 + 32 * 9);
        assert_eq!(whole[1 + 31 * 9..], hex("f9fafbfcfdfeff 00 07"));
        for room in 1..=whole.len() {
            assert_eq!(segment_of(up(Of::Binary), Some(&value), room), whole[..room]);
        }
        let ix_lbin = segment_of(up(Of::Binary), Some(&value[..226]), 255);
        assert_eq!((ix_lbin.len(), &ix_lbin[253..]), (255, &[225, 226][..]));
        assert_eq!(segment_of(up(Of::Binary), Some(&value), 255), ix_lbin);
        assert_eq!(segment_of(up(Of::FixedBinary), Some(&value), 4), hex("7f010203"));
    }

    #[test]
    fn segments_longer_than_their_limit_are_cut_and_the_next_follows_at_once() {
        let ix_seg255 = IndexDefinition {
            var_seg_mac: Some(60),
            ..definition(IndexFlags::empty(), &[up(Of::Ascii), up(Of::Binary), up(Of::Ascii), up(LONG)])
        };
        let ix_seg255 = IndexKey::new(ix_seg255).unwrap();
        let text = [vec![b'v'; 56], hex("647562"), vec![b'x'; 100]].concat();
        let values = record(&[Some(text), Some(vec![0xAB; 200]), Some(vec![b'w'; 59]), Some(hex("00000000"))]);
        let group = [vec![0xAB; 8], vec![9]].concat();
        let expected = [
            vec![0x7F],
            vec![b'V'; 56],
            hex("445542 7f"),
            group.repeat(6),
            vec![0xAB; 5],
            vec![0x7F],
            vec![b'W'; 58],
            vec![b'W'],
            hex("7f80000000"),
        ];
        assert_eq!(keys(&ix_seg255, &values), [Made::Exact(expected.concat())]);
    }

    #[test]
    fn a_key_of_two_long_segments_ends_at_255_bytes() {
        let ix_v1v2 = index(IndexFlags::empty(), &[up(Of::Ascii), down(Of::Binary), up(LONG)]);
        let binary = hex("0d33cd2130eb5547 ed");
        let values = record(&[Some(vec![b't'; 242]), Some([binary, vec![1; 90]].concat()), None]);
        let key = [vec![0x7F], vec![b'T'; 242], vec![0], hex("80 f2cc32decf14aab8 f6 12")].concat();
        assert_eq!(key.len(), 255);
        assert_eq!(keys(&ix_v1v2, &values), [Made::Exact(key)]);
    }

    #[test]
    fn nulls_without_room_count_for_the_null_rules() {
        let segments = [up(Of::Ascii), up(LONG)];
        let long = record(&[Some(vec![b't'; 300]), None]);
        assert_eq!(keys(&index(IndexFlags::empty(), &segments), &long).len(), 1);
        let strict = index_with_flags(IndexFlags::ALLOW_ALL_NULLS | IndexFlags::ALLOW_FIRST_NULL, &segments);
        assert_eq!(keys(&strict, &long), []);
    }

    fn any_segment() -> impl Strategy<Value = Seg> {
        let kinds = prop_oneof![Just(Of::Ascii), Just(Of::Binary), Just(Of::FixedBinary), Just(LONG)];
        (kinds, any::<bool>()).prop_map(|(of, descends)| if descends { down(of) } else { up(of) })
    }

    proptest! {
        #[test]
        fn keys_of_binary_sort_as_the_bytes(
            a: Vec<u8>, b: Vec<u8>, common in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let [a, b] = [a, b].map(|end| [&common[..], &end].concat());
            for segment in [up(Of::Binary), down(Of::Binary)] {
                let [x, y] = [&a, &b].map(|value| segment_of(segment, Some(value), 2000));
                let order = if segment.is_descending() { y.cmp(&x) } else { x.cmp(&y) };
                prop_assert_eq!(order, a.cmp(&b));
            }
        }

        #[test]
        fn keys_of_text_sort_as_the_capitals(a in "[ -~]{0,40}", b in "[ -~]{0,40}") {
            let [x, y] = [&a, &b].map(|text| segment_of(up(Of::Ascii), Some(text.as_bytes()), 255));
            prop_assert_eq!(x.cmp(&y), a.to_ascii_uppercase().cmp(&b.to_ascii_uppercase()));
        }

        #[test]
        fn no_value_makes_a_segment_longer_than_its_room(
            segment in any_segment(), value in prop::option::of(prop::collection::vec(any::<u8>(), 0..600)),
            before in 0..40usize, key_most in 1..40usize, segment_most in 1..40usize,
        ) {
            let limits = KeyLimits { key_most, segment_most };
            let mut key = vec![0xEE; before];
            let segment = segment.build(0, IndexFlags::empty());
            let is_long = matches!(segment.encoding, Encoding::Number(_));
            let appended = append_segment(&mut key, &segment, value.as_deref(), limits).is_ok();
            prop_assert!(key.len() <= key_most.max(before));
            prop_assert!(key.len() <= before + segment_most || is_long);
            prop_assert!(key.starts_with(&vec![0xEE; before]));
            prop_assert!(!appended || key_most <= before || key.len() > before);
        }
    }
}
