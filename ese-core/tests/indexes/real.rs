//! Databases of Windows and of the engine.

use std::collections::BTreeMap;
use std::path::Path;

use catdb_test_data::corpus;
use ese_core::catalog::{Catalog, Table};
use ese_core::check::index::{ColumnValues, TableKeys, ValueBuffer};
use ese_core::finding::{Code, Severity};
use ese_core::key::{KeyScratch, KeyView, for_each_key};
use ese_core::long_value::LongValues;
use ese_core::record::Record;
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;
use ese_core::verify::open_header;

use crate::driver::{Checked, Order, check};

/// The one file whose index the engine calls damaged too.
const EXTRA_ENTRY: &str = "file-history/Catalog1.edb.gz";

fn check_folder(folder: &Path, wanted: impl Fn(&str) -> bool) -> Checked {
    let mut all = Checked::default();
    for path in corpus::databases(folder) {
        let name = path.to_str().unwrap();
        if !wanted(name) {
            continue;
        }
        let file = corpus::unpack(&path);
        let checked = check(&file, Order::Sequential);
        assert_eq!(checked.problems, [""; 0], "{name}");
        assert_eq!(checked.findings, check(&file, Order::Split).findings, "{name}: another order");
        if name.ends_with(EXTRA_ENTRY) {
            let [extra] = &checked.errors()[..] else { panic!("{name}: {:?}", checked.errors()) };
            assert_eq!(extra.code, Code::IdxEntryExtra);
            assert!(extra.message.contains("timestampIndex"), "{}", extra.message);
        } else {
            assert!(checked.errors().is_empty(), "{name}: {:?}", checked.errors());
        }
        all.add(Checked { findings: Vec::new(), ..checked });
    }
    all
}

#[test]
fn databases_of_windows_have_right_indexes() {
    let Some(shared) = corpus::shared() else { return };
    let all = check_folder(&shared.join("corpus"), |_| true);
    // Spec 08 section 7 adds these to the counts below.
    assert_eq!((all.primary, all.numbered, all.primary_unicode), (181_388, 208, 30));
    assert_eq!((all.primary_indexes, all.secondary_indexes), (202, 255));
    assert_eq!((all.entries, all.unicode_entries), (115_379, 1_294));
    assert_eq!((all.texts.segments, all.texts.compared), (1_324, 257));
    assert_eq!(all.exact, ["backupset.timestampIndex"]);
}

#[test]
fn databases_of_the_engine_have_right_indexes() {
    let Some(shared) = corpus::shared() else { return };
    let all = check_folder(&shared.join("engine/db"), |name| !name.contains("extra-"));
    let recovered = check_folder(&shared.join("engine/crash"), |name| name.contains("recovered"));
    // With the corpus of Windows: 254,135 keys, 1,023 of 4 bytes, 343 and 408 indexes, 133,380 and 2,144 entries.
    assert_eq!((all.primary + recovered.primary, all.numbered + recovered.numbered), (72_747, 815));
    assert_eq!(all.primary_indexes + recovered.primary_indexes, 141);
    assert_eq!(all.secondary_indexes + recovered.secondary_indexes, 153);
    assert_eq!((all.entries + recovered.entries, all.unicode_entries), (18_001, 850));
    assert_eq!(all.texts.segments, 821);
    let extra = check_folder(&shared.join("engine/db"), |name| name.contains("extra-"));
    assert_eq!((extra.primary, extra.entries, extra.unicode_entries), (2_430, 42_035, 1_824));
    for checked in [all, recovered, extra] {
        assert_eq!(checked.exact, [""; 0], "sums of intact tables differ");
    }
}

#[test]
fn half_flushed_databases_have_warnings_only() {
    let Some(shared) = corpus::shared() else { return };
    let mut with_warnings = 0;
    for path in corpus::databases(&shared.join("engine/crash")) {
        if path.to_str().unwrap().contains("recovered") {
            continue;
        }
        let checked = check(&corpus::unpack(&path), Order::Sequential);
        assert!(checked.errors().is_empty(), "{}: {:?}", path.display(), checked.errors());
        let warnings = checked.of(Severity::Warning);
        assert!(warnings.iter().all(|finding| finding.message.contains("recover it first")), "{}", path.display());
        with_warnings += u32::from(!warnings.is_empty());
    }
    assert_eq!(with_warnings, 5, "dirty databases that have differences");
}

