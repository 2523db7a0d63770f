//! A page taken apart, to be changed and put together again: how tests damage nodes.
//!
//! It reads only pages that the builder wrote and makes what it is told, sound or not; free space and tags are always
//! right, so that a damage shows in what was changed alone. Spec 02.

use ese_core::format::PageSize;

use super::page_fill::{NODE_COMPRESSED, PageFill, PageHead, TAG, header_len};

/// A node with its whole key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// 1 version, 2 deleted; the compression flag follows from `prefix`.
    pub flags: u16,
    /// Bytes of the key that come from tag 0; cut to what the key shares when a page is put together.
    pub prefix: usize,
    /// The key.
    pub key: Vec<u8>,
    /// The data.
    pub data: Vec<u8>,
}

/// A page taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageImage {
    /// dbtime of the last change.
    pub dbtime: u64,
    /// Left sibling, 0 for none.
    pub prev: u32,
    /// Right sibling, 0 for none.
    pub next: u32,
    /// Object id of the tree.
    pub objid: u32,
    /// Page flags.
    pub flags: u32,
    /// Tag 0: space header of a root, prefix of the others.
    pub tag0: Vec<u8>,
    /// Nodes, line 1 first.
    pub nodes: Vec<Node>,
    reserved_tags: u16,
}

impl PageImage {
    /// Takes a page apart.
    #[must_use]
    pub fn read(page: &[u8], size: PageSize) -> PageImage {
        let word = |at: usize| u16::from_le_bytes([page[at], page[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
        let large = size.bytes() > 8192;
        let line = |i: usize| {
            let tag = size.bytes() - TAG * (i + 1);
            let mask = if large { 0x7FFF } else { 0x1FFF };
            let (len, offset) = (word(tag) & mask, word(tag + 2) & mask);
            let start = header_len(size) + usize::from(offset);
            (word(tag + 2) >> 13, &page[start..start + usize::from(len)])
        };
        let state = word(34);
        let tags = usize::from(state & 0xFFF);
        let tag0 = if tags > 0 { line(0).1.to_vec() } else { Vec::new() };
        let nodes = (1..tags).map(|i| {
            let (flags, bytes) = line(i);
            read_node(flags, bytes, large, &tag0)
        });
        let nodes = nodes.collect();
        PageImage {
            dbtime: u64::from(long(8)) | u64::from(long(12)) << 32,
            prev: long(16),
            next: long(20),
            objid: long(24),
            flags: long(36),
            tag0,
            nodes,
            reserved_tags: state & 0xF000,
        }
    }

    /// Puts the page together for place `pgno`.
    ///
    /// # Panics
    /// If the nodes do not fit.
    #[must_use]
    pub fn write(&self, size: PageSize, pgno: u32) -> Vec<u8> {
        let mut fill = PageFill::new(size);
        fill.start(&self.tag0);
        for node in &self.nodes {
            let shared = self.tag0.iter().zip(&node.key).take(node.prefix).take_while(|(a, b)| a == b).count();
            fill.push_prefixed(node.flags & !NODE_COMPRESSED, shared, &node.key, &node.data);
        }
        let (prev, next, objid, flags) = (self.prev, self.next, self.objid, self.flags);
        let (dbtime, reserved_tags) = (self.dbtime, self.reserved_tags);
        fill.seal(&PageHead { pgno, dbtime, prev, next, objid, flags, reserved_tags }).to_vec()
    }
}

fn read_node(flags: u16, bytes: &[u8], large: bool, tag0: &[u8]) -> Node {
    let mut first = u16::from_le_bytes([bytes[0], bytes[1]]);
    let flags = if large { first >> 13 } else { flags };
    if large {
        first &= 0x1FFF;
    }
    let (prefix, suffix, rest) = if flags & NODE_COMPRESSED == 0 {
        (0, usize::from(first), &bytes[2..])
    } else {
        (usize::from(first), usize::from(u16::from_le_bytes([bytes[2], bytes[3]])), &bytes[4..])
    };
    let key = [&tag0[..prefix], &rest[..suffix]].concat();
    Node { flags: flags & !NODE_COMPRESSED, prefix, key, data: rest[suffix..].to_vec() }
}
