//! Damages of the trees of a table: rules T1 to T24 (spec 03 section 8).

use catdb_test_data::build::Place;
use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

/// The leaf that no parent names any more: its rows are what is lost.
const LEAKED: &[Code] = &[Code::SpaceLeaked];

const PREV: usize = 16;
const NEXT: usize = 20;
const DBTIME: usize = 8;
const OBJID: usize = 24;
const ROOT: u32 = 0x1;
const PARENT_OF_LEAF: u32 = 0x4;
const EMPTY: u32 = 0x8;
const INDEX: u32 = 0x40;
const NON_UNIQUE: u32 = 0x400;
const FDP_DELETED: u32 = 0x4_0000;
const LEVELS_MOST: usize = 16;

/// Line `line` of the first parent of leaves.
fn separator(base: &Base, line: usize) -> Place {
    Place { pgno: base.built.tree("Files").internal[0][0], line }
}

/// Makes line 2 of the first parent of leaves name `child`; where it does.
fn lead_astray(base: &mut Base, child: u32) -> u64 {
    let place = separator(base, 2);
    base.built.edit_node(place, |node| node.data = child.to_le_bytes().to_vec());
    base.data_at(place)
}

/// Internal pages in a row, each the only child of the one before, more than a tree has levels.
fn make_deep(base: &mut Base) -> u64 {
    let tree = base.built.tree("Files").clone();
    let mut chain = vec![tree.root];
    chain.extend(&tree.leaves[..LEVELS_MOST + 1]);
    for pair in chain.windows(2) {
        base.built.edit_page(pair[0], |page| {
            (page.prev, page.next, page.flags) = (0, 0, page.flags & !(0x2 | PARENT_OF_LEAF));
            page.nodes.truncate(1);
            page.nodes[0].key.clear();
            page.nodes[0].data = pair[1].to_le_bytes().to_vec();
        });
    }
    base.at(chain[LEVELS_MOST - 1], 0)
}

