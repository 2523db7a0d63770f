//! `dump node`: one node in all detail; a record column by column.

use std::io::{self, Write};
use std::path::Path;

use ese_core::format::{Node, Page, Pgno};
use ese_core::inspect::{DatabaseMap, Meaning, Which, cells};
use ese_core::record::Record;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::{counted, hex_view, shell_word};
use super::cell::{CellEntry, Most, RecordPlace};
use super::line::{LineEntry, Lines, MeaningEntry, TagZeroEntry};
use super::page::{Looked, PageHead};
use super::{BOLD, FAINT, Look, ODD, WRONG};

/// Bytes of a value that a person wants to see.
const VALUE: Most = Most { bytes: 32, chars: 100 };
/// Bytes of the data of a node, likewise.
const DATA_SHOWN: usize = 256;

/// One node.
#[derive(Serialize)]
pub(crate) struct NodeView {
    page: PageHead,
    /// Of line 0: what tag 0 holds.
    tag0: Option<TagZeroEntry>,
    node: LineEntry,
    parts: Option<Parts>,
    record: Option<RecordEntry>,
    #[serde(skip)]
    bytes: Vec<u8>,
    #[serde(skip)]
    data: Vec<u8>,
}

/// The pieces of a node.
#[derive(Serialize)]
struct Parts {
    prefix: String,
    suffix: String,
    data: String,
}

/// A record.
#[derive(Serialize)]
struct RecordEntry {
    bytes: usize,
    last_fixed: u16,
    last_variable: u16,
    /// Offsets in the record.
    fixed_end: usize,
    variable_start: usize,
    tagged_start: Option<usize>,
    /// Whether the catalog knows the table.
    table_is_known: bool,
    columns: Vec<CellEntry>,
}

impl NodeView {
    /// The node at `line`.
    ///
    /// # Errors
    /// What to ask for instead, if the page has no such line.
    pub(crate) fn new(
        map: &DatabaseMap<'_>,
        pgno: Pgno,
        line: usize,
        path: &Path,
        look: Look,
    ) -> Result<NodeView, Refusal> {
        let Looked { examined, head } = Looked::new(map, pgno);
        let next = format!("catdb-cli dump {} page {pgno}", shell_word(path));
        let Some(page) = examined.page() else {
            return Err(Refusal { reason: format!("page {pgno} cannot be read"), next });
        };
        let contents = map.contents(page);
        let found = Some(line).filter(|line| *line == 0 || *line < page.tag_count());
        let found = found.and_then(|line| Lines::new(page, pgno, contents, look).line(line));
        let Some(mut entry) = found else {
            let lines = page.tag_count().saturating_sub(1);
            let has = if lines == 0 { "none but tag 0".to_owned() } else { format!("lines 1 to {lines}") };
            return Err(Refusal { reason: format!("no line {line} on page {pgno}: it has {has}"), next });
        };
        let is_node = line >= page.first_line();
        let node = page.node(line).ok().filter(|_| is_node);
        if !is_node {
            (entry.key, entry.meaning, entry.error) = (None, None, None);
        }
        let record = node.and_then(|node| match contents.meaning(page, &node) {
            Meaning::Record { record: Ok(record), layout } => {
                Some(RecordEntry::new(&record, layout, page, pgno, &node, look))
            }
            _ => None,
        });
        // Of a line that lies in part outside the page: as much as is on it.
        let behind = || page.tag(line).and_then(|tag| page.body().get(tag.offset..)).unwrap_or_default();
        let raw = page.line(line).unwrap_or_else(|_| behind());
        Ok(NodeView {
            tag0: (line == 0).then(|| TagZeroEntry::new(page, pgno)),
            page: head,
            parts: node.map(|node| Parts {
                prefix: hex::encode(node.key.prefix),
                suffix: hex::encode(node.key.suffix),
                data: hex::encode(node.data),
            }),
            record,
            bytes: raw.get(..entry.size).unwrap_or(raw).to_vec(),
            data: node.map_or_else(Vec::new, |node| node.data.to_vec()),
            node: entry,
        })
    }

    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path, look: Look) -> io::Result<()> {
        let node = &self.node;
        self.page.write(out, path, &format!("line {} of ", node.line))?;
        let place =
            node.offset.map_or_else(|| "outside the page".to_owned(), |offset| format!("at offset 0x{offset:x}"));
        writeln!(out, "\n  Line:     {}, {place}", counted(node.size as u64, "byte"))?;
        if let Some(tag0) = &self.tag0 {
            let (text, is_wrong) = tag0.text(Look { full: true, ..look });
            let style = if is_wrong { WRONG } else { anstyle::Style::new() };
            writeln!(out, "  Tag 0:    {style}{text}{style:#}")?;
        }
        if let Some(error) = &node.error {
            writeln!(out, "  {WRONG}Cannot be taken apart: {error}{WRONG:#}")?;
        }
        if let Some(parts) = &self.parts {
            writeln!(out, "  Flags:    {}", super::list_or_dash(&node.flags))?;
            writeln!(out, "  Prefix:   {}", part(&parts.prefix))?;
            writeln!(out, "  Suffix:   {}", part(&parts.suffix))?;
            writeln!(out, "  Key:      {}", part(node.key.as_deref().unwrap_or_default()))?;
            let at = node.data_offset.unwrap_or(0);
            writeln!(out, "  Data:     {} at offset 0x{at:x}", counted(self.data.len() as u64, "byte"))?;
        }
        match (&self.record, &node.meaning) {
            (Some(record), _) => record.write(out)?,
            (None, Some(MeaningEntry::IndexEntry { bookmark })) => writeln!(out, "  Entry:    row {}", part(bookmark))?,
            (None, Some(meaning)) => writeln!(out, "  Content:  {}", meaning.text())?,
            (None, None) => {}
        }
        self.write_bytes(out, look)?;
        writeln!(out, "\nNext: catdb-cli dump {} {}", shell_word(path), self.next())
    }

    fn write_bytes(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let (what, at, bytes) = match (look.hex, self.data.is_empty()) {
            (false, false) => ("Data", self.node.data_offset, &self.data),
            _ => ("Bytes of the line", self.node.offset, &self.bytes),
        };
        let Some(at) = at.filter(|_| !bytes.is_empty()) else { return Ok(()) };
        let shown = if look.full || look.hex { bytes } else { bytes.get(..DATA_SHOWN).unwrap_or(bytes) };
        writeln!(out, "\n{BOLD}{what}{BOLD:#}")?;
        hex_view::whole(out, at, shown)?;
        let hidden = bytes.len() - shown.len();
        if hidden > 0 {
            writeln!(out, "             {} more; --full shows them", counted(hidden as u64, "byte"))
        } else {
            Ok(())
        }
    }

    /// What leads on from here.
    fn next(&self) -> String {
        match &self.node.meaning {
            Some(MeaningEntry::Child { pgno }) => format!("page {pgno}"),
            Some(MeaningEntry::Extent(_)) => "space".to_owned(),
            _ => format!("page {}", self.page.pgno),
        }
    }
}

