//! Inputs: a path, standard input, or the databases in a folder. Only ever opened for reading.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ese_core::database::Database;
use ese_core::format::FileType;
use ese_core::source::{ByteSource, FileSource, MappedSource};
use ese_core::verify::recognise;

use crate::interrupt::Interrupt;
use crate::render::refusal::Refusal;

/// The name that stands for standard input.
const STDIN: &str = "-";
/// Bytes moved at once.
const BLOCK: usize = 1024 * 1024;

/// How the bytes of a file are reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Map,
}

/// Opens the file at `path`, or takes all of standard input for `-`.
pub(crate) fn open(path: &Path, access: Access, interrupt: &Interrupt) -> io::Result<Box<dyn ByteSource>> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(FileSource::new(take_stdin(interrupt)?)?));
    }
    let source = FileSource::open(path)?;
    // An empty file cannot be mapped; the positioned reader says what is wrong with it.
    if access == Access::Map && !source.is_empty() {
        return Ok(Box::new(MappedSource::new(&File::open(path)?)?));
    }
    Ok(Box::new(source))
}

/// Opens the database at `path`, or on standard input for `-`.
pub(crate) fn database(path: &Path, interrupt: &Interrupt) -> Result<Database, Refusal> {
    let source = open(path, Access::Read, interrupt).map_err(|error| Refusal::not_opened(path, &error))?;
    Database::from_source(source).map_err(|error| Refusal::of_database(path, &error))
}

/// Standard input in a nameless temporary file: a database is read from many places, and may not fit memory.
fn take_stdin(interrupt: &Interrupt) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut stdin = io::stdin().lock();
    let mut block = vec![0; BLOCK];
    loop {
        if interrupt.is_set() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match stdin.read(&mut block) {
            Ok(0) => return Ok(file),
            Ok(n) => file.write_all(&block[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The inputs that the arguments stand for: files as they are, folders replaced by the databases in them.
pub(crate) fn expand(paths: &[PathBuf], interrupt: &Interrupt) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten();
        found.extend(
            entries
                .filter(|entry| entry.file_type().is_file() && !interrupt.is_set())
                .map(walkdir::DirEntry::into_path)
                .filter(|file| is_database(file)),
        );
        if found.len() == before {
            // Keeps the folder itself, so that "nothing found" is said and not silence.
            found.push(path.clone());
        }
    }
    found
}

/// True for databases, and for files that cannot be read: those must be named, not passed over.
fn is_database(path: &Path) -> bool {
    match FileSource::open(path) {
        Ok(source) => matches!(recognise(&source), Some(FileType::Database | FileType::TemporaryDatabase)),
        Err(_) => true,
    }
}

/// The SHA-256 of all bytes, in hex; `None` if they cannot all be read.
pub(crate) fn sha256(source: &dyn ByteSource, interrupt: &Interrupt) -> Option<String> {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    while offset < source.len() {
        let left = usize::try_from(source.len() - offset).unwrap_or(BLOCK).min(BLOCK);
        if interrupt.is_set() || source.read_at(offset, &mut block[..left]).is_err() {
            return None;
        }
        hash.update(&block[..left]);
        offset += left as u64;
    }
    Some(hex::encode(hash.finalize()))
}
