//! The whole check against `cat FILE > /dev/null`, on small and large files in the page cache, in one run.
//!
//! The figures to reach: 500 MB/s on two cores, the same time per page in a large file as in a small one (at most 1.2
//! times), at most 64 MiB of memory and 32 bytes for each page. `cargo bench -p catdb-benches --bench full` makes
//! databases of 10 MiB and 1 GiB in the temporary folder, one at a time, and removes them; with `-- --test` they are 2
//! and 8 MiB and looked at once, to see that everything still runs; `-- --rounds N` has it done with in less time.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use catdb_benches::{Outcome, cat, median, peak_memory, succeed, verify};
use catdb_test_data::build::{LargeShape, write_large};
use ese_core::checksum;
use ese_core::finding::Code;
use ese_core::format::{Page, PageFlags, PageSize, Pgno};
use ese_core::source::FileSource;
use ese_core::verify::{Level, Verifier};

/// Argument by which this program calls itself, to verify a file in a process of its own.
const ONLY: &str = "--only";
/// The same for a file whose index is damaged, with the folder for temporary files.
const SORTING: &str = "--sorting";
const ALL_CORES: usize = 0;
const THREADS: [(usize, &str); 2] = [(ALL_CORES, "all cores"), (1, "one core")];
/// Memory that a run may take whatever the file, and for each page, in bytes.
const MEMORY: u64 = 64 << 20;
const MEMORY_PER_PAGE: u64 = 32;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [only, path] = args.as_slice()
        && only == ONLY
    {
        return verify(Path::new(path), Level::Full, ALL_CORES).map(drop);
    }
    if let [sorting, path, temporary] = args.as_slice()
        && sorting == SORTING
    {
        return verify_damaged(Path::new(path), Path::new(temporary));
    }
    let is_test = args.iter().any(|arg| arg == "--test");
    let rounds = args.iter().skip_while(|arg| *arg != "--rounds").nth(1);
    let rounds = rounds.map_or(Ok(if is_test { 1 } else { 5 }), |rounds| rounds.parse())?;
    let (small, large) = if is_test { (2 << 20, 8 << 20) } else { (10 << 20, 1 << 30) };
    let folder = tempfile::tempdir()?;
    for shape in [LargeShape::Catdb, LargeShape::WithIndex] {
        for size in [PageSize::K4, PageSize::K32] {
            println!("{shape:?}, pages of {size} bytes; median of {rounds}");
            // A small file is over soon: more rounds, as they cost nothing.
            let small = measure(&folder.path().join("small.edb"), size, shape, small, 4 * rounds)?;
            let large = measure(&folder.path().join("large.edb"), size, shape, large, rounds)?;
            for ((_, name), (small, large)) in THREADS.iter().zip(small.iter().zip(&large)) {
                println!("  {name}: {:.2} x the time per page of the small file", large / small);
            }
        }
    }
    Ok(())
}

/// Makes a database and verifies it; tells the seconds per page for each number of threads.
fn measure(path: &Path, size: PageSize, shape: LargeShape, bytes: u64, rounds: usize) -> Outcome<Vec<f64>> {
    let bytes = write_large(path, size, bytes, shape)?.bytes;
    // What is still to be written to the disk would be written while the clocks run.
    File::open(path)?.sync_all()?;
    // By turns, so that whatever else the machine does meets all of them alike.
    let mut times = vec![Vec::new(); 1 + THREADS.len()];
    for _ in 0..rounds {
        times[0].push(timed(|| succeed(&mut cat(path)))?);
        for ((threads, _), times) in THREADS.iter().zip(&mut times[1..]) {
            times.push(timed(|| verify(path, Level::Full, *threads).map(drop))?);
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times).as_secs_f64()).collect();
    let pages = bytes / size.as_u64();
    for ((_, name), time) in THREADS.iter().zip(&medians[1..]) {
        println!(
            "  {:>6.1} MB, {name:<9}  {:>8.1} ms  {:>7.0} MB/s  {:>6.2} x cat  {:>7.2} us/page",
            bytes as f64 / 1e6,
            time * 1e3,
            bytes as f64 / 1e6 / time,
            time / medians[0],
            time / pages as f64 * 1e6
        );
    }
    print_peak("", bytes, size, Command::new(std::env::current_exe()?).arg(ONLY).arg(path))?;
    if shape == LargeShape::WithIndex {
        damage_an_entry(path, size)?;
        let temporary = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SORTING).arg(path).arg(temporary.path());
        print_peak("with a damaged entry, ", bytes, size, &mut command)?;
        if std::fs::read_dir(temporary.path())?.next().is_some() {
            return Err("temporary files: expected none after the run".into());
        }
    }
    std::fs::remove_file(path)?;
    Ok(medians[1..].iter().map(|time| time / pages as f64).collect())
}

fn timed(work: impl FnOnce() -> Outcome) -> Outcome<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn print_peak(what: &str, bytes: u64, size: PageSize, command: &mut Command) -> Outcome {
    if let Some(kib) = peak_memory(command)? {
        let most = (MEMORY + bytes / size.as_u64() * MEMORY_PER_PAGE) as f64;
        let (peak, most) = (kib / 1024.0, most / f64::from(1 << 20));
        println!("  {:>6.1} MB, {what}peak {peak:.1} of {most:.1} MiB", bytes as f64 / 1e6);
    }
    Ok(())
}

/// Changes the bookmark of an entry of the index, so that rows and entries have to be sorted to find it.
fn damage_an_entry(path: &Path, size: PageSize) -> Outcome {
    let file = File::options().read(true).write(true).open(path)?;
    let last = size.last_pgno(file.metadata()?.len());
    let mut bytes = vec![0; size.bytes()];
    for pgno in (1..=last.0).map(Pgno) {
        file.read_exact_at(&mut bytes, size.offset_of(pgno))?;
        let page = Page::new(&bytes)?;
        // The indexes of so small a catalog have only a root.
        let is_index = page.flags() & PageFlags::KIND == PageFlags::INDEX;
        if !is_index || !page.is_leaf() || page.is_root() {
            continue;
        }
        let entry = page.node(page.tag_count() / 2)?;
        let at = page.offset_of(entry.data) + entry.data.len() - 1;
        bytes[at] ^= 1;
        checksum::store(&mut bytes, pgno)?;
        return Ok(file.write_all_at(&bytes, size.offset_of(pgno))?);
    }
    Err("expected an index of several leaves, found none".into())
}

fn verify_damaged(path: &Path, temporary: &Path) -> Outcome {
    let source = FileSource::open(path)?;
    let report = Verifier::new(&source).temporary_folder(Some(temporary)).run()?;
    let of_entry = [Code::IdxEntryMissing, Code::IdxEntryExtra, Code::IdxEntryWrong];
    let is_found = report.count_by_code().any(|(code, _, _)| of_entry.contains(&code));
    if is_found {
        Ok(())
    } else {
        Err(format!("expected a finding on the damaged entry, found {:?}", report.findings().first()).into())
    }
}
