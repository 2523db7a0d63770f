//! The index check over real databases: intact ones are intact, and what the engine calls damaged is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod driver;

use catdb_test_data::corpus;
use driver::{Checked, Order, check};

#[test]
fn intact_databases_have_right_indexes() {
    let Some(shared) = corpus::shared() else { return };
    let mut all = Checked::default();
    let mut files = 0;
    for folder in ["corpus", "engine/db", "engine/crash"] {
        for path in corpus::databases(&shared.join(folder)) {
            let name = path.to_str().unwrap().to_owned();
            let checked = check(&corpus::unpack(&path), Order::Sequential);
            println!(
                "{name}: {} errors {} warnings; exact {:?} {:?}",
                checked.errors().len(),
                checked.of(ese_core::finding::Severity::Warning).len(),
                checked.exact,
                checked.problems
            );
            for f in checked.errors().iter().take(5) {
                println!("   {} {}", f.code, f.message);
            }
            for f in checked.of(ese_core::finding::Severity::Warning).iter().take(5) {
                println!("   {} {}", f.code, f.message);
            }
            for f in checked.of(ese_core::finding::Severity::Info).iter().take(5) {
                println!("   {} {}", f.code, f.message);
            }
            files += 1;
            all.add(Checked { findings: vec![], ..checked });
        }
    }
    println!("{files} files: {all:?}");
}
