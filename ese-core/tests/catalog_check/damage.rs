//! For every rule a damage under a valid checksum that breaks it, on small and on large pages.

use catdb_test_data::page_builder::PageBuilder;
use catdb_test_data::{corpus, database};
use ese_core::catalog::{Catalog, CatalogRow};
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::catalog::{
    CatalogColumn, FixedTree, MSYS_LOCALES, MSYS_OBJECTS, MSYS_OBJECTS_SHADOW, MSYS_OBJIDS, RowType, column,
};
use ese_core::format::{Objid, PageSize, Pgno};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;

use super::check_file;

const BASES: [(&str, PageSize); 2] = [("kitchen-4k-b.edb", PageSize::K4), ("kitchen-32k-w10.edb", PageSize::K32)];
const BOTH: &[FixedTree] = &[MSYS_OBJECTS, MSYS_OBJECTS_SHADOW];
const MAIN: &[FixedTree] = &[MSYS_OBJECTS];
const SHADOW: &[FixedTree] = &[MSYS_OBJECTS_SHADOW];

/// A sound database about to be damaged.
struct Base {
    file: Vec<u8>,
    size: PageSize,
}

impl Base {
    fn rows(&self, tree: FixedTree) -> Vec<CatalogRow> {
        let source = MemorySource(&self.file);
        let mut cursor = Cursor::new(Pages::new(&source, self.size), tree.root);
        let mut rows = Vec::new();
        while let Some(node) = cursor.next_node() {
            let node = node.unwrap();
            rows.push(CatalogRow::read(node.leaf.page, node.leaf.pgno, &node.node).unwrap());
        }
        rows
    }

    fn row(&self, tree: FixedTree, which: &dyn Fn(&CatalogRow) -> bool) -> CatalogRow {
        self.rows(tree).into_iter().find(which).expect("a row to damage")
    }

    fn catalog(&self) -> Catalog {
        Catalog::read(Pages::new(&MemorySource(&self.file), self.size))
    }

    fn patch(&mut self, pgno: Pgno, at: usize, bytes: &[u8]) -> u64 {
        database::patch_page(&mut self.file, self.size, pgno.0, |page| {
            page[at..at + bytes.len()].copy_from_slice(bytes)
        });
        self.size.offset_of(pgno) + at as u64
    }

    /// Overwrites the beginning of the value of `column`; its offset in the first of `trees`.
    fn set(
        &mut self,
        trees: &[FixedTree],
        which: &dyn Fn(&CatalogRow) -> bool,
        column: CatalogColumn,
        bytes: &[u8],
    ) -> u64 {
        let offsets: Vec<u64> = trees
            .iter()
            .map(|tree| {
                let row = self.row(*tree, which);
                assert!(row.bytes(column).is_some_and(|value| value.len() >= bytes.len()), "{}", column.name);
                self.patch(row.place.pgno, row.offset_of(column), bytes)
            })
            .collect();
        offsets[0]
    }

    /// Makes a fixed column NULL; the offset of the record.
    fn set_null(&mut self, trees: &[FixedTree], which: &dyn Fn(&CatalogRow) -> bool, column: CatalogColumn) -> u64 {
        let offsets: Vec<u64> = trees
            .iter()
            .map(|tree| {
                let row = self.row(*tree, which);
                let record = row.record().unwrap();
                let bit = usize::from(column.id - 1);
                let at = record.fixed_end() - record.null_bits().len() + bit / 8;
                self.patch(row.place.pgno, row.place.record_at + at, &[record.null_bits()[bit / 8] | 1 << (bit % 8)]);
                self.size.offset_of(row.place.pgno) + row.place.record_at as u64
            })
            .collect();
        offsets[0]
    }

