//! A source and a page size: pages by number.

use crate::format::{PageSize, Pgno};

use super::{ByteSource, ReadError};

/// The pages of a database.
#[derive(Clone, Copy)]
pub struct Pages<'s> {
    source: &'s dyn ByteSource,
    size: PageSize,
    last: Pgno,
}

impl<'s> Pages<'s> {
    /// The pages of `source`, which are `size` bytes long.
    #[must_use]
    pub fn new(source: &'s dyn ByteSource, size: PageSize) -> Pages<'s> {
        Pages { source, size, last: size.last_pgno(source.len()) }
    }

    /// The source.
    #[must_use]
    pub fn source(&self) -> &'s dyn ByteSource {
        self.source
    }

    /// The page size.
    #[must_use]
    pub fn size(&self) -> PageSize {
        self.size
    }

    /// The last whole page of the file; none if there is no page.
    #[must_use]
    pub fn last(&self) -> Pgno {
        self.last
    }

    /// True if `pgno` names a page of the file.
    #[must_use]
    pub fn contains(&self, pgno: Pgno) -> bool {
        !pgno.is_none() && pgno <= self.last
    }

    /// Reads page `pgno` into `buf`, whatever its checksum says.
    ///
    /// # Errors
    /// [`ReadError`] if the page lies beyond the file or cannot be read.
    pub fn read_bytes<'b>(&self, pgno: Pgno, buf: &'b mut PageBuf) -> Result<&'b mut [u8], ReadError> {
        let len = self.size.bytes();
        buf.bytes.resize(len, 0);
        let offset = self.size.offset_of(pgno);
        if !self.contains(pgno) {
            return Err(ReadError::past_end(offset, len));
        }
        self.source.read_at(offset, &mut buf.bytes)?;
        Ok(&mut buf.bytes)
    }
}

/// Room for one page, to be used again and again.
#[derive(Clone, Debug, Default)]
pub struct PageBuf {
    bytes: Vec<u8>,
}

impl PageBuf {
    /// What was read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    #[test]
    fn pages_are_found_by_number_and_end_with_the_file() {
        let mut bytes = vec![0; 5 * 4096 + 9];
        bytes[3 * 4096 + 24] = 0x42;
        let source = MemorySource(&bytes);
        let pages = Pages::new(&source, PageSize::K4);
        let mut buf = PageBuf::default();
        assert_eq!(pages.last(), Pgno(3));
        assert_eq!(pages.read_bytes(Pgno(2), &mut buf).unwrap()[24], 0x42);
        assert!(pages.read_bytes(Pgno(4), &mut buf).unwrap_err().is_past_end());
        assert!(pages.read_bytes(Pgno(0), &mut buf).is_err());
    }
}
