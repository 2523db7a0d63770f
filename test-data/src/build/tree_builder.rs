//! Builds one B+tree from entries in order: leaves first, the levels above them after, the root last.
//!
//! Only separators are kept in memory, so a tree may be larger than memory; entries must come sorted, which is not
//! checked here. Spec 03, and 18 section 1 for what the engine accepts.

use super::page_fill::{PageFill, TAG, header_len};
use super::store::Store;

/// Page flag: root of its tree.
pub(crate) const ROOT: u32 = 0x1;
/// Page flag: leaf.
pub(crate) const LEAF: u32 = 0x2;
/// Page flag: the level above the leaves.
pub(crate) const PARENT_OF_LEAF: u32 = 0x4;
/// Page flag: space tree.
pub(crate) const SPACE: u32 = 0x20;
/// Page flag: secondary index.
pub(crate) const INDEX: u32 = 0x40;
/// Page flag: long values.
pub(crate) const LONG_VALUE: u32 = 0x80;
/// Page flag: keys may repeat.
pub(crate) const NON_UNIQUE: u32 = 0x400;

/// Bytes of a root's tag 0: the space header.
pub(crate) const ROOT_TAG0: usize = 16;

/// How leaves hold their keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPrefix {
    /// Every node has its whole key.
    Whole,
    /// The first key of a leaf is its prefix, and the other nodes share what they can of it.
    Shared,
}

/// How a tree is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeShape {
    pub(crate) objid: u32,
    /// Kind bits and [`NON_UNIQUE`].
    pub(crate) kind: u32,
    pub(crate) prefix: KeyPrefix,
    /// Nodes that a page takes at most.
    pub(crate) max_nodes: usize,
    /// Bytes that a leaf leaves free if it can.
    pub(crate) reserve: usize,
}

/// An entry that waits: node flags, key, data.
pub(crate) type Entry = (u16, Vec<u8>, Vec<u8>);

/// Where the pages below the root come from.
#[derive(Debug)]
pub(crate) enum Supply {
    /// The next pages of the file.
    Next,
    /// These pages, in this order.
    Listed(std::vec::IntoIter<u32>),
}

impl Supply {
    fn take(&mut self, store: &mut Store<'_>) -> u32 {
        match self {
            Supply::Next => store.take(1),
            Supply::Listed(pages) => pages.next().expect("the pages were counted before"),
        }
    }
}

/// A tree under construction.
pub(crate) struct TreeBuilder {
    shape: TreeShape,
    supply: Supply,
    fill: PageFill,
    /// Entries while they still fit the root alone.
    waiting: Option<Vec<Entry>>,
    waiting_bytes: usize,
    /// The leaf in `fill`: its page and the one before.
    leaf: (u32, u32),
    children: Vec<(Vec<u8>, u32)>,
    leaves: Vec<u32>,
}

/// A tree whose pages below the root are written.
#[derive(Debug)]
pub(crate) struct TreeBody {
    pub(crate) shape: TreeShape,
    pub(crate) root_nodes: Vec<Entry>,
    /// Level flags of the root.
    pub(crate) root_level: u32,
    /// Leaf pages below the root in key order; empty where the root is the leaf.
    pub(crate) leaves: Vec<u32>,
    /// Internal pages below the root, lowest level first.
    pub(crate) internal: Vec<Vec<u32>>,
}

impl TreeBuilder {
    pub(crate) fn new(store: &Store<'_>, shape: TreeShape, supply: Supply) -> TreeBuilder {
        TreeBuilder {
            shape,
            supply,
            fill: PageFill::new(store.size),
            waiting: Some(Vec::new()),
            waiting_bytes: 0,
            leaf: (0, 0),
            children: Vec::new(),
            leaves: Vec::new(),
        }
    }

    /// Adds the next entry in order.
    pub(crate) fn push(&mut self, store: &mut Store<'_>, flags: u16, key: &[u8], data: &[u8]) {
        let Some(mut waiting) = self.waiting.take() else {
            self.append(store, flags, key, data);
            return;
        };
        let len = 2 + key.len() + data.len() + TAG;
        if waiting.len() < self.shape.max_nodes && self.waiting_bytes + len <= root_room(store) {
            self.waiting_bytes += len;
            waiting.push((flags, key.to_vec(), data.to_vec()));
            self.waiting = Some(waiting);
            return;
        }
        self.open_leaf(store, waiting.first().map_or(key, |(_, key, _)| key));
        for (flags, key, data) in &waiting {
            self.append(store, *flags, key, data);
        }
        // What filled the root is at least one leaf, so there are two and the root has two children.
        if !waiting.is_empty() {
            self.next_leaf(store, key, data);
        }
        self.append(store, flags, key, data);
    }

