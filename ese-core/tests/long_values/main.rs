//! Long values: the rules over their trees, reference counts, reading them; on trees made here and on real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod counts;
mod reading;
mod real_files;
mod rules;
mod trees;
