//! `LE_LGPOS` and `BKINFO`: places in the log stream, and what a backup left behind (spec 01; layout: structs table).
//!
//! A position only names a place in a log: whether that log exists is for others to find out.

use std::fmt;

use super::stored::Stored;
use super::time::LogTime;

/// Offset in `LE_LGPOS` of the byte within the sector or segment (u16).
const IB: usize = 0;
/// Offset of the number of the sector or segment (u16).
const ISEC: usize = 2;
/// Offset of the generation (i32).
const GENERATION: usize = 4;

/// A place in the log stream; ordered as the stream is. All zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LogPosition {
    /// Number of the log file, from 1.
    pub generation: i32,
    /// Sector (old logs) or 4096-byte segment within the file.
    pub isec: u16,
    /// Byte within the sector or segment.
    pub ib: u16,
}

impl LogPosition {
    /// Bytes of a stored position.
    pub const SIZE: usize = 8;

    /// The position in these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self { generation: i32::read(&bytes, GENERATION), isec: u16::read(&bytes, ISEC), ib: u16::read(&bytes, IB) }
    }

    /// True if no position was stored.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// `(generation,isec,ib)` in hexadecimal, as `esentutl` writes it.
impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(0x{:X},{:X},{:X})", self.generation, self.isec, self.ib)
    }
}

/// Offset in `BKINFO` of the position (`LE_LGPOS`).
const MARK: usize = 0;
/// Offset of the time (`LOGTIME`).
const MARK_TIME: usize = 8;
/// Offset of the lowest generation (u32).
const GEN_LOW: usize = 16;
/// Offset of the highest generation (u32).
const GEN_HIGH: usize = 20;

/// What the header remembers of one backup. All zero if there was none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct BackupInfo {
    /// Where in the logs the backup was made.
    pub mark: LogPosition,
    /// When.
    pub time: LogTime,
    /// Lowest log generation that belongs to it.
    pub gen_low: u32,
    /// Highest log generation that belongs to it.
    pub gen_high: u32,
}

impl BackupInfo {
    /// Bytes of a stored backup entry.
    pub const SIZE: usize = 24;

    /// The entry in these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self {
            mark: LogPosition::read(&bytes, MARK),
            time: LogTime::read(&bytes, MARK_TIME),
            gen_low: u32::read(&bytes, GEN_LOW),
            gen_high: u32::read(&bytes, GEN_HIGH),
        }
    }

    /// True if there was no such backup.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// The generations in decimal and hexadecimal, the position, and the time.
impl fmt::Display for BackupInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mark, time, gen_low, gen_high } = self;
        write!(f, "Log Gen: {gen_low}-{gen_high} (0x{gen_low:x}-0x{gen_high:x})  Mark: {mark}  {time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_position_shows_generation_sector_byte_in_hex() {
        let position = LogPosition::from_bytes([0x1a, 0, 0x2e, 0, 8, 0, 0, 0]);
        assert_eq!(position, LogPosition { generation: 8, isec: 0x2e, ib: 0x1a });
        assert_eq!(position.to_string(), "(0x8,2E,1A)");
        assert!(!position.is_none());
        assert!(LogPosition::from_bytes([0; 8]).is_none());
    }

    #[test]
    fn a_backup_entry_is_read_field_by_field() {
        let mut bytes = [0; 24];
        bytes[4] = 7; // generation of the mark
        bytes[8..16].copy_from_slice(&[5, 4, 3, 2, 1, 126, 1, 0]);
        bytes[16] = 6;
        bytes[20] = 0x1f;
        let info = BackupInfo::from_bytes(bytes);
        assert_eq!(info.to_string(), "Log Gen: 6-31 (0x6-0x1f)  Mark: (0x7,0,0)  2026-01-02T03:04:05.000Z");
        assert!(!info.is_none());
        assert!(BackupInfo::from_bytes([0; 24]).is_none());
    }

    proptest! {
        #[test]
        fn positions_are_ordered_as_one_little_endian_number(a in 0..=u64::MAX >> 1, b in 0..=u64::MAX >> 1) {
            let at = |n: u64| LogPosition::from_bytes(n.to_le_bytes());
            prop_assert_eq!(a.cmp(&b), at(a).cmp(&at(b)));
        }
    }
}
