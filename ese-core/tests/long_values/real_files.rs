//! Long values of databases that the engine wrote: no rule is broken, counts agree, and values are those that were put
//! in. Skips where the files are absent.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use catdb_test_data::corpus;
use ese_core::check::long_value::{
    Completeness, LongValueTreeChecker, RecordPlace, ReferenceKey, ReferenceList, ReferenceMerge, ReferenceSum,
    TreeSummary,
};
use ese_core::compress::{Scheme, decompress};
use ese_core::finding::{Code, Finding};
use ese_core::format::long_value::LongValueId;
use ese_core::format::{
    DbState, LongValueKey, LongValueRoot, Page, PageFlags, PageSize, Pgno, RootHeader, SpaceHeader,
};
use ese_core::long_value::{LongValueReader, LongValues, ValueBuffer, references};
use ese_core::record::{Record, ValueForm};
use ese_core::sort::SortLimits;
use ese_core::source::{MemorySource, PageBuf, Pages};
use ese_core::tree::Cursor;

/// Roots of the long value trees in use, and of their tables.
fn trees(pages: Pages<'_>) -> Vec<(Pgno, Pgno)> {
    let mut buf = PageBuf::default();
    let mut found = Vec::new();
    for pgno in (1..=pages.last().0).map(Pgno) {
        let page = Page::new(pages.read_bytes(pgno, &mut buf).unwrap()).unwrap();
        let wanted = PageFlags::LONG_VALUE | PageFlags::ROOT;
        let unwanted = PageFlags::SPACE_TREE | PageFlags::EMPTY | PageFlags::FDP_DELETED;
        if page.flags().contains(wanted) && !page.flags().intersects(unwanted) {
            let header: Option<SpaceHeader> = RootHeader::read(page.external_header()).and_then(|root| root.space);
            found.push((pgno, header.unwrap().parent));
        }
    }
    found
}

/// What the checker says of the tree at `root`.
fn check(pages: Pages<'_>, root: Pgno, state: DbState, key: &ReferenceKey, findings: &mut Vec<Finding>) -> TreeSummary {
    let mut checker = LongValueTreeChecker::new(pages.size(), None, state, key);
    let mut cursor = Cursor::new(pages, root);
    while let Some(node) = cursor.next_node() {
        let found = node.unwrap();
        checker.node(found.leaf.page, found.leaf.pgno, &found.node, findings);
    }
    checker.finish(findings)
}

/// Calls `visit` with each record of the table at `root`.
fn for_each_record(pages: Pages<'_>, root: Pgno, mut visit: impl FnMut(Pgno, usize, usize, Record<'_>)) {
    let mut cursor = Cursor::new(pages, root);
    while let Some(node) = cursor.next_node() {
        let found = node.unwrap();
        if !found.node.is_deleted() {
            let record = Record::new(found.node.data, pages.size()).unwrap();
            let at = found.leaf.page.offset_of(found.node.data);
            visit(found.leaf.pgno, found.node.line, at, record);
        }
    }
}

/// All references of the table at `root`: as a sum, and as a list.
fn gather(pages: Pages<'_>, root: Pgno, key: &ReferenceKey) -> (ReferenceSum, ReferenceList) {
    let (mut sum, mut list) = (ReferenceSum::default(), ReferenceList::new(SortLimits::memory(1 << 20)));
    for_each_record(pages, root, |pgno, line, at, record| {
        for reference in references(&record) {
            let reference = reference.unwrap();
            let id = reference.id.unwrap();
            assert_eq!(LongValueId::from_reference(&record.data()[reference.at..][..width(id)]), Ok(id));
            sum.add(key, id);
            let (line, at) = (u16::try_from(line).unwrap(), u16::try_from(at + reference.at).unwrap());
            list.add(id, RecordPlace { pgno, line, at }).unwrap();
        }
    });
    (sum, list)
}

fn width(id: LongValueId) -> usize {
    if id.0 >> 32 == 0 { 4 } else { 8 }
}

/// What the merge says of the tree at `root`.
fn merge(pages: Pages<'_>, root: Pgno, list: ReferenceList) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut merge = ReferenceMerge::new(list, Completeness::Complete, pages.size(), DbState::CleanShutdown).unwrap();
    let mut cursor = Cursor::new(pages, root);
    while let Some(node) = cursor.next_node() {
        let found = node.unwrap();
        merge.node(found.leaf.page, found.leaf.pgno, &found.node, &mut findings).unwrap();
    }
    merge.finish(&mut findings).unwrap();
    findings
}

