//! The answers of `dump`: one file for each view, as text for people and as schema `catdb.dump/1` for scripts.
//!
//! A view is made of what the library tells, then written as either. Nothing here knows an offset or a flag of the format.

pub(crate) mod catalog;
mod cell;
mod line;
pub(crate) mod node;
pub(crate) mod page;
pub(crate) mod space;
pub(crate) mod tree;

use std::path::Path;

use anstyle::{AnsiColor, Style};
use ese_core::format::{Extent, Pgno, Pool};
use ese_core::inspect::{DatabaseMap, PageUse};
use ese_core::tree::{PageState, TreeInfo, TreeKind};
use serde::Serialize;

use super::header::Info;
use super::json::{TOOL, Tool};
use super::refusal::Refusal;
use super::shown_text;

/// Name and version of the schema.
const SCHEMA: &str = "catdb.dump/1";

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const WRONG: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const ODD: Style = AnsiColor::Yellow.on_default();

/// How much a person wants to see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Keys and values in full length, all columns of a record.
    pub(crate) full: bool,
    /// All pages and extents.
    pub(crate) all: bool,
    /// The bytes themselves.
    pub(crate) hex: bool,
}

/// One dump. Exactly one of the views is there, or an error.
#[derive(Serialize)]
pub(crate) struct DumpDocument<'a> {
    schema: &'static str,
    tool: Tool,
    path: String,
    view: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    #[serde(flatten)]
    content: Option<Content<'a>>,
}

/// A view with its data.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content<'a> {
    Header(Info),
    Page(&'a page::PageView),
    Node(&'a node::NodeView),
    Tree(&'a tree::TreeView<'a>),
    Catalog(&'a catalog::CatalogView),
    Space(&'a space::SpaceView),
}

impl<'a> DumpDocument<'a> {
    pub(crate) fn new(path: &Path, view: &'static str, content: Content<'a>) -> DumpDocument<'a> {
        DumpDocument { content: Some(content), ..DumpDocument::empty(path, view) }
    }

    pub(crate) fn refused(path: &Path, view: &'static str, refusal: &'a Refusal) -> DumpDocument<'a> {
        let (error, next) = (Some(refusal.reason.as_str()), Some(refusal.next.as_str()));
        DumpDocument { error, next, ..DumpDocument::empty(path, view) }
    }

    fn empty(path: &Path, view: &'static str) -> DumpDocument<'a> {
        let path = path.to_string_lossy().into_owned();
        DumpDocument { schema: SCHEMA, tool: TOOL, path, view, error: None, next: None, content: None }
    }
}

/// A tree by all its names.
#[derive(Serialize)]
struct TreeEntry {
    objid: u32,
    root: u32,
    kind: &'static str,
    table: Option<String>,
    tree: String,
}

impl TreeEntry {
    fn new(tree: &TreeInfo) -> TreeEntry {
        TreeEntry {
            objid: tree.objid.0,
            root: tree.root.0,
            kind: kind_name(tree.kind),
            table: tree.table_name.clone(),
            tree: tree.name.clone(),
        }
    }

    /// `MSysObjects.Name (objid 4)`.
    fn label(&self) -> String {
        format!("{} (objid {})", self.name(), self.objid)
    }

    /// `MSysObjects.Name`.
    fn name(&self) -> String {
        let tree = shown_text(&self.tree);
        self.table.as_ref().map_or_else(|| tree.clone(), |table| format!("{}.{tree}", shown_text(table)))
    }
}

fn kind_name(kind: TreeKind) -> &'static str {
    match kind {
        TreeKind::Database => "database",
        TreeKind::Data => "data",
        TreeKind::Index => "index",
        TreeKind::LongValue => "long-value",
    }
}

fn state_name(state: PageState) -> &'static str {
    match state {
        PageState::Good => "good",
        PageState::Malformed => "malformed",
        PageState::Correctable => "correctable",
        PageState::Blank => "blank",
        PageState::Bad => "bad-checksum",
        PageState::Unreadable => "unreadable",
    }
}

/// What a page is used for.
#[derive(Serialize)]
struct UseEntry {
    /// `used`, `free`, `unowned` or `slack`.
    #[serde(rename = "use")]
    use_of: &'static str,
    owner: Option<TreeEntry>,
}

impl UseEntry {
    fn new(map: &DatabaseMap<'_>, pgno: Pgno) -> UseEntry {
        UseEntry {
            use_of: match map.use_of(pgno) {
                PageUse::Used => "used",
                PageUse::Free => "free",
                PageUse::Unowned => "unowned",
                PageUse::Slack => "slack",
            },
            owner: map.ownership.owner(pgno).and_then(|owner| map.list.trees().get(owner)).map(TreeEntry::new),
        }
    }

    fn text(&self) -> String {
        let owner = self.owner.as_ref().map(TreeEntry::label).unwrap_or_default();
        match self.use_of {
            "used" => format!("owned by {owner}, in use"),
            "free" => format!("owned by {owner}, free there"),
            "slack" => "behind the end of the database: belongs to nothing".to_owned(),
            _ => "owned by no tree".to_owned(),
        }
    }
}

/// Pages in a row.
#[derive(Serialize)]
struct ExtentEntry {
    first: Option<u32>,
    last: u32,
    pages: u32,
    pool: Option<String>,
}

impl ExtentEntry {
    fn new(extent: &Extent) -> ExtentEntry {
        let pool = match extent.pool {
            Pool::General => None,
            Pool::Continuous => Some("continuous".to_owned()),
            Pool::Shelved => Some("shelved".to_owned()),
            Pool::Unknown(number) => Some(format!("unknown-{number}")),
        };
        ExtentEntry { first: extent.first().map(|pgno| pgno.0), last: extent.last.0, pages: extent.count, pool }
    }

    /// `31-38`, `31`; with the pool behind it.
    fn range(&self) -> String {
        let pool = self.pool.as_ref().map_or_else(String::new, |pool| format!(" ({pool})"));
        match self.first {
            Some(first) if first == self.last => format!("{first}{pool}"),
            Some(first) => format!("{first}-{}{pool}", self.last),
            None if self.pages == 0 && self.last == 0 => format!("none{pool}"),
            None => format!("{} pages that end at {}{pool}", self.pages, self.last),
        }
    }
}

/// Bytes in hex; of more than `most` the first, and how many there are.
fn short_hex(bytes: &[u8], most: usize) -> String {
    match bytes.get(..most) {
        Some(start) if bytes.len() > most => format!("{}..({})", hex::encode(start), bytes.len()),
        _ => hex::encode(bytes),
    }
}

/// A key in hex. Of a long one both ends: keys that stand beside each other often begin alike.
fn short_key(key: &[u8], most: usize) -> String {
    let (head, tail) = (most / 3, most - most / 3);
    let ends = key
        .len()
        .checked_sub(tail)
        .filter(|_| key.len() > most)
        .and_then(|at| Some((key.get(..head)?, key.get(at..)?)));
    match ends {
        Some((head, tail)) => format!("{}..{}({})", hex::encode(head), hex::encode(tail), key.len()),
        None if key.is_empty() => "(no key)".to_owned(),
        None => hex::encode(key),
    }
}

/// Text of which no more than `most` characters are wanted.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `a, b`, or a dash for none.
fn list_or_dash(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
