//! A row on its way from the reader to a sink: one buffer, filled again for each row.
//!
//! A row holds so many bytes and no more. Values that are too long for that stay in the database: the row has their names,
//! and a sink reads them from a [`LongSource`](super::long::LongSource), piece by piece.

use std::ops::Range;

use ese_core::format::LongValueId;

/// Bytes of values that a row holds, where a sink does not say otherwise.
pub(crate) const HELD_MOST: usize = 4 << 20;
/// Values up to this many bytes are held always: a record has room for some thousand references.
const ALWAYS_HELD: usize = 256;

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
#[derive(Debug)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    /// Bytes that are held at most, but for short values.
    held_most: usize,
    values: Vec<ValuePlace>,
    /// Why a value is not what it should be (still compressed, cut short), by its place in `values`.
    faults: Vec<(usize, String)>,
    cells: Vec<CellPlace>,
    /// Place of the index in the table, and the key.
    keys: Vec<(usize, Range<usize>)>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) state: RowState,
}

#[derive(Clone, Debug)]
enum ValuePlace {
    Held(Range<usize>),
    Long(LongRef),
}

/// A column, and its values by their places: from `first` up to `end`.
#[derive(Clone, Copy, Debug)]
struct CellPlace {
    column: usize,
    first: usize,
    end: usize,
}

/// A value that the row does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LongRef {
    pub(crate) id: LongValueId,
    /// Bytes that can be read of it.
    pub(crate) bytes: u64,
    pub(crate) form: LongForm,
}

/// What the bytes of a long value are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LongForm {
    /// The value, or its beginning.
    Decoded,
    /// Its chunks as they stand, because nobody here can decode them.
    AsStored,
}

/// A value that is being added piece by piece.
pub(crate) struct Adding<'r> {
    row: &'r mut Row,
    start: usize,
    bytes: u64,
    held: bool,
}

/// One value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stored<'a> {
    /// Assembled and decompressed, unless there is a fault.
    pub(crate) content: Content<'a>,
    /// Why the bytes are not the value.
    pub(crate) fault: Option<&'a str>,
}

/// The bytes of a value, or where they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content<'a> {
    Held(&'a [u8]),
    Long(LongRef),
}

impl<'a> Stored<'a> {
    /// Its bytes, if the row holds them.
    pub(crate) fn held(self) -> Option<&'a [u8]> {
        match self.content {
            Content::Held(bytes) => Some(bytes),
            Content::Long(_) => None,
        }
    }
}

impl Adding<'_> {
    /// Adds the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let row = &mut *self.row;
        if !self.held {
            return;
        }
        let value = row.bytes.len() - self.start + piece.len();
        if value > ALWAYS_HELD && self.start + value > row.held_most {
            self.held = false;
            row.bytes.truncate(self.start);
        } else {
            row.bytes.extend_from_slice(piece);
        }
    }

    /// Begins again.
    pub(crate) fn restart(&mut self) {
        self.row.bytes.truncate(self.start);
        (self.bytes, self.held) = (0, true);
    }

    /// Ends the value, which is `id`; with a fault its bytes are not the value.
    pub(crate) fn end(self, id: LongValueId, form: LongForm, fault: Option<String>) {
        let place = match self.held {
            true => ValuePlace::Held(self.start..self.row.bytes.len()),
            false => ValuePlace::Long(LongRef { id, bytes: self.bytes, form }),
        };
        if let Some(fault) = fault {
            self.row.faults.push((self.row.values.len(), fault));
        }
        self.row.put(place);
    }
}

impl Default for Row {
    fn default() -> Row {
        Row::new(HELD_MOST)
    }
}

impl Row {
    /// An empty row that holds so many bytes.
    pub(crate) fn new(held_most: usize) -> Row {
        Row {
            held_most,
            bytes: Vec::new(),
            values: Vec::new(),
            faults: Vec::new(),
            cells: Vec::new(),
            keys: Vec::new(),
            provenance: None,
            state: RowState::Live,
        }
    }

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

    /// Adds a value to the cell: one that a record holds, which is short.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.put(ValuePlace::Held(start..self.bytes.len()));
    }

    /// Adds a long value to the cell.
    pub(crate) fn begin_value(&mut self) -> Adding<'_> {
        let start = self.bytes.len();
        Adding { row: self, start, bytes: 0, held: true }
    }

    fn put(&mut self, place: ValuePlace) {
        self.values.push(place);
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

    /// True if the row holds all of its values.
    #[cfg(any(feature = "sqlite", feature = "parquet"))]
    pub(crate) fn is_held(self) -> bool {
        self.values().all(|stored| stored.held().is_some())
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
        let content = match self.row.values.get(i) {
            Some(ValuePlace::Held(range)) => Content::Held(self.row.bytes.get(range.clone()).unwrap_or_default()),
            Some(ValuePlace::Long(long)) => Content::Long(*long),
            None => Content::Held(&[]),
        };
        let fault = match self.row.faults.as_slice() {
            [] => None,
            faults => faults.iter().find(|(at, _)| *at == i).map(|(_, fault)| fault.as_str()),
        };
        Stored { content, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_its_cells_in_order_and_leaves_out_those_without_values() {
        let mut row = Row::new(0);
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
            let held = |bytes, fault| Stored { content: Content::Held(bytes), fault };
            assert_eq!(cells[0], (0, vec![held(b"one", None)]));
            assert_eq!(cells[1], (7, vec![held(b"", None), held(b"zz", Some("encrypted"))]));
            assert_eq!(row.keys().collect::<Vec<_>>(), [(3, &b"\x7f"[..])]);
        }
    }

    #[test]
    fn a_row_holds_so_many_bytes_and_names_what_is_longer() {
        let mut row = Row::new(1_000);
        row.begin_cell(0);
        let mut add = |id, pieces: &[usize], fault: Option<&str>| {
            let mut value = row.begin_value();
            pieces.iter().for_each(|len| value.push(&vec![id; *len]));
            value.end(LongValueId(id.into()), LongForm::Decoded, fault.map(str::to_owned));
        };
        add(1, &[300, 300], None);
        add(2, &[300, 101, 300], Some("cut short"));
        add(3, &[400], None);
        add(4, &[200], None);
        add(5, &[], None);
        add(6, &[257], None);
        let stored: Vec<Stored<'_>> = row.cell(0).unwrap().values().collect();
        let held: Vec<Option<usize>> = stored.iter().map(|stored| stored.held().map(<[u8]>::len)).collect();
        assert_eq!(held, [Some(600), None, Some(400), Some(200), Some(0), None]);
        let long = |id, bytes| Content::Long(LongRef { id: LongValueId(id), bytes, form: LongForm::Decoded });
        assert_eq!(stored[1], Stored { content: long(2, 701), fault: Some("cut short") });
        assert_eq!(stored[2].held(), Some(&[3; 400][..]), "what is behind is its own");
        assert_eq!(stored[5].content, long(6, 257));
    }
}
