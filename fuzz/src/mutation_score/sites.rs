//! Every byte of metadata of the pages in use, by field.
//!
//! Pages are those that the trees of the catalog reach, their space trees with them. A byte with several fields has a
//! site for each, with the bits that belong to it.

use std::collections::HashSet;
use std::ops::Range;

use ese_core::catalog::{Catalog, Table};
use ese_core::format::catalog::{MSYS_OBJECTS, MSYS_OBJECTS_SHADOW};
use ese_core::format::long_value::{LongValueFlags, OFFSET_ROOT_FLAGS, OFFSET_ROOT_SIZE};
use ese_core::format::page::offset as header;
use ese_core::format::space::{SINGLE_EXTENT_BITS, SPLIT_SECOND, offset as space};
use ese_core::format::{
    CHILD_BYTES, CODE_PAGE_UNICODE, ColumnFlags, DatabaseHeader, Dbtime, LongValueKey, Node, NodeFlags, Page,
    PageFlags, PageSize, Pgno, RootHeader, SPACE_HEADER_BYTES, SpaceFlags, TAG_BYTES,
};
use ese_core::record::{Record, TableLayout};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::{Cursor, Space, TreeInfo, TreeKind, TreeList, TreeSpace};

use super::effect::{Effect, NODE_FLAGS};
use super::record_sites::{RecordContext, record_sites};

/// Free bytes are many and all the same: every so many of them is a site.
const FREE_BYTES_STEP: usize = 16;

/// What a change of a site does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// The same whatever the change is.
    Always(Effect),
    /// Part of a dbtime.
    Dbtime,
    /// Part of `cbUncommittedFree`.
    UncommittedFree,
    /// Part of `ibMicFree`.
    MicFree,
    /// Number of reserved tags.
    ReservedTags,
    /// Part of the separators of an internal page.
    Separators,
    /// Part of the end offset, at byte `word_at` of the page, between two values that may end from `low` to
    /// `high`.
    EndOffset { word_at: usize, low: u16, high: u16 },
    /// The flag that says what the first field of a space header means.
    FirstField { count: u32, cpg: u32, extents: usize },
    /// Pages of the first extent of the database, which has `count`.
    FirstOfDatabase { at: usize, count: u32 },
    /// The autoincrement maximum.
    Autoincrement { highest: u64 },
    /// Whether a value says that it is compressed.
    Compressed { is_now: bool },
}

impl Role {
    pub(super) const MEANING: Role = Role::Always(Effect::Meaning);
}

/// Bits of a byte that belong to one field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// Offset in the file.
    pub(super) at: usize,
    pub(super) bits: u8,
    /// Its place in [`SiteMap::fields`].
    pub(super) field: usize,
    pub(super) role: Role,
}

/// All sites of a database.
pub(super) struct SiteMap<'a> {
    pub(super) file: &'a [u8],
    pub(super) size: PageSize,
    /// dbtime of the header.
    pub(super) dbtime: Dbtime,
    pub(super) fields: Vec<String>,
    sites: Vec<Site>,
}

/// A tree as far as its sites go.
#[derive(Clone, Copy)]
struct TreeContext<'c> {
    tree: &'c TreeInfo,
    table: Option<&'c Table>,
    space: &'c TreeSpace,
    /// A space tree of `tree`.
    is_space: bool,
    kind: &'static str,
}