    fn append(&mut self, store: &mut Store<'_>, flags: u16, key: &[u8], data: &[u8]) {
        let nodes = self.fill.nodes();
        let fits = self.fill.room().is_some_and(|room| self.fill.node_len(key, data) + self.shape.reserve <= room);
        if nodes > 0 && (nodes >= self.shape.max_nodes || !fits) {
            self.next_leaf(store, key, data);
        }
        self.fill.push(flags, key, data);
    }

    fn open_leaf(&mut self, store: &mut Store<'_>, first_key: &[u8]) {
        let pgno = self.supply.take(store);
        self.start_leaf(pgno, first_key);
    }

    fn start_leaf(&mut self, pgno: u32, first_key: &[u8]) {
        self.leaf = (pgno, self.leaf.0);
        self.leaves.push(pgno);
        match self.shape.prefix {
            KeyPrefix::Whole => self.fill.start(&[]),
            KeyPrefix::Shared => self.fill.start_compressed(first_key),
        }
    }

    /// Closes the leaf; its separator is the bookmark of the entry that comes next.
    fn next_leaf(&mut self, store: &mut Store<'_>, key: &[u8], data: &[u8]) {
        let next = self.supply.take(store);
        let mut separator = key.to_vec();
        if self.shape.kind & NON_UNIQUE != 0 {
            separator.extend_from_slice(data);
        }
        self.children.push((separator, self.leaf.0));
        self.write_leaf(store, next);
        self.start_leaf(next, key);
    }

    fn write_leaf(&mut self, store: &mut Store<'_>, next: u32) {
        let (pgno, prev) = self.leaf;
        store.write(&mut self.fill, pgno, (prev, next), self.shape.objid, self.shape.kind | LEAF);
    }

    /// Writes what is left but the root.
    pub(crate) fn finish(mut self, store: &mut Store<'_>) -> TreeBody {
        let shape = self.shape;
        if let Some(root_nodes) = self.waiting.take() {
            return TreeBody { shape, root_nodes, root_level: LEAF, leaves: Vec::new(), internal: Vec::new() };
        }
        self.write_leaf(store, 0);
        self.children.push((Vec::new(), self.leaf.0));
        let mut children = std::mem::take(&mut self.children);
        let mut internal = Vec::new();
        let mut level = PARENT_OF_LEAF;
        while nodes_that_fit(store, shape, &children) < children.len() {
            children = self.write_level(store, &children, level);
            internal.push(children.iter().map(|(_, pgno)| *pgno).collect());
            level = 0;
        }
        let root_nodes = children.into_iter().map(|(key, pgno)| (0, key, pgno.to_le_bytes().to_vec())).collect();
        TreeBody { shape, root_nodes, root_level: level, leaves: self.leaves, internal }
    }

    /// Writes one internal level; its pages with their separators.
    fn write_level(
        &mut self,
        store: &mut Store<'_>,
        mut children: &[(Vec<u8>, u32)],
        level: u32,
    ) -> Vec<(Vec<u8>, u32)> {
        let mut pages = Vec::new();
        while !children.is_empty() {
            let mut count = nodes_that_fit(store, self.shape, children);
            if children.len() - count == 1 && count > 2 {
                count -= 1; // no page with a single child
            }
            let (here, rest) = children.split_at(count);
            self.fill.start(&[]);
            for (key, child) in here {
                self.fill.push(0, key, &child.to_le_bytes());
            }
            let pgno = self.supply.take(store);
            store.write(&mut self.fill, pgno, (0, 0), self.shape.objid, self.shape.kind | level);
            pages.push((here[count - 1].0.clone(), pgno));
            children = rest;
        }
        pages
    }
}

/// Bytes of nodes and their tags that fit a root.
fn root_room(store: &Store<'_>) -> usize {
    store.size.bytes() - header_len(store.size) - ROOT_TAG0 - TAG
}

/// How many of `children` an internal page takes; a root takes as many as the others.
fn nodes_that_fit(store: &Store<'_>, shape: TreeShape, children: &[(Vec<u8>, u32)]) -> usize {
    let mut room = root_room(store);
    let fitting = children.iter().take(shape.max_nodes.max(3)).take_while(|(key, _)| {
        let len = 2 + key.len() + 4 + TAG;
        let fits = len <= room;
        room = room.saturating_sub(len);
        fits
    });
    fitting.count()
}

impl TreeBody {
    /// Writes the root with its space header.
    pub(crate) fn write_root(&self, store: &mut Store<'_>, pgno: u32, space_header: [u8; ROOT_TAG0]) {
        let mut fill = PageFill::new(store.size);
        fill.start(&space_header);
        for (flags, key, data) in &self.root_nodes {
            fill.push(*flags, key, data);
        }
        store.write(&mut fill, pgno, (0, 0), self.shape.objid, self.shape.kind | ROOT | self.root_level);
    }

    /// Pages below the root.
    pub(crate) fn pages_below(&self) -> usize {
        self.leaves.len() + self.internal.iter().map(Vec::len).sum::<usize>()
    }
}
