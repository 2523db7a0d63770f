//! Text: bytes of a code page as characters (spec 06 section 5).
//!
//! Never puts a replacement character where a byte does not decode: text is whole, or an error that names the byte.
//! Code pages go by their Windows numbers; UTF-16 is decoded here, all others by `encoding_rs`.

use super::error::{TextFault, ValueError};
use crate::format::CODE_PAGE_UNICODE;

/// The code page of text columns that name none.
pub const CODE_PAGE_DEFAULT: u32 = 1252;

/// Bytes of a UTF-16 code unit.
const UNIT: usize = 2;

/// Appends the text in `bytes` to `out`. A NUL is a character like any other.
///
/// # Errors
/// [`ValueError::Text`] if the bytes are not text of the code page; `out` then is as it was.
pub fn append_text(code_page: u32, bytes: &[u8], out: &mut String) -> Result<(), ValueError> {
    if code_page != CODE_PAGE_UNICODE && bytes.is_ascii() && keeps_ascii(code_page) {
        out.push_str(str::from_utf8(bytes).unwrap_or_default());
        return Ok(());
    }
    let before = out.len();
    let mut decoder = TextDecoder::new(code_page)?;
    let done = decoder.push(bytes, out).and_then(|()| decoder.finish(out));
    if done.is_err() {
        out.truncate(before);
    }
    done
}

/// Decodes text that comes in pieces, cut anywhere.
pub struct TextDecoder {
    code_page: u32,
    state: State,
}

enum State {
    Utf16(Utf16),
    Encoded(encoding_rs::Decoder),
}

impl TextDecoder {
    /// A decoder for text of `code_page`.
    ///
    /// # Errors
    /// [`ValueError::Text`] if nothing here knows the code page.
    pub fn new(code_page: u32) -> Result<TextDecoder, ValueError> {
        let state = if code_page == CODE_PAGE_UNICODE {
            State::Utf16(Utf16::default())
        } else {
            let unknown = ValueError::Text { code_page, fault: TextFault::UnknownCodePage };
            State::Encoded(encoding(code_page).ok_or(unknown)?.new_decoder_without_bom_handling())
        };
        Ok(TextDecoder { code_page, state })
    }

    /// Appends to `out` the characters that end in `bytes`, the next piece.
    ///
    /// # Errors
    /// [`ValueError::Text`] if the bytes are not text; nothing more can be decoded then.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) -> Result<(), ValueError> {
        self.decode(bytes, Last::No, out)
    }

    /// Appends what comes with the end of the text: nothing, in most code pages.
    ///
    /// # Errors
    /// [`ValueError::Text`] if the text ends inside a character.
    pub fn finish(&mut self, out: &mut String) -> Result<(), ValueError> {
        self.decode(&[], Last::Yes, out)
    }

    fn decode(&mut self, bytes: &[u8], last: Last, out: &mut String) -> Result<(), ValueError> {
        let decoded = match &mut self.state {
            State::Utf16(utf16) if last == Last::Yes => utf16.finish(),
            State::Utf16(utf16) => utf16.push(bytes, out),
            State::Encoded(decoder) => append_encoded(decoder, bytes, last, out),
        };
        decoded.map_err(|fault| ValueError::Text { code_page: self.code_page, fault })
    }
}

/// Whether a piece of text is the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Yes,
    No,
}

/// `bytes` themselves, if they are text of the code page as they stand.
pub(super) fn as_is(code_page: u32, bytes: &[u8]) -> Option<&str> {
    if code_page != CODE_PAGE_UNICODE && keeps_ascii(code_page) && bytes.is_ascii() {
        str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// True if ASCII means itself: so in every code page of `encoding_rs` but those that shift.
fn keeps_ascii(code_page: u32) -> bool {
    matches!(code_page, 0 | CODE_PAGE_DEFAULT)
        || encoding(code_page).is_some_and(encoding_rs::Encoding::is_ascii_compatible)
}

fn encoding(code_page: u32) -> Option<&'static encoding_rs::Encoding> {
    let number = if code_page == 0 { CODE_PAGE_DEFAULT } else { code_page };
    codepage::to_encoding_no_replacement(u16::try_from(number).ok()?)
}

fn append_encoded(
    decoder: &mut encoding_rs::Decoder,
    mut bytes: &[u8],
    last: Last,
    out: &mut String,
) -> Result<(), TextFault> {
    use encoding_rs::DecoderResult;
    loop {
        out.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len()));
        let (result, read) = decoder.decode_to_string_without_replacement(bytes, out, last == Last::Yes);
        match result {
            DecoderResult::InputEmpty => return Ok(()),
            DecoderResult::OutputFull => bytes = bytes.get(read..).unwrap_or_default(),
            DecoderResult::Malformed(..) => return Err(TextFault::Malformed),
        }
    }
}

/// Little-endian UTF-16 in pieces.
#[derive(Default)]
struct Utf16 {
    /// Bytes in front of the piece that comes.
    before: usize,
    /// What the last piece ended in: half a code unit, or a surrogate whose other half is to come.
    pending: Vec<u8>,
}

impl Utf16 {
    fn push(&mut self, bytes: &[u8], out: &mut String) -> Result<(), TextFault> {
        let mut bytes = bytes;
        // At most three bytes are pending, and four are a character whatever they are.
        while !self.pending.is_empty() {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.pending.push(*first);
            let pending = std::mem::take(&mut self.pending);
            self.units(&pending, out)?;
        }
        self.units(bytes, out)
    }

