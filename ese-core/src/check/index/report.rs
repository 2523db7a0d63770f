//! What is said about an index: each finding names the index, the key and the bookmark (spec 12 section 9).
//!
//! Of the same kind of finding about one index only the first are kept, by their place in the file; the last of them says
//! how many it stands for.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::check::Shutdown;
use crate::finding::{Code, Finding, Object, Severity};
use crate::format::{PageSize, Pgno};
use crate::tree::LeafNode;

use super::definition::{TableIndex, TableKeys};

/// Most findings of one code about one index.
pub const FINDINGS_MOST: usize = 64;
/// Bytes of a key or bookmark that a message shows.
const BYTES_SHOWN: usize = 24;

/// Where a node lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) pgno: Pgno,
    /// 1-based.
    pub(super) line: usize,
    /// Offset in the page, in bytes.
    pub(super) at: usize,
}

/// Bytes as hexadecimal digits; of very many only the first.
pub(super) fn digits(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes.iter().take(BYTES_SHOWN) {
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.is_empty() {
        out.push_str("of no bytes");
    } else if bytes.len() > BYTES_SHOWN {
        let _ = write!(out, "... ({} bytes)", bytes.len());
    }
    out
}

impl Place {
    /// The key of a node, or its data if all of the key lies in the page's prefix.
    pub(super) fn of_key(node: &LeafNode<'_>) -> Place {
        let suffix = node.node.key.suffix;
        Place::of(node, if suffix.is_empty() { node.node.data } else { suffix })
    }

    /// The data of a node.
    pub(super) fn of_data(node: &LeafNode<'_>) -> Place {
        Place::of(node, node.node.data)
    }

    fn of(node: &LeafNode<'_>, part: &[u8]) -> Place {
        Place { pgno: node.leaf.pgno, line: node.node.line, at: node.leaf.page.offset_of(part) }
    }
}

/// A finding at `place` about an index, or about the rows of a table without a primary one.
pub(super) fn finding(
    keys: &TableKeys<'_>,
    index: Option<&TableIndex>,
    size: PageSize,
    place: Place,
    code: Code,
    rule: &'static str,
    what: &str,
) -> Finding {
    let whose = index.map_or_else(String::new, |index| format!(", index {:?}", index.name));
    let message = format!("table {:?}{whose}: {what}", keys.name);
    let mut finding = Finding::on_page(code, place.pgno, size, place.at, message).rule(rule).line(place.line);
    finding.object = Some(Object {
        objid: index.map_or(keys.objid, |index| index.objid),
        table: Some(keys.name.clone()),
        tree: Some(index.map_or_else(|| "data".to_owned(), |index| index.name.clone())),
    });
    finding
}

/// Findings of one code about one index.
#[derive(Default)]
struct Kept {
    findings: Vec<Finding>,
    dropped: u64,
}

impl Kept {
    /// Keeps the first ones only.
    fn shrink(&mut self) {
        self.findings.sort_by(Finding::cmp_in_report);
        let more = self.findings.len().saturating_sub(FINDINGS_MOST);
        self.dropped += u64::try_from(more).unwrap_or(u64::MAX);
        self.findings.truncate(FINDINGS_MOST);
    }
}

/// Gathers the findings about the indexes of one table.
pub(super) struct Reports<'a> {
    keys: &'a TableKeys<'a>,
    size: PageSize,
    shutdown: Shutdown,
    kept: BTreeMap<(usize, Code), Kept>,
}

impl<'a> Reports<'a> {
    pub(super) fn new(keys: &'a TableKeys<'a>, size: PageSize, shutdown: Shutdown) -> Reports<'a> {
        Reports { keys, size, shutdown, kept: BTreeMap::new() }
    }

    /// Adds a finding about index number `number`.
    pub(super) fn add(&mut self, number: usize, place: Place, code: Code, rule: &'static str, what: &str) {
        let Some(index) = self.keys.indexes().get(number) else { return };
        let mut finding = finding(self.keys, Some(index), self.size, place, code, rule, what);
        if self.shutdown == Shutdown::Dirty && !index.is_primary() && finding.severity > Severity::Warning {
            finding.severity = Severity::Warning;
            finding.message.push_str("; the database is dirty: recover it first");
        }
        let kept = self.kept.entry((number, code)).or_default();
        kept.findings.push(finding);
        if kept.findings.len() >= 2 * FINDINGS_MOST {
            kept.shrink();
        }
    }

    /// All findings.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut all = Vec::new();
        for mut kept in self.kept.into_values() {
            kept.shrink();
            if let Some(last) = kept.findings.last_mut().filter(|_| kept.dropped > 0) {
                last.detail.count = Some(kept.dropped + 1);
                let _ = write!(last.message, "; {} more like this", kept.dropped);
            }
            all.append(&mut kept.findings);
        }
        all.sort_by(Finding::cmp_in_report);
        all
    }
}
