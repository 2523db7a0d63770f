//! The indexes of one table, prepared for making keys: shared by all threads that work on the table (spec 08 section 1).
//!
//! An index whose definition allows no keys is left out and named; `check::catalog` reports its row (I1). The catalog
//! itself has the indexes that stand in `format::catalog`, whatever its own rows say of them (spec 08 section 5,
//! exception c).

use crate::catalog::{CODE_PAGE, Index, IndexFault, RowPlace, Table, bootstrap_layout};
use crate::format::catalog::{
    CatalogKey, FixedTree, KEY_ID, KEY_NAME, KEY_ROOTS, MSYS_OBJECTS, MSYS_OBJECTS_NAME, MSYS_OBJECTS_ROOTS,
    MSYS_OBJECTS_SHADOW,
};
use crate::format::{ColumnFlags, IndexFlags, KeyField, LC_MAP_DEFAULT, LcMapFlags, Objid, Pgno, SegmentFlags};
use crate::key::{ColumnRef, IndexDefinition, IndexKey, KeyColumn, Segment};
use crate::record::{Origin, TableLayout};

use super::sum::EntryHasher;

/// How the Unicode text of an index became bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collation {
    /// There is none.
    None,
    /// Windows' sort keys with the usual flags: five parts.
    FiveParts,
    /// Windows' sort keys with other flags.
    SortKey,
    /// No sort keys: nothing is known of the bytes.
    Other,
}

/// An index that keys can be made for.
#[derive(Clone, Debug)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// Id of its tree.
    pub objid: Objid,
    /// Root of its tree.
    pub root: Pgno,
    /// How keys are made.
    pub key: IndexKey,
    /// How text became bytes.
    pub collation: Collation,
    /// Version of the sort tables that its catalog row names, as it is stored.
    pub version: Option<Vec<u8>>,
    /// Its row in the catalog; that of the table for the indexes of the catalog itself.
    pub place: Option<RowPlace>,
}

impl TableIndex {
    fn new(index: &Index, layout: &TableLayout) -> Result<TableIndex, IndexFault> {
        let key = index.key(layout)?;
        let lc_map = LcMapFlags::from_bits_retain(index.lc_map_flags.unwrap_or(LC_MAP_DEFAULT.bits()));
        let collation = match key.has_unicode() {
            false => Collation::None,
            true if lc_map == LC_MAP_DEFAULT => Collation::FiveParts,
            true if lc_map.contains(LcMapFlags::SORT_KEY) => Collation::SortKey,
            true => Collation::Other,
        };
        Ok(TableIndex {
            name: index.name.clone(),
            objid: index.objid,
            root: index.root,
            key,
            collation,
            version: index.version.clone(),
            place: Some(index.place),
        })
    }

    /// True if the key alone identifies an entry.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.key.flags().contains(IndexFlags::UNIQUE) && !self.key.flags().contains(IndexFlags::OPTIONALLY_UNIQUE)
    }

    /// True for the index that is the table itself.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.key.flags().contains(IndexFlags::PRIMARY)
    }

    /// True if the engine has not entered all rows yet (I14).
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.key.flags().contains(IndexFlags::DEFERRED_POPULATE)
    }

    /// True if some segment is Unicode text, whose bytes cannot be computed.
    #[must_use]
    pub fn has_unicode(&self) -> bool {
        self.collation != Collation::None
    }
}

/// How the key of a row comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Primary {
    /// By the index at this place of [`TableKeys::indexes`].
    Index(usize),
    /// Rows are numbered.
    Numbers,
    /// By an index that allows no keys.
    Unknown,
}

/// An index that is left out.
#[derive(Clone, Debug)]
pub struct DefinitionProblem {
    /// Its name.
    pub name: String,
    /// Its objid.
    pub objid: Objid,
    /// Why.
    pub fault: IndexFault,
}

/// The keys of one table.
#[derive(Clone, Debug)]
pub struct TableKeys<'t> {
    /// Id of the table.
    pub objid: Objid,
    /// Its name.
    pub name: String,
    /// Root of its tree.
    pub root: Pgno,
    pub(super) layout: &'t TableLayout,
    pub(super) hasher: EntryHasher,
    indexes: Vec<TableIndex>,
    primary: Primary,
    problems: Vec<DefinitionProblem>,
}

