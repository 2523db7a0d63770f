//! Files for tests: those in this folder, which are always there, and the larger corpora beside the checkout, which a
//! test has to do without where they are absent.

use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder `test-data`.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Unpacks `NAME.gz` of this folder.
///
/// # Panics
/// If there is no such file.
#[must_use]
pub fn fixture(name: &str) -> Vec<u8> {
    unpack(&folder().join(format!("{name}.gz")))
}

/// The folder of the large corpora: what the variable `CATDB_SHARED` names, else `../shared` of the checkout; `None`,
/// with a message, where it is absent.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("CATDB_SHARED").map_or_else(|| folder().join("../../shared"), PathBuf::from);
    if folder.join("corpus").is_dir() && std::env::var_os("CATDB_WITHOUT_SHARED").is_none() {
        return Some(folder);
    }
    eprintln!("skipped: the corpora beside the checkout ({}) are absent", folder.display());
    None
}

/// Unpacks a gzip file.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn unpack(path: &Path) -> Vec<u8> {
    let packed = std::fs::read(path).unwrap_or_else(|error| panic_on(path, &error));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap_or_else(|error| panic_on(path, &error));
    bytes
}

#[allow(clippy::panic)] // a test that cannot go on has to stop
fn panic_on(path: &Path, error: &std::io::Error) -> ! {
    panic!("{}: {error}", path.display())
}

/// Every gzipped file under `folder` whose content begins like a database, sorted by path.
#[must_use]
pub fn databases(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "gz") && is_database(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The magic of ESE and the version of a database; logs and checkpoints differ at one of the two.
fn is_database(path: &Path) -> bool {
    let mut start = [0; 12];
    let Ok(file) = std::fs::File::open(path) else { return false };
    flate2::read::GzDecoder::new(file).read_exact(&mut start).is_ok()
        && start[4..8] == [0xEF, 0xCD, 0xAB, 0x89]
        && start[8..12] == [0x20, 6, 0, 0]
}
