//! `--where COLUMN=VALUE`: which rows are wanted, by the text of a value.
//!
//! A value is compared as it is shown: numbers, times and GUIDs as text, binary as hex, text with or without the NULs
//! at its end. Of several values one has to be equal.

use std::fmt::Write;

use ese_core::value::Value;

use super::long::{self, Shown};
use super::row::{Content, LongRef, Stored};
use super::{ColumnInfo, ExportError, LongSource, Row, TableInfo};

/// One condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Condition {
    pub(crate) column: String,
    value: String,
}

impl std::str::FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        match text.split_once('=') {
            Some((column, value)) if !column.is_empty() => {
                Ok(Condition { column: column.to_owned(), value: value.to_owned() })
            }
            _ => Err(format!("expected COLUMN=VALUE, found {text}")),
        }
    }
}

/// Conditions that all must hold, bound to the columns of one table.
pub(crate) struct Filter<'c> {
    conditions: Vec<(usize, &'c Condition)>,
    room: Room,
}

impl<'c> Filter<'c> {
    /// `None` if the table does not have all the columns.
    pub(crate) fn new(conditions: &'c [Condition], table: &TableInfo) -> Option<Filter<'c>> {
        let place = |condition: &'c Condition| {
            let place = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(&condition.column))?;
            Some((place, condition))
        };
        let conditions = conditions.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(Filter { conditions, room: Room::default() })
    }

    /// True if `row` is wanted.
    pub(crate) fn admits(
        &mut self,
        table: &TableInfo,
        row: &Row,
        source: &mut dyn LongSource,
    ) -> Result<bool, ExportError> {
        for (place, condition) in &self.conditions {
            let (Some(column), Some(cell)) = (table.columns.get(*place), row.cell(*place)) else { return Ok(false) };
            let mut equal = false;
            for stored in cell.values() {
                equal = equal || self.room.is_equal(column, stored, &condition.value, source)?;
            }
            if !equal {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What comparing takes.
#[derive(Default)]
struct Room {
    decoded: String,
    shown: String,
}

impl Room {
    fn is_equal(
        &mut self,
        column: &ColumnInfo,
        stored: Stored<'_>,
        wanted: &str,
        source: &mut dyn LongSource,
    ) -> Result<bool, ExportError> {
        let Room { decoded, shown } = self;
        let bytes = match stored.content {
            Content::Held(bytes) => bytes,
            Content::Long(long) => {
                return match Shown::of(column, long, stored, source)? {
                    Shown::Text => is_long_text(column, long, wanted, source),
                    Shown::Binary | Shown::Undecoded(_) => is_long_hex(long, wanted, source),
                };
            }
        };
        shown.clear();
        let value = match stored.fault {
            None => Value::decode_with(column.column_type, column.code_page, bytes, decoded).ok(),
            Some(_) => None,
        };
        match value {
            Some(Value::Text(text)) => return Ok(text == wanted || text.trim_end_matches('\0') == wanted),
            // Writing to a string cannot fail.
            Some(value) => _ = write!(shown, "{value}"),
            None => _ = write!(shown, "{}", Value::Binary(bytes)),
        }
        Ok(shown.eq_ignore_ascii_case(wanted))
    }
}

/// True for `wanted`, with or without NULs behind it.
fn is_long_text(
    column: &ColumnInfo,
    long: LongRef,
    wanted: &str,
    source: &mut dyn LongSource,
) -> Result<bool, ExportError> {
    let (mut left, mut equal) = (wanted, true);
    long::text(column.code_page, long, source, &mut |piece| {
        let end = piece.floor_char_boundary(left.len());
        match (piece.split_at_checked(end), left.strip_prefix(piece.get(..end).unwrap_or_default())) {
            (Some((_, behind)), Some(rest)) => {
                equal &= behind.is_empty() || rest.is_empty() && behind.bytes().all(|byte| byte == 0);
                left = rest;
            }
            _ => equal = false,
        }
        Ok(())
    })?;
    Ok(equal && left.is_empty())
}

/// True for the bytes that `wanted` has as hex.
fn is_long_hex(long: LongRef, wanted: &str, source: &mut dyn LongSource) -> Result<bool, ExportError> {
    let Ok(wanted) = hex::decode(wanted) else { return Ok(false) };
    if wanted.len() as u64 != long.bytes {
        return Ok(false);
    }
    let (mut left, mut equal) = (&wanted[..], true);
    source.read(long, &mut |piece| {
        match left.strip_prefix(piece) {
            Some(rest) => left = rest,
            None => equal = false,
        }
        Ok(())
    })?;
    Ok(equal)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LongBytes, column, every_type, full_row, long_row, table, utf16};
    use super::*;
    use ese_core::format::ColumnType;

    fn admits(conditions: &[&str]) -> Option<bool> {
        let conditions: Vec<Condition> = conditions.iter().map(|text| text.parse().unwrap()).collect();
        let table = every_type();
        Some(Filter::new(&conditions, &table)?.admits(&table, &full_row(), &mut LongBytes::default()).unwrap())
    }

    #[test]
    fn a_value_is_compared_as_it_is_shown() {
        for condition in [
            "Bit=true",
            "Short=-2",
            "long=-87",
            "Currency=1.2345",
            "DateTime=1970-01-01T12:00:00Z",
            "Binary=00AB",
            "Text==1+1 \"x\"\u{202E}\n",
            "LongText=",
            "GUID=11111111-1111-1111-1111-111111111111",
        ] {
            assert_eq!(admits(&[condition]), Some(true), "{condition}");
        }
        assert_eq!(admits(&["Short=2"]), Some(false));
        assert_eq!(admits(&["Short=-2", "Long=1"]), Some(false), "all must hold");
        assert_eq!(admits(&["nothing=1"]), None);
        assert!("nothing".parse::<Condition>().is_err() && "=1".parse::<Condition>().is_err());
    }

    #[test]
    fn a_value_that_the_row_does_not_hold_is_compared_too() {
        let mut source = LongBytes(vec![vec![0xAB; 300], vec![0xCD; 4_000]]);
        let row = long_row(&source, &[]);
        let table = table("t", vec![column("a", ColumnType::LongBinary), column("b", ColumnType::LongBinary)]);
        let mut admits = |wanted: String| {
            let conditions = [wanted.parse().unwrap()];
            Filter::new(&conditions, &table).unwrap().admits(&table, &row, &mut source).unwrap()
        };
        assert!(admits(format!("a={}", "AB".repeat(300))));
        assert!(admits(format!("b={}", "cd".repeat(4_000))));
        assert!(!admits(format!("a={}", "ab".repeat(299))));
        assert!(!admits("b=cd".to_owned()));
    }

    #[test]
    fn long_text_is_compared_without_nuls_at_its_end() {
        let table = table("t", vec![column("a", ColumnType::LongText), column("b", ColumnType::LongText)]);
        for text in ["", "abc", "é€😀", &"long and longer ".repeat(40)] {
            let stored = utf16(&format!("{text}{}", "\0".repeat(200)));
            let mut source = LongBytes(vec![stored]);
            let row = long_row(&source, &[]);
            let mut admits = |wanted: &str| {
                let conditions = [format!("a={wanted}").parse().unwrap()];
                Filter::new(&conditions, &table).unwrap().admits(&table, &row, &mut source).unwrap()
            };
            assert!(admits(text), "{text}");
            assert!(!admits(&format!("{text}x")) && !admits(&format!("x{text}")), "{text}");
            let shorter = text.char_indices().next_back().map_or("x", |(end, _)| &text[..end]);
            assert!(!admits(shorter), "{text}");
        }
    }
}
