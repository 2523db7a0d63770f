//! Reads and verifies ESE (JET Blue) databases.

#![deny(missing_docs)]

pub mod check;
pub mod checksum;
pub mod finding;
pub mod format;
pub mod jet;
pub mod source;
pub mod tree;
pub mod verify;
