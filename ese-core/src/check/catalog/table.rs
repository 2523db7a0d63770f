//! The rows of a table among each other, and tables among each other: C3, C4, C6 to C11.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::catalog::{Catalog, CatalogRow, Table, find_column, key_of};
use crate::finding::Code;
use crate::format::catalog::{CatalogColumn, KEY_NAME, KEY_ROOTS, RowType, TableFlags, column};
use crate::format::{ColumnKind, ColumnType, IndexFlags, KeyFieldList, Objid, SegmentFlags, parse_key_fields};
use crate::record::Origin;
use crate::source::Pages;

use super::report::{Fault, Report, describe};
use super::row::{describes_catalog, faults};
use super::{Context, Outcome};

/// Checks the rows of `catalog`, which was read from `pages`. What only a missing row could break is left out where
/// rows could not be read.
#[must_use]
pub fn check_rows(catalog: &Catalog, pages: Pages<'_>, context: Context) -> Outcome {
    let size = pages.size();
    let mut report = Report::new(size);
    let tables: HashMap<Objid, &Table> = catalog.schema.tables.iter().map(|table| (table.objid, table)).collect();
    let mut by_table: BTreeMap<Objid, Vec<&CatalogRow>> = BTreeMap::new();
    for row in &catalog.rows {
        for fault in faults(row, size) {
            report.fault(row, &fault);
        }
        if let Some(objid) = row.objid_table() {
            by_table.entry(objid).or_default().push(row);
        }
    }
    let all = Tables { catalog, tables };
    let mut unique = Unique::default();
    for (objid, rows) in &by_table {
        let group = Group { objid: *objid, rows, table: all.tables.get(objid).copied(), all: &all };
        group.check(&mut report);
        unique.check(rows, &mut report);
    }
    context.weigh(report.finish())
}

struct Tables<'c> {
    catalog: &'c Catalog,
    tables: HashMap<Objid, &'c Table>,
}

/// C4: ids and names that were met.
#[derive(Default)]
struct Unique<'c> {
    trees: BTreeMap<u32, &'c CatalogRow>,
    names: BTreeMap<Vec<u8>, &'c CatalogRow>,
}

impl<'c> Unique<'c> {
    fn check(&mut self, rows: &[&'c CatalogRow], report: &mut Report) {
        for row in rows.iter().copied() {
            if let Some(id) = row.id().filter(|_| names_own_tree(row)) {
                once(self.trees.entry(id), row, column::ID, "Id", report);
            }
            if row.row_type().is_none() || row.bytes(column::NAME).is_none() {
                continue;
            }
            // The indexes `Name` and `RootObjects` of the catalog are unique over these.
            let is_table = row.row_type() == Some(RowType::Table);
            let keys = [key_of(row, KEY_NAME), key_of(row, KEY_ROOTS).filter(|_| is_table)];
            for key in keys.into_iter().flatten() {
                once(self.names.entry(key), row, column::NAME, "Name", report);
            }
        }
    }
}

fn once<'c, K: Ord>(
    entry: Entry<'_, K, &'c CatalogRow>,
    row: &'c CatalogRow,
    column: CatalogColumn,
    what: &str,
    report: &mut Report,
) {
    match entry {
        Entry::Vacant(place) => {
            place.insert(row);
        }
        Entry::Occupied(other) => repeated(other.get(), row, column, what, report),
    }
}

fn repeated(first: &CatalogRow, row: &CatalogRow, column: CatalogColumn, what: &str, report: &mut Report) {
    let place = first.place;
    let message = format!(
        "{what}: expected one of its own, found that of {} (page {}, line {})",
        describe(first),
        place.pgno,
        place.line
    );
    report.fault(row, &Fault::of_row("C4", column, message));
}

/// True for rows of a tree that no other row has: not for primary indexes, which are their table.
pub(super) fn names_own_tree(row: &CatalogRow) -> bool {
    match row.row_type() {
        Some(RowType::Table | RowType::LongValue) => true,
        Some(RowType::Index) => !is_primary(row),
        Some(RowType::Column | RowType::Callback) | None => false,
    }
}

