//! The database builder is held against what can be known without the verifier it serves: the engine's own files, the
//! page check, and walks over the finished bytes that share nothing with the writer but the way a page is taken apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::BTreeMap;

use catdb_test_data::build::{
    ANY_NULLS, Built, Catalog, DatabaseBuilder, FIRST_NULL, Format, KeyPrefix, LargeShape, MULTI_VALUED, NOT_NULL,
    PageImage, Place, RowKind, SOME_NULLS, Shadow, Slack, Space, State, Sums, SystemTables, TableSpec, Tree, TreeKind,
    Type, UNIQUE, Value, chunk_size, write_large,
};
use catdb_test_data::{corpus, database};
use ese_core::finding::Code;
use ese_core::format::PageSize;
use ese_core::source::{FileSource, MemorySource};
use ese_core::verify::{Level, Verdict, Verifier};

/// A table with every kind of column and index.
fn files(rows: i32, size: PageSize) -> TableSpec {
    let row = |i: i32| {
        let text = format!("name {:04}", (i * 7919) % 1000);
        let long = vec![u8::try_from(i % 251).unwrap(); if i % 5 == 0 { chunk_size(size) * 2 + 10 } else { 30 }];
        vec![
            Value::long(i * 3 - 100),
            if i % 3 == 0 { Value::Null } else { Value::bytes(f64::from(-i).to_le_bytes()) },
            Value::bytes(text),
            if i % 2 == 0 { Value::Null } else { Value::bytes([7; 20]) },
            Value::utf16("UTF-16"),
            if i % 4 == 0 { Value::Null } else { Value::longs(&[i, i + 1, -i][..2 + usize::from(i % 4 == 1)]) },
            if i % 5 == 1 { Value::Many(vec![long.clone(), vec![1; 3], vec![2; 1500]]) } else { Value::One(long) },
            Value::bytes("long text"),
        ]
    };
    TableSpec::new("Files")
        .fixed("id", Type::Long, NOT_NULL)
        .fixed("when", Type::DateTime, 0)
        .variable("name", Type::Text(1252), 0)
        .variable("hash", Type::Binary, 0)
        .variable("wide", Type::Text(1200), 0)
        .tagged("numbers", Type::Long, MULTI_VALUED)
        .tagged("content", Type::LongBinary, 0)
        .tagged("note", Type::LongText(1252), 0)
        .primary(&["+id"])
        .index("by_name", ANY_NULLS, &["-name", "+id"])
        .index("by_number", FIRST_NULL | SOME_NULLS, &["+numbers"])
        .index("unique_id", UNIQUE | ANY_NULLS, &["-id"])
        .index("by_when", 0, &["+when", "+hash"])
        .rows((0..rows).map(row))
}

fn plain(name: &str) -> TableSpec {
    let table = TableSpec::new(name).fixed("x", Type::Long, 0).variable("y", Type::Binary, 0);
    table.rows((0..20).map(|i| vec![Value::long(i), Value::bytes([9; 12])]))
}

fn template() -> TableSpec {
    TableSpec::new("Template")
        .fixed("tk", Type::Long, 0)
        .variable("tv", Type::Text(1252), 0)
        .tagged("tt", Type::LongText(1252), 0)
        .primary(&["+tk"])
        .index("tpv", ANY_NULLS, &["-tv"])
        .into_template()
}

fn derived() -> TableSpec {
    let row = |i: i32| {
        let long = Value::bytes(vec![b'd'; if i % 2 == 0 { 2000 } else { 20 }]);
        vec![Value::long(-i), Value::bytes(format!("tv{i}")), long.clone(), Value::long(i), long]
    };
    let table = template().derive("Derived").fixed("dx", Type::Long, 0).tagged("dv", Type::LongBinary, 0);
    table.index("both", ANY_NULLS, &["+tk", "-dx"]).rows((0..10).map(row))
}

