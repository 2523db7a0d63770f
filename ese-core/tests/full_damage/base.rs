//! The sound databases that are damaged, and where their parts lie. Offsets are written from spec 02 and 03.

use catdb_test_data::build::{
    ANY_NULLS, Built, DatabaseBuilder, FIRST_NULL, Format, KeyPrefix, MULTI_VALUED, NOT_NULL, Place, SOME_NULLS, Slack,
    Space, State, Sums, SystemTables, TableSpec, Type, UNIQUE, Value, chunk_size,
};
use catdb_test_data::database;
use ese_core::finding::Code;
use ese_core::format::PageSize;
use ese_core::source::MemorySource;
use ese_core::verify::{Report, Verifier};

use super::brief;

pub(super) fn verify(file: &[u8]) -> Report {
    Verifier::new(&MemorySource(file)).run().expect("a database")
}

/// A table of several levels, with long values and indexes of every kind.
fn files(size: PageSize) -> TableSpec {
    let row = |i: i32| {
        let content = vec![u8::try_from(i % 251).unwrap(); if i % 5 == 0 { chunk_size(size) * 2 + 100 } else { 30 }];
        vec![
            Value::long(i * 3 - 100),
            if i % 3 == 0 { Value::Null } else { Value::bytes(f64::from(-i).to_le_bytes()) },
            Value::bytes(format!("name {:04}", (i * 7919) % 1000)),
            if i % 2 == 0 { Value::Null } else { Value::bytes([7; 20]) },
            if i % 4 == 0 { Value::Null } else { Value::longs(&[i, i + 1, -i][..2 + usize::from(i % 4 == 1)]) },
            Value::bytes(content),
        ]
    };
    TableSpec::new("Files")
        .fixed("id", Type::Long, NOT_NULL)
        .fixed("when", Type::DateTime, 0)
        .variable("name", Type::Text(1252), 0)
        .variable("hash", Type::Binary, 0)
        .tagged("numbers", Type::Long, MULTI_VALUED)
        .tagged("content", Type::LongBinary, 0)
        .primary(&["+id"])
        .index("by_name", ANY_NULLS, &["-name", "+id"])
        .index("by_number", FIRST_NULL | SOME_NULLS, &["+numbers"])
        .index("by_when", 0, &["+when", "+hash"])
        .rows((0..150).map(row))
}

/// A table of one page: `id`, `flag`, `value` (all fixed), `text` (variable), `tagged`.
fn small() -> TableSpec {
    let row = |i: i32| {
        let value = if i == 3 { Value::Null } else { Value::long(10 * i) };
        vec![Value::long(i), Value::bytes([0xFF]), value, Value::bytes(format!("text {i}")), Value::long(i)]
    };
    TableSpec::new("Small")
        .fixed("id", Type::Long, NOT_NULL)
        .fixed("flag", Type::Bit, 0)
        .fixed("value", Type::Long, 0)
        .variable("text", Type::Text(1252), 0)
        .tagged("tagged", Type::Long, 0)
        .primary(&["+id"])
        .index("by_value", UNIQUE, &["+value"])
        .rows((1..8).map(row))
}

fn heap() -> TableSpec {
    let table = TableSpec::new("Heap").fixed("x", Type::Long, 0).variable("y", Type::Binary, 0);
    table.rows((0..20).map(|i| vec![Value::long(i), Value::bytes([9; 12])]))
}

fn template() -> TableSpec {
    let table = TableSpec::new("Template").fixed("tk", Type::Long, 0).variable("tv", Type::Text(1252), 0);
    table.primary(&["+tk"]).index("tpv", ANY_NULLS, &["-tv"]).into_template()
}

fn derived() -> TableSpec {
    let row = |i: i32| vec![Value::long(-i), Value::bytes(format!("tv{i}")), Value::long(i)];
    template().derive("Derived").fixed("dx", Type::Long, 0).rows((0..10).map(row))
}

pub(super) fn builder(size: PageSize) -> DatabaseBuilder {
    DatabaseBuilder::new(size)
        .format(if size.is_large() { Format::Level290 } else { Format::Level20 })
        .system_tables(SystemTables::Present)
        .table(files(size).max_nodes_per_page(5).spare(2))
        .table(small())
        .table(heap().space(Space::Single).spare(3))
        .table(template())
        .table(derived())
}

