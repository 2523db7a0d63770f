//! The sum of one block: XOR of its words, and an ECC from which the number of a flipped bit can be read.
//!
//! [`Parities::portable`] is the definition; the vector kernels must give the same value for the same bytes. Nothing
//! here knows where a sum is stored or what a page is. Spec 02 section 6.2.

use crate::format::Pgno;

/// The two words of a checksum, as stored or as computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// XOR of the words of the block (with ECC: and the page number).
    pub xor: u32,
    /// With ECC, `H << 16 | L`; on old pages the word in this place is the page number.
    pub second: u32,
}

impl Sum {
    /// Both words as they lie in the page: the XOR word in the low half.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.xor)
    }

    /// The sum as it becomes when bit `bit` of the block, whose last bit is `last_bit`, changes its value.
    pub(super) fn after_flip(self, bit: u32, last_bit: u32) -> Sum {
        Sum { xor: self.xor ^ 1 << (bit % 32), second: self.second ^ ((bit ^ last_bit) << 16 | bit) }
    }
}

/// What one pass over a block gathers; everything else follows from it without the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Parities {
    /// XOR of all u64 words of the block.
    pub(super) words: u64,
    /// XOR of the indexes of those u64 words that have an odd number of ones.
    pub(super) index: u32,
}

impl Parities {
    /// Reads a block, word after word. Bytes behind the last whole word are not looked at.
    #[cfg_attr(not(test), allow(dead_code, reason = "the definition: where there are vectors only tests run it"))]
    pub(super) fn portable(block: &[u8]) -> Parities {
        let mut sum = Parities::default();
        for (word, index) in block.as_chunks::<8>().0.iter().zip(0..) {
            let word = u64::from_le_bytes(*word);
            sum.words ^= word;
            sum.index ^= index * parity(word);
        }
        sum
    }

    /// The same block with its first word, `first`, as zero: a word of index 0 has left no trace but in the XOR.
    pub(super) fn with_first_word_zero(self, first: u64) -> Parities {
        Parities { words: self.words ^ first, ..self }
    }

    /// The checksum of a block that ends with bit number `last_bit` and lies on page `pgno`.
    pub(super) fn sum(self, last_bit: u32, pgno: Pgno) -> Sum {
        let Parities { words, index } = self;
        let low = index << 6 | position_parities(words);
        let high = low ^ (last_bit * parity(words));
        Sum { xor: low_half(words) ^ low_half(words >> 32) ^ pgno.0, second: high << 16 | low }
    }
}

/// 1 if the number of ones is odd, else 0.
#[inline(always)]
pub(super) fn parity(word: u64) -> u32 {
    word.count_ones() & 1
}

/// XOR of the positions (0 to 63) of all ones.
fn position_parities(word: u64) -> u32 {
    /// Mask `j` has the positions whose bit `j` is 1.
    const POSITIONS: [u64; 6] = [
        0xAAAA_AAAA_AAAA_AAAA,
        0xCCCC_CCCC_CCCC_CCCC,
        0xF0F0_F0F0_F0F0_F0F0,
        0xFF00_FF00_FF00_FF00,
        0xFFFF_0000_FFFF_0000,
        0xFFFF_FFFF_0000_0000,
    ];
    POSITIONS.iter().zip(0..).fold(0, |sum, (mask, j)| sum | parity(word & mask) << j)
}

/// The low 32 bits.
fn low_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spec 02 section 6.2 word for word: one bit after the other.
    fn by_single_bits(block: &[u8], pgno: Pgno) -> Sum {
        let last_bit = u32::try_from(8 * block.len() - 1).unwrap();
        let (mut xor, mut low, mut high) = (pgno.0, 0, 0);
        for k in (0..=last_bit).filter(|k| block[(k / 8) as usize] >> (k % 8) & 1 == 1) {
            xor ^= 1 << (k % 32);
            low ^= k;
            high ^= k ^ last_bit;
        }
        Sum { xor, second: high << 16 | low }
    }

    #[test]
    fn the_sum_of_words_is_the_sum_of_single_bits() {
        for len in [8, 64, 2048, 4096, 8192] {
            let block: Vec<u8> = (0..len).map(|i: u32| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
            for odd in [0, 1] {
                let mut block = block.clone();
                block[5] ^= odd;
                let sum = Parities::portable(&block).sum(8 * len - 1, Pgno(7));
                assert_eq!(sum, by_single_bits(&block, Pgno(7)), "{len} bytes");
            }
        }
    }

    #[test]
    fn a_flip_changes_the_sum_as_reading_again_would() {
        let mut block: Vec<u8> = (0..=255).cycle().take(2048).collect();
        for bit in [0, 1, 31, 32, 63, 64, 4711, 16383] {
            let before = Parities::portable(&block).sum(16383, Pgno(9));
            block[bit / 8] ^= 1 << (bit % 8);
            let after = Parities::portable(&block).sum(16383, Pgno(9));
            assert_eq!(before.after_flip(u32::try_from(bit).unwrap(), 16383), after, "bit {bit}");
        }
    }
}
