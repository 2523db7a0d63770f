//! One file, one report: whatever it is read through, and however many threads read it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use catdb_test_data::{corpus, database, verdicts};
use ese_core::database::Database;
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::PageSize;
use ese_core::source::{ByteSource, FileSource, MappedSource, MemorySource, ReadError};
use ese_core::verify::{Level, PageCounts, Phase, Progress, Verdict, Verifier, VerifyError};

/// Everything that a report says and that could depend on who read the file.
#[derive(PartialEq, Debug)]
struct Said {
    findings: Vec<Finding>,
    counts: Vec<(Code, u64)>,
    pages: PageCounts,
}

fn said(source: &dyn ByteSource, threads: usize, max_findings: usize) -> Said {
    let verifier = Verifier::new(source).threads(NonZeroUsize::new(threads)).max_findings(max_findings);
    let report = verifier.run().expect("a database");
    Said {
        findings: report.findings().to_vec(),
        counts: report.count_by_code().map(|(code, _, count)| (code, count)).collect(),
        pages: report.pages,
    }
}

/// More than one window of chunks (32 MiB), damaged in many ways all over.
fn large_damaged_file() -> Vec<u8> {
    let size = PageSize::K16;
    let pages = 2500;
    let mut file = database::tiny(size, pages);
    let bits = 8 * size.bytes();
    for pgno in (4..pages).step_by(7) {
        let at = usize::try_from(pgno).unwrap() * 997 % (bits - 64);
        database::flip_bits(&mut file, size, pgno, &[64 + at]);
    }
    for pgno in (5..pages).step_by(113) {
        database::foreign_page(&mut file, size, pgno);
    }
    for pgno in (6..pages).step_by(101) {
        database::zero(&mut file, size, pgno, 0, size.bytes());
    }
    for pgno in (9..pages - 1).step_by(211) {
        database::swap_pages(&mut file, size, pgno, pgno + 1);
    }
    file[100] ^= 1;
    file.extend(vec![0x33; 5 * size.bytes()]);
    file
}

fn check(file: &[u8]) {
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(file).unwrap();
    let opened = FileSource::open(on_disk.path()).unwrap();
    let mapped = MappedSource::new(on_disk.as_file()).unwrap();
    let in_memory = MemorySource(file);
    for max_findings in [50_000, 20] {
        let expected = said(&in_memory, 1, max_findings);
        assert!(!expected.findings.is_empty());
        for threads in [1, 2, 7] {
            assert_eq!(said(&in_memory, threads, max_findings), expected, "memory, {threads} threads");
            assert_eq!(said(&opened, threads, max_findings), expected, "file, {threads} threads");
            assert_eq!(said(&mapped, threads, max_findings), expected, "mapped, {threads} threads");
        }
        // No number of threads given: as many as there are cores.
        assert_eq!(said(&opened, 0, max_findings), expected);
    }
}

#[test]
fn threads_and_sources_leave_no_trace_in_the_report_of_a_large_file() {
    let file = large_damaged_file();
    let codes: Vec<Code> = said(&MemorySource(&file), 1, 50_000).counts.into_iter().map(|(code, _)| code).collect();
    let expected =
        [Code::DbSlack, Code::HdrPrimaryBad, Code::PageChecksum, Code::PageEcc, Code::PageNumber, Code::CatalogLost];
    assert_eq!(codes, expected, "the file has no catalog");
    check(&file);
}

#[test]
fn threads_and_sources_leave_no_trace_in_the_report_of_small_files() {
    check(&database::damaged_catdb());
    let mut kitchen = corpus::fixture("kitchen-32k-w10.edb");
    for pgno in (4..200).step_by(5) {
        database::flip_bits(&mut kitchen, PageSize::K32, pgno, &[9999]);
    }
    check(&kitchen);
}

#[test]
fn threads_leave_no_trace_where_trees_records_and_indexes_are_damaged() {
    /// Cases of one kind that are looked at, of each database.
    const OF_A_KIND: usize = 2;
    let Some(shared) = corpus::shared() else { return };
    let mut cases_with_findings = 0;
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        let mut of_kind = std::collections::BTreeMap::<&str, usize>::new();
        for case in &cases {
            let seen = of_kind.entry(&case.kind).or_default();
            *seen += 1;
            if *seen > OF_A_KIND {
                continue;
            }
            let file = case.apply(&sound);
            let expected = said(&MemorySource(&file), 1, 50_000);
            assert_eq!(said(&MemorySource(&file), 4, 50_000), expected, "{}: 4 threads", case.id);
            cases_with_findings += usize::from(!expected.findings.is_empty());
        }
    }
    assert!(cases_with_findings > 100, "{cases_with_findings}");
}

