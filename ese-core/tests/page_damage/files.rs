//! Damages of the header copies, of the file's length, and of the medium. Offsets are written from spec 01.

use catdb_test_data::database;
use catdb_test_data::page_builder::PageBuilder;
use ese_core::finding::Code;
use ese_core::format::PageSize;

use super::{Damage, Damaged, Faulty, Lawful, damage};

const PAGES: u32 = 8;

const MAGIC: usize = 4;
const VERSION: usize = 8;
const DBTIME: usize = 16;
const STATE: usize = 52;
const CONSISTENT_TIME: usize = 64;
const UPDATE_MAJOR: usize = 232;
const PAGE_SIZE: usize = 236;
const REPAIR_COUNT: usize = 240;
const GEN_MIN_REQUIRED: usize = 296;
const GEN_MAX_REQUIRED: usize = 300;
const FILE_TYPE: usize = 667;

/// A sound database about to be damaged.
struct Change {
    file: Vec<u8>,
    size: PageSize,
}

fn sound(size: PageSize) -> Change {
    Change { file: database::tiny(size, PAGES), size }
}

/// The key of a page that is set aside because it lies beyond the end of the file.
fn shelved(pgno: u32) -> Vec<u8> {
    [&[0x82], &pgno.to_be_bytes()[..]].concat()
}

impl Change {
    /// The database owns pages 1 to `last`; `free` adds to its tree of available space. An extent that was given back
    /// stands in both trees, flagged deleted.
    fn owning(mut self, last: u32, free: impl FnOnce(PageBuilder) -> PageBuilder) -> Change {
        let tree = |pgno| PageBuilder::leaf(self.size, pgno).flags(0x2823).objid(1).tag0(&[0; 16]);
        let gone = |page: PageBuilder, last: u32| page.flagged_node(2, &last.to_be_bytes(), &[1, 0, 0, 0]);
        let owned = gone(tree(2).node(&last.to_be_bytes(), &last.to_le_bytes()), last + 100).build();
        let available = free(gone(tree(3), PAGES)).build();
        database::page_mut(&mut self.file, self.size, 2).copy_from_slice(&owned);
        database::page_mut(&mut self.file, self.size, 3).copy_from_slice(&available);
        self
    }

    /// Writes a number into the header copies `copies` (0 and 1) and makes their checksums valid.
    fn put(mut self, copies: &[usize], at: usize, value: u32) -> Change {
        for copy in copies {
            let slot = &mut self.file[copy * self.size.bytes()..][..self.size.bytes()];
            slot[at..at + 4].copy_from_slice(&value.to_le_bytes());
            database::seal_header(slot);
        }
        self
    }

    /// Writes a number into both copies.
    fn header(self, at: usize, value: u32) -> Change {
        self.put(&[0, 1], at, value)
    }

    /// Changes a byte of the file and nothing else.
    fn broken(mut self, at: usize) -> Change {
        self.file[at] ^= 0x10;
        self
    }

    /// Adds bytes at the end, or cuts some.
    fn resized(mut self, len: usize) -> Change {
        self.file.resize(len, 0);
        self
    }

    fn at(self, offset: usize) -> Damaged {
        let source = Faulty { bytes: self.file, ..Faulty::default() };
        Damaged { source, offset: offset as u64, also: &[] }
    }

    fn unreadable(self, at: usize, len: usize) -> Damaged {
        let mut damaged = self.at(at);
        damaged.source.unreadable = at as u64..(at + len) as u64;
        damaged
    }
}

impl Damaged {
    fn with(mut self, also: &'static [Code]) -> Damaged {
        self.also = also;
        self
    }
}

pub(super) fn table() -> Vec<Damage> {
    let mut table = copies();
    table.extend(fields());
    table.extend(lengths());
    table.extend(media());
    table
}

