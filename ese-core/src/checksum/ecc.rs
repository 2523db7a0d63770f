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

/// What one pass over a block finds; its sum follows from it without the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parities {
    /// XOR of all u32 words.
    xor: u32,
    /// XOR of the numbers of all bits that are 1: L in the formula.
    bits: u32,
    /// 1 if an odd number of bits is 1, else 0.
    odd: u32,
}

impl Parities {
    /// Reads a block, word after word. `correction` is XORed into the first word: that word itself makes it count as
    /// zero, 0 leaves it as it is. Bytes behind the last whole word are not looked at.
    #[cfg_attr(not(test), allow(dead_code, reason = "the definition: where there are vectors only tests run it"))]
    pub(super) fn portable(block: &[u8], correction: u64) -> Parities {
        let (mut words, mut index) = (0, 0);
        for (word, i) in block.as_chunks::<8>().0.iter().zip(0..) {
            let word = u64::from_le_bytes(*word);
            words ^= word;
            index ^= i * parity(word);
        }
        Parities::from_words(words ^ correction, index)
    }

    /// From the XOR of all u64 words, and the XOR of the indexes of those that have an odd number of ones. (The first
    /// word has index 0, so what is changed in it matters to `words` alone.)
    #[inline(always)]
    pub(super) fn from_words(words: u64, index: u32) -> Parities {
        // Bit b of a position is the parity of those bits of the words whose position has bit b. The six do not wait for
        // one another.
        let mut bits = index << 6;
        for (mask, bit) in POSITIONS.iter().zip(0..) {
            bits |= parity(words & mask) << bit;
        }
        Parities { xor: low_half(words ^ words >> 32), bits, odd: parity(words) }
    }

    /// The checksum of a block that ends with bit number `last_bit` and lies on page `pgno`.
    #[inline]
    pub(super) fn sum(self, last_bit: u32, pgno: Pgno) -> Sum {
        let inverse = self.bits ^ (self.odd * last_bit);
        Sum { xor: self.xor ^ pgno.0, second: inverse << 16 | self.bits }
    }
}

/// For each bit b of a position in a u64: the positions that have it.
const POSITIONS: [u64; 6] = [
    0xAAAA_AAAA_AAAA_AAAA,
    0xCCCC_CCCC_CCCC_CCCC,
    0xF0F0_F0F0_F0F0_F0F0,
    0xFF00_FF00_FF00_FF00,
    0xFFFF_0000_FFFF_0000,
    0xFFFF_FFFF_0000_0000,
];

/// 1 if the number of ones is odd, else 0.
#[inline(always)]
pub(super) fn parity(word: u64) -> u32 {
    word.count_ones() & 1
}

/// The low 32 bits.
#[inline(always)]
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
                let sum = Parities::portable(&block, 0).sum(8 * len - 1, Pgno(7));
                assert_eq!(sum, by_single_bits(&block, Pgno(7)), "{len} bytes");
            }
        }
    }

    #[test]
    fn a_flip_changes_the_sum_as_reading_again_would() {
        let mut block: Vec<u8> = (0..=255).cycle().take(2048).collect();
        for bit in [0, 1, 31, 32, 63, 64, 4711, 16383] {
            let before = Parities::portable(&block, 0).sum(16383, Pgno(9));
            block[bit / 8] ^= 1 << (bit % 8);
            let after = Parities::portable(&block, 0).sum(16383, Pgno(9));
            assert_eq!(before.after_flip(u32::try_from(bit).unwrap(), 16383), after, "bit {bit}");
        }
    }
}
