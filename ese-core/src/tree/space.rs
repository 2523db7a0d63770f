//! What trees own: the space header of a root, its trees of owned (OE) and available (AE) extents, their split buffers
//! (spec 04 sections 1 to 3).
//!
//! Lenient: what cannot be read is a [`SpaceFault`], and the rest is read all the same. It never reads a page of a space
//! tree twice, for whichever tree, nor keeps more than [`EXTENTS_MOST`] extents, whatever the file says; it judges nothing.

use std::collections::HashSet;
use std::fmt;

use super::cursor::DEPTH_MOST;
use super::list::TreeList;
use super::page_set::PageSet;
use super::reader::{PageFault, TrustedPages};
use crate::format::catalog::DATABASE_TREE;
use crate::format::page::offset as page_offset;
use crate::format::space::{SPLIT_SECOND, offset as header_offset};
use crate::format::{Extent, NodeError, NodeFlags, Objid, Page, PageFlags, Pgno, Pool, RootHeader, SpaceHeader};
use crate::source::Pages;

/// Most extents of all trees together that are kept: 24 MB of them, and more than any database of 10 GiB has.
pub const EXTENTS_MOST: usize = 1_000_000;
/// Most faults of all trees together that are kept, the first of each part of a tree aside.
const FAULTS_MOST: usize = 10_000;

/// Where something stands: a page, a line if there is one, and the offset of the byte in the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The page.
    pub pgno: Pgno,
    /// The line; 0 for tag 0 and for the header of the page.
    pub line: u16,
    /// The first byte, counted from the start of the page.
    pub at: u16,
}

/// An extent, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtentAt {
    /// The pages.
    pub extent: Extent,
    /// The data of its node (the number of pages), or its field of the space header or of the split buffer.
    pub place: Place,
    /// The node is flagged with a version, which no space tree has.
    pub versioned: bool,
}

impl ExtentAt {
    /// First and last page; `None` for an empty extent, one that begins before page 1, or one of an unknown pool.
    #[must_use]
    pub fn range(&self) -> Option<(Pgno, Pgno)> {
        let is_known = !matches!(self.extent.pool, Pool::Unknown(_));
        self.extent.first().filter(|_| is_known).map(|first| (first, self.extent.last))
    }
}

/// A part of the space of a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SpacePart {
    /// The space header.
    Header,
    /// The owned extents.
    Owned,
    /// The available extents.
    Available,
}

/// What keeps a part of the space of a tree from being known.
#[derive(Debug, thiserror::Error)]
pub enum SpaceFaultKind {
    /// A page cannot be had.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// The root is no root of this tree.
    #[error("expected the root of tree {expected}, found {found}")]
    ForeignRoot {
        /// Id of the tree.
        expected: Objid,
        /// What it is.
        found: String,
    },
    /// Tag 0 of the root holds no space header.
    #[error("expected a space header in tag 0, found {found} bytes")]
    NoHeader {
        /// Bytes in tag 0.
        found: usize,
    },
    /// The root of the database has no space trees.
    #[error("expected a space header with multiple extents")]
    Single,
    /// The only extent of a tree is none.
    #[error("expected 1 page or more in the only extent, found {cpg}")]
    NoExtent {
        /// Its number of pages.
        cpg: u32,
    },
    /// A page of the space tree lacks the flag.
    #[error("page {pgno}: expected a page of a space tree, found flags 0x{found:x}")]
    NotSpaceTree {
        /// The page.
        pgno: Pgno,
        /// Its flags.
        found: u32,
    },
    /// A page of the space tree belongs to another tree.
    #[error("page {pgno}: expected a page of tree {expected}, found one of tree {found}")]
    OtherTree {
        /// The page.
        pgno: Pgno,
        /// Id of the tree.
        expected: Objid,
        /// Id on the page.
        found: Objid,
    },
    /// The root flag is missing on the root of a space tree, or set below it.
    #[error("expected the flag of a root on the root of a space tree and nowhere else, found flags 0x{found:x}")]
    RootFlag {
        /// Its flags.
        found: u32,
    },
    /// The page was met in a space tree before.
    #[error("page {pgno}: expected each page once in all space trees, found it named again by page {parent}")]
    Again {
        /// The page.
        pgno: Pgno,
        /// Where it is named again.
        parent: Pgno,
    },
    /// There are more levels than any tree has.
    #[error("expected at most {DEPTH_MOST} levels, found more")]
    Depth,
    /// A node cannot be taken apart.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node of an internal page names no child.
    #[error("line {line}: expected a child page number of 4 bytes, found {found} bytes")]
    NoChild {
        /// The line.
        line: usize,
        /// Bytes of its data.
        found: usize,
    },
    /// A node is no extent.
    #[error(
        "line {line}: expected an extent, a key of 4 (or, with a pool, 5) bytes and 4 bytes of data, found a key of {key} and {data} bytes"
    )]
    NotExtent {
        /// The line.
        line: usize,
        /// Bytes of its key.
        key: usize,
        /// Bytes of its data.
        data: usize,
    },
    /// A link to a sibling is not that of the order in which the parents name the leaves.
    #[error("sibling: expected page {expected}, found {found}")]
    Link {
        /// The page that should be named there.
        expected: Pgno,
        /// The page that is.
        found: Pgno,
    },
    /// Tag 0 of the root of a space tree is no split buffer.
    #[error("expected a split buffer of 16 bytes in tag 0, found {found} bytes")]
    NoSplitBuffer {
        /// Bytes in tag 0.
        found: usize,
    },
    /// There are more extents than are kept.
    #[error("expected at most {EXTENTS_MOST} extents in all trees together, found more")]
    TooMany,
    /// A database that owns nothing.
    #[error("expected at least one owned extent")]
    Empty,
}