    /// Flags rows deleted; the offset of the flags.
    fn delete(&mut self, trees: &[FixedTree], which: &dyn Fn(&CatalogRow) -> bool) -> u64 {
        let offsets: Vec<u64> = trees
            .iter()
            .map(|tree| {
                let row = self.row(*tree, which);
                // Flag 2 of three, in the top bits of the tag's second word, or of the first word of the node.
                let page = database::page(&self.file, self.size, row.place.pgno.0);
                let at = if self.size.is_large() {
                    let tag = page.len() - 4 * (row.place.line + 1);
                    80 + usize::from(u16::from_le_bytes([page[tag + 2], page[tag + 3]]) & 0x7FFF) + 1
                } else {
                    page.len() - 4 * row.place.line - 1
                };
                let flagged = page[at] | 0x40;
                self.patch(row.place.pgno, at, &[flagged])
            })
            .collect();
        offsets[0]
    }

    /// Overwrites the last byte of the key of a row.
    fn set_last_byte_of_key(&mut self, trees: &[FixedTree], which: &dyn Fn(&CatalogRow) -> bool, byte: u8) {
        for tree in trees {
            let row = self.row(*tree, which);
            self.patch(row.place.pgno, row.place.record_at - 1, &[byte]);
        }
    }
}

fn is(row: &CatalogRow, table: Objid, row_type: RowType) -> bool {
    row.objid_table() == Some(table) && row.row_type() == Some(row_type)
}

/// A damage: what it is, the code and the rule that find it, rules that complain of what follows, and how it is done;
/// returns the offset that the finding has.
type Damage = (&'static str, Code, &'static str, &'static [&'static str], fn(&mut Base) -> u64);

/// The table `Kitchen` of both databases.
const KITCHEN: Objid = Objid(8);

fn kitchen(row_type: RowType) -> impl Fn(&CatalogRow) -> bool {
    move |row| is(row, KITCHEN, row_type)
}

fn named(name: &'static str) -> impl Fn(&CatalogRow) -> bool {
    move |row| row.name().as_deref() == Some(name) && row.objid_table() == Some(KITCHEN)
}

/// Secondary or primary index of `Kitchen`.
fn index(primary: bool) -> impl Fn(&CatalogRow) -> bool {
    move |row| is(row, KITCHEN, RowType::Index) && (row.long(column::FLAGS).unwrap() & 0x20 != 0) == primary
}

fn derived(row: &CatalogRow) -> bool {
    row.row_type() == Some(RowType::Table) && row.bytes(column::TEMPLATE_TABLE).is_some()
}

