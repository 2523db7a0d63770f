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
    if code_page == CODE_PAGE_UNICODE {
        append_utf16(bytes, out).map_err(|fault| ValueError::Text { code_page, fault })
    } else if bytes.is_ascii() && keeps_ascii(code_page) {
        out.push_str(str::from_utf8(bytes).unwrap_or_default());
        Ok(())
    } else {
        append_encoded(code_page, bytes, out).map_err(|fault| ValueError::Text { code_page, fault })
    }
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

fn append_encoded(code_page: u32, bytes: &[u8], out: &mut String) -> Result<(), TextFault> {
    let encoding = encoding(code_page).ok_or(TextFault::UnknownCodePage)?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(TextFault::Malformed)?;
    out.push_str(&text);
    Ok(())
}

/// Little-endian UTF-16.
fn append_utf16(bytes: &[u8], out: &mut String) -> Result<(), TextFault> {
    let (units, rest) = bytes.as_chunks::<UNIT>();
    if !rest.is_empty() {
        return Err(TextFault::OddLength { found: bytes.len() });
    }
    let before = out.len();
    out.reserve(units.len());
    let mut at = 0;
    for decoded in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        match decoded {
            Ok(character) => {
                out.push(character);
                at += UNIT * character.len_utf16();
            }
            Err(unpaired) => {
                out.truncate(before);
                return Err(TextFault::UnpairedSurrogate { at, unit: unpaired.unpaired_surrogate() });
            }
        }
    }
    Ok(())
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
