//! `dump page`: one page, as `esentutl /mp`, with its owner and what is wrong with it.

use std::io::{self, Write};
use std::path::Path;

use ese_core::check::record::{RecordChecker, RecordContext};
use ese_core::checksum::{self, PageSum};
use ese_core::finding::Finding;
use ese_core::format::{DbState, Field, FieldValue, Page, PageFlags, Pgno};
use ese_core::inspect::{Contents, DatabaseMap};
use ese_core::source::PageBuf;
use ese_core::tree::PageState;
use ese_core::verify::{ExaminedPage, examine_page};
use serde::Serialize;

use super::super::json::FindingEntry;
use super::super::{counted, header, hex_view, shell_word, shown, text};
use super::line::{LineEntry, Lines, TagZeroEntry};
use super::{BOLD, FAINT, GOOD, Look, ODD, TreeEntry, UseEntry, WRONG, state_name};

/// One page.
#[derive(Serialize)]
pub(crate) struct PageView {
    #[serde(flatten)]
    head: PageHead,
    fields: Vec<FieldEntry>,
    flags: Vec<String>,
    tag0: Option<TagZeroEntry>,
    lines: Vec<LineEntry>,
    /// What `verify` says of this page alone.
    findings: Vec<FindingEntry>,
    /// What would be said besides if the checksum held, or if the database owned the page.
    not_reported: Vec<FindingEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(skip)]
    found: Vec<Finding>,
    #[serde(skip)]
    found_besides: Vec<Finding>,
    #[serde(skip)]
    raw: Vec<u8>,
}

/// A field of the header.
#[derive(Serialize)]
struct FieldEntry {
    name: &'static str,
    label: &'static str,
    /// Offset in the page.
    offset: u32,
    /// Checksums as hex digits, all else as numbers.
    value: serde_json::Value,
    #[serde(skip)]
    text: String,
}

impl FieldEntry {
    fn new(field: Field) -> FieldEntry {
        let sum = match field.value {
            FieldValue::Hex64(sum) => Some(format!("{sum:016x}")),
            FieldValue::Hex32(sum) if field.name == "checksum" => Some(format!("{sum:08x}")),
            _ => None,
        };
        FieldEntry {
            name: field.name,
            label: field.label,
            offset: field.offset,
            text: sum.as_ref().map_or_else(|| field.value.to_string(), |sum| format!("0x{sum}")),
            value: sum.map_or_else(|| header::value(field.value), Into::into),
        }
    }
}

/// What a page is, in a few words.
#[derive(Serialize)]
pub(super) struct PageHead {
    pub(super) pgno: u32,
    /// Offset in the file.
    pub(super) offset: u64,
    pub(super) page_size: usize,
    /// `good`, `malformed`, `correctable`, `blank`, `bad-checksum` or `unreadable`.
    pub(super) state: &'static str,
    checksum: ChecksumEntry,
    /// The tree that the page says it belongs to, if the catalog knows it.
    tree: Option<TreeEntry>,
    objid: Option<u32>,
    /// `data`, `index`, `long-value` or `space`.
    kind: Option<&'static str>,
    /// `root`, `leaf`, `root leaf`, `parent of leaves` and so on.
    level: Option<String>,
    space: UseEntry,
}

#[derive(Serialize, Default)]
struct ChecksumEntry {
    /// `good`, `blank`, `corrected`, `bad` or `unreadable`.
    verdict: &'static str,
    /// Block by block, where they disagree.
    stored: Vec<String>,
    computed: Vec<String>,
    /// Bits of the page that were flipped back.
    corrected_bits: Vec<u32>,
}

/// A page, read and judged.
pub(super) struct Looked {
    pub(super) examined: ExaminedPage,
    pub(super) head: PageHead,
}

impl Looked {
    pub(super) fn new(map: &DatabaseMap<'_>, pgno: Pgno) -> Looked {
        let examined = examine_page(map.pages, pgno, &map.ownership);
        let page = examined.page().filter(|_| examined.state != PageState::Blank);
        let known = page.and_then(|page| map.list.by_objid(page.objid())).and_then(|tree| map.list.trees().get(tree));
        let head = PageHead {
            pgno: pgno.0,
            offset: map.pages.size().offset_of(pgno),
            page_size: map.pages.size().bytes(),
            state: state_name(examined.state),
            checksum: ChecksumEntry::new(map, pgno, &examined),
            tree: known.map(TreeEntry::new),
            objid: page.map(|page| page.objid().0),
            kind: page.map(|page| kind(page.flags())),
            level: page.map(|page| level(page.flags())),
            space: UseEntry::new(map, pgno),
        };
        Looked { examined, head }
    }
}

fn kind(flags: PageFlags) -> &'static str {
    if flags.contains(PageFlags::SPACE_TREE) {
        "space"
    } else if flags.contains(PageFlags::LONG_VALUE) {
        "long-value"
    } else if flags.contains(PageFlags::INDEX) {
        "index"
    } else {
        "data"
    }
}

