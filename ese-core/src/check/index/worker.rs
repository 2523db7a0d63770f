//! One thread's share of a table and its indexes: leaves in any order, sums at the end (spec 08 section 5).
//!
//! The primary key of each row is made anew and held against its node at once (I3, I4); the keys of all other indexes are
//! only summed. It never allocates for a row once its buffers have grown.

use std::cmp::Ordering;

use crate::finding::{Code, Finding};
use crate::format::{IndexFlags, NodeKey, PageSize, Pgno};
use crate::key::{KeyScratch, KeyView, Presence, for_each_key};
use crate::long_value::LongValues;
use crate::record::Record;
use crate::tree::{Leaf, LeafNode};

use super::definition::{Primary, TableIndex, TableKeys};
use super::doubtful::DoubtfulRows;
use super::report::{Place, digits, finding};
use super::sum::EntrySum;
use super::values::{ColumnValues, ValueBuffer};

/// Bytes of the key of a numbered row.
const NUMBER_BYTES: usize = 4;

/// What was seen of one index.
#[derive(Clone, Copy, Default, Debug)]
struct Seen {
    /// The keys of the rows.
    rows: EntrySum,
    /// The stored entries.
    entries: EntrySum,
    /// Sums alone cannot tell whether the index is right.
    undecided: bool,
}

impl Seen {
    fn merge(&mut self, other: Seen) {
        self.rows.merge(other.rows);
        self.entries.merge(other.entries);
        self.undecided |= other.undecided;
    }
}

/// What the record check says of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowHealth {
    /// Nothing.
    Sound,
    /// An error: what its columns say is doubtful.
    Faulty,
}

/// Sums over rows and entries of one table.
pub struct KeyWorker<'k> {
    keys: &'k TableKeys<'k>,
    seen: Vec<Seen>,
    scratch: KeyScratch,
    values: ValueBuffer,
    bookmark: Vec<u8>,
    entry: Vec<u8>,
    /// The page of the last finding, and where that is.
    reported: Option<(Pgno, usize)>,
    doubtful: DoubtfulRows,
}