fn part(hex: &str) -> String {
    if hex.is_empty() { "none".to_owned() } else { format!("{hex} ({} bytes)", hex.len() / 2) }
}

impl RecordEntry {
    fn new(
        record: &Record<'_>,
        layout: Option<&ese_core::record::TableLayout>,
        page: Page<'_>,
        pgno: Pgno,
        node: &Node<'_>,
        look: Look,
    ) -> RecordEntry {
        let offset = page.size().offset_of(pgno) + page.offset_of(node.data) as u64;
        let place = RecordPlace { size: page.size(), offset, data: record.data() };
        let most = if look.full { Most::ALL } else { VALUE };
        RecordEntry {
            bytes: record.data().len(),
            last_fixed: record.last_fixed(),
            last_variable: record.last_variable(),
            fixed_end: record.fixed_end(),
            variable_start: record.variable_start(),
            tagged_start: record.tagged_start().ok(),
            table_is_known: layout.is_some(),
            columns: cells(record, layout, Which::All).iter().map(|cell| CellEntry::new(cell, place, most)).collect(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let tagged = self.tagged_start.map_or_else(|| "?".to_owned(), |at| format!("+0x{at:x}"));
        writeln!(
            out,
            "  Record:   last fixed column {}, last variable {}; variable data at +0x{:x}, tagged at {tagged}",
            self.last_fixed, self.last_variable, self.variable_start
        )?;
        if !self.table_is_known {
            writeln!(
                out,
                "            {ODD}the catalog does not have the table: columns have no names, and where the fixed ones (to +0x{:x}) begin nobody knows{ODD:#}",
                self.fixed_end
            )?;
        }
        let rows: Vec<[String; 7]> = self.columns.iter().map(CellEntry::row).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (names, types, places) = (width(1).clamp(6, 32), width(2).max(4), width(3).max(6));
        let storages = width(5).max(7);
        writeln!(
            out,
            "\n{FAINT}     id  {:<names$}  {:<types$}  {:<places$}   size  {:<storages$}  value{FAINT:#}",
            "column", "type", "offset", "storage"
        )?;
        for ([id, name, column_type, place, size, storage, value], cell) in rows.iter().zip(&self.columns) {
            let style = if cell.is_unreadable() { WRONG } else { anstyle::Style::new() };
            writeln!(
                out,
                "{style}  {id:>5}  {name:<names$}  {column_type:<types$}  {place:<places$}  {size:>5}  {storage:<storages$}  {value}{style:#}"
            )?;
        }
        Ok(())
    }
}