impl<'a> SiteMap<'a> {
    pub(super) fn new(file: &'a [u8]) -> SiteMap<'a> {
        let database = DatabaseHeader::from_slot(file);
        let size = database.page_size().unwrap_or(PageSize::K4);
        let mut map = SiteMap { file, size, dbtime: database.dbtime(), fields: Vec::new(), sites: Vec::new() };
        let source = MemorySource(file);
        let pages = Pages::new(&source, size);
        let catalog = Catalog::read(pages);
        let list = TreeList::of(&catalog);
        let its_space = Space::read(pages, &list);
        let mut visited = HashSet::new();
        for (tree, its) in list.trees().iter().zip(&its_space.trees) {
            let table = tree.table.and_then(|place| catalog.schema.tables.get(place));
            let kind = match tree.kind {
                _ if [MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&tree.objid) => "catalog",
                TreeKind::Database => "database",
                TreeKind::Data => "data",
                TreeKind::Index => "index",
                TreeKind::LongValue => "LV",
            };
            let context = TreeContext { tree, table, space: its, is_space: false, kind };
            map.tree(tree.root, context, &mut visited);
            if let Some(owned) = its.header.and_then(|header| header.oe_root()) {
                let context = TreeContext { is_space: true, kind: "space", ..context };
                map.tree(owned, context, &mut visited);
                map.tree(owned.next(), context, &mut visited);
            }
        }
        map
    }

    pub(super) fn sites_of(&self, field: &str) -> Vec<&Site> {
        let Some(field) = self.fields.iter().position(|name| name == field) else { return Vec::new() };
        self.sites.iter().filter(|site| site.field == field).collect()
    }

    /// The page that holds byte `at` of the file.
    pub(super) fn page_range(&self, at: usize) -> Range<usize> {
        let start = at / self.size.bytes() * self.size.bytes();
        start..start + self.size.bytes()
    }

    pub(super) fn place_of(&self, at: usize) -> (Pgno, usize) {
        let slot = u32::try_from(at / self.size.bytes()).unwrap_or(0);
        (Pgno(slot.saturating_sub(1)), at % self.size.bytes())
    }

    /// The highest number in the autoincrement column of the rows of `table`.
    fn highest_number(&self, table: &Table) -> u64 {
        let source = MemorySource(self.file);
        let mut cursor = Cursor::new(Pages::new(&source, self.size), table.root);
        let mut highest = 0;
        while let Some(node) = cursor.next_node() {
            let Ok(found) = node else { continue };
            if found.node.is_deleted() {
                continue;
            }
            let number = Record::new(found.node.data, self.size).ok().and_then(|record| number(&record, &table.layout));
            highest = highest.max(number.unwrap_or(0));
        }
        highest
    }

    pub(super) fn page(&self, pgno: Pgno) -> Option<Page<'a>> {
        let start = usize::try_from(self.size.offset_of(pgno)).ok()?;
        Page::new(self.file.get(start..start + self.size.bytes())?).ok()
    }

    fn tree(&mut self, root: Pgno, context: TreeContext<'_>, visited: &mut HashSet<Pgno>) {
        let mut ahead = vec![root];
        while let Some(pgno) = ahead.pop() {
            let Some(page) = self.page(pgno).filter(|_| visited.insert(pgno)) else { continue };
            let start = usize::try_from(self.size.offset_of(pgno)).unwrap_or(0);
            PageSites { map: self, page, start }.all(context);
            if !page.is_leaf() {
                ahead.extend(page.nodes().flatten().filter_map(|node| node.child()));
            }
        }
    }
}

/// The number in the autoincrement column.
fn number(record: &Record<'_>, layout: &TableLayout) -> Option<u64> {
    let mut columns = layout.columns().iter();
    let id = columns.find(|column| column.flags.contains(ColumnFlags::AUTOINCREMENT))?.id;
    let (_, place) = layout.fixed(id)?;
    let bytes = record.fixed(id, place.offset, place.len).ok()?.value()?;
    let mut number = [0; 8];
    number.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(number))
}

/// The sites of one page, as they are gathered.
pub(super) struct PageSites<'m, 'a> {
    map: &'m mut SiteMap<'a>,
    pub(super) page: Page<'a>,
    start: usize,
}

impl PageSites<'_, '_> {
    /// A site for each byte of `range` of the page.
    pub(super) fn add(&mut self, range: Range<usize>, bits: u8, field: &str, role: Role) {
        let fields = &mut self.map.fields;
        let known = fields.iter().position(|name| name == field);
        let field = known.unwrap_or_else(|| {
            fields.push(field.to_owned());
            fields.len() - 1
        });
        let start = self.start;
        self.map.sites.extend(range.map(|at| Site { at: start + at, bits, field, role }));
    }

    /// A number of two bytes, of which only `mask` counts.
    pub(super) fn word(&mut self, at: usize, mask: u16, field: &str, role: Role) {
        let [low, high] = mask.to_le_bytes();
        for (at, bits) in [(at, low), (at + 1, high)].into_iter().filter(|(_, bits)| *bits != 0) {
            self.add(at..at + 1, bits, field, role);
        }
    }

    fn all(&mut self, context: TreeContext<'_>) {
        self.header();
        self.tags();
        self.free_bytes();
        if self.page.is_root() {
            self.root(context);
        } else {
            self.prefix(context);
        }
        let nodes: Vec<Node<'_>> = self.page.nodes().flatten().collect();
        for node in &nodes {
            self.node(node, context);
        }
    }

