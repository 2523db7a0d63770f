//! A sum over entries that does not depend on their order (spec 12 section 8).
//!
//! Each entry, key and bookmark, becomes a number of 128 bits, and the numbers are added. Nothing can be subtracted from
//! it, and it cannot say which entry differs: only that none does.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::SipHasher13;

/// Turns entries into numbers: SipHash with a key that is new in every run.
///
/// Two different sets of entries have one sum with a probability of 2^-128; as nobody knows the key when a file is made,
/// no file can be made that does better. The key never shows in a report, which says only whether sums are equal.
#[derive(Clone, Debug)]
pub(super) struct EntryHasher(SipHasher13);

impl EntryHasher {
    /// A hasher with a key of its own.
    pub(super) fn new() -> EntryHasher {
        let random = || RandomState::new().build_hasher().finish();
        EntryHasher(SipHasher13::new_with_keys(random(), random()))
    }

    /// A hasher whose numbers are the same in every run: they may decide on an order.
    pub(super) fn with_known_key() -> EntryHasher {
        EntryHasher(SipHasher13::new_with_keys(0, 0))
    }

    /// The number of `bytes`.
    #[inline]
    pub(super) fn hash(&self, bytes: &[u8]) -> u128 {
        self.0.hash(bytes).as_u128()
    }
}

/// The sum of the numbers of some entries, and how many they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EntrySum {
    sum: u128,
    count: u64,
}

impl EntrySum {
    /// Entries in the sum.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// Adds one entry.
    #[inline]
    pub(super) fn add(&mut self, number: u128) {
        self.merge(EntrySum { sum: number, count: 1 });
    }

    /// Adds all entries of `other`.
    #[inline]
    pub(super) fn merge(&mut self, other: EntrySum) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.count = self.count.wrapping_add(other.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(hasher: &EntryHasher, entries: &[&[u8]]) -> EntrySum {
        entries.iter().fold(EntrySum::default(), |mut sum, entry| {
            sum.add(hasher.hash(entry));
            sum
        })
    }

    #[test]
    fn the_order_does_not_matter_and_every_entry_does() {
        let hasher = EntryHasher::new();
        let all = sum(&hasher, &[b"a", b"b", b"b"]);
        assert_eq!(all, sum(&hasher, &[b"b", b"a", b"b"]));
        let mut parts = sum(&hasher, &[b"b"]);
        parts.merge(sum(&hasher, &[b"a", b"b"]));
        assert_eq!((all, all.count()), (parts, 3));
        for other in [&[&b"a"[..], b"b"][..], &[b"a", b"b", b"a"], &[b"a", b"b", b"bb"], &[b"a", b"b", b"b", b"b"]] {
            assert_ne!(all, sum(&hasher, other));
        }
    }

    #[test]
    fn every_run_has_its_own_numbers_except_where_they_decide_on_an_order() {
        assert_ne!(EntryHasher::new().hash(b"a"), EntryHasher::new().hash(b"a"));
        assert_eq!(EntryHasher::with_known_key().hash(b"a"), EntryHasher::with_known_key().hash(b"a"));
    }
}
