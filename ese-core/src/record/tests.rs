use proptest::prelude::*;

use super::testing::{RecordBuilder, hex};
use super::*;
use crate::format::{LongValueId, PageSize, TaggedFlags};

const BOTH: [PageSize; 2] = [PageSize::K4, PageSize::K32];

fn record(bytes: &[u8], size: PageSize) -> Record<'_> {
    Record::new(bytes, size).unwrap()
}

fn field<'a>(record: &Record<'a>, id: u16, origin: Origin) -> TaggedField<'a> {
    record.tagged().unwrap().find(id, origin).unwrap().unwrap()
}

fn values<'a>(field: TaggedField<'a>) -> Vec<(usize, ValueForm, &'a [u8])> {
    field.values().map(|value| value.map(|value| (value.sequence, value.form, value.bytes)).unwrap()).collect()
}

#[test]
fn a_row_of_a_catdb_of_2003_reads_as_the_spec_says() {
    let bytes = hex("00 80 0400 1400 000249383abef50b18d569d2242adddcc5a6402f 0001 0440 18 10
        4e00540035002e00430041005400 0000 5300500032002e004300410054000000");
    let record = record(&bytes, PageSize::K4);
    assert_eq!((record.last_fixed(), record.last_variable(), record.fixed_end()), (0, 128, 4));
    let hash = hex("000249383abef50b18d569d2242adddcc5a6402f");
    assert_eq!(record.variable(128), Ok(Stored::Value(&hash)));
    let field = field(&record, 256, Origin::Own);
    assert_eq!(field.flags, TaggedFlags::MULTI_VALUED | TaggedFlags::TWO_VALUES);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!(
        values(field),
        [(1, ValueForm::Intrinsic, &*utf16("NT5.CAT\0")), (2, ValueForm::Intrinsic, &*utf16("SP2.CAT\0"))]
    );
    assert_eq!(record.tagged().unwrap().count(), 1);
}

#[test]
fn several_numbers_of_kitchen_4k() {
    let bytes = hex("00 7f 0400 0401 0440 08 0800 0c00 1000 1400 35000000 57000000 5d000000 04010000");
    let numbers = [53u32, 87, 93, 260].map(u32::to_le_bytes);
    let field = field(&record(&bytes, PageSize::K4), 260, Origin::Own);
    let read: Vec<_> = field.values().map(|value| value.unwrap().bytes).collect();
    assert_eq!(read, numbers.each_ref());
    assert_eq!(field.value(4).unwrap().unwrap().sequence, 4);
    assert_eq!((field.value(5), field.value(0)), (Ok(None), Ok(None)));
}

#[test]
fn two_separated_values_of_kitchen_4k() {
    let bytes = hex("00 7f 0400 0601 0440 09 0480 0c80 0500008000000080 0600008000000080");
    let values = values(field(&record(&bytes, PageSize::K4), 262, Origin::Own));
    let ids = values.iter().map(|(_, form, bytes)| (*form, LongValueId::from_reference(bytes).unwrap()));
    assert_eq!(
        ids.collect::<Vec<_>>(),
        [0x8000_0000_8000_0005, 0x8000_0000_8000_0006].map(|id| (ValueForm::Separated, LongValueId(id)))
    );
}

#[test]
fn a_derived_table_has_column_256_twice() {
    let mut bytes = hex("02 80 1100 d8ffffff d1d6e60200000000 fc 1300");
    bytes.extend(*b"nineteen bytes, yes");
    bytes.extend(hex("0001 08c0 0001 da40 01"));
    bytes.extend([b't'; 0xDA - 9]);
    bytes.extend(hex("01 6f776e"));
    let record = record(&bytes, PageSize::K4);
    assert_eq!(record.fixed(1, 4, 4), Ok(Stored::Value(&(-40i32).to_le_bytes())));
    assert_eq!(record.fixed(2, 8, 8), Ok(Stored::Value(&hex("d1d6e60200000000"))));
    assert_eq!(record.variable(128), Ok(Stored::Value(b"nineteen bytes, yes")));
    let template = field(&record, 256, Origin::Template);
    assert_eq!((template.flags, template.bytes), (TaggedFlags::LONG, &[b't'; 0xDA - 9][..]));
    assert_eq!(field(&record, 256, Origin::Own).bytes, b"own");
    assert_eq!(&bytes[template.bytes_at..][..template.bytes.len()], template.bytes);
}

#[test]
fn absent_null_and_empty_are_three_things() {
    for size in BOTH {
        let bytes = RecordBuilder::new(size).fixed(&[7]).fixed_null(2).variable(b"").variable_null().build();
        let record = record(&bytes, size);
        assert_eq!(record.fixed(1, 4, 1), Ok(Stored::Value(&[7])));
        assert_eq!(record.fixed(2, 5, 2), Ok(Stored::Null));
        assert_eq!(record.fixed(3, 7, 2), Ok(Stored::Absent));
        assert_eq!(record.fixed(0, 4, 1), Ok(Stored::Absent));
        assert_eq!([1, 2, 3].map(|id| record.is_null_fixed(id)), [false, true, false]);
        assert_eq!(record.variable(128), Ok(Stored::Value(b"")));
        assert_eq!(record.variable(129), Ok(Stored::Null));
        assert_eq!([0, 127, 130].map(|id| record.variable(id)), [Ok(Stored::Absent); 3]);
        assert_eq!(record.tagged().unwrap().count(), 0);
    }
}

#[test]
fn large_pages_have_the_extended_byte_always_and_null_in_it() {
    let builder = RecordBuilder::new(PageSize::K16).tagged(256, b"ab").flagged(257, Origin::Own, 0x20, b"");
    let bytes = builder.build();
    let record = record(&bytes, PageSize::K16);
    assert_eq!(values(field(&record, 256, Origin::Own)), [(1, ValueForm::Intrinsic, &b"ab"[..])]);
    let null = field(&record, 257, Origin::Own);
    assert!(null.null && values(null).is_empty());
}

#[test]
fn small_pages_have_null_in_the_entry() {
    let bytes = RecordBuilder::new(PageSize::K8).entry(256, 0x2000, b"").build();
    let record = record(&bytes, PageSize::K8);
    assert!(field(&record, 256, Origin::Own).null);
}

#[test]
fn the_form_of_a_value_follows_the_extended_byte() {
    for (flags, first, second) in [
        (0x03, ValueForm::Compressed, None),
        (0x05, ValueForm::Separated, None),
        (0x41, ValueForm::Encrypted, None),
        (0x0B, ValueForm::Compressed, Some(ValueForm::Intrinsic)),
    ] {
        let data: &[u8] = if second.is_some() { &[4, 0, 5, 0, b'x', b'y'] } else { b"abcd" };
        let bytes = RecordBuilder::new(PageSize::K4).flagged(256, Origin::Own, flags, data).build();
        let values = values(field(&record(&bytes, PageSize::K4), 256, Origin::Own));
        assert_eq!(values.first().map(|value| value.1), Some(first), "{flags:#x}");
        assert_eq!(values.get(1).map(|value| value.1), second, "{flags:#x}");
    }
}

#[test]
fn a_header_that_cannot_be_is_an_error_at_its_byte() {
    let error = |bytes: &[u8]| Record::new(bytes, PageSize::K4).unwrap_err();
    assert_eq!(error(&[0, 127, 4]), RecordFault::TooShort { found: 3 }.at(0));
    assert_eq!(error(&[128, 127, 4, 0]), RecordFault::LastFixed { found: 128 }.at(0));
    assert_eq!(error(&[0, 126, 4, 0]), RecordFault::LastVariable { found: 126 }.at(1));
    assert_eq!(error(&[9, 127, 5, 0, 0, 0]), RecordFault::FixedEnd { least: 6, most: 6, found: 5 }.at(2));
    assert_eq!(error(&[0, 127, 5, 0]), RecordFault::FixedEnd { least: 4, most: 4, found: 5 }.at(2));
    assert_eq!(error(&[0, 128, 4, 0, 0]), RecordFault::EndOffsets { most: 5, found: 6 }.at(1));
}

#[test]
fn a_bad_variable_column_leaves_the_others_readable() {
    let builder = RecordBuilder::new(PageSize::K4).fixed(&[1, 2]).variable(b"ab").variable(b"cd").variable(b"ef");
    let mut bytes = builder.tagged(256, b"tag").build();
    // The end of column 129 (4) becomes 1, before its start.
    bytes[9] = 1;
    let record = record(&bytes, PageSize::K4);
    assert_eq!(record.variable(128), Ok(Stored::Value(b"ab")));
    assert_eq!(record.variable(129), Err(RecordFault::VariableEnd { id: 129, least: 2, most: 13, found: 1 }.at(9)));
    assert_eq!(field(&record, 256, Origin::Own).bytes, b"tag");
    assert_eq!(record.fixed(1, 4, 2), Ok(Stored::Value(&[1, 2])));
    // The last end lies behind the record: the tagged columns cannot be found, the first variable ones can.
    bytes[11] = 200;
    let record = self::record(&bytes, PageSize::K4);
    let fault = RecordFault::VariableEnd { id: 130, least: 0, most: 13, found: 200 };
    assert_eq!(record.tagged().map(Iterator::count), Err(fault.at(11)));
    assert_eq!(record.variable(128), Ok(Stored::Value(b"ab")));
}

#[test]
fn a_bad_tagged_column_leaves_the_others_readable() {
    for size in BOTH {
        let builder = RecordBuilder::new(size).tagged(256, b"one").tagged(257, b"two").tagged(258, b"three");
        let mut bytes = builder.build();
        // The data of column 257 begin behind the record.
        bytes[4 + 4 + 2] = 200;
        let fields: Vec<_> = record(&bytes, size).tagged().unwrap().collect();
        let at: Vec<_> = fields.iter().map(|field| field.map(|field| field.id).map_err(|error| error.at)).collect();
        assert_eq!(at, [Err(10), Err(10), Ok(258)], "{size}");
        assert_eq!(fields[2].unwrap().bytes, b"three");
    }
}

#[test]
fn the_first_entry_must_tell_the_number_of_columns() {
    let tagged = |bytes: &[u8]| record(bytes, PageSize::K4).tagged().map(Iterator::count);
    assert_eq!(tagged(&hex("007f0400 0001")), Err(RecordFault::NoEntry { found: 2 }.at(4)));
    assert_eq!(tagged(&hex("007f0400 00010300")), Err(RecordFault::FirstEntry { most: 4, found: 3 }.at(6)));
    assert_eq!(tagged(&hex("007f0400 00010000")), Err(RecordFault::FirstEntry { most: 4, found: 0 }.at(6)));
    assert_eq!(tagged(&hex("007f0400 00010800")), Err(RecordFault::FirstEntry { most: 4, found: 8 }.at(6)));
    assert_eq!(tagged(&hex("007f0400 00010400")), Ok(1));
}

#[test]
fn a_bad_value_leaves_the_others_readable() {
    let data = hex("0800 0900 ff00 0b00 31 3233 34");
    let bytes = RecordBuilder::new(PageSize::K4).flagged(256, Origin::Own, 8, &data).build();
    let values: Vec<_> = field(&record(&bytes, PageSize::K4), 256, Origin::Own).values().collect();
    let read: Vec<_> = values.iter().map(|value| value.map(|value| value.bytes).map_err(|error| error.at)).collect();
    assert_eq!(read, [Ok(&b"1"[..]), Err(13), Err(13), Ok(b"4")]);
}

#[test]
fn several_values_without_a_number_are_one_error() {
    for (flags, data, fault) in [
        (0x08, "0500 0500 31", RecordFault::FirstValue { id: 256, origin: Origin::Own, most: 5, found: 5 }),
        (0x08, "0200 31", RecordFault::FirstValue { id: 256, origin: Origin::Own, most: 3, found: 2 }),
        (0x08, "0600 0600", RecordFault::FirstValue { id: 256, origin: Origin::Own, most: 4, found: 6 }),
        (0x08, "", RecordFault::FirstValue { id: 256, origin: Origin::Own, most: 0, found: 0 }),
        (0x18, "03 3132", RecordFault::FirstOfTwo { id: 256, origin: Origin::Own, most: 2, found: 3 }),
        (0x18, "", RecordFault::FirstOfTwo { id: 256, origin: Origin::Own, most: 0, found: 0 }),
    ] {
        let bytes = RecordBuilder::new(PageSize::K4).flagged(256, Origin::Own, flags, &hex(data)).build();
        let field = field(&record(&bytes, PageSize::K4), 256, Origin::Own);
        assert_eq!(field.values().collect::<Vec<_>>(), [Err(fault.at(9))], "{data}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_parts_lie_in_the_record(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..120),
        header in any::<Option<(u8, u8, u8)>>(), large in any::<bool>(),
    ) {
        // Most random headers are refused at once, so half the cases get one that may be sound.
        if let (Some((fixed, variable, end)), true) = (header, bytes.len() >= 4) {
            bytes[..4].copy_from_slice(&[fixed % 20, 127 + variable % 10, 4 + end % 30, 0]);
        }
        let size = BOTH[usize::from(large)];
        let Ok(record) = Record::new(&bytes, size) else { return Ok(()) };
        let inside = |part: &[u8]| bytes.as_ptr_range().contains(&part.as_ptr()) || part.is_empty();
        for id in 0..300 {
            prop_assert!(!matches!(record.fixed(id, usize::from(id) * 2, 4), Ok(Stored::Value(value)) if !inside(value)));
            prop_assert!(!matches!(record.variable(id), Ok(Stored::Value(value)) if !inside(value)));
        }
        prop_assert!(!matches!(record.fixed(1, usize::MAX, usize::MAX), Ok(Stored::Value(_))));
        for field in record.tagged().into_iter().flatten() {
            match field {
                Ok(field) => {
                    prop_assert_eq!(&bytes[field.bytes_at..][..field.bytes.len()], field.bytes);
                    for value in field.values() {
                        prop_assert!(value.map_or_else(|error| error.at <= bytes.len(), |value| inside(value.bytes)));
                    }
                }
                Err(error) => prop_assert!(error.at <= bytes.len()),
            }
        }
    }
}
