//! The columns of a table, and what checking its records needs of them, worked out once (spec 05 sections 4, 6 and 7).
//!
//! Made of plain data that the catalog fills in, right or wrong: nothing here rejects a column. Fixed columns are laid
//! out by their sizes, as the engine does; what the catalog says of offsets only helps over a missing column.

use super::tagged::Origin;
use crate::format::record::{RECORD_HEADER_BYTES, SHORT_VALUE_MOST, null_map_bytes};
use crate::format::{ColumnFlags, ColumnKind, ColumnType};

/// First id of a variable column.
pub(crate) const VARIABLE_FIRST: u16 = ColumnKind::FIXED_LAST + 1;

/// First id of a tagged column.
const TAGGED_FIRST: u16 = ColumnKind::VARIABLE_LAST + 1;

/// A column as the catalog has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its id: 1 to 127 fixed, to 255 variable, tagged above.
    pub id: u16,
    /// Whether the table has it from its template.
    pub origin: Origin,
    /// Type of its values; [`ColumnType::Nil`] if it was deleted.
    pub column_type: ColumnType,
    /// Most bytes of a value, and their number in a fixed column (`SpaceUsage`); 0 is no limit.
    pub max_len: u32,
    /// Its flags.
    pub flags: ColumnFlags,
    /// Code page of its text.
    pub code_page: u32,
    /// Offset in the record, fixed columns only (`RecordOffset`).
    pub offset: Option<u16>,
    /// Its name.
    pub name: String,
    /// The value of records that do not store it, as it would be stored.
    pub default: Option<Vec<u8>>,
}

impl Column {
    /// True if a record that does not store the column has a value all the same.
    #[must_use]
    pub fn has_default(&self) -> bool {
        self.default.is_some() || self.flags.intersects(ColumnFlags::DEFAULT | ColumnFlags::USER_DEFINED_DEFAULT)
    }

    /// True if no record may be without a value: NOT NULL, and what the engine itself fills in.
    fn is_required(&self) -> bool {
        let filled = ColumnFlags::NOT_NULL | ColumnFlags::VERSION | ColumnFlags::AUTOINCREMENT;
        self.column_type != ColumnType::Nil && self.flags.intersects(filled)
    }

    /// Bytes that every value has; `None` if they differ, or if nobody can say.
    #[inline]
    fn value_size(&self) -> Option<usize> {
        self.column_type.fixed_size()
    }

    /// Least and most bytes of one tagged value, decompressed and decrypted.
    #[inline]
    pub(crate) fn value_lengths(&self) -> (usize, usize) {
        match self.column_type {
            ColumnType::Binary | ColumnType::Text => (0, SHORT_VALUE_MOST),
            _ => self.value_size().map_or((0, usize::MAX), |size| (size, size)),
        }
    }

    /// Most bytes of a variable column.
    #[inline]
    fn variable_most(&self) -> usize {
        let limit = usize::try_from(self.max_len).unwrap_or(usize::MAX);
        let none = limit == 0 || self.column_type == ColumnType::Nil;
        if none { SHORT_VALUE_MOST } else { limit.min(SHORT_VALUE_MOST) }
    }

    /// Bytes that a fixed column takes.
    fn fixed_width(&self) -> usize {
        self.value_size().unwrap_or_else(|| usize::try_from(self.max_len).unwrap_or(usize::MAX))
    }
}

/// Place of a fixed column in a record, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedPlace {
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub len: usize,
}

impl FixedPlace {
    /// Where it ends.
    pub(crate) fn end(self) -> usize {
        self.offset.saturating_add(self.len)
    }
}

/// Columns of one kind by bit, bit 0 for the first id of the kind.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RequiredColumns {
    /// Never NULL.
    pub(crate) all: u128,
    /// Those of them that have no default: never absent either.
    pub(crate) without_default: u128,
}

