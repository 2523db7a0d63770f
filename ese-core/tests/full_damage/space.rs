//! Space that does not add up: rules S1 to S11 (spec 04 section 5).

use catdb_test_data::build::{Pages, Place};
use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

fn oe(base: &Base) -> u32 {
    base.built.tree("Files").oe.unwrap()
}

/// Adds `extent` to a list of extents; where its number of pages stands.
fn add_extent(base: &mut Base, list: u32, extents: &[Pages], extent: Pages) -> u64 {
    let mut all = extents.to_vec();
    all.push(extent.clone());
    all.sort_by_key(|extent| *extent.end());
    base.built.set_extents(list, &all);
    let line = 1 + all.iter().position(|other| *other == extent).unwrap();
    base.data_at(Place { pgno: list, line })
}

pub(super) const TABLE: &[Damage] = &[
    damage("a root without a space header", Code::SpaceHeader, "S1", |base| {
        let root = base.built.tree("Small").root;
        base.built.edit_page(root, |page| page.tag0.truncate(7));
        base.at(root, base.tag0(root))
    }),
    damage("an extent of no pages", Code::SpaceExtent, "S4", |base| {
        let place = Place { pgno: oe(base), line: 1 };
        base.built.edit_node(place, |node| node.data = vec![0; 4]);
        base.data_at(place)
    }),
    damage("two extents that share pages", Code::SpaceOverlap, "S5", |base| {
        let tree = base.built.tree("Files").clone();
        let extent = tree.owned[0].start() + 2..=tree.owned[0].end() - 2;
        add_extent(base, tree.oe.unwrap(), &tree.owned, extent);
        // The second of the two in the order of the list.
        base.data_at(Place { pgno: tree.oe.unwrap(), line: 2 })
    }),
    damage("free pages that another tree owns", Code::SpaceAvailNotOwned, "S6", |base| {
        let other = base.built.tree("database").free[0].clone();
        let tree = base.built.tree("Files").clone();
        add_extent(base, tree.ae.unwrap(), &tree.free, other)
    }),
    damage("pages that two tables own", Code::SpaceOwnedTwice, "S7", |base| {
        let other = base.built.tree("Small").root;
        let tree = base.built.tree("Files").clone();
        add_extent(base, tree.oe.unwrap(), &tree.owned, other..=other)
    }),
    damage("a leaf that is listed as free", Code::SpaceUsedPageFree, "S8", |base| {
        let leaf = base.leaf("Files", 7);
        let tree = base.built.tree("Files").clone();
        add_extent(base, tree.ae.unwrap(), &tree.free, leaf..=leaf)
    }),
    damage("free pages that no list has", Code::SpaceLeaked, "S10", |base| {
        let tree = base.built.tree("database").clone();
        base.built.set_extents(tree.ae.unwrap(), &[]);
        base.at(*tree.free[0].start(), 0)
    }),
    damage("a parent that owns nothing of it", Code::SpaceParent, "S2", |base| {
        let root = base.built.tree("Files").root;
        base.built.edit_space_header(root, |words| words[1] = 4);
        base.at(root, base.tag0(root) + 4)
    }),
    damage("a blank tree of owned extents", Code::SpaceRoot, "S3", |base| {
        let root = oe(base);
        base.blank(root)
    }),
    damage("a file that is cut", Code::DbTruncated, "S11", |base| {
        let end = base.built.bytes.len() - 20 * base.size().bytes();
        base.built.bytes.truncate(end);
        end as u64
    }),
];
