//! The catalog: where it lies, the schema with which it is read, and the numbers in its rows (spec 05 sections 1 to 4).
//!
//! The two catalog tables are read with the schema that stands here, always: their own rows about themselves are only
//! compared with it.

use bitflags::bitflags;

use super::column::ColumnType;
use super::geometry::{Objid, Pgno};

/// A tree whose place never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedTree {
    /// Its id.
    pub objid: Objid,
    /// Its root.
    pub root: Pgno,
    /// Its name: that of a table, or of an index.
    pub name: &'static str,
}

/// The tree of the database itself: it holds nothing and owns all space.
pub const DATABASE_TREE: FixedTree = FixedTree { objid: Objid(1), root: Pgno(1), name: "database" };
/// The catalog.
pub const MSYS_OBJECTS: FixedTree = FixedTree { objid: Objid(2), root: Pgno(4), name: "MSysObjects" };
/// Its second copy.
pub const MSYS_OBJECTS_SHADOW: FixedTree = FixedTree { objid: Objid(3), root: Pgno(24), name: "MSysObjectsShadow" };
/// Index of the catalog over table, type and name.
pub const MSYS_OBJECTS_NAME: FixedTree = FixedTree { objid: Objid(4), root: Pgno(7), name: "Name" };
/// Index of the catalog over the names of tables.
pub const MSYS_OBJECTS_ROOTS: FixedTree = FixedTree { objid: Objid(5), root: Pgno(10), name: "RootObjects" };
/// Name of the table with a row for each tree.
pub const MSYS_OBJIDS: &str = "MSysObjids";
/// Name of the table of locales and sort versions in use.
pub const MSYS_LOCALES: &str = "MSysLocales";
/// What the names of system tables begin with.
pub const SYSTEM_PREFIX: &str = "MSys";

/// Beginning of the names of deleted columns; the ids of table and column follow, with an underscore between.
pub const DELETED_COLUMN_PREFIX: &str = "JetStub_";
/// Objid of the first row that a database can have.
pub const OBJID_LEAST: Objid = MSYS_OBJECTS.objid;

/// Ids of the columns of [`MSYS_OBJIDS`] (spec 05 section 3).
pub mod objids {
    /// Id of a tree: of a table, a secondary index or long values.
    pub const OBJID: u16 = 256;
    /// The table that it belongs to.
    pub const OBJID_TABLE: u16 = 257;
    /// What it is, as [`column::TYPE`](super::column::TYPE).
    pub const TYPE: u16 = 258;
}

/// Columns of [`MSYS_LOCALES`], and what stands in those that count indexes (spec 05 section 3).
pub mod locales {
    /// Id of the column with the kind of a row.
    pub const TYPE: u16 = 1;
    /// Id of the column with the number of indexes.
    pub const COUNT: u16 = 2;
    /// Id of the column with the text that names the row: UTF-16 with a 0 behind it.
    pub const KEY: u16 = 128;
    /// The kind of rows that count the indexes of a locale.
    pub const KIND_LOCALE: u8 = 2;

    /// The text that names the row of a locale: its name, the GUID of its sort tables and their version, as the
    /// columns of an index row store them.
    #[must_use]
    pub fn key(locale: &str, sort_id: [u8; 16], version: u64) -> String {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, e @ ..] = sort_id;
        let (a, b, c) =
            (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1]));
        let e = e.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        format!("LocaleName={locale},SortID={a:08x}-{b:04x}-{c:04x}-{d0:02x}{d1:02x}-{e:012x},Ver={version:x}")
    }
}

/// What a row of the catalog describes: the column `Type`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowType {
    /// 1: a table.
    Table,
    /// 2: a column.
    Column,
    /// 3: an index.
    Index,
    /// 4: the long value tree of a table.
    LongValue,
    /// 5: a callback of a table.
    Callback,
}

impl RowType {
    /// The type with this number; 6 and 7, of obsolete streaming files, are none.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<RowType> {
        match number {
            1 => Some(Self::Table),
            2 => Some(Self::Column),
            3 => Some(Self::Index),
            4 => Some(Self::LongValue),
            5 => Some(Self::Callback),
            _ => None,
        }
    }

    /// A word for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::Index => "index",
            Self::LongValue => "long value tree",
            Self::Callback => "callback",
        }
    }
}

