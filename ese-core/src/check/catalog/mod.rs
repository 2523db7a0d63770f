//! The catalog check: rules C2 to C14 and C17 of spec 05 section 9, and what the catalog had to be read from.
//!
//! Each function is a work item of its own and reports the first row of a page that breaks a rule, and how many do.
//! None of them repeats what the page, tree, record and index checks say of the same pages: rows that are missing
//! because a page cannot be read are counted as its consequences.

mod report;
mod roots;
mod row;
mod shadow;
mod source;
mod system;
mod table;

use crate::catalog::Catalog;
use crate::finding::{Finding, Severity};
use crate::format::{DbState, Pgno, Shadowing};
use crate::source::Pages;

pub use roots::{check_roots, has_space_header};
pub use shadow::check_shadow;
pub use source::check_source;
pub use system::check_system_tables;
pub use table::check_rows;

/// What the header and the space of the database say that the catalog check has to know.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Whether the second copy of the catalog is kept.
    pub shadowing: Shadowing,
    /// State of the database. Pages of one that was not shut down cleanly are of different times: what contradicts
    /// something on another page is a warning there.
    pub state: DbState,
    /// The last page that the database owns, if that is known. Roots that a cut file has lost are no findings of ours.
    pub last_owned: Option<Pgno>,
}

/// What a part of the check found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong, in no order.
    pub findings: Vec<Finding>,
    /// Pages that cannot be read, each with the number of rows that are not to be found because of it.
    pub consequences: Vec<(Pgno, u64)>,
}

impl Outcome {
    fn add(&mut self, other: Outcome) {
        self.findings.extend(other.findings);
        self.consequences.extend(other.consequences);
    }
}

/// Rules that a row breaks all by itself.
const OF_ONE_ROW: [&str; 3] = ["C2", "C10", "C17"];

impl Context {
    /// Lowers what the state of the database explains.
    fn weigh(self, mut outcome: Outcome) -> Outcome {
        for finding in &mut outcome.findings {
            let of_one_row = finding.detail.rule.is_none_or(|rule| OF_ONE_ROW.contains(&rule));
            if !self.state.is_clean() && !of_one_row {
                finding.severity = finding.severity.min(Severity::Warning);
            }
        }
        outcome
    }
}

/// Runs all parts, one after the other.
#[must_use]
pub fn check(catalog: &Catalog, pages: Pages<'_>, context: Context) -> Outcome {
    let mut all = check_source(catalog, pages);
    all.add(check_rows(catalog, pages, context));
    all.add(check_roots(catalog, pages, context));
    all.add(check_shadow(pages, context));
    all.add(check_system_tables(catalog, pages, context));
    all
}
