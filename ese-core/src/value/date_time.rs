//! `DateTime`: eight bytes that are a count of days or a `FILETIME` (spec 05 section 6).
//!
//! The engine stores what its caller gives it. By its interface that is an OLE automation date: a double, days since
//! 30 December 1899; several programs, the engine's own catalog too, store a `FILETIME`: 100 ns since 1601. No bits
//! are plausible as both, so the bits decide; which it was is never guessed from the column.

use std::fmt;

use super::error::ValueError;

/// How the bytes were taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DateTimeForm {
    /// A double, days since 1899-12-30T00:00:00.
    OleAutomation,
    /// An integer, units of 100 ns since 1601-01-01T00:00:00.
    FileTime,
}

impl DateTimeForm {
    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OleAutomation => "ole-automation",
            Self::FileTime => "filetime",
        }
    }
}

const SECONDS_PER_DAY: u32 = 86_400;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_DAY: u64 = SECONDS_PER_DAY as u64 * NANOS_PER_SECOND;
/// Units of a `FILETIME` in a day, and nanoseconds of a unit.
const FILETIME_PER_DAY: u64 = NANOS_PER_DAY / FILETIME_NANOS;
const FILETIME_NANOS: u64 = 100;

/// Julian day numbers, as `time` counts them: of day 0 of both forms, and of 1970.
const JULIAN_1899: i32 = 2_415_019;
const JULIAN_1601: i32 = 2_305_814;
const JULIAN_1970: i32 = 2_440_588;

/// Days of the years 100 to 9999 as OLE automation defines them; the last one is not in.
const OLE_DAYS: std::ops::Range<f64> = -657_434.0..2_958_466.0;
/// Closer to day 0 than this (0.1 us), and not day 0 itself, is no time that a clock showed: here lie the `FILETIME`s.
const OLE_LEAST: f64 = 1e-12;
/// The last day of 9999.
const FILETIME_DAYS_MOST: u64 = 3_067_670;

/// A time, UTC by convention: neither form has a time zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    form: DateTimeForm,
    /// Julian day number.
    day: i32,
    /// Nanoseconds of the day.
    nanos: u64,
}

impl DateTime {
    /// Bytes of a stored value.
    pub const SIZE: usize = 8;
    /// Most bytes of the text: `2026-01-02T03:04:05.123456789Z`.
    pub const TEXT_BYTES: usize = 30;

    /// The time in these bytes.
    ///
    /// # Errors
    /// [`ValueError::NoTime`] if they are plausible in neither form.
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Result<DateTime, ValueError> {
        let bits = u64::from_le_bytes(bytes);
        from_days(f64::from_bits(bits)).or_else(|| from_filetime(bits)).ok_or(ValueError::NoTime { bits })
    }

    /// How the bytes were taken.
    #[must_use]
    pub const fn form(self) -> DateTimeForm {
        self.form
    }

    /// Microseconds since 1970-01-01T00:00:00; what is finer is cut off.
    #[must_use]
    pub fn unix_micros(self) -> i64 {
        let micros = i64::try_from(self.nanos / 1_000).unwrap_or_default();
        i64::from(self.day - JULIAN_1970) * i64::from(SECONDS_PER_DAY) * 1_000_000 + micros
    }

    /// Nanoseconds of the second.
    #[must_use]
    pub fn subsecond_nanos(self) -> u32 {
        u32::try_from(self.nanos % NANOS_PER_SECOND).unwrap_or_default()
    }

    /// Writes ISO 8601 into `buffer`, without allocating: `2026-01-02T03:04:05Z`, and as many places of the second as
    /// the value has.
    pub fn write_text(self, buffer: &mut [u8; Self::TEXT_BYTES]) -> &str {
        let (year, month, day) = time::Date::from_julian_day(self.day)
            .map_or((0, 0, 0), |date| (date.year(), u8::from(date.month()), date.day()));
        let seconds = u32::try_from(self.nanos / NANOS_PER_SECOND).unwrap_or_default();
        let mut out = Digits { to: buffer, len: 0 };
        out.number(year.unsigned_abs(), 4, b'-');
        out.number(month.into(), 2, b'-');
        out.number(day.into(), 2, b'T');
        out.number(seconds / 3600, 2, b':');
        out.number(seconds / 60 % 60, 2, b':');
        let fraction = self.subsecond_nanos();
        if fraction == 0 {
            out.number(seconds % 60, 2, b'Z');
        } else {
            out.number(seconds % 60, 2, b'.');
            let mut places = 9;
            let mut digits = fraction;
            while digits.is_multiple_of(10) {
                digits /= 10;
                places -= 1;
            }
            out.number(digits, places, b'Z');
        }
        let len = out.len;
        str::from_utf8(buffer.get(..len).unwrap_or_default()).unwrap_or_default()
    }
}

