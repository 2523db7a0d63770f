//! The tree check: rules T1 to T24 of spec 03 section 8.
//!
//! In two parts. [`walk`] goes through the internal levels of one tree, level by level, and holds every page that they
//! name - leaves too - against what the page table knows of it; it reads no leaf. What it gives are groups of leaves, each
//! with its bounds, which may be looked into in any order and by any thread: [`GroupReader`] does, and checks what only the
//! leaves show. Neither recurses, and no page is come to twice.

mod branch;
mod child;
mod leaf;
mod links;

use crate::check::Shutdown;
use crate::finding::{Code, Finding, Object};
use crate::format::{Dbtime, Objid, PageFlags, Pgno};
use crate::source::Pages;
use crate::tree::{Claimant, DEPTH_MOST, Ownership, PageFault, PageTable};

pub use leaf::{BoundedLeaf, GroupReader, LeafEvent};

use branch::Branch;
use links::Links;

/// Missing parts that are noted; so many are not needed to see that a tree is in ruins.
const MISSING_KEPT: usize = 4096;

/// Whether a key alone identifies an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uniqueness {
    /// The key does.
    Unique,
    /// Key and data together do.
    NonUnique,
}

impl Uniqueness {
    /// How messages speak of keys.
    fn name(self) -> &'static str {
        match self {
            Uniqueness::Unique => "unique",
            Uniqueness::NonUnique => "not unique",
        }
    }
}

/// A tree to be walked, as the catalog knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeShape {
    /// Its id.
    pub objid: Objid,
    /// Its root.
    pub root: Pgno,
    /// The bits of [`PageFlags::KIND`] that all its pages have.
    pub kind: PageFlags,
    /// By what its entries are told apart.
    pub uniqueness: Uniqueness,
    /// Its place in the list of trees.
    pub claimant: Claimant,
    /// How findings name it.
    pub object: Object,
}

/// Where findings go while trees are walked.
pub trait FindingSink: Sync {
    /// Takes a finding.
    fn add(&self, finding: Finding);

    /// Notes `count` differences that follow from what is said about page `pgno`, or about the file where it is none:
    /// they are no findings of their own.
    fn follow(&self, pgno: Pgno, count: u64);
}

/// A part of a tree, as far as its leaves go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Leaves below one parent.
    Leaves(LeafGroup),
    /// An internal page cannot be read: leaves are missing. What is at fault has a finding of its own.
    Missing {
        /// The page at fault. The finding is on it, or on the page that names it.
        pgno: Pgno,
        /// The lowest key that can lie there; empty for no bound.
        lower: Vec<u8>,
    },
}

impl Part {
    fn lower(&self) -> &[u8] {
        match self {
            Part::Leaves(group) => &group.lower,
            Part::Missing { lower, .. } => lower,
        }
    }
}

/// Leaves below one parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeafGroup {
    /// The parent; none if the root is the only leaf.
    parent: Pgno,
    lower: Vec<u8>,
    upper: Option<Vec<u8>>,
    /// Lines of the parent whose children are not part of the tree, or cannot be used.
    rejected: Vec<usize>,
}

/// Pages whose dbtime is above that of the header, or none at all (T19).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DbtimeTally {
    /// How many are above.
    pub above: u64,
    /// The lowest page numbers among them.
    pub first: Vec<Pgno>,
    /// The highest dbtime.
    pub highest: Dbtime,
}

impl DbtimeTally {
    /// Pages named in a report.
    const NAMED: usize = 10;

    fn add(&mut self, pgno: Pgno, dbtime: Dbtime) {
        self.above += 1;
        self.highest = self.highest.max(dbtime);
        self.first.push(pgno);
        if self.first.len() > 4 * Self::NAMED {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.first.sort_unstable();
        self.first.truncate(Self::NAMED);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: DbtimeTally) {
        self.above += other.above;
        self.highest = self.highest.max(other.highest);
        self.first.extend(other.first);
        self.trim();
    }
}

/// What a walk gives.
#[derive(Debug, Default)]
pub struct WalkedTree {
    /// Its leaves and what is missing of them, in key order.
    pub parts: Vec<Part>,
    /// Pages that are newer than the header.
    pub dbtime: DbtimeTally,
}

/// What a walk needs to know of the database.
#[derive(Clone, Copy)]
pub struct WalkContext<'a> {
    /// The file.
    pub pages: Pages<'a>,
    /// All its pages, as the scan found them.
    pub table: &'a PageTable,
    /// dbtime of the header; `None` if both copies are bad.
    pub dbtime: Option<Dbtime>,
    /// Which tree owns each page.
    pub ownership: &'a Ownership,
    /// How the database was left.
    pub shutdown: Shutdown,
    /// Where findings go.
    pub sink: &'a dyn FindingSink,
}

