//! Merging sorted runs: the least of their next records, again and again.
//!
//! Each run that is merged has a buffer of one part. Where there are more runs than parts, groups of them are merged to
//! longer runs first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::SortError;
use super::arena::prefix;
use super::run::{Run, RunReader, Runs};

/// The runs of a file, merged.
#[derive(Debug)]
pub(super) struct Merge {
    runs: Runs,
    heads: Heads,
}

impl Merge {
    /// All runs of `runs`, with a buffer of `part` bytes for each.
    pub(super) fn new(mut runs: Runs, part: usize) -> Result<Merge, SortError> {
        let all = runs.runs().to_vec();
        let heads = Heads::new(&all, part, &mut runs)?;
        Ok(Merge { runs, heads })
    }

    /// The next record.
    pub(super) fn next_record(&mut self) -> Result<Option<&[u8]>, SortError> {
        self.heads.next_record(&mut self.runs)
    }
}

/// Merges runs until there are at most `at_once`, each with a buffer of `part` bytes.
pub(super) fn reduce(mut runs: Runs, at_once: usize, part: usize) -> Result<Runs, SortError> {
    while runs.runs().len() > at_once {
        let mut longer = runs.another();
        let all = runs.runs().to_vec();
        // One part is for writing.
        for group in all.chunks(at_once.saturating_sub(1).max(2)) {
            let mut heads = Heads::new(group, part, &mut runs)?;
            let mut writer = longer.begin(part)?;
            while let Some(record) = heads.next_record(&mut runs)? {
                writer.record(record)?;
            }
            writer.end()?;
        }
        runs = longer;
    }
    Ok(runs)
}

/// The next record of each run, the least in front.
#[derive(Debug)]
struct Heads {
    heap: BinaryHeap<Reverse<Head>>,
    /// The record in front was handed out.
    taken: bool,
}

impl Heads {
    fn new(group: &[Run], part: usize, runs: &mut Runs) -> Result<Heads, SortError> {
        let mut heap = BinaryHeap::with_capacity(group.len());
        for run in group {
            let mut head = Head { prefix: 0, reader: RunReader::new(*run, part) };
            if head.advance(runs)? {
                heap.push(Reverse(head));
            }
        }
        Ok(Heads { heap, taken: false })
    }

    fn next_record(&mut self, runs: &mut Runs) -> Result<Option<&[u8]>, SortError> {
        if self.taken
            && let Some(mut front) = self.heap.peek_mut()
            && !front.0.advance(runs)?
        {
            PeekMut::pop(front);
        }
        self.taken = true;
        Ok(self.heap.peek().map(|front| front.0.reader.record()))
    }
}

/// A run, at one of its records.
#[derive(Debug)]
struct Head {
    prefix: u64,
    reader: RunReader,
}

impl Head {
    fn advance(&mut self, runs: &mut Runs) -> Result<bool, SortError> {
        let more = self.reader.advance(runs)?;
        self.prefix = prefix(self.reader.record());
        Ok(more)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.reader.record().cmp(other.reader.record()))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
