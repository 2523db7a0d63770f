//! The two copies of the header, and which of them counts (spec 01 section 4).
//!
//! Works on bytes that somebody else read and never reads itself. It does not look at what a header says beyond its
//! checksum and page size, and it does not guess a page size from pages: with both copies bad there is none.

use super::geometry::PageSize;
use super::header::{DatabaseHeader, MAGIC};
use super::plain_sum;

/// The page size that both copies are described by when nothing at all hints at one.
const FALLBACK: PageSize = PageSize::K4;

/// Both copies of a header, judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderCopies {
    /// The copy at the start of the file.
    pub first: HeaderCopy,
    /// The shadow copy, one page size behind it.
    pub second: HeaderCopy,
    /// What they are worth together.
    pub copies: Copies,
}

/// What the two copies are worth together. A damaged copy is rewritten by the engine when it next opens the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// Both good and equal.
    Equal,
    /// Both good, yet not equal: a write was interrupted between them. The first counts.
    Differ {
        /// Offset within the slot of the first byte that differs.
        offset: usize,
    },
    /// Only the second is good.
    FirstBad,
    /// Only the first is good.
    SecondBad,
    /// Neither is good: the page size, the format and the state are unknown.
    BothBad,
}

/// The copy to go by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Used {
    /// The copy at the start of the file.
    First,
    /// The shadow copy.
    Second,
    /// None: both are bad.
    Neither,
}

/// One copy of the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderCopy {
    /// Where its slot begins in the file, in bytes.
    pub offset: u64,
    /// The page size it was judged by: the database's own, or the best guess if both copies are bad.
    pub judged_as: PageSize,
    /// Its fields, as far as its bytes were there.
    pub header: DatabaseHeader,
    /// Why it is not valid; `None` if it is.
    pub fault: Option<HeaderFault>,
}

/// What is wrong with a copy of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderFault {
    /// The file ends inside its slot, or the bytes could not be read.
    #[error("header slot: expected {expected} bytes, found {found}")]
    Short {
        /// Bytes of the slot.
        expected: usize,
        /// Bytes that were there.
        found: usize,
    },
    /// The checksum does not match.
    #[error("header checksum: stored 0x{stored:08x}, computed 0x{computed:08x}")]
    Checksum {
        /// What the copy says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The checksum matches for a page size that the copy itself does not claim.
    #[error("header page size: expected {expected}, found {stored}")]
    PageSize {
        /// The size it was judged by.
        expected: PageSize,
        /// What its field says; 0 stands for 4096.
        stored: u32,
    },
    /// Everything else matches. Demanded only of a second copy that had to be searched for, so that another kind of
    /// file is not taken for a database; a first copy with another magic is valid and left to the checks.
    #[error("header magic: expected 0x{MAGIC:08x}, found 0x{stored:08x}")]
    Magic {
        /// What the copy says.
        stored: u32,
    },
}

impl HeaderCopies {
    /// Judges the copies of a file.
    ///
    /// `start` is the file from offset 0, at least the largest page size long unless the file is shorter. `slot_at`
    /// gives as many bytes as a page has from the offset that is its size, or fewer or `None` where the file ends or
    /// cannot be read; it is called at most once for each page size.
    #[must_use]
    pub fn judge(start: &[u8], mut slot_at: impl FnMut(PageSize) -> Option<Vec<u8>>) -> Self {
        let own_size = DatabaseHeader::from_slot(start).page_size();
        if let Some(size) = own_size {
            let first = HeaderCopy::judge(0, start, size);
            if first.fault.is_none() {
                let slot = slot_at(size).unwrap_or_default();
                return Self::join(first, (start, &slot), HeaderCopy::judge(size.as_u64(), &slot, size));
            }
        }
        let (size, slot) = find_second(own_size, slot_at);
        let first = HeaderCopy::judge(0, start, size);
        let mut second = HeaderCopy::judge(size.as_u64(), &slot, size);
        let stored = second.header.magic();
        if stored != MAGIC {
            second.fault = second.fault.or(Some(HeaderFault::Magic { stored }));
        }
        Self::join(first, (start, &slot), second)
    }

