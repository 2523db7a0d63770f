//! Where things are in a database that was built.
//!
//! Plain data: what the writer did, so that a test need not search for it. Spec 03 and 04 for the terms.

use super::space_builder::{Holding, Pages, Space};
use super::tree_builder::TreeBody;

/// What a tree is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TreeKind {
    /// The database root.
    Database,
    /// A table's rows, the primary index.
    Table,
    /// A secondary index.
    Index,
    /// Long values.
    LongValue,
}

/// A tree and its pages; page numbers are 1-based.
#[derive(Clone, Debug)]
pub struct Tree {
    /// `TABLE`, `TABLE/INDEX`, `TABLE/LV`, or `database`.
    pub name: String,
    /// What it is.
    pub kind: TreeKind,
    /// Its object id.
    pub objid: u32,
    /// Its root page (FDP).
    pub root: u32,
    /// The root of the tree whose space it was cut from; 0 for the database.
    pub parent: u32,
    /// Root of the tree of owned extents, where there is one.
    pub oe: Option<u32>,
    /// Root of the tree of available extents.
    pub ae: Option<u32>,
    /// Leaf pages in key order: the root alone in a tree of one page.
    pub leaves: Vec<u32>,
    /// Internal pages without the root, lowest level first.
    pub internal: Vec<Vec<u32>>,
    /// Extents it owns, those of its children included.
    pub owned: Vec<Pages>,
    /// Its free pages.
    pub free: Vec<Pages>,
}

impl Tree {
    pub(crate) fn new(name: String, kind: TreeKind, body: &TreeBody, holding: Holding, space: Space) -> Tree {
        let multiple = space == Space::Multiple;
        let leaves = if body.leaves.is_empty() { vec![holding.root] } else { body.leaves.clone() };
        Tree {
            name,
            kind,
            objid: body.shape.objid,
            root: holding.root,
            parent: holding.parent,
            oe: multiple.then_some(holding.root + 1),
            ae: multiple.then_some(holding.root + 2),
            leaves,
            internal: body.internal.clone(),
            owned: holding.owned,
            free: holding.free,
        }
    }

    /// All pages of the tree and of its space trees, each once.
    pub fn pages(&self) -> impl Iterator<Item = u32> + '_ {
        let below = self.leaves.iter().chain(self.internal.iter().flatten()).copied();
        let roots = [Some(self.root), self.oe, self.ae].into_iter().flatten();
        roots.chain(below.filter(|pgno| *pgno != self.root))
    }

    /// Levels: 1 where the root is the leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.leaves == [self.root] { 1 } else { 2 + self.internal.len() }
    }
}