fn kitchen(size: PageSize) -> DatabaseBuilder {
    let format = if size.is_large() { Format::Level290 } else { Format::Level20 };
    DatabaseBuilder::new(size)
        .format(format)
        .table(files(150, size).max_nodes_per_page(5).spare(2))
        .table(plain("Heap").space(Space::Single).spare(3))
        .table(TableSpec::new("Empty").fixed("x", Type::Bit, 0).index("ix", ANY_NULLS, &["x"]))
        .table(template())
        .table(derived())
        .table(files(60, size).key_prefix(KeyPrefix::Shared).renamed("Compressed"))
}

fn findings(built: &Built) -> Vec<(Code, String)> {
    let report = Verifier::new(&MemorySource(&built.bytes)).level(Level::Pages).run().unwrap();
    report.findings().iter().map(|finding| (finding.code, format!("{finding:?}"))).collect()
}

/// Every page belongs to one tree, or is free in one tree, and the layout says which.
fn assert_spaces_add_up(built: &Built) {
    let mut owner: BTreeMap<u32, &str> = BTreeMap::new();
    for tree in &built.trees {
        for pgno in tree.pages().chain(tree.free.iter().cloned().flatten()) {
            assert_eq!(owner.insert(pgno, &tree.name), None, "page {pgno} of {}", tree.name);
        }
    }
    assert_eq!(owner.keys().copied().collect::<Vec<_>>(), (1..=built.last).collect::<Vec<_>>());
    for tree in &built.trees {
        let owns = |pgno: u32| tree.owned.iter().any(|extent| extent.contains(&pgno));
        assert!(tree.pages().all(owns), "{} owns its pages", tree.name);
        for child in built.trees.iter().filter(|child| child.parent == tree.root) {
            assert!(child.owned.iter().cloned().flatten().all(owns), "{} owns all of {}", tree.name, child.name);
        }
        assert_extents_are_on_disk(built, tree);
    }
}

fn assert_extents_are_on_disk(built: &Built, tree: &Tree) {
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let header = built.page(tree.root).tag0;
    let (first, parent, flags, last) =
        (word(&header[..4]), word(&header[4..8]), word(&header[8..12]), word(&header[12..]));
    assert_eq!((first, parent), (tree.owned[0].end() + 1 - tree.owned[0].start(), tree.parent), "{}", tree.name);
    let Some((oe, ae)) = tree.oe.zip(tree.ae) else {
        let free: Vec<u32> = tree.free.iter().cloned().flatten().collect();
        let bits: Vec<u32> = (0..32).filter(|bit| last & 1 << bit != 0).map(|bit| tree.root + 1 + bit).collect();
        assert_eq!((bits, flags & 1), (free, 0));
        return;
    };
    assert_eq!((flags & 1, last, ae), (1, oe, oe + 1));
    for (root, extents) in [(oe, &tree.owned), (ae, &tree.free)] {
        let page = built.page(root);
        assert_eq!((page.flags & 0x23, page.objid), (0x23, tree.objid));
        let nodes = page.nodes.iter().map(|node| {
            let last = u32::from_be_bytes(node.key[..].try_into().unwrap());
            last + 1 - word(&node.data)..=last
        });
        assert_eq!(nodes.collect::<Vec<_>>(), *extents, "{} page {root}", tree.name);
    }
}