/// Something about the space of a tree that is not known.
#[derive(Debug)]
pub struct SpaceFault {
    /// Which part.
    pub part: SpacePart,
    /// Where the wrong bytes are: where a page is named that cannot be had, else on the page itself.
    pub place: Place,
    /// What is wrong.
    pub kind: SpaceFaultKind,
}

impl fmt::Display for SpaceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            kind @ (SpaceFaultKind::Page(_)
            | SpaceFaultKind::NotSpaceTree { .. }
            | SpaceFaultKind::OtherTree { .. }
            | SpaceFaultKind::Again { .. }) => kind.fmt(f),
            kind => write!(f, "page {}: {kind}", self.place.pgno),
        }
    }
}

impl std::error::Error for SpaceFault {}

impl SpaceFault {
    /// The page that is needed and lies behind the end of the file, if that is what is wrong.
    #[must_use]
    pub fn beyond_file(&self) -> Option<Pgno> {
        match self.kind {
            SpaceFaultKind::Page(PageFault::NotInFile { pgno, last }) => Some(pgno).filter(|pgno| *pgno > last),
            _ => None,
        }
    }

    /// True if nothing is missing because of it.
    fn is_harmless(&self) -> bool {
        matches!(self.kind, SpaceFaultKind::Link { .. } | SpaceFaultKind::NoSplitBuffer { .. })
    }
}

/// Pages that are set aside for the time when a space tree itself has to split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SplitBuffer {
    /// Which of the two space trees they are for.
    pub part: SpacePart,
    /// The two extents; unused ones are empty.
    pub extents: [ExtentAt; 2],
}

/// The space of one tree.
#[derive(Debug, Default)]
pub struct TreeSpace {
    /// The space header; `None` if it cannot be read.
    pub header: Option<SpaceHeader>,
    /// Bits of an extended root header that nobody knows.
    pub unknown_flags: u8,
    /// Where the space header stands.
    pub header_place: Place,
    /// Owned extents, in the order of their nodes; the one of a space header without space trees.
    pub owned: Vec<ExtentAt>,
    /// Available extents, in the order of their nodes; the runs of the map of a space header without space trees.
    pub available: Vec<ExtentAt>,
    /// Split buffers of OE and AE.
    pub split_buffers: Vec<SplitBuffer>,
    /// Pages of OE and AE, in the order in which they were met.
    pub pages: Vec<Pgno>,
    /// What is not known.
    pub faults: Vec<SpaceFault>,
    owned_is_known: bool,
    available_is_known: bool,
}

impl TreeSpace {
    /// True if `part` could be read as a whole, and all its extents make sense.
    #[must_use]
    pub fn is_known(&self, part: SpacePart) -> bool {
        match part {
            SpacePart::Header => self.header.is_some(),
            SpacePart::Owned => self.owned_is_known,
            SpacePart::Available => self.available_is_known,
        }
    }

