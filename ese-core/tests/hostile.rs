//! Files that were made to hurt, or are no databases at all: a clear error or a report, never a panic, and soon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::time::{Duration, Instant};

use catdb_test_data::{corpus, database};
use ese_core::finding::{Code, Severity};
use ese_core::format::{FileType, PageSize};
use ese_core::source::MemorySource;
use ese_core::verify::{Level, Report, Verdict, Verifier, VerifyError};
use proptest::prelude::*;

/// Far more than a small file takes, and far less than anybody waits.
const SOON: Duration = Duration::from_secs(5);

/// Runs at all levels; what holds of every report must hold of these. Gives that of the pages, since most files here have
/// no catalog.
fn verify(file: &[u8]) -> Result<Report, VerifyError> {
    let start = Instant::now();
    let source = MemorySource(file);
    let [checksums, pages, full] =
        [Level::Checksum, Level::Pages, Level::Full].map(|level| Verifier::new(&source).level(level).run());
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    assert!(checksums.is_ok() == pages.is_ok() && full.is_ok() == pages.is_ok());
    for report in [&pages, &full].into_iter().flatten() {
        holds_together(file, report);
    }
    pages
}

fn holds_together(file: &[u8], report: &Report) {
    let len = file.len() as u64;
    assert!(report.findings().is_sorted_by(|a, b| a.cmp_in_report(b).is_le()));
    for finding in report.findings() {
        assert!(finding.offset <= len, "{} at {} of {len}: {}", finding.code, finding.offset, finding.message);
        assert!(!finding.message.is_empty() && !finding.message.chars().any(char::is_control), "{}", finding.message);
        let size = report.database.page_size.as_u64();
        if let Some(start) = finding.page_offset {
            assert!((start..start + size).contains(&finding.offset), "{}: {}", finding.code, finding.message);
        }
    }
    let pages = u64::from(report.database.last_page.0);
    assert_eq!(report.pages.seen, pages);
    assert!(report.pages.slack + report.pages.blank + report.pages.bad_checksum + report.pages.correctable <= pages);
    assert_eq!(report.count(Severity::Error) > 0, report.verdict() == Verdict::Damaged);
    assert!(report.findings().len() <= 12 * (file.len() / 2048 + 10), "a few findings a page at most");
}

#[test]
fn what_is_no_database_is_called_so() {
    assert!(matches!(verify(b""), Err(VerifyError::Empty)));
    let text = "2024-01-01 00:00:00, Info CBS Loaded Servicing Stack\r\n".repeat(2000);
    let mut page_of_zip = vec![0; 100_000];
    page_of_zip[..4].copy_from_slice(b"PK\x03\x04");
    for bytes in [b"\xEF\xCD\xAB".to_vec(), vec![0; 65536], vec![0xFF; 65536], text.into_bytes(), page_of_zip] {
        let error = verify(&bytes).unwrap_err();
        assert!(matches!(error, VerifyError::NotEse), "{} bytes: {error}", bytes.len());
    }
}

#[test]
fn other_files_of_the_engine_are_called_by_their_kind() {
    let log = |kind: u32, size: usize| {
        let mut file = vec![0; size];
        file[667..671].copy_from_slice(&kind.to_le_bytes());
        database::seal_header(&mut file);
        file.resize(65536, 0x55);
        file
    };
    for (kind, size, expected) in
        [(3, 4096, FileType::Log), (4, 4096, FileType::Checkpoint), (7, 8192, FileType::FlushMap)]
    {
        let error = verify(&log(kind, size)).unwrap_err();
        assert!(matches!(error, VerifyError::OtherKind(found) if found == expected), "{error}");
    }
    let Some(shared) = corpus::shared() else { return };
    let error = verify(&corpus::unpack(&shared.join("corpus/srum/win10-19044/SRU.log.gz"))).unwrap_err();
    assert_eq!(error.to_string(), "not a database: this is a transaction log of ESE");
}

