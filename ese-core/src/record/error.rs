//! What keeps a record, or one column of it, from being read.

use thiserror::Error;

use super::tagged::Origin;
use crate::format::ColumnKind;
use crate::format::record::{ENTRY_BYTES, NO_VARIABLE, RECORD_HEADER_BYTES, VALUE_WORD_BYTES};

/// A part of a record that cannot be read, and where the first wrong byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{}{fault}", fault.place())]
pub struct RecordError {
    /// Offset of the first wrong byte, in bytes from the start of the record.
    pub at: usize,
    /// What is wrong there.
    pub fault: RecordFault,
}

/// What is wrong. Sizes and offsets are in bytes. Its text leaves the column to [`RecordFault::column`], so that who knows
/// the name can say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RecordFault {
    /// The record has no room for its header.
    #[error("size: expected at least {RECORD_HEADER_BYTES} bytes, found {found}")]
    TooShort {
        /// Size of the record.
        found: usize,
    },
    /// The highest fixed id is none.
    #[error("highest fixed id: expected at most {}, found {found}", ColumnKind::FIXED_LAST)]
    LastFixed {
        /// The id.
        found: u8,
    },
    /// The highest variable id is none.
    #[error("highest variable id: expected {NO_VARIABLE} or more, found {found}")]
    LastVariable {
        /// The id.
        found: u8,
    },
    /// The fixed data end inside the header or the NULL bit map, or behind the record.
    #[error("end of fixed data: expected {least} to {most}, found {found}")]
    FixedEnd {
        /// Header and bit map.
        least: usize,
        /// Size of the record.
        most: usize,
        /// The end.
        found: usize,
    },
    /// The end offsets of the variable columns do not fit the record.
    #[error("end offsets of variable columns: expected to end at or before {most}, found {found}")]
    EndOffsets {
        /// Size of the record.
        most: usize,
        /// Where they end.
        found: usize,
    },
    /// A fixed column lies outside the fixed data.
    #[error("expected to end at or before {most}, found {found}")]
    FixedColumn {
        /// Id of the column.
        id: u16,
        /// Where the fixed data end.
        most: usize,
        /// Where the column would end.
        found: usize,
    },
    /// A variable column ends before it begins, or behind the record. Offsets count from the end of the end offsets.
    #[error("expected to end at {least} to {most}, found {found}")]
    VariableEnd {
        /// Id of the column.
        id: u16,
        /// Where it begins.
        least: usize,
        /// Where the record ends.
        most: usize,
        /// Where it ends.
        found: usize,
    },
    /// The offset of the first tagged column does not tell how many there are. It counts from the first entry.
    #[error(
        "first tagged column: expected an offset of {ENTRY_BYTES} to {most} that is a multiple of {ENTRY_BYTES}, found {found}"
    )]
    FirstEntry {
        /// Bytes of the tagged part.
        most: usize,
        /// The offset.
        found: usize,
    },
    /// The tagged part is too short for one entry.
    #[error("tagged columns: expected at least {ENTRY_BYTES} bytes, found {found}")]
    NoEntry {
        /// Bytes of the tagged part.
        found: usize,
    },
    /// The data of a tagged column lie outside their place. Offsets count from the first entry.
    #[error("expected data inside {least} to {most}, found {start} to {end}")]
    TaggedData {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
        /// The end of the entries.
        least: usize,
        /// The end of the record.
        most: usize,
        /// Where the data begin.
        start: usize,
        /// Where they end.
        end: usize,
    },
    /// The data of a tagged column should begin with the extended byte, and there are none.
    #[error("expected the extended byte, found no data")]
    NoExtendedByte {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
    },
    /// The first of two values is longer than both.
    #[error("expected at most {most} bytes in the first of two values, found {found}")]
    FirstOfTwo {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
        /// Bytes of both.
        most: usize,
        /// The size of the first.
        found: usize,
    },
    /// The offset of the first of several values does not tell how many there are.
    #[error("expected the first of several values at an even offset of {} to {most}, found {found}", 2 * VALUE_WORD_BYTES)]
    FirstValue {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
        /// Bytes of offsets and values.
        most: usize,
        /// The offset.
        found: usize,
    },
    /// A value lies outside its place. Offsets count from the first offset word.
    #[error("value {sequence}, expected inside {least} to {most}, found {start} to {end}")]
    Value {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
        /// Number of the value, 1-based.
        sequence: usize,
        /// The end of the offset words.
        least: usize,
        /// The end of the column's data.
        most: usize,
        /// Where it begins.
        start: usize,
        /// Where it ends.
        end: usize,
    },
    /// There is a second entry of the same tagged column.
    #[error("expected one entry, found another")]
    Repeated {
        /// Id of the column.
        id: u16,
        /// Whose column it is.
        origin: Origin,
    },
}

impl RecordFault {
    /// The column that cannot be read, and whose it is; `None` if it is not about one column.
    #[must_use]
    pub fn column(&self) -> Option<(u16, Origin)> {
        match *self {
            Self::FixedColumn { id, .. } | Self::VariableEnd { id, .. } => Some((id, Origin::Own)),
            Self::TaggedData { id, origin, .. }
            | Self::NoExtendedByte { id, origin }
            | Self::FirstOfTwo { id, origin, .. }
            | Self::FirstValue { id, origin, .. }
            | Self::Repeated { id, origin }
            | Self::Value { id, origin, .. } => Some((id, origin)),
            _ => None,
        }
    }

    /// Where it is, in front of what is wrong: "column 256: ", or nothing.
    fn place(&self) -> String {
        self.column().map_or_else(String::new, |(id, _)| format!("column {id}: "))
    }

    /// The error that this fault is, at byte `at` of the record.
    pub(crate) fn at(self, at: usize) -> RecordError {
        RecordError { at, fault: self }
    }
}
