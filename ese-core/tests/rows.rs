//! Rows and values: those of the engine's databases are its own truth, value for value; those of real databases are as many
//! as another reader counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;

use catdb_test_data::{corpus, database};
use ese_core::database::{Database, DeletedRows, FieldError, RowFault, Table};
use ese_core::format::PageSize;
use ese_core::source::MemorySource;

fn open(file: Vec<u8>) -> Database {
    Database::from_source(Box::new(MemorySource(file))).expect("a database")
}

type Columns = BTreeMap<String, Vec<String>>;

/// Every row as the truth writes it: columns by name, values in hex.
fn rows(table: Table<'_>) -> Vec<Columns> {
    let names: HashMap<usize, &str> = table.columns().map(|(place, column)| (place, column.name.as_str())).collect();
    let (mut scan, mut values) = (table.scan(DeletedRows::Skip), table.values());
    let mut rows = Vec::new();
    while let Some(row) = scan.next_row() {
        let row = row.expect("a row");
        let mut columns = Columns::new();
        values
            .for_each(&row.record, |value| {
                let mut bytes = Vec::new();
                value.bytes.expect("a value").read_into(usize::MAX, &mut bytes).expect("a whole value");
                let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                columns.entry(names[&value.column].to_owned()).or_default().push(hex);
            })
            .expect("tagged columns");
        rows.push(columns);
    }
    rows
}

fn truth(path: &Path) -> BTreeMap<String, Vec<Columns>> {
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    let mut tables: BTreeMap<String, Vec<Columns>> = BTreeMap::new();
    for line in lines {
        let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let columns = serde_json::from_value(row["cols"].clone()).unwrap();
        tables.entry(row["table"].as_str().unwrap().to_owned()).or_default().push(columns);
    }
    tables
}

#[test]
fn the_rows_of_the_engines_databases_are_its_truth() {
    let Some(shared) = corpus::shared() else { return };
    let mut compared = 0;
    for path in corpus::databases(&shared.join("engine/db")) {
        let db = open(corpus::unpack(&path));
        let truth = truth(Path::new(&path.to_str().unwrap().replace(".edb.gz", ".truth.jsonl.gz")));
        for table in db.tables().filter(|table| !table.schema().is_system()) {
            let expected = truth.get(table.name()).map_or(&[][..], Vec::as_slice);
            let found = rows(table);
            for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_eq!(found, expected, "{}: {} row {number}", path.display(), table.name());
            }
            assert_eq!(found.len(), expected.len(), "{}: {}", path.display(), table.name());
            compared += found.len();
        }
        assert!(truth.keys().all(|name| db.table(name).is_some()));
    }
    println!("{compared} rows equal the truth");
    assert!(compared > 60_000, "{compared}");
}

/// Where the other reader takes rows of the catalog that are flagged deleted for rows, and with them the root of a table
/// that is gone for that of the one that is there: folder, table, rows that there are.
const OTHERWISE: [(&str, [(&str, &str); 4]); 2] = [
    (
        "srum/win10-19043/",
        [("MSysObjects", "195"), ("MSysObjectsShadow", "195"), ("MSysObjids", "25"), (TABLE_MADE_ANEW, "163")],
    ),
    (
        "srum/win11-22000/",
        [("MSysObjects", "243"), ("MSysObjectsShadow", "243"), ("MSysObjids", "34"), (TABLE_MADE_ANEW, "791")],
    ),
];
const TABLE_MADE_ANEW: &str = "{5C8CF1C7-7257-4F13-B223-970EF5939312}";

#[test]
fn real_tables_have_the_rows_that_another_reader_counts() {
    let Some(shared) = corpus::shared() else { return };
    let counts = std::fs::read_to_string(shared.join("corpus/counts.csv")).unwrap();
    let mut tables = 0;
    for path in corpus::databases(&shared.join("corpus")) {
        let name = path.strip_prefix(shared.join("corpus")).unwrap().to_str().unwrap().to_owned();
        let db = open(corpus::unpack(&path));
        for line in counts.lines().filter(|line| line.split(',').next() == Some(&name)) {
            let fields: Vec<&str> = line.split(',').collect();
            let mut scan = db.table(fields[1]).unwrap().scan(DeletedRows::Skip);
            let mut count = 0;
            while let Some(row) = scan.next_row() {
                count += usize::from(row.is_ok());
            }
            let otherwise = OTHERWISE.iter().find(|(folder, _)| name.starts_with(folder));
            let otherwise = otherwise.and_then(|(_, tables)| tables.iter().find(|(table, _)| *table == fields[1]));
            assert_eq!(count.to_string(), otherwise.map_or(fields[3], |(_, rows)| *rows), "{name}: {}", fields[1]);
            tables += 1;
        }
    }
    assert!(tables > 200, "{tables}");
}

