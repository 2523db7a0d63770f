//! Pages whose checksum holds, by number.

use crate::checksum::{self, PageSum};
use crate::format::{Page, Pgno};
use crate::source::{PageBuf, Pages, ReadError};

/// Why a page cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PageFault {
    /// Its number names no page of the file.
    #[error("page {pgno}: expected a page from 1 to {last}")]
    NotInFile {
        /// The number.
        pgno: Pgno,
        /// The last page of the file.
        last: Pgno,
    },
    /// The operating system could not read it.
    #[error("page {pgno}: {error}")]
    Read {
        /// The page.
        pgno: Pgno,
        /// What went wrong.
        #[source]
        error: ReadError,
    },
    /// All its bytes are zero.
    #[error("page {pgno} is blank")]
    Blank {
        /// The page.
        pgno: Pgno,
    },
    /// Its checksum fails and cannot be corrected.
    #[error("page {pgno}: its checksum fails")]
    Checksum {
        /// The page.
        pgno: Pgno,
    },
}

/// Reads pages one at a time and hands out only those whose checksum holds or could be corrected.
pub struct TrustedPages<'s> {
    pages: Pages<'s>,
    buf: PageBuf,
}

impl<'s> TrustedPages<'s> {
    /// A reader over `pages`.
    #[must_use]
    pub fn new(pages: Pages<'s>) -> TrustedPages<'s> {
        TrustedPages { pages, buf: PageBuf::default() }
    }

    /// The pages behind it.
    #[must_use]
    pub fn pages(&self) -> Pages<'s> {
        self.pages
    }

    /// Page `pgno`.
    ///
    /// # Errors
    /// [`PageFault`] if there is none, or none that can be trusted.
    pub fn get(&mut self, pgno: Pgno) -> Result<Page<'_>, PageFault> {
        if !self.pages.contains(pgno) {
            return Err(PageFault::NotInFile { pgno, last: self.pages.last() });
        }
        let bytes = self.pages.read_bytes(pgno, &mut self.buf).map_err(|error| PageFault::Read { pgno, error })?;
        match checksum::verify(bytes, pgno) {
            PageSum::Good => {}
            PageSum::Blank => return Err(PageFault::Blank { pgno }),
            PageSum::Bad(_) if checksum::correct(bytes, pgno).is_some() => {}
            PageSum::Bad(_) => return Err(PageFault::Checksum { pgno }),
        }
        Page::new(bytes).map_err(|_| PageFault::Checksum { pgno })
    }
}
