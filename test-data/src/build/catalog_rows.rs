//! Rows of the catalog, as the engine writes them.
//!
//! Every row is made once and goes to both catalogs and to the indexes of the first. Spec 05; where it is silent, the
//! rows of `empty-4k.edb`.

use ese_core::format::PageSize;

use super::key_builder::append_segment;
use super::record_builder::{Parts, Tagged};
use super::spec::{Column, Index, Origin, Segment, TableSpec, Type, utf16};

/// Sizes of the catalog's fixed columns 1, 2 ...
const FIXED: [usize; 13] = [4, 2, 4, 4, 4, 4, 4, 1, 2, 4, 2, 4, 8];
/// The catalog's own columns: id, name, type, NOT NULL.
const COLUMNS: [(u16, &str, Type, u32); 29] = [
    (1, "ObjidTable", Type::Long, 1),
    (2, "Type", Type::Short, 1),
    (3, "Id", Type::Long, 1),
    (4, "ColtypOrPgnoFDP", Type::Long, 1),
    (5, "SpaceUsage", Type::Long, 1),
    (6, "Flags", Type::Long, 1),
    (7, "PagesOrLocale", Type::Long, 1),
    (8, "RootFlag", Type::Bit, 0),
    (9, "RecordOffset", Type::Short, 0),
    (10, "LCMapFlags", Type::Long, 0),
    (11, "KeyMost", Type::UnsignedShort, 0),
    (12, "LVChunkMax", Type::Long, 0),
    (13, "PgnoFDPLastSetTime", Type::DateTime, 0),
    (128, "Name", Type::Text(1252), 1),
    (129, "Stats", Type::Binary, 0),
    (130, "TemplateTable", Type::Text(1252), 0),
    (131, "DefaultValue", Type::Binary, 0),
    (132, "KeyFldIDs", Type::Binary, 0),
    (133, "VarSegMac", Type::Binary, 0),
    (134, "ConditionalColumns", Type::Binary, 0),
    (135, "TupleLimits", Type::Binary, 0),
    (136, "Version", Type::Binary, 0),
    (137, "SortID", Type::Binary, 0),
    (256, "CallbackData", Type::LongBinary, 0),
    (257, "CallbackDependencies", Type::LongBinary, 0),
    (258, "SeparateLV", Type::LongBinary, 0),
    (259, "SpaceHints", Type::LongBinary, 0),
    (260, "SpaceDeferredLVHints", Type::LongBinary, 0),
    (261, "LocaleName", Type::LongBinary, 0),
];
/// Flags of both catalogs' tables: system, fixed schema.
const CATALOG_FLAGS: u32 = 0xC000_0000;
const LCMAP_FLAGS: u32 = 0x0003_0401;
/// `KeyFldIDs` hold 4 bytes a segment.
const EXTENDED_SEGMENTS: u32 = 0x0001_0000;

/// What a catalog row describes: its column `Type`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RowKind {
    /// The table itself.
    Table = 1,
    /// A column.
    Column = 2,
    /// An index.
    Index = 3,
    /// The long value tree.
    LongValue = 4,
}

/// A row of the catalog under edit: values by column id, in storage form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogRow {
    parts: Parts,
}

impl CatalogRow {
    fn new(objid_table: u32, kind: RowKind, id: u32, name: &str) -> CatalogRow {
        let mut row = CatalogRow { parts: Parts::default() };
        row.set_u32(1, objid_table);
        row.set(2, Some((kind as u16).to_le_bytes().to_vec()));
        row.set_u32(3, id);
        row.set_u32(6, 0);
        row.set_u32(7, 0);
        row.set(128, Some(name.as_bytes().to_vec()));
        row
    }

