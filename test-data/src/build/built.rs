//! A database that was built, and the ways to damage it.
//!
//! Every damage leaves checksums right, so that only the check it is meant for can see it; damages of checksums are in
//! `crate::database`. Offsets from spec 02 section 2 and 01.

use ese_core::format::PageSize;

use super::catalog_rows::{CatalogRow, RowKind};
use super::layout::Tree;
use super::page_image::{Node, PageImage};
use super::space_builder::Pages;
use crate::database;

/// Which catalog a change goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Catalog {
    /// MSysObjects alone.
    Main,
    /// MSysObjectsShadow alone.
    Shadow,
    /// Both, so that they stay equal.
    Both,
}

/// Where a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Page, 1-based.
    pub pgno: u32,
    /// Line on it, from 1.
    pub line: usize,
}

/// A database, and where its parts are.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its page size.
    pub size: PageSize,
    /// All trees, children before their table, the database last.
    pub trees: Vec<Tree>,
    /// The last page that the database owns.
    pub last: u32,
}

impl Built {
    pub(crate) fn new(size: PageSize, trees: Vec<Tree>, last: u32, bytes: Vec<u8>) -> Built {
        Built { bytes, size, trees, last }
    }

    /// The tree `name`: `TABLE`, `TABLE/INDEX`, `TABLE/LV`, `MSysObjects/Name` or `database`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn tree(&self, name: &str) -> &Tree {
        self.trees.iter().find(|tree| tree.name == name).unwrap_or_else(|| missing(name))
    }

    /// Page `pgno` taken apart.
    #[must_use]
    pub fn page(&self, pgno: u32) -> PageImage {
        PageImage::read(database::page(&self.bytes, self.size, pgno), self.size)
    }

    /// Takes page `pgno` apart, changes it, and puts it together again.
    pub fn edit_page(&mut self, pgno: u32, change: impl FnOnce(&mut PageImage)) {
        let mut image = self.page(pgno);
        change(&mut image);
        let bytes = image.write(self.size, pgno);
        database::page_mut(&mut self.bytes, self.size, pgno).copy_from_slice(&bytes);
    }

    /// Changes a node.
    pub fn edit_node(&mut self, place: Place, change: impl FnOnce(&mut Node)) {
        self.edit_page(place.pgno, |page| change(&mut page.nodes[place.line - 1]));
    }

    /// Changes the raw bytes of page `pgno`: header fields, tags, tag 0.
    pub fn patch(&mut self, pgno: u32, change: impl FnOnce(&mut [u8])) {
        database::patch_page(&mut self.bytes, self.size, pgno, change);
    }

    /// Sets size and offset word of tag `tag` of page `pgno`, flags in them included.
    pub fn set_tag(&mut self, pgno: u32, tag: usize, size: u16, offset: u16) {
        self.patch(pgno, |page| {
            let at = page.len() - 4 * (tag + 1);
            page[at..at + 2].copy_from_slice(&size.to_le_bytes());
            page[at + 2..at + 4].copy_from_slice(&offset.to_le_bytes());
        });
    }

    /// Changes the space header of a root: four words, the last one OE root or bit map.
    pub fn edit_space_header(&mut self, root: u32, change: impl FnOnce(&mut [u32; 4])) {
        self.edit_page(root, |page| {
            let mut words = [0; 4];
            for (word, bytes) in words.iter_mut().zip(page.tag0.chunks_exact(4)) {
                *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
            change(&mut words);
            page.tag0 = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        });
    }

    /// Sets the extents of a space tree, whose root is `root`.
    pub fn set_extents(&mut self, root: u32, extents: &[Pages]) {
        self.edit_page(root, |page| {
            page.nodes = extents.iter().map(extent_node).collect();
        });
    }

    /// Changes both copies of the header.
    pub fn patch_header(&mut self, change: impl Fn(&mut [u8])) {
        for copy in 0..2 {
            let slot = &mut self.bytes[copy * self.size.bytes()..][..self.size.bytes()];
            change(slot);
            database::seal_header(slot);
        }
    }

    /// The nodes of the tree `name` in key order, with their places.
    #[must_use]
    pub fn nodes(&self, name: &str) -> Vec<(Place, Node)> {
        let leaves = self.tree(name).leaves.iter().copied();
        let on_page = |pgno| {
            let nodes = self.page(pgno).nodes.into_iter().zip(1..);
            nodes.map(move |(node, line)| (Place { pgno, line }, node))
        };
        leaves.flat_map(on_page).collect()
    }

    /// Where the node with `key` is in the tree `name`.
    #[must_use]
    pub fn find(&self, name: &str, key: &[u8]) -> Option<Place> {
        self.nodes(name).into_iter().find(|(_, node)| node.key == key).map(|(place, _)| place)
    }

    /// Changes the catalog row `name` of `table` and of `kind`. Its key and the catalog's indexes stay as they are.
    ///
    /// # Panics
    /// If there is no such row, or the page has no room for what was added.
    pub fn edit_catalog(
        &mut self,
        catalog: Catalog,
        table: &str,
        kind: RowKind,
        name: &str,
        change: impl Fn(&mut CatalogRow),
    ) {
        for tree in catalogs(catalog) {
            let place = self.catalog_row(tree, table, kind, name);
            let size = self.size;
            self.edit_node(place, |node| {
                let mut row = CatalogRow::decode(&node.data, size);
                change(&mut row);
                node.data = row.encode(size);
            });
        }
    }

    /// Removes a catalog row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn remove_catalog_row(&mut self, catalog: Catalog, table: &str, kind: RowKind, name: &str) {
        for tree in catalogs(catalog) {
            let place = self.catalog_row(tree, table, kind, name);
            self.edit_page(place.pgno, |page| {
                page.nodes.remove(place.line - 1);
            });
        }
    }

    /// Where a catalog row is; `tree` is the name of the catalog.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn catalog_row(&self, tree: &str, table: &str, kind: RowKind, name: &str) -> Place {
        let objid = self.tree(table).objid.to_le_bytes();
        let kind = (kind as u16).to_le_bytes();
        let is_it = |row: &CatalogRow| {
            row.get(1) == Some(&objid[..]) && row.get(2) == Some(&kind[..]) && row.get(128) == Some(name.as_bytes())
        };
        let mut nodes = self.nodes(tree).into_iter();
        let found = nodes.find(|(_, node)| is_it(&CatalogRow::decode(&node.data, self.size)));
        found.map_or_else(|| missing(name), |(place, _)| place)
    }
}

fn catalogs(catalog: Catalog) -> &'static [&'static str] {
    match catalog {
        Catalog::Main => &["MSysObjects"],
        Catalog::Shadow => &["MSysObjectsShadow"],
        Catalog::Both => &["MSysObjects", "MSysObjectsShadow"],
    }
}

fn extent_node(extent: &Pages) -> Node {
    let count = extent.end() + 1 - extent.start();
    Node { flags: 0, prefix: 0, key: extent.end().to_be_bytes().to_vec(), data: count.to_le_bytes().to_vec() }
}

#[allow(clippy::panic)] // a test that cannot go on has to stop
fn missing<T>(name: &str) -> T {
    panic!("the database has no {name}")
}
