//! Headers of real databases, and the kinds of the files that lie beside them. Skipped where those files are absent.

#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that only tests call")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ese_core::format::{
    Copies, DatabaseHeader, Dbtime, FieldValue, FileType, HeaderCopies, HeaderFault, KNOWN_UPDATES, LogTime, MAGIC,
    PageSize, Used, VERSION, kind_of_file,
};
use flate2::read::GzDecoder;

/// Enough for both copies at the largest page size.
const BOTH_COPIES: u64 = 2 * 32768;

fn shared() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    if !path.is_dir() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path.to_owned())
}

/// The first bytes of a compressed file.
fn start_of(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    GzDecoder::new(file).take(BOTH_COPIES).read_to_end(&mut bytes).unwrap();
    bytes
}

fn judge(file: &[u8]) -> HeaderCopies {
    let start = &file[..file.len().min(PageSize::K32.bytes())];
    HeaderCopies::judge(start, |size| {
        let slot = file.get(size.bytes()..)?;
        Some(slot[..slot.len().min(size.bytes())].to_vec())
    })
}

fn sound_header(path: &Path) -> DatabaseHeader {
    let file = start_of(path);
    assert_eq!(kind_of_file(&file), Some(FileType::Database), "{}", path.display());
    let copies = judge(&file);
    assert_eq!((copies.copies, copies.used()), (Copies::Equal, Used::First), "{}", path.display());
    assert_eq!(copies.first.header, copies.second.header);
    assert_eq!(copies.page_size(), copies.first.header.page_size());
    assert_eq!(copies.first.header.magic(), MAGIC);
    assert_eq!(copies.first.header.version(), VERSION);
    assert_eq!(copies.first.header.file_type(), FileType::Database);
    assert!(copies.first.header.has_known_update(), "{}", path.display());
    for field in copies.first.header.fields() {
        if let FieldValue::Time(time) = field.value {
            assert!(time.plausible(), "{}: {} {time}", path.display(), field.name);
        }
    }
    copies.first.header
}

