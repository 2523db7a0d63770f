//! Everything beyond single pages: trees, space, catalog, records, long values and indexes (spec 12 section 4).
//!
//! First the map: catalog, trees, and who owns each page, from the few pages that say so. Then, once every page has been
//! looked at, all trees. Tables are independent of each other, and so are groups of leaves within a tree: both run on all
//! cores. What they find goes to one log, which does not show in which order.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog::Catalog;
use crate::check::catalog::Context as CatalogContext;
use crate::check::space::{SpaceCheck, UsedPages};
use crate::check::tree::{DbtimeTally, FindingSink, TreeShape, Uniqueness, WalkContext};
use crate::check::{self, Shutdown};
use crate::finding::{Code, Finding, Object};
use crate::format::{DatabaseHeader, DbState, PageFlags, Pgno, Shadowing, page};
use crate::source::Pages;
use crate::tree::{Claimant, Ownership, PageState, PageTable, Space, TreeInfo, TreeKind, TreeList};

use super::VerifyError;
use super::parallel;
use super::progress::{Phase, Progress};
use super::report::{FindingLog, NotChecked};
use super::tables::{Cancelled, TableJob, TableOutcome, walk_alone};

/// Which trees there are, and who owns which page.
pub(super) struct DatabaseMap<'a> {
    pages: Pages<'a>,
    /// The header; `None` if both copies are bad.
    header: Option<&'a DatabaseHeader>,
    catalog: Catalog,
    list: TreeList,
    space: Space,
    pub(super) ownership: Ownership,
}

impl<'a> DatabaseMap<'a> {
    /// Reads catalog and space.
    pub(super) fn read(pages: Pages<'a>, header: Option<&'a DatabaseHeader>) -> DatabaseMap<'a> {
        let catalog = Catalog::read(pages);
        let list = TreeList::of(&catalog);
        let space = Space::read(pages, &list);
        let ownership = Ownership::new(pages, &list, &space);
        DatabaseMap { pages, header, catalog, list, space, ownership }
    }

    /// Checks what the space trees say; tells the last page that the database owns, if that is known.
    pub(super) fn check_space(&self, log: &FindingLog, not_checked: &mut Vec<NotChecked>) -> Option<Pgno> {
        let check = self.space_check();
        log.extend(check.findings());
        not_checked.extend(check.unread().map(|(tree, fault)| NotChecked {
            what: format!("the space of {}, or a part of it", tree.label()),
            why: fault.to_string(),
        }));
        self.ownership.last_owned()
    }

    fn space_check(&self) -> SpaceCheck<'_> {
        SpaceCheck {
            list: &self.list,
            space: &self.space,
            ownership: &self.ownership,
            pages: self.pages,
            shutdown: Shutdown::of(self.state()),
        }
    }

    /// The state that the checks go by; a header that cannot be read excuses nothing.
    fn state(&self) -> DbState {
        self.header.map_or(DbState::CleanShutdown, DatabaseHeader::state)
    }
}

/// All checks that need more than one page.
pub(super) struct FullRun<'a> {
    pub(super) map: &'a DatabaseMap<'a>,
    pub(super) table: &'a PageTable,
    pub(super) log: &'a FindingLog,
    /// Where temporary files go; `None` is the system's folder.
    pub(super) temporary: Option<&'a Path>,
    /// Held by the table that sorts: one at a time, so that memory does not grow with the number of threads.
    pub(super) sorting: Mutex<()>,
    pub(super) progress: &'a dyn Progress,
}

impl<'a> FullRun<'a> {
    /// Runs them; tells what could not be done.
    pub(super) fn run(&self) -> Result<Vec<NotChecked>, VerifyError> {
        let used = self.table.iter().filter(|(_, entry)| entry.state() != PageState::Blank).count();
        self.progress.begin(Phase::Trees, used as u64 * self.map.pages.size().as_u64());
        let jobs = self.jobs();
        let outcomes = parallel::map_each(0..jobs.len(), |place| match jobs.get(place) {
            Some(Job::Table(job)) => job.run(),
            Some(Job::Trees(trees)) => walk_alone(self, trees, self.context()),
            None => Ok(TableOutcome::default()),
        });
        let mut not_checked = Vec::new();
        let mut dbtime = DbtimeTally::default();
        for outcome in outcomes {
            let outcome = outcome.map_err(|Cancelled| VerifyError::Cancelled)?;
            dbtime.merge(outcome.dbtime);
            not_checked.extend(outcome.not_checked);
        }
        self.log.extend(self.dbtime_finding(&dbtime));
        self.check_catalog();
        self.check_use_of_space();
        self.log.name_objects(|pgno| self.object_of(pgno));
        Ok(not_checked)
    }

    /// The tree that reached the page, or owns it.
    fn object_of(&self, pgno: Pgno) -> Option<Object> {
        let reached = self.table.claimant(pgno).and_then(|Claimant(tree)| usize::try_from(tree).ok());
        let tree = reached.or_else(|| self.map.ownership.owner(pgno))?;
        Some(self.map.list.trees().get(tree)?.object())
    }

    /// Leave to sort. Whoever holds it waits for no other thread.
    pub(super) fn sort_alone(&self) -> MutexGuard<'_, ()> {
        self.sorting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> DbState {
        self.map.state()
    }