pub(super) const TABLE: &[Damage] = &[
    damage("a child behind the end of the file", Code::BtreePgno, "T1", |base| lead_astray(base, 0x0700_0000))
        .also(LEAKED),
    damage("a child that is page 0", Code::BtreePgno, "T1", |base| lead_astray(base, 0)).also(LEAKED),
    damage("a child that was there before", Code::BtreeShared, "T2", |base| {
        let first = base.leaf("Files", 0);
        lead_astray(base, first)
    })
    .also(LEAKED),
    damage("a child that is its own parent", Code::BtreeShared, "T2", |base| {
        let own = separator(base, 2).pgno;
        lead_astray(base, own)
    })
    .also(LEAKED),
    damage("a blank leaf", Code::PageBlankInUse, "T3", |base| {
        let leaf = base.leaf("Files", 7);
        base.blank(leaf)
    }),
    damage("a blank parent of leaves", Code::PageBlankInUse, "T3", |base| {
        let parent = separator(base, 1).pgno;
        base.blank(parent)
    })
    // Who its children were, nobody knows.
    .also(LEAKED),
    damage("a blank leaf of an index", Code::PageBlankInUse, "T3", |base| {
        let leaf = base.leaf("Files/by_name", 3);
        base.blank(leaf)
    }),
    damage("a blank leaf of long values", Code::PageBlankInUse, "T3", |base| {
        let leaf = base.leaf("Files/LV", 3);
        base.blank(leaf)
    }),
    damage("a leaf with the id of another tree", Code::BtreeObjid, "T4", |base| {
        let leaf = base.leaf("Files", 7);
        base.built.edit_page(leaf, |page| page.objid += 1);
        base.at(leaf, OBJID)
    }),
    damage("a child of another tree", Code::BtreeObjid, "T4", |base| {
        let other = base.leaf("Files/by_name", 2);
        lead_astray(base, other)
    })
    .also(LEAKED),
    damage("a leaf of the wrong kind", Code::BtreeKind, "T5", |base| {
        let leaf = base.leaf("Files", 7);
        base.flip_flags(leaf, INDEX)
    }),
    damage("a leaf that is not unique", Code::BtreeKind, "T6", |base| {
        let leaf = base.leaf("Files", 7);
        base.flip_flags(leaf, NON_UNIQUE)
    }),
    damage("a root that does not say so", Code::BtreeKind, "T7", |base| {
        let root = base.built.tree("Files").root;
        base.flip_flags(root, ROOT)
    }),
    damage("an empty leaf", Code::BtreeEmpty, "T8", |base| {
        let leaf = base.leaf("Files/by_name", 7);
        base.flip_flags(leaf, EMPTY)
    }),
    damage("a parent of leaves that does not say so", Code::BtreeKind, "T9", |base| {
        let parent = separator(base, 1).pgno;
        base.flip_flags(parent, PARENT_OF_LEAF)
    }),
    damage("more levels than a tree has", Code::BtreeDepth, "T10", make_deep).also(LEAKED),
    damage("a child number of three bytes", Code::BtreeSeparator, "T11", |base| {
        let place = separator(base, 2);
        base.built.edit_node(place, |node| node.data.truncate(3));
        base.data_at(place)
    })
    .also(LEAKED),
    damage("a last separator that is not the bound", Code::BtreeSeparator, "T13", |base| {
        let pgno = separator(base, 1).pgno;
        let place = Place { pgno, line: base.built.page(pgno).nodes.len() };
        base.built.edit_node(place, |node| *node.key.last_mut().unwrap() += 1);
        base.key_at(place)
    }),
    damage("a separator above the first key behind it", Code::BtreeBounds, "T14", |base| {
        let first = base.built.page(base.leaf("Files", 1)).nodes[0].key.clone();
        let place = separator(base, 1);
        base.built.edit_node(place, |node| node.key = [first, vec![0]].concat());
        base.key_at(Place { pgno: base.leaf("Files", 1), line: 1 })
    }),
    damage("a separator that is not above the last key before it", Code::BtreeBounds, "T15", |base| {
        let leaf = base.leaf("Files", 0);
        let line = base.built.page(leaf).nodes.len();
        let last = base.built.page(leaf).nodes[line - 1].key.clone();
        base.built.edit_node(separator(base, 1), |node| node.key = last);
        base.key_at(Place { pgno: leaf, line })
    }),
    damage("a wrong left sibling", Code::BtreeLink, "T17", |base| {
        let leaf = base.leaf("Files", 7);
        base.built.edit_page(leaf, |page| page.prev += 1);
        base.at(leaf, PREV)
    }),
    damage("a wrong right sibling", Code::BtreeLink, "T18", |base| {
        let leaf = base.leaf("Files/by_name", 7);
        base.built.edit_page(leaf, |page| page.next = 0);
        base.at(leaf, NEXT)
    }),
    damage("an internal page with a sibling", Code::BtreeLink, "T18", |base| {
        let parent = separator(base, 1).pgno;
        base.built.edit_page(parent, |page| page.next = 4);
        base.at(parent, NEXT)
    }),
    damage("a page newer than the header", Code::DbtimeBehind, "T19", |base| {
        let leaf = base.leaf("Files", 7);
        base.built.edit_page(leaf, |page| page.dbtime += 1 << 32);
        base.at(leaf, DBTIME)
    }),
    damage("a page without a dbtime", Code::DbtimeOdd, "T19", |base| {
        let leaf = base.leaf("Files", 7);
        base.built.edit_page(leaf, |page| page.dbtime = 0);
        base.at(leaf, DBTIME)
    }),
    damage("a separator flagged deleted", Code::BtreeSeparator, "T23", |base| {
        let place = separator(base, 2);
        base.built.edit_node(place, |node| node.flags = 2);
        base.flags_at(place)
    }),
    damage("a leaf of a deleted tree", Code::BtreeKind, "T24", |base| {
        let leaf = base.leaf("Files", 7);
        base.flip_flags(leaf, FDP_DELETED)
    }),
];
