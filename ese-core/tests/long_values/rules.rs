//! Every rule over a tree provoked, on a small and on a large page size, with ids of both widths.

use ese_core::check::long_value::{LongValueTreeChecker, ReferenceKey};
use ese_core::finding::{Code, Severity};
use ese_core::format::{DbState, Page, PageSize, Pgno};

use crate::trees::*;

const BOTH: [PageSize; 2] = [PageSize::K4, PageSize::K32];
const NARROW: u64 = 5;
const WIDE: u64 = 0x8000_0000_8000_0005;

/// Where the first node of a page begins: behind the header, and behind tag 0, which is empty.
fn first_node(size: PageSize) -> usize {
    if size.is_large() { 80 } else { 40 }
}

/// Offset of the key of the first node of a page, and of its data.
fn key_at(size: PageSize) -> usize {
    first_node(size) + 2
}

/// One damage: nodes, each on a page of its own from page 10 on, and what must be said of them.
#[track_caller]
fn expect(size: PageSize, nodes: Vec<KeyData>, expected: (Code, &'static str, u32, usize)) {
    let (findings, _) = check(size, &one_each(nodes));
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, essence(finding))).collect();
    let (code, rule, pgno, at) = expected;
    assert_eq!(found, [(code, (rule, pgno, 1, at, 1))], "{size}");
    assert_eq!(findings[0].severity, code.info().severity);
}

/// For both page sizes and both widths of ids: the page size, an id, the length of a key of a root, and a whole chunk.
fn for_each_kind(mut test: impl FnMut(PageSize, u64, usize, usize)) {
    for size in BOTH {
        test(size, NARROW, 4, chunk_bytes(size));
        test(size, WIDE, 8, chunk_bytes(size));
    }
}

#[test]
fn sound_values_of_both_widths_say_nothing() {
    for size in PageSize::ALL {
        let c = chunk_bytes(size);
        let lengths = [1, 2, c - 1, c, c + 1, 2 * c, 3 * c + 7];
        let narrow = (1..).zip(lengths).flat_map(|(id, bytes)| value(size, id * 3, bytes));
        let wide = (0..).zip(lengths).flat_map(|(id, bytes)| value(size, WIDE + id, bytes));
        let empty = [root(NARROW - 1, 1, 0)];
        let mut nodes: Vec<_> = narrow.chain(wide).chain(empty).collect();
        nodes.sort();
        let (findings, summary) = check(size, &one_each(nodes));
        assert_eq!(findings, []);
        assert_eq!((summary.values, summary.dead, summary.chunks), (15, 0, 2 * (1 + 1 + 1 + 1 + 2 + 2 + 4)));
        assert_eq!(summary.counted.references(), 15);
    }
}

#[test]
fn l1_keys_of_other_lengths() {
    for size in BOTH {
        for key in [&[5][..], &[0; 5], &[0; 13], &[0x80, 0, 0, 1], &[0x7F; 12]] {
            expect(size, vec![(key.to_vec(), vec![1; 9])], (Code::LvChunk, "L1", 10, key_at(size)));
        }
    }
}

#[test]
fn l2_ids_that_cannot_be_or_are_reserved() {
    for size in BOTH {
        for id in [0, 0x8100_0000_0000_0000] {
            expect(size, vec![root(id, 1, 0)], (Code::LvRoot, "L2", 10, key_at(size)));
            expect(size, vec![chunk(id, 0, b"x")], (Code::LvRoot, "L2", 10, key_at(size)));
        }
        for id in [0x7FFF_FF00, 0x80FF_FFFF_0000_0001] {
            let (findings, summary) = check(size, &one_each(value(size, id, 0)));
            assert_eq!(findings.iter().map(essence).collect::<Vec<_>>(), [("L2", 10, 1, key_at(size), 1)]);
            assert_eq!((findings[0].severity, summary.values), (Severity::Info, 1));
        }
    }
}

#[test]
fn l3_roots_that_are_malformed() {
    for_each_kind(|size, id, key, c| {
        let data_at = key_at(size) + key;
        let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut nodes = value(size, id, c + 9);
            change(&mut nodes[0].1);
            nodes
        };
        let root = |at| (Code::LvRoot, "L3", 10, data_at + at);
        expect(size, damaged(&|data| data.truncate(7)), root(0));
        expect(size, damaged(&|data| data.extend([1, 1])), root(0));
        expect(size, damaged(&|data| data.push(0)), root(8));
        expect(size, damaged(&|data| data.push(2)), root(8));
        expect(size, damaged(&|data| data[7] = 0x80), root(4));
    });
}