/// The columns of a table, by kind and id.
#[derive(Clone, Debug)]
pub struct TableLayout {
    columns: Vec<Column>,
    /// Fixed columns, from id 1 on: index in `columns`, and place.
    fixed: Vec<Option<(usize, FixedPlace)>>,
    /// Variable columns, from id 128 on: index in `columns`.
    variable: Vec<Option<usize>>,
    /// Tagged columns, ordered by origin and id.
    tagged: Vec<((Origin, u16), usize)>,
    /// Where the table's own columns begin in `tagged`.
    first_own: usize,
    required_fixed: RequiredColumns,
    required_variable: RequiredColumns,
    required_tagged: Vec<usize>,
    /// Fixed columns of type Bit: id, and offset in the record.
    bits: Vec<(u16, usize)>,
    /// Most bytes of each variable column, from id 128 on.
    variable_most: Vec<usize>,
}

impl TableLayout {
    /// The layout of a table with these columns, those of its template included. Of two columns with the same id the
    /// first counts.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> TableLayout {
        let mut layout = TableLayout {
            fixed: Vec::new(),
            variable: Vec::new(),
            tagged: Vec::new(),
            first_own: 0,
            required_fixed: RequiredColumns::default(),
            required_variable: RequiredColumns::default(),
            required_tagged: Vec::new(),
            bits: Vec::new(),
            variable_most: Vec::new(),
            columns,
        };
        let fixed = by_id(&layout.columns, 1..=ColumnKind::FIXED_LAST);
        layout.variable = by_id(&layout.columns, VARIABLE_FIRST..=ColumnKind::VARIABLE_LAST);
        layout.required_fixed = required(&layout.columns, &fixed);
        layout.required_variable = required(&layout.columns, &layout.variable);
        layout.place(&fixed);
        let placed = layout.fixed.iter().flatten().map(|(index, place)| (&layout.columns[*index], place.offset));
        let bits = placed.filter(|(column, _)| column.column_type == ColumnType::Bit);
        layout.bits = bits.map(|(column, offset)| (column.id, offset)).collect();
        let variable = layout.variable.iter().map(|index| index.map(|index| &layout.columns[index]));
        layout.variable_most = variable.map(|column| column.map_or(SHORT_VALUE_MOST, Column::variable_most)).collect();
        let tagged = layout.columns.iter().enumerate().filter(|(_, column)| column.id > ColumnKind::VARIABLE_LAST);
        layout.tagged = tagged.map(|(index, column)| ((column.origin, column.id), index)).collect();
        layout.tagged.sort_unstable();
        layout.tagged.dedup_by_key(|(key, _)| *key);
        layout.first_own = layout.tagged.partition_point(|((origin, _), _)| *origin == Origin::Template);
        let required = layout.tagged.iter().map(|(_, index)| *index);
        layout.required_tagged = required.filter(|index| layout.columns[*index].is_required()).collect();
        layout
    }

    /// Places the fixed columns one behind the other; behind a missing one, where the catalog says.
    fn place(&mut self, fixed: &[Option<usize>]) {
        let mut end = Some(RECORD_HEADER_BYTES);
        for index in fixed {
            let placed = index.and_then(|index| {
                let column = &self.columns[index];
                let offset = end.or_else(|| column.offset.map(usize::from))?;
                Some((index, FixedPlace { offset, len: column.fixed_width() }))
            });
            end = placed.map(|(_, place)| place.end());
            self.fixed.push(placed);
        }
    }

    /// All columns, in the order in which they were given.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The fixed column `id`, and where it lies.
    #[must_use]
    pub fn fixed(&self, id: u16) -> Option<(&Column, FixedPlace)> {
        let (index, place) = (*self.fixed.get(usize::from(id).checked_sub(1)?)?)?;
        Some((self.columns.get(index)?, place))
    }

    /// The variable column `id`.
    #[must_use]
    pub fn variable(&self, id: u16) -> Option<&Column> {
        self.columns.get(self.place_of(id, Origin::Own).filter(|_| ColumnKind::of(id) == Some(ColumnKind::Variable))?)
    }

    /// The tagged column `id` of the table or of its template.
    #[must_use]
    #[inline]
    pub fn tagged(&self, id: u16, origin: Origin) -> Option<&Column> {
        self.columns.get(self.place_of(id, origin).filter(|_| ColumnKind::of(id) == Some(ColumnKind::Tagged))?)
    }

    /// Place in [`TableLayout::columns`] of the column `id`. Fixed and variable columns of a template and of the table
    /// itself share one range of ids; of tagged ones `origin` says whose is meant.
    #[must_use]
    #[inline]
    pub fn place_of(&self, id: u16, origin: Origin) -> Option<usize> {
        match ColumnKind::of(id)? {
            ColumnKind::Fixed => Some((*self.fixed.get(usize::from(id).checked_sub(1)?)?)?.0),
            ColumnKind::Variable => *self.variable.get(usize::from(id.checked_sub(VARIABLE_FIRST)?))?,
            ColumnKind::Tagged => {
                // Ids are without gaps in every table seen, so the place of a column is known nearly always.
                let first = if origin == Origin::Own { self.first_own } else { 0 };
                let guess = usize::from(id.checked_sub(TAGGED_FIRST)?) + first;
                match self.tagged.get(guess).filter(|(key, _)| *key == (origin, id)) {
                    Some((_, index)) => Some(*index),
                    None => {
                        let place = self.tagged.binary_search_by_key(&(origin, id), |(key, _)| *key).ok()?;
                        Some(self.tagged.get(place)?.1)
                    }
                }
            }
        }
    }

    /// The highest id of a tagged column of the table or of its template, if there is one.
    #[must_use]
    pub fn last_tagged(&self, origin: Origin) -> Option<u16> {
        self.tagged.iter().rev().find(|((owner, _), _)| *owner == origin).map(|((_, id), _)| *id)
    }

    /// The highest fixed id, 0 if there is none.
    #[must_use]
    #[inline]
    pub fn last_fixed(&self) -> u16 {
        u16::try_from(self.fixed.len()).unwrap_or(ColumnKind::FIXED_LAST)
    }

    /// The highest variable id, 127 if there is none.
    #[must_use]
    #[inline]
    pub fn last_variable(&self) -> u16 {
        u16::try_from(self.variable.len()).map_or(ColumnKind::VARIABLE_LAST, |count| VARIABLE_FIRST - 1 + count)
    }

    /// Which fixed columns no record may be without.
    #[inline]
    pub(crate) fn required_fixed(&self) -> RequiredColumns {
        self.required_fixed
    }

    /// Which variable columns no record may be without.
    #[inline]
    pub(crate) fn required_variable(&self) -> RequiredColumns {
        self.required_variable
    }

    /// The tagged columns that no record may be without.
    #[inline]
    pub(crate) fn required_tagged(&self) -> impl Iterator<Item = &Column> {
        self.required_tagged.iter().filter_map(|index| self.columns.get(*index))
    }

    /// The fixed columns of type Bit in the order of their ids: id, and offset in the record.
    #[inline]
    pub(crate) fn bits(&self) -> &[(u16, usize)] {
        &self.bits
    }

    /// Where the fixed data of a record end whose highest fixed column is `last`, in bytes, NULL bit map included;
    /// `None` if nobody can say.
    #[inline]
    pub(crate) fn fixed_end(&self, last: u16) -> Option<usize> {
        let columns = match usize::from(last).checked_sub(1) {
            Some(index) => (*self.fixed.get(index)?)?.1.end(),
            None => RECORD_HEADER_BYTES,
        };
        Some(columns.saturating_add(null_map_bytes(last)))
    }

    /// Most bytes of each variable column, from the first id on.
    pub(crate) fn variable_most(&self) -> &[usize] {
        &self.variable_most
    }
}

/// Index in `columns` of each id from the first of `ids` to the highest one that there is.
fn by_id(columns: &[Column], ids: std::ops::RangeInclusive<u16>) -> Vec<Option<usize>> {
    let mut places = Vec::new();
    for (index, column) in columns.iter().enumerate().filter(|(_, column)| ids.contains(&column.id)) {
        let place = usize::from(column.id - ids.start());
        if places.len() <= place {
            places.resize(place + 1, None);
        }
        places[place].get_or_insert(index);
    }
    places
}

/// Which of the columns at `places` a record may not be without.
fn required(columns: &[Column], places: &[Option<usize>]) -> RequiredColumns {
    let mut required = RequiredColumns::default();
    for (bit, column) in places.iter().enumerate().filter_map(|(bit, index)| Some((bit, &columns[(*index)?]))) {
        if column.is_required() {
            required.all |= 1 << bit;
            required.without_default |= u128::from(!column.has_default()) << bit;
        }
    }
    required
}
