//! Sorted runs of records in one temporary file, and how they are written and read back.
//!
//! A record is its length (u32, little-endian) and its bytes. One file holds all runs, so that their number is not
//! limited by how many files a process may have open.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::SortError;

/// Bytes of the length in front of a record.
pub(super) const LENGTH_BYTES: usize = 4;

/// A run: from one byte of the file to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    start: u64,
    end: u64,
}

/// Runs in a temporary file, which goes away with them.
#[derive(Debug)]
pub(super) struct Runs {
    folder: Option<PathBuf>,
    file: Option<File>,
    end: u64,
    runs: Vec<Run>,
}

impl Runs {
    /// No runs yet, and no file.
    pub(super) fn new(folder: Option<PathBuf>) -> Runs {
        Runs { folder, file: None, end: 0, runs: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn written(&self) -> u64 {
        self.end
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Another file in the same folder.
    pub(super) fn another(&self) -> Runs {
        Runs::new(self.folder.clone())
    }

    /// Begins a run; records go to the file `buffer` bytes at a time.
    pub(super) fn begin(&mut self, buffer: usize) -> Result<RunWriter<'_>, SortError> {
        if self.file.is_none() {
            let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
            let file = tempfile::tempfile_in(&folder).map_err(|error| SortError::Create { folder, error })?;
            self.file = Some(file);
        }
        let start = self.end;
        Ok(RunWriter { runs: self, start, buffer: Vec::with_capacity(buffer) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SortError> {
        let offset = self.end;
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
        written.map_err(|error| SortError::Write { offset, error })?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Fills `bytes` from byte `offset` of the file.
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), SortError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
        read.map_err(|error| SortError::Read { offset, error })
    }
}

/// Writes one run.
pub(super) struct RunWriter<'r> {
    runs: &'r mut Runs,
    start: u64,
    buffer: Vec<u8>,
}

impl RunWriter<'_> {
    /// Adds a record, which must not be below the one before.
    pub(super) fn record(&mut self, record: &[u8]) -> Result<(), SortError> {
        if self.buffer.len() + LENGTH_BYTES + record.len() > self.buffer.capacity() {
            self.runs.write(&self.buffer)?;
            self.buffer.clear();
        }
        // Records are shorter than a part, which is far below 4 GiB.
        let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.buffer.extend_from_slice(&len.to_le_bytes());
        self.buffer.extend_from_slice(record);
        Ok(())
    }

    /// Ends the run.
    pub(super) fn end(self) -> Result<(), SortError> {
        self.runs.write(&self.buffer)?;
        let run = Run { start: self.start, end: self.runs.end };
        self.runs.runs.push(run);
        Ok(())
    }
}

/// Reads one run, a part of it at a time.
#[derive(Debug)]
pub(super) struct RunReader {
    run: Run,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are a part of the run.
    filled: usize,
    /// The record that is being looked at.
    record: std::ops::Range<usize>,
}

impl RunReader {
    /// A reader in front of the first record of `run`, with a buffer of `part` bytes.
    pub(super) fn new(run: Run, part: usize) -> RunReader {
        RunReader { run, buffer: vec![0; part], filled: 0, record: 0..0 }
    }

    /// The record it stands at.
    pub(super) fn record(&self) -> &[u8] {
        self.buffer.get(self.record.clone()).unwrap_or_default()
    }

    /// To the next record; false behind the last one.
    pub(super) fn advance(&mut self, runs: &mut Runs) -> Result<bool, SortError> {
        let mut at = self.record.end;
        if self.length_at(at).is_none_or(|len| at + LENGTH_BYTES + len > self.filled) {
            self.refill(at, runs)?;
            at = 0;
            if self.filled == 0 {
                self.record = 0..0;
                return Ok(false);
            }
        }
        let offset = self.run.start;
        let start = at + LENGTH_BYTES;
        let end = self.length_at(at).map(|len| start + len).filter(|end| *end <= self.filled);
        let torn = || SortError::Read { offset, error: Error::from(ErrorKind::InvalidData) };
        self.record = start..end.ok_or_else(torn)?;
        Ok(true)
    }

    /// The length of the record at byte `at` of the buffer.
    fn length_at(&self, at: usize) -> Option<usize> {
        let length = self.buffer.get(at..self.filled)?.first_chunk::<LENGTH_BYTES>()?;
        usize::try_from(u32::from_le_bytes(*length)).ok()
    }

    /// Moves what is behind `keep_from` to the front of the buffer, and fills up the rest.
    fn refill(&mut self, keep_from: usize, runs: &mut Runs) -> Result<(), SortError> {
        self.buffer.copy_within(keep_from..self.filled, 0);
        self.filled -= keep_from;
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let left = usize::try_from(self.run.end - self.run.start).unwrap_or(usize::MAX);
        let count = room.len().min(left);
        runs.read(self.run.start, room.get_mut(..count).unwrap_or_default())?;
        self.run.start += count as u64;
        self.filled += count;
        Ok(())
    }
}
