//! The start of every run: both header copies, and the page size, found from the pages if need be (spec 01 sections 2-4).

use crate::checksum::{self, PageSum};
use crate::format::{Copies, FileType, HEADER_SLOTS, HeaderCopies, MAGIC, PageSize, Pgno, kind_of_file};
use crate::source::{ByteSource, ReadError};

use super::VerifyError;
use super::progress::{Phase, Progress};

/// Smallest piece in which a disk can fail.
const SECTOR: usize = 512;
/// Pages with a right checksum that settle the page size while the rest of the file is still unread.
const ENOUGH_HITS: u64 = 64;
/// Bytes probed at a time; a multiple of every page size.
const PROBE_CHUNK: usize = 1024 * 1024;

/// Both header copies of a file, and the page size to go by.
#[derive(Debug)]
pub struct OpenedHeader {
    /// Both copies, judged.
    pub copies: HeaderCopies,
    /// The page size: that of the copy in use, or the one that most pages agree with.
    pub page_size: PageSize,
    /// The first part of a header slot that could not be read.
    pub read_error: Option<ReadError>,
}

/// Reads and judges the header of `source`.
///
/// # Errors
/// [`VerifyError`] if the file is empty or no ESE database, or if the search for the page size was cancelled.
pub fn open_header(source: &dyn ByteSource, progress: &dyn Progress) -> Result<OpenedHeader, VerifyError> {
    if source.is_empty() {
        return Err(VerifyError::Empty);
    }
    let mut read_error = None;
    let mut slot = |offset: u64, len: usize| {
        let (bytes, error) = read_as_far_as_possible(source, offset, len);
        read_error = read_error.take().or(error);
        bytes
    };
    let start = slot(0, PageSize::K32.bytes());
    if let Some(kind) = kind_of_file(&start).filter(|kind| !is_database(*kind)) {
        return Err(VerifyError::OtherKind(kind));
    }
    let copies = HeaderCopies::judge(&start, |size| Some(slot(size.as_u64(), size.bytes())));
    let believed = copies.page_size();
    // A first copy alone proves no page size: behind the fields its slot is zero, so its checksum holds for others too.
    if let Some(page_size) = believed.filter(|_| copies.copies != Copies::SecondBad) {
        return Ok(OpenedHeader::new(copies, page_size, read_error));
    }
    match probe(source, progress)? {
        Some(page_size) if believed != Some(page_size) => {
            let second = slot(page_size.as_u64(), page_size.bytes());
            let copies = HeaderCopies::judge_as(page_size, &start, &second);
            Ok(OpenedHeader::new(copies, page_size, read_error))
        }
        _ if believed.is_some() || copies.first.header.magic() == MAGIC || copies.second.header.magic() == MAGIC => {
            let page_size = believed.unwrap_or(copies.first.judged_as);
            Ok(OpenedHeader::new(copies, page_size, read_error))
        }
        _ => Err(read_error.map_or(VerifyError::NotEse, VerifyError::Read)),
    }
}

impl OpenedHeader {
    /// `read_error` counts if it lies in the header: the reads that look for it reach into pages, which have their turn.
    fn new(copies: HeaderCopies, page_size: PageSize, read_error: Option<ReadError>) -> OpenedHeader {
        let read_error = read_error.filter(|error| error.offset < HEADER_SLOTS * page_size.as_u64());
        OpenedHeader { copies, page_size, read_error }
    }
}

fn is_database(kind: FileType) -> bool {
    matches!(kind, FileType::Database | FileType::TemporaryDatabase)
}

/// Up to `len` bytes from `offset`, ending at the end of the file or before the first sector that cannot be read.
fn read_as_far_as_possible(source: &dyn ByteSource, offset: u64, len: usize) -> (Vec<u8>, Option<ReadError>) {
    let available = source.len().saturating_sub(offset);
    let len = usize::try_from(available).map_or(len, |available| available.min(len));
    let mut bytes = vec![0; len];
    if source.read_at(offset, &mut bytes).is_ok() {
        return (bytes, None);
    }
    let mut good = 0;
    for sector in bytes.chunks_mut(SECTOR) {
        if let Err(error) = source.read_at(offset + good as u64, sector) {
            bytes.truncate(good);
            return (bytes, Some(error));
        }
        good += sector.len();
    }
    (bytes, None)
}

/// The page size for which most pages have a right checksum; `None` if there is no such page at all.
pub(super) fn probe(source: &dyn ByteSource, progress: &dyn Progress) -> Result<Option<PageSize>, VerifyError> {
    let mut hits = [0u64; PageSize::ALL.len()];
    progress.begin(Phase::Probe, source.len());
    let mut offset = 0;
    while offset < source.len() && hits.iter().all(|hits| *hits < ENOUGH_HITS) {
        if progress.cancelled() {
            return Err(VerifyError::Cancelled);
        }
        // Behind a bad sector the search goes on with the next chunk.
        let (bytes, _) = read_as_far_as_possible(source, offset, PROBE_CHUNK);
        for (size, hits) in PageSize::ALL.into_iter().zip(&mut hits) {
            *hits += good_pages(&bytes, size, offset);
        }
        progress.advance(bytes.len() as u64);
        offset += PROBE_CHUNK as u64;
    }
    let most = hits.into_iter().zip(PageSize::ALL).max_by_key(|(hits, size)| (*hits, *size));
    Ok(most.filter(|(hits, _)| *hits > 0).map(|(_, size)| size))
}

/// How many pages of `size` with a right checksum lie in `bytes`, which begin at a chunk border of the file.
fn good_pages(bytes: &[u8], size: PageSize, offset: u64) -> u64 {
    let good = |(page, at): (&[u8], u64)| {
        let pgno = size.pgno_at(at).unwrap_or(Pgno::NONE);
        !pgno.is_none() && checksum::verify(page, pgno) == PageSum::Good
    };
    let places = (offset..).step_by(size.bytes());
    bytes.chunks_exact(size.bytes()).zip(places).map(good).map(u64::from).sum()
}

/// Bytes looked at by [`recognise`] when neither header copy can be told.
const RECOGNISE_BYTES: usize = PROBE_CHUNK;

/// What kind of ESE file this is, by content: from either header copy, else from the first pages. Reads at most the
/// first 1 MiB, so that a whole folder can be looked through; a database whose start is lost is not recognised.
#[must_use]
pub fn recognise(source: &dyn ByteSource) -> Option<FileType> {
    let (start, _) = read_as_far_as_possible(source, 0, RECOGNISE_BYTES);
    if let Some(kind) = kind_of_file(&start) {
        return Some(kind);
    }
    let slot = |size: PageSize| start.get(size.bytes()..).map(|rest| rest[..rest.len().min(size.bytes())].to_vec());
    let copies = HeaderCopies::judge(&start, slot);
    let by_pages = || PageSize::ALL.into_iter().any(|size| good_pages(&start, size, 0) > 0);
    (copies.second.header.magic() == MAGIC || by_pages()).then_some(FileType::Database)
}
