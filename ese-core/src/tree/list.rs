//! The list of all trees of a database: the fixed ones, then those that the catalog names (spec 05 sections 1 and 7).
//!
//! It takes no page twice: of two rows with the same id or the same root the first counts, and the list says which were
//! left out. It reads no page and judges nothing.

use std::collections::HashMap;

use crate::catalog::{Catalog, CatalogSource, RowPlace};
use crate::finding::Object;
use crate::format::catalog::{
    DATABASE_TREE, FixedTree, MSYS_OBJECTS, MSYS_OBJECTS_NAME, MSYS_OBJECTS_ROOTS, MSYS_OBJECTS_SHADOW,
};
use crate::format::{IndexFlags, Objid, Pgno};

/// What findings call the tree of a table's rows.
const NAME_DATA: &str = "data";
/// What findings call the tree of a table's long values.
const NAME_LONG_VALUES: &str = "LV";

/// What a tree holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TreeKind {
    /// Nothing: the root of the database, which owns all space.
    Database,
    /// The rows of a table.
    Data,
    /// The entries of a secondary index.
    Index,
    /// The long values of a table.
    LongValue,
}

/// A tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeInfo {
    /// Its id.
    pub objid: Objid,
    /// Its root.
    pub root: Pgno,
    /// Root of the tree that its space was cut from; none for the database.
    pub parent: Pgno,
    /// What it holds.
    pub kind: TreeKind,
    /// Its table, as a place in `Schema::tables`; `None` if the catalog has no row of it.
    pub table: Option<usize>,
    /// Its index, as a place in `Table::indexes`.
    pub index: Option<usize>,
    /// True if no two entries have the same key.
    pub unique: bool,
    /// Name of the table; `None` for the database.
    pub table_name: Option<String>,
    /// Which tree of the table: `data`, the name of the index, `LV`.
    pub name: String,
}

impl TreeInfo {
    fn fixed(tree: FixedTree, kind: TreeKind, parent: Pgno) -> TreeInfo {
        let (table_name, name) = match kind {
            TreeKind::Database => (None, tree.name),
            TreeKind::Index => (Some(MSYS_OBJECTS.name.to_owned()), tree.name),
            TreeKind::Data | TreeKind::LongValue => (Some(tree.name.to_owned()), NAME_DATA),
        };
        TreeInfo {
            objid: tree.objid,
            root: tree.root,
            parent,
            kind,
            table: None,
            index: None,
            unique: true,
            table_name,
            name: name.to_owned(),
        }
    }

    /// The tree as findings name it.
    #[must_use]
    pub fn object(&self) -> Object {
        Object { objid: self.objid, table: self.table_name.clone(), tree: Some(self.name.clone()) }
    }

    /// `MSysObjects.Name`, as messages name it.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.table_name {
            Some(table) => format!("{table}.{} (objid {})", self.name, self.objid),
            None => format!("the {}", self.name),
        }
    }
}

/// A tree that the catalog names and that is on the list under another name already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// What its row says.
    pub tree: TreeInfo,
    /// Its row.
    pub place: RowPlace,
    /// The tree with the same id or the same root, as a place in [`TreeList::trees`].
    pub taken_by: usize,
}

/// All trees of a database, each once: parents before their children.
#[derive(Clone, Debug, Default)]
pub struct TreeList {
    trees: Vec<TreeInfo>,
    left_out: Vec<LeftOut>,
    by_objid: HashMap<Objid, usize>,
    by_root: HashMap<Pgno, usize>,
}