/// Puts numbers into a buffer, and drops what does not fit.
struct Digits<'b> {
    to: &'b mut [u8],
    len: usize,
}

impl Digits<'_> {
    fn number(&mut self, mut number: u32, places: usize, behind: u8) {
        if let Some(place) = self.to.get_mut(self.len..self.len + places + 1) {
            for (i, digit) in place.iter_mut().enumerate().rev() {
                if i == places {
                    *digit = behind;
                } else {
                    *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
                    number /= 10;
                }
            }
            self.len += places + 1;
        }
    }
}

/// The time of an OLE automation date. Before day 0 the whole part counts back, the fraction forward all the same.
fn from_days(days: f64) -> Option<DateTime> {
    if !OLE_DAYS.contains(&days) || (days != 0.0 && days.abs() < OLE_LEAST) || days.to_bits() == (-0.0_f64).to_bits() {
        return None;
    }
    let whole = days.trunc();
    // Exact: whole numbers far below 2^53, and what remains of a double without them.
    let fraction = (days - whole).abs();
    #[allow(clippy::cast_possible_truncation)] // OLE_DAYS: fits
    let mut day = JULIAN_1899 + whole as i32;
    let mut nanos = shortest_nanos(fraction, ulp(days));
    if nanos >= NANOS_PER_DAY {
        nanos -= NANOS_PER_DAY;
        day += 1;
    }
    (day <= time::Date::MAX.to_julian_day()).then_some(DateTime { form: DateTimeForm::OleAutomation, day, nanos })
}

/// Distance from `days` to the next double.
fn ulp(days: f64) -> f64 {
    let magnitude = days.abs();
    magnitude.next_up() - magnitude
}

/// A fraction of a day in nanoseconds: the shortest decimal that lies within `ulp` of it. A double of our time counts
/// in steps of 0.6 us, so that a whole second as stored is a little more or less than one; the shortest is the one that was meant.
fn shortest_nanos(fraction: f64, ulp: f64) -> u64 {
    #[allow(clippy::cast_precision_loss)] // 8.64e13 is a double
    let per_day = NANOS_PER_DAY as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 8.64e13
    let (nanos, within) = ((fraction * per_day).round() as u64, (ulp * per_day).floor() as u64);
    for unit in [NANOS_PER_SECOND, 1_000_000, 1_000] {
        let rounded = (nanos + unit / 2) / unit * unit;
        if rounded.abs_diff(nanos) <= within {
            return rounded;
        }
    }
    nanos
}

