//! `catdb-cli verify` as a user meets it.

#![allow(clippy::unwrap_used)]

mod world;

use catdb_test_data::{corpus, database};
use ese_core::format::PageSize;
use serde_json::Value;
use world::World;

const K4: PageSize = PageSize::K4;

/// Most files here have pages and nothing else: no catalog.
const PAGES: &str = "--level=pages";

fn sound() -> Vec<u8> {
    database::tiny(K4, 12)
}

/// One error and one warning: two flipped bits on page 7, one on page 9.
fn damaged() -> Vec<u8> {
    let mut file = sound();
    database::flip_bits(&mut file, K4, 7, &[8 * 1000, 8 * 2000 + 3]);
    database::flip_bits(&mut file, K4, 9, &[8 * 50 + 2]);
    file
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_whole_database_is_intact_at_every_level_and_full_is_the_default() {
    let world = World::new().with("catdb", &corpus::fixture("kitchen-4k-b.edb"));
    for level in [&[][..], &["--level", "full"], &["--level", "pages"], &["--level", "checksum"]] {
        let run = world.run(&[&["verify"], level, &["catdb"]].concat());
        assert_eq!(run.code, 0, "{}", run.out);
        assert!(run.out.starts_with("catdb: INTACT"), "{}", run.out);
        // Text that only Windows can sort is looked at in full alone.
        assert_eq!(
            run.out.contains("idx-unverifiable"),
            level.last() != Some(&"pages") && level.last() != Some(&"checksum")
        );
    }
}

#[test]
fn a_sound_database_is_intact_and_exit_0() {
    let run = World::new().with("catdb", &sound()).run(&["verify", PAGES, "catdb"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.starts_with("catdb: INTACT: no damage in 12 pages\n"), "{}", run.out);
    assert_eq!(run.err, "");
}

#[test]
fn damage_is_exit_1_with_page_offset_sums_and_the_error_of_windows() {
    let run = World::new().with("catdb", &damaged()).run(&["verify", PAGES, "catdb"]);
    assert_eq!(run.code, 1);
    let first = run.out.lines().next().unwrap();
    assert_eq!(
        first,
        "catdb: DAMAGED: 1 error and 1 warning; first page-checksum on page 7, JET_errReadVerifyFailure (-1018)"
    );
    assert!(run.out.contains("error    page-checksum  page 7 (0x7), offset 0x8000"), "{}", run.out);
    assert!(run.out.contains("checksum: stored 0x"), "{}", run.out);
    assert!(run.out.contains("warning  page-ecc  page 9 (0x9), offset 0xa032"), "{}", run.out);
    assert!(run.out.contains("next: catdb-cli dump catdb page 7\n"), "{}", run.out);
    assert!(run.out.contains("next: catdb-cli dump catdb page 9\n"), "{}", run.out);
    assert!(run.out.trim_end().ends_with("catdb-cli explain page-checksum"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "no colour when piped");
}

#[test]
fn json_has_the_promised_shape_and_is_the_same_every_time() {
    let world = World::new().with("catdb", &damaged());
    let args = ["verify", PAGES, "--format", "json", "--sha256", "catdb"];
    let first = world.run(&args);
    assert_eq!(first.out, world.run(&args).out);
    let document = json(&first.out);
    assert_eq!(document["schema"], "catdb.verify/1");
    assert_eq!(document["tool"]["name"], "catdb-cli");
    let file = &document["files"][0];
    assert_eq!(file["path"], "catdb");
    assert_eq!(file["bytes"], 14 * 4096);
    assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(file["database"]["page_size"], 4096);
    assert_eq!(file["database"]["pages"], 12);
    assert_eq!(file["database"]["state"], "clean-shutdown");
    assert_eq!((&file["verdict"], &file["complete"]), (&"damaged".into(), &true.into()));
    for (name, count) in [("pages_seen", 12), ("pages_bad_checksum", 1), ("pages_correctable", 1), ("errors", 1)] {
        assert_eq!(file["counts"][name], count, "{name}");
    }
    let bad = &file["findings"][0];
    assert_eq!((&bad["code"], &bad["severity"]), (&"page-checksum".into(), &"error".into()));
    assert_eq!((&bad["jet"]["code"], &bad["jet"]["name"]), (&(-1018).into(), &"JET_errReadVerifyFailure".into()));
    assert_eq!((&bad["pgno"], &bad["page_offset"]), (&7.into(), &32768.into()));
    assert_eq!(bad["data"]["bit"], Value::Null);
    assert_eq!(bad["next"], "catdb-cli dump catdb page 7");
    assert_eq!(bad["data"]["stored"][0].as_str().unwrap().len(), 16);
    let flipped = &file["findings"][1];
    assert_eq!((&flipped["code"], &flipped["severity"]), (&"page-ecc".into(), &"warning".into()));
    assert_eq!((&flipped["data"]["bit"], &flipped["offset"]), (&402.into(), &(10 * 4096 + 50).into()));
}

#[test]
fn json_lines_carry_the_findings_in_the_order_of_their_offsets() {
    let run = World::new().with("catdb", &damaged()).run(&["verify", PAGES, "--format", "jsonl", "catdb"]);
    let lines: Vec<Value> = run.out.lines().map(json).collect();
    assert_eq!(lines[0]["schema"], "catdb.verify/1");
    let offsets: Vec<u64> =
        lines.iter().filter(|line| line["type"] == "finding").map(|line| line["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [32768, 10 * 4096 + 50]);
    assert_eq!((&lines[3]["type"], &lines[3]["verdict"]), (&"file".into(), &"damaged".into()));
}

#[test]
fn the_level_checksum_does_not_look_at_structure() {
    let mut file = sound();
    database::patch_page(&mut file, K4, 8, |page| page[28] ^= 1);
    let world = World::new().with("catdb", &file);
    assert_eq!(world.run(&["verify", "--level", "checksum", "catdb"]).code, 0);
    let run = world.run(&["verify", "--level", "pages", "catdb"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("page-free-space  page 8 (0x8), offset 0x901c"), "{}", run.out);
}

#[test]
fn warnings_fail_only_where_asked() {
    let mut file = sound();
    database::flip_bits(&mut file, K4, 9, &[402]);
    let world = World::new().with("catdb", &file);
    assert_eq!(world.run(&["verify", PAGES, "catdb"]).code, 0);
    assert_eq!(world.run(&["verify", PAGES, "--fail-on", "warning", "catdb"]).code, 1);
}

#[test]
fn the_worst_of_several_files_decides() {
    let world = World::new().with("good", &sound()).with("bad", &damaged());
    assert_eq!(world.run(&["verify", PAGES, "good", "bad"]).code, 1);
    let run = world.run(&["verify", PAGES, "bad", "absent", "good"]);
    assert_eq!(run.code, 2);
    assert!(run.out.contains("absent: UNREADABLE: no such file") && run.out.contains("good: INTACT"), "{}", run.out);
}

#[test]
fn folders_are_searched_by_content() {
    let world = World::new()
        .with("root/a/catdb", &sound())
        .with("root/b/renamed.bin", &damaged())
        .with("root/notes.txt", b"not a database");
    let run = world.run(&["verify", PAGES, "--recursive", "--format", "json", "root"]);
    assert_eq!(run.code, 1);
    let paths: Vec<String> = json(&run.out)["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(paths, ["root/a/catdb", "root/b/renamed.bin"]);
    let run = world.run(&["verify", "root"]);
    assert_eq!(run.code, 2);
    assert!(run.out.contains("Next: catdb-cli verify --recursive root"), "{}", run.out);
}

#[test]
fn a_database_can_come_through_standard_input() {
    let run = World::new().run_with_input(&["verify", PAGES, "-"], &damaged());
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("-: DAMAGED"), "{}", run.out);
}

#[test]
fn what_is_no_database_is_refused_with_a_clear_line_and_a_next_command() {
    let log_like = {
        let mut bytes = vec![0; 4096];
        bytes[667] = 3;
        database::seal_header(&mut bytes);
        bytes
    };
    let cases: [(&[u8], &str); 6] = [
        (b"", "the file is empty"),
        (b"abc", "not an ESE database"),
        (&[0; 65536], "not an ESE database"),
        (&[0xFF; 65536], "not an ESE database"),
        (b"CBS log text\r\n", "not an ESE database"),
        (&log_like, "this is a transaction log of ESE"),
    ];
    for (bytes, reason) in cases {
        let world = World::new().with("file", bytes);
        for command in ["verify", "info"] {
            let run = world.run(&[command, "file"]);
            assert_eq!(run.code, 2, "{reason}");
            assert!(run.out.starts_with("file: UNREADABLE: ") && run.out.contains(reason), "{}", run.out);
            assert!(run.out.contains("\nNext: "), "{}", run.out);
        }
        let document = json(&world.run(&["verify", "--format", "json", "file"]).out);
        let file = &document["files"][0];
        assert_eq!((&file["verdict"], &file["complete"]), (&"unreadable".into(), &false.into()));
        assert!(file["error"].as_str().unwrap().contains(reason));
    }
}

#[test]
fn both_headers_bad_is_damage_and_not_a_refusal() {
    for size in PageSize::ALL {
        let mut file = database::tiny(size, 9);
        file[..2 * size.bytes()].fill(0xAA);
        let run = World::new().with("catdb", &file).run(&["verify", PAGES, "catdb"]);
        assert_eq!(run.code, 1, "{}", run.out);
        assert!(run.out.contains("hdr-both-bad"), "{}", run.out);
        assert!(run.out.contains("format and state unknown"), "{}", run.out);
    }
}

#[test]
fn hex_shows_the_bytes_at_the_damage() {
    let run = World::new().with("catdb", &damaged()).run(&["verify", PAGES, "--hex", "catdb"]);
    assert!(run.out.contains("0x0000a030"), "{}", run.out);
}

#[test]
fn twenty_findings_are_shown_and_the_rest_counted_unless_all_are_wanted() {
    let mut file = database::tiny(K4, 60);
    (10..40).for_each(|pgno| database::foreign_page(&mut file, K4, pgno));
    let world = World::new().with("catdb", &file);
    let run = world.run(&["verify", PAGES, "catdb"]);
    assert_eq!(run.out.matches("error    page-checksum").count(), 20);
    assert!(run.out.contains("10 findings more; --all shows them"), "{}", run.out);
    assert_eq!(world.run(&["verify", PAGES, "--all", "catdb"]).out.matches("error    page-checksum").count(), 30);
    let run = world.run(&["verify", PAGES, "--max-findings", "5", "--format", "json", "catdb"]);
    let file = &json(&run.out)["files"][0];
    assert_eq!((&file["counts"]["errors"], &file["counts"]["findings_omitted"]), (&30.into(), &25.into()));
    assert_eq!((file["findings"].as_array().unwrap().len(), &file["complete"]), (5, &false.into()));
}

#[test]
fn threads_and_mapping_change_nothing() {
    let world = World::new().with("catdb", &damaged());
    let one = world.run(&["verify", PAGES, "--format", "json", "--threads", "1", "catdb"]).out;
    for args in [&["--threads", "3"][..], &["--mmap"], &[]] {
        let args = [&["verify", PAGES, "--format", "json"], args, &["catdb"]].concat();
        assert_eq!(world.run(&args).out, one);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut file = database::tiny(K4, 3000);
    (10..2900).for_each(|pgno| database::foreign_page(&mut file, K4, pgno));
    let world = World::new().with("catdb", &file);
    let program = assert_cmd::cargo::cargo_bin("catdb-cli");
    let script = format!("'{}' verify --all catdb; echo $? > code", program.display());
    let status = std::process::Command::new("sh")
        .current_dir(world.path(""))
        .args(["-c", &format!("({script}) | head -n 1 > /dev/null")])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(std::fs::read_to_string(world.path("code")).unwrap().trim(), "0");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130() {
    use std::process::Stdio;
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("catdb-cli"))
        .args(["verify", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for standard input; the first signal asks it to end, more bytes let it see that.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let kill = |pid: u32| std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap();
    kill(child.id());
    std::thread::sleep(std::time::Duration::from_millis(200));
    let _ = std::io::Write::write_all(child.stdin.as_mut().unwrap(), &[0; 4096]);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_example_of_the_readme_is_damaged_and_says_where() {
    let bytes = std::fs::read(corpus::folder().join("damaged-catdb.edb")).unwrap();
    let run = World::new().with("damaged-catdb.edb", &bytes).run(&["verify", "damaged-catdb.edb"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("JET_errReadVerifyFailure (-1018)"), "{}", run.out);
}
