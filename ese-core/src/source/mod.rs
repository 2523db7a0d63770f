//! Where bytes come from: memory, positioned reads of a file, a mapped file (spec 11 section 2.1).
//!
//! A source knows nothing of pages. Everything that can go wrong with a medium is a [`ReadError`] that keeps its
//! offset, so that a failing sector or a shrinking file becomes a finding and never a crash.

mod file;
#[cfg(feature = "mmap")]
mod mapped;
mod memory;
mod pages;

use std::io;

pub use file::FileSource;
#[cfg(feature = "mmap")]
pub use mapped::MappedSource;
pub use memory::MemorySource;
pub use pages::{PageBuf, Pages};

/// Random access to the bytes of a database.
pub trait ByteSource: Sync {
    /// Length in bytes, as it was when the source was opened.
    fn len(&self) -> u64;

    /// True if there is no byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`ReadError`] if not every byte could be read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError>;

    /// The bytes themselves, where they are in memory: saves the copy of [`ByteSource::read_at`].
    fn slice(&self, _offset: u64, _len: usize) -> Option<&[u8]> {
        None
    }

    /// What is different about the file since it was opened, as a sentence; `None` if nothing is, or nobody can tell.
    fn changed(&self) -> Option<String> {
        None
    }
}

/// Bytes that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read of {len} bytes at offset {offset} (0x{offset:x}): {error}")]
pub struct ReadError {
    /// Where the read began, in bytes from the start of the file.
    pub offset: u64,
    /// How many bytes were wanted.
    pub len: usize,
    /// What the operating system said; `UnexpectedEof` if the file ended before.
    #[source]
    pub error: io::Error,
}

impl ReadError {
    /// True if the bytes were beyond the end: the file is shorter than it was when it was opened.
    #[must_use]
    pub fn is_past_end(&self) -> bool {
        self.error.kind() == io::ErrorKind::UnexpectedEof
    }

    pub(crate) fn past_end(offset: u64, len: usize) -> ReadError {
        ReadError { offset, len, error: io::ErrorKind::UnexpectedEof.into() }
    }
}