impl<'k> KeyWorker<'k> {
    /// A worker that has seen nothing.
    #[must_use]
    pub fn new(keys: &'k TableKeys<'k>) -> KeyWorker<'k> {
        KeyWorker {
            keys,
            seen: vec![Seen::default(); keys.indexes().len()],
            scratch: KeyScratch::default(),
            values: ValueBuffer::default(),
            bookmark: Vec::new(),
            entry: Vec::new(),
            reported: None,
            doubtful: DoubtfulRows::default(),
        }
    }

    /// A live row: `record` is in `node`, `long_values` are those of its table, if it has any. A wrong key goes
    /// to `findings`, one for each page; that of a row that is faulty anyway says nothing more.
    pub fn record(
        &mut self,
        node: &LeafNode<'_>,
        record: &Record<'_>,
        health: RowHealth,
        long_values: Option<&mut LongValues<'_>>,
        findings: &mut Vec<Finding>,
    ) {
        let keys = self.keys;
        let mut values = ColumnValues::new(record, keys.layout, long_values, &mut self.values);
        let key = node.node.key;
        self.bookmark.clear();
        key.append_to(&mut self.bookmark);
        let mut wrong = None;
        if keys.primary() == Primary::Numbers && !is_number(key) {
            wrong = Some(WrongKey::Number);
        }
        for (number, (index, seen)) in keys.indexes().iter().zip(&mut self.seen).enumerate() {
            let is_own = keys.primary() == Primary::Index(number);
            if index.has_unicode() && !is_own {
                continue;
            }
            let (entry, bookmark) = (&mut self.entry, &self.bookmark);
            let made = for_each_key(&index.key, &mut values, &mut self.scratch, |view, presence| match view {
                KeyView::Exact(bytes) if is_own => {
                    if NodeKey::whole(bytes).cmp(&key) != Ordering::Equal {
                        wrong = Some(WrongKey::Differs { expected: bytes.to_vec() });
                    }
                }
                KeyView::Exact(bytes) => {
                    join(entry, NodeKey::whole(bytes), bookmark);
                    seen.rows.add(keys.hasher.hash(entry));
                    seen.undecided |= presence == Presence::Optional;
                }
                // Only a key of the table itself: the exact pass looks at it.
                KeyView::Pattern(_) => {}
            });
            match made {
                Ok(made) if made.has_null && index.key.flags().contains(IndexFlags::NO_NULL_SEGMENT) => {
                    wrong = wrong.or(Some(WrongKey::Null { number }));
                }
                Ok(_) => {}
                Err(_) => seen.undecided |= !is_own,
            }
        }
        let place = (node.leaf.pgno, node.node.line);
        match &wrong {
            Some(WrongKey::Differs { expected }) => self.doubtful.add(place.0, place.1, Some(expected.clone())),
            _ if health == RowHealth::Faulty => self.doubtful.add(place.0, place.1, None),
            _ => {}
        }
        if let Some(wrong) = wrong.filter(|_| health == RowHealth::Sound) {
            self.report(&wrong, node, record.page_size(), findings);
        }
    }

    /// A live row whose record cannot be read: nothing is known of its keys.
    pub fn unreadable_record(&mut self) {
        for (index, seen) in self.keys.indexes().iter().zip(&mut self.seen) {
            seen.undecided |= !index.is_primary();
        }
    }

    /// A leaf of index number `number` ([`TableKeys::number_of`]); its live entries count.
    pub fn index_leaf(&mut self, number: usize, leaf: Leaf<'_>) {
        let keys = self.keys;
        let (Some(index), Some(seen)) = (keys.indexes().get(number), self.seen.get_mut(number)) else { return };
        if index.has_unicode() {
            return;
        }
        let mut before: Option<NodeKey<'_>> = None;
        for node in leaf.page.nodes() {
            let Ok(node) = node else {
                seen.undecided = true;
                continue;
            };
            if node.is_deleted() {
                continue;
            }
            join(&mut self.entry, node.key, node.data);
            seen.entries.add(keys.hasher.hash(&self.entry));
            // Rows with equal keys have equal sums on both sides.
            seen.undecided |= index.is_unique() && before == Some(node.key);
            before = Some(node.key);
        }
    }

    /// Adds what another worker has seen of the same table.
    pub fn merge(&mut self, other: &KeyWorker<'_>) {
        for (seen, other) in self.seen.iter_mut().zip(&other.seen) {
            seen.merge(*other);
        }
        self.doubtful.merge(&other.doubtful);
    }

    /// The numbers of the indexes that [`super::ExactPass`] has to look at: sums differ or cannot decide.
    #[must_use]
    pub fn undecided(&self) -> Vec<usize> {
        let is_undecided = |(_, (index, seen)): &(usize, (&TableIndex, &Seen))| {
            seen.undecided || index.has_unicode() || (!index.is_primary() && seen.rows != seen.entries)
        };
        let all = self.keys.indexes().iter().zip(&self.seen).enumerate();
        all.filter(is_undecided).map(|(number, _)| number).collect()
    }

    /// Rows that have a finding of their own.
    #[must_use]
    pub fn doubtful(&self) -> &DoubtfulRows {
        &self.doubtful
    }

    /// The sums of index number `number`: of the rows' keys, of the stored entries.
    #[must_use]
    pub fn sums(&self, number: usize) -> (EntrySum, EntrySum) {
        self.seen.get(number).map_or_else(Default::default, |seen| (seen.rows, seen.entries))
    }

    fn report(&mut self, wrong: &WrongKey, node: &LeafNode<'_>, size: PageSize, findings: &mut Vec<Finding>) {
        let pgno = node.leaf.pgno;
        let last = self.reported.filter(|(page, _)| *page == pgno).and_then(|(_, at)| findings.get_mut(at));
        if let Some(last) = last.filter(|last| last.pgno == Some(pgno) && last.code == Code::RecordKey) {
            last.detail.count = Some(last.detail.count.unwrap_or(1) + 1);
            return;
        }
        let what = wrong.message(&self.bookmark);
        let number = match (wrong, self.keys.primary()) {
            (WrongKey::Null { number }, _) => Some(*number),
            (_, Primary::Index(number)) => Some(number),
            (_, Primary::Numbers | Primary::Unknown) => None,
        };
        let index = number.and_then(|number| self.keys.indexes().get(number));
        let mut found = finding(self.keys, index, size, Place::of_key(node), Code::RecordKey, wrong.rule(), &what);
        found.detail.count = Some(1);
        self.reported = Some((pgno, findings.len()));
        findings.push(found);
    }
}

/// Writes an entry so that no other entry has the same bytes.
#[inline]
fn join(out: &mut Vec<u8>, key: NodeKey<'_>, bookmark: &[u8]) {
    out.clear();
    key.append_to(out);
    out.extend_from_slice(bookmark);
    out.extend_from_slice(&key.len().to_le_bytes());
}

/// True for the key of a row in a table without primary index.
fn is_number(key: NodeKey<'_>) -> bool {
    key.len() == NUMBER_BYTES && key.prefix.iter().chain(key.suffix).any(|byte| *byte != 0)
}

/// What is wrong with the key of a row.
enum WrongKey {
    /// It is not that of the record.
    Differs { expected: Vec<u8> },
    /// It is no number, and the table has no primary index.
    Number,
    /// A column is NULL that index `number` does not allow to be.
    Null { number: usize },
}

impl WrongKey {
    fn rule(&self) -> &'static str {
        match self {
            WrongKey::Differs { .. } | WrongKey::Number => "I3",
            WrongKey::Null { .. } => "I4",
        }
    }

    fn message(&self, found: &[u8]) -> String {
        let found = digits(found);
        match self {
            WrongKey::Differs { expected } => {
                format!("expected the key of the record, {}, found {found}", digits(expected))
            }
            WrongKey::Number => format!("expected a key of {NUMBER_BYTES} bytes above 0, found {found}"),
            WrongKey::Null { .. } => format!("expected no NULL in the key of row {found}, found one"),
        }
    }
}
