//! One flipped bit anywhere: it is found on its page, and the checksum names it. The whole file is judged at once, with
//! one flip in each page, so that a run over a database is as many samples as it has pages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::path::PathBuf;

use catdb_test_data::{corpus, database};
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::{PageSize, Pgno};
use ese_core::source::MemorySource;
use ese_core::verify::{Level, Report, Verifier};

/// Bits of the first eight bytes: flips there change a stored sum and cannot be corrected (spec 02 section 6.4).
const SUM_BITS: usize = 64;
/// The flag that chooses the checksum format.
const ECC_FLAG_BIT: usize = 301;
/// Where the header of large pages ends, sums of the other blocks included.
const HEADER_BITS: usize = 8 * 80;
/// Root of the database and its space trees: without them nobody can say where the slack begins.
const SPACE_PAGES: u32 = 3;

/// The generator of the samples (splitmix64): the same numbers on every machine.
struct Samples(u64);

impl Samples {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn in_range(&mut self, range: std::ops::Range<usize>) -> usize {
        let width = u64::try_from(range.len()).unwrap();
        range.start + usize::try_from(self.next() % width).unwrap()
    }

    /// A bit behind the first eight bytes; often one of the header, where special rules apply.
    fn bit(&mut self, size: PageSize) -> usize {
        match self.next() % 16 {
            0 => ECC_FLAG_BIT,
            1 => 8 * size.bytes() - 1,
            2..=5 => self.in_range(SUM_BITS..HEADER_BITS),
            _ => self.in_range(SUM_BITS..8 * size.bytes()),
        }
    }
}

fn verify(file: &[u8]) -> Report {
    Verifier::new(&MemorySource(file)).level(Level::Pages).run().expect("a database")
}

/// A sound database, and the pages that the tests damage: owned by the database and not blank.
struct Sound {
    name: String,
    file: Vec<u8>,
    size: PageSize,
    pages: Vec<u32>,
    /// Findings of the undamaged file.
    before: Vec<Finding>,
}

impl Sound {
    fn new(name: String, file: Vec<u8>) -> Sound {
        let report = verify(&file);
        let size = report.database.page_size;
        let last = report.database.last_owned.expect("sound space").min(report.database.last_page).0;
        let blank = |pgno: &u32| database::page(&file, size, *pgno).iter().all(|byte| *byte == 0);
        let pages = (1..=last).filter(|pgno| !blank(pgno)).collect();
        assert_eq!(report.count(Severity::Error), 0, "{name}");
        Sound { name, size, pages, before: report.findings().to_vec(), file }
    }

    /// Flips `bits` of each page, and compares what is found on pages with `expected`.
    fn check(&self, flips: &[(u32, Vec<usize>)], expected: impl Fn(u32, &[usize]) -> Vec<(Code, u64, Vec<u32>)>) {
        let mut file = self.file.clone();
        for (pgno, bits) in flips {
            database::flip_bits(&mut file, self.size, *pgno, bits);
        }
        let report = verify(&file);
        let found = report.findings().iter().filter(|finding| !self.before.contains(finding));
        let found: Vec<_> = found
            .map(|finding| (finding.pgno.map_or(0, |pgno| pgno.0), finding.code, finding.offset, &finding.detail.bits))
            .collect();
        let mut all = Vec::new();
        for (pgno, bits) in flips {
            let page = expected(*pgno, bits);
            all.extend(page.into_iter().map(|(code, at, bits)| (*pgno, code, self.offset(*pgno) + at, bits)));
        }
        all.sort();
        assert_eq!(found.len(), all.len(), "{}", self.name);
        for (found, (pgno, code, offset, bits)) in found.iter().zip(&all) {
            assert_eq!(*found, (*pgno, *code, *offset, bits), "{}", self.name);
        }
    }

    fn offset(&self, pgno: u32) -> u64 {
        self.size.offset_of(Pgno(pgno))
    }
}

fn as_bit(bit: usize) -> u32 {
    u32::try_from(bit).unwrap()
}

fn byte_of(bit: usize) -> u64 {
    u64::try_from(bit / 8).unwrap()
}