#[test]
fn l4_ids_that_do_not_ascend() {
    for size in BOTH {
        let nodes = vec![root(NARROW, 1, 0), root(NARROW, 1, 0)];
        expect(size, nodes, (Code::LvRoot, "L4", 11, key_at(size)));
        let nodes = vec![root(WIDE, 1, 0), root(NARROW, 1, 0), root(WIDE + 1, 1, 0)];
        expect(size, nodes, (Code::LvRoot, "L4", 11, key_at(size)));
    }
}

#[test]
fn l5_chunks_without_root_are_one_finding_an_id() {
    for_each_kind(|size, id, _, c| {
        let mut nodes = value(size, id, 3 * c);
        nodes.remove(0);
        expect(size, nodes, (Code::LvRoot, "L5", 10, key_at(size)));
        // The chunks of a neighbour do not count as its own, and spoil nothing.
        let mut nodes = value(size, id, 2 * c);
        nodes.push(chunk(id + 1, 0, b"abc"));
        expect(size, nodes, (Code::LvRoot, "L5", 13, key_at(size)));
    });
}

#[test]
fn l6_offsets_between_chunks() {
    for_each_kind(|size, id, key, c| {
        let mut nodes = value(size, id, 2 * c + 1);
        nodes[2] = chunk(id, c + 1, &vec![7; c]);
        expect(size, nodes, (Code::LvChunk, "L6", 12, key_at(size) + key));
    });
}

#[test]
fn l7_missing_chunks() {
    for_each_kind(|size, id, key, c| {
        let mut nodes = value(size, id, 3 * c + 1);
        nodes.remove(2);
        expect(size, nodes, (Code::LvChunk, "L7", 12, key_at(size) + key));
    });
}

#[test]
fn l8_chunks_that_cannot_be_decompressed() {
    for_each_kind(|size, id, key, c| {
        // XPRESS whose size is as promised, and then nothing.
        let [low, high, ..] = u32::try_from(c).unwrap().to_le_bytes();
        let broken = [0x18, low, high, 0, 0, 0, 0, 0, 0, 0, 0];
        for references in [1, 0] {
            let nodes = vec![root(id, references, c + 9), chunk(id, 0, &broken), chunk(id, c, b"plain...!")];
            let (findings, _) = check(size, &one_each(nodes));
            assert_eq!(findings.len(), 1);
            assert_eq!((findings[0].code, findings[0].detail.rule), (Code::LvCompression, Some("L8")));
            let at = findings[0].offset - findings[0].page_offset.unwrap();
            let data_at = (key_at(size) + key + 4) as u64;
            assert!((data_at + 3..data_at + 12).contains(&at), "{at} {data_at}");
        }
    });
}

#[test]
fn l9_chunks_that_are_too_long() {
    for_each_kind(|size, id, key, c| {
        let data_at = key_at(size) + key + 4;
        let mut nodes = value(size, id, c - 10);
        nodes[1].1.push(0);
        expect(size, nodes, (Code::LvChunk, "L9", 11, data_at + c - 10));
        // A chunk behind the end.
        let mut nodes = value(size, id, c);
        nodes.push(chunk(id, c, b"x"));
        expect(size, nodes, (Code::LvChunk, "L9", 12, data_at));
    });
}

/// 18 bytes of text in 9 (spec 07 section 4.1, vector 2).
const SEVEN_BIT: [u8; 9] = [0x16, 0xE1, 0x70, 0x38, 0x1C, 0x0E, 0x87, 0xC5, 0x62];

#[test]
fn l10_chunks_that_decompress_to_another_size() {
    for_each_kind(|size, id, key, _| {
        let data_at = key_at(size) + key + 4;
        let nodes = |bytes| vec![root(id, 1, bytes), chunk(id, 0, &SEVEN_BIT)];
        assert_eq!(check(size, &one_each(nodes(18))).0, []);
        expect(size, nodes(17), (Code::LvChunk, "L10", 11, data_at));
        expect(size, nodes(19), (Code::LvChunk, "L10", 11, data_at));
    });
}

