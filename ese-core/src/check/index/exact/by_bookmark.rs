//! What there is about one bookmark: keys of its row, entries that lead to it (I7; I10 where there is text).
//!
//! Text leaves open which of several entries of a row is which: then each must fit some key, and no key may have more than
//! one.

use crate::finding::Code;
use crate::format::Pgno;
use crate::key::{KeyPattern, SegmentEnd, ShapeError, UnicodeSegment, check_sort_key_shape};
use crate::sort::SortError;

use super::super::definition::{Collation, TableIndex};
use super::super::report::{Place, digits};
use super::Run;
use super::packed::{ByBookmark, ByKey, Kind, Side};

/// Most bytes about one bookmark that are held at a time: those of the keys of any record that keys are made for.
const GROUP_BYTES_MOST: usize = 64 << 20;
/// Most comparisons of entries with keys of one row. Where texts alone differ, the first key fits.
const TRIES_MOST: usize = 1 << 20;

/// One of the things about a bookmark; its bytes lie in [`Group::bytes`].
#[derive(Clone, Copy)]
struct Thing {
    kind: Kind,
    start: usize,
    values: usize,
    end: usize,
    place: Place,
}

/// All there is about one bookmark in one index, in order: keys before entries.
#[derive(Default)]
pub(super) struct Groups {
    number: usize,
    bookmark: Vec<u8>,
    things: Vec<Thing>,
    bytes: Vec<u8>,
    /// There was more than may be held.
    is_cut: bool,
    segment: Vec<u8>,
}

impl Groups {
    fn begin(&mut self, number: usize, bookmark: &[u8]) {
        self.number = number;
        self.bookmark.clear();
        self.bookmark.extend_from_slice(bookmark);
        self.things.clear();
        self.bytes.clear();
        self.is_cut = false;
    }

    fn is_about(&self, thing: &ByBookmark<'_>) -> bool {
        (self.number, &self.bookmark[..]) == (thing.number, thing.bookmark)
    }

    fn add(&mut self, thing: &ByBookmark<'_>) {
        let start = self.bytes.len();
        let values = start + thing.key.len();
        let end = values + thing.values.len();
        if end > GROUP_BYTES_MOST {
            self.is_cut = true;
            return;
        }
        self.bytes.extend_from_slice(thing.key);
        self.bytes.extend_from_slice(thing.values);
        self.things.push(Thing { kind: thing.kind, start, values, end, place: thing.place });
    }

    fn of(&self, kinds: &[Kind]) -> Vec<Thing> {
        self.things.iter().filter(|thing| kinds.contains(&thing.kind)).copied().collect()
    }

    fn key(&self, thing: Thing) -> &[u8] {
        self.bytes.get(thing.start..thing.values).unwrap_or_default()
    }

    /// Takes away keys that are known whole, with their entries. Both come sorted by length and bytes.
    fn strike_out(&self, rows: &mut Vec<Thing>, entries: &mut Vec<Thing>) {
        let order = |thing: Thing| (self.key(thing).len(), self.key(thing));
        let mut left = rows.drain(..).peekable();
        let mut without_entry = Vec::new();
        entries.retain(|entry| {
            while let Some(row) = left.next_if(|row| order(*row) < order(*entry)) {
                without_entry.push(row);
            }
            left.next_if(|row| order(*row) == order(*entry)).is_none()
        });
        without_entry.extend(left);
        *rows = without_entry;
    }

    fn pattern(&self, thing: Thing) -> KeyPattern<'_> {
        KeyPattern::of_parts(self.key(thing), self.bytes.get(thing.values..thing.end).unwrap_or_default())
    }
}

