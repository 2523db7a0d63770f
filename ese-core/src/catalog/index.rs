//! An index as the catalog describes it, and how its columns are found in a table (spec 08 section 1, 05 section 5).

use thiserror::Error;

use crate::format::catalog::column;
use crate::format::{
    IndexFlags, KeyField, KeyFieldError, KeyFieldList, Objid, Pgno, SegmentFlags, TupleLimits, TupleLimitsError,
    parse_key_fields,
};
use crate::key::{ColumnRef, Condition, DefinitionError, IndexDefinition, IndexKey, KeyColumn, Segment};
use crate::record::{Origin, TableLayout};

use super::row::{CatalogRow, RowPlace};

/// Why no keys can be made for an index.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum IndexFault {
    /// The row has no segments.
    #[error("KeyFldIDs: expected the segments of the index, found nothing")]
    NoSegments,
    /// The list of segments or conditions is none.
    #[error(transparent)]
    Fields(#[from] KeyFieldError),
    /// The limits of a tuple index are none.
    #[error(transparent)]
    Tuple(#[from] TupleLimitsError),
    /// `VarSegMac` is no number of two bytes.
    #[error("VarSegMac: expected 2 bytes, found {found}")]
    VarSegMac {
        /// Bytes found.
        found: usize,
    },
    /// A segment or a condition names a column that the table has not.
    #[error("segment {position}: expected a column of the table, found column id {column_id}")]
    Column {
        /// Which segment or condition, 0-based.
        position: usize,
        /// The id that it names.
        column_id: u16,
    },
    /// The definition makes no sense as a whole.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

/// An index of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Id of its tree; the table's for the primary index.
    pub objid: Objid,
    /// Root of its tree; the table's for the primary index.
    pub root: Pgno,
    /// Flags, both halves.
    pub flags: IndexFlags,
    /// Segments, first to last.
    pub segments: Result<Vec<KeyField>, IndexFault>,
    /// Conditions; none for most.
    pub conditions: Result<Vec<KeyField>, IndexFault>,
    /// How a tuple index cuts its first segment.
    pub tuple: Result<Option<TupleLimits>, IndexFault>,
    /// Longest key in bytes, if it is not the default.
    pub key_most: Option<u16>,
    /// Longest segment in bytes, if there is a limit.
    pub var_seg_mac: Result<Option<u16>, IndexFault>,
    /// Locale by number, in old files.
    pub lcid: u32,
    /// Locale by name.
    pub locale_name: Option<String>,
    /// Flags of the sort key of Unicode text; `None` is the default.
    pub lc_map_flags: Option<u32>,
    /// Version of the sort tables, as it is stored.
    pub version: Option<Vec<u8>>,
    /// GUID of the sort tables, as it is stored.
    pub sort_id: Option<Vec<u8>>,
    /// Its row in the catalog.
    pub place: RowPlace,
}

impl Index {
    /// The index that `row` describes; `None` if the row does not even say which tree it is.
    pub(super) fn read(row: &CatalogRow) -> Option<Index> {
        let flags = IndexFlags::from_bits_retain(row.long(column::FLAGS).unwrap_or(0));
        let list = |column, list| row.bytes(column).map(|bytes| Ok(parse_key_fields(bytes, flags, list)?));
        let utf16 = |bytes: &[u8]| encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.into_owned();
        Some(Index {
            name: row.name().unwrap_or_default(),
            objid: Objid(row.id()?),
            root: row.root()?,
            flags,
            segments: list(column::KEY_FLD_IDS, KeyFieldList::Segments).unwrap_or(Err(IndexFault::NoSegments)),
            conditions: list(column::CONDITIONAL_COLUMNS, KeyFieldList::Conditions).unwrap_or(Ok(Vec::new())),
            tuple: row.bytes(column::TUPLE_LIMITS).map(TupleLimits::parse).transpose().map_err(IndexFault::Tuple),
            key_most: row.short(column::KEY_MOST),
            var_seg_mac: row.bytes(column::VAR_SEG_MAC).map(var_seg_mac).transpose(),
            lcid: row.long(column::PAGES_OR_LOCALE).unwrap_or(0),
            locale_name: row.bytes(column::LOCALE_NAME).map(utf16),
            lc_map_flags: row.long(column::LC_MAP_FLAGS),
            version: row.bytes(column::VERSION).map(<[u8]>::to_vec),
            sort_id: row.bytes(column::SORT_ID).map(<[u8]>::to_vec),
            place: row.place,
        })
    }

    /// True for the index that is the table itself.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.flags.contains(IndexFlags::PRIMARY)
    }

    /// Takes over what a derived index has from the template's index of the same name; its tree is its own.
    pub(super) fn derive_from(&mut self, template: &Index) {
        let own = (self.objid, self.root, self.flags, self.place);
        *self = template.clone();
        (self.objid, self.root, self.flags, self.place) = own;
    }

    /// How keys are made; columns are places in [`TableLayout::columns`] of `layout`.
    ///
    /// # Errors
    /// [`IndexFault`] if the catalog's description allows no keys.
    pub fn key(&self, layout: &TableLayout) -> Result<IndexKey, IndexFault> {
        let fields = self.segments.as_ref().map_err(Clone::clone)?;
        let mut segments = Vec::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            let (column, found) = find(layout, *field).ok_or_else(|| missing(position, *field))?;
            let key_column =
                KeyColumn { column, column_type: found.column_type, code_page: found.code_page, flags: found.flags };
            segments.push(Segment::new(*field, key_column, self.flags)?);
        }
        let fields = self.conditions.as_ref().map_err(Clone::clone)?;
        let mut conditions = Vec::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            let (column, _) = find(layout, *field).ok_or_else(|| missing(position, *field))?;
            conditions.push(Condition::new(*field, column));
        }
        Ok(IndexKey::new(IndexDefinition {
            flags: self.flags,
            key_most: self.key_most,
            var_seg_mac: self.var_seg_mac.clone()?,
            segments,
            conditions,
            tuple: self.tuple.clone()?,
        })?)
    }

    /// The columns of the segments, as places in [`TableLayout::columns`], with their flags; a column that the table has
    /// not is `None`.
    pub fn columns(&self, layout: &TableLayout) -> impl Iterator<Item = (Option<usize>, SegmentFlags)> {
        let fields = self.segments.as_deref().unwrap_or_default();
        fields.iter().map(|field| (find(layout, *field).map(|(column, _)| column.0), field.flags))
    }
}

pub(crate) fn var_seg_mac(bytes: &[u8]) -> Result<u16, IndexFault> {
    let bytes = bytes.try_into().map_err(|_| IndexFault::VarSegMac { found: bytes.len() })?;
    Ok(u16::from_le_bytes(bytes))
}

fn missing(position: usize, field: KeyField) -> IndexFault {
    IndexFault::Column { position, column_id: field.column_id }
}

/// The column that `field` names: the template's where it says so, or where both have one and it cannot say.
pub(crate) fn find(layout: &TableLayout, field: KeyField) -> Option<(ColumnRef, &crate::record::Column)> {
    let origins = [Origin::Template, Origin::Own];
    let place = if field.flags.contains(SegmentFlags::TEMPLATE) {
        origins.iter().find_map(|origin| layout.place_of(field.column_id, *origin))
    } else {
        origins.iter().rev().find_map(|origin| layout.place_of(field.column_id, *origin))
    }?;
    Some((ColumnRef(place), layout.columns().get(place)?))
}
