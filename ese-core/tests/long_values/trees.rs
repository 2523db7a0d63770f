//! Long value trees for tests, made node by node, and the check of them.

use catdb_test_data::page_builder::PageBuilder;

use ese_core::check::long_value::{LongValueTreeChecker, ReferenceKey, TreeSummary};
use ese_core::finding::Finding;
use ese_core::format::long_value::{LongValueId, LongValueKey, chunk_size};
use ese_core::format::{DbState, Node, Page, PageSize, Pgno};

/// Flags of a leaf of a long value tree: leaf, long value, new record format, ECC.
const LEAF_OF_LONG_VALUES: u32 = 0x2882;

/// Key and data of a node.
pub(crate) type KeyData = (Vec<u8>, Vec<u8>);

/// A part of a tree, in order.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// A page with these nodes.
    Page(u32, Vec<KeyData>),
    /// A page that cannot be read.
    Gap,
}

/// The chunk size of `size`, as a number of bytes.
pub(crate) fn chunk_bytes(size: PageSize) -> usize {
    chunk_size(size, None) as usize
}

pub(crate) fn root(id: u64, references: u32, bytes: usize) -> KeyData {
    let size = u32::try_from(bytes).unwrap();
    let data = [references.to_le_bytes(), size.to_le_bytes()].concat();
    (LongValueKey::Root(LongValueId(id)).to_vec(), data)
}

pub(crate) fn chunk(id: u64, offset: usize, data: &[u8]) -> KeyData {
    let offset = u32::try_from(offset).unwrap();
    (LongValueKey::Chunk { id: LongValueId(id), offset }.to_vec(), data.to_vec())
}

/// Root and chunks of a value of `bytes` bytes, counted once.
pub(crate) fn value(size: PageSize, id: u64, bytes: usize) -> Vec<KeyData> {
    let content: Vec<u8> = (0..bytes).map(|i| u8::try_from(i * 31 % 251).unwrap()).collect();
    let pieces = content.chunks(chunk_bytes(size)).enumerate();
    let chunks = pieces.map(|(i, piece)| chunk(id, i * chunk_bytes(size), piece));
    std::iter::once(root(id, 1, bytes)).chain(chunks).collect()
}

/// The bytes of a page with these nodes.
pub(crate) fn page(size: PageSize, pgno: u32, nodes: &[KeyData]) -> Vec<u8> {
    let empty = PageBuilder::leaf(size, pgno).flags(LEAF_OF_LONG_VALUES);
    nodes.iter().fold(empty, |page, (key, data)| page.node(key, data)).build()
}

/// Each node on a page of its own, from page 10 on.
pub(crate) fn one_each(nodes: Vec<KeyData>) -> Vec<Part> {
    (10..).zip(nodes).map(|(pgno, node)| Part::Page(pgno, vec![node])).collect()
}

/// Calls `visit` for each node of the parts, and with `None` for each gap.
pub(crate) fn walk(size: PageSize, parts: &[Part], mut visit: impl FnMut(Option<(Page<'_>, Pgno, &Node<'_>)>)) {
    for part in parts {
        let Part::Page(pgno, nodes) = part else {
            visit(None);
            continue;
        };
        let bytes = page(size, *pgno, nodes);
        let page = Page::new(&bytes).unwrap();
        for node in page.nodes() {
            visit(Some((page, Pgno(*pgno), &node.unwrap())));
        }
    }
}

/// What the checker says of the parts.
pub(crate) fn check_in(size: PageSize, state: DbState, parts: &[Part]) -> (Vec<Finding>, TreeSummary) {
    let key = ReferenceKey::default();
    let mut checker = LongValueTreeChecker::new(size, None, state, &key);
    let mut findings = Vec::new();
    walk(size, parts, |node| match node {
        Some((page, pgno, node)) => checker.node(page, pgno, node, &mut findings),
        None => checker.gap(),
    });
    let summary = checker.finish(&mut findings);
    (findings, summary)
}

/// [`check_in`] a clean database.
pub(crate) fn check(size: PageSize, parts: &[Part]) -> (Vec<Finding>, TreeSummary) {
    check_in(size, DbState::CleanShutdown, parts)
}

/// Rule, page, line, offset on the page, count.
pub(crate) type Essence = (&'static str, u32, usize, usize, u64);

pub(crate) fn essence(finding: &Finding) -> Essence {
    let detail = &finding.detail;
    let at = finding.offset - finding.page_offset.unwrap();
    (
        detail.rule.unwrap(),
        finding.pgno.unwrap().0,
        detail.line.unwrap(),
        usize::try_from(at).unwrap(),
        detail.count.unwrap(),
    )
}