    /// Settles what is known once all is read.
    fn settle(mut self) -> TreeSpace {
        let is_known = |part| {
            let concerns = |fault: &SpaceFault| fault.part == part || fault.part == SpacePart::Header;
            let is_hint = |found: &ExtentAt| found.extent.pool == Pool::Continuous && found.extent.count == 0;
            let makes_sense = |found: &ExtentAt| found.range().is_some() || is_hint(found);
            !self.faults.iter().any(|fault| concerns(fault) && !fault.is_harmless())
                && self.extents(part).iter().all(makes_sense)
        };
        let (owned, available) = (is_known(SpacePart::Owned), is_known(SpacePart::Available));
        (self.owned_is_known, self.available_is_known) = (owned, available);
        self
    }

    /// The extents of `part`; of the header none.
    #[must_use]
    pub fn extents(&self, part: SpacePart) -> &[ExtentAt] {
        match part {
            SpacePart::Header => &[],
            SpacePart::Owned => &self.owned,
            SpacePart::Available => &self.available,
        }
    }

    /// Where `pgno` would stand among the owned extents, which ascend in sound trees: in the first that ends behind it,
    /// else in the last one, else on the root of OE or in the space header.
    #[must_use]
    pub fn owned_place(&self, pgno: Pgno) -> Place {
        let behind = self.owned.partition_point(|found| found.extent.last < pgno);
        let extent = self.owned.get(behind).or(self.owned.last()).map(|found| found.place);
        let root = || self.header.and_then(|header| header.oe_root());
        extent.or_else(|| root().map(|pgno| Place { pgno, ..Place::default() })).unwrap_or(self.header_place)
    }

    /// Extents that are free: the available ones but for those set aside as beyond the end of the file, and the split
    /// buffers.
    pub fn free(&self) -> impl Iterator<Item = &ExtentAt> {
        let available = self.available.iter().filter(|found| found.extent.pool != Pool::Shelved);
        available.chain(self.split_buffers.iter().flat_map(|buffer| &buffer.extents))
    }

    /// What the tree owns in all, if it is the database.
    fn database_end(&self) -> Option<OwnedSpace> {
        let last = self.owned.iter().map(|found| found.extent.last).max()?;
        let shelved = self.available.iter().filter(|found| found.extent.pool == Pool::Shelved);
        let shelved: HashSet<Pgno> = shelved.map(|found| found.extent.last).collect();
        let mut last_in_file = last;
        while !last_in_file.is_none() && shelved.contains(&last_in_file) {
            last_in_file = Pgno(last_in_file.0 - 1);
        }
        Some(OwnedSpace { last, last_in_file })
    }
}

/// The space of all trees of a list.
#[derive(Debug, Default)]
pub struct Space {
    /// By the places of the trees in [`TreeList::trees`].
    pub trees: Vec<TreeSpace>,
}

impl Space {
    /// Reads the space of every tree of `list`.
    #[must_use]
    pub fn read(pages: Pages<'_>, list: &TreeList) -> Space {
        let mut reader = SpaceReader::new(pages);
        let trees = list.trees().iter().map(|tree| reader.read(tree.objid, tree.root)).collect();
        Space { trees }
    }

    /// Where the space of the database ends.
    ///
    /// # Errors
    /// The [`SpaceFault`] that keeps it from being known.
    pub fn database_end(&self) -> Result<OwnedSpace, &SpaceFault> {
        static EMPTY: SpaceFault =
            SpaceFault { part: SpacePart::Owned, place: OE_OF_DATABASE, kind: SpaceFaultKind::Empty };
        let Some(database) = self.trees.first() else { return Err(&EMPTY) };
        match database.faults.iter().find(|fault| !fault.is_harmless()) {
            Some(fault) => Err(fault),
            None => database.database_end().ok_or(&EMPTY),
        }
    }
}

/// Where the owned extents of the database begin.
const OE_OF_DATABASE: Place = Place { pgno: Pgno(DATABASE_TREE.root.0 + 1), line: 0, at: 0 };

/// The pages that the database owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnedSpace {
    /// The last page of the last owned extent.
    pub last: Pgno,
    /// The last owned page that is not set aside as "beyond the end of the file" (shelved).
    pub last_in_file: Pgno,
}

