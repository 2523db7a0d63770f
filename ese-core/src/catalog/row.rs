//! One row of MSysObjects or its shadow, and where it lies.
//!
//! A row keeps the bytes of its record; a column that the record has not, or has in no sound form, is `None`. Whether a
//! row makes sense is for `check::catalog` to say.

use crate::format::catalog::{CatalogColumn, RowType, column};
use crate::format::{ColumnKind, Dbtime, Node, Objid, Page, PageSize, Pgno};
use crate::record::{Origin, Record, RecordError, Stored, ValueForm};

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

    /// What the row stores of `column`; `None` if that cannot be read. A long value outside the row counts so too: no
    /// catalog has one.
    #[must_use]
    pub fn stored(&self, column: CatalogColumn) -> Option<Stored<'_>> {
        let record = self.record()?;
        match ColumnKind::of(column.id)? {
            ColumnKind::Fixed => {
                let (_, place) = bootstrap::layout().fixed(column.id)?;
                record.fixed(column.id, place.offset, place.len).ok()
            }
            ColumnKind::Variable => record.variable(column.id).ok(),
            ColumnKind::Tagged => {
                let Some(field) = record.tagged().ok()?.find(column.id, Origin::Own).ok()? else {
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

    /// The value of `column`; `None` for NULL too.
    #[must_use]
    pub fn bytes(&self, column: CatalogColumn) -> Option<&[u8]> {
        match self.stored(column)? {
            Stored::Value(bytes) => Some(bytes),
            Stored::Absent | Stored::Null => None,
        }
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
