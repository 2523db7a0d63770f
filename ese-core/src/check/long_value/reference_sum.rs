//! A sum over references that tells whether two sets of them are the same, without keeping any (L14 to L18).
//!
//! Each reference to an id adds a 128-bit number made of it; a root adds it as often as it counts. Addition does not
//! depend on the order, so records may be read by any number of threads.
//!
//! The numbers depend on a random key. Without one a file could be made whose wrong counts add up to the same: the sum
//! is linear in the counts, and small counts that sum to zero are easily found for known numbers. With a key nobody knows,
//! different counts agree with a chance below 2^-64, and equal ones always do: what is reported does not depend on the
//! key in any run that anybody will see.

use std::hash::{BuildHasher, RandomState};

use crate::format::LongValueId;

/// What the numbers of ids depend on; one for a whole run.
#[derive(Clone, Debug, Default)]
pub struct ReferenceKey {
    high: RandomState,
    low: RandomState,
}

impl ReferenceKey {
    fn number(&self, id: LongValueId) -> u128 {
        u128::from(self.high.hash_one(id.0)) << u64::BITS | u128::from(self.low.hash_one(id.0))
    }
}

/// References, as a sum. Two sums made with the same key are equal if they hold the same ids equally often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReferenceSum {
    sum: u128,
    references: u64,
}

impl ReferenceSum {
    /// Adds a reference to `id`.
    pub fn add(&mut self, key: &ReferenceKey, id: LongValueId) {
        self.add_times(key, id, 1);
    }

    /// Adds `times` references to `id`.
    pub fn add_times(&mut self, key: &ReferenceKey, id: LongValueId, times: u32) {
        self.sum = self.sum.wrapping_add(key.number(id).wrapping_mul(times.into()));
        self.references = self.references.saturating_add(times.into());
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &ReferenceSum) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.references = self.references.saturating_add(other.references);
    }

    /// How many references were added.
    #[must_use]
    pub fn references(&self) -> u64 {
        self.references
    }
}
