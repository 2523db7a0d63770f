//! The vectors of the specification, every kernel against the portable definition, and what a flipped bit must do.

use proptest::prelude::*;

use super::block::sums_by;
use super::ecc::Parities;
use super::{Cause, PageSum, correct, simd, store, verify};
use crate::format::{BIT_FLAG_ECC, FLAG_ECC, OFFSET_BLOCK_SUMS, OFFSET_FLAGS, PageSize, Pgno};

/// Page content of spec 02 section 6.5: a linear generator, then bytes 0-7 zero and the flags set.
fn generated(size: usize, pgno: u32, flags: u32) -> Vec<u8> {
    let mut x = u64::from(pgno);
    let mut page: Vec<u8> = (0..size)
        .map(|_| {
            x = (x * 1_103_515_245 + 12345) % (1 << 31);
            u8::try_from(x >> 16 & 255).unwrap()
        })
        .collect();
    page[..8].fill(0);
    page[OFFSET_FLAGS..][..4].copy_from_slice(&flags.to_le_bytes());
    page
}

/// The second pattern of section 6.5, stored as page 4.
fn pattern() -> Vec<u8> {
    let mut page: Vec<u8> = (0..4096u32).map(|i| u8::try_from((7 * i + 3) % 256).unwrap()).collect();
    page[..8].fill(0);
    page[OFFSET_FLAGS..][..4].copy_from_slice(&0x2802u32.to_le_bytes());
    store(&mut page, Pgno(4)).unwrap();
    page
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn flip(page: &mut [u8], bit: usize) {
    page[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn stored_sums_are_those_of_the_specification() {
    let vectors = [
        (2048, 1, 0x2802, "569335fae2101d2f", ""),
        (4096, 4, 0x2802, "51ce8b0456405640", ""),
        (4096, 74565, 0x2802, "567807e3b3514c2e", ""),
        (8192, 17, 0x2802, "43d6934c10a7ef58", ""),
        (16384, 9, 0x2802, "63ce0e70c7563829", "17e8cd640a020a0248c0c5fce509e50968b8996a0767f818"),
        (32768, 9, 0x2802, "a90dd78e6a5495ab", "29785c96e2ee1d1106436ba0bc63bc63a4312590de5021af"),
        (4096, 4, 0x0802, "be23208d04000000", ""),
        (8192, 300, 0x0802, "03db93d82c010000", ""),
    ];
    for (size, pgno, flags, start, blocks) in vectors {
        let mut page = generated(size, pgno, flags);
        store(&mut page, Pgno(pgno)).unwrap();
        assert_eq!(hex(&page[..8]), start, "{size} {pgno}");
        if !blocks.is_empty() {
            assert_eq!(hex(&page[OFFSET_BLOCK_SUMS..][..24]), blocks, "{size} {pgno}");
        }
        assert_eq!(verify(&page, Pgno(pgno)), PageSum::Good);
    }
    assert_eq!(hex(&pattern()[..8]), "e50231382600d97f");
}

#[test]
fn computed_words_and_corrections_are_those_of_the_specification() {
    let cases: [(&[usize], u32, u32, Option<u32>); 6] = [
        (&[800], 0x3831_02E4, 0x0306_0306, Some(800)),
        (&[32767], 0xB831_02E5, 0x7FD9_7FD9, Some(32767)),
        (&[64], 0x3831_02E4, 0x0066_0066, Some(64)),
        (&[64, 65], 0x3831_02E6, 0x7FD8_0027, None),
        (&[64, 96], 0x3831_02E5, 0x7FF9_0006, None),
        (&[64, 97, 130], 0x3831_02E2, 0x0085_0085, None),
    ];
    for (bits, xor, ecc, correctable) in cases {
        let mut page = pattern();
        bits.iter().for_each(|bit| flip(&mut page, *bit));
        let PageSum::Bad(bad) = verify(&page, Pgno(4)) else { panic!("{bits:?}") };
        let computed = bad.blocks()[0].computed;
        assert_eq!((computed.xor, computed.second), (xor, ecc), "{bits:?}");
        let corrected = correct(&mut page, Pgno(4)).map(|correction| correction.bits().collect::<Vec<_>>());
        assert_eq!(corrected, correctable.map(|bit| vec![bit]), "{bits:?}");
    }
}

#[test]
fn three_flips_can_look_like_one_to_the_sums() {
    let mut page = pattern();
    [64, 65, 96].into_iter().for_each(|bit| flip(&mut page, bit));
    let correction = correct(&mut page, Pgno(4)).unwrap();
    assert_eq!(correction.bits().collect::<Vec<_>>(), [97]);
    assert_eq!(verify(&page, Pgno(4)), PageSum::Good);
    assert_ne!(page, pattern(), "only the page check can tell");
}

#[test]
fn the_lost_flag_of_the_format_is_the_one_bit() {
    for size in PageSize::ALL {
        let mut page = generated(size.bytes(), 9, 0x2802);
        store(&mut page, Pgno(9)).unwrap();
        let sound = page.clone();
        flip(&mut page, usize::try_from(BIT_FLAG_ECC).unwrap());
        assert_eq!(correct(&mut page, Pgno(9)).unwrap().bits().collect::<Vec<_>>(), [BIT_FLAG_ECC], "{size}");
        assert_eq!(page, sound);
    }
}

#[test]
fn a_page_in_the_wrong_place_names_its_own() {
    for (size, flags) in [(4096, 0x2802), (4096, 0x0802), (8192, 0x2802), (16384, 0x2802), (32768, 0x2802)] {
        let mut page = generated(size, 300, flags);
        store(&mut page, Pgno(300)).unwrap();
        let PageSum::Bad(bad) = verify(&page, Pgno(301)) else { panic!("{size}") };
        assert_eq!(bad.cause(), Cause::OtherPage(Pgno(300)), "{size} {flags:x}");
    }
}

#[test]
fn blank_pages_are_blank_and_almost_blank_ones_are_not() {
    for size in PageSize::ALL {
        let mut page = vec![0; size.bytes()];
        assert_eq!(verify(&page, Pgno(7)), PageSum::Blank);
        *page.last_mut().unwrap() = 1;
        assert!(matches!(verify(&page, Pgno(7)), PageSum::Bad(_)));
    }
}

proptest! {
    #[test]
    fn every_kernel_gives_what_the_definition_gives(
        seed in any::<u32>(), size in 0usize..5, shift in 0usize..64, pgno in any::<u32>(),
    ) {
        let size = PageSize::ALL[size];
        let mut memory = generated(size.bytes() + 64, seed, seed);
        let page = &mut memory[shift..][..size.bytes()];
        page[..8].copy_from_slice(&u64::from(seed).to_le_bytes());
        let block = size.checksum_block_bytes();
        let expected = sums_by(page, block, Pgno(pgno), Parities::portable);
        for (name, kernel) in simd::available() {
            prop_assert_eq!(kernel(page, block, Pgno(pgno)), expected, "{}", name);
        }
        prop_assert_eq!(simd::sums(page, block, Pgno(pgno)), expected);
    }

    #[test]
    fn a_flipped_bit_is_found_and_corrected(
        seed in 1u32..1000, size in 0usize..5, place in any::<prop::sample::Index>(),
    ) {
        let size = PageSize::ALL[size];
        let mut page = generated(size.bytes(), seed, 0x802 | FLAG_ECC);
        store(&mut page, Pgno(seed)).unwrap();
        let sound = page.clone();
        let bit = place.index(8 * size.bytes());
        flip(&mut page, bit);
        prop_assert!(matches!(verify(&page, Pgno(seed)), PageSum::Bad(_)));
        let in_stored_words = bit < 64;
        let corrected = correct(&mut page, Pgno(seed)).map(|correction| correction.bits().collect::<Vec<_>>());
        if in_stored_words {
            prop_assert_eq!(corrected, None);
        } else {
            prop_assert_eq!(corrected, Some(vec![u32::try_from(bit).unwrap()]));
            prop_assert_eq!(page, sound);
        }
    }

    #[test]
    fn any_bytes_are_judged_and_a_correction_makes_them_good(
        seed in any::<u32>(), size in 0usize..5, flags in any::<u32>(), pgno in any::<u32>(),
    ) {
        let mut page = generated(PageSize::ALL[size].bytes(), seed, flags);
        let before = page.clone();
        match correct(&mut page, Pgno(pgno)) {
            Some(_) => prop_assert_eq!(verify(&page, Pgno(pgno)), PageSum::Good),
            None => prop_assert_eq!(page, before),
        }
    }
}
