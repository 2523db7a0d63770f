//! Builds single pages of any size and checksum format, field by field.
//!
//! The numbers here are written from the specification (02 sections 2 to 5), not taken from `ese-core`, so that a wrong
//! offset there makes a test fail.

use ese_core::format::PageSize;

use crate::build::page_fill::{PageFill, PageHead};

/// Flags of an ordinary leaf with the ECC checksum: leaf, new record format, ECC.
pub const LEAF: u32 = 0x2802;
/// The flag that chooses the ECC checksum.
pub const ECC: u32 = 0x2000;

/// One line of a page under construction.
#[derive(Clone, Debug)]
struct Line {
    flags: u16,
    bytes: Vec<u8>,
}

/// A page under construction. Starts as a sound empty leaf; every field can be overridden.
#[derive(Clone, Debug)]
pub struct PageBuilder {
    size: PageSize,
    pgno: u32,
    dbtime: u64,
    siblings: (u32, u32),
    objid: u32,
    flags: u32,
    tag0: Vec<u8>,
    lines: Vec<Line>,
}

impl PageBuilder {
    /// A sound leaf of `size` without nodes, at place `pgno`.
    #[must_use]
    pub fn leaf(size: PageSize, pgno: u32) -> PageBuilder {
        PageBuilder {
            size,
            pgno,
            dbtime: 0x40,
            siblings: (0, 0),
            objid: 7,
            flags: LEAF,
            tag0: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Sets the page flags. Without 0x2000 a small page gets the old XOR checksum.
    #[must_use]
    pub fn flags(mut self, flags: u32) -> PageBuilder {
        self.flags = flags;
        self
    }

    /// Sets the id of the tree.
    #[must_use]
    pub fn objid(mut self, objid: u32) -> PageBuilder {
        self.objid = objid;
        self
    }

    /// Sets the dbtime.
    #[must_use]
    pub fn dbtime(mut self, dbtime: u64) -> PageBuilder {
        self.dbtime = dbtime;
        self
    }

    /// Sets left and right sibling.
    #[must_use]
    pub fn siblings(mut self, prev: u32, next: u32) -> PageBuilder {
        self.siblings = (prev, next);
        self
    }

    /// Sets tag 0: the prefix of the page, or the space header of a root.
    #[must_use]
    pub fn tag0(mut self, bytes: &[u8]) -> PageBuilder {
        self.tag0 = bytes.to_vec();
        self
    }

    /// Adds a node with its whole key in the line.
    #[must_use]
    pub fn node(self, key: &[u8], data: &[u8]) -> PageBuilder {
        self.flagged_node(0, key, data)
    }

    /// Adds a node with flags (1 version, 2 deleted) and its whole key in the line.
    #[must_use]
    pub fn flagged_node(mut self, flags: u16, key: &[u8], data: &[u8]) -> PageBuilder {
        let mut bytes = size_word(key.len()).to_vec();
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(data);
        self.lines.push(Line { flags, bytes });
        self
    }

    /// Adds a node that takes the first `prefix` bytes of its key from tag 0.
    #[must_use]
    pub fn compressed_node(mut self, prefix: usize, suffix: &[u8], data: &[u8]) -> PageBuilder {
        let mut bytes = size_word(prefix).to_vec();
        bytes.extend(size_word(suffix.len()));
        bytes.extend_from_slice(suffix);
        bytes.extend_from_slice(data);
        self.lines.push(Line { flags: 4, bytes });
        self
    }

    /// The finished page, with a right checksum.
    ///
    /// # Panics
    /// If the lines do not fit the page.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let mut fill = PageFill::new(self.size);
        fill.start(&self.tag0);
        for line in &self.lines {
            fill.append(line.flags, &[&line.bytes]);
        }
        let (prev, next) = self.siblings;
        let (pgno, dbtime, objid, flags) = (self.pgno, self.dbtime, self.objid, self.flags);
        fill.seal(&PageHead { pgno, dbtime, prev, next, objid, flags, reserved_tags: 0x1000 }).to_vec()
    }
}

fn size_word(len: usize) -> [u8; 2] {
    u16::try_from(len).expect("a key fits u16").to_le_bytes()
}
