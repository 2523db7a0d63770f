//! For each rule a damage that breaks it, on a small and a large page size, and the one finding that it gives, at its byte.
//! Offsets are written from spec 02 and 04.

use std::collections::BTreeSet;

use catdb_test_data::{corpus, database};
use ese_core::check::space::Shutdown;
use ese_core::finding::{Code, Severity};
use ese_core::format::{Page, PageSize};
use ese_core::source::MemorySource;

use super::{Examined, brief};

/// Two databases with the same tables.
const BASES: [(&str, PageSize); 2] = [("kitchen-4k-b.edb", PageSize::K4), ("kitchen-32k-w10.edb", PageSize::K32)];

/// Roots of trees: the catalog, its index over names, its shadow, a table of one page.
const CATALOG: u32 = 4;
const NAME: u32 = 7;
const SHADOW: u32 = 24;
const OBJIDS: u32 = 29;
/// OE of the largest table.
const KITCHEN_OE: u32 = 32;

/// Fields of a page header, and of a space header.
const PREV: usize = 16;
const OBJID: usize = 24;
const FLAGS: usize = 36;
const CPG: usize = 0;
const PARENT: usize = 4;
const SPACE_FLAGS: usize = 8;
const ZERO: usize = 9;
const OE: usize = 12;

struct Base {
    file: Vec<u8>,
    size: PageSize,
}

impl Base {
    fn header(&self) -> usize {
        if self.size.bytes() > 8192 { 80 } else { 40 }
    }

    fn page(&self, pgno: u32) -> Page<'_> {
        Page::new(database::page(&self.file, self.size, pgno)).unwrap()
    }

    /// Overwrites bytes of a page, with a right checksum.
    fn put(&mut self, pgno: u32, at: usize, bytes: &[u8]) -> (u32, usize) {
        database::patch_page(&mut self.file, self.size, pgno, |page| page[at..at + bytes.len()].copy_from_slice(bytes));
        (pgno, at)
    }

    /// Offset of tag 0 in the page.
    fn tag0(&self, pgno: u32) -> usize {
        self.page(pgno).offset_of(self.page(pgno).line(0).unwrap())
    }

    /// Overwrites a field of the space header of a root, or of a split buffer.
    fn put_tag0(&mut self, root: u32, field: usize, bytes: &[u8]) -> (u32, usize) {
        self.put(root, self.tag0(root) + field, bytes)
    }

    /// Offset of the number of pages of an extent; its key stands before it.
    fn extent(&self, pgno: u32, line: usize) -> usize {
        let page = self.page(pgno);
        page.offset_of(page.node(line).unwrap().data)
    }

    /// The last line of a page: its highest extent.
    fn last_line(&self, pgno: u32) -> usize {
        self.page(pgno).tag_count() - 1
    }

    /// Makes an extent larger, or smaller, at its beginning.
    fn grow(&mut self, pgno: u32, line: usize, by: i32) -> (u32, usize) {
        let at = self.extent(pgno, line);
        let count = u32::from_le_bytes(self.page(pgno).bytes()[at..at + 4].try_into().unwrap());
        self.put(pgno, at, &count.checked_add_signed(by).unwrap().to_le_bytes())
    }

    /// Moves an extent up.
    fn shift(&mut self, pgno: u32, line: usize, by: u8) -> (u32, usize) {
        let at = self.extent(pgno, line);
        let last = self.page(pgno).bytes()[at - 1];
        self.put(pgno, at - 1, &[last + by]);
        (pgno, at)
    }

    /// Sets flags of a node: in its tag, or on large pages in the node.
    fn flag(&mut self, pgno: u32, line: usize, flags: u8) -> (u32, usize) {
        let at = self.extent(pgno, line);
        let place = match self.size {
            PageSize::K32 => at - 4 - 1,
            _ => self.size.bytes() - 4 * line - 1,
        };
        let byte = self.page(pgno).bytes()[place] | flags << 5;
        self.put(pgno, place, &[byte]);
        (pgno, at)
    }
}

struct Damage {
    name: &'static str,
    code: Code,
    rule: &'static str,
    provoke: fn(&mut Base) -> (u32, usize),
}

