//! [`Value`]: what the bytes of a column mean.

use std::borrow::Cow;
use std::fmt;

use super::currency::Currency;
use super::date_time::DateTime;
use super::error::ValueError;
use super::guid::Guid;
use super::text::{append_text, as_is};
use crate::format::ColumnType;

/// One value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// No value. Never comes out of bytes: zero bytes are an empty text or binary, or an error.
    Null,
    /// Bit.
    Bool(bool),
    /// `UnsignedByte`.
    U8(u8),
    /// Short.
    I16(i16),
    /// `UnsignedShort`.
    U16(u16),
    /// Long.
    I32(i32),
    /// `UnsignedLong`.
    U32(u32),
    /// `LongLong`.
    I64(i64),
    /// `UnsignedLongLong`.
    U64(u64),
    /// `IEEESingle`; any bits, NaN too.
    F32(f32),
    /// `IEEEDouble`; any bits, NaN too.
    F64(f64),
    /// Currency.
    Currency(Currency),
    /// `DateTime`.
    DateTime(DateTime),
    /// GUID.
    Guid(Guid),
    /// Text and `LongText`, with padding and terminators as stored.
    Text(Cow<'a, str>),
    /// Binary and `LongBinary`.
    Binary(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The value of type `column_type` in `bytes`. Allocates for text that is not ASCII or that is UTF-16.
    ///
    /// # Errors
    /// [`ValueError`] if the bytes are no value of the type.
    pub fn decode(column_type: ColumnType, code_page: u32, bytes: &'a [u8]) -> Result<Value<'a>, ValueError> {
        if column_type.is_text() && as_is(code_page, bytes).is_none() {
            let mut text = String::new();
            append_text(code_page, bytes, &mut text)?;
            return Ok(Value::Text(Cow::Owned(text)));
        }
        Self::plain(column_type, code_page, bytes)
    }

    /// As [`decode`](Self::decode), with the text put into `scratch`, which is cleared first: for loops that must not
    /// allocate.
    ///
    /// # Errors
    /// [`ValueError`] if the bytes are no value of the type.
    pub fn decode_with(
        column_type: ColumnType,
        code_page: u32,
        bytes: &'a [u8],
        scratch: &'a mut String,
    ) -> Result<Value<'a>, ValueError> {
        if column_type.is_text() && as_is(code_page, bytes).is_none() {
            scratch.clear();
            append_text(code_page, bytes, scratch)?;
            return Ok(Value::Text(Cow::Borrowed(scratch)));
        }
        Self::plain(column_type, code_page, bytes)
    }

    /// Everything but text that must be decoded.
    fn plain(column_type: ColumnType, code_page: u32, bytes: &'a [u8]) -> Result<Value<'a>, ValueError> {
        Ok(match column_type {
            ColumnType::Bit => Self::Bool(u8::from_le_bytes(sized(column_type, bytes)?) != 0),
            ColumnType::UnsignedByte => Self::U8(u8::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::Short => Self::I16(i16::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::UnsignedShort => Self::U16(u16::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::Long => Self::I32(i32::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::UnsignedLong => Self::U32(u32::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::LongLong => Self::I64(i64::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::UnsignedLongLong => Self::U64(u64::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::IeeeSingle => Self::F32(f32::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::IeeeDouble => Self::F64(f64::from_le_bytes(sized(column_type, bytes)?)),
            ColumnType::Currency => Self::Currency(Currency(i64::from_le_bytes(sized(column_type, bytes)?))),
            ColumnType::DateTime => Self::DateTime(DateTime::from_bytes(sized(column_type, bytes)?)?),
            ColumnType::Guid => Self::Guid(Guid::from_bytes(sized(column_type, bytes)?)),
            ColumnType::Binary | ColumnType::LongBinary => Self::Binary(bytes),
            ColumnType::Text | ColumnType::LongText => {
                Self::Text(Cow::Borrowed(as_is(code_page, bytes).unwrap_or_default()))
            }
            ColumnType::Nil | ColumnType::Streaming => {
                return Err(ValueError::NoValues { type_name: column_type.name(), found: bytes.len() });
            }
        })
    }
}

fn sized<const N: usize>(column_type: ColumnType, bytes: &[u8]) -> Result<[u8; N], ValueError> {
    bytes.try_into().map_err(|_| ValueError::WrongSize {
        type_name: column_type.name(),
        expected: N,
        found: bytes.len(),
    })
}

/// For people: binary as hex, NULL as `NULL`, text as it is: whoever prints it on a terminal escapes control characters.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => value.fmt(f),
            Self::U8(value) => value.fmt(f),
            Self::I16(value) => value.fmt(f),
            Self::U16(value) => value.fmt(f),
            Self::I32(value) => value.fmt(f),
            Self::U32(value) => value.fmt(f),
            Self::I64(value) => value.fmt(f),
            Self::U64(value) => value.fmt(f),
            Self::F32(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
            Self::Currency(value) => value.fmt(f),
            Self::DateTime(value) => value.fmt(f),
            Self::Guid(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Binary(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(column_type: ColumnType, bytes: &[u8]) -> Value<'_> {
        Value::decode(column_type, 1252, bytes).unwrap()
    }

    #[test]
    fn each_type_reads_its_own_bytes() {
        use ColumnType as T;
        assert_eq!(decode(T::Bit, &[0xFF]), Value::Bool(true));
        assert_eq!(decode(T::Bit, &[0x01]), Value::Bool(true), "any bit is true");
        assert_eq!(decode(T::Bit, &[0]), Value::Bool(false));
        assert_eq!(decode(T::UnsignedByte, &[0x80]), Value::U8(128));
        assert_eq!(decode(T::Short, &[0xFE, 0xFF]), Value::I16(-2));
        assert_eq!(decode(T::UnsignedShort, &[0xFE, 0xFF]), Value::U16(65_534));
        assert_eq!(decode(T::Long, &[0xD8, 0xFF, 0xFF, 0xFF]), Value::I32(-40));
        assert_eq!(decode(T::UnsignedLong, &[0, 0, 0, 0x80]), Value::U32(1 << 31));
        assert_eq!(decode(T::LongLong, &[0xFF; 8]), Value::I64(-1));
        assert_eq!(decode(T::UnsignedLongLong, &[0xFF; 8]), Value::U64(u64::MAX));
        assert_eq!(decode(T::IeeeSingle, &1.5_f32.to_le_bytes()), Value::F32(1.5));
        assert_eq!(decode(T::IeeeDouble, &(-0.1_f64).to_le_bytes()), Value::F64(-0.1));
        assert_eq!(decode(T::Currency, &[0x39, 0x30, 0, 0, 0, 0, 0, 0]).to_string(), "1.2345");
        assert_eq!(decode(T::DateTime, &25_569.0_f64.to_le_bytes()).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(decode(T::Guid, &[0; 16]).to_string(), "00000000-0000-0000-0000-000000000000");
        assert_eq!(decode(T::Text, b"caf\xe9"), Value::Text("café".into()));
        assert_eq!(decode(T::LongBinary, &[0, 0xAB]).to_string(), "00ab");
    }

    #[test]
    fn empty_is_a_value_where_the_type_has_no_size() {
        assert_eq!(decode(ColumnType::Text, &[]), Value::Text("".into()));
        assert_eq!(Value::decode(ColumnType::LongText, 1200, &[]), Ok(Value::Text("".into())));
        assert_eq!(decode(ColumnType::Binary, &[]), Value::Binary(&[]));
    }

    #[test]
    fn ascii_of_a_byte_code_page_is_borrowed() {
        assert!(matches!(decode(ColumnType::Text, b"plain"), Value::Text(Cow::Borrowed("plain"))));
        let mut scratch = String::from("old");
        let value = Value::decode_with(ColumnType::Text, 1200, b"a\0", &mut scratch).unwrap();
        assert!(matches!(value, Value::Text(Cow::Borrowed("a"))));
    }

    #[test]
    fn a_wrong_size_is_said() {
        for column_type in ColumnType::ALL {
            let Some(expected) = column_type.fixed_size() else { continue };
            for found in [0, expected - 1, expected + 1] {
                let bytes = vec![0; found];
                let error = ValueError::WrongSize { type_name: column_type.name(), expected, found };
                assert_eq!(Value::decode(column_type, 0, &bytes), Err(error));
            }
        }
        let error = Value::decode(ColumnType::Long, 0, &[1]).unwrap_err();
        assert_eq!(error.to_string(), "Long value: expected 4 bytes, found 1");
    }

    #[test]
    fn a_deleted_column_has_no_values() {
        let error = Value::decode(ColumnType::Nil, 0, &[1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "value of type Nil: expected none, found 2 bytes");
    }

    proptest! {
        #[test]
        fn both_ways_of_decoding_agree_on_any_bytes(
            number in 0..19u32, code_page in prop::sample::select(vec![0, 932, 1200, 1252, 65001, 99_999]),
            bytes in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let column_type = ColumnType::try_from(number).unwrap();
            let mut scratch = String::from("old");
            let one = Value::decode(column_type, code_page, &bytes);
            let other = Value::decode_with(column_type, code_page, &bytes, &mut scratch);
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"), "NaN is not equal to itself");
        }
    }
}
