//! Whatever stands on the pages of space trees: it ends, at once, without a panic.

use std::time::{Duration, Instant};

use catdb_test_data::page_builder::PageBuilder;
use catdb_test_data::{corpus, database};
use ese_core::format::PageSize;
use ese_core::source::MemorySource;
use proptest::prelude::*;

use super::Examined;

const SIZE: PageSize = PageSize::K4;

/// Pages of space trees of `catdb-200`, and roots.
const SPACE_PAGES: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 25, 26, 32];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bytes_of_space_pages_never_panic(
        changes in proptest::collection::vec((0..SPACE_PAGES.len(), 8..4096usize, any::<[u8; 4]>()), 1..24),
    ) {
        let mut file = corpus::fixture("catdb-200.edb");
        for (page, at, bytes) in changes {
            // The flags choose the checksum; they stay.
            let at = if (33..40).contains(&at) { 40 } else { at.min(4092) };
            database::patch_page(&mut file, SIZE, SPACE_PAGES[page], |page| page[at..at + 4].copy_from_slice(&bytes));
        }
        let source = MemorySource(&file);
        let begin = Instant::now();
        let _ = Examined::new(&source).findings();
        prop_assert!(begin.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn any_extents_never_panic(
        extents in proptest::collection::vec((any::<u32>(), any::<u32>(), 0..8u8, 0..4u16), 0..100),
        place in 0..SPACE_PAGES.len(),
    ) {
        let mut file = corpus::fixture("catdb-200.edb");
        let pgno = SPACE_PAGES[place];
        let start = database::page(&file, SIZE, pgno);
        let (objid, flags) = (u32::from_le_bytes(start[24..28].try_into().unwrap()), u32::from_le_bytes(start[36..40].try_into().unwrap()));
        let mut page = PageBuilder::leaf(SIZE, pgno).objid(objid).flags(flags).tag0(&[0; 16]);
        for (last, count, pool, flags) in extents {
            let key = if pool == 0 { last.to_be_bytes().to_vec() } else { [&[0x80 | pool][..], &last.to_be_bytes()].concat() };
            page = page.flagged_node(flags, &key, &(count >> (pool * 4)).to_le_bytes());
        }
        database::page_mut(&mut file, SIZE, pgno).copy_from_slice(&page.build());
        let source = MemorySource(&file);
        let _ = Examined::new(&source).findings();
    }
}

/// All pages of a large file are one space tree whose every extent claims the whole file.
#[test]
fn extents_that_all_claim_everything_end_at_once() {
    let mut file = corpus::fixture("catdb-200.edb");
    let pages = u32::try_from(file.len() / SIZE.bytes()).unwrap() - 2;
    let leaves: Vec<u32> = (100..pages).collect();
    let flags = 0x2805 | 0x20;
    let root = leaves.iter().fold(PageBuilder::leaf(SIZE, 2).objid(1).flags(flags).tag0(&[0; 16]), |page, leaf| {
        if leaf - 100 < 250 { page.node(&leaf.to_be_bytes(), &leaf.to_le_bytes()) } else { page }
    });
    database::page_mut(&mut file, SIZE, 2).copy_from_slice(&root.build());
    for leaf in leaves {
        let page = (0..200u32).fold(PageBuilder::leaf(SIZE, leaf).objid(1).flags(0x2822), |page, i| {
            let last = 0x7000_0000 - leaf * 200 - i;
            page.node(&last.to_be_bytes(), &last.to_le_bytes())
        });
        database::page_mut(&mut file, SIZE, leaf).copy_from_slice(&page.build());
    }
    let source = MemorySource(&file);
    let begin = Instant::now();
    let findings = Examined::new(&source).findings();
    println!("{} findings, {:?}", findings.len(), begin.elapsed());
    assert!(!findings.is_empty() && begin.elapsed() < Duration::from_secs(10));
}
