//! Space: the header in a tree's root, and its two small trees of extents.
//!
//! It writes what it is told and never chooses pages. Spec 04 sections 1 and 2.

use std::ops::RangeInclusive;

use super::page_fill::PageFill;
use super::store::Store;
use super::tree_builder::{LEAF, NON_UNIQUE, ROOT, ROOT_TAG0, SPACE, TreeBody};

/// Pages that follow each other, first and last.
pub type Pages = RangeInclusive<u32>;

/// Space header flag: extents are in the OE and AE trees.
const MULTIPLE: u32 = 1;
/// Space header flag: keys may repeat.
const NON_UNIQUE_KEYS: u32 = 2;
/// Bytes of an unused split buffer.
const SPLIT_BUFFER: [u8; 16] = [0; 16];
/// Pages that a single extent can hold: the root and 32 in its bit map.
pub(crate) const SINGLE_MOST: u32 = 33;

/// How a tree of a table keeps its space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    /// One extent of at most 33 pages, with a bit map of the free ones in the space header.
    Single,
    /// OE and AE trees behind the root.
    Multiple,
}

impl Space {
    /// The root and the roots of its space trees.
    pub(crate) fn roots(self) -> u32 {
        match self {
            Space::Single => 1,
            Space::Multiple => 3,
        }
    }
}

/// What a tree owns.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) root: u32,
    pub(crate) parent: u32,
    pub(crate) owned: Vec<Pages>,
    pub(crate) free: Vec<Pages>,
}

pub(crate) fn count(pages: &Pages) -> u32 {
    pages.end() + 1 - pages.start()
}

/// Writes root and space trees of `body`.
pub(crate) fn write_with_space(store: &mut Store<'_>, body: &TreeBody, holding: &Holding, space: Space) {
    let kind = body.shape.kind;
    let keys = if kind & NON_UNIQUE == 0 { 0 } else { NON_UNIQUE_KEYS };
    let primary = count(&holding.owned[0]);
    let fields = match space {
        Space::Single => {
            assert!(primary <= SINGLE_MOST, "a single extent has at most 33 pages, not {primary}");
            [primary, holding.parent, keys, bit_map(holding)]
        }
        Space::Multiple => [primary, holding.parent, keys | MULTIPLE, holding.root + 1],
    };
    let mut header = [0; ROOT_TAG0];
    for (bytes, field) in header.chunks_exact_mut(4).zip(fields) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    body.write_root(store, holding.root, header);
    if space == Space::Multiple {
        write_extents(store, holding.root + 1, body.shape.objid, kind, &holding.owned);
        write_extents(store, holding.root + 2, body.shape.objid, kind, &holding.free);
    }
}

fn bit_map(holding: &Holding) -> u32 {
    holding.free.iter().cloned().flatten().fold(0, |map, pgno| map | 1 << (pgno - holding.root - 1))
}

fn write_extents(store: &mut Store<'_>, root: u32, objid: u32, kind: u32, extents: &[Pages]) {
    let mut fill = PageFill::new(store.size);
    fill.start(&SPLIT_BUFFER);
    for extent in extents {
        fill.push(0, &extent.end().to_be_bytes(), &count(extent).to_le_bytes());
    }
    // Space trees keep the kind bits of their tree, and the bit of keys that are not unique: page 582 of `kitchen-4k-w10`.
    store.write(&mut fill, root, (0, 0), objid, kind | ROOT | LEAF | SPACE);
}