    fn header(&mut self) {
        let field = |at: usize, bytes: usize| at..at + bytes;
        self.add(field(header::DBTIME, 8), 0xFF, "header: dbtime", Role::Dbtime);
        self.add(field(header::PGNO_PREV, 4), 0xFF, "header: pgnoPrev", Role::MEANING);
        self.add(field(header::PGNO_NEXT, 4), 0xFF, "header: pgnoNext", Role::MEANING);
        self.add(field(header::OBJID, 4), 0xFF, "header: objid", Role::MEANING);
        self.add(field(header::CB_FREE, 2), 0xFF, "header: cbFree", Role::MEANING);
        self.add(field(header::CB_UNCOMMITTED_FREE, 2), 0xFF, "header: cbUncommittedFree", Role::UncommittedFree);
        self.add(field(header::IB_MIC_FREE, 2), 0xFF, "header: ibMicFree", Role::MicFree);
        self.word(header::ITAG_STATE, 0x0FFF, "header: itagState, tags", Role::MEANING);
        self.word(header::ITAG_STATE, 0xF000, "header: itagState, reserved tags", Role::ReservedTags);
        self.flags();
        if self.page.size().is_large() {
            self.add(field(header::PGNO, 4), 0xFF, "header: pgno", Role::MEANING);
            self.add(header::RESERVED..self.page.header_len(), 0xFF, "header: reserved", Role::MEANING);
        }
    }

    fn flags(&mut self) {
        let nothing = |why| Role::Always(Effect::Nothing(why));
        for (byte, at) in (header::FLAGS..header::FLAGS + 4).enumerate() {
            for bit in 0..8 {
                let flag = PageFlags::from_bits_retain(1 << (8 * byte + bit));
                let name = flag.iter_names().next().map_or("unknown", |(name, _)| name);
                let (name, role) = if PageFlags::FLUSH_TYPE.contains(flag) {
                    ("FLUSH_TYPE", nothing("flush type and scrubbed: marks of how a page was written"))
                } else if flag == PageFlags::SCRUBBED {
                    (name, nothing("flush type and scrubbed: marks of how a page was written"))
                } else if flag == PageFlags::ECC && !self.page.size().is_large() {
                    (name, nothing("a small page may have either checksum"))
                } else {
                    (name, Role::MEANING)
                };
                self.add(at..at + 1, 1 << bit, &format!("header: flag {name}"), role);
            }
        }
    }

    fn tags(&mut self) {
        let large = self.page.size().is_large();
        let mask: u16 = if large { 0x7FFF } else { 0x1FFF };
        let nothing = |why| Role::Always(Effect::Nothing(why));
        for line in 0..self.page.tag_count() {
            let Some(tag) = self.page.tag(line) else { return };
            let at = self.page.tag_offset(line);
            let offset_at = at + TAG_BYTES / 2;
            self.word(at, mask, "tag: size", Role::MEANING);
            self.word(at, !mask, "tag: top bits of the size", nothing("stale bits of a tag"));
            let empty = nothing("offset of a line without bytes");
            self.word(offset_at, mask, "tag: offset", if tag.size == 0 { empty } else { Role::MEANING });
            if large || line == 0 {
                self.word(offset_at, !mask, "tag: top bits of the offset", nothing("stale bits of a tag"));
            }
        }
    }

    fn free_bytes(&mut self) {
        let header = self.page.header_len();
        let mut used: Vec<Range<usize>> = (0..self.page.tag_count())
            .filter_map(|line| self.page.tag(line).filter(|tag| tag.size > 0))
            .map(|tag| header + tag.offset..header + tag.end())
            .collect();
        let tags = self.page.bytes().len() - self.page.tag_count() * TAG_BYTES;
        used.push(tags..tags);
        used.sort_by_key(|range| range.start);
        let mut at = header;
        for range in used {
            for free in (at..range.start).step_by(FREE_BYTES_STEP) {
                self.add(free..free + 1, 0xFF, "free bytes", Role::Always(Effect::Nothing("free bytes")));
            }
            at = at.max(range.end);
        }
    }