#[test]
fn l11_chunks_that_are_shorter_than_the_value() {
    for_each_kind(|size, id, key, c| {
        let mut nodes = value(size, id, 2 * c + 5);
        nodes.pop();
        let (findings, _) = check(size, &one_each(nodes.clone()));
        let compared = (findings[0].detail.expected, findings[0].detail.found);
        assert_eq!(compared, (Some(2 * c as u64 + 5), Some(2 * c as u64)));
        expect(size, nodes, (Code::LvChunk, "L11", 10, key_at(size) + key + 4));
        // The same where another value follows.
        let mut nodes = vec![root(id, 1, 1)];
        nodes.extend(value(size, id + 1, 1));
        expect(size, nodes, (Code::LvChunk, "L11", 10, key_at(size) + key + 4));
    });
}

#[test]
fn l12_scrubbed_chunks_of_live_values() {
    for_each_kind(|size, id, key, c| {
        let nodes = |references| vec![root(id, references, c), chunk(id, 0, b"\x20LLLLLLLL")];
        expect(size, nodes(1), (Code::LvChunk, "L12", 11, key_at(size) + key + 4));
        assert_eq!(check(size, &one_each(nodes(0))).0, []);
    });
}

#[test]
fn l21_encrypted_chunks_of_a_wrong_length() {
    for_each_kind(|size, id, key, _| {
        let nodes = |len| {
            let mut nodes = vec![root(id, 1, 100), chunk(id, 0, &vec![9; len])];
            nodes[0].1.push(1);
            nodes
        };
        for sound in [33, 49, 129] {
            let (findings, summary) = check(size, &one_each(nodes(sound)));
            assert_eq!((findings, summary.encrypted), (vec![], 1));
        }
        for damaged in [17, 32, 34, 100, 145] {
            expect(size, nodes(damaged), (Code::LvChunk, "L21", 11, key_at(size) + key + 4));
        }
    });
}

#[test]
fn values_that_wait_for_their_deletion_may_be_incomplete() {
    for size in BOTH {
        let c = chunk_bytes(size);
        for references in [0, u32::MAX] {
            let nodes = vec![
                root(NARROW, references, 3 * c),
                chunk(NARROW, 2 * c, &vec![1; c]),
                root(WIDE, references, 5),
                chunk(WIDE, 0, b"more than five"),
            ];
            let (findings, summary) = check(size, &one_each(nodes));
            assert_eq!(findings, []);
            let dead = summary.dead_values().unwrap();
            assert_eq!(essence(&dead), ("L19", 10, 1, key_at(size) + 4, 2));
            assert_eq!((dead.code, dead.severity), (Code::LvDead, Severity::Info));
        }
    }
}

#[test]
fn a_chunk_whose_compression_is_not_public_is_counted() {
    for size in BOTH {
        let c = chunk_bytes(size);
        let [low, high, ..] = u32::try_from(c).unwrap().to_le_bytes();
        let crc = crc::Crc::<u64>::new(&crc::Algorithm {
            width: 64,
            poly: 0xAD93_D235_94C9_3659,
            init: u64::MAX,
            refin: true,
            refout: true,
            xorout: u64::MAX,
            check: 0,
            residue: 0,
        });
        let stream = [7; 40];
        let mut data = vec![0x30, low, high, 0, 0, 0, 0];
        data.extend(crc.checksum(&stream).to_le_bytes());
        data.extend(stream);
        let (findings, summary) = check(size, &one_each(vec![root(NARROW, 1, c), chunk(NARROW, 0, &data)]));
        assert_eq!((findings, summary.undecodable), (vec![], 1));
        data[1] -= 1;
        let nodes = vec![root(NARROW, 1, c), chunk(NARROW, 0, &data)];
        expect(size, nodes, (Code::LvChunk, "L10", 11, key_at(size) + 8));
    }
}

#[test]
fn what_straddles_a_gap_is_not_reported() {
    for size in BOTH {
        let c = chunk_bytes(size);
        let nodes: Vec<_> = [NARROW, NARROW + 1, WIDE].iter().flat_map(|id| value(size, *id, 3 * c + 1)).collect();
        for from in 0..nodes.len() {
            for to in from + 1..=nodes.len() {
                let mut parts = one_each(nodes.clone());
                parts.splice(from..to, [Part::Gap]);
                let (findings, summary) = check(size, &parts);
                assert_eq!((findings, summary.gaps), (vec![], 1), "{size} {from} {to}");
            }
        }
    }
}

