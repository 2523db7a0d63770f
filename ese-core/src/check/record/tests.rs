//! Every rule broken once, on a small and on a large page, with numbers written from the specification.

use proptest::prelude::*;

use super::*;
use crate::finding::{Code, Severity};
use crate::format::{ColumnFlags, ColumnType, PageSize};
use crate::record::Column;
use crate::record::testing::RecordBuilder;

const BOTH: [PageSize; 2] = [PageSize::K4, PageSize::K32];
const PGNO: Pgno = Pgno(36);
const CLEAN: RecordContext = RecordContext { state: DbState::CleanShutdown };
const DIRTY: RecordContext = RecordContext { state: DbState::DirtyShutdown };
const OWN: Origin = Origin::Own;

/// Bytes of a node in front of its record: size of the key, and a key of one byte.
const BEFORE_RECORD: usize = 3;

fn column(id: u16, column_type: ColumnType, max_len: u32, name: &str) -> Column {
    let flags = if name.starts_with("must") { ColumnFlags::NOT_NULL } else { ColumnFlags::empty() };
    Column {
        id,
        origin: if name.starts_with("their") { Origin::Template } else { OWN },
        column_type,
        max_len,
        flags,
        code_page: 0,
        offset: None,
        name: name.to_owned(),
        default: name.ends_with("default").then(Vec::new),
    }
}

/// The columns of the table under test, but for required tagged ones.
fn columns() -> Vec<Column> {
    vec![
        column(1, ColumnType::Long, 4, "must-id"),
        column(2, ColumnType::Bit, 1, "flag"),
        column(3, ColumnType::Short, 2, "must-default"),
        column(128, ColumnType::Text, 20, "must-name"),
        column(129, ColumnType::Binary, 255, "hash"),
        column(130, ColumnType::Nil, 9, "stub"),
        column(256, ColumnType::LongBinary, 0, "their-blob"),
        column(256, ColumnType::Long, 4, "number"),
        column(257, ColumnType::Text, 255, "text"),
        column(258, ColumnType::LongText, 0, "note"),
        column(259, ColumnType::Bit, 1, "on"),
        column(260, ColumnType::Nil, 0, "stub"),
    ]
}

/// A record with fixed columns 1 to 3 at 4, 8 and 9, the NULL bits at 11, two end offsets at 12, "name" at 16, "hash" at
/// 20, tagged columns at 24.
fn sound(size: PageSize) -> RecordBuilder {
    RecordBuilder::new(size).fixed(&[1, 2, 3, 4]).fixed(&[0xFF]).fixed(&[5, 6]).variable(b"name").variable(b"hash")
}

/// A leaf with these records, each with the flags of its node.
fn leaf(size: PageSize, records: &[(u8, &[u8])]) -> Vec<u8> {
    let large = size.bytes() > 8192;
    let header = if large { 80 } else { 40 };
    let mut page = vec![0; size.bytes()];
    page[34] = u8::try_from(records.len() + 1).unwrap();
    page[36] = 2;
    let mut at = 0;
    for (index, (flags, record)) in records.iter().enumerate() {
        let line = [&[1, if large { flags << 5 } else { 0 }, b'k'][..], record].concat();
        page[header + at..][..line.len()].copy_from_slice(&line);
        let tag = page.len() - 4 * (index + 2);
        page[tag..][..2].copy_from_slice(&u16::try_from(line.len()).unwrap().to_le_bytes());
        let offset = u16::try_from(at).unwrap() | if large { 0 } else { u16::from(*flags) << 13 };
        page[tag + 2..][..2].copy_from_slice(&offset.to_le_bytes());
        at += line.len();
    }
    page
}

fn check_page(bytes: &[u8], layout: &TableLayout, context: RecordContext) -> Vec<Finding> {
    let mut findings = Vec::new();
    RecordChecker::default().check_page(Page::new(bytes).unwrap(), PGNO, layout, &context, &mut findings);
    findings
}