fn page_size(file: &[u8]) -> PageSize {
    PageSize::from_bytes(u32::from_le_bytes(file[236..240].try_into().unwrap()) as usize).unwrap()
}

/// The names of the databases of the engine.
fn databases(shared: &Path) -> Vec<String> {
    let names = corpus::databases(&shared.join("engine/db")).into_iter();
    names.map(|path| path.file_name().unwrap().to_str().unwrap().trim_end_matches(".edb.gz").to_owned()).collect()
}

fn database(shared: &Path, name: &str) -> Vec<u8> {
    corpus::unpack(&shared.join(format!("engine/db/{name}.edb.gz")))
}

#[test]
fn trees_of_sound_files_break_no_rule_and_counts_agree() {
    let Some(shared) = corpus::shared() else { return };
    let key = ReferenceKey::default();
    let (mut tree_count, mut values, mut chunks) = (0, 0, 0);
    for name in databases(&shared) {
        let file = database(&shared, &name);
        let source = MemorySource(&file);
        let pages = Pages::new(&source, page_size(&file));
        for (root, table) in trees(pages) {
            let mut findings = Vec::new();
            let summary = check(pages, root, DbState::CleanShutdown, &key, &mut findings);
            assert_eq!(findings, [], "{name}");
            let (sum, list) = gather(pages, table, &key);
            assert!(summary.agrees_with(&sum), "{name} {root} {}", sum.references());
            assert_eq!(summary.dead_values(), None);
            assert_eq!(merge(pages, root, list), [], "{name}");
            (tree_count, values, chunks) = (tree_count + 1, values + summary.values, chunks + summary.chunks);
        }
    }
    // Spec 07 section 8, and the trees of the extra databases.
    println!("{tree_count} trees, {values} long values, {chunks} chunks");
    assert!(tree_count >= 24 && values >= 5568 && chunks >= 6699);
}

#[test]
fn trees_of_recovered_and_real_files_hold_dead_values_only() {
    let Some(shared) = corpus::shared() else { return };
    let key = ReferenceKey::default();
    let mut dead = BTreeMap::new();
    for path in ["engine/crash", "corpus"].into_iter().flat_map(|folder| corpus::databases(&shared.join(folder))) {
        let name = path.strip_prefix(&shared).unwrap().display().to_string();
        let file = corpus::unpack(&path);
        let state = u32::from_le_bytes(file[52..56].try_into().unwrap());
        let source = MemorySource(&file);
        let pages = Pages::new(&source, page_size(&file));
        if state != 3 {
            continue;
        }
        for (root, table) in trees(pages) {
            let mut findings = Vec::new();
            let summary = check(pages, root, DbState::CleanShutdown, &key, &mut findings);
            assert_eq!(findings, [], "{name}");
            let (sum, list) = gather(pages, table, &key);
            assert!(summary.agrees_with(&sum), "{name} {root}");
            let merged = merge(pages, root, list);
            assert_eq!(merged, summary.dead_values().into_iter().collect::<Vec<_>>());
            if summary.dead > 0 {
                *dead.entry(name.clone()).or_insert(0) += summary.dead;
            }
        }
    }
    println!("{dead:?}");
    assert_eq!(dead.into_iter().collect::<Vec<_>>(), [("engine/crash/lv-32k/a.recovered.edb.gz".to_owned(), 6)]);
}