/// Walks from the root: levels, bounds, order, links, owner.
fn assert_trees_are_sound(built: &Built) {
    for tree in &built.trees {
        let unique = built.page(tree.root).flags & 0x400 == 0;
        let mut level = vec![(tree.root, Vec::new(), Vec::new())];
        for depth in (0..tree.depth()).rev() {
            let mut below = Vec::new();
            let mut before: Vec<u8> = Vec::new();
            for (i, (pgno, lower, upper)) in level.iter().enumerate() {
                let page = built.page(*pgno);
                assert_eq!(page.objid, tree.objid);
                let expected = [2, 4, 0][depth.min(2)] | u32::from(*pgno == tree.root);
                assert_eq!(page.flags & 7, expected, "{} page {pgno}", tree.name);
                let neighbour = |at: Option<usize>| at.and_then(|at| level.get(at)).map_or(0, |(pgno, ..)| *pgno);
                let links = if depth == 0 { (neighbour(i.checked_sub(1)), neighbour(Some(i + 1))) } else { (0, 0) };
                assert_eq!((page.prev, page.next), links, "{} page {pgno}", tree.name);
                let mut lower = lower.clone();
                for (at, node) in page.nodes.iter().enumerate() {
                    let last = depth > 0 && at + 1 == page.nodes.len();
                    let data = if unique || depth > 0 { &[][..] } else { &node.data };
                    let bookmark = [&node.key[..], data].concat();
                    if last {
                        assert_eq!(&node.key, upper);
                    } else {
                        assert!(lower <= bookmark && (upper.is_empty() || bookmark < *upper), "{}", tree.name);
                        assert!(before < bookmark, "{} page {pgno}", tree.name);
                        before.clone_from(&bookmark);
                    }
                    if depth > 0 {
                        let child = u32::from_le_bytes(node.data[..].try_into().unwrap());
                        below.push((child, lower, node.key.clone()));
                        lower = node.key.clone();
                    }
                }
            }
            if depth == 0 {
                let leaves: Vec<u32> = level.iter().map(|(pgno, ..)| *pgno).collect();
                assert_eq!(leaves, tree.leaves, "{}", tree.name);
            }
            level = below;
        }
    }
}

#[test]
fn every_page_size_gives_a_database_without_a_finding() {
    for size in PageSize::ALL {
        for system in [SystemTables::Absent, SystemTables::Present] {
            let built = kitchen(size).system_tables(system).build();
            assert_eq!(findings(&built), [], "{size} bytes, {system:?}");
            assert_spaces_add_up(&built);
            assert_trees_are_sound(&built);
            assert!(built.tree("Files").depth() >= 4, "{}", built.tree("Files").depth());
            assert_eq!(built.bytes.len(), (built.last as usize + 2) * size.bytes());
        }
    }
}

#[test]
fn options_give_sound_databases_too() {
    let size = PageSize::K4;
    let old = kitchen(size).sums(Sums::Xor).full_leaves().build();
    assert_eq!(findings(&old), []);
    assert_trees_are_sound(&old);
    let odd = kitchen(size).shadow(Shadow::Empty).first_dbtime(1 << 40).free_pages(0).slack(Slack::Stale(3)).build();
    assert_spaces_add_up(&odd);
    assert_eq!(odd.nodes("MSysObjectsShadow"), []);
    assert!(findings(&odd).iter().all(|(code, _)| *code == Code::DbSlack));
    assert_eq!(odd.bytes.len(), (odd.last as usize + 5) * size.bytes());
    let dirty = kitchen(size).state(State::Dirty).slack(Slack::Blank(2)).build();
    assert!(findings(&dirty).iter().all(|(code, _)| matches!(code, Code::DbDirty | Code::DbSlack)));
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    assert_eq!(kitchen(PageSize::K8).build().bytes, kitchen(PageSize::K8).build().bytes);
}

#[test]
fn many_tables_make_the_catalog_grow_beyond_its_first_extents() {
    for size in [PageSize::K2, PageSize::K4, PageSize::K32] {
        let table = |i: usize| plain(&format!("Table{i:03}")).space(Space::Single);
        let built = (0..300).fold(DatabaseBuilder::new(size), |builder, i| builder.table(table(i))).build();
        assert_eq!(findings(&built), []);
        assert_spaces_add_up(&built);
        assert_trees_are_sound(&built);
        assert_eq!(built.nodes("MSysObjects/RootObjects").len(), 302);
    }
}

/// Keys and data of a tree of an engine's file.
fn engine_rows(file: &[u8], size: PageSize, leaves: &[u32]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let page = |pgno: &u32| PageImage::read(database::page(file, size, *pgno), size);
    leaves.iter().flat_map(|pgno| page(pgno).nodes).map(|node| (node.key, node.data)).collect()
}

fn built_rows(built: &Built, tree: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    built.nodes(tree).into_iter().map(|(_, node)| (node.key, node.data)).collect()
}

