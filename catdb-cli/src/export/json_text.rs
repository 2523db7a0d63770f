//! Values as JSON text, appended to a buffer without allocating.
//!
//! Every character that could steer a terminal or turn text around is escaped; what a reader of JSON gets back is the
//! text as stored.

use std::io::Write;

use ese_core::value::{Currency, DateTime, Guid, Value};

use super::long::{self, LongSource, Shown};
use super::output::Output;
use super::row::{Cell, Content, LongRef, Row, Stored};
use super::table::{ColumnInfo, TableInfo};
use super::{ExportError, ValueForm};

/// Beyond this many readers round integers silently; such numbers are written as strings of digits.
const EXACT_MOST: u64 = (1 << 53) - 1;

/// Control characters, marks that turn the direction of text, and line separators that are not `\n`.
pub(crate) fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Bytes that mean themselves in JSON and begin no character that [`misleads`].
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < 256 {
        plain[byte] = !matches!(byte, 0x22 | 0x5C | 0x7F | 0xC2 | 0xD8 | 0xE2 | 0xEF);
        byte += 1;
    }
    plain
};

/// A string with its quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// What is between the quotes.
fn escape(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            match character {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                // All of these are below 0x10000.
                character if misleads(character) => print(out, format_args!("\\u{:04x}", u32::from(character))),
                character => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
}

/// Bytes as hex, without quotes.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), b'0');
    // The place is as long as it must be.
    let _ = ::hex::encode_to_slice(bytes, out.get_mut(start..).unwrap_or_default());
}

fn quoted_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    hex(out, bytes);
    out.push(b'"');
}

/// The bytes of a value as hex, in quotes.
pub(crate) fn stored_hex(
    out: &mut impl Output,
    content: Content<'_>,
    source: &mut dyn LongSource,
) -> Result<(), ExportError> {
    out.buffer().push(b'"');
    match content {
        Content::Held(bytes) => hex(out.buffer(), bytes),
        Content::Long(long) => source.read(long, &mut |piece| {
            hex(out.buffer(), piece);
            out.relieve()
        })?,
    }
    out.buffer().push(b'"');
    Ok(())
}

/// Appends what `Display` gives.
fn print(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(arguments);
}

/// A number by the fast writer of `serde_json`.
pub(crate) fn number(out: &mut Vec<u8>, number: impl serde::Serialize) {
    let _ = serde_json::to_writer(out, &number);
}

/// A value by its type: see `docs/export.md` for the forms.
pub(crate) fn value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => number(out, value),
        Value::U8(value) => number(out, value),
        Value::I16(value) => number(out, value),
        Value::U16(value) => number(out, value),
        Value::I32(value) => number(out, value),
        Value::U32(value) => number(out, value),
        Value::I64(value) => exact(out, value.unsigned_abs(), value),
        Value::U64(value) => exact(out, *value, value),
        Value::F32(value) => float(out, f64::from(*value), value),
        Value::F64(value) => float(out, *value, value),
        Value::Currency(value) => currency(out, *value),
        Value::DateTime(value) => {
            out.push(b'"');
            out.extend_from_slice(value.write_text(&mut [0; DateTime::TEXT_BYTES]).as_bytes());
            out.push(b'"');
        }
        Value::Guid(value) => {
            out.push(b'"');
            out.extend_from_slice(value.write_text(&mut [0; Guid::TEXT_BYTES]).as_bytes());
            out.push(b'"');
        }
        Value::Text(value) => text(out, value),
        Value::Binary(bytes) => quoted_hex(out, bytes),
    }
}

fn exact(out: &mut Vec<u8>, magnitude: u64, value: &impl serde::Serialize) {
    if magnitude <= EXACT_MOST {
        number(out, value);
    } else {
        out.push(b'"');
        number(out, value);
        out.push(b'"');
    }
}

fn currency(out: &mut Vec<u8>, value: Currency) {
    if value.0.unsigned_abs() <= EXACT_MOST {
        print(out, format_args!("{value}"));
    } else {
        print(out, format_args!("\"{value}\""));
    }
}

/// JSON has no number for these three.
fn float(out: &mut Vec<u8>, value: f64, as_stored: &impl serde::Serialize) {
    if value.is_finite() {
        number(out, as_stored);
    } else {
        out.extend_from_slice(non_finite(value).as_bytes());
    }
}

fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "\"NaN\""
    } else if value > 0.0 {
        "\"Infinity\""
    } else {
        "\"-Infinity\""
    }
}

/// Writes cells as JSON: has the buffer for text, and counts values that did not decode.
#[derive(Debug)]
pub(crate) struct JsonCells {
    pub(crate) form: ValueForm,
    scratch: String,
    /// Values kept as bytes so far.
    pub(crate) kept_raw: u64,
}

impl JsonCells {
    pub(crate) fn new(form: ValueForm) -> JsonCells {
        JsonCells { form, scratch: String::new(), kept_raw: 0 }
    }