fn damage(name: &'static str, code: Code, rule: &'static str, provoke: fn(&mut Base) -> (u32, usize)) -> Damage {
    Damage { name, code, rule, provoke }
}

fn table() -> Vec<Damage> {
    let mut table = headers();
    table.extend(roots());
    table.extend(extents());
    table
}

fn headers() -> Vec<Damage> {
    vec![
        damage("unknown flags", Code::SpaceHeader, "S1", |base| base.put_tag0(NAME, SPACE_FLAGS, &[0x41])),
        damage("flags that exclude each other", Code::SpaceHeader, "S1", |base| {
            base.put_tag0(OBJIDS, SPACE_FLAGS, &[4])
        }),
        damage("bytes that must be zero", Code::SpaceHeader, "S1", |base| {
            let (pgno, at) = base.put_tag0(NAME, ZERO, &[0, 7]);
            (pgno, at + 1)
        }),
        damage("no page in the only extent", Code::SpaceHeader, "S1", |base| base.put_tag0(OBJIDS, CPG, &[0])),
        damage("no header", Code::SpaceHeader, "S1", |base| {
            base.put(OBJIDS, base.size.bytes() - 4, &[15, 0]);
            (OBJIDS, base.header())
        }),
        damage("another parent", Code::SpaceParent, "S2", |base| base.put_tag0(OBJIDS, PARENT, &[4])),
        damage("no parent", Code::SpaceParent, "S2", |base| base.put_tag0(NAME, PARENT, &[0])),
    ]
}

fn roots() -> Vec<Damage> {
    vec![
        damage("OE behind the end of the file", Code::SpaceRoot, "S3", |base| base.put_tag0(NAME, OE, &[0, 0, 0, 9])),
        damage("OE of another tree", Code::SpaceRoot, "S3", |base| base.put_tag0(NAME, OE, &[11])),
        damage("AE without its flag", Code::SpaceRoot, "S3", |base| {
            let flags = base.page(NAME + 2).flags().bits() & !0x20;
            base.put(NAME + 2, FLAGS, &flags.to_le_bytes())
        }),
        damage("OE with another objid", Code::SpaceRoot, "S3", |base| base.put(SHADOW + 1, OBJID, &[77])),
        damage("AE that is no root", Code::SpaceRoot, "S3", |base| {
            let flags = base.page(NAME + 2).flags().bits() & !1;
            base.put(NAME + 2, FLAGS, &flags.to_le_bytes())
        }),
        damage("AE blank", Code::SpaceRoot, "S3", |base| {
            database::zero(&mut base.file, base.size, SHADOW + 2, 0, base.size.bytes());
            (SHADOW + 2, 0)
        }),
        damage("OE with a sibling", Code::SpaceRoot, "S3", |base| base.put(NAME + 1, PREV, &[5])),
        damage("a split buffer of 15 bytes", Code::SpaceSplitBuffer, "S12", |base| {
            base.put(NAME + 1, base.size.bytes() - 4, &[15, 0]);
            (NAME + 1, base.header())
        }),
        damage("a split buffer outside the parent", Code::SpaceSplitBuffer, "S12", |base| {
            base.put_tag0(NAME + 1, 8, &[SHADOW.to_le_bytes(), 1u32.to_le_bytes()].concat())
        }),
    ]
}