fn is_named(path: &Path, endings: &[&str]) -> bool {
    let name = path.to_str().unwrap();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// All files below a folder, without recursion.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Splits a line with quoted fields.
fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

#[test]
fn every_database_of_the_corpus_is_as_the_manifest_says() {
    let Some(shared) = shared() else { return };
    let manifest = std::fs::read_to_string(shared.join("corpus/MANIFEST.csv")).unwrap();
    let mut databases = 0;
    for line in manifest.lines().skip(1) {
        let fields = csv_fields(line);
        let [file, kind, _, _, page_size, format, build, state, ..] = &fields[..] else { panic!("{line}") };
        if page_size.is_empty() {
            continue;
        }
        let header = sound_header(&shared.join("corpus").join(file));
        assert_eq!(header.page_size().unwrap().to_string(), *page_size, "{file}");
        assert_eq!(format!("0x{:x},{}", header.version(), header.update_major()), *format, "{file}");
        assert_eq!(header.state().name(), *state, "{file}");
        let os =
            format!("{}.{}.{}.{}", header.os_major(), header.os_minor(), header.os_build(), header.os_service_pack());
        assert_eq!(os, *build, "{file}");
        assert_ne!(kind, "log");
        databases += 1;
    }
    assert_eq!(databases, 28);
}

#[test]
fn every_database_of_the_engine_has_two_equal_copies() {
    let Some(shared) = shared() else { return };
    let mut databases = 0;
    for path in files_below(&shared.join("engine/db")).into_iter().filter(|path| is_named(path, &[".edb.gz"])) {
        let header = sound_header(&path);
        let name = path.file_name().unwrap().to_str().unwrap();
        for size in PageSize::ALL {
            if name.contains(&format!("-{}k", size.bytes() / 1024)) && !name.starts_with("catdb-5") {
                assert_eq!(header.page_size(), Some(size), "{name}");
            }
        }
        assert!(header.state().is_clean(), "{name}");
        assert_eq!(header.gen_min_required(), 0, "{name}");
        databases += 1;
    }
    assert_eq!(databases, 17);
}

#[test]
fn databases_cut_off_by_a_crash_are_dirty_and_name_the_logs_they_need() {
    let Some(shared) = shared() else { return };
    let mut databases = 0;
    for path in files_below(&shared.join("engine/crash")) {
        if is_named(&path, &["/a.edb.gz", "/b.edb.gz"]) {
            let header = sound_header(&path);
            assert_eq!(header.state().name(), "dirty-shutdown", "{}", path.display());
            assert!(header.gen_min_required() > 0);
            assert!(header.gen_min_required() <= header.gen_max_required());
            assert!(header.gen_max_required() <= header.gen_max_committed());
            databases += 1;
        }
    }
    assert_eq!(databases, 10);
}

#[test]
fn logs_checkpoints_and_flush_maps_are_not_taken_for_databases() {
    let Some(shared) = shared() else { return };
    let mut counts = [0; 4];
    for path in files_below(&shared.join("corpus")).into_iter().chain(files_below(&shared.join("engine/crash"))) {
        let kind = if is_named(&path, &["/res1.log.gz", "/edbtmp.log.gz", ".jrs.gz", ".txt.gz", "/TimeStamp.gz"]) {
            counts[3] += 1;
            None
        } else if is_named(&path, &[".log.gz"]) {
            counts[0] += 1;
            Some(FileType::Log)
        } else if is_named(&path, &[".chk.gz"]) {
            counts[1] += 1;
            Some(FileType::Checkpoint)
        } else if is_named(&path, &[".jfm.gz"]) {
            counts[2] += 1;
            Some(FileType::FlushMap)
        } else {
            continue;
        };
        assert_eq!(kind_of_file(&start_of(&path)), kind, "{}", path.display());
    }
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
}

#[test]
fn kitchen_4k_says_what_the_specification_tells_of_it() {
    let Some(shared) = shared() else { return };
    let file = start_of(&shared.join("engine/db/kitchen-4k.edb.gz"));
    let header = judge(&file).first.header;
    assert_eq!(header.checksum(), 0x1D0B_C296);
    assert_eq!(header.dbtime(), Dbtime(0x229A));
    assert_eq!((header.update_major(), header.update_minor()), (290, 600));
    assert_eq!(header.flags(), 0x0E00_0000);
    assert!(KNOWN_UPDATES.contains(&header.update_major()));
    assert_ne!(header.db_signature().created, LogTime::default());
}

#[test]
fn damaged_copies_of_a_real_header_are_told_apart() {
    let Some(shared) = shared() else { return };
    for name in ["kitchen-4k", "kitchen-8k", "kitchen-16k", "kitchen-32k"] {
        let sound = start_of(&shared.join(format!("engine/db/{name}.edb.gz")));
        let size = judge(&sound).page_size().unwrap();
        let flipped = |offsets: &[usize]| {
            let mut file = sound.clone();
            for offset in offsets {
                file[*offset] ^= 0x10;
            }
            judge(&file)
        };
        let second = size.bytes();
        for at in [0, 4, 52, 237, 700, size.bytes() - 1] {
            let copies = flipped(&[at]);
            assert_eq!((copies.copies, copies.page_size()), (Copies::FirstBad, Some(size)), "{name}, byte {at}");
            let copies = flipped(&[second + at]);
            assert_eq!((copies.copies, copies.page_size()), (Copies::SecondBad, Some(size)), "{name}, byte {at}");
            let copies = flipped(&[at, second + at]);
            assert_eq!((copies.copies, copies.page_size()), (Copies::BothBad, None), "{name}, byte {at}");
            assert!(matches!(copies.first.fault, Some(HeaderFault::Checksum { .. })), "{name}, byte {at}");
        }
    }
}
