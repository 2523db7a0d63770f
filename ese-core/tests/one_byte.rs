//! One byte of a sound database is changed and its checksum made right: what the fields that no other check compares
//! show. Places are those of the fixtures; the mutation score in `fuzz` changes all fields at random.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use catdb_test_data::corpus;
use ese_core::checksum;
use ese_core::finding::{Code, Severity};
use ese_core::format::{DatabaseHeader, Pgno};
use ese_core::source::MemorySource;
use ese_core::verify::Verifier;

/// Page, byte of it, what stands there, what is put there.
type Change = (u32, usize, u8, u8);

/// Changes `name` and expects a finding with this rule at the byte that was changed, and no other error.
fn shows(name: &str, (pgno, at, before, after): Change, code: Code, rule: &str, severity: Severity) {
    let mut file = corpus::fixture(name);
    let size = DatabaseHeader::from_slot(&file).page_size().unwrap();
    let start = usize::try_from(size.offset_of(Pgno(pgno))).unwrap();
    let page = &mut file[start..start + size.bytes()];
    assert_eq!(page[at], before, "page {pgno} byte {at}");
    page[at] = after;
    checksum::store(page, Pgno(pgno)).unwrap();
    let report = Verifier::new(&MemorySource(&file)).run().unwrap();
    let found: Vec<_> = report.findings().iter().filter(|finding| finding.severity > Severity::Info).collect();
    assert!(
        found.iter().any(|finding| {
            let is_it = finding.code == code && finding.detail.rule == Some(rule) && finding.severity == severity;
            is_it && finding.pgno == Some(Pgno(pgno))
        }),
        "page {pgno} byte {at}: expected {code:?} {rule}, found {found:#?}"
    );
}

const KITCHEN: &str = "kitchen-4k-b.edb";

#[test]
fn a_root_flagged_empty_is_an_error() {
    for change in [(5, 36, 0x23, 0x2B), (373, 36, 0x43, 0x4B)] {
        shows(KITCHEN, change, Code::BtreeEmpty, "T8", Severity::Error);
    }
}

#[test]
fn flags_of_trees_that_there_are_no_more_are_errors_and_the_old_record_format_a_warning() {
    shows(KITCHEN, (46, 37, 0xAC, 0xAD), Code::BtreeKind, "T24", Severity::Error);
    shows(KITCHEN, (5, 37, 0xA8, 0xAA), Code::BtreeKind, "T24", Severity::Error);
    shows(KITCHEN, (31, 37, 0xA8, 0xA0), Code::BtreeKind, "T24", Severity::Warning);
}

#[test]
fn free_space_that_begins_in_the_tag_array_is_an_error() {
    shows(KITCHEN, (135, 32, 0xBE, 0xD2), Code::PageFreeSpace, "P3", Severity::Error);
}

#[test]
fn a_tree_that_says_it_has_no_space_trees_beside_them_is_an_error() {
    shows(KITCHEN, (10, 48, 1, 0), Code::SpaceHeader, "S1", Severity::Error);
}

#[test]
fn the_first_field_of_a_space_header_that_disagrees_with_the_extents_is_a_warning() {
    for change in [(4, 40, 0x14, 0x94), (1, 41, 0, 2), (10, 48, 1, 5)] {
        shows(KITCHEN, change, Code::SpaceHeader, "S1", Severity::Warning);
    }
}

#[test]
fn an_unused_split_buffer_with_a_last_page_is_a_warning() {
    for change in [(2, 49, 0, 0xAD), (6, 41, 0, 2)] {
        shows(KITCHEN, change, Code::SpaceSplitBuffer, "S12", Severity::Warning);
    }
}

#[test]
fn a_value_that_claims_compression_and_has_none_is_an_error() {
    shows(KITCHEN, (34, 1703, 1, 3), Code::LvCompression, "L8", Severity::Error);
}

#[test]
fn encryption_that_the_catalog_does_not_know_is_a_warning() {
    shows(KITCHEN, (34, 2884, 3, 0x43), Code::RecordOdd, "R9", Severity::Warning);
}

#[test]
fn an_autoincrement_maximum_below_a_row_is_a_warning() {
    shows(KITCHEN, (31, 57, 0xFE, 1), Code::SpaceHeader, "03-2", Severity::Warning);
}
