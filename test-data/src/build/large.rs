//! Databases of any size, streamed to a file: shaped like a catdb.
//!
//! Rows are functions of their number and come in key order, so that nothing is sorted and memory stays bounded; it
//! offers no other shape. Tables and columns as `catdb-200.edb` has them (spec 14).

use std::fs::File;
use std::io;
use std::path::Path;

use ese_core::format::PageSize;

use super::contents::{Contents, Push};
use super::database_builder::{Slack, State, finish_file};
use super::key_builder::{append_groups, append_segment};
use super::page_fill::{TAG, header_len};
use super::record_builder::{Parts, Tagged};
use super::spec::{ANY_NULLS, NOT_NULL, Origin, TableSpec, Type};
use super::store::{FileSink, Format, Store, Sums};
use super::writer::{Leaves, Shadow, Writer};

/// Bytes of a SHA-256.
const HASH: usize = 32;
/// Catalogs there are.
const CATALOGS: u64 = 4000;
/// Pages that hold no rows: roots, catalogs, free ones.
const OTHER_PAGES: u64 = 64;
/// Rows that have one number.
const ROWS_OF_A_NUMBER: u64 = 4;
/// Odd, so that multiplication modulo a power of two gives each number once.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// The number that undoes [`STEP`].
const STEP_BACK: u64 = 0xF1DE_83E1_9937_733D;

