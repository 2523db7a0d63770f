//! One line of a page: its tag, its node, and what the node means.

use ese_core::format::{Node, NodeFlags, Page, PageSize, Pgno};
use ese_core::inspect::{Contents, Meaning, TagZero, Which, cells};
use ese_core::record::{Record, TableLayout};
use serde::Serialize;

use super::cell::{self, Most};
use super::{ExtentEntry, Look, short_key};

/// Bytes of a key on a line.
const KEY_SHOWN: usize = 12;
/// Characters of a record on a line, more or less.
const RECORD_SHOWN: usize = 110;
/// Of a value in it.
const VALUE: Most = Most { bytes: 12, chars: 32 };
/// Characters of all records of a page, however they overlap.
const BUDGET: usize = 8 << 20;

/// Tag and node of one line.
#[derive(Serialize)]
pub(super) struct LineEntry {
    pub(super) line: usize,
    /// Offset in the file of the tag.
    tag_offset: u64,
    /// Offset in the file of the first byte, if it lies on the page.
    pub(super) offset: Option<u64>,
    /// Offset in the page of the same.
    page_offset: Option<usize>,
    pub(super) size: usize,
    pub(super) flags: Vec<String>,
    /// Bytes of the key that are those of the page's prefix.
    prefix_bytes: Option<usize>,
    pub(super) key: Option<String>,
    pub(super) data_offset: Option<u64>,
    data_bytes: Option<usize>,
    pub(super) meaning: Option<MeaningEntry>,
    /// Why it cannot be read.
    pub(super) error: Option<String>,
    #[serde(skip)]
    short_key: String,
    #[serde(skip)]
    marks: String,
}

/// What a node means.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum MeaningEntry {
    Child {
        pgno: u32,
    },
    Extent(ExtentEntry),
    LongValueRoot {
        long_value: String,
        bytes: Option<u32>,
        references: Option<u32>,
        flags: Option<u8>,
        error: Option<String>,
    },
    LongValueChunk {
        long_value: String,
        value_offset: u32,
        stored_bytes: usize,
    },
    IndexEntry {
        bookmark: String,
    },
    Record {
        bytes: usize,
        summary: String,
        error: Option<String>,
    },
    Malformed {
        bytes: usize,
        error: String,
    },
}

/// Makes the lines of one page.
pub(super) struct Lines<'m, 'p> {
    page: Page<'p>,
    pgno: Pgno,
    contents: Contents<'m>,
    look: Look,
    budget: usize,
}

impl<'m, 'p> Lines<'m, 'p> {
    pub(super) fn new(page: Page<'p>, pgno: Pgno, contents: Contents<'m>, look: Look) -> Lines<'m, 'p> {
        Lines { page, pgno, contents, look, budget: BUDGET }
    }

    /// The line `line`; `None` if the page has no room for its tag.
    pub(super) fn line(&mut self, line: usize) -> Option<LineEntry> {
        let page = self.page;
        let tag = page.tag(line)?;
        let start = page.size().offset_of(self.pgno);
        let at = (tag.offset <= page.body().len()).then(|| page.header_len() + tag.offset);
        let node = page.node(line);
        let flags = node.as_ref().map_or(tag.flags, |node| node.flags);
        let mut entry = LineEntry {
            line,
            tag_offset: start + page.tag_offset(line) as u64,
            offset: at.map(|at| start + at as u64),
            page_offset: at,
            size: tag.size,
            flags: flags.names(),
            prefix_bytes: None,
            key: None,
            data_offset: None,
            data_bytes: None,
            meaning: None,
            error: None,
            short_key: String::new(),
            marks: marks(flags),
        };
        match node {
            Ok(node) => self.fill(&mut entry, &node),
            Err(error) => entry.error = Some(error.to_string()),
        }
        Some(entry)
    }

    fn fill(&mut self, entry: &mut LineEntry, node: &Node<'p>) {
        let key = node.key.to_vec();
        let most = if self.look.full { usize::MAX } else { KEY_SHOWN };
        entry.short_key = short_key(&key, most);
        entry.prefix_bytes = Some(node.key.prefix.len());
        entry.key = Some(hex::encode(&key));
        let start = self.page.size().offset_of(self.pgno);
        entry.data_offset = Some(start + self.page.offset_of(node.data) as u64);
        entry.data_bytes = Some(node.data.len());
        entry.meaning = Some(self.meaning(node));
    }