/// Reads where the space of the database ends, without its catalog.
///
/// # Errors
/// [`SpaceFault`] if the root or any page of its two space trees cannot be read: then nobody can say where the
/// database ends.
pub fn database_space(pages: Pages<'_>) -> Result<OwnedSpace, SpaceFault> {
    let mut space = SpaceReader::new(pages).read(DATABASE_TREE.objid, DATABASE_TREE.root);
    match space.faults.iter().position(|fault| !fault.is_harmless()) {
        Some(first) => Err(space.faults.swap_remove(first)),
        None => space.database_end().ok_or(SpaceFault {
            part: SpacePart::Owned,
            place: OE_OF_DATABASE,
            kind: SpaceFaultKind::Empty,
        }),
    }
}

/// Reads the space of one tree after the other.
struct SpaceReader<'s> {
    trusted: TrustedPages<'s>,
    /// Pages of space trees that were read.
    seen: PageSet,
    /// Nodes of space trees so far.
    nodes: usize,
    faults: usize,
}

/// A page of a space tree that is still to be read.
#[derive(Clone, Copy)]
struct Open {
    pgno: Pgno,
    depth: usize,
    /// Where it is named.
    named: Place,
}

/// Which space tree is being read, and its leaves so far.
struct Walk {
    part: SpacePart,
    objid: Objid,
    /// Leaves in the order of their parents; `None` where a leaf may be missing.
    leaves: Vec<Option<LeafLinks>>,
}

/// A leaf, and the siblings that it names.
#[derive(Clone, Copy)]
struct LeafLinks {
    pgno: Pgno,
    prev: Pgno,
    next: Pgno,
}

