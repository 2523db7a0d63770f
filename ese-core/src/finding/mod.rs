//! Findings: what is wrong, where, and how it is called (spec 12 section 9).
//!
//! A finding is data. It carries the page, the byte offset of the wrong bytes and the values that were compared; it
//! never prints itself, and what it means and what to do next stands once, in the table of [`Code`].

mod code;

use std::cmp::Ordering;
use std::fmt;

pub use code::{Code, CodeInfo, NextStep};

use crate::format::{Objid, PageSize, Pgno};
use crate::jet::JetError;

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing; changes no verdict.
    Info,
    /// Nothing is lost, but something should be done.
    Warning,
    /// Damage.
    Error,
}

impl Severity {
    /// `error`, `warning` or `info`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The tree that a finding belongs to, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Object {
    /// Id of the tree.
    pub objid: Objid,
    /// Name of the table, if the catalog could be asked.
    pub table: Option<String>,
    /// Which tree of the table: `data`, the name of an index, `LV`.
    pub tree: Option<String>,
}

/// What was compared. Everything is optional; which fields a code fills is said in its tests and in `docs/findings.md`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Id of the rule in the specification: `P15`, `T14`, `S9`.
    pub rule: Option<&'static str>,
    /// Line on the page (the index of the tag) where it was seen first.
    pub line: Option<usize>,
    /// What the rule asks for: a number, in the unit that the message names.
    pub expected: Option<u64>,
    /// What stands there.
    pub found: Option<u64>,
    /// Stored checksums, one for each block of the page (or the header).
    pub stored: Vec<u64>,
    /// Computed checksums, beside `stored`.
    pub computed: Vec<u64>,
    /// Flipped bits, as bit indexes in the page: 8 * byte + bit, least significant bit first.
    pub bits: Vec<u32>,
    /// How many lines, pages or bytes it concerns, where it stands for more than one.
    pub count: Option<u64>,
    /// The first of the pages it concerns.
    pub pages: Vec<Pgno>,
    /// How many differences elsewhere follow from this finding, and have none of their own: rows that are missing, index
    /// entries without their rows, long values without chunks.
    pub consequences: Option<u64>,
}

/// One thing that is wrong, or worth knowing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of finding.
    pub code: Code,
    /// Its weight here; usually that of the code.
    pub severity: Severity,
    /// The error that a reader or the engine's own check would give.
    pub jet: Option<JetError>,
    /// The page, if it lies on one.
    pub pgno: Option<Pgno>,
    /// Where that page begins, in bytes from the start of the file.
    pub page_offset: Option<u64>,
    /// The wrong bytes: their offset from the start of the file.
    pub offset: u64,
    /// The tree it belongs to.
    pub object: Option<Object>,
    /// What is wrong, as a sentence: what, expected, found.
    pub message: String,
    /// The same as data.
    pub detail: Detail,
}

impl Finding {
    /// A finding about the file as a whole or its header, at byte `offset`.
    #[must_use]
    pub fn in_file(code: Code, offset: u64, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: code.info().severity,
            jet: code.info().jet,
            pgno: None,
            page_offset: None,
            offset,
            object: None,
            message: message.into(),
            detail: Detail::default(),
        }
    }

    /// A finding about page `pgno`, at byte `at` of the page.
    #[must_use]
    pub fn on_page(code: Code, pgno: Pgno, size: PageSize, at: usize, message: impl Into<String>) -> Finding {
        let page_offset = size.offset_of(pgno);
        let mut finding = Finding::in_file(code, page_offset + at as u64, message);
        finding.pgno = Some(pgno);
        finding.page_offset = Some(page_offset);
        finding
    }

    /// Names the rule of the specification that is broken.
    #[must_use]
    pub fn rule(mut self, id: &'static str) -> Finding {
        self.detail.rule = Some(id);
        self
    }

    /// Names the line where it was seen.
    #[must_use]
    pub fn line(mut self, line: usize) -> Finding {
        self.detail.line = Some(line);
        self
    }

    /// States both sides of a comparison.
    #[must_use]
    pub fn compared(mut self, expected: impl TryInto<u64>, found: impl TryInto<u64>) -> Finding {
        self.detail.expected = expected.try_into().ok();
        self.detail.found = found.try_into().ok();
        self
    }

    /// The order of a report: offset, code, line; then rule and message, so that it never depends on which came first.
    #[must_use]
    pub fn cmp_in_report(&self, other: &Finding) -> Ordering {
        let place = |finding: &Finding| (finding.offset, finding.code, finding.detail.line, finding.detail.rule);
        place(self).cmp(&place(other)).then_with(|| self.message.cmp(&other.message))
    }
}
