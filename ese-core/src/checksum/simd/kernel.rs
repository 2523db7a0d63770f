//! The kernel, for any vector type (spec 02 section 6.2; the tricks are explained in [`checksum`](crate::checksum)).
//!
//! It reads each byte once and never one outside the block.

use std::sync::atomic::{Ordering, compiler_fence};

use crate::checksum::ecc::{Parities, parity};

/// Vectors of a row.
const COLUMNS: usize = 8;

/// Rows of half a tile.
const HALF_ROWS: usize = 4;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A vector of u64 words.
///
/// # Safety
/// For every method: the processor has the feature that the type stands for.
pub(super) trait Lanes: Copy {
    /// The words as an array.
    type Words: AsRef<[u64]> + Default;

    /// Bytes of a vector.
    const BYTES: usize = size_of::<Self::Words>();

    /// A vector of zeros.
    unsafe fn zero() -> Self;

    /// Loads `BYTES` bytes, of any alignment, which the caller guarantees to be readable.
    unsafe fn load(from: *const u8) -> Self;

    /// Tells the memory that the line of this byte will be read soon; nothing where there is no such instruction.
    unsafe fn prefetch(_at: *const u8) {}

    /// Bitwise XOR.
    unsafe fn xor(self, other: Self) -> Self;

    /// The words, lowest address first.
    unsafe fn words(self) -> Self::Words;

    /// Bit `i` of the result is the parity of vector `i`.
    #[inline(always)]
    unsafe fn parities(vectors: [Self; 6]) -> u32 {
        let [a, b, c, d, e, f] = vectors;
        // SAFETY: the caller guarantees the feature.
        unsafe { odd(a) | odd(b) << 1 | odd(c) << 2 | odd(d) << 3 | odd(e) << 4 | odd(f) << 5 }
    }
}

/// What is kept while reading; see the tricks in the docs of [`checksum`](crate::checksum).
struct Sums<V> {
    /// The XOR of each column.
    columns: [V; COLUMNS],
    /// The XOR of the totals after every row, every second and every fourth.
    totals: [V; 3],
}

/// Reads a block as [`Parities::portable`] does. Its length is a multiple of a tile's.
///
/// No closures and no iterators over vectors in here or below: those would not be compiled for the feature.
///
/// # Safety
/// The processor has the feature that `V` stands for. (To be fast this must be inlined into a function that is compiled
/// for it.)
#[inline(always)]
pub(super) unsafe fn parities<V: Lanes>(block: &[u8], correction: u64) -> Parities {
    let half_bytes = HALF_ROWS * COLUMNS * V::BYTES;
    debug_assert_eq!(block.len() % (2 * half_bytes), 0, "bytes behind the last tile are not read");
    // SAFETY: the caller guarantees the feature; both halves of a tile are `half_bytes` long.
    unsafe {
        let mut sums = Sums { columns: [V::zero(); COLUMNS], totals: [V::zero(); 3] };
        let (mut tile_index, mut odd_before) = (0, 0);
        for (tile, number) in block.chunks_exact(2 * half_bytes).zip(0u32..) {
            let (first, second) = tile.split_at(half_bytes);
            sums.read_half(first);
            ask_for::<V>(second);
            let total = sums.read_half(second);
            let odd_now = odd(total);
            tile_index ^= number * (odd_now ^ odd_before);
            odd_before = odd_now;
        }
        sums.finish(tile_index, correction)
    }
}

/// Asks the memory for all lines of half a tile at once, so that as many as possible are on their way together.
///
/// Worth a tenth of the speed where it is called, and no sooner: at the start of a tile it costs more than it gains,
/// because the processor has not yet found the stream that it would fetch by itself.
///
/// # Safety
/// The processor has the feature that `V` stands for.
#[inline(always)]
unsafe fn ask_for<V: Lanes>(half: &[u8]) {
    // The compiler knows no reason to keep a prefetch in front of the loads that it is meant for.
    compiler_fence(Ordering::SeqCst);
    for line in half.chunks(LINE) {
        // SAFETY: the caller guarantees the feature.
        unsafe { V::prefetch(line.as_ptr()) };
    }
    compiler_fence(Ordering::SeqCst);
}

impl<V: Lanes> Sums<V> {
    /// Reads half a tile and returns the XOR of all that was read so far.
    ///
    /// # Safety
    /// The processor has the feature that `V` stands for, and `half` is `HALF_ROWS * COLUMNS` vectors long.
    #[inline(always)]
    unsafe fn read_half(&mut self, half: &[u8]) -> V {
        // SAFETY: the caller guarantees the feature and that all rows lie in the half.
        unsafe {
            let mut total = V::zero();
            for row in 0..HALF_ROWS {
                compiler_fence(Ordering::SeqCst);
                total = self.read_row(half.as_ptr().add(row * COLUMNS * V::BYTES));
                self.totals[0] = self.totals[0].xor(total);
                if row % 2 == 1 {
                    self.totals[1] = self.totals[1].xor(total);
                }
            }
            self.totals[2] = self.totals[2].xor(total);
            total
        }
    }

    /// Reads a row and returns the XOR of all that was read so far.
    ///
    /// # Safety
    /// The processor has the feature that `V` stands for, and `COLUMNS` vectors from `row` on are readable.
    #[inline(always)]
    unsafe fn read_row(&mut self, row: *const u8) -> V {
        // SAFETY: the caller guarantees the feature and that the row is readable.
        unsafe {
            for column in 0..COLUMNS {
                self.columns[column] = self.columns[column].xor(V::load(row.add(column * V::BYTES)));
            }
            let [a, b, c, d, e, f, g, h] = self.columns;
            a.xor(b).xor(c.xor(d)).xor(e.xor(f).xor(g.xor(h)))
        }
    }

    /// Parities are taken only here, once a block.
    ///
    /// # Safety
    /// The processor has the feature that `V` stands for.
    #[inline(always)]
    unsafe fn finish(self, tile_index: u32, correction: u64) -> Parities {
        let [a, b, c, d, e, f, g, h] = self.columns;
        let [every_row, second_row, fourth_row] = self.totals;
        // SAFETY: the caller guarantees the feature.
        let (all, vector_index) = unsafe {
            let (ab, cd, ef, gh) = (a.xor(b), c.xor(d), e.xor(f), g.xor(h));
            let column_bits = [b.xor(d).xor(f.xor(h)), cd.xor(gh), ef.xor(gh)];
            let [bit_0, bit_1, bit_2] = column_bits;
            let index_in_tile = V::parities([bit_0, bit_1, bit_2, every_row, second_row, fourth_row]);
            (ab.xor(cd).xor(ef.xor(gh)), tile_index << 6 | index_in_tile)
        };
        // SAFETY: the caller guarantees the feature.
        let lanes = unsafe { all.words() };
        let (mut words, mut lane_index, mut lane) = (correction, 0, 0);
        for word in lanes.as_ref() {
            words ^= word;
            lane_index ^= lane * parity(*word);
            lane += 1;
        }
        Parities::from_words(words, (vector_index * lane) | lane_index)
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
