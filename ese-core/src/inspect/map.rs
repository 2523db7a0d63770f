//! Which trees a database has, by any of their names, and which pages are whose.

use crate::catalog::{Catalog, bootstrap_layout};
use crate::format::catalog::{MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};
use crate::format::{Objid, Page, PageFlags, Pgno};
use crate::record::TableLayout;
use crate::source::Pages;
use crate::tree::{Ownership, Space, TreeInfo, TreeKind, TreeList, TrustedPages};

use super::node::Contents;

/// Catalog, trees, and space of a database.
pub struct DatabaseMap<'s> {
    /// Its pages.
    pub pages: Pages<'s>,
    /// Its catalog.
    pub catalog: Catalog,
    /// Its trees.
    pub list: TreeList,
    /// What they own.
    pub space: Space,
    /// Who owns each page.
    pub ownership: Ownership,
}

/// What a page is used for, as far as space trees say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageUse {
    /// A tree owns it and does not list it as free.
    Used,
    /// Free in the tree that owns it, or kept for a split of its space trees.
    Free,
    /// No tree owns it.
    Unowned,
    /// It lies behind all that the database owns.
    Slack,
}

/// How many pages a tree has, the trees below it not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TreeUse {
    /// Pages that are its own and not free.
    pub used: u64,
    /// Pages that are free in it.
    pub free: u64,
}

/// How the pages of a file are used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UseOfPages {
    /// By the places of the trees in [`TreeList::trees`].
    pub trees: Vec<TreeUse>,
    /// Pages that no tree owns, before the end of the database.
    pub unowned: u64,
    /// Pages behind it.
    pub slack: u64,
}

impl<'s> DatabaseMap<'s> {
    /// Reads catalog and space trees of the database in `pages`.
    #[must_use]
    pub fn read(pages: Pages<'s>) -> DatabaseMap<'s> {
        let catalog = Catalog::read(pages);
        let list = TreeList::of(&catalog);
        let space = Space::read(pages, &list);
        let ownership = Ownership::new(pages, &list, &space);
        DatabaseMap { pages, catalog, list, space, ownership }
    }

    /// The place in [`TreeList::trees`] of the tree with this name: `table`, `table.index`, `table.LV`, or `database`.
    /// Upper and lower case are the same.
    #[must_use]
    pub fn tree_by_name(&self, name: &str) -> Option<usize> {
        let is_named = |tree: &TreeInfo| match &tree.table_name {
            None => tree.name.eq_ignore_ascii_case(name),
            Some(table) => {
                let rest = name.get(table.len()..).filter(|_| name[..table.len()].eq_ignore_ascii_case(table));
                rest.is_some_and(|rest| match rest.strip_prefix('.') {
                    Some(rest) => rest.eq_ignore_ascii_case(&tree.name) || self.is_primary_index(tree, rest),
                    None => rest.is_empty() && tree.kind == TreeKind::Data,
                })
            }
        };
        self.list.trees().iter().position(is_named)
    }

    fn is_primary_index(&self, tree: &TreeInfo, name: &str) -> bool {
        let table = tree.table.and_then(|place| self.catalog.schema.tables.get(place));
        let primary = table.filter(|_| tree.kind == TreeKind::Data).and_then(|table| table.primary_index());
        primary.is_some_and(|index| index.name.eq_ignore_ascii_case(name))
    }

    /// True if `pgno` is a page with the flag of a root: of a tree that the catalog does not name, or of a space tree.
    #[must_use]
    pub fn is_root(&self, pgno: Pgno) -> bool {
        TrustedPages::new(self.pages).get(pgno).is_ok_and(|page| page.flags().contains(PageFlags::ROOT))
    }

    /// What the space trees say of `pgno`.
    #[must_use]
    pub fn use_of(&self, pgno: Pgno) -> PageUse {
        match self.ownership.owner(pgno) {
            Some(_) if self.ownership.is_available(pgno) => PageUse::Free,
            Some(_) => PageUse::Used,
            None if self.ownership.last_owned().is_some_and(|last| pgno > last) => PageUse::Slack,
            None => PageUse::Unowned,
        }
    }

    /// How all pages of the file are used.
    #[must_use]
    pub fn use_of_pages(&self) -> UseOfPages {
        let mut found = UseOfPages { trees: vec![TreeUse::default(); self.list.trees().len()], ..Default::default() };
        for pgno in (1..=self.pages.last().0).map(Pgno) {
            let owner = self.ownership.owner(pgno).and_then(|owner| found.trees.get_mut(owner));
            match (self.use_of(pgno), owner) {
                (PageUse::Used, Some(tree)) => tree.used += 1,
                (PageUse::Free, Some(tree)) => tree.free += 1,
                (PageUse::Slack, _) => found.slack += 1,
                _ => found.unowned += 1,
            }
        }
        found
    }

    /// The columns of the records in the tree `objid`; `None` if the catalog does not know the table.
    #[must_use]
    pub fn layout_of(&self, objid: Objid) -> Option<&TableLayout> {
        if [MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&objid) {
            return Some(bootstrap_layout());
        }
        self.catalog.schema.table_by_objid(objid).map(|table| &table.layout)
    }

    /// What the nodes of `page` are, by its own flags and id: those of another tree that they lead to are not asked.
    #[must_use]
    pub fn contents(&self, page: Page<'_>) -> Contents<'_> {
        let flags = page.flags();
        if flags.contains(PageFlags::SPACE_TREE) {
            Contents::Extents
        } else if flags.contains(PageFlags::LONG_VALUE) {
            Contents::LongValues
        } else if flags.contains(PageFlags::INDEX) {
            Contents::Entries
        } else {
            Contents::Records(self.layout_of(page.objid()))
        }
    }
}