bitflags! {
    /// Flags of a table row (spec 05 section 4). Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct TableFlags: u32 {
        /// Derived tables have no fixed or variable columns of their own.
        const NO_FIXED_IN_DERIVED = 0x0400_0000;
        /// System table whose schema may change.
        const DYNAMIC_SYSTEM = 0x0800_0000;
        /// Has the columns and indexes of a template.
        const DERIVED = 0x1000_0000;
        /// Other tables can be derived from it.
        const TEMPLATE = 0x2000_0000;
        /// Its columns and indexes never change.
        const FIXED_SCHEMA = 0x4000_0000;
        /// Belongs to the engine.
        const SYSTEM = 0x8000_0000;

        const _ = !0;
    }
}

/// A column of the catalog tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CatalogColumn {
    /// Its id.
    pub id: u16,
    /// Its name.
    pub name: &'static str,
    /// Type of its values.
    pub column_type: ColumnType,
    /// No row is without it.
    pub required: bool,
}

const fn required(id: u16, name: &'static str, column_type: ColumnType) -> CatalogColumn {
    CatalogColumn { id, name, column_type, required: true }
}

const fn optional(id: u16, name: &'static str, column_type: ColumnType) -> CatalogColumn {
    CatalogColumn { id, name, column_type, required: false }
}

/// The columns of both catalog tables, by their names.
pub mod column {
    use super::{CatalogColumn, ColumnType, optional, required};

    /// Table that the row belongs to.
    pub const OBJID_TABLE: CatalogColumn = required(1, "ObjidTable", ColumnType::Long);
    /// What the row describes.
    pub const TYPE: CatalogColumn = required(2, "Type", ColumnType::Short);
    /// Objid of the tree, or id of the column.
    pub const ID: CatalogColumn = required(3, "Id", ColumnType::Long);
    /// Type of the column, or root page of the tree.
    pub const COLTYP_OR_PGNO_FDP: CatalogColumn = required(4, "ColtypOrPgnoFDP", ColumnType::Long);
    /// Maximum length of the column, or density of the tree.
    pub const SPACE_USAGE: CatalogColumn = required(5, "SpaceUsage", ColumnType::Long);
    /// Flags.
    pub const FLAGS: CatalogColumn = required(6, "Flags", ColumnType::Long);
    /// Code page, locale or initial pages.
    pub const PAGES_OR_LOCALE: CatalogColumn = required(7, "PagesOrLocale", ColumnType::Long);
    /// Set on table rows.
    pub const ROOT_FLAG: CatalogColumn = optional(8, "RootFlag", ColumnType::Bit);
    /// Offset of a fixed column.
    pub const RECORD_OFFSET: CatalogColumn = optional(9, "RecordOffset", ColumnType::Short);
    /// Flags of the sort key.
    pub const LC_MAP_FLAGS: CatalogColumn = optional(10, "LCMapFlags", ColumnType::Long);
    /// Longest key.
    pub const KEY_MOST: CatalogColumn = optional(11, "KeyMost", ColumnType::UnsignedShort);
    /// Chunk size of long values.
    pub const LV_CHUNK_MAX: CatalogColumn = optional(12, "LVChunkMax", ColumnType::Long);
    /// When the tree was made: a FILETIME.
    pub const PGNO_FDP_LAST_SET_TIME: CatalogColumn = optional(13, "PgnoFDPLastSetTime", ColumnType::DateTime);
    /// Name.
    pub const NAME: CatalogColumn = required(128, "Name", ColumnType::Text);
    /// Statistics.
    pub const STATS: CatalogColumn = optional(129, "Stats", ColumnType::Binary);
    /// Name of the template table, or callback.
    pub const TEMPLATE_TABLE: CatalogColumn = optional(130, "TemplateTable", ColumnType::Text);
    /// Default of a column.
    pub const DEFAULT_VALUE: CatalogColumn = optional(131, "DefaultValue", ColumnType::Binary);
    /// Segments of an index.
    pub const KEY_FLD_IDS: CatalogColumn = optional(132, "KeyFldIDs", ColumnType::Binary);
    /// Longest segment.
    pub const VAR_SEG_MAC: CatalogColumn = optional(133, "VarSegMac", ColumnType::Binary);
    /// Conditions of an index.
    pub const CONDITIONAL_COLUMNS: CatalogColumn = optional(134, "ConditionalColumns", ColumnType::Binary);
    /// How a tuple index cuts its text.
    pub const TUPLE_LIMITS: CatalogColumn = optional(135, "TupleLimits", ColumnType::Binary);
    /// Version of the sort tables.
    pub const VERSION: CatalogColumn = optional(136, "Version", ColumnType::Binary);
    /// GUID of the sort tables.
    pub const SORT_ID: CatalogColumn = optional(137, "SortID", ColumnType::Binary);
    /// Data of a callback.
    pub const CALLBACK_DATA: CatalogColumn = optional(256, "CallbackData", ColumnType::LongBinary);
    /// Columns that a callback asks for.
    pub const CALLBACK_DEPENDENCIES: CatalogColumn = optional(257, "CallbackDependencies", ColumnType::LongBinary);
    /// Size from which values are separated.
    pub const SEPARATE_LV: CatalogColumn = optional(258, "SeparateLV", ColumnType::LongBinary);
    /// How the tree is to grow.
    pub const SPACE_HINTS: CatalogColumn = optional(259, "SpaceHints", ColumnType::LongBinary);
    /// How the long value tree to come is to grow.
    pub const SPACE_DEFERRED_LV_HINTS: CatalogColumn = optional(260, "SpaceDeferredLVHints", ColumnType::LongBinary);
    /// Locale of an index.
    pub const LOCALE_NAME: CatalogColumn = optional(261, "LocaleName", ColumnType::LongBinary);
}

