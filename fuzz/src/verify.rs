//! The target `verify`: a whole file.

use std::hint::black_box;
use std::num::NonZeroUsize;

use catdb_test_data::page_builder::PageBuilder;
use catdb_test_data::{corpus, database};
use ese_core::checksum::{self, PageSum};
use ese_core::finding::Severity;
use ese_core::format::{DatabaseHeader, PageSize, Pgno};
use ese_core::source::{ByteSource, MemorySource, ReadError};
use ese_core::verify::{Level, Report, Verdict, Verifier, VerifyError};

/// Sectors that begin with this byte cannot be read from [`BadSectors`]: the content decides, so a fuzzer can.
const BAD: u8 = 0xBD;
const SECTOR: usize = 512;
/// Bytes of a real database that make a seed: a few dozen pages.
const CUT: usize = 160 * 1024;

pub(crate) fn run(bytes: &[u8]) {
    let [by_checksum, by_pages] = [Level::Checksum, Level::Pages].map(|level| {
        let outcome = Verifier::new(&MemorySource(bytes)).level(level).run();
        let alone = Verifier::new(&Copied(bytes)).level(level).threads(Some(NonZeroUsize::MIN)).run();
        assert_same(&outcome, &alone);
        outcome.ok().inspect(holds_together)
    });
    assert_eq!(by_checksum.is_some(), by_pages.is_some());
    if let (Some(few), Some(more)) = (by_checksum, by_pages) {
        for (code, severity, count) in few.count_by_code() {
            assert!(more.count_by_code().any(|(c, s, n)| (c, s) == (code, severity) && n >= count), "{code:?}");
        }
    }
    if let Ok(report) = Verifier::new(&BadSectors(bytes)).level(Level::Pages).run() {
        holds_together(&report);
    }
}

/// What is true of every report.
pub(crate) fn holds_together(report: &Report) {
    assert!(report.findings().is_sorted_by(|a, b| a.cmp_in_report(b).is_le()));
    let total: u64 = report.count_by_code().map(|(_, _, count)| count).sum();
    assert_eq!(report.findings().len() as u64 + report.omitted(), total);
    let expected = match (report.count(Severity::Error), report.count(Severity::Warning)) {
        (0, 0) => Verdict::Intact,
        (0, _) => Verdict::Warnings,
        _ => Verdict::Damaged,
    };
    assert_eq!(report.verdict(), expected);
    let pages = report.pages;
    assert_eq!(pages.seen, u64::from(report.database.last_page.0));
    assert!(pages.blank + pages.bad_checksum + pages.correctable + pages.unreadable + pages.slack <= pages.seen);
    assert!(report.findings().iter().all(|finding| !finding.message.is_empty()));
    black_box(report.is_complete());
}

pub(crate) fn assert_same(a: &Result<Report, VerifyError>, b: &Result<Report, VerifyError>) {
    match (a, b) {
        (Ok(a), Ok(b)) => {
            assert_eq!(a.findings(), b.findings());
            assert_eq!(a.pages, b.pages);
            assert_eq!(a.not_checked, b.not_checked);
            assert_eq!(format!("{:?}", a.database), format!("{:?}", b.database));
        }
        _ => {
            let [a, b] = [a, b].map(|outcome| outcome.as_ref().err().map(VerifyError::to_string));
            assert_eq!(a, b);
        }
    }
}

/// Bytes that are only handed out as copies, like those of a file.
pub(crate) struct Copied<'a>(pub(crate) &'a [u8]);

impl ByteSource for Copied<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        MemorySource(self.0).read_at(offset, buf)
    }
}

/// A medium with sectors that cannot be read.
struct BadSectors<'a>(&'a [u8]);

impl ByteSource for BadSectors<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        MemorySource(self.0).read_at(offset, buf)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX) / SECTOR * SECTOR;
        let touched = self.0.get(start..).unwrap_or_default().chunks(SECTOR).take(buf.len().div_ceil(SECTOR));
        if touched.into_iter().any(|sector| sector.first() == Some(&BAD)) {
            return Err(ReadError { offset, len: buf.len(), error: std::io::Error::other("bad sector") });
        }
        Ok(())
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    const PAGES: u32 = 6;
    let mut seeds = vec![Vec::new()];
    for size in PageSize::ALL {
        let sound = database::tiny(size, PAGES);
        if !size.is_large() {
            seeds.push(database::tiny_old_format(size, PAGES));
        }
        let damages: [fn(&mut Vec<u8>, PageSize); 10] = [
            |_, _| {},
            |file, size| file[..2 * size.bytes()].fill(0),
            |file, size| database::flip_bits(file, size, 5, &[1000, 9000]),
            |file, size| database::flip_bits(file, size, 4, &[1000]),
            |file, size| database::swap_pages(file, size, 4, 6),
            |file, size| database::zero(file, size, 2, 0, size.bytes()),
            |file, size| database::page_mut(file, size, 5)[SECTOR] = BAD,
            |file, size| two_levels_of_space(file, size, 5),
            |file, size| two_levels_of_space(file, size, 2),
            |file, size| {
                let slack = database::page_mut(file, size, 6).repeat(2);
                file.extend(slack);
                file.truncate(file.len() - 100);
            },
        ];
        seeds.extend(damages.map(|damage| {
            let mut file = sound.clone();
            damage(&mut file, size);
            file
        }));
    }
    seeds.extend(corpus::databases(&corpus::folder()).iter().map(|path| {
        let mut file = corpus::unpack(path);
        file.truncate(CUT);
        file
    }));
    seeds
}

/// Puts the owned extents on page 5 and, in their place, an internal page that points to `child`.
fn two_levels_of_space(file: &mut [u8], size: PageSize, child: u32) {
    let [root, leaf] =
        [(2, 0x2825), (5, 0x2822)].map(|(pgno, flags)| PageBuilder::leaf(size, pgno).flags(flags).objid(1));
    let root = root.tag0(&[0; 16]).node(b"", &child.to_le_bytes()).build();
    let leaf = leaf.node(&[0, 0, 0, 6], &[6, 0, 0, 0]).build();
    database::page_mut(file, size, 2).copy_from_slice(&root);
    database::page_mut(file, size, 5).copy_from_slice(&leaf);
}

pub(crate) fn seal(bytes: &mut [u8]) {
    let size = DatabaseHeader::from_slot(bytes).page_size().unwrap_or(PageSize::K4);
    for (slot, page) in bytes.chunks_exact_mut(size.bytes()).enumerate() {
        match u32::try_from(slot.saturating_sub(1)).map(Pgno) {
            Ok(Pgno::NONE) => database::seal_header(page),
            Ok(pgno) if matches!(checksum::verify(page, pgno), PageSum::Bad(_)) => {
                // Fails only where the page's own flags ask for no checksum that its size could have.
                let _ = checksum::store(page, pgno);
            }
            _ => {}
        }
    }
}
