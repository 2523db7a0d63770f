//! `dump tree`: the levels and the pages of one tree.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use ese_core::format::{Page, PageFlags, Pgno};
use ese_core::inspect::DatabaseMap;
use ese_core::tree::{LevelPage, LevelWalk, SpacePart, TreeInfo, TrustedPages};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::super::{counted, grouped, shell_word, shown};
use super::{BOLD, FAINT, Look, TreeEntry, WRONG, short_key};

/// Pages of a level that are shown unless all are asked for.
const SHOWN: usize = 20;
/// Bytes of a key on a line.
const KEY_SHOWN: usize = 16;
/// Faults that are kept.
const FAULTS_MOST: usize = 1_000;

/// One tree.
#[derive(Serialize)]
pub(crate) struct TreeView<'a> {
    /// What the catalog says; `None` for a root that it does not have.
    tree: Option<TreeEntry>,
    /// Where the root is that of a space tree: whose.
    space_tree_of: Option<TreeEntry>,
    root: u32,
    parent: Option<u32>,
    unique: Option<bool>,
    depth: usize,
    pages_in_tree: u64,
    unreadable: u64,
    entries: u64,
    deleted: u64,
    space: Option<SpaceEntry>,
    levels: Vec<LevelEntry>,
    /// What keeps parts of the tree from being reached, the first of it.
    faults: Vec<String>,
    /// False if of some level only the first pages follow, and those that something is wrong with.
    all_pages: bool,
    pages: PageList<'a>,
}

/// What the tree owns.
#[derive(Serialize)]
struct SpaceEntry {
    owned_pages: u64,
    free_pages: u64,
    known: bool,
}

/// One level, the root first.
#[derive(Serialize, Default)]
struct LevelEntry {
    level: usize,
    pages: u64,
    unreadable: u64,
    entries: u64,
    deleted: u64,
    free_bytes: u64,
}

/// All pages, level by level. They are walked when they are written, so that they need not be kept.
struct PageList<'a> {
    map: &'a DatabaseMap<'a>,
    root: Pgno,
    /// Of each level.
    most: usize,
}

/// One page.
#[derive(Serialize)]
struct PageEntry {
    level: usize,
    pgno: u32,
    parent: u32,
    entries: Option<usize>,
    free_bytes: Option<u16>,
    prev: Option<u32>,
    next: Option<u32>,
    first_key: Option<String>,
    last_key: Option<String>,
    /// Why the page, or some of its lines, cannot be used.
    errors: Vec<String>,
}

impl<'a> TreeView<'a> {
    pub(crate) fn new(map: &'a DatabaseMap<'a>, tree: Option<usize>, root: Pgno, look: Look) -> TreeView<'a> {
        let info: Option<&TreeInfo> = tree.and_then(|tree| map.list.trees().get(tree));
        let mut trusted = TrustedPages::new(map.pages);
        let page = trusted.get(root).ok().filter(|page| page.flags().contains(PageFlags::SPACE_TREE));
        let owner = page.and_then(|page| map.list.by_objid(page.objid())).and_then(|tree| map.list.trees().get(tree));
        let mut view = TreeView {
            tree: info.map(TreeEntry::new),
            space_tree_of: owner.filter(|_| info.is_none()).map(TreeEntry::new),
            root: root.0,
            parent: info.map(|tree| tree.parent.0),
            unique: info.map(|tree| tree.unique),
            depth: 0,
            pages_in_tree: 0,
            unreadable: 0,
            entries: 0,
            deleted: 0,
            space: tree.and_then(|tree| map.space.trees.get(tree)).map(|space| {
                let pages = |part| space.extents(part).iter().map(|found| u64::from(found.extent.count)).sum();
                SpaceEntry {
                    owned_pages: pages(SpacePart::Owned),
                    free_pages: pages(SpacePart::Available),
                    known: space.is_known(SpacePart::Owned) && space.is_known(SpacePart::Available),
                }
            }),
            levels: Vec::new(),
            faults: Vec::new(),
            all_pages: true,
            pages: PageList { map, root, most: if look.all { usize::MAX } else { SHOWN } },
        };
        let mut walk = LevelWalk::new(map.pages, root);
        while let Some(page) = walk.next_page() {
            view.add(&page);
        }
        view.depth = view.levels.len();
        view.all_pages = look.all || view.levels.iter().all(|level| level.pages <= SHOWN as u64);
        view
    }

    fn add(&mut self, found: &LevelPage<'_>) {
        if self.levels.len() <= found.level {
            self.levels.push(LevelEntry { level: found.level, ..LevelEntry::default() });
        }
        let Some(level) = self.levels.last_mut() else { return };
        level.pages += 1;
        self.pages_in_tree += 1;
        let faults = found.faults.iter().chain(found.page.as_ref().err());
        for fault in faults {
            if self.faults.len() < FAULTS_MOST {
                self.faults.push(fault.to_string());
            }
        }
        match &found.page {
            Ok(page) => {
                let deleted = page.nodes().flatten().filter(ese_core::format::Node::is_deleted).count() as u64;
                let entries = lines(*page) as u64;
                level.entries += entries;
                level.deleted += deleted;
                level.free_bytes += u64::from(page.cb_free());
                if page.is_leaf() {
                    self.entries += entries;
                    self.deleted += deleted;
                }
            }
            Err(_) => {
                level.unreadable += 1;
                self.unreadable += 1;
            }
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path, look: Look) -> io::Result<()> {
        let name = self.tree.as_ref().map_or_else(
            || match &self.space_tree_of {
                Some(tree) => format!("space tree of {}", tree.label()),
                None => "tree that the catalog does not have".to_owned(),
            },
            |tree| format!("tree {}, {}", tree.label(), tree.kind),
        );
        writeln!(out, "{BOLD}{}{BOLD:#}: {name}, root page {}\n", shown(path), self.root)?;
        if let (Some(parent), Some(unique)) = (self.parent, self.unique) {
            let parent = if parent == 0 { "none".to_owned() } else { format!("the tree at page {parent}") };
            writeln!(out, "  Parent:   {parent}; keys {}", if unique { "unique" } else { "not unique" })?;
        }
        let deleted =
            if self.deleted > 0 { format!(", {} of them deleted", grouped(self.deleted)) } else { String::new() };
        writeln!(out, "  Entries:  {}{deleted}", grouped(self.entries))?;
        writeln!(out, "  Pages:    {} on {}", grouped(self.pages_in_tree), counted(self.depth as u64, "level"))?;
        if let Some(space) = &self.space {
            let known = if space.known { "" } else { "; not all of its space can be read" };
            writeln!(
                out,
                "  Space:    {} owned, {} of them free{known} (space trees not counted above)",
                counted(space.owned_pages, "page"),
                grouped(space.free_pages)
            )?;
        }
        if self.unreadable > 0 {
            writeln!(
                out,
                "  {WRONG}{} cannot be used; what lies below is not counted{WRONG:#}",
                counted(self.unreadable, "page")
            )?;
        }
        for level in &self.levels {
            self.write_level(out, level, look)?;
        }
        writeln!(out, "\nNext: catdb-cli dump {} page {}", shell_word(path), self.root)
    }

    fn write_level(&self, out: &mut dyn Write, level: &LevelEntry, look: Look) -> io::Result<()> {
        writeln!(
            out,
            "\n{BOLD}Level {}{BOLD:#}{}: {}, {}, {} bytes free",
            level.level,
            if level.level == 0 { " (root)" } else { "" },
            counted(level.pages, "page"),
            counted(level.entries, "line"),
            grouped(level.free_bytes)
        )?;
        writeln!(out, "{FAINT}      page    parent  lines    free  first key .. last key{FAINT:#}")?;
        let mut shown = 0;
        let mut written = Ok(());
        self.pages.each(level.level..=level.level, |page| {
            if written.is_ok() {
                shown += 1;
                written = page.write(out, look);
            }
        });
        written?;
        let hidden = level.pages.saturating_sub(shown);
        if hidden > 0 { writeln!(out, "  .. {} more; --all shows them", grouped(hidden)) } else { Ok(()) }
    }
}

