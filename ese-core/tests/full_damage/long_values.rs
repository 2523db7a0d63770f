//! Long values of a table that do not agree with themselves or its rows (spec 07 section 5).

use catdb_test_data::build::{Node, Place};
use ese_core::finding::Code;

use super::base::Base;
use super::{Damage, damage};

/// Extended byte before the reference to a long value: a separated one.
const SEPARATED: u8 = 5;
/// Bytes of the offset in the key of a chunk.
const OFFSET: usize = 4;

/// The root of long value number `number` of `Files`, from 0, and its last chunk.
fn value(base: &Base, number: usize) -> (Place, Place) {
    let nodes = base.built.nodes("Files/LV");
    let root_len = nodes[0].1.key.len();
    let (root, key) = nodes
        .iter()
        .filter(|(_, node)| node.key.len() == root_len)
        .map(|(place, node)| (*place, &node.key))
        .nth(number)
        .unwrap();
    let last = nodes.iter().rfind(|(_, node)| node.key.starts_with(key) && node.key.len() == root_len + OFFSET);
    (root, last.unwrap().0)
}

fn set_count(base: &mut Base, count: u32) -> u64 {
    let (root, _) = value(base, 4);
    base.built.edit_node(root, |node| node.data[..4].copy_from_slice(&count.to_le_bytes()));
    base.data_at(root)
}

/// Adds a long value of no bytes behind all others.
fn add_value(base: &mut Base, count: u32) -> u64 {
    let (place, last) = base.built.nodes("Files/LV").pop().unwrap();
    let mut key = last.key[..last.key.len() - OFFSET].to_vec();
    *key.last_mut().unwrap() += 1;
    let data = [count.to_le_bytes(), [0; 4]].concat();
    base.built.edit_page(place.pgno, |page| {
        page.nodes.push(Node { flags: 0, prefix: 0, key, data });
    });
    base.data_at(Place { line: place.line + 1, ..place })
}

pub(super) const TABLE: &[Damage] = &[
    damage("a root of seven bytes", Code::LvRoot, "L3", |base| {
        let (root, _) = value(base, 4);
        base.built.edit_node(root, |node| node.data.truncate(7));
        base.data_at(root)
    }),
    damage("a chunk that is broken", Code::LvCompression, "L8", |base| {
        let (_, last) = value(base, 4);
        base.built.edit_node(last, |node| node.data = vec![0x38, 9]);
        base.data_at(last) + 1
    }),
    damage("a chunk that is gone", Code::LvChunk, "L11", |base| {
        let (root, last) = value(base, 4);
        base.remove(last);
        base.data_at(root) + 4
    }),
    damage("a count below the references", Code::LvRefcountLow, "L16", |base| set_count(base, 0)),
    damage("a count above the references", Code::LvRefcountHigh, "L17", |base| set_count(base, 7)),
    damage("a long value that nobody refers to", Code::LvOrphan, "L18", |base| add_value(base, 1)),
    damage("a long value that waits for its deletion", Code::LvDead, "L19", |base| add_value(base, 0)),
    damage("a reference that leads nowhere", Code::LvMissing, "L14", |base| {
        let (root, _) = value(base, 4);
        let key = base.built.page(root.pgno).nodes[root.line - 1].key.clone();
        let lid: Vec<u8> = [SEPARATED].into_iter().chain(key.into_iter().rev()).collect();
        let rows = base.built.nodes("Files");
        let in_record = |data: &[u8]| data.windows(lid.len()).rposition(|bytes| bytes == lid);
        let (place, at) = rows.iter().find_map(|(place, node)| Some((*place, in_record(&node.data)?))).unwrap();
        base.built.edit_node(place, |node| node.data[at + 1] = 0xEE);
        base.data_at(place) + at as u64 + 1
    })
    // Which of the two sides was changed nobody knows.
    .also(&[Code::LvOrphan]),
];
