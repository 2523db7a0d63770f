//! `catdb-cli dump` as a user meets it.

#![allow(clippy::unwrap_used)]

mod world;

use catdb_test_data::{corpus, database};
use ese_core::format::PageSize;
use serde_json::Value;
use world::{Run, World};

const K4: PageSize = PageSize::K4;

fn kitchen() -> World {
    World::new().with("k4", &corpus::fixture("kitchen-4k-b.edb"))
}

fn large() -> World {
    World::new().with("k32", &corpus::fixture("kitchen-32k-w10.edb"))
}

fn damaged() -> World {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../test-data/damaged-catdb.edb");
    World::new().with("bad", &std::fs::read(path).unwrap())
}

/// Runs `dump`, which finds nothing wrong and therefore always ends with 0.
fn text(world: &World, args: &[&str]) -> String {
    let run = dump(world, args);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "no colour when piped");
    run.out
}

fn dump(world: &World, args: &[&str]) -> Run {
    world.run(&[&["dump"], args].concat())
}

/// The same as JSON, which is the same every time.
fn json(world: &World, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    let first = text(world, &args);
    assert_eq!(first, text(world, &args));
    let document: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&document["schema"], &document["path"]), (&"catdb.dump/1".into(), &args[0].into()));
    let view = document["view"].as_str().unwrap();
    assert!(document[view].is_object(), "{view}");
    document[view].clone()
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn a_header_is_that_of_info() {
    let world = kitchen();
    assert_eq!(text(&world, &["k4", "header"]), world.run(&["info", "k4"]).out);
    let header = json(&world, &["k4", "header"]);
    assert_eq!((&header["page_size"], &header["used"]), (&4096.into(), &"first".into()));
    assert_eq!(header["copies"].as_array().unwrap().len(), 2);
}

#[test]
fn a_page_has_its_owner_header_tag_0_and_a_line_for_each_node() {
    let world = kitchen();
    let page = text(&world, &["k4", "page", "0xf"]);
    assert!(page.starts_with("k4: page 15 (0xf) at offset 0x10000, 4096 bytes\n"), "{page}");
    has(
        &page,
        &[
            "Checksum: good",
            "Tree:     MSysObjects.Name (objid 4); index entries; leaf",
            "owned by MSysObjects.Name (objid 4), in use",
            "+36  fFlags                    0x",
            "leaf, index, new-record-format, ecc",
            "Tag 0: prefix of keys",
            "  row 7f800000027f80017f80000002",
            "Nothing is wrong with this page alone",
            "Next: catdb-cli dump k4 node 15:1",
        ],
    );
    assert_eq!(page, text(&world, &["k4", "page", "15"]));
    has(&text(&world, &["k4", "page", "15", "--hex"]), &["\nBytes\n", "0x00010000 "]);
    assert!(text(&world, &["k4", "page", "15", "--full"]).lines().count() == page.lines().count());
}

