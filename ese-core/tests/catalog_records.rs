//! No false alarm: the rows of every catalog, and of its shadow, hold to the schema that all catalogs have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use catdb_test_data::corpus;
use ese_core::check::record::{RecordChecker, RecordContext};
use ese_core::finding::{Code, Finding};
use ese_core::format::{
    ColumnFlags, ColumnType, DatabaseHeader, DbState, HEADER_SLOTS, Page, PageFlags, PageSize, Pgno,
};
use ese_core::record::{Column, Origin, TableLayout};

/// The columns of `MSysObjects` as the specification lists them (05 section 2): id, name, number of the type, bytes,
/// and whether NULL is forbidden.
const SCHEMA: [(u16, &str, u32, u32, bool); 29] = [
    (1, "ObjidTable", 4, 4, true),
    (2, "Type", 3, 2, true),
    (3, "Id", 4, 4, true),
    (4, "ColtypOrPgnoFDP", 4, 4, true),
    (5, "SpaceUsage", 4, 4, true),
    (6, "Flags", 4, 4, true),
    (7, "PagesOrLocale", 4, 4, true),
    (8, "RootFlag", 1, 1, false),
    (9, "RecordOffset", 3, 2, false),
    (10, "LCMapFlags", 4, 4, false),
    (11, "KeyMost", 17, 2, false),
    (12, "LVChunkMax", 4, 4, false),
    (13, "PgnoFDPLastSetTime", 8, 8, false),
    (128, "Name", 10, 255, true),
    (129, "Stats", 9, 255, false),
    (130, "TemplateTable", 10, 255, false),
    (131, "DefaultValue", 9, 255, false),
    (132, "KeyFldIDs", 9, 255, false),
    (133, "VarSegMac", 9, 255, false),
    (134, "ConditionalColumns", 9, 255, false),
    (135, "TupleLimits", 9, 255, false),
    (136, "Version", 9, 255, false),
    (137, "SortID", 9, 255, false),
    (256, "CallbackData", 11, 0, false),
    (257, "CallbackDependencies", 11, 0, false),
    (258, "SeparateLV", 11, 0, false),
    (259, "SpaceHints", 11, 0, false),
    (260, "SpaceDeferredLVHints", 11, 0, false),
    (261, "LocaleName", 11, 0, false),
];

/// Ids of the trees of `MSysObjects` and of its shadow.
const CATALOGS: [u32; 2] = [2, 3];

fn catalog_layout() -> TableLayout {
    let columns = SCHEMA.iter().map(|&(id, name, column_type, max_len, required)| Column {
        id,
        origin: Origin::Own,
        column_type: ColumnType::try_from(column_type).unwrap(),
        max_len,
        flags: if required { ColumnFlags::NOT_NULL } else { ColumnFlags::empty() },
        code_page: 1252,
        offset: None,
        name: name.to_owned(),
        default: None,
    });
    TableLayout::new(columns.collect())
}

/// The leaves of both catalogs in a file, free and dead ones aside as far as their flags tell.
fn catalog_leaves(file: &[u8], size: PageSize) -> Vec<(Pgno, Page<'_>)> {
    let slots = usize::try_from(HEADER_SLOTS).unwrap();
    let pages = file.chunks_exact(size.bytes()).skip(slots).map(|bytes| Page::new(bytes).unwrap());
    let numbered = pages.zip(1..).map(|(page, pgno)| (Pgno(pgno), page));
    let other = PageFlags::KIND | PageFlags::EMPTY;
    numbered
        .filter(|(_, page)| CATALOGS.contains(&page.objid().0) && page.is_leaf() && !page.flags().intersects(other))
        .collect()
}

fn page_size(file: &[u8]) -> PageSize {
    DatabaseHeader::from_slot(file).page_size().unwrap()
}

/// Findings about the catalogs of a file, and how many live rows there are.
fn check(file: &[u8], layout: &TableLayout) -> (Vec<Finding>, usize) {
    let context = RecordContext { state: DbState::CleanShutdown };
    let (mut checker, mut findings, mut rows) = (RecordChecker::default(), Vec::new(), 0);
    for (pgno, page) in catalog_leaves(file, page_size(file)) {
        rows += page.nodes().flatten().filter(|node| !node.is_deleted()).count();
        checker.check_page(page, pgno, layout, &context, &mut findings);
    }
    (findings, rows)
}

fn assert_sound(name: &str, file: &[u8], layout: &TableLayout) -> usize {
    let (findings, rows) = check(file, layout);
    let messages: Vec<_> = findings.iter().map(|finding| (finding.pgno, &finding.message)).collect();
    assert!(messages.is_empty(), "{name}: {messages:#?}");
    assert!(rows > 50, "{name}: {rows} rows");
    rows
}

#[test]
fn the_catalogs_of_the_fixtures_are_sound() {
    let layout = catalog_layout();
    for name in ["catdb-200.edb", "empty-4k.edb", "empty-32k.edb", "kitchen-4k-b.edb", "kitchen-32k-w10.edb"] {
        assert_sound(name, &corpus::fixture(name), &layout);
    }
}

#[test]
fn the_catalogs_of_all_real_databases_are_sound() {
    let Some(shared) = corpus::shared() else { return };
    let layout = catalog_layout();
    let (mut files, mut rows) = (0, 0);
    for folder in ["engine/db", "engine/crash", "corpus"] {
        for path in corpus::databases(&shared.join(folder)) {
            rows += assert_sound(&path.display().to_string(), &corpus::unpack(&path), &layout);
            files += 1;
        }
    }
    println!("{files} databases, {rows} rows");
    assert!(files >= 65 && rows > 100_000, "{files} databases, {rows} rows");
}

#[test]
fn a_byte_of_a_record_header_that_changes_is_found() {
    let layout = catalog_layout();
    let sound = corpus::fixture("kitchen-4k-b.edb");
    let size = page_size(&sound);
    let places: Vec<u64> = catalog_leaves(&sound, size)
        .iter()
        .flat_map(|(pgno, page)| {
            page.nodes().flatten().map(|node| size.offset_of(*pgno) + page.offset_of(node.data) as u64)
        })
        .collect();
    let mut file = sound.clone();
    for place in places.into_iter().step_by(7) {
        for at in 0..4 {
            let at = usize::try_from(place).unwrap() + at;
            file[at] = file[at].wrapping_add(1);
            let (findings, _) = check(&file, &layout);
            file[at] = sound[at];
            // A deleted row is nobody's; the row count of a page does not matter here.
            let [finding] = &findings[..] else { panic!("byte {at}: {findings:#?}") };
            assert!(matches!(finding.code, Code::RecordFormat | Code::RecordColumn), "byte {at}: {}", finding.message);
        }
    }
}
