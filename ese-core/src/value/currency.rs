//! `Currency`: a signed number of ten-thousandths (spec 05 section 6).

use std::fmt;

/// An amount in units of 1/10,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Currency(pub i64);

impl Currency {
    /// Units that make 1.
    pub const UNIT: u64 = 10_000;
    /// Decimal places.
    pub const SCALE: u32 = 4;
}

/// As a decimal number with four places: `-0.0001`.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:04}", units / Self::UNIT, units % Self::UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_four_places_and_keeps_its_sign() {
        for (units, text) in [
            (0, "0.0000"),
            (-1, "-0.0001"),
            (12_345, "1.2345"),
            (i64::MAX, "922337203685477.5807"),
            (i64::MIN, "-922337203685477.5808"),
        ] {
            assert_eq!(Currency(units).to_string(), text);
        }
    }
}
