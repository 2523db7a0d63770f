//! Each code of the index check, on a small and on a large page: a sound database of the engine, one damage under a right
//! checksum, and what is said of it.

use catdb_test_data::{corpus, database};
use ese_core::catalog::{Catalog, Index, Table};
use ese_core::check::Shutdown;
use ese_core::check::index::FINDINGS_MOST;
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::{IndexFlags, PageSize, Pgno};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;

use crate::driver::{Checked, Order, check, check_as};

const BASES: [(&str, PageSize); 2] = [("kitchen-4k-b.edb", PageSize::K4), ("kitchen-32k-w10.edb", PageSize::K32)];

/// A node of the database under damage.
#[derive(Clone, Debug)]
struct Found {
    pgno: u32,
    line: usize,
    key: Vec<u8>,
    data: Vec<u8>,
    /// Offset in the page of the part of the key that lies in the node, and its length.
    suffix: (usize, usize),
    data_at: usize,
}

/// A database, and where its nodes lie.
struct Bench {
    file: Vec<u8>,
    size: PageSize,
    table: Table,
}

impl Bench {
    fn new(base: &str, size: PageSize) -> Bench {
        Bench::of(corpus::fixture(base), size, "Kitchen")
    }

    fn of(file: Vec<u8>, size: PageSize, table: &str) -> Bench {
        let source = MemorySource(&file);
        let schema = Catalog::read(Pages::new(&source, size)).schema;
        let table = schema.table(table).expect("the engine's table").clone();
        Bench { file, size, table }
    }

    fn nodes(&self, root: Pgno) -> Vec<Found> {
        let source = MemorySource(&self.file);
        let mut cursor = Cursor::new(Pages::new(&source, self.size), root);
        let mut nodes = Vec::new();
        while let Some(found) = cursor.next_node() {
            let found = found.unwrap();
            let (page, node) = (found.leaf.page, found.node);
            if !node.is_deleted() {
                nodes.push(Found {
                    pgno: found.leaf.pgno.0,
                    line: node.line,
                    key: node.key.to_vec(),
                    data: node.data.to_vec(),
                    suffix: (page.offset_of(node.key.suffix), node.key.suffix.len()),
                    data_at: page.offset_of(node.data),
                });
            }
        }
        nodes
    }

    fn rows(&self) -> Vec<Found> {
        self.nodes(self.table.root)
    }

    fn entries(&self, index: &str) -> Vec<Found> {
        self.nodes(self.index(index).root)
    }

    fn index(&self, name: &str) -> &Index {
        self.table.indexes.iter().find(|index| index.name == name).unwrap_or_else(|| panic!("no index {name}"))
    }

    /// Flips bits of one byte of a page, and makes the checksum right.
    fn flip(&mut self, pgno: u32, at: usize, bits: u8) {
        database::patch_page(&mut self.file, self.size, pgno, |page| page[at] ^= bits);
    }

    /// Flags a node deleted.
    fn delete(&mut self, node: &Found) {
        let (line, suffix_at) = (node.line, node.suffix.0);
        let is_large = self.size.is_large();
        let compressed = self.is_compressed(node);
        database::patch_page(&mut self.file, self.size, node.pgno, |page| {
            // Flag 2, in the three bits above a word of 13: of the tag, or of the first size of the node.
            let at =
                if is_large { suffix_at - if compressed { 4 } else { 2 } + 1 } else { page.len() - 4 * (line + 1) + 3 };
            page[at] |= 0x40;
        });
    }

    fn is_compressed(&self, node: &Found) -> bool {
        node.suffix.1 < node.key.len()
    }

    fn check(&self) -> Checked {
        let checked = check(&self.file, Order::Sequential);
        assert_eq!(checked.findings, check(&self.file, Order::Split).findings, "another order");
        checked
    }

    /// The errors, of which there must be some.
    fn errors(&self) -> Vec<Finding> {
        let errors: Vec<Finding> = self.check().errors().into_iter().cloned().collect();
        assert!(!errors.is_empty());
        errors
    }
}

fn on_both(test: impl Fn(&mut Bench)) {
    for (base, size) in BASES {
        let mut bench = Bench::new(base, size);
        assert!(bench.check().errors().is_empty());
        test(&mut bench);
    }
}

