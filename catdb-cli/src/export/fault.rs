//! What could not be read: counted, located, and the first of it kept for reports.

use ese_core::database::RowFault;
use ese_core::format::Pgno;
use serde::Serialize;

/// Faults that are kept; more are only counted.
const KEPT_MOST: usize = 1_000;

/// One place that could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Fault {
    pub(crate) table: String,
    /// The page at fault, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pgno: Option<u32>,
    /// The line on it, as findings count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The column, if one value is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    pub(crate) message: String,
}

impl Fault {
    /// A page or a record of `table`.
    pub(crate) fn of_row(table: &str, fault: &RowFault) -> Fault {
        let (pgno, line) = match fault {
            RowFault::Tree(fault) => (fault.pgno(), None),
            RowFault::Record { pgno, line, .. } => (*pgno, Some(*line)),
        };
        Fault { table: table.to_owned(), pgno: Some(pgno.0), line, column: None, message: fault.to_string() }
    }

    /// A value, or all values, of the row at `place`.
    pub(crate) fn of_value(table: &str, place: (Pgno, usize), column: Option<&str>, message: String) -> Fault {
        let ((pgno, line), table) = (place, table.to_owned());
        Fault { table, pgno: Some(pgno.0), line: Some(line), column: column.map(str::to_owned), message }
    }

    /// Something about a table as a whole.
    pub(crate) fn of_table(table: &str, pgno: Option<Pgno>, message: String) -> Fault {
        Fault { table: table.to_owned(), pgno: pgno.map(|pgno| pgno.0), line: None, column: None, message }
    }
}

/// All faults of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Faults {
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) first: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: impl FnOnce() -> Fault) {
        self.count += 1;
        if self.first.len() < KEPT_MOST {
            self.first.push(fault());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_beyond_those_that_are_kept_are_counted() {
        let mut faults = Faults::default();
        assert!(faults.is_empty());
        for number in 0..1_500 {
            faults.add(|| Fault::of_table("t", Some(Pgno(number)), "lost".to_owned()));
        }
        assert_eq!((faults.count, faults.first.len()), (1_500, KEPT_MOST));
        assert_eq!(faults.first[999].pgno, Some(999));
    }
}
