//! Keys of rows against entries, both sorted by key: first with their bookmarks, at the end without (I5, I6, I7, I8).

use std::collections::VecDeque;

use crate::finding::Code;
use crate::sort::SortError;

use super::super::definition::TableIndex;
use super::super::report::{Place, digits};
use super::Run;
use super::packed::{ByBookmark, ByKey, Kind, Side};
use super::walk::position_in;

/// Rows or entries with one key that wait for a counterpart; of more, each is reported by itself.
const WAITING_MOST: usize = 1 << 10;

/// A row or an entry that waits for its counterpart.
struct Waiting {
    side: Side,
    place: Place,
    bookmark: Vec<u8>,
}

/// What was seen of one key, and of one bookmark with it.
#[derive(Default)]
struct Current {
    number: usize,
    key: Vec<u8>,
    bookmark: Vec<u8>,
    /// A row that has no entry yet.
    row: Option<(Place, Side)>,
    /// Bookmarks that rows have with this key.
    rows: u64,
    /// Bookmarks that entries have with this key.
    entries: u64,
    /// The second of such rows.
    second_row: Option<(Place, Vec<u8>)>,
}

impl Run<'_> {
    /// Strikes out what is on both sides, and sends the rest on, to be sorted by bookmark. Only indexes without Unicode
    /// text come here.
    pub(super) fn match_by_key(&mut self) -> Result<(), SortError> {
        let mut sorted = Run::take(&self.limits, &mut self.by_key).finish()?;
        let mut current = Current::default();
        while let Some(bytes) = sorted.next_record()? {
            let Some(next) = ByKey::unpack(bytes) else { continue };
            if (current.number, &current.key[..]) != (next.number, next.key) {
                self.end_bookmark(&mut current)?;
                self.end_key(&mut current);
                current.number = next.number;
                current.key.clear();
                current.key.extend_from_slice(next.key);
                current.begin_bookmark(next.bookmark);
            } else if current.bookmark != next.bookmark {
                self.end_bookmark(&mut current)?;
                current.begin_bookmark(next.bookmark);
            }
            match next.side {
                Side::Row | Side::OptionalRow => current.add_row(&next),
                Side::Entry => {
                    current.entries += 1;
                    if current.entries == 2 && self.is_unique(next.number) {
                        self.duplicate(next.number, next.place, next.key, next.bookmark);
                    }
                    if current.row.take().is_none() {
                        self.without_row(&next)?;
                    }
                }
            }
        }
        self.end_bookmark(&mut current)?;
        self.end_key(&mut current);
        Ok(())
    }

    fn is_unique(&self, number: usize) -> bool {
        self.keys.indexes().get(number).is_some_and(TableIndex::is_unique)
    }

    fn duplicate(&mut self, number: usize, place: Place, key: &[u8], bookmark: &[u8]) {
        let (key, bookmark) = (digits(key), digits(bookmark));
        let what = format!("expected the key {key} once, found it again for the row with bookmark {bookmark}");
        self.reports.add(number, place, Code::IdxDuplicateKey, "I8", &what);
    }

    fn end_bookmark(&mut self, current: &mut Current) -> Result<(), SortError> {
        let Some((place, Side::Row)) = current.row.take() else { return Ok(()) };
        let Current { number, key, bookmark, .. } = current;
        let Some(index) = self.keys.indexes().get(*number) else { return Ok(()) };
        if index.is_incomplete() {
            return Ok(());
        }
        let mut position = Vec::new();
        position_in(index, key, bookmark, &mut position);
        if let Some(pgno) = self.entry_gaps.get(number).and_then(|gaps| gaps.holds(&position)) {
            self.explained_by(pgno);
            return Ok(());
        }
        let thing = ByBookmark { number: *number, bookmark, kind: Kind::Row, key, values: &[], place };
        self.by_bookmark.push(thing.pack(&mut self.packer))
    }

    /// Two rows with one key break a unique index even where one of them has no entry.
    fn end_key(&mut self, current: &mut Current) {
        let second = current.second_row.take();
        if let Some((place, bookmark)) = second.filter(|_| current.entries < 2 && self.is_unique(current.number)) {
            self.duplicate(current.number, place, &current.key, &bookmark);
        }
        (current.rows, current.entries) = (0, 0);
    }

    fn without_row(&mut self, entry: &ByKey<'_>) -> Result<(), SortError> {
        if let Some(pgno) = self.row_gaps.holds(entry.bookmark) {
            self.explained_by(pgno);
            return Ok(());
        }
        let ByKey { number, key, bookmark, place, .. } = *entry;
        let thing = ByBookmark { number, bookmark, kind: Kind::Entry, key, values: &[], place };
        self.by_bookmark.push(thing.pack(&mut self.packer))
    }

    /// Pairs what is left on both sides by key alone, and reports it.
    pub(super) fn match_left_over(&mut self) -> Result<(), SortError> {
        let mut sorted = Run::take(&self.limits, &mut self.left_over).finish()?;
        let (mut number, mut key) = (0, Vec::new());
        let mut waiting = VecDeque::new();
        while let Some(bytes) = sorted.next_record()? {
            let Some(next) = ByKey::unpack(bytes) else { continue };
            if (number, &key[..]) != (next.number, next.key) {
                waiting.drain(..).for_each(|one: Waiting| self.unpaired(number, &key, &one));
                number = next.number;
                key.clear();
                key.extend_from_slice(next.key);
            }
            let next = Waiting { side: next.side, place: next.place, bookmark: next.bookmark.to_vec() };
            match waiting.pop_front_if(|other| other.side != next.side) {
                Some(other) => self.another_bookmark(number, &key, &next, &other),
                None if waiting.len() < WAITING_MOST => waiting.push_back(next),
                None => self.unpaired(number, &key, &next),
            }
        }
        waiting.iter().for_each(|one| self.unpaired(number, &key, one));
        Ok(())
    }

    fn unpaired(&mut self, number: usize, key: &[u8], one: &Waiting) {
        match one.side {
            Side::Entry => self.extra(number, one.place, key, &one.bookmark),
            Side::Row | Side::OptionalRow => self.missing(number, one.place, key, &one.bookmark),
        }
    }

    /// A row and an entry that have one key and different bookmarks.
    fn another_bookmark(&mut self, number: usize, key: &[u8], one: &Waiting, other: &Waiting) {
        let (row, entry) = if one.side == Side::Entry { (other, one) } else { (one, other) };
        let (expected, found, key) = (digits(&row.bookmark), digits(&entry.bookmark), digits(key));
        let what = format!("expected bookmark {expected} in the entry with key {key}, found {found}");
        self.reports.add(number, entry.place, Code::IdxEntryWrong, "I7", &what);
    }

    /// A row that has no entry; it lies at `place`.
    pub(super) fn missing(&mut self, number: usize, place: Place, key: &[u8], bookmark: &[u8]) {
        let (key, bookmark) = (digits(key), digits(bookmark));
        let what = format!("expected an entry with key {key} for the row with bookmark {bookmark}, found none");
        self.reports.add(number, place, Code::IdxEntryMissing, "I5", &what);
    }

    /// An entry that has no row; it lies at `place`.
    pub(super) fn extra(&mut self, number: usize, place: Place, key: &[u8], bookmark: &[u8]) {
        let (key, bookmark) = (digits(key), digits(bookmark));
        let what = format!("expected no entry without a row, found one with key {key} and bookmark {bookmark}");
        self.reports.add(number, place, Code::IdxEntryExtra, "I6", &what);
    }
}

impl Current {
    fn begin_bookmark(&mut self, bookmark: &[u8]) {
        self.bookmark.clear();
        self.bookmark.extend_from_slice(bookmark);
    }

    /// Two rows with one bookmark count once: the order of the table's own keys is another check's matter.
    fn add_row(&mut self, next: &ByKey<'_>) {
        if self.row.is_some() {
            return;
        }
        self.row = Some((next.place, next.side));
        self.rows += 1;
        if self.rows == 2 {
            self.second_row = Some((next.place, next.bookmark.to_vec()));
        }
    }
}
