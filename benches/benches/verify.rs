//! Verification against `cat FILE > /dev/null`, on one large file in the page cache, in one run.
//!
//! The figure to reach: `--level checksum` takes at most 1.5 times as long as `cat`, and at most 64 MiB of memory.
//! `cargo bench -p catdb-benches --bench verify` makes a file of 1 GiB for each page size in the temporary folder, and
//! removes it; with `-- --test` it is 8 MiB and one round, to see that everything still runs. The program takes part
//! if `cargo build --release` has made it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use catdb_benches::{Outcome, cat, median, peak_memory, succeed, verify};
use catdb_test_data::database;
use catdb_test_data::page_builder::PageBuilder;
use ese_core::checksum;
use ese_core::format::{Page, PageSize, Pgno, page};
use ese_core::verify::Level;

/// Argument by which this program calls itself, to verify a file in a process of its own.
const ONLY: &str = "--only";
const ALL_CORES: usize = 0;
const LEVELS: [(Level, &str); 2] = [(Level::Checksum, "checksum"), (Level::Pages, "pages")];
/// Pages before the leaves in [`database::tiny`]: the root and its two space trees.
const HEAD_PAGES: u32 = 3;
/// The one of them that says which pages the database owns.
const OWNED_EXTENTS: u32 = 2;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [only, path, level] = args.as_slice()
        && only == ONLY
    {
        let (level, _) = LEVELS.iter().find(|(_, name)| name == level).ok_or("the level is checksum or pages")?;
        return verify(Path::new(path), *level, ALL_CORES).map(drop);
    }
    let (bytes, rounds) = if args.iter().any(|arg| arg == "--test") { (8 << 20, 1) } else { (1 << 30, 9) };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("large.edb");
    for size in [PageSize::K4, PageSize::K32] {
        write_database(&path, size, bytes)?;
        println!("{} MiB of pages of {size} bytes; median of {rounds}", bytes >> 20);
        compare(&path, rounds)?;
    }
    Ok(())
}

/// One way to read the whole file.
enum Reader {
    Cat,
    Library(Level, &'static str),
    Program(PathBuf, &'static str),
}

impl Reader {
    /// `cat`, by which the others are measured, is the first.
    fn all() -> Outcome<Vec<Reader>> {
        let mut all = vec![Reader::Cat];
        all.extend(LEVELS.map(|(level, name)| Reader::Library(level, name)));
        // As `cargo build --release` leaves it: in the folder above the one that this program lies in.
        let program = std::env::current_exe()?.with_file_name("../catdb-cli");
        if program.is_file() {
            all.extend(LEVELS.map(|(_, name)| Reader::Program(program.clone(), name)));
        }
        Ok(all)
    }

    fn name(&self) -> String {
        match self {
            Reader::Cat => "cat".to_owned(),
            Reader::Library(_, level) => format!("library, {level}"),
            Reader::Program(_, level) => format!("catdb-cli, {level}"),
        }
    }

    fn read(&self, path: &Path) -> Outcome {
        match self {
            Reader::Library(level, _) => verify(path, *level, ALL_CORES).map(drop),
            Reader::Cat | Reader::Program(..) => succeed(&mut self.command(path)?),
        }
    }

    /// The same as a process of its own.
    fn command(&self, path: &Path) -> Outcome<Command> {
        let mut command = match self {
            Reader::Cat => return Ok(cat(path)),
            Reader::Library(..) => Command::new(std::env::current_exe()?),
            Reader::Program(program, _) => Command::new(program),
        };
        match self {
            Reader::Cat => &mut command,
            Reader::Library(_, level) => command.arg(ONLY).arg(path).arg(level),
            Reader::Program(_, level) => command.args(["verify", "--level", level]).arg(path),
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// Runs all readers by turns, so that whatever else the machine does meets all of them alike.
fn compare(path: &Path, rounds: usize) -> Outcome {
    let readers = Reader::all()?;
    let mut times = vec![Vec::new(); readers.len()];
    for _ in 0..rounds {
        for (reader, times) in readers.iter().zip(&mut times) {
            let start = Instant::now();
            reader.read(path)?;
            times.push(start.elapsed());
        }
    }
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    for (reader, time) in readers.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        let peak = peak_memory(&mut reader.command(path)?)?;
        let peak = peak.map_or(String::new(), |kib| format!("  peak {:.1} MiB", kib / 1024.0));
        println!("  {:<20} {:>8.1} ms  {ratio:5.2} x cat{peak}", reader.name(), time.as_secs_f64() * 1e3);
    }
    Ok(())
}

/// A clean database of `bytes` bytes whose leaves are full of small nodes: the most work that a page can make.
fn write_database(path: &Path, size: PageSize, bytes: u64) -> Outcome {
    let last = size.last_pgno(bytes);
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&head_that_owns(size, last)?)?;
    let mut leaf = full_leaf(size)?;
    for pgno in (HEAD_PAGES + 1..=last.0).map(Pgno) {
        if size.is_large() {
            leaf[page::offset::PGNO..][..4].copy_from_slice(&pgno.0.to_le_bytes());
        }
        checksum::store(&mut leaf, pgno)?;
        file.write_all(&leaf)?;
    }
    // What is still to be written to the disk would be written while the clocks run.
    Ok(file.into_inner()?.sync_all()?)
}

/// Everything before the leaves of a tiny database, made to own the pages up to `last`.
fn head_that_owns(size: PageSize, last: Pgno) -> Outcome<Vec<u8>> {
    let mut head = database::tiny(size, HEAD_PAGES + 1);
    head.truncate(database::offset(size, HEAD_PAGES + 1));
    let page = Page::new(database::page_mut(&mut head, size, OWNED_EXTENTS))?;
    let extent = page.node(1)?;
    let (key, count) = (page.offset_of(extent.key.suffix), page.offset_of(extent.data));
    database::patch_page(&mut head, size, OWNED_EXTENTS, |page| {
        page[key..][..4].copy_from_slice(&last.0.to_be_bytes());
        page[count..][..4].copy_from_slice(&last.0.to_le_bytes());
    });
    Ok(head)
}

fn full_leaf(size: PageSize) -> Outcome<Vec<u8>> {
    /// Bytes that a node below takes, its tag included.
    const NODE: usize = 80;
    let nodes = u32::try_from(size.bytes() / NODE - 2)?;
    let empty = PageBuilder::leaf(size, HEAD_PAGES + 1).tag0(b"common prefix");
    Ok((0..nodes).fold(empty, |page, key| page.compressed_node(13, &key.to_be_bytes(), &[0x5A; 64])).build())
}