type Entries = BTreeMap<(String, String), Vec<(String, String)>>;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The entries that the engine's interface tells.
fn told(path: &Path) -> Entries {
    let mut entries = Entries::new();
    for line in String::from_utf8(corpus::unpack(path)).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        entries.entry((text("table"), text("index"))).or_default().push((text("key"), text("bookmark")));
    }
    entries
}

/// Keys, `None` where there is text in them, and bookmarks, by table and index.
type Made = BTreeMap<(String, String), Vec<(Option<String>, String)>>;

/// Adds the entries that the rows of `table` should have.
fn computed(table: &Table, pages: Pages<'_>, entries: &mut Made) {
    let keys = TableKeys::new(table);
    let mut long_values = table.long_values.map(|tree| LongValues::new(pages, tree.root, table.lv_chunk_max));
    let (mut scratch, mut buffer) = (KeyScratch::default(), ValueBuffer::default());
    let mut cursor = Cursor::new(pages, keys.root);
    while let Some(node) = cursor.next_node() {
        let node = node.unwrap().node;
        if node.is_deleted() {
            continue;
        }
        let bookmark = hex(&node.key.to_vec());
        let record = Record::new(node.data, pages.size()).unwrap();
        let mut values = ColumnValues::new(&record, &table.layout, long_values.as_mut(), &mut buffer);
        for index in keys.indexes().iter().filter(|index| !index.is_primary()) {
            let of_index = entries.entry((table.name.clone(), index.name.clone())).or_default();
            for_each_key(&index.key, &mut values, &mut scratch, |key, _| {
                let key = match key {
                    KeyView::Exact(key) => Some(hex(key)),
                    KeyView::Pattern(_) => None,
                };
                of_index.push((key, bookmark.clone()));
            })
            .unwrap();
        }
    }
}

#[test]
fn keys_made_from_records_are_those_that_the_engines_interface_tells() {
    let Some(shared) = corpus::shared() else { return };
    let (mut exact, mut with_text) = (0, 0);
    for name in ["extra-4k", "extra-32k"] {
        let file = corpus::unpack(&shared.join(format!("engine/db/{name}.edb.gz")));
        let source = MemorySource(&file);
        let pages = Pages::new(&source, open_header(&source, &()).unwrap().page_size);
        let schema = Catalog::read(pages).schema;
        let mut made = Made::new();
        for table in schema.tables.iter().filter(|table| !table.is_system()) {
            computed(table, pages, &mut made);
        }
        for (index, mut expected) in told(&shared.join(format!("engine/db/{name}.index.jsonl.gz"))) {
            let mut made = made.remove(&index).unwrap_or_else(|| panic!("{name}: no {index:?}"));
            if made.iter().any(|(key, _)| key.is_none()) {
                // Pieces that the sort tables make equal are entered once.
                let bookmarks = |entries: Vec<String>| entries.into_iter().collect::<std::collections::BTreeSet<_>>();
                with_text += expected.len();
                assert!(expected.len() <= made.len(), "{name}: {index:?}");
                let told = bookmarks(expected.into_iter().map(|(_, bookmark)| bookmark).collect());
                assert_eq!(told, bookmarks(made.into_iter().map(|(_, bookmark)| bookmark).collect()), "{index:?}");
                continue;
            }
            exact += expected.len();
            expected.sort();
            made.sort();
            let made: Vec<(String, String)> =
                made.into_iter().map(|(key, bookmark)| (key.unwrap(), bookmark)).collect();
            assert_eq!(made, expected, "{name}: {index:?}");
        }
        assert!(made.values().all(Vec::is_empty), "{name}: indexes that the engine does not tell");
    }
    assert_eq!((exact, with_text), (41_697, 1_824));
}
