//! The vector of the spec, round trips through the test encoder, and each way in which a value can be broken.

use proptest::prelude::*;

use super::{
    super::{DecompressError, Fault, Scheme, decompress},
    encoder::{BitWriter, Form, Item, block, crc32c, value},
};

const BLOCK: usize = 5;

fn decoded(value: &[u8]) -> Result<Vec<u8>, DecompressError> {
    let mut out = Vec::new();
    decompress(value, 1 << 20, &mut out).map(|scheme| {
        assert_eq!(scheme, Scheme::Xpress9);
        out
    })
}

fn with_scheme(behind: &[u8]) -> Vec<u8> {
    [&[0x28], behind].concat()
}

fn vector() -> Vec<u8> {
    hex("2850652cfb2ad7864e20010000210200001b2006000000000041de59af000000004e41be9c\
         000000a0c282290236ecd93147c08d211bae4c11b06786806113c09273687408a8b4bf0301")
}

fn hex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// The vector with the field at `at` of its block's header changed, and the header's checksum right again.
fn vector_with(at: usize, field: u32) -> Vec<u8> {
    let mut value = vector();
    value[BLOCK + at..BLOCK + at + 4].copy_from_slice(&field.to_le_bytes());
    let checksum = crc32c(&value[BLOCK..BLOCK + 28]);
    value[BLOCK + 28..BLOCK + 32].copy_from_slice(&checksum.to_le_bytes());
    value
}

/// A value of one block with the body that `write` makes, for `size` bytes.
fn with_body(recent: u32, size: u32, tables: u32, write: impl FnOnce(&mut BitWriter)) -> Vec<u8> {
    let mut body = BitWriter::default();
    write(&mut body);
    let form = Form { recent, pointer_min: 3, recent_min: 2, coded: None };
    with_scheme(&[&[0; 4][..], &block(&form, size, &body, tables, 0)].concat())
}

fn fault(value: &[u8]) -> (usize, Fault) {
    match decoded(value) {
        Err(error @ DecompressError::Broken { scheme: Scheme::Xpress9, at, fault }) => {
            assert_eq!(error.jet(), -1620);
            (at, fault)
        }
        other => panic!("not a broken stream: {other:?}"),
    }
}

#[track_caller]
fn assert_value_fault(value: &[u8], meaning: &str, number: u64) {
    match fault(value) {
        (_, Fault::Value { what, found, .. }) => assert_eq!((what, found), (meaning, number)),
        other => panic!("not a number out of range: {other:?}"),
    }
}

#[test]
fn vector_5_is_a_sentence_six_times() {
    assert_eq!(decoded(&vector()).unwrap(), "The long value of a long value is a long value. ".repeat(6).as_bytes());
}

#[test]
fn a_value_of_the_engines_compressor_with_coded_tables_is_decoded() {
    let value =
        hex("287934cac72ad7864ece010000ef030000cd200900000000001974ed9d000000001b9f5d3f004870771900001079718c9bec\
         6c3605001e54d43dffa30000c0400805067c6305540821099a814e506a1f513386f87e9185e5c28af183a417296c2fec1388\
         279ed3701a73400daa8134bf91e59578177e14fd765cd124b56f27ecbfd51a");
    let squares: String = (0..40).map(|number| format!("{} ", number * number)).collect();
    assert_eq!(decoded(&value).unwrap(), squares.repeat(3).as_bytes());
}

#[test]
fn a_limit_below_the_blocks_size_is_kept() {
    let mut out = Vec::new();
    let error = decompress(&vector(), 287, &mut out).unwrap_err();
    assert_eq!(error, DecompressError::TooLarge { scheme: Scheme::Xpress9, size: 288, limit: 287 });
    assert!(out.capacity() <= 287);
    decompress(&vector(), 288, &mut out).unwrap();
    assert_eq!(out.capacity(), 288);
}

#[test]
fn wrong_data_are_an_integrity_failure() {
    let mut value = vector();
    value[1] ^= 1;
    let error = decoded(&value).unwrap_err();
    assert_eq!(
        error,
        DecompressError::Checksum { scheme: Scheme::Xpress9, stored: 0xFB2C_6551, computed: 0xFB2C_6550 }
    );
    assert_eq!(error.jet(), -431);
}