fn copies() -> Vec<Damage> {
    vec![
        damage("first copy damaged", Code::HdrPrimaryBad, "H1", |size| sound(size).broken(DBTIME).at(0)),
        damage("first copy damaged in its page size", Code::HdrPrimaryBad, "H1", |size| {
            sound(size).broken(PAGE_SIZE).at(0)
        }),
        damage("first copy names another page size under a valid checksum", Code::HdrPrimaryBad, "H1", |size| {
            sound(size).put(&[0], PAGE_SIZE, 777).at(0)
        }),
        damage("first copy zeroed", Code::HdrPrimaryBad, "H1", |size| {
            let mut change = sound(size);
            change.file[..size.bytes()].fill(0);
            change.at(0)
        }),
        damage("second copy damaged", Code::HdrShadowBad, "H1", |size| {
            sound(size).broken(size.bytes() + DBTIME).at(size.bytes())
        }),
        damage("both copies damaged", Code::HdrBothBad, "H1", |size| {
            sound(size).broken(DBTIME).broken(size.bytes() + DBTIME).at(0)
        }),
        damage("both copies zeroed: the page size is found from the pages", Code::HdrBothBad, "H1", |size| {
            let mut change = sound(size);
            change.file[..2 * size.bytes()].fill(0);
            change.at(0)
        }),
        damage("both copies valid and not equal", Code::HdrCopiesDiffer, "H2", |size| {
            // The checksums differ first: byte 2 of the sum takes up what byte 2 of a word lost.
            sound(size).put(&[1], DBTIME, 0x0001_1000).at(size.bytes() + 2)
        }),
    ]
}

fn fields() -> Vec<Damage> {
    vec![
        damage("no magic", Code::HdrMagic, "H3", |size| sound(size).header(MAGIC, 0).at(MAGIC)),
        damage("an unknown version", Code::HdrVersion, "H4", |size| sound(size).header(VERSION, 0x621).at(VERSION)),
        damage("a version of tomorrow", Code::HdrVersionNew, "H4", |size| {
            sound(size).header(UPDATE_MAJOR, 301).at(UPDATE_MAJOR)
        }),
        damage("a page size that none has, in both copies", Code::HdrPageSize, "H5", |size| {
            sound(size).header(PAGE_SIZE, 777).at(PAGE_SIZE)
        }),
        damage("the page size of another file, in both copies", Code::HdrPageSize, "H5", |size| {
            let other = if size == PageSize::K4 { 16384 } else { 4096 };
            sound(size).header(PAGE_SIZE, other).at(PAGE_SIZE)
        }),
        damage("the file type of a log", Code::HdrFiletype, "H7", |size| {
            sound(size).header(FILE_TYPE, 3).at(FILE_TYPE)
        }),
        damage("dirty, and the first copy damaged", Code::DbDirty, "H6", |size| {
            let dirty = sound(size).header(STATE, 2).header(GEN_MIN_REQUIRED, 5);
            dirty.broken(DBTIME).at(size.bytes() + STATE).with(&[Code::HdrPrimaryBad])
        }),
        damage("dirty, and no logs to recover it", Code::HdrState, "H6", |size| {
            sound(size).header(STATE, 2).at(GEN_MIN_REQUIRED).with(&[Code::DbDirty])
        }),
        damage("dirty, with logs", Code::DbDirty, "H6", |size| {
            sound(size).header(STATE, 2).header(GEN_MIN_REQUIRED, 5).header(GEN_MAX_REQUIRED, 7).at(STATE)
        }),
        damage("a state that there is not", Code::HdrState, "H6", |size| sound(size).header(STATE, 9).at(STATE)),
        damage("no state", Code::HdrState, "H6", |size| sound(size).header(STATE, 0).at(STATE)),
        damage("clean, and yet asks for logs", Code::HdrRequiredLogs, "H9", |size| {
            sound(size).header(GEN_MIN_REQUIRED, 5).at(GEN_MIN_REQUIRED)
        }),
        damage("month 13", Code::HdrTime, "H10", |size| {
            sound(size)
                .header(CONSISTENT_TIME, 0x0101_0101)
                .header(CONSISTENT_TIME + 4, 0x0000_7E0D)
                .at(CONSISTENT_TIME)
        }),
        damage("repaired before", Code::DbRepairedBefore, "header", |size| {
            sound(size).header(REPAIR_COUNT, 1).at(REPAIR_COUNT)
        }),
    ]
}

