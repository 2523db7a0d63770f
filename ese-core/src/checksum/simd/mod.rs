//! The block sum by vectors: which kernel runs is found out at run time.
//!
//! One generic kernel over [`Lanes`]; the files of each architecture hold only the vector types. Every kernel gives
//! what [`Parities::portable`] gives: the tests hold each one that the machine has against it. This folder is the only
//! one of the crate with `unsafe` in it. Spec 02 section 6.2.

#![allow(unsafe_code, reason = "vector loads and functions compiled for processor features found at run time")]

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::ecc::{Parities, parity};

/// Vectors that are XORed as one tree.
const DIST: usize = 8192;
const GROUP: usize = 16;

/// Levels of that tree.
const LEVELS: usize = 4;

/// Reads a block with the fastest kernel of this machine. The length is a multiple of 512 bytes, as that of every
/// checksum block is.
pub(super) fn parities(block: &[u8]) -> Parities {
    cfg_select! {
        target_arch = "x86_64" => x86::parities(block),
        all(target_arch = "aarch64", target_endian = "little") => aarch64::parities(block),
        _ => Parities::portable(block),
    }
}

/// A vector of u64 words.
///
/// # Safety
/// For every method: the processor has the feature that the type stands for.
trait Lanes: Copy {
    /// The words as an array.
    type Words: AsRef<[u64]> + Default;

    /// Bytes of a vector.
    const BYTES: usize = size_of::<Self::Words>();

    /// A vector of zeros.
    unsafe fn zero() -> Self;

    /// Loads `BYTES` bytes, of any alignment, which the caller guarantees to be readable.
    unsafe fn load(from: *const u8) -> Self;

    /// Bitwise XOR.
    unsafe fn xor(self, other: Self) -> Self;

    /// The words, lowest address first.
    unsafe fn words(self) -> Self::Words;
}

/// The kernel: see the tricks in the docs of [`super`].
///
/// No closures and no iterators over vectors below: those would not be compiled for the feature.
///
/// # Safety
/// The processor has the feature that `V` stands for. (To be fast it must be inlined into a function that is compiled
/// for that feature.)
#[inline(always)]
unsafe fn parities_by<V: Lanes>(block: &[u8]) -> Parities {
    debug_assert_eq!(block.len() % (GROUP * V::BYTES), 0, "bytes behind the last group are not read");
    // SAFETY: the caller guarantees the feature; `chunks_exact` made every `group` one group long.
    unsafe {
        let mut all = V::zero();
        let mut levels = [V::zero(); LEVELS];
        let mut group_index = 0;
        for (group, number) in block.chunks_exact(GROUP * V::BYTES).zip(0u32..) {
            for l in 0..GROUP * V::BYTES / 64 {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                    group.as_ptr().wrapping_add(DIST + 64 * l).cast(),
                );
            }
            let sum = read_group(group, &mut levels);
            all = all.xor(sum);
            group_index ^= number * odd(sum);
        }
        let [a, b, c, d] = levels;
        let vector_index = group_index << LEVELS | odd(d) << 3 | odd(c) << 2 | odd(b) << 1 | odd(a);
        spread(all, vector_index)
    }
}

/// XORs the vectors of one group, and into each level those whose index in the group has the bit of that level.
///
/// # Safety
/// The processor has the feature that `V` stands for, and `group` is `GROUP` vectors long.
#[inline(always)]
unsafe fn read_group<V: Lanes>(group: &[u8], levels: &mut [V; LEVELS]) -> V {
    let quarter = 4 * V::BYTES;
    let first = group.as_ptr();
    // SAFETY: the caller guarantees the feature and that four quarters lie in `group`.
    unsafe {
        let left = join::<V, 2>(read_four(first, levels), read_four(first.add(quarter), levels), levels);
        let first = first.add(2 * quarter);
        let right = join::<V, 2>(read_four(first, levels), read_four(first.add(quarter), levels), levels);
        join::<V, 3>(left, right, levels)
    }
}

/// The lower half of the tree: four vectors from `first` on.
///
/// # Safety
/// The processor has the feature that `V` stands for, and `4 * V::BYTES` bytes from `first` on are readable.
#[inline(always)]
unsafe fn read_four<V: Lanes>(first: *const u8, levels: &mut [V; LEVELS]) -> V {
    // SAFETY: the caller guarantees the feature and that the four vectors are readable.
    unsafe {
        let left = join::<V, 0>(V::load(first), V::load(first.add(V::BYTES)), levels);
        let first = first.add(2 * V::BYTES);
        let right = join::<V, 0>(V::load(first), V::load(first.add(V::BYTES)), levels);
        join::<V, 1>(left, right, levels)
    }
}

/// Two siblings of the tree become one.
///
/// # Safety
/// The processor has the feature that `V` stands for.
#[inline(always)]
unsafe fn join<V: Lanes, const LEVEL: usize>(left: V, right: V, levels: &mut [V; LEVELS]) -> V {
    // SAFETY: the caller guarantees the feature.
    unsafe {
        levels[LEVEL] = levels[LEVEL].xor(right);
        left.xor(right)
    }
}

/// 1 if the vector has an odd number of ones, else 0.
///
/// # Safety
/// The processor has the feature that `V` stands for.
#[inline(always)]
unsafe fn odd<V: Lanes>(vector: V) -> u32 {
    // SAFETY: the caller guarantees the feature.
    let words = unsafe { vector.words() };
    parity(words.as_ref().iter().fold(0, |sum, word| sum ^ word))
}

/// From vectors to words: `all` is the XOR of all vectors, `vector_index` that of the indexes of vectors of odd parity.
///
/// # Safety
/// The processor has the feature that `V` stands for.
#[inline(always)]
unsafe fn spread<V: Lanes>(all: V, vector_index: u32) -> Parities {
    // SAFETY: the caller guarantees the feature.
    let words = unsafe { all.words() };
    let mut sum = Parities::default();
    let mut lanes = 0;
    for word in words.as_ref() {
        sum.words ^= word;
        sum.index ^= lanes * parity(*word);
        lanes += 1;
    }
    sum.index ^= vector_index * lanes;
    sum
}

/// A kernel and its name.
#[cfg(test)]
type Named = (&'static str, fn(&[u8]) -> Parities);

/// Every vector kernel that this machine can run.
#[cfg(test)]
pub(super) fn available() -> Vec<Named> {
    cfg_select! {
        target_arch = "x86_64" => x86::available(),
        all(target_arch = "aarch64", target_endian = "little") => vec![("neon", aarch64::parities)],
        _ => Vec::new(),
    }
}