impl Run<'_> {
    /// Settles bookmark by bookmark; what has no counterpart goes on, to be sorted by key.
    pub(super) fn match_by_bookmark(&mut self) -> Result<(), SortError> {
        let mut sorted = Run::take(&self.limits, &mut self.by_bookmark).finish()?;
        let mut groups = std::mem::take(&mut self.groups);
        while let Some(bytes) = sorted.next_record()? {
            let Some(thing) = ByBookmark::unpack(bytes) else { continue };
            if !groups.is_about(&thing) {
                self.settle(&mut groups)?;
                groups.begin(thing.number, thing.bookmark);
            }
            groups.add(&thing);
        }
        self.settle(&mut groups)
    }

    fn settle(&mut self, groups: &mut Groups) -> Result<(), SortError> {
        let Some(index) = self.keys.indexes().get(groups.number) else { return Ok(()) };
        let entries = groups.of(&[Kind::Entry]);
        let doubtful = groups.things.iter().find(|thing| thing.kind == Kind::Doubtful).map(|thing| thing.place.pgno);
        if let Some(pgno) = doubtful {
            // Where there is text all keys and entries come here, and not only those without a counterpart.
            if !index.has_unicode() && groups.things.iter().any(|thing| thing.kind != Kind::Doubtful) {
                self.explained_by(pgno);
            }
            return Ok(());
        }
        if let Some(unknown) = groups.things.iter().find(|thing| thing.kind == Kind::Unknown) {
            if unknown.place.pgno != Pgno::NONE && !entries.is_empty() {
                self.explained_by(unknown.place.pgno);
            }
            return Ok(());
        }
        if groups.is_cut {
            // Never seen: a row with more keys than are made for any row.
            self.undecodable.get_mut(groups.number).into_iter().for_each(|rows| *rows += 1);
            return Ok(());
        }
        let rows = groups.of(&[Kind::Row]);
        let patterns = groups.of(&[Kind::Pattern, Kind::OptionalPattern]);
        if index.has_unicode() {
            self.settle_text(index, groups, rows, &patterns, entries)
        } else {
            self.pair(index, groups, &rows, &entries)
        }
    }

    /// Rows and entries with one bookmark and different keys: each pair is one wrong entry.
    fn pair(
        &mut self,
        index: &TableIndex,
        groups: &Groups,
        rows: &[Thing],
        entries: &[Thing],
    ) -> Result<(), SortError> {
        for (row, entry) in rows.iter().zip(entries) {
            let (expected, found) = (digits(groups.key(*row)), digits(groups.key(*entry)));
            let bookmark = digits(&groups.bookmark);
            let what =
                format!("expected key {expected} in the entry of the row with bookmark {bookmark}, found {found}");
            self.wrong(groups.number, index, entry.place, "I7", &what);
        }
        let rest = rows.iter().skip(entries.len()).map(|row| (Side::Row, row));
        for (side, thing) in rest.chain(entries.iter().skip(rows.len()).map(|entry| (Side::Entry, entry))) {
            let (key, place) = (groups.key(*thing), thing.place);
            let left = ByKey { number: groups.number, key, bookmark: &groups.bookmark, side, place };
            self.left_over.push(left.pack(&mut self.packer))?;
        }
        Ok(())
    }

    /// The key of a row that is no key of its own is the row's matter; an entry is the index's.
    fn wrong(&mut self, number: usize, index: &TableIndex, place: Place, rule: &'static str, what: &str) {
        let code = if index.is_primary() { Code::RecordKey } else { Code::IdxEntryWrong };
        self.reports.add(number, place, code, rule, what);
    }

    /// The same where keys have text in them: `rows` are keys without.
    fn settle_text(
        &mut self,
        index: &TableIndex,
        groups: &mut Groups,
        mut rows: Vec<Thing>,
        patterns: &[Thing],
        mut entries: Vec<Thing>,
    ) -> Result<(), SortError> {
        groups.strike_out(&mut rows, &mut entries);
        if !patterns.is_empty() && index.collation != Collation::Other {
            let mut unfitting = Vec::new();
            let mut tries = TRIES_MOST;
            for entry in entries {
                match self.fit(index, groups, patterns, entry, &mut tries)? {
                    Ok(()) => {}
                    Err(error) => unfitting.push((entry, error)),
                }
            }
            let fitting = groups.of(&[Kind::Entry]).len() - unfitting.len();
            return self.settle_patterns(index, groups, &rows, patterns, fitting, unfitting);
        }
        if entries.len() > patterns.len() || patterns.is_empty() {
            let without = entries.split_off(patterns.len().min(entries.len()));
            return self.unmatched(index, groups, &rows, &without);
        }
        let is_missing = entries.is_empty() && patterns.iter().any(|pattern| pattern.kind == Kind::Pattern);
        if is_missing {
            rows.extend(patterns.first());
        }
        self.unmatched(index, groups, &rows, &[])
    }

    /// Whether an entry fits one of the patterns. Texts and segments go on to be compared where it is clear which belong
    /// together.
    fn fit(
        &mut self,
        index: &TableIndex,
        groups: &mut Groups,
        patterns: &[Thing],
        entry: Thing,
        tries: &mut usize,
    ) -> Result<Result<(), ShapeError>, SortError> {
        let mut segment_bytes = std::mem::take(&mut groups.segment);
        let key = groups.key(entry);
        let mut outcome = Ok(());
        for pattern in patterns {
            let Some(left) = tries.checked_sub(1) else {
                outcome = Ok(());
                break;
            };
            *tries = left;
            let mut shape = Ok(());
            let mut segments = 0;
            let mut sent = Ok(());
            let matched = groups.pattern(*pattern).match_entry(&index.key, key, &mut segment_bytes, |text, segment| {
                segments += 1;
                if index.collation == Collation::FiveParts && shape.is_ok() {
                    shape = check_sort_key_shape(&segment);
                }
                if patterns.len() == 1 && sent.is_ok() {
                    sent = self.send_text(groups.number, text, &segment, entry.place);
                }
            });
            sent?;
            outcome = matched.and(shape);
            if outcome.is_ok() {
                if let Some(count) = self.counts.get_mut(groups.number) {
                    count.segments += segments;
                }
                break;
            }
        }
        groups.segment = segment_bytes;
        Ok(outcome)
    }

    fn send_text(
        &mut self,
        number: usize,
        digest: &[u8],
        segment: &UnicodeSegment<'_>,
        place: Place,
    ) -> Result<(), SortError> {
        let is_cut = u8::from(segment.end == SegmentEnd::Cut);
        let packer = self.packer.begin(number).part(digest).part(segment.bytes).raw(&[is_cut]).place(place);
        self.texts.push(packer.bytes())
    }

    fn settle_patterns(
        &mut self,
        index: &TableIndex,
        groups: &Groups,
        rows: &[Thing],
        patterns: &[Thing],
        fitting: usize,
        unfitting: Vec<(Thing, ShapeError)>,
    ) -> Result<(), SortError> {
        let bookmark = digits(&groups.bookmark);
        // What fits no key of its row though the row has keys is a wrong entry, and stands for one of them.
        for (entry, error) in &unfitting {
            let rule = if matches!(error, ShapeError::Separators { .. }) { "I11" } else { "I10" };
            let what = format!("entry {} of the row with bookmark {bookmark}: {error}", digits(groups.key(*entry)));
            self.wrong(groups.number, index, entry.place, rule, &what);
        }
        let required = patterns.iter().find(|pattern| pattern.kind == Kind::Pattern);
        let mut missing = rows.to_vec();
        if fitting == 0 && unfitting.is_empty() {
            missing.extend(required);
        }
        let entries = groups.of(&[Kind::Entry]);
        // More entries than keys: there is no telling which is too much.
        let extra = (fitting + unfitting.len()).saturating_sub(patterns.len() + groups.of(&[Kind::Row]).len());
        self.unmatched(index, groups, &missing, entries.get(entries.len() - extra..).unwrap_or_default())
    }

    /// Keys without entry and entries without key, of an index with text in it.
    fn unmatched(
        &mut self,
        index: &TableIndex,
        groups: &Groups,
        rows: &[Thing],
        entries: &[Thing],
    ) -> Result<(), SortError> {
        let missing = rows.iter().filter(|_| !index.is_incomplete());
        for row in missing {
            // Where an entry with text would lie, nobody knows.
            match self.entry_gaps.get(&groups.number).and_then(super::Gaps::first) {
                Some(pgno) => self.explained_by(pgno),
                None => self.missing(groups.number, row.place, groups.key(*row), &groups.bookmark),
            }
        }
        for entry in entries {
            match self.row_gaps.holds(&groups.bookmark) {
                Some(pgno) => self.explained_by(pgno),
                None => self.extra(groups.number, entry.place, groups.key(*entry), &groups.bookmark),
            }
        }
        Ok(())
    }
}
