//! The result of a run: findings in order, counts, and what could not be checked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::check::tree::FindingSink;
use crate::finding::{Code, Finding, Object, Severity};
use crate::format::{DatabaseHeader, PageSize, Pgno};

/// The judgement over a file that could be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// No error and no warning.
    Intact,
    /// The worst finding is a warning.
    Warnings,
    /// At least one error.
    Damaged,
}

impl Verdict {
    /// `intact`, `warnings` or `damaged`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Intact => "intact",
            Verdict::Warnings => "warnings",
            Verdict::Damaged => "damaged",
        }
    }
}

/// How many pages were met, by what became of them. Slack pages count in `slack` alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageCounts {
    /// Pages of the file that were looked at, slack included.
    pub seen: u64,
    /// Pages whose bytes are all zero.
    pub blank: u64,
    /// Pages whose checksum fails and cannot be corrected, pages in a wrong place included.
    pub bad_checksum: u64,
    /// Pages whose checksum fails by a bit that can be flipped back.
    pub correctable: u64,
    /// Pages that the operating system could not read.
    pub unreadable: u64,
    /// Pages behind the space that the database owns.
    pub slack: u64,
}

impl std::ops::AddAssign for PageCounts {
    fn add_assign(&mut self, other: PageCounts) {
        self.seen += other.seen;
        self.blank += other.blank;
        self.bad_checksum += other.bad_checksum;
        self.correctable += other.correctable;
        self.unreadable += other.unreadable;
        self.slack += other.slack;
    }
}

/// What the file says of itself.
#[derive(Clone, Debug)]
pub struct DatabaseSummary {
    /// Bytes of the file.
    pub bytes: u64,
    /// Page size, from the header or from the pages.
    pub page_size: PageSize,
    /// The last whole page of the file.
    pub last_page: Pgno,
    /// The last page that the database owns, if its space could be read.
    pub last_owned: Option<Pgno>,
    /// The header copy in use; `None` if both are bad.
    pub header: Option<DatabaseHeader>,
}

/// Something that was asked for and could not be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotChecked {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// Findings as they come in, from any thread and in any order: all are counted, those that come first in a report are
/// kept.
///
/// A hostile file can break a rule on every page; memory must not grow with it.
#[derive(Debug)]
pub(super) struct FindingLog {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    kept: Vec<Finding>,
    counts: BTreeMap<(Code, Severity), u64>,
    /// Further damage that follows from what is wrong with a page, or with the file.
    consequences: BTreeMap<Pgno, u64>,
}

impl FindingLog {
    pub(super) fn new(limit: usize) -> FindingLog {
        FindingLog { limit, held: Mutex::default() }
    }

    /// Has `object_of` say of which tree the pages are that findings name without a tree.
    pub(super) fn name_objects(&self, object_of: impl Fn(Pgno) -> Option<Object>) {
        for finding in &mut self.held().kept {
            if finding.object.is_none() {
                finding.object = finding.pgno.and_then(&object_of);
            }
        }
    }

    /// True if a finding with this code came in.
    pub(super) fn has(&self, code: Code) -> bool {
        self.held().counts.keys().any(|(found, _)| *found == code)
    }

    pub(super) fn extend(&self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing can panic while it is held; if something did, what is there is whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FindingSink for FindingLog {
    fn follow(&self, pgno: Pgno, count: u64) {
        *self.held().consequences.entry(pgno).or_default() += count;
    }

    fn add(&self, finding: Finding) {
        let held = &mut *self.held();
        *held.counts.entry((finding.code, finding.severity)).or_default() += 1;
        held.kept.push(finding);
        // Those with the lowest places are kept, whenever they come: threads must not show in a report.
        if held.kept.len() > self.limit.saturating_mul(2).saturating_add(64) {
            held.cut(self.limit);
        }
    }
}

impl Held {
    fn cut(&mut self, limit: usize) {
        self.kept.sort_by(Finding::cmp_in_report);
        self.kept.truncate(limit);
    }

    /// Gives each page's consequences to the weightiest finding on it, or to one that names it; those of the file to the
    /// finding that it was cut.
    fn fold_consequences(&mut self, not_checked: &mut Vec<NotChecked>) {
        for (pgno, count) in std::mem::take(&mut self.consequences) {
            let rank = |finding: &Finding| match finding.pgno {
                None if pgno.is_none() && finding.code == Code::DbTruncated => Some(2),
                Some(found) if found == pgno => Some(2),
                Some(_) if finding.detail.pages.contains(&pgno) => Some(1),
                _ => None,
            };
            let ranked = self.kept.iter_mut().filter_map(|finding| Some((rank(finding)?, finding)));
            match ranked.rev().max_by_key(|(rank, finding)| (*rank, finding.severity)) {
                Some((_, finding)) => *finding.detail.consequences.get_or_insert(0) += count,
                None => not_checked.push(NotChecked {
                    what: format!("{count} differences between trees that page {pgno} may explain"),
                    why: format!("page {pgno} could not be used"),
                }),
            }
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the file says of itself.
    pub database: DatabaseSummary,
    /// Pages by what became of them.
    pub pages: PageCounts,
    /// What could not be checked, and why.
    pub not_checked: Vec<NotChecked>,
    findings: Vec<Finding>,
    counts: BTreeMap<(Code, Severity), u64>,
}

impl Report {
    pub(super) fn new(
        database: DatabaseSummary,
        pages: PageCounts,
        mut not_checked: Vec<NotChecked>,
        log: FindingLog,
    ) -> Report {
        let limit = log.limit;
        let mut held = log.held.into_inner().unwrap_or_else(PoisonError::into_inner);
        held.cut(limit);
        held.fold_consequences(&mut not_checked);
        Report { database, pages, not_checked, findings: held.kept, counts: held.counts }
    }

    /// The findings, ordered by offset, code and line. At most as many as the limit of the run allows; the rest are
    /// only counted.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings of `severity` there are, kept or not.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|((_, weight), _)| *weight == severity).map(|(_, count)| count).sum()
    }

    /// How many findings of each code there are, kept or not, in the order of the table of codes.
    pub fn count_by_code(&self) -> impl Iterator<Item = (Code, Severity, u64)> + '_ {
        self.counts.iter().map(|((code, severity), count)| (*code, *severity, *count))
    }

    /// Findings that were counted and not kept.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.counts.values().sum::<u64>() - self.findings.len() as u64
    }

    /// True if everything that was asked for was done, on every page, and every finding is here.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.not_checked.is_empty() && self.pages.unreadable == 0 && self.omitted() == 0
    }

    /// The judgement.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.counts.keys().map(|(_, severity)| *severity).max() {
            Some(Severity::Error) => Verdict::Damaged,
            Some(Severity::Warning) => Verdict::Warnings,
            Some(Severity::Info) | None => Verdict::Intact,
        }
    }
}
