//! Records in memory: their bytes in parts of equal size, and an index over them that is sorted in their place.
//!
//! What is allocated, the index while it grows included, never exceeds the limit less one part.

use std::mem::size_of;

/// Leading bytes of a record that the index holds, so that most comparisons need not look at the record.
const PREFIX_BYTES: usize = 8;
/// Records that the index has room for at first.
const ENTRIES_FIRST: usize = 256;

/// One record in the index.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Its first bytes as a big-endian number, zeros behind its end.
    prefix: u64,
    /// Its place: number of the part times size of a part, plus the offset there.
    at: u32,
    len: u32,
}

/// Records in memory.
#[derive(Debug)]
pub(super) struct Arena {
    /// Bytes that parts and index together may take.
    most: usize,
    /// Bytes of a part: a power of two.
    part: usize,
    parts: Vec<Vec<u8>>,
    /// The part that is being filled.
    filling: usize,
    entries: Vec<Entry>,
}

impl Arena {
    /// An arena of at most `memory` bytes in parts of `part` bytes.
    pub(super) fn new(memory: usize, part: usize) -> Arena {
        Arena { most: memory.saturating_sub(part), part, parts: Vec::new(), filling: 0, entries: Vec::new() }
    }

    /// Bytes allocated.
    pub(super) fn allocated(&self) -> usize {
        self.parts.len() * self.part + self.entries.capacity() * size_of::<Entry>()
    }

    /// Adds a record; false, and nothing changes, if there is no room for it. It must not be longer than a part.
    pub(super) fn push(&mut self, record: &[u8]) -> bool {
        if !self.has_room_in_index() {
            return false;
        }
        let fits = |part: &Vec<u8>, most: usize| most - part.len() >= record.len();
        if !self.parts.get(self.filling).is_some_and(|part| fits(part, self.part)) && !self.next_part() {
            return false;
        }
        let Some(part) = self.parts.get_mut(self.filling) else { return false };
        let place = self.filling * self.part + part.len();
        let (Ok(at), Ok(len)) = (u32::try_from(place), u32::try_from(record.len())) else { return false };
        part.extend_from_slice(record);
        self.entries.push(Entry { prefix: prefix(record), at, len });
        true
    }

    /// Makes room for one more entry.
    fn has_room_in_index(&mut self) -> bool {
        let room = self.entries.capacity();
        if self.entries.len() < room {
            return true;
        }
        // While the index moves to a larger place, the old one still counts.
        let left = self.most.saturating_sub(self.allocated()) / size_of::<Entry>();
        let grown = (room * 2).max(ENTRIES_FIRST).min(left);
        if grown <= room {
            return false;
        }
        self.entries.reserve_exact(grown - self.entries.len());
        true
    }

    /// Goes on to the next part, a new one if need be.
    fn next_part(&mut self) -> bool {
        if self.filling + 1 < self.parts.len() {
            self.filling += 1;
            return true;
        }
        if self.allocated() + self.part > self.most {
            return false;
        }
        self.filling = self.parts.len();
        self.parts.push(Vec::with_capacity(self.part));
        true
    }

    /// Sorts the records.
    pub(super) fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| self.bytes(*a).cmp(self.bytes(*b))));
        self.entries = entries;
    }

    fn bytes(&self, entry: Entry) -> &[u8] {
        let (at, len) = (entry.at as usize, entry.len as usize);
        let part = self.parts.get(at / self.part).map_or(&[][..], Vec::as_slice);
        part.get(at % self.part..).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }

    /// Record number `index`, 0-based.
    pub(super) fn record(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index).map(|entry| self.bytes(*entry))
    }

    /// The records, in order if [`Arena::sort`] came last.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| self.bytes(*entry))
    }

    /// Forgets the records; their memory is used again.
    pub(super) fn clear(&mut self) {
        self.parts.iter_mut().for_each(Vec::clear);
        self.filling = 0;
        self.entries.clear();
    }
}

/// The first bytes of a record as a number that compares as they do.
pub(super) fn prefix(record: &[u8]) -> u64 {
    let mut bytes = [0; PREFIX_BYTES];
    for (to, from) in bytes.iter_mut().zip(record) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}