fn level(flags: PageFlags) -> String {
    let root = if flags.contains(PageFlags::ROOT) { "root, " } else { "" };
    let level = match flags & PageFlags::LEVEL {
        PageFlags::LEAF => "leaf",
        PageFlags::PARENT_OF_LEAF => "parent of leaves",
        level if level.is_empty() => "internal",
        _ => "leaf and parent of leaves at once",
    };
    format!("{root}{level}")
}

impl ChecksumEntry {
    fn new(map: &DatabaseMap<'_>, pgno: Pgno, examined: &ExaminedPage) -> ChecksumEntry {
        let mut entry = ChecksumEntry {
            verdict: match examined.state {
                PageState::Good | PageState::Malformed => "good",
                PageState::Blank => "blank",
                PageState::Correctable => "corrected",
                PageState::Bad => "bad",
                PageState::Unreadable => "unreadable",
            },
            ..ChecksumEntry::default()
        };
        let mut buf = PageBuf::default();
        let Ok(bytes) = map.pages.read_bytes(pgno, &mut buf) else { return entry };
        if let PageSum::Bad(bad) = checksum::verify(bytes, pgno) {
            entry.stored = bad.blocks().iter().map(|block| format!("{:016x}", block.stored.to_u64())).collect();
            entry.computed = bad.blocks().iter().map(|block| format!("{:016x}", block.computed.to_u64())).collect();
        }
        if examined.state == PageState::Correctable {
            entry.corrected_bits = examined.findings.iter().flat_map(|finding| finding.detail.bits.clone()).collect();
        }
        entry
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.verdict {
            "good" => return writeln!(out, "  Checksum: {GOOD}good{GOOD:#}"),
            "blank" => return writeln!(out, "  Checksum: {ODD}none, the page is blank: all its bytes are zero{ODD:#}"),
            "unreadable" => return writeln!(out, "  Checksum: {WRONG}the page cannot be read{WRONG:#}"),
            "corrected" => {
                let bits: Vec<String> =
                    self.corrected_bits.iter().map(|bit| format!("bit {} of byte 0x{:x}", bit % 8, bit / 8)).collect();
                writeln!(out, "  Checksum: {ODD}wrong, and right with {} flipped back{ODD:#}", bits.join(", "))?;
                writeln!(out, "            the page is shown so corrected")?;
            }
            _ => {
                writeln!(out, "  Checksum: {WRONG}bad{WRONG:#}: what follows is how the bytes read, true or not")?;
            }
        }
        for (block, (stored, computed)) in self.stored.iter().zip(&self.computed).enumerate() {
            let of = if self.stored.len() > 1 { format!("block {block}: ") } else { String::new() };
            let style = if stored == computed { FAINT } else { WRONG };
            writeln!(out, "            {style}{of}stored 0x{stored}, computed 0x{computed}{style:#}")?;
        }
        Ok(())
    }
}

impl PageHead {
    pub(super) fn write(&self, out: &mut dyn Write, path: &Path, what: &str) -> io::Result<()> {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: {what}page {pgno} (0x{pgno:x}) at offset 0x{:x}, {} bytes\n",
            shown(path),
            self.offset,
            self.page_size,
            pgno = self.pgno
        )?;
        self.checksum.write(out)?;
        if let (Some(objid), Some(kind), Some(level)) = (self.objid, self.kind, &self.level) {
            let kind = match kind {
                "data" => "rows",
                "index" => "index entries",
                "long-value" => "long values",
                _ => "extents (space tree)",
            };
            match &self.tree {
                Some(tree) if tree.kind == "database" && kind == "rows" => {
                    writeln!(out, "  Tree:     {}: it has no rows, only space", tree.label())?;
                }
                Some(tree) => writeln!(out, "  Tree:     {}; {kind}; {level}", tree.label())?,
                None => writeln!(
                    out,
                    "  Tree:     {ODD}objid {objid}, which the catalog does not have{ODD:#}; {kind}; {level}"
                )?,
            }
        }
        writeln!(out, "  Space:    {}", self.space.text())?;
        let owner = self.space.owner.as_ref().filter(|_| self.space.use_of == "used");
        if let (Some(owner), Some(objid)) = (owner, self.objid)
            && owner.objid != objid
        {
            writeln!(out, "            {ODD}not the tree that the page names{ODD:#}")?;
        }
        Ok(())
    }
}