const DAMAGES: &[Damage] = &[
    ("a required column is NULL", Code::CatalogRow, "C2", &[], |base| {
        base.set_null(BOTH, &named("lbc"), column::FLAGS)
    }),
    ("a key is not that of its row", Code::CatalogRow, "C2", &[], |base| {
        let row = base.row(MSYS_OBJECTS, &named("lbc"));
        base.set_last_byte_of_key(BOTH, &named("lbc"), 0xF3);
        base.size.offset_of(row.place.pgno) + row.offset_of(column::ID) as u64
    }),
    ("a row of no known type", Code::CatalogRow, "C2", &["C10"], |base| {
        base.set(BOTH, &named("lbc"), column::TYPE, &[9])
    }),
    ("the row of a table is gone", Code::CatalogRow, "C3", &["C14"], |base| {
        base.delete(BOTH, &kitchen(RowType::Table));
        let first = base.row(MSYS_OBJECTS, &kitchen(RowType::Column));
        base.size.offset_of(first.place.pgno) + first.offset_of(column::TYPE) as u64
    }),
    ("a table without the flag of a table", Code::CatalogRow, "C3", &[], |base| {
        base.set_null(BOTH, &kitchen(RowType::Table), column::ROOT_FLAG)
    }),
    ("a table with another id", Code::CatalogRow, "C3", &["C2", "C5", "C6", "C14"], |base| {
        base.set(BOTH, &kitchen(RowType::Table), column::ID, &[0xEE])
    }),
    ("two columns of one name", Code::CatalogRow, "C4", &[], |base| {
        base.set(BOTH, &named("bit"), column::NAME, b"bin");
        // Of two the second in the order of keys is reported: `bit` is column 1, `bin` a variable one.
        let bin = base.rows(MSYS_OBJECTS).into_iter().filter(named("bin")).nth(1).unwrap();
        base.size.offset_of(bin.place.pgno) + bin.offset_of(column::NAME) as u64
    }),
    ("two trees of one id", Code::CatalogRow, "C4", &["C2", "C5", "C14"], |base| {
        // The id of the table before it.
        base.set(BOTH, &index(false), column::ID, &[7])
    }),
    ("a root behind the end of the file", Code::CatalogOrphan, "C5", &[], |base| {
        base.set(BOTH, &index(false), column::COLTYP_OR_PGNO_FDP, &[0, 0, 0, 0x7F])
    }),
    ("a root of another tree", Code::CatalogOrphan, "C5", &[], |base| {
        base.set(BOTH, &index(false), column::COLTYP_OR_PGNO_FDP, &[4])
    }),
    ("a root that is none", Code::CatalogOrphan, "C5", &[], |base| {
        // The root of the space tree behind the root: the right tree, the wrong kind.
        let row = base.row(MSYS_OBJECTS, &index(false));
        let space = row.root().unwrap().next();
        base.set(BOTH, &index(false), column::COLTYP_OR_PGNO_FDP, &space.0.to_le_bytes())
    }),
    ("a primary index with a root of its own", Code::CatalogRow, "C6", &[], |base| {
        base.set(BOTH, &index(true), column::COLTYP_OR_PGNO_FDP, &[4])
    }),
    ("a secondary index with the root of its table", Code::CatalogRow, "C7", &["C5"], |base| {
        let root = base.row(MSYS_OBJECTS, &kitchen(RowType::Table)).root().unwrap();
        base.set(BOTH, &index(false), column::COLTYP_OR_PGNO_FDP, &root.0.to_le_bytes())
    }),
    ("two long value trees", Code::CatalogRow, "C8", &["C2", "C14"], |base| {
        base.set(BOTH, &index(false), column::TYPE, &[4]);
        let long_values = base.rows(MSYS_OBJECTS).into_iter().filter(kitchen(RowType::LongValue)).nth(1).unwrap();
        base.size.offset_of(long_values.place.pgno) + long_values.offset_of(column::TYPE) as u64
    }),
    ("an index over a column that is not there", Code::CatalogRow, "C9", &[], |base| {
        base.set(BOTH, &index(false), column::KEY_FLD_IDS, &[0, 0, 0x55, 0x55])
    }),
    ("an index with flags that nobody knows", Code::CatalogRow, "C9", &[], |base| {
        let flags = base.row(MSYS_OBJECTS, &index(false)).long(column::FLAGS).unwrap() | 0x8000_0000;
        base.set(BOTH, &index(false), column::FLAGS, &flags.to_le_bytes())
    }),
    ("a column of no known type", Code::CatalogRow, "C10", &[], |base| {
        base.set(BOTH, &named("lbc"), column::COLTYP_OR_PGNO_FDP, &[99])
    }),
    ("a length that is not the type's", Code::CatalogRow, "C10", &[], |base| {
        base.set(BOTH, &named("bit"), column::SPACE_USAGE, &[5])
    }),
    ("a fixed column in another place", Code::CatalogRow, "C10", &[], |base| {
        base.set(BOTH, &named("bit"), column::RECORD_OFFSET, &[9])
    }),
    ("a gap between the ids of columns", Code::CatalogOdd, "C10", &[], |base| {
        base.delete(BOTH, &|row| named("lbc")(row));
        let lbc = base.row(MSYS_OBJECTS, &named("lbc")).id().unwrap();
        let next = base.row(MSYS_OBJECTS, &|row| kitchen(RowType::Column)(row) && row.id() == Some(lbc + 1));
        base.size.offset_of(next.place.pgno) + next.offset_of(column::ID) as u64
    }),
    ("a template that is not there", Code::CatalogRow, "C11", &["C9", "C10"], |base| {
        base.set(BOTH, &derived, column::TEMPLATE_TABLE, b"X")
    }),
    ("a derived table without the flag", Code::CatalogRow, "C11", &[], |base| {
        base.set(BOTH, &derived, column::FLAGS, &[0, 0, 0, 0])
    }),
    ("a flag in the shadow alone", Code::CatalogShadowDiffers, "C12", &[], |base| {
        base.set(SHADOW, &named("bit"), column::FLAGS, &[0x40])
    }),
    ("nonsense in the catalog alone", Code::CatalogShadowDiffers, "C12", &["C10"], |base| {
        base.set(MAIN, &named("bit"), column::SPACE_USAGE, &[7])
    }),
    ("a density in the shadow alone", Code::CatalogShadowMinor, "C12", &[], |base| {
        base.set(SHADOW, &index(false), column::SPACE_USAGE, &[77])
    }),
    ("a row of the shadow flagged deleted", Code::CatalogShadowDiffers, "C12", &[], |base| {
        base.delete(SHADOW, &named("bit"))
    }),
    ("a shadow without rows", Code::CatalogShadowMissing, "C13", &[], |base| {
        let page = PageBuilder::leaf(base.size, 24).flags(0x2803).objid(3).tag0(&[0; 16]).build();
        database::page_mut(&mut base.file, base.size, 24).copy_from_slice(&page);
        base.size.offset_of(Pgno(25)) - 4
    }),
    ("a tree of another table in MSysObjids", Code::CatalogRow, "C14", &[], |base| {
        let (pgno, record_at, data) = first_record(base, MSYS_OBJIDS);
        // Three tagged columns of 4, 4 and 2 bytes at the end of the record (with an extended byte each on large pages).
        let at = data - if base.size.is_large() { 7 } else { 6 };
        base.patch(pgno, record_at + at, &[0xEE]);
        base.size.offset_of(pgno) + record_at as u64
    }),
    ("a count of zero in MSysLocales", Code::CatalogOdd, "C14", &[], |base| {
        let catalog = base.catalog();
        let table = catalog.schema.table(MSYS_LOCALES).unwrap();
        let source = base.file.clone();
        let source = MemorySource(&source);
        let mut cursor = Cursor::new(Pages::new(&source, base.size), table.root);
        loop {
            let node = cursor.next_node().expect("a row of a locale").unwrap();
            let text = "LocaleName=".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            if node.node.data.windows(text.len()).any(|window| window == text) {
                // Kind at 4, count at 5.
                return base.patch(node.leaf.pgno, node.leaf.page.offset_of(node.node.data) + 5, &[0, 0, 0, 0]);
            }
        }
    }),
    ("a flag for a default that is not there", Code::CatalogRow, "C17", &[], |base| {
        base.set(BOTH, &named("bit"), column::FLAGS, &[0x10])
    }),
    ("a deleted column with its old name", Code::CatalogRow, "C17", &[], |base| {
        base.set(BOTH, &named("lbc"), column::COLTYP_OR_PGNO_FDP, &[0]);
        let row = base.row(MSYS_OBJECTS, &named("lbc"));
        base.size.offset_of(row.place.pgno) + row.offset_of(column::NAME) as u64
    }),
];

