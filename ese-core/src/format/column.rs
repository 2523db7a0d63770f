//! Column types, column flags and the ranges of column ids (spec 05 sections 4 and 6).
//!
//! What the catalog says of a column in numbers gets its names here. Nothing here reads a record or knows a column's
//! value.

use bitflags::bitflags;
use thiserror::Error;

/// Code page of text that is stored as UTF-16, little-endian. Text of every other code page is bytes.
pub const CODE_PAGE_UNICODE: u32 = 1200;

/// The number of a column type that the format does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("column type: expected 0 to 18, found {0}")]
pub struct UnknownColumnType(pub u32);

/// The type of a column, by the number that the catalog stores (spec 05 section 6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ColumnType {
    /// 0: the column was deleted, its place remains.
    Nil,
    /// 1: one byte, zero is false.
    Bit,
    /// 2: unsigned, 1 byte.
    UnsignedByte,
    /// 3: signed, 2 bytes.
    Short,
    /// 4: signed, 4 bytes.
    Long,
    /// 5: signed, 8 bytes, in units of 1/10,000.
    Currency,
    /// 6: floating point, 4 bytes.
    IeeeSingle,
    /// 7: floating point, 8 bytes.
    IeeeDouble,
    /// 8: floating point, 8 bytes, days since 1899-12-30.
    DateTime,
    /// 9: up to 255 bytes.
    Binary,
    /// 10: text of up to 255 bytes.
    Text,
    /// 11: up to 2 GiB.
    LongBinary,
    /// 12: text of up to 2 GiB.
    LongText,
    /// 13: streamed outside the database; obsolete.
    Streaming,
    /// 14: unsigned, 4 bytes.
    UnsignedLong,
    /// 15: signed, 8 bytes.
    LongLong,
    /// 16: 16 bytes.
    Guid,
    /// 17: unsigned, 2 bytes.
    UnsignedShort,
    /// 18: unsigned, 8 bytes.
    UnsignedLongLong,
}

impl ColumnType {
    /// All types; the place of each is its number.
    pub const ALL: [ColumnType; 19] = [
        Self::Nil,
        Self::Bit,
        Self::UnsignedByte,
        Self::Short,
        Self::Long,
        Self::Currency,
        Self::IeeeSingle,
        Self::IeeeDouble,
        Self::DateTime,
        Self::Binary,
        Self::Text,
        Self::LongBinary,
        Self::LongText,
        Self::Streaming,
        Self::UnsignedLong,
        Self::LongLong,
        Self::Guid,
        Self::UnsignedShort,
        Self::UnsignedLongLong,
    ];

    /// The number that the catalog stores.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name as the engine's interface spells it, without its prefix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nil => "Nil",
            Self::Bit => "Bit",
            Self::UnsignedByte => "UnsignedByte",
            Self::Short => "Short",
            Self::Long => "Long",
            Self::Currency => "Currency",
            Self::IeeeSingle => "IEEESingle",
            Self::IeeeDouble => "IEEEDouble",
            Self::DateTime => "DateTime",
            Self::Binary => "Binary",
            Self::Text => "Text",
            Self::LongBinary => "LongBinary",
            Self::LongText => "LongText",
            Self::Streaming => "SLV",
            Self::UnsignedLong => "UnsignedLong",
            Self::LongLong => "LongLong",
            Self::Guid => "GUID",
            Self::UnsignedShort => "UnsignedShort",
            Self::UnsignedLongLong => "UnsignedLongLong",
        }
    }

    /// Bytes of every value of the type; `None` where values differ in length, and for types without values.
    #[must_use]
    pub const fn fixed_size(self) -> Option<usize> {
        match self {
            Self::Bit | Self::UnsignedByte => Some(1),
            Self::Short | Self::UnsignedShort => Some(2),
            Self::Long | Self::UnsignedLong | Self::IeeeSingle => Some(4),
            Self::Currency | Self::LongLong | Self::UnsignedLongLong | Self::IeeeDouble | Self::DateTime => Some(8),
            Self::Guid => Some(16),
            Self::Nil | Self::Binary | Self::Text | Self::LongBinary | Self::LongText | Self::Streaming => None,
        }
    }

    /// True for the types whose values may lie outside the record and be compressed.
    #[must_use]
    pub const fn is_long(self) -> bool {
        matches!(self, Self::LongBinary | Self::LongText)
    }

    /// True for text, short or long.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::LongText)
    }

    /// True for binary, short or long.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Binary | Self::LongBinary)
    }
}

