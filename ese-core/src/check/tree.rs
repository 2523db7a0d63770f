//! The tree check: rules T4 to T18 and T23 of spec 03 section 8, for one page at its place in a tree.
//!
//! The walk decides which pages are looked at; these functions only say what is wrong with one of them. Key order within
//! the page is the page check's (P18), so the first and the last node stand for all.

use std::cmp::Ordering;

use crate::finding::{Code, Finding, Object};
use crate::format::page::offset;
use crate::format::{CHILD_BYTES, Node, NodeFlags, NodeKey, Objid, Page, PageFlags, Pgno};

/// What all pages of one tree have in common.
#[derive(Clone, Debug)]
pub struct TreeShape {
    /// The root (FDP).
    pub root: Pgno,
    /// The id that every page carries.
    pub objid: Objid,
    /// The kind bits that every page has: none for data, else index, long value, space tree.
    pub kind: PageFlags,
    /// Whether a key alone identifies an entry.
    pub unique: bool,
    /// The tree's name, for findings.
    pub object: Object,
}

/// On which level of its tree a page lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TreeLevel {
    /// Leaf.
    Leaf,
    /// Parent of leaves.
    ParentOfLeaf,
    /// Further up.
    Internal,
}

impl TreeLevel {
    /// The level that a page's flags claim; leaf wins where they contradict each other.
    #[must_use]
    pub fn of(flags: PageFlags) -> TreeLevel {
        if flags.contains(PageFlags::LEAF) {
            TreeLevel::Leaf
        } else if flags.contains(PageFlags::PARENT_OF_LEAF) {
            TreeLevel::ParentOfLeaf
        } else {
            TreeLevel::Internal
        }
    }

    fn name(self) -> &'static str {
        match self {
            TreeLevel::Leaf => "a leaf",
            TreeLevel::ParentOfLeaf => "a parent of leaves",
            TreeLevel::Internal => "an internal page above the parents of leaves",
        }
    }
}

/// Where a page hangs in its tree.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The separator before the page in its parent: no key below it. Empty: no bound.
    pub lower: &'a [u8],
    /// The page's own separator: every key is below it. `None`: no bound.
    pub upper: Option<&'a [u8]>,
    /// The levels that the parent allows.
    pub levels: &'a [TreeLevel],
}

/// A page under check.
pub struct TreePage<'a> {
    /// The tree.
    pub tree: &'a TreeShape,
    /// The page.
    pub page: Page<'a>,
    /// Its number.
    pub pgno: Pgno,
}

impl<'a> TreePage<'a> {
    fn finding(&self, code: Code, rule: &'static str, at: usize, text: String) -> Finding {
        let mut finding = Finding::on_page(code, self.pgno, self.page.size(), at, text).rule(rule);
        finding.object = Some(self.tree.object.clone());
        finding
    }

    fn on_node(&self, code: Code, rule: &'static str, node: &Node<'_>, text: String) -> Finding {
        // A node with an empty key has nothing to point at but its data.
        let part = if node.key.suffix.is_empty() { node.data } else { node.key.suffix };
        self.finding(code, rule, self.page.offset_of(part), text).line(node.line)
    }

    /// T4 to T9 and T24: the page carries the tree's id, kind and level, and is in use.
    pub fn belongs(&self, place: &Place<'_>, findings: &mut Vec<Finding>) {
        let (page, tree) = (self.page, self.tree);
        let flags = page.flags();
        if page.objid() != tree.objid {
            let text = format!("objid: expected {}, found {}", tree.objid, page.objid());
            findings
                .push(self.finding(Code::BtreeObjid, "T4", offset::OBJID, text).compared(tree.objid.0, page.objid().0));
        }
        let mut wrong = |rule, text: String| {
            let text = format!("flags 0x{:x}: {text}", flags.bits());
            let mut finding = self.finding(Code::BtreeKind, rule, offset::FLAGS, text);
            finding.detail.found = Some(flags.bits().into());
            findings.push(finding);
        };
        if kind_of(flags) != kind_of(tree.kind) {
            wrong("T5", format!("expected {}, found {}", kind_name(tree.kind), kind_name(flags)));
        }
        if flags.contains(PageFlags::NON_UNIQUE) == tree.unique && !tree.kind.contains(PageFlags::SPACE_TREE) {
            let expected = if tree.unique { "unique" } else { "non-unique" };
            wrong("T6", format!("expected a tree with {expected} keys"));
        }
        if page.is_root() != (self.pgno == tree.root) {
            let expected = if self.pgno == tree.root { "the root flag" } else { "no root flag" };
            wrong("T7", format!("expected {expected}"));
        }
        let level = TreeLevel::of(flags);
        if !place.levels.contains(&level) {
            let expected: Vec<&str> = place.levels.iter().map(|level| level.name()).collect();
            wrong("T9", format!("expected {}, found {}", expected.join(" or "), level.name()));
        }
        if flags.contains(PageFlags::FDP_DELETED) {
            wrong("T24", "the tree is marked deleted and yet in use".to_owned());
        }
        let unused = flags.intersects(PageFlags::EMPTY | PageFlags::PRE_INIT);
        if unused || (page.tag_count() <= page.first_line() && self.pgno != tree.root) {
            let text = if unused { "the page is marked unused and yet part of a tree" } else { "the page has no node" };
            findings.push(self.finding(Code::BtreeEmpty, "T8", offset::FLAGS, text.to_owned()));
        }
    }

