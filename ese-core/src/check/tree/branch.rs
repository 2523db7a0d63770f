//! Internal pages: separators, children, and what the page table knows of each child (T1 to T15, T23, T24).

use crate::finding::Code;
use crate::format::page::offset;
use crate::format::{CHILD_BYTES, Node, NodeFlags, Page, PageFlags, Pgno, RootHeader, SpaceFlags};
use crate::tree::{PageEntry, PageState, TrustedPages};

use super::super::start_of;
use crate::check::catalog::has_space_header;
use crate::format::catalog::MSYS_OBJECTS_SHADOW;

use super::child::{Child, Refusal};
use super::{LeafGroup, Part, Uniqueness, Walk, links, lost};

/// An internal page to be walked, with the bounds of the keys below it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pgno: Pgno,
    pub(super) lower: Vec<u8>,
    pub(super) upper: Option<Vec<u8>>,
}

impl Walk<'_> {
    /// All pages of one internal level.
    pub(super) fn level(&mut self, level: Vec<Branch>) {
        let mut kinds = Vec::with_capacity(level.len());
        for branch in level {
            let pgno = branch.pgno;
            kinds.extend(self.branch(branch).map(|is_parent_of_leaf| (pgno, is_parent_of_leaf)));
        }
        // T9: the pages of a level are of one kind; the fewer are the odd ones.
        let parents = kinds.iter().filter(|(_, is_parent_of_leaf)| *is_parent_of_leaf).count();
        let usual = 2 * parents >= kinds.len();
        for (pgno, _) in kinds.iter().filter(|(_, is_parent_of_leaf)| *is_parent_of_leaf != usual) {
            let text = format!(
                "level: expected {} as on the other pages of the level, found {}",
                level_name(usual),
                level_name(!usual)
            );
            self.report(Code::BtreeKind, "T9", *pgno, offset::FLAGS, text, |finding| finding);
        }
    }

    /// One internal page. Tells whether it is a parent of leaves; `None` if it could not be read.
    fn branch(&mut self, branch: Branch) -> Option<bool> {
        let mut reader = TrustedPages::new(self.context.pages);
        let entry = self.context.table.get(branch.pgno)?;
        let page = match reader.get(branch.pgno) {
            Ok(page) => page,
            Err(fault) => {
                lost(self.tree, &self.context, branch.pgno, fault);
                self.missing(branch.pgno, branch.lower);
                return None;
            }
        };
        links::internal_page_has_none(branch.pgno, entry, self.tree, &self.context);
        let children = self.children(&branch, page);
        let is_parent_of_leaf = self.is_parent_of_leaf(branch.pgno, entry, &children);
        let mut rejected = Vec::new();
        if children.is_empty() {
            let text = "node: expected at least one child on an internal page, found none".to_owned();
            self.report(Code::BtreeEmpty, "T8", branch.pgno, offset::ITAG_STATE, text, |finding| finding);
            self.missing(branch.pgno, branch.lower.clone());
        }
        let mut due = page.first_line();
        for child in children {
            if child.line != due {
                // A line between names no child.
                self.links.lose_track();
            }
            due = child.line + 1;
            let admitted = self.admit(&child, branch.pgno, is_parent_of_leaf);
            if admitted.is_err() {
                rejected.push(child.line);
            }
            let pgno = child.pgno;
            match (admitted, is_parent_of_leaf) {
                (Ok(entry), true) => self.links.leaf(pgno, Some(entry), self.tree, &self.context),
                (Ok(_), false) => self.below.push(Branch { pgno, lower: child.lower, upper: child.upper }),
                (Err(Refusal::Unreadable), true) => self.links.leaf(pgno, None, self.tree, &self.context),
                (Err(Refusal::Astray), true) => self.links.lose_track(),
                (Err(_), false) => self.missing(pgno, child.lower),
            }
        }
        if due < page.tag_count() {
            self.links.lose_track();
        }
        if is_parent_of_leaf {
            let group = LeafGroup { parent: branch.pgno, lower: branch.lower, upper: branch.upper, rejected };
            self.out.parts.push(Part::Leaves(group));
        }
        Some(is_parent_of_leaf)
    }

    /// The lines of an internal page that name a child; checks the separators (T11 to T15, T23).
    fn children(&mut self, branch: &Branch, page: Page<'_>) -> Vec<Child> {
        let mut children: Vec<Child> = Vec::with_capacity(page.tag_count().min(page.body().len()));
        let last_line = page.tag_count().saturating_sub(1);
        let mut lower = branch.lower.clone();
        let mut lost = false;
        for node in page.nodes() {
            // The page check has a finding on a node that cannot be taken apart.
            let Ok(node) = node else {
                lost = true;
                continue;
            };
            self.separator_is_plain(branch.pgno, page, &node);
            if children.is_empty() && !lost {
                self.first_separator_is_in_bounds(branch, page, &node);
            }
            let is_last = node.line == last_line;
            if is_last {
                self.last_separator_is_the_bound(branch, page, &node);
            }
            let upper = if is_last || node.key.is_empty() { branch.upper.clone() } else { Some(node.key.to_vec()) };
            if std::mem::take(&mut lost) {
                // The keys of the node that is lost lie anywhere from the separator before it to this one.
                self.missing(branch.pgno, lower.clone());
            }
            let next_lower = upper.clone().unwrap_or_default();
            match node.child() {
                Some(pgno) => {
                    let at = page.offset_of(node.data);
                    children.push(Child { line: node.line, pgno, at, lower: std::mem::take(&mut lower), upper });
                }
                None => {
                    let text = format!(
                        "line {}: expected a child page number of {CHILD_BYTES} bytes, found {} bytes",
                        node.line,
                        node.data.len()
                    );
                    let at = page.offset_of(node.data);
                    self.report(Code::BtreeSeparator, "T11", branch.pgno, at, text, |finding| {
                        finding.line(node.line).compared(CHILD_BYTES, node.data.len())
                    });
                    self.missing(branch.pgno, std::mem::take(&mut lower));
                }
            }
            lower = next_lower;
        }
        if lost {
            self.missing(branch.pgno, lower);
        }
        children
    }

    /// T23: separators are flagged neither deleted nor version.
    fn separator_is_plain(&self, pgno: Pgno, page: Page<'_>, node: &Node<'_>) {
        let odd = node.flags & (NodeFlags::DELETED | NodeFlags::VERSION);
        if odd.is_empty() {
            return;
        }
        let text = format!("line {}: expected a separator without flags, found flags 0x{:x}", node.line, odd.bits());
        let at = flags_offset(page, node.line);
        self.report(Code::BtreeSeparator, "T23", pgno, at, text, |finding| {
            finding.line(node.line).compared(0u32, odd.bits())
        });
    }

    /// T14 on an internal page.
    fn first_separator_is_in_bounds(&self, branch: &Branch, page: Page<'_>, node: &Node<'_>) {
        let below = !node.key.is_empty() && node.key < crate::format::NodeKey::whole(&branch.lower);
        if below {
            let text = format!(
                "line {}: expected a separator of at least {}, as the parent says, found {}",
                node.line,
                start_of(&branch.lower),
                start_of(&node.key.to_vec())
            );
            let at = page.offset_of(node.key.suffix);
            self.report(Code::BtreeBounds, "T14", branch.pgno, at, text, |finding| finding.line(node.line));
        }
    }

    /// T13: the last separator of an internal page is that of its parent for the page; at the right edge there is none.
    fn last_separator_is_the_bound(&self, branch: &Branch, page: Page<'_>, node: &Node<'_>) {
        let expected = branch.upper.as_deref().unwrap_or_default();
        if node.key == crate::format::NodeKey::whole(expected) {
            return;
        }
        let found = node.key.to_vec();
        let text = format!(
            "line {}: expected the last separator to be {}, as in the parent, found {}",
            node.line,
            named(expected),
            named(&found)
        );
        let at = page.offset_of(node.key.suffix);
        self.report(Code::BtreeSeparator, "T13", branch.pgno, at, text, |finding| finding.line(node.line));
    }

    /// Whether the children of an internal page are leaves: what most of them are counts, and T9 is reported where its
    /// flag says otherwise.
    fn is_parent_of_leaf(&self, pgno: Pgno, entry: PageEntry, children: &[Child]) -> bool {
        let says = entry.flags().contains(PageFlags::PARENT_OF_LEAF);
        let (mut leaves, mut others) = (0, 0);
        for child in children {
            let of_tree = self
                .context
                .table
                .get(child.pgno)
                .filter(|child| child.state().is_usable() && child.objid() == self.tree.objid);
            match of_tree.map(|child| child.flags().contains(PageFlags::LEAF)) {
                Some(true) => leaves += 1,
                Some(false) => others += 1,
                None => {}
            }
        }
        let is = match leaves.cmp(&others) {
            std::cmp::Ordering::Equal => says,
            order => order.is_gt(),
        };
        if is != says {
            let text = format!(
                "flags 0x{:x}: expected {}, as its children are, found {}",
                entry.flags().bits(),
                level_name(is),
                level_name(says)
            );
            self.report(Code::BtreeKind, "T9", pgno, offset::FLAGS, text, |finding| finding);
        }
        is
    }

    /// The root: T1, T3 to T8, T24.
    pub(super) fn admit_root(&mut self) -> Option<PageEntry> {
        let pgno = self.tree.root;
        // That the root lies outside the file or belongs to another tree is the catalog's fault, and found there.
        let entry = self.context.table.get(pgno)?;
        if entry.state() == PageState::Blank {
            self.blank(pgno);
        }
        if !entry.state().is_usable() {
            let _ = self.context.table.claim(pgno, self.tree.claimant);
            return None;
        }
        if entry.objid() != self.tree.objid || self.context.table.claim(pgno, self.tree.claimant).is_err() {
            return None;
        }
        if !entry.flags().contains(PageFlags::ROOT) && !self.catalog_leads_astray() {
            let text = format!("flags 0x{:x}: expected the flag of a root, found none", entry.flags().bits());
            self.report(Code::BtreeKind, "T7", pgno, offset::FLAGS, text, |finding| finding);
        }
        if entry.flags().intersects(PageFlags::EMPTY | PageFlags::PRE_INIT) {
            self.flagged_empty(pgno, entry);
        }
        self.kind_agrees(pgno, entry);
        self.uniqueness_agrees(pgno, entry);
        self.note_dbtime(pgno, entry);
        Some(entry)
    }

    /// True if the page that is named as the root is another one of the tree, as one without a space header is: then the
    /// catalog has the finding (C5).
    fn catalog_leads_astray(&self) -> bool {
        let mut reader = TrustedPages::new(self.context.pages);
        self.tree.objid > MSYS_OBJECTS_SHADOW.objid
            && reader.get(self.tree.root).is_ok_and(|page| !has_space_header(page))
    }

    /// T6 on the root: page flag, space header and catalog agree. The page flag counts for the order of entries.
    fn uniqueness_agrees(&mut self, pgno: Pgno, entry: PageEntry) {
        let of = |non_unique| if non_unique { Uniqueness::NonUnique } else { Uniqueness::Unique };
        let on_page = of(entry.flags().contains(PageFlags::NON_UNIQUE));
        self.uniqueness = on_page;
        if on_page != self.tree.uniqueness {
            let text = format!(
                "flags 0x{:x}: expected keys to be {}, as the catalog says, found {}",
                entry.flags().bits(),
                self.tree.uniqueness.name(),
                on_page.name()
            );
            self.report(Code::BtreeKind, "T6", pgno, offset::FLAGS, text, |finding| finding);
        }
        if self.tree.kind.contains(PageFlags::SPACE_TREE) {
            return;
        }
        let mut reader = TrustedPages::new(self.context.pages);
        let Ok(page) = reader.get(pgno) else { return };
        let tag0 = page.external_header();
        let Some(space) = RootHeader::read(tag0).and_then(|root| root.space) else { return };
        let in_header = of(space.flags.contains(SpaceFlags::NON_UNIQUE));
        if in_header != on_page {
            let text = format!(
                "space header: expected keys to be {}, as the page says, found {}",
                on_page.name(),
                in_header.name()
            );
            let at = page.offset_of(tag0) + crate::format::SpaceHeader::flags_offset(tag0);
            self.report(Code::BtreeKind, "T6", pgno, at, text, |finding| finding.line(0));
        }
    }
}

/// Where the flags of line `line` stand in the page.
fn flags_offset(page: Page<'_>, line: usize) -> usize {
    if page.size().is_large() {
        page.line(line).map_or(0, |bytes| page.offset_of(bytes))
    } else {
        page.tag_offset(line)
    }
}

fn level_name(is_parent_of_leaf: bool) -> &'static str {
    if is_parent_of_leaf { "a parent of leaves" } else { "a page above those" }
}

fn named(separator: &[u8]) -> String {
    if separator.is_empty() { "empty".to_owned() } else { start_of(separator) }
}