/// The creation times of `empty-4k` and its root pages of system tables aside, see `of_catalogs`.
fn of_catalogs(mut rows: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows.retain(|(key, _)| key[..5] == [0x7F, 0x80, 0, 0, 2] || key[..5] == [0x7F, 0x80, 0, 0, 3]);
    rows
}

#[test]
fn the_catalogs_describe_themselves_as_the_engine_does() {
    for (name, size, main, by_name) in
        [("empty-4k.edb", PageSize::K4, &[13, 14][..], 7), ("empty-32k.edb", PageSize::K32, &[4][..], 7)]
    {
        let file = corpus::fixture(name);
        let built = DatabaseBuilder::new(size).build();
        assert_eq!(of_catalogs(engine_rows(&file, size, main)), built_rows(&built, "MSysObjects"), "{name}");
        assert_eq!(built_rows(&built, "MSysObjects"), built_rows(&built, "MSysObjectsShadow"));
        let names = of_catalogs(engine_rows(&file, size, &[by_name]));
        assert_eq!(names, built_rows(&built, "MSysObjects/Name"), "{name}");
    }
}

/// `catdb-200` has the tables and rows that this makes: catalog, MSysObjids, MSysLocales are the engine's byte for byte
/// but for root pages and densities.
#[test]
fn the_system_tables_are_those_of_the_engine() {
    let size = PageSize::K4;
    let file = corpus::fixture("catdb-200.edb");
    let table = |name: &str| {
        TableSpec::new(name)
            .variable("HashCatNameTable_HashCol", Type::Binary, NOT_NULL)
            .tagged("HashCatNameTable_CatNameCol", Type::LongBinary, 0)
            .primary(&["+HashCatNameTable_HashCol"])
            .row(vec![Value::bytes([1; 20]), Value::bytes([b'a'; 3000])])
    };
    let built = DatabaseBuilder::new(size)
        .format(Format::Level20)
        .system_tables(SystemTables::Present)
        .table(table("HashCatNameTableSHA1"))
        .table(table("HashCatNameTableSHA256"))
        .build();
    let (objids, locales) = (built.tree("MSysObjids"), built.tree("MSysLocales"));
    assert_eq!((objids.root, objids.objid, locales.root, locales.objid), (29, 6, 30, 7));
    assert_eq!(engine_rows(&file, size, &[29])[..8], built_rows(&built, "MSysObjids")[..8]);
    assert_eq!(engine_rows(&file, size, &[30]), built_rows(&built, "MSysLocales"));
    let engine = engine_rows(&file, size, &[13, 14]);
    let ours = built_rows(&built, "MSysObjects");
    assert_eq!(engine.len(), ours.len());
    for ((engine_key, engine_row), (key, row)) in engine.iter().zip(&ours) {
        assert_eq!(engine_key, key);
        // Root pages of user tables, and the name that the engine's index has, differ.
        let user = key[..5] > [0x7F, 0x80, 0, 0, 7][..] && key[7] != 2;
        if !user {
            assert_eq!(engine_row, row, "{key:02x?}");
        }
    }
}