/// What the table holds beside hash and names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LargeShape {
    /// Hash and names.
    Catdb,
    /// Also a number, with a descending, non-unique index over it in an order unlike that of the rows.
    WithIndex,
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LargeSummary {
    /// Rows of the table `HashCatNameTableSHA256`.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes a database of about `bytes` bytes (within 2 % from 64 MiB on) to `path`, in bounded memory.
///
/// # Errors
/// If the file cannot be created.
///
/// # Panics
/// If the disk is full.
pub fn write_large(path: &Path, size: PageSize, bytes: u64, shape: LargeShape) -> io::Result<LargeSummary> {
    let mut spec = TableSpec::new("HashCatNameTableSHA256");
    if shape == LargeShape::WithIndex {
        spec = spec.fixed("number", Type::Long, NOT_NULL);
    }
    spec = spec
        .variable("HashCatNameTable_HashCol", Type::Binary, NOT_NULL)
        .tagged("HashCatNameTable_CatNameCol", Type::LongBinary, 0)
        .primary(&["+HashCatNameTable_HashCol"]);
    if shape == LargeShape::WithIndex {
        spec = spec.index("number", ANY_NULLS, &["-number"]);
    }
    let rows = Rows::for_file(size, shape, bytes);
    let mut sink = FileSink::new(File::create(path)?);
    let store = Store::new(size, Format::Level20, Sums::Ecc, &mut sink);
    let mut writer = Writer::new(store, Leaves::Full);
    let objids = writer.objids(&spec, &rows);
    writer.table(&spec, &objids, &rows);
    let last = writer.finish(Shadow::Full, 16);
    finish_file(&mut writer, last, Slack::Blank(0), State::Clean);
    Ok(LargeSummary { rows: rows.count, bytes: (u64::from(last) + 2) * size.as_u64() })
}

/// All rows of the table, each made from its place in key order.
struct Rows {
    size: PageSize,
    shape: LargeShape,
    count: u64,
    /// 2 to this power is at least the number of rows.
    bits: u32,
}

impl Rows {
    /// As many rows as a file of `bytes` bytes holds.
    fn for_file(size: PageSize, shape: LargeShape, bytes: u64) -> Rows {
        let mut rows = Rows { size, shape, count: 1 << 12, bits: 12 };
        let mut used = [0_u64; 2];
        rows.rows(&mut |key, record| used[0] += (2 + key.len() + record.len() + TAG) as u64);
        if shape == LargeShape::WithIndex {
            rows.entries(0, &mut |key, bookmark| used[1] += (2 + key.len() + bookmark.len() + TAG) as u64);
        }
        // Each leaf loses half a node at its end on average.
        let room = (size.bytes() - header_len(size) - TAG) as u64;
        let millionths = used.map(|used| used * 1_000_000 / (rows.count * room - used / 2));
        let wanted = (bytes / size.as_u64()).saturating_sub(OTHER_PAGES).max(64);
        rows.count = wanted * 985_000 / (millionths[0] + millionths[1]);
        rows.bits = rows.count.next_power_of_two().trailing_zeros();
        rows
    }

    fn hash(&self, row: u64) -> [u8; HASH] {
        let mut hash = [0; HASH];
        let mut seed = row;
        for bytes in hash.chunks_exact_mut(8) {
            seed = mixed(seed);
            bytes.copy_from_slice(&seed.to_be_bytes());
        }
        let first = row << (64 - self.bits) | mixed(row) >> self.bits;
        hash[..8].copy_from_slice(&first.to_be_bytes());
        hash
    }

    /// The row whose scattered number is `scattered`.
    fn row_of(&self, scattered: u64) -> u64 {
        scattered.wrapping_mul(STEP_BACK) & ((1 << self.bits) - 1)
    }

    fn number(&self, row: u64) -> i32 {
        let scattered = row.wrapping_mul(STEP) & ((1 << self.bits) - 1);
        i32::try_from(scattered / ROWS_OF_A_NUMBER).expect("fewer than 2^31 rows")
    }
}

fn bookmark(hash: &[u8; HASH], key: &mut Vec<u8>) {
    key.clear();
    key.push(0x7F);
    append_groups(key, hash);
}

/// Appends the names of one or two catalogs, each with the mark that ends it.
fn append_names(row: u64, catalogs: &[Vec<u8>], names: &mut Vec<u8>) {
    let seed = mixed(row ^ STEP);
    let one_or_two = 1 + usize::from(seed % 8 > 5);
    let first = usize::try_from((seed >> 8) % CATALOGS).expect("few catalogs");
    for name in catalogs[first..].iter().chain(catalogs).take(one_or_two) {
        names.extend_from_slice(name);
    }
}

fn catalogs() -> Vec<Vec<u8>> {
    let name = |catalog: u64| {
        let (update, build) = (5_010_000 + catalog * 7, 100 + catalog % 900);
        format!("Package_{catalog}_for_KB{update}~31bf3856ad364e35~amd64~~10.0.1.{build}.cat|").into_bytes()
    };
    (0..CATALOGS).map(name).collect()
}

impl Contents for Rows {
    fn rows(&self, push: Push<'_>) {
        let catalogs = catalogs();
        let (mut key, mut record) = (Vec::new(), Vec::new());
        let mut parts = Parts {
            fixed: Vec::new(),
            variable: vec![Some(vec![0; HASH])],
            tagged: vec![Tagged { id: 256, origin: Origin::Own, extended: 1, data: Vec::new() }],
        };
        for row in 0..self.count {
            let hash = self.hash(row);
            bookmark(&hash, &mut key);
            if self.shape == LargeShape::WithIndex {
                parts.fixed = vec![(4, Some(self.number(row).to_le_bytes().to_vec()))];
            }
            parts.variable[0].iter_mut().for_each(|value| value.copy_from_slice(&hash));
            parts.tagged[0].data.clear();
            append_names(row, &catalogs, &mut parts.tagged[0].data);
            parts.encode_into(&mut record, self.size);
            push(&key, &record);
        }
    }

    fn entries(&self, _index: usize, push: Push<'_>) {
        let (mut key, mut data) = (Vec::new(), Vec::new());
        for number in (0..=((1_u64 << self.bits) - 1) / ROWS_OF_A_NUMBER).rev() {
            let scattered = number * ROWS_OF_A_NUMBER..(number + 1) * ROWS_OF_A_NUMBER;
            let mut rows: Vec<u64> = scattered.map(|scattered| self.row_of(scattered)).collect();
            rows.retain(|row| *row < self.count);
            rows.sort_unstable();
            for row in rows {
                key.clear();
                append_segment(&mut key, Type::Long, true, true, Some(&self.number(row).to_le_bytes()));
                bookmark(&self.hash(row), &mut data);
                push(&key, &data);
            }
        }
    }

    fn has_long_values(&self) -> bool {
        false
    }

    fn long_values(&self, _push: Push<'_>) {}
}

/// A number that looks unlike its neighbours (the finaliser of SplitMix64).
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(STEP);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_undone() {
        assert_eq!(STEP.wrapping_mul(STEP_BACK), 1);
    }
}