    /// The value of column `id` (spec 05 section 2).
    #[must_use]
    pub fn get(&self, id: u16) -> Option<&[u8]> {
        let place = usize::from(id);
        match id {
            1..=127 => self.parts.fixed.get(place - 1)?.1.as_deref(),
            128..=255 => self.parts.variable.get(place - 128)?.as_deref(),
            _ => self.parts.tagged.iter().find(|field| field.id == id).map(|field| &field.data[..]),
        }
    }

    /// Sets column `id`, or makes it NULL; the record ends behind the last fixed and the last variable value.
    pub fn set(&mut self, id: u16, value: Option<Vec<u8>>) {
        let place = usize::from(id);
        match id {
            1..=127 => {
                let fixed = &mut self.parts.fixed;
                for len in &FIXED[fixed.len().min(place)..place] {
                    fixed.push((*len, None));
                }
                fixed[place - 1].1 = value;
                fixed.truncate(fixed.iter().rposition(|(_, value)| value.is_some()).map_or(0, |last| last + 1));
            }
            128..=255 => {
                let variable = &mut self.parts.variable;
                variable.resize(variable.len().max(place - 127), None);
                variable[place - 128] = value;
                variable.truncate(variable.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
            }
            _ => {
                self.parts.tagged.retain(|field| field.id != id);
                self.parts.tagged.extend(value.map(|data| Tagged { id, origin: Origin::Own, extended: 1, data }));
                self.parts.tagged.sort_by_key(|field| field.id);
            }
        }
    }

    /// Sets a column of four bytes.
    pub fn set_u32(&mut self, id: u16, value: u32) {
        self.set(id, Some(value.to_le_bytes().to_vec()));
    }

    pub(crate) fn decode(record: &[u8], size: PageSize) -> CatalogRow {
        CatalogRow { parts: Parts::decode(record, &FIXED, size) }
    }

    pub(crate) fn encode(&self, size: PageSize) -> Vec<u8> {
        self.parts.encode(size)
    }

    /// The key of the row in the index over `columns`; `None` if `RootFlag` is asked for and NULL.
    pub(crate) fn key(&self, columns: &[u16]) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        for id in columns {
            let (_, _, ty, _) = COLUMNS.iter().find(|(column, ..)| column == id).expect("a column of the catalog");
            let value = self.get(*id);
            if *id == 8 && value.is_none() {
                return None;
            }
            append_segment(&mut key, *ty, *id < 128, false, value);
        }
        Some(key)
    }
}

/// A tree of a table: object id and root page.
pub(crate) type Place = (u32, u32);

/// A table whose trees are written.
#[derive(Debug)]
pub(crate) struct TableEntry {
    pub(crate) spec: TableSpec,
    pub(crate) table: Place,
    pub(crate) indexes: Vec<Place>,
    pub(crate) long_values: Option<Place>,
    pub(crate) initial_pages: u32,
}

/// The two catalogs themselves.
pub(crate) fn catalogs(shadow_pages: u32) -> [TableEntry; 2] {
    let table = |name: &str, place: Place, initial_pages: u32, secondary: Vec<(&str, u32, &[usize])>| {
        let mut spec = TableSpec::new(name);
        spec.flags = CATALOG_FLAGS;
        spec.columns = COLUMNS.iter().map(|(id, name, ty, flags)| column(*id, name, *ty, *flags)).collect();
        spec.primary = Some(index("Id", 0x31, &[0, 1, 2]));
        spec.indexes = secondary.into_iter().map(|(name, flags, columns)| index(name, flags, columns)).collect();
        TableEntry { spec, table: place, indexes: vec![(4, 7), (5, 10)], long_values: None, initial_pages }
    };
    let name = COLUMNS.iter().position(|(id, ..)| *id == 128).expect("the column Name");
    let name_index: &[usize] = &[0, 1, name];
    let root_objects: &[usize] = &[7, name];
    [
        table("MSysObjects", (2, 4), 20, vec![("Name", 0x11, name_index), ("RootObjects", 0x9, root_objects)]),
        table("MSysObjectsShadow", (3, 24), shadow_pages, Vec::new()),
    ]
}