/// The tree of an index in a finding, its code, page and line.
fn told(finding: &Finding) -> (&str, Code, u32, usize) {
    let tree = finding.object.as_ref().and_then(|object| object.tree.as_deref());
    (tree.unwrap_or(""), finding.code, finding.pgno.map_or(0, |pgno| pgno.0), finding.detail.line.unwrap_or(0))
}

#[test]
fn an_entry_that_is_flagged_deleted_is_missing_at_its_row() {
    on_both(|bench| {
        let entry = bench.entries("ix_guid")[5].clone();
        let row = bench.rows().into_iter().find(|row| row.key == entry.data).unwrap();
        bench.delete(&entry);
        let [missing] = &bench.errors()[..] else { panic!("one error") };
        assert_eq!(told(missing), ("ix_guid", Code::IdxEntryMissing, row.pgno, row.line));
        assert_eq!(missing.offset - missing.page_offset.unwrap(), row.data_at as u64);
        assert_eq!(missing.jet.map(|jet| jet.0), Some(-1414));
        assert_eq!(missing.detail.rule, Some("I5"));
    });
}

#[test]
fn a_row_that_is_flagged_deleted_leaves_extra_entries() {
    on_both(|bench| {
        let with_text = bench.entries("ix_utxt");
        let has_text = |row: &&Found| with_text.iter().any(|entry| entry.data == row.key);
        let row = bench.rows().iter().find(has_text).unwrap().clone();
        let entry = bench.entries("ix_guid").into_iter().find(|entry| entry.data == row.key).unwrap();
        bench.delete(&row);
        let errors = bench.errors();
        assert!(errors.iter().all(|error| error.code == Code::IdxEntryExtra), "{errors:?}");
        let extra = errors.iter().find(|error| told(error).0 == "ix_guid").unwrap();
        assert_eq!(told(extra), ("ix_guid", Code::IdxEntryExtra, entry.pgno, entry.line));
        // Text too: nobody can compute its keys, but there is no row.
        assert!(errors.iter().any(|error| told(error).0 == "ix_utxt"), "{errors:?}");
        let in_all = errors.iter().map(|error| told(error).0).collect::<std::collections::BTreeSet<_>>();
        assert!(in_all.len() >= 8, "{in_all:?}");
    });
}

#[test]
fn a_key_of_an_entry_that_is_not_that_of_its_row_is_wrong() {
    on_both(|bench| {
        let entry = bench.entries("ix_guid")[9].clone();
        bench.flip(entry.pgno, entry.suffix.0 + entry.suffix.1 - 1, 0x01);
        let [wrong] = &bench.errors()[..] else { panic!("one error") };
        assert_eq!(told(wrong), ("ix_guid", Code::IdxEntryWrong, entry.pgno, entry.line));
        assert!(wrong.message.contains("expected key"), "{}", wrong.message);
        assert_eq!(wrong.offset - wrong.page_offset.unwrap(), entry.suffix.0 as u64);
    });
}

#[test]
fn a_bookmark_of_an_entry_that_leads_elsewhere_is_wrong() {
    on_both(|bench| {
        let entries = bench.entries("ix_guid");
        // To the row before and to the row behind, there or not.
        for bit in [0, 1] {
            let entry = entries.iter().find(|entry| entry.data.last().unwrap() & 1 == bit).unwrap();
            let at = entry.data_at + entry.data.len() - 1;
            bench.flip(entry.pgno, at, 0x01);
            let errors = bench.errors();
            let [wrong] = &errors[..] else { panic!("{errors:?}") };
            assert_eq!(told(wrong), ("ix_guid", Code::IdxEntryWrong, entry.pgno, entry.line));
            assert!(wrong.message.contains("expected bookmark"), "{}", wrong.message);
            bench.flip(entry.pgno, at, 0x01);
        }
    });
}

/// A unique secondary index, and two neighbouring entries on one page whose keys differ only in their own parts.
fn neighbours(bench: &Bench) -> (String, Found, Found) {
    let unique = bench.table.secondary_indexes().filter(|index| index.flags.contains(IndexFlags::UNIQUE));
    for index in unique {
        let entries = bench.entries(&index.name);
        let pair = entries.windows(2).find(|pair| {
            let [a, b] = pair else { return false };
            let own = a.key.len() - a.suffix.1;
            a.pgno == b.pgno && a.suffix.1 == b.suffix.1 && a.key.len() == b.key.len() && a.key[..own] == b.key[..own]
        });
        if let Some([a, b]) = pair {
            return (index.name.clone(), a.clone(), b.clone());
        }
    }
    panic!("no such entries");
}

