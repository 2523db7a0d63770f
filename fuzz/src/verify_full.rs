//! The target `verify_full`: a whole database, with everything that hangs together in it.
//!
//! Seeds are small databases that have all of it: several levels, long values, indexes of every direction, a template. The
//! number of threads must never show, and a run must end whatever pages say of each other.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use catdb_test_data::build::{ANY_NULLS, DatabaseBuilder, MULTI_VALUED, NOT_NULL, TableSpec, Type, Value};
use ese_core::format::PageSize;
use ese_core::source::MemorySource;
use ese_core::verify::{Level, Verifier};

use crate::verify::{Copied, assert_same, holds_together};

/// Far more than any file of this size takes, so that only a loop takes it.
const SOON: Duration = Duration::from_secs(20);

pub(crate) fn run(bytes: &[u8]) {
    let start = Instant::now();
    let outcome = Verifier::new(&MemorySource(bytes)).level(Level::Full).run();
    let alone = Verifier::new(&Copied(bytes)).level(Level::Full).threads(Some(NonZeroUsize::MIN)).run();
    assert_same(&outcome, &alone);
    if let Ok(report) = &outcome {
        holds_together(report);
    }
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let table = TableSpec::new("T")
        .fixed("id", Type::Long, NOT_NULL)
        .variable("name", Type::Text(1252), 0)
        .tagged("many", Type::Long, MULTI_VALUED)
        .tagged("blob", Type::LongBinary, 0)
        .primary(&["+id"])
        .index("by_name", ANY_NULLS, &["-name", "+id"])
        .index("by_many", ANY_NULLS, &["+many"])
        .max_nodes_per_page(3)
        .separate_above(64)
        .rows((0..12).map(|n| {
            let blob = vec![u8::try_from(n * 9).unwrap_or(0); usize::try_from(n * 400).unwrap_or(0)];
            vec![Value::long(n), Value::bytes(format!("name {n}")), Value::longs(&[n, n + 1]), Value::bytes(blob)]
        }));
    let small = TableSpec::new("Heap").fixed("x", Type::Long, 0).row(vec![Value::long(7)]);
    [PageSize::K2, PageSize::K4, PageSize::K32]
        .map(|size| DatabaseBuilder::new(size).table(table.clone()).table(small.clone()).build().bytes)
        .into()
}
