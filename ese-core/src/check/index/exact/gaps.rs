//! Parts of a tree that a walk could not see, and what may lie in them (spec 12 section 4, 08 section 5 exception b).
//!
//! A gap reaches from the last key before it to the first one behind it. It explains a difference; it never proves one.

use crate::format::Pgno;

/// Most gaps of one tree that are told apart; behind them, all is gap.
const GAPS_MOST: usize = 1 << 12;

/// A page, or several, that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Gap {
    /// The first of them.
    pgno: Pgno,
    /// Keys in the gap are above; `None` at the beginning of the tree.
    lower: Option<Vec<u8>>,
    /// Keys in the gap are below; `None` at the end.
    upper: Option<Vec<u8>>,
}

/// The gaps of one tree, gathered on a walk in key order.
#[derive(Default, Debug)]
pub(super) struct Gaps {
    list: Vec<Gap>,
    last: Option<Vec<u8>>,
    is_open: bool,
}

impl Gaps {
    /// The walk met something that it cannot read.
    pub(super) fn fault(&mut self, pgno: Pgno) {
        if !self.is_open && self.list.len() < GAPS_MOST {
            self.list.push(Gap { pgno, lower: self.last.clone(), upper: None });
            self.is_open = true;
        }
    }

    /// The walk came to this key.
    pub(super) fn key(&mut self, key: &[u8]) {
        if self.is_open && self.list.len() < GAPS_MOST {
            if let Some(gap) = self.list.last_mut() {
                gap.upper = Some(key.to_vec());
            }
            self.is_open = false;
        }
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
    }

    /// The page in whose gap `key` may lie.
    pub(super) fn holds(&self, key: &[u8]) -> Option<Pgno> {
        let begins_below = |gap: &Gap| gap.lower.as_deref().is_none_or(|lower| lower < key);
        let gap = self.list.get(self.list.partition_point(begins_below).checked_sub(1)?)?;
        gap.upper.as_deref().is_none_or(|upper| key < upper).then_some(gap.pgno)
    }

    /// The first page that could not be read.
    pub(super) fn first(&self) -> Option<Pgno> {
        self.list.first().map(|gap| gap.pgno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_reaches_from_the_key_before_it_to_the_key_behind_it() {
        let mut gaps = Gaps::default();
        gaps.fault(Pgno(1));
        gaps.key(&[10]);
        gaps.key(&[20]);
        gaps.fault(Pgno(2));
        gaps.fault(Pgno(3));
        gaps.key(&[30]);
        gaps.key(&[40]);
        gaps.fault(Pgno(4));
        let found = [5, 10, 15, 20, 25, 30, 35, 40, 45].map(|key| gaps.holds(&[key]).map(|pgno| pgno.0));
        assert_eq!(found, [Some(1), None, None, None, Some(2), None, None, None, Some(4)]);
        assert_eq!((gaps.first(), Gaps::default().holds(&[1])), (Some(Pgno(1)), None));
    }

    #[test]
    fn very_many_gaps_become_one_at_the_end() {
        let mut gaps = Gaps::default();
        for place in 0..10_000u32 {
            gaps.key(&place.to_be_bytes());
            gaps.fault(Pgno(place));
        }
        assert_eq!(gaps.list.len(), GAPS_MOST);
        assert_eq!(gaps.holds(&20_000u32.to_be_bytes()), gaps.list.last().map(|gap| gap.pgno));
    }
}
