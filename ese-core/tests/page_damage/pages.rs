//! Damages of one page: rules P1 to P19 under a valid checksum, and the checksum itself.
//!
//! Offsets are written from spec 02, not taken from the library. The page is a leaf of four lines: the prefix at 0, 13
//! bytes long, then three compressed nodes of 28 bytes each (prefix size, suffix size, 4 bytes of key, 20 of data).

use catdb_test_data::database;
use catdb_test_data::page_builder::PageBuilder;
use ese_core::finding::Code;
use ese_core::format::PageSize;
use ese_core::jet::JetError;

use super::{Damage, Damaged, Faulty, LARGE, Lawful, damage};

const PAGES: u32 = 8;
/// The page that is damaged.
const PGNO: u32 = 5;

const PGNO_PREV: usize = 16;
const PGNO_NEXT: usize = 20;
const CB_FREE: usize = 28;
const CB_UNCOMMITTED_FREE: usize = 30;
const IB_MIC_FREE: usize = 32;
const ITAG_STATE: usize = 34;
const FLAGS: usize = 36;
const PGNO_FIELD: usize = 64;

/// Where line 3 begins and ends, counted behind the header.
const LINE_3: usize = 69;
const END: u16 = 97;
/// Leaf, new record format, ECC.
const LEAF: u32 = 0x2802;
/// Parent of leaves.
const PARENT: u32 = 0x2804;
/// Allocated, never filled.
const PRE_INIT: u32 = 0x2_2800;

fn header_len(size: PageSize) -> usize {
    if size.bytes() > 8192 { 80 } else { 40 }
}

/// Bytes behind the header.
fn data_len(size: PageSize) -> u16 {
    u16::try_from(size.bytes() - header_len(size)).unwrap()
}

/// A sound database with a page about to be damaged.
struct Change {
    file: Vec<u8>,
    size: PageSize,
}

fn leaf(size: PageSize) -> Change {
    Change { file: database::tiny(size, PAGES), size }
}

/// The page replaced by one built for the purpose.
fn built(size: PageSize, flags: u32, lines: impl FnOnce(PageBuilder) -> PageBuilder) -> Change {
    let mut change = leaf(size);
    let page = lines(PageBuilder::leaf(size, PGNO).flags(flags)).build();
    change.page().copy_from_slice(&page);
    change
}

/// A page without tags, all of it free.
fn bare(size: PageSize, flags: u32) -> Change {
    leaf(size).u16(ITAG_STATE, 0x1000).u16(CB_FREE, data_len(size)).u16(IB_MIC_FREE, 0).u32(FLAGS, flags)
}

impl Change {
    fn page(&mut self) -> &mut [u8] {
        database::page_mut(&mut self.file, self.size, PGNO)
    }

