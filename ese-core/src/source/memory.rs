//! Bytes that are in memory already.

use super::{ByteSource, ReadError};

/// A source over bytes in memory, borrowed or its own.
#[derive(Clone, Copy, Debug)]
pub struct MemorySource<B>(pub B);

impl<B: AsRef<[u8]> + Sync> ByteSource for MemorySource<B> {
    fn len(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let found = self.slice(offset, buf.len()).ok_or_else(|| ReadError::past_end(offset, buf.len()))?;
        buf.copy_from_slice(found);
        Ok(())
    }

    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.0.as_ref().get(start..start.checked_add(len)?)
    }
}