fn check(size: PageSize, record: &[u8]) -> Vec<Finding> {
    check_page(&leaf(size, &[(0, record)]), &TableLayout::new(columns()), CLEAN)
}

/// Offset in its record of a finding about line 1.
fn at_of(finding: &Finding, size: PageSize) -> usize {
    let record = (if size.is_large() { 80 } else { 40 }) + BEFORE_RECORD;
    let at = usize::try_from(finding.offset - finding.page_offset.unwrap()).unwrap();
    at.checked_sub(record).unwrap()
}

/// The record breaks `rule` alone, at its byte `at`.
#[track_caller]
fn breaks(size: PageSize, record: &[u8], rule: &str, code: Code, at: usize, text: &str) -> Finding {
    let findings = check(size, record);
    let [finding] = &findings[..] else { panic!("{rule} {size}: {findings:#?}") };
    assert_eq!((finding.detail.rule, finding.code), (Some(rule), code), "{}", finding.message);
    assert_eq!(finding.message, format!("record at line 1, {text}"), "{size}");
    assert_eq!(at_of(finding, size), at, "{size}: {}", finding.message);
    assert_eq!((finding.pgno, finding.detail.line, finding.detail.count), (Some(PGNO), Some(1), Some(1)));
    assert_eq!(finding.page_offset, Some((36 + 1) * size.as_u64()));
    finding.clone()
}

/// As [`breaks`], with both sides of the comparison.
#[track_caller]
fn compares(size: PageSize, record: &[u8], rule: &str, at: usize, (expected, found): (u64, u64), text: &str) {
    let code = match rule {
        "R4" | "R8" | "R14" | "R15" => Code::RecordColumn,
        "R13" => Code::LvMissing,
        _ => Code::RecordFormat,
    };
    let finding = breaks(size, record, rule, code, at, text);
    assert_eq!((finding.detail.expected, finding.detail.found), (Some(expected), Some(found)), "{text}");
}

/// The bytes of a record, some of them changed.
fn changed(builder: &RecordBuilder, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut record = builder.build();
    for (at, byte) in changes {
        record[*at] = *byte;
    }
    record
}

