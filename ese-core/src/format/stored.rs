//! How fixed-size values lie in bytes: little-endian, at any alignment, and zero where the bytes end too soon.
//!
//! For headers, whose older versions are shorter and whose missing end means zero. Never use it where a missing byte
//! is an error: it cannot tell one.

use super::geometry::{Dbtime, Objid, Pgno};
use super::log_position::{BackupInfo, LogPosition};
use super::signature::Signature;
use super::time::LogTime;

/// A value with one size and one meaning for every byte pattern.
pub(super) trait Stored {
    /// Bytes it takes.
    const SIZE: usize;

    /// The value at offset `at` of `bytes`.
    fn read(bytes: &[u8], at: usize) -> Self;
}

/// The `N` bytes at offset `at`; what lies behind the end counts as zero.
pub(super) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    let stored = bytes.get(at..).unwrap_or_default();
    for (to, from) in part.iter_mut().zip(stored) {
        *to = *from;
    }
    part
}

/// Implements `Stored` by a function that takes the bytes as an array.
macro_rules! stored {
    ($($type:ty: $size:expr, $from:expr;)*) => {$(
        impl $crate::format::stored::Stored for $type {
            const SIZE: usize = $size;

            fn read(bytes: &[u8], at: usize) -> Self {
                $from($crate::format::stored::part::<{ $size }>(bytes, at))
            }
        }
    )*};
}

pub(super) use stored;

stored! {
    u16: 2, u16::from_le_bytes;
    u32: 4, u32::from_le_bytes;
    i32: 4, i32::from_le_bytes;
    u64: 8, u64::from_le_bytes;
    Pgno: 4, |bytes| Pgno(u32::from_le_bytes(bytes));
    Objid: 4, |bytes| Objid(u32::from_le_bytes(bytes));
    Dbtime: 8, |bytes| Dbtime(u64::from_le_bytes(bytes));
    LogTime: LogTime::SIZE, LogTime::from_bytes;
    LogPosition: LogPosition::SIZE, LogPosition::from_bytes;
    BackupInfo: BackupInfo::SIZE, BackupInfo::from_bytes;
    Signature: Signature::SIZE, Signature::from_bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_behind_the_end_count_as_zero() {
        assert_eq!(part::<4>(&[1, 2, 3], 1), [2, 3, 0, 0]);
        assert_eq!(part::<4>(&[1, 2, 3], usize::MAX), [0; 4]);
    }

    #[test]
    fn numbers_are_little_endian_at_any_alignment() {
        let bytes = [0xff, 0x20, 0x06, 0x00, 0x00];
        assert_eq!(u32::read(&bytes, 1), 0x620);
        assert_eq!(u16::read(&bytes, 0), 0x20ff);
    }
}
