//! One entry: the values of its names column as catalog names (spec 14 sections 0.3 and 0.4).

use ese_core::format::CODE_PAGE_UNICODE;
use ese_core::value::append_text;

use super::profile::Encoding;

/// Ends each name in the byte string of `catdb-10`.
const SEPARATOR: u8 = b'|';

/// What was odd in an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NameFault {
    /// A name without a character.
    #[error("catalog name: expected one, found nothing")]
    Empty,
    /// Bytes that are not text of the encoding.
    #[error("catalog name: expected text, found bytes that are none")]
    NotText,
}

/// The names in `values`, in their order, each with the case it is stored in. A name that cannot be read is a fault
/// in its place; the others follow.
pub(crate) fn catalog_names<'a>(
    encoding: Encoding,
    values: impl Iterator<Item = &'a [u8]>,
) -> Vec<Result<String, NameFault>> {
    match encoding {
        Encoding::MultiValueUtf16Nul => values.map(utf16_name).collect(),
        Encoding::Utf8PipeTerminated => values.flat_map(piped_names).collect(),
    }
}

/// One value, one name, with its NUL or without.
fn utf16_name(bytes: &[u8]) -> Result<String, NameFault> {
    let mut name = String::new();
    append_text(CODE_PAGE_UNICODE, bytes, &mut name).map_err(|_| NameFault::NotText)?;
    name.truncate(name.trim_end_matches('\0').len());
    if name.is_empty() { Err(NameFault::Empty) } else { Ok(name) }
}

/// `A.cat|B.cat|`: the last `|` may be missing, NULs may follow.
fn piped_names(bytes: &[u8]) -> Vec<Result<String, NameFault>> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = bytes.get(..end).unwrap_or_default();
    let bytes = bytes.strip_suffix(&[SEPARATOR]).unwrap_or(bytes);
    if bytes.is_empty() {
        return vec![Err(NameFault::Empty)];
    }
    bytes
        .split(|byte| *byte == SEPARATOR)
        .map(|name| match str::from_utf8(name) {
            Ok("") => Err(NameFault::Empty),
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(NameFault::NotText),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(encoding: Encoding, values: &[&[u8]]) -> Vec<Result<String, NameFault>> {
        catalog_names(encoding, values.iter().copied())
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn each_value_of_2003_is_a_name_with_a_nul() {
        let values = ["SP2.CAT\0", "WOW64.CAT\0", "KB943509-V5.CAT"].map(utf16);
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let expected = ["SP2.CAT", "WOW64.CAT", "KB943509-V5.CAT"].map(|name| Ok(name.to_owned()));
        assert_eq!(names(Encoding::MultiValueUtf16Nul, &values), expected);
    }

    #[test]
    fn the_byte_string_of_10_ends_each_name() {
        let of = |bytes: &[u8]| names(Encoding::Utf8PipeTerminated, &[bytes]);
        let both = vec![Ok("A.cat".to_owned()), Ok("B.cat".to_owned())];
        let stored = [0x41, 0x2e, 0x63, 0x61, 0x74, 0x7c, 0x42, 0x2e, 0x63, 0x61, 0x74, 0x7c];
        assert_eq!(of(&stored), both);
        for same in [&b"A.cat|B.cat"[..], b"A.cat|B.cat|\0", b"A.cat|B.cat\0\0"] {
            assert_eq!(of(same), both);
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_does_not_hide_the_others() {
        let of = |bytes: &[u8]| names(Encoding::Utf8PipeTerminated, &[bytes]);
        let odd = of(b"|A.cat||\xff|");
        assert_eq!(
            odd,
            [Err(NameFault::Empty), Ok("A.cat".to_owned()), Err(NameFault::Empty), Err(NameFault::NotText)]
        );
        assert_eq!(of(b""), [Err(NameFault::Empty)]);
        assert_eq!(of(b"|"), [Err(NameFault::Empty)]);
        assert_eq!(
            names(Encoding::MultiValueUtf16Nul, &[b"a", b"\0\0", b"\x00\xdc", b"b\0"]),
            [Err(NameFault::NotText), Err(NameFault::Empty), Err(NameFault::NotText), Ok("b".to_owned())]
        );
    }
}