    /// Judges the copies by a page size that is known from elsewhere; `start` and `slot` are the bytes at offset 0 and at
    /// `size`.
    #[must_use]
    pub fn judge_as(size: PageSize, start: &[u8], slot: &[u8]) -> Self {
        let first = HeaderCopy::judge(0, start, size);
        Self::join(first, (start, slot), HeaderCopy::judge(size.as_u64(), slot, size))
    }

    /// Puts two judged copies together; `slots` are their bytes.
    fn join(first: HeaderCopy, slots: (&[u8], &[u8]), second: HeaderCopy) -> Self {
        let copies = match (&first.fault, &second.fault) {
            (None, None) => match slots.0.iter().zip(slots.1).position(|(a, b)| a != b) {
                Some(offset) if offset < first.judged_as.bytes() => Copies::Differ { offset },
                _ => Copies::Equal,
            },
            (None, Some(_)) => Copies::SecondBad,
            (Some(_), None) => Copies::FirstBad,
            (Some(_), Some(_)) => Copies::BothBad,
        };
        Self { first, second, copies }
    }

    /// Which copy to go by.
    #[must_use]
    pub fn used(&self) -> Used {
        match self.copies {
            Copies::Equal | Copies::Differ { .. } | Copies::SecondBad => Used::First,
            Copies::FirstBad => Used::Second,
            Copies::BothBad => Used::Neither,
        }
    }

    /// The copy to go by; `None` if both are bad.
    #[must_use]
    pub fn used_copy(&self) -> Option<&HeaderCopy> {
        match self.used() {
            Used::First => Some(&self.first),
            Used::Second => Some(&self.second),
            Used::Neither => None,
        }
    }

    /// The page size of the database; `None` if both copies are bad.
    #[must_use]
    pub fn page_size(&self) -> Option<PageSize> {
        self.used_copy().map(|copy| copy.judged_as)
    }
}

impl HeaderCopy {
    /// Judges the copy whose slot begins at `offset` of the file with `bytes`, if pages are of this size.
    fn judge(offset: u64, bytes: &[u8], size: PageSize) -> Self {
        let header = DatabaseHeader::from_slot(bytes);
        let fault = match bytes.get(..size.bytes()) {
            None => Some(HeaderFault::Short { expected: size.bytes(), found: bytes.len() }),
            Some(slot) => fault_of(slot, &header, size),
        };
        Self { offset, judged_as: size, header, fault }
    }
}

fn fault_of(slot: &[u8], header: &DatabaseHeader, size: PageSize) -> Option<HeaderFault> {
    let (stored, computed) = (header.checksum(), plain_sum(slot));
    if stored != computed {
        Some(HeaderFault::Checksum { stored, computed })
    } else if header.page_size() != Some(size) {
        Some(HeaderFault::PageSize { expected: size, stored: header.page_size_field() })
    } else {
        None
    }
}

/// How strongly a slot suggests that it holds the second copy, strongest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Hint {
    /// It is a valid header with the magic.
    Valid,
    /// It has the magic.
    Magic,
    /// The first copy, bad as it is, names this page size.
    Named,
    /// Some page size must be taken.
    Fallback,
    /// Nothing.
    None,
}

/// Looks for the second copy where each page size would put it, because the first cannot be trusted to say. Among
/// equal hints the largest size counts.
fn find_second(named: Option<PageSize>, mut slot_at: impl FnMut(PageSize) -> Option<Vec<u8>>) -> (PageSize, Vec<u8>) {
    let slots = PageSize::ALL.into_iter().rev().map(|size| (size, slot_at(size).unwrap_or_default()));
    slots.min_by_key(|(size, slot)| hint(*size, slot, named)).unwrap_or((FALLBACK, Vec::new()))
}