#[test]
fn sound_records_of_every_form_have_no_finding() {
    let wide = [5, 0, 0, 0, 0, 0, 0, 0x80];
    for size in BOTH {
        let all = sound(size)
            .flagged(256, Origin::Template, 0x03, b"\x16\xe1\x70\x38\x1c\x0e\x87\xc5\x62")
            .tagged(256, &[1, 2, 3, 4])
            .tagged(257, b"")
            .flagged(258, OWN, 0x09, &[&[4, 0x80, 12, 0][..], &wide, b"here"].concat())
            .tagged(259, &[0]);
        let several = sound(size).flagged(256, OWN, 0x08, &[4, 0, 8, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
        let separated = sound(size).flagged(256, Origin::Template, 0x05, &wide).flagged(258, OWN, 0x05, &[9, 0, 0, 0]);
        // Column 3 has a default, so a record may be without it, and without all tagged ones.
        let early = RecordBuilder::new(size).fixed(&[1, 2, 3, 4]).fixed_null(1).variable(b"name");
        let deleted_variable = sound(size).variable(b"longer than the stub was");
        for record in [all, several, separated, early, deleted_variable, sound(size)] {
            assert_eq!(check(size, &record.build()), [], "{size}: {record:?}");
        }
    }
    let two = sound(PageSize::K4).flagged(257, OWN, 0x18, &[1, b'a', b'b', b'c']).entry(258, 0x2000, b"");
    assert_eq!(check(PageSize::K4, &two.build()), []);
    let null = sound(PageSize::K32).flagged(257, OWN, 0x20, b"").flagged(258, OWN, 0x20, b"");
    assert_eq!(check(PageSize::K32, &null.build()), []);
}

#[test]
fn r1_a_record_has_a_possible_size() {
    for (size, most) in [(PageSize::K4, 3791), (PageSize::K32, 32672)] {
        compares(size, &[0, 127, 4], "R1", 0, (4, 3), "size: expected at least 4 bytes, found 3");
        let long = sound(size).flagged(258, OWN, 1, &vec![b'x'; most - 24 - 4 - 1]);
        assert_eq!(check(size, &long.build()), []);
        let longer = [&long.build()[..], b"x"].concat();
        let text = format!("size: expected at most {most} bytes, found {}", most + 1);
        compares(size, &longer, "R1", most, (most as u64, most as u64 + 1), &text);
    }
}

#[test]
fn r2_the_parts_of_a_record_lie_inside_it() {
    for size in BOTH {
        let record = |changes| changed(&sound(size), changes);
        let text = "highest fixed id: expected at most 127, found 128";
        compares(size, &record(&[(0, 128)]), "R2", 0, (127, 128), text);
        let text = "highest variable id: expected 127 or more, found 126";
        compares(size, &record(&[(1, 126)]), "R2", 1, (127, 126), text);
        let text = "end of fixed data: expected 5 to 24, found 4";
        compares(size, &record(&[(2, 4)]), "R2", 2, (5, 4), text);
        let text = "end of fixed data: expected 5 to 24, found 25";
        compares(size, &record(&[(2, 25)]), "R2", 2, (24, 25), text);
        let text = "end offsets of variable columns: expected to end at or before 24, found 268";
        compares(size, &record(&[(1, 255)]), "R2", 1, (24, 268), text);
        let text = "column 129 (`hash`): expected to end at 0 to 8, found 9";
        compares(size, &record(&[(14, 9)]), "R2", 14, (8, 9), text);
    }
}

#[test]
fn r3_the_fixed_columns_and_their_null_bits_fill_the_fixed_data() {
    for size in BOTH {
        let text = "end of fixed data: expected 12, as the 3 fixed columns and their NULL bits are long, found 13";
        compares(size, &changed(&sound(size), &[(2, 13)]), "R3", 2, (12, 13), text);
        let text = "end of fixed data: expected 10, as the 2 fixed columns and their NULL bits are long, found 12";
        compares(size, &changed(&sound(size), &[(0, 2)]), "R3", 2, (10, 12), text);
    }
}

#[test]
fn r4_the_highest_ids_are_in_the_catalog() {
    for size in BOTH {
        let text = "highest fixed id: expected at most 3, as the catalog has it, found 4";
        compares(size, &changed(&sound(size), &[(0, 4)]), "R4", 0, (3, 4), text);
        let text = "highest variable id: expected at most 130, as the catalog has it, found 131";
        compares(size, &changed(&sound(size), &[(1, 131)]), "R4", 1, (130, 131), text);
    }
}

#[test]
fn r5_variable_columns_ascend_and_are_short() {
    for size in BOTH {
        let text = "column 129 (`hash`): expected to end at 4 to 8, found 2";
        compares(size, &changed(&sound(size), &[(14, 2)]), "R5", 14, (4, 2), text);
        let text = "column 128 (`must-name`): expected to end at 0 to 8, found 200";
        compares(size, &changed(&sound(size), &[(12, 200)]), "R5", 12, (8, 200), text);
        let text = "column 129 (`hash`): expected no bytes, as it is NULL, found 4";
        compares(size, &changed(&sound(size), &[(15, 0x80)]), "R5", 14, (0, 4), text);
        let long = sound(size).variable(&[0; 256]).build();
        compares(size, &long, "R5", 16, (255, 256), "column 130 (`stub`): expected at most 255 bytes, found 256");
    }
}

#[test]
fn r5_a_variable_column_longer_than_the_catalog_allows_is_odd() {
    for size in BOTH {
        let record = RecordBuilder::new(size).fixed(&[1, 2, 3, 4]).variable(&[b'n'; 21]);
        let text = "column 128 (`must-name`): expected at most 20 bytes, as the catalog has it, found 21";
        let finding = breaks(size, &record.build(), "R5", Code::RecordOdd, 9, text);
        assert_eq!((finding.severity, finding.detail.expected), (Severity::Warning, Some(20)));
    }
}

#[test]
fn r6_spare_null_bits_are_ones() {
    for size in BOTH {
        let text = "NULL bit map: expected ones behind the bit of column 3, found byte 0x78";
        let finding = breaks(size, &changed(&sound(size), &[(11, 0x78)]), "R6", Code::RecordOdd, 11, text);
        assert_eq!(finding.detail.found, Some(0x78));
    }
}

#[test]
fn r7_tagged_columns_follow_one_another() {
    let numbers = ([1, 2, 3, 4], b"text");
    for size in BOTH {
        // Entries at 24 and 28, data from 32 on; a byte more before each value on large pages.
        let two = sound(size).tagged(256, &numbers.0).tagged(257, numbers.1);
        let extended = u64::from(size.is_large());
        let most = 16 + 2 * extended;
        let first = |found| {
            format!("first tagged column: expected an offset of 4 to {most} that is a multiple of 4, found {found}")
        };
        for (byte, nearest) in [(0, 4), (3, 4), (6, most), (20, most)] {
            compares(size, &changed(&two, &[(26, byte)]), "R7", 26, (nearest, byte.into()), &first(byte));
        }
        let text = "tagged columns: expected at least 4 bytes, found 3";
        compares(size, &changed(&two, &[])[..27], "R7", 24, (4, 3), text);
        let text = format!("column 256 (`number`): expected data inside 8 to {most}, found 8 to 90");
        compares(size, &changed(&two, &[(30, 90)]), "R7", 30, (most, 90), &text);
        let text = format!("column 256 (`number`): expected data inside 8 to {most}, found 8 to 7");
        compares(size, &changed(&two, &[(30, 7)]), "R7", 30, (8, 7), &text);

        let low = sound(size).tagged(255, b"");
        compares(size, &low.build(), "R7", 24, (256, 255), "tagged column: expected an id of 256 or more, found 255");
        let order = "expected in ascending order, the template's first, found behind column";
        for (record, column, before) in [
            (sound(size).tagged(257, b"x").tagged(256, &numbers.0), "256 (`number`)", "257 (`text`)"),
            (sound(size).tagged(257, b"x").tagged(257, b"y"), "257 (`text`)", "257 (`text`)"),
            (
                sound(size).tagged(257, b"x").flagged(256, Origin::Template, 1, b"y"),
                "256 (`their-blob`, of the template)",
                "257 (`text`)",
            ),
        ] {
            let text = format!("column {column}: {order} {before}");
            breaks(size, &record.build(), "R7", Code::RecordFormat, 28, &text);
        }
    }
}

#[test]
fn r8_tagged_columns_are_in_the_catalog() {
    for size in BOTH {
        let text = "column 300: expected a column that the catalog has, up to 260, found 300";
        compares(size, &sound(size).tagged(300, b"x").build(), "R8", 24, (260, 300), text);
        let record = sound(size).flagged(257, Origin::Template, 1, b"x").build();
        let text = "column 257 of the template: expected a column that the catalog has, up to 256, found 257";
        compares(size, &record, "R8", 24, (256, 257), text);
    }
}

#[test]
fn r8_a_value_of_a_deleted_column_is_an_info() {
    for size in BOTH {
        let text = "column 260 (`stub`): the column was deleted, its value is still there";
        for record in [sound(size).tagged(260, &[0; 999]), sound(size).flagged(260, OWN, 0x05, &[1, 0, 0, 0])] {
            let finding = breaks(size, &record.build(), "R8", Code::RecordColumn, 24, text);
            assert_eq!((finding.severity, finding.jet), (Severity::Info, None));
        }
    }
}

#[test]
fn r9_the_extended_byte_fits_the_column() {
    for size in BOTH {
        for (id, flags, text) in [
            (258, 0x81, "of known bits only, found 0x81"),
            (257, 0x01, "without 0x01, as the column is not long, found 0x01"),
            (258, 0x08, "with 0x01, as the column is long, found 0x08"),
            (257, 0x02, "without 0x02 and 0x04, as the column is not long, found 0x02"),
            (257, 0x04, "without 0x02 and 0x04, as the column is not long, found 0x04"),
            (258, 0x07, "with 0x04 only without 0x02 and 0x08, found 0x07"),
            (258, 0x0D, "with 0x04 only without 0x02 and 0x08, found 0x0d"),
        ] {
            let name = if id == 257 { "text" } else { "note" };
            let text = format!("column {id} (`{name}`): expected an extended byte {text}");
            let record = sound(size).flagged(id, OWN, flags, &[1, 0, 0, 0]).build();
            let finding = breaks(size, &record, "R9", Code::RecordFormat, 28, &text);
            assert_eq!(finding.detail.found, Some(u64::from(flags)));
        }
    }
    for (id, flags, text) in [
        (257, 0x00, "that says something, or none, found 0x00"),
        (257, 0x10, "with 0x10 only beside 0x08, and not on long columns, found 0x10"),
        (258, 0x19, "with 0x10 only beside 0x08, and not on long columns, found 0x19"),
        (257, 0x28, "of known bits only, found 0x28"),
    ] {
        let name = if id == 257 { "text" } else { "note" };
        let text = format!("column {id} (`{name}`): expected an extended byte {text}");
        let record = sound(PageSize::K4).flagged(id, OWN, flags, &[1, 0, 0, 0]).build();
        breaks(PageSize::K4, &record, "R9", Code::RecordFormat, 28, &text);
    }
    let text = "column 258 (`note`): expected an extended byte with 0x01, as the column is long, found 0x00";
    let record = sound(PageSize::K4).tagged(258, b"note").build();
    breaks(PageSize::K4, &record, "R9", Code::RecordFormat, 26, text);
    let text = "column 257 (`text`): expected an extended byte of known bits only, found 0x18";
    let record = sound(PageSize::K32).flagged(257, OWN, 0x18, b"\x01ab").build();
    breaks(PageSize::K32, &record, "R9", Code::RecordFormat, 28, text);
    let text = "column 257 (`text`): expected the extended byte, found no data";
    for (size, word) in [(PageSize::K4, 0x4000), (PageSize::K32, 0)] {
        breaks(size, &sound(size).entry(257, word, b"").build(), "R9", Code::RecordFormat, 26, text);
    }
}

#[test]
fn r10_null_has_no_data() {
    let text = "column 257 (`text`): expected no data, as it is NULL, found 2 bytes";
    let small = sound(PageSize::K4).entry(257, 0x2000, b"xy").build();
    compares(PageSize::K4, &small, "R10", 28, (0, 2), text);
    let large = sound(PageSize::K32).flagged(257, OWN, 0x20, b"xy").build();
    compares(PageSize::K32, &large, "R10", 29, (0, 2), text);
    let text = "column 257 (`text`): expected NULL alone, found NULL and an extended byte";
    let both = sound(PageSize::K4).entry(257, 0x6000, &[8]).build();
    breaks(PageSize::K4, &both, "R10", Code::RecordFormat, 26, text);
}

#[test]
fn r11_two_values_are_inside_and_short() {
    let two = |data: &[u8]| sound(PageSize::K4).flagged(257, OWN, 0x18, data).build();
    let text = "column 257 (`text`): expected at most 2 bytes in the first of two values, found 3";
    compares(PageSize::K4, &two(b"\x03ab"), "R11", 29, (2, 3), text);
    let text = "column 257 (`text`): value 2, expected at most 255 bytes, found 256";
    compares(PageSize::K4, &two(&[&[1, b'a'][..], &[b'b'; 256]].concat()), "R11", 31, (255, 256), text);
}

#[test]
fn r12_several_values_follow_one_another() {
    for size in BOTH {
        let several = |data: &[u8]| sound(size).flagged(257, OWN, 0x08, data).build();
        let first = "column 257 (`text`): expected the first of several values at an even offset of 4 to 6, found";
        compares(size, &several(&[2, 0, 5, 0, b'a', b'b']), "R12", 29, (4, 2), &format!("{first} 2"));
        compares(size, &several(&[5, 0, 5, 0, b'a', b'b']), "R12", 29, (6, 5), &format!("{first} 5"));
        compares(size, &several(&[8, 0, 5, 0, b'a', b'b']), "R12", 29, (6, 8), &format!("{first} 8"));
        let text = "column 257 (`text`): value 1, expected inside 4 to 6, found 4 to 7";
        compares(size, &several(&[4, 0, 7, 0, b'a', b'b']), "R12", 31, (6, 7), text);
        let text = "column 257 (`text`): value 1, expected inside 4 to 6, found 4 to 3";
        compares(size, &several(&[4, 0, 3, 0, b'a', b'b']), "R12", 31, (4, 3), text);
        let text = "column 257 (`text`): value 2, expected in the record, as the column is not long, found separated";
        let record = several(&[4, 0, 5, 0x80, b'a', 1, 0, 0, 0]);
        breaks(size, &record, "R12", Code::RecordFormat, 34, text);
    }
}

#[test]
fn r13_a_reference_is_a_number_that_a_long_value_can_have() {
    for size in BOTH {
        for (bytes, text) in [
            (&[1, 0, 0, 0, 0][..], "expected 4 or 8 bytes, found 5"),
            (&[0, 0, 0, 0], "expected a number above 0, found 0"),
            (&[1, 0, 0, 0x80], "expected 4 bytes without or 8 bytes with the top bit set, found 0x80000001 in 4 bytes"),
            (
                &[1, 0, 0, 0, 0, 0, 0, 0],
                "expected 4 bytes without or 8 bytes with the top bit set, found 0x1 in 8 bytes",
            ),
        ] {
            let record = sound(size).flagged(258, OWN, 0x05, bytes).build();
            let text = format!("column 258 (`note`): reference of value 1, {text}");
            breaks(size, &record, "R13", Code::LvMissing, 29, &text);
        }
        let record = sound(size).flagged(258, OWN, 0x09, &[4, 0, 5, 0x80, b'a', 0, 0, 0, 0]).build();
        let text = "column 258 (`note`): reference of value 2, expected a number above 0, found 0";
        breaks(size, &record, "R13", Code::LvMissing, 34, text);
    }
}

#[test]
fn r14_values_have_the_size_of_their_type() {
    for size in BOTH {
        let at = 28 + usize::from(size.is_large());
        let text = "column 256 (`number`): value 1, expected 4 bytes, found";
        compares(size, &sound(size).tagged(256, &[1, 2, 3]).build(), "R14", at, (4, 3), &format!("{text} 3"));
        compares(size, &sound(size).tagged(256, &[0; 5]).build(), "R14", at, (4, 5), &format!("{text} 5"));
        let text = "column 257 (`text`): value 1, expected at most 255 bytes, found 256";
        compares(size, &sound(size).tagged(257, &[0; 256]).build(), "R14", at, (255, 256), text);
        let record = sound(size).flagged(256, OWN, 0x08, &[4, 0, 8, 0, 1, 1, 1, 1, 2, 2]).build();
        let text = "column 256 (`number`): value 2, expected 4 bytes, found 2";
        compares(size, &record, "R14", 37, (4, 2), text);
    }
}

#[test]
fn r15_columns_that_must_have_a_value_have_one() {
    let mut columns = columns();
    columns.push(column(261, ColumnType::Long, 4, "must-tagged"));
    columns.push(column(262, ColumnType::Long, 4, "must-default"));
    let layout = TableLayout::new(columns);
    let number = [1, 2, 3, 4];
    for size in BOTH {
        let null = |builder: RecordBuilder, id| {
            if size.is_large() { builder.flagged(id, OWN, 0x20, b"") } else { builder.entry(id, 0x2000, b"") }
        };
        let whole = sound(size).tagged(261, &number);
        let first_null = RecordBuilder::new(size).fixed_null(4).variable(b"name").tagged(261, &number);
        let no_fixed = RecordBuilder::new(size).variable(b"name").tagged(261, &number);
        let third_null = RecordBuilder::new(size).fixed(&number).fixed(&[0]).fixed_null(2).variable(b"name");
        let no_name = RecordBuilder::new(size).fixed(&number).tagged(261, &number);
        let null_name = RecordBuilder::new(size).fixed(&number).variable_null().tagged(261, &number);
        for (builder, at, column, found) in [
            (first_null, 8, "1 (`must-id`)", "NULL"),
            (no_fixed, 0, "1 (`must-id`)", "nothing"),
            (third_null.tagged(261, &number), 11, "3 (`must-default`)", "NULL"),
            (no_name, 1, "128 (`must-name`)", "nothing"),
            (null_name, 9, "128 (`must-name`)", "NULL"),
            (sound(size), 24, "261 (`must-tagged`)", "nothing"),
            (null(sound(size), 261), 24, "261 (`must-tagged`)", "NULL"),
            (null(whole.clone(), 262), 28, "262 (`must-default`)", "NULL"),
        ] {
            let bytes = leaf(size, &[(0, &builder.build())]);
            let findings = check_page(&bytes, &layout, CLEAN);
            let [finding] = &findings[..] else { panic!("{column} {size}: {findings:#?}") };
            assert_eq!((finding.detail.rule, finding.code), (Some("R15"), Code::RecordColumn));
            let text =
                format!("record at line 1, column {column}: expected a value, as it must have one, found {found}");
            assert_eq!((&finding.message, at_of(finding, size)), (&text, at));
            assert_eq!(check_page(&bytes, &layout, DIRTY), []);
        }
        assert_eq!(check_page(&leaf(size, &[(0, &whole.build())]), &layout, CLEAN), []);
    }
}

#[test]
fn r17_a_bit_is_written_as_all_bits() {
    for size in BOTH {
        let text = "column 2 (`flag`): expected 0x00 or 0xff in a Bit, found 0x01";
        let finding = breaks(size, &changed(&sound(size), &[(8, 1)]), "R17", Code::RecordOdd, 8, text);
        assert_eq!((finding.severity, finding.detail.found), (Severity::Warning, Some(1)));
        // What stands in a NULL column says nothing.
        assert_eq!(check(size, &changed(&sound(size), &[(8, 1), (11, 0xFA)])), []);
        let text = "column 259 (`on`): expected 0x00 or 0xff in a Bit, found 0xfe";
        let at = 28 + usize::from(size.is_large());
        breaks(size, &sound(size).tagged(259, &[0xFE]).build(), "R17", Code::RecordOdd, at, text);
    }
}

#[test]
fn a_rule_is_reported_once_a_page_with_its_first_line_and_the_number_of_lines() {
    let layout = TableLayout::new(columns());
    for size in BOTH {
        let good = sound(size).build();
        let one = sound(size).tagged(259, &[7]).build();
        // Breaks the rule twice, and another besides.
        let two = changed(&sound(size).tagged(259, &[7]), &[(8, 9), (11, 0x78)]);
        let page = leaf(size, &[(2, &two), (0, &good), (0, &two), (2, &one), (1, &one), (0, &two)]);
        let found = check_page(&page, &layout, CLEAN);
        let lines: Vec<_> = found.iter().map(|f| (f.detail.rule.unwrap(), f.detail.line, f.detail.count)).collect();
        assert_eq!(lines, [("R6", Some(3), Some(2)), ("R17", Some(3), Some(3))]);
        let start = size.offset_of(PGNO) + if size.is_large() { 80 } else { 40 };
        let before = two.len() + good.len() + 3 * BEFORE_RECORD;
        assert_eq!(found[0].offset, start + before as u64 + 11);
    }
}

#[test]
fn a_checker_that_is_used_again_forgets_the_page_before() {
    let layout = TableLayout::new(columns());
    let (bad, good) = (leaf(PageSize::K4, &[(0, b"\0\x7f")]), leaf(PageSize::K4, &[]));
    let (mut checker, mut findings) = (RecordChecker::default(), Vec::new());
    for bytes in [&bad, &good, &bad] {
        checker.check_page(Page::new(bytes).unwrap(), PGNO, &layout, &CLEAN, &mut findings);
    }
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[0], findings[1]);
}

#[test]
fn a_node_gives_its_record_if_it_is_live_and_has_a_header() {
    let record = changed(&sound(PageSize::K4), &[(8, 1)]);
    let bytes = leaf(PageSize::K4, &[(0, &record), (2, &record), (0, b"\0\x7f")]);
    let page = Page::new(&bytes).unwrap();
    let (layout, mut checker) = (TableLayout::new(columns()), RecordChecker::default());
    let live = |node| checker.check_node(page, &node, &layout, &CLEAN).map(|record| record.data().len());
    assert_eq!(page.nodes().flatten().map(live).collect::<Vec<_>>(), [Some(24), None, None]);
}

#[test]
fn a_hostile_name_does_not_reach_a_message_as_it_is() {
    let layout = TableLayout::new(vec![column(256, ColumnType::Bit, 1, "a\u{1b}[31m\n`")]);
    let record = RecordBuilder::new(PageSize::K4).tagged(256, b"xx").build();
    let findings = check_page(&leaf(PageSize::K4, &[(0, &record)]), &layout, CLEAN);
    assert!(findings[0].message.contains(r"column 256 (`a\u{1b}[31m\n`"), "{}", findings[0].message);
}

/// Every finding lies in the record, and no rule is there twice.
fn assert_in_place(findings: &[Finding], size: PageSize, record_len: usize) {
    for (i, finding) in findings.iter().enumerate() {
        assert!(at_of(finding, size) <= record_len, "{}", finding.message);
        assert!(finding.offset < finding.page_offset.unwrap() + size.as_u64());
        let same = |other: &&Finding| {
            (other.detail.rule, other.code, other.severity) == (finding.detail.rule, finding.code, finding.severity)
        };
        assert_eq!(findings[..i].iter().find(same), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_give_findings_in_their_record(
        bytes in proptest::collection::vec(any::<u8>(), 1..200), large in any::<bool>(),
        header in any::<Option<[u8; 3]>>(),
    ) {
        let mut bytes = bytes;
        if let (Some([fixed, variable, end]), true) = (header, bytes.len() >= 4) {
            bytes[..4].copy_from_slice(&[fixed % 4, 127 + variable % 4, 4 + end % 9, 0]);
        }
        let size = BOTH[usize::from(large)];
        assert_in_place(&check(size, &bytes), size, bytes.len());
    }

    #[test]
    fn a_sound_record_with_changed_bytes_gives_findings_in_it(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4), large in any::<bool>(),
    ) {
        let size = BOTH[usize::from(large)];
        let builder = sound(size)
            .flagged(256, Origin::Template, 0x05, &[1, 0, 0, 0])
            .flagged(256, OWN, 0x08, &[4, 0, 8, 0, 1, 1, 1, 1, 2, 2, 2, 2])
            .tagged(257, b"text")
            .flagged(258, OWN, 0x09, &[4, 0x80, 8, 0, 1, 0, 0, 0, b'x'])
            .tagged(259, &[0]);
        let mut record = builder.build();
        for (at, byte) in changes {
            let at = at.index(record.len());
            record[at] = byte;
        }
        assert_in_place(&check(size, &record), size, record.len());
    }

    #[test]
    fn any_page_is_checked_without_panic(seed in proptest::collection::vec(any::<u8>(), 64..400), large in any::<bool>()) {
        let size = BOTH[usize::from(large)];
        let bytes: Vec<u8> = seed.iter().copied().cycle().take(size.bytes()).collect();
        for finding in check_page(&bytes, &TableLayout::new(columns()), CLEAN) {
            prop_assert!(finding.offset - finding.page_offset.unwrap() < size.as_u64());
        }
    }
}
