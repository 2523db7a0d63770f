//! `catdb-cli entries` and `lookup`: which hash belongs to which catalog.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use std::io::Read;

use catdb_test_data::build::{DatabaseBuilder, NOT_NULL, TableSpec, Type, Value as V};
use catdb_test_data::{corpus, database};
use ese_core::format::PageSize;
use serde_json::Value;
use sha2::Digest;
use world::World;

/// A catdb of Windows 10 with two files in it.
fn catdb_10() -> Vec<u8> {
    let table = |name: &str| {
        TableSpec::new(name)
            .variable("HashCatNameTable_HashCol", Type::Binary, NOT_NULL)
            .tagged("HashCatNameTable_CatNameCol", Type::LongBinary, 0)
            .primary(&["+HashCatNameTable_HashCol"])
    };
    let sha256 = |content: &[u8]| V::bytes(sha2::Sha256::digest(content));
    let rows = [vec![sha256(b"one"), V::bytes(b"A.cat|B.cat|")], vec![sha256(b"two"), V::bytes(b"B.cat")]];
    let builder = DatabaseBuilder::new(PageSize::K4).table(table("HashCatNameTableSHA256").rows(rows));
    builder.table(table("HashCatNameTableSHA1").row(vec![V::bytes([7; 20]), V::bytes("x\u{202e}|")])).build().bytes
}

#[test]
fn the_entries_of_a_real_catdb_are_those_that_are_known() {
    let Some(shared) = corpus::shared() else { return };
    let folder = shared.join("corpus/catdb-2003/f750");
    let world = World::new().with("catdb", &corpus::unpack(&folder.join("catdb.gz")));
    let run = world.run(&["entries", "--format", "jsonl", "catdb"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let mut expected = String::new();
    let packed = std::fs::File::open(folder.join("entries.csv.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut expected).unwrap();
    let mut found = String::from("hash,catalogs\n");
    for line in run.out.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&entry["table"], &entry["algorithm"]), (&"HashCatNameTable".into(), &"sha1".into()));
        let names: Vec<&str> =
            entry["catalogs"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        found.push_str(&format!("{},{}\n", entry["hash"].as_str().unwrap(), names.join("|")));
    }
    assert!(found.lines().eq(expected.lines()), "16,769 entries, name for name");
    assert_eq!(found.lines().count(), 16_770);

    let one = world.run(&["entries", "--format", "csv", "--hash", "000249383ABEF50B18D569D2242ADDDCC5A6402F", "catdb"]);
    assert_eq!(
        one.out,
        "table,algorithm,hash,catalogs\n\
         \"HashCatNameTable\",sha1,000249383abef50b18d569d2242adddcc5a6402f,\"NT5.CAT|SP2.CAT\"\n"
    );
    let sp2 = world.run(&["entries", "--catalog", "ntprint.cat", "catdb"]);
    assert!(sp2.out.lines().count() > 2 && sp2.out.ends_with(" (Windows XP x64 / Server 2003 (engine 5.2))\n"));
    // Every hash is found by the way down its tree.
    for line in expected.lines().skip(1).step_by(997) {
        let hash = line.split(',').next().unwrap();
        let run = world.run(&["lookup", "--db", "catdb", "--hash", hash]);
        assert_eq!(run.code, 0, "{hash}: {}", run.out);
    }
}

#[test]
fn entries_of_windows_10_name_their_algorithm_and_generation() {
    let world = World::new().with("catdb", &catdb_10());
    let run = world.run(&["entries", "--format", "jsonl", "catdb"]);
    let entries: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((run.code, entries.len()), (0, 3), "{}", run.err);
    let of = |algorithm: &str| entries.iter().filter(|entry| entry["algorithm"] == algorithm).count();
    assert_eq!((of("sha256"), of("sha1")), (2, 1));
    assert!(!run.out.contains('\u{202e}'));
    assert!(world.run(&["entries", "catdb"]).out.contains("catdb: 3 entries; catdb-10"));
}

#[test]
fn a_file_is_looked_up_by_its_own_hashes() {
    let world = World::new().with("catdb", &catdb_10()).with("known", b"one").with("unknown", b"three");
    let known = world.run(&["lookup", "--db", "catdb", "--file", "known"]);
    assert_eq!(known.code, 0, "{}", known.err);
    assert!(known.out.starts_with("known: FOUND in catdb: 2 catalog names\n"), "{}", known.out);
    assert!(
        known.out.contains("A.cat") && known.out.contains("B.cat") && known.out.contains("line 2"),
        "{}",
        known.out
    );
    let unknown = world.run(&["lookup", "--db", "catdb", "--file", "unknown", "--format", "json"]);
    let document: Value = serde_json::from_str(&unknown.out).unwrap();
    assert_eq!((unknown.code, &document["found"]), (1, &false.into()));
    assert_eq!(document["hashes"][0]["rule"], "flat");
    assert_eq!(document["hashes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hash_is_found_behind_a_damaged_root() {
    let mut file = corpus::fixture("catdb-200.edb");
    let world = World::new().with("catdb", &file);
    let all = world.run(&["entries", "--format", "csv", "catdb"]).out;
    let hash = all.lines().nth(1).unwrap().split(',').nth(2).unwrap().to_owned();
    assert_eq!(world.run(&["lookup", "--db", "catdb", "--hash", &hash]).code, 0);
    assert_eq!(world.run(&["lookup", "--db", "catdb", "--hash", &"0".repeat(40)]).code, 1);
    database::flip_bits(&mut file, PageSize::K4, 45, &[8 * 1400, 8 * 1417 + 5]);
    let damaged = World::new().with("catdb", &file).run(&["entries", "--format", "csv", "catdb"]);
    assert_eq!(damaged.code, 1);
    assert!(damaged.err.contains("page 45"), "{}", damaged.err);
}

#[test]
fn what_is_no_catdb_or_no_question_is_refused() {
    let world = World::new().with("db", &database::tiny(PageSize::K4, 12)).with("catdb", &catdb_10());
    let run = world.run(&["entries", "db"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("expected the tables of a catdb"), "{}", run.err);
    assert_eq!(world.run(&["lookup", "--db", "catdb"]).code, 2);
    let both = ["lookup", "--db", "catdb", "--file", "db", "--hash", &"0".repeat(40)];
    assert_eq!(world.run(&both).code, 2);
    assert_eq!(world.run(&["lookup", "--db", "catdb", "--hash", "00"]).code, 2);
    assert_eq!(world.run(&["lookup", "--db", "catdb", "--file", "absent"]).code, 2);
}
