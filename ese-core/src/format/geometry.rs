//! Page sizes, page numbers and where pages lie in a file (spec 01 section 1).
//!
//! Newtypes keep apart what must not be mixed; they never read a byte themselves.

use std::fmt;

/// The two page slots at the start of a file that hold the header and its shadow copy.
pub const HEADER_SLOTS: u64 = 2;

/// Page number of the root of the whole database.
pub const PGNO_DATABASE_ROOT: Pgno = Pgno(1);

/// A page number as the engine counts: 1-based, page 1 lies behind the two header slots. 0 means "no page".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Pgno(pub u32);

impl Pgno {
    /// No page: the end of a sibling chain, an absent parent.
    pub const NONE: Pgno = Pgno(0);

    /// True for 0, which names no page.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The page after this one; saturates at the largest number.
    #[must_use]
    pub const fn next(self) -> Pgno {
        Pgno(self.0.saturating_add(1))
    }
}

impl fmt::Display for Pgno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a tree: `objidFDP` of its pages, `Id` in the catalog.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Objid(pub u32);

impl fmt::Display for Objid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A database time: a counter that grows with every change of any page (spec 02 section 7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Dbtime(pub u64);

impl Dbtime {
    /// The lowest of the five marker values (all ones downwards), which are no times.
    pub const FIRST_MARKER: Dbtime = Dbtime(u64::MAX - 4);

    /// True for the marker values, which stand for "none", "invalid", "shrunk" or "reverted".
    #[must_use]
    pub const fn is_marker(self) -> bool {
        self.0 >= Self::FIRST_MARKER.0
    }
}

impl fmt::Display for Dbtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the five page sizes of the format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageSize {
    /// 2048 bytes (old).
    K2,
    /// 4096 bytes; a header that says 0 means this.
    K4,
    /// 8192 bytes.
    K8,
    /// 16384 bytes: large page, four checksum blocks.
    K16,
    /// 32768 bytes: large page, four checksum blocks.
    K32,
}

impl PageSize {
    /// All sizes, smallest first.
    pub const ALL: [PageSize; 5] = [Self::K2, Self::K4, Self::K8, Self::K16, Self::K32];

    /// The size that is `bytes` long, if there is one.
    ///
    /// ```
    /// use ese_core::format::PageSize;
    /// assert_eq!(PageSize::from_bytes(4096), Some(PageSize::K4));
    /// assert_eq!(PageSize::from_bytes(4097), None);
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: usize) -> Option<PageSize> {
        Self::ALL.into_iter().find(|size| size.bytes() == bytes)
    }

    /// Bytes of a page.
    #[must_use]
    pub const fn bytes(self) -> usize {
        2048 << self as usize
    }

    /// Bytes of a page, as `u64` for file offsets.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        2048 << self as u64
    }

    /// True for 16 and 32 KiB, whose pages have the long header, four checksum blocks and 15-bit tags.
    #[must_use]
    pub const fn is_large(self) -> bool {
        matches!(self, Self::K16 | Self::K32)
    }

    /// Byte offset in the file where page `pgno` begins.
    #[must_use]
    pub const fn offset_of(self, pgno: Pgno) -> u64 {
        // Largest: (2^32) * 2^15 = 2^47.
        (pgno.0 as u64 + HEADER_SLOTS - 1) * self.as_u64()
    }

    /// The page that holds the byte at `offset`; `None` in the header slots and beyond the largest page number.
    #[must_use]
    pub fn pgno_at(self, offset: u64) -> Option<Pgno> {
        let slot = offset / self.as_u64();
        u32::try_from(slot.checked_sub(HEADER_SLOTS - 1)?).ok().filter(|n| *n > 0).map(Pgno)
    }

    /// The last whole page of a file of `file_len` bytes; [`Pgno::NONE`] if it holds none.
    #[must_use]
    pub fn last_pgno(self, file_len: u64) -> Pgno {
        let pages = (file_len / self.as_u64()).saturating_sub(HEADER_SLOTS);
        Pgno(u32::try_from(pages).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_behind_two_header_slots() {
        assert_eq!(PageSize::K4.offset_of(Pgno(1)), 8192);
        assert_eq!(PageSize::K32.offset_of(Pgno(49)), 50 * 32768);
        assert_eq!(PageSize::K32.offset_of(Pgno(u32::MAX)), (1u64 << 32) * 32768);
    }

    #[test]
    fn the_page_at_an_offset_is_the_inverse() {
        for size in PageSize::ALL {
            assert_eq!(size.pgno_at(0), None);
            assert_eq!(size.pgno_at(2 * size.as_u64() - 1), None);
            for pgno in [Pgno(1), Pgno(77), Pgno(u32::MAX)] {
                let at = size.offset_of(pgno);
                assert_eq!(size.pgno_at(at), Some(pgno));
                assert_eq!(size.pgno_at(at + size.as_u64() - 1), Some(pgno));
            }
            assert_eq!(size.pgno_at(u64::MAX), None);
        }
    }

    #[test]
    fn the_example_of_the_spec_ends_at_page_1022() {
        assert_eq!(PageSize::K4.last_pgno(4_194_304), Pgno(1022));
        assert_eq!(PageSize::K4.last_pgno(4096), Pgno::NONE);
        assert_eq!(PageSize::K2.last_pgno(u64::MAX), Pgno(u32::MAX));
    }
}
