//! The pass over all pages, in file order and in parallel: checksums, and the page check where asked for.
//!
//! Chunks of pages run in any order on any thread; their findings are gathered chunk by chunk in file order, a window
//! of chunks at a time, so that neither the number of threads nor the size of the file shows in memory or report.

use crate::check::page::PageChecker;
use crate::finding::{Code, Finding, Severity};
use crate::format::{Page, PageSize, Pgno};
use crate::source::{Pages, ReadError};
use crate::tree::{Ownership, PageEntry, PageState, PageTable};

use super::judge::PageJudge;
use super::parallel;
use super::progress::{Phase, Progress};
use super::report::{FindingLog, PageCounts};
use super::{Level, VerifyError};

/// Bytes read at once by a worker: small enough to stay in its second-level cache between reading and checking.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks handed out between two gatherings.
const WINDOW_CHUNKS: usize = 128;

/// What a scan is to do.
pub(super) struct Scan<'a> {
    pub(super) pages: Pages<'a>,
    pub(super) level: Level,
    /// The last page that the database owns; pages behind it are slack.
    pub(super) last_owned: Option<Pgno>,
    /// Which pages are in use, if the space of all trees has been read.
    pub(super) ownership: Option<&'a Ownership>,
    pub(super) progress: &'a dyn Progress,
}

/// What became of the slack.
#[derive(Clone, Copy, Default)]
struct Slack {
    pages: u64,
    blank: u64,
    damaged: u64,
}

/// What a worker hands back for one chunk.
#[derive(Default)]
struct ChunkResult {
    counts: PageCounts,
    slack: Slack,
    findings: Vec<Finding>,
    /// What is known of each page; filled at [`Level::Full`] only.
    entries: Vec<PageEntry>,
    /// The file has become shorter.
    shrunk: Option<ReadError>,
}

/// What a worker keeps from chunk to chunk.
#[derive(Default)]
struct Worker {
    buf: Vec<u8>,
    judge: PageJudge,
    checker: PageChecker,
}

