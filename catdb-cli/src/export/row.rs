//! A row on its way from the reader to a sink: one buffer, filled again for each row.

use std::ops::Range;

/// Where a row lies in the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Provenance {
    /// Its page.
    pub(crate) pgno: u32,
    /// Its line on the page, as findings and `salvage` count: the index of the tag.
    pub(crate) line: u32,
    /// `intact` for a live row.
    pub(crate) status: &'static str,
}

/// Whether a row counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum RowState {
    /// It does.
    #[default]
    Live,
    /// It was deleted, and its bytes are still there.
    Deleted,
}

/// Cells of a row: for each column that is not NULL its values. Columns that are NULL are not there.
#[derive(Clone, Default, Debug)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    values: Vec<Range<usize>>,
    /// Why a value is not what it should be (still compressed, cut short), by its place in `values`.
    faults: Vec<(usize, String)>,
    cells: Vec<CellPlace>,
    /// Place of the index in the table, and the key.
    keys: Vec<(usize, Range<usize>)>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) state: RowState,
}

/// A column, and its values by their places: from `first` up to `end`.
#[derive(Clone, Copy, Debug)]
struct CellPlace {
    column: usize,
    first: usize,
    end: usize,
}

/// One value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stored<'a> {
    /// Assembled and decompressed, unless there is a fault.
    pub(crate) bytes: &'a [u8],
    /// Why the bytes are not the value.
    pub(crate) fault: Option<&'a str>,
}

impl Row {
    /// Makes the row empty, keeping its buffers.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.values.clear();
        self.faults.clear();
        self.cells.clear();
        self.keys.clear();
        self.provenance = None;
        self.state = RowState::Live;
    }

    /// The values that follow are those of `column`, which comes once.
    pub(crate) fn begin_cell(&mut self, column: usize) {
        let first = self.values.len();
        self.cells.push(CellPlace { column, first, end: first });
    }

    /// The column of the cell that values go to.
    pub(crate) fn current_column(&self) -> Option<usize> {
        self.cells.last().map(|cell| cell.column)
    }

    /// Puts cells that came in another order into that of their columns, which sinks rely on.
    pub(crate) fn order_cells(&mut self) {
        if !self.cells.is_sorted_by_key(|cell| cell.column) {
            self.cells.sort_unstable_by_key(|cell| cell.column);
        }
    }

    /// Adds a value to the cell.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.values.push(start..self.bytes.len());
        if let Some(cell) = self.cells.last_mut() {
            cell.end = self.values.len();
        }
    }

    /// Adds bytes that stand in for a value.
    pub(crate) fn push_faulty(&mut self, bytes: &[u8], fault: String) {
        self.faults.push((self.values.len(), fault));
        self.push(bytes);
    }

    /// Adds the stored key of an index.
    pub(crate) fn push_key(&mut self, index: usize, key: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.keys.push((index, start..self.bytes.len()));
    }

    /// Each column that has values, with them.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, Cell<'_>)> {
        let with_values = self.cells.iter().filter(|cell| cell.end > cell.first);
        with_values.map(|cell| (cell.column, Cell { row: self, first: cell.first, end: cell.end }))
    }

    /// The values of one column; `None` if it is NULL.
    pub(crate) fn cell(&self, column: usize) -> Option<Cell<'_>> {
        self.cells().find(|(place, _)| *place == column).map(|(_, cell)| cell)
    }

    /// The keys of each index, in the order in which they came.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.keys.iter().map(|(index, range)| (*index, self.bytes.get(range.clone()).unwrap_or_default()))
    }
}

/// The values of one column, at least one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    row: &'a Row,
    first: usize,
    end: usize,
}

impl<'a> Cell<'a> {
    pub(crate) fn len(&self) -> usize {
        self.end - self.first
    }

    /// All values in order.
    pub(crate) fn values(self) -> impl Iterator<Item = Stored<'a>> {
        (self.first..self.end).map(move |i| self.stored(i))
    }

    /// The first value.
    pub(crate) fn first(self) -> Stored<'a> {
        self.stored(self.first)
    }

    fn stored(self, i: usize) -> Stored<'a> {
        let range = self.row.values.get(i).cloned().unwrap_or_default();
        let fault = match self.row.faults.as_slice() {
            [] => None,
            faults => faults.iter().find(|(at, _)| *at == i).map(|(_, fault)| fault.as_str()),
        };
        Stored { bytes: self.row.bytes.get(range).unwrap_or_default(), fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_its_cells_in_order_and_leaves_out_those_without_values() {
        let mut row = Row::default();
        for _ in 0..2 {
            row.clear();
            row.begin_cell(7);
            row.push(b"");
            row.push_faulty(b"zz", "encrypted".to_owned());
            row.begin_cell(0);
            row.push(b"one");
            row.begin_cell(1);
            row.push_key(3, b"\x7f");
            row.order_cells();
            let cells: Vec<(usize, Vec<Stored<'_>>)> =
                row.cells().map(|(column, cell)| (column, cell.values().collect())).collect();
            assert_eq!(cells.len(), 2);
            assert_eq!(cells[0], (0, vec![Stored { bytes: b"one", fault: None }]));
            assert_eq!(cells[1].0, 7);
            assert_eq!(cells[1].1[0], Stored { bytes: b"", fault: None });
            assert_eq!(cells[1].1[1], Stored { bytes: b"zz", fault: Some("encrypted") });
            assert_eq!(row.keys().collect::<Vec<_>>(), [(3, &b"\x7f"[..])]);
        }
    }
}
