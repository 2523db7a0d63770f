use super::super::plain_sum;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fields::FIELDS;
use super::samples::{put, sound_slot};
use super::*;
use crate::format::FileType;

/// The first bytes of `kitchen-4k`, spec 01 section 11.
const EXAMPLE: [u8; 24] =
    [0x96, 0xc2, 0x0b, 0x1d, 0xef, 0xcd, 0xab, 0x89, 0x20, 0x06, 0, 0, 0, 0, 0, 0, 0x9a, 0x22, 0, 0, 0, 0, 0, 0];

#[test]
fn the_example_of_the_spec_reads_as_told() {
    let header = DatabaseHeader::from_slot(&EXAMPLE);
    assert_eq!(header.checksum(), 0x1D0B_C296);
    assert_eq!(header.magic(), MAGIC);
    assert_eq!(header.version(), VERSION);
    assert_eq!(header.attributes(), 0);
    assert_eq!(header.dbtime(), Dbtime(0x229A));
}

#[test]
fn fields_behind_the_end_of_a_short_slot_are_zero() {
    let header = DatabaseHeader::from_slot(&EXAMPLE);
    assert_eq!(header.state(), DbState::Unknown(0));
    assert_eq!(header.page_size(), Some(PageSize::K4));
    assert!(header.last_commit_before_revert().is_none());
    assert_eq!(DatabaseHeader::from_slot(&[]).magic(), 0);
}

#[test]
fn the_checksum_folds_every_word_but_the_first() {
    assert_eq!(plain_sum(&[]), MAGIC);
    assert_eq!(plain_sum(&[0xff; 4]), MAGIC);
    assert_eq!(plain_sum(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]), MAGIC ^ 1 ^ 0x0200_0000);
}

#[test]
fn page_size_0_means_4096_and_other_sizes_mean_themselves() {
    for (stored, size) in [
        (0, Some(PageSize::K4)),
        (2048, Some(PageSize::K2)),
        (32768, Some(PageSize::K32)),
        (1, None),
        (65536, None),
        (u32::MAX, None),
    ] {
        let mut slot = sound_slot(PageSize::K4);
        put(&mut slot, 236, stored);
        let header = DatabaseHeader::from_slot(&slot);
        assert_eq!((header.page_size_field(), header.page_size()), (stored, size));
    }
}

#[test]
fn an_update_nobody_has_met_is_not_known() {
    let with_update = |update| {
        let mut slot = sound_slot(PageSize::K4);
        put(&mut slot, 232, update);
        DatabaseHeader::from_slot(&slot)
    };
    assert!(KNOWN_UPDATES.is_sorted());
    assert!(with_update(20).has_known_update());
    assert!(with_update(300).has_known_update());
    assert!(!with_update(301).has_known_update());
    assert!(!with_update(0).has_known_update());
}

#[test]
fn only_the_lowest_flag_turns_shadowing_off() {
    for (flags, shadowing, shown) in [
        (0, Shadowing::On, "Yes"),
        (0x0E00_0000, Shadowing::On, "Yes"),
        (1, Shadowing::Off, "No"),
        (0xFFFF_FFFE, Shadowing::On, "Yes"),
    ] {
        let mut slot = sound_slot(PageSize::K4);
        put(&mut slot, 208, flags);
        let header = DatabaseHeader::from_slot(&slot);
        assert_eq!((header.flags(), header.shadowing()), (flags, shadowing));
        assert_eq!(shadowing.to_string(), shown);
    }
}

#[test]
fn the_list_begins_as_the_report_of_esentutl_does() {
    let labels = FIELDS.iter().map(|field| field.label).fold(Vec::new(), |mut lines, label| {
        if lines.last() != Some(&label) {
            lines.push(label);
        }
        lines
    });
    assert_eq!(labels.len(), labels.iter().collect::<BTreeSet<_>>().len(), "a label stands on one line only");
    assert_eq!(
        labels[..12],
        [
            "File Type",
            "Checksum",
            "Format ulMagic",
            "Format ulVersion",
            "Created ulVersion",
            "DB Signature",
            "cbDbPage",
            "dbtime",
            "State",
            "Log Required",
            "Log Committed",
            "Log Recovering",
        ]
    );
}