/// Lines that are nodes, as the page says.
fn lines(page: Page<'_>) -> usize {
    page.nodes().len()
}

impl PageList<'_> {
    /// Calls `take` with each page of `levels` that is wanted: the first of each level, and those that something is wrong
    /// with.
    fn each(&self, levels: RangeInclusive<usize>, mut take: impl FnMut(PageEntry)) {
        let mut walk = LevelWalk::new(self.map.pages, self.root);
        let (mut level, mut place, mut wrong) = (0, 0, 0);
        while let Some(found) = walk.next_page() {
            if found.level > *levels.end() {
                return;
            }
            if found.level != level {
                (level, place, wrong) = (found.level, 0, 0);
            }
            let is_wrong = found.page.is_err() || !found.faults.is_empty();
            if levels.contains(&found.level) && (place < self.most || (is_wrong && wrong < FAULTS_MOST)) {
                take(PageEntry::new(&found));
            }
            place += 1;
            wrong += usize::from(is_wrong);
        }
    }
}

impl Serialize for PageList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut written = Ok(());
        self.each(0..=usize::MAX, |page| {
            if written.is_ok() {
                written = list.serialize_element(&page);
            }
        });
        written?;
        list.end()
    }
}

impl PageEntry {
    fn new(found: &LevelPage<'_>) -> PageEntry {
        let page = found.page.as_ref().ok().copied();
        let nodes = || page.into_iter().flat_map(Page::nodes);
        let key = |node: ese_core::format::Node<'_>| hex::encode(node.key.to_vec());
        let errors = found.page.as_ref().err().into_iter().chain(&found.faults).map(ToString::to_string).collect();
        PageEntry {
            level: found.level,
            pgno: found.pgno.0,
            parent: found.parent.0,
            entries: page.map(lines),
            free_bytes: page.map(Page::cb_free),
            prev: page.map(|page| page.pgno_prev().0),
            next: page.map(|page| page.pgno_next().0),
            first_key: nodes().next().and_then(Result::ok).map(key),
            last_key: page.and_then(|page| page.nodes().next_back()).and_then(Result::ok).map(key),
            errors,
        }
    }

    fn write(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let parent = if self.parent == 0 { "-".to_owned() } else { self.parent.to_string() };
        let Some((entries, free)) = self.entries.zip(self.free_bytes) else {
            let why = self.errors.first().map_or("", String::as_str);
            return writeln!(out, "{WRONG}{:>10}  {parent:>8}  cannot be used: {why}{WRONG:#}", self.pgno);
        };
        let key = |key: &Option<String>| {
            let bytes = key.as_deref().map(|key| hex::decode(key).unwrap_or_default());
            bytes.map_or_else(
                || "-".to_owned(),
                |bytes| short_key(&bytes, if look.full { usize::MAX } else { KEY_SHOWN }),
            )
        };
        let keys = format!("{} .. {}", key(&self.first_key), key(&self.last_key));
        writeln!(out, "{:>10}  {parent:>8}  {entries:>5}  {free:>6}  {keys}", self.pgno)?;
        for error in &self.errors {
            writeln!(out, "            {WRONG}{error}{WRONG:#}")?;
        }
        Ok(())
    }
}
