//! One row of MSysObjects or its shadow, and where it lies.
//!
//! A row keeps the bytes of its record; a column that the record has not, or has in no sound form, is `None`. Whether a
//! row makes sense is for `check::catalog` to say.

use crate::format::catalog::{CatalogColumn, RowType, column};
use crate::format::{ColumnKind, Dbtime, Node, Objid, Page, PageSize, Pgno};
use crate::record::{Origin, Record, RecordError, Stored, TableLayout, ValueForm};

use super::bootstrap;

/// Where a row lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RowPlace {
    /// The leaf.
    pub pgno: Pgno,
    /// The line, 1-based.
    pub line: usize,
    /// Offset of the record in the page, in bytes.
    pub record_at: usize,
    /// dbtime of the leaf.
    pub dbtime: Dbtime,
}

/// A row of the catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogRow {
    /// Where it lies.
    pub place: RowPlace,
    /// Its key in the tree.
    pub key: Vec<u8>,
    size: PageSize,
    data: Vec<u8>,
}

impl CatalogRow {
    /// The row that `node` of the leaf `page` holds.
    ///
    /// # Errors
    /// [`RecordError`] if it is no record.
    pub fn read(page: Page<'_>, pgno: Pgno, node: &Node<'_>) -> Result<CatalogRow, RecordError> {
        Record::new(node.data, page.size())?;
        let place = RowPlace { pgno, line: node.line, record_at: page.offset_of(node.data), dbtime: page.dbtime() };
        Ok(CatalogRow { place, key: node.key.to_vec(), size: page.size(), data: node.data.to_vec() })
    }

    #[cfg(test)]
    pub(super) fn made(place: RowPlace, key: Vec<u8>, size: PageSize, data: Vec<u8>) -> CatalogRow {
        CatalogRow { place, key, size, data }
    }

    /// Bytes that the row takes in memory, roughly.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<CatalogRow>() + self.key.len() + self.data.len()
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> Option<Record<'_>> {
        Record::new(&self.data, self.size).ok()
    }

    /// The bytes of the record.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// What the row stores of `column`; `None` if that cannot be read. A long value outside the row counts so too: no
    /// catalog has one.
    #[must_use]
    pub fn stored(&self, column: CatalogColumn) -> Option<Stored<'_>> {
        stored(&self.record()?, bootstrap::layout(), column.id)
    }

    /// The value of `column`; `None` for NULL too.
    #[must_use]
    pub fn bytes(&self, column: CatalogColumn) -> Option<&[u8]> {
        self.stored(column)?.value()
    }

    /// Offset in the page of the value of `column`; of the whole record if it stores none.
    #[must_use]
    pub fn offset_of(&self, column: CatalogColumn) -> usize {
        let value = self.bytes(column).map_or(self.data.as_ptr(), <[u8]>::as_ptr) as usize;
        let in_record = value.checked_sub(self.data.as_ptr() as usize).filter(|at| *at <= self.data.len());
        self.place.record_at + in_record.unwrap_or(0)
    }

    /// The value of a column of up to 8 bytes, as an unsigned number.
    #[must_use]
    pub fn number(&self, column: CatalogColumn) -> Option<u64> {
        let bytes = self.bytes(column)?;
        let mut number = [0; 8];
        number.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u64::from_le_bytes(number))
    }

    /// The value of a column of 4 bytes.
    #[must_use]
    pub fn long(&self, column: CatalogColumn) -> Option<u32> {
        u32::try_from(self.number(column)?).ok()
    }

    /// The value of a column of 2 bytes.
    #[must_use]
    pub fn short(&self, column: CatalogColumn) -> Option<u16> {
        u16::try_from(self.number(column)?).ok()
    }

    /// A text in code page 1252.
    #[must_use]
    pub fn text(&self, column: CatalogColumn) -> Option<String> {
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(self.bytes(column)?);
        Some(text.into_owned())
    }

    /// Table that the row belongs to.
    #[must_use]
    pub fn objid_table(&self) -> Option<Objid> {
        self.long(column::OBJID_TABLE).map(Objid)
    }

    /// What the row describes; `None` also for a number that means nothing.
    #[must_use]
    pub fn row_type(&self) -> Option<RowType> {
        RowType::from_number(self.short(column::TYPE)?.cast_signed())
    }

    /// Its own number: objid or column id.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.long(column::ID)
    }

    /// Root page of the tree that it describes.
    #[must_use]
    pub fn root(&self) -> Option<Pgno> {
        self.long(column::COLTYP_OR_PGNO_FDP).map(Pgno)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.text(column::NAME)
    }
}

/// What `record` stores of the column `id` of a table with `layout`, of several values the first; `None` if that cannot
/// be read or is not in the record as it stands (compressed, separated).
pub(crate) fn stored<'r>(record: &Record<'r>, layout: &TableLayout, id: u16) -> Option<Stored<'r>> {
    match ColumnKind::of(id)? {
        ColumnKind::Fixed => {
            let (_, place) = layout.fixed(id)?;
            record.fixed(id, place.offset, place.len).ok()
        }
        ColumnKind::Variable => record.variable(id).ok(),
        ColumnKind::Tagged => {
            let Some(field) = record.tagged().ok()?.find(id, Origin::Own).ok()? else {
                return Some(Stored::Absent);
            };
            if field.null {
                return Some(Stored::Null);
            }
            let value = field.value(1).ok()??;
            (value.form == ValueForm::Intrinsic).then_some(Stored::Value(value.bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::row;
    use crate::format::catalog::KEY_ID;

    #[test]
    fn a_value_is_found_with_its_offset_and_one_that_is_null_at_the_start_of_the_record() {
        let row = row(&[(column::ID, &[7, 1, 0, 0]), (column::NAME, b"M\xE4rz"), (column::KEY_MOST, &[0xE8, 3])]);
        assert_eq!(
            (row.id(), row.short(column::KEY_MOST), row.name().as_deref()),
            (Some(263), Some(1000), Some("März"))
        );
        assert_eq!((row.long(column::FLAGS), row.stored(column::FLAGS)), (None, Some(Stored::Null)));
        assert_eq!(row.stored(column::LOCALE_NAME), Some(Stored::Absent));
        assert_eq!(row.offset_of(column::ID) - row.place.record_at, 10);
        assert_eq!(row.offset_of(column::FLAGS), row.place.record_at);
    }

    #[test]
    fn a_number_that_means_nothing_is_no_type() {
        for (number, expected) in [(0, None), (3, Some(RowType::Index)), (6, None), (-1, None)] {
            assert_eq!(row(&[(column::TYPE, &i16::to_le_bytes(number))]).row_type(), expected, "{number}");
        }
    }

    #[test]
    fn the_key_of_a_row_is_made_of_its_values() {
        // `ix_desc` of `kitchen-4k` (spec 05 section 1): table 8, type 3, id 16.
        let mut row = row(&[(column::OBJID_TABLE, &[8]), (column::TYPE, &[3]), (column::ID, &[16])]);
        let key = [0x7F, 0x80, 0, 0, 8, 0x7F, 0x80, 3, 0x7F, 0x80, 0, 0, 16];
        assert_eq!(bootstrap::key_of(&row, KEY_ID), Some(key.to_vec()));
        // A fixed column that the record says it has, and has no room for.
        row.data.truncate(12);
        assert_eq!(bootstrap::key_of(&row, KEY_ID), None);
    }
}
