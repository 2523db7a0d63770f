//! `SIGNATURE`: the 28 bytes by which databases, log streams and flush maps know each other (spec 01; layout: structs
//! table).
//!
//! Two signatures mean the same only if all their bytes are equal; nothing here takes a part of one for an identity.

use std::borrow::Cow;
use std::fmt;

use super::stored::{Stored, part};
use super::time::LogTime;

/// Offset of the random number (u32).
const RANDOM: usize = 0;
/// Offset of the time of creation (`LOGTIME`).
const CREATED: usize = 4;
/// Offset of the name of the computer (16 bytes, ends at the first NUL).
const COMPUTER: usize = 12;

/// An identity: random number, time, computer. All zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Signature {
    /// What makes it unique.
    pub random: u32,
    /// When it was made.
    pub created: LogTime,
    /// Name of the computer that made it, as stored; newer engines leave it empty.
    pub computer: [u8; 16],
}

impl Signature {
    /// Bytes of a stored signature.
    pub const SIZE: usize = 28;

    /// The signature in these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self {
            random: u32::read(&bytes, RANDOM),
            created: LogTime::read(&bytes, CREATED),
            computer: part(&bytes, COMPUTER),
        }
    }

    /// True if no signature was stored.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The name of the computer up to its NUL, with everything that is not printable ASCII escaped.
    #[must_use]
    pub fn computer_name(&self) -> Cow<'_, str> {
        let name = self.computer.split(|byte| *byte == 0).next().unwrap_or_default();
        match str::from_utf8(name) {
            Ok(plain) if name.iter().all(|byte| matches!(byte, b' '..=b'~')) => Cow::Borrowed(plain),
            _ => Cow::Owned(name.escape_ascii().to_string()),
        }
    }
}

/// In the words of `esentutl`, with the time in ISO 8601.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Create time:{} Rand:{} Computer:{}", self.created, self.random, self.computer_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &[u8]) -> Signature {
        let mut bytes = [0; 28];
        bytes[..4].copy_from_slice(&123_456_789_u32.to_le_bytes());
        bytes[4..12].copy_from_slice(&[5, 4, 3, 2, 1, 126, 0, 0]);
        bytes[12..12 + name.len()].copy_from_slice(name);
        Signature::from_bytes(bytes)
    }

    #[test]
    fn a_signature_shows_time_number_and_computer() {
        let signature = named(b"WORKSTATION\0junk");
        assert_eq!(signature.to_string(), "Create time:2026-01-02T03:04:05.000 Rand:123456789 Computer:WORKSTATION");
        assert!(!signature.is_none());
        assert!(Signature::from_bytes([0; 28]).is_none());
    }

    #[test]
    fn a_hostile_computer_name_cannot_reach_the_terminal() {
        assert_eq!(named(b"a\x1b[2Jb").computer_name(), "a\\x1b[2Jb");
        assert_eq!(named(&[0xff; 16]).computer_name(), "\\xff".repeat(16));
    }

    #[test]
    fn junk_behind_the_name_still_makes_another_signature() {
        assert_ne!(named(b"PC\0x"), named(b"PC\0y"));
    }
}
