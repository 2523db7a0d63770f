//! C12 and C13: MSysObjects and its shadow row by row, in the order of their keys.
//!
//! Two cursors go side by side, so that memory holds one row of each. Rows that one table lacks because a page of it
//! cannot be read are consequences of that page.

use std::cmp::Ordering;

use crate::catalog::CatalogRow;
use crate::finding::{Code, Severity};
use crate::format::catalog::{
    CATALOG_COLUMNS, CatalogColumn, FixedTree, MSYS_OBJECTS, MSYS_OBJECTS_SHADOW, RowType, column,
};
use crate::format::{PageSize, Pgno, Shadowing};
use crate::source::Pages;
use crate::tree::{Cursor, LeafNode, TrustedPages};

use super::report::{Report, describe, show};
use super::row::faults;
use super::{Context, Outcome};

/// Compares both catalog tables. With shadowing off nothing keeps the shadow in step, so that differences are warnings.
#[must_use]
pub fn check_shadow(pages: Pages<'_>, context: Context) -> Outcome {
    let mut comparison =
        Comparison { report: Report::new(pages.size()), size: pages.size(), shadowing: context.shadowing };
    let mut main = Side::new(pages, MSYS_OBJECTS);
    let mut shadow = Side::new(pages, MSYS_OBJECTS_SHADOW);
    if shadow.is_empty() {
        comparison.shadow_is_empty(pages);
        return comparison.report.finish();
    }
    loop {
        let order = match (&main.head, &shadow.head) {
            (None, None) => return context.weigh(comparison.report.finish()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(main), Some(shadow)) => main.key.cmp(&shadow.key),
        };
        match order {
            Ordering::Less => {
                comparison.lone(main.head.as_ref(), &main, &shadow);
                main.advance();
            }
            Ordering::Greater => {
                comparison.lone(shadow.head.as_ref(), &shadow, &main);
                shadow.advance();
            }
            Ordering::Equal => {
                if let (Some(main), Some(shadow)) = (&main.head, &shadow.head) {
                    comparison.pair(main, shadow);
                }
                main.advance();
                shadow.advance();
            }
        }
    }
}

/// One of the two tables, at one of its rows.
struct Side<'s> {
    tree: FixedTree,
    cursor: Cursor<'s>,
    head: Option<Item>,
    /// A page before `head`, or before the end, that could not be read.
    gap: Option<Pgno>,
}

/// A node of a leaf.
struct Item {
    key: Vec<u8>,
    pgno: Pgno,
    line: usize,
    body: Body,
}

enum Body {
    Row(Box<CatalogRow>),
    /// Flagged deleted; where the flag is, in bytes from the start of the page.
    Deleted(usize),
    /// No record; where it begins.
    Broken(usize),
}

impl<'s> Side<'s> {
    fn new(pages: Pages<'s>, tree: FixedTree) -> Side<'s> {
        let mut side = Side { tree, cursor: Cursor::new(pages, tree.root), head: None, gap: None };
        side.advance();
        side
    }

    fn is_empty(&self) -> bool {
        self.head.is_none() && self.gap.is_none()
    }

    fn advance(&mut self) {
        self.gap = None;
        self.head = None;
        while let Some(node) = self.cursor.next_node() {
            match node {
                Ok(node) if node.leaf.page.objid() == self.tree.objid => {
                    self.head = Some(Item::of(node));
                    return;
                }
                Ok(node) => self.gap = self.gap.or(Some(node.leaf.pgno)),
                Err(fault) => self.gap = self.gap.or(Some(fault.pgno())),
            }
        }
    }
}

impl Item {
    fn of(LeafNode { leaf, node }: LeafNode<'_>) -> Item {
        let body = if node.is_deleted() {
            Body::Deleted(leaf.page.node_flags_offset(node.line))
        } else {
            match CatalogRow::read(leaf.page, leaf.pgno, &node) {
                Ok(row) => Body::Row(Box::new(row)),
                Err(error) => Body::Broken(leaf.page.offset_of(node.data) + error.at),
            }
        };
        Item { key: node.key.to_vec(), pgno: leaf.pgno, line: node.line, body }
    }
}

struct Comparison {
    report: Report,
    size: PageSize,
    shadowing: Shadowing,
}

/// Where two rows differ, and how much that matters.
struct Difference {
    code: Code,
    column: Option<CatalogColumn>,
}

impl Comparison {
    /// C13.
    fn shadow_is_empty(&mut self, pages: Pages<'_>) {
        let mut trusted = TrustedPages::new(pages);
        // A root that cannot be read is no empty table; it has its own finding.
        let Ok(page) = trusted.get(MSYS_OBJECTS_SHADOW.root) else { return };
        let header = match self.shadowing {
            Shadowing::On => "the header says that it is kept",
            Shadowing::Off => "the header says that it is not kept",
        };
        let at = page.tag_offset(0);
        let root = MSYS_OBJECTS_SHADOW.root;
        self.report.add(Code::CatalogShadowMissing, "C13", root, 0, at, || {
            format!("{}: expected the rows of {}, found none; {header}", MSYS_OBJECTS_SHADOW.name, MSYS_OBJECTS.name)
        });
    }