impl Scan<'_> {
    /// Looks at every page; at [`Level::Full`] `table` is filled.
    pub(super) fn run(&self, log: &FindingLog, table: &mut PageTable) -> Result<PageCounts, VerifyError> {
        let last = u64::from(self.pages.last().0);
        let per_chunk = (CHUNK_BYTES / self.pages.size().bytes()) as u64;
        let chunks = usize::try_from(last.div_ceil(per_chunk)).unwrap_or(usize::MAX);
        self.progress.begin(Phase::Pages, last * self.pages.size().as_u64());
        let mut counts = PageCounts::default();
        let mut slack = Slack::default();
        let mut shrunk = None;
        let mut next = 0;
        while next < chunks {
            let window = next..chunks.min(next + WINDOW_CHUNKS);
            next = window.end;
            let results = parallel::map_init(window, Worker::default, |worker, chunk| {
                if self.progress.cancelled() {
                    return None;
                }
                let first = chunk as u64 * per_chunk + 1;
                let end = last.min(first + per_chunk - 1);
                let result = self.chunk(worker, first, end);
                self.progress.advance((end + 1 - first) * self.pages.size().as_u64());
                Some(result)
            });
            for result in results {
                let result = result.ok_or(VerifyError::Cancelled)?;
                counts += result.counts;
                slack.pages += result.slack.pages;
                slack.blank += result.slack.blank;
                slack.damaged += result.slack.damaged;
                log.extend(result.findings);
                table.extend(result.entries);
                shrunk = shrunk.or(result.shrunk);
            }
        }
        log.extend(shrunk.map(|error| file_shrank(&error)));
        log.extend(self.slack_finding(slack));
        Ok(counts)
    }

    /// Pages `first` to `last`, which are few enough for one read.
    fn chunk(&self, worker: &mut Worker, first: u64, last: u64) -> ChunkResult {
        let mut result = ChunkResult::default();
        let Worker { buf, judge, checker } = worker;
        let size = self.pages.size();
        let pgnos = || (first..=last).filter_map(|n| u32::try_from(n).ok().map(Pgno));
        let Some(start) = pgnos().next() else { return result };
        let len = pgnos().count() * size.bytes();
        let offset = size.offset_of(start);
        let source = self.pages.source();
        if let Some(bytes) = source.slice(offset, len) {
            for (pgno, page) in pgnos().zip(bytes.chunks_exact(size.bytes())) {
                self.page(judge, checker, pgno, page, &mut result);
            }
            return result;
        }
        buf.resize(len, 0);
        if source.read_at(offset, buf).is_ok() {
            for (pgno, page) in pgnos().zip(buf.chunks_exact(size.bytes())) {
                self.page(judge, checker, pgno, page, &mut result);
            }
            return result;
        }
        // Something in the chunk cannot be read: find out which pages.
        let page = &mut buf[..size.bytes()];
        for pgno in pgnos() {
            match source.read_at(size.offset_of(pgno), page) {
                Ok(()) => self.page(judge, checker, pgno, page, &mut result),
                Err(error) => {
                    self.note(PageState::Unreadable, &[], &mut result);
                    unreadable(size, pgno, error, &mut result);
                }
            }
        }
        result
    }

    fn page(
        &self,
        judge: &mut PageJudge,
        checker: &mut PageChecker,
        pgno: Pgno,
        bytes: &[u8],
        result: &mut ChunkResult,
    ) {
        result.counts.seen += 1;
        let in_slack = self.last_owned.is_some_and(|last| pgno > last);
        let before = result.findings.len();
        let mut state = judge.judge(bytes, pgno, self.pages.last(), checker, &mut result.findings);
        if state == PageState::Good && self.level >= Level::Pages && !in_slack {
            state = malformed_or_good(checker, pgno, bytes, &mut result.findings);
        }
        self.note(state, if state == PageState::Correctable { judge.corrected() } else { bytes }, result);
        if in_slack {
            result.findings.truncate(before);
            result.counts.slack += 1;
            result.slack.pages += 1;
            result.slack.blank += u64::from(state == PageState::Blank);
            result.slack.damaged += u64::from(matches!(state, PageState::Bad | PageState::Correctable));
            return;
        }
        if self.ownership.is_some_and(|ownership| !ownership.is_in_use(pgno)) {
            result.findings.iter_mut().skip(before).for_each(of_unused_page);
        }
        match state {
            PageState::Good | PageState::Malformed => {}
            PageState::Blank => result.counts.blank += 1,
            PageState::Bad => result.counts.bad_checksum += 1,
            PageState::Correctable => result.counts.correctable += 1,
            PageState::Unreadable => result.counts.unreadable += 1,
        }
    }

    /// Keeps what the trees need to know of a page.
    fn note(&self, state: PageState, bytes: &[u8], result: &mut ChunkResult) {
        if self.level < Level::Full {
            return;
        }
        let entry = match Page::new(bytes) {
            Ok(page) if state.is_usable() => PageEntry::of(page, state),
            _ => PageEntry::without_page(state),
        };
        result.entries.push(entry);
    }

    fn slack_finding(&self, slack: Slack) -> Option<Finding> {
        let first = self.last_owned?.next();
        let last = self.pages.last();
        let Slack { pages, blank, damaged } = slack;
        (pages > 0).then(|| {
            let text = format!(
                "{pages} {} behind the space that the database owns (pages {first} to {last}): {blank} blank, {damaged} with a bad checksum",
                if pages == 1 { "page" } else { "pages" }
            );
            let mut finding = Finding::in_file(Code::DbSlack, self.pages.size().offset_of(first), text).rule("S11");
            finding.detail.count = Some(pages);
            finding.detail.pages = vec![first, last];
            finding.detail.found = Some(damaged);
            debug_assert_eq!(finding.severity, Severity::Info);
            finding
        })
    }
}

/// The page check on a page whose checksum holds.
pub(super) fn malformed_or_good(
    checker: &mut PageChecker,
    pgno: Pgno,
    bytes: &[u8],
    findings: &mut Vec<Finding>,
) -> PageState {
    let before = findings.len();
    if let Ok(page) = Page::new(bytes) {
        checker.check(page, pgno, findings);
    }
    let has_error = findings.iter().skip(before).any(|finding| finding.severity == Severity::Error);
    if has_error { PageState::Malformed } else { PageState::Good }
}

/// What is wrong with a page that nothing uses harms no data: of its structure it is only worth knowing, while a bad
/// checksum says something of the disk.
pub(super) fn of_unused_page(finding: &mut Finding) {
    let of_medium = matches!(finding.code, Code::PageChecksum | Code::PageEcc | Code::PageNumber | Code::DbReadError);
    finding.severity = finding.severity.min(if of_medium { Severity::Warning } else { Severity::Info });
    finding.message.push_str(" (nothing uses this page)");
}

fn unreadable(size: PageSize, pgno: Pgno, error: ReadError, result: &mut ChunkResult) {
    result.counts.seen += 1;
    result.counts.unreadable += 1;
    if error.is_past_end() {
        result.shrunk.get_or_insert(error);
        return;
    }
    result.findings.push(read_error(size, pgno, &error));
}

/// A page that the operating system could not read.
pub(super) fn read_error(size: PageSize, pgno: Pgno, error: &ReadError) -> Finding {
    let text = format!("page {pgno}: {}", error.error);
    Finding::on_page(Code::DbReadError, pgno, size, 0, text)
}

fn file_shrank(error: &ReadError) -> Finding {
    let text =
        format!("the file ends before the end of the page at offset {}; it was longer when opened", error.offset);
    Finding::in_file(Code::DbChanged, error.offset, text)
}