fn extents() -> Vec<Damage> {
    vec![
        damage("an owned extent without pages", Code::SpaceExtent, "S4", |base| {
            let at = base.extent(NAME + 1, 1);
            base.put(NAME + 1, at, &[0; 4])
        }),
        damage("an extent that begins before page 1", Code::SpaceExtent, "S4", |base| base.grow(CATALOG + 2, 1, 24)),
        damage("an extent with a version", Code::SpaceExtent, "S4", |base| base.flag(CATALOG + 1, 1, 1)),
        damage("a key of 3 bytes", Code::SpaceExtent, "S4", |base| {
            let at = base.extent(CATALOG + 2, 1) - 4;
            base.put(CATALOG + 2, at - 2, &[3]);
            (CATALOG + 2, at)
        }),
        damage("an extent that reaches into the one before", Code::SpaceOverlap, "S5", |base| {
            base.grow(KITCHEN_OE, 2, 1)
        }),
        damage("a free extent of pages of another tree", Code::SpaceAvailNotOwned, "S6", |base| {
            base.shift(CATALOG + 2, 1, 1)
        }),
        damage("an extent with a page of another table", Code::SpaceOwnedTwice, "S7", |base| {
            base.grow(SHADOW + 1, 1, 1)
        }),
        damage("an extent without the pages of the trees below", Code::SpaceOwnedTwice, "S7", |base| {
            base.grow(CATALOG + 1, 1, -8)
        }),
        damage("a free extent with a page of a tree below", Code::SpaceOwnedTwice, "S7", |base| {
            let line = base.last_line(3);
            base.grow(3, line, 1)
        }),
        damage("a free extent with a page in use", Code::SpaceUsedPageFree, "S8", |base| {
            let line = base.last_line(SHADOW + 2);
            base.grow(SHADOW + 2, line, 1)
        }),
        damage("an extent without the root", Code::SpacePageNotOwned, "S9", |base| base.grow(SHADOW + 1, 1, -1)),
        damage("no extent at all", Code::SpacePageNotOwned, "S9", |base| {
            for line in 1..=base.last_line(NAME + 1) {
                base.flag(NAME + 1, line, 2);
            }
            // Its free extents lie outside then.
            for line in 1..=base.last_line(NAME + 2) {
                base.flag(NAME + 2, line, 2);
            }
            (NAME + 1, 0)
        }),
    ]
}

#[test]
fn every_damage_is_found_at_its_byte() {
    for Damage { name, code, rule, provoke } in table() {
        for (file, size) in BASES {
            let mut base = Base { file: corpus::fixture(file), size };
            let (pgno, at) = provoke(&mut base);
            let source = MemorySource(&base.file);
            let mut examined = Examined::new(&source);
            let findings = examined.findings();
            let worse: Vec<_> = findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
            let context = || format!("{name}, {size}: {}", brief(&findings));
            let [finding] = worse[..] else { panic!("expected {code} alone: {}", context()) };
            assert_eq!((finding.code, finding.detail.rule), (code, Some(rule)), "{}", context());
            let offset = (database::offset(size, pgno) + at) as u64;
            assert_eq!((finding.pgno.map(|pgno| pgno.0), finding.offset), (Some(pgno), offset), "{}", context());
            assert!(finding.object.as_ref().is_some_and(|object| object.objid.0 > 0), "{}", context());
            // Pages of different age may contradict each other.
            examined.shutdown = Shutdown::Dirty;
            assert!(examined.findings().iter().all(|finding| finding.severity < Severity::Error), "{}", context());
        }
    }
}

#[test]
fn free_pages_that_no_tree_lists_are_leaked() {
    for (file, size) in BASES {
        let mut base = Base { file: corpus::fixture(file), size };
        let line = base.last_line(CATALOG + 2);
        base.flag(CATALOG + 2, line, 2);
        let source = MemorySource(&base.file);
        let findings = Examined::new(&source).findings();
        let [leaked] = &findings[..] else { panic!("{}", brief(&findings)) };
        assert_eq!((leaked.code, leaked.detail.rule), (Code::SpaceLeaked, Some("S10")));
        let first = leaked.detail.pages[0];
        assert_eq!(u64::from(23 - first.0 + 1), leaked.detail.count.unwrap(), "{}", brief(&findings));
        assert_eq!(leaked.object.as_ref().unwrap().objid.0, 2);
    }
}

#[test]
fn a_file_that_ends_early_is_one_finding() {
    for (file, size) in BASES {
        let mut bytes = corpus::fixture(file);
        let len = database::offset(size, 120);
        bytes.truncate(len);
        let source = MemorySource(&bytes);
        let examined = Examined::new(&source);
        // Pages that no walk can reach are no matter here.
        let findings = examined.check().findings();
        let [cut] = &findings[..] else { panic!("{}", brief(&findings)) };
        assert_eq!((cut.code, cut.detail.rule, cut.offset), (Code::DbTruncated, Some("S11"), len as u64));
    }
}

#[test]
fn every_rule_has_a_damage() {
    let covered: BTreeSet<&str> = table().iter().map(|damage| damage.rule).collect();
    let all = ["S1", "S12", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9"];
    assert_eq!(covered.into_iter().collect::<Vec<_>>(), all);
}