    fn meaning(&mut self, node: &Node<'p>) -> MeaningEntry {
        match self.contents.meaning(self.page, node) {
            Meaning::Child(pgno) => MeaningEntry::Child { pgno: pgno.0 },
            Meaning::Extent(extent) => MeaningEntry::Extent(ExtentEntry::new(&extent)),
            Meaning::LongValueRoot { id, root } => MeaningEntry::LongValueRoot {
                long_value: id.to_string(),
                bytes: root.ok().map(|root| root.size),
                references: root.ok().map(|root| root.references),
                flags: root.ok().and_then(|root| root.flags).map(|flags| flags.bits()),
                error: root.err().map(|error| error.to_string()),
            },
            Meaning::LongValueChunk { id, offset } => MeaningEntry::LongValueChunk {
                long_value: id.to_string(),
                value_offset: offset,
                stored_bytes: node.data.len(),
            },
            Meaning::NoLongValue(error) => MeaningEntry::Malformed { bytes: node.data.len(), error: error.to_string() },
            Meaning::Entry { bookmark } => MeaningEntry::IndexEntry { bookmark: hex::encode(bookmark) },
            Meaning::Record { record: Ok(record), layout } => {
                let summary = self.summary(&record, layout);
                MeaningEntry::Record { bytes: node.data.len(), summary, error: None }
            }
            Meaning::Record { record: Err(error), .. } => {
                MeaningEntry::Record { bytes: node.data.len(), summary: String::new(), error: Some(error.to_string()) }
            }
            Meaning::Malformed(what) => MeaningEntry::Malformed { bytes: node.data.len(), error: what.to_owned() },
        }
    }

    /// The first columns of a record that have a value.
    fn summary(&mut self, record: &Record<'p>, layout: Option<&TableLayout>) -> String {
        let (most, value) = if self.look.full { (usize::MAX, Most::ALL) } else { (RECORD_SHOWN, VALUE) };
        let mut text = String::new();
        let mut left_out = 0usize;
        if self.budget == 0 {
            return text;
        }
        for cell in cells(record, layout, Which::Stored) {
            if matches!(cell.content, ese_core::inspect::CellContent::Null) {
                continue;
            }
            if text.len() >= most || text.len() >= self.budget {
                left_out += 1;
                continue;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            text += &cell::name(&cell);
            text.push('=');
            text += &cell::short(&cell, self.page.size(), value);
        }
        if left_out > 0 {
            text += &format!(", .. {left_out} more");
        }
        self.budget = self.budget.saturating_sub(text.len());
        text
    }
}

/// `vdc`: versioned, deleted, compressed; a dash for each that is not set.
fn marks(flags: NodeFlags) -> String {
    let all = [(NodeFlags::VERSION, 'v'), (NodeFlags::DELETED, 'd'), (NodeFlags::COMPRESSED, 'c')];
    all.into_iter().map(|(flag, mark)| if flags.contains(flag) { mark } else { '-' }).collect()
}

impl LineEntry {
    /// Line, place, size, flags, key, and what it means.
    pub(super) fn row(&self) -> [String; 6] {
        let place = self.page_offset.map_or_else(|| "-".to_owned(), |at| format!("+0x{at:04x}"));
        let meaning = match (&self.error, &self.meaning) {
            (Some(error), _) => format!("cannot be read: {error}"),
            (None, Some(meaning)) => meaning.text(),
            (None, None) => String::new(),
        };
        [self.line.to_string(), place, self.size.to_string(), self.marks.clone(), self.short_key.clone(), meaning]
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some() || self.meaning.as_ref().is_some_and(MeaningEntry::is_wrong)
    }
}

impl MeaningEntry {
    pub(super) fn text(&self) -> String {
        match self {
            MeaningEntry::Child { pgno } => format!("-> page {pgno}"),
            MeaningEntry::Extent(extent) => format!("pages {} ({})", extent.range(), extent.pages),
            MeaningEntry::LongValueRoot { long_value, error: Some(error), .. } => {
                format!("root of long value {long_value}: {error}")
            }
            MeaningEntry::LongValueRoot { long_value, bytes, references, flags, .. } => {
                let flags = flags.map_or_else(String::new, |flags| format!(", flags 0x{flags:x}"));
                let number = |n: &Option<u32>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
                format!(
                    "root of long value {long_value}: {} bytes, references {}{flags}",
                    number(bytes),
                    number(references)
                )
            }
            MeaningEntry::LongValueChunk { long_value, value_offset, stored_bytes } => {
                format!("long value {long_value} from byte {value_offset}: {stored_bytes} bytes stored")
            }
            MeaningEntry::IndexEntry { bookmark } => format!("row {}", super::cut(bookmark, 2 * 32)),
            MeaningEntry::Record { bytes, error: Some(error), .. } => format!("{bytes} bytes, no record: {error}"),
            MeaningEntry::Record { summary, .. } => summary.clone(),
            MeaningEntry::Malformed { bytes, error } => format!("{bytes} bytes, {error}"),
        }
    }

