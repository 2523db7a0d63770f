//! Rows and entries as strings of bytes, in the order in which they are to be sorted.
//!
//! Parts of varying length are preceded by it, so that strings are equal only where all parts are. They are read back by
//! the same module; a string that it did not write gives `None`.

use crate::format::Pgno;

use super::super::report::Place;

/// A string in the making.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    /// Begins a new string, about index number `number`.
    pub(super) fn begin(&mut self, number: usize) -> &mut Packer {
        self.bytes.clear();
        self.number(number)
    }

    /// A number below 65,536; a greater one counts as that.
    pub(super) fn number(&mut self, number: usize) -> &mut Packer {
        self.bytes.extend(u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
        self
    }

    /// A part of up to 65,535 bytes; no key and no bookmark is longer, both lie on a page.
    pub(super) fn part(&mut self, bytes: &[u8]) -> &mut Packer {
        let bytes = bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes);
        self.number(bytes.len()).raw(bytes)
    }

    /// Bytes whose length the reader knows.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Packer {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(super) fn place(&mut self, place: Place) -> &mut Packer {
        self.raw(&place.pgno.0.to_be_bytes()).number(place.line).number(place.at)
    }

    /// The string.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A string being read, from the front.
#[derive(Clone, Copy)]
pub(super) struct Unpacker<'a>(pub(super) &'a [u8]);

impl<'a> Unpacker<'a> {
    pub(super) fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    pub(super) fn number(&mut self) -> Option<usize> {
        self.chunk().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| byte)
    }

    pub(super) fn part(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    pub(super) fn place(&mut self) -> Option<Place> {
        Some(Place { pgno: Pgno(u32::from_be_bytes(self.chunk()?)), line: self.number()?, at: self.number()? })
    }
}

/// Which of the two that are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Side {
    /// A key that a row should have in an index.
    Row,
    /// The same, but the index may be without (spec 08 section 4.4).
    OptionalRow,
    /// A stored entry.
    Entry,
}

impl Side {
    fn from_byte(byte: u8) -> Option<Side> {
        [Side::Row, Side::OptionalRow, Side::Entry].into_iter().find(|side| *side as u8 == byte)
    }
}

/// A key and a bookmark that belong together, on one of the sides: sorted by key.
#[derive(Clone, Copy)]
pub(super) struct ByKey<'a> {
    pub(super) number: usize,
    pub(super) key: &'a [u8],
    pub(super) bookmark: &'a [u8],
    pub(super) side: Side,
    pub(super) place: Place,
}

impl<'a> ByKey<'a> {
    pub(super) fn pack<'p>(&self, packer: &'p mut Packer) -> &'p [u8] {
        packer.begin(self.number).part(self.key).part(self.bookmark).raw(&[self.side as u8]).place(self.place).bytes()
    }

    pub(super) fn unpack(bytes: &'a [u8]) -> Option<ByKey<'a>> {
        let mut parts = Unpacker(bytes);
        Some(ByKey {
            number: parts.number()?,
            key: parts.part()?,
            bookmark: parts.part()?,
            side: Side::from_byte(parts.byte()?)?,
            place: parts.place()?,
        })
    }
}

/// What there is about one bookmark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// The row has a finding of its own, on the page of the place: what does not agree with it follows from that.
    Doubtful,
    /// The keys of the row are not known; the place tells the page that could not be read, if one is to blame.
    Unknown,
    /// A key that the row should have.
    Row,
    /// The same with text in it: known bytes, then values, text replaced by digests.
    Pattern,
    /// The same, but the index may be without.
    OptionalPattern,
    /// A stored entry.
    Entry,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        let all = [Kind::Doubtful, Kind::Unknown, Kind::Row, Kind::Pattern, Kind::OptionalPattern, Kind::Entry];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One of the things about a bookmark: sorted by bookmark.
#[derive(Clone, Copy)]
pub(super) struct ByBookmark<'a> {
    pub(super) number: usize,
    pub(super) bookmark: &'a [u8],
    pub(super) kind: Kind,
    /// The key; of patterns the known bytes.
    pub(super) key: &'a [u8],
    /// The values of patterns.
    pub(super) values: &'a [u8],
    pub(super) place: Place,
}

impl<'a> ByBookmark<'a> {
    pub(super) fn pack<'p>(&self, packer: &'p mut Packer) -> &'p [u8] {
        let packer = packer.begin(self.number).part(self.bookmark).raw(&[self.kind as u8]);
        packer.part(self.key).part(self.values).place(self.place).bytes()
    }

    pub(super) fn unpack(bytes: &'a [u8]) -> Option<ByBookmark<'a>> {
        let mut parts = Unpacker(bytes);
        Some(ByBookmark {
            number: parts.number()?,
            bookmark: parts.part()?,
            kind: Kind::from_byte(parts.byte()?)?,
            key: parts.part()?,
            values: parts.part()?,
            place: parts.place()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place = Place { pgno: Pgno(0x0102_0304), line: 7, at: 4000 };

    proptest! {
        #[test]
        fn what_is_packed_comes_back_and_sorts_by_its_parts(
            number in 0..9usize, key in prop::collection::vec(any::<u8>(), 0..9),
            bookmark in prop::collection::vec(any::<u8>(), 0..9), other in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let mut packer = Packer::default();
            let by_key = ByKey { number, key: &key, bookmark: &bookmark, side: Side::Entry, place: PLACE };
            let bytes = by_key.pack(&mut packer).to_vec();
            let back = ByKey::unpack(&bytes).unwrap();
            prop_assert_eq!((back.number, back.key, back.bookmark), (number, &key[..], &bookmark[..]));
            prop_assert_eq!((back.side, back.place), (Side::Entry, PLACE));
            let row = ByKey { side: Side::Row, ..by_key }.pack(&mut packer).to_vec();
            prop_assert!(row < bytes);
            let thing = ByBookmark { number, bookmark: &bookmark, kind: Kind::Pattern, key: &key, values: &other, place: PLACE };
            let bytes = thing.pack(&mut packer).to_vec();
            let back = ByBookmark::unpack(&bytes).unwrap();
            prop_assert_eq!((back.bookmark, back.kind, back.key, back.values), (&bookmark[..], Kind::Pattern, &key[..], &other[..]));
            for cut in 0..bytes.len() {
                prop_assert!(ByBookmark::unpack(&bytes[..cut]).is_none());
            }
        }
    }
}
