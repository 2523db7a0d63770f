//! The checks: one file for each family, one function for each thing that must hold.
//!
//! A check reports findings and never decides what happens next; it reads nothing but what it is given.

pub mod header;
pub mod page;
pub mod space;
