//! XPRESS: LZ77 with flag words, no entropy coding (spec 07 section 4.2).
//!
//! Nearly all compressed chunks of real files are of this kind. Runs of literals and matches are moved as wholes. The
//! stream must end with its end mark exactly where the stated size ends; bytes behind the mark are not looked at.

use super::{
    DecompressError, Fault, grow,
    input::Input,
    output::{Output, WIDE},
};

/// The engine's decoder takes no data of this size or less.
const SIZE_MIN: usize = 9;
/// Nor a stream of fewer bytes.
const STREAM_MIN: usize = 8;
/// Items for which one flag word has a bit.
const FLAGS: usize = 32;
/// The shortest match.
const LENGTH_MIN: usize = 3;
/// Bits of a match's first word that hold its length.
const LENGTH_BITS: u32 = 3;
/// What these bits, then the nibble, then the byte hold if the length goes on in the next of them.
const LENGTH_GOES_ON: u16 = 7;
const NIBBLE_GOES_ON: u8 = 15;
const BYTE_GOES_ON: u8 = u8::MAX;

/// Decompresses the size and the stream in `input` into the empty `out`.
pub(super) fn decompress(input: &mut Input<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let start = input.at();
    let size = input.stated_size()?;
    if size < SIZE_MIN {
        return Err(input.broken_at(start, Fault::value("the stated size", size, SIZE_MIN, usize::from(u16::MAX))));
    }
    let stream = input.rest().len();
    if stream < STREAM_MIN || stream >= size {
        return Err(input.broken(Fault::value("the length of the stream", stream, STREAM_MIN, size - 1)));
    }
    grow(out, size, limit, input.scheme())?;
    decode(input, &mut Output::new(out, 0))
}

fn decode(input: &mut Input<'_>, out: &mut Output<'_>) -> Result<(), DecompressError> {
    // The last of the flags that came with a word is followed by this bit, so that a used-up word is known by it.
    const USED_UP: u64 = 1 << 63;
    let mut half = None;
    loop {
        let mut flags = u64::from(input.u32("a word of flags")?) << FLAGS | USED_UP >> FLAGS;
        loop {
            // At most 32: the bit behind the flags.
            let run = flags.leading_zeros();
            literals(input, out, run)?;
            flags <<= run;
            if flags == USED_UP {
                break;
            }
            if out.left() == 0 {
                return Ok(());
            }
            flags <<= 1;
            let start = input.at();
            let word = input.u16("a match")?;
            let length = length(input, word, &mut half)?;
            let distance = usize::from(word >> LENGTH_BITS) + 1;
            out.repeat(distance, length).map_err(|fault| input.broken_at(start, fault))?;
        }
    }
}

/// Moves `run` literal bytes; if fewer are missing, the end mark should have come before the others.
#[inline]
fn literals(input: &mut Input<'_>, out: &mut Output<'_>, run: u32) -> Result<(), DecompressError> {
    let run = usize::try_from(run).unwrap_or(FLAGS);
    let len = run.min(out.left());
    let source = input.rest();
    input.take(len, "a literal")?;
    out.literals(source, len);
    if len < run { Err(input.broken(Fault::Missing("the end mark"))) } else { Ok(()) }
}

/// The length of the match that began with `word`. Two matches share the byte of their nibbles: the later one finds its
/// own in `half`, however far away it is.
fn length(input: &mut Input<'_>, word: u16, half: &mut Option<u8>) -> Result<usize, DecompressError> {
    let length = word & ((1 << LENGTH_BITS) - 1);
    if length < LENGTH_GOES_ON {
        return Ok(usize::from(length) + LENGTH_MIN);
    }
    let nibble = match half.take() {
        Some(high) => high,
        None => {
            let both = input.u8("the length of a match")?;
            *half = Some(both >> 4);
            both & 0x0F
        }
    };
    let mut length = usize::from(LENGTH_GOES_ON) + usize::from(nibble);
    if nibble == NIBBLE_GOES_ON {
        let byte = input.u8("the length of a match")?;
        length += usize::from(byte);
        if byte == BYTE_GOES_ON {
            let start = input.at();
            let whole = usize::from(input.u16("the length of a match")?);
            // The word holds all of the length, and is there only if the shorter forms cannot.
            if whole < length {
                return Err(input.broken_at(
                    start,
                    Fault::value("the long length of a match", whole, length, usize::from(u16::MAX)),
                ));
            }
            length = whole;
        }
    }
    Ok(length + LENGTH_MIN)
}

