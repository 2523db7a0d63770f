//! Sibling links of leaves: each names its neighbours in key order, 0 at the ends (T17, T18).
//!
//! Who the neighbours are is what the parents say. Where a parent is lost, or names a page that is no part of the tree,
//! nobody knows them, and links are not judged.

use crate::finding::Code;
use crate::format::{Pgno, page::offset};
use crate::tree::PageEntry;

use super::{TreeShape, WalkContext, report};

/// The leaf before the one that comes next.
#[derive(Clone, Copy, Debug, Default)]
enum Before {
    /// There is none: the next leaf is the first.
    #[default]
    Nothing,
    /// A leaf that can be read.
    Leaf(Pgno, PageEntry),
    /// A leaf that cannot.
    Unreadable(Pgno),
    /// Nobody knows.
    Unknown,
}

/// The chain of leaves, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Links {
    before: Before,
}

impl Links {
    /// The next leaf in key order; `entry` if it can be read.
    pub(super) fn leaf(&mut self, pgno: Pgno, entry: Option<PageEntry>, tree: &TreeShape, context: &WalkContext<'_>) {
        let expected_prev = match self.before {
            Before::Nothing => Some(Pgno::NONE),
            Before::Leaf(before, _) | Before::Unreadable(before) => Some(before),
            Before::Unknown => None,
        };
        if let (Some(expected), Some(entry)) = (expected_prev, entry)
            && entry.prev() != expected
        {
            wrong(tree, context, "T17", pgno, "pgnoPrev", offset::PGNO_PREV, (expected, entry.prev()));
        }
        self.next_must_be(pgno, tree, context);
        self.before = entry.map_or(Before::Unreadable(pgno), |entry| Before::Leaf(pgno, entry));
    }

    /// What lies between the last leaf and the next one is not known.
    pub(super) fn lose_track(&mut self) {
        self.before = Before::Unknown;
    }

    /// There are no more leaves.
    pub(super) fn end(&mut self, tree: &TreeShape, context: &WalkContext<'_>) {
        self.next_must_be(Pgno::NONE, tree, context);
        self.before = Before::Nothing;
    }

    /// The root is the only leaf.
    pub(super) fn only_leaf(&mut self, entry: PageEntry, pgno: Pgno, tree: &TreeShape, context: &WalkContext<'_>) {
        self.leaf(pgno, Some(entry), tree, context);
        self.end(tree, context);
    }

    fn next_must_be(&self, expected: Pgno, tree: &TreeShape, context: &WalkContext<'_>) {
        if let Before::Leaf(before, entry) = self.before
            && entry.next() != expected
        {
            wrong(tree, context, "T18", before, "pgnoNext", offset::PGNO_NEXT, (expected, entry.next()));
        }
    }
}

/// Both links of an internal page are 0.
pub(super) fn internal_page_has_none(pgno: Pgno, entry: PageEntry, tree: &TreeShape, context: &WalkContext<'_>) {
    for (rule, field, at, found) in
        [("T17", "pgnoPrev", offset::PGNO_PREV, entry.prev()), ("T18", "pgnoNext", offset::PGNO_NEXT, entry.next())]
    {
        if !found.is_none() {
            wrong(tree, context, rule, pgno, field, at, (Pgno::NONE, found));
        }
    }
}

fn wrong(
    tree: &TreeShape,
    context: &WalkContext<'_>,
    rule: &'static str,
    pgno: Pgno,
    field: &str,
    at: usize,
    (expected, found): (Pgno, Pgno),
) {
    let text = format!("{field}: expected {expected}, found {found}");
    report(tree, context, (Code::BtreeLink, rule), (pgno, at), text, |mut finding| {
        finding.detail.pages = vec![expected, found];
        finding.compared(expected.0, found.0)
    });
}
