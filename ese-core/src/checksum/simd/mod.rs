//! The block sum by vectors: which kernel runs is found out at run time.
//!
//! The kernel is written once, over a trait; the file of each architecture holds only the vector types and what finds
//! out whether the processor has them. Whatever runs must give what `Parities::portable` gives: the tests hold each one
//! that the machine has against it. No other folder of the crate has `unsafe` in it. Spec 02 section 6.2.

#![allow(unsafe_code, reason = "vector loads and functions compiled for processor features found at run time")]

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod aarch64;
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
mod kernel;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::ecc::Sum;
use crate::format::{BLOCKS_MAX, Pgno};

/// The sums of up to four blocks, see [`sums_by`](super::block::sums_by), with the fastest kernel of this machine. `block_bytes` is that of a
/// page size of the format.
pub(super) fn sums(page: &[u8], block_bytes: usize, pgno: Pgno) -> [Sum; BLOCKS_MAX] {
    cfg_select! {
        target_arch = "x86_64" => x86::sums(page, block_bytes, pgno),
        all(target_arch = "aarch64", target_endian = "little") => aarch64::sums(page, block_bytes, pgno),
        _ => super::block::sums_by(page, block_bytes, pgno, super::ecc::Parities::portable),
    }
}

/// A kernel and its name.
#[cfg(test)]
type Named = (&'static str, fn(&[u8], usize, Pgno) -> [Sum; BLOCKS_MAX]);

/// Every vector kernel that this machine can run.
#[cfg(test)]
pub(super) fn available() -> Vec<Named> {
    cfg_select! {
        target_arch = "x86_64" => x86::available(),
        all(target_arch = "aarch64", target_endian = "little") => vec![("neon", aarch64::sums)],
        _ => Vec::new(),
    }
}
