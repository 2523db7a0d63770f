//! The answer of `verify` for scripts: schema `catdb.verify/1`. Fields are only ever added; same input, same bytes.
//!
//! Checksums are strings of hex digits: the stored words as one number, 16 digits on pages, 8 in headers.

use std::io::{self, Write};
use std::path::Path;

use ese_core::finding::{Finding, Severity};
use ese_core::verify::{NotChecked, Report};
use serde::Serialize;

use super::next_command;
use crate::command::verify::Verified;

/// Name and version of the schema.
const SCHEMA: &str = "catdb.verify/1";

/// The program that made a document.
#[derive(Serialize)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(crate) const TOOL: Tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

/// One run.
#[derive(Serialize)]
pub(crate) struct VerifyDocument {
    schema: &'static str,
    tool: Tool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileEntry>,
}

impl VerifyDocument {
    pub(crate) fn new() -> VerifyDocument {
        VerifyDocument { schema: SCHEMA, tool: TOOL, files: Vec::new() }
    }

    pub(crate) fn add(&mut self, verified: &Verified<'_>) {
        let mut entry = FileEntry::new(verified);
        entry.findings =
            verified.result.as_ref().ok().map(|report| {
                report.findings().iter().map(|finding| FindingEntry::new(finding, verified.path)).collect()
            });
        self.files.push(entry);
    }
}

#[derive(Serialize)]
struct FileEntry {
    path: String,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    database: Option<DatabaseEntry>,
    verdict: &'static str,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    counts: Option<Counts>,
    not_checked: Vec<NotCheckedEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingEntry>>,
}

impl FileEntry {
    /// Everything but the findings.
    fn new(verified: &Verified<'_>) -> FileEntry {
        let report = verified.result.as_ref().ok();
        let refusal = verified.result.as_ref().err();
        FileEntry {
            path: verified.path.to_string_lossy().into_owned(),
            bytes: verified.bytes,
            sha256: verified.sha256.clone(),
            database: report.map(DatabaseEntry::new),
            verdict: report.map_or("unreadable", |report| report.verdict().name()),
            complete: report.is_some_and(Report::is_complete),
            error: refusal.map(|refusal| refusal.reason.clone()),
            next: refusal.map(|refusal| refusal.next.clone()),
            counts: report.map(Counts::new),
            not_checked: report
                .map_or_else(Vec::new, |report| report.not_checked.iter().map(NotCheckedEntry::new).collect()),
            findings: None,
        }
    }
}

#[derive(Serialize)]
struct DatabaseEntry {
    page_size: usize,
    pages: u32,
    last_owned_page: Option<u32>,
    format: Option<String>,
    state: Option<&'static str>,
    dbtime: Option<u64>,
    objid_last: Option<u32>,
    repair_count: Option<u32>,
}

impl DatabaseEntry {
    fn new(report: &Report) -> DatabaseEntry {
        let database = &report.database;
        let header = database.header.as_ref();
        DatabaseEntry {
            page_size: database.page_size.bytes(),
            pages: database.last_page.0,
            last_owned_page: database.last_owned.map(|pgno| pgno.0),
            format: header.map(|h| format!("0x{:x},{},{}", h.version(), h.update_major(), h.update_minor())),
            state: header.map(|h| h.state().name()),
            dbtime: header.map(|h| h.dbtime().0),
            objid_last: header.map(|h| h.objid_last().0),
            repair_count: header.map(ese_core::format::DatabaseHeader::repair_count),
        }
    }
}

#[derive(Serialize)]
struct Counts {
    pages_seen: u64,
    pages_blank: u64,
    pages_bad_checksum: u64,
    pages_correctable: u64,
    pages_unreadable: u64,
    pages_slack: u64,
    errors: u64,
    warnings: u64,
    infos: u64,
    findings_omitted: u64,
}

impl Counts {
    fn new(report: &Report) -> Counts {
        let pages = report.pages;
        Counts {
            pages_seen: pages.seen,
            pages_blank: pages.blank,
            pages_bad_checksum: pages.bad_checksum,
            pages_correctable: pages.correctable,
            pages_unreadable: pages.unreadable,
            pages_slack: pages.slack,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            infos: report.count(Severity::Info),
            findings_omitted: report.omitted(),
        }
    }
}

#[derive(Serialize)]
struct NotCheckedEntry {
    what: String,
    why: String,
}

impl NotCheckedEntry {
    fn new(skipped: &NotChecked) -> NotCheckedEntry {
        NotCheckedEntry { what: skipped.what.clone(), why: skipped.why.clone() }
    }
}

/// One finding.
#[derive(Serialize)]
pub(super) struct FindingEntry {
    code: &'static str,
    severity: &'static str,
    jet: Option<JetEntry>,
    pgno: Option<u32>,
    page_offset: Option<u64>,
    offset: u64,
    object: Option<ObjectEntry>,
    message: String,
    data: Data,
    /// The command to run next.
    next: String,
}

#[derive(Serialize)]
struct JetEntry {
    code: i32,
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct ObjectEntry {
    objid: u32,
    table: Option<String>,
    tree: Option<String>,
}

/// What was compared. `bit` is the first of `bits`, for those who expect one.
#[derive(Serialize)]
struct Data {
    rule: Option<&'static str>,
    line: Option<usize>,
    expected: Option<u64>,
    found: Option<u64>,
    stored: Vec<String>,
    computed: Vec<String>,
    bit: Option<u32>,
    count: Option<u64>,
    pages: Vec<u32>,
    /// Differences elsewhere that follow from this finding.
    consequences: Option<u64>,
}

impl FindingEntry {
    pub(super) fn new(finding: &Finding, path: &Path) -> FindingEntry {
        let detail = &finding.detail;
        let digits = if finding.pgno.is_some() { 16 } else { 8 };
        let hex = |sums: &[u64]| sums.iter().map(|sum| format!("{sum:0digits$x}")).collect();
        FindingEntry {
            code: finding.code.name(),
            severity: finding.severity.name(),
            jet: finding.jet.map(|jet| JetEntry { code: jet.0, name: jet.name() }),
            pgno: finding.pgno.map(|pgno| pgno.0),
            page_offset: finding.page_offset,
            offset: finding.offset,
            object: finding.object.as_ref().map(|object| ObjectEntry {
                objid: object.objid.0,
                table: object.table.clone(),
                tree: object.tree.clone(),
            }),
            message: finding.message.clone(),
            data: Data {
                rule: detail.rule,
                line: detail.line,
                expected: detail.expected,
                found: detail.found,
                stored: hex(&detail.stored),
                computed: hex(&detail.computed),
                bit: detail.bits.first().copied(),
                count: detail.count,
                pages: detail.pages.iter().map(|pgno| pgno.0).collect(),
                consequences: detail.consequences,
            },
            next: next_command(finding, path),
        }
    }
}

/// A line of `--format jsonl`: first the run, then for each file its findings, then the file without them.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Finding {
        path: &'a str,
        #[serde(flatten)]
        finding: Box<FindingEntry>,
    },
    File(Box<FileEntry>),
}

/// Writes one file as lines.
pub(crate) fn write_lines(out: &mut dyn Write, verified: &Verified<'_>) -> io::Result<()> {
    let file = FileEntry::new(verified);
    for finding in verified.result.iter().flat_map(|report| report.findings()) {
        write_line(
            out,
            &Line::Finding { path: &file.path, finding: Box::new(FindingEntry::new(finding, verified.path)) },
        )?;
    }
    write_line(out, &Line::File(Box::new(file)))
}

/// Writes one value as a line.
pub(crate) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// Writes a whole document, for eyes as well.
pub(crate) fn write_document(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
