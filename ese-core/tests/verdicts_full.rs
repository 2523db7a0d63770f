//! The whole check against the engine's own word: everything its integrity check calls damaged is damaged for us, on the
//! page that was damaged or in a tree that its complaint names; what was not harmed has no error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use catdb_test_data::verdicts::{self, Case, Expect};
use ese_core::finding::{Finding, Severity};
use ese_core::source::MemorySource;
use ese_core::verify::{Report, Verdict, Verifier};

fn verify(file: &[u8]) -> Report {
    Verifier::new(&MemorySource(file)).run().expect("a database")
}

/// Pages and objects that the complaints of the engine name: `page 216`, `[350:108]`, `(page 350)`, `objid 18`, `Kitchen`.
fn named(case: &Case) -> (Vec<u32>, Vec<u32>, Vec<String>) {
    let (mut pages, mut objids, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    let number = |text: &str| {
        let digits: String =
            text.chars().skip_while(|c| *c == '(' || *c == ' ').take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    for line in &case.complaints {
        let numbers = |word: &str| -> Vec<u32> {
            line.match_indices(word).filter_map(|(at, _)| number(&line[at + word.len()..])).collect()
        };
        pages.extend(["page ", "child (", "["].iter().flat_map(|word| numbers(word)));
        objids.extend(numbers("objid "));
        if let Some((table, _)) = line.split_once(":: ") {
            tables.push(table.to_owned());
        }
        let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        tables.extend(quoted.into_iter().map(str::to_owned));
    }
    (pages, objids, tables)
}

/// True if `finding` lies where the case did its damage, or in something that the engine names.
fn is_about(finding: &Finding, case: &Case) -> bool {
    let (pages, objids, tables) = named(case);
    let pgno = finding.pgno.map(|pgno| pgno.0);
    let object = finding.object.as_ref();
    let on_target = match u32::try_from(case.pgno) {
        Ok(target @ 1..) => pgno == Some(target),
        _ => pgno.is_none(),
    };
    on_target
        || finding.pgno.is_none()
        || pgno.is_some_and(|pgno| pages.contains(&pgno))
        || finding.detail.pages.iter().any(|page| i64::from(page.0) == case.pgno)
        || object.is_some_and(|object| {
            objids.contains(&object.objid.0) || object.table.as_ref().is_some_and(|table| tables.contains(table))
        })
}

/// `sum / count` with one decimal.
fn tenths(sum: usize, count: usize) -> String {
    let tenths = 10 * sum / count.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[derive(Default)]
struct Row {
    cases: usize,
    damaged: usize,
    warnings: usize,
    intact: usize,
    /// Findings that the damage brought, over all cases.
    findings: usize,
    codes: BTreeMap<&'static str, usize>,
}

#[test]
fn the_engines_verdicts() {
    let Some(shared) = corpus::shared() else { return };
    let only = std::env::var("CASES").ok();
    let mut rows: BTreeMap<(String, Expect), Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (base, cases) in verdicts::cases(&shared) {
        let sound = verdicts::base(&shared, &base);
        let before = verify(&sound);
        assert_ne!(before.verdict(), Verdict::Damaged, "{base}");
        for case in cases.iter().filter(|case| only.as_ref().is_none_or(|only| case.id == *only || case.kind == *only))
        {
            let report = verify(&case.apply(&sound));
            let new: Vec<&Finding> =
                report.findings().iter().filter(|finding| !before.findings().contains(finding)).collect();
            let row = rows.entry((case.kind.clone(), case.expect)).or_default();
            row.cases += 1;
            row.findings += new.len();
            match report.verdict() {
                Verdict::Damaged => row.damaged += 1,
                Verdict::Warnings => row.warnings += 1,
                Verdict::Intact => row.intact += 1,
            }
            let first = new.iter().max_by_key(|finding| (finding.severity, std::cmp::Reverse(finding.offset)));
            *row.codes.entry(first.map_or("-", |finding| finding.code.name())).or_default() += 1;
            let about = new.iter().any(|finding| finding.severity == Severity::Error && is_about(finding, case));
            let right = match case.expect {
                Expect::Damaged => report.verdict() == Verdict::Damaged && about,
                Expect::EngineFailed => report.verdict() == Verdict::Damaged,
                Expect::Clean => report.verdict() != Verdict::Damaged,
                Expect::Either => true,
            };
            if !right || only.is_some() {
                let ours: Vec<String> = new
                    .iter()
                    .map(|f| format!("    {} {} page {:?} at {}: {}", f.severity, f.code, f.pgno, f.offset, f.message))
                    .collect();
                wrong.push(format!(
                    "{} {} {} page {} ({}, {}): {:?}\n  engine: {}\n{}",
                    case.id,
                    base,
                    case.kind,
                    case.pgno,
                    case.page,
                    case.what,
                    case.expect,
                    case.complaints.iter().take(3).cloned().collect::<Vec<_>>().join("\n          "),
                    ours.join("\n")
                ));
            }
        }
    }
    println!(
        "{:22} {:13} {:>5} {:>7} {:>8} {:>6} {:>8}",
        "kind", "engine", "cases", "damaged", "warnings", "intact", "findings"
    );
    for ((kind, expect), row) in &rows {
        let codes: Vec<String> = row.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        println!(
            "{kind:22} {:13} {:5} {:7} {:8} {:6} {:8}  {}",
            format!("{expect:?}"),
            row.cases,
            row.damaged,
            row.warnings,
            row.intact,
            tenths(row.findings, row.cases),
            codes.join(", ")
        );
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
