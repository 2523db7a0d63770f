//! The decompressed bytes of an LZ77 scheme, filled from front to back.
//!
//! Literals and matches only ever land inside the slice that was made for them, and matches only ever read what was
//! written before. Both rules are checked once per item, not per byte (spec 07 sections 4.2 and 4.4).

use std::cell::Cell;

use super::Fault;

/// Bytes of literals that are moved at once where there is room; no run of literals in XPRESS is longer.
pub(super) const WIDE: usize = 32;
/// The longest match that does not pay for a call that moves any number of bytes: nearly all of them.
const SHORT: usize = 32;
/// Bytes by which such a match is copied, where it is not nearer than that.
const WORD: usize = 8;

/// A buffer of the final size and how much of it is written.
#[derive(Debug)]
pub(super) struct Output<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Output<'a> {
    /// Goes on at `at` in `bytes`: what lies before can be the source of matches.
    pub(super) const fn new(bytes: &'a mut [u8], at: usize) -> Output<'a> {
        Output { bytes, at }
    }

    /// Bytes that are still missing.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Writes the first `len` bytes of `source`, or all of it if it is shorter; no more than is left.
    ///
    /// Bytes of `source` behind `len` may be written too, and are overwritten by what comes next: one move of a fixed
    /// size is quicker than a short one of any length.
    #[inline]
    pub(super) fn literals(&mut self, source: &[u8], len: usize) {
        let room = self.bytes.get_mut(self.at..).unwrap_or_default();
        let len = len.min(room.len()).min(source.len());
        match (source.first_chunk::<WIDE>(), room.first_chunk_mut::<WIDE>()) {
            (Some(from), Some(to)) if len <= WIDE => *to = *from,
            _ => room.iter_mut().zip(source).take(len).for_each(|(to, from)| *to = *from),
        }
        self.at += len;
    }

    /// Repeats `len` bytes, the first of which was written `distance` bytes ago. The source may reach into what the
    /// match itself writes.
    #[inline]
    pub(super) fn repeat(&mut self, distance: usize, len: usize) -> Result<(), Fault> {
        let from = match self.at.checked_sub(distance) {
            Some(from) if distance > 0 => from,
            _ => return Err(Fault::value("the distance of a match", distance, 1, self.at)),
        };
        if len > self.left() {
            return Err(Fault::value("the length of a match", len, 1, self.left()));
        }
        // What the match reads and writes, and what is behind it.
        let span = self.bytes.get_mut(from..).unwrap_or_default();
        if len > SHORT {
            repeat_any(span, distance, len);
        } else if distance < WORD {
            repeat_bytes(span, distance, len);
        } else if repeat_words(span, distance, len).is_none() {
            repeat_any(span, distance, len);
        }
        self.at += len;
        Ok(())
    }
}

/// [`repeat_any`] byte by byte.
#[inline]
fn repeat_bytes(span: &mut [u8], distance: usize, len: usize) {
    let cells = Cell::from_mut(span).as_slice_of_cells();
    for (to, from) in cells.iter().skip(distance).zip(cells).take(len) {
        to.set(from.get());
    }
}

/// [`repeat_any`] by words, for a distance of a word and more. Up to seven bytes behind the match change too; where
/// there are not as many it gives up, and all is to be done again.
#[inline]
fn repeat_words(span: &mut [u8], distance: usize, len: usize) -> Option<()> {
    for at in (0..len).step_by(WORD) {
        let word: [u8; WORD] = *span.get(at..)?.first_chunk()?;
        *span.get_mut(distance + at..)?.first_chunk_mut()? = word;
    }
    Some(())
}

/// Fills `len` bytes of `span` behind its first `distance` with repetitions of these.
fn repeat_any(span: &mut [u8], distance: usize, len: usize) {
    let mut done = 0;
    while done < len {
        // All that is written is periodic, so that each step can copy twice as much as the one before.
        let step = (distance + done).min(len - done);
        span.copy_within(..step, distance + done);
        done += step;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_match_repeats_byte_by_byte(
            before in prop::collection::vec(any::<u8>(), 1..100),
            distance in 1..100usize,
            len in 1..200usize,
            behind in 0..20usize,
        ) {
            let distance = distance.min(before.len());
            let mut expected = before.clone();
            for _ in 0..len {
                expected.push(expected[expected.len() - distance]);
            }
            let mut bytes = before.clone();
            bytes.resize(before.len() + len + behind, 0);
            let mut out = Output::new(&mut bytes, before.len());
            prop_assert_eq!(out.repeat(distance, len), Ok(()));
            prop_assert_eq!(out.left(), behind);
            prop_assert_eq!(&bytes[..expected.len()], &expected);
        }
    }
}
