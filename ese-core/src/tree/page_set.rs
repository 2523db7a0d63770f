//! A set of page numbers that costs a bit a page where pages lie together (spec 11 section 5).
//!
//! Blocks of bits are made as they are needed, so that neither an empty set nor one with a single large number, which
//! a file may claim, takes memory.

use std::collections::HashMap;

use crate::format::Pgno;

const WORD_BITS: u32 = u64::BITS;
const BLOCK_WORDS: usize = 512;
const BLOCK_PAGES: u32 = 512 * WORD_BITS;

/// Pages that were met.
#[derive(Clone, Debug, Default)]
pub struct PageSet {
    blocks: HashMap<u32, Box<[u64; BLOCK_WORDS]>>,
}

impl PageSet {
    /// Adds `pgno`; false if it is there already.
    pub fn insert(&mut self, pgno: Pgno) -> bool {
        let (block, word, bit) = place(pgno);
        let words = self.blocks.entry(block).or_insert_with(|| Box::new([0; BLOCK_WORDS]));
        let Some(word) = words.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// True if `pgno` was added.
    #[must_use]
    pub fn contains(&self, pgno: Pgno) -> bool {
        let (block, word, bit) = place(pgno);
        self.blocks.get(&block).and_then(|words| words.get(word)).is_some_and(|word| word & bit != 0)
    }

    /// Forgets all pages.
    pub fn clear(&mut self) {
        self.blocks.clear();
    }
}

/// Block, word in it, bit in that.
fn place(pgno: Pgno) -> (u32, usize, u64) {
    let in_block = pgno.0 % BLOCK_PAGES;
    (pgno.0 / BLOCK_PAGES, usize::try_from(in_block / WORD_BITS).unwrap_or(0), 1 << (in_block % WORD_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in(numbers in proptest::collection::vec(prop_oneof![0..70_000u32, any::<u32>()], 0..200)) {
            let (mut set, mut model) = (PageSet::default(), HashSet::new());
            for n in numbers {
                prop_assert_eq!(set.contains(Pgno(n)), model.contains(&n));
                prop_assert_eq!(set.insert(Pgno(n)), model.insert(n));
            }
            set.clear();
            prop_assert!(model.iter().all(|n| !set.contains(Pgno(*n))));
        }
    }
}
