//! Leaves: what only reading them shows (T8, T14, T15).

use std::cmp::Ordering;

use crate::finding::Code;
use crate::format::page::offset;
use crate::format::{Node, Page, PageFlags, Pgno};
use crate::tree::{PageFault, TrustedPages};

use super::super::start_of;
use super::{LeafGroup, TreeShape, WalkContext, lost, report};

/// A leaf with the bounds that its parent gives it.
#[derive(Clone, Copy, Debug)]
pub struct BoundedLeaf<'a> {
    /// Its number.
    pub pgno: Pgno,
    /// Its bytes.
    pub page: Page<'a>,
    /// The lowest key that may lie on it; empty for no bound.
    pub lower: &'a [u8],
    /// The key that all on it must be below, if there is a bound.
    pub upper: Option<&'a [u8]>,
}

impl BoundedLeaf<'_> {
    /// True if `node`, which lies on the leaf, lies within its bounds. What does not is not where it belongs, or the page
    /// is not: it proves nothing about the tree, and the leaf has a finding that says so.
    #[must_use]
    pub fn holds(&self, node: &Node<'_>) -> bool {
        bookmark_cmp(self.page, node, self.lower) != Ordering::Less
            && self.upper.is_none_or(|upper| bookmark_cmp(self.page, node, upper) == Ordering::Less)
    }
}

/// What comes next in a group of leaves.
#[derive(Clone, Copy, Debug)]
pub enum LeafEvent<'a> {
    /// A leaf.
    Leaf(BoundedLeaf<'a>),
    /// A leaf that cannot be read. What is at fault has a finding of its own, on this page or on the one that names it.
    Missing(Pgno),
}

/// Reads groups of leaves, one after the other; one for each thread.
pub struct GroupReader<'a> {
    context: WalkContext<'a>,
    parent: TrustedPages<'a>,
    leaf: TrustedPages<'a>,
    lower: Vec<u8>,
}

