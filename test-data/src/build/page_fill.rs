//! One page that is filled node by node and then sealed: the lowest layer of the builder.
//!
//! It knows tags, nodes and the page header and nothing of trees; it never decides which node goes where. Facts from
//! spec 02 sections 1 to 5, written here a second time so that a wrong offset in `ese-core` makes a test fail.

use ese_core::checksum;
use ese_core::format::{PageSize, Pgno};

/// Bytes of a tag.
pub(crate) const TAG: usize = 4;
/// A key prefix shorter than this is never taken from tag 0 (spec 02 section 5: seen minimum).
const PREFIX_LEAST: usize = 3;
/// Node flag: the key's beginning is in tag 0.
pub(crate) const NODE_COMPRESSED: u16 = 4;

/// Bytes of the page header.
pub(crate) fn header_len(size: PageSize) -> usize {
    if size.bytes() > 8192 { 80 } else { 40 }
}

/// The low 16 bits of a page are enough for every offset in it.
pub(crate) fn to_u16(value: usize) -> u16 {
    u16::try_from(value).expect("an offset or size in a page fits 16 bits")
}

/// What the header of a page says beside its free space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageHead {
    pub(crate) pgno: u32,
    pub(crate) dbtime: u64,
    pub(crate) prev: u32,
    pub(crate) next: u32,
    pub(crate) objid: u32,
    pub(crate) flags: u32,
    /// Bits 12-15 of `itagState`, in place.
    pub(crate) reserved_tags: u16,
}

/// A page under construction, used again for one page after the other.
#[derive(Debug)]
pub(crate) struct PageFill {
    size: PageSize,
    bytes: Vec<u8>,
    used: usize,
    tags: usize,
    /// Length of the prefix in tag 0; 0 when no node may use one.
    prefix: usize,
}

impl PageFill {
    pub(crate) fn new(size: PageSize) -> PageFill {
        PageFill { size, bytes: vec![0; size.bytes()], used: 0, tags: 0, prefix: 0 }
    }

    /// Begins a page whose tag 0 is `tag0` as it stands, nodes having their whole keys.
    pub(crate) fn start(&mut self, tag0: &[u8]) {
        self.bytes.fill(0);
        self.used = 0;
        self.tags = 0;
        self.prefix = 0;
        self.append(0, &[tag0]);
    }

    /// Begins a page whose nodes share `prefix` where they can.
    pub(crate) fn start_compressed(&mut self, prefix: &[u8]) {
        self.start(prefix);
        self.prefix = prefix.len();
    }

    /// Nodes so far.
    pub(crate) fn nodes(&self) -> usize {
        self.tags.saturating_sub(1)
    }

    /// Bytes left for one more node, its tag taken off; `None` if not even the tag fits.
    pub(crate) fn room(&self) -> Option<usize> {
        (self.size.bytes() - header_len(self.size)).checked_sub(self.used + TAG * (self.tags + 1))
    }

    /// Bytes that a node would take, its tag aside.
    pub(crate) fn node_len(&self, key: &[u8], data: &[u8]) -> usize {
        match self.shared(key) {
            0 => 2 + key.len() + data.len(),
            shared => 4 + key.len() - shared + data.len(),
        }
    }

    fn shared(&self, key: &[u8]) -> usize {
        let start = header_len(self.size);
        let prefix = &self.bytes[start..start + self.prefix];
        let shared = prefix.iter().zip(key).take_while(|(a, b)| a == b).count();
        if shared < PREFIX_LEAST { 0 } else { shared }
    }

    /// Adds a node; its key takes its beginning from tag 0 where the page began compressed.
    ///
    /// # Panics
    /// If the node does not fit.
    pub(crate) fn push(&mut self, flags: u16, key: &[u8], data: &[u8]) {
        let shared = self.shared(key);
        self.push_prefixed(flags & !NODE_COMPRESSED, shared, key, data);
    }

    /// Adds a node that takes exactly the first `shared` bytes of its key from tag 0.
    pub(crate) fn push_prefixed(&mut self, flags: u16, shared: usize, key: &[u8], data: &[u8]) {
        let suffix = &key[shared..];
        let first = to_u16(if shared > 0 { shared } else { suffix.len() });
        let flags = if shared > 0 { flags | NODE_COMPRESSED } else { flags };
        let second = to_u16(suffix.len()).to_le_bytes();
        let second = if shared > 0 { &second[..] } else { &[] };
        self.append(flags, &[&first.to_le_bytes(), second, suffix, data]);
    }

    /// Adds a line of these parts as they stand. Its flags go to the tag, on large pages to the line itself.
    pub(crate) fn append(&mut self, flags: u16, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let room = self.room();
        assert!(room.is_some_and(|room| len <= room), "a node of {len} bytes does not fit: room is {room:?}");
        let mut offset = to_u16(self.used);
        if self.size.bytes() <= 8192 {
            offset |= flags << 13;
        }
        let tag = self.bytes.len() - TAG * (self.tags + 1);
        self.bytes[tag..tag + 2].copy_from_slice(&to_u16(len).to_le_bytes());
        self.bytes[tag + 2..tag + 4].copy_from_slice(&offset.to_le_bytes());
        let mut at = header_len(self.size) + self.used;
        for part in parts {
            self.bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        if self.size.bytes() > 8192 && flags != 0 {
            self.bytes[header_len(self.size) + self.used + 1] |= flags.to_le_bytes()[0] << 5;
        }
        self.used += len;
        self.tags += 1;
    }

    /// Writes the header and the checksum: the finished page.
    pub(crate) fn seal(&mut self, head: &PageHead) -> &[u8] {
        let free = self.bytes.len() - header_len(self.size) - self.used - TAG * self.tags;
        let state = to_u16(self.tags) | head.reserved_tags;
        let mut put = |at: usize, bytes: &[u8]| self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        put(8, &head.dbtime.to_le_bytes());
        put(16, &head.prev.to_le_bytes());
        put(20, &head.next.to_le_bytes());
        put(24, &head.objid.to_le_bytes());
        put(28, &to_u16(free).to_le_bytes());
        put(32, &to_u16(self.used).to_le_bytes());
        put(34, &state.to_le_bytes());
        put(36, &head.flags.to_le_bytes());
        if self.size.bytes() > 8192 {
            put(64, &head.pgno.to_le_bytes());
        }
        checksum::store(&mut self.bytes, Pgno(head.pgno)).expect("a page with a checksum format");
        &self.bytes
    }
}
