//! Against the engine's own word on damaged catalogs.

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use catdb_test_data::verdicts::{self, Case, Expect};
use ese_core::finding::{Finding, Severity};
use ese_core::format::Pgno;
use ese_core::format::catalog::{MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};

use super::check_file;

/// What the engine says only where the catalog as such, or an index of it, is damaged.
const CATALOG_COMPLAINTS: [&str; 5] = [
    "MSysObjectsShadow is missing",
    "is logically corrupted",
    "Catalog entry corruption",
    "(objid 4) inconsistent",
    "(objid 5) inconsistent",
];

/// Damages of pages of the catalog that other checks find: kind, which, cases.
const ELSEWHERE: [(&str, &str, usize); 9] = [
    ("child-pgno", "tree check: T1, T2, T4, T8", 10),
    ("copy-page", "checksum of a root", 1),
    ("idx-data", "index check of `Name` and `RootObjects`", 5),
    ("idx-delete", "the same", 5),
    ("idx-key", "the same", 3),
    ("node-data", "the same", 2),
    ("node-flag", "page check: P16", 2),
    ("truncate", "size of the file: roots that were cut off follow from it", 1),
    ("zero-page", "tree check of a root: T3", 3),
];

fn is_of_rows(case: &Case) -> bool {
    case.kind.starts_with("cat-") || case.kind.starts_with("shadow-")
}

fn is_on_catalog_tree(case: &Case) -> bool {
    case.page.ends_with("catalog") && !case.page.contains("space")
}

fn worst(findings: &[Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Info) => "info",
        None => "nothing",
    }
}

#[test]
fn what_the_engine_calls_a_damaged_catalog_is_an_error() {
    let Some(shared) = corpus::shared() else { return };
    let mut table: BTreeMap<(String, Expect, &str), usize> = BTreeMap::new();
    let mut rows: BTreeMap<(Expect, &str), usize> = BTreeMap::new();
    let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        for case in &cases {
            let complains =
                case.complaints.iter().any(|line| CATALOG_COMPLAINTS.iter().any(|text| line.contains(text)));
            if !(is_of_rows(case) || is_on_catalog_tree(case) || complains) {
                continue;
            }
            let findings = check_file(&case.apply(&sound)).findings;
            let ours = worst(&findings);
            *table.entry((case.kind.clone(), case.expect, ours)).or_default() += 1;
            if is_of_rows(case) {
                *rows.entry((case.expect, ours)).or_default() += 1;
                let tree = if case.kind.starts_with("cat-") { MSYS_OBJECTS } else { MSYS_OBJECTS_SHADOW };
                let names_it = |finding: &Finding| {
                    let pgno = Pgno(u32::try_from(case.pgno).unwrap());
                    finding.pgno == Some(pgno) || finding.detail.pages.contains(&pgno)
                };
                assert!(findings.iter().any(names_it), "{}: page {} of {}", case.id, case.pgno, tree.name);
            }
            let damaged = matches!(case.expect, Expect::Damaged | Expect::EngineFailed);
            if damaged && ours != "error" {
                *elsewhere.entry(case.kind.clone()).or_default() += 1;
            }
        }
    }
    println!("{:16} {:13} {:8} cases", "kind", "engine", "ours");
    for ((kind, expect, ours), cases) in &table {
        println!("{kind:16} {:13} {ours:8} {cases}", format!("{expect:?}"));
    }
    let expected = BTreeMap::from([
        ((Expect::Damaged, "error"), 73),
        ((Expect::Either, "error"), 13),
        ((Expect::Either, "warning"), 10),
    ]);
    assert_eq!(rows, expected);
    let expected = ELSEWHERE.iter().map(|(kind, _, cases)| ((*kind).to_owned(), *cases));
    assert_eq!(elsewhere, expected.collect());
}