fn lengths() -> Vec<Damage> {
    vec![
        damage("a page begun", Code::DbTruncated, "H8", |size| {
            let len = database::offset(size, PAGES + 1);
            sound(size).resized(len + 100).at(len)
        }),
        damage("two header copies and no page", Code::DbTruncated, "H8", |size| {
            sound(size).resized(2 * size.bytes()).at(2 * size.bytes())
        }),
        damage("the last page missing", Code::DbTruncated, "S11", |size| {
            let len = database::offset(size, PAGES);
            sound(size).resized(len).at(len)
        }),
        damage("nothing left but the first page", Code::DbTruncated, "S11", |size| {
            let len = database::offset(size, 2);
            sound(size).resized(len).at(len)
        }),
        damage("pages missing that are not set aside as beyond the end", Code::DbTruncated, "S11", |size| {
            let change = sound(size).owning(PAGES + 2, |free| free.node(&shelved(PAGES + 2), &[1, 0, 0, 0]));
            change.at(database::offset(size, PAGES + 1))
        }),
        damage("blank pages behind the owned space", Code::DbSlack, "S11", |size| {
            let len = database::offset(size, PAGES + 1);
            sound(size).resized(len + 3 * size.bytes()).at(len)
        }),
        damage("a damaged page behind the owned space", Code::DbSlack, "S11", |size| {
            let len = database::offset(size, PAGES + 1);
            sound(size).resized(len + 3 * size.bytes()).broken(len + 99).at(len)
        }),
    ]
}

/// Findings of the run itself break no rule of the format.
fn media() -> Vec<Damage> {
    let mut media = vec![
        damage("a page that cannot be read", Code::DbReadError, "", |size| {
            sound(size).unreadable(database::offset(size, 5), size.bytes())
        }),
        damage("a sector of a page that cannot be read", Code::DbReadError, "", |size| {
            let mut damaged = sound(size).unreadable(database::offset(size, 5) + 1024, 512);
            damaged.offset -= 1024;
            damaged
        }),
        damage("a sector of the first copy that cannot be read", Code::DbReadError, "", |size| {
            sound(size).unreadable(1024, 512).with(&[Code::HdrPrimaryBad])
        }),
        damage("a second copy that cannot be read", Code::DbReadError, "", |size| {
            sound(size).unreadable(size.bytes(), size.bytes()).with(&[Code::HdrShadowBad])
        }),
        damage("the file became shorter", Code::DbChanged, "", |size| {
            let mut damaged = sound(size).at(database::offset(size, 6));
            damaged.source.ends_now = Some(damaged.offset + 100);
            damaged
        }),
        damage("the file was written to", Code::DbChanged, "", |size| {
            let mut damaged = sound(size).at(0);
            damaged.source.change = Some("it was written to");
            damaged
        }),
    ];
    for damage in &mut media {
        damage.rule = None;
    }
    media
}

pub(super) fn lawful() -> Vec<Lawful> {
    vec![
        ("extents flagged deleted are history", |size| sound(size).owning(PAGES, |free| free).at(0)),
        ("pages set aside as beyond the end of the file", |size| {
            let (first, second) = (shelved(PAGES + 1), shelved(PAGES + 2));
            sound(size).owning(PAGES + 2, |free| free.node(&first, &[1, 0, 0, 0]).node(&second, &[1, 0, 0, 0])).at(0)
        }),
        ("no file type, as old engines write it", |size| sound(size).header(FILE_TYPE, 0).at(0)),
        ("the oldest version", |size| sound(size).header(UPDATE_MAJOR, 9).at(0)),
        ("an update level between known ones", |size| sound(size).header(UPDATE_MAJOR, 150).at(0)),
    ]
}