impl<'a> GroupReader<'a> {
    /// A reader for leaves of trees in `context`.
    #[must_use]
    pub fn new(context: WalkContext<'a>) -> GroupReader<'a> {
        let pages = context.pages;
        GroupReader { context, parent: TrustedPages::new(pages), leaf: TrustedPages::new(pages), lower: Vec::new() }
    }

    /// Hands every leaf of `group`, in key order, to `visit`, after the checks that concern the leaf as a whole.
    pub fn for_each_leaf(&mut self, tree: &TreeShape, group: &LeafGroup, mut visit: impl FnMut(LeafEvent<'_>)) {
        let context = self.context;
        let lost = |pgno, fault| lost(tree, &context, pgno, fault);
        self.read(tree, group, lost, |event| {
            if let LeafEvent::Leaf(leaf) = &event {
                check(tree, &context, leaf);
            }
            visit(event);
        });
    }

    /// Hands every leaf of `group`, in key order, to `visit`, and checks nothing: for a second look.
    pub fn read_again(&mut self, tree: &TreeShape, group: &LeafGroup, visit: impl FnMut(LeafEvent<'_>)) {
        self.read(tree, group, |_, _| {}, visit);
    }

    /// Reads the leaves of `group`; one that could be read by the scan and now cannot goes to `lost`.
    fn read(
        &mut self,
        tree: &TreeShape,
        group: &LeafGroup,
        lost: impl Fn(Pgno, PageFault),
        mut visit: impl FnMut(LeafEvent<'_>),
    ) {
        let GroupReader { parent, leaf, lower, .. } = self;
        lower.clear();
        lower.extend_from_slice(&group.lower);
        let upper = group.upper.as_deref();
        let mut one =
            |child: Result<Pgno, Pgno>, lower: &[u8], upper: Option<&[u8]>, visit: &mut dyn FnMut(LeafEvent<'_>)| {
                let pgno = match child {
                    Ok(pgno) => pgno,
                    Err(pgno) => return visit(LeafEvent::Missing(pgno)),
                };
                match leaf.get(pgno) {
                    Ok(page) => visit(LeafEvent::Leaf(BoundedLeaf { pgno, page, lower, upper })),
                    Err(fault) => {
                        lost(pgno, fault);
                        visit(LeafEvent::Missing(pgno));
                    }
                }
            };
        if group.parent.is_none() {
            one(Ok(tree.root), lower, upper, &mut visit);
            return;
        }
        let page = match parent.get(group.parent) {
            Ok(page) => page,
            Err(fault) => {
                lost(group.parent, fault);
                return visit(LeafEvent::Missing(group.parent));
            }
        };
        let mut one =
            |child: Result<Pgno, Pgno>, lower: &[u8], upper: Option<&[u8]>| one(child, lower, upper, &mut visit);
        let last_line = page.tag_count().saturating_sub(1);
        for node in page.nodes() {
            let Ok(node) = node else {
                one(Err(group.parent), lower, upper);
                continue;
            };
            let unbounded = node.line == last_line || node.key.is_empty();
            let separator = if unbounded { None } else { Some(node.key.to_vec()) };
            let child = match node.child() {
                Some(pgno) if group.rejected.contains(&node.line) => Err(pgno),
                child => child.ok_or(group.parent),
            };
            one(child, lower, separator.as_deref().or(upper));
            lower.clear();
            lower.extend_from_slice(separator.as_deref().unwrap_or_default());
        }
    }
}

fn check(tree: &TreeShape, context: &WalkContext<'_>, leaf: &BoundedLeaf<'_>) {
    let BoundedLeaf { pgno, page, .. } = *leaf;
    let mut nodes = page.nodes().flatten();
    let Some(first) = nodes.next() else {
        // Where there are lines that cannot be taken apart, the page check has said so.
        if page.tag_count() <= page.first_line() && pgno != tree.root {
            let text = "nodes: expected at least one on a leaf that is no root, found none".to_owned();
            report(tree, context, (Code::BtreeEmpty, "T8"), (pgno, offset::ITAG_STATE), text, |finding| finding);
        }
        return;
    };
    // Keys ascend on the page, or the page check has said so: the ends stand for all.
    let last = page.nodes().rev().flatten().next().unwrap_or(first);
    let outside = |rule, node: &Node<'_>, bound: &[u8], side| {
        let text = format!(
            "line {}: expected a key {side} {}, as the parent says, found {}",
            node.line,
            start_of(bound),
            start_of(&node.key.to_vec())
        );
        let at = page.offset_of(node.key.suffix);
        report(tree, context, (Code::BtreeBounds, rule), (pgno, at), text, |finding| finding.line(node.line));
    };
    if bookmark_cmp(page, &first, leaf.lower) == Ordering::Less {
        outside("T14", &first, leaf.lower, "of at least");
    }
    if let Some(upper) = leaf.upper
        && bookmark_cmp(page, &last, upper) != Ordering::Less
    {
        outside("T15", &last, upper, "below");
    }
}

/// Compares what tells `node` from others with `bound`: its key, and where keys are not unique its data behind it.
fn bookmark_cmp(page: Page<'_>, node: &Node<'_>, bound: &[u8]) -> Ordering {
    let data = if page.flags().contains(PageFlags::NON_UNIQUE) { node.data } else { &[] };
    let mut rest = bound;
    for part in [node.key.prefix, node.key.suffix, data] {
        let both = part.len().min(rest.len());
        let (same, beyond) = rest.split_at(both);
        if part.is_empty() {
            continue;
        }
        match part.get(..both).unwrap_or_default().cmp(same) {
            Ordering::Equal if part.len() > both => return Ordering::Greater,
            Ordering::Equal => rest = beyond,
            different => return different,
        }
    }
    if rest.is_empty() { Ordering::Equal } else { Ordering::Less }
}