    fn is_wrong(&self) -> bool {
        matches!(
            self,
            MeaningEntry::Malformed { .. }
                | MeaningEntry::Record { error: Some(_), .. }
                | MeaningEntry::LongValueRoot { error: Some(_), .. }
        )
    }
}

/// Tag 0.
#[derive(Serialize)]
pub(super) struct TagZeroEntry {
    /// Offset in the file of its first byte.
    offset: Option<u64>,
    size: Option<usize>,
    bytes: Option<String>,
    content: TagZeroContent,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum TagZeroContent {
    Empty,
    SpaceHeader(RootEntry),
    SplitBuffer { extents: Vec<ExtentEntry> },
    Prefix,
    Malformed,
    Unreadable { error: String },
}

/// The header of a root.
#[derive(Serialize)]
pub(super) struct RootEntry {
    /// `multiple` (OE and AE trees) or `single` (one extent and a map); `None` without a space header.
    pub(super) form: Option<&'static str>,
    pub(super) cpg: Option<u32>,
    pub(super) parent: Option<u32>,
    pub(super) flags: Vec<String>,
    pub(super) oe_root: Option<u32>,
    pub(super) ae_root: Option<u32>,
    autoincrement: Option<u64>,
}

impl RootEntry {
    fn new(root: &ese_core::format::RootHeader) -> RootEntry {
        RootEntry { autoincrement: root.autoincrement, ..RootEntry::of_space(root.space.as_ref()) }
    }

    pub(super) fn of_space(space: Option<&ese_core::format::SpaceHeader>) -> RootEntry {
        let oe_root = space.and_then(ese_core::format::SpaceHeader::oe_root);
        RootEntry {
            form: space.map(|_| if oe_root.is_some() { "multiple" } else { "single" }),
            cpg: space.map(|space| space.cpg),
            parent: space.map(|space| space.parent.0),
            flags: space.map_or_else(Vec::new, |space| space.flags.names()),
            oe_root: oe_root.map(|pgno| pgno.0),
            ae_root: oe_root.map(|pgno| pgno.next().0),
            autoincrement: None,
        }
    }

    fn text(&self) -> String {
        let mut parts = Vec::new();
        if let (Some(cpg), Some(parent)) = (self.cpg, self.parent) {
            parts.push(format!("cpg {cpg}"));
            parts.push(if parent == 0 { "no parent".to_owned() } else { format!("parent FDP {parent}") });
            parts.push(match (self.oe_root, self.ae_root) {
                (Some(oe), Some(ae)) => format!("OE root {oe}, AE root {ae}"),
                _ => "a single extent".to_owned(),
            });
            parts.push(format!("flags {}", super::list_or_dash(&self.flags)));
        }
        if let Some(maximum) = self.autoincrement {
            parts.push(format!("autoincrement {maximum}"));
        }
        parts.join(", ")
    }
}

impl TagZeroEntry {
    pub(super) fn new(page: Page<'_>, pgno: Pgno) -> TagZeroEntry {
        let bytes = page.line(0).ok().filter(|bytes| !bytes.is_empty());
        let start = PageSize::offset_of(page.size(), pgno);
        TagZeroEntry {
            offset: bytes.map(|bytes| start + page.offset_of(bytes) as u64),
            size: page.tag(0).map(|tag| tag.size),
            bytes: bytes.map(hex::encode),
            content: match TagZero::of(page) {
                TagZero::Empty => TagZeroContent::Empty,
                TagZero::SpaceHeader(root) => TagZeroContent::SpaceHeader(RootEntry::new(&root)),
                TagZero::SplitBuffer(extents) => {
                    TagZeroContent::SplitBuffer { extents: extents.iter().map(ExtentEntry::new).collect() }
                }
                TagZero::Prefix(_) => TagZeroContent::Prefix,
                TagZero::Malformed(_) => TagZeroContent::Malformed,
                TagZero::Unreadable(error) => TagZeroContent::Unreadable { error: error.to_string() },
            },
        }
    }

    /// What it is, and whether something is wrong with it.
    pub(super) fn text(&self, look: Look) -> (String, bool) {
        let size = self.size.unwrap_or(0);
        let all = self.bytes.as_deref().unwrap_or_default();
        let bytes = if look.full { all.to_owned() } else { super::cut(all, 64) };
        match &self.content {
            TagZeroContent::Empty => ("empty".to_owned(), false),
            TagZeroContent::SpaceHeader(root) => (format!("space header: {}", root.text()), false),
            TagZeroContent::SplitBuffer { extents } => {
                let used: Vec<String> =
                    extents.iter().filter(|extent| extent.pages > 0).map(ExtentEntry::range).collect();
                let pages = if used.is_empty() { "empty".to_owned() } else { format!("pages {}", used.join(" and ")) };
                (format!("split buffer: {pages}"), false)
            }
            TagZeroContent::Prefix => (format!("prefix of keys, {size} bytes: {bytes}"), false),
            TagZeroContent::Malformed => (format!("{size} bytes that are no header of a root: {bytes}"), true),
            TagZeroContent::Unreadable { error } => (format!("cannot be read: {error}"), true),
        }
    }
}
