//! The checks: one file for each family, one function for each thing that must hold.
//!
//! A check reports findings and never decides what happens next; it reads nothing but what it is given.

pub mod catalog;
pub mod header;
pub mod index;
pub mod long_value;
pub mod page;
pub mod record;
pub mod tree;

use std::fmt::Write;

/// The first bytes of a key in hex, for messages.
pub(crate) fn start_of<'k>(key: impl IntoIterator<Item = &'k u8>) -> String {
    const SHOWN: usize = 16;
    let mut text = String::new();
    for (place, byte) in key.into_iter().take(SHOWN + 1).enumerate() {
        let _ = if place < SHOWN { write!(text, "{byte:02x}") } else { write!(text, "...") };
    }
    text
}
