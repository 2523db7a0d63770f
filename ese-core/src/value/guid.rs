//! `GUID`: 16 bytes, of which the first three groups are little-endian (spec 05 section 6).

use std::fmt;

/// A GUID as stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid([u8; Guid::SIZE]);

/// Where each byte of the text comes from, in the stored bytes.
const TEXT_ORDER: [usize; Guid::SIZE] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
/// Bytes of the text that a dash comes before.
const DASHES: [usize; 4] = [4, 6, 8, 10];
const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl Guid {
    /// Bytes of a stored GUID.
    pub const SIZE: usize = 16;
    /// Bytes of its text.
    pub const TEXT_BYTES: usize = 36;

    /// The GUID in these bytes; any bytes are one.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Guid {
        Guid(bytes)
    }

    /// The bytes as they were stored.
    #[must_use]
    pub const fn bytes(self) -> [u8; Self::SIZE] {
        self.0
    }

    /// The bytes in the order of the text, which is the order of RFC 9562.
    #[must_use]
    pub fn big_endian(self) -> [u8; Self::SIZE] {
        TEXT_ORDER.map(|from| self.0[from])
    }

    /// Writes the text into `buffer`, without allocating: `c689aab8-8e78-11d0-8c47-00c04fc295ee`.
    pub fn write_text(self, buffer: &mut [u8; Self::TEXT_BYTES]) -> &str {
        let mut to = buffer.iter_mut();
        let mut put = |byte: u8| {
            if let Some(place) = to.next() {
                *place = byte;
            }
        };
        for (i, byte) in self.big_endian().into_iter().enumerate() {
            if DASHES.contains(&i) {
                put(b'-');
            }
            put(DIGITS[usize::from(byte >> 4)]);
            put(DIGITS[usize::from(byte & 0xF)]);
        }
        str::from_utf8(buffer).unwrap_or_default()
    }
}

/// In small letters, without braces.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.write_text(&mut [0; Self::TEXT_BYTES]))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_groups_are_turned_round() {
        let guid = Guid::from_bytes([
            0xB8, 0xAA, 0x89, 0xC6, 0x78, 0x8E, 0xD0, 0x11, 0x8C, 0x47, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE,
        ]);
        assert_eq!(guid.to_string(), "c689aab8-8e78-11d0-8c47-00c04fc295ee");
        assert_eq!(guid.big_endian()[..4], [0xC6, 0x89, 0xAA, 0xB8]);
    }
}
