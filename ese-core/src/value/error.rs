//! What keeps bytes from being a value of their type.

use thiserror::Error;

/// Why bytes are not a value. The bytes themselves stay with the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ValueError {
    /// A type of fixed size has another one.
    #[error("{type_name} value: expected {expected} bytes, found {found}")]
    WrongSize {
        /// The type, as [`ColumnType::name`](crate::format::ColumnType::name) has it.
        type_name: &'static str,
        /// Bytes of the type.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// Neither a day count nor a `FILETIME` of the years 100 to 9999.
    #[error("DateTime value: expected a time of the years 100 to 9999, found the bits {bits:#018x}")]
    NoTime {
        /// The eight bytes as one number.
        bits: u64,
    },
    /// Text that its code page does not explain.
    #[error("text of code page {code_page}: {fault}")]
    Text {
        /// The Windows number of the code page.
        code_page: u32,
        /// What is wrong.
        fault: TextFault,
    },
    /// A type without values: a deleted column, or one that was streamed outside of the database.
    #[error("value of type {type_name}: expected none, found {found} bytes")]
    NoValues {
        /// The type.
        type_name: &'static str,
        /// Bytes found.
        found: usize,
    },
}

/// What is wrong with text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TextFault {
    /// UTF-16 that ends in half a code unit.
    #[error("expected an even number of bytes, found {found}")]
    OddLength {
        /// Bytes found.
        found: usize,
    },
    /// UTF-16 with one half of a surrogate pair alone.
    #[error("expected surrogates in pairs, found {unit:#06x} alone at byte {at}")]
    UnpairedSurrogate {
        /// Offset of the code unit, in bytes.
        at: usize,
        /// The code unit.
        unit: u16,
    },
    /// Bytes that are no character of the code page.
    #[error("expected its characters, found bytes that are none")]
    Malformed,
    /// A code page that nothing here knows.
    #[error("expected a known code page")]
    UnknownCodePage,
}
