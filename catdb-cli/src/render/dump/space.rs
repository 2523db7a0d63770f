//! `dump space`: which pages each tree owns, and which of them are free.

use std::io::{self, Write};
use std::path::Path;

use ese_core::inspect::{DatabaseMap, UseOfPages};
use ese_core::tree::{ExtentAt, SpacePart, TreeSpace};
use serde::Serialize;

use super::super::{counted, grouped, shell_word, shown};
use super::line::RootEntry;
use super::{BOLD, ExtentEntry, FAINT, Look, TreeEntry, WRONG};

/// Extents of a tree that are shown unless all are asked for.
const SHOWN: usize = 12;
/// Contradictions that are shown, likewise.
const CONFLICTS_SHOWN: usize = 20;

/// The space of all trees.
#[derive(Serialize)]
pub(crate) struct SpaceView {
    file: FileEntry,
    /// In the order of the trees: parents before their children.
    trees: Vec<SpaceEntry>,
    /// Extents that contradict each other.
    conflicts: Vec<ConflictEntry>,
}

/// The file as a whole.
#[derive(Serialize)]
struct FileEntry {
    pages: u32,
    /// Last page that the database owns.
    last_owned: Option<u32>,
    used: u64,
    free: u64,
    unowned: u64,
    slack: u64,
}

#[derive(Serialize)]
struct SpaceEntry {
    #[serde(flatten)]
    tree: TreeEntry,
    /// 0 for the database, 1 for tables, 2 for their other trees.
    depth: usize,
    parent: u32,
    header: RootEntry,
    /// Pages of its own, the trees below not counted.
    used_pages: u64,
    free_pages: u64,
    owned_pages: u64,
    owned: Vec<ExtentEntry>,
    available: Vec<ExtentEntry>,
    split_buffers: Vec<SplitBufferEntry>,
    /// Pages of the space trees themselves.
    space_tree_pages: Vec<u32>,
    /// What cannot be read.
    faults: Vec<String>,
}

#[derive(Serialize)]
struct SplitBufferEntry {
    /// `owned` or `available`: the space tree that they are for.
    of: &'static str,
    extents: Vec<ExtentEntry>,
}

#[derive(Serialize)]
struct ConflictEntry {
    kind: &'static str,
    tree: Option<TreeEntry>,
    other: Option<TreeEntry>,
    count: u64,
    first_pages: Vec<u32>,
}

fn extents(found: &[ExtentAt]) -> Vec<ExtentEntry> {
    found.iter().map(|found| ExtentEntry::new(&found.extent)).collect()
}

