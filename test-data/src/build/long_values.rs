//! The entries of a long value tree: ids, roots, plain chunks.
//!
//! It never compresses and never shares a value between records. Spec 07 sections 1 and 2.

use ese_core::format::PageSize;

use super::store::Format;

/// The first id of 64 bits in each tree.
const FIRST_WIDE: u64 = 0x8000_0000_8000_0001;

/// Bytes of a chunk.
#[must_use]
pub fn chunk_size(size: PageSize) -> usize {
    match size {
        PageSize::K2 | PageSize::K4 | PageSize::K8 => size.bytes() - 82,
        PageSize::K16 => 4050,
        PageSize::K32 => 8150,
    }
}

/// Long values of one table.
#[derive(Debug)]
pub(crate) struct LongValues {
    chunk: usize,
    next: u64,
    /// Key and data of every entry, in order.
    pub(crate) entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl LongValues {
    pub(crate) fn new(size: PageSize, format: Format) -> LongValues {
        let next = match format {
            Format::Level20 => 1,
            Format::Level290 => FIRST_WIDE,
        };
        LongValues { chunk: chunk_size(size), next, entries: Vec::new() }
    }

    /// Stores `value`; the reference that stands for it in a record.
    pub(crate) fn add(&mut self, value: &[u8]) -> Vec<u8> {
        let (key, reference) = match u32::try_from(self.next) {
            Ok(id) => (id.to_be_bytes().to_vec(), id.to_le_bytes().to_vec()),
            Err(_) => (self.next.to_be_bytes().to_vec(), self.next.to_le_bytes().to_vec()),
        };
        self.next += 1;
        let len = u32::try_from(value.len()).expect("a value of less than 2 GiB");
        self.entries.push((key.clone(), [1_u32.to_le_bytes(), len.to_le_bytes()].concat()));
        for (i, chunk) in value.chunks(self.chunk).enumerate() {
            let offset = u32::try_from(i * self.chunk).expect("a value of less than 2 GiB");
            self.entries.push(([&key[..], &offset.to_be_bytes()].concat(), chunk.to_vec()));
        }
        reference
    }
}
