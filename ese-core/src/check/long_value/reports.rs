//! One finding for each rule and page, however many nodes break it.

use crate::finding::{Code, Finding, Severity};
use crate::format::{DbState, PageSize, Pgno};

/// What a node breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    L1,
    L2,
    /// L2 for ids that are lawful but reserved.
    L2Reserved,
    L3,
    L4,
    L5,
    L6,
    L7,
    L8,
    L9,
    L10,
    L11,
    L12,
    L14,
    L15,
    L16,
    L17,
    L18,
    L20,
    L21,
}

impl Rule {
    /// Number of rules.
    const COUNT: usize = Rule::L21 as usize + 1;

    const fn id(self) -> &'static str {
        match self {
            Rule::L1 => "L1",
            Rule::L2 | Rule::L2Reserved => "L2",
            Rule::L3 => "L3",
            Rule::L4 => "L4",
            Rule::L5 => "L5",
            Rule::L6 => "L6",
            Rule::L7 => "L7",
            Rule::L8 => "L8",
            Rule::L9 => "L9",
            Rule::L10 => "L10",
            Rule::L11 => "L11",
            Rule::L12 => "L12",
            Rule::L14 => "L14",
            Rule::L15 => "L15",
            Rule::L16 => "L16",
            Rule::L17 => "L17",
            Rule::L18 => "L18",
            Rule::L20 => "L20",
            Rule::L21 => "L21",
        }
    }

    /// True if a database that was not shut down explains it.
    const fn is_explained_by_dirt(self) -> bool {
        matches!(self, Rule::L5 | Rule::L7 | Rule::L11 | Rule::L14 | Rule::L15 | Rule::L16 | Rule::L17 | Rule::L18)
    }
}

/// What is wrong with one node.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) pgno: Pgno,
    pub(super) line: usize,
    /// First wrong byte, from the start of the page.
    pub(super) at: usize,
    pub(super) message: String,
    /// What was expected and found.
    pub(super) compared: Option<(u64, u64)>,
}

impl Report {
    pub(super) fn compared(mut self, expected: u64, found: u64) -> Report {
        self.compared = Some((expected, found));
        self
    }

    fn finding(self, size: PageSize, code: Code, rule: &'static str) -> Finding {
        let finding = Finding::on_page(code, self.pgno, size, self.at, self.message).rule(rule).line(self.line);
        match self.compared {
            Some((expected, found)) => finding.compared(expected, found),
            None => finding,
        }
    }
}

/// How findings of some page size and database are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub(super) size: PageSize,
    state: DbState,
}

impl Weights {
    pub(super) fn new(size: PageSize, state: DbState) -> Weights {
        Weights { size, state }
    }

    /// The finding of `report`, which counts once.
    pub(super) fn finding(self, rule: Rule, code: Code, report: Report) -> Finding {
        let mut finding = report.finding(self.size, code, rule.id());
        finding.detail.count = Some(1);
        let dirty = matches!(self.state, DbState::DirtyShutdown | DbState::DirtyAndPatched);
        if dirty && rule.is_explained_by_dirt() {
            finding.severity = finding.severity.min(Severity::Warning);
        }
        if rule == Rule::L2Reserved {
            finding.severity = Severity::Info;
            finding.jet = None;
        }
        finding
    }
}

/// The last finding of each rule, held back while its page may have more of them.
#[derive(Debug)]
pub(super) struct Reports {
    weights: Weights,
    last: [Option<Finding>; Rule::COUNT],
}

impl Reports {
    pub(super) fn new(size: PageSize, state: DbState) -> Reports {
        Reports { weights: Weights::new(size, state), last: std::array::from_fn(|_| None) }
    }

    /// Adds a report; what was held back for an earlier page goes to `findings`.
    pub(super) fn add(&mut self, rule: Rule, code: Code, report: Report, findings: &mut Vec<Finding>) {
        let Some(last) = self.last.get_mut(rule as usize) else { return };
        match last {
            Some(last) if last.pgno == Some(report.pgno) => count_one_more(last),
            _ => findings.extend(last.replace(self.weights.finding(rule, code, report))),
        }
    }

    /// Gives away what is held back.
    pub(super) fn finish(&mut self, findings: &mut Vec<Finding>) {
        findings.extend(self.last.iter_mut().filter_map(Option::take));
    }
}

/// `finding` stands for one node more.
pub(super) fn count_one_more(finding: &mut Finding) {
    finding.detail.count = finding.detail.count.map(|count| count.saturating_add(1));
}

/// L19: `count` long values, the first one where `first` says, wait for their deletion.
pub(super) fn dead_values(size: PageSize, mut first: Report, count: u64) -> Option<Finding> {
    first.message = format!("{count} long values that nobody refers to wait for their deletion");
    if count == 1 {
        "1 long value that nobody refers to waits for its deletion".clone_into(&mut first.message);
    }
    let mut finding = first.finding(size, Code::LvDead, "L19");
    finding.detail.count = Some(count);
    (count > 0).then_some(finding)
}
