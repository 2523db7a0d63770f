//! One column of a record: on a line of a page, on a line of its own, and as an object.

use ese_core::format::{ColumnKind, LongValueId, PageSize};
use ese_core::inspect::{Cell, CellContent};
use ese_core::long_value::ValueBuffer;
use ese_core::record::{Column, Origin, TaggedValue, ValueForm};
use ese_core::value::Value;
use serde::Serialize;

use super::super::shown_text;
use super::{cut, short_hex};

/// Where the record with a column lies.
#[derive(Clone, Copy)]
pub(super) struct RecordPlace<'a> {
    pub(super) size: PageSize,
    /// Offset in the file.
    pub(super) offset: u64,
    pub(super) data: &'a [u8],
}

/// One value.
#[derive(Serialize)]
pub(super) struct CellEntry {
    id: u16,
    name: Option<String>,
    /// `own` or `template`.
    origin: &'static str,
    #[serde(rename = "type")]
    column_type: Option<&'static str>,
    /// `fixed`, `variable` or `tagged`.
    storage: Option<&'static str>,
    /// Number of the value among those of the column, 1-based.
    sequence: usize,
    /// `value`, `null`, `default`, `absent`, `compressed`, `separated`, `encrypted` or `unreadable`.
    state: &'static str,
    /// Flags of a tagged column.
    flags: Vec<String>,
    /// Offset in the file of the bytes.
    offset: Option<u64>,
    /// Offset in the record of the bytes.
    record_offset: Option<usize>,
    /// The bytes as they stand.
    bytes: Option<String>,
    long_value: Option<String>,
    value: serde_json::Value,
    error: Option<String>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    len: Option<usize>,
}

/// How much of a value is shown.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) bytes: usize,
    pub(super) chars: usize,
}

impl Most {
    pub(super) const ALL: Most = Most { bytes: usize::MAX, chars: usize::MAX };
}

/// What is known of a value: state, text, the same as data, long value, error.
#[derive(Default)]
struct Shown {
    state: &'static str,
    text: String,
    value: serde_json::Value,
    long_value: Option<String>,
    error: Option<String>,
}

/// Name of the column, or its number.
pub(super) fn name(cell: &Cell<'_, '_>) -> String {
    match cell.column {
        Some(column) => shown_text(&column.name),
        None if cell.id == 0 => "tagged columns".to_owned(),
        None => format!("column {}", cell.id),
    }
}

/// The value in a few characters.
pub(super) fn short(cell: &Cell<'_, '_>, size: PageSize, most: Most) -> String {
    show(cell, size, most).text
}

/// A value of `column`, such as its default.
pub(super) fn of_column(column: &Column, bytes: &[u8]) -> String {
    let content = CellContent::Plain(bytes);
    decoded(&Cell { id: column.id, origin: column.origin, column: Some(column), content }, bytes, Most::ALL).text
}

fn show(cell: &Cell<'_, '_>, size: PageSize, most: Most) -> Shown {
    let plain = |state, text: &str| Shown { state, text: text.to_owned(), ..Shown::default() };
    match cell.content {
        CellContent::Null => plain("null", "NULL"),
        CellContent::Absent => match cell.column.and_then(|column| column.default.as_deref()) {
            Some(bytes) => {
                let shown = decoded(cell, bytes, most);
                Shown { state: "default", text: format!("default {}", shown.text), ..shown }
            }
            None if cell.column.is_some_and(Column::has_default) => plain("default", "default"),
            None => plain("absent", "not stored: NULL"),
        },
        CellContent::Plain(bytes) => decoded(cell, bytes, most),
        CellContent::Tagged { value, .. } => tagged(cell, &value, size, most),
        CellContent::Unreadable(error) => Shown {
            state: "unreadable",
            text: format!("cannot be read: {}", error.fault),
            error: Some(error.to_string()),
            ..Shown::default()
        },
    }
}

fn tagged(cell: &Cell<'_, '_>, value: &TaggedValue<'_>, size: PageSize, most: Most) -> Shown {
    match value.form {
        ValueForm::Intrinsic => decoded(cell, value.bytes, most),
        ValueForm::Encrypted => Shown {
            state: "encrypted",
            text: format!("encrypted {}", short_hex(value.bytes, most.bytes)),
            ..Shown::default()
        },
        ValueForm::Separated => match LongValueId::from_reference(value.bytes) {
            Ok(id) => Shown {
                state: "separated",
                text: format!("long value {id}"),
                long_value: Some(id.to_string()),
                ..Shown::default()
            },
            Err(error) => Shown {
                state: "separated",
                text: format!("{} is no long value: {error}", short_hex(value.bytes, most.bytes)),
                error: Some(error.to_string()),
                ..Shown::default()
            },
        },
        ValueForm::Compressed => match ValueBuffer::default().read(value, usize::MAX, size, None) {
            Ok(bytes) => Shown { state: "compressed", ..decoded(cell, bytes, most) },
            Err(error) => Shown {
                state: "compressed",
                text: format!("{} cannot be decompressed: {error}", short_hex(value.bytes, most.bytes)),
                error: Some(error.to_string()),
                ..Shown::default()
            },
        },
    }
}

