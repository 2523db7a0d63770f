//! Bits of an XPRESS9 block, least significant bit of each byte first (spec 07 section 4.4).
//!
//! A block states how many bits it has: none behind them is ever read, and whoever decodes a block asks whether all
//! were used.

use super::super::{DecompressError, Fault, input::Input};

/// A position in the body of a block.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    input: &'a Input<'a>,
    /// The whole bytes of the body.
    body: &'a [u8],
    /// Where the body begins in the compressed value.
    start: usize,
    at: usize,
    len: usize,
}

impl<'a> Bits<'a> {
    /// The first `len` bits of `body`, which begins at byte `start` of `input`.
    pub(super) const fn new(input: &'a Input<'a>, body: &'a [u8], start: usize, len: usize) -> Bits<'a> {
        Bits { input, body, start, at: 0, len }
    }

    /// Bits taken so far.
    pub(super) const fn taken(&self) -> usize {
        self.at
    }

    /// Bits not taken yet.
    pub(super) const fn left(&self) -> usize {
        self.len.saturating_sub(self.at)
    }

    pub(super) fn bit(&mut self, expected: &'static str) -> Result<u32, DecompressError> {
        match self.body.get(self.at / 8) {
            Some(byte) if self.left() > 0 => {
                let bit = byte >> (self.at % 8) & 1;
                self.at += 1;
                Ok(u32::from(bit))
            }
            _ => Err(self.broken(Fault::Ends(expected))),
        }
    }

    /// A number of `count` bits, at most 32.
    pub(super) fn number(&mut self, count: u32, expected: &'static str) -> Result<u32, DecompressError> {
        (0..count).try_fold(0, |number, place| Ok(number | self.bit(expected)? << place))
    }

    /// 2^`count` plus a number of `count` bits: how distances and very long lengths are written. At most 31 bits.
    pub(super) fn with_leading_one(&mut self, count: u32, expected: &'static str) -> Result<u32, DecompressError> {
        self.number(count, expected).map(|low| 1 << count | low)
    }

    /// The error for a fault at the byte that holds the next bit.
    pub(super) const fn broken(&self, fault: Fault) -> DecompressError {
        self.input.broken_at(self.start + self.at / 8, fault)
    }
}