/// Numbers at the edges of their types.
fn extremes(width: usize) -> Vec<Vec<u8>> {
    let top = 1_u64 << (8 * width - 1);
    let all = u64::MAX >> (64 - 8 * width);
    [0, 1, top - 1, top, all - 1, all].iter().map(|n: &u64| n.to_le_bytes()[..width].to_vec()).collect()
}

/// Writes every extreme number at every second offset of `range` of a small file, has `seal` make the checksum right,
/// and verifies.
fn with_extremes(sound: &[u8], range: std::ops::Range<usize>, seal: impl Fn(&mut Vec<u8>)) -> usize {
    let mut runs = 0;
    for at in range.clone().step_by(2) {
        for value in [2, 4, 8].into_iter().flat_map(extremes).filter(|value| at + value.len() <= range.end) {
            let mut file = sound.to_vec();
            file[at..at + value.len()].copy_from_slice(&value);
            seal(&mut file);
            // Whatever it is now: an error or a report, and both are checked.
            let _ = verify(&file);
            runs += 1;
        }
    }
    runs
}

#[test]
fn no_number_in_the_header_can_hurt() {
    for size in [PageSize::K2, PageSize::K16] {
        let sound = database::tiny(size, 4);
        let runs = with_extremes(&sound, 4..752, |file| {
            database::seal_header(&mut file[..size.bytes()]);
            file.copy_within(..size.bytes(), size.bytes());
        });
        assert!(runs > 6000);
        // The same in one copy.
        with_extremes(&sound, 4..752, |file| database::seal_header(&mut file[..size.bytes()]));
    }
}

#[test]
fn no_number_on_a_page_can_hurt() {
    for size in [PageSize::K2, PageSize::K4, PageSize::K16] {
        let sound = database::tiny(size, 5);
        for pgno in 1..=5 {
            let page = database::offset(size, pgno);
            let end = page + size.bytes();
            // Header, tag 0 (space header, split buffer, prefix), nodes; then the tags.
            for range in [page + 8..page + 80 + 128, end - 20..end] {
                with_extremes(&sound, range, |file| reseal(file, size, pgno));
            }
        }
    }
}

/// Makes the checksum right, if the page's flags ask for one that its size can have.
fn reseal(file: &mut [u8], size: PageSize, pgno: u32) {
    let page = database::page_mut(file, size, pgno);
    let _ = ese_core::checksum::store(page, ese_core::format::Pgno(pgno));
}

#[test]
fn a_space_tree_that_bites_its_tail_ends() {
    let size = PageSize::K4;
    for child in [0, 1, 2, 3, 7, 0xFFFF_FFFF_u32] {
        let mut file = database::tiny(size, 5);
        let internal = catdb_test_data::page_builder::PageBuilder::leaf(size, 2)
            .flags(0x2825)
            .objid(1)
            .tag0(&[0; 16])
            .node(&[0, 0, 0, 5], &child.to_le_bytes())
            .node(b"", &child.to_le_bytes())
            .build();
        database::page_mut(&mut file, size, 2).copy_from_slice(&internal);
        let report = verify(&file).unwrap();
        assert_eq!(report.database.last_owned, None, "child {child}");
        assert_eq!(report.not_checked.len(), 1, "child {child}");
        assert_eq!(report.pages.seen, 5, "every page is judged all the same");
    }
}

#[test]
fn space_that_ends_behind_any_file_is_a_file_cut_short() {
    let size = PageSize::K4;
    for last in [6, 0x7FEF_FFFE, u32::MAX] {
        let mut file = database::tiny(size, 5);
        let owned = catdb_test_data::page_builder::PageBuilder::leaf(size, 2)
            .flags(0x2823)
            .objid(1)
            .tag0(&[0; 16])
            .node(&last.to_be_bytes(), &last.to_le_bytes())
            .build();
        database::page_mut(&mut file, size, 2).copy_from_slice(&owned);
        let report = verify(&file).unwrap();
        let [finding] = report.findings() else { panic!("{:?}", report.findings()) };
        assert_eq!((finding.code, finding.detail.count), (Code::DbTruncated, Some(u64::from(last) - 5)));
    }
}

