//! The catalog check: nothing is said of intact databases, every rule finds its own damage, and what the engine calls
//! a damaged catalog is an error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod damage;
mod intact;
mod verdicts;

use ese_core::catalog::Catalog;
use ese_core::check::catalog::{Context, Outcome, check};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::database_space;
use ese_core::verify::open_header;

/// Reads the catalog of `file` and checks it.
fn check_file(file: &[u8]) -> Outcome {
    let source = MemorySource(file);
    let opened = open_header(&source, &()).expect("a database");
    let pages = Pages::new(&source, opened.page_size);
    let catalog = Catalog::read(pages);
    let last_owned = database_space(pages).ok().map(|space| space.last);
    let header = &opened.copies.first.header;
    check(&catalog, pages, Context { shadowing: header.shadowing(), state: header.state(), last_owned })
}
