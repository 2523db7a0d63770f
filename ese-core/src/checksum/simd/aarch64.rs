//! The vector type of aarch64: NEON, which every such processor has.

use std::arch::aarch64::{uint8x16_t, vdupq_n_u8, veorq_u8, vld1q_u8};

use super::kernel::{Lanes, parities};
use crate::checksum::block::sums_by;
use crate::checksum::ecc::Sum;
use crate::format::{BLOCKS_MAX, Pgno};

/// The sums of up to four blocks, read by 16-byte vectors.
pub(super) fn sums(page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
    sums_by(page, block_bytes, pgno, |block, correction| {
        // SAFETY: `uint8x16_t` stands for NEON, which all aarch64 targets with an operating system have.
        unsafe { parities::<uint8x16_t>(block, correction) }
    })
}

impl Lanes for uint8x16_t {
    type Words = [u64; 2];

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees NEON.
        unsafe { vdupq_n_u8(0) }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller guarantees NEON and 16 readable bytes; byte loads ask for no alignment.
        unsafe { vld1q_u8(from) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the caller guarantees NEON.
        unsafe { veorq_u8(self, other) }
    }

    #[inline(always)]
    unsafe fn words(self) -> [u64; 2] {
        // SAFETY: both types are 16 bytes that may have any value; on little-endian targets they are in word order.
        unsafe { std::mem::transmute(self) }
    }
}
