//! For every code of findings a damage that provokes exactly that code, at exactly its byte of the file, and nothing
//! else: one table of page damages, one of damages of header and file, and a test that no code is left out. Beside them
//! what only looks like damage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod files;
mod pages;

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use ese_core::finding::{Code, Finding};
use ese_core::format::PageSize;
use ese_core::jet::JetError;
use ese_core::source::{ByteSource, MemorySource, ReadError};
use ese_core::verify::{Level, Report, Verifier};

/// Small and large pages have other headers, tags and checksums, and each size other limits.
const SIZES: &[PageSize] = &PageSize::ALL;
/// For rules that only large pages have.
const LARGE: &[PageSize] = &[PageSize::K16, PageSize::K32];

/// A damage with a name, and the one finding it must give.
struct Damage {
    name: &'static str,
    code: Code,
    rule: Option<&'static str>,
    jet: Option<JetError>,
    sizes: &'static [PageSize],
    provoke: fn(PageSize) -> Damaged,
}

fn damage(name: &'static str, code: Code, rule: &'static str, provoke: fn(PageSize) -> Damaged) -> Damage {
    Damage { name, code, rule: Some(rule), jet: code.info().jet, sizes: SIZES, provoke }
}

impl Damage {
    fn jet(mut self, jet: JetError) -> Damage {
        self.jet = Some(jet);
        self
    }

    fn on(mut self, sizes: &'static [PageSize]) -> Damage {
        self.sizes = sizes;
        self
    }
}

/// A damaged file, where the damage lies, and the warnings that come with it.
struct Damaged {
    source: Faulty,
    offset: u64,
    also: &'static [Code],
}

/// A file that looks odd and is as the engine leaves files.
type Lawful = (&'static str, fn(PageSize) -> Damaged);

/// Bytes in memory, some of which cannot be read.
#[derive(Default)]
struct Faulty {
    bytes: Vec<u8>,
    /// A range that the medium fails to read.
    unreadable: Range<u64>,
    /// Where the file ends now; it was longer when it was opened.
    ends_now: Option<u64>,
    /// What `changed` says.
    change: Option<&'static str>,
}

impl ByteSource for Faulty {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let len = buf.len();
        let end = offset + len as u64;
        if self.unreadable.start < end && offset < self.unreadable.end {
            return Err(ReadError { offset, len, error: io::Error::from_raw_os_error(5) });
        }
        if self.ends_now.is_some_and(|now| end > now) {
            return Err(ReadError { offset, len, error: io::ErrorKind::UnexpectedEof.into() });
        }
        MemorySource(&self.bytes).read_at(offset, buf)
    }

    fn changed(&self) -> Option<String> {
        self.change.map(str::to_owned)
    }
}

fn verify(source: &dyn ByteSource) -> Report {
    Verifier::new(source).level(Level::Pages).run().expect("a database")
}

/// The findings, a line each.
fn brief(report: &Report) -> String {
    let line = |f: &Finding| format!("\n{} at {} ({:?}): {}", f.code, f.offset, f.detail.rule, f.message);
    report.findings().iter().map(line).collect()
}

/// Checks each damage of `table` on each of its page sizes.
fn each_is_found_at_its_byte(table: &[Damage]) {
    for Damage { name, code, rule, jet, sizes, provoke } in table {
        for size in *sizes {
            let Damaged { source, offset, also } = provoke(*size);
            let report = verify(&source);
            let context = || format!("{name}, {size}: {}", brief(&report));
            let found: Vec<_> = report.findings().iter().filter(|finding| !also.contains(&finding.code)).collect();
            let [finding] = found[..] else { panic!("expected {code} alone: {}", context()) };
            assert_eq!((finding.code, finding.offset), (*code, offset), "{}", context());
            assert_eq!(finding.detail.rule, *rule, "{}", context());
            assert_eq!((finding.severity, finding.jet), (code.info().severity, *jet), "{}", context());
            assert_eq!(report.findings().len(), 1 + also.len(), "{}", context());
            let page = size.pgno_at(finding.offset).filter(|_| finding.pgno.is_some());
            assert_eq!(finding.pgno, page, "{}", context());
        }
    }
}

#[test]
fn every_page_damage_is_found_at_its_byte() {
    each_is_found_at_its_byte(&pages::table());
}

#[test]
fn every_damage_of_header_or_file_is_found_at_its_byte() {
    each_is_found_at_its_byte(&files::table());
}

#[test]
fn nothing_is_said_of_what_only_looks_odd() {
    for (name, make) in pages::lawful().into_iter().chain(files::lawful()) {
        for size in SIZES {
            let report = verify(&make(*size).source);
            assert!(report.findings().is_empty(), "{name}, {size}: {}", brief(&report));
        }
    }
}

#[test]
fn every_code_of_files_and_pages_has_a_damage() {
    let covered: BTreeSet<Code> = pages::table().iter().chain(&files::table()).map(|damage| damage.code).collect();
    // A file that is no database at all is an error of the run, not a finding; which pages are in use trees tell.
    let elsewhere = [Code::DbNotEse, Code::PageBlankInUse];
    let here = |code: &Code| ["db-", "hdr-", "page-", "repair-"].iter().any(|family| code.name().starts_with(family));
    let all: BTreeSet<Code> =
        Code::ALL.iter().copied().filter(|code| here(code) && !elsewhere.contains(code)).collect();
    assert_eq!(covered, all);
}

#[test]
fn every_rule_of_the_page_check_has_a_damage() {
    let covered: BTreeSet<&str> = pages::table().iter().filter_map(|damage| damage.rule).collect();
    let missing: Vec<String> =
        (1..=19).map(|n| format!("P{n}")).filter(|rule| !covered.contains(rule.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
