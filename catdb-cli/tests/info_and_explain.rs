//! `catdb-cli info` and `catdb-cli explain` as a user meets them.

#![allow(clippy::unwrap_used)]

mod world;

use catdb_test_data::{corpus, database};
use ese_core::finding::Code;
use ese_core::format::PageSize;
use serde_json::Value;
use world::World;

#[test]
fn info_shows_the_header_in_the_vocabulary_of_esentutl() {
    let run = World::new().with("catdb", &corpus::fixture("catdb-200.edb")).run(&["info", "catdb"]);
    assert_eq!(run.code, 0);
    for line in ["State: clean-shutdown", "cbDbPage: 4096", "dbtime: 696 (0x2b8)", "Format ulVersion: 0x620, 20, 0"] {
        assert!(run.out.contains(line), "{line} in {}", run.out);
    }
}

#[test]
fn info_shows_both_copies_and_says_which_is_used() {
    let mut file = database::tiny(PageSize::K4, 5);
    file[16] ^= 0xFF;
    let world = World::new().with("catdb", &file);
    let run = world.run(&["info", "catdb"]);
    assert!(run.out.contains("the first copy is bad; the second is shown"), "{}", run.out);
    assert!(run.out.contains("+16: 4351"), "{}", run.out);
    let document: Value = serde_json::from_str(&world.run(&["info", "--format", "json", "catdb"]).out).unwrap();
    assert_eq!((&document["schema"], &document["used"]), (&"catdb.info/1".into(), &"second".into()));
    assert_eq!((&document["copies"][0]["valid"], &document["copies"][1]["valid"]), (&false.into(), &true.into()));
    let fields = document["copies"][1]["fields"].as_array().unwrap();
    let state = fields.iter().find(|field| field["name"] == "state").unwrap();
    assert_eq!((&state["value"], &state["offset"]), (&"clean-shutdown".into(), &52.into()));
}

#[test]
fn every_code_is_explained_with_a_next_command() {
    let world = World::new();
    for code in Code::ALL {
        let run = world.run(&["explain", code.name()]);
        assert_eq!(run.code, 0);
        assert!(run.out.contains(code.info().meaning) && run.out.contains("Next: "), "{}", run.out);
    }
}

#[test]
fn errors_are_explained_as_windows_spells_them() {
    let world = World::new();
    for text in ["-1018", "0x8e5e03fa"] {
        let run = world.run(&["explain", text]);
        assert!(run.code == 0 && run.out.contains("JET_errReadVerifyFailure (-1018)"), "{}", run.out);
    }
    let run = world.run(&["explain", "no-such-code"]);
    assert!(run.code == 2 && run.err.contains("next: catdb-cli explain"), "{}", run.err);
}

#[test]
fn the_page_of_findings_is_made_from_the_table() {
    let made = World::new().run(&["explain", "--format", "markdown"]).out;
    let stored = std::fs::read_to_string(corpus::folder().join("../docs/findings.md")).unwrap();
    assert_eq!(made, stored, "make it anew: cargo run -- explain --format markdown > docs/findings.md");
}