const _: () = assert!(FLAGS <= WIDE, "a run of literals is moved at once");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Scheme, decompress, decompressed_size};
    use super::*;

    fn decoded(size: u16, stream: &[u8]) -> Result<Vec<u8>, DecompressError> {
        let mut out = Vec::new();
        decompress(&[&[0x18], &size.to_le_bytes()[..], stream].concat(), usize::from(u16::MAX), &mut out).map(
            |scheme| {
                assert_eq!(scheme, Scheme::Xpress);
                out
            },
        )
    }

    fn fault(size: u16, stream: &[u8]) -> (usize, Fault) {
        match decoded(size, stream) {
            Err(error @ DecompressError::Broken { scheme: Scheme::Xpress, at, fault }) => {
                assert_eq!(error.jet(), -1620);
                (at, fault)
            }
            other => panic!("not a broken stream: {other:?}"),
        }
    }

    const VECTOR_3: &[u8] = b"\xff\xff\xff\x0f\x61\x62\x63\x61\x17\x00\x0f\xff\x25\x01";
    const VECTOR_4: &[u8] = b"\xff\xff\xbf\x00abcdefgh\x3f\x00\x42\x58\x67\x00";

    /// Where the stream begins in a value.
    const STREAM: usize = 3;

    #[test]
    fn vector_3_is_abc_a_hundred_times() {
        let text = b"abc".repeat(100);
        assert_eq!(decoded(300, VECTOR_3), Ok(text.clone()));
        assert_eq!(decoded(300, b"\xff\xff\xff\x1f\x61\x62\x63\x17\x00\x0f\xff\x26\x01"), Ok(text));
        assert_eq!(decompressed_size(b"\x18\x2c\x01"), Some(300));
    }

    #[test]
    fn vector_4_shares_a_byte_between_two_lengths() {
        assert_eq!(decoded(35, VECTOR_4), Ok(b"abcdefghabcdefghabcdXabcdefghabcdXa".to_vec()));
    }

    #[test]
    fn bytes_behind_the_end_mark_are_ignored() {
        assert_eq!(decoded(300, &[VECTOR_3, b"more"].concat()), decoded(300, VECTOR_3));
    }

    #[test]
    fn the_low_bits_of_the_scheme_byte_are_ignored() {
        let mut out = Vec::new();
        let value = [&[0x1D, 0x2c, 0x01], VECTOR_3].concat();
        assert_eq!(decompress(&value, 300, &mut out), Ok(Scheme::Xpress));
        assert_eq!((out.len(), out.capacity()), (300, 300));
        let error = DecompressError::TooLarge { scheme: Scheme::Xpress, size: 300, limit: 299 };
        assert_eq!(decompress(&value, 299, &mut out), Err(error));
        assert_eq!(out, []);
    }

    #[test]
    fn an_input_may_end_nowhere_before_the_end_mark() {
        for len in 8..VECTOR_3.len() {
            let (at, Fault::Ends(_)) = fault(300, &VECTOR_3[..len]) else { panic!("{len}") };
            assert!(at <= STREAM + len);
        }
        assert_eq!(fault(35, &VECTOR_4[..14]), (STREAM + 14, Fault::Ends("the length of a match")));
        assert_eq!(fault(35, &VECTOR_4[..13]), (STREAM + 12, Fault::Ends("a match")));
        assert_eq!(fault(35, &VECTOR_4[..11]), (STREAM + 4, Fault::Ends("a literal")));
    }

    #[test]
    fn a_value_without_a_size_is_refused() {
        let mut out = Vec::new();
        let fault = Fault::Ends("the decompressed size");
        let error = DecompressError::Broken { scheme: Scheme::Xpress, at: 1, fault };
        assert_eq!(decompress(&[0x18, 0x2c], 300, &mut out), Err(error));
        assert_eq!(decompressed_size(&[0x18, 0x2c]), None);
    }

    #[test]
    fn sizes_that_the_engine_refuses_are_refused() {
        let size = Fault::Value { what: "the stated size", found: 8, least: 9, most: 65535 };
        assert_eq!(fault(8, b"\xff\xff\xff\xff\0\0\0\0"), (1, size));
        let stream = |found, most| Fault::Value { what: "the length of the stream", found, least: 8, most };
        assert_eq!(fault(300, &[0xFF; 7]), (STREAM, stream(7, 299)));
        assert_eq!(fault(14, VECTOR_3), (STREAM, stream(14, 13)));
        assert_eq!(fault(13, VECTOR_3), (STREAM, stream(14, 12)));
    }

    #[test]
    fn a_match_stays_in_what_was_decoded() {
        let what = "the distance of a match";
        let mut stream = VECTOR_3.to_vec();
        stream[8] = 0x27;
        assert_eq!(fault(300, &stream), (STREAM + 8, Fault::Value { what, found: 5, least: 1, most: 4 }));
        // The first item is a match.
        assert_eq!(
            fault(300, b"\xff\xff\xff\xff\x00\x00\x00\x00"),
            (STREAM + 4, Fault::Value { what, found: 1, least: 1, most: 0 })
        );
    }

    #[test]
    fn a_match_stays_in_the_stated_size() {
        let what = "the length of a match";
        assert_eq!(fault(299, VECTOR_3), (STREAM + 8, Fault::Value { what, found: 296, least: 1, most: 295 }));
    }

    #[test]
    fn a_long_length_is_one_that_the_short_form_cannot_say() {
        let mut stream = VECTOR_3.to_vec();
        stream[12..].copy_from_slice(&276u16.to_le_bytes());
        let what = "the long length of a match";
        assert_eq!(fault(300, &stream), (STREAM + 12, Fault::Value { what, found: 276, least: 277, most: 65535 }));
        stream[12..].copy_from_slice(&277u16.to_le_bytes());
        assert_eq!(decoded(284, &stream), Ok(b"abc".repeat(95)[..284].to_vec()));
    }

    #[test]
    fn the_end_mark_stands_behind_the_last_byte() {
        // One more match is missing, which the next flag, the end mark, is taken for.
        assert_eq!(fault(301, VECTOR_3), (STREAM + 14, Fault::Ends("a match")));
        // A literal flag where the mark should be.
        let mut stream = VECTOR_3.to_vec();
        stream[3] = 0x0B;
        assert_eq!(fault(300, &stream), (STREAM + 14, Fault::Missing("the end mark")));
        // The flag word is used up, so that the mark needs another.
        let full = [b"\x01\x00\x00\x00", &[b'x'; 31][..], b"\x07\x00\x0f\x04"].concat();
        assert_eq!(fault(60, &full), (STREAM + full.len(), Fault::Ends("a word of flags")));
        assert_eq!(decoded(60, &[&full[..], &[0xFF; 4]].concat()), Ok(vec![b'x'; 60]));
    }

    #[derive(Clone, Debug)]
    enum Item {
        Literal(u8),
        Match { distance: usize, length: usize },
    }

    /// Writes items; distances are fitted to what is there. Returns the data and the stream.
    fn encoded(items: &[Item]) -> (Vec<u8>, Vec<u8>) {
        let (mut data, mut stream) = (Vec::new(), Vec::new());
        let (mut half, mut flags_at) = (None, 0);
        let end = [true];
        let wanted = items.iter().map(|item| matches!(item, Item::Match { .. })).chain(end);
        for (number, (is_match, item)) in wanted.zip(items.iter().map(Some).chain([None])).enumerate() {
            if number % 32 == 0 {
                flags_at = stream.len();
                stream.extend([0xFF; 4]);
            }
            let place = 31 - number % 32;
            match item {
                Some(Item::Match { distance, length }) if !data.is_empty() => {
                    let distance = distance % data.len().min(8192) + 1;
                    length_of_match(&mut stream, &mut half, distance, length - 3);
                    for _ in 0..*length {
                        data.push(data[data.len() - distance]);
                    }
                }
                Some(Item::Literal(_) | Item::Match { .. }) => {
                    stream[flags_at + place / 8] &= !(1 << (place % 8));
                    let byte = if let Some(Item::Literal(byte)) = item { *byte } else { 0 };
                    stream.push(byte);
                    data.push(byte);
                }
                None => assert!(is_match),
            }
        }
        (data, stream)
    }

    fn length_of_match(stream: &mut Vec<u8>, half: &mut Option<usize>, distance: usize, length: usize) {
        stream.extend(u16::try_from((distance - 1) << 3 | length.min(7)).unwrap().to_le_bytes());
        let Some(rest) = length.checked_sub(7) else { return };
        let nibble = u8::try_from(rest.min(15)).unwrap();
        match half.take() {
            Some(at) => stream[at] |= nibble << 4,
            None => {
                *half = Some(stream.len());
                stream.push(nibble);
            }
        }
        let Some(rest) = rest.checked_sub(15) else { return };
        stream.push(u8::try_from(rest.min(255)).unwrap());
        if rest >= 255 {
            stream.extend(u16::try_from(length).unwrap().to_le_bytes());
        }
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let length = prop_oneof![6 => 3..=12usize, 3 => 3..=60usize, 1 => 250..=700usize];
        let distance = prop_oneof![0..3usize, 0..70usize, 0..8192usize];
        let item = prop_oneof![
            3 => any::<u8>().prop_map(Item::Literal),
            2 => (distance, length).prop_map(|(distance, length)| Item::Match { distance, length }),
        ];
        prop::collection::vec(item, 0..200).prop_map(|mut items| {
            items.insert(0, Item::Literal(b'x'));
            // Whatever the others are, this makes the data longer than the stream.
            items.push(Item::Match { distance: 0, length: 300 });
            items
        })
    }

    #[test]
    fn the_longest_match_is_read_back() {
        let (data, stream) = encoded(&[Item::Literal(b'x'), Item::Match { distance: 0, length: 65534 }]);
        assert_eq!(decoded(65535, &stream), Ok(data));
    }

    proptest! {
        #[test]
        fn what_the_encoder_writes_is_read_back(items in items()) {
            let (data, stream) = encoded(&items);
            prop_assert_eq!(decoded(u16::try_from(data.len()).unwrap(), &stream), Ok(data));
        }

        #[test]
        fn a_damaged_stream_gives_the_stated_size_or_an_error(items in items(), at in any::<prop::sample::Index>(), flip in 1..=255u8) {
            let (data, mut stream) = encoded(&items);
            let at = at.index(stream.len());
            stream[at] ^= flip;
            if let Ok(other) = decoded(u16::try_from(data.len()).unwrap(), &stream) {
                prop_assert_eq!(other.len(), data.len());
            }
        }
    }
}
