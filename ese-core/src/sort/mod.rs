//! Sorting of more records than memory holds: short strings of bytes, in the order of their bytes.
//!
//! Records gather in memory up to a limit that is never exceeded, then go to a temporary file as a sorted run; at the end
//! all runs are merged, record by record. Nothing here knows what a record means, and the file never has a name that
//! outlives the sorter.

mod arena;
mod merge;
mod run;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use arena::Arena;
use merge::Merge;
use run::Runs;

/// Least memory that a sorter works with, in bytes.
pub const MEMORY_LEAST: usize = 1 << 17;
/// Most memory that a sorter makes use of, in bytes: positions in it are 32 bits wide.
pub const MEMORY_MOST: usize = 1 << 31;
/// Memory is taken in this many parts or more: as many runs can be merged at once.
const PARTS_LEAST: usize = 16;
/// Largest part in bytes.
const PART_MOST: usize = 1 << 20;

/// How much memory a sorter may take, and where it may write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortLimits {
    /// Bytes of memory, for records and everything else; at least [`MEMORY_LEAST`] are taken as allowed.
    pub memory: usize,
    /// The folder of the temporary file; `None` is that of the system.
    pub folder: Option<PathBuf>,
}

impl SortLimits {
    /// Limits with `memory` bytes and the system's folder for temporary files.
    #[must_use]
    pub const fn memory(memory: usize) -> SortLimits {
        SortLimits { memory, folder: None }
    }

    fn bytes(&self) -> usize {
        self.memory.clamp(MEMORY_LEAST, MEMORY_MOST)
    }

    /// Bytes of a part: a power of two.
    fn part(&self) -> usize {
        let part = self.bytes() / PARTS_LEAST;
        let power = if part.is_power_of_two() { part } else { part.next_power_of_two() / 2 };
        power.min(PART_MOST)
    }

    /// Longest record, in bytes: one part.
    #[must_use]
    pub fn record_most(&self) -> usize {
        self.part() - run::LENGTH_BYTES
    }
}

/// Why records cannot be sorted.
#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// A record is longer than a part of the memory.
    #[error("record to sort: expected at most {most} bytes, found {found}")]
    RecordTooLong {
        /// [`SortLimits::record_most`].
        most: usize,
        /// Its length.
        found: usize,
    },
    /// No temporary file can be made.
    #[error("temporary file in {}: cannot be made: {error}", .folder.display())]
    Create {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The temporary file cannot be written; most often its disk is full.
    #[error("temporary file: cannot be written at byte {offset}: {error}")]
    Write {
        /// Where in the file.
        offset: u64,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The temporary file cannot be read back.
    #[error("temporary file: cannot be read at byte {offset}: {error}")]
    Read {
        /// Where in the file.
        offset: u64,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
}

/// Takes records in any order and gives them back in the order of their bytes; equal ones as often as they came.
///
/// ```
/// use ese_core::sort::{ExternalSorter, SortLimits};
/// let mut sorter = ExternalSorter::new(SortLimits::memory(1 << 20));
/// for record in ["pear", "apple", "fig", "apple"] {
///     sorter.push(record.as_bytes())?;
/// }
/// let mut sorted = sorter.finish()?;
/// let mut records = Vec::new();
/// while let Some(record) = sorted.next_record()? {
///     records.push(String::from_utf8_lossy(record).into_owned());
/// }
/// assert_eq!(records, ["apple", "apple", "fig", "pear"]);
/// # Ok::<(), ese_core::sort::SortError>(())
/// ```
#[derive(Debug)]
pub struct ExternalSorter {
    limits: SortLimits,
    arena: Arena,
    runs: Runs,
    records: u64,
}

impl ExternalSorter {
    /// A sorter without records. Takes no memory and makes no file before there are some.
    #[must_use]
    pub fn new(limits: SortLimits) -> ExternalSorter {
        let arena = Arena::new(limits.bytes(), limits.part());
        ExternalSorter { arena, runs: Runs::new(limits.folder.clone()), limits, records: 0 }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`SortError`] if it is too long, or if memory is full and the temporary file cannot be written.
    pub fn push(&mut self, record: &[u8]) -> Result<(), SortError> {
        let most = self.limits.record_most();
        if record.len() > most {
            return Err(SortError::RecordTooLong { most, found: record.len() });
        }
        if !self.arena.push(record) {
            self.spill()?;
            // An empty arena has room for every record that is not too long.
            self.arena.push(record);
        }
        self.records += 1;
        Ok(())
    }

    /// Records that were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records
    }

    /// True if no record was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Bytes that went to the temporary file so far.
    #[must_use]
    pub fn spilled(&self) -> u64 {
        self.runs.written()
    }

    /// Writes what is in memory as a sorted run.
    fn spill(&mut self) -> Result<(), SortError> {
        self.arena.sort();
        // The arena has not used up its limit: one part is always left for the way to the file.
        let mut writer = self.runs.begin(self.limits.part())?;
        for record in self.arena.records() {
            writer.record(record)?;
        }
        writer.end()?;
        self.arena.clear();
        Ok(())
    }

    /// All records, in order.
    ///
    /// # Errors
    /// [`SortError`] if the temporary file cannot be written or read.
    pub fn finish(mut self) -> Result<SortedRecords, SortError> {
        if self.runs.is_empty() {
            self.arena.sort();
            return Ok(SortedRecords(Sorted::Memory { arena: self.arena, next: 0 }));
        }
        self.spill()?;
        drop(self.arena);
        let part = self.limits.part();
        let at_once = self.limits.bytes() / part;
        let runs = merge::reduce(self.runs, at_once, part)?;
        Ok(SortedRecords(Sorted::File(Merge::new(runs, part)?)))
    }
}

/// Sorted records, one after the other.
#[derive(Debug)]
pub struct SortedRecords(Sorted);

#[derive(Debug)]
enum Sorted {
    Memory { arena: Arena, next: usize },
    File(Merge),
}

impl SortedRecords {
    /// The next record; `None` behind the last one.
    ///
    /// # Errors
    /// [`SortError::Read`] if the temporary file cannot be read back.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, SortError> {
        match &mut self.0 {
            Sorted::Memory { arena, next } => {
                *next += 1;
                Ok(arena.record(*next - 1))
            }
            Sorted::File(merge) => merge.next_record(),
        }
    }
}
