//! The engine's own word: what its check says of an index or of a primary key is found.

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use catdb_test_data::verdicts::{self, Case, Expect};

use crate::driver::{Order, check};

fn names_an_index(case: &Case) -> bool {
    case.complaints.iter().any(|line| line.contains("index entry") || line.contains("primary key"))
        || case.kind.starts_with("idx-")
}

#[test]
fn what_the_engine_says_of_indexes_and_primary_keys_is_found() {
    let Some(shared) = corpus::shared() else { return };
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        for case in cases.iter().filter(|case| names_an_index(case)) {
            let checked = check(&case.apply(&sound), Order::Sequential);
            assert!(!checked.errors().is_empty(), "{} ({}): {:?}", case.id, case.kind, case.complaints);
            *found.entry(case.kind.clone()).or_default() += 1;
        }
    }
    let of = |kind: &str| found.get(kind).copied().unwrap_or(0);
    assert_eq!(["idx-delete", "idx-data", "idx-key", "row-delete"].map(of), [24, 24, 24, 13]);
    assert_eq!(found.values().sum::<usize>(), 142);
}

#[test]
fn nothing_is_said_of_indexes_where_the_engine_says_nothing() {
    let Some(shared) = corpus::shared() else { return };
    let mut seen = 0;
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        for case in cases.iter().filter(|case| matches!(case.expect, Expect::Clean | Expect::Either)) {
            // Without a header nobody knows that the database is clean, nor what lies beyond the end of a cut one.
            if case.kind.starts_with("dbh") || case.kind.starts_with("truncate") {
                continue;
            }
            seen += 1;
            let checked = check(&case.apply(&sound), Order::Sequential);
            assert!(checked.errors().is_empty(), "{} ({}): {:?}", case.id, case.kind, checked.errors());
        }
    }
    assert_eq!(seen, 290);
}
