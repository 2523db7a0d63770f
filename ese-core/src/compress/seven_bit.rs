//! Text of 7-bit characters, packed without gaps (spec 07 section 4.1).
//!
//! Eight characters are seven bytes, so the decoder spreads 56 bits at a time. The number of characters follows from
//! the length of the input; it must come out whole, and nothing is ever read behind the input.

use super::{DecompressError, Fault, LOW_BITS, grow, input::Input};

/// Bits of a packed character.
const CHARACTER_BITS: usize = 7;
/// Characters that fill a whole number of bytes.
const GROUP: usize = 8;
/// Bytes of such a group.
const GROUP_BYTES: usize = 7;
/// Bytes of a character in the Unicode scheme.
pub(super) const UNICODE_BYTES: usize = 2;

/// Number of characters in `input`; the low bits of the scheme byte `first` tell how full the last byte is.
pub(super) fn characters(first: u8, input: &Input<'_>) -> Result<usize, DecompressError> {
    let in_last = usize::from(first & ((1 << LOW_BITS) - 1)) + 1;
    let whole = input.rest().len().checked_sub(1).ok_or_else(|| input.broken(Fault::Ends("packed characters")))?;
    let bits = whole.saturating_mul(8).saturating_add(in_last);
    let spare = bits % CHARACTER_BITS;
    if spare == 0 {
        Ok(bits / CHARACTER_BITS)
    } else {
        Err(input.broken_at(0, Fault::value("the number of bits behind the last character", spare, 0, 0)))
    }
}

/// Unpacks `input` into the empty `out`, a byte for each character.
pub(super) fn ascii(first: u8, input: &mut Input<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let count = characters(first, input)?;
    grow(out, count, limit, input.scheme())?;
    let (packed, packed_tail) = input.rest().as_chunks::<GROUP_BYTES>();
    let (groups, tail) = out.as_chunks_mut::<GROUP>();
    for (group, packed) in groups.iter_mut().zip(packed) {
        *group = spread(packed);
    }
    let last = spread(&last_group(packed, packed_tail, groups.len()));
    tail.iter_mut().zip(last).for_each(|(to, character)| *to = character);
    Ok(())
}

/// Unpacks `input` into the empty `out`, a byte and a zero byte for each character.
pub(super) fn unicode(
    first: u8,
    input: &mut Input<'_>,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), DecompressError> {
    let count = characters(first, input)?;
    grow(out, count.saturating_mul(UNICODE_BYTES), limit, input.scheme())?;
    let (packed, packed_tail) = input.rest().as_chunks::<GROUP_BYTES>();
    let (groups, tail) = out.as_chunks_mut::<{ GROUP * UNICODE_BYTES }>();
    for (group, packed) in groups.iter_mut().zip(packed) {
        widen(group, spread(packed));
    }
    widen(tail, spread(&last_group(packed, packed_tail, groups.len())));
    Ok(())
}

/// The bytes of the group that is not full. Seven characters take seven bytes like eight do, so these may be whole.
fn last_group(packed: &[[u8; GROUP_BYTES]], packed_tail: &[u8], full: usize) -> [u8; GROUP_BYTES] {
    packed.get(full).copied().unwrap_or_else(|| {
        let mut last = [0; GROUP_BYTES];
        last.iter_mut().zip(packed_tail).for_each(|(to, byte)| *to = *byte);
        last
    })
}

/// Gives each seven bits a byte of their own, by halving: 2 x 28 bits, 4 x 14, 8 x 7.
fn spread(packed: &[u8; GROUP_BYTES]) -> [u8; GROUP] {
    let [a, b, c, d, e, f, g] = *packed;
    let x = u64::from_le_bytes([a, b, c, d, e, f, g, 0]);
    let x = (x & 0x0FFF_FFFF) | (x & 0x00FF_FFFF_F000_0000) << 4;
    let x = (x & 0x0000_3FFF_0000_3FFF) | (x & 0x0FFF_C000_0FFF_C000) << 2;
    let x = (x & 0x007F_007F_007F_007F) | (x & 0x3F80_3F80_3F80_3F80) << 1;
    x.to_le_bytes()
}

