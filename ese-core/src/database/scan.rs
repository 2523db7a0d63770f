//! The rows of a table one after the other, without copying any of them.

use crate::format::{NodeKey, Page, Pgno};
use crate::record::{Record, RecordError};
use crate::source::Pages;
use crate::tree::{Cursor, LeafNode, TreeFault};

/// Whether rows that are flagged deleted count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeletedRows {
    /// They are left out.
    Skip,
    /// They come too, marked.
    Include,
}

/// Whether a row counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowState {
    /// It does.
    Live,
    /// It is flagged deleted: gone, though its bytes are still there.
    Deleted,
}

/// Why rows cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RowFault {
    /// A part of the table cannot be reached: some rows, nobody knows how many.
    #[error(transparent)]
    Tree(#[from] TreeFault),
    /// One row is no record.
    #[error("page {pgno}, line {line}: {error}")]
    Record {
        /// The leaf.
        pgno: Pgno,
        /// The line, as findings count: the index of the tag.
        line: usize,
        /// What is wrong.
        #[source]
        error: RecordError,
    },
}

/// A row where it lies.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    /// Its leaf.
    pub page: Page<'a>,
    /// Number of the leaf.
    pub pgno: Pgno,
    /// Its line, as findings count: the index of the tag.
    pub line: usize,
    /// Whether it counts.
    pub state: RowState,
    /// Its key: that of the primary index, or a number where the table has none.
    pub key: NodeKey<'a>,
    /// Its columns.
    pub record: Record<'a>,
}

/// The rows of a table in the order of their keys.
pub struct RowScan<'s> {
    cursor: Cursor<'s>,
    deleted: DeletedRows,
}

impl<'s> RowScan<'s> {
    pub(super) fn new(pages: Pages<'s>, root: Pgno, deleted: DeletedRows) -> RowScan<'s> {
        RowScan { cursor: Cursor::new(pages, root), deleted }
    }

    /// To the first row whose key is `key` or above it.
    ///
    /// # Errors
    /// [`TreeFault`] if a page on the way cannot be used; the scan then stands behind that page.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), TreeFault> {
        self.cursor.seek(key)
    }

    /// The next row, or what keeps the scan from some; `None` behind the last one.
    pub fn next_row(&mut self) -> Option<Result<RowRef<'_>, RowFault>> {
        let wants_deleted = self.deleted == DeletedRows::Include;
        let found = self.cursor.next_node_where(|node| wants_deleted || !node.is_deleted())?;
        Some(found.map_err(RowFault::Tree).and_then(|LeafNode { leaf, node }| {
            let (pgno, line) = (leaf.pgno, node.line);
            let record =
                Record::new(node.data, leaf.page.size()).map_err(|error| RowFault::Record { pgno, line, error })?;
            let state = if node.is_deleted() { RowState::Deleted } else { RowState::Live };
            Ok(RowRef { page: leaf.page, pgno, line, state, key: node.key, record })
        }))
    }
}
