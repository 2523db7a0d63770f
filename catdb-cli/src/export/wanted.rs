//! `--where COLUMN=VALUE`: which rows are wanted, by the text of a value.
//!
//! A value is compared as it is shown: numbers, times and GUIDs as text, binary as hex, text with or without the NULs
//! at its end. Of several values one has to be equal.

use std::fmt::Write;

use ese_core::value::Value;

use super::row::Cell;
use super::{ColumnInfo, Row, TableInfo};

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
    decoded: String,
    shown: String,
}

impl<'c> Filter<'c> {
    /// `None` if the table does not have all the columns.
    pub(crate) fn new(conditions: &'c [Condition], table: &TableInfo) -> Option<Filter<'c>> {
        let place = |condition: &'c Condition| {
            let place = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(&condition.column))?;
            Some((place, condition))
        };
        let conditions = conditions.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(Filter { conditions, decoded: String::new(), shown: String::new() })
    }

    /// True if `row` is wanted.
    pub(crate) fn admits(&mut self, table: &TableInfo, row: &Row) -> bool {
        let Filter { conditions, decoded, shown } = self;
        conditions.iter().all(|(place, condition)| {
            let (Some(column), Some(cell)) = (table.columns.get(*place), row.cell(*place)) else { return false };
            any_equal(column, cell, &condition.value, decoded, shown)
        })
    }
}

fn any_equal(column: &ColumnInfo, cell: Cell<'_>, wanted: &str, decoded: &mut String, shown: &mut String) -> bool {
    cell.values().any(|stored| {
        shown.clear();
        let value = match stored.fault {
            None => Value::decode_with(column.column_type, column.code_page, stored.bytes, decoded).ok(),
            Some(_) => None,
        };
        match value {
            Some(Value::Text(text)) => return text == wanted || text.trim_end_matches('\0') == wanted,
            // Writing to a string cannot fail.
            Some(value) => _ = write!(shown, "{value}"),
            None => _ = write!(shown, "{}", Value::Binary(stored.bytes)),
        }
        shown.eq_ignore_ascii_case(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{every_type, full_row};
    use super::*;

    fn admits(conditions: &[&str]) -> Option<bool> {
        let conditions: Vec<Condition> = conditions.iter().map(|text| text.parse().unwrap()).collect();
        let table = every_type();
        Some(Filter::new(&conditions, &table)?.admits(&table, &full_row()))
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
}
