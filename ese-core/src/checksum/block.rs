//! A page as one to four blocks, each with a checksum of its own (spec 02 section 6.3).
//!
//! Reads or stores all sums of a page that carries ECC; it never asks the page's flags whether it does, and never
//! judges.

use super::ecc::Sum;
use super::simd;
use crate::format::{BLOCKS_MAX, OFFSET_BLOCK_SUMS, OFFSET_CHECKSUM, PageSize, Pgno, SUM_BYTES};

/// The checksum of one block, as the page stores it and as its bytes give it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlockSums {
    /// What the page says.
    pub stored: Sum,
    /// What the block is.
    pub computed: Sum,
}

impl BlockSums {
    /// True if both words agree.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.stored == self.computed
    }
}

/// The sums of all blocks of a page. Places behind its last block hold equal sums, so they never disagree.
pub(super) type PageBlocks = [BlockSums; BLOCKS_MAX];

/// The number of the last bit of a block: M in the formula.
pub(super) fn last_bit(size: PageSize) -> u32 {
    // At most 65535.
    u32::try_from(8 * size.checksum_block_bytes() - 1).unwrap_or(u32::MAX)
}

/// Byte offset in the page at which the sum of block `block` is stored.
pub(super) const fn sum_offset(block: usize) -> usize {
    match block {
        0 => OFFSET_CHECKSUM,
        later => OFFSET_BLOCK_SUMS + (later - 1) * SUM_BYTES,
    }
}

/// Reads every block once, in ascending order: any other order defeats the memory's read-ahead.
pub(super) fn compare(page: &[u8], size: PageSize, pgno: Pgno) -> PageBlocks {
    let mut sums = PageBlocks::default();
    for (index, (block, sums)) in page.chunks_exact(size.checksum_block_bytes()).zip(&mut sums).enumerate() {
        *sums = BlockSums { stored: stored(page, index), computed: computed(block, index, size, pgno) };
    }
    sums
}

/// Stores the sums of all blocks. Those of blocks 1 to 3 lie inside block 0 and are covered by its sum, so it is last.
pub(super) fn store(page: &mut [u8], size: PageSize, pgno: Pgno) {
    for index in (0..size.checksum_blocks()).rev() {
        let block = page.chunks_exact(size.checksum_block_bytes()).nth(index);
        if let Some(sum) = block.map(|block| computed(block, index, size, pgno)) {
            put(page, index, sum);
        }
    }
}

/// The sum of block `index`, whose bytes are `block`; block 0 counts as though no checksum stood in it.
fn computed(block: &[u8], index: usize, size: PageSize, pgno: Pgno) -> Sum {
    let mut parities = simd::parities(block);
    if index == 0 {
        let first = block.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        parities = parities.with_first_word_zero(first);
    }
    parities.sum(last_bit(size), pgno)
}

/// The sum of block `index` as it stands in the page.
pub(super) fn stored(page: &[u8], index: usize) -> Sum {
    let at = sum_offset(index);
    Sum { xor: word(page, at), second: word(page, at + 4) }
}

/// Writes the sum of block `index`.
pub(super) fn put(page: &mut [u8], index: usize, sum: Sum) {
    if let Some(place) = page.get_mut(sum_offset(index)..).and_then(|rest| rest.first_chunk_mut::<SUM_BYTES>()) {
        *place = (u64::from(sum.second) << 32 | u64::from(sum.xor)).to_le_bytes();
    }
}

/// The u32 at byte `at`; 0 where there is none, which no page size allows for the offsets used here.
pub(super) fn word(page: &[u8], at: usize) -> u32 {
    page.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}
