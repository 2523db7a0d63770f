//! C14: the tables that repeat what the catalog says: MSysObjids has a row for each tree, MSysLocales counts the indexes
//! of each locale.

use std::collections::{BTreeMap, HashMap};

use crate::catalog::{Catalog, CatalogRow, Index, Table, stored_value};
use crate::finding::Code;
use crate::format::catalog::{MSYS_LOCALES, MSYS_OBJIDS, RowType, column, locales, objids};
use crate::format::{IndexFlags, Pgno};
use crate::record::Record;
use crate::source::Pages;
use crate::tree::{Cursor, LeafNode};

use super::report::{Report, describe};
use super::table::names_own_tree;
use super::{Context, Outcome};

/// Compares both tables, where the database has them, with `catalog`.
#[must_use]
pub fn check_system_tables(catalog: &Catalog, pages: Pages<'_>, context: Context) -> Outcome {
    let mut report = Report::new(pages.size());
    if !catalog.is_complete {
        return report.finish();
    }
    if let Some(table) = catalog.schema.table(MSYS_OBJIDS) {
        check_objids(catalog, table, pages, &mut report);
    }
    if let Some(table) = catalog.schema.table(MSYS_LOCALES) {
        check_locales(catalog, table, pages, &mut report);
    }
    context.weigh(report.finish())
}

/// A row of MSysObjids.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tree {
    table: u32,
    row_type: u16,
}

fn check_objids(catalog: &Catalog, table: &Table, pages: Pages<'_>, report: &mut Report) {
    let mut missing: BTreeMap<u32, (Tree, &CatalogRow)> = BTreeMap::new();
    for row in catalog.rows.iter().filter(|row| names_own_tree(row)) {
        let tree = (row.id(), row.long(column::OBJID_TABLE), row.short(column::TYPE));
        let (Some(id), Some(table), Some(row_type)) = tree else { continue };
        missing.insert(id, (Tree { table, row_type }, row));
    }
    let gap = for_each_row(table, pages, |node, record| {
        let number = |id| stored_value(record, &table.layout, id)?.value().map(little_endian);
        let (Some(id), Some(of_table), Some(row_type)) =
            (number(objids::OBJID), number(objids::OBJID_TABLE), number(objids::TYPE))
        else {
            return;
        };
        let described = |row_type: u64| {
            let row_type = u16::try_from(row_type).ok().and_then(|number| RowType::from_number(number.cast_signed()));
            row_type.map_or("tree of unknown type", RowType::name)
        };
        let expected = u32::try_from(id).ok().and_then(|id| missing.remove(&id)).map(|(tree, _)| tree);
        let expected = match expected {
            Some(tree) if u64::from(tree.table) == of_table && u64::from(tree.row_type) == row_type => return,
            Some(tree) => format!("{} of table {}", described(tree.row_type.into()), tree.table),
            None => "no such tree, or one that was met before".to_owned(),
        };
        let at = node.leaf.page.offset_of(node.node.data);
        report.add(Code::CatalogRow, "C14", node.leaf.pgno, node.node.line, at, || {
            let found = described(row_type);
            format!(
                "{MSYS_OBJIDS}: tree {id}: expected {expected} as in the catalog, found {found} of table {of_table}"
            )
        });
    });
    for (_, row) in missing.into_values() {
        match gap {
            Some(pgno) => report.consequence(pgno, 1),
            None => {
                report.add(Code::CatalogRow, "C14", row.place.pgno, row.place.line, row.place.record_at, || {
                    format!("{}: expected a row of {MSYS_OBJIDS} for it, found none", describe(row))
                });
            }
        }
    }
}

/// Indexes of one locale and version of the sort tables.
struct Locale<'c> {
    indexes: u64,
    first: &'c Index,
}

fn check_locales(catalog: &Catalog, table: &Table, pages: Pages<'_>, report: &mut Report) {
    let mut in_use: HashMap<String, Locale<'_>> = HashMap::new();
    for index in catalog.schema.tables.iter().flat_map(|table| &table.indexes) {
        let Some(key) = locale_key(index) else { continue };
        in_use.entry(key).or_insert(Locale { indexes: 0, first: index }).indexes += 1;
    }
    let gap = for_each_row(table, pages, |node, record| {
        let bytes = |id| stored_value(record, &table.layout, id)?.value();
        if bytes(locales::TYPE) != Some(&[locales::KIND_LOCALE]) {
            return;
        }
        let Some(key) = bytes(locales::KEY) else { return };
        let (key, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(key);
        let key = key.trim_end_matches('\0').to_ascii_lowercase();
        let Some(locale) = in_use.remove(&key) else { return };
        let count = bytes(locales::COUNT).map_or(0, little_endian);
        if count < locale.indexes {
            let at = bytes(locales::COUNT).map_or_else(|| 0, |bytes| node.leaf.page.offset_of(bytes));
            report.add(Code::CatalogOdd, "C14", node.leaf.pgno, node.node.line, at, || {
                format!("{MSYS_LOCALES}: {key}: expected {} indexes or more, found {count}", locale.indexes)
            });
        }
    });
    let mut rest: Vec<(String, Locale<'_>)> = in_use.into_iter().collect();
    rest.sort_by_key(|(_, locale)| locale.first.place);
    for (key, Locale { first, .. }) in rest {
        let place = first.place;
        match gap {
            Some(pgno) => report.consequence(pgno, 1),
            None => {
                report.add(Code::CatalogOdd, "C14", place.pgno, place.line, place.record_at, || {
                    format!("index {:?}: expected a row {key:?} of {MSYS_LOCALES}, found none", first.name)
                });
            }
        }
    }
}

/// The row of MSysLocales, in small letters, that counts `index`; none for indexes without Unicode text.
fn locale_key(index: &Index) -> Option<String> {
    let sort_id = index.sort_id.as_deref()?.try_into().ok()?;
    let version = index.version.as_deref().map(little_endian)?;
    let is_localized = index.flags.contains(IndexFlags::LOCALIZED_TEXT);
    let locale = index.locale_name.as_deref().unwrap_or_default();
    is_localized.then(|| locales::key(locale, sort_id, version).to_ascii_lowercase())
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().take(size_of::<u64>()).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Calls `look` for every row of `table`; what is no record is passed over. Returns the first page that cannot be read.
fn for_each_row(table: &Table, pages: Pages<'_>, mut look: impl FnMut(&LeafNode<'_>, &Record<'_>)) -> Option<Pgno> {
    let mut gap = None;
    let mut cursor = Cursor::new(pages, table.root);
    while let Some(node) = cursor.next_node() {
        match node {
            Ok(node) if node.leaf.page.objid() != table.objid => gap = gap.or(Some(node.leaf.pgno)),
            Ok(node) if node.node.is_deleted() => {}
            Ok(node) => match Record::new(node.node.data, pages.size()) {
                Ok(record) => look(&node, &record),
                Err(_) => gap = gap.or(Some(node.leaf.pgno)),
            },
            Err(fault) => gap = gap.or(Some(fault.pgno())),
        }
    }
    gap
}
