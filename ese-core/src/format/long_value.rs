//! Ids of long values, and how a record refers to one (spec 07 sections 1.3 and 2).

/// Bit of a stored id, in its width, that tells ids of 64 bits from those of 32.
const WIDE_32: u32 = 1 << 31;
/// The same in ids of 64 bits.
const WIDE_64: u64 = 1 << 63;

/// Id of a long value in the tree of its table: 32 bits with the top bit clear, or 64 bits with the top bit set, so that
/// the number alone tells the width.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LongValueId(pub u64);

/// A reference that is none. Lengths are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The number of bytes fits no id.
    #[error("expected 4 or 8 bytes, found {found}")]
    Length {
        /// The length found.
        found: usize,
    },
    /// The id does not have the top bit of its width.
    #[error("expected 4 bytes without or 8 bytes with the top bit set, found {found:#x} in {bytes} bytes")]
    Width {
        /// The id found.
        found: u64,
        /// The length of the reference.
        bytes: usize,
    },
    /// Zero is no id.
    #[error("expected a number above 0, found 0")]
    Zero,
}

impl LongValueId {
    /// The id in the bytes of a reference (little-endian, 4 or 8 bytes).
    ///
    /// # Errors
    /// [`ReferenceError`] if the bytes are no id of their width.
    pub fn from_reference(bytes: &[u8]) -> Result<LongValueId, ReferenceError> {
        let (id, fits) = if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
            let id = u32::from_le_bytes(bytes);
            (u64::from(id), id & WIDE_32 == 0)
        } else if let Ok(bytes) = <[u8; 8]>::try_from(bytes) {
            let id = u64::from_le_bytes(bytes);
            (id, id & WIDE_64 != 0)
        } else {
            return Err(ReferenceError::Length { found: bytes.len() });
        };
        match id {
            0 => Err(ReferenceError::Zero),
            _ if !fits => Err(ReferenceError::Width { found: id, bytes: bytes.len() }),
            _ => Ok(LongValueId(id)),
        }
    }
}

impl std::fmt::Display for LongValueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_both_widths_are_read() {
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0]), Ok(LongValueId(1)));
        let wide = [1, 0, 0, 0x80, 0, 0, 0, 0x80];
        assert_eq!(LongValueId::from_reference(&wide), Ok(LongValueId(0x8000_0000_8000_0001)));
    }

    #[test]
    fn what_is_no_id_of_its_width_is_refused() {
        assert_eq!(LongValueId::from_reference(&[]), Err(ReferenceError::Length { found: 0 }));
        assert_eq!(LongValueId::from_reference(&[1; 5]), Err(ReferenceError::Length { found: 5 }));
        assert_eq!(LongValueId::from_reference(&[0; 4]), Err(ReferenceError::Zero));
        assert_eq!(LongValueId::from_reference(&[0; 8]), Err(ReferenceError::Zero));
        let narrow = ReferenceError::Width { found: 0x8000_0001, bytes: 4 };
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0x80]), Err(narrow));
        let wide = ReferenceError::Width { found: 1, bytes: 8 };
        assert_eq!(LongValueId::from_reference(&[1, 0, 0, 0, 0, 0, 0, 0]), Err(wide));
    }
}
