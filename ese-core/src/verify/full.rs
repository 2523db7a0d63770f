//! Everything beyond single pages: trees, space, catalog, records, long values and indexes (spec 12 section 4).
//!
//! Tables are independent of each other, and so are groups of leaves within a tree: both run on all cores. What they find
//! goes to one log, which does not show in which order.

use std::path::Path;

use crate::catalog::Catalog;
use crate::check;
use crate::check::tree::{DbtimeTally, TreeShape, Uniqueness, WalkContext};
use crate::finding::{Code, Finding, Severity};
use crate::format::{DatabaseHeader, DbState, PageFlags, Pgno, Shadowing};
use crate::source::Pages;
use crate::tree::{Claimant, PageTable, TreeInfo, TreeKind, TreeList};

use super::VerifyError;
use super::parallel;
use super::progress::{Phase, Progress};
use super::report::{FindingLog, NotChecked};
use super::tables::{Cancelled, TableJob, TableOutcome, lone_tree};

/// What the pass over all pages leaves to go on with.
pub(super) struct Database<'a> {
    pub(super) pages: Pages<'a>,
    pub(super) table: &'a PageTable,
    /// The header; `None` if both copies are bad.
    pub(super) header: Option<&'a DatabaseHeader>,
    /// The last page that the database owns, if that is known.
    pub(super) last_owned: Option<Pgno>,
    pub(super) log: &'a FindingLog,
    /// Where temporary files go; `None` is the system's folder.
    pub(super) temporary: Option<&'a Path>,
    pub(super) progress: &'a dyn Progress,
}

impl Database<'_> {
    /// The state that the checks go by; a header that cannot be read excuses nothing.
    pub(super) fn state(&self) -> DbState {
        self.header.map_or(DbState::CleanShutdown, DatabaseHeader::state)
    }

    fn catalog_context(&self) -> check::catalog::Context {
        check::catalog::Context {
            shadowing: self.header.map_or(Shadowing::On, DatabaseHeader::shadowing),
            state: self.state(),
            last_owned: self.last_owned,
        }
    }

    /// The most that a finding about how pages fit together can weigh.
    fn heaviest(&self) -> Severity {
        match self.state() {
            DbState::DirtyShutdown | DbState::IncrementalReseed | DbState::DirtyAndPatched | DbState::Reverting => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }
}

/// Runs all checks that need more than one page.
pub(super) fn run(database: &Database<'_>) -> Result<Vec<NotChecked>, VerifyError> {
    let catalog = Catalog::read(database.pages);
    let list = TreeList::of(&catalog);
    let context = WalkContext {
        pages: database.pages,
        table: database.table,
        dbtime: database.header.map(DatabaseHeader::dbtime),
        heaviest: database.heaviest(),
        sink: database.log,
    };
    database.progress.begin(Phase::Trees, database.pages.source().len());
    let jobs = jobs(database, &list, &catalog, context);
    let outcomes = parallel::map_each(0..jobs.len(), |place| match jobs.get(place) {
        Some(Job::Table(job)) => job.run(),
        Some(Job::Tree(tree)) => lone_tree(database, tree, context),
        None => Ok(TableOutcome::default()),
    });
    let mut not_checked = Vec::new();
    let mut dbtime = DbtimeTally::default();
    for outcome in outcomes {
        let TableOutcome { dbtime: tally, not_checked: skipped } =
            outcome.map_err(|Cancelled| VerifyError::Cancelled)?;
        dbtime.merge(tally);
        not_checked.extend(skipped);
    }
    database.log.extend(dbtime_finding(database, &dbtime));
    let outcome = check::catalog::check(&catalog, database.pages, database.catalog_context());
    database.log.extend(outcome.findings);
    outcome.consequences.into_iter().for_each(|(pgno, count)| database.log.add_consequences(pgno, count));
    Ok(not_checked)
}

/// A piece of work that depends on no other.
enum Job<'a> {
    Table(Box<TableJob<'a>>),
    Tree(TreeShape),
}

/// The trees of the database, those of a table together.
fn jobs<'a>(
    database: &'a Database<'a>,
    list: &TreeList,
    catalog: &'a Catalog,
    context: WalkContext<'a>,
) -> Vec<Job<'a>> {
    let shapes: Vec<TreeShape> = list.trees().iter().enumerate().map(|(place, tree)| shape(place, tree)).collect();
    let of_table = |data: &TreeInfo, kind: TreeKind| {
        let root = data.root;
        let trees = list.trees().iter().zip(&shapes);
        trees.filter(move |(tree, _)| tree.kind == kind && tree.parent == root).map(|(_, shape)| shape.clone())
    };
    let jobs = list.trees().iter().zip(&shapes).filter_map(|(tree, shape)| match tree.kind {
        TreeKind::Database => Some(Job::Tree(shape.clone())),
        TreeKind::Data => Some(Job::Table(Box::new(TableJob {
            database,
            context,
            table: tree.table.and_then(|place| catalog.schema.tables.get(place)),
            data: shape.clone(),
            indexes: of_table(tree, TreeKind::Index).collect(),
            long_values: of_table(tree, TreeKind::LongValue).next(),
        }))),
        TreeKind::Index | TreeKind::LongValue => None,
    });
    jobs.collect()
}

fn shape(place: usize, tree: &TreeInfo) -> TreeShape {
    TreeShape {
        objid: tree.objid,
        root: tree.root,
        kind: match tree.kind {
            TreeKind::Database | TreeKind::Data => PageFlags::empty(),
            TreeKind::Index => PageFlags::INDEX,
            TreeKind::LongValue => PageFlags::LONG_VALUE,
        },
        uniqueness: if tree.unique { Uniqueness::Unique } else { Uniqueness::NonUnique },
        claimant: Claimant(u32::try_from(place).unwrap_or(u32::MAX)),
        object: tree.object(),
    }
}

/// T19: one finding for the whole database.
fn dbtime_finding(database: &Database<'_>, tally: &DbtimeTally) -> Option<Finding> {
    let header = database.header?.dbtime();
    let first = *tally.first.first()?;
    let text = format!(
        "dbtime: expected at most {header}, as the header says, found {} pages above it, the highest {}",
        tally.above, tally.highest
    );
    let at = crate::format::page::offset::DBTIME;
    let mut finding = Finding::on_page(Code::DbtimeBehind, first, database.pages.size(), at, text)
        .rule("T19")
        .compared(header.0, tally.highest.0);
    finding.severity = database.heaviest();
    finding.detail.count = Some(tally.above);
    finding.detail.pages.clone_from(&tally.first);
    Some(finding)
}
