//! What breaks the rules on one page: for each rule the first line, and how many there are.
//!
//! Texts are made for the first line only, so that a page of broken records costs no more than one record. Never
//! reports a rule twice for one page (spec 06 section 7).

use crate::finding::{Code, Finding, Severity};
use crate::format::{PageSize, Pgno};

/// A rule of the specification, and the code under which a breach is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    id: &'static str,
    code: Code,
    severity: Severity,
}

impl Rule {
    pub(super) const R1: Rule = Rule::new("R1", Code::RecordFormat);
    pub(super) const R2: Rule = Rule::new("R2", Code::RecordFormat);
    pub(super) const R3: Rule = Rule::new("R3", Code::RecordFormat);
    pub(super) const R4: Rule = Rule::new("R4", Code::RecordColumn);
    pub(super) const R5: Rule = Rule::new("R5", Code::RecordFormat);
    /// R5, the length that the catalog allows: the engine does not mind.
    pub(super) const R5_CATALOG: Rule = Rule::new("R5", Code::RecordOdd);
    pub(super) const R6: Rule = Rule::new("R6", Code::RecordOdd);
    pub(super) const R7: Rule = Rule::new("R7", Code::RecordFormat);
    pub(super) const R8: Rule = Rule::new("R8", Code::RecordColumn);
    /// R8, a value of a column that was deleted since: lawful.
    pub(super) const R8_DELETED: Rule = Rule { id: "R8", code: Code::RecordColumn, severity: Severity::Info };
    pub(super) const R9: Rule = Rule::new("R9", Code::RecordFormat);
    pub(super) const R10: Rule = Rule::new("R10", Code::RecordFormat);
    pub(super) const R11: Rule = Rule::new("R11", Code::RecordFormat);
    pub(super) const R12: Rule = Rule::new("R12", Code::RecordFormat);
    pub(super) const R13: Rule = Rule::new("R13", Code::LvMissing);
    pub(super) const R14: Rule = Rule::new("R14", Code::RecordColumn);
    pub(super) const R15: Rule = Rule::new("R15", Code::RecordColumn);
    pub(super) const R17: Rule = Rule::new("R17", Code::RecordOdd);

    const fn new(id: &'static str, code: Code) -> Rule {
        Rule { id, code, severity: code.info().severity }
    }
}

/// What a finding says of a fault: "what: expected X, found Y", and both as numbers.
pub(super) struct Said {
    text: String,
    expected: Option<u64>,
    found: Option<u64>,
}

impl Said {
    pub(super) fn new(text: String) -> Said {
        Said { text, expected: None, found: None }
    }

    /// States both sides of a comparison.
    pub(super) fn compared(self, expected: usize, found: usize) -> Said {
        Said { expected: Some(expected as u64), found: Some(found as u64), ..self }
    }

    /// States what stands there, where several things might.
    pub(super) fn found(self, found: u8) -> Said {
        Said { found: Some(found.into()), ..self }
    }
}

/// The faults of one page.
#[derive(Debug, Default)]
pub(super) struct PageFaults {
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    rule: Rule,
    /// The first line that breaks the rule, and the last one that was counted.
    line: usize,
    last_line: usize,
    lines: u64,
    /// Offset in the page of the first wrong byte.
    at: usize,
    text: String,
    expected: Option<u64>,
    found: Option<u64>,
}

impl PageFaults {
    /// Notes that the record at `line` breaks `rule` at byte `at` of the page.
    pub(super) fn add(&mut self, rule: Rule, line: usize, at: usize, say: impl FnOnce() -> Said) {
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.rule == rule) {
            fault.lines += u64::from(fault.last_line != line);
            fault.last_line = line;
            return;
        }
        let Said { text, expected, found } = say();
        self.faults.push(Fault { rule, line, last_line: line, lines: 1, at, text, expected, found });
    }

    /// True if the last record of the page, at `line`, has a fault that makes its columns doubtful.
    pub(super) fn is_faulty(&self, line: usize) -> bool {
        self.faults.iter().any(|fault| {
            fault.last_line == line && fault.rule.severity == Severity::Error && fault.rule.code != Code::LvMissing
        })
    }

    /// Turns all faults into findings.
    pub(super) fn report(&mut self, size: PageSize, pgno: Pgno, findings: &mut Vec<Finding>) {
        findings.extend(self.faults.drain(..).map(|fault| {
            let text = format!("record at line {}, {}", fault.line, fault.text);
            let mut finding = Finding::on_page(fault.rule.code, pgno, size, fault.at, text);
            finding.severity = fault.rule.severity;
            finding.jet = finding.jet.filter(|_| fault.rule.severity != Severity::Info);
            finding = finding.rule(fault.rule.id).line(fault.line);
            finding.detail.expected = fault.expected;
            finding.detail.found = fault.found;
            finding.detail.count = Some(fault.lines);
            finding
        }));
    }
}