/// All columns of the catalog tables, by id.
pub const CATALOG_COLUMNS: [CatalogColumn; 29] = [
    column::OBJID_TABLE,
    column::TYPE,
    column::ID,
    column::COLTYP_OR_PGNO_FDP,
    column::SPACE_USAGE,
    column::FLAGS,
    column::PAGES_OR_LOCALE,
    column::ROOT_FLAG,
    column::RECORD_OFFSET,
    column::LC_MAP_FLAGS,
    column::KEY_MOST,
    column::LV_CHUNK_MAX,
    column::PGNO_FDP_LAST_SET_TIME,
    column::NAME,
    column::STATS,
    column::TEMPLATE_TABLE,
    column::DEFAULT_VALUE,
    column::KEY_FLD_IDS,
    column::VAR_SEG_MAC,
    column::CONDITIONAL_COLUMNS,
    column::TUPLE_LIMITS,
    column::VERSION,
    column::SORT_ID,
    column::CALLBACK_DATA,
    column::CALLBACK_DEPENDENCIES,
    column::SEPARATE_LV,
    column::SPACE_HINTS,
    column::SPACE_DEFERRED_LV_HINTS,
    column::LOCALE_NAME,
];

/// A segment of a primary or secondary index of the catalog: ascending columns.
pub type CatalogKey = [CatalogColumn];

/// Segments of the primary index `Id` of both catalog tables.
pub const KEY_ID: &CatalogKey = &[column::OBJID_TABLE, column::TYPE, column::ID];
/// Segments of [`MSYS_OBJECTS_NAME`], which is unique.
pub const KEY_NAME: &CatalogKey = &[column::OBJID_TABLE, column::TYPE, column::NAME];
/// Segments of [`MSYS_OBJECTS_ROOTS`], which is unique; rows without `RootFlag` are not in it.
pub const KEY_ROOTS: &CatalogKey = &[column::ROOT_FLAG, column::NAME];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_named_as_the_engine_names_it() {
        // Index `ix_utxt` of `kitchen-4k`.
        let sort_id = [1, 0, 0, 0, 0xEE, 0x57, 0x5C, 0x1E, 0, 0xB4, 0xD0, 0, 0x0B, 0xB1, 0xE1, 0x1E];
        let key = locales::key("en-US", sort_id, 0x0006_0305_0006_0305);
        assert_eq!(key, "LocaleName=en-US,SortID=00000001-57ee-1e5c-00b4-d0000bb1e11e,Ver=6030500060305");
    }

    #[test]
    fn columns_are_listed_by_id_and_the_fixed_ones_lie_where_the_spec_says() {
        assert!(CATALOG_COLUMNS.is_sorted_by(|a, b| a.id < b.id));
        let fixed = CATALOG_COLUMNS.iter().take_while(|column| column.id < 128);
        let places: Vec<usize> = fixed
            .scan(4, |at, column| {
                let place = *at;
                *at += column.column_type.fixed_size()?;
                Some(place)
            })
            .collect();
        assert_eq!(places, [4, 8, 10, 14, 18, 22, 26, 30, 31, 33, 37, 39, 43]);
    }
}
