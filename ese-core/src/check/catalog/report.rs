//! Gathers findings so that one bad page gives one finding for each rule, and writes down rows and values for people.

use std::collections::BTreeMap;

use crate::catalog::CatalogRow;
use crate::finding::{Code, Finding};
use crate::format::catalog::{CatalogColumn, RowType, column};
use crate::format::{ColumnType, PageSize, Pgno};

use super::Outcome;

/// Bytes of a value that a message shows.
const SHOWN: usize = 16;

/// The findings of one part of the check.
pub(super) struct Report {
    size: PageSize,
    findings: Vec<(Finding, u64)>,
    by_page: BTreeMap<(Pgno, Code, &'static str), usize>,
    consequences: BTreeMap<Pgno, u64>,
}

/// Something that is wrong with a row.
pub(super) struct Fault {
    /// The rule.
    pub(super) rule: &'static str,
    /// What kind of finding it is.
    pub(super) code: Code,
    /// Where it is seen.
    pub(super) column: CatalogColumn,
    /// "what: expected X, found Y", without the row.
    pub(super) message: String,
}

impl Fault {
    /// A row that contradicts itself or others.
    pub(super) fn of_row(rule: &'static str, column: CatalogColumn, message: impl Into<String>) -> Fault {
        Fault { rule, code: Code::CatalogRow, column, message: message.into() }
    }
}

impl Report {
    pub(super) fn new(size: PageSize) -> Report {
        Report { size, findings: Vec::new(), by_page: BTreeMap::new(), consequences: BTreeMap::new() }
    }

    /// Adds a finding at byte `at` of page `pgno`; one of the same rule on the same page is only counted.
    pub(super) fn add(
        &mut self,
        code: Code,
        rule: &'static str,
        pgno: Pgno,
        line: usize,
        at: usize,
        message: impl FnOnce() -> String,
    ) -> Option<&mut Finding> {
        if let Some((_, count)) = self.by_page.get(&(pgno, code, rule)).and_then(|index| self.findings.get_mut(*index))
        {
            *count += 1;
            return None;
        }
        self.by_page.insert((pgno, code, rule), self.findings.len());
        let finding = Finding::on_page(code, pgno, self.size, at, message()).rule(rule).line(line);
        self.findings.push((finding, 1));
        self.findings.last_mut().map(|(finding, _)| finding)
    }

    /// Adds a fault of `row`.
    pub(super) fn fault(&mut self, row: &CatalogRow, fault: &Fault) {
        let at = row.offset_of(fault.column);
        self.add(fault.code, fault.rule, row.place.pgno, row.place.line, at, || {
            format!("{}: {}", describe(row), fault.message)
        });
    }

    /// Counts rows that page `pgno` keeps from being found.
    pub(super) fn consequence(&mut self, pgno: Pgno, rows: u64) {
        *self.consequences.entry(pgno).or_default() += rows;
    }

    pub(super) fn finish(self) -> Outcome {
        let findings = self.findings.into_iter().map(|(mut finding, count)| {
            finding.detail.count = Some(count);
            finding
        });
        Outcome { findings: findings.collect(), consequences: self.consequences.into_iter().collect() }
    }
}

/// Names a row: `index 16 "ix_desc" of table 8`.
pub(super) fn describe(row: &CatalogRow) -> String {
    let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    let kind = row.row_type().map_or("row of unknown type", RowType::name);
    let name = row.name().map_or_else(String::new, |name| format!(" {name:?}"));
    let id = number(row.id());
    if row.row_type() == Some(RowType::Table) {
        format!("{kind} {id}{name}")
    } else {
        format!("{kind} {id}{name} of table {}", number(row.long(column::OBJID_TABLE)))
    }
}

/// A value as a message shows it: a number, quoted text, hex.
pub(super) fn show(row: &CatalogRow, column: CatalogColumn) -> String {
    let Some(stored) = row.stored(column) else { return "a value that cannot be read".to_owned() };
    let Some(bytes) = stored.value() else { return "nothing".to_owned() };
    match (column.column_type, row.number(column)) {
        (ColumnType::Text, _) => format!("{:?}", row.text(column).unwrap_or_default()),
        (ColumnType::Long | ColumnType::Short | ColumnType::UnsignedShort, Some(number)) if column.id == FLAGS => {
            format!("0x{number:x}")
        }
        (ColumnType::Long | ColumnType::Short | ColumnType::UnsignedShort, Some(number)) => number.to_string(),
        _ => hex(bytes),
    }
}

const FLAGS: u16 = column::FLAGS.id;

/// The first bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "no bytes".to_owned();
    }
    let mut text: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN {
        text.push_str("...");
    }
    text
}
