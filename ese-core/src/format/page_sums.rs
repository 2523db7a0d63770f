//! Where checksums lie in a page or header slot, and the numbers they are made with (spec 01 section 3, 02 section 6).
//!
//! Only what the checksums themselves read; the other fields of the page header stand with the page header.

use super::PageSize;

/// First value of every plain XOR sum (header slots, old pages); also the magic of a database header.
pub const XOR_SEED: u32 = 0x89AB_CDEF;

/// The plain XOR sum of header slots and of old pages: the seed XOR every u32 of `bytes` but the first, which is where
/// it is stored. Bytes behind the last whole word are not looked at.
#[must_use]
pub fn plain_sum(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    let behind = words.split_first().map_or(words, |(_, behind)| behind);
    // One fold over fixed-size words, which compilers turn into vector code.
    behind.iter().fold(XOR_SEED, |sum, word| sum ^ u32::from_le_bytes(*word))
}

/// Byte offset of the checksum: u32 sum, then u32 page number (old pages) or ECC word (new pages).
pub const OFFSET_CHECKSUM: usize = 0;

/// Bytes of one stored checksum, XOR word and second word.
pub const SUM_BYTES: usize = 8;

/// Byte offset of fFlags, u32.
pub const OFFSET_FLAGS: usize = 36;

/// fFlags: the page carries ECC and XOR instead of the old sum.
pub const FLAG_ECC: u32 = 0x2000;

/// The bit number of [`FLAG_ECC`] in the page: 8 * byte + bit.
pub const BIT_FLAG_ECC: u32 = 301;

/// Byte offset of the checksums of blocks 1 to 3, 8 bytes each; large pages only.
pub const OFFSET_BLOCK_SUMS: usize = 40;

/// The most checksum blocks that a page has.
pub const BLOCKS_MAX: usize = 4;

/// All that a checksum needs to know of a page besides its bytes lies in this many at its start: flags and stored sums.
pub const SUMS_END: usize = OFFSET_BLOCK_SUMS + (BLOCKS_MAX - 1) * SUM_BYTES;

impl PageSize {
    /// How many blocks with a checksum of their own the page is divided into: 4 on large pages, else 1.
    #[must_use]
    pub const fn checksum_blocks(self) -> usize {
        if self.is_large() { BLOCKS_MAX } else { 1 }
    }

    /// Bytes of one checksum block: 2048, 4096 or 8192.
    #[must_use]
    pub const fn checksum_block_bytes(self) -> usize {
        self.bytes() / self.checksum_blocks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_of_the_ecc_flag_is_its_place_in_the_flags() {
        let flags_at = u32::try_from(OFFSET_FLAGS).unwrap();
        assert_eq!(BIT_FLAG_ECC, 8 * flags_at + FLAG_ECC.trailing_zeros());
    }

    #[test]
    fn blocks_are_4_or_8_kib_on_large_pages_and_the_page_itself_on_small_ones() {
        let blocks = PageSize::ALL.map(|size| (size.checksum_blocks(), size.checksum_block_bytes()));
        assert_eq!(blocks, [(1, 2048), (1, 4096), (1, 8192), (4, 4096), (4, 8192)]);
    }
}
