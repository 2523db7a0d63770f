//! The reader of space headers and space trees: every page at most once, without recursion.

use super::{ExtentAt, Place, SpaceFault, SpaceFaultKind, SpacePart, SplitBuffer, TreeSpace};
use crate::format::catalog::DATABASE_TREE;
use crate::format::page::offset as page_offset;
use crate::format::space::{SPLIT_SECOND, offset as header_offset};
use crate::format::{Extent, NodeError, NodeFlags, Objid, Page, PageFlags, Pgno, RootHeader, SpaceHeader};
use crate::source::Pages;
use crate::tree::cursor::DEPTH_MOST;
use crate::tree::page_set::PageSet;
use crate::tree::reader::{PageFault, TrustedPages};

/// Most extents of all trees together that are kept: 24 MB of them, and more than any database of 10 GiB has.
pub const EXTENTS_MOST: usize = 1_000_000;
/// Most faults of all trees together that are kept, the first of each part of a tree aside.
const FAULTS_MOST: usize = 10_000;

/// Reads the space of one tree after the other.
pub(super) struct SpaceReader<'s> {
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
    pub(super) fn new(pages: Pages<'s>) -> SpaceReader<'s> {
        SpaceReader { trusted: TrustedPages::new(pages), seen: PageSet::default(), nodes: 0, faults: 0 }
    }

    /// The space of the tree with this id and root.
    pub(super) fn read(&mut self, objid: Objid, root: Pgno) -> TreeSpace {
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
