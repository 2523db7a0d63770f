//! The index check over real databases: intact ones are intact, and what the engine calls damaged is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod damage;
mod driver;
mod real;
mod verdicts;
