//! Key bytes of the types whose values have one size: numbers, dates, GUIDs (spec 08 section 2.2).
//!
//! A value is turned so that comparing bytes compares values. The size is checked against the type first, never
//! guessed from the bytes.

use crate::format::{ColumnType, IndexFlags};

/// Bytes of a GUID, the longest value here.
const GUID: usize = 16;

/// What is done to a value after its bytes were put in big-endian order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Bit,
    Unsigned,
    Signed,
    Float,
    /// A GUID in the order of its usual text from the back: the last group first.
    GuidByGroups,
    /// A GUID in the order of its usual text.
    GuidAsText,
}

/// A type of fixed size and how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Number {
    form: Form,
    /// Bytes of a value, in the record and in the key.
    pub(super) size: usize,
}

impl Number {
    /// The rule for `column_type` in an index with `flags`; `None` for types without a size.
    pub(super) fn new(column_type: ColumnType, flags: IndexFlags) -> Option<Number> {
        let form = match column_type {
            ColumnType::Bit => Form::Bit,
            ColumnType::Short | ColumnType::Long | ColumnType::Currency | ColumnType::LongLong => Form::Signed,
            ColumnType::IeeeSingle | ColumnType::IeeeDouble | ColumnType::DateTime => Form::Float,
            ColumnType::Guid if flags.contains(IndexFlags::DOT_NET_GUID) => Form::GuidAsText,
            ColumnType::Guid => Form::GuidByGroups,
            _ => Form::Unsigned,
        };
        column_type.fixed_size().map(|size| Number { form, size })
    }

    /// The key bytes of `value`, at the beginning of the array; what lies behind its size means nothing. `None` if
    /// `value` does not have the size.
    #[inline]
    pub(super) fn normalize(self, value: &[u8]) -> Option<[u8; GUID]> {
        if value.len() != self.size {
            return None;
        }
        let mut bytes = [0; GUID];
        match <&[u8; GUID]>::try_from(value) {
            Ok(guid) => bytes = self.guid(guid),
            Err(_) => {
                let [a, b, c, d, e, f, g, h] = self.turned(high_end(value)?).to_be_bytes();
                [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]] =
                    [a, b, c, d, e, f, g, h];
            }
        }
        Some(bytes)
    }

    /// `bits` hold the value at their high end, so that its sign bit is theirs.
    fn turned(self, bits: u64) -> u64 {
        const SIGN: u64 = 1 << 63;
        match self.form {
            Form::Bit => {
                if bits == 0 {
                    0
                } else {
                    u64::MAX
                }
            }
            Form::Signed => bits ^ SIGN,
            Form::Float if bits & SIGN != 0 => !bits,
            Form::Float => bits ^ SIGN,
            Form::Unsigned | Form::GuidByGroups | Form::GuidAsText => bits,
        }
    }

    fn guid(self, guid: &[u8; GUID]) -> [u8; GUID] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *guid;
        if self.form == Form::GuidAsText {
            [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
        } else {
            [k, l, m, n, o, p, i, j, g, h, e, f, a, b, c, d]
        }
    }
}