impl<'s> SpaceReader<'s> {
    fn new(pages: Pages<'s>) -> SpaceReader<'s> {
        SpaceReader { trusted: TrustedPages::new(pages), seen: PageSet::default(), nodes: 0, faults: 0 }
    }

    fn read(&mut self, objid: Objid, root: Pgno) -> TreeSpace {
        let mut space = TreeSpace { header_place: Place { pgno: root, ..Place::default() }, ..TreeSpace::default() };
        match self.header(objid, root, &mut space) {
            Err((place, kind)) => space.faults.push(SpaceFault { part: SpacePart::Header, place, kind }),
            Ok(header) => {
                space.header = Some(header);
                let field = |at: usize| Place { at: add(space.header_place.at, at), ..space.header_place };
                let (cpg, oe_or_map) = (field(header_offset::CPG), field(header_offset::OE_OR_MAP));
                if let Some(oe_root) = header.oe_root() {
                    self.space_tree(SpacePart::Owned, objid, oe_root, oe_or_map, &mut space);
                    self.space_tree(SpacePart::Available, objid, oe_root.next(), oe_or_map, &mut space);
                    blame_the_header(&mut space.faults, oe_root, oe_or_map);
                } else if objid == DATABASE_TREE.objid {
                    let (place, kind) = (field(header_offset::FLAGS), SpaceFaultKind::Single);
                    space.faults.push(SpaceFault { part: SpacePart::Header, place, kind });
                } else {
                    let at = |extent, place| ExtentAt { extent, place, versioned: false };
                    match header.single_extent(root) {
                        Some(extent) => space.owned.push(at(extent, cpg)),
                        None => {
                            let kind = SpaceFaultKind::NoExtent { cpg: header.cpg };
                            space.faults.push(SpaceFault { part: SpacePart::Header, place: cpg, kind });
                        }
                    }
                    space.available.extend(header.single_extent_free(root).map(|extent| at(extent, oe_or_map)));
                }
            }
        }
        space.settle()
    }

    fn header(
        &mut self,
        objid: Objid,
        root: Pgno,
        space: &mut TreeSpace,
    ) -> Result<SpaceHeader, (Place, SpaceFaultKind)> {
        let on_root = |at: usize| Place { pgno: root, line: 0, at: add(0, at) };
        let page = self.trusted.get(root).map_err(|fault| (on_root(0), fault.into()))?;
        let foreign = |at, found| (on_root(at), SpaceFaultKind::ForeignRoot { expected: objid, found });
        if page.objid() != objid {
            return Err(foreign(page_offset::OBJID, format!("a page of tree {}", page.objid())));
        }
        if !page.is_root() || page.flags().contains(PageFlags::SPACE_TREE) {
            return Err(foreign(page_offset::FLAGS, format!("a page with flags 0x{:x}", page.flags().bits())));
        }
        let (tag0, at) = tag0(page).map_err(|error| (on_root(page.tag_offset(0)), error.into()))?;
        let missing = || (on_root(at), SpaceFaultKind::NoHeader { found: tag0.len() });
        let found = RootHeader::read(tag0).ok_or_else(missing)?;
        space.unknown_flags = found.unknown_flags;
        space.header_place = on_root(at + found.space_at);
        found.space.ok_or_else(missing)
    }

    /// Reads the space tree at `root`, which is named at `named`.
    fn space_tree(&mut self, part: SpacePart, objid: Objid, root: Pgno, named: Place, space: &mut TreeSpace) {
        let mut walk = Walk { part, objid, leaves: Vec::new() };
        let mut open = vec![Open { pgno: root, depth: 0, named }];
        while let Some(next) = open.pop() {
            if let Err((place, kind)) = self.space_page(next, &mut walk, &mut open, space) {
                let is_last = matches!(kind, SpaceFaultKind::TooMany);
                self.fault(space, part, place, kind);
                walk.leaves.push(None);
                if is_last {
                    return;
                }
            }
        }
        for (place, kind) in wrong_links(&walk.leaves) {
            self.fault(space, part, place, kind);
        }
    }

    /// Keeps the first fault of every part of a tree, and others as long as they are few.
    fn fault(&mut self, space: &mut TreeSpace, part: SpacePart, place: Place, kind: SpaceFaultKind) {
        let fault = SpaceFault { part, place, kind };
        let is_first = !space.faults.iter().any(|kept| kept.part == part && kept.is_harmless() == fault.is_harmless());
        if is_first || self.faults < FAULTS_MOST {
            self.faults += 1;
            space.faults.push(fault);
        }
    }

    fn space_page(
        &mut self,
        next: Open,
        walk: &mut Walk,
        open: &mut Vec<Open>,
        space: &mut TreeSpace,
    ) -> Result<(), (Place, SpaceFaultKind)> {
        let Open { pgno, depth, named } = next;
        if self.seen.contains(pgno) {
            return Err((Place { pgno, ..Place::default() }, SpaceFaultKind::Again { pgno, parent: named.pgno }));
        }
        if depth >= DEPTH_MOST {
            return Err((Place { pgno, ..Place::default() }, SpaceFaultKind::Depth));
        }
        let page = self.trusted.get(pgno).map_err(|fault| {
            let is_elsewhere = matches!(fault, PageFault::NotInFile { .. });
            (if is_elsewhere { named } else { Place { pgno, ..Place::default() } }, fault.into())
        })?;
        belongs(page, pgno, walk.objid, depth)?;
        self.seen.insert(pgno);
        space.pages.push(pgno);
        let at_part = |line: usize, part: &[u8]| Place { pgno, line: add(0, line), at: add(0, page.offset_of(part)) };
        let mut faults = Vec::new();
        if depth == 0 {
            match split_buffer(page, pgno, walk.part) {
                Ok(buffer) => space.split_buffers.push(buffer),
                Err(fault) => faults.push(fault),
            }
        }
        let leaf = page.is_leaf();
        if leaf {
            walk.leaves.push(Some(LeafLinks { pgno, prev: page.pgno_prev(), next: page.pgno_next() }));
        }
        let children = open.len();
        for node in page.nodes() {
            if self.nodes >= EXTENTS_MOST {
                return Err((Place { pgno, ..Place::default() }, SpaceFaultKind::TooMany));
            }
            self.nodes += 1;
            let node = match node {
                Ok(node) => node,
                Err(error) => {
                    let line = error.line();
                    let place = Place { pgno, line: add(0, line), at: add(0, page.tag_offset(line)) };
                    faults.push((place, error.into()));
                    continue;
                }
            };
            let (line, place) = (node.line, at_part(node.line, node.data));
            let kind = if !leaf {
                match node.child() {
                    Some(child) => {
                        open.push(Open { pgno: child, depth: depth + 1, named: place });
                        continue;
                    }
                    None => SpaceFaultKind::NoChild { line, found: node.data.len() },
                }
            } else if node.is_deleted() {
                continue;
            } else if let Some(extent) = Extent::read(&node) {
                let found = ExtentAt { extent, place, versioned: node.flags.contains(NodeFlags::VERSION) };
                match walk.part {
                    SpacePart::Available => space.available.push(found),
                    SpacePart::Owned | SpacePart::Header => space.owned.push(found),
                }
                continue;
            } else {
                SpaceFaultKind::NotExtent { line, key: node.key.len(), data: node.data.len() }
            };
            let place = Place { at: add(0, page.offset_of(node.key.suffix)), ..place };
            faults.push((place, kind));
        }
        // The first child is to be read first.
        if let Some(children) = open.get_mut(children..) {
            children.reverse();
        }
        for (place, kind) in faults {
            self.fault(space, walk.part, place, kind);
        }
        Ok(())
    }
}

/// Where neither OE nor AE begin on a page of this tree, the field that says where they begin is what is wrong.
fn blame_the_header(faults: &mut [SpaceFault], oe_root: Pgno, oe_or_map: Place) {
    let is_foreign = |fault: &SpaceFault, root: Pgno| {
        let kinds = matches!(
            fault.kind,
            SpaceFaultKind::OtherTree { .. } | SpaceFaultKind::NotSpaceTree { .. } | SpaceFaultKind::Again { .. }
        );
        kinds && fault.place.pgno == root
    };
    let roots = [oe_root, oe_root.next()];
    if roots.iter().all(|root| faults.iter().any(|fault| is_foreign(fault, *root))) {
        for fault in faults.iter_mut().filter(|fault| roots.iter().any(|root| is_foreign(fault, *root))) {
            fault.place = oe_or_map;
        }
    }
}

/// Whether `page` is one of a space tree of `objid`.
fn belongs(page: Page<'_>, pgno: Pgno, objid: Objid, depth: usize) -> Result<(), (Place, SpaceFaultKind)> {
    let at = |at: usize| Place { pgno, line: 0, at: add(0, at) };
    let flags = page.flags();
    if page.objid() != objid {
        return Err((at(page_offset::OBJID), SpaceFaultKind::OtherTree { pgno, expected: objid, found: page.objid() }));
    }
    if !flags.contains(PageFlags::SPACE_TREE) {
        return Err((at(page_offset::FLAGS), SpaceFaultKind::NotSpaceTree { pgno, found: flags.bits() }));
    }
    if page.is_root() != (depth == 0) {
        return Err((at(page_offset::FLAGS), SpaceFaultKind::RootFlag { found: flags.bits() }));
    }
    Ok(())
}

/// What tag 0 holds, and the offset in the page where that begins; that of the tag if it holds nothing.
fn tag0(page: Page<'_>) -> Result<(&[u8], usize), NodeError> {
    let tag0 = page.line(0)?;
    Ok((tag0, if tag0.is_empty() { page.tag_offset(0) } else { page.offset_of(tag0) }))
}

fn split_buffer(page: Page<'_>, pgno: Pgno, part: SpacePart) -> Result<SplitBuffer, (Place, SpaceFaultKind)> {
    let place = |at: usize| Place { pgno, line: 0, at: add(0, at) };
    let (tag0, start) = tag0(page).map_err(|error| (place(page.tag_offset(0)), error.into()))?;
    let extents = Extent::read_split_buffer(tag0)
        .ok_or_else(|| (place(start), SpaceFaultKind::NoSplitBuffer { found: tag0.len() }))?;
    let [first, second] = extents.map(|extent| ExtentAt { extent, place: place(start), versioned: false });
    let second = ExtentAt { place: place(start + SPLIT_SECOND), ..second };
    Ok(SplitBuffer { part, extents: [first, second] })
}

/// Each leaf whose links are not its neighbours in the order of the parents, as far as both are known.
fn wrong_links(leaves: &[Option<LeafLinks>]) -> impl Iterator<Item = (Place, SpaceFaultKind)> {
    let pgno_of = |i: Option<usize>| match i.and_then(|i| leaves.get(i)) {
        Some(leaf) => leaf.map(|leaf| leaf.pgno),
        None => Some(Pgno::NONE),
    };
    let each = leaves.iter().enumerate().filter_map(|(i, leaf)| Some((i, (*leaf)?)));
    each.flat_map(move |(i, leaf)| {
        let before = (pgno_of(i.checked_sub(1)), leaf.prev, page_offset::PGNO_PREV);
        let after = (pgno_of(Some(i + 1)), leaf.next, page_offset::PGNO_NEXT);
        [before, after].into_iter().filter_map(move |(expected, found, at)| {
            let expected = expected.filter(|expected| *expected != found)?;
            Some((Place { pgno: leaf.pgno, line: 0, at: add(0, at) }, SpaceFaultKind::Link { expected, found }))
        })
    })
}

/// An offset in a page, which is at most 32768.
fn add(base: u16, at: usize) -> u16 {
    base.saturating_add(u16::try_from(at).unwrap_or(u16::MAX))
}
