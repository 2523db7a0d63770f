//! Tables, columns and indexes, put together from the rows of the catalog (spec 05 sections 4 to 7).
//!
//! Lenient: a table is made of the rows that can be read, and what a row says is taken as it stands. Rows that contradict
//! each other are for `check::catalog` to report.

use std::collections::{BTreeMap, HashMap};

use crate::format::catalog::{RowType, SYSTEM_PREFIX, TableFlags, column};
use crate::format::{ColumnFlags, ColumnType, Objid, Pgno};
use crate::record::{Column, Origin, TableLayout};

use super::index::Index;
use super::row::{CatalogRow, RowPlace};

/// Most columns and indexes that all derived tables together get from their templates. A few rows of a hostile file
/// could ask for billions.
const INHERITED_MOST: usize = 1 << 20;

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
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut inherited = 0;
        for (objid, parts) in by_table {
            let template = parts.template().and_then(|name| by_name.get(&name.to_ascii_uppercase()));
            let template = template.and_then(|place| schema.tables.get(*place)).filter(|template| {
                inherited += template.layout.columns().len() + template.indexes.len();
                inherited <= INHERITED_MOST
            });
            let Some(table) = parts.table(objid, template) else { continue };
            by_name.entry(table.name.to_ascii_uppercase()).or_insert(schema.tables.len());
            schema.tables.push(table);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::{of_table, with};
    use crate::format::catalog::RowType::{Column as ColumnRow, Index as IndexRow, LongValue, Table as TableRow};
    use crate::format::{IndexFlags, SegmentFlags};

    const LONG: u32 = 4;
    const TEXT: u32 = 10;
    const UNIQUE_PRIMARY: u32 = 0x1_0021;

    fn index(table: u32, id: u32, root: u32, flags: u32, name: &str, segment: [u8; 4]) -> CatalogRow {
        with(table, IndexRow, id, root, flags, name, &[(column::KEY_FLD_IDS, &segment)])
    }

    fn template(flags: u32) -> Vec<CatalogRow> {
        vec![
            of_table(20, TableRow, 20, 50, flags, "Template"),
            of_table(20, ColumnRow, 1, LONG, 0, "a"),
            of_table(20, ColumnRow, 128, TEXT, 0, "t"),
            index(20, 21, 60, 0x1_0100, "ix", [0, 0, 128, 0]),
        ]
    }

    fn derived() -> Vec<CatalogRow> {
        vec![
            with(30, TableRow, 30, 70, 0x1000_0000, "Derived", &[(column::TEMPLATE_TABLE, b"TEMPLATE")]),
            of_table(30, ColumnRow, 2, LONG, 0, "own"),
            index(30, 31, 80, 0x1_0200, "ix", [0x80, 0, 128, 0]),
        ]
    }

    #[test]
    fn a_table_is_made_of_its_rows_in_any_order() {
        let rows = [
            of_table(8, LongValue, 12, 44, 0, "LV"),
            index(8, 10, 36, 0x1_000E, "second", [0x40, 0, 1, 0]),
            index(8, 8, 31, UNIQUE_PRIMARY, "first", [0, 0, 1, 0]),
            of_table(8, ColumnRow, 1, LONG, 1, "id"),
            of_table(8, TableRow, 8, 31, 0, "T"),
        ];
        let schema = Schema::from_rows(&rows);
        let table = schema.table("t").unwrap();
        assert_eq!((table.objid, table.root), (Objid(8), Pgno(31)));
        assert_eq!(table.primary_index().unwrap().name, "first");
        let second = table.secondary_indexes().next().unwrap();
        assert_eq!(second.columns(&table.layout).collect::<Vec<_>>(), [(Some(0), SegmentFlags::DESCENDING)]);
        assert_eq!(table.long_values.unwrap().root, Pgno(44));
        assert!(!table.is_system());
    }

    #[test]
    fn a_table_whose_row_is_lost_is_found_by_its_primary_index_and_without_one_it_is_lost() {
        let column = of_table(8, ColumnRow, 1, LONG, 0, "id");
        let primary = index(8, 8, 31, UNIQUE_PRIMARY, "first", [0, 0, 1, 0]);
        let schema = Schema::from_rows(&[column.clone(), primary]);
        let table = schema.table_by_objid(Objid(8)).unwrap();
        assert_eq!((table.name.as_str(), table.root), ("table 8", Pgno(31)));
        assert_eq!(table.layout.columns().len(), 1);
        assert!(Schema::from_rows(&[column]).tables.is_empty());
    }

    #[test]
    fn a_derived_table_has_the_templates_columns_and_index_definitions_but_its_own_trees() {
        let rows: Vec<CatalogRow> = derived().into_iter().chain(template(0x6000_0000)).collect();
        let schema = Schema::from_rows(&rows);
        let table = schema.table("Derived").unwrap();
        let columns: Vec<(u16, Origin)> =
            table.layout.columns().iter().map(|column| (column.id, column.origin)).collect();
        assert_eq!(columns, [(1, Origin::Template), (128, Origin::Template), (2, Origin::Own)]);
        assert_eq!(table.layout.fixed(2).unwrap().1.offset, 8);
        let index = &table.indexes[0];
        assert_eq!((index.objid, index.root), (Objid(31), Pgno(80)));
        assert_eq!(index.flags, IndexFlags::EXTENDED | IndexFlags::DERIVED);
        assert!(index.key(&table.layout).is_ok());
    }

    #[test]
    fn a_table_whose_template_is_lost_keeps_what_is_its_own() {
        let schema = Schema::from_rows(&derived());
        let table = schema.table("Derived").unwrap();
        assert_eq!(table.template.as_deref(), Some("TEMPLATE"));
        assert_eq!(table.layout.columns().len(), 1);
        assert_eq!(table.indexes[0].columns(&table.layout).next(), Some((None, SegmentFlags::TEMPLATE)));
        assert!(table.indexes[0].key(&table.layout).is_err());
    }

    #[test]
    fn of_rows_that_say_the_same_the_first_counts_and_rows_that_say_nothing_are_passed_over() {
        let rows = [
            of_table(8, TableRow, 8, 31, 0, "T"),
            of_table(8, TableRow, 9, 32, 0, "U"),
            of_table(8, ColumnRow, 1, LONG, 0, "first"),
            of_table(8, ColumnRow, 1, TEXT, 0, "second"),
            of_table(8, ColumnRow, 2, 99, 0, "of no type"),
            of_table(8, ColumnRow, 0, LONG, 0, "without an id"),
            of_table(8, ColumnRow, 70_000, LONG, 0, "beyond all ids"),
            of_table(8, LongValue, 12, 44, 0, "LV"),
            of_table(8, LongValue, 13, 45, 0, "LV"),
        ];
        let schema = Schema::from_rows(&rows);
        let [table] = &schema.tables[..] else { panic!("{:?}", schema.tables) };
        assert_eq!((table.name.as_str(), table.root), ("T", Pgno(31)));
        assert_eq!(table.layout.fixed(1).unwrap().0.name, "first");
        assert_eq!(table.layout.columns().len(), 2);
        assert_eq!(table.long_values.unwrap().objid, Objid(12));
    }
}