impl<'t> TableKeys<'t> {
    /// The keys of `table`.
    #[must_use]
    pub fn new(table: &'t Table) -> TableKeys<'t> {
        for fixed in [MSYS_OBJECTS, MSYS_OBJECTS_SHADOW] {
            if table.objid == fixed.objid {
                return TableKeys::of_catalog(fixed, Some(table.place));
            }
        }
        let mut keys = TableKeys::without_indexes(table.objid, table.name.clone(), table.root, &table.layout);
        for index in &table.indexes {
            match TableIndex::new(index, &table.layout) {
                Ok(index) => keys.add(index),
                Err(fault) => {
                    if index.is_primary() {
                        keys.primary = Primary::Unknown;
                    }
                    keys.problems.push(DefinitionProblem { name: index.name.clone(), objid: index.objid, fault });
                }
            }
        }
        keys
    }

    /// The keys of MSysObjects or its shadow, `tree`, as they are in every database; `place` is its row in the catalog.
    #[must_use]
    pub fn of_catalog(tree: FixedTree, place: Option<RowPlace>) -> TableKeys<'static> {
        let mut keys = TableKeys::without_indexes(tree.objid, tree.name.to_owned(), tree.root, bootstrap_layout());
        let id = FixedTree { name: "Id", ..tree };
        let mut all = vec![(id, KEY_ID, IndexFlags::PRIMARY)];
        if tree == MSYS_OBJECTS {
            all.push((MSYS_OBJECTS_NAME, KEY_NAME, IndexFlags::empty()));
            all.push((MSYS_OBJECTS_ROOTS, KEY_ROOTS, IndexFlags::empty()));
        }
        for (tree, segments, flags) in all {
            if let Some(key) = catalog_key(segments, flags | IndexFlags::UNIQUE) {
                keys.add(TableIndex {
                    name: tree.name.to_owned(),
                    objid: tree.objid,
                    root: tree.root,
                    key,
                    collation: Collation::None,
                    version: None,
                    place,
                });
            }
        }
        keys
    }

    fn without_indexes(objid: Objid, name: String, root: Pgno, layout: &TableLayout) -> TableKeys<'_> {
        TableKeys {
            objid,
            name,
            root,
            layout,
            hasher: EntryHasher::new(),
            indexes: Vec::new(),
            primary: Primary::Numbers,
            problems: Vec::new(),
        }
    }

    fn add(&mut self, index: TableIndex) {
        if index.is_primary() && self.primary == Primary::Numbers {
            self.primary = Primary::Index(self.indexes.len());
        }
        self.indexes.push(index);
    }

    /// All indexes that keys can be made for, the primary one too. Their places in this list are their numbers.
    #[must_use]
    pub fn indexes(&self) -> &[TableIndex] {
        &self.indexes
    }

    /// The number of the index whose tree has this id; none for the primary index and for those left out.
    #[must_use]
    pub fn number_of(&self, objid: Objid) -> Option<usize> {
        self.indexes.iter().position(|index| index.objid == objid && !index.is_primary())
    }

    /// How the keys of rows come about.
    #[must_use]
    pub fn primary(&self) -> Primary {
        self.primary
    }

    /// The indexes that are left out (I1).
    #[must_use]
    pub fn problems(&self) -> &[DefinitionProblem] {
        &self.problems
    }
}

/// The key over these columns of the catalog.
fn catalog_key(columns: &CatalogKey, flags: IndexFlags) -> Option<IndexKey> {
    let segments = columns.iter().map(|column| {
        let place = bootstrap_layout().place_of(column.id, Origin::Own)?;
        let field = KeyField { column_id: column.id, flags: SegmentFlags::empty() };
        let column = KeyColumn {
            column: ColumnRef(place),
            column_type: column.column_type,
            code_page: CODE_PAGE,
            flags: ColumnFlags::empty(),
        };
        Segment::new(field, column, flags).ok()
    });
    let definition = IndexDefinition {
        flags,
        key_most: None,
        var_seg_mac: None,
        segments: segments.collect::<Option<_>>()?,
        conditions: Vec::new(),
        tuple: None,
    };
    IndexKey::new(definition).ok()
}