    /// The only value of a cell that is no list: in raw form all are.
    pub(crate) fn single<'c>(&self, column: &ColumnInfo, cell: Cell<'c>) -> Option<Stored<'c>> {
        (self.form == ValueForm::Typed && cell.len() == 1 && !column.is_list()).then(|| cell.first())
    }

    /// The values of one column: a list if the column is one or there are several.
    pub(crate) fn cell(
        &mut self,
        out: &mut impl Output,
        column: &ColumnInfo,
        cell: Cell<'_>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        match self.single(column, cell) {
            Some(stored) => self.stored(out, column, stored, source),
            None => list(out, cell, |out, stored| self.stored(out, column, stored, source)),
        }
    }

    /// One value; what does not decode becomes `{"hex":...,"error":...}`.
    pub(crate) fn stored(
        &mut self,
        out: &mut impl Output,
        column: &ColumnInfo,
        stored: Stored<'_>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        if self.form == ValueForm::Raw {
            return stored_hex(out, stored.content, source);
        }
        let error = match stored.content {
            Content::Held(bytes) => match self.decode(column, bytes, stored.fault) {
                Ok(decoded) => {
                    value(out.buffer(), &decoded);
                    return Ok(());
                }
                Err(error) => error,
            },
            Content::Long(long) => match Shown::of(column, long, stored, source)? {
                Shown::Text => return long_text(out, column, long, source, escape),
                Shown::Binary => return stored_hex(out, stored.content, source),
                Shown::Undecoded(error) => error,
            },
        };
        self.kept_raw += 1;
        out.buffer().extend_from_slice(b"{\"hex\":");
        stored_hex(out, stored.content, source)?;
        out.buffer().extend_from_slice(b",\"error\":");
        text(out.buffer(), &error);
        out.buffer().push(b'}');
        Ok(())
    }

    /// The value in `bytes`, or why there is none. The caller counts.
    pub(crate) fn decode<'a>(
        &'a mut self,
        column: &ColumnInfo,
        bytes: &'a [u8],
        fault: Option<&str>,
    ) -> Result<Value<'a>, String> {
        match fault {
            Some(fault) => Err(fault.to_owned()),
            None => Value::decode_with(column.column_type, column.code_page, bytes, &mut self.scratch)
                .map_err(|error| error.to_string()),
        }
    }
}

/// The text of a long value in quotes; `escape` appends what is between them.
pub(crate) fn long_text(
    out: &mut impl Output,
    column: &ColumnInfo,
    long: LongRef,
    source: &mut dyn LongSource,
    mut escape: impl FnMut(&mut Vec<u8>, &str),
) -> Result<(), ExportError> {
    out.buffer().push(b'"');
    long::text(column.code_page, long, source, &mut |piece| {
        escape(out.buffer(), piece);
        out.relieve()
    })?;
    out.buffer().push(b'"');
    Ok(())
}

/// The values of a cell in brackets, each written by `write`.
pub(crate) fn list<O: Output>(
    out: &mut O,
    cell: Cell<'_>,
    mut write: impl FnMut(&mut O, Stored<'_>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    for (i, stored) in cell.values().enumerate() {
        out.buffer().push(if i == 0 { b'[' } else { b',' });
        write(out, stored)?;
    }
    out.buffer().push(b']');
    Ok(())
}

/// The stored keys of a row: `[["index","hex"],...]`
pub(crate) fn keys(out: &mut Vec<u8>, row: &Row, table: &TableInfo) {
    out.push(b'[');
    for (i, (index, key)) in row.keys().enumerate() {
        out.extend_from_slice(if i == 0 { b"[" } else { b",[" });
        text(out, table.indexes.get(index).map_or("", |index| &index.name));
        out.extend_from_slice(b",\"");
        hex(out, key);
        out.extend_from_slice(b"\"]");
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(of: &Value<'_>) -> String {
        let mut out = Vec::new();
        value(&mut out, of);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_that_a_double_rounds_are_strings() {
        assert_eq!(json(&Value::I64(9_007_199_254_740_991)), "9007199254740991");
        assert_eq!(json(&Value::I64(-9_007_199_254_740_991)), "-9007199254740991");
        assert_eq!(json(&Value::I64(9_007_199_254_740_992)), "\"9007199254740992\"");
        assert_eq!(json(&Value::U64(u64::MAX)), "\"18446744073709551615\"");
        assert_eq!(json(&Value::Currency(Currency(-1))), "-0.0001");
        assert_eq!(json(&Value::Currency(Currency(i64::MIN))), "\"-922337203685477.5808\"");
    }

    #[test]
    fn numbers_that_json_does_not_have_are_strings() {
        assert_eq!(json(&Value::F64(f64::NAN)), "\"NaN\"");
        assert_eq!(json(&Value::F32(f32::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(json(&Value::F32(0.1)), "0.1", "as short as its own precision");
    }

    #[test]
    fn text_cannot_steer_a_terminal() {
        let hostile = Value::Text("a\u{1b}[2J\u{202e}\u{85}\"\\\u{7f}é€".into());
        assert_eq!(json(&hostile), r#""a\u001b[2J\u202e\u0085\"\\\u007fé€""#);
    }

    proptest! {
        #[test]
        fn text_comes_back_whole_and_shows_nothing_misleading(original: String) {
            let mut out = Vec::new();
            text(&mut out, &original);
            let shown = str::from_utf8(&out).unwrap();
            prop_assert!(!shown.chars().any(misleads));
            prop_assert_eq!(serde_json::from_str::<String>(shown).unwrap(), original);
        }

        #[test]
        fn bytes_come_back_from_hex(bytes: Vec<u8>) {
            let mut out = b"x".to_vec();
            hex(&mut out, &bytes);
            prop_assert_eq!(::hex::decode(&out[1..]).unwrap(), bytes);
        }
    }
}
