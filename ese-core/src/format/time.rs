//! `LOGTIME`: the eight bytes in which the engine stores a calendar time (spec 01 section 8).
//!
//! The bytes are kept as they lie, so that equal times compare equal byte for byte and a damaged time can still be
//! shown. Nothing here converts between time zones: a time that is not UTC was the local time of its machine.

use std::fmt;

/// The year that a year byte of 0 stands for.
const YEAR_ZERO: u16 = 1900;

/// Bit of byte 6 that tells UTC from local time; the other seven are the low part of the milliseconds.
const TIME_IS_UTC: u8 = 0x01;

/// Bit of byte 7 that marks a backup time taken with a snapshot of the operating system.
const OS_SNAPSHOT: u8 = 0x01;

/// Bits of byte 7 above the mark that hold the high part of the milliseconds.
const MILLISECONDS_HIGH: u8 = 0x0e;

/// A calendar time as stored. All bytes zero means "never".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LogTime([u8; LogTime::SIZE]);

impl LogTime {
    /// Bytes of a stored time.
    pub const SIZE: usize = 8;

    /// The time in these bytes: any bytes are one, if not a [plausible](Self::plausible) one.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The bytes as they were stored.
    #[must_use]
    pub const fn bytes(self) -> [u8; Self::SIZE] {
        self.0
    }

    /// True if no time was ever written here.
    #[must_use]
    pub fn is_never(self) -> bool {
        self.0 == [0; Self::SIZE]
    }

    /// True for UTC, false for the local time of the machine that wrote it.
    #[must_use]
    pub const fn is_utc(self) -> bool {
        self.0[6] & TIME_IS_UTC != 0
    }

    /// True for a backup time that belongs to a snapshot made by the operating system.
    #[must_use]
    pub const fn is_os_snapshot(self) -> bool {
        self.0[7] & OS_SNAPSHOT != 0
    }

    /// Year of the common era, 1900 to 2155.
    #[must_use]
    pub fn year(self) -> u16 {
        YEAR_ZERO + u16::from(self.0[5])
    }

    /// Month, 1-based.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.0[4]
    }

    /// Day of the month, 1-based.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.0[3]
    }

    /// Hour of the day, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.0[2]
    }

    /// Minute of the hour.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.0[1]
    }

    /// Second of the minute.
    #[must_use]
    pub const fn second(self) -> u8 {
        self.0[0]
    }

    /// Thousandths of the second. Old engines store none.
    #[must_use]
    pub fn millisecond(self) -> u16 {
        let low = u16::from(self.0[6] >> 1);
        let high = u16::from((self.0[7] & MILLISECONDS_HIGH) >> 1);
        low + 128 * high
    }

    /// True if a clock could have shown this time, or if it is "never" (check H10).
    #[must_use]
    pub fn plausible(self) -> bool {
        self.is_never()
            || (1..=days_in_month(self.year(), self.month())).contains(&self.day())
                && self.hour() < 24
                && self.minute() < 60
                && self.second() < 60
                && self.millisecond() < 1000
    }
}

/// Days of a month; 0 for a month that does not exist.
fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// ISO 8601 with `Z` if it is UTC and without a zone if it is not; `never` where nothing was written. A time that is
/// not plausible shows its fields all the same.
impl fmt::Display for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("never");
        }
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())?;
        write!(f, "T{:02}:{:02}:{:02}.{:03}", self.hour(), self.minute(), self.second(), self.millisecond())?;
        if self.is_utc() { f.write_str("Z") } else { Ok(()) }
    }
}

impl fmt::Debug for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogTime({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2 January 2026, 03:04:05.678 UTC: 678 = 38 + 128 * 5.
    const UTC: [u8; 8] = [5, 4, 3, 2, 1, 126, 38 << 1 | 1, 5 << 1];

    fn changed(at: usize, to: u8) -> LogTime {
        let mut bytes = UTC;
        bytes[at] = to;
        LogTime::from_bytes(bytes)
    }

    #[test]
    fn a_time_shows_as_iso_8601() {
        assert_eq!(LogTime::from_bytes(UTC).to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(changed(6, 38 << 1).to_string(), "2026-01-02T03:04:05.678");
        assert_eq!(LogTime::default().to_string(), "never");
    }

    #[test]
    fn the_snapshot_mark_and_unused_bits_are_no_part_of_the_time() {
        let marked = changed(7, 0xf0 | 5 << 1 | 1);
        assert!(marked.is_os_snapshot());
        assert!(!LogTime::from_bytes(UTC).is_os_snapshot());
        assert_eq!(marked.to_string(), "2026-01-02T03:04:05.678Z");
        assert!(marked.plausible());
    }

    #[test]
    fn fields_that_no_clock_shows_are_implausible() {
        assert!(LogTime::from_bytes(UTC).plausible());
        assert!(LogTime::default().plausible());
        for (at, to) in [(0, 60), (1, 60), (2, 24), (3, 0), (3, 32), (4, 0), (4, 13)] {
            assert!(!changed(at, to).plausible(), "byte {at} = {to}");
        }
        assert!(!LogTime::from_bytes([5, 4, 3, 2, 1, 126, 0xff, 0x0e]).plausible(), "1023 milliseconds");
    }

    #[test]
    fn february_has_29_days_in_leap_years_only() {
        let day_29 = |year: u8| LogTime::from_bytes([0, 0, 0, 29, 2, year, 0, 0]).plausible();
        assert!(day_29(124)); // 2024
        assert!(!day_29(126)); // 2026
        assert!(!day_29(0)); // 1900
        assert!(day_29(100)); // 2000
        assert!(!day_29(200)); // 2100
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_and_kept(bytes: [u8; 8]) {
            let time = LogTime::from_bytes(bytes);
            prop_assert_eq!(time.bytes(), bytes);
            prop_assert!(time.millisecond() < 1024);
            let shown = time.to_string();
            prop_assert_eq!(shown.ends_with('Z'), time.is_utc());
        }
    }
}