#[test]
fn a_page_as_json_has_all_of_it() {
    let page = json(&kitchen(), &["k4", "page", "15"]);
    assert_eq!((&page["pgno"], &page["offset"], &page["state"]), (&15.into(), &0x10000.into(), &"good".into()));
    assert_eq!((&page["tree"]["table"], &page["tree"]["tree"]), (&"MSysObjects".into(), &"Name".into()));
    assert_eq!((&page["space"]["use"], &page["space"]["owner"]["objid"]), (&"used".into(), &4.into()));
    assert_eq!(page["tag0"]["content"]["kind"], "prefix");
    let line = &page["lines"][0];
    assert_eq!((&line["line"], &line["meaning"]["kind"]), (&1.into(), &"index_entry".into()));
    assert_eq!(line["meaning"]["bookmark"], "7f800000027f80017f80000002");
    assert_eq!(line["key"].as_str().unwrap().len(), 2 * 21);
    let fields: Vec<&str> =
        page["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(fields[..4], ["checksum", "dbtime", "pgno_prev", "pgno_next"]);
    assert_eq!(page["fields"][0]["value"].as_str().unwrap().len(), 16);
    assert_eq!(page["findings"], Value::Array(Vec::new()));
}

#[test]
fn every_kind_of_page_says_what_its_nodes_are() {
    let world = kitchen();
    has(
        &text(&world, &["k4", "page", "1"]),
        &["it has no rows, only space", "Tag 0: space header: cpg 254, no parent, OE root 2, AE root 3"],
    );
    has(
        &text(&world, &["k4", "page", "2"]),
        &["extents (space tree); root, leaf", "split buffer: empty", "pages 1-254 (254)"],
    );
    has(
        &text(&world, &["k4", "page", "54"]),
        &["long values; leaf", "root of long value 0x8000000080000001", "from byte 0"],
    );
    has(&text(&world, &["k4", "page", "305"]), &["parent of leaves", "-> page 54"]);
    has(&text(&world, &["k4", "page", "13"]), &["ObjidTable=2, Type=1, Id=2", "Name=\"ObjidTable\""]);
    has(&text(&world, &["k4", "page", "600"]), &["the page is blank", "behind the end of the database"]);
    has(
        &text(&large(), &["k32", "page", "1"]),
        &["32768 bytes", "checksum of block 3", "+64  pgno                      1"],
    );
}

#[test]
fn a_catalog_row_is_shown_by_the_names_of_its_columns() {
    let world = kitchen();
    let node = text(&world, &["k4", "node", "13:32"]);
    has(
        &node,
        &[
            "k4: line 32 of page 13 (0xd)",
            "Key:      7f800000027f80037f80000004 (13 bytes)",
            "ColtypOrPgnoFDP       Long           0xecb3      4  fixed     7",
            "Name                  Text           0xecd6      4  variable  \"Name\"",
            "LocaleName            LongBinary",
            "not stored: NULL",
            "\nData\n",
        ],
    );
    let node = json(&world, &["k4", "node", "0xd:32"]);
    assert_eq!((&node["node"]["line"], &node["page"]["pgno"]), (&32.into(), &13.into()));
    let columns = node["record"]["columns"].as_array().unwrap();
    assert_eq!((&columns[3]["name"], &columns[3]["value"]), (&"ColtypOrPgnoFDP".into(), &7.into()));
    assert_eq!((&columns[3]["offset"], &columns[3]["bytes"]), (&0xecb3.into(), &"07000000".into()));
    assert_eq!((&columns[7]["state"], &columns[7]["value"]), (&"null".into(), &Value::Null));
}

#[test]
fn a_record_tells_for_each_column_how_it_is_stored() {
    for (world, file) in [(kitchen(), "k4"), (large(), "k32")] {
        let tree = json(&world, &[file, "tree", "kitchen", "--all"]);
        let leaf_level = tree["depth"].as_u64().unwrap() - 1;
        let pages = tree["pages"].as_array().unwrap();
        let leaves = pages.iter().filter(|page| page["level"] == leaf_level);
        let mut states = std::collections::BTreeSet::new();
        for leaf in leaves.take(4) {
            let lines = leaf["entries"].as_u64().unwrap();
            for line in 1..=lines.min(12) {
                let node = json(&world, &[file, "node", &format!("{}:{line}", leaf["pgno"])]);
                for column in node["record"]["columns"].as_array().unwrap() {
                    assert!(column["name"].is_string(), "{column}");
                    assert_ne!(column["state"], "unreadable", "{column}");
                    states.insert(column["state"].as_str().unwrap().to_owned());
                }
            }
        }
        for state in ["value", "null", "absent", "separated"] {
            assert!(states.contains(state), "{file}: {states:?}");
        }
    }
}

#[test]
fn a_tree_is_found_by_any_of_its_names() {
    let world = kitchen();
    let by_name = text(&world, &["k4", "tree", "kitchen.lv"]);
    has(
        &by_name,
        &[
            "k4: tree Kitchen.LV (objid 20), long-value, root page 51\n",
            "Entries:  467\n",
            "Pages:    221 on 3 levels",
            "Level 0 (root): 1 page, 1 line",
            "  .. 199 more; --all shows them",
        ],
    );
    for name in ["20", "root:51", "0x33", "KITCHEN.LV"] {
        assert_eq!(text(&world, &["k4", "tree", name]), by_name, "{name}");
    }
    assert_eq!(text(&world, &["k4", "tree", "kitchen.PRIMARY"]), text(&world, &["k4", "tree", "8"]));
    has(&text(&world, &["k4", "tree", "root:2"]), &["k4: space tree of database (objid 1), root page 2\n"]);
    let all = json(&world, &["k4", "tree", "Kitchen.LV", "--all"]);
    assert_eq!((all["pages"].as_array().unwrap().len(), &all["all_pages"]), (221, &true.into()));
    let some = json(&world, &["k4", "tree", "Kitchen.LV"]);
    assert_eq!((some["pages"].as_array().unwrap().len(), &some["all_pages"]), (22, &false.into()));
    assert_eq!((&some["entries"], &some["depth"], &some["unreadable"]), (&467.into(), &3.into(), &0.into()));
}

#[test]
fn the_catalog_has_all_tables_columns_and_indexes() {
    let world = kitchen();
    has(
        &text(&world, &["k4", "catalog"]),
        &[
            "k4: catalog of 9 tables, 140 rows\n",
            "Read from MSysObjects: complete",
            "Kitchen  objid 8, root page 31, row 14:17\n",
            "     16  def           Long                       4  default, default 42\n",
            "index   ix_desc: -txt, +lo; objid 10, root page 36",
            "template Template",
        ],
    );
    let catalog = json(&world, &["k4", "catalog"]);
    assert_eq!((&catalog["source"], &catalog["complete"]), (&"main".into(), &true.into()));
    let kitchen = catalog["tables"].as_array().unwrap().iter().find(|table| table["name"] == "Kitchen").unwrap();
    assert_eq!((&kitchen["objid"], &kitchen["long_values"]["root"]), (&8.into(), &51.into()));
    assert_eq!(kitchen["columns"].as_array().unwrap().len(), 33);
    let index = &kitchen["indexes"][2];
    assert_eq!((&index["name"], &index["segments"][0]["flags"][0]), (&"ix_desc".into(), &"descending".into()));
}

#[test]
fn space_adds_up() {
    let world = kitchen();
    has(
        &text(&world, &["k4", "space"]),
        &["Owned:    to page 510", "Slack:    256", "      Kitchen.ix_lo", "OE 2, AE 3", "  owned: 1-254, 255-510\n"],
    );
    let space = json(&world, &["k4", "space"]);
    let number = |value: &Value| value.as_u64().unwrap();
    let file = &space["file"];
    let of_trees: u64 = space["trees"].as_array().unwrap().iter().map(|tree| number(&tree["used_pages"])).sum();
    assert_eq!(number(&file["used"]), of_trees);
    let all = ["used", "free", "unowned", "slack"].map(|name| number(&file[name]));
    assert_eq!(all.iter().sum::<u64>(), number(&file["pages"]));
    assert_eq!(space["conflicts"], Value::Array(Vec::new()));
}

#[test]
fn a_page_with_a_bad_checksum_is_shown_as_it_reads() {
    let world = damaged();
    has(
        &text(&world, &["bad", "page", "45"]),
        &[
            "Checksum: bad: what follows is how the bytes read, true or not",
            "stored 0x62d662d6709580f9, computed 0x655b655b7095a0f8",
            "25 lines",
            "error    page-checksum  page 45 (0x2d), offset 0x2e000",
        ],
    );
    let page = json(&world, &["bad", "page", "45"]);
    assert_eq!((&page["state"], &page["checksum"]["verdict"]), (&"bad-checksum".into(), &"bad".into()));
    assert_eq!(page["findings"][0]["code"], "page-checksum");
    has(
        &text(&world, &["bad", "tree", "8"]),
        &["1 page cannot be used", "cannot be used: page 45: its checksum fails"],
    );
    has(&text(&world, &["bad", "node", "45:8"]), &["Checksum: bad", "tagged, separated  long value 0x5"]);
}

#[test]
fn a_flipped_bit_is_named_and_flipped_back() {
    let world = damaged();
    has(
        &text(&world, &["bad", "page", "34"]),
        &["right with bit 2 of byte 0xae flipped back", "warning  page-ecc  page 34", "20 lines"],
    );
    assert_eq!(json(&world, &["bad", "page", "34"])["checksum"]["corrected_bits"], serde_json::json!([1394]));
}

#[test]
fn a_line_outside_the_page_is_shown_with_the_reason() {
    let world = damaged();
    has(
        &text(&world, &["bad", "page", "47"]),
        &[
            "cannot be read: line 9: expected to end at or before 3992, found 373 bytes at 4000",
            "error    page-tags  page 47 (0x2f), offset 0x30fd8",
            "Next: catdb-cli dump bad node 47:9",
        ],
    );
    has(&text(&world, &["bad", "node", "47:9"]), &["373 bytes", "Cannot be taken apart", "Bytes of the line"]);
    let node = json(&world, &["bad", "node", "47:9"]);
    assert!(node["node"]["error"].is_string() && node["parts"].is_null());
}

#[test]
fn what_verify_finds_can_be_looked_at_with_the_command_that_it_names() {
    let world = damaged();
    let verified = world.run(&["verify", "--format", "json", "bad"]);
    let document: Value = serde_json::from_str(&verified.out).unwrap();
    let mut seen = 0;
    for finding in document["files"][0]["findings"].as_array().unwrap() {
        let next = finding["next"].as_str().unwrap();
        let Some(args) = next.strip_prefix("catdb-cli dump ") else { continue };
        seen += 1;
        let code = finding["code"].as_str().unwrap();
        has(&text(&world, &args.split(' ').collect::<Vec<_>>()), &[code]);
    }
    assert_eq!(seen, 4);
}

#[test]
fn pages_of_noise_are_shown_too() {
    let mut file = corpus::fixture("kitchen-4k-b.edb");
    let mut noise = 1u32;
    for pgno in [4, 13, 31, 51, 54] {
        database::patch_page(&mut file, K4, pgno, |page| {
            for byte in &mut page[40..] {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = noise.to_be_bytes()[0];
            }
        });
    }
    let world = World::new().with("noise", &file);
    for pgno in ["4", "13", "31", "51", "54"] {
        assert!(text(&world, &["noise", "page", pgno]).contains("finding"), "page {pgno}");
        json(&world, &["noise", "page", pgno, "--full", "--hex"]);
        for line in 0..4 {
            let place = format!("{pgno}:{line}");
            assert_eq!(dump(&world, &["noise", "node", &place]).err, "");
        }
    }
    for view in [&["catalog"][..], &["space"], &["tree", "database"], &["tree", "2"]] {
        let args = [&["noise"], view].concat();
        text(&world, &args);
        json(&world, &args);
    }
    has(&text(&world, &["noise", "catalog"]), &["Read from MSysObjectsShadow"]);
}

#[test]
fn names_out_of_the_file_cannot_control_the_terminal() {
    let mut file = corpus::fixture("kitchen-4k-b.edb");
    for pgno in 13..=30 {
        database::patch_page(&mut file, K4, pgno, |page| {
            let at = page.windows(7).position(|bytes| bytes == b"Kitchen");
            if let Some(at) = at {
                page[at + 3] = 0x1b;
            }
        });
    }
    let world = World::new().with("k4", &file);
    has(&text(&world, &["k4", "catalog"]), &["Kit\\u{1b}hen"]);
    text(&world, &["k4", "space"]);
    text(&world, &["k4", "tree", "8"]);
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let world = kitchen();
    for (args, reason) in [
        (&["k4", "tree", "foo"][..], "no tree `foo`: tables are MSysObjects, MSysObjectsShadow,"),
        (&["k4", "tree", "999"], "no tree `999`"),
        (&["k4", "page", "5000"], "no page 5000: the file has pages 1 to 766"),
        (&["k4", "page", "0"], "no page 0: the file has pages 1 to 766"),
        (&["k4", "node", "15:800"], "no line 800 on page 15: it has lines 1 to 109"),
        (&["absent", "space"], "no such file"),
    ] {
        let run = dump(&world, args);
        assert_eq!(run.code, 2, "{args:?}");
        has(&run.out, &[reason, "\nNext: "]);
        let run = dump(&world, &[args, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((run.code, &document["schema"], &document["view"]), (2, &"catdb.dump/1".into(), &args[1].into()));
        assert!(document["error"].as_str().unwrap().contains(reason.trim_end_matches(',')), "{document}");
        assert!(document["next"].is_string());
    }
    for place in ["15", "x:1", "15:y"] {
        assert_eq!(dump(&world, &["k4", "node", place]).code, 2);
    }
}
