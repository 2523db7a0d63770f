//! Reads and verifies ESE (JET Blue) databases.

#![deny(missing_docs)]

pub mod checksum;
pub mod format;
pub mod key;
