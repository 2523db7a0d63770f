//! The plain XOR sum: of header slots, and of pages written before there was ECC.
//!
//! It can say that something changed, never what. Spec 01 section 3 and 02 section 6.1.

use crate::format::XOR_SEED;

/// The checksum of a header slot: the seed XOR every u32 of the slot but the first, which is where it is stored.
///
/// `slot` is the whole slot, one page long; bytes behind the last whole word are not looked at.
#[must_use]
pub fn header(slot: &[u8]) -> u32 {
    xor_behind_first_word(slot)
}

/// The XOR word of an old page: the same sum over the page, the stored page number (the second word) included.
pub(super) fn old_page(page: &[u8]) -> u32 {
    xor_behind_first_word(page)
}

/// Written as one fold over fixed-size words, which compilers turn into vector code.
fn xor_behind_first_word(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    let behind = words.split_first().map_or(words, |(_, behind)| behind);
    behind.iter().fold(XOR_SEED, |sum, word| sum ^ u32::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_does_not_count() {
        assert_eq!(header(&[]), XOR_SEED);
        assert_eq!(header(&[1, 2, 3, 4]), XOR_SEED);
        assert_eq!(header(&[1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 0, 0x80]), XOR_SEED ^ 0x8000_0001);
    }
}
