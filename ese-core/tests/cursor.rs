//! The cursor: order, seeking, and what it does about pages that no tree should have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use catdb_test_data::database;
use catdb_test_data::page_builder::PageBuilder;
use ese_core::format::{Page, PageSize, Pgno};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;

const SIZE: PageSize = PageSize::K4;
const LEAF: u32 = 0x2802;
const ROOT: u32 = 0x2805;

/// A tree of root 4 and leaves 5, 6 and 7 with keys 10, 11, 20, 21, 30, 31.
fn tree() -> Vec<u8> {
    let mut file = database::tiny(SIZE, 8);
    let root = [(&[20][..], 5u32), (&[30], 6), (&[], 7)]
        .into_iter()
        .fold(PageBuilder::leaf(SIZE, 4).flags(ROOT).tag0(&[0; 16]), |page, (separator, child)| {
            page.node(separator, &child.to_le_bytes())
        });
    database::page_mut(&mut file, SIZE, 4).copy_from_slice(&root.build());
    for (pgno, first) in [(5, 10u8), (6, 20), (7, 30)] {
        let leaf = PageBuilder::leaf(SIZE, pgno).flags(LEAF).node(&[first], b"x").node(&[first + 1], b"y");
        database::page_mut(&mut file, SIZE, pgno).copy_from_slice(&leaf.build());
    }
    file
}

fn keys(cursor: &mut Cursor<'_>) -> Vec<Result<u8, String>> {
    let mut keys = Vec::new();
    while let Some(node) = cursor.next_node() {
        keys.push(node.map(|found| found.node.key.to_vec()[0]).map_err(|fault| fault.to_string()));
    }
    keys
}

fn all(file: &[u8]) -> Vec<Result<u8, String>> {
    keys(&mut Cursor::new(Pages::new(&MemorySource(file), SIZE), Pgno(4)))
}

#[test]
fn all_nodes_come_in_order_and_seeking_finds_the_first_that_is_not_below() {
    let file = tree();
    assert_eq!(all(&file), [10, 11, 20, 21, 30, 31].map(Ok));
    let source = MemorySource(&file);
    let mut cursor = Cursor::new(Pages::new(&source, SIZE), Pgno(4));
    for (key, rest) in [(0, 6), (10, 6), (11, 5), (12, 4), (20, 4), (22, 2), (29, 2), (31, 1), (32, 0)] {
        cursor.seek(&[key]).unwrap();
        assert_eq!(keys(&mut cursor).len(), rest, "{key}");
    }
    cursor.rewind();
    let mut leaves = Vec::new();
    while let Some(leaf) = cursor.next_leaf() {
        leaves.push(leaf.unwrap().pgno.0);
    }
    assert_eq!(leaves, [5, 6, 7]);
}

#[test]
fn a_bad_leaf_is_a_fault_and_the_next_one_follows() {
    let mut file = tree();
    database::flip_bits(&mut file, SIZE, 6, &[800, 801]);
    let found = all(&file);
    assert_eq!(found.len(), 5);
    assert_eq!(found[2], Err("page 6: its checksum fails".to_owned()));
    assert_eq!(found[3], Ok(30));
}

#[test]
fn loops_and_foreign_pages_are_stepped_over() {
    let mut file = tree();
    let child_of = |file: &mut [u8], line: usize, child: u32| {
        let page = Page::new(database::page(file, SIZE, 4)).unwrap();
        let at = page.offset_of(page.node(line).unwrap().data);
        database::patch_page(file, SIZE, 4, |page| page[at..at + 4].copy_from_slice(&child.to_le_bytes()));
    };
    child_of(&mut file, 2, 5);
    child_of(&mut file, 3, 4);
    let again = |pgno| Err(format!("page {pgno}: expected each page once in a tree, found it named again by page 4"));
    assert_eq!(all(&file), [Ok(10), Ok(11), again(5), again(4)]);
    child_of(&mut file, 1, 1);
    child_of(&mut file, 2, 99);
    let found = all(&file);
    assert!(found[0].as_ref().unwrap_err().contains("expected a page of tree 7, found one of tree 1"));
    assert!(found[1].as_ref().unwrap_err().contains("page 99: expected a page from 1 to 8"));
}
