//! Writes a database tree by tree: tables as they come, then the catalogs, the database's own trees and the header.
//!
//! It never goes back to a page that is written, and holds nothing of a table but its catalog entry, so that it serves
//! a file of any size. Spec 18 section 1; fixed places from 04 section 1 and 05 section 1.

use ese_core::format::PageSize;

use super::catalog_rows::{CatalogRow, TableEntry, catalogs, rows_of};
use super::contents::{Contents, Entries, Push};
use super::layout::{Tree, TreeKind};
use super::space_builder::{Holding, Pages, Space, count, write_with_space};
use super::spec::{TableSpec, UNIQUE};
use super::store::{NoSink, Store};
use super::tree_builder::{INDEX, KeyPrefix, LONG_VALUE, NON_UNIQUE, Supply, TreeBody, TreeBuilder, TreeShape};

/// The smallest extent that a tree is given later.
const GROWTH_LEAST: u32 = 4;
/// Columns of the catalog's indexes `Id`, `Name`, `RootObjects`.
const BY_ID: [u16; 3] = [1, 2, 3];
const BY_NAME: [u16; 3] = [1, 2, 128];
const BY_ROOT: [u16; 2] = [8, 128];

/// Whether the second catalog has rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shadow {
    /// All of the first one's.
    Full,
    /// None, as in a real file with shadowing off.
    Empty,
}

/// Free space of leaves: what is there for damages that add something, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leaves {
    /// A sixteenth of each leaf is left free where that is possible.
    Roomy,
    /// Filled to the last byte.
    Full,
}

/// Object ids of a table's trees.
#[derive(Clone, Debug)]
pub(crate) struct Objids {
    pub(crate) table: u32,
    pub(crate) indexes: Vec<u32>,
    pub(crate) long_values: Option<u32>,
}

/// A database under construction.
pub(crate) struct Writer<'s> {
    pub(crate) store: Store<'s>,
    pub(crate) trees: Vec<Tree>,
    pub(crate) objid_last: u32,
    entries: Vec<TableEntry>,
    leaves: Leaves,
}