#[test]
fn equal_keys_of_a_unique_index_are_duplicates() {
    on_both(|bench| {
        let (name, first, second) = neighbours(bench);
        let suffix = first.key[first.key.len() - first.suffix.1..].to_vec();
        database::patch_page(&mut bench.file, bench.size, second.pgno, |page| {
            page[second.suffix.0..][..suffix.len()].copy_from_slice(&suffix);
        });
        let errors = bench.errors();
        let of = |code| errors.iter().find(|error| error.code == code).map(told);
        let place = [(first.pgno, first.line), (second.pgno, second.line)];
        let (tree, _, pgno, line) = of(Code::IdxDuplicateKey).expect("a duplicate");
        assert!(tree == name && place.contains(&(pgno, line)), "{errors:?}");
        assert_eq!(of(Code::IdxEntryWrong).map(|told| (told.2, told.3)), Some(place[1]), "{errors:?}");
        let duplicate = errors.iter().find(|error| error.code == Code::IdxDuplicateKey).unwrap();
        assert_eq!(duplicate.jet.map(|jet| jet.0), Some(-1605));
    });
}

#[test]
fn a_primary_key_that_is_not_that_of_the_row_is_a_wrong_record_key() {
    on_both(|bench| {
        let row = bench.rows()[11].clone();
        bench.flip(row.pgno, row.suffix.0 + row.suffix.1 - 1, 0x80);
        let errors = bench.errors();
        let key: Vec<&Finding> = errors.iter().filter(|error| error.code == Code::RecordKey).collect();
        let [key] = key[..] else { panic!("{errors:?}") };
        assert_eq!((key.pgno.unwrap().0, key.detail.line), (row.pgno, Some(row.line)));
        assert_eq!((key.detail.rule, key.detail.count), (Some("I3"), Some(1)));
        // Every index has the old key; where there is text, nobody can tell whose entry it is.
        let others = errors.iter().filter(|error| error.code != Code::RecordKey && told(error).0 != "ix_utxt");
        assert!(
            others.clone().count() > 5 && others.clone().all(|error| error.code == Code::IdxEntryWrong),
            "{errors:?}"
        );
    });
}

#[test]
fn many_wrong_primary_keys_of_one_page_are_one_finding() {
    on_both(|bench| {
        let rows = bench.rows();
        let page: Vec<Found> =
            rows.iter().filter(|row| row.pgno == rows[0].pgno && row.suffix.1 > 0).cloned().collect();
        for row in &page {
            bench.flip(row.pgno, row.suffix.0 + row.suffix.1 - 1, 0x80);
        }
        let errors = bench.errors();
        let counts: Vec<_> =
            errors.iter().filter(|error| error.code == Code::RecordKey).map(|error| error.detail.count).collect();
        assert_eq!(counts, [Some(page.len() as u64)]);
    });
}

#[test]
fn a_number_of_a_numbered_row_must_have_four_bytes_and_not_be_zero() {
    for (base, size) in BASES {
        let mut bench = Bench::new(base, size);
        let source = MemorySource(&bench.file);
        let schema = Catalog::read(Pages::new(&source, size)).schema;
        let numbered = schema.tables.iter().filter(|table| table.primary_index().is_none());
        let roots: Vec<Pgno> = numbered.map(|table| table.root).collect();
        let all: Vec<Found> = roots.iter().flat_map(|root| bench.nodes(*root)).collect();
        let first = all.iter().find(|row| row.key == [0, 0, 0, 1] && row.suffix.1 > 0).expect("a numbered row");
        bench.flip(first.pgno, first.suffix.0 + first.suffix.1 - 1, 1);
        let errors = bench.errors();
        let [wrong] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((wrong.code, wrong.detail.line), (Code::RecordKey, Some(first.line)));
        assert!(wrong.message.contains("expected a key of 4 bytes above 0, found 00000000"), "{}", wrong.message);
    }
}

