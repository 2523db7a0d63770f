//! `catdb-cli export` as a user meets it: every value of every table, and nothing of a hostile one outside its place.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use catdb_test_data::build::{ANY_NULLS, DatabaseBuilder, MULTI_VALUED, NOT_NULL, TableSpec, Type, Value as V};
use catdb_test_data::{corpus, database};
use ese_core::format::PageSize;
use serde_json::Value;
use world::{Run, World};

const UTF16: u32 = 1200;
const FORMATS: &[&str] = &[
    "jsonl",
    "csv",
    #[cfg(feature = "sqlite")]
    "sqlite",
    #[cfg(feature = "parquet")]
    "parquet",
];

/// Runs an export, which is the one command that leaves something behind.
fn export(world: &World, args: &[&str]) -> Run {
    world.command(&[&["export"], args].concat()).output().unwrap().into()
}

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.path(path)).unwrap()
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

type Columns = BTreeMap<String, Vec<String>>;

fn lines(reader: impl BufRead) -> impl Iterator<Item = Value> {
    reader.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

#[test]
fn raw_values_are_the_truth_of_the_engine() {
    let Some(shared) = corpus::shared() else { return };
    let mut compared = 0;
    for path in corpus::databases(&shared.join("engine/db")) {
        let world = World::new().with("db", &corpus::unpack(&path));
        let run = export(&world, &["--values", "raw", "--out", "out", "db"]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", path.display());
        let mut truth: BTreeMap<String, Vec<Columns>> = BTreeMap::new();
        let packed = std::fs::File::open(path.to_str().unwrap().replace(".edb.gz", ".truth.jsonl.gz")).unwrap();
        for row in lines(BufReader::new(flate2::read::GzDecoder::new(packed))) {
            let columns = serde_json::from_value(row["cols"].clone()).unwrap();
            truth.entry(row["table"].as_str().unwrap().to_owned()).or_default().push(columns);
        }
        let manifest = manifest(&world.path("out"));
        for table in manifest["tables"].as_array().unwrap() {
            let name = table["table"].as_str().unwrap();
            let file = std::fs::File::open(world.path("out").join(table["file"].as_str().unwrap())).unwrap();
            let rows: Vec<Columns> =
                lines(BufReader::new(file)).map(|row| serde_json::from_value(row).unwrap()).collect();
            assert_eq!(table["rows"], rows.len());
            let expected = truth.remove(name).unwrap_or_default();
            assert!(rows == expected, "{}: {name}", path.display());
            compared += rows.len();
        }
        assert!(truth.is_empty(), "{}: {:?} were not exported", path.display(), truth.keys());
    }
    assert!(compared > 60_000, "{compared}");
}

fn small() -> Vec<u8> {
    let table = TableSpec::new("Files")
        .fixed("id", Type::Long, NOT_NULL)
        .fixed("late", Type::Long, 0)
        .default_value(&7_i32.to_le_bytes())
        .tagged("name", Type::LongText(UTF16), 0)
        .tagged("blob", Type::LongBinary, 0)
        .tagged("several", Type::Long, MULTI_VALUED)
        .primary(&["-id"])
        .index("several", ANY_NULLS, &["+several"])
        .rows([
            vec![V::long(1), V::long(5), V::utf16("one"), V::bytes([1; 3000]), V::longs(&[30, -4])],
            vec![V::long(2)],
            vec![V::long(3), V::Null, V::utf16(""), V::Null, V::long(9)],
        ]);
    let other = TableSpec::new("Other").fixed("id", Type::Long, NOT_NULL).row(vec![V::long(1)]);
    DatabaseBuilder::new(PageSize::K4).table(table).table(other).build().bytes
}

#[test]
fn rows_come_in_key_order_typed_with_defaults_and_without_nulls() {
    let run = World::new().with("db", &small()).run(&["export", "--table", "files", "--out", "-", "db"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let rows: Vec<&str> = run.out.lines().collect();
    assert_eq!(rows[0], r#"{"id":3,"late":7,"name":"","several":[9]}"#);
    assert_eq!(rows[1], r#"{"id":2,"late":7}"#);
    assert!(rows[2].starts_with(r#"{"id":1,"late":5,"name":"one","blob":"0101"#), "{}", rows[2]);
    assert!(rows[2].ends_with(r#"01","several":[30,-4]}"#));
}

#[test]
fn one_table_as_csv_goes_to_standard_output() {
    let world = World::new().with("db", &small());
    let run = world.run(&["export", "--format", "csv", "--table", "Other", "--provenance", "--out", "-", "db"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let mut reader = csv::Reader::from_reader(run.out.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["id", "_pgno", "_line", "_status"]);
    assert_eq!(&reader.records().next().unwrap().unwrap()[3], "intact");
}

#[test]
fn conditions_choose_rows_and_tables() {
    let world = World::new().with("db", &small());
    let with = |condition: &str| world.run(&["export", "--out", "-", "--where", condition, "db"]);
    assert_eq!(with("several=-4").out.lines().count(), 1);
    assert_eq!(with("LATE=5").out.lines().count(), 1);
    assert_eq!(with("id=1").out.lines().count(), 2, "of both tables");
    let none = with("nothing=1");
    assert_eq!(none.code, 2);
    assert!(none.err.contains("expected a table with nothing"), "{}", none.err);
}

#[test]
fn places_and_keys_go_along_with_rows() {
    let args = ["export", "--table", "Files", "--provenance", "--keys", "--out", "-", "db"];
    let run = World::new().with("db", &small()).run(&args);
    let rows: Vec<Value> = lines(run.out.as_bytes()).collect();
    let of = |row: usize| (&rows[row]["_source"]["line"], &rows[row]["_keys"]);
    assert_eq!(rows[0]["_source"]["status"], "intact");
    assert_eq!(of(0).0, 1, "the index of the tag");
    // Descending: all bits flipped, and the sign bit besides.
    assert_eq!(of(0).1, &serde_json::json!({"primary": ["807ffffffc"], "several": ["7f80000009"]}));
    assert_eq!(of(1).1, &serde_json::json!({"primary": ["807ffffffd"], "several": ["00"]}));
    assert_eq!(of(2).1, &serde_json::json!({"primary": ["807ffffffe"], "several": ["7f7ffffffc", "7f8000001e"]}));
}

#[test]
fn the_manifest_names_what_is_there() {
    let world = World::new().with("db", &small());
    let run = export(&world, &["--format", "csv", "--sha256", "--out", "out", "db"]);
    assert_eq!((run.code, run.out.as_str()), (0, "out: 2 tables, 4 rows\n"), "{}", run.err);
    let manifest = manifest(&world.path("out"));
    assert_eq!(manifest["schema"], "catdb.export/1");
    assert_eq!((&manifest["format"], &manifest["values"]), (&"csv".into(), &"typed".into()));
    assert_eq!(manifest["input_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["faults"]["count"], 0);
    let table = &manifest["tables"][0];
    assert_eq!((&table["table"], &table["file"], &table["rows"]), (&"Files".into(), &"Files.csv".into(), &3.into()));
    assert_eq!(table["indexes"][0]["key"], serde_json::json!(["-id"]));
    assert_eq!(read(&world, "out/Other.csv"), "\"id\"\n1\n");
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_of_a_refusal() {
    let world = World::new().with("db", &small()).with("out/mine", b"mine").with("text", b"no database");
    for (args, reason) in [
        (&["export", "--out", "out", "db"][..], "expected a new or an empty folder"),
        (&["export", "--out", "new", "text"], "ESE"),
        (&["export", "--out", "new", "absent"], "no such file"),
        (&["export", "--out", "new", "--table", "x", "db"], "expected a table x"),
        (&["export", "--out", "-", "--format", "csv", "db"], "expected one table for CSV on standard output, found 2"),
        #[cfg(feature = "sqlite")]
        (&["export", "--out", "-", "--format", "sqlite", "db"], "expected --format jsonl or csv"),
    ] {
        let run = world.run(args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(reason) && run.err.contains("Next: "), "{args:?}: {}", run.err);
    }
}

#[test]
fn a_bad_page_costs_its_rows_and_is_told() {
    let mut file = corpus::fixture("catdb-200.edb");
    let world = World::new().with("whole", &file);
    let whole = export(&world, &["--out", "-", "--table", "HashCatNameTableSHA1", "whole"]);
    database::flip_bits(&mut file, PageSize::K4, 45, &[8 * 1400, 8 * 1417 + 5]);
    let world = world.with("db", &file);
    let run = export(&world, &["--out", "out", "--table", "HashCatNameTableSHA1", "db"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("lost  HashCatNameTableSHA1: page 45: its checksum fails"), "{}", run.err);
    let manifest = manifest(&world.path("out"));
    assert_eq!(manifest["faults"]["count"], 1);
    assert_eq!(manifest["faults"]["first"][0]["pgno"], 45);
    let rows = manifest["tables"][0]["rows"].as_u64().unwrap();
    assert!(rows > 50 && rows < whole.out.lines().count() as u64, "{rows}");
    let all = read(&world, "out/HashCatNameTableSHA1.jsonl");
    assert!(all.lines().all(|row| whole.out.contains(row)), "every row that is there is as it was");
}

#[test]
fn a_lost_long_value_is_kept_as_far_as_it_goes_and_told() {
    let mut file = small();
    let whole = World::new().with("db", &file).run(&["export", "--out", "-", "--table", "Files", "db"]);
    assert_eq!(whole.code, 0);
    // The reference stays, its chunks go.
    let page = (1..file.len() / 4096 - 1).find(|page| {
        let bytes = &file[(page + 1) * 4096..(page + 2) * 4096];
        bytes.windows(1500).any(|window| window.iter().all(|byte| *byte == 1))
    });
    let page = u32::try_from(page.unwrap()).unwrap();
    database::flip_bits(&mut file, PageSize::K4, page, &[8 * 1000, 8 * 2000 + 1]);
    let run = World::new().with("db", &file).run(&["export", "--out", "-", "--table", "Files", "db"]);
    assert_eq!((run.code, run.out.lines().count()), (1, 3), "{}", run.err);
    assert!(run.err.contains("column blob") && run.err.contains("Files, page "), "{}", run.err);
    assert!(run.out.contains(r#""blob":{"hex":"#) && run.out.contains(r#""several":[30,-4]"#), "{}", run.out);
}

#[test]
fn a_column_that_a_record_has_twice_is_told_and_moves_no_other() {
    let table = ["a", "b", "c"].iter().fold(TableSpec::new("T").fixed("id", Type::Long, NOT_NULL), |table, name| {
        table.tagged(name, Type::LongBinary, 0)
    });
    let row = vec![V::long(1), V::bytes([1; 3]), V::bytes([2; 3]), V::bytes([3; 3])];
    let mut built = DatabaseBuilder::new(PageSize::K32).table(table.row(row)).build();
    let (place, _) = built.nodes("T").remove(0);
    built.edit_node(place, |node| {
        // The third entry gets the id of the first.
        let at = node.data.windows(2).position(|id| id == 258_u16.to_le_bytes()).unwrap();
        node.data[at..at + 2].copy_from_slice(&256_u16.to_le_bytes());
    });
    let world = World::new().with("db", &built.bytes);
    let run = world.run(&["export", "--out", "-", "db"]);
    assert_eq!((run.code, run.out.as_str()), (1, "{\"id\":1,\"a\":\"010101\",\"b\":\"020202\"}\n"));
    assert!(run.err.contains("column 256: expected one entry, found another"), "{}", run.err);
    let run = world.run(&["export", "--format", "csv", "--out", "-", "db"]);
    assert_eq!((run.code, run.out.lines().nth(1)), (1, Some("1,\"010101\",\"020202\",")));
    for format in FORMATS {
        let out = format!("out-{format}");
        assert_eq!(export(&world, &["--format", format, "--out", &out, "db"]).code, 1, "{format}");
        assert_eq!(manifest(&world.path(&out))["faults"]["count"], 1, "{format}");
    }
}

/// A database whose names and values try to get out of their place.
fn hostile() -> Vec<u8> {
    let texts =
        ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\u{1b}[2J\u{7}", "a\u{202e}gnp.exe", "\",\"\n\r\t", "../../x"];
    let hostile_table = |name: &str| {
        let rows = (0_i32..).zip(texts).map(|(id, text)| vec![V::long(id - 4), V::utf16(text)]);
        TableSpec::new(name)
            .fixed("=id", Type::Long, NOT_NULL)
            .tagged("_source", Type::LongText(UTF16), 0)
            .primary(&["+=id"])
            .rows(rows)
    };
    let names = ["../../../tmp/escaped", "..", "/etc/passwd", "NUL", "a|b<c>:\"d", "-rf", "=x", "sqlite_master"];
    let builder = DatabaseBuilder::new(PageSize::K8);
    names.into_iter().fold(builder, |builder, name| builder.table(hostile_table(name))).build().bytes
}

/// All files below `folder`, with paths relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|file| Path::new(path.file_name().unwrap()).join(file)));
        } else {
            found.push(path.file_name().unwrap().into());
        }
    }
    found.sort();
    found
}

#[test]
fn hostile_names_and_values_stay_in_their_place() {
    for format in FORMATS {
        let world = World::new().with("deep/er/db", &hostile());
        let run = export(&world, &["--format", format, "--provenance", "--out", "deep/er/out", "deep/er/db"]);
        assert_eq!(run.code, 0, "{format}: {}", run.err);
        let out = world.path("deep/er/out");
        let manifest = manifest(&out);
        assert_eq!(manifest["tables"].as_array().unwrap().len(), 8);
        // Nothing beside the input and what the manifest names.
        let mut expected = vec![PathBuf::from("deep/er/db"), PathBuf::from("deep/er/out/manifest.json")];
        for table in manifest["tables"].as_array().unwrap() {
            expected.push(Path::new("deep/er/out").join(table["file"].as_str().unwrap()));
            assert_eq!(table["rows"], 8);
        }
        expected.sort();
        expected.dedup();
        assert_eq!(files(&world.path("")), expected, "{format}");
    }
}

#[test]
fn hostile_text_is_no_formula_and_steers_no_terminal() {
    let world = World::new().with("db", &hostile());
    assert_eq!(export(&world, &["--format", "csv", "--out", "csv", "db"]).code, 0);
    let first = files(&world.path("csv")).into_iter().find(|file| file.extension().is_some_and(|end| end == "csv"));
    let mut reader = csv::Reader::from_path(world.path("csv").join(first.unwrap())).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["'=id", "column:_source"]);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 8);
    for record in &records {
        assert!(record[0].parse::<i32>().is_ok(), "numbers stay numbers: {record:?}");
        assert!(!record[1].starts_with(['=', '+', '-', '@', '\t', '\r']), "{record:?}");
        assert!(!record[1].chars().any(|c| c.is_control() || c == '\u{202e}'), "{record:?}");
    }
    let run = world.command(&["export", "--out", "-", "db"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(!text.chars().any(|c| c == '\u{1b}' || c == '\u{202e}'));
    let row: Value = serde_json::from_str(text.lines().nth(5).unwrap()).unwrap();
    assert_eq!(row["column:_source"], "a\u{202e}gnp.exe", "and JSON gives back every character");
    for command in ["tables", "schema"] {
        let run = world.command(&[command, "db"]).output().unwrap();
        assert!(!String::from_utf8(run.stdout).unwrap().contains('\u{1b}'));
    }
}

#[test]
fn a_reader_that_closes_early_is_no_failure() {
    let world = World::new().with("db", &corpus::fixture("kitchen-4k-b.edb"));
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("catdb-cli"))
        .args(["export", "--out", "-"])
        .arg(world.path("db"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_leaves_nothing_behind() {
    use std::process::Stdio;
    let kill = |pid: u32| std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap();
    let world = World::new().with("db", &corpus::fixture("kitchen-4k-b.edb"));
    let command = |args: &[&str]| {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("catdb-cli"));
        command.args(args).current_dir(world.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    // Nobody reads: it waits in the middle of its rows.
    let child = command(&["export", "--out", "-", "db"]);
    // And this one waits for its input.
    let mut other = command(&["export", "--out", "out", "-"]);
    std::thread::sleep(std::time::Duration::from_millis(700));
    kill(child.id());
    kill(other.id());
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let _ = std::io::Write::write_all(other.stdin.as_mut().unwrap(), &[0; 4096]);
    drop(other.stdin.take());
    assert_eq!(other.wait().unwrap().code(), Some(130));
    assert_eq!(files(&world.path("")), [PathBuf::from("db")]);
}

#[test]
fn tables_and_schema_tell_what_is_there_and_a_schema_to_share_tells_no_content() {
    let world = World::new().with("db", &small());
    let run = world.run(&["tables", "--format", "json", "db"]);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["schema"], "catdb.tables/1");
    assert_eq!((&document["tables"][0]["table"], &document["tables"][0]["rows"]), (&"Files".into(), &3.into()));
    let with_system: Value =
        serde_json::from_str(&world.run(&["tables", "--system", "--format", "json", "db"]).out).unwrap();
    assert!(with_system["tables"].as_array().unwrap().len() > 2);

    let full = world.run(&["schema", "db"]).out;
    assert!(
        full.contains("late") && full.contains("default 7") && full.contains("primary index primary (-id)"),
        "{full}"
    );
    for format in ["text", "json"] {
        let shared = world.run(&["schema", "--report", "--format", format, "db"]).out;
        assert!(shared.contains("LongText") && !shared.contains("default 7") && !shared.contains("pgno"), "{shared}");
        assert!(!shared.contains("\"db\""));
    }
}
