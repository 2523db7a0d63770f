//! Test data of the project: fixtures by code, and small files of the real engine (see `README.md` beside this crate).
//!
//! Only tests use it. Nothing here is clever; a damaged file is always a sound one plus a damage with a name.

#![deny(missing_docs)]
#![allow(clippy::expect_used)] // a fixture that cannot be made must stop the test

pub mod build;
pub mod corpus;
pub mod database;
pub mod page_builder;
pub mod verdicts;