#[test]
fn every_field_of_a_header_is_checked() {
    for at in 0..32 {
        let mut value = vector();
        value[BLOCK + at] ^= 0x10;
        // The magic number and the fields with one right value first, the checksum for the others.
        let field = match at {
            0..4 => "the magic number of a block",
            16..20 => "the reserved field of a block",
            24..28 => "the index of a block",
            _ => "the checksum of a block's header",
        };
        let (_, Fault::Value { what, .. }) = fault(&value) else { panic!("byte {at}") };
        assert_eq!(what, field, "byte {at}");
    }
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    assert_value_fault(&vector_with(12, 0x0003_201B), "half the number of recent distances", 3);
    assert_value_fault(&vector_with(12, 0x0016_201B), "the reserved part of a block's flags", 1);
}

#[test]
fn a_block_has_room_for_its_tables_and_uses_all_its_bits() {
    assert_value_fault(&vector_with(8, 256 + 27), "the bits of a block", 256 + 27);
    assert_value_fault(&vector_with(12, 0x0006_201A), "the stated length of the tables", 26);
    assert_value_fault(&vector_with(4, 287), "the length of a match", 239);
    assert_eq!(fault(&vector_with(4, 289)), (BLOCK + 68, Fault::Ends("a literal or match")));
    assert_eq!(fault(&vector_with(8, 0x229)), (BLOCK + 32, Fault::Ends("the rest of a block")));
    let mut longer = vector_with(8, 0x222);
    assert_value_fault(&longer, "the number of unused bits", 1);
    longer.truncate(4);
    assert_eq!(fault(&longer), (1, Fault::Ends("the checksum of the data")));
}

#[test]
fn a_value_without_a_block_is_broken() {
    assert_eq!(fault(&vector()[..5]), (5, Fault::Ends("the magic number of a block")));
    assert_eq!(fault(&vector()[..36]), (33, Fault::Ends("the checksum of a block's header")));
    assert_eq!(fault(&[&vector()[..], &[0x2A]].concat()), (74, Fault::Ends("the magic number of a block")));
}

#[test]
fn later_blocks_are_shaped_like_the_first() {
    let form = Form { recent: 2, pointer_min: 3, recent_min: 2, coded: None };
    let items = vec![vec![Item::Literal(7)], vec![Item::Literal(8)]];
    let (right, _) = value(&form, &items);
    assert_eq!(decoded(&with_scheme(&right)).unwrap(), [7, 8]);

    let second = 4 + (right.len() - 4) / 2;
    let change = |at: usize, flip: u8| {
        let mut wrong = right.clone();
        wrong[second + at] ^= flip;
        let checksum = crc32c(&wrong[second..second + 28]).to_le_bytes();
        wrong[second + 28..second + 32].copy_from_slice(&checksum);
        fault(&with_scheme(&wrong))
    };
    assert_eq!(change(14, 4), (1 + second + 12, Fault::Missing("the flags of the first block")));
    let (at, Fault::Value { what, .. }) = change(20, 1) else { panic!() };
    assert_eq!((at, what), (1 + second + 20, "the session of a block"));
}

#[test]
fn tables_are_complete_codes_in_one_of_two_forms() {
    assert_value_fault(&with_body(0, 1, 1, |body| body.number(2, 3)), "the form of a table", 2);
    // All lengths of the helper code are 4: 33 words of 4 bits cannot be.
    let sixteenth = (1 << 27) / 16;
    let all_four = with_body(0, 1, 36, |body| {
        body.number(1, 3);
        (0..33).for_each(|_| body.number(0, 1));
        body.number(0, 1);
    });
    assert_value_fault(&all_four, "the number of words that a table uses", 33 * sixteenth);
    // A table without any symbol.
    let none = with_body(0, 1, 36, |body| {
        body.number(1, 3);
        body.number(0b0001, 4);
        (0..32).for_each(|_| body.number(0, 1));
    });
    assert_value_fault(&none, "the number of words that a table uses", 0);
}

