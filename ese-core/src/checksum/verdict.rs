//! What the sums of a page say, and what must have happened where they disagree (spec 02 sections 6.4 and 6.6).
//!
//! Works on the sums alone: a flip changes them in a known way, so whether a correction would make everything match
//! is decided without touching the page. It never looks at what the page means.

use super::block::{self, BlockSums, PageBlocks};
use crate::format::{BIT_FLAG_ECC, BLOCKS_MAX, OFFSET_BLOCK_SUMS, OFFSET_FLAGS, PageSize, Pgno, SUM_BYTES};

/// The verdict over a page's checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageSum {
    /// Every byte is zero. Lawful only where no tree has used the page.
    Blank,
    /// Every sum is right for this page number.
    Good,
    /// At least one sum is wrong.
    Bad(BadSums),
}

/// The sums of a page that has a wrong one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadSums {
    pub(super) sums: PageBlocks,
    pub(super) blocks: usize,
    pub(super) cause: Cause,
}

/// The smallest change that explains wrong sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// One flipped bit in each wrong block; [`correct`](super::correct) would flip them back. A few pages with three
    /// flipped bits look the same: believe it only if the corrected page passes the page check.
    FlippedBits(Correction),
    /// All is right but for the page number, which was this one when the sums were made. The sums cannot tell a page
    /// in the wrong place from a damaged XOR word: a number that the file does not have means the latter.
    OtherPage(Pgno),
    /// Anything else: more bits, or one in a stored sum. [`BadSums::blocks`] shows which words disagree.
    Unknown,
}

/// The bits that [`correct`](super::correct) flips: at most one in each block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Correction {
    by_block: [Option<u32>; BLOCKS_MAX],
}

impl Correction {
    /// The bits in ascending order, counted over the whole page: 8 * byte + bit, bit 0 the least significant.
    pub fn bits(&self) -> impl Iterator<Item = u32> {
        self.by_block.into_iter().flatten()
    }
}

impl BadSums {
    /// Stored and computed sums, block by block: four on large pages, else one. On an old page the second computed
    /// word is the page's number. Empty if the bytes given were no page of any size.
    #[must_use]
    pub fn blocks(&self) -> &[BlockSums] {
        self.sums.get(..self.blocks).unwrap_or_default()
    }

    /// What explains the difference.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Byte offset in the page of the first stored word that disagrees. Where only the ECC flag of a large page is
    /// missing, the offset of the flags.
    #[must_use]
    pub fn offset(&self) -> usize {
        let wrong = self.sums.iter().enumerate().find(|(_, block)| !block.agree());
        wrong.map_or(OFFSET_FLAGS, |(index, BlockSums { stored, computed })| {
            block::sum_offset(index) + if stored.xor == computed.xor { 4 } else { 0 }
        })
    }

    /// The verdict over bytes that are no page.
    pub(super) fn of_no_page() -> BadSums {
        BadSums { sums: PageBlocks::default(), blocks: 0, cause: Cause::Unknown }
    }

    /// The verdict over a page with the ECC flag, given sums of which at least one disagrees.
    pub(super) fn of_ecc_page(sums: PageBlocks, size: PageSize, pgno: Pgno) -> BadSums {
        let blocks = size.checksum_blocks();
        let cause = match one_bit_a_block(&sums, size) {
            Some(correction) => Cause::FlippedBits(correction),
            None => other_page(sums.get(..blocks).unwrap_or_default(), pgno).map_or(Cause::Unknown, Cause::OtherPage),
        };
        BadSums { sums, blocks, cause }
    }

    /// The verdict over an old page whose sum, `old`, disagrees. `as_ecc` are the sums that it has by ECC as it stands.
    pub(super) fn of_old_page(old: BlockSums, as_ecc: PageBlocks, size: PageSize) -> BadSums {
        let mut sums = PageBlocks::default();
        sums[0] = old;
        let cause = if old.stored.xor == old.computed.xor {
            Cause::OtherPage(Pgno(old.stored.second))
        } else {
            lost_flag(as_ecc, size)
        };
        BadSums { sums, blocks: 1, cause }
    }

    /// The verdict over a large page without the ECC flag, which no large page lacks.
    pub(super) fn of_large_page_without_flag(sums: PageBlocks, size: PageSize) -> BadSums {
        BadSums { sums, blocks: size.checksum_blocks(), cause: lost_flag(sums, size) }
    }
}

/// The correction, if one flip in each wrong block makes all blocks match.
fn one_bit_a_block(sums: &PageBlocks, size: PageSize) -> Option<Correction> {
    let mut sums = *sums;
    let mut correction = Correction::default();
    // Block 0 first: a bit corrected there may lie in the stored sum of a later block.
    for index in 0..BLOCKS_MAX {
        let Some(block) = sums.get(index).filter(|block| !block.agree()) else { continue };
        let bit = flipped_bit(block, size)?;
        if index == 0 {
            // The checksum itself counts as zero, so a bit in it cannot be what changed the sum; and without its ECC
            // flag the page would not be judged by ECC at all.
            if bit / 8 < u32::try_from(SUM_BYTES).ok()? || bit == BIT_FLAG_ECC {
                return None;
            }
            flip_in_stored_sum(&mut sums, bit, size);
        }
        let block_start =
            u32::try_from(index).ok()?.checked_mul(block::last_bit(size.checksum_block_bytes()).checked_add(1)?)?;
        *correction.by_block.get_mut(index)? = Some(block_start.checked_add(bit)?);
    }
    Some(correction)
}

/// The bit of the block whose flip makes both words match.
///
/// The low half of the ECC difference names the bit. That flipping it repairs everything is the same as that the
/// differences are exactly what the flip of that bit makes, because sums of flips are XORed.
fn flipped_bit(block: &BlockSums, size: PageSize) -> Option<u32> {
    let bit = (block.stored.second ^ block.computed.second) & 0xFFFF;
    let last_bit = block::last_bit(size.checksum_block_bytes());
    (bit <= last_bit && block.computed.after_flip(bit, last_bit) == block.stored).then_some(bit)
}

/// Flips bit `bit` of block 0 in the stored sums of blocks 1 to 3, if it lies in one of them.
fn flip_in_stored_sum(sums: &mut PageBlocks, bit: u32, size: PageSize) {
    let Ok(byte) = usize::try_from(bit / 8) else { return };
    let Some(behind) = byte.checked_sub(OFFSET_BLOCK_SUMS).filter(|_| size.is_large()) else { return };
    if let Some(block) = sums.get_mut(1 + behind / SUM_BYTES) {
        let mask = 1 << (bit % 32);
        if behind % SUM_BYTES < 4 { block.stored.xor ^= mask } else { block.stored.second ^= mask }
    }
}

/// The ECC flag as the one flipped bit: with it set, everything must match.
fn lost_flag(mut sums: PageBlocks, size: PageSize) -> Cause {
    sums[0].computed = sums[0].computed.after_flip(BIT_FLAG_ECC, block::last_bit(size.checksum_block_bytes()));
    if sums.iter().all(BlockSums::agree) {
        Cause::FlippedBits(Correction { by_block: [Some(BIT_FLAG_ECC), None, None, None] })
    } else {
        Cause::Unknown
    }
}

/// The page number for which all sums would be right.
fn other_page(blocks: &[BlockSums], pgno: Pgno) -> Option<Pgno> {
    let difference = |block: &BlockSums| block.stored.xor ^ block.computed.xor;
    let first = difference(blocks.first()?);
    let same = blocks.iter().all(|b| difference(b) == first && b.stored.second == b.computed.second);
    same.then_some(Pgno(pgno.0 ^ first))
}