/// Writes `characters` as UTF-16LE as far as `out`, which holds zeros, has room.
fn widen(out: &mut [u8], characters: [u8; GROUP]) {
    for (to, character) in out.as_chunks_mut::<UNICODE_BYTES>().0.iter_mut().zip(characters) {
        *to = [character, 0];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Scheme, decompress, decompressed_size};
    use super::*;

    fn decoded(value: &[u8]) -> Result<(Scheme, Vec<u8>), DecompressError> {
        let mut out = Vec::new();
        decompress(value, 1 << 20, &mut out).map(|scheme| (scheme, out))
    }

    /// Packs bit by bit; `id` is the scheme's.
    fn packed(id: u8, characters: &[u8]) -> Vec<u8> {
        let bits: Vec<u8> = characters.iter().flat_map(|one| (0..7).map(move |place| one >> place & 1)).collect();
        let in_last = u8::try_from((bits.len() - 1) % 8).unwrap();
        let bytes = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | bit));
        [id << 3 | in_last].into_iter().chain(bytes).collect()
    }

    #[test]
    fn vector_1_is_23_letters() {
        let value = b"\x08\x70\x39\xfa\x3c\x6e\xbb\xed\xe6\x7c\x5a\x7e\x9f\xdb\xe7\xe5\xf2\x5a\x0f\xbf\xa7\x01";
        assert_eq!(decoded(value), Ok((Scheme::SevenBitAscii, b"prhgcmnvfyirwsvseekzpwi".to_vec())));
        assert_eq!(decompressed_size(value), Some(23));
    }

    #[test]
    fn vector_2_is_utf_16() {
        let value = b"\x16\xe1\x70\x38\x1c\x0e\x87\xc5\x62";
        let text: Vec<u8> = "aaaaaaabb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(value), Ok((Scheme::SevenBitUnicode, text)));
        assert_eq!(decompressed_size(value), Some(18));
    }

    #[test]
    fn a_chunk_of_kitchen_4k_is_14_utf_16_letters() {
        let value = b"\x11\x61\xb1\x58\x2c\x16\x8b\xc5\xe3\xf1\x78\x3c\x1e\x03";
        let text: Vec<u8> = "abbbbbbbcccccc".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(value), Ok((Scheme::SevenBitUnicode, text)));
    }

    #[test]
    fn unused_bits_of_the_last_byte_are_ignored() {
        assert_eq!(decoded(&[0x08 | 6, 0x41]), decoded(&[0x08 | 6, 0xC1]));
    }

    #[test]
    fn half_a_character_is_refused() {
        let fault = Fault::Value { what: "the number of bits behind the last character", found: 1, least: 0, most: 0 };
        let error = DecompressError::Broken { scheme: Scheme::SevenBitAscii, at: 0, fault };
        assert_eq!(decoded(&[0x0F, 0x41]), Err(error));
        assert_eq!(decompressed_size(&[0x0F, 0x41]), None);
        assert_eq!(error.jet(), -1620);
    }

    #[test]
    fn a_scheme_byte_alone_is_refused() {
        for (scheme, first) in [(Scheme::SevenBitAscii, 0x0E), (Scheme::SevenBitUnicode, 0x16)] {
            let fault = Fault::Ends("packed characters");
            assert_eq!(decoded(&[first]), Err(DecompressError::Broken { scheme, at: 1, fault }));
            assert_eq!(decompressed_size(&[first]), None);
        }
    }

    #[test]
    fn the_limit_counts_decompressed_bytes() {
        let mut out = vec![1];
        for (id, scheme, size) in [(1, Scheme::SevenBitAscii, 100), (2, Scheme::SevenBitUnicode, 200)] {
            let value = packed(id, &[b'x'; 100]);
            let error = DecompressError::TooLarge { scheme, size, limit: size - 1 };
            assert_eq!(decompress(&value, size - 1, &mut out), Err(error));
            assert_eq!(out, []);
            assert_eq!(decompress(&value, size, &mut out), Ok(scheme));
            assert_eq!((out.len(), out.capacity()), (size, size));
        }
    }

    proptest! {
        #[test]
        fn packed_text_comes_back(characters in prop::collection::vec(0..0x80u8, 1..300)) {
            let wide: Vec<u8> = characters.iter().flat_map(|one| [*one, 0]).collect();
            let (narrow_value, wide_value) = (packed(1, &characters), packed(2, &characters));
            prop_assert_eq!(decompressed_size(&narrow_value), Some(characters.len()));
            prop_assert_eq!(decompressed_size(&wide_value), Some(wide.len()));
            prop_assert_eq!(decoded(&narrow_value), Ok((Scheme::SevenBitAscii, characters)));
            prop_assert_eq!(decoded(&wide_value), Ok((Scheme::SevenBitUnicode, wide)));
        }
    }
}
