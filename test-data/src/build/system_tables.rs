//! The two tables that every engine since 2012 adds to a new database: MSysObjids and MSysLocales.
//!
//! They are ordinary tables with rows that follow from the catalog; no index of the builder has Unicode text, so no
//! locale is counted. Spec 05 section 3, rows as in `catdb-200.edb`.

use super::space_builder::Space;
use super::spec::{NOT_NULL, TableSpec, Type, Value, utf16};
use super::store::Format;
use super::writer::Objids;

/// Object id of MSysObjids.
pub(crate) const OBJIDS: u32 = 6;
/// Object id of MSysLocales.
pub(crate) const LOCALES: u32 = 7;

/// MSysObjids without rows: the columns and the primary key.
fn objids_schema() -> TableSpec {
    let mut spec = TableSpec::new("MSysObjids")
        .tagged("objid", Type::Long, 0)
        .tagged("objidTable", Type::Long, 0)
        .tagged("type", Type::Short, 0)
        .primary(&["+objid"]);
    spec.flags = 0xC800_0000;
    spec.density = 100;
    spec
}

/// MSysObjids with a row for each tree of `tables` and of the system tables.
pub(crate) fn objids(tables: &[Objids]) -> TableSpec {
    let of_table = |trees: &Objids| {
        let indexes = trees.indexes.iter().map(|objid| (*objid, trees.table, 3));
        let rest = indexes.chain(trees.long_values.map(|objid| (objid, trees.table, 4)));
        std::iter::once((trees.table, trees.table, 1)).chain(rest).collect::<Vec<_>>()
    };
    let system = [(2, 2, 1), (3, 3, 1), (4, 2, 3), (5, 2, 3), (OBJIDS, OBJIDS, 1), (LOCALES, LOCALES, 1)];
    let mut all = system.to_vec();
    all.extend(tables.iter().flat_map(of_table));
    let row = |(objid, table, kind): (u32, u32, u16)| {
        vec![Value::bytes(objid.to_le_bytes()), Value::bytes(table.to_le_bytes()), Value::bytes(kind.to_le_bytes())]
    };
    let space = if all.len() > 40 { Space::Multiple } else { Space::Single };
    objids_schema().rows(all.into_iter().map(row)).space(space)
}

/// MSysLocales of a database without Unicode indexes.
pub(crate) fn locales(format: Format) -> TableSpec {
    let rows = [
        (r".Schema\External\Major", 1, 1),
        (r".Schema\External\Minor", 1, 0),
        (r".Schema\External\Update", 1, 0),
        (r".Schema\Internal\Major", 1, 1),
        (r".Schema\Internal\Minor", 1, 0),
        (r".Schema\Internal\Update", 1, 0),
        ("MSysLocalesConsistent", 2, 1),
    ];
    let row = |(key, kind, value): (&str, u8, i32)| {
        let key = Value::One(utf16(&format!("{key}\0")));
        vec![Value::bytes([kind]), Value::long(value), key]
    };
    let mut spec = TableSpec::new("MSysLocales")
        .fixed("Type", Type::UnsignedByte, NOT_NULL)
        .fixed("iValue", Type::Long, 0x20)
        .default_value(&[0; 4])
        .variable("Key", Type::Binary, 0)
        .primary(&["+Key"])
        .rows(rows.into_iter().map(row))
        .space(Space::Single);
    if format == Format::Level290 {
        // Later engines add these when the rows are there.
        spec = spec.fixed("i64Value", Type::LongLong, 0).tagged("rgbValue", Type::LongBinary, 0);
    }
    spec.flags = 0x8800_0000;
    spec.density = 92;
    if let Some(primary) = &mut spec.primary {
        primary.name = "KeyPrimary".to_owned();
        primary.flags |= 0x4000;
    }
    spec
}
