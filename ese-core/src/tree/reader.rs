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

impl PageFault {
    /// The page.
    #[must_use]
    pub fn pgno(&self) -> Pgno {
        match self {
            PageFault::NotInFile { pgno, .. }
            | PageFault::Read { pgno, .. }
            | PageFault::Blank { pgno }
            | PageFault::Checksum { pgno } => *pgno,
        }
    }
}

/// Reads pages one at a time and hands out only those whose checksum holds or could be corrected.
pub struct TrustedPages<'s> {
    pages: Pages<'s>,
    buf: PageBuf,
    has_page: bool,
}

impl<'s> TrustedPages<'s> {
    /// A reader over `pages`.
    #[must_use]
    pub fn new(pages: Pages<'s>) -> TrustedPages<'s> {
        TrustedPages { pages, buf: PageBuf::default(), has_page: false }
    }

    /// The pages behind it.
    #[must_use]
    pub fn pages(&self) -> Pages<'s> {
        self.pages
    }

    /// The page that [`TrustedPages::get`] gave last; `None` before, and after a page that it refused.
    #[must_use]
    pub fn current(&self) -> Option<Page<'_>> {
        if self.has_page { Page::new(self.buf.bytes()).ok() } else { None }
    }

    /// Page `pgno`.
    ///
    /// # Errors
    /// [`PageFault`] if there is none, or none that can be trusted.
    pub fn get(&mut self, pgno: Pgno) -> Result<Page<'_>, PageFault> {
        self.has_page = false;
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
        self.has_page = true;
        self.current().ok_or(PageFault::Checksum { pgno })
    }
}
