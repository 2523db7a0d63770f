//! The answer of `verify` for people: verdict first, then findings, then what was not checked, then the next command.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use ese_core::finding::{Finding, Object, Severity};
use ese_core::format::DbState;
use ese_core::source::ByteSource;
use ese_core::verify::{Report, Verdict};

use super::{counted, grouped, hex_view, next_command, shell_word, shown};
use crate::command::verify::Verified;

/// Findings shown unless all are asked for.
const SHOWN: usize = 20;
/// The worst first.
const BY_WEIGHT: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// What a person wants to see.
pub(crate) struct Look<'a> {
    /// Every finding.
    pub(crate) all: bool,
    /// The bytes around each finding, from here.
    pub(crate) hex: Option<&'a dyn ByteSource>,
}

/// Writes what became of one input.
pub(crate) fn verdict(out: &mut dyn Write, verified: &Verified<'_>, look: &Look<'_>) -> io::Result<()> {
    let path = verified.path;
    let report = match &verified.result {
        Ok(report) => report,
        Err(refusal) => {
            refusal.write(out, path)?;
            return writeln!(out);
        }
    };
    headline(out, path, report)?;
    summary(out, report)?;
    if let Some(sha256) = &verified.sha256 {
        writeln!(out, "  SHA-256 {sha256}")?;
    }
    findings(out, path, report, look)?;
    for skipped in &report.not_checked {
        writeln!(out, "\nNot known: {}.\n  Reason: {}", skipped.what, skipped.why)?;
    }
    next(out, path, report)?;
    writeln!(out)
}

fn headline(out: &mut dyn Write, path: &Path, report: &Report) -> io::Result<()> {
    let style = verdict_style(report.verdict());
    let word = report.verdict().name().to_uppercase();
    writeln!(out, "{BOLD}{}{BOLD:#}: {style}{word}{style:#}: {}", shown(path), reason(report))
}

/// One reason for the verdict.
fn reason(report: &Report) -> String {
    let errors = report.count(Severity::Error);
    let warnings = report.count(Severity::Warning);
    let mut counts = Vec::new();
    if errors > 0 {
        counts.push(counted(errors, "error"));
    }
    if warnings > 0 {
        counts.push(counted(warnings, "warning"));
    }
    let first = report.findings().iter().max_by(|a, b| a.severity.cmp(&b.severity).then(b.offset.cmp(&a.offset)));
    match (first, report.verdict()) {
        (Some(first), Verdict::Damaged | Verdict::Warnings) => {
            let place = first.pgno.map_or_else(String::new, |pgno| format!(" on page {pgno}"));
            let jet = first.jet.map_or_else(String::new, |jet| format!(", {jet}"));
            format!("{}; first {}{place}{jet}", counts.join(" and "), first.code)
        }
        (_, Verdict::Intact) => {
            format!("no damage in {}", counted(report.pages.seen - report.pages.slack, "page"))
        }
        (None, _) => counts.join(" and "),
    }
}

fn summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let database = &report.database;
    write!(
        out,
        "  {}, {} of {} bytes",
        counted(database.bytes, "byte"),
        counted(report.pages.seen, "page"),
        grouped(database.page_size.as_u64())
    )?;
    match &database.header {
        Some(header) => {
            let state = header.state();
            let style = if state == DbState::CleanShutdown { Style::new() } else { severity_style(Severity::Warning) };
            write!(out, ", format 0x{:x},{}", header.version(), header.update_major())?;
            writeln!(out, ", {style}{state}{style:#}, dbtime {}", header.dbtime())?;
        }
        None => writeln!(out, ", format and state unknown: both header copies are bad")?,
    }
    let pages = report.pages;
    let parts: Vec<String> = [
        (pages.blank, "blank"),
        (pages.bad_checksum, "with a bad checksum"),
        (pages.correctable, "correctable"),
        (pages.unreadable, "unreadable"),
        (pages.slack, "behind the end of the database"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", grouped(count)))
    .collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "  Pages: {}", parts.join(", ")) }
}

