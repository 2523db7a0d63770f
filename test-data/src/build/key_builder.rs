//! Keys of the column types that the builder offers, from values in storage form.
//!
//! No Unicode, no VarSegMac, KeyMost always 255; it is a second account of the rules, never a call of `ese_core::key`.
//! Spec 08 section 2.

use super::spec::Type;

/// The longest key where the catalog says nothing.
pub(crate) const KEY_MOST: usize = 255;

/// Adds the segment of `value` (`None` is NULL) to `key`, which stays within [`KEY_MOST`].
///
/// `fixed` says that the column is a fixed one.
pub(crate) fn append_segment(key: &mut Vec<u8>, ty: Type, fixed: bool, descending: bool, value: Option<&[u8]>) {
    let room = KEY_MOST - key.len();
    let mut segment = match value {
        None => vec![0x00],
        Some([]) => vec![0x40],
        Some(value) => {
            let mut segment = vec![0x7F];
            append_value(&mut segment, ty, fixed, value, room.saturating_sub(1));
            segment
        }
    };
    segment.truncate(room);
    if descending {
        segment.iter_mut().for_each(|byte| *byte = !*byte);
    }
    key.extend(segment);
}

fn append_value(segment: &mut Vec<u8>, ty: Type, fixed: bool, value: &[u8], room: usize) {
    let big_endian = || value.iter().rev().copied().collect::<Vec<u8>>();
    match ty {
        Type::Bit => segment.push(if value[0] == 0 { 0 } else { 0xFF }),
        Type::UnsignedByte | Type::UnsignedShort | Type::UnsignedLong | Type::UnsignedLongLong => {
            segment.extend(big_endian());
        }
        Type::Short | Type::Long | Type::Currency | Type::LongLong => {
            let mut big_endian = big_endian();
            big_endian[0] ^= 0x80;
            segment.extend(big_endian);
        }
        Type::Single | Type::Double | Type::DateTime => {
            let mut big_endian = big_endian();
            if big_endian[0] & 0x80 == 0 {
                big_endian[0] ^= 0x80;
            } else {
                big_endian.iter_mut().for_each(|byte| *byte = !*byte);
            }
            segment.extend(big_endian);
        }
        Type::Guid => {
            let order = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
            segment.extend(order.iter().map(|at| value[*at]));
        }
        Type::Binary if fixed => segment.extend(value),
        Type::Binary | Type::LongBinary => append_groups(segment, value),
        Type::Text(1252) | Type::LongText(1252) => append_text(segment, value, room),
        Type::Text(page) | Type::LongText(page) => unimplemented!("keys of text in code page {page}"),
    }
}

/// Groups of 8 bytes, each followed by 9, the last one padded and followed by its length.
pub(crate) fn append_groups(segment: &mut Vec<u8>, value: &[u8]) {
    let groups = value.len().div_ceil(8);
    for (i, group) in value.chunks(8).enumerate() {
        segment.extend_from_slice(group);
        segment.resize(segment.len() + 8 - group.len(), 0);
        let len = u8::try_from(group.len()).expect("at most eight");
        segment.push(if i + 1 < groups { 9 } else { len });
    }
}