    /// Tag 0 of a root: the space header, or the split buffer of a space tree.
    fn root(&mut self, context: TreeContext<'_>) {
        let tag0 = self.page.external_header();
        let at = self.page.offset_of(tag0);
        if context.is_space {
            if tag0.len() >= SPACE_HEADER_BYTES {
                for extent in [at, at + SPLIT_SECOND] {
                    let count_at = extent + CHILD_BYTES;
                    self.add(extent..count_at, 0xFF, "split buffer: last page", Role::MEANING);
                    self.add(count_at..count_at + 4, 0xFF, "split buffer: pages", Role::MEANING);
                }
            }
            return;
        }
        let Some((root, its)) = RootHeader::read(tag0).and_then(|root| Some((root, root.space?))) else { return };
        let start = at + root.space_at;
        self.add(at..start, 0xFF, "root header: flags", Role::MEANING);
        if root.autoincrement.is_some() {
            let highest = context.table.map_or(0, |table| self.map.highest_number(table));
            let role = Role::Autoincrement { highest };
            self.add(start + SPACE_HEADER_BYTES..at + tag0.len(), 0xFF, "root header: autoincrement", role);
        }
        let multiple = its.flags.contains(SpaceFlags::MULTIPLE);
        let extents = &context.space.owned;
        let first = extents.iter().find(|found| found.range().is_some_and(|(first, _)| first == context.tree.root));
        let count = first.map_or(0, |found| found.extent.count);
        let hint = Role::Always(Effect::Nothing("size of the last allocation: a hint"));
        let (cpg, role) = match its.flags {
            flags if flags.contains(SpaceFlags::V2) => ("space header: last allocation", hint),
            _ if context.tree.kind == TreeKind::Database => {
                ("space header: pages of the first extent", Role::FirstOfDatabase { at: start + space::CPG, count })
            }
            _ if multiple => ("space header: pages of the first extent", Role::MEANING),
            _ => ("space header: pages of the only extent", Role::MEANING),
        };
        self.add(start + space::CPG..start + space::PARENT, 0xFF, cpg, role);
        self.add(start + space::PARENT..start + space::FLAGS, 0xFF, "space header: parent", Role::MEANING);
        for flag in SpaceFlags::all().iter() {
            let name = flag.iter_names().next().map_or("", |(name, _)| name);
            let field = format!("space header: flag {name}");
            let role = match flag {
                SpaceFlags::V2 if multiple => Role::FirstField { count, cpg: its.cpg, extents: extents.len() },
                _ => Role::MEANING,
            };
            self.add(start + space::FLAGS..start + space::ZERO, flag.bits(), &field, role);
        }
        let unknown = !SpaceFlags::all().bits();
        self.add(start + space::FLAGS..start + space::ZERO, unknown, "space header: unknown flags", Role::MEANING);
        self.add(start + space::ZERO..start + space::OE_OR_MAP, 0xFF, "space header: zeros", Role::MEANING);
        let map = start + space::OE_OR_MAP;
        if multiple {
            self.add(map..map + 4, 0xFF, "space header: OE", Role::MEANING);
            return;
        }
        let pages = its.cpg.saturating_sub(1).min(SINGLE_EXTENT_BITS);
        let known = u32::try_from((1u64 << pages) - 1).unwrap_or(u32::MAX);
        for (byte, known) in known.to_le_bytes().into_iter().enumerate() {
            let at = map + byte..map + byte + 1;
            if known != 0 {
                self.add(at.clone(), known, "space header: map", Role::MEANING);
            }
            if known != 0xFF {
                let nothing = Role::Always(Effect::Nothing("bits of the map behind the extent"));
                self.add(at, !known, "space header: map behind the extent", nothing);
            }
        }
    }

    /// Tag 0 of other pages: the prefix, as far as a node takes from it.
    fn prefix(&mut self, context: TreeContext<'_>) {
        let prefix = self.page.external_header();
        let at = self.page.offset_of(prefix);
        let used = self.page.nodes().flatten().map(|node| node.key.prefix.len()).max().unwrap_or(0);
        let role = if self.page.is_leaf() { self.key_role(None, context) } else { Role::Separators };
        let field =
            if self.page.is_leaf() { format!("prefix: {}", context.kind) } else { "prefix: separators".to_owned() };
        self.add(at..at + used, 0xFF, &field, role);
        let nothing = Role::Always(Effect::Nothing("part of the prefix that no node takes"));
        self.add(at + used..at + prefix.len(), 0xFF, "prefix: beyond all nodes", nothing);
    }

