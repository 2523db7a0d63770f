//! One value of a tagged column as bytes, wherever it lies and however it is stored.

use super::reader::{Chunk, LongValueError, LongValueReader, LongValues};
use crate::compress::{DecompressError, decompress};
use crate::format::{LongValueId, PageSize, ReferenceError};
use crate::record::{TaggedValue, ValueForm};

/// Why a value cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// It is compressed in its record, and cannot be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// It is encrypted in its record: nobody but its writer can read it.
    #[error("the value is encrypted")]
    Encrypted,
    /// The reference to a long value is none.
    #[error("reference to a long value: {0}")]
    Reference(#[from] ReferenceError),
    /// It is a long value, and the table has no tree of them.
    #[error("long value {id}: expected a tree of long values, found none")]
    NoTree {
        /// The long value.
        id: LongValueId,
    },
    /// It is a long value that cannot be read as a whole.
    #[error(transparent)]
    LongValue(#[from] LongValueError),
}

/// One value, piece by piece: so that a long one takes no more memory than a chunk.
pub enum ValueStream<'b, 's> {
    /// It is there as a whole: it was in the record.
    Whole(&'b [u8]),
    /// It is a long value.
    Chunks(LongValueReader<'b, 's>),
}

impl ValueStream<'_, '_> {
    /// The next piece, or what keeps it from being read; `None` behind the last one.
    ///
    /// Goes on behind an error, as [`LongValueReader::next_chunk`] does.
    pub fn next_chunk(&mut self) -> Option<Result<Chunk<'_>, LongValueError>> {
        match self {
            ValueStream::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then_some(Ok(Chunk { offset: 0, bytes }))
            }
            ValueStream::Chunks(reader) => reader.next_chunk(),
        }
    }

    /// Appends to `out` the bytes that are still to come, `most` of them at most: no more chunks are read than that takes.
    ///
    /// # Errors
    /// [`LongValueError`] if any of these bytes cannot be had; `out` then has those in front of them.
    pub fn read_into(&mut self, most: usize, out: &mut Vec<u8>) -> Result<(), LongValueError> {
        let mut left = most;
        while left > 0 {
            let Some(chunk) = self.next_chunk() else { break };
            let bytes = chunk?.bytes;
            let bytes = bytes.get(..left).unwrap_or(bytes);
            out.extend_from_slice(bytes);
            left -= bytes.len();
        }
        Ok(())
    }
}

/// Room for one value, to be used again and again.
#[derive(Debug, Default)]
pub struct ValueBuffer {
    bytes: Vec<u8>,
}

impl ValueBuffer {
    /// Opens `value`, which a record on pages of `size` holds; `values` are the long values of its table, if it has any.
    ///
    /// # Errors
    /// [`ValueError`] if nothing of it can be had.
    pub fn open<'b, 's>(
        &'b mut self,
        value: &TaggedValue<'b>,
        size: PageSize,
        values: Option<&'b mut LongValues<'s>>,
    ) -> Result<ValueStream<'b, 's>, ValueError> {
        Ok(match value.form {
            ValueForm::Separated => ValueStream::Chunks(chunks(value.bytes, values)?),
            _ => ValueStream::Whole(self.of_record(value, size)?),
        })
    }

    /// The first `most` bytes of `value`, or all of it if it is shorter; `size` and `values` as above.
    ///
    /// # Errors
    /// [`ValueError`] if any of these bytes cannot be had; [`ValueBuffer::partial`] then has those in front of them.
    pub fn read<'b>(
        &'b mut self,
        value: &TaggedValue<'b>,
        most: usize,
        size: PageSize,
        values: Option<&mut LongValues<'_>>,
    ) -> Result<&'b [u8], ValueError> {
        if value.form != ValueForm::Separated {
            let bytes = self.of_record(value, size)?;
            return Ok(bytes.get(..most).unwrap_or(bytes));
        }
        self.bytes.clear();
        ValueStream::Chunks(chunks(value.bytes, values)?).read_into(most, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// What was read of a value that was not in its record as it is: all of it, or what came before the last error.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        &self.bytes
    }

    /// A value that the record holds itself.
    fn of_record<'b>(&'b mut self, value: &TaggedValue<'b>, size: PageSize) -> Result<&'b [u8], ValueError> {
        self.bytes.clear();
        match value.form {
            ValueForm::Encrypted => Err(ValueError::Encrypted),
            // A record fits a page, and so does what it holds: the engine compresses nothing longer.
            ValueForm::Compressed => {
                decompress(value.bytes, size.bytes(), &mut self.bytes)?;
                Ok(&self.bytes)
            }
            ValueForm::Intrinsic | ValueForm::Separated => Ok(value.bytes),
        }
    }
}

/// The long value that `reference` names.
fn chunks<'v, 's>(
    reference: &[u8],
    values: Option<&'v mut LongValues<'s>>,
) -> Result<LongValueReader<'v, 's>, ValueError> {
    let id = LongValueId::from_reference(reference)?;
    Ok(values.ok_or(ValueError::NoTree { id })?.open(id)?)
}
