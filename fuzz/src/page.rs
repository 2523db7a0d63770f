//! The target `page`: one page, of each size.

use std::collections::BTreeSet;
use std::hint::black_box;

use catdb_test_data::page_builder::PageBuilder;
use catdb_test_data::{corpus, database};
use ese_core::check::page::PageChecker;
use ese_core::checksum::{self, Cause, PageSum};
use ese_core::format::{BIT_FLAG_ECC, DatabaseHeader, Extent, Page, PageFlags, PageSize, Pgno, RootHeader, SUM_BYTES};

/// Where the page lies in its imagined file.
const PGNO: Pgno = Pgno(4);

pub(crate) fn run(bytes: &[u8]) {
    let mut page = bytes.to_vec();
    for size in PageSize::ALL.into_iter().rev() {
        page.resize(size.bytes(), 0);
        let Ok(view) = Page::new(&page) else { unreachable!("{size} bytes are a page") };
        parts_lie_in_the_page(view);
        nodes_agree_with_lines(view);
        findings_lie_in_the_page(view);
        corrections_hold(&page);
        stored_sums_hold(&page);
    }
}

fn parts_lie_in_the_page(page: Page<'_>) {
    let len = page.bytes().len();
    let headers = (page.dbtime(), page.pgno_prev(), page.pgno_next(), page.objid(), page.pgno_field(), page.reserved());
    let space = (page.cb_free(), page.cb_uncommitted_free(), page.ib_mic_free());
    black_box((headers, space, page.flags().unknown(), page.external_header(), page.prefix()));
    black_box(RootHeader::read(page.external_header()).and_then(|root| root.space?.oe_root()));
    for line in (0..page.tag_count() + 2).chain([usize::MAX]) {
        assert!(page.tag_offset(line) < len);
        black_box(page.tag(line));
        match page.line(line) {
            Ok(bytes) => {
                assert!(line < page.tag_count());
                assert!(bytes.is_empty() || page.offset_of(bytes) >= page.header_len());
                assert!(page.offset_of(bytes) + bytes.len() <= len);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn nodes_agree_with_lines(page: Page<'_>) {
    let mut before = None;
    for node in page.nodes() {
        let line = match &node {
            Ok(node) => node.line,
            Err(error) => error.line(),
        };
        assert_eq!(format!("{:?}", page.node(line)), format!("{node:?}"));
        let Ok(node) = node else { continue };
        assert!(line >= page.first_line() && line < page.tag_count());
        assert_eq!(node.key.to_vec().len(), node.key.len());
        if let Some(before) = before.replace(node.key) {
            assert_eq!(before.cmp(&node.key), node.key.cmp(&before).reverse());
            assert_eq!(before.cmp(&node.key), before.to_vec().cmp(&node.key.to_vec()));
        }
        black_box((node.child(), node.is_deleted(), Extent::read(&node).map(|extent| extent.first())));
    }
}

fn findings_lie_in_the_page(page: Page<'_>) {
    let mut checker = PageChecker::default();
    let [mut first, mut again] = [Vec::new(), Vec::new()];
    checker.check(page, PGNO, &mut first);
    checker.check(page, PGNO, &mut again);
    assert_eq!(first, again, "a checker keeps nothing from page to page");
    let start = page.size().offset_of(PGNO);
    for finding in first {
        assert!((start..start + page.size().as_u64()).contains(&finding.offset), "{finding:?}");
        assert!(!finding.message.is_empty());
    }
}

/// A correction makes the sums right and changes no more than the bits that it names.
fn corrections_hold(page: &[u8]) {
    let mut corrected = page.to_vec();
    let before = checksum::verify(page, PGNO);
    let Some(correction) = checksum::correct(&mut corrected, PGNO) else {
        assert_eq!(corrected, page);
        return;
    };
    assert!(matches!(before, PageSum::Bad(bad) if bad.cause() == Cause::FlippedBits(correction)));
    assert_eq!(checksum::verify(&corrected, PGNO), PageSum::Good);
    correction.bits().for_each(|bit| flip(&mut corrected, bit));
    assert_eq!(corrected, page);
}

/// A stored checksum is found good, and any one flipped bit behind it is found and corrected.
fn stored_sums_hold(page: &[u8]) {
    let mut page = page.to_vec();
    if checksum::store(&mut page, PGNO).is_err() {
        return;
    }
    assert_eq!(checksum::verify(&page, PGNO), PageSum::Good);
    let has_ecc = Page::new(&page).is_ok_and(|page| page.flags().contains(PageFlags::ECC));
    let bit = bit_to_flip(&page);
    if has_ecc && bit != BIT_FLAG_ECC {
        let sound = page.clone();
        flip(&mut page, bit);
        assert!(checksum::correct(&mut page, PGNO).is_some(), "bit {bit}");
        assert_eq!(page, sound, "bit {bit}");
    }
}

/// A bit behind the first checksum, chosen by the content.
fn bit_to_flip(page: &[u8]) -> u32 {
    let sum = page.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    let [sums, bits] = [SUM_BYTES, page.len()].map(|bytes| u32::try_from(8 * bytes).unwrap_or(u32::MAX));
    sums + sum % (bits - sums)
}

fn flip(page: &mut [u8], bit: u32) {
    if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| page.get_mut(at)) {
        *byte ^= 1 << (bit % 8);
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for size in PageSize::ALL {
        seeds.extend(built(size));
    }
    for path in corpus::databases(&corpus::folder()) {
        seeds.extend(one_of_each_kind(&corpus::unpack(&path)));
    }
    seeds
}

/// One page of each kind there is, of `size`.
fn built(size: PageSize) -> Vec<Vec<u8>> {
    let leaf = PageBuilder::leaf(size, PGNO.0);
    let space_header = [9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0];
    let extents = |page: PageBuilder| page.node(&[0, 0, 0, 9], &[9, 0, 0, 0]).node(&[0, 0, 1, 0], &[2, 0, 0, 0]);
    let mut pages = vec![
        leaf.clone().tag0(b"common prefix").compressed_node(7, b"a", b"1").flagged_node(3, b"d", b"2").node(b"e", b"3"),
        leaf.clone().siblings(3, 5).flags(0x2C42).node(b"key", b"1").node(b"key", b"2"),
        leaf.clone().flags(0x2803).tag0(&space_header).node(b"k", b"data"),
        extents(leaf.clone().flags(0x2823).tag0(&[0; 16])),
        extents(leaf.clone().flags(0x2822)).node(&[0x82, 0, 0, 2, 0], &[1, 0, 0, 0]),
        leaf.clone().flags(0x2804).node(b"k", &[7, 0, 0, 0]).node(b"", &[8, 0, 0, 0]),
        leaf.clone().flags(0x280A),
        leaf.clone().flags(0x22800),
    ];
    if !size.is_large() {
        pages.push(leaf.flags(0x802).node(b"old", b"checksum"));
    }
    pages.into_iter().map(PageBuilder::build).chain([vec![0; size.bytes()]]).collect()
}

/// The first page of `file` with each set of flags that occurs, made page [`PGNO`].
fn one_of_each_kind(file: &[u8]) -> Vec<Vec<u8>> {
    let size = DatabaseHeader::from_slot(file).page_size().unwrap_or(PageSize::K4);
    let mut met = BTreeSet::new();
    let pages = file[database::offset(size, 1)..].chunks_exact(size.bytes());
    let new = pages.filter(|page| Page::new(page).is_ok_and(|page| met.insert(page.flags().bits())));
    new.map(|page| {
        let mut page = page.to_vec();
        seal(&mut page);
        page
    })
    .collect()
}

pub(crate) fn seal(bytes: &mut [u8]) {
    // Fails only where the page's own flags ask for no checksum that its size could have.
    let _ = checksum::store(bytes, PGNO);
}