#[test]
fn rows_as_values_are_the_same_rows() {
    let db = open(corpus::fixture("kitchen-4k-b.edb"));
    let mut several = 0;
    for table in db.tables().filter(|table| !table.schema().is_system()) {
        let scanned = rows(table);
        for (row, expected) in table.rows().zip(&scanned) {
            let row = row.unwrap();
            for (column, field) in row.fields() {
                let field = field.unwrap();
                let hex: Vec<String> =
                    field.bytes().map(|value| value.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
                assert_eq!(hex, expected.get(&column.name).cloned().unwrap_or_default(), "{}", column.name);
                several += usize::from(hex.len() > 1);
            }
        }
        assert_eq!(table.rows().count(), scanned.len());
    }
    assert!(several > 0);
}

#[test]
fn a_value_in_pieces_is_the_value_as_a_whole() {
    let db = open(corpus::fixture("kitchen-4k-b.edb"));
    let (mut compared, mut in_pieces) = (0, 0);
    for table in db.tables().filter(|table| !table.schema().is_system()) {
        let mut values = table.values();
        for row in table.rows().map(Result::unwrap) {
            for column in table.columns().map(|(_, column)| &column.name) {
                let field = row.get(column).unwrap();
                for (sequence, whole) in (1..).zip(field.bytes()) {
                    let mut value = row.open(&mut values, column, sequence).unwrap().unwrap();
                    let (mut pieces, mut bytes) = (0, Vec::new());
                    while let Some(chunk) = value.next_chunk() {
                        let chunk = chunk.unwrap();
                        assert_eq!(chunk.offset as usize, bytes.len());
                        bytes.extend_from_slice(chunk.bytes);
                        pieces += 1;
                    }
                    assert_eq!(bytes, whole, "{column}");
                    compared += 1;
                    in_pieces += usize::from(pieces > 1);
                }
                assert!(row.open(&mut values, column, field.bytes().len() + 1).unwrap().is_none());
            }
            assert!(matches!(row.open(&mut values, "nothing", 1), Err(FieldError::NoColumn(_))));
        }
    }
    assert!(compared > 1_000 && in_pieces > 10, "{compared}, {in_pieces}");
}

#[test]
fn a_field_is_asked_for_by_name_and_shows_its_value() {
    let db = open(corpus::fixture("catdb-200.edb"));
    let table = db.table("hashcatnametablesha1").unwrap();
    let row = table.rows().next().unwrap().unwrap();
    let hash = row.get("HashCatNameTable_HashCol").unwrap();
    assert_eq!(hash.to_string().len(), 40);
    assert!(!hash.is_null() && hash.bytes().next().unwrap().len() == 20);
    assert!(matches!(row.get("nothing"), Err(FieldError::NoColumn(name)) if name == "nothing"));
}

#[test]
fn a_bad_leaf_costs_its_rows_and_nothing_else() {
    let size = PageSize::K4;
    let mut file = corpus::fixture("catdb-200.edb");
    let all = open(file.clone()).table("HashCatNameTableSHA1").unwrap().rows().count();
    database::flip_bits(&mut file, size, 45, &[8 * 1400, 8 * 1417 + 5]);
    let db = open(file);
    let (good, bad): (Vec<_>, Vec<_>) = db.table("HashCatNameTableSHA1").unwrap().rows().partition(Result::is_ok);
    let [Err(RowFault::Tree(fault))] = &bad[..] else { panic!("{} faults", bad.len()) };
    assert_eq!(fault.pgno().0, 45);
    assert!(good.len() > all / 2 && good.len() < all, "{} of {all}", good.len());
}