/// A table whose helper code has words for just these two symbols, 1 bit each; `write` goes on behind it.
fn with_helper(symbols: [u32; 2], write: impl FnOnce(&mut BitWriter)) -> Vec<u8> {
    with_body(0, 1, 1, |body| {
        body.number(1, 3);
        let mut before = 4;
        for symbol in 0..33 {
            let length = u32::from(symbols.contains(&symbol));
            if length == before {
                body.number(0, 1);
            } else {
                body.number(1, 1);
                body.number(length - u32::from(length > before), 3);
                before = length;
            }
        }
        write(body);
    })
}

#[test]
fn lengths_in_tables_refer_to_what_is_there() {
    assert_eq!(fault(&with_helper([31, 32], |body| body.number(0, 1))).1, Fault::Missing("a row before this length"));
    let of_zero = with_helper([28, 31], |body| body.number(0b10, 2));
    assert_eq!(fault(&of_zero).1, Fault::Missing("a length other than 0 one row before"));
    let growing = with_helper([27, 32], |body| body.number(0x1_0000, 17));
    assert_value_fault(&growing, "a length in a table", 28);
    // 5 + 3 + 7 zeros of the first row would be all but one; one more is its end, where a fill belongs.
    let long = with_helper([0, 29], |body| body.number(0b0_0111_1111, 9));
    assert_value_fault(&long, "a number of zeros in a table", 16);
    let endless = with_helper([0, 29], |body| body.number(u32::MAX, 32));
    assert_value_fault(&endless, "a number of zeros in a table", 22);
    assert_eq!(fault(&with_helper([0, 28], |_| ())).1, Fault::Ends("a length in a table"));
}

#[test]
fn matches_stay_in_what_was_decoded() {
    // Symbols below 320 have words of 9 bits in a table that is not written, 320 is the first with 10.
    let pointer = with_body(0, 100, 6, |body| {
        body.number(0, 6);
        body.word((640, 10));
        body.number(0, 4);
    });
    assert_value_fault(&pointer, "the distance of a match", 16);
    let recent = with_body(2, 100, 17, |body| {
        body.number(1, 1);
        body.number(0, 10 + 6);
        body.word((256 + 16, 9));
    });
    // Right behind a match number 0 is left out: this means the third of two.
    assert_value_fault(&recent, "the number of a recent distance", 2);
    let far = with_body(2, 100, 1, |body| body.number(16 << 1, 11));
    assert_value_fault(&far, "the logarithm of a recent distance", 16);
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let longer = || prop_oneof![8 => 0..20u32, 3 => 0..300u32, 1 => 240..2000u32];
    let item = prop_oneof![
        4 => any::<u8>().prop_map(Item::Literal),
        2 => (any::<u32>(), longer()).prop_map(|(distance, longer)| Item::Pointer { distance, longer }),
        2 => (0..4u32, longer()).prop_map(|(number, longer)| Item::Recent { number, longer }),
    ];
    prop::collection::vec(item, 1..60)
}

prop_compose! {
    fn form()(
        recent in prop::sample::select(vec![0, 2, 4]),
        pointer_min in 3..=4u32,
        recent_min in 2..=3u32,
        coded in any::<Option<u64>>(),
    ) -> Form {
        Form { recent, pointer_min, recent_min, coded }
    }
}

proptest! {
    #[test]
    fn what_the_encoder_writes_is_read_back(form in form(), blocks in prop::collection::vec(items(), 1..4)) {
        let mut blocks = blocks;
        for items in &mut blocks {
            // No block is without data.
            items.insert(0, Item::Literal(0x55));
        }
        let (behind, data) = value(&form, &blocks);
        prop_assert_eq!(decoded(&with_scheme(&behind)).unwrap(), data);
    }

    #[test]
    fn damage_behind_the_headers_never_gives_other_data(form in form(), items in items(), at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let mut items = items;
        items.insert(0, Item::Literal(0x55));
        let (behind, data) = value(&form, &[items]);
        let mut damaged = with_scheme(&behind);
        let at = at.index(damaged.len() - 1) + 1;
        damaged[at] ^= flip;
        // A changed bit may be one that nobody reads: those behind the last, or the word of an only symbol.
        if let Ok(same) = decoded(&damaged) {
            prop_assert_eq!(same, data);
        }
    }
}
