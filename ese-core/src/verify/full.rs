//! Everything beyond single pages: trees, space, catalog, records, long values and indexes (spec 12 section 4).
//!
//! Tables are independent of each other, and so are groups of leaves within a tree: both run on all cores. What they find
//! goes to one log, which does not show in which order.

use crate::catalog::Catalog;
use crate::check::tree::{self, DbtimeTally, GroupReader, TreeShape, Uniqueness, WalkContext, WalkedTree};
use crate::finding::{Code, Finding, Severity};
use crate::format::{DatabaseHeader, DbState, PageFlags};
use crate::source::Pages;
use crate::tree::{Claimant, PageTable, TreeInfo, TreeKind, TreeList};

use super::VerifyError;
use super::parallel;
use super::progress::{Phase, Progress};
use super::report::FindingLog;

/// What the pass over all pages leaves to go on with.
pub(super) struct Database<'a> {
    pub(super) pages: Pages<'a>,
    pub(super) table: &'a PageTable,
    /// The header; `None` if both copies are bad.
    pub(super) header: Option<&'a DatabaseHeader>,
    pub(super) log: &'a FindingLog,
    pub(super) progress: &'a dyn Progress,
}

impl Database<'_> {
    /// The most that a finding about how pages fit together can weigh.
    fn heaviest(&self) -> Severity {
        match self.header.map(DatabaseHeader::state) {
            Some(
                DbState::DirtyShutdown | DbState::IncrementalReseed | DbState::DirtyAndPatched | DbState::Reverting,
            ) => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// Runs all checks that need more than one page.
pub(super) fn run(database: &Database<'_>) -> Result<(), VerifyError> {
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
    let tallies = parallel::map_init(
        0..list.trees().len(),
        || (),
        |(), place| {
            let tree = list.trees().get(place)?;
            let shape = shape(place, tree);
            let walked = tree::walk(&shape, context);
            leaves(database, &shape, &walked, context)?;
            Some(walked.dbtime)
        },
    );
    let mut dbtime = DbtimeTally::default();
    for tally in tallies {
        dbtime.merge(tally.ok_or(VerifyError::Cancelled)?);
    }
    database.log.extend(dbtime_finding(database, &dbtime));
    Ok(())
}

/// Looks into all leaves of a tree; `None` if the run was cancelled.
fn leaves(database: &Database<'_>, shape: &TreeShape, walked: &WalkedTree, context: WalkContext<'_>) -> Option<()> {
    let results = parallel::map_init(
        0..walked.groups.len(),
        || GroupReader::new(context),
        |reader, place| {
            if database.progress.cancelled() {
                return None;
            }
            let group = walked.groups.get(place)?;
            reader.for_each_leaf(shape, group, |leaf| {
                database.progress.advance(leaf.page.size().as_u64());
            });
            Some(())
        },
    );
    results.into_iter().collect()
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