#[test]
fn the_level_of_checksums_leaves_the_rules_of_pages_alone() {
    let file = database::damaged_catdb();
    let report = Verifier::new(&MemorySource(&file)).level(Level::Checksum).run().unwrap();
    let codes: Vec<Code> = report.findings().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::HdrShadowBad, Code::PageEcc, Code::PageChecksum, Code::PageChecksum]);
}

#[test]
fn a_file_that_becomes_shorter_is_reported_once_where_it_ended() {
    let file = corpus::fixture("kitchen-4k-b.edb");
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(&file).unwrap();
    let source = FileSource::open(on_disk.path()).unwrap();
    on_disk.as_file().set_len(1_000_000).unwrap();
    let report = Verifier::new(&source).level(Level::Pages).run().unwrap();
    let [finding] = report.findings() else { panic!("{:?}", report.findings()) };
    assert_eq!((finding.code, finding.offset), (Code::DbChanged, 1_000_000 / 4096 * 4096));
    assert!(!report.is_complete());
}

/// Adds up what it hears; ends the run after `limit` bytes.
struct Listener {
    total: AtomicU64,
    done: AtomicU64,
    limit: u64,
    began: AtomicBool,
}

impl Listener {
    fn new(limit: u64) -> Listener {
        Listener { total: AtomicU64::new(0), done: AtomicU64::new(0), limit, began: AtomicBool::new(false) }
    }
}

impl Progress for Listener {
    fn begin(&self, phase: Phase, total: u64) {
        assert_eq!(phase, Phase::Pages);
        assert!(!self.began.swap(true, Ordering::Relaxed), "one phase, begun once");
        self.total.store(total, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.limit
    }
}

#[test]
fn progress_ends_at_its_total() {
    let file = corpus::fixture("kitchen-4k-b.edb");
    let listener = Listener::new(u64::MAX);
    Verifier::new(&MemorySource(&file)).level(Level::Pages).progress(&listener).run().unwrap();
    assert_eq!(listener.total.into_inner(), file.len() as u64 - 8192);
    assert_eq!(listener.done.into_inner(), file.len() as u64 - 8192);
}

#[test]
fn a_run_that_is_cancelled_ends_without_a_report() {
    let file = corpus::fixture("kitchen-4k-b.edb");
    for limit in [0, 1_000_000] {
        let listener = Listener::new(limit);
        let result = Verifier::new(&MemorySource(&file)).level(Level::Pages).progress(&listener).run();
        assert!(matches!(result, Err(VerifyError::Cancelled)));
        assert!(listener.done.into_inner() < file.len() as u64 - 8192);
    }
}

/// A medium on which each sector of one page can be read once.
struct ReadOnce<'a> {
    bytes: &'a [u8],
    at: u64,
    reads: AtomicU64,
}

impl ByteSource for ReadOnce<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let touched = offset <= self.at && self.at < offset + buf.len() as u64;
        if touched && self.reads.fetch_add(1, Ordering::Relaxed) > 0 {
            return Err(ReadError { offset, len: buf.len(), error: std::io::Error::other("bad sector") });
        }
        MemorySource(self.bytes).read_at(offset, buf)
    }
}

#[test]
fn a_page_that_cannot_be_read_a_second_time_is_told_and_explains_what_is_missing() {
    let file = corpus::fixture("kitchen-4k-b.edb");
    let report = Verifier::new(&MemorySource(&file)).run().unwrap();
    assert_eq!(report.verdict(), Verdict::Intact);
    // A leaf of the rows of the table Kitchen.
    let leaf = Database::from_source(Box::new(MemorySource(file.clone())))
        .unwrap()
        .table("Kitchen")
        .and_then(|table| table.rows().next().and_then(Result::ok).map(|row| row.pgno()))
        .unwrap();
    let source = ReadOnce { bytes: &file, at: PageSize::K4.offset_of(leaf), reads: AtomicU64::new(0) };
    let report = Verifier::new(&source).run().unwrap();
    let errors: Vec<&Finding> =
        report.findings().iter().filter(|finding| finding.severity == Severity::Error).collect();
    let [finding] = errors[..] else { panic!("{errors:?}") };
    assert_eq!((finding.code, finding.pgno), (Code::DbReadError, Some(leaf)));
    assert!(finding.detail.consequences.is_some_and(|count| count > 0), "{finding:?}");
}
