//! The target `decompress`: one compressed value. Never more bytes than allowed, and the same every time.

use ese_core::compress::{decompress, decompressed_size};

/// Bytes that are allowed; small, since a fuzzer that fills memory learns nothing.
const LIMITS: [usize; 3] = [0, 100, 1 << 16];

pub(crate) fn run(bytes: &[u8]) {
    let (mut first, mut again) = (Vec::new(), vec![0xAA; 7]);
    for limit in LIMITS {
        let outcome = decompress(bytes, limit, &mut first);
        assert_eq!(decompress(bytes, limit, &mut again), outcome, "what a buffer held before does not show");
        assert_eq!(first, again);
        match outcome {
            Ok(_) => {
                assert!(first.len() <= limit);
                assert!(decompressed_size(bytes).is_none_or(|size| size == first.len()));
            }
            Err(error) => assert!(first.is_empty() && !error.to_string().is_empty()),
        }
    }
}

/// One sound stream or nearly one of each scheme, by hand: the scheme is in the first five bits.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let seven_bit_unicode = vec![0x16, 0xE1, 0x70, 0x38, 0x1C, 0x0E, 0x87, 0xC5, 0x62];
    let mut seven_bit_ascii = seven_bit_unicode.clone();
    seven_bit_ascii[0] = 0x0E;
    let xpress = [&[0x18, 8, 0, 0, 0, 0, 0][..], b"abcdefgh"].concat();
    let mut seeds = vec![Vec::new(), seven_bit_unicode, seven_bit_ascii, xpress];
    for scheme in 0..32_u8 {
        let body = (0..64_u8).map(|byte| byte.wrapping_mul(scheme | 1));
        seeds.push([scheme << 3, 40, 0].into_iter().chain(body).collect());
    }
    seeds
}

/// What checksums there are lie inside schemes whose streams a mutation seldom leaves whole.
pub(crate) fn seal(_: &mut [u8]) {}