/// A tree that is open until its children have their space.
struct Open {
    root: u32,
    parent: u32,
    space: Space,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(mut store: Store<'s>, leaves: Leaves) -> Writer<'s> {
        // Database root, its space trees, MSysObjects, MSysObjectsShadow.
        store.next = 24 + shadow_pages(store.size);
        Writer { store, trees: Vec::new(), objid_last: 5, entries: Vec::new(), leaves }
    }

    /// Takes the object ids of a table's trees.
    pub(crate) fn objids(&mut self, spec: &TableSpec, contents: &dyn Contents) -> Objids {
        let mut next = || {
            self.objid_last += 1;
            self.objid_last
        };
        Objids {
            table: next(),
            indexes: spec.indexes.iter().map(|_| next()).collect(),
            long_values: contents.has_long_values().then(next),
        }
    }

    /// Writes the trees of a table.
    pub(crate) fn table(&mut self, spec: &TableSpec, objids: &Objids, contents: &dyn Contents) {
        let open = self.open(1, spec.space);
        let body = self.body(self.shape(spec, objids.table, 0), &|push| contents.rows(push));
        let mut indexes = Vec::new();
        for (i, (index, objid)) in spec.indexes.iter().zip(&objids.indexes).enumerate() {
            let unique = if index.flags & UNIQUE == 0 { NON_UNIQUE } else { 0 };
            let child = self.open(open.root, spec.space);
            indexes.push((*objid, child.root));
            let body = self.body(self.shape(spec, *objid, INDEX | unique), &|push| contents.entries(i, push));
            self.close(child, &body, spec.spare, TreeKind::Index, format!("{}/{}", spec.name, index.name));
        }
        let long_values = objids.long_values.map(|objid| {
            let child = self.open(open.root, spec.space);
            let place = (objid, child.root);
            let shape = TreeShape { reserve: 0, ..self.shape(spec, objid, LONG_VALUE) };
            let body = self.body(shape, &|push| contents.long_values(push));
            self.close(child, &body, spec.spare, TreeKind::LongValue, format!("{}/LV", spec.name));
            place
        });
        let table = (objids.table, open.root);
        self.close(open, &body, spec.spare, TreeKind::Table, spec.name.clone());
        let spec = TableSpec { rows: Vec::new(), ..spec.clone() };
        self.entries.push(TableEntry { spec, table, indexes, long_values, initial_pages: 0 });
    }

    fn shape(&self, spec: &TableSpec, objid: u32, kind: u32) -> TreeShape {
        TreeShape { objid, kind, prefix: spec.prefix, max_nodes: spec.max_nodes, reserve: self.reserve() }
    }

    fn reserve(&self) -> usize {
        match self.leaves {
            Leaves::Roomy => self.store.size.bytes() / 16,
            Leaves::Full => 0,
        }
    }

    fn open(&mut self, parent: u32, space: Space) -> Open {
        Open { root: self.store.take(space.roots()), parent, space }
    }

    /// Writes the pages of a tree below its root.
    fn body(&mut self, shape: TreeShape, entries: Entries<'_>) -> TreeBody {
        build(&mut self.store, shape, Supply::Next, entries)
    }

    /// Gives an open tree its space: everything since it was opened, and `spare` pages more.
    fn close(&mut self, open: Open, body: &TreeBody, spare: u32, kind: TreeKind, name: String) {
        let first_free = self.store.take(spare);
        let end = self.store.next - 1;
        let free = if spare > 0 { vec![first_free..=end] } else { Vec::new() };
        let holding = Holding { root: open.root, parent: open.parent, owned: vec![open.root..=end], free };
        self.write_root(body, holding, open.space, kind, name);
    }

    fn write_root(&mut self, body: &TreeBody, holding: Holding, space: Space, kind: TreeKind, name: String) {
        write_with_space(&mut self.store, body, &holding, space);
        self.trees.push(Tree::new(name, kind, body, holding, space));
    }

    /// Writes both catalogs and the trees of the database; the number of the last page it owns.
    pub(crate) fn finish(&mut self, shadow: Shadow, free: u32) -> u32 {
        let rows = self.catalog_rows();
        self.write_catalogs(&rows, shadow);
        let used = self.store.next - 1;
        let last = used + free;
        let free = if free > 0 { vec![used + 1..=last] } else { Vec::new() };
        let body = self.body(self.catalog_shape(1, 0), &|_| {});
        let holding = Holding { root: 1, parent: 0, owned: vec![1..=last], free };
        self.write_root(&body, holding, Space::Multiple, TreeKind::Database, "database".to_owned());
        last
    }

    fn catalog_rows(&mut self) -> Vec<CatalogRow> {
        let own = catalogs(shadow_pages(self.store.size));
        self.entries.sort_by_key(|entry| entry.table.0);
        own.iter().chain(&self.entries).flat_map(rows_of).collect()
    }

    fn catalog_shape(&self, objid: u32, kind: u32) -> TreeShape {
        let (prefix, max_nodes) = (KeyPrefix::Whole, usize::MAX);
        TreeShape { objid, kind, prefix, max_nodes, reserve: self.reserve() }
    }

    fn write_catalogs(&mut self, rows: &[CatalogRow], shadow: Shadow) {
        let size = self.store.size;
        let by = |columns: &[u16]| {
            let key = |row: &CatalogRow| row.key(columns);
            let mut entries: Vec<_> =
                rows.iter().filter_map(|row| Some((key(row)?, row.key(&BY_ID).unwrap_or_default()))).collect();
            entries.sort();
            entries
        };
        let records: Vec<_> = rows.iter().map(|row| (row.key(&BY_ID).unwrap_or_default(), row.encode(size))).collect();
        let shadow_records = if shadow == Shadow::Full { records.clone() } else { Vec::new() };
        let last_of_shadow = 23 + shadow_pages(size);

        let shape = self.catalog_shape(4, INDEX);
        let more_name = self.catalog_tree("MSysObjects/Name", shape, &by(&BY_NAME), 4, vec![7..=9, 16..=18]);
        let shape = self.catalog_shape(5, INDEX);
        let more_root = self.catalog_tree("MSysObjects/RootObjects", shape, &by(&BY_ROOT), 4, vec![10..=12]);
        let shape = self.catalog_shape(3, 0);
        self.catalog_tree("MSysObjectsShadow", shape, &shadow_records, 1, vec![24..=last_of_shadow]);
        let mut owned = vec![4..=23];
        owned.extend(more_name.into_iter().chain(more_root));
        let shape = self.catalog_shape(2, 0);
        self.catalog_tree("MSysObjects", shape, &records, 1, owned);
    }

    /// Writes a tree of the catalog whose root begins the first of `owned`; the extent it needed more, if any.
    fn catalog_tree(
        &mut self,
        name: &str,
        shape: TreeShape,
        entries: &[(Vec<u8>, Vec<u8>)],
        parent: u32,
        mut owned: Vec<Pages>,
    ) -> Option<Pages> {
        let root = *owned[0].start();
        let push_all = |push: Push<'_>| entries.iter().for_each(|(key, data)| push(key, data));
        let needed = self.count_pages(shape, &push_all);
        let others = if shape.objid == 2 { children_of_catalog(&owned) } else { Vec::new() };
        let mut pages: Vec<u32> = owned.iter().cloned().flatten().filter(|pgno| *pgno > root + 2).collect();
        pages.retain(|pgno| !others.contains(pgno));
        let mut more = None;
        if needed > pages.len() {
            let missing = u32::try_from(needed - pages.len()).expect("few pages").max(GROWTH_LEAST);
            let first = self.store.take(missing);
            let extent = first..=first + missing - 1;
            pages.extend(extent.clone());
            owned.push(extent.clone());
            more = Some(extent);
        }
        owned.sort_by_key(|extent| *extent.end());
        let free = runs(&pages[needed..]);
        let body = build(&mut self.store, shape, Supply::Listed(pages.into_iter()), &push_all);
        let kind = if shape.kind == 0 { TreeKind::Table } else { TreeKind::Index };
        self.write_root(&body, Holding { root, parent, owned, free }, Space::Multiple, kind, name.to_owned());
        more
    }

    /// Pages below the root that a tree will take.
    fn count_pages(&self, shape: TreeShape, entries: Entries<'_>) -> usize {
        let mut nowhere = NoSink;
        let mut store = Store::new(self.store.size, self.store.format, self.store.sums, &mut nowhere);
        build(&mut store, shape, Supply::Next, entries).pages_below()
    }
}

fn build(store: &mut Store<'_>, shape: TreeShape, supply: Supply, entries: Entries<'_>) -> TreeBody {
    let mut tree = TreeBuilder::new(store, shape, supply);
    entries(&mut |key, data| tree.push(store, 0, key, data));
    tree.finish(store)
}

/// Pages of the catalog's first extents that belong to its indexes, and the extents behind that are theirs whole.
fn children_of_catalog(owned: &[Pages]) -> Vec<u32> {
    let fixed = (7..=12).chain(16..=18);
    fixed.chain(owned[1..].iter().cloned().flatten()).collect()
}

/// Pages of the shadow's first extent.
fn shadow_pages(size: PageSize) -> u32 {
    if size == PageSize::K2 { 6 } else { 5 }
}

/// Ascending page numbers as extents.
fn runs(pages: &[u32]) -> Vec<Pages> {
    let mut runs: Vec<Pages> = Vec::new();
    for pgno in pages {
        match runs.last_mut() {
            Some(run) if *run.end() + 1 == *pgno => *run = *run.start()..=*pgno,
            _ => runs.push(*pgno..=*pgno),
        }
    }
    debug_assert_eq!(runs.iter().map(count).sum::<u32>() as usize, pages.len());
    runs
}