/// Each bit is a warning of its own, at its byte.
fn corrected(_: u32, bits: &[usize]) -> Vec<(Code, u64, Vec<u32>)> {
    bits.iter().map(|bit| (Code::PageEcc, byte_of(*bit), vec![as_bit(*bit)])).collect()
}

fn fixtures() -> Vec<Sound> {
    let names = ["catdb-200.edb", "empty-4k.edb", "empty-32k.edb", "kitchen-4k-b.edb", "kitchen-32k-w10.edb"];
    let real = names.iter().map(|name| Sound::new((*name).to_owned(), corpus::fixture(name)));
    real.chain(PageSize::ALL.map(|size| Sound::new(format!("tiny, {size}"), database::tiny(size, 200)))).collect()
}

/// Databases of the engine, all page sizes, and real ones of 4 and 16 KiB.
fn large_databases() -> Vec<PathBuf> {
    let Some(shared) = corpus::shared() else { return Vec::new() };
    let mut paths = corpus::databases(&shared.join("engine/db"));
    paths.extend(
        ["srum/win10-19041/SRUDB.dat.gz", "bits/win11-26100/qmgr.db.gz"].map(|p| shared.join("corpus").join(p)),
    );
    paths
}

fn one_flip_a_page(sound: &Sound, samples: &mut Samples) -> usize {
    let flips: Vec<_> = sound.pages.iter().map(|pgno| (*pgno, vec![samples.bit(sound.size)])).collect();
    sound.check(&flips, corrected);
    flips.len()
}

#[test]
fn one_flipped_bit_is_named_on_every_page_of_the_fixtures() {
    let mut samples = Samples(1);
    let judged: usize =
        fixtures().iter().map(|sound| (0..4).map(|_| one_flip_a_page(sound, &mut samples)).sum::<usize>()).sum();
    println!("{judged} flips");
    assert!(judged > 5_000);
}

#[test]
fn one_flipped_bit_is_named_on_every_page_of_the_large_databases() {
    let mut samples = Samples(2);
    let mut judged = 0;
    for path in large_databases() {
        judged += one_flip_a_page(&Sound::new(path.display().to_string(), corpus::unpack(&path)), &mut samples);
    }
    println!("{judged} flips");
}

#[test]
fn every_single_bit_of_a_page_is_named() {
    let size = PageSize::K2;
    let bits = 8 * size.bytes();
    let sound = Sound::new("tiny".to_owned(), database::tiny(size, as_bit(bits) + SPACE_PAGES));
    let flips: Vec<_> = (SUM_BITS..bits).map(|bit| (as_bit(bit) + SPACE_PAGES + 1, vec![bit])).collect();
    sound.check(&flips, corrected);
}

#[test]
fn every_bit_of_a_large_header_is_named() {
    for size in [PageSize::K16, PageSize::K32] {
        let sound = Sound::new("tiny".to_owned(), database::tiny(size, as_bit(HEADER_BITS) + SPACE_PAGES));
        let flips: Vec<_> = (SUM_BITS..HEADER_BITS).map(|bit| (as_bit(bit) + SPACE_PAGES, vec![bit])).collect();
        sound.check(&flips, corrected);
    }
}

#[test]
fn a_large_page_may_have_one_flipped_bit_in_each_block() {
    let mut samples = Samples(3);
    for sound in fixtures().iter().filter(|sound| sound.size.is_large()) {
        let block = 8 * sound.size.checksum_block_bytes();
        let flips: Vec<_> = sound
            .pages
            .iter()
            .map(|pgno| {
                let first = samples.in_range(HEADER_BITS..block);
                let rest = (1..4).map(|index| index * block + samples.in_range(0..block));
                (*pgno, std::iter::once(first).chain(rest).collect())
            })
            .collect();
        sound.check(&flips, corrected);
    }
}

