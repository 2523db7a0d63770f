//! No false alarm: on every intact database that there is, made by the engine or found in the world, the verifier
//! finds no error, and nothing that the state of the file does not explain.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use catdb_test_data::corpus;
use ese_core::finding::{Code, Finding, Severity};
use ese_core::source::MemorySource;
use ese_core::verify::{Level, Report, Verdict, Verifier};

/// What a healthy file may show: it was not closed, was repaired once, ends in space that nobody owns, holds long values
/// that wait for their deletion, or sorts text as only Windows can.
const LAWFUL: [Code; 5] = [Code::DbDirty, Code::DbRepairedBefore, Code::DbSlack, Code::LvDead, Code::IdxUnverifiable];
/// The one file of the corpus that is cut: it owns 254 pages and has 70.
const CUT: &str = "ual/server2022/Current.mdb.gz";
/// The one file whose slack is full of foreign bytes.
const FOREIGN_SLACK: &str = "srum/win10-17763-slack/SRUDB.dat.gz";

fn verify(path: &Path, level: Level) -> Report {
    let file = corpus::unpack(path);
    Verifier::new(&MemorySource(&file)).level(level).run().expect("a database")
}

/// A line of the table that `--nocapture` shows.
fn show(name: &str, report: &Report, seconds: f64) {
    println!(
        "{name:50} {:8} {:6} {:8} {:5} {seconds:8.3}",
        report.verdict().name(),
        report.count(Severity::Error),
        report.count(Severity::Warning),
        report.count(Severity::Info),
    );
}

/// Verifies all databases below `folders` of the corpora, prints the table, and returns the reports by name.
fn table(shared: &Path, folders: &[&str], level: Level) -> Vec<(String, Report)> {
    println!("{:50} {:8} {:>6} {:>8} {:>5} {:>8}", "file", "verdict", "errors", "warnings", "infos", "seconds");
    let paths: Vec<PathBuf> = folders.iter().flat_map(|folder| corpus::databases(&shared.join(folder))).collect();
    let reports = paths.iter().map(|path| {
        let name = folders
            .iter()
            .find_map(|folder| path.strip_prefix(shared.join(folder)).ok())
            .expect("every path lies in one of the folders")
            .display()
            .to_string();
        let start = Instant::now();
        let report = verify(path, level);
        show(&name, &report, start.elapsed().as_secs_f64());
        (name, report)
    });
    reports.collect()
}

fn unexplained(report: &Report) -> Vec<&Finding> {
    report.findings().iter().filter(|finding| !LAWFUL.contains(&finding.code)).collect()
}

fn assert_explained(name: &str, report: &Report) {
    let rest: Vec<String> = unexplained(report)
        .iter()
        .map(|finding| format!("{} at {}: {} {:?}", finding.code, finding.offset, finding.message, finding.pgno))
        .collect();
    assert!(rest.is_empty(), "{name}:\n{}", rest.join("\n"));
}

/// The databases of the list of the engine's verdicts: name, and whether it calls them dirty (state 2).
fn judged_by_the_engine(shared: &Path) -> BTreeMap<String, bool> {
    let list = std::fs::read_to_string(shared.join("corpus/engine-verdicts.csv")).expect("the list of verdicts");
    let rows = list.lines().skip(1).map(|line| line.splitn(4, ',').collect::<Vec<_>>());
    rows.map(|row| (row[0].to_owned(), row[2] == "2")).collect()
}

#[test]
fn the_engines_own_databases_are_intact() {
    let Some(shared) = corpus::shared() else { return };
    for level in [Level::Pages, Level::Full] {
        let reports = table(&shared, &["engine/db"], level);
        assert_eq!(reports.len(), 17);
        for (name, report) in &reports {
            assert_explained(name, report);
            assert_eq!(report.verdict(), Verdict::Intact, "{name}");
            assert!(report.is_complete(), "{name}: {:?}", report.not_checked);
            assert_eq!(u64::from(report.database.last_page.0), report.pages.seen, "{name}");
        }
    }
}

#[test]
fn the_fixtures_of_the_repository_are_intact() {
    for name in ["catdb-200.edb", "empty-4k.edb", "empty-32k.edb", "kitchen-4k-b.edb", "kitchen-32k-w10.edb"] {
        let file = corpus::fixture(name);
        let report = Verifier::new(&MemorySource(&file)).run().expect("a database");
        assert_explained(name, &report);
        assert!(report.is_complete() && report.verdict() == Verdict::Intact, "{name}");
    }
}

/// The two files that are damaged in reality (`corpus/README.md`), and how.
const DAMAGED: [(&str, &[Code]); 2] =
    [("file-history/Catalog1.edb.gz", &[Code::DbtimeBehind, Code::IdxEntryExtra]), (CUT, &[Code::DbTruncated])];

#[test]
fn real_databases_show_only_their_state_and_what_they_are_known_for() {
    let Some(shared) = corpus::shared() else { return };
    for level in [Level::Pages, Level::Full] {
        let reports = table(&shared, &["corpus"], level);
        let judged = judged_by_the_engine(&shared);
        let names: BTreeSet<&String> = reports.iter().map(|(name, _)| name).collect();
        assert_eq!(names, judged.keys().collect());
        for (name, report) in &reports {
            let expected = DAMAGED.iter().find(|(damaged, _)| damaged == name).map_or(&[][..], |(_, codes)| *codes);
            let errors: BTreeSet<Code> = report
                .findings()
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .map(|finding| finding.code)
                .collect();
            if level == Level::Full {
                assert_eq!(errors, expected.iter().copied().collect(), "{name}: {}", lines(report));
            } else if name != CUT {
                assert_explained(name, report);
            }
            let is_dirty = report.findings().iter().any(|finding| finding.code == Code::DbDirty);
            assert_eq!(is_dirty, judged[name], "{name}");
            assert!(report.is_complete(), "{name}: {:?}", report.not_checked);
        }
    }
}

/// The findings, a line each.
fn lines(report: &Report) -> String {
    let line = |finding: &Finding| {
        format!("\n  {} {} at {}: {}", finding.severity, finding.code, finding.offset, finding.message)
    };
    report.findings().iter().map(line).collect()
}

#[test]
fn foreign_bytes_behind_the_owned_space_are_one_info() {
    let Some(shared) = corpus::shared() else { return };
    let report = verify(&shared.join("corpus").join(FOREIGN_SLACK), Level::Full);
    let [finding] = report.findings() else { panic!("{:?}", report.findings()) };
    assert_eq!((finding.code, finding.severity), (Code::DbSlack, Severity::Info));
    assert_eq!(report.pages.bad_checksum, 0, "slack pages count in `slack` alone");
    println!("{}", finding.message);
    assert_eq!((finding.detail.count, finding.detail.found), (Some(16), Some(16)));
}

#[test]
fn a_crash_leaves_no_error_but_its_state_and_recovery_nothing_at_all() {
    let Some(shared) = corpus::shared() else { return };
    for level in [Level::Pages, Level::Full] {
        let reports = table(&shared, &["engine/crash"], level);
        assert_eq!(reports.len(), 20);
        for (name, report) in &reports {
            let is_dirty = report.findings().iter().any(|finding| finding.code == Code::DbDirty);
            assert_eq!(is_dirty, !name.contains(".recovered."), "{name}");
            assert_eq!(report.count(Severity::Error), 0, "{name}: {}", lines(report));
            assert!(is_dirty || report.count(Severity::Warning) == 0, "{name}: {}", lines(report));
        }
    }
}
