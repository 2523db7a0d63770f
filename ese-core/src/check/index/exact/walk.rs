//! The second walk over a table and its indexes: every key and every entry goes to a sorter.
//!
//! Nothing is compared here, except neighbours in unique indexes with Unicode text, whose keys no other step sees sorted.

use crate::finding::Code;
use crate::format::Pgno;
use crate::key::{KeyError, KeyPattern, KeyScratch, KeyView, Presence, for_each_key, push_value};
use crate::long_value::LongValues;
use crate::record::Record;
use crate::sort::SortError;
use crate::tree::{Cursor, LeafNode};

use super::super::definition::TableIndex;
use super::super::doubtful::DoubtfulRows;
use super::super::report::{Place, digits};
use super::super::values::{ColumnValues, ValueBuffer};
use super::packed::{ByBookmark, ByKey, Kind, Side};
use super::{Gaps, Run};
use crate::database::ValueFault;

impl Run<'_> {
    /// Sends the keys of all rows in the indexes `numbers` to the sorters.
    pub(super) fn walk_rows(
        &mut self,
        numbers: &[usize],
        doubtful: &DoubtfulRows,
        mut long_values: Option<&mut LongValues<'_>>,
    ) -> Result<(), SortError> {
        let keys = self.keys;
        let mut cursor = Cursor::new(self.pages, keys.root);
        let (mut scratch, mut buffer) = (KeyScratch::default(), ValueBuffer::default());
        let (mut bookmark, mut text) = (Vec::new(), Vec::new());
        let mut gaps = Gaps::default();
        while let Some(node) = cursor.next_node() {
            let node = match node {
                Ok(node) if node.leaf.page.objid() == keys.objid => node,
                Ok(node) => {
                    gaps.fault(node.leaf.pgno);
                    continue;
                }
                Err(fault) => {
                    gaps.fault(fault.pgno());
                    continue;
                }
            };
            bookmark.clear();
            node.node.key.append_to(&mut bookmark);
            gaps.key(&bookmark);
            if node.node.is_deleted() {
                continue;
            }
            let row = Row { bookmark: &bookmark, place: Place::of_data(&node) };
            if let Some(other) = doubtful.get(row.place.pgno, row.place.line) {
                for number in numbers {
                    self.doubtful(*number, row)?;
                    if let Some(bookmark) = other {
                        self.doubtful(*number, Row { bookmark, ..row })?;
                    }
                }
            }
            let Ok(record) = Record::new(node.node.data, node.leaf.page.size()) else {
                for number in numbers {
                    self.unknown(*number, row, None)?;
                }
                continue;
            };
            let mut values = ColumnValues::new(&record, keys.layout, long_values.as_deref_mut(), &mut buffer);
            for number in numbers {
                let Some(index) = keys.indexes().get(*number) else { continue };
                let mut sent = Ok(());
                let made = for_each_key(&index.key, &mut values, &mut scratch, |key, presence| {
                    if sent.is_ok() {
                        sent = self.key_of_row(*number, row, key, presence, &mut text);
                    }
                });
                sent?;
                match made {
                    Ok(_) => {}
                    Err(KeyError::Value(fault)) => self.unknown(*number, row, Some(&fault))?,
                    Err(KeyError::Size { .. }) => self.unknown(*number, row, None)?,
                    Err(KeyError::TooMany { .. }) => {
                        self.cannot_decode(*number);
                        self.unknown(*number, row, None)?;
                    }
                }
                if index.is_primary() {
                    self.entry(*number, index, &node, &bookmark, &bookmark)?;
                }
            }
        }
        self.row_gaps = gaps;
        Ok(())
    }

    fn key_of_row(
        &mut self,
        number: usize,
        row: Row<'_>,
        key: KeyView<'_>,
        presence: Presence,
        text: &mut Vec<u8>,
    ) -> Result<(), SortError> {
        let has_unicode = self.keys.indexes().get(number).is_some_and(TableIndex::has_unicode);
        let is_optional = presence == Presence::Optional;
        let Row { bookmark, place } = row;
        match key {
            KeyView::Exact(key) if !has_unicode => {
                let side = if is_optional { Side::OptionalRow } else { Side::Row };
                self.by_key.push(ByKey { number, key, bookmark, side, place }.pack(&mut self.packer))
            }
            KeyView::Exact(key) => {
                let thing = ByBookmark { number, bookmark, kind: Kind::Row, key, values: &[], place };
                self.by_bookmark.push(thing.pack(&mut self.packer))
            }
            KeyView::Pattern(pattern) => {
                self.digest_texts(number, pattern, text);
                let kind = if is_optional { Kind::OptionalPattern } else { Kind::Pattern };
                let thing = ByBookmark { number, bookmark, kind, key: pattern.known(), values: text, place };
                self.by_bookmark.push(thing.pack(&mut self.packer))
            }
        }
    }

    /// Writes the values of `pattern` to `out`, each text as its digest: texts can be very long, and only whether they
    /// are equal matters.
    fn digest_texts(&self, number: usize, pattern: KeyPattern<'_>, out: &mut Vec<u8>) {
        out.clear();
        let segments = self.keys.indexes().get(number).map_or(&[][..], |index| index.key.segments());
        let values = pattern.values();
        let first = segments.len().saturating_sub(pattern.values().count());
        for (segment, value) in segments.iter().skip(first).zip(values) {
            match value {
                Some(text) if segment.is_unicode() && !text.is_empty() => {
                    let (units, _) = text.as_chunks::<{ size_of::<u16>() }>();
                    push_value(out, Some(&self.digest.hash(units.as_flattened()).to_be_bytes()));
                }
                value => push_value(out, value),
            }
        }
    }

    /// The keys of a row are not known: because of `fault`, or of damage that is reported elsewhere.
    fn unknown(&mut self, number: usize, row: Row<'_>, fault: Option<&ValueFault>) -> Result<(), SortError> {
        if fault.is_some_and(ValueFault::is_undecodable) {
            self.cannot_decode(number);
        }
        let pgno = fault.and_then(ValueFault::pgno).unwrap_or(Pgno::NONE);
        let place = Place { pgno, ..row.place };
        let thing = ByBookmark { number, bookmark: row.bookmark, kind: Kind::Unknown, key: &[], values: &[], place };
        self.by_bookmark.push(thing.pack(&mut self.packer))
    }

    /// The row has a finding of its own, and its keys may not be those that it had.
    fn doubtful(&mut self, number: usize, row: Row<'_>) -> Result<(), SortError> {
        let Row { bookmark, place } = row;
        let thing = ByBookmark { number, bookmark, kind: Kind::Doubtful, key: &[], values: &[], place };
        self.by_bookmark.push(thing.pack(&mut self.packer))
    }

    fn cannot_decode(&mut self, number: usize) {
        if let Some(rows) = self.undecodable.get_mut(number) {
            *rows += 1;
        }
    }

    /// Sends the entries of index number `number` to the sorters. Those of a primary index come with its rows.
    pub(super) fn walk_entries(&mut self, number: usize) -> Result<(), SortError> {
        let Some(index) = self.keys.indexes().get(number).filter(|index| !index.is_primary()) else { return Ok(()) };
        let mut cursor = Cursor::new(self.pages, index.root);
        let mut gaps = Gaps::default();
        let (mut key, mut position) = (Vec::new(), Vec::new());
        let mut before: Option<Vec<u8>> = None;
        while let Some(node) = cursor.next_node() {
            let node = match node {
                Ok(node) if node.leaf.page.objid() == index.objid => node,
                Ok(node) => {
                    gaps.fault(node.leaf.pgno);
                    continue;
                }
                Err(fault) => {
                    gaps.fault(fault.pgno());
                    continue;
                }
            };
            key.clear();
            node.node.key.append_to(&mut key);
            position_in(index, &key, node.node.data, &mut position);
            gaps.key(&position);
            if node.node.is_deleted() {
                continue;
            }
            if index.has_unicode() && index.is_unique() {
                if before.as_ref() == Some(&key) {
                    let what = format!("expected one entry with key {}, found a second one", digits(&key));
                    self.reports.add(number, Place::of_key(&node), Code::IdxDuplicateKey, "I8", &what);
                }
                before.get_or_insert_default().clone_from(&key);
            }
            self.entry(number, index, &node, &key, node.node.data)?;
        }
        self.entry_gaps.insert(number, gaps);
        Ok(())
    }

    fn entry(
        &mut self,
        number: usize,
        index: &TableIndex,
        node: &LeafNode<'_>,
        key: &[u8],
        bookmark: &[u8],
    ) -> Result<(), SortError> {
        let place = Place::of_key(node);
        if index.has_unicode() {
            let thing = ByBookmark { number, bookmark, kind: Kind::Entry, key, values: &[], place };
            self.by_bookmark.push(thing.pack(&mut self.packer))
        } else {
            let thing = ByKey { number, key, bookmark, side: Side::Entry, place };
            self.by_key.push(thing.pack(&mut self.packer))
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy)]
struct Row<'a> {
    bookmark: &'a [u8],
    place: Place,
}

/// What decides where an entry lies in its index: the key, and the bookmark too unless the index is unique.
pub(super) fn position_in(index: &TableIndex, key: &[u8], bookmark: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(key);
    if !index.is_unique() {
        out.extend_from_slice(bookmark);
    }
}
