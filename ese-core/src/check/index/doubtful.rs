//! Rows that have a finding of their own: what does not agree with them follows from it (spec 12 section 4).
//!
//! A row whose key or columns are damaged has entries that fit what it was before. It never grows with the file: of very
//! many rows those that come first are kept.

use std::collections::BTreeMap;

use crate::format::Pgno;

/// Rows that are kept.
const ROWS_MOST: usize = 4096;

/// Rows of one table with findings of their own, by page and line.
#[derive(Clone, Debug, Default)]
pub struct DoubtfulRows {
    /// For each the key that its columns give, where that is another than its own.
    rows: BTreeMap<(Pgno, usize), Option<Vec<u8>>>,
}

impl DoubtfulRows {
    /// Adds the row at `line` of `pgno`, and the key that its columns give, if that is another.
    pub(super) fn add(&mut self, pgno: Pgno, line: usize, key: Option<Vec<u8>>) {
        self.rows.insert((pgno, line), key);
        self.cut();
    }

    /// Adds what another worker has found.
    pub(super) fn merge(&mut self, other: &DoubtfulRows) {
        self.rows.extend(other.rows.iter().map(|(place, key)| (*place, key.clone())));
        self.cut();
    }

    fn cut(&mut self) {
        while self.rows.len() > ROWS_MOST {
            self.rows.pop_last();
        }
    }

    /// The other key of the row at `line` of `pgno`, if it is doubtful.
    pub(super) fn get(&self, pgno: Pgno, line: usize) -> Option<Option<&[u8]>> {
        self.rows.get(&(pgno, line)).map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_rows_the_first_are_kept_in_any_order() {
        let all: Vec<u32> = (1..=2 * u32::try_from(ROWS_MOST).unwrap()).collect();
        let of = |pages: &[u32]| {
            let mut rows = DoubtfulRows::default();
            pages.iter().for_each(|pgno| rows.add(Pgno(*pgno), 1, Some(vec![1])));
            rows
        };
        let (mut forwards, mut backwards) = (of(&all[..5000]), of(&all[5000..]));
        forwards.merge(&of(&all[5000..]));
        backwards.merge(&of(&all[..5000]));
        assert_eq!(forwards.rows, backwards.rows);
        assert_eq!(forwards.rows.len(), ROWS_MOST);
        assert_eq!((forwards.get(Pgno(1), 1), forwards.get(Pgno(9000), 1)), (Some(Some(&[1][..])), None));
    }
}