#[test]
fn what_is_wrong_behind_a_gap_is_reported() {
    for size in BOTH {
        let c = chunk_bytes(size);
        let mut parts = one_each(value(size, NARROW, 5 * c));
        parts[2] = Part::Gap;
        parts.remove(4);
        parts.extend(one_each(vec![chunk(WIDE, 0, b"x")]));
        let found: Vec<_> = check(size, &parts).0.iter().map(essence).map(|(rule, pgno, ..)| (rule, pgno)).collect();
        assert_eq!(found, [("L5", 10), ("L7", 15)]);
    }
}

#[test]
fn a_rule_reports_once_a_page_and_counts() {
    for size in BOTH {
        let nodes: Vec<_> = (1..40).map(|id| root(id, 1, 7)).collect();
        let parts = [Part::Page(10, nodes[..20].to_vec()), Part::Page(11, nodes[20..].to_vec())];
        let found: Vec<_> = check(size, &parts).0.iter().map(essence).collect();
        let at = key_at(size) + 4 + 4;
        assert_eq!(found, [("L11", 10, 1, at, 20), ("L11", 11, 1, at, 19)]);
    }
}

#[test]
fn deleted_nodes_are_passed_over() {
    let page = catdb_test_data::page_builder::PageBuilder::leaf(PageSize::K4, 10).flagged_node(2, b"x", b"y").build();
    let page = Page::new(&page).unwrap();
    let key = ReferenceKey::default();
    let mut checker = LongValueTreeChecker::new(PageSize::K4, None, DbState::CleanShutdown, &key);
    let mut findings = Vec::new();
    checker.node(page, Pgno(10), &page.node(1).unwrap(), &mut findings);
    assert_eq!((checker.finish(&mut findings).values, findings), (0, vec![]));
}

#[test]
fn a_dirty_database_explains_missing_nodes_and_nothing_else() {
    let size = PageSize::K4;
    let c = chunk_bytes(size);
    let nodes = vec![
        chunk(1, 0, b"without root"),
        root(2, 1, 3 * c),
        chunk(2, c, &vec![0; c]),
        chunk(2, 2 * c, &vec![0; c]),
        root(3, 1, 9),
        root(4, 1, 2),
        chunk(4, 0, b"long"),
    ];
    let (findings, _) = check_in(size, DbState::DirtyShutdown, &one_each(nodes));
    let mut found: Vec<_> = findings.iter().map(|f| (f.detail.rule.unwrap(), f.severity)).collect();
    found.sort_unstable();
    let warning = Severity::Warning;
    assert_eq!(found, [("L11", warning), ("L5", warning), ("L7", warning), ("L9", Severity::Error)]);
}

#[test]
fn a_chunk_size_of_the_catalog_replaces_that_of_the_page() {
    let size = PageSize::K4;
    let key = ReferenceKey::default();
    let nodes = vec![root(1, 1, 25), chunk(1, 0, &[1; 10]), chunk(1, 10, &[1; 10]), chunk(1, 20, &[1; 5])];
    let mut checker = LongValueTreeChecker::new(size, Some(10), DbState::CleanShutdown, &key);
    let mut findings = Vec::new();
    walk(size, &[Part::Page(10, nodes)], |node| {
        if let Some((page, pgno, node)) = node {
            checker.node(page, pgno, node, &mut findings);
        }
    });
    assert_eq!((checker.finish(&mut findings).chunks, findings), (3, vec![]));
}

proptest::proptest! {
    #[test]
    fn any_nodes_are_checked_without_panic_and_few_findings(
        nodes in proptest::collection::vec((
            proptest::collection::vec(0u8..4, 0..14), proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
        ), 0..40),
        wide in proptest::prelude::any::<bool>(),
    ) {
        let nodes = nodes.into_iter().map(|(mut key, data)| {
            key.iter_mut().take(1).for_each(|first| *first |= if wide { 0x80 } else { 0 });
            (key, data)
        });
        let parts = [Part::Page(10, nodes.collect())];
        let (findings, _) = check(PageSize::K32, &parts);
        proptest::prop_assert!(findings.len() <= 14);
    }
}
