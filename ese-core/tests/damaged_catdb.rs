//! The damaged database that the README verifies: `test-data/damaged-catdb.edb`, five damages, five findings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use catdb_test_data::{corpus, database};
use ese_core::finding::Code;
use ese_core::format::Pgno;
use ese_core::source::FileSource;
use ese_core::verify::{Verdict, Verifier};

const NAME: &str = "damaged-catdb.edb";

/// With `CATDB_WRITE_FIXTURES` set, the file is made anew first.
#[test]
fn the_file_is_what_its_function_makes() {
    let path = corpus::folder().join(NAME);
    let made = database::damaged_catdb();
    if std::env::var_os("CATDB_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == made, "{NAME} and `damaged_catdb` differ");
}

#[test]
fn each_of_the_five_damages_is_found_at_its_byte() {
    let source = FileSource::open(&corpus::folder().join(NAME)).unwrap();
    let report = Verifier::new(&source).run().unwrap();
    let page = |pgno: u32| 4096 * (u64::from(pgno) + 1);
    let found: Vec<_> = report.findings().iter().map(|f| (f.code, f.pgno, f.offset, f.detail.rule.unwrap())).collect();
    assert_eq!(
        found,
        [
            (Code::HdrShadowBad, None, 4096, "H1"),
            (Code::PageEcc, Some(Pgno(34)), page(34) + 174, "02-6.4"),
            (Code::PageChecksum, Some(Pgno(45)), page(45), "02-6.6"),
            (Code::PageTags, Some(Pgno(47)), page(47) + 4096 - 40, "P13"),
            (Code::PageChecksum, Some(Pgno(69)), page(69), "02-6.6"),
        ]
    );
    assert_eq!(report.findings()[1].detail.bits, [8 * 174 + 2]);
    assert_eq!(report.findings()[3].detail.line, Some(9));
    assert_eq!((report.verdict(), report.is_complete()), (Verdict::Damaged, true));
    assert_eq!((report.pages.bad_checksum, report.pages.correctable), (2, 1));
}