fn hint(size: PageSize, slot: &[u8], named: Option<PageSize>) -> Hint {
    let copy = HeaderCopy::judge(size.as_u64(), slot, size);
    match copy.header.magic() {
        MAGIC if copy.fault.is_none() => Hint::Valid,
        MAGIC => Hint::Magic,
        _ if named == Some(size) => Hint::Named,
        _ if size == FALLBACK => Hint::Fallback,
        _ => Hint::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::samples::{put, seal, sound_slot};
    use super::*;
    use proptest::prelude::*;

    /// Offset of the page size field and of the state, where the tests do damage.
    const PAGE_SIZE: usize = 236;
    const STATE: usize = 52;

    /// Two equal copies and a first page without meaning.
    fn sound_file(size: PageSize) -> Vec<u8> {
        let mut file = sound_slot(size).repeat(2);
        file.extend(vec![0x5a; size.bytes()]);
        file
    }

    fn judge(file: &[u8]) -> HeaderCopies {
        let start = &file[..file.len().min(PageSize::K32.bytes())];
        let mut asked = Vec::new();
        HeaderCopies::judge(start, |size| {
            assert!(!asked.contains(&size), "asked twice for {size}");
            asked.push(size);
            let rest = file.get(size.bytes()..)?;
            Some(rest[..rest.len().min(size.bytes())].to_vec())
        })
    }

    /// A file with one byte changed in the slots given.
    fn flipped(size: PageSize, slots: &[usize], offset: usize) -> Vec<u8> {
        let mut file = sound_file(size);
        for slot in slots {
            file[slot * size.bytes() + offset] ^= 0x40;
        }
        file
    }

    #[test]
    fn two_sound_copies_are_equal_and_the_first_is_used() {
        for size in PageSize::ALL {
            let copies = judge(&sound_file(size));
            assert_eq!(copies.copies, Copies::Equal);
            assert_eq!((copies.used(), copies.page_size()), (Used::First, Some(size)));
            assert_eq!((copies.first.offset, copies.second.offset), (0, size.as_u64()));
            assert_eq!(copies.used_copy(), Some(&copies.first));
        }
    }

    #[test]
    fn a_flipped_byte_in_the_first_copy_makes_the_second_count() {
        for size in PageSize::ALL {
            for offset in [0, 4, 100, PAGE_SIZE, PAGE_SIZE + 1, size.bytes() - 1] {
                let copies = judge(&flipped(size, &[0], offset));
                assert_eq!(copies.copies, Copies::FirstBad, "byte {offset}");
                assert_eq!((copies.used(), copies.page_size()), (Used::Second, Some(size)));
                assert!(matches!(copies.first.fault, Some(HeaderFault::Checksum { .. })));
                assert_eq!(copies.used_copy(), Some(&copies.second));
            }
        }
    }

    #[test]
    fn a_flipped_byte_in_the_second_copy_is_told_and_the_first_used() {
        for size in PageSize::ALL {
            for offset in [0, 4, PAGE_SIZE, size.bytes() - 1] {
                let copies = judge(&flipped(size, &[1], offset));
                assert_eq!(copies.copies, Copies::SecondBad);
                assert_eq!((copies.used(), copies.page_size()), (Used::First, Some(size)));
            }
        }
    }

    #[test]
    fn with_both_copies_bad_there_is_no_page_size() {
        for size in PageSize::ALL {
            let copies = judge(&flipped(size, &[0, 1], 100));
            assert_eq!(copies.copies, Copies::BothBad);
            assert_eq!((copies.used(), copies.page_size(), copies.used_copy()), (Used::Neither, None, None));
            assert_eq!(copies.second.judged_as, size, "the magic tells where the second copy lies");
            assert_eq!(copies.second.offset, size.as_u64());
        }
    }

    #[test]
    fn bad_copies_are_judged_by_the_size_the_first_names_if_no_magic_is_left() {
        let mut file = flipped(PageSize::K8, &[0, 1], 4);
        assert_eq!(judge(&file).first.judged_as, PageSize::K8);
        put(&mut file, PAGE_SIZE, 12345);
        assert_eq!(judge(&file).first.judged_as, FALLBACK);
    }

    #[test]
    fn a_checksum_fault_tells_both_sums() {
        let mut file = sound_file(PageSize::K4);
        put(&mut file, 0, 7);
        let copies = judge(&file);
        let computed = copies.second.header.checksum();
        assert_eq!(copies.first.fault, Some(HeaderFault::Checksum { stored: 7, computed }));
        assert_eq!(
            copies.first.fault.unwrap().to_string(),
            format!("header checksum: stored 0x00000007, computed 0x{computed:08x}")
        );
    }

    #[test]
    fn a_valid_checksum_with_another_page_size_is_a_fault_of_its_own() {
        let mut file = sound_file(PageSize::K8);
        put(&mut file, PAGE_SIZE, 777);
        seal(&mut file[..PageSize::K8.bytes()]);
        let copies = judge(&file);
        assert_eq!(copies.copies, Copies::FirstBad);
        assert_eq!(copies.first.fault, Some(HeaderFault::PageSize { expected: PageSize::K8, stored: 777 }));
        assert_eq!(copies.first.fault.unwrap().to_string(), "header page size: expected 8192, found 777");
    }

    #[test]
    fn a_page_size_of_0_is_4096() {
        let mut slot = sound_slot(PageSize::K4);
        put(&mut slot, PAGE_SIZE, 0);
        seal(&mut slot);
        let copies = judge(&slot.repeat(2));
        assert_eq!((copies.copies, copies.page_size()), (Copies::Equal, Some(PageSize::K4)));
    }

    #[test]
    fn an_interrupted_write_leaves_copies_that_differ() {
        let mut file = sound_file(PageSize::K16);
        put(&mut file, STATE, 2);
        seal(&mut file[..PageSize::K16.bytes()]);
        let copies = judge(&file);
        assert_eq!(copies.used(), Used::First);
        assert!(matches!(copies.copies, Copies::Differ { offset: 0..4 }), "the checksums differ first");
    }

    #[test]
    fn copies_differ_even_where_their_checksums_agree() {
        let mut file = sound_file(PageSize::K16);
        file[STATE] ^= 1;
        file[STATE + 4] ^= 1;
        assert_eq!(judge(&file).copies, Copies::Differ { offset: STATE });
    }

    #[test]
    fn what_lies_behind_the_first_slot_is_no_difference() {
        let mut file = sound_file(PageSize::K2);
        file.extend(vec![1; 65536]);
        assert_eq!(judge(&file).copies, Copies::Equal);
    }

    #[test]
    fn a_short_file_lacks_the_second_copy_or_both() {
        let file = sound_file(PageSize::K4);
        let copies = judge(&file[..8000]);
        assert_eq!(copies.copies, Copies::SecondBad);
        assert_eq!(copies.second.fault, Some(HeaderFault::Short { expected: 4096, found: 3904 }));
        let copies = judge(&file[..4000]);
        assert_eq!(copies.copies, Copies::BothBad);
        assert_eq!(copies.first.fault, Some(HeaderFault::Short { expected: 4096, found: 4000 }));
        assert_eq!(judge(&[]).copies, Copies::BothBad);
    }

    #[test]
    fn a_valid_slot_without_the_magic_is_no_second_copy() {
        let mut file = sound_file(PageSize::K4);
        file[..4096].fill(0);
        put(&mut file[4096..], 4, 0);
        seal(&mut file[4096..8192]);
        let copies = judge(&file);
        assert_eq!(copies.used(), Used::Neither);
        assert_eq!(copies.second.fault, Some(HeaderFault::Magic { stored: 0 }));
        assert_eq!(copies.second.fault.unwrap().to_string(), "header magic: expected 0x89abcdef, found 0x00000000");
    }

    #[test]
    fn a_valid_first_copy_without_the_magic_is_still_used() {
        let mut slot = sound_slot(PageSize::K4);
        put(&mut slot, 4, 0);
        seal(&mut slot);
        assert_eq!(judge(&slot.repeat(2)).copies, Copies::Equal);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            prop_assert_eq!(judge(&bytes).used(), Used::Neither);
        }

        #[test]
        fn one_changed_byte_never_hides_the_database(
            size in prop::sample::select(&PageSize::ALL[..]),
            slot in 0..2usize,
            at in any::<prop::sample::Index>(),
            change in 1..=255u8,
        ) {
            let mut file = sound_file(size);
            file[slot * size.bytes() + at.index(size.bytes())] ^= change;
            let copies = judge(&file);
            prop_assert_eq!(copies.page_size(), Some(size));
            prop_assert_eq!(copies.used(), if slot == 0 { Used::Second } else { Used::First });
        }
    }
}