fn column(id: u16, name: &str, ty: Type, flags: u32) -> Column {
    Column { id, name: name.to_owned(), ty, size: ty.number_and_size().1, flags, default: None, origin: Origin::Own }
}

fn index(name: &str, flags: u32, columns: &[usize]) -> Index {
    let segments = columns.iter().map(|column| Segment { column: *column, descending: false }).collect();
    Index { name: name.to_owned(), flags, segments, origin: Origin::Own }
}

/// All rows of a table, in key order.
pub(crate) fn rows_of(entry: &TableEntry) -> Vec<CatalogRow> {
    let spec = &entry.spec;
    let (objid, root) = entry.table;
    let mut rows = vec![table_row(entry)];
    // The catalogs' own columns carry one offset and one code page, whatever they are.
    let catalog = spec.flags == CATALOG_FLAGS;
    let mut columns: Vec<&Column> = spec.columns.iter().collect();
    columns.sort_by_key(|column| column.id);
    let mut next_offset = 4;
    for column in columns {
        let offset = if catalog { 4 } else { next_offset };
        let code_page = if catalog { 1252 } else { column.ty.code_page() };
        if column.origin == Origin::Own {
            rows.push(column_row(objid, column, offset, code_page));
        }
        if column.is_fixed() {
            next_offset += column.size;
        }
    }
    rows.extend(spec.primary.iter().map(|index| index_row(spec, objid, index, (objid, root))));
    for (index, place) in spec.indexes.iter().zip(&entry.indexes) {
        rows.push(index_row(spec, objid, index, *place));
    }
    rows.extend(entry.long_values.map(|(id, root)| {
        let mut row = CatalogRow::new(objid, RowKind::LongValue, id, "LV");
        row.set_u32(4, root);
        row.set_u32(5, 100);
        row.set_u32(7, 1);
        row
    }));
    rows
}

fn table_row(entry: &TableEntry) -> CatalogRow {
    let (objid, root) = entry.table;
    let mut row = CatalogRow::new(objid, RowKind::Table, objid, &entry.spec.name);
    row.set_u32(4, root);
    row.set_u32(5, entry.spec.density);
    row.set_u32(6, entry.spec.flags);
    row.set_u32(7, entry.initial_pages);
    row.set(8, Some(vec![0xFF]));
    row.set(130, entry.spec.template.clone().map(String::into_bytes));
    row
}

fn column_row(objid: u32, column: &Column, offset: u32, code_page: u32) -> CatalogRow {
    let mut row = CatalogRow::new(objid, RowKind::Column, u32::from(column.id), &column.name);
    row.set_u32(4, column.ty.number_and_size().0);
    row.set_u32(5, column.size);
    row.set_u32(6, column.flags);
    row.set_u32(7, code_page);
    if column.is_fixed() {
        row.set(9, Some(u16::try_from(offset).expect("fixed columns fit a record").to_le_bytes().to_vec()));
    }
    row.set(131, column.default.clone());
    row
}

fn index_row(spec: &TableSpec, objid: u32, index: &Index, place: Place) -> CatalogRow {
    let mut row = CatalogRow::new(objid, RowKind::Index, place.0, &index.name);
    row.set_u32(4, place.1);
    row.set_u32(5, spec.density);
    row.set_u32(6, index.flags | EXTENDED_SEGMENTS);
    row.set_u32(10, if index.origin == Origin::Own { LCMAP_FLAGS } else { 0 });
    let segment = |segment: &Segment| {
        let column = &spec.columns[segment.column];
        let of_template = if column.origin == Origin::Template { 0x80 } else { 0 };
        let descending = if segment.descending { 0x40 } else { 0 };
        let [low, high] = column.id.to_le_bytes();
        [of_template | descending, 0, low, high]
    };
    row.set(132, Some(index.segments.iter().flat_map(segment).collect()));
    row.set(261, Some(utf16("en-US")));
    row
}
