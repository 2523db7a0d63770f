//! The exact comparison of a table with its indexes, for those whose sums differ or cannot decide (spec 08 section 5).
//!
//! Table and indexes are walked once more; keys and entries of all indexes go through one external sort by key, what is
//! left over through one by bookmark, and what is left of that through another by key. Memory is bounded whatever the file
//! holds. What may lie on a page that could not be read is counted for that page and never reported.

mod by_bookmark;
mod by_key;
mod gaps;
mod packed;
mod text;
mod walk;

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::format::Pgno;
use crate::long_value::LongValues;
use crate::sort::{ExternalSorter, SortError, SortLimits};
use crate::source::Pages;

use super::definition::{TableIndex, TableKeys};
use super::doubtful::DoubtfulRows;
use super::report::Reports;
use super::sum::EntryHasher;
use crate::check::Shutdown;

use by_bookmark::Groups;
use gaps::Gaps;
use packed::Packer;

/// Sorters that may hold records at one time.
const SORTERS: usize = 4;
/// Least memory of one of them, in bytes: a key and a bookmark that fill their pages must fit.
const SORTER_LEAST: usize = 4 << 20;

/// What was done about the Unicode text of an index (I10 to I12).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TextCount {
    /// Segments that have the shape of a sort key, in an entry that fits its row.
    pub segments: u64,
    /// Those of them whose text occurs again in the index: their bytes were compared with each other.
    pub compared: u64,
}

/// What an [`ExactPass`] found.
#[derive(Debug, Default)]
pub struct ExactReport {
    /// In the order of a report.
    pub findings: Vec<Finding>,
    /// How many differences each page explains that could not be read.
    pub consequences: Vec<(Pgno, u64)>,
    /// For each index with Unicode text its number, and what was compared.
    pub texts: Vec<(usize, TextCount)>,
}

/// Compares indexes of one table with its rows, entry by entry.
pub struct ExactPass<'a> {
    pages: Pages<'a>,
    keys: &'a TableKeys<'a>,
    limits: SortLimits,
    shutdown: Shutdown,
}

impl<'a> ExactPass<'a> {
    /// A pass over the table of `keys`; `limits` are those of all sorting together, of which at least 16 MiB are taken as
    /// allowed.
    #[must_use]
    pub fn new(pages: Pages<'a>, keys: &'a TableKeys<'a>, limits: SortLimits, shutdown: Shutdown) -> ExactPass<'a> {
        ExactPass { pages, keys, limits, shutdown }
    }

    /// Compares the indexes `numbers` ([`super::KeyWorker::undecided`]); what does not agree with the `doubtful` rows
    /// follows from the findings on them. `long_values` are those of the table, if it has any.
    ///
    /// # Errors
    /// [`SortError`] if the temporary file cannot be written or read.
    pub fn run(
        &self,
        numbers: &[usize],
        doubtful: &DoubtfulRows,
        long_values: Option<&mut LongValues<'_>>,
    ) -> Result<ExactReport, SortError> {
        if numbers.is_empty() {
            return Ok(ExactReport::default());
        }
        let mut run = Run::new(self);
        run.walk_rows(numbers, doubtful, long_values)?;
        for number in numbers {
            run.walk_entries(*number)?;
        }
        run.match_by_key()?;
        run.match_by_bookmark()?;
        run.match_left_over()?;
        run.compare_texts()?;
        Ok(run.finish(numbers))
    }
}

/// A pass under way.
struct Run<'a> {
    pages: Pages<'a>,
    keys: &'a TableKeys<'a>,
    limits: SortLimits,
    reports: Reports<'a>,
    packer: Packer,
    /// Keys of rows, and entries.
    by_key: ExternalSorter,
    /// What has no counterpart, and all there is about indexes with Unicode text.
    by_bookmark: ExternalSorter,
    /// What has none there either.
    left_over: ExternalSorter,
    /// Unicode texts and their segments.
    texts: ExternalSorter,
    digest: EntryHasher,
    groups: Groups,
    row_gaps: Gaps,
    entry_gaps: BTreeMap<usize, Gaps>,
    consequences: BTreeMap<Pgno, u64>,
    counts: Vec<TextCount>,
    /// For each index the rows whose values cannot be read though nothing is wrong with them.
    undecodable: Vec<u64>,
}

impl<'a> Run<'a> {
    fn new(pass: &ExactPass<'a>) -> Run<'a> {
        let memory = (pass.limits.memory / SORTERS).max(SORTER_LEAST);
        let limits = SortLimits { memory, ..pass.limits.clone() };
        let indexes = pass.keys.indexes().len();
        Run {
            pages: pass.pages,
            keys: pass.keys,
            reports: Reports::new(pass.keys, pass.pages.size(), pass.shutdown),
            packer: Packer::default(),
            by_key: ExternalSorter::new(limits.clone()),
            by_bookmark: ExternalSorter::new(limits.clone()),
            left_over: ExternalSorter::new(limits.clone()),
            texts: ExternalSorter::new(limits.clone()),
            limits,
            digest: EntryHasher::with_known_key(),
            groups: Groups::default(),
            row_gaps: Gaps::default(),
            entry_gaps: BTreeMap::new(),
            consequences: BTreeMap::new(),
            counts: vec![TextCount::default(); indexes],
            undecodable: vec![0; indexes],
        }
    }

    /// Takes the sorter in `place`, which is then empty.
    fn take(limits: &SortLimits, place: &mut ExternalSorter) -> ExternalSorter {
        std::mem::replace(place, ExternalSorter::new(limits.clone()))
    }

    /// One more difference that page `pgno` explains.
    fn explained_by(&mut self, pgno: Pgno) {
        *self.consequences.entry(pgno).or_default() += 1;
    }

    fn finish(mut self, numbers: &[usize]) -> ExactReport {
        let mut texts = Vec::new();
        for number in numbers {
            self.say_what_was_not_compared(*number);
            let has_unicode = self.keys.indexes().get(*number).is_some_and(TableIndex::has_unicode);
            texts.extend(self.counts.get(*number).filter(|_| has_unicode).map(|count| (*number, *count)));
        }
        ExactReport { findings: self.reports.finish(), consequences: self.consequences.into_iter().collect(), texts }
    }
}
