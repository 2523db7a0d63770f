//! Bytes that are in memory already.

use super::{ByteSource, ReadError};

/// A source over a slice.
#[derive(Clone, Copy, Debug)]
pub struct MemorySource<'a>(pub &'a [u8]);

impl ByteSource for MemorySource<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let found = self.slice(offset, buf.len()).ok_or_else(|| ReadError::past_end(offset, buf.len()))?;
        buf.copy_from_slice(found);
        Ok(())
    }

    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.0.get(start..start.checked_add(len)?)
    }
}
