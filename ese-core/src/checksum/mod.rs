//! Checksums of pages and header slots: judging, correcting and storing them.
//!
//! A sum says whether bytes are what was once written, and sometimes which bit is not; this module never asks what
//! the bytes mean, and its corrections are proposals until the page check has passed. It follows spec 02 section 6
//! and, for headers, 01 section 3.
//!
//! # The sum of a block
//! Bit `k` of a block of `n` bytes is bit `k % 8` of byte `k / 8`; `M = 8n - 1` is the last.
//!
//! ```text
//! X = pgno XOR every u32 of the block
//! L = XOR of k         over all k whose bit is 1
//! H = XOR of (k XOR M) over all k whose bit is 1       stored: X, then H << 16 | L
//! ```
//!
//! If one bit `k` flips, L changes by `k` and H by its complement: the sum names the bit.
//!
//! # The same in parallel
//! Split `k` into a word index and a position in the word: `k = 64 i + j`.
//!
//! ```text
//! words = XOR of all u64 words          gives X, the parity of all bits (H = L or L XOR M), and the low 6 bits of L:
//!                                       bit b of L is the parity of the positions j that have bit b
//! index = XOR of all i whose word       gives the other bits of L
//!         has odd parity
//! ```
//!
//! `Parities::portable` is just that. The vector kernel in `simd` does four things to make it as fast as reading:
//! 1. Bit `b` of `index` is the parity of the XOR of all words whose index has bit `b`. So nothing but XOR is needed
//!    while reading, and parities are taken at the end.
//! 2. Vectors are read in rows of eight, and each of the eight columns is XORed by itself. From the columns the three
//!    bits of the index within a row follow at the end: they cost nothing while reading.
//! 3. The XOR of the columns after a row is the total of all that was read so far. The XOR of such totals over an even
//!    number of rows holds row 0 an even number of times, row 1 an odd number, and so on: only odd rows remain. So one
//!    XOR a row gives bit 0 of the row's index, one every second row gives bit 1, one every fourth bit 2.
//! 4. Eight rows are a tile. Its number goes into `index` if the parity of the total changes over it.
//!
//! That is two XORs a vector, the least there is for a code of this kind, and the parities once a block.

mod block;
mod ecc;
mod simd;
mod verdict;

#[cfg(test)]
mod tests;

pub use block::BlockSums;
pub use ecc::Sum;
pub use verdict::{BadSums, Cause, Correction, PageSum};

use block::Head;

use crate::format::{FLAG_ECC, PageSize, Pgno, plain_sum};

/// Why no checksum was stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The bytes are not one page.
    #[error("a page has 2048, 4096, 8192, 16384 or 32768 bytes, not {found}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// The old checksum is defined for small pages only.
    #[error("a page of {size} bytes must have flag 0x2000 set, its flags are {flags:#x}")]
    LargeWithoutEcc {
        /// The page's size.
        size: PageSize,
        /// The page's flags.
        flags: u32,
    },
}

/// Judges the checksum of a page that lies at page number `pgno`.
///
/// `page` is one whole page. Any other length is [`PageSum::Bad`] with no blocks. A good page is read once.
#[must_use]
pub fn verify(page: &[u8], pgno: Pgno) -> PageSum {
    let Some((size, head)) = PageSize::from_bytes(page.len()).zip(Head::of(page)) else {
        return PageSum::Bad(BadSums::of_no_page());
    };
    let has_ecc = head.flags() & FLAG_ECC != 0;
    // Pages in use hardly ever begin so: this keeps the search for zeros away from them.
    if !has_ecc && head.stored(0) == Sum::default() && page.iter().all(|byte| *byte == 0) {
        return PageSum::Blank;
    }
    if !has_ecc && !size.is_large() {
        let computed = Sum { xor: plain_sum(page), second: pgno.0 };
        let old = BlockSums { stored: head.stored(0), computed };
        if old.agree() {
            return PageSum::Good;
        }
        return PageSum::Bad(BadSums::of_old_page(old, block::compare(page, head, size, pgno), size));
    }
    let sums = block::compare(page, head, size, pgno);
    if !has_ecc {
        PageSum::Bad(BadSums::of_large_page_without_flag(sums, size))
    } else if sums.iter().all(BlockSums::agree) {
        PageSum::Good
    } else {
        PageSum::Bad(BadSums::of_ecc_page(sums, size, pgno))
    }
}

/// Flips the bits that one flip a block explains, and returns them; `None`, and the page as it was, if there is
/// nothing to correct or no such explanation.
///
/// Afterwards [`verify`] says [`PageSum::Good`]. That is half of the rule: a page with three flipped bits can get here
/// too, with a fourth one flipped by the correction. The caller must run the page check over the result and drop it if
/// that fails.
#[must_use = "the page has been changed if this is `Some`"]
pub fn correct(page: &mut [u8], pgno: Pgno) -> Option<Correction> {
    let PageSum::Bad(sums) = verify(page, pgno) else { return None };
    let Cause::FlippedBits(correction) = sums.cause() else { return None };
    for bit in correction.bits() {
        let byte = usize::try_from(bit / 8).ok().and_then(|at| page.get_mut(at));
        if let Some(byte) = byte {
            *byte ^= 1 << (bit % 8);
        }
    }
    Some(correction)
}

/// Computes the checksum that the page's own flags ask for, as page `pgno`, and stores it.
///
/// # Errors
/// [`StoreError`], if the bytes are no page or the page's flags ask for what its size cannot have.
pub fn store(page: &mut [u8], pgno: Pgno) -> Result<(), StoreError> {
    let no_page = StoreError::Length { found: page.len() };
    let size = PageSize::from_bytes(page.len()).ok_or(no_page)?;
    let flags = Head::of(page).ok_or(no_page)?.flags();
    match (flags & FLAG_ECC != 0, size.is_large()) {
        (true, _) => block::store(page, size, pgno),
        (false, false) => {
            // The sum covers the number, so that comes first.
            block::put(page, 0, Sum { xor: 0, second: pgno.0 });
            let xor = plain_sum(page);
            block::put(page, 0, Sum { xor, second: pgno.0 });
        }
        (false, true) => return Err(StoreError::LargeWithoutEcc { size, flags }),
    }
    Ok(())
}
