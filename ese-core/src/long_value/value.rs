//! One value of a tagged column as bytes, wherever it lies and however it is stored.

use super::reader::{LongValueError, LongValues};
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

/// Room for one value, to be used again and again.
#[derive(Debug, Default)]
pub struct ValueBuffer {
    bytes: Vec<u8>,
}

impl ValueBuffer {
    /// The first `most` bytes of `value`, or all of it if it is shorter. A record on pages of `size` holds it;
    /// `values` are the long values of its table, if it has any.
    ///
    /// Of a long value no more chunks are read than it takes.
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
        self.bytes.clear();
        match value.form {
            ValueForm::Intrinsic => return Ok(value.bytes.get(..most).unwrap_or(value.bytes)),
            ValueForm::Compressed => {
                // A record fits a page, and so does what it holds: the engine compresses nothing longer.
                decompress(value.bytes, size.bytes(), &mut self.bytes)?;
                self.bytes.truncate(most);
            }
            ValueForm::Encrypted => return Err(ValueError::Encrypted),
            ValueForm::Separated => {
                let id = LongValueId::from_reference(value.bytes)?;
                let values = values.ok_or(ValueError::NoTree { id })?;
                let mut reader = values.open(id)?;
                while self.bytes.len() < most {
                    let Some(chunk) = reader.next_chunk() else { break };
                    let bytes = chunk?.bytes;
                    let left = most - self.bytes.len();
                    self.bytes.extend_from_slice(bytes.get(..left).unwrap_or(bytes));
                }
            }
        }
        Ok(&self.bytes)
    }

    /// What was read of a long value before the last error.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        &self.bytes
    }
}
