//! Writes a database of any number of rows, shaped like a catdb: for measuring.
//!
//!     cargo run --release -p catdb-test-data --example generate -- big.edb 1000000

use std::error::Error;
use std::path::Path;

use catdb_test_data::build::{LargeShape, write_large};
use ese_core::format::PageSize;

/// Size of the database that tells how many bytes a row takes.
const TRIAL: u64 = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (path, rows) = args.next().zip(args.next()).ok_or("which file, and how many rows?")?;
    let (path, rows) = (Path::new(&path), rows.parse::<u64>()?);
    let write = |bytes| write_large(path, PageSize::K4, bytes, LargeShape::WithIndex);
    let trial = write(TRIAL)?;
    let written = write(trial.bytes * rows / trial.rows)?;
    println!("{} rows in {} bytes", written.rows, written.bytes);
    Ok(())
}