impl SpaceView {
    pub(crate) fn new(map: &DatabaseMap<'_>) -> SpaceView {
        let UseOfPages { trees: uses, unowned, slack } = map.use_of_pages();
        let trees = map.list.trees().iter().zip(&map.space.trees).enumerate().map(|(place, (tree, space))| {
            let its = uses.get(place).copied().unwrap_or_default();
            SpaceEntry {
                tree: TreeEntry::new(tree),
                depth: map.list.depth_of(place),
                parent: tree.parent.0,
                header: RootEntry::of_space(space.header.as_ref()),
                used_pages: its.used,
                free_pages: its.free,
                owned_pages: space.owned.iter().map(|found| u64::from(found.extent.count)).sum(),
                owned: extents(&space.owned),
                available: extents(&space.available),
                split_buffers: split_buffers(space),
                space_tree_pages: space.pages.iter().map(|pgno| pgno.0).collect(),
                faults: space.faults.iter().map(ToString::to_string).collect(),
            }
        });
        let tree = |place: usize| map.list.trees().get(place).map(TreeEntry::new);
        let conflicts = map.ownership.conflicts().iter().map(|conflict| ConflictEntry {
            kind: match conflict.kind {
                ese_core::tree::ConflictKind::Shared => "owned-twice",
                ese_core::tree::ConflictKind::OutsideParent => "not-owned-by-parent",
                ese_core::tree::ConflictKind::FreeAbove => "free-in-parent",
            },
            tree: tree(conflict.tree),
            other: tree(conflict.other),
            count: conflict.count,
            first_pages: conflict.pages.iter().map(|pgno| pgno.0).collect(),
        });
        SpaceView {
            file: FileEntry {
                pages: map.pages.last().0,
                last_owned: map.ownership.last_owned().map(|pgno| pgno.0),
                used: uses.iter().map(|its| its.used).sum(),
                free: uses.iter().map(|its| its.free).sum(),
                unowned,
                slack,
            },
            trees: trees.collect(),
            conflicts: conflicts.collect(),
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path, look: Look) -> io::Result<()> {
        let file = &self.file;
        writeln!(out, "{BOLD}{}{BOLD:#}: space of {}\n", shown(path), counted(file.pages.into(), "page"))?;
        match file.last_owned {
            Some(last) if last > file.pages => writeln!(
                out,
                "  Owned:    to page {last}; {WRONG}the file ends {} before that{WRONG:#}",
                counted(u64::from(last - file.pages), "page")
            )?,
            Some(last) => writeln!(out, "  Owned:    to page {last}")?,
            None => {
                writeln!(out, "  Owned:    {WRONG}not known: the space trees of the database cannot be read{WRONG:#}")?
            }
        }
        writeln!(out, "  In use:   {}", grouped(file.used))?;
        writeln!(out, "  Free:     {}", grouped(file.free))?;
        if file.unowned > 0 {
            writeln!(out, "  Unowned:  {}", grouped(file.unowned))?;
        }
        writeln!(out, "  Slack:    {} (behind the end of the database)", grouped(file.slack))?;
        self.write_table(out)?;
        writeln!(out)?;
        for tree in &self.trees {
            tree.write(out, look)?;
        }
        self.write_conflicts(out, look)?;
        writeln!(out, "\nNext: catdb-cli verify {}", shell_word(path))
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = |entry: &SpaceEntry| format!("{:indent$}{}", "", entry.tree.name(), indent = 2 * entry.depth);
        let width = self.trees.iter().map(|tree| name(tree).chars().count()).max().unwrap_or(0).clamp(4, 48);
        writeln!(out, "\n{FAINT}  {:<width$}   objid      root     owned   its own      free  space{FAINT:#}", "tree")?;
        for entry in &self.trees {
            let form = match (entry.header.oe_root, entry.header.ae_root) {
                (Some(oe), Some(ae)) => format!("OE {oe}, AE {ae}"),
                _ if entry.header.form.is_some() => "single extent".to_owned(),
                _ => "no header".to_owned(),
            };
            let style = if entry.faults.is_empty() { anstyle::Style::new() } else { WRONG };
            writeln!(
                out,
                "{style}  {:<width$}{:>8}{:>10}{:>10}{:>10}{:>10}  {form}{style:#}",
                name(entry),
                entry.tree.objid,
                entry.tree.root,
                grouped(entry.owned_pages),
                grouped(entry.used_pages),
                grouped(entry.free_pages)
            )?;
        }
        Ok(())
    }

    fn write_conflicts(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let most = if look.all { usize::MAX } else { CONFLICTS_SHOWN };
        let label = |tree: &Option<TreeEntry>| tree.as_ref().map(TreeEntry::label).unwrap_or_default();
        for conflict in self.conflicts.iter().take(most) {
            let what = match conflict.kind {
                "owned-twice" => "owns pages that belong to",
                "free-in-parent" => "lists as free pages that belong to",
                _ => "owns pages that are not of its parent,",
            };
            let pages: Vec<String> = conflict.first_pages.iter().map(ToString::to_string).collect();
            writeln!(
                out,
                "{WRONG}{} {what} {}: {}, the first {}{WRONG:#}",
                label(&conflict.tree),
                label(&conflict.other),
                counted(conflict.count, "page"),
                pages.join(", ")
            )?;
        }
        let hidden = self.conflicts.len().saturating_sub(most);
        if hidden > 0 {
            writeln!(out, "{} more; --all shows them", counted(hidden as u64, "contradiction"))?;
        }
        Ok(())
    }
}

fn split_buffers(space: &TreeSpace) -> Vec<SplitBufferEntry> {
    let entry = |buffer: &ese_core::tree::SplitBuffer| SplitBufferEntry {
        of: if buffer.part == SpacePart::Available { "available" } else { "owned" },
        extents: buffer.extents.iter().map(|found| ExtentEntry::new(&found.extent)).collect(),
    };
    space.split_buffers.iter().map(entry).collect()
}

impl SpaceEntry {
    fn write(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#}", self.tree.label())?;
        ranges(out, "owned", &self.owned, look)?;
        ranges(out, "free", &self.available, look)?;
        for buffer in &self.split_buffers {
            let used: Vec<String> =
                buffer.extents.iter().filter(|extent| extent.pages > 0).map(ExtentEntry::range).collect();
            if !used.is_empty() {
                let of = if buffer.of == "owned" { "OE" } else { "AE" };
                writeln!(out, "  split buffer of {of}: {}", used.join(", "))?;
            }
        }
        for fault in &self.faults {
            writeln!(out, "  {WRONG}{fault}{WRONG:#}")?;
        }
        Ok(())
    }
}

fn ranges(out: &mut dyn Write, what: &str, extents: &[ExtentEntry], look: Look) -> io::Result<()> {
    if extents.is_empty() {
        return Ok(());
    }
    let most = if look.all { usize::MAX } else { SHOWN };
    let mut shown: Vec<String> = extents.iter().take(most).map(ExtentEntry::range).collect();
    if extents.len() > most {
        shown.push(format!(".. {} more", extents.len() - most));
    }
    writeln!(out, "  {what}: {}", shown.join(", "))
}