impl PageView {
    pub(crate) fn new(map: &DatabaseMap<'_>, state: DbState, pgno: Pgno, path: &Path, look: Look) -> PageView {
        let Looked { mut examined, head } = Looked::new(map, pgno);
        let (mut fields, mut flags, mut tag0, mut lines) = (Vec::new(), Vec::new(), None, Vec::new());
        let mut of_records = Vec::new();
        if let Some(page) = examined.page().filter(|_| examined.state != PageState::Blank) {
            fields = page.fields().map(FieldEntry::new).collect();
            flags = page.flags().names();
            tag0 = Some(TagZeroEntry::new(page, pgno));
            let mut of_page = Lines::new(page, pgno, map.contents(page), look);
            lines = (page.first_line()..page.tag_count()).map_while(|line| of_page.line(line)).collect();
            if examined.state.is_usable() && head.space.use_of == "used" {
                of_records = record_findings(map, page, pgno, state);
            }
        }
        let raw = examined.page().filter(|_| look.hex).map_or_else(Vec::new, |page| page.bytes().to_vec());
        let mut found = std::mem::take(&mut examined.findings);
        found.extend(of_records);
        found.sort_by(Finding::cmp_in_report);
        let entries = |found: &[Finding]| found.iter().map(|finding| FindingEntry::new(finding, path)).collect();
        PageView {
            head,
            fields,
            flags,
            tag0,
            lines,
            findings: entries(&found),
            not_reported: entries(&examined.beyond_checksum),
            bytes: look.hex.then(|| hex::encode(&raw)),
            found,
            found_besides: examined.beyond_checksum,
            raw,
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path, look: Look) -> io::Result<()> {
        self.head.write(out, path, "")?;
        if !self.fields.is_empty() {
            writeln!(out, "\nHeader")?;
            for field in &self.fields {
                let flags = if field.name == "flags" { format!("  {}", self.flags.join(", ")) } else { String::new() };
                writeln!(out, "  +{:<3} {:<25} {}{flags}", field.offset, field.label, field.text)?;
            }
        }
        if let Some(tag0) = &self.tag0 {
            let (text, is_wrong) = tag0.text(look);
            let style = if is_wrong { WRONG } else { anstyle::Style::new() };
            writeln!(out, "\nTag 0: {style}{text}{style:#}")?;
        }
        self.write_lines(out)?;
        if look.hex {
            writeln!(out, "\nBytes")?;
            hex_view::whole(out, self.head.offset, &self.raw)?;
        }
        self.write_findings(out, path)
    }

    fn write_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.lines.is_empty() {
            return if self.tag0.is_some() { writeln!(out, "No lines.") } else { Ok(()) };
        }
        writeln!(
            out,
            "{} (flags: v versioned, d deleted, c key shortened by the prefix)",
            counted(self.lines.len() as u64, "line")
        )?;
        let rows: Vec<[String; 6]> = self.lines.iter().map(LineEntry::row).collect();
        let width = rows.iter().map(|row| row[4].len()).max().unwrap_or(0).min(40);
        writeln!(out, "{FAINT}  line  place     size  flags  {:<width$}  content{FAINT:#}", "key")?;
        for ([line, place, size, flags, key, meaning], entry) in rows.iter().zip(&self.lines) {
            let style = if entry.is_wrong() {
                WRONG
            } else if flags.contains('d') {
                FAINT
            } else {
                anstyle::Style::new()
            };
            writeln!(out, "{style}{line:>6}  {place:<7} {size:>6}  {flags}    {key:<width$}  {meaning}{style:#}")?;
        }
        Ok(())
    }

    fn write_findings(&self, out: &mut dyn Write, path: &Path) -> io::Result<()> {
        if self.found.is_empty() {
            writeln!(out, "\nNothing is wrong with this page alone; only `verify` sees what contradicts other pages.")?;
        } else {
            writeln!(out, "\n{BOLD}{}{BOLD:#}", counted(self.found.len() as u64, "finding"))?;
        }
        for finding in &self.found {
            text::one(out, finding)?;
        }
        if !self.found_besides.is_empty() {
            let why = if self.head.space.use_of == "slack" {
                "nothing owns the page"
            } else {
                "its checksum fails: that alone explains them"
            };
            writeln!(out, "\nNot reported, because {why}:")?;
        }
        for finding in &self.found_besides {
            writeln!(out, "  {FAINT}{}: {}{FAINT:#}", finding.code, finding.message)?;
        }
        let file = shell_word(path);
        let of_checksum = matches!(self.head.checksum.verdict, "bad" | "corrected");
        let first = self.lines.first().filter(|_| !of_checksum);
        let line = self.lines.iter().find(|line| line.is_wrong() && !of_checksum).or(first);
        match line {
            Some(line) => writeln!(out, "\nNext: catdb-cli dump {file} node {}:{}", self.head.pgno, line.line),
            None => writeln!(out, "\nNext: catdb-cli dump --hex {file} page {}", self.head.pgno),
        }
    }
}

/// What the record check says of a leaf of rows.
fn record_findings(map: &DatabaseMap<'_>, page: Page<'_>, pgno: Pgno, state: DbState) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Contents::Records(Some(layout)) = map.contents(page)
        && page.is_leaf()
        && page.objid().0 != ese_core::format::catalog::DATABASE_TREE.objid.0
    {
        RecordChecker::default().check_page(page, pgno, layout, &RecordContext { state }, &mut findings);
    }
    findings
}