/// The value by the type of its column; in hex where there is no column, or where the bytes are no such value.
fn decoded(cell: &Cell<'_, '_>, bytes: &[u8], most: Most) -> Shown {
    let as_hex = || short_hex(bytes, most.bytes);
    let Some(column) = cell.column else {
        return Shown { state: "value", text: as_hex(), value: hex::encode(bytes).into(), ..Shown::default() };
    };
    let value = match Value::decode(column.column_type, column.code_page, bytes) {
        Ok(value) => value,
        Err(error) => {
            let text = format!("{} ({error})", as_hex());
            return Shown { state: "value", text, error: Some(error.to_string()), ..Shown::default() };
        }
    };
    let text = match &value {
        Value::Binary(bytes) if bytes.is_empty() => "(empty)".to_owned(),
        Value::Binary(bytes) => readable(bytes, most).unwrap_or_else(as_hex),
        Value::Text(text) => format!("\"{}\"", cut(&shown_text(text.trim_end_matches('\0')), most.chars)),
        other => other.to_string(),
    };
    Shown { state: "value", text, value: as_json(&value), ..Shown::default() }
}

/// Bytes that are nothing but letters, as many a binary column has them, as `b"letters"`.
fn readable(bytes: &[u8], most: Most) -> Option<String> {
    const LEAST: usize = 4;
    let letters = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let text = str::from_utf8(letters).ok().filter(|text| text.len() >= LEAST)?;
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ').then(|| format!("b\"{}\"", cut(text, most.chars)))
}

/// Numbers as numbers, text as text, all else as it reads.
fn as_json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::U8(value) => (*value).into(),
        Value::I16(value) => (*value).into(),
        Value::U16(value) => (*value).into(),
        Value::I32(value) => (*value).into(),
        Value::U32(value) => (*value).into(),
        Value::I64(value) => (*value).into(),
        Value::U64(value) => (*value).into(),
        Value::F64(value) if value.is_finite() => (*value).into(),
        other => other.to_string().into(),
    }
}

impl CellEntry {
    pub(super) fn new(cell: &Cell<'_, '_>, place: RecordPlace<'_>, most: Most) -> CellEntry {
        let shown = show(cell, place.size, most);
        let bytes = cell.bytes();
        let start = place.data.as_ptr() as usize;
        let at =
            bytes.and_then(|bytes| (bytes.as_ptr() as usize).checked_sub(start)).filter(|at| *at <= place.data.len());
        let at = at.or(match cell.content {
            CellContent::Unreadable(error) => Some(error.at),
            _ => None,
        });
        CellEntry {
            id: cell.id,
            name: cell.column.map(|column| column.name.clone()),
            origin: match cell.origin {
                Origin::Own => "own",
                Origin::Template => "template",
            },
            column_type: cell.column.map(|column| column.column_type.name()),
            storage: cell.kind().map(|kind| match kind {
                ColumnKind::Fixed => "fixed",
                ColumnKind::Variable => "variable",
                ColumnKind::Tagged => "tagged",
            }),
            sequence: cell.sequence(),
            state: shown.state,
            flags: match cell.content {
                CellContent::Tagged { field, .. } => field.flags.names(),
                _ => Vec::new(),
            },
            offset: at.map(|at| place.offset + at as u64),
            record_offset: at,
            bytes: bytes.map(hex::encode),
            long_value: shown.long_value,
            value: shown.value,
            error: shown.error,
            text: shown.text,
            len: bytes.map(<[u8]>::len),
        }
    }

    /// Column, name, type, place, size, storage, value: a line of a table.
    pub(super) fn row(&self) -> [String; 7] {
        let name = self.name.as_deref().map_or_else(
            || if self.id == 0 { "(tagged columns)".to_owned() } else { "(not in the catalog)".to_owned() },
            shown_text,
        );
        let name = if self.sequence > 1 { format!("{name} [{}]", self.sequence) } else { name };
        let mut storage = vec![self.storage.unwrap_or("-").to_owned()];
        if !matches!(self.state, "value" | "null" | "default" | "absent" | "unreadable") {
            storage.push(self.state.to_owned());
        }
        if self.origin == "template" {
            storage.push("template".to_owned());
        }
        [
            self.id.to_string(),
            name,
            self.column_type.unwrap_or("?").to_owned(),
            self.offset.map_or_else(|| "-".to_owned(), |offset| format!("0x{offset:x}")),
            self.len.map_or_else(|| "-".to_owned(), |len| len.to_string()),
            storage.join(", "),
            self.text.clone(),
        ]
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.error.is_some()
    }
}