    fn u16(mut self, at: usize, value: u16) -> Change {
        self.page()[at..at + 2].copy_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(mut self, at: usize, value: u32) -> Change {
        self.page()[at..at + 4].copy_from_slice(&value.to_le_bytes());
        self
    }

    fn get(&mut self, at: usize) -> u16 {
        u16::from_le_bytes(self.page()[at..at + 2].try_into().unwrap())
    }

    /// Adds to a field of the page.
    fn add(mut self, at: usize, more: i16) -> Change {
        let value = self.get(at).wrapping_add_signed(more);
        self.u16(at, value)
    }

    fn tag(&self, line: usize) -> usize {
        self.size.bytes() - 4 * (line + 1)
    }

    /// Moves the start of a line; the flags above its offset stay.
    fn moved(self, line: usize, offset: u16) -> Change {
        let at = self.tag(line) + 2;
        let mut change = self;
        let flags = if change.size.is_large() { 0 } else { change.get(at) & 0xE000 };
        change.u16(at, flags | offset)
    }

    /// Changes the size of a line.
    fn resized(self, line: usize, size: u16) -> Change {
        let at = self.tag(line);
        self.u16(at, size)
    }

    /// Makes the checksum valid; the damage is at `at` of the page.
    fn at(mut self, at: usize) -> Damaged {
        database::patch_page(&mut self.file, self.size, PGNO, |_| ());
        self.raw_at(at)
    }

    /// Leaves the checksum as it is.
    fn raw_at(self, at: usize) -> Damaged {
        let offset = (database::offset(self.size, PGNO) + at) as u64;
        Damaged { source: Faulty { bytes: self.file, ..Faulty::default() }, offset, also: &[] }
    }

    fn at_tag(self, line: usize) -> Damaged {
        let at = self.tag(line);
        self.at(at)
    }

    /// The damage is at a byte counted behind the header.
    fn at_data(self, at: usize) -> Damaged {
        let at = header_len(self.size) + at;
        self.at(at)
    }

    fn flipped(mut self, bits: &[usize]) -> Change {
        database::flip_bits(&mut self.file, self.size, PGNO, bits);
        self
    }
}

/// A byte of line 3: the sizes of its prefix and its suffix come first.
fn in_line_3(size: PageSize, at: usize) -> usize {
    header_len(size) + LINE_3 + at
}

/// The prefix size of line 3; the flags above it stay (on large pages they stand there).
fn with_prefix(size: PageSize, prefix: u16) -> Change {
    let mut change = leaf(size);
    let flags = change.get(in_line_3(size, 0)) & 0xE000;
    change.u16(in_line_3(size, 0), flags | prefix)
}

pub(super) fn table() -> Vec<Damage> {
    let mut table = space_and_tags();
    table.extend(flags());
    table.extend(nodes());
    table.extend(checksums());
    table
}

fn space_and_tags() -> Vec<Damage> {
    vec![
        damage("more free bytes than the page has", Code::PageFreeSpace, "P1", |size| {
            leaf(size).u16(CB_FREE, 0xFFFF).at(CB_FREE)
        }),
        damage("more uncommitted than free bytes", Code::PageFreeSpace, "P2", |size| {
            let free = leaf(size).get(CB_FREE);
            leaf(size).u16(CB_UNCOMMITTED_FREE, free + 1).at(CB_UNCOMMITTED_FREE)
        }),
        damage("free space begins behind the page", Code::PageFreeSpace, "P3", |size| {
            leaf(size).u16(IB_MIC_FREE, data_len(size) + 1).at(IB_MIC_FREE)
        }),
        damage("a free byte too few", Code::PageFreeSpace, "P15", |size| leaf(size).add(CB_FREE, -1).at(CB_FREE)),
        damage("a line a byte too long, where nothing follows", Code::PageFreeSpace, "P15", |size| {
            leaf(size).resized(3, 29).u16(IB_MIC_FREE, END + 1).at(CB_FREE)
        }),
        damage("more tags than fit", Code::PageTags, "P4", |size| leaf(size).u16(ITAG_STATE, 0x1FFF).at(ITAG_STATE)),
        damage("one tag more than a page of empty nodes has", Code::PageTags, "P4", |size| {
            leaf(size).u16(ITAG_STATE, 0x1000 | (data_len(size) / 8 + 1).min(0xFFF)).at(ITAG_STATE)
        }),
        damage("two reserved tags", Code::PageTags, "P4", |size| leaf(size).u16(ITAG_STATE, 0x2004).at(ITAG_STATE)),
        damage("a line of three bytes", Code::PageTags, "P11", |size| {
            leaf(size).resized(3, 3).add(CB_FREE, 25).at_tag(3)
        }),
        damage("a line of no bytes", Code::PageTags, "P11", |size| leaf(size).resized(2, 0).add(CB_FREE, 28).at_tag(2)),
        damage("an internal page ends in a node without a child", Code::PageTags, "P11", |size| {
            built(size, PARENT, |page| page.node(b"key", &[6, 0, 0, 0]).node(b"", &[7, 0, 0])).at_tag(2)
        }),
        damage("a line ends in free space", Code::PageTags, "P12", |size| {
            leaf(size).u16(IB_MIC_FREE, END - 1).at_tag(3)
        }),
        damage("a line ends in the tag array", Code::PageTags, "P13", |size| {
            leaf(size).moved(3, data_len(size) - 16 - 27).at_tag(3)
        }),
        damage("the prefix lies in the tag array", Code::PageTags, "P13", |size| {
            leaf(size).moved(0, data_len(size) - 16).at_tag(0)
        }),
        damage("a line reaches into the next", Code::PageOverlap, "P14", |size| leaf(size).resized(2, 29).at_data(69)),
        damage("the prefix reaches into the first node", Code::PageOverlap, "P14", |size| {
            leaf(size).resized(0, 14).at_data(13)
        }),
    ]
}

fn flags() -> Vec<Damage> {
    vec![
        damage("no tags, and not flagged empty", Code::PageFlags, "P5", |size| bare(size, LEAF).at(FLAGS)),
        damage("both empty and pre-init", Code::PageFlags, "P6", |size| {
            leaf(size).u32(FLAGS, LEAF | 0x2_0008).at(FLAGS)
        }),
        damage("pre-init with tags", Code::PageFlags, "P7", |size| leaf(size).u32(FLAGS, PRE_INIT).at(FLAGS)),
        damage("pre-init with a right sibling", Code::PageFlags, "P7", |size| {
            bare(size, PRE_INIT).u32(PGNO_NEXT, 6).at(FLAGS)
        }),
        damage("pre-init with a left sibling", Code::PageFlags, "P7", |size| {
            bare(size, PRE_INIT).u32(PGNO_PREV, 6).at(FLAGS)
        }),
        damage("pre-init and leaf", Code::PageFlags, "P7", |size| bare(size, PRE_INIT | 2).at(FLAGS)),
        damage("pre-init in the record format of before 2000", Code::PageFlags, "P7", |size| {
            bare(size, PRE_INIT & !0x800).at(FLAGS)
        }),
        damage("both index and long value", Code::PageFlags, "P8", |size| leaf(size).u32(FLAGS, LEAF | 0xC0).at(FLAGS)),
        damage("index, long value and space tree", Code::PageFlags, "P8", |size| {
            leaf(size).u32(FLAGS, LEAF | 0xE0).at(FLAGS)
        }),
        damage("left by a repair", Code::RepairFlag, "P9", |size| leaf(size).u32(FLAGS, LEAF | 0x10).at(FLAGS)),
        damage("both leaf and parent of leaves", Code::PageFlags, "P10", |size| {
            leaf(size).u32(FLAGS, LEAF | 4).at(FLAGS)
        }),
        damage("a flag that nobody knows", Code::PageFlagsUnknown, "02-3", |size| {
            leaf(size).u32(FLAGS, LEAF | 0x8_0000).at(FLAGS)
        }),
        damage("another page's number in the header", Code::PageNumber, "P19", |size| {
            leaf(size).u32(PGNO_FIELD, PGNO + 1).at(PGNO_FIELD)
        })
        .on(LARGE),
        damage("a reserved byte in use", Code::PageReserved, "P19", |size| leaf(size).u32(76, 0x0100_0000).at(79))
            .on(LARGE),
    ]
}

fn nodes() -> Vec<Damage> {
    vec![
        damage("a key wants more prefix than there is", Code::PageNode, "P16", |size| {
            with_prefix(size, 14).at_data(LINE_3)
        }),
        damage("a key longer than its line", Code::PageNode, "P16", |size| {
            leaf(size).u16(in_line_3(size, 2), 25).at_data(LINE_3)
        }),
        damage("a prefix of one byte", Code::PageNode, "P16", |size| with_prefix(size, 1).at_data(LINE_3)),
        damage("a prefix on a root, which has none", Code::PageNode, "P16", |size| {
            built(size, LEAF | 1, |page| page.tag0(&[0; 16]).compressed_node(4, b"key", b"data")).at_data(16)
        }),
        damage("a key that takes up the whole line", Code::PageNode, "P17", |size| {
            leaf(size).u16(in_line_3(size, 2), 24).at_data(LINE_3)
        }),
        damage("a leaf node without a key", Code::PageNode, "P17", |size| {
            built(size, LEAF, |page| page.node(b"", b"data").node(b"key", b"data")).at_data(0)
        }),
        damage("a key only the last node of an internal page may lack", Code::PageNode, "P17", |size| {
            built(size, PARENT, |page| page.node(b"", &[6, 0, 0, 0]).node(b"", &[7, 0, 0, 0])).at_data(0)
        }),
        damage("two keys in the wrong order", Code::PageOrder, "P18", |size| {
            built(size, LEAF, |page| page.node(b"b", b"data").node(b"a", b"data").node(b"c", b"data")).at_data(7)
        }),
        damage("one key twice", Code::PageOrder, "P18", |size| {
            built(size, LEAF, |page| page.node(b"a", b"data").node(b"a", b"more")).at_data(7)
        }),
        damage("one key and its data twice", Code::PageOrder, "P18", |size| {
            built(size, LEAF | 0x440, |page| page.node(b"a", b"a").node(b"a", b"a")).at_data(4)
        }),
        damage("one key twice, its data descending", Code::PageOrder, "P18", |size| {
            built(size, LEAF | 0x440, |page| page.node(b"a", b"b").node(b"a", b"a")).at_data(4)
        }),
        damage("separators in the wrong order", Code::PageOrder, "P18", |size| {
            built(size, PARENT, |page| {
                page.node(b"b", &[6, 0, 0, 0]).node(b"a", &[7, 0, 0, 0]).node(b"", &[8, 0, 0, 0])
            })
            .at_data(7)
        }),
    ]
}

fn checksums() -> Vec<Damage> {
    vec![
        damage("two flipped bits", Code::PageChecksum, "02-6.6", |size| leaf(size).flipped(&[1000, 1033]).raw_at(0)),
        damage("two flipped bits that the XOR does not see", Code::PageChecksum, "02-6.6", |size| {
            leaf(size).flipped(&[1000, 1032]).raw_at(4)
        }),
        damage("three flipped bits that look like one in cbFree", Code::PageChecksum, "02-6.6", |size| {
            // With bit 224 flipped back all sums would match, and the page check fail.
            leaf(size).flipped(&[4096 + 5, 8192 + 5, (4096 ^ 8192) + 8 * CB_FREE]).raw_at(0)
        }),
        damage("two flipped bits in the third block", Code::PageChecksum, "02-6.6", |size| {
            let bit = 4 * size.bytes();
            leaf(size).flipped(&[bit + 1, bit + 2]).raw_at(48)
        })
        .on(LARGE),
        damage("a flipped bit in the stored ECC word", Code::PageChecksum, "02-6.6", |size| {
            leaf(size).flipped(&[40]).raw_at(4)
        }),
        damage("bytes of something else", Code::PageChecksum, "02-6.6", |size| {
            let mut change = leaf(size);
            database::foreign_page(&mut change.file, size, PGNO);
            change.raw_at(0)
        }),
        damage("one flipped bit", Code::PageEcc, "02-6.4", |size| leaf(size).flipped(&[1000]).raw_at(125)),
        damage("the flag of the checksum format flipped", Code::PageEcc, "02-6.4", |size| {
            leaf(size).flipped(&[301]).raw_at(37)
        }),
        damage("one flipped bit in the stored sum of a block", Code::PageEcc, "02-6.4", |size| {
            leaf(size).flipped(&[8 * 48]).raw_at(48)
        })
        .on(LARGE),
        damage("the page of another place", Code::PageNumber, "02-6.6", |size| {
            let mut change = leaf(size);
            let other = database::page(&change.file, size, PGNO + 1).to_vec();
            change.page().copy_from_slice(&other);
            change.raw_at(0)
        })
        // A reader of the engine gets the error of a wrong checksum.
        .jet(JetError::READ_VERIFY_FAILURE),
    ]
}

pub(super) fn lawful() -> Vec<Lawful> {
    vec![
        ("blank", |size| {
            let mut change = leaf(size);
            change.page().fill(0);
            change.raw_at(0)
        }),
        ("allocated, never filled", |size| bare(size, PRE_INIT).at(0)),
        ("emptied by a merge, without tags", |size| bare(size, LEAF | 8).at(0)),
        ("emptied by a merge, its only tag without bytes and pointing anywhere", |size| {
            built(size, LEAF | 8, |page| page).moved(0, 1999).at(0)
        }),
        ("an empty prefix behind free space", |size| {
            built(size, LEAF, |page| page.node(b"key", b"data")).moved(0, 1900).at(0)
        }),
        ("an empty prefix in the tag array", |size| {
            built(size, LEAF, |page| page.node(b"key", b"data")).moved(0, data_len(size) - 4).at(0)
        }),
        ("a hole between lines", |size| {
            let change = leaf(size).resized(2, 27);
            change.add(CB_FREE, 1).at(0)
        }),
        ("free space begins behind a hole", |size| leaf(size).u16(IB_MIC_FREE, END + 50).at(0)),
        ("all free bytes uncommitted", |size| {
            let free = leaf(size).get(CB_FREE);
            leaf(size).u16(CB_UNCOMMITTED_FREE, free).at(0)
        }),
        ("no count of reserved tags, as older engines write it", |size| leaf(size).u16(ITAG_STATE, 4).at(0)),
        ("stale bits in the sizes of lines", |size| {
            let stale = if size.is_large() { 0x8000 } else { 0xE000 };
            leaf(size).resized(1, stale | 28).resized(3, stale | 28).at(0)
        }),
        ("stale bytes behind the last tag and in free space", |size| {
            let mut change = leaf(size);
            let header = header_len(size);
            let free = header + usize::from(END)..size.bytes() - 16;
            change.page()[free].fill(0xA5);
            change.at(0)
        }),
        ("one key twice where keys need not be unique", |size| {
            built(size, LEAF | 0x440, |page| page.node(b"a", b"a").node(b"a", b"b")).at(0)
        }),
        ("deleted nodes and nodes with versions", |size| {
            built(size, LEAF, |page| page.flagged_node(2, b"a", b"x").flagged_node(3, b"b", b"x").node(b"c", b"x"))
                .at(0)
        }),
        ("an internal page whose last key is empty", |size| {
            built(size, PARENT, |page| page.node(b"a", &[6, 0, 0, 0]).node(b"", &[7, 0, 0, 0])).at(0)
        }),
        ("an internal page of the level above", |size| {
            built(size, PARENT & !4, |page| page.node(b"a", &[6, 0, 0, 0]).node(b"b", &[7, 0, 0, 0])).at(0)
        }),
        ("old, scrubbed, deleted and flush flags", |size| leaf(size).u32(FLAGS, LEAF | 0x5_C300).at(0)),
        ("a space tree of an index", |size| leaf(size).u32(FLAGS, LEAF | 0x60).at(0)),
        ("a space tree of long values", |size| leaf(size).u32(FLAGS, LEAF | 0xA0).at(0)),
    ]
}