    fn context(&self) -> WalkContext<'a> {
        WalkContext {
            pages: self.map.pages,
            table: self.table,
            dbtime: self.map.header.map(DatabaseHeader::dbtime),
            ownership: &self.map.ownership,
            shutdown: Shutdown::of(self.state()),
            sink: self.log,
        }
    }

    /// The trees of the database, those of a table together.
    fn jobs(&self) -> Vec<Job<'_>> {
        let trees = self.map.list.trees();
        let of_table = |data: &TreeInfo| {
            let root = data.root;
            let children = trees.iter().enumerate().filter(move |(_, tree)| tree.parent == root);
            children.filter(|(_, tree)| matches!(tree.kind, TreeKind::Index | TreeKind::LongValue))
        };
        let jobs = trees.iter().enumerate().filter_map(|(place, tree)| match tree.kind {
            TreeKind::Database => {
                let space = self.space_shapes(place, tree);
                Some(Job::Trees(std::iter::once(shape(place, tree)).chain(space).collect()))
            }
            TreeKind::Data => Some(Job::Table(Box::new(TableJob {
                run: self,
                context: self.context(),
                table: tree.table.and_then(|place| self.map.catalog.schema.tables.get(place)),
                data: shape(place, tree),
                indexes: of_kind(of_table(tree), TreeKind::Index).collect(),
                long_values: of_kind(of_table(tree), TreeKind::LongValue).next(),
                space: std::iter::once((place, tree))
                    .chain(of_table(tree))
                    .flat_map(|(place, tree)| self.space_shapes(place, tree))
                    .collect(),
            }))),
            TreeKind::Index | TreeKind::LongValue => None,
        });
        jobs.collect()
    }

    /// The two space trees of a tree, if it has its extents in trees.
    fn space_shapes(&self, place: usize, tree: &TreeInfo) -> Vec<TreeShape> {
        let header = self.map.space.trees.get(place).and_then(|space| space.header);
        let owned = header.and_then(|header| header.oe_root());
        let roots = owned.into_iter().flat_map(|owned| [(owned, "OE"), (owned.next(), "AE")]);
        let of_tree = |(root, name)| {
            let mut shape = shape(place, tree);
            shape.root = root;
            shape.kind |= PageFlags::SPACE_TREE;
            shape.object.tree = shape.object.tree.map(|tree| format!("{tree} {name}"));
            shape
        };
        roots.map(of_tree).collect()
    }

    /// T19: one finding for the whole database.
    fn dbtime_finding(&self, tally: &DbtimeTally) -> Option<Finding> {
        let header = self.map.header?.dbtime();
        let first = *tally.first.first()?;
        let text = format!(
            "dbtime: expected at most {header}, as the header says, found {} pages above it, the highest {}",
            tally.above, tally.highest
        );
        let mut finding =
            Finding::on_page(Code::DbtimeBehind, first, self.map.pages.size(), page::offset::DBTIME, text)
                .rule("T19")
                .compared(header.0, tally.highest.0);
        finding.severity = Shutdown::of(self.state()).heaviest();
        finding.detail.count = Some(tally.above);
        finding.detail.pages.clone_from(&tally.first);
        Some(finding)
    }

    fn check_catalog(&self) {
        let context = CatalogContext {
            shadowing: self.map.header.map_or(Shadowing::On, DatabaseHeader::shadowing),
            state: self.state(),
            last_owned: self.map.ownership.last_owned(),
        };
        let outcome = check::catalog::check(&self.map.catalog, self.map.pages, context);
        self.log.extend(outcome.findings);
        outcome.consequences.into_iter().for_each(|(pgno, count)| self.log.follow(pgno, count));
    }

    /// S8 to S10 and C16: what the walks reached against what space says, and what nobody reached.
    fn check_use_of_space(&self) {
        let check = self.map.space_check();
        let mut used = UsedPages::new(check);
        let mut unreached = Vec::new();
        for (pgno, entry) in self.table.iter() {
            if let Some(Claimant(tree)) = self.table.claimant(pgno) {
                used.add(pgno, usize::try_from(tree).unwrap_or(usize::MAX));
                continue;
            }
            if !self.map.ownership.is_in_use(pgno) {
                continue;
            }
            let flags = entry.flags() & (PageFlags::ROOT | PageFlags::SPACE_TREE);
            let lost_tree = (entry.state().is_usable() && flags == PageFlags::ROOT)
                .then(|| check.unnamed_root(pgno, entry.objid()))
                .flatten();
            match lost_tree {
                Some(finding) => self.log.add(finding),
                None => unreached.push(pgno),
            }
        }
        self.log.extend(used.findings());
        self.log.extend(check.leaked(unreached));
    }
}

/// A piece of work that depends on no other.
enum Job<'a> {
    Table(Box<TableJob<'a>>),
    /// Trees without rows.
    Trees(Vec<TreeShape>),
}

fn of_kind<'t>(trees: impl Iterator<Item = (usize, &'t TreeInfo)>, kind: TreeKind) -> impl Iterator<Item = TreeShape> {
    trees.filter(move |(_, tree)| tree.kind == kind).map(|(place, tree)| shape(place, tree))
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
