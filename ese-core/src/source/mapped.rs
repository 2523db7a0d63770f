//! A memory-mapped file: no copies, but a failing sector or a shrinking file ends the program with a signal.
//!
//! Only for callers that choose it knowing that; the rest use [`super::FileSource`].

use std::fs::File;
use std::io;

use memmap2::Mmap;

use super::{ByteSource, MemorySource, ReadError};

/// A file mapped into memory, read only.
#[derive(Debug)]
pub struct MappedSource {
    map: Mmap,
}

impl MappedSource {
    /// Maps `file`.
    ///
    /// While the map lives, the file must not be truncated and its medium must not fail: reading a page that has gone
    /// ends the process with SIGBUS. Bytes that another process writes meanwhile show up as damage at worst.
    ///
    /// # Errors
    /// If the operating system cannot map it (an empty file, for one).
    #[allow(unsafe_code)] // the mapping module is one of the two places where the project allows it
    pub fn new(file: &File) -> io::Result<MappedSource> {
        // SAFETY: the map is read-only and private to this value. Rust's rule that a `&[u8]` does not change could be
        // broken only by another process writing the file; every reader in this crate is total over any bytes and
        // reads each value once per use, so a change in between gives a wrong value, not an unsound one.
        let map = unsafe { Mmap::map(file)? };
        Ok(MappedSource { map })
    }
}

impl ByteSource for MappedSource {
    fn len(&self) -> u64 {
        MemorySource(&self.map).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        MemorySource(&self.map).read_at(offset, buf)
    }

    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.map.get(start..start.checked_add(len)?)
    }
}