/// A little-endian value of 1, 2, 4 or 8 bytes at the high end of 64 bits.
#[inline]
fn high_end(value: &[u8]) -> Option<u64> {
    Some(match *value {
        [a] => u64::from(a) << 56,
        [a, b] => u64::from(u16::from_le_bytes([a, b])) << 48,
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])) << 32,
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::normalize::WrongSize;
    use super::super::testing::{Of, down, hex, segment_of, up};
    use super::super::{KeyLimits, append_segment};
    use super::*;

    /// The segment of a value in an index with `flags`.
    fn with_flags(column_type: ColumnType, flags: IndexFlags, value: &[u8]) -> Vec<u8> {
        let segment = up(Of::Sized(column_type)).build(0, flags);
        let mut key = Vec::new();
        append_segment(&mut key, &segment, Some(value), KeyLimits { key_most: 255, segment_most: 255 }).unwrap();
        key
    }

    fn ascending(column_type: ColumnType, value: &[u8]) -> Vec<u8> {
        with_flags(column_type, IndexFlags::empty(), value)
    }

    #[test]
    fn numbers_of_the_engine_s_databases_get_its_segments() {
        for (column_type, value, expected) in [
            (ColumnType::Bit, "00", "7f00"),
            (ColumnType::Bit, "ff", "7fff"),
            (ColumnType::Bit, "01", "7fff"),
            (ColumnType::UnsignedByte, "3f", "7f3f"),
            (ColumnType::UnsignedShort, "715f", "7f5f71"),
            (ColumnType::UnsignedLong, "24163847", "7f47381624"),
            (ColumnType::Short, "c58b", "7f0bc5"),
            (ColumnType::Long, "7efeffff", "7f7ffffe7e"),
            (ColumnType::Currency, "0000c04aacbffeff", "7f7ffebfac4ac00000"),
            (ColumnType::LongLong, "0000000000000080", "7f0000000000000000"),
            (ColumnType::LongLong, "ffffffffffffff7f", "7fffffffffffffffff"),
            (ColumnType::IeeeSingle, "00000000", "7f80000000"),
            (ColumnType::IeeeSingle, "00000080", "7f7fffffff"),
            (ColumnType::IeeeSingle, "0000c0c0", "7f3f3fffff"),
            (ColumnType::DateTime, "cf8a46024edc8fc0", "7f3f7023b1fdb97530"),
            (ColumnType::Guid, "b036611d65ad517abed6223ee9aa48a9", "7f223ee9aa48a9bed6517a65adb036611d"),
        ] {
            assert_eq!(ascending(column_type, &hex(value)), hex(expected), "{} {value}", column_type.name());
        }
    }

    #[test]
    fn descending_numbers_of_the_engine_s_databases_get_its_segments() {
        for (column_type, value, expected) in [
            (ColumnType::LongLong, "6043581652e79709", "80766818ade9a7bc9f"),
            (ColumnType::UnsignedLongLong, "67e3759d97333109", "80f6cecc68628a1c98"),
            (ColumnType::UnsignedLongLong, "ffffffffffffffff", "800000000000000000"),
            (ColumnType::IeeeSingle, "c990c249", "80363d6f36"),
            (ColumnType::IeeeSingle, "e4d622c9", "80c922d6e4"),
            (ColumnType::IeeeDouble, "0b6ea23b01d53ac1", "80c13ad5013ba26e0b"),
            (ColumnType::IeeeDouble, "0000000000000000", "807fffffffffffffff"),
            (ColumnType::IeeeDouble, "0000000000000080", "808000000000000000"),
            (ColumnType::IeeeDouble, "0100000000000000", "807ffffffffffffffe"),
            (ColumnType::DateTime, "b76ddbb6ad2be440", "803f1bd45249249248"),
        ] {
            let segment = segment_of(down(Of::Sized(column_type)), Some(&hex(value)), 255);
            assert_eq!(segment, hex(expected), "{} {value}", column_type.name());
        }
    }

    #[test]
    fn the_flag_for_net_puts_guids_in_another_order() {
        let guid = hex("03850f26dad2ade779f5f407ef4155dd");
        let segment = with_flags(ColumnType::Guid, IndexFlags::DOT_NET_GUID, &guid);
        assert_eq!(segment, hex("7f260f8503d2dae7ad79f5f407ef4155dd"));
    }

    #[test]
    fn a_number_is_cut_in_its_middle_where_the_key_ends() {
        let long = up(Of::Sized(ColumnType::Long));
        for (room, expected) in [(4, "7f7ffffe"), (1, "7f"), (0, "")] {
            assert_eq!(segment_of(long, Some(&hex("7efeffff")), room), hex(expected));
        }
        let cut = segment_of(down(Of::Sized(ColumnType::Long)), Some(&hex("7efeffff")), 3);
        assert_eq!(cut, hex("808000"));
    }

    #[test]
    fn a_value_of_another_size_is_refused() {
        for column_type in ColumnType::ALL.into_iter().filter(|t| t.fixed_size().is_some()) {
            let segment = up(Of::Sized(column_type)).build(0, IndexFlags::empty());
            let expected = column_type.fixed_size().unwrap();
            for found in (0..=20).filter(|size| *size != expected) {
                let mut key = vec![7];
                let limits = KeyLimits { key_most: 255, segment_most: 255 };
                let outcome = append_segment(&mut key, &segment, Some(&vec![0; found]), limits);
                assert_eq!((outcome, key), (Err(WrongSize { expected, found }), vec![7]));
            }
        }
    }

    /// Keys of `a` and `b`, which are of one type, must compare as `order` says; descending ones the other way round.
    fn assert_order(column_type: ColumnType, a: &[u8], b: &[u8], order: std::cmp::Ordering) {
        assert_eq!(ascending(column_type, a).cmp(&ascending(column_type, b)), order);
        let [a, b] = [a, b].map(|value| segment_of(down(Of::Sized(column_type)), Some(value), 255));
        assert_eq!(a.cmp(&b), order.reverse());
    }

    proptest! {
        #[test]
        fn keys_of_signed_numbers_sort_as_the_numbers(
            a: i64, b: i64, c: i32, d: i32, e: i16, f: i16, shift in 0..64u32,
        ) {
            // Shifted, so that small numbers and neighbours come up too.
            let (a, b, c, d) = (a >> shift, b >> shift, c >> (shift / 2), d >> (shift / 2));
            assert_order(ColumnType::LongLong, &a.to_le_bytes(), &b.to_le_bytes(), a.cmp(&b));
            assert_order(ColumnType::Currency, &a.to_le_bytes(), &b.to_le_bytes(), a.cmp(&b));
            assert_order(ColumnType::Long, &c.to_le_bytes(), &d.to_le_bytes(), c.cmp(&d));
            assert_order(ColumnType::Short, &e.to_le_bytes(), &f.to_le_bytes(), e.cmp(&f));
        }

        #[test]
        fn keys_of_unsigned_numbers_sort_as_the_numbers(
            a: u64, b: u64, c: u32, d: u32, e: u16, f: u16, g: u8, h: u8, shift in 0..64u32,
        ) {
            let (a, b, c, d) = (a >> shift, b >> shift, c >> (shift / 2), d >> (shift / 2));
            assert_order(ColumnType::UnsignedLongLong, &a.to_le_bytes(), &b.to_le_bytes(), a.cmp(&b));
            assert_order(ColumnType::UnsignedLong, &c.to_le_bytes(), &d.to_le_bytes(), c.cmp(&d));
            assert_order(ColumnType::UnsignedShort, &e.to_le_bytes(), &f.to_le_bytes(), e.cmp(&f));
            assert_order(ColumnType::UnsignedByte, &[g], &[h], g.cmp(&h));
        }

        #[test]
        fn keys_of_floats_sort_as_the_floats(a: f64, b: f64, c: f32, d: f32) {
            // `total_cmp`: -0 sorts before 0, as the engine has it.
            assert_order(ColumnType::IeeeDouble, &a.to_le_bytes(), &b.to_le_bytes(), a.total_cmp(&b));
            assert_order(ColumnType::DateTime, &a.to_le_bytes(), &b.to_le_bytes(), a.total_cmp(&b));
            assert_order(ColumnType::IeeeSingle, &c.to_le_bytes(), &d.to_le_bytes(), c.total_cmp(&d));
        }

        #[test]
        fn keys_of_guids_sort_by_their_groups(a: [u8; 16], mut b: [u8; 16], same in 0..16usize) {
            // The last bytes sort first: equal ones let the others be seen.
            b[same..].copy_from_slice(&a[same..]);
            let groups = |g: [u8; 16]| {
                let [a, b, c, d, e, f, g, h, i, j, rest @ ..] = g;
                (rest, [i, j], u16::from_be_bytes([g, h]), u16::from_be_bytes([e, f]), [a, b, c, d])
            };
            assert_order(ColumnType::Guid, &a, &b, groups(a).cmp(&groups(b)));
            let fields = |g: [u8; 16]| {
                let [a, b, c, d, e, f, g, h, rest @ ..] = g;
                (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]), rest)
            };
            let net = |guid: &[u8]| with_flags(ColumnType::Guid, IndexFlags::DOT_NET_GUID, guid);
            prop_assert_eq!(net(&a).cmp(&net(&b)), fields(a).cmp(&fields(b)));
        }
    }
}
