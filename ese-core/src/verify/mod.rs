//! Verification: runs the checks over a file and gathers one report.
//!
//! The verifier never prints, never writes and never stops at the first finding. What it cannot do is named in the
//! report; only a file that is no ESE database, or cannot be read at all, is a [`VerifyError`]. Spec 12.
//!
//! ```
//! use ese_core::source::MemorySource;
//! use ese_core::verify::{Verifier, VerifyError};
//!
//! let text = b"not a database";
//! let outcome = Verifier::new(&MemorySource(text)).run();
//! assert!(matches!(outcome, Err(VerifyError::NotEse)));
//! ```

mod examine;
mod full;
mod judge;
mod open;
mod parallel;
mod progress;
mod report;
mod scan;
mod tables;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;

pub use examine::{ExaminedPage, examine_page};
pub use open::{OpenedHeader, open_header, recognise};
pub use progress::{Phase, Progress};
pub use report::{DatabaseSummary, NotChecked, PageCounts, Report, Verdict};

use crate::check;
use crate::check::tree::FindingSink;
use crate::finding::{Code, Finding};
use crate::format::{FileType, Pgno};
use crate::source::{ByteSource, Pages, ReadError};
use crate::tree::{PageTable, database_space};

use full::DatabaseMap;
use report::FindingLog;
use scan::Scan;

/// How far a run goes. Each level includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// The header, and the checksum of every page: as `esentutl /k`, but for corrected bits and misplaced pages.
    Checksum,
    /// The rules that a page can be held against alone.
    Pages,
    /// Trees, space, catalog, records, long values and indexes.
    Full,
}

/// Findings that a report keeps unless told otherwise; more are only counted.
pub const DEFAULT_MAX_FINDINGS: usize = 50_000;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file has no bytes.
    #[error("the file is empty: expected an ESE database, found 0 bytes")]
    Empty,
    /// Neither header copy nor any page is that of an ESE database.
    #[error(
        "not an ESE database: expected its magic (ef cd ab 89 at byte 4) or a page with a valid checksum, found neither"
    )]
    NotEse,
    /// The file belongs to the engine but is no database.
    #[error("not a database: this is a {0} of ESE")]
    OtherKind(FileType),
    /// Not even the first bytes could be read.
    #[error("cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The caller ended the run.
    #[error("interrupted")]
    Cancelled,
}

/// A run to be made: a source and what to do with it.
pub struct Verifier<'a> {
    source: &'a dyn ByteSource,
    level: Level,
    threads: Option<NonZeroUsize>,
    max_findings: usize,
    temporary: Option<&'a Path>,
    progress: &'a dyn Progress,
}

impl<'a> Verifier<'a> {
    /// A run over `source`, at [`Level::Full`], on all cores.
    #[must_use]
    pub fn new(source: &'a dyn ByteSource) -> Verifier<'a> {
        Verifier {
            source,
            level: Level::Full,
            threads: None,
            max_findings: DEFAULT_MAX_FINDINGS,
            temporary: None,
            progress: &(),
        }
    }

    /// Chooses how far the run goes.
    #[must_use]
    pub fn level(mut self, level: Level) -> Verifier<'a> {
        self.level = level;
        self
    }

    /// Chooses the number of threads; the report is the same with any.
    #[must_use]
    pub fn threads(mut self, threads: Option<NonZeroUsize>) -> Verifier<'a> {
        self.threads = threads;
        self
    }

    /// Chooses how many findings the report keeps; all are counted.
    #[must_use]
    pub fn max_findings(mut self, limit: usize) -> Verifier<'a> {
        self.max_findings = limit;
        self
    }

    /// Chooses the folder for temporary files: what is compared and does not fit in memory is sorted there. The system's
    /// folder otherwise.
    #[must_use]
    pub fn temporary_folder(mut self, folder: Option<&'a Path>) -> Verifier<'a> {
        self.temporary = folder;
        self
    }

    /// Has `progress` follow the run; it can also end it.
    #[must_use]
    pub fn progress(mut self, progress: &'a dyn Progress) -> Verifier<'a> {
        self.progress = progress;
        self
    }

    /// Runs.
    ///
    /// # Errors
    /// [`VerifyError`] if the file is no ESE database, cannot be read at all, or the run was cancelled.
    pub fn run(&self) -> Result<Report, VerifyError> {
        parallel::with_threads(self.threads, || self.run_here())
    }

    fn run_here(&self) -> Result<Report, VerifyError> {
        let opened = open_header(self.source, self.progress)?;
        let log = FindingLog::new(self.max_findings);
        log.extend(opened.read_error.as_ref().map(header_unreadable));
        log.extend(check::header::check(&opened.copies, opened.page_size, self.source.len()));

        let pages = Pages::new(self.source, opened.page_size);
        let mut not_checked = Vec::new();
        let header = opened.copies.used_copy().map(|copy| &copy.header);
        let map = (self.level == Level::Full).then(|| {
            self.progress.begin(Phase::Catalog, 0);
            DatabaseMap::read(pages, header)
        });
        let last_owned = match &map {
            Some(map) => map.check_space(&log, &mut not_checked),
            None => self.owned_space(pages, &log, &mut not_checked),
        };
        let ownership = map.as_ref().map(|map| &map.ownership);
        let scan = Scan { pages, level: self.level, last_owned, ownership, progress: self.progress };
        let mut table = PageTable::default();
        let counts = scan.run(&log, &mut table)?;
        if let Some(map) = &map {
            let run = full::FullRun {
                map,
                table: &table,
                log: &log,
                temporary: self.temporary,
                sorting: Mutex::default(),
                progress: self.progress,
            };
            not_checked.extend(run.run()?);
        }
        // A file that ended too early while it was read has been reported where it ended.
        if let Some(change) = self.source.changed().filter(|_| !log.has(Code::DbChanged)) {
            log.add(Finding::in_file(Code::DbChanged, 0, format!("the file changed while it was read: {change}")));
        }
        let database = DatabaseSummary {
            bytes: self.source.len(),
            page_size: opened.page_size,
            last_page: pages.last(),
            last_owned,
            header: opened.copies.used_copy().map(|copy| copy.header.clone()),
        };
        Ok(Report::new(database, counts, not_checked, log))
    }

    /// The last page that the database owns; reports a file that ends before it.
    fn owned_space(&self, pages: Pages<'_>, log: &FindingLog, not_checked: &mut Vec<NotChecked>) -> Option<Pgno> {
        match database_space(pages) {
            Ok(space) => {
                log.extend(
                    (space.last_in_file > pages.last()).then(|| check::space::ends_early(pages, space.last_in_file)),
                );
                Some(space.last)
            }
            Err(error) => {
                let missing = error.beyond_file().filter(|_| !pages.last().is_none());
                log.extend(missing.map(|pgno| check::space::ends_early(pages, pgno)));
                not_checked.push(NotChecked {
                    what: "where the space of the database ends; every page is judged as if it were in use".to_owned(),
                    why: error.to_string(),
                });
                None
            }
        }
    }
}

fn header_unreadable(error: &ReadError) -> Finding {
    Finding::in_file(Code::DbReadError, error.offset, format!("header: {}", error.error))
}