#[test]
fn text_in_a_key_must_have_the_shape_of_a_sort_key() {
    on_both(|bench| {
        let entries = bench.entries("ix_utxt");
        let is_own = |entry: &&Found| entry.suffix.1 == entry.key.len() && entry.key.ends_with(&[1, 1, 1, 1, 0]);
        let entry = entries.iter().find(is_own).expect("an uncut text").clone();
        // A separator becomes a weight; the terminator becomes one; the prefix becomes another.
        for (from_end, bits, rule) in [(2, 0x10, "I11"), (1, 0x10, "I10"), (entry.key.len(), 0x01, "I10")] {
            let at = entry.suffix.0 + entry.key.len() - from_end;
            bench.flip(entry.pgno, at, bits);
            let errors = bench.errors();
            let [wrong] = &errors[..] else { panic!("{errors:?}") };
            assert_eq!(told(wrong), ("ix_utxt", Code::IdxEntryWrong, entry.pgno, entry.line));
            assert_eq!(wrong.detail.rule, Some(rule), "{}", wrong.message);
            bench.flip(entry.pgno, at, bits);
        }
        let sound = bench.check();
        let [unverifiable] = sound.with_code(Code::IdxUnverifiable)[..] else { panic!("{:?}", sound.findings) };
        assert_eq!(unverifiable.severity, Severity::Info);
        assert!(unverifiable.message.contains("version 0503060005030600"), "{}", unverifiable.message);
    });
}

#[test]
fn an_entry_with_text_that_is_gone_or_leads_elsewhere_is_noticed() {
    on_both(|bench| {
        let entry = bench.entries("ix_utxt")[4].clone();
        let sound = bench.file.clone();
        bench.delete(&entry);
        assert_eq!(bench.errors().iter().map(|error| error.code).collect::<Vec<_>>(), [Code::IdxEntryMissing]);
        bench.file = sound;
        bench.flip(entry.pgno, entry.data_at + entry.data.len() - 1, 0x01);
        let codes: Vec<Code> = bench.errors().iter().map(|error| error.code).collect();
        assert!(codes.contains(&Code::IdxEntryMissing) || codes.contains(&Code::IdxEntryExtra), "{codes:?}");
    });
}

#[test]
fn what_lies_on_an_unreadable_page_is_counted_and_not_reported() {
    on_both(|bench| {
        let sound = bench.file.clone();
        let rows = bench.rows();
        let entries = bench.entries("ix_guid");
        let middle_row = rows[rows.len() / 2].pgno;
        let gone = rows.iter().filter(|row| row.pgno == middle_row);
        let their_entries = gone.filter(|row| entries.iter().any(|entry| entry.data == row.key)).count() as u64;
        let of_page = |checked: &Checked, page: u32| -> u64 {
            checked.consequences.iter().filter(|(pgno, _)| pgno.0 == page).map(|(_, count)| count).sum()
        };
        database::flip_bits(&mut bench.file, bench.size, middle_row, &[900, 5000]);
        let checked = bench.check();
        assert!(checked.errors().is_empty(), "{:?}", checked.errors());
        assert!(of_page(&checked, middle_row) >= their_entries && their_entries > 0);

        bench.file = sound.clone();
        let middle_entry = entries[entries.len() / 2].pgno;
        let gone = entries.iter().filter(|entry| entry.pgno == middle_entry).count() as u64;
        database::flip_bits(&mut bench.file, bench.size, middle_entry, &[900, 5000]);
        let checked = bench.check();
        assert!(checked.errors().is_empty(), "{:?}", checked.errors());
        assert_eq!(of_page(&checked, middle_entry), gone);

        bench.file = sound;
        let mut pages: Vec<u32> =
            bench.nodes(bench.table.long_values.unwrap().root).iter().map(|node| node.pgno).collect();
        pages.dedup();
        for page in pages {
            database::flip_bits(&mut bench.file, bench.size, page, &[900, 5000]);
        }
        let checked = bench.check();
        assert!(checked.errors().is_empty(), "{:?}", checked.errors());
        assert!(checked.exact.iter().any(|name| name == "Kitchen.ix_lbin"), "{:?}", checked.exact);
    });
}

#[test]
fn in_a_dirty_database_indexes_have_warnings_and_primary_keys_errors() {
    on_both(|bench| {
        let entry = bench.entries("ix_guid")[5].clone();
        bench.delete(&entry);
        let row = bench.rows()[11].clone();
        bench.flip(row.pgno, row.suffix.0 + row.suffix.1 - 1, 0x80);
        let dirty = check_as(&bench.file, Order::Sequential, Shutdown::Dirty);
        assert!(dirty.errors().iter().all(|error| error.code == Code::RecordKey) && dirty.errors().len() == 1);
        let warnings = dirty.of(Severity::Warning);
        assert!(warnings.iter().any(|warning| warning.code == Code::IdxEntryMissing), "{warnings:?}");
    });
}