#[test]
fn rows_read_back_as_they_were_given() {
    let built = kitchen(PageSize::K4).build();
    let rows = built.nodes("Files");
    assert_eq!(rows.len(), 150);
    let key = [0x7F, 0x7F, 0xFF, 0xFF, 0x9C]; // -100
    assert_eq!(rows[0].1.key, key);
    let record = &rows[0].1.data;
    // Two fixed columns, the second NULL; three variable ones, the second NULL.
    assert_eq!(record[..4], [2, 130, 17, 0]);
    assert_eq!(record[4..17], [0x9C, 0xFF, 0xFF, 0xFF, 42, 42, 42, 42, 42, 42, 42, 42, 0xFE]);
    assert_eq!(record[17..23], [9, 0, 9, 0x80, 21, 0]);
    assert_eq!(record[23..32], *b"name 0000");
    // Content: an extended byte 5 and a reference to long value 1.
    assert_eq!(record[44..60], [1, 1, 8, 0x40, 2, 1, 13, 0x40, 5, 1, 0, 0, 0, 1, b'l', b'o']);
    let long_values = built.nodes("Files/LV");
    assert_eq!(long_values[0].1.key, [0, 0, 0, 1]);
    assert_eq!(long_values[0].1.data[..4], [1, 0, 0, 0]);
    assert_eq!(long_values[1].1.key, [0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(long_values[1].1.data.len(), 4014);
}

#[test]
fn a_derived_table_is_written_as_that_of_kitchen_4k() {
    let built = kitchen(PageSize::K4).build();
    let row = |kind, name| {
        let place = built.catalog_row("MSysObjects", "Derived", kind, name);
        built.page(place.pgno).nodes[place.line - 1].data.clone()
    };
    let table = row(RowKind::Table, "Derived");
    assert_eq!(table[..4], [8, 0x82, 32, 0]);
    assert_eq!(table[22..26], 0x1000_0000_u32.to_le_bytes());
    assert_eq!(table[32..], *b"\x07\0\x07\x80\x0F\0DerivedTemplate");
    assert_eq!(row(RowKind::Column, "dx")[10..14], 2_u32.to_le_bytes());
    assert_eq!(row(RowKind::Column, "dv")[10..14], 256_u32.to_le_bytes());
    let index = row(RowKind::Index, "tpv");
    assert_eq!(index[22..26], [0x0E, 2, 1, 0]);
    assert_eq!(index[33..37], [0; 4]);
    assert_eq!(index[39..56], *b"\x03\0\x03\x80\x03\x80\x03\x80\x07\0tpv\xC0\0\x80\0");
    let record = &built.nodes("Derived")[0].1.data;
    assert_eq!(record[..13], [2, 128, 13, 0, 0xF7, 0xFF, 0xFF, 0xFF, 9, 0, 0, 0, 0xFC]);
    assert_eq!(record[18..26], [0, 1, 8, 0xC0, 0, 1, 29, 0x40]);
}

#[test]
fn secondary_indexes_hold_the_entries_that_the_flags_ask_for() {
    let built = kitchen(PageSize::K4).build();
    assert_eq!(built.nodes("Files/by_name").len(), 150);
    // Rows divisible by 4 have no number but an entry of NULL is not asked for; of the others a third has three.
    let numbers = (0..150).filter(|i| i % 4 != 0).map(|i| if i % 4 == 1 { 3 } else { 2 }).sum::<usize>();
    assert_eq!(built.nodes("Files/by_number").len(), numbers);
    let keys: Vec<_> = built.nodes("Files/unique_id").into_iter().map(|(_, node)| node.data).collect();
    assert!(keys.is_sorted_by(|a, b| a > b), "a descending index lists bookmarks backwards");
    let whole = (0..150).filter(|i| i % 3 != 0 && i % 2 != 0).count();
    assert_eq!(built.nodes("Files/by_when").len(), whole);
}

#[test]
fn a_page_is_the_same_after_it_was_taken_apart() {
    for size in PageSize::ALL {
        let mut built = kitchen(size).build();
        let before = built.bytes.clone();
        let pages: Vec<u32> = built.trees.iter().flat_map(|tree| tree.pages().collect::<Vec<_>>()).collect();
        for pgno in pages {
            built.edit_page(pgno, |_| {});
        }
        assert!(built.bytes == before, "{size}");
    }
}

#[test]
fn damages_change_what_they_name() {
    let mut built = kitchen(PageSize::K16).build();
    let name_of = |built: &Built, tree: &str| built.catalog_row(tree, "Files", RowKind::Column, "name");
    let at = name_of(&built, "MSysObjects");
    built.edit_catalog(Catalog::Main, "Files", RowKind::Column, "name", |row| row.set_u32(7, 1200));
    built.remove_catalog_row(Catalog::Shadow, "Files", RowKind::Column, "hash");
    let row = built.page(at.pgno).nodes[at.line - 1].data.clone();
    assert_eq!(row[26..30], 1200_u32.to_le_bytes());
    assert_eq!(built.nodes("MSysObjects").len(), built.nodes("MSysObjectsShadow").len() + 1);
    let leaf = built.tree("Files").leaves[1];
    let root = built.tree("Files").root;
    built.edit_node(Place { pgno: leaf, line: 2 }, |node| node.flags = 2);
    built.edit_space_header(root, |words| words[1] = 99);
    built.set_extents(root + 2, &[5..=6]);
    built.patch_header(|slot| {
        slot[52] = 2;
        slot[296] = 1;
    });
    assert_eq!(built.page(leaf).nodes[1].flags, 2);
    assert_eq!(built.page(root).tag0[4..8], [99, 0, 0, 0]);
    assert_eq!(built.page(root + 2).nodes[0].key, [0, 0, 0, 6]);
    assert_eq!(findings(&built).iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::DbDirty]);
    built.set_tag(leaf, 1, 3, 0);
    assert!(findings(&built).len() > 1);
}

#[test]
fn a_large_database_is_sound_and_of_the_size_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (size, shape) in [(PageSize::K4, LargeShape::Catdb), (PageSize::K32, LargeShape::WithIndex)] {
        let path = folder.path().join("large.edb");
        let summary = write_large(&path, size, 8 << 20, shape).unwrap();
        assert!(summary.bytes.abs_diff(8 << 20) < 8 << 20 >> 4, "{summary:?}");
        assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());
        let source = FileSource::open(&path).unwrap();
        let report = Verifier::new(&source).level(Level::Pages).run().unwrap();
        assert_eq!(report.verdict(), Verdict::Intact, "{:?}", report.findings());
    }
}

