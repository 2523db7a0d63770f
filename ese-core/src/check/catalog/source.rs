//! What the catalog had to be read from, where MSysObjects alone did not do.

use crate::catalog::{Catalog, CatalogFault, CatalogSource};
use crate::finding::{Code, Finding, Severity};
use crate::format::catalog::MSYS_OBJECTS;
use crate::source::Pages;

use super::Outcome;

/// Says what stands in for MSysObjects, if anything does, and whether rows are lost.
#[must_use]
pub fn check_source(catalog: &Catalog, pages: Pages<'_>) -> Outcome {
    let (used, severity) = match (catalog.source, catalog.is_complete) {
        (CatalogSource::Main, true) => return Outcome::default(),
        (CatalogSource::Main, false) => ("there is no shadow: the rows behind it are lost", Severity::Error),
        (CatalogSource::Merged, true) => ("the missing rows were taken from its shadow", Severity::Warning),
        (CatalogSource::Merged, false) => {
            ("its shadow is damaged too: rows were taken from single leaves, some may be lost", Severity::Error)
        }
        (CatalogSource::Shadow, true) => ("all rows were taken from its shadow", Severity::Error),
        (CatalogSource::Shadow, false) => {
            ("rows were taken from its shadow, which is damaged too: some may be lost", Severity::Error)
        }
        (CatalogSource::Leaves, _) => ("nor its shadow: rows were taken from single leaves", Severity::Error),
    };
    let (pgno, cause) = match catalog.faults.first() {
        Some(CatalogFault::Tree(fault)) => (fault.pgno(), fault.to_string()),
        Some(fault @ CatalogFault::Row { pgno, .. }) => (*pgno, fault.to_string()),
        Some(fault @ CatalogFault::TooLarge) => (MSYS_OBJECTS.root, fault.to_string()),
        None => (MSYS_OBJECTS.root, format!("page {}: expected rows, found none", MSYS_OBJECTS.root)),
    };
    let whole = if matches!(catalog.source, CatalogSource::Merged | CatalogSource::Main) {
        "MSysObjects cannot be read as a whole"
    } else {
        "MSysObjects cannot be read"
    };
    let message = format!("{whole} ({cause}), {used}; {} rows", catalog.rows.len());
    // A child pointer may name a page that the file does not have: the root leads to it.
    let pgno = if pages.contains(pgno) { pgno } else { MSYS_OBJECTS.root };
    let mut finding = if pages.contains(pgno) {
        Finding::on_page(Code::CatalogLost, pgno, pages.size(), 0, message)
    } else {
        // The file ends before the catalog.
        let end = if pages.last().is_none() { 0 } else { pages.size().offset_of(pages.last().next()) };
        Finding::in_file(Code::CatalogLost, end, message)
    };
    finding.severity = severity;
    Outcome { findings: vec![finding], consequences: Vec::new() }
}
