//! The highest number of an autoincrement column, held against the one that the root of the table keeps (spec 03 section
//! 2, 06 section 4): the next row gets a number above that, which must not be taken.
//!
//! A sum over rows in any order. Tables without such a column, or whose root keeps no number, have nothing to compare.

use crate::finding::{Code, Finding, Severity};
use crate::format::{ColumnFlags, ColumnKind, Page, Pgno, RootHeader, SPACE_HEADER_BYTES};
use crate::record::{FixedPlace, Record, TableLayout};

/// The highest number among the rows of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HighestNumber {
    column: Option<(u16, FixedPlace)>,
    highest: u64,
}

impl HighestNumber {
    /// No row of a table with these columns.
    #[must_use]
    pub fn new(layout: &TableLayout) -> HighestNumber {
        let mut columns = layout.columns().iter();
        let column = columns.find(|column| column.flags.contains(ColumnFlags::AUTOINCREMENT));
        let fixed = column.filter(|column| ColumnKind::of(column.id) == Some(ColumnKind::Fixed));
        let place = fixed.and_then(|column| Some((column.id, layout.fixed(column.id)?.1)));
        HighestNumber { column: place, highest: 0 }
    }

    /// Adds a row. Numbers below zero were never given out.
    #[inline]
    pub fn record(&mut self, record: &Record<'_>) {
        let Some((id, place)) = self.column else { return };
        let value = record.fixed(id, place.offset, place.len).ok().and_then(|stored| stored.value());
        let number = value.and_then(|bytes| match *bytes {
            [a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            _ => bytes.try_into().ok().map(i64::from_le_bytes),
        });
        self.highest = self.highest.max(number.and_then(|number| number.try_into().ok()).unwrap_or(0));
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &HighestNumber) {
        self.highest = self.highest.max(other.highest);
    }

    /// What is wrong with the number that `root`, page `pgno`, keeps; nothing if it keeps none.
    #[must_use]
    pub fn finding(&self, root: Page<'_>, pgno: Pgno) -> Option<Finding> {
        self.column?;
        let tag0 = root.external_header();
        let header = RootHeader::read(tag0)?;
        let kept = header.autoincrement.filter(|kept| *kept < self.highest)?;
        let at = root.offset_of(tag0) + header.space_at + header.space.map_or(0, |_| SPACE_HEADER_BYTES);
        let highest = self.highest;
        let text = format!("autoincrement maximum: expected at least {highest}, as a row has it, found {kept}");
        let mut finding = Finding::on_page(Code::SpaceHeader, pgno, root.size(), at, text).rule("03-2");
        finding.severity = Severity::Warning;
        Some(finding.line(0).compared(highest, kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{ColumnType, PageSize};
    use crate::record::{Column, Origin};

    fn layout(column_type: ColumnType) -> TableLayout {
        TableLayout::new(vec![Column {
            id: 1,
            origin: Origin::Own,
            column_type,
            max_len: 0,
            flags: ColumnFlags::AUTOINCREMENT,
            code_page: 0,
            offset: None,
            name: "number".to_owned(),
            default: None,
        }])
    }

    /// A root whose tag 0 is that of page 31 of `kitchen-4k`: the number 0x1FE.
    fn root() -> Vec<u8> {
        let mut page = vec![0; PageSize::K4.bytes()];
        let tag0 = [&[3, 0x10, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0x20, 0, 0, 0][..], &0x1FEu64.to_le_bytes()].concat();
        page[40..65].copy_from_slice(&tag0);
        page[34] = 1;
        page[36] = 3;
        page[4092] = 25;
        page
    }

    #[test]
    fn a_row_above_the_number_of_the_root_is_a_warning_at_that_number() {
        let bytes = root();
        let page = Page::new(&bytes).unwrap();
        for (number, is_odd) in [(0x1FEi32, false), (-1, false), (0x1FF, true)] {
            let mut data = vec![1, 127, 9, 0];
            data.extend(number.to_le_bytes());
            data.push(0xFE);
            let mut rows = HighestNumber::new(&layout(ColumnType::Long));
            let mut others = rows;
            others.record(&Record::new(&data, PageSize::K4).unwrap());
            rows.merge(&others);
            let finding = rows.finding(page, Pgno(31));
            assert_eq!(finding.is_some(), is_odd, "{number}");
            if let Some(finding) = finding {
                assert_eq!((finding.severity, finding.detail.found), (Severity::Warning, Some(0x1FE)));
                assert_eq!(finding.offset - finding.page_offset.unwrap(), 57);
            }
        }
    }

    #[test]
    fn a_table_without_such_a_column_has_nothing_to_compare() {
        let bytes = root();
        let rows = HighestNumber { highest: u64::MAX, ..HighestNumber::new(&TableLayout::new(Vec::new())) };
        assert_eq!(rows.finding(Page::new(&bytes).unwrap(), Pgno(31)), None);
    }
}