#[test]
fn the_page_size_is_found_behind_megabytes_of_rubbish() {
    for size in PageSize::ALL {
        let mut file = database::tiny(size, 6_000_000 / u32::try_from(size.bytes()).unwrap());
        file[..5_000_000].fill(0x55);
        let report = verify(&file).unwrap();
        assert_eq!(report.database.page_size, size);
        assert_eq!(report.findings()[0].code, Code::HdrBothBad);
        let last_bad = report.findings().iter().filter_map(|finding| finding.page_offset).max();
        assert_eq!(last_bad, Some(4_999_999 / size.as_u64() * size.as_u64()));
    }
}

#[test]
fn only_the_first_findings_are_kept_and_all_are_counted() {
    let size = PageSize::K2;
    let mut file = database::tiny(size, 500);
    for pgno in 4..=500 {
        database::flip_bits(&mut file, size, pgno, &[777]);
    }
    let report = Verifier::new(&MemorySource(&file)).level(Level::Pages).max_findings(10).run().unwrap();
    let pages: Vec<u32> = report.findings().iter().map(|finding| finding.pgno.unwrap().0).collect();
    assert_eq!(pages, (4..14).collect::<Vec<u32>>());
    assert_eq!((report.omitted(), report.count(Severity::Warning), report.is_complete()), (487, 497, false));
}

fn any_size() -> impl Strategy<Value = PageSize> {
    prop::sample::select(&PageSize::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_give_an_error_or_a_report(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        let _ = verify(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_sound_header_give_a_report(
        size in any_size(), bytes in prop::collection::vec(any::<u8>(), 0..40_000),
    ) {
        let mut file = database::header(size).repeat(2);
        file.extend(bytes);
        prop_assert!(verify(&file).is_ok());
    }

    #[test]
    fn any_page_with_a_right_checksum_gives_a_report(
        size in any_size(),
        pgno in 1..=5u32,
        seed in prop::collection::vec(any::<u8>(), 256),
        tags in 0..2000u16,
        flags in any::<u32>(),
    ) {
        let mut file = database::tiny(size, 5);
        let page = database::page_mut(&mut file, size, pgno);
        page.iter_mut().zip(seed.iter().cycle()).for_each(|(byte, seed)| *byte = *seed);
        page[34..36].copy_from_slice(&tags.to_le_bytes());
        page[36..40].copy_from_slice(&(flags | 0x2000).to_le_bytes());
        reseal(&mut file, size, pgno);
        let report = verify(&file).unwrap();
        let elsewhere = report.findings().iter().find(|finding| finding.pgno.is_some_and(|found| found.0 != pgno));
        prop_assert!(elsewhere.is_none(), "{elsewhere:?}");
    }

    #[test]
    fn any_change_under_a_right_checksum_gives_a_report(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40), pgno in 1..=70u32,
    ) {
        let size = PageSize::K4;
        let mut file = corpus::fixture("catdb-200.edb");
        database::patch_page(&mut file, size, pgno, |page| {
            for (at, value) in &changes {
                page[at.index(page.len())] = *value;
            }
            page[37] |= 0x20;
        });
        verify(&file).unwrap();
        let report = Verifier::new(&MemorySource(&file)).level(Level::Pages).run().unwrap();
        prop_assert!(report.findings().iter().all(|finding| finding.pgno.is_none_or(|found| found.0 == pgno)));
    }

    #[test]
    fn a_file_cut_anywhere_gives_an_error_or_a_report(size in any_size(), cut in any::<prop::sample::Index>()) {
        let mut file = database::tiny(size, 5);
        file.truncate(cut.index(file.len()));
        match verify(&file) {
            Ok(report) => prop_assert!(report.verdict() == Verdict::Damaged),
            Err(error) => prop_assert!(file.len() < size.bytes(), "{error}"),
        }
    }
}