    fn node(&mut self, node: &Node<'_>, context: TreeContext<'_>) {
        let key_at = self.page.offset_of(node.key.suffix);
        let words = if node.flags.contains(NodeFlags::COMPRESSED) { 2 } else { 1 };
        let node_at = key_at - 2 * words;
        let is_leaf = self.page.is_leaf();
        let deleted = node.is_deleted();
        let stale = Role::Always(Effect::Nothing("stale bits of the sizes of a node"));
        if words == 2 {
            self.word(node_at, 0x1FFF, "node: prefix size", Role::MEANING);
        }
        self.word(key_at - 2, 0x1FFF, "node: suffix size", Role::MEANING);
        let large = self.page.size().is_large();
        if !large {
            self.word(node_at, 0xE000, "node: top bits of a size", stale);
        }
        if words == 2 {
            self.word(key_at - 2, 0xE000, "node: top bits of a size", stale);
        }
        let flags_at = self.page.node_flags_offset(node.line);
        for (flag, name) in NODE_FLAGS {
            // The flags are the top three bits of their byte.
            let bit = u8::try_from(flag.bits() << 5).unwrap_or(0);
            let role = match flag {
                NodeFlags::VERSION if is_leaf => Role::Always(Effect::Nothing("version flag of an entry")),
                NodeFlags::DELETED if is_leaf => self.deleted_role(context),
                _ => Role::MEANING,
            };
            let kind = if is_leaf { context.kind } else { "separator" };
            self.add(flags_at..flags_at + 1, bit, &format!("node flag {name}: {kind}"), role);
        }
        let key = key_at..key_at + node.key.suffix.len();
        let data_at = self.page.offset_of(node.data);
        let data = data_at..data_at + node.data.len();
        if !is_leaf {
            self.add(key, 0xFF, "key: separator", Role::Separators);
            self.add(data, 0xFF, "child pointer", Role::MEANING);
            return;
        }
        let role = self.key_role(Some(node), context);
        self.add(key, 0xFF, &format!("key: {}", context.kind), role);
        let gone = Role::Always(Effect::Nothing("data of a deleted entry"));
        match context.tree.kind {
            _ if context.is_space => {
                self.add(data, 0xFF, "extent: pages", if deleted { gone } else { Role::MEANING });
            }
            TreeKind::Index => {
                self.add(data, 0xFF, "index entry: bookmark", if deleted { gone } else { Role::MEANING });
            }
            TreeKind::LongValue => self.long_value(node, data_at, deleted.then_some(gone)),
            TreeKind::Data => self.record(node, context),
            TreeKind::Database => {}
        }
    }

    fn long_value(&mut self, node: &Node<'_>, at: usize, gone: Option<Role>) {
        let role = gone.unwrap_or(Role::MEANING);
        if !matches!(LongValueKey::read(&node.key), Ok(LongValueKey::Root(_))) {
            return;
        }
        self.add(at..at + OFFSET_ROOT_SIZE, 0xFF, "LV root: references", role);
        self.add(at + OFFSET_ROOT_SIZE..at + OFFSET_ROOT_FLAGS, 0xFF, "LV root: size", role);
        if node.data.len() > OFFSET_ROOT_FLAGS {
            let encrypted = LongValueFlags::ENCRYPTED.bits();
            let flags = at + OFFSET_ROOT_FLAGS..at + OFFSET_ROOT_FLAGS + 1;
            self.add(flags.clone(), encrypted, "LV root: flag encrypted", role);
            self.add(flags, !encrypted, "LV root: unknown flags", role);
        }
    }

    fn record(&mut self, node: &Node<'_>, context: TreeContext<'_>) {
        let is_catalog = context.kind == "catalog";
        let its = RecordContext { table: context.table, is_catalog, deleted: node.is_deleted() };
        record_sites(self, node, its);
    }

    /// What a change of the key of an entry does.
    fn key_role(&self, node: Option<&Node<'_>>, context: TreeContext<'_>) -> Role {
        if node.is_some_and(Node::is_deleted) {
            return Role::Always(Effect::Nothing("key of a deleted entry, which only has its place in the order"));
        }
        match (context.tree.kind, context.table) {
            _ if context.is_space || context.kind == "catalog" => Role::MEANING,
            (TreeKind::Data, Some(table)) if table.indexes.is_empty() => {
                Role::Always(Effect::Content("number of a row in a table without an index"))
            }
            (TreeKind::Index, Some(table)) if self.has_unicode(table, context.tree) => {
                Role::Always(Effect::Content("sort keys of Unicode text, which need the sort tables of Windows"))
            }
            _ => Role::MEANING,
        }
    }

    fn has_unicode(&self, table: &Table, tree: &TreeInfo) -> bool {
        let index = tree.index.and_then(|place| table.indexes.get(place));
        let segments = index.and_then(|index| index.segments.as_ref().ok()).into_iter().flatten();
        let mut ids = segments.map(|segment| segment.column_id);
        ids.any(|id| {
            table
                .layout
                .columns()
                .iter()
                .any(|column| column.id == id && column.column_type.is_text() && column.code_page == CODE_PAGE_UNICODE)
        })
    }

    fn deleted_role(&self, context: TreeContext<'_>) -> Role {
        match (context.tree.kind, context.table) {
            (TreeKind::Data, Some(table))
                if !context.is_space && table.secondary_indexes().next().is_none() && context.kind != "catalog" =>
            {
                Role::Always(Effect::Content("a row of a table without a second index is there or not"))
            }
            _ => Role::MEANING,
        }
    }
}
