//! What is known of every page after one pass over the file: enough to walk trees without reading their leaves (spec 11
//! section 2.2).
//!
//! An entry takes 24 bytes; with the mark of who reached the page and the owner (`tree::Ownership`) 32 bytes a page. Filled
//! once, page after page; only marks change afterwards.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::format::{Dbtime, Objid, Page, PageFlags, Pgno};

/// What became of a page when its checksum was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageState {
    /// Its checksum holds.
    Good,
    /// Its checksum holds, but the page check found an error on it: not all of it can be trusted.
    Malformed,
    /// Its checksum fails, and flipping single bits back makes it sound.
    Correctable,
    /// All bytes are zero.
    Blank,
    /// Its checksum fails.
    Bad,
    /// The operating system could not read it.
    Unreadable,
}

impl PageState {
    const ALL: [PageState; 6] =
        [Self::Good, Self::Malformed, Self::Correctable, Self::Blank, Self::Bad, Self::Unreadable];

    /// True if the header of the page, and as much as is sound of the rest, can be used.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Good | Self::Malformed | Self::Correctable)
    }
}

/// Bits of the flags that are kept; the format has 19.
const FLAG_BITS: u32 = 24;

/// What is known of one page. All but the state is 0 unless the page is usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageEntry {
    dbtime: Dbtime,
    objid: Objid,
    prev: Pgno,
    next: Pgno,
    /// Flags, and above them the place of the state in [`PageState::ALL`].
    flags_and_state: u32,
}

impl PageEntry {
    /// The entry of a page that cannot be used.
    #[must_use]
    pub fn without_page(state: PageState) -> PageEntry {
        let nothing =
            PageEntry { dbtime: Dbtime(0), objid: Objid(0), prev: Pgno::NONE, next: Pgno::NONE, flags_and_state: 0 };
        nothing.with_state(state)
    }

    /// The entry of `page`.
    #[must_use]
    pub fn of(page: Page<'_>, state: PageState) -> PageEntry {
        let entry = PageEntry {
            dbtime: page.dbtime(),
            objid: page.objid(),
            prev: page.pgno_prev(),
            next: page.pgno_next(),
            flags_and_state: page.flags().bits() & ((1 << FLAG_BITS) - 1),
        };
        entry.with_state(state)
    }

    fn with_state(mut self, state: PageState) -> PageEntry {
        let place = PageState::ALL.iter().position(|other| *other == state);
        self.flags_and_state |= place.and_then(|place| u32::try_from(place).ok()).unwrap_or(0) << FLAG_BITS;
        self
    }

    /// What became of the page.
    #[must_use]
    pub fn state(self) -> PageState {
        let place = usize::try_from(self.flags_and_state >> FLAG_BITS).unwrap_or(usize::MAX);
        PageState::ALL.get(place).copied().unwrap_or(PageState::Unreadable)
    }

    /// Its flags; the highest eight bits, which no format has, are not kept.
    #[must_use]
    pub fn flags(self) -> PageFlags {
        PageFlags::from_bits_retain(self.flags_and_state & ((1 << FLAG_BITS) - 1))
    }

    /// dbtime of its last change.
    #[must_use]
    pub fn dbtime(self) -> Dbtime {
        self.dbtime
    }

    /// Id of the tree that it says it belongs to.
    #[must_use]
    pub fn objid(self) -> Objid {
        self.objid
    }

    /// Left sibling.
    #[must_use]
    pub fn prev(self) -> Pgno {
        self.prev
    }

    /// Right sibling.
    #[must_use]
    pub fn next(self) -> Pgno {
        self.next
    }
}

/// Who reached a page: the place of a tree in the list of trees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claimant(pub u32);

/// All pages of a file.
#[derive(Debug, Default)]
pub struct PageTable {
    entries: Vec<PageEntry>,
    /// 0: nobody; else the claimant + 1.
    claims: Vec<AtomicU32>,
}

impl PageTable {
    /// Adds what is known of the next pages, in file order.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = PageEntry>) {
        self.entries.extend(entries);
        self.claims.resize_with(self.entries.len(), AtomicU32::default);
    }

    /// The last page.
    #[must_use]
    pub fn last(&self) -> Pgno {
        Pgno(u32::try_from(self.entries.len()).unwrap_or(u32::MAX))
    }

    /// Page `pgno`; `None` if the file has no such page.
    #[must_use]
    pub fn get(&self, pgno: Pgno) -> Option<PageEntry> {
        self.entries.get(index(pgno)?).copied()
    }

    /// Notes that `claimant` reached the page.
    ///
    /// # Errors
    /// Who reached it before.
    pub fn claim(&self, pgno: Pgno, claimant: Claimant) -> Result<(), Claimant> {
        let Some(claim) = index(pgno).and_then(|index| self.claims.get(index)) else { return Ok(()) };
        match claim.compare_exchange(0, claimant.0.saturating_add(1), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(other) => Err(Claimant(other.saturating_sub(1))),
        }
    }

    /// Who reached the page.
    #[must_use]
    pub fn claimant(&self, pgno: Pgno) -> Option<Claimant> {
        let claim = self.claims.get(index(pgno)?)?.load(Ordering::Relaxed);
        claim.checked_sub(1).map(Claimant)
    }

    /// All pages in file order.
    pub fn iter(&self) -> impl Iterator<Item = (Pgno, PageEntry)> + '_ {
        (1..).map(Pgno).zip(self.entries.iter().copied())
    }
}

fn index(pgno: Pgno) -> Option<usize> {
    usize::try_from(pgno.0.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_24_bytes_and_keeps_what_it_was_given() {
        assert_eq!(size_of::<PageEntry>(), 24);
        let mut bytes = [0; 4096];
        bytes[8] = 9;
        bytes[16] = 3;
        bytes[20] = 4;
        bytes[24] = 7;
        bytes[36..40].copy_from_slice(&0x0001_2802u32.to_le_bytes());
        let entry = PageEntry::of(Page::new(&bytes).unwrap(), PageState::Correctable);
        assert_eq!((entry.dbtime(), entry.prev(), entry.next()), (Dbtime(9), Pgno(3), Pgno(4)));
        assert_eq!((entry.objid(), entry.flags().bits(), entry.state()), (Objid(7), 0x12802, PageState::Correctable));
        for state in PageState::ALL {
            assert_eq!(PageEntry::without_page(state).state(), state);
        }
    }

    #[test]
    fn the_first_to_claim_a_page_has_it() {
        let mut table = PageTable::default();
        table.extend([PageEntry::without_page(PageState::Blank); 2]);
        assert_eq!((table.last(), table.get(Pgno(0)), table.get(Pgno(3))), (Pgno(2), None, None));
        assert_eq!(table.claimant(Pgno(2)), None);
        assert_eq!(table.claim(Pgno(2), Claimant(0)), Ok(()));
        assert_eq!(table.claim(Pgno(2), Claimant(5)), Err(Claimant(0)));
        assert_eq!((table.claimant(Pgno(2)), table.claimant(Pgno(1))), (Some(Claimant(0)), None));
    }
}