#[test]
fn trees_have_the_kinds_of_their_names() {
    let built = kitchen(PageSize::K4).build();
    let kind = |name: &str| built.tree(name).kind;
    assert_eq!(kind("database"), TreeKind::Database);
    assert_eq!((kind("Files"), kind("Files/LV")), (TreeKind::Table, TreeKind::LongValue));
    assert_eq!(kind("MSysObjects/Name"), TreeKind::Index);
}

/// The leaves of a tree of an engine's file, from its root.
fn engine_leaves(file: &[u8], size: PageSize, root: u32) -> Vec<u32> {
    let page = |pgno: u32| PageImage::read(database::page(file, size, pgno), size);
    let mut leaves = vec![root];
    while page(leaves[0]).flags & 2 == 0 {
        leaves[0] = u32::from_le_bytes(page(leaves[0]).nodes[0].data[..].try_into().unwrap());
    }
    while let next @ 1.. = page(leaves[leaves.len() - 1]).next {
        leaves.push(next);
    }
    leaves
}

#[test]
fn rows_of_a_catdb_are_written_as_the_engine_writes_them() {
    let size = PageSize::K4;
    let file = corpus::fixture("catdb-200.edb");
    for (root, hash_len) in [(31, 20), (63, 32)] {
        let rows = engine_rows(&file, size, &engine_leaves(&file, size, root));
        assert_eq!(rows.len(), 100);
        // Behind hash and column entry: extended byte 1 and the names, or 5 and a long value id.
        let names_at = 6 + hash_len + 4;
        let row = |(_, record): &(Vec<u8>, Vec<u8>)| {
            let names = if record[names_at] == 1 { record[names_at + 1..].to_vec() } else { vec![b'|'; 1500] };
            vec![Value::bytes(&record[6..6 + hash_len]), Value::One(names)]
        };
        let table = TableSpec::new("T")
            .variable("hash", Type::Binary, NOT_NULL)
            .tagged("names", Type::LongBinary, 0)
            .primary(&["+hash"])
            .key_prefix(KeyPrefix::Shared)
            .rows(rows.iter().rev().map(row));
        let built = DatabaseBuilder::new(size).format(Format::Level20).table(table).build();
        for ((key, record), (built_key, built_record)) in rows.iter().zip(built_rows(&built, "T")) {
            assert_eq!(*key, built_key);
            assert_eq!(record[..=names_at], built_record[..=names_at]);
            assert!(record[names_at] == 5 || *record == built_record);
        }
    }
}
