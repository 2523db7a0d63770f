//! C5: the roots that the catalog names are there, each once, and belong to the trees that it says.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, CatalogRow};
use crate::finding::Code;
use crate::format::catalog::column;
use crate::format::{Page, PageFlags, Pgno, RootHeader};
use crate::source::Pages;
use crate::tree::{PageFault, TrustedPages};

use super::report::{Fault, Report, describe};
use super::table::names_own_tree;
use super::{Context, Outcome};

/// Reads the root page of every tree that `catalog` names. A page that cannot be read, or is blank, is reported where
/// pages and trees are checked.
#[must_use]
pub fn check_roots(catalog: &Catalog, pages: Pages<'_>, context: Context) -> Outcome {
    let mut report = Report::new(pages.size());
    let mut trusted = TrustedPages::new(pages);
    let mut taken: BTreeMap<Pgno, &CatalogRow> = BTreeMap::new();
    for row in catalog.rows.iter().filter(|row| names_own_tree(row)) {
        let (Some(root), Some(id)) = (row.root(), row.id()) else { continue };
        if let Some(message) = fault(&mut trusted, context, root, id) {
            report.fault(row, &orphan(message));
            continue;
        }
        if let Some(other) = taken.insert(root, row) {
            let message = format!("root page: expected one of its own, found {root}, that of {} too", describe(other));
            report.fault(row, &orphan(message));
        }
    }
    context.weigh(report.finish())
}

fn orphan(message: String) -> Fault {
    Fault { rule: "C5", code: Code::CatalogOrphan, column: column::COLTYP_OR_PGNO_FDP, message }
}

/// True if `page` begins as roots do: where one only lacks the flag of a root, that is the page's fault (T7).
#[must_use]
pub fn has_space_header(page: Page<'_>) -> bool {
    RootHeader::read(page.external_header()).is_some_and(|root| root.space.is_some())
}

/// What is wrong with the root of tree `id` on page `root`.
fn fault(trusted: &mut TrustedPages<'_>, context: Context, root: Pgno, id: u32) -> Option<String> {
    let page = match trusted.get(root) {
        Ok(page) => page,
        Err(PageFault::NotInFile { last, .. }) => {
            let is_cut_off = context.last_owned.is_some_and(|owned| (last.next()..=owned).contains(&root));
            return (!is_cut_off).then(|| format!("root page: expected 1 to {last}, found {root}"));
        }
        Err(PageFault::Read { .. } | PageFault::Blank { .. } | PageFault::Checksum { .. }) => return None,
    };
    let kind = page.flags() & PageFlags::KIND;
    if page.objid().0 != id {
        Some(format!("root page {root}: expected a page of tree {id}, found one of tree {}", page.objid()))
    } else if (!page.is_root() && !has_space_header(page)) || kind.contains(PageFlags::SPACE_TREE) {
        Some(format!("root page {root}: expected the root of a tree, found flags 0x{:x}", page.flags().bits()))
    } else {
        None
    }
}