fn findings(out: &mut dyn Write, path: &Path, report: &Report, look: &Look<'_>) -> io::Result<()> {
    let limit = if look.all { usize::MAX } else { SHOWN };
    let by_weight = BY_WEIGHT.iter().flat_map(|weight| report.findings().iter().filter(move |f| f.severity == *weight));
    for finding in by_weight.take(limit) {
        one(out, finding)?;
        if let Some(source) = look.hex {
            hex_view::write(out, finding, report.database.page_size.bytes(), source)?;
        }
        writeln!(out, "           {FAINT}next: {}{FAINT:#}", next_command(finding, path))?;
    }
    let hidden = report.findings().len().saturating_sub(limit);
    if hidden > 0 {
        writeln!(out, "\n  ... {} more; --all shows them. By code:", counted(hidden as u64, "finding"))?;
        for (code, severity, count) in report.count_by_code() {
            writeln!(out, "      {:<20} {:<8} {:>8}", code.name(), severity.name(), grouped(count))?;
        }
    }
    if report.omitted() > 0 {
        writeln!(
            out,
            "\n  {} counted but not kept; --max-findings sets the limit",
            counted(report.omitted(), "finding")
        )?;
    }
    Ok(())
}

/// One finding: code, place, message, JET error.
pub(super) fn one(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let style = severity_style(finding.severity);
    let place = match finding.pgno {
        Some(pgno) => format!("page {pgno} (0x{pgno:x}), offset 0x{:x}", finding.offset, pgno = pgno.0),
        None => format!("offset 0x{:x}", finding.offset),
    };
    let rule = finding.detail.rule.map_or_else(String::new, |rule| format!(" [{rule}]"));
    let object = finding.object.as_ref().map_or_else(String::new, of_object);
    writeln!(out, "\n  {style}{:<8}{style:#} {BOLD}{}{BOLD:#}  {place}{object}", finding.severity, finding.code)?;
    writeln!(out, "           {}{FAINT}{rule}{FAINT:#}", finding.message)?;
    if let Some(count) = finding.detail.count.filter(|count| *count > 1 && finding.detail.line.is_some()) {
        writeln!(out, "           {} of the page in all", counted(count, "line"))?;
    }
    if let Some(count) = finding.detail.consequences {
        writeln!(
            out,
            "           explains {} elsewhere: rows, index entries or long values",
            counted(count, "difference")
        )?;
    }
    if let Some(jet) = finding.jet {
        writeln!(out, "           {jet}")?;
    }
    Ok(())
}

/// ", table T, index ix".
fn of_object(object: &Object) -> String {
    match (&object.table, &object.tree) {
        (Some(table), Some(tree)) => format!(", {}.{}", shown(table.as_ref()), shown(tree.as_ref())),
        (Some(name), None) | (None, Some(name)) => format!(", {}", shown(name.as_ref())),
        (None, None) => format!(", tree {}", object.objid),
    }
}

/// The next command: that of the weightiest finding.
fn next(out: &mut dyn Write, path: &Path, report: &Report) -> io::Result<()> {
    let worst = BY_WEIGHT.iter().find_map(|weight| report.findings().iter().find(|f| f.severity == *weight));
    let Some(worst) = worst else {
        return writeln!(out, "\nNext: nothing to do. catdb-cli info {} shows the header.", shell_word(path));
    };
    let step = worst.code.info().next;
    let command = next_command(worst, path);
    writeln!(out, "\n{}\nNext: {command}\n      catdb-cli explain {}", step.advice, worst.code)
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Damaged => AnsiColor::Red.on_default().bold(),
        Verdict::Warnings => AnsiColor::Yellow.on_default().bold(),
        Verdict::Intact => AnsiColor::Green.on_default().bold(),
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        Severity::Info => AnsiColor::Cyan.on_default(),
    }
}