impl TryFrom<u32> for ColumnType {
    type Error = UnknownColumnType;

    fn try_from(number: u32) -> Result<Self, UnknownColumnType> {
        let place = usize::try_from(number).map_err(|_| UnknownColumnType(number))?;
        Self::ALL.get(place).copied().ok_or(UnknownColumnType(number))
    }
}

/// Where a record keeps a column, which its id tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ColumnKind {
    /// Ids 1 to 127: at an offset that is the same in every record.
    Fixed,
    /// Ids 128 to 255: up to 255 bytes, found by its end offset.
    Variable,
    /// Ids from 256: stored only where a record has it, once or several times.
    Tagged,
}

impl ColumnKind {
    /// Highest id of a fixed column.
    pub const FIXED_LAST: u16 = 127;
    /// Highest id of a variable column.
    pub const VARIABLE_LAST: u16 = 255;

    /// The kind of the column `id`; `None` for 0, which names no column.
    #[must_use]
    pub const fn of(id: u16) -> Option<ColumnKind> {
        if id == 0 {
            None
        } else if id <= Self::FIXED_LAST {
            Some(Self::Fixed)
        } else if id <= Self::VARIABLE_LAST {
            Some(Self::Variable)
        } else {
            Some(Self::Tagged)
        }
    }
}

bitflags! {
    /// The low 16 bits of a column row's flags (spec 05 section 4). Unknown bits are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct ColumnFlags: u16 {
        /// NULL is not allowed.
        const NOT_NULL = 0x0001;
        /// Counts the updates of its record.
        const VERSION = 0x0002;
        /// Numbered by the engine.
        const AUTOINCREMENT = 0x0004;
        /// Each of several values gets an index entry; set on tagged columns only.
        const MULTI_VALUED = 0x0008;
        /// Records that do not store the column have a default value.
        const DEFAULT = 0x0010;
        /// Changed by increments that need no lock on the record.
        const ESCROW = 0x0020;
        /// The record is finalized when the value reaches zero.
        const FINALIZE = 0x0040;
        /// The default comes from a callback.
        const USER_DEFINED_DEFAULT = 0x0080;
        /// Belongs to a template table.
        const TEMPLATE = 0x0100;
        /// The record is deleted when the value reaches zero.
        const DELETE_ON_ZERO = 0x0200;
        /// Stands for a column that the primary key had once.
        const PRIMARY_KEY_PLACEHOLDER = 0x0800;
        /// Long values may be compressed.
        const COMPRESSED = 0x1000;
        /// Long values are encrypted.
        const ENCRYPTED = 0x2000;

        const _ = !0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_each_type_is_its_number() {
        for (place, column_type) in ColumnType::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(column_type.number()), place);
            assert_eq!(ColumnType::try_from(u32::from(column_type.number())), Ok(column_type));
        }
        assert_eq!(ColumnType::try_from(14), Ok(ColumnType::UnsignedLong));
        assert_eq!(ColumnType::try_from(19), Err(UnknownColumnType(19)));
        assert_eq!(ColumnType::try_from(u32::MAX), Err(UnknownColumnType(u32::MAX)));
    }

    #[test]
    fn sizes_are_those_of_the_table_of_types() {
        let sizes = ColumnType::ALL.map(|t| t.fixed_size().unwrap_or(0));
        assert_eq!(sizes, [0, 1, 1, 2, 4, 8, 4, 8, 8, 0, 0, 0, 0, 0, 4, 8, 16, 2, 8]);
    }

    #[test]
    fn types_without_a_size_are_text_binary_or_nothing() {
        for column_type in ColumnType::ALL {
            let nothing = matches!(column_type, ColumnType::Nil | ColumnType::Streaming);
            let varying = column_type.is_text() || column_type.is_binary() || nothing;
            assert_eq!(column_type.fixed_size().is_none(), varying, "{}", column_type.name());
            assert!(!column_type.is_long() || varying);
        }
    }

    #[test]
    fn the_id_tells_where_a_column_lies() {
        assert_eq!(ColumnKind::of(0), None);
        for (first, last, kind) in
            [(1, 127, ColumnKind::Fixed), (128, 255, ColumnKind::Variable), (256, u16::MAX, ColumnKind::Tagged)]
        {
            assert_eq!((ColumnKind::of(first), ColumnKind::of(last)), (Some(kind), Some(kind)));
        }
    }
}