/// All values of a database's truth, as hexadecimal digits.
fn truth(shared: &Path, name: &str) -> HashSet<String> {
    let bytes = corpus::unpack(&shared.join(format!("engine/db/{name}.truth.jsonl.gz")));
    String::from_utf8(bytes).unwrap().split('"').map(str::to_owned).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn values_are_those_that_were_put_in() {
    let Some(shared) = corpus::shared() else { return };
    let (mut forms, mut buffer) = ([0; 3], ValueBuffer::default());
    for name in ["kitchen-4k", "kitchen-8k", "kitchen-16k", "kitchen-32k-w10", "extra-32k"] {
        let (file, truth) = (database(&shared, name), truth(&shared, name));
        let source = MemorySource(&file);
        let pages = Pages::new(&source, page_size(&file));
        for (root, table) in trees(pages) {
            let mut values = LongValues::new(pages, root, None);
            for_each_record(pages, table, |pgno, line, _, record| {
                for field in record.tagged().unwrap().map(Result::unwrap) {
                    for value in field.values().map(Result::unwrap) {
                        let whole = buffer.read(&value, usize::MAX, pages.size(), Some(&mut values)).unwrap().to_vec();
                        assert!(truth.contains(&hex(&whole)), "{name}: page {pgno} line {line} column {}", field.id);
                        for most in [0, 1, 300, 5000] {
                            let part = buffer.read(&value, most, pages.size(), Some(&mut values)).unwrap();
                            assert_eq!(part, &whole[..most.min(whole.len())]);
                        }
                        let forms = &mut forms;
                        forms[[ValueForm::Intrinsic, ValueForm::Compressed, ValueForm::Separated]
                            .iter()
                            .position(|form| *form == value.form)
                            .unwrap()] += 1;
                    }
                }
            });
        }
    }
    println!("{forms:?} values: intrinsic, compressed, separated");
    assert!(forms.iter().all(|count| *count > 100), "{forms:?}");
}

#[test]
fn the_vectors_of_the_spec_are_found() {
    let Some(shared) = corpus::shared() else { return };
    let file = database(&shared, "kitchen-4k");
    let (source, mut buf) = (MemorySource(&file), PageBuf::default());
    let pages = Pages::new(&source, PageSize::K4);
    let mut node = |pgno: u32, line| {
        let page = Page::new(pages.read_bytes(Pgno(pgno), &mut buf).unwrap()).unwrap();
        let node = page.node(line).unwrap();
        (LongValueKey::read(&node.key), node.data.to_vec())
    };
    let id = |low: u64| LongValueId(0x8000_0000_8000_0000 + low);
    let root = |size| Ok(LongValueRoot { references: 1, size, flags: None });
    let (key, data) = node(73, 1);
    assert_eq!((key, LongValueRoot::read(&data)), (Ok(LongValueKey::Root(id(11))), root(6602)));
    let (key, data) = node(73, 2);
    assert_eq!((key, data.len()), (Ok(LongValueKey::Chunk { id: id(11), offset: 0 }), 4014));
    assert_eq!(data[..4], [0x44, 0xE0, 0xC7, 0x81]);
    let (key, data) = node(56, 1);
    assert_eq!((key, LongValueRoot::read(&data)), (Ok(LongValueKey::Root(id(3))), root(1378)));
    let mut out = Vec::new();
    for (pgno, line, offset, scheme, size) in [
        (56, 2, 0, Scheme::Xpress, 1378),
        (531, 2, 16056, Scheme::SevenBitAscii, 51),
        (509, 3, 16056, Scheme::SevenBitUnicode, 28),
    ] {
        let (key, data) = node(pgno, line);
        assert!(matches!(key, Ok(LongValueKey::Chunk { offset: found, .. }) if found == offset));
        assert_eq!((decompress(&data, 4014, &mut out), out.len()), (Ok(scheme), size));
    }
    // The reference to the first long value, and a compressed value in a record.
    let (_, record) = node(34, 2);
    let record = Record::new(&record, PageSize::K4).unwrap();
    let found: Vec<_> = references(&record).map(Result::unwrap).collect();
    assert!(found.iter().any(|reference| reference.column == 258 && reference.id == Ok(id(1))));
    let (_, record) = node(75, 8);
    let fields = Record::new(&record, PageSize::K4).unwrap().tagged().unwrap();
    let field = fields.map(Result::unwrap).find(|field| field.id == 258).unwrap();
    let value = field.value(1).unwrap().unwrap();
    let mut buffer = ValueBuffer::default();
    assert_eq!(value.form, ValueForm::Compressed);
    assert_eq!(buffer.read(&value, 99, PageSize::K4, None).unwrap(), b"prhgcmnvfyirwsvseekzpwi");
}

#[test]
fn the_vectors_with_32_bit_ids_are_found() {
    let Some(shared) = corpus::shared() else { return };
    let file = database(&shared, "kitchen-4k-w10");
    let (source, mut buf) = (MemorySource(&file), PageBuf::default());
    let pages = Pages::new(&source, PageSize::K4);
    let page = Page::new(pages.read_bytes(Pgno(54), &mut buf).unwrap()).unwrap();
    let root = page.node(1).unwrap();
    assert_eq!(LongValueKey::read(&root.key), Ok(LongValueKey::Root(LongValueId(1))));
    assert_eq!(LongValueRoot::read(root.data), Ok(LongValueRoot { references: 1, size: 6000, flags: None }));
    let chunk = page.node(2).unwrap();
    assert_eq!(LongValueKey::read(&chunk.key), Ok(LongValueKey::Chunk { id: LongValueId(1), offset: 0 }));
    let mut out = Vec::new();
    assert_eq!(chunk.data.len(), 3514);
    assert_eq!((decompress(chunk.data, 4014, &mut out), out.len()), (Ok(Scheme::SevenBitAscii), 4014));
}

#[test]
fn damages_of_long_values_are_found_where_the_engine_complains() {
    let Some(shared) = corpus::shared() else { return };
    let key = ReferenceKey::default();
    let kinds = ["lv-root", "lv-chunk-delete", "lv-any"];
    let (mut found, mut quiet) = (BTreeMap::<String, usize>::new(), Vec::new());
    for (base, cases) in catdb_test_data::verdicts::cases(&shared) {
        let sound = catdb_test_data::verdicts::base(&shared, &base);
        for case in cases.iter().filter(|case| kinds.contains(&case.kind.as_str())) {
            let file = case.apply(&sound);
            let source = MemorySource(&file);
            let pages = Pages::new(&source, page_size(&sound));
            let mut codes: Vec<Code> = Vec::new();
            for (root, table) in trees(pages) {
                let mut findings = Vec::new();
                let summary = check(pages, root, DbState::CleanShutdown, &key, &mut findings);
                let (sum, list) = gather(pages, table, &key);
                let merged = merge(pages, root, list);
                let is_silent = merged.iter().all(|finding| finding.code == Code::LvDead);
                assert_eq!(summary.agrees_with(&sum), is_silent && summary.unknown_counts == 0, "{}", case.id);
                codes.extend(findings.iter().chain(&merged).map(|finding| finding.code));
            }
            let damaged = case.expect == catdb_test_data::verdicts::Expect::Damaged;
            for (complaint, code) in [("refcount too high", Code::LvRefcountHigh), ("orphaned LV", Code::LvOrphan)] {
                if case.complaints.iter().any(|said| said.contains(complaint)) {
                    assert!(codes.contains(&code), "{} {codes:?} {:?}", case.id, case.complaints);
                }
            }
            let is_error = codes.iter().any(|code| code.info().severity == ese_core::finding::Severity::Error);
            *found.entry(format!("{} engine: {:?}, here: {}", case.kind, case.expect, is_error)).or_insert(0) += 1;
            assert!(damaged || !is_error, "{} {codes:?} {:?}", case.id, case.complaints);
            if damaged && !is_error {
                quiet.push((case.id.clone(), codes));
            }
        }
    }
    println!("{found:#?}\nquiet: {quiet:?}");
    // Two change content that only an index shows (spec 07 section 8).
    assert!(quiet.len() <= 2, "{quiet:?}");
}

#[test]
fn a_reader_holds_no_more_than_a_chunk() {
    let Some(shared) = corpus::shared() else { return };
    let file = database(&shared, "extra-4k");
    let source = MemorySource(&file);
    let pages = Pages::new(&source, PageSize::K4);
    let mut largest = 0;
    for (root, table) in trees(pages) {
        let mut ids = Vec::new();
        for_each_record(pages, table, |_, _, _, record| {
            ids.extend(references(&record).map(|reference| reference.unwrap().id.unwrap()));
        });
        let mut values = LongValues::new(pages, root, None);
        for id in ids {
            let mut value: LongValueReader<'_, '_> = values.open(id).unwrap();
            let mut end = 0;
            while let Some(chunk) = value.next_chunk() {
                let chunk = chunk.unwrap();
                assert_eq!(chunk.offset, end);
                assert!(chunk.bytes.len() <= 4014);
                end += u32::try_from(chunk.bytes.len()).unwrap();
            }
            assert_eq!(end, value.root().size);
            largest = largest.max(end);
        }
    }
    assert!(largest > 1_000_000);
}