#[test]
fn of_many_differences_the_first_are_told_and_the_rest_are_counted() {
    on_both(|bench| {
        let entries = bench.entries("ix_guid");
        for entry in &entries {
            bench.delete(entry);
        }
        let checked = bench.check();
        let missing = checked.with_code(Code::IdxEntryMissing);
        assert_eq!(missing.len(), FINDINGS_MOST.min(entries.len()));
        let told: u64 = missing.iter().map(|finding| finding.detail.count.unwrap_or(1)).sum();
        assert_eq!(told, entries.len() as u64);
        assert!(missing.is_sorted_by_key(|finding| finding.offset));
    });
}

/// `NAME.edb` of the engine's databases beside the checkout.
fn shared(name: &str, size: PageSize, table: &str) -> Option<Bench> {
    let file = corpus::unpack(&corpus::shared()?.join(format!("engine/db/{name}.edb.gz")));
    Some(Bench::of(file, size, table))
}

#[test]
fn equal_texts_must_have_equal_segments() {
    let large = Bench::new("kitchen-32k-w10.edb", PageSize::K32);
    for mut bench in [Some(large), shared("kitchen-8k", PageSize::K8, "Kitchen")].into_iter().flatten() {
        let entries = bench.entries("ix_utxt");
        let pair = entries
            .windows(2)
            .find(|pair| pair[0].key == pair[1].key && pair[0].key[0] == 0x7F)
            .expect("two rows with one text");
        // The first weight that lies in a node of the pair.
        let entry = pair.iter().max_by_key(|entry| entry.suffix.1).unwrap().clone();
        let own = entry.key.len() - entry.suffix.1;
        let weight = (own.max(1)..entry.key.len()).find(|at| entry.key[*at] > 3).expect("a weight");
        bench.flip(entry.pgno, entry.suffix.0 + weight - own, 0x02);
        let errors = bench.errors();
        let [wrong] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((wrong.code, wrong.detail.rule), (Code::IdxEntryWrong, Some("I11")), "{}", wrong.message);
        assert!(pair.iter().any(|entry| told(wrong) == ("ix_utxt", Code::IdxEntryWrong, entry.pgno, entry.line)));
    }
}

#[test]
fn pieces_of_texts_are_missed_one_by_one_or_where_the_sort_tables_hide_them_all_together() {
    for (name, size) in [("extra-4k", PageSize::K4), ("extra-32k", PageSize::K32)] {
        let Some(mut bench) = shared(name, size, "Tuples") else { return };
        let piece = bench.entries("tup_txt")[20].clone();
        bench.delete(&piece);
        let errors = bench.errors();
        let [missing] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((told(missing).0, missing.code), ("tup_txt", Code::IdxEntryMissing));

        let Some(mut bench) = shared(name, size, "Tuples") else { return };
        let entries = bench.entries("tup_ltu");
        for piece in entries.iter().filter(|entry| entry.data == entries[0].data) {
            bench.delete(piece);
        }
        let errors = bench.errors();
        let [missing] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((told(missing).0, missing.code), ("tup_ltu", Code::IdxEntryMissing));
    }
}

#[test]
fn no_damage_to_a_row_or_an_entry_stops_the_check_or_makes_it_depend_on_the_order() {
    let mut random = 0x9E37_79B9_u64;
    let mut next = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % most
    };
    let (base, size) = BASES[0];
    let bench = Bench::new(base, size);
    let mut nodes = bench.rows();
    for index in bench.table.secondary_indexes() {
        nodes.extend(bench.entries(&index.name));
    }
    let mut with_errors = 0;
    for _ in 0..40 {
        let mut bench = Bench { file: bench.file.clone(), size, table: bench.table.clone() };
        for _ in 0..3 {
            let node = &nodes[next(nodes.len())];
            // Sizes of key parts, keys, bookmarks, records: whatever lies there.
            let at = node.suffix.0 - 4 + next(node.suffix.1 + node.data.len() + 4);
            bench.flip(node.pgno, at, 1 << next(8));
        }
        with_errors += usize::from(!bench.check().errors().is_empty());
    }
    assert!(with_errors > 20, "{with_errors}");
}