/// Walks the internal levels of `tree`.
#[must_use]
pub fn walk(tree: &TreeShape, context: WalkContext<'_>) -> WalkedTree {
    let mut walk = Walk {
        tree,
        context,
        out: WalkedTree::default(),
        links: Links::default(),
        uniqueness: tree.uniqueness,
        below: Vec::new(),
        missing: 0,
    };
    walk.run();
    walk.out.dbtime.trim();
    // What is missing was noted on its own level.
    walk.out.parts.sort_by(|a, b| a.lower().cmp(b.lower()));
    walk.out
}

/// A walk under way.
struct Walk<'a> {
    tree: &'a TreeShape,
    context: WalkContext<'a>,
    out: WalkedTree,
    links: Links,
    /// By what the entries are told apart: what the root says, once it has been read.
    uniqueness: Uniqueness,
    /// The level below the one that is walked.
    below: Vec<Branch>,
    /// Parts that are missing so far.
    missing: usize,
}

impl Walk<'_> {
    fn run(&mut self) {
        let root = Branch { pgno: self.tree.root, lower: Vec::new(), upper: None };
        let Some(entry) = self.admit_root() else {
            self.missing(root.pgno, root.lower);
            return;
        };
        if entry.flags().contains(PageFlags::LEAF) {
            self.links.only_leaf(entry, root.pgno, self.tree, &self.context);
            let group = LeafGroup { parent: Pgno::NONE, lower: root.lower, upper: root.upper, rejected: Vec::new() };
            self.out.parts.push(Part::Leaves(group));
            return;
        }
        let mut level = vec![root];
        for _ in 1..DEPTH_MOST {
            self.level(level);
            level = std::mem::take(&mut self.below);
            if level.is_empty() {
                break;
            }
        }
        // The engine stays far above: what goes deeper goes round in circles.
        for branch in level {
            let text = format!("levels: expected at most {DEPTH_MOST}, found page {} below them", branch.pgno);
            self.report(Code::BtreeDepth, "T10", branch.pgno, 0, text, |finding| finding);
            self.missing(branch.pgno, branch.lower);
        }
        self.links.end(self.tree, &self.context);
    }

    /// A finding on page `pgno` of this tree, at byte `at` of the page.
    fn report(
        &self,
        code: Code,
        rule: &'static str,
        pgno: Pgno,
        at: usize,
        message: String,
        fill: impl FnOnce(Finding) -> Finding,
    ) {
        report(self.tree, &self.context, (code, rule), (pgno, at), message, fill);
    }

    /// Notes that keys from `lower` on cannot be reached, for which page `pgno` is at fault.
    fn missing(&mut self, pgno: Pgno, lower: Vec<u8>) {
        self.links.lose_track();
        self.missing += 1;
        if self.missing <= MISSING_KEPT {
            self.out.parts.push(Part::Missing { pgno, lower });
        }
    }
}

/// A page that could be read by the scan and now cannot: the medium fails, or the file changes.
fn lost(tree: &TreeShape, context: &WalkContext<'_>, pgno: Pgno, fault: PageFault) {
    let (code, text) = match fault {
        PageFault::Read { error, .. } => (Code::DbReadError, format!("page {pgno}: {}", error.error)),
        fault => (Code::DbChanged, format!("{fault}; it was sound when it was read before")),
    };
    let mut finding = Finding::on_page(code, pgno, context.pages.size(), 0, text);
    finding.object = Some(tree.object.clone());
    context.sink.add(finding);
}

/// A finding about `tree`, at byte `at` of page `pgno`.
fn report(
    tree: &TreeShape,
    context: &WalkContext<'_>,
    (code, rule): (Code, &'static str),
    (pgno, at): (Pgno, usize),
    message: String,
    fill: impl FnOnce(Finding) -> Finding,
) {
    let mut finding = Finding::on_page(code, pgno, context.pages.size(), at, message).rule(rule);
    finding.object = Some(tree.object.clone());
    finding.severity = finding.severity.min(context.shutdown.heaviest());
    context.sink.add(fill(finding));
}
