//! Damages of the catalog: rules C2 to C17 (spec 05 section 7).

use catdb_test_data::build::{Catalog, RowKind, Shadow};
use ese_core::finding::Code;

use super::base::{Base, builder};
use super::{Damage, damage};

/// Columns of the catalog, and where fixed ones lie in its records: behind four bytes of head, and the columns before.
const COLTYP: (u16, u64) = (4, 4 + 4 + 2 + 4);
const SPACE_USAGE: (u16, u64) = (5, COLTYP.1 + 4);
const FLAGS: (u16, u64) = (6, SPACE_USAGE.1 + 4);
const PAGES: (u16, u64) = (7, FLAGS.1 + 4);

/// Sets a fixed column in the row `name` of the table `Small`; where it stands in `tree`.
fn set(base: &mut Base, catalog: Catalog, kind: RowKind, name: &str, column: (u16, u64), value: u32) -> u64 {
    base.built.edit_catalog(catalog, "Small", kind, name, |row| row.set_u32(column.0, value));
    let tree = if catalog == Catalog::Shadow { "MSysObjectsShadow" } else { "MSysObjects" };
    base.data_at(base.built.catalog_row(tree, "Small", kind, name)) + column.1
}

pub(super) const TABLE: &[Damage] = &[
    damage("a blank leaf of the catalog", Code::PageBlankInUse, "T3", |base| {
        let leaf = base.leaf("MSysObjects", 0);
        base.blank(leaf)
    })
    // What stands in for it is said once.
    .also(&[Code::CatalogLost]),
    damage("a root behind the end of the file", Code::CatalogOrphan, "C5", |base| {
        set(base, Catalog::Both, RowKind::Index, "by_value", COLTYP, 0x0700_0000)
    })
    // The tree that no row names any more.
    .also(&[Code::SpaceLeaked]),
    damage("a column of no known type", Code::CatalogRow, "C10", |base| {
        set(base, Catalog::Both, RowKind::Column, "tagged", COLTYP, 99)
    })
    // As a column it is unknown now, and its values are values of none.
    .also(&[Code::RecordColumn]),
    damage("a type in the shadow alone", Code::CatalogShadowDiffers, "C12", |base| {
        set(base, Catalog::Shadow, RowKind::Column, "text", COLTYP, 9)
    }),
    damage("a density in the shadow alone", Code::CatalogShadowMinor, "C12", |base| {
        set(base, Catalog::Shadow, RowKind::Table, "Small", PAGES, 77)
    }),
    damage("a shadow without rows", Code::CatalogShadowMissing, "C13", |base| {
        base.built = builder(base.size()).shadow(Shadow::Empty).build();
        // The tag of line 0: there are no others.
        base.at(base.built.tree("MSysObjectsShadow").root, base.size().bytes() - 4)
    }),
];