    /// T17 and T18: the sibling links are the neighbours that the parents name; `None` where those are not known.
    pub fn links(&self, prev: Option<Pgno>, next: Option<Pgno>, findings: &mut Vec<Finding>) {
        let sides = [
            ("T17", "previous", offset::PGNO_PREV, prev, self.page.pgno_prev()),
            ("T18", "next", offset::PGNO_NEXT, next, self.page.pgno_next()),
        ];
        for (rule, side, at, expected, found) in sides {
            let Some(expected) = expected.filter(|expected| *expected != found) else { continue };
            let text = format!("{side} page: expected {expected}, found {found}");
            let mut finding = self.finding(Code::BtreeLink, rule, at, text).compared(expected.0, found.0);
            finding.detail.pages = vec![expected];
            findings.push(finding);
        }
    }

    /// T14 and T15 on a leaf: all its entries lie between the separators around it.
    pub fn leaf_is_in_bounds(&self, place: &Place<'_>, findings: &mut Vec<Finding>) {
        let by_data = !self.tree.unique;
        let data = |node: &Node<'a>| if by_data { node.data } else { &[][..] };
        if let Some(first) = self.page.nodes().find_map(Result::ok)
            && compare(&first.key, data(&first), place.lower) == Ordering::Less
        {
            let text = below_text(&first, place.lower);
            findings.push(self.on_node(Code::BtreeBounds, "T14", &first, text));
        }
        if let (Some(upper), Some(last)) = (place.upper, self.page.nodes().rev().find_map(Result::ok))
            && compare(&last.key, data(&last), upper) != Ordering::Less
        {
            let text = above_text(&last, upper);
            findings.push(self.on_node(Code::BtreeBounds, "T15", &last, text));
        }
    }

    /// T11 to T15 and T23 on an internal page.
    pub fn separators_are_sound(&self, place: &Place<'_>, findings: &mut Vec<Finding>) {
        let last_line = self.page.tag_count().saturating_sub(1);
        for node in self.page.nodes().flatten() {
            if node.data.len() != CHILD_BYTES {
                let text = format!("child page number: expected {CHILD_BYTES} bytes, found {}", node.data.len());
                findings.push(
                    self.on_node(Code::BtreeSeparator, "T11", &node, text).compared(CHILD_BYTES, node.data.len()),
                );
            }
            if node.flags.intersects(NodeFlags::DELETED | NodeFlags::VERSION) {
                let text = "flags: expected neither deleted nor version on an internal node".to_owned();
                let at = self.page.tag_offset(node.line);
                findings.push(self.finding(Code::BtreeSeparator, "T23", at, text).line(node.line));
            }
            if node.line == last_line {
                self.last_separator_closes(&node, place, findings);
            } else if node.key.is_empty() {
                // P17 has reported it.
            } else if place.upper.is_some_and(|upper| node.key.cmp(&NodeKey::whole(upper)) != Ordering::Less) {
                let text = above_text(&node, place.upper.unwrap_or_default());
                findings.push(self.on_node(Code::BtreeBounds, "T15", &node, text));
            }
        }
        if let Some(first) = self.page.nodes().flatten().find(|node| !node.key.is_empty())
            && first.key.cmp(&NodeKey::whole(place.lower)) == Ordering::Less
        {
            let text = below_text(&first, place.lower);
            findings.push(self.on_node(Code::BtreeBounds, "T14", &first, text));
        }
    }

    /// T13: the last separator repeats the page's own, or is empty on the right edge.
    fn last_separator_closes(&self, node: &Node<'_>, place: &Place<'_>, findings: &mut Vec<Finding>) {
        let text = match place.upper {
            None if node.key.is_empty() => return,
            None => format!("last separator of the right edge: expected no key, found {}", shown(&node.key)),
            Some(upper) if node.key == NodeKey::whole(upper) => return,
            Some(upper) => format!(
                "last separator: expected that of the parent ({}), found {}",
                shown(&NodeKey::whole(upper)),
                shown(&node.key)
            ),
        };
        findings.push(self.on_node(Code::BtreeSeparator, "T13", node, text));
    }
}

/// The bits that tell one tree's pages from another's. A page of a space tree keeps the kind of the tree it describes.
fn kind_of(flags: PageFlags) -> PageFlags {
    flags.intersection(PageFlags::KIND)
}

fn kind_name(flags: PageFlags) -> String {
    let names =
        [(PageFlags::SPACE_TREE, "space tree"), (PageFlags::INDEX, "index"), (PageFlags::LONG_VALUE, "long value")];
    let set: Vec<&str> = names.iter().filter(|(bit, _)| flags.contains(*bit)).map(|(_, name)| *name).collect();
    if set.is_empty() { "a data page".to_owned() } else { format!("a page of kind {}", set.join(" and ")) }
}

/// Compares the entry `key` followed by `data` with a bound in one piece.
fn compare(key: &NodeKey<'_>, data: &[u8], bound: &[u8]) -> Ordering {
    match bound.split_at_checked(key.len()) {
        // The whole entry may still be shorter: data against the rest of the bound decides.
        Some((start, rest)) => key.cmp(&NodeKey::whole(start)).then_with(|| data.cmp(rest)),
        None => key.cmp(&NodeKey::whole(bound)),
    }
}

fn below_text(node: &Node<'_>, lower: &[u8]) -> String {
    format!(
        "key: expected {} or above, the separator before this page; found {}",
        shown(&NodeKey::whole(lower)),
        shown(&node.key)
    )
}

fn above_text(node: &Node<'_>, upper: &[u8]) -> String {
    format!(
        "key: expected below {}, the separator of this page; found {}",
        shown(&NodeKey::whole(upper)),
        shown(&node.key)
    )
}

/// The first bytes of a key in hex.
fn shown(key: &NodeKey<'_>) -> String {
    super::page::start_of(key)
}