/// Upper case of a-z alone; a text that does not fit loses 0x20 from its last byte, whatever that is.
fn append_text(segment: &mut Vec<u8>, value: &[u8], room: usize) {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    if value.len() < room {
        segment.extend(value.iter().map(u8::to_ascii_uppercase));
        segment.push(0);
    } else if let Some(last) = room.checked_sub(1) {
        segment.extend(value[..last].iter().map(u8::to_ascii_uppercase));
        segment.push(value[last].wrapping_sub(0x20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ese_core::format::{ColumnFlags, ColumnType, IndexFlags, KeyField, SegmentFlags};
    use ese_core::key::{self, ColumnRef, KeyColumn, KeyLimits};

    fn segment(ty: Type, descending: bool, value: Option<&[u8]>) -> Vec<u8> {
        let mut key = Vec::new();
        append_segment(&mut key, ty, false, descending, value);
        key
    }

    #[test]
    fn vectors_of_the_spec() {
        assert_eq!(segment(Type::Long, false, Some(&[0x7E, 0xFE, 0xFF, 0xFF])), [0x7F, 0x7F, 0xFF, 0xFE, 0x7E]);
        assert_eq!(segment(Type::Single, true, Some(&[0xC9, 0x90, 0xC2, 0x49])), [0x80, 0x36, 0x3D, 0x6F, 0x36]);
        assert_eq!(segment(Type::Text(1252), false, Some(b"aqqpfq")), *b"\x7fAQQPFQ\x00");
        assert_eq!(
            segment(Type::Binary, false, Some(&[0x76, 0x5E, 0xBC, 0x10, 0x5E, 0xF0])),
            [0x7F, 0x76, 0x5E, 0xBC, 0x10, 0x5E, 0xF0, 0, 0, 6]
        );
        assert_eq!(segment(Type::Long, true, None), [0xFF]);
    }

    #[test]
    fn a_text_that_is_cut_ends_in_a_byte_less_0x20() {
        let long = [b'a'; 300];
        let key = segment(Type::LongText(1252), false, Some(&long));
        assert_eq!(key.len(), 255);
        assert_eq!(key[253..], [b'A', b'A']);
        assert_eq!(segment(Type::Text(1252), false, Some(&[b'7'; 254])).last(), Some(&0x17));
    }

    #[test]
    fn a_long_binary_is_cut_at_255() {
        let key = segment(Type::LongBinary, false, Some(&[5; 226]));
        assert_eq!((key.len(), key[9], key[254]), (255, 9, 5));
    }

    /// What the reader of `ese-core` makes of the same segment behind `key`.
    fn of_reader(key: &mut Vec<u8>, ty: ColumnType, id: u16, descending: bool, value: Option<&[u8]>) {
        let flags = if descending { SegmentFlags::DESCENDING } else { SegmentFlags::empty() };
        let column = KeyColumn { column: ColumnRef(0), column_type: ty, code_page: 1252, flags: ColumnFlags::empty() };
        let segment = key::Segment::new(KeyField { column_id: id, flags }, column, IndexFlags::empty()).unwrap();
        let limits = KeyLimits { key_most: KEY_MOST, segment_most: KEY_MOST };
        key::append_segment(key, &segment, value, limits).unwrap();
    }

    #[test]
    fn builder_and_reader_agree_on_every_type() {
        let types = [
            (Type::Bit, ColumnType::Bit, 1),
            (Type::UnsignedByte, ColumnType::UnsignedByte, 1),
            (Type::Short, ColumnType::Short, 1),
            (Type::Long, ColumnType::Long, 1),
            (Type::Currency, ColumnType::Currency, 1),
            (Type::Single, ColumnType::IeeeSingle, 1),
            (Type::Double, ColumnType::IeeeDouble, 1),
            (Type::DateTime, ColumnType::DateTime, 1),
            (Type::UnsignedLong, ColumnType::UnsignedLong, 1),
            (Type::LongLong, ColumnType::LongLong, 1),
            (Type::Guid, ColumnType::Guid, 1),
            (Type::UnsignedShort, ColumnType::UnsignedShort, 1),
            (Type::UnsignedLongLong, ColumnType::UnsignedLongLong, 1),
            (Type::Binary, ColumnType::Binary, 1),
            (Type::Binary, ColumnType::Binary, 128),
            (Type::Text(1252), ColumnType::Text, 128),
            (Type::LongBinary, ColumnType::LongBinary, 256),
            (Type::LongText(1252), ColumnType::LongText, 256),
        ];
        let mut random = 1_u32;
        let mut next = || {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            (random >> 16).to_le_bytes()[0]
        };
        for (ty, column_type, id) in types {
            for round in 0..400_usize {
                let size = ty.number_and_size().1 as usize;
                let len = if matches!(size, 0 | 255) { round * 3 / 4 } else { size };
                let value: Vec<u8> = (0..len).map(|_| next()).collect();
                let value = (round % 7 != 0).then_some(&value[..]);
                // What stands before the segment: the key fills up, to the last byte.
                let mut key = vec![0x7F; if round % 3 == 0 { usize::from(next()) } else { 0 }];
                let mut expected = key.clone();
                append_segment(&mut key, ty, id < 128, round % 2 == 0, value);
                of_reader(&mut expected, column_type, id, round % 2 == 0, value);
                assert_eq!(key, expected, "{ty:?} {value:02x?}");
            }
        }
    }
}
