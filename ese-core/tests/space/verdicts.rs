//! Against the engine's own word: what it calls damaged in a space tree is found on that page, by this check or, where the
//! page alone shows it, by the scan of pages.

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use catdb_test_data::verdicts::{self, Case, Expect};
use ese_core::finding::{Finding, Severity};
use ese_core::format::Pgno;
use ese_core::source::MemorySource;
use ese_core::verify::Verifier;

use super::{Examined, brief};

/// Found by neither: dbtime is compared with the header's for the database as a whole (T19).
const OF_ANOTHER_CHECK: &str = "hdr-dbtime-ahead";

fn touches_space(case: &Case) -> bool {
    case.page.contains("space")
        || case.kind.contains("space")
        || case.kind == "ext-header" && case.page.contains("root")
}

/// Who sees a case.
#[derive(Default, Debug)]
struct Seen {
    cases: usize,
    space_error: usize,
    space_warning: usize,
    page: usize,
    nobody: usize,
}

fn worst_on<'f>(findings: impl IntoIterator<Item = &'f Finding>, pgno: i64) -> Option<Severity> {
    let pgno = u32::try_from(pgno).ok().map(Pgno);
    findings.into_iter().filter(|finding| finding.pgno == pgno).map(|finding| finding.severity).max()
}

#[test]
fn what_the_engine_calls_damaged_in_space_trees_is_found_there() {
    let Some(shared) = corpus::shared() else { return };
    let mut table: BTreeMap<(Expect, String), Seen> = BTreeMap::new();
    for (name, cases) in verdicts::cases(&shared) {
        let base = verdicts::base(&shared, &name);
        for case in cases.iter().filter(|case| touches_space(case)) {
            let file = case.apply(&base);
            let source = MemorySource(&file);
            let findings = Examined::new(&source).findings();
            let seen = table.entry((case.expect, case.kind.clone())).or_default();
            seen.cases += 1;
            let of_space = worst_on(&findings, case.pgno);
            let of_page = worst_on(Verifier::new(&source).run().unwrap().findings(), case.pgno);
            let context = || format!("{} {} {:?}{}", case.id, case.what, case.complaints, brief(&findings));
            match (of_space, of_page) {
                (Some(Severity::Error), _) => seen.space_error += 1,
                (_, Some(Severity::Error)) => seen.page += 1,
                (Some(Severity::Warning), _) => seen.space_warning += 1,
                _ => seen.nobody += 1,
            }
            let is_error = of_space.max(of_page) == Some(Severity::Error);
            match case.expect {
                Expect::Damaged | Expect::EngineFailed => {
                    assert!(is_error || case.kind == OF_ANOTHER_CHECK, "{}", context());
                }
                Expect::Clean => assert!(findings.is_empty(), "{}", context()),
                Expect::Either => {}
            }
        }
    }
    for ((expect, kind), seen) in &table {
        println!("{expect:?} {kind:18} {seen:?}");
    }
    let sum = |count: fn(&Seen) -> usize| {
        let damaged = table.iter().filter(|((expect, _), _)| *expect == Expect::Damaged);
        damaged.map(|(_, seen)| count(seen)).sum::<usize>()
    };
    // Cases, found by the space check, found by the page check, left to other checks.
    let sums = (sum(|seen| seen.cases), sum(|seen| seen.space_error), sum(|seen| seen.page), sum(|seen| seen.nobody));
    assert_eq!(sums, (97, 82, 15, 0));
}