#[test]
fn two_flipped_bits_in_a_block_are_never_corrected() {
    let mut samples = Samples(4);
    for sound in &fixtures() {
        let block = 8 * sound.size.checksum_block_bytes();
        let pages = sound.pages.iter().filter(|pgno| **pgno > SPACE_PAGES);
        let flips: Vec<_> = pages
            .map(|pgno| {
                // The first block, behind the sums of the others: so the first sum is the one that disagrees.
                let first = samples.in_range(HEADER_BITS..block);
                let second = samples.in_range(HEADER_BITS..block - 1);
                (*pgno, vec![first, if second < first { second } else { second + 1 }])
            })
            .collect();
        sound.check(&flips, |_, bits| {
            // Both words disagree, unless the flips cancel in one: equal positions of two words leave the XOR as it was.
            let at = if (bits[0] ^ bits[1]).is_multiple_of(32) { 4 } else { 0 };
            vec![(Code::PageChecksum, at, vec![])]
        });
    }
}

#[test]
fn three_flipped_bits_in_a_block_never_pass_in_silence() {
    // About one triple in twelve has the sums of a single flip elsewhere, and the page check may not see the fourth.
    let mut samples = Samples(7);
    for sound in &fixtures() {
        let block = 8 * sound.size.checksum_block_bytes();
        let mut file = sound.file.clone();
        let pages = sound.pages.iter().filter(|pgno| **pgno > SPACE_PAGES);
        for pgno in pages.clone() {
            let first = samples.in_range(HEADER_BITS..block - 2);
            let second = samples.in_range(first + 1..block - 1);
            let third = samples.in_range(second + 1..block);
            database::flip_bits(&mut file, sound.size, *pgno, &[first, second, third]);
        }
        let report = verify(&file);
        for pgno in pages {
            let found: Vec<Code> =
                report.findings().iter().filter(|f| f.pgno == Some(Pgno(*pgno))).map(|f| f.code).collect();
            assert!(matches!(found[..], [Code::PageChecksum | Code::PageEcc]), "{} page {pgno}: {found:?}", sound.name);
        }
        println!("{}: {} of {} taken for one flip", sound.name, report.pages.correctable, sound.pages.len());
    }
}

#[test]
fn a_flipped_bit_of_the_checksum_itself_is_an_error_at_its_word() {
    let mut samples = Samples(5);
    for sound in &fixtures() {
        let last = *sound.pages.last().unwrap();
        let last_in_file = sound.size.last_pgno(sound.file.len() as u64).0;
        let pages = sound.pages.iter().filter(|pgno| **pgno > SPACE_PAGES);
        let flips: Vec<_> = pages.map(|pgno| (*pgno, vec![samples.in_range(0..SUM_BITS)])).collect();
        assert!(last <= last_in_file);
        sound.check(&flips, |pgno, bits| {
            let bit = bits[0];
            // The XOR word of a small page covers the page number and nothing else does: a flip there cannot be told
            // from a page in the wrong place, if there is a page with the number that it then names.
            let other = if bit < 32 { pgno ^ (1 << bit) } else { 0 };
            if !sound.size.is_large() && (1..=last_in_file).contains(&other) {
                vec![(Code::PageNumber, 0, vec![])]
            } else {
                vec![(Code::PageChecksum, byte_of(bit) & !3, vec![])]
            }
        });
    }
}

#[test]
fn on_an_old_page_any_flipped_bit_is_an_error() {
    let mut samples = Samples(6);
    let old = [PageSize::K2, PageSize::K4, PageSize::K8];
    let mut all: Vec<_> =
        old.map(|size| Sound::new(format!("tiny, old, {size}"), database::tiny_old_format(size, 500))).into();
    if let Some(shared) = corpus::shared() {
        let real = corpus::unpack(&shared.join("corpus/catdb-2003/f750/catdb.gz"));
        all.push(Sound::new("catdb-2003".to_owned(), real));
    }
    for sound in &all {
        for _ in 0..4 {
            let pages = sound.pages.iter().filter(|pgno| **pgno > SPACE_PAGES);
            let flips: Vec<_> = pages.map(|pgno| (*pgno, vec![samples.in_range(0..8 * sound.size.bytes())])).collect();
            sound.check(&flips, |_, _| vec![(Code::PageChecksum, 0, vec![])]);
        }
    }
}
