//! The vector types of x86-64: SSE2, which every such processor has, and AVX2.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm_setzero_si128, _mm_xor_si128,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_loadu_si256, _mm256_movemask_ps, _mm256_permute2x128_si256,
    _mm256_setzero_si256, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

use super::kernel::{Lanes, parities};
use crate::checksum::block::sums_by;
use crate::checksum::ecc::Sum;
use crate::format::{BLOCKS_MAX, Pgno};

/// The sums of up to four blocks, with the wider vectors if this processor has them.
pub(super) fn sums(page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
    Avx2::detect().map_or_else(|| sse2(page, block_bytes, pgno), |avx2| avx2.sums(page, block_bytes, pgno))
}

/// Every kernel that this processor can run.
#[cfg(test)]
pub(super) fn available() -> Vec<super::Named> {
    let mut kernels: Vec<super::Named> = vec![("sse2", sse2)];
    if Avx2::detect().is_some() {
        kernels.push(("avx2", |page, block_bytes, pgno| Avx2::detect().unwrap().sums(page, block_bytes, pgno)));
    }
    kernels
}

/// Proof that this processor has AVX2 and POPCNT: only [`Avx2::detect`] makes one.
#[derive(Clone, Copy)]
struct Avx2(());

impl Avx2 {
    /// `None` where one of them is missing. The standard library asks the processor once and remembers.
    fn detect() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")).then_some(Avx2(()))
    }

    /// The sums, read by 32-byte vectors.
    fn sums(self, page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
        // SAFETY: `self` exists, so `detect` has found both features.
        unsafe { avx2(page, block_bytes, pgno) }
    }
}

/// The sums, read by 32-byte vectors; compiled for them.
#[target_feature(enable = "avx2,popcnt")]
fn avx2(page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
    sums_by(page, block_bytes, pgno, |block, correction| {
        // SAFETY: `__m256i` stands for AVX2, which this function requires.
        unsafe { parities::<__m256i>(block, correction) }
    })
}

/// The sums, read by 16-byte vectors.
fn sse2(page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
    sums_by(page, block_bytes, pgno, |block, correction| {
        // SAFETY: `__m128i` stands for SSE2, which is part of x86-64.
        unsafe { parities::<__m128i>(block, correction) }
    })
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
    unsafe fn prefetch(at: *const u8) {
        // SAFETY: SSE is part of x86-64; a prefetch cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
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

    #[inline(always)]
    unsafe fn parities(vectors: [Self; 6]) -> u32 {
        // SAFETY: the caller guarantees AVX2.
        unsafe { parities_of_six(vectors) }
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
    unsafe fn prefetch(at: *const u8) {
        // SAFETY: SSE is part of x86-64; a prefetch cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
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

/// Six vectors are folded to one u32 each, side by side in one vector; then each is folded upwards onto its own top bit.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn parities_of_six([a, b, c, d, e, f]: [__m256i; 6]) -> u32 {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let zero = __m256i::zero();
        // The last shuffle takes turns between its operands two by two.
        let abef = to_quarters([a, b, e, f]);
        let cd = to_quarters([c, d, zero, zero]);
        let (left, right) = (_mm256_castsi256_ps(abef), _mm256_castsi256_ps(cd));
        let even = _mm256_castps_si256(_mm256_shuffle_ps::<0x88>(left, right));
        let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0xDD>(left, right));
        let mut folded = even.xor(odd);
        folded = folded.xor(_mm256_slli_epi32::<16>(folded));
        folded = folded.xor(_mm256_slli_epi32::<8>(folded));
        folded = folded.xor(_mm256_slli_epi32::<4>(folded));
        folded = folded.xor(_mm256_slli_epi32::<2>(folded));
        folded = folded.xor(_mm256_slli_epi32::<1>(folded));
        _mm256_movemask_ps(_mm256_castsi256_ps(folded)).cast_unsigned()
    }
}

/// Folds four vectors to one u64 each, side by side.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn to_quarters([a, b, c, d]: [__m256i; 4]) -> __m256i {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let ab = _mm256_unpacklo_epi64(a, b).xor(_mm256_unpackhi_epi64(a, b));
        let cd = _mm256_unpacklo_epi64(c, d).xor(_mm256_unpackhi_epi64(c, d));
        _mm256_permute2x128_si256::<0x20>(ab, cd).xor(_mm256_permute2x128_si256::<0x31>(ab, cd))
    }
}