impl TreeList {
    /// The trees of the database with this catalog.
    #[must_use]
    pub fn of(catalog: &Catalog) -> TreeList {
        let mut list = TreeList::default();
        let tables = &catalog.schema.tables;
        let database = DATABASE_TREE.root;
        list.push(TreeInfo::fixed(DATABASE_TREE, TreeKind::Database, Pgno::NONE));
        list.push(TreeInfo::fixed(MSYS_OBJECTS, TreeKind::Data, database));
        for index in [MSYS_OBJECTS_NAME, MSYS_OBJECTS_ROOTS] {
            list.push(TreeInfo::fixed(index, TreeKind::Index, MSYS_OBJECTS.root));
        }
        // Some databases have no shadow, by design: a whole catalog says so.
        let is_whole = catalog.source == CatalogSource::Main && catalog.faults.is_empty();
        if !is_whole || tables.iter().any(|table| table.objid == MSYS_OBJECTS_SHADOW.objid) {
            list.push(TreeInfo::fixed(MSYS_OBJECTS_SHADOW, TreeKind::Data, database));
        }
        let fixed = list.trees.len();
        for (place, table) in tables.iter().enumerate() {
            let of_table = |objid, root, kind, name: &str| TreeInfo {
                objid,
                root,
                parent: if kind == TreeKind::Data { database } else { table.root },
                kind,
                table: Some(place),
                index: None,
                unique: true,
                table_name: Some(table.name.clone()),
                name: name.to_owned(),
            };
            list.add(of_table(table.objid, table.root, TreeKind::Data, NAME_DATA), table.place, fixed);
            for (position, index) in table.indexes.iter().enumerate().filter(|(_, index)| !index.is_primary()) {
                let mut tree = of_table(index.objid, index.root, TreeKind::Index, &index.name);
                tree.index = Some(position);
                tree.unique = index.flags.contains(IndexFlags::UNIQUE);
                list.add(tree, index.place, fixed);
            }
            if let Some(values) = &table.long_values {
                list.add(
                    of_table(values.objid, values.root, TreeKind::LongValue, NAME_LONG_VALUES),
                    values.place,
                    fixed,
                );
            }
        }
        list
    }

    /// Adds what a row of the catalog names. The first `fixed` trees are there whatever the catalog says; their own rows
    /// only tell where in the schema they are.
    fn add(&mut self, tree: TreeInfo, place: RowPlace, fixed: usize) {
        let (same_objid, same_root) = (self.by_objid.get(&tree.objid), self.by_root.get(&tree.root));
        let Some(taken_by) = same_objid.or(same_root).copied() else { return self.push(tree) };
        let is_same = same_objid == same_root;
        match self.trees.get_mut(taken_by) {
            Some(known) if is_same && taken_by < fixed && known.table.is_none() && known.kind == tree.kind => {
                (known.table, known.index) = (tree.table, tree.index);
            }
            _ => self.left_out.push(LeftOut { tree, place, taken_by }),
        }
    }

    fn push(&mut self, tree: TreeInfo) {
        self.by_objid.insert(tree.objid, self.trees.len());
        self.by_root.insert(tree.root, self.trees.len());
        self.trees.push(tree);
    }

    /// The trees, parents before their children; the first is the database.
    #[must_use]
    pub fn trees(&self) -> &[TreeInfo] {
        &self.trees
    }

    /// What the catalog names and is not on the list, in the order of the catalog.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The tree with this id, as a place in [`TreeList::trees`].
    #[must_use]
    pub fn by_objid(&self, objid: Objid) -> Option<usize> {
        self.by_objid.get(&objid).copied()
    }

    /// The tree with this root, as a place in [`TreeList::trees`].
    #[must_use]
    pub fn by_root(&self, root: Pgno) -> Option<usize> {
        self.by_root.get(&root).copied()
    }

    /// The tree that the space of `tree` was cut from; both are places in [`TreeList::trees`].
    #[must_use]
    pub fn parent_of(&self, tree: usize) -> Option<usize> {
        self.by_root(self.trees.get(tree)?.parent).filter(|parent| *parent < tree)
    }

    /// Steps from the database down to `tree`: 0 for the database, 1 for tables, 2 for their other trees.
    #[must_use]
    pub fn depth_of(&self, tree: usize) -> usize {
        match self.trees.get(tree).map(|tree| tree.kind) {
            Some(TreeKind::Database) | None => 0,
            Some(TreeKind::Data) => 1,
            Some(TreeKind::Index | TreeKind::LongValue) => 2,
        }
    }

    /// True if `tree` is `ancestor` or one of the trees below it.
    #[must_use]
    pub fn is_within(&self, tree: usize, ancestor: usize) -> bool {
        let mut at = Some(tree);
        while let Some(here) = at {
            if here == ancestor {
                return true;
            }
            at = self.parent_of(here);
        }
        false
    }
}
