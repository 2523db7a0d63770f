//! `catdb-cli export` and long values: those that are longer than what it may hold, and those that nobody can decode.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use std::io::Read;
use std::process::{Command, Stdio};

use catdb_test_data::build::{Built, DatabaseBuilder, NOT_NULL, TableSpec, Type, Value as V};
use ese_core::format::PageSize;
use serde_json::Value;
use world::{Run, World};

const UTF16: u32 = 1200;
/// What an export may take.
const MEMORY_KIB: usize = 64 * 1024;
/// Bytes of a value that is longer than that.
const LONG: usize = 68 << 20;
/// What the text repeats: 10 code units, 14 bytes in UTF-8.
const TEXT: &str = "Grüße 😀 ";

/// One row with a text and a binary of `len` bytes, in a database with 32 KiB pages.
fn mail(len: usize) -> Built {
    let text: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).cycle().take(len).collect();
    let table = TableSpec::new("Mail")
        .fixed("id", Type::Long, NOT_NULL)
        .tagged("text", Type::LongText(UTF16), 0)
        .tagged("blob", Type::LongBinary, 0)
        .primary(&["+id"])
        .row(vec![V::long(1), V::bytes(text), V::bytes(blob(len))]);
    DatabaseBuilder::new(PageSize::K32).table(table).build()
}

fn blob(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// Runs an export in [`MEMORY_KIB`] of address space, which is more than the memory that it takes.
fn export(world: &World, args: &[&str]) -> Run {
    let program = assert_cmd::cargo::cargo_bin("catdb-cli");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\"")]);
    command.arg(program).arg("export").args(args).current_dir(world.path("")).output().unwrap().into()
}

fn manifest(world: &World) -> Value {
    serde_json::from_slice(&std::fs::read(world.path("out/manifest.json")).unwrap()).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn values_longer_than_memory_come_out_whole() {
    let world = World::new().with("db", &mail(LONG).bytes);
    let run = export(&world, &["--out", "out", "db"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let row: Value = serde_json::from_slice(&std::fs::read(world.path("out/Mail.jsonl")).unwrap()).unwrap();
    let text = row["text"].as_str().unwrap();
    assert_eq!(text.encode_utf16().count(), LONG / 2);
    assert!(text.starts_with(&TEXT.repeat(100_000)));
    assert!(hex::decode(row["blob"].as_str().unwrap()).unwrap() == blob(LONG));

    std::fs::remove_dir_all(world.path("out")).unwrap();
    let run = export(&world, &["--format", "csv", "--out", "out", "db"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let mut reader = csv::Reader::from_path(world.path("out/Mail.csv")).unwrap();
    let record = reader.records().next().unwrap().unwrap();
    assert!(record[1] == *text && record[2] == *row["blob"].as_str().unwrap());
}

#[test]
#[cfg(all(target_os = "linux", any(feature = "sqlite", feature = "parquet")))]
fn formats_that_hold_a_value_whole_have_long_ones_beside() {
    let world = World::new().with("db", &mail(LONG).bytes);
    let formats: &[&str] = &[
        #[cfg(feature = "sqlite")]
        "sqlite",
        #[cfg(feature = "parquet")]
        "parquet",
    ];
    for format in formats {
        let run = export(&world, &["--format", format, "--out", "out", "db"]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{format}");
        let files = serde_json::json!({"folder": "Mail.values", "files": 2});
        assert_eq!(manifest(&world)["tables"][0]["value_files"], files);
        assert!(std::fs::read(world.path("out/Mail.values/2.bin")).unwrap() == blob(LONG));
        std::fs::remove_dir_all(world.path("out")).unwrap();
    }
}

/// `mail`, with the root of the long value of `blob` changed.
fn with_root(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut built = mail(20_000);
    let (place, _) = built.nodes("Mail/LV").into_iter().rfind(|(_, node)| node.data.len() == 8).unwrap();
    built.edit_node(place, |node| change(&mut node.data));
    built.bytes
}

#[test]
#[cfg(target_os = "linux")]
fn a_size_that_is_claimed_takes_no_memory() {
    let file = with_root(|root| root[4..].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes()));
    let world = World::new().with("db", &file);
    let run = export(&world, &["--out", "out", "db"]);
    assert_eq!((run.code, run.out.as_str()), (1, "out: 1 table, 1 row\n"), "{}", run.err);
    let row: Value = serde_json::from_slice(&std::fs::read(world.path("out/Mail.jsonl")).unwrap()).unwrap();
    let kept = hex::decode(row["blob"]["hex"].as_str().unwrap()).unwrap();
    assert_eq!(kept, blob(20_000)[..kept.len()]);
    assert_eq!(kept.len(), 2 * 8150, "the last chunk is too short for what the root says");
    let error = row["blob"]["error"].as_str().unwrap();
    assert!(error.contains("chunk at byte 16300: ") && run.err.contains(error), "{error}\n{}", run.err);
    assert_eq!(manifest(&world)["faults"]["first"][0]["column"], "blob");
}

#[test]
fn what_nobody_can_decode_is_kept_as_it_stands() {
    // A ninth byte that is 1 marks an encrypted value.
    let world = World::new().with("db", &with_root(|root| root.push(1)));
    let run = world.run(&["export", "--out", "-", "db"]);
    assert_eq!(run.code, 1);
    let row: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        row["blob"],
        serde_json::json!({"hex": hex::encode(blob(20_000)), "error": "long value 0x8000000080000002 is encrypted"})
    );
    let run = world.run(&["export", "--values", "raw", "--out", "-", "db"]);
    let row: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(row["blob"], serde_json::json!([hex::encode(blob(20_000))]));
}

#[test]
fn a_reference_is_never_taken_for_the_value() {
    let mut built = mail(20_000);
    let (place, _) = built.nodes("Mail/LV").into_iter().rfind(|(_, node)| node.data.len() == 8).unwrap();
    built.edit_page(place.pgno, |page| drop(page.nodes.remove(place.line - 1)));
    let world = World::new().with("db", &built.bytes);
    let run = world.run(&["export", "--out", "-", "db"]);
    let row: Value = serde_json::from_str(&run.out).unwrap();
    let error = "long value 0x8000000080000002: expected a root in the tree, found none";
    assert_eq!((run.code, &row["blob"]), (1, &serde_json::json!({"hex": "", "error": error})));
    let run = world.run(&["export", "--values", "raw", "--out", "-", "db"]);
    let row: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &row["blob"]), (1, &serde_json::json!([""])));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_in_the_middle_of_a_value() {
    let world = World::new().with("db", &mail(8 << 20).bytes);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("catdb-cli"));
    command.args(["export", "--out", "-", "db"]).current_dir(world.path(""));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // One byte is read and no more: it waits with a part of the first value in the pipe.
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    std::thread::sleep(std::time::Duration::from_millis(200));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.len() < 2 << 20, "{} bytes", output.stdout.len());
}
