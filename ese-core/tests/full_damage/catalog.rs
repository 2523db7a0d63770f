//! Damages of the catalog: rules C2 to C17 (spec 05 section 7).

use catdb_test_data::build::{Catalog, RowKind};
use ese_core::finding::Code;

use super::{Damage, damage};

pub(super) const TABLE: &[Damage] = &[
    damage("a blank catalog", Code::PageBlankInUse, "T3", |base| {
        let leaf = base.leaf("MSysObjects", 0);
        base.blank(leaf)
    })
    // What stands in for it is said once.
    .also(&[Code::CatalogLost]),
    damage("a type in one catalog only", Code::CatalogShadowDiffers, "C12", |base| {
        base.built.edit_catalog(Catalog::Shadow, "Small", RowKind::Column, "text", |row| row.set_u32(4, 9));
        let place = base.built.catalog_row("MSysObjectsShadow", "Small", RowKind::Column, "text");
        base.data_at(place) + 4 + 4 + 2 + 4
    }),
];
