//! What can be wrong with a compressed value (spec 07 section 4).
//!
//! An error names the scheme and, in a broken stream, the input byte and what should have been there. It never
//! carries content of the value.

use super::Scheme;

/// `JET_errDecompressionFailed`.
const DECOMPRESSION_FAILED: i32 = -1620;
/// `JET_errCompressionIntegrityCheckFailed`.
const INTEGRITY_CHECK_FAILED: i32 = -431;

/// Why a compressed value could not be decompressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecompressError {
    /// There is not even the byte that names the scheme.
    #[error("expected a byte that names the compression, found no bytes")]
    Empty,
    /// The id (0 or 8 to 31) belongs to no scheme.
    #[error("compression scheme {0} is not known, expected 1 to 7")]
    Unknown(u8),
    /// Maintenance has overwritten the value: there are no data.
    #[error("the value was scrubbed, its data are gone")]
    Scrubbed,
    /// A known scheme whose stream format is not public. What can be checked without decoding was right.
    #[error("{0} cannot be decoded: its format is not public")]
    Unsupported(Scheme),
    /// The value needs more bytes than the caller allows.
    #[error("{scheme}: decompresses to {size} bytes or more, expected at most {limit}")]
    TooLarge {
        /// The scheme that the value names.
        scheme: Scheme,
        /// Bytes that were stated by the value; in XPRESS9 those of the blocks so far.
        size: usize,
        /// Bytes that the caller allows.
        limit: usize,
    },
    /// The stream breaks the rules of its scheme.
    #[error("{scheme}: at byte {at}: {fault}")]
    Broken {
        /// The scheme that the value names.
        scheme: Scheme,
        /// Where: bytes from the start of the compressed value, scheme byte included.
        at: usize,
        /// What was expected and found.
        fault: Fault,
    },
    /// A checksum over the value is wrong.
    #[error("{scheme}: stored checksum {stored:#x}, computed {computed:#x}")]
    Checksum {
        /// The scheme that the value names.
        scheme: Scheme,
        /// The checksum in the value: CRC-32C of the data in XPRESS9, CRC-64 of the stream in XPRESS10.
        stored: u64,
        /// The checksum of the bytes that are there.
        computed: u64,
    },
}

impl DecompressError {
    /// The number of the JET error that the engine has for this.
    #[must_use]
    pub const fn jet(&self) -> i32 {
        match self {
            Self::Checksum { .. } => INTEGRITY_CHECK_FAILED,
            Self::Empty
            | Self::Unknown(_)
            | Self::Scrubbed
            | Self::Unsupported(_)
            | Self::TooLarge { .. }
            | Self::Broken { .. } => DECOMPRESSION_FAILED,
        }
    }
}

/// What was expected at a byte of a broken stream, and what was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The input is at its end before this.
    #[error("expected {0}, found the end of the input")]
    Ends(&'static str),
    /// This is missing; what stands there instead is not a number worth telling.
    #[error("expected {0}")]
    Missing(&'static str),
    /// A number lies outside of what it can be here.
    #[error("{what} is {found:#x}, expected {least:#x} to {most:#x}")]
    Value {
        /// The number's meaning.
        what: &'static str,
        /// The number in the stream.
        found: u64,
        /// The least it can be.
        least: u64,
        /// The most it can be; the same as the least where there is one choice only, and below it where there is none.
        most: u64,
    },
}

impl Fault {
    /// A [`Fault::Value`] from numbers of any width.
    pub(super) fn value<N>(what: &'static str, found: N, least: N, most: N) -> Fault
    where
        N: TryInto<u64>,
    {
        let wide = |number: N| number.try_into().unwrap_or(u64::MAX);
        Fault::Value { what, found: wide(found), least: wide(least), most: wide(most) }
    }
}
