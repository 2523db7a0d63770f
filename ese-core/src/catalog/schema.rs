//! Tables, columns and indexes, put together from the rows of the catalog (spec 05 sections 4 to 7).
//!
//! Lenient: a table is made of the rows that can be read, and what a row says is taken as it stands. Rows that contradict
//! each other are for `check::catalog` to report.

use std::collections::BTreeMap;

use crate::format::catalog::{RowType, SYSTEM_PREFIX, TableFlags, column};
use crate::format::{ColumnFlags, ColumnType, Objid, Pgno};
use crate::record::{Column, Origin, TableLayout};

use super::index::Index;
use super::row::{CatalogRow, RowPlace};

/// The long value tree of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongValueTree {
    /// Its id.
    pub objid: Objid,
    /// Its root.
    pub root: Pgno,
    /// Its row in the catalog.
    pub place: RowPlace,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Id of its tree.
    pub objid: Objid,
    /// Its name.
    pub name: String,
    /// Root of its tree.
    pub root: Pgno,
    /// Its flags.
    pub flags: TableFlags,
    /// Name of the table that it is derived from.
    pub template: Option<String>,
    /// Its columns, those of its template first.
    pub layout: TableLayout,
    /// Its indexes, in the order of their objids: the primary one, if there is one, and the others.
    pub indexes: Vec<Index>,
    /// Where its separated values lie, if there ever was one.
    pub long_values: Option<LongValueTree>,
    /// Chunk size of long values in bytes, if it is not the default.
    pub lv_chunk_max: Option<u32>,
    /// Its row in the catalog; that of its primary index if its own is lost.
    pub place: RowPlace,
}

impl Table {
    /// The index that is the table itself; `None` for a table whose keys are numbers.
    #[must_use]
    pub fn primary_index(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.is_primary())
    }

    /// The other indexes.
    pub fn secondary_indexes(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().filter(|index| !index.is_primary())
    }

    /// True for tables of the engine, by their flag or their name.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.flags.contains(TableFlags::SYSTEM) || self.name.starts_with(SYSTEM_PREFIX)
    }
}

/// All tables of a database.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// In the order of their objids.
    pub tables: Vec<Table>,
}

impl Schema {
    /// The table with this name; upper and lower case are the same.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The table with this id.
    #[must_use]
    pub fn table_by_objid(&self, objid: Objid) -> Option<&Table> {
        self.tables.iter().find(|table| table.objid == objid)
    }

    /// The tables that `rows` describe, which come in any order.
    #[must_use]
    pub fn from_rows(rows: &[CatalogRow]) -> Schema {
        let mut by_table: BTreeMap<Objid, Parts<'_>> = BTreeMap::new();
        for row in rows {
            let Some(objid) = row.objid_table() else { continue };
            by_table.entry(objid).or_default().add(row);
        }
        let mut schema = Schema::default();
        for (objid, parts) in by_table {
            let template = parts.template().and_then(|name| schema.table(&name).cloned());
            schema.tables.extend(parts.table(objid, template.as_ref()));
        }
        schema
    }
}

/// The rows of one table by what they describe.
#[derive(Default)]
struct Parts<'r> {
    table: Option<&'r CatalogRow>,
    columns: Vec<&'r CatalogRow>,
    indexes: Vec<&'r CatalogRow>,
    long_values: Option<&'r CatalogRow>,
}

impl<'r> Parts<'r> {
    fn add(&mut self, row: &'r CatalogRow) {
        match row.row_type() {
            Some(RowType::Table) => {
                self.table.get_or_insert(row);
            }
            Some(RowType::Column) => self.columns.push(row),
            Some(RowType::Index) => self.indexes.push(row),
            Some(RowType::LongValue) => {
                self.long_values.get_or_insert(row);
            }
            Some(RowType::Callback) | None => {}
        }
    }

    fn template(&self) -> Option<String> {
        self.table?.text(column::TEMPLATE_TABLE)
    }

    fn table(self, objid: Objid, template: Option<&Table>) -> Option<Table> {
        let mut indexes: Vec<Index> = self.indexes.iter().filter_map(|row| Index::read(row)).collect();
        indexes.sort_by_key(|index| index.objid);
        for index in &mut indexes {
            let of_template = template.and_then(|table| table.indexes.iter().find(|its| its.name == index.name));
            if let Some(of_template) = of_template {
                index.derive_from(of_template);
            }
        }
        // Without the row of the table, that of its primary index says where it is.
        let primary = indexes.iter().find(|index| index.is_primary() && index.objid == objid);
        let root = self.table.and_then(CatalogRow::root).or(primary.map(|index| index.root))?;
        let place = self.table.map(|row| row.place).or(primary.map(|index| index.place))?;
        let inherited = template.iter().flat_map(|table| table.layout.columns());
        let inherited = inherited.map(|column| Column { origin: Origin::Template, ..column.clone() });
        let own = self.columns.iter().filter_map(|row| read_column(row));
        let row = self.table;
        Some(Table {
            objid,
            name: row.and_then(CatalogRow::name).unwrap_or_else(|| format!("table {objid}")),
            root,
            flags: TableFlags::from_bits_retain(row.and_then(|row| row.long(column::FLAGS)).unwrap_or(0)),
            template: row.and_then(|row| row.text(column::TEMPLATE_TABLE)),
            layout: TableLayout::new(inherited.chain(own).collect()),
            indexes,
            long_values: self
                .long_values
                .and_then(|row| Some(LongValueTree { objid: Objid(row.id()?), root: row.root()?, place: row.place })),
            lv_chunk_max: row.and_then(|row| row.long(column::LV_CHUNK_MAX)),
            place,
        })
    }
}

/// The column that `row` describes; `None` if its id or type is none.
fn read_column(row: &CatalogRow) -> Option<Column> {
    let flags = row.long(column::FLAGS)? & u32::from(u16::MAX);
    Some(Column {
        id: u16::try_from(row.id()?).ok().filter(|id| *id > 0)?,
        origin: Origin::Own,
        column_type: ColumnType::try_from(row.long(column::COLTYP_OR_PGNO_FDP)?).ok()?,
        max_len: row.long(column::SPACE_USAGE)?,
        flags: ColumnFlags::from_bits_retain(u16::try_from(flags).ok()?),
        code_page: row.long(column::PAGES_OR_LOCALE)?,
        offset: row.short(column::RECORD_OFFSET),
        name: row.name().unwrap_or_default(),
        default: row.bytes(column::DEFAULT_VALUE).map(<[u8]>::to_vec),
    })
}