/// A database under damage.
pub(super) struct Base {
    pub(super) built: Built,
}

pub(super) fn sound(size: PageSize) -> Base {
    Base { built: builder(size).build() }
}

impl Base {
    pub(super) fn size(&self) -> PageSize {
        self.built.size
    }

    /// Offset of byte `byte` of page `pgno` in the file.
    pub(super) fn at(&self, pgno: u32, byte: usize) -> u64 {
        (database::offset(self.size(), pgno) + byte) as u64
    }

    /// Where a line begins in its page.
    pub(super) fn line(&self, place: Place) -> usize {
        let page = database::page(&self.built.bytes, self.size(), place.pgno);
        let tag = page.len() - 4 * (place.line + 1);
        let (header, mask) = if self.size().is_large() { (80, 0x7FFF) } else { (40, 0x1FFF) };
        header + usize::from(u16::from_le_bytes([page[tag + 2], page[tag + 3]]) & mask)
    }

    /// Where the flags of a line stand: in its tag on small pages, in its first word on large ones.
    pub(super) fn flags_at(&self, place: Place) -> u64 {
        let large = self.size().is_large();
        self.at(place.pgno, if large { self.line(place) } else { self.size().bytes() - 4 * (place.line + 1) })
    }

    /// Offset of the key of a node, which is whole.
    pub(super) fn key_at(&self, place: Place) -> u64 {
        self.at(place.pgno, self.line(place) + 2)
    }

    /// Offset of the data of a node.
    pub(super) fn data_at(&self, place: Place) -> u64 {
        self.key_at(place) + self.built.page(place.pgno).nodes[place.line - 1].key.len() as u64
    }

    /// Where tag 0 begins in its page.
    pub(super) fn tag0(&self, pgno: u32) -> usize {
        self.line(Place { pgno, line: 0 })
    }

    /// Sets or clears flags of a page; their offset.
    pub(super) fn flip_flags(&mut self, pgno: u32, flags: u32) -> u64 {
        self.built.edit_page(pgno, |page| page.flags ^= flags);
        self.at(pgno, 36)
    }

    /// Leaf number `number` of a tree, from 0.
    pub(super) fn leaf(&self, tree: &str, number: usize) -> u32 {
        self.built.tree(tree).leaves[number]
    }

    /// The node of a row or an entry, by its number in the tree, from 0.
    pub(super) fn node(&self, tree: &str, number: usize) -> Place {
        self.built.nodes(tree)[number].0
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.built.edit_page(place.pgno, |page| _ = page.nodes.remove(place.line - 1));
    }

    /// Overwrites a page with zeros; its offset.
    pub(super) fn blank(&mut self, pgno: u32) -> u64 {
        let size = self.size();
        database::zero(&mut self.built.bytes, size, pgno, 0, size.bytes());
        self.at(pgno, 0)
    }
}

#[test]
fn what_is_damaged_here_is_sound() {
    for size in PageSize::ALL {
        let old = builder(size).format(Format::Level20);
        let mut all = vec![
            builder(size),
            builder(size).system_tables(SystemTables::Absent),
            builder(size).full_leaves().free_pages(0),
            builder(size).slack(Slack::Stale(3)),
            builder(size).slack(Slack::Blank(3)),
            builder(size).table(files(size).renamed("Shared").key_prefix(KeyPrefix::Shared)),
        ];
        if !size.is_large() {
            all.push(old.clone());
            all.push(old.sums(Sums::Xor));
        }
        for builder in all {
            let report = verify(&builder.build().bytes);
            let unexpected = report.findings().iter().any(|finding| finding.code != Code::DbSlack);
            assert!(!unexpected, "{size}: {}", brief(&report));
        }
        let report = verify(&builder(size).state(State::Dirty).build().bytes);
        assert_eq!(report.findings().iter().map(|f| f.code).collect::<Vec<_>>(), [Code::DbDirty], "{}", brief(&report));
    }
}
