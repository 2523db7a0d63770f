//! Against the engine's own word: what its integrity check calls damaged, and a page alone can show, is found on that
//! page; where nothing was harmed, nothing is said.
//!
//! What a page alone cannot show is listed in [`NEEDS_MORE`] with the reason and the exact number of cases, so that
//! a check that misses more than it should makes this test fail, and so does one that finds more than is known of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use catdb_test_data::verdicts::{self, Case, Expect};
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::Pgno;
use ese_core::source::MemorySource;
use ese_core::verify::{Level, Report, Verifier};

/// Damages of raw bytes: the checksum shows them.
const RAW: [&str; 8] =
    ["flip1", "flip2", "flip3", "flip-checksum", "zero-page", "zero-sector", "noise-sector", "copy-page"];
/// Damages under a valid checksum that break the order of a page.
const PAGE: [&str; 12] = [
    "tag-cb",
    "tag-ib",
    "hdr-cbFree",
    "hdr-cbUncommittedFree",
    "hdr-ibMicFree",
    "hdr-itagMicFree",
    "hdr-flags",
    "hdr-pgno",
    "node-suffix",
    "node-prefix",
    "node-swap",
    "node-delete-last",
];
/// Damages of the header copies.
const HEADER: [&str; 5] = ["dbh-byte", "dbh-shadow", "dbh-both", "dbh-version", "dbh-state"];
/// Files that end too early.
const CUT: [&str; 2] = ["truncate", "truncate-odd"];

/// Cases that the engine calls damaged and a page alone cannot show.
struct NeedsMore {
    kind: &'static str,
    /// Part of the engine's complaint.
    complaint: &'static str,
    why: &'static str,
    cases: usize,
}

const NEEDS_MORE: [NeedsMore; 7] = [
    NeedsMore {
        kind: "zero-page",
        complaint: "error -1019",
        why: "a blank page is lawful where no tree uses it: only the tree knows",
        cases: 15,
    },
    NeedsMore {
        kind: "node-suffix",
        complaint: "LVKEY size mismatch",
        why: "key and data share out the same bytes in another way, keys still ascend: the length of a long value's key",
        cases: 8,
    },
    NeedsMore {
        kind: "node-suffix",
        complaint: "Record corrupted",
        why: "the same: what is left as data is no record",
        cases: 3,
    },
    NeedsMore {
        kind: "node-suffix",
        complaint: "index entry",
        why: "the same: key and bookmark of an index entry, made anew from its row",
        cases: 2,
    },
    NeedsMore {
        kind: "node-suffix",
        complaint: "space tree key node",
        why: "the same: an extent's key has 4 or 5 bytes, the space check's matter",
        cases: 1,
    },
    NeedsMore {
        kind: "node-prefix",
        complaint: "LVKEY size mismatch",
        why: "less of the page's prefix makes another key that still ascends: the length of a long value's key",
        cases: 5,
    },
    NeedsMore {
        kind: "node-prefix",
        complaint: "constructed primary key differs",
        why: "the same: the primary key, made anew from its row",
        cases: 1,
    },
];

/// What we say of a case on its own page, or in its header, or of its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ours {
    Error,
    Warning,
    Nothing,
}

/// Findings that the sound file does not have.
fn new_findings(file: &[u8], before: &Report) -> Vec<Finding> {
    let report = Verifier::new(&MemorySource(file)).level(Level::Pages).run().expect("a database");
    report.findings().iter().filter(|finding| !before.findings().contains(finding)).cloned().collect()
}

/// True if the finding lies where the case did its damage.
fn lies_at(finding: &Finding, case: &Case) -> bool {
    match u32::try_from(case.pgno) {
        Ok(pgno @ 1..) => finding.pgno == Some(Pgno(pgno)),
        _ => finding.pgno.is_none(),
    }
}

fn judge(case: &Case, findings: &[Finding]) -> Ours {
    let worst = findings.iter().filter(|finding| lies_at(finding, case)).map(|finding| finding.severity).max();
    match worst {
        Some(Severity::Error) => Ours::Error,
        Some(Severity::Warning) => Ours::Warning,
        Some(Severity::Info) | None => Ours::Nothing,
    }
}

