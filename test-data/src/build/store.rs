//! Where finished pages go, and the two counters every page takes from: page numbers and dbtimes.
//!
//! It never looks into a page; a sink is memory for tests or a file for benches. Spec 01 section 1, 02 section 7.

use std::io::{BufWriter, Seek, SeekFrom, Write};

use ese_core::format::PageSize;

use super::page_fill::{PageFill, PageHead};

/// The dbtime of a new database's first change is 0x40 (spec 02 section 7); pages written by the builder follow it.
pub(crate) const DBTIME_FIRST: u64 = 0x41;

/// The format level that a database claims, and what follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// 0x620,20,0, Windows 8 to Windows 10 1809: long value ids of 32 bits, no mark for reserved tags.
    Level20,
    /// 0x620,290,600, the engine of the corpora: long value ids of 64 bits, one reserved tag.
    Level290,
}

/// Which checksum pages carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sums {
    /// ECC and XOR, page flag 0x2000.
    Ecc,
    /// The old XOR checksum with the page number: small pages only.
    Xor,
}

/// Takes bytes at file offsets.
pub(crate) trait Sink {
    /// Stores `bytes` at `offset`; what lies between is zero.
    fn put(&mut self, offset: u64, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, offset: u64, bytes: &[u8]) {
        let at = usize::try_from(offset).expect("a database in memory");
        if self.len() < at + bytes.len() {
            self.resize(at + bytes.len(), 0);
        }
        self[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// A file that is written mostly front to back.
#[derive(Debug)]
pub(crate) struct FileSink {
    file: BufWriter<std::fs::File>,
    at: u64,
}

impl FileSink {
    pub(crate) fn new(file: std::fs::File) -> FileSink {
        FileSink { file: BufWriter::with_capacity(1 << 20, file), at: 0 }
    }
}

impl Sink for FileSink {
    fn put(&mut self, offset: u64, bytes: &[u8]) {
        if offset != self.at {
            self.file.seek(SeekFrom::Start(offset)).expect("a seek in the file under construction");
        }
        self.file.write_all(bytes).expect("room for the file under construction");
        self.at = offset + bytes.len() as u64;
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        self.file.flush().expect("room for the file under construction");
    }
}

/// Forgets everything: for counting how many pages a tree will take.
#[derive(Debug)]
pub(crate) struct NoSink;

impl Sink for NoSink {
    fn put(&mut self, _offset: u64, _bytes: &[u8]) {}
}

/// The file under construction.
pub(crate) struct Store<'s> {
    pub(crate) size: PageSize,
    pub(crate) format: Format,
    pub(crate) sums: Sums,
    pub(crate) dbtime: u64,
    /// The first page that nobody has taken.
    pub(crate) next: u32,
    sink: &'s mut dyn Sink,
}

impl<'s> Store<'s> {
    pub(crate) fn new(size: PageSize, format: Format, sums: Sums, sink: &'s mut dyn Sink) -> Store<'s> {
        Store { size, format, sums, dbtime: DBTIME_FIRST, next: 1, sink }
    }

    /// Takes `count` pages that follow each other; the first one's number.
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let first = self.next;
        self.next += count;
        first
    }

    /// Seals the page in `fill` with the next dbtime and stores it. `flags` are those of tree and level.
    pub(crate) fn write(&mut self, fill: &mut PageFill, pgno: u32, siblings: (u32, u32), objid: u32, flags: u32) {
        let format = match self.sums {
            Sums::Ecc => 0x2800,
            Sums::Xor => 0x0800,
        };
        let reserved_tags = match self.format {
            Format::Level20 => 0,
            Format::Level290 => 0x1000,
        };
        let (prev, next) = siblings;
        let head = PageHead { pgno, dbtime: self.dbtime, prev, next, objid, flags: flags | format, reserved_tags };
        self.dbtime += 1;
        let offset = (u64::from(pgno) + 1) * self.size.as_u64();
        self.sink.put(offset, fill.seal(&head));
    }

    /// Stores bytes that are no page: headers and slack.
    pub(crate) fn put(&mut self, offset: u64, bytes: &[u8]) {
        self.sink.put(offset, bytes);
    }
}
