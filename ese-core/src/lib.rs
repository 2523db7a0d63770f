//! Reads and verifies ESE (JET Blue) databases.

#![deny(missing_docs)]

pub mod checksum;
pub mod compress;
pub mod format;
