//! The vector types of x86-64: SSE2, which every such processor has, and AVX2.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_setzero_si128, _mm_xor_si128, _mm256_loadu_si256, _mm256_setzero_si256,
    _mm256_xor_si256,
};

use super::{Lanes, Parities, parities_by};

/// Reads a block with the wider vectors if this processor has them.
pub(super) fn parities(block: &[u8]) -> Parities {
    Avx2::detect().map_or_else(|| sse2(block), |avx2| avx2.parities(block))
}

/// Every kernel that this processor can run.
#[cfg(test)]
pub(super) fn available() -> Vec<super::Named> {
    let avx2: super::Named = ("avx2", |block| Avx2::detect().unwrap().parities(block));
    [("sse2", sse2 as fn(&[u8]) -> Parities)].into_iter().chain(Avx2::detect().map(|_| avx2)).collect()
}

/// Proof that this processor has AVX2 and POPCNT: only [`Avx2::detect`] makes one.
#[derive(Clone, Copy)]
struct Avx2(());

impl Avx2 {
    /// `None` where one of them is missing. The standard library asks the processor once and remembers.
    fn detect() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")).then_some(Avx2(()))
    }

    /// The kernel with 32-byte vectors.
    fn parities(self, block: &[u8]) -> Parities {
        // SAFETY: `self` exists, so `detect` has found both features.
        unsafe { avx2(block) }
    }
}

/// The kernel with 32-byte vectors, compiled for them.
#[target_feature(enable = "avx2,popcnt")]
fn avx2(block: &[u8]) -> Parities {
    // SAFETY: `__m256i` stands for AVX2, which this function requires.
    unsafe { parities_by::<__m256i>(block) }
}

/// The kernel with 16-byte vectors.
fn sse2(block: &[u8]) -> Parities {
    // SAFETY: `__m128i` stands for SSE2, which is part of x86-64.
    unsafe { parities_by::<__m128i>(block) }
}

impl Lanes for __m256i {
    type Words = [u64; 4];

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller guarantees AVX2 and 32 readable bytes; the instruction asks for no alignment.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: the caller guarantees AVX2.
        unsafe { _mm256_xor_si256(self, other) }
    }

    #[inline(always)]
    unsafe fn words(self) -> [u64; 4] {
        // SAFETY: both types are 32 bytes that may have any value.
        unsafe { std::mem::transmute(self) }
    }
}

impl Lanes for __m128i {
    type Words = [u64; 2];

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_setzero_si128() }
    }

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: SSE2 is part of x86-64, the caller guarantees 16 readable bytes; no alignment is asked for.
        unsafe { _mm_loadu_si128(from.cast()) }
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_xor_si128(self, other) }
    }

    #[inline(always)]
    unsafe fn words(self) -> [u64; 2] {
        // SAFETY: both types are 16 bytes that may have any value.
        unsafe { std::mem::transmute(self) }
    }
}