    fn add(
        &mut self,
        code: Code,
        (pgno, line, at): (Pgno, usize, usize),
        other: Option<Pgno>,
        message: impl FnOnce() -> String,
    ) {
        let Some(finding) = self.report.add(code, "C12", pgno, line, at, message) else { return };
        finding.detail.pages.extend(other);
        if self.shadowing == Shadowing::Off {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }

    /// A row that only one table has.
    fn lone(&mut self, item: Option<&Item>, side: &Side<'_>, other: &Side<'_>) {
        let Some(Item { pgno, line, body, .. }) = item else { return };
        // What is deleted may be swept up in one table before the other; what is no record has its own finding.
        let Body::Row(row) = body else { return };
        if let Some(gap) = other.gap {
            self.report.consequence(gap, 1);
            return;
        }
        let is_stub = row.row_type() == Some(RowType::Column) && row.long(column::COLTYP_OR_PGNO_FDP) == Some(0);
        let code = if is_stub && side.tree == MSYS_OBJECTS_SHADOW {
            Code::CatalogShadowMinor
        } else {
            Code::CatalogShadowDiffers
        };
        let neighbour = other.head.as_ref().map(|item| item.pgno);
        let at = row.place.record_at;
        self.add(code, (*pgno, *line, at), neighbour, || {
            format!("{}: expected in both catalog tables, found in {} alone", describe(row), side.tree.name)
        });
    }

    /// Two nodes with one key.
    fn pair(&mut self, main: &Item, shadow: &Item) {
        match (&main.body, &shadow.body) {
            (Body::Row(a), Body::Row(b)) if a.data() == b.data() => {}
            (Body::Row(a), Body::Row(b)) => self.rows(a, b),
            (Body::Row(row), other) => self.one_sound(row, MSYS_OBJECTS, (shadow, other), MSYS_OBJECTS_SHADOW),
            (other, Body::Row(row)) => self.one_sound(row, MSYS_OBJECTS_SHADOW, (main, other), MSYS_OBJECTS),
            (Body::Deleted(_) | Body::Broken(_), Body::Deleted(_) | Body::Broken(_)) => {}
        }
    }

    /// A row in one table, where the other has something else under its key.
    fn one_sound(&mut self, row: &CatalogRow, has: FixedTree, (item, body): (&Item, &Body), lacks: FixedTree) {
        let (at, found) = match body {
            Body::Deleted(at) => (*at, "one that is flagged deleted"),
            Body::Broken(at) => (*at, "one that is no record"),
            Body::Row(_) => return,
        };
        let place = row.place;
        self.add(Code::CatalogShadowDiffers, (item.pgno, item.line, at), Some(place.pgno), || {
            format!(
                "{}: expected in {} the row that {} has (page {}, line {}), found {found}",
                describe(row),
                lacks.name,
                has.name,
                place.pgno,
                place.line
            )
        });
    }

    /// Two rows with one key and different bytes.
    fn rows(&mut self, main: &CatalogRow, shadow: &CatalogRow) {
        let Difference { code, column } = difference(main, shadow);
        let is_bad = |row| !faults(row, self.size).is_empty();
        // Which of the two is wrong nobody knows, unless one makes no sense by itself.
        let (wrong, other, wrong_name, verdict) = match (is_bad(main), is_bad(shadow)) {
            (true, false) => (main, shadow, MSYS_OBJECTS.name, "; the one in MSysObjects makes no sense"),
            (false, true) => (shadow, main, MSYS_OBJECTS_SHADOW.name, "; the one in the shadow makes no sense"),
            _ => (shadow, main, MSYS_OBJECTS_SHADOW.name, ""),
        };
        let at = column.map_or_else(
            || wrong.place.record_at + first_difference(wrong.data(), other.data()),
            |column| {
                let value = |row| CatalogRow::bytes(row, column).unwrap_or_default();
                wrong.offset_of(column) + first_difference(value(wrong), value(other))
            },
        );
        let place = (wrong.place.pgno, wrong.place.line, at);
        self.add(code, place, Some(other.place.pgno), || {
            let what = column.map_or("layout of the record", |column| column.name);
            let values = column.map_or_else(
                || "equal values, differing bytes".to_owned(),
                |column| format!("{} in MSysObjects, {} in the shadow", show(main, column), show(shadow, column)),
            );
            format!(
                "{}: {what}: {values} (pages {} and {}, lines {} and {}); offset in {wrong_name}{verdict}",
                describe(main),
                main.place.pgno,
                shadow.place.pgno,
                main.place.line,
                shadow.place.line
            )
        });
    }
}

/// The first column that matters and differs, else the first that differs.
fn difference(main: &CatalogRow, shadow: &CatalogRow) -> Difference {
    let mut differing = CATALOG_COLUMNS.into_iter().filter(|column| differs(main, shadow, *column));
    let first = differing.next();
    let matters = |column: &CatalogColumn| matters(*column, main.row_type());
    match first.into_iter().chain(differing).find(matters) {
        Some(column) => Difference { code: Code::CatalogShadowDiffers, column: Some(column) },
        None => Difference { code: Code::CatalogShadowMinor, column: first },
    }
}

/// No catalog column has a default, so that a value that is absent is NULL.
fn differs(main: &CatalogRow, shadow: &CatalogRow, column: CatalogColumn) -> bool {
    match (main.stored(column), shadow.stored(column)) {
        (Some(main), Some(shadow)) => main.value() != shadow.value(),
        (None, None) => false,
        (None, Some(_)) | (Some(_), None) => true,
    }
}

/// True for columns that change the meaning of data: what the engine compares, and what readers go by (C12).
fn matters(which: CatalogColumn, row_type: Option<RowType>) -> bool {
    const ALWAYS: [CatalogColumn; 19] = [
        column::OBJID_TABLE,
        column::TYPE,
        column::ID,
        column::COLTYP_OR_PGNO_FDP,
        column::FLAGS,
        column::RECORD_OFFSET,
        column::NAME,
        column::TEMPLATE_TABLE,
        column::KEY_FLD_IDS,
        column::LOCALE_NAME,
        column::VERSION,
        column::SORT_ID,
        column::DEFAULT_VALUE,
        column::LC_MAP_FLAGS,
        column::KEY_MOST,
        column::VAR_SEG_MAC,
        column::CONDITIONAL_COLUMNS,
        column::TUPLE_LIMITS,
        column::LV_CHUNK_MAX,
    ];
    let described = [column::PAGES_OR_LOCALE, column::SPACE_USAGE].contains(&which);
    ALWAYS.contains(&which) || (described && row_type == Some(RowType::Column))
}

/// How many bytes are equal at the beginning.
fn first_difference(a: &[u8], b: &[u8]) -> usize {
    let equal = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if equal == a.len() { equal.saturating_sub(1) } else { equal }
}