/// How often each thing was said of the cases of a kind.
#[derive(Default)]
struct Row {
    cases: usize,
    error: usize,
    warning: usize,
    nothing: usize,
}

impl Row {
    fn add(&mut self, ours: Ours) {
        self.cases += 1;
        *match ours {
            Ours::Error => &mut self.error,
            Ours::Warning => &mut self.warning,
            Ours::Nothing => &mut self.nothing,
        } += 1;
    }
}

fn print_table(rows: &BTreeMap<(String, Expect), Row>, missed: &[usize; NEEDS_MORE.len()]) {
    println!("{:22} {:13} {:>5} {:>5} {:>7} {:>7}", "kind", "engine", "cases", "error", "warning", "nothing");
    for ((kind, expect), row) in rows {
        let engine = format!("{expect:?}");
        println!("{kind:22} {engine:13} {:5} {:5} {:7} {:7}", row.cases, row.error, row.warning, row.nothing);
    }
    println!("\nneeds more than the page:");
    for (rule, missed) in NEEDS_MORE.iter().zip(missed) {
        println!("{:12} {missed:3}  \"{}\": {}", rule.kind, rule.complaint, rule.why);
    }
}

/// Runs `look` over the cases that are `wanted`: the case, what is found that the sound file does not show.
fn for_each_case(wanted: impl Fn(&Case) -> bool, mut look: impl FnMut(&Case, &[Finding])) {
    let Some(shared) = corpus::shared() else { return };
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        let before = Verifier::new(&MemorySource(&sound)).level(Level::Pages).run().expect("a database");
        for case in cases.iter().filter(|case| wanted(case)) {
            look(case, &new_findings(&case.apply(&sound), &before));
        }
    }
}

#[test]
fn what_the_engine_calls_damaged_is_found_where_it_is() {
    let mut rows: BTreeMap<(String, Expect), Row> = BTreeMap::new();
    let mut missed = [0; NEEDS_MORE.len()];
    for_each_case(
        |_| true,
        |case, findings| {
            let ours = judge(case, findings);
            rows.entry((case.kind.clone(), case.expect)).or_default().add(ours);
            let kind = case.kind.as_str();
            let on_a_page = RAW.contains(&kind) || PAGE.contains(&kind);
            if on_a_page {
                let elsewhere: Vec<_> = findings.iter().filter(|finding| !lies_at(finding, case)).collect();
                assert!(elsewhere.is_empty(), "{}: page {}: {elsewhere:?}", case.id, case.pgno);
            }
            let damaged = matches!(case.expect, Expect::Damaged | Expect::EngineFailed);
            if damaged && on_a_page && ours != Ours::Error {
                let rule = NEEDS_MORE.iter().position(|rule| {
                    rule.kind == kind && case.complaints.iter().any(|line| line.contains(rule.complaint))
                });
                let Some(rule) = rule else { panic!("{} ({kind}): missed, engine: {:?}", case.id, case.complaints) };
                missed[rule] += 1;
            }
            if damaged && HEADER.contains(&kind) {
                assert_ne!(ours, Ours::Nothing, "{} ({kind})", case.id);
            }
            if damaged && CUT.contains(&kind) {
                let cut = findings.iter().any(|finding| finding.code == Code::DbTruncated);
                assert!(cut, "{} ({kind}): {findings:?}", case.id);
            }
        },
    );
    if !rows.is_empty() {
        print_table(&rows, &missed);
        assert_eq!(missed, NEEDS_MORE.map(|rule| rule.cases));
    }
}

#[test]
fn one_flipped_bit_that_the_engine_mends_in_silence_is_a_warning() {
    for_each_case(
        |case| case.kind == "flip1",
        |case, findings| {
            let [finding] = findings else { panic!("{}: {findings:?}", case.id) };
            assert_eq!((finding.code, finding.severity), (Code::PageEcc, Severity::Warning), "{}", case.id);
            assert!(lies_at(finding, case), "{}", case.id);
        },
    );
}

#[test]
fn bytes_that_nothing_uses_may_hold_anything() {
    for_each_case(
        |case| case.expect == Expect::Clean,
        |case, findings| assert_eq!(findings, [], "{} ({})", case.id, case.kind),
    );
}