/// Page, place in it and length of the first record of a table.
fn first_record(base: &Base, table: &str) -> (Pgno, usize, usize) {
    let root = base.catalog().schema.table(table).unwrap().root;
    let source = MemorySource(&base.file);
    let mut cursor = Cursor::new(Pages::new(&source, base.size), root);
    let node = cursor.next_node().unwrap().unwrap();
    (node.leaf.pgno, node.leaf.page.offset_of(node.node.data), node.node.data.len())
}

fn show(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        format!("  {:#x} {} {}: {}", finding.offset, finding.code, finding.detail.rule.unwrap_or("-"), finding.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_rule_finds_its_damage_where_it_is_and_no_other_does_but_what_follows_from_it() {
    let mut wrong = Vec::new();
    for (name, size) in BASES {
        for (what, code, rule, also, damage) in DAMAGES {
            let mut base = Base { file: corpus::fixture(name), size };
            let offset = damage(&mut base);
            let findings = check_file(&base.file).findings;
            let is_it = |finding: &&Finding| finding.code == *code && finding.detail.rule == Some(rule);
            let found = findings.iter().any(|finding| is_it(&finding) && finding.offset == offset);
            let rest: Vec<&Finding> = findings
                .iter()
                .filter(|finding| !is_it(finding) && !also.contains(&finding.detail.rule.unwrap_or("-")))
                .collect();
            if !found || !rest.is_empty() {
                wrong.push(format!("{name}: {what} (at {offset:#x}):\n{}", show(&findings)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn many_bad_rows_of_a_page_are_one_finding_with_their_number() {
    let (name, size) = BASES[1];
    let mut base = Base { file: corpus::fixture(name), size };
    let columns: Vec<CatalogRow> =
        base.rows(MSYS_OBJECTS_SHADOW).into_iter().filter(kitchen(RowType::Column)).collect();
    for row in &columns {
        base.patch(row.place.pgno, row.offset_of(column::PAGES_OR_LOCALE), &[0x77]);
    }
    let outcome = check_file(&base.file);
    let [finding] = &outcome.findings[..] else { panic!("{}", show(&outcome.findings)) };
    assert_eq!(finding.detail.count, Some(columns.len() as u64));
    assert_eq!(finding.detail.line, Some(columns[0].place.line));
}

#[test]
fn any_other_byte_in_a_row_of_the_shadow_is_seen() {
    for (name, size) in BASES {
        let base = Base { file: corpus::fixture(name), size };
        for (number, row) in base.rows(MSYS_OBJECTS_SHADOW).into_iter().enumerate().step_by(7) {
            let at = (number * 31) % row.data().len();
            let mut damaged = Base { file: base.file.clone(), size };
            damaged.patch(row.place.pgno, row.place.record_at + at, &[row.data()[at] ^ 1 << (number % 8)]);
            let findings = check_file(&damaged.file).findings;
            let [finding] = &findings[..] else { panic!("{name}: row {number}, byte {at}:\n{}", show(&findings)) };
            assert_eq!((finding.pgno, finding.detail.line), (Some(row.place.pgno), Some(row.place.line)));
            assert!(finding.severity >= Severity::Warning);
        }
    }
}

#[test]
fn rows_behind_a_page_that_cannot_be_read_are_its_consequences() {
    let (name, size) = BASES[0];
    for tree in [MSYS_OBJECTS, MSYS_OBJECTS_SHADOW] {
        let mut base = Base { file: corpus::fixture(name), size };
        let rows = base.rows(tree);
        let leaf = rows[rows.len() / 2].place.pgno;
        let on_leaf = rows.iter().filter(|row| row.place.pgno == leaf).count() as u64;
        database::flip_bits(&mut base.file, size, leaf.0, &[8000, 8017, 8111]);
        let outcome = check_file(&base.file);
        assert_eq!(outcome.consequences, [(leaf, on_leaf)]);
        let found: Vec<_> =
            outcome.findings.iter().map(|finding| (finding.code, finding.severity, finding.pgno)).collect();
        if tree == MSYS_OBJECTS {
            assert_eq!(found, [(Code::CatalogLost, Severity::Warning, Some(leaf))]);
        } else {
            assert_eq!(found, []);
        }
    }
}

#[test]
fn a_catalog_that_is_gone_says_what_stands_in_for_it() {
    for (name, size) in BASES {
        let mut file = corpus::fixture(name);
        database::zero(&mut file, size, 4, 0, size.bytes());
        let outcome = check_file(&file);
        let [finding] = &outcome.findings[..] else { panic!("{}", show(&outcome.findings)) };
        assert_eq!((finding.code, finding.severity, finding.pgno), (Code::CatalogLost, Severity::Error, Some(Pgno(4))));
        assert!(finding.message.contains("from its shadow"), "{}", finding.message);
        database::zero(&mut file, size, 24, 0, size.bytes());
        let outcome = check_file(&file);
        let [finding] = &outcome.findings[..] else { panic!("{}", show(&outcome.findings)) };
        assert_eq!((finding.code, finding.severity), (Code::CatalogLost, Severity::Error));
        assert!(finding.message.contains("from single leaves"), "{}", finding.message);
    }
}