    /// Appends the characters in `bytes`, and keeps what is none yet.
    fn units(&mut self, bytes: &[u8], out: &mut String) -> Result<(), TextFault> {
        let (units, _) = bytes.as_chunks::<UNIT>();
        out.reserve(units.len());
        let mut at = 0;
        for decoded in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
            match decoded {
                Ok(character) => {
                    out.push(character);
                    at += UNIT * character.len_utf16();
                }
                Err(unpaired) => {
                    let unit = unpaired.unpaired_surrogate();
                    if at + UNIT != UNIT * units.len() || !(0xD800..0xDC00).contains(&unit) {
                        return Err(TextFault::UnpairedSurrogate { at: self.before + at, unit });
                    }
                }
            }
        }
        self.before += at;
        self.pending.extend_from_slice(bytes.get(at..).unwrap_or_default());
        Ok(())
    }

    fn finish(&self) -> Result<(), TextFault> {
        match *self.pending.as_slice() {
            [] => Ok(()),
            [low, high] => Err(TextFault::UnpairedSurrogate { at: self.before, unit: u16::from_le_bytes([low, high]) }),
            _ => Err(TextFault::OddLength { found: self.before + self.pending.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(code_page: u32, bytes: &[u8]) -> Result<String, ValueError> {
        let mut out = String::from("before ");
        let result = append_text(code_page, bytes, &mut out);
        let appended = out.strip_prefix("before ").unwrap().to_owned();
        assert!(result.is_ok() || appended.is_empty(), "an error leaves nothing behind");
        result.map(|()| appended)
    }

    fn fault(code_page: u32, bytes: &[u8]) -> TextFault {
        match text(code_page, bytes) {
            Err(ValueError::Text { code_page: said, fault }) if said == code_page => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_code_page_goes_by_its_windows_number() {
        for (code_page, bytes, expected) in [
            (1252, &b"caf\xe9 \x80"[..], "café €"),
            (0, b"\xdf", "ß"),
            (1251, b"\xcf\xf0", "Пр"),
            (932, b"\x93\xfa\x96\x7b", "日本"),
            (936, b"\xd6\xd0", "中"),
            (949, b"\xc7\xd1", "한"),
            (950, b"\xa4\xa4", "中"),
            (866, b"\x8f", "П"),
            (65001, "ü".as_bytes(), "ü"),
            (1200, b"\x41\0\xac\x20\x3d\xd8\x00\xde", "A€😀"),
            (1200, b"a\0\0\0", "a\0"),
            (1200, b"\xff\xfea\0", "\u{feff}a"),
        ] {
            assert_eq!(text(code_page, bytes).as_deref(), Ok(expected), "{code_page}");
        }
    }

    #[test]
    fn every_byte_is_a_character_of_code_page_1252() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(text(1252, &all).unwrap().chars().count(), 256);
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        assert_eq!(fault(1200, b"a\0b"), TextFault::OddLength { found: 3 });
        assert_eq!(fault(1200, b"a\0\x00\xdc"), TextFault::UnpairedSurrogate { at: 2, unit: 0xDC00 });
        assert_eq!(
            fault(1200, b"\x3d\xd8\x00\xde\x3d\xd8"),
            TextFault::UnpairedSurrogate { at: 4, unit: 0xD83D },
            "the end comes where the second half should"
        );
        assert_eq!(fault(932, b"\x81"), TextFault::Malformed);
        assert_eq!(fault(65001, b"\xc0\x80"), TextFault::Malformed);
        for unknown in [1, 70_000, u32::MAX] {
            assert_eq!(fault(unknown, b"a"), TextFault::UnknownCodePage);
        }
    }

    #[test]
    fn shifted_text_is_not_taken_for_ascii() {
        assert_eq!(text(50220, b"\x1b$B$\"\x1b(B").as_deref(), Ok("あ"));
    }

    proptest! {
        #[test]
        fn text_in_pieces_is_the_text_as_a_whole(
            code_page in prop::sample::select(vec![1200, 1252, 932, 65001, 50220]),
            original: String, noise in prop::collection::vec(any::<u8>(), 0..6), cuts in prop::collection::vec(0..40_usize, 0..6),
        ) {
            let mut bytes: Vec<u8> = match code_page {
                1200 => original.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                _ => encoding(code_page).unwrap().encode(&original).0.into_owned(),
            };
            bytes.extend(noise);
            let mut pieces = String::new();
            let mut decoder = TextDecoder::new(code_page).unwrap();
            let mut rest = &bytes[..];
            let mut done = Ok(());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, behind) = rest.split_at(cut.min(rest.len()));
                done = done.and_then(|()| decoder.push(piece, &mut pieces));
                rest = behind;
            }
            let done = done.and_then(|()| decoder.finish(&mut pieces));
            prop_assert_eq!(done.map(|()| pieces), text(code_page, &bytes));
        }

        #[test]
        fn utf16_comes_back_whole(original: String) {
            let bytes: Vec<u8> = original.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(text(1200, &bytes), Ok(original));
        }

        #[test]
        fn any_bytes_are_text_or_an_error(code_page in 0..1300u32, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = text(code_page, &bytes);
        }
    }
}
