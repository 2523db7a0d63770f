//! The space of trees: nothing is said of sound databases, every page of them has one owner, and each damage to a space
//! tree is found where it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod damage;
mod hostile;
mod sound;
mod verdicts;

use std::collections::BTreeSet;

use ese_core::catalog::Catalog;
use ese_core::check::Shutdown;
use ese_core::check::space::{SpaceCheck, UsedPages};
use ese_core::finding::Finding;
use ese_core::format::{DbState, Pgno};
use ese_core::source::{ByteSource, Pages};
use ese_core::tree::{Ownership, Space, TreeInfo, TreeList, TrustedPages};
use ese_core::verify::open_header;

/// A database with its space read and its trees walked.
struct Examined<'a> {
    pages: Pages<'a>,
    list: TreeList,
    space: Space,
    ownership: Ownership,
    shutdown: Shutdown,
    /// For each tree the pages that its walk reached, its root aside.
    reached: Vec<BTreeSet<Pgno>>,
}

impl<'a> Examined<'a> {
    fn new(source: &'a dyn ByteSource) -> Examined<'a> {
        let opened = open_header(source, &()).expect("a database");
        let state = opened.copies.used_copy().map(|copy| copy.header.state());
        let pages = Pages::new(source, opened.page_size);
        let list = TreeList::of(&Catalog::read(pages));
        let space = Space::read(pages, &list);
        let ownership = Ownership::new(pages, &list, &space);
        let reached = list.trees().iter().map(|tree| walk(pages, tree)).collect();
        let shutdown = if state == Some(DbState::CleanShutdown) { Shutdown::Clean } else { Shutdown::Dirty };
        Examined { pages, list, space, ownership, shutdown, reached }
    }

    fn check(&self) -> SpaceCheck<'_> {
        let Examined { pages, list, space, ownership, shutdown, .. } = self;
        SpaceCheck { list, space, ownership, pages: *pages, shutdown: *shutdown }
    }

    /// S1 to S12.
    fn findings(&self) -> Vec<Finding> {
        let check = self.check();
        let mut findings = check.findings();
        let mut used = UsedPages::new(check);
        for (tree, reached) in self.reached.iter().enumerate() {
            reached.iter().for_each(|pgno| used.add(*pgno, tree));
        }
        findings.extend(used.findings());
        findings.extend(check.leaked(self.unreached()));
        findings
    }

    fn unreached(&self) -> impl Iterator<Item = Pgno> {
        let of_space = self.space.trees.iter().flat_map(|tree| tree.pages.iter().copied());
        let roots = self.list.trees().iter().map(|tree| tree.root);
        let reached: BTreeSet<Pgno> = self.reached.iter().flatten().copied().chain(of_space).chain(roots).collect();
        (1..=self.pages.last().0).map(Pgno).filter(move |pgno| !reached.contains(pgno))
    }
}

/// Pages below the root of `tree` that carry its id.
fn walk(pages: Pages<'_>, tree: &TreeInfo) -> BTreeSet<Pgno> {
    let mut trusted = TrustedPages::new(pages);
    let (mut reached, mut open) = (BTreeSet::new(), vec![tree.root]);
    while let Some(pgno) = open.pop() {
        let Ok(page) = trusted.get(pgno) else { continue };
        if page.objid() != tree.objid || pgno != tree.root && !reached.insert(pgno) {
            continue;
        }
        if !page.is_leaf() {
            open.extend(page.nodes().filter_map(|node| node.ok()?.child()).filter(|child| *child != tree.root));
        }
    }
    reached
}

/// The findings, a line each.
fn brief(findings: &[Finding]) -> String {
    let line = |f: &Finding| {
        let table = f.object.as_ref().and_then(|object| object.table.clone()).unwrap_or_default();
        format!("\n{} {} at {:?} line {:?} in {table}: {}", f.severity, f.code, f.pgno, f.detail.line, f.message)
    };
    findings.iter().map(line).collect()
}