fn from_filetime(units: u64) -> Option<DateTime> {
    let days = units / FILETIME_PER_DAY;
    let day = JULIAN_1601.checked_add(i32::try_from(days).ok()?)?;
    (units > 0 && days <= FILETIME_DAYS_MOST).then_some(DateTime {
        form: DateTimeForm::FileTime,
        day,
        nanos: units % FILETIME_PER_DAY * FILETIME_NANOS,
    })
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.write_text(&mut [0; Self::TEXT_BYTES]))
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DateTime({self}, {})", self.form.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ole(days: f64) -> String {
        let time = DateTime::from_bytes(days.to_le_bytes()).unwrap();
        assert_eq!(time.form(), DateTimeForm::OleAutomation);
        time.to_string()
    }

    fn filetime(units: u64) -> String {
        let time = DateTime::from_bytes(units.to_le_bytes()).unwrap();
        assert_eq!(time.form(), DateTimeForm::FileTime);
        time.to_string()
    }

    #[test]
    fn a_double_is_days_since_1899() {
        assert_eq!(ole(0.0), "1899-12-30T00:00:00Z");
        assert_eq!(ole(2.5), "1900-01-01T12:00:00Z");
        assert_eq!(ole(25_569.0), "1970-01-01T00:00:00Z");
        assert_eq!(ole(-657_434.0), "0100-01-01T00:00:00Z");
        assert_eq!(ole(2_958_465.0), "9999-12-31T00:00:00Z");
    }

    #[test]
    fn before_day_0_the_hours_still_count_forward() {
        assert_eq!(ole(-1.25), "1899-12-29T06:00:00Z");
        assert_eq!(ole(-0.25), "1899-12-30T06:00:00Z");
    }

    #[test]
    fn a_whole_second_shows_as_one_whatever_its_double() {
        // 2021-03-04T05:06:07 in three ways of computing it, none of which is exact.
        let days: f64 = 44_259.0 + (5.0 * 3600.0 + 6.0 * 60.0 + 7.0) / 86_400.0;
        let by_parts = 44_259.0 + 5.0 / 24.0 + 6.0 / 1440.0 + 7.0 / 86_400.0;
        let from_seconds = (44_259.0 * 86_400.0 + 18_367.0) / 86_400.0;
        for days in [days, by_parts, from_seconds] {
            assert_eq!(ole(days), "2021-03-04T05:06:07Z");
        }
        assert_eq!(ole(days + 0.000_25 / 86.4), "2021-03-04T05:06:07.25Z");
    }

    #[test]
    fn near_day_0_a_double_tells_nanoseconds() {
        assert_eq!(ole(1e-9), "1899-12-30T00:00:00.0000864Z");
        assert_eq!(ole(123_456_789e-9 / 86_400.0), "1899-12-30T00:00:00.123456789Z");
    }

    #[test]
    fn an_integer_is_a_filetime_to_its_last_place() {
        assert_eq!(filetime(116_444_736_000_000_000), "1970-01-01T00:00:00Z");
        assert_eq!(filetime(132_593_295_671_234_567), "2021-03-04T11:06:07.1234567Z");
        assert_eq!(filetime(1), "1601-01-01T00:00:00.0000001Z");
        assert_eq!(filetime(2_650_467_743_999_999_999), "9999-12-31T23:59:59.9999999Z");
    }

    #[test]
    fn bits_that_are_neither_are_kept_as_they_are() {
        for bits in [
            2_650_467_744_000_000_000,
            u64::MAX,
            f64::NAN.to_bits(),
            f64::INFINITY.to_bits(),
            (-0.0_f64).to_bits(),
            2_958_466.0_f64.to_bits(),
            (-657_435.0_f64).to_bits(),
        ] {
            assert_eq!(DateTime::from_bytes(bits.to_le_bytes()), Err(ValueError::NoTime { bits }));
        }
    }

    #[test]
    fn no_bits_are_plausible_as_both() {
        let filetimes_most = 2_650_467_743_999_999_999_u64;
        assert!(f64::from_bits(filetimes_most) < OLE_LEAST);
        assert!(OLE_LEAST.to_bits() > filetimes_most);
    }

    #[test]
    fn microseconds_count_from_1970() {
        let time = |days: f64| DateTime::from_bytes(days.to_le_bytes()).unwrap().unix_micros();
        assert_eq!(time(25_569.0), 0);
        assert_eq!(time(25_568.5), -43_200_000_000);
    }

    proptest! {
        #[test]
        fn a_double_comes_back_from_its_text(seconds in 0..3_000_000_000_u32) {
            let days = 25_569.0 + f64::from(seconds) / 86_400.0;
            let micros = DateTime::from_bytes(days.to_le_bytes()).unwrap().unix_micros();
            prop_assert_eq!(micros, i64::from(seconds) * 1_000_000);
        }

        #[test]
        fn any_bits_are_a_time_with_a_text_or_an_error(bits: u64) {
            if let Ok(time) = DateTime::from_bytes(bits.to_le_bytes()) {
                let text = time.to_string();
                prop_assert!(text.len() >= 20 && text.ends_with('Z'), "{}", text);
            }
        }
    }
}