fn is_primary(row: &CatalogRow) -> bool {
    row.long(column::FLAGS).is_some_and(|flags| IndexFlags::from_bits_retain(flags).contains(IndexFlags::PRIMARY))
}

/// The rows of one table, in the order of their keys.
struct Group<'g, 'c> {
    objid: Objid,
    rows: &'g [&'c CatalogRow],
    table: Option<&'c Table>,
    all: &'g Tables<'c>,
}

impl<'c> Group<'_, 'c> {
    fn of_type(&self, row_type: RowType) -> impl Iterator<Item = &'c CatalogRow> + use<'_, 'c> {
        self.rows.iter().copied().filter(move |row| row.row_type() == Some(row_type))
    }

    fn check(&self, report: &mut Report) {
        let table_row = self.of_type(RowType::Table).next();
        if let (None, Some(first), true) = (table_row, self.rows.first(), self.all.catalog.is_complete) {
            let message = format!("expected the row of table {} before it, found none", self.objid);
            report.fault(first, &Fault::of_row("C3", column::TYPE, message));
        }
        self.at_most_one(RowType::Table, "C3", report);
        self.at_most_one(RowType::LongValue, "C8", report);
        self.at_most_one(RowType::Callback, "C8", report);
        self.indexes(table_row, report);
        if let Some(row) = table_row {
            self.template(row, report);
        }
        if let Some(table) = self.table {
            self.columns(table, report);
        }
    }

    fn at_most_one(&self, row_type: RowType, rule: &'static str, report: &mut Report) {
        for row in self.of_type(row_type).skip(1) {
            let message = format!("expected one {} for table {}, found another", row_type.name(), self.objid);
            report.fault(row, &Fault::of_row(rule, column::TYPE, message));
        }
    }

    /// C6, C7, and of C9 the columns.
    fn indexes(&self, table_row: Option<&CatalogRow>, report: &mut Report) {
        let long_values = self.of_type(RowType::LongValue).next();
        let mut has_primary = false;
        for row in self.of_type(RowType::Index) {
            if is_primary(row) {
                if has_primary {
                    let message = format!("expected one primary index for table {}, found another", self.objid);
                    report.fault(row, &Fault::of_row("C6", column::FLAGS, message));
                }
                has_primary = true;
                for (column, what, other) in differing(row, table_row) {
                    let message = format!("{what}: expected that of the table, {}, found {}", other.1, other.0);
                    report.fault(row, &Fault::of_row("C6", column, message));
                }
            } else {
                for (tree, name) in [(table_row, "table"), (long_values, "long value tree")] {
                    for (column, what, value) in shared(row, tree) {
                        let message = format!("{what}: expected one of its own, found that of the {name}, {value}");
                        report.fault(row, &Fault::of_row("C7", column, message));
                    }
                }
            }
            if self.all.catalog.is_complete {
                self.columns_of_index(row, report);
            }
        }
    }

    /// C9: the columns that `row` names.
    fn columns_of_index(&self, row: &CatalogRow, report: &mut Report) {
        let (Some(table), Some(flags)) = (self.table, row.long(column::FLAGS)) else { return };
        let flags = IndexFlags::from_bits_retain(flags);
        let lists =
            [(column::KEY_FLD_IDS, KeyFieldList::Segments), (column::CONDITIONAL_COLUMNS, KeyFieldList::Conditions)];
        for (column, list) in lists {
            let fields = row.bytes(column).and_then(|bytes| parse_key_fields(bytes, flags, list).ok());
            for field in fields.into_iter().flatten() {
                let found = find_column(&table.layout, field).map(|(_, found)| found);
                let what = match found {
                    None => "no such column",
                    Some(found) if found.column_type == ColumnType::Nil => "a deleted one",
                    // Of a table without template no column is the template's.
                    Some(found)
                        if field.flags.contains(SegmentFlags::TEMPLATE)
                            && found.origin == Origin::Own
                            && !table.flags.contains(TableFlags::TEMPLATE) =>
                    {
                        "one that is no template's"
                    }
                    Some(_) => continue,
                };
                let message =
                    format!("{}: expected a column of the table, found id {}, {what}", column.name, field.column_id);
                report.fault(row, &Fault::of_row("C9", column, message));
            }
        }
    }

    /// C11: the template is there, and is one.
    fn template(&self, row: &CatalogRow, report: &mut Report) {
        let Some(name) = row.text(column::TEMPLATE_TABLE).filter(|_| self.all.catalog.is_complete) else { return };
        let message = match self.all.catalog.schema.table(&name) {
            None => format!("TemplateTable: expected the name of a table, found {name:?}"),
            Some(template) if !template.flags.contains(TableFlags::TEMPLATE) => {
                format!("TemplateTable: expected a table with the flag of a template, found {name:?}")
            }
            Some(_) => return,
        };
        report.fault(row, &Fault::of_row("C11", column::TEMPLATE_TABLE, message));
    }

    /// C10: fixed columns lie one behind the other, and ids have no gaps.
    fn columns(&self, table: &Table, report: &mut Report) {
        if !self.all.catalog.is_complete {
            return;
        }
        let inherited = table.layout.columns().iter().filter(|column| column.origin == Origin::Template);
        // The ids of a template's fixed and variable columns are taken.
        let mut known: HashSet<u32> = inherited
            .filter(|column| ColumnKind::of(column.id) != Some(ColumnKind::Tagged))
            .map(|column| u32::from(column.id))
            .collect();
        known.extend(self.of_type(RowType::Column).filter_map(CatalogRow::id));
        for row in self.of_type(RowType::Column) {
            let Some(id) = row.id() else { continue };
            let kind = u16::try_from(id).ok().and_then(ColumnKind::of);
            let is_first = [1, u32::from(ColumnKind::FIXED_LAST) + 1, u32::from(ColumnKind::VARIABLE_LAST) + 1];
            if kind.is_some() && !is_first.contains(&id) && !known.contains(&(id - 1)) {
                let message = format!("Id: expected a column with id {} before it, found none", id - 1);
                let fault = Fault { rule: "C10", code: Code::CatalogOdd, column: column::ID, message };
                report.fault(row, &fault);
            }
            let place = u16::try_from(id).ok().and_then(|id| table.layout.fixed(id)).map(|(_, place)| place.offset);
            if let (Some(place), Some(found)) = (place, row.short(column::RECORD_OFFSET))
                && kind == Some(ColumnKind::Fixed)
                && place != usize::from(found)
                && !describes_catalog(row)
            {
                let message = format!("RecordOffset: expected {place} behind the column before it, found {found}");
                report.fault(row, &Fault::of_row("C10", column::RECORD_OFFSET, message));
            }
        }
    }
}

const TREE_COLUMNS: [(CatalogColumn, &str); 2] = [(column::ID, "Id"), (column::COLTYP_OR_PGNO_FDP, "root page")];

/// What two rows say of their tree and do not agree in.
fn differing<'c>(
    row: &'c CatalogRow,
    other: Option<&'c CatalogRow>,
) -> impl Iterator<Item = (CatalogColumn, &'static str, (u32, u32))> + 'c {
    TREE_COLUMNS.into_iter().filter_map(move |(column, what)| {
        let values = (row.long(column)?, other?.long(column)?);
        (values.0 != values.1).then_some((column, what, values))
    })
}

/// What two rows say of their tree and agree in.
fn shared<'c>(
    row: &'c CatalogRow,
    other: Option<&'c CatalogRow>,
) -> impl Iterator<Item = (CatalogColumn, &'static str, u32)> + 'c {
    TREE_COLUMNS.into_iter().filter_map(move |(column, what)| {
        let value = row.long(column)?;
        (other?.long(column)? == value).then_some((column, what, value))
    })
}