#[test]
fn every_field_shows_its_own_bytes() {
    let mut shown = Vec::new();
    let blank = DatabaseHeader::from_slot(&[]);
    for field in FIELDS {
        let mut slot = vec![0; DatabaseHeader::SIZE];
        let at = usize::from(field.offset);
        slot[at..at + field.size].fill(0x01);
        let changed = DatabaseHeader::from_slot(&slot);
        assert_ne!((field.read)(&blank), (field.read)(&changed), "{}", field.name);
        for other in FIELDS.iter().filter(|other| other.offset != field.offset) {
            assert_eq!((other.read)(&blank), (other.read)(&changed), "{} shows {}", other.name, field.name);
        }
        shown.push(format!("{}: {}", field.label, (field.read)(&changed)));
    }
    for line in [
        "Checksum: 0x1010101",
        "Repair Count: 16843009",
        "dbtime: 72340172838076673 (0x101010101010101)",
        "Log Committed: 16843009 (0x1010101)",
        "Last Attach: (0x1010101,101,101)",
        "Scrub Date: 1901-01-01T01:01:01.000Z",
        "File Type: unknown (16843009)",
        "State: unknown (16843009)",
        "Shadowed: No",
    ] {
        assert!(shown.iter().any(|shown| shown == line), "{line} is not among {shown:#?}");
    }
}

#[test]
fn no_two_fields_share_bytes_except_the_flags() {
    let mut ranges = FIELDS.iter().map(|field| (usize::from(field.offset), field.size)).collect::<Vec<_>>();
    ranges.sort_unstable();
    ranges.dedup();
    assert_eq!(ranges.len(), FIELDS.len() - 1);
    assert!(ranges.is_sorted_by(|(a, size), (b, _)| a + size <= *b));
    let reserved = Signature::SIZE + 3 + 1;
    assert_eq!(ranges.iter().map(|(_, size)| size).sum::<usize>(), DatabaseHeader::SIZE - reserved);
    assert_eq!(ranges.last(), Some(&(DatabaseHeader::SIZE - LogPosition::SIZE, LogPosition::SIZE)));
}

#[test]
fn names_are_unique_and_fit_for_data() {
    let names = FIELDS.iter().map(|field| field.name).collect::<BTreeSet<_>>();
    assert_eq!(names.len(), FIELDS.len());
    for name in names {
        assert!(name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_')), "{name}");
    }
}

#[test]
fn fields_stand_where_the_structs_table_has_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/spec/structs.csv");
    let Ok(csv) = std::fs::read_to_string(path) else {
        eprintln!("skipped: {path} is not here");
        return;
    };
    let mut expected = BTreeMap::new();
    for line in csv.lines().filter(|line| line.starts_with("DBFILEHDR,")) {
        let [_, size, offset, name, kind] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert_eq!(size, DatabaseHeader::SIZE.to_string());
        if !kind.starts_with("u8[") {
            expected.insert(offset.parse::<u32>().unwrap(), (name.to_owned(), kind.to_owned()));
        }
    }
    let kind_of = |value| match value {
        FieldValue::Signature(_) => "SIGNATURE",
        FieldValue::Time(_) => "LOGTIME",
        FieldValue::Position(_) => "LE_LGPOS",
        FieldValue::Backup(_) => "BKINFO",
        FieldValue::BackupType(_) => "DBFILEHDR::BKINFOTYPE",
        FieldValue::I32(_) | FieldValue::Generation(_) => "i32",
        FieldValue::Dbtime(_) => "i64",
        FieldValue::Hex64(_) => "u64",
        _ => "u32",
    };
    for field in DatabaseHeader::from_slot(&[]).fields() {
        let (name, kind) = expected.get(&field.offset).unwrap_or_else(|| panic!("{}", field.name));
        assert_eq!(kind_of(field.value), kind, "{} and {name}", field.name);
    }
    for (offset, (name, _)) in expected {
        assert!(FIELDS.iter().any(|field| u32::from(field.offset) == offset), "{name} has no field");
    }
}

#[test]
fn the_file_type_is_read_at_its_odd_offset() {
    let mut slot = sound_slot(PageSize::K4);
    put(&mut slot, 667, 5);
    assert_eq!(DatabaseHeader::from_slot(&slot).file_type(), FileType::TemporaryDatabase);
}

proptest! {
    #[test]
    fn any_bytes_are_a_header_that_can_be_shown(bytes in prop::collection::vec(any::<u8>(), 0..=800)) {
        let header = DatabaseHeader::from_slot(&bytes);
        for field in header.fields() {
            prop_assert!(!field.value.to_string().is_empty());
        }
        let shown = format!("{header:?}");
        prop_assert!(shown.contains("db_signature"));
    }
}
