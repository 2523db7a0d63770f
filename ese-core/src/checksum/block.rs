//! A page as one to four blocks, each with a checksum of its own (spec 02 section 6.3).
//!
//! Computes, reads and stores the sums of all blocks as if the page carried ECC; it never asks the page's flags whether
//! it does, and never judges.

use std::array;

use super::ecc::{Parities, Sum};
use super::simd;
use crate::format::{
    BLOCKS_MAX, OFFSET_BLOCK_SUMS, OFFSET_CHECKSUM, OFFSET_FLAGS, PageSize, Pgno, SUM_BYTES, SUMS_END,
};

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

/// The start of a page: its flags and its stored sums.
#[derive(Clone, Copy)]
pub(super) struct Head<'a>(&'a [u8; SUMS_END]);

impl<'a> Head<'a> {
    /// `None` if there is less of a page than that.
    pub(super) fn of(page: &'a [u8]) -> Option<Head<'a>> {
        page.first_chunk().map(Head)
    }

    /// fFlags.
    pub(super) fn flags(self) -> u32 {
        self.word(OFFSET_FLAGS)
    }

    /// The sum of block `index` as it stands in the page; of block 0 if there is no such block in any page.
    pub(super) fn stored(self, index: usize) -> Sum {
        let at = sum_offset(index);
        Sum { xor: self.word(at), second: self.word(at + 4) }
    }

    /// The u32 at byte `at`; 0 behind the end, where no field of a checksum lies.
    fn word(self, at: usize) -> u32 {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
    }
}

/// Byte offset in the page at which the sum of block `index` is stored.
pub(super) const fn sum_offset(index: usize) -> usize {
    match index {
        0 => OFFSET_CHECKSUM,
        later => OFFSET_BLOCK_SUMS + (later - 1) * SUM_BYTES,
    }
}

/// The number of the last bit of a block: M in the formula.
pub(super) fn last_bit(block_bytes: usize) -> u32 {
    // At most 65535.
    u32::try_from(8 * block_bytes - 1).unwrap_or(u32::MAX)
}

/// The sums of up to four blocks of `block_bytes`, of which the first is block 0 of its page: its first 8 bytes count
/// as zero. `parities` reads one block in the manner of [`Parities::portable`].
///
/// Goes in ascending order: any other defeats the memory's read-ahead. Always inlined, because it has to be compiled
/// for the same processor features as `parities`.
#[inline(always)]
pub(super) fn sums_by(
    page: &[u8],
    block_bytes: usize,
    pgno: Pgno,
    parities: impl Fn(&[u8], u64) -> Parities,
) -> [Sum; BLOCKS_MAX] {
    let last_bit = last_bit(block_bytes);
    let mut correction = page.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    let mut sums = [Sum::default(); BLOCKS_MAX];
    let mut rest = page;
    for sum in &mut sums {
        let Some((block, behind)) = rest.split_at_checked(block_bytes) else { break };
        *sum = parities(block, correction).sum(last_bit, pgno);
        correction = 0;
        rest = behind;
    }
    sums
}

/// The sums of all blocks, stored and computed.
pub(super) fn compare(page: &[u8], head: Head<'_>, size: PageSize, pgno: Pgno) -> PageBlocks {
    let computed = simd::sums(page, size.checksum_block_bytes(), pgno);
    array::from_fn(|index| {
        let stored = if index < size.checksum_blocks() { head.stored(index) } else { Sum::default() };
        BlockSums { stored, computed: computed[index] }
    })
}

/// Stores the sums of all blocks. Those of blocks 1 to 3 lie inside block 0 and count for its sum, so that comes last.
pub(super) fn store(page: &mut [u8], size: PageSize, pgno: Pgno) {
    let block_bytes = size.checksum_block_bytes();
    for blocks in [size.checksum_blocks(), 1] {
        let sums = simd::sums(page.get(..blocks * block_bytes).unwrap_or_default(), block_bytes, pgno);
        for (index, sum) in sums.into_iter().enumerate().take(blocks) {
            put(page, index, sum);
        }
    }
}

/// Writes the sum of block `index`.
pub(super) fn put(page: &mut [u8], index: usize, sum: Sum) {
    if let Some(place) = page.get_mut(sum_offset(index)..).and_then(|rest| rest.first_chunk_mut::<SUM_BYTES>()) {
        *place = (u64::from(sum.second) << 32 | u64::from(sum.xor)).to_le_bytes();
    }
}
