//! The catalog of real databases: tables, columns and indexes are those that the engine and an independent reader tell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

use std::collections::BTreeMap;
use std::path::Path;

use catdb_test_data::{corpus, database};
use ese_core::catalog::{Catalog, CatalogSource, Schema};
use ese_core::format::{ColumnType, IndexFlags, PageSize, SegmentFlags};
use ese_core::record::Origin;
use ese_core::source::{MemorySource, Pages};
use ese_core::verify::open_header;

fn read(file: &[u8]) -> Catalog {
    let source = MemorySource(file);
    let size = open_header(&source, &()).expect("a database").page_size;
    Catalog::read(Pages::new(&source, size))
}

/// A table of which the other reader counts 19 columns: it takes rows of the catalog that are flagged deleted.
const MISCOUNTED: (&str, &str) = ("srum/win10-19043/", "{5C8CF1C7-7257-4F13-B223-970EF5939312}");

/// The schema as the engine's own description of its databases writes it.
fn described(schema: &Schema) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let user = schema.tables.iter().filter(|table| !table.is_system());
    let tables = user.map(|table| {
        let live = table.layout.columns().iter().filter(|column| column.column_type != ColumnType::Nil);
        let mut columns: Vec<String> = live
            .map(|column| format!("{} {} {} {}", column.name, column.id, column.column_type.number(), column.code_page))
            .collect();
        columns.sort();
        let name_of = |place: Option<usize>| &table.layout.columns()[place.expect("a column")].name;
        let sign = |flags: SegmentFlags| if flags.contains(SegmentFlags::DESCENDING) { '-' } else { '+' };
        let mut indexes: Vec<String> = table
            .indexes
            .iter()
            .map(|index| {
                let columns = index.columns(&table.layout);
                let key: Vec<String> =
                    columns.map(|(place, flags)| format!("{}{}", sign(flags), name_of(place))).collect();
                assert!(index.key(&table.layout).is_ok(), "{}.{}", table.name, index.name);
                format!("{} {}", index.name, key.join(" "))
            })
            .collect();
        indexes.sort();
        (table.name.clone(), (columns, indexes))
    });
    tables.collect()
}

fn expected(path: &Path) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let list = |value: &serde_json::Value, line: &dyn Fn(&serde_json::Value) -> String| {
        let mut lines: Vec<String> = value.as_array().unwrap().iter().map(line).collect();
        lines.sort();
        lines
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let tables = json["tables"].as_array().unwrap().iter().map(|table| {
        let columns = list(&table["columns"], &|column| {
            format!("{} {} {} {}", text(&column["name"]), column["id"], column["type"], column["codepage"])
        });
        let indexes = list(&table["indexes"], &|index| {
            let key: Vec<String> = index["key"].as_array().unwrap().iter().map(text).collect();
            format!("{} {}", text(&index["name"]), key.join(" "))
        });
        (text(&table["table"]), (columns, indexes))
    });
    tables.collect()
}

#[test]
fn the_schemas_of_the_engines_databases_are_those_it_tells() {
    let Some(shared) = corpus::shared() else { return };
    for path in corpus::databases(&shared.join("engine/db")) {
        let catalog = read(&corpus::unpack(&path));
        assert!(catalog.faults.is_empty() && catalog.source == CatalogSource::Main, "{:?}", catalog.faults);
        let description = path.to_str().unwrap().replace(".edb.gz", ".schema.json");
        assert_eq!(described(&catalog.schema), expected(Path::new(&description)), "{}", path.display());
    }
}

#[test]
fn real_databases_have_the_tables_and_columns_that_another_reader_counts() {
    let Some(shared) = corpus::shared() else { return };
    let counts = std::fs::read_to_string(shared.join("corpus/counts.csv")).unwrap();
    let mut tables = 0;
    for path in corpus::databases(&shared.join("corpus")) {
        let name = path.strip_prefix(shared.join("corpus")).unwrap().to_str().unwrap().to_owned();
        let catalog = read(&corpus::unpack(&path));
        assert!(catalog.faults.is_empty(), "{name}: {:?}", catalog.faults);
        for line in counts.lines().filter(|line| line.split(',').next() == Some(&name)) {
            let fields: Vec<&str> = line.split(',').collect();
            let table = catalog.schema.table(fields[1]).unwrap_or_else(|| panic!("{name}: no table {}", fields[1]));
            let live = table.layout.columns().iter().filter(|column| column.column_type != ColumnType::Nil);
            let miscounted = name.starts_with(MISCOUNTED.0) && fields[1] == MISCOUNTED.1;
            assert_eq!(live.count().to_string(), if miscounted { "44" } else { fields[2] }, "{name}: {}", fields[1]);
            tables += 1;
        }
    }
    assert!(tables > 200, "{tables}");
}

#[test]
fn a_derived_table_has_the_columns_and_index_definitions_of_its_template() {
    let schema = read(&corpus::fixture("kitchen-4k-b.edb")).schema;
    let derived = schema.table("Derived").unwrap();
    assert_eq!(derived.template.as_deref(), Some("Template"));
    let origins: Vec<(u16, Origin)> =
        derived.layout.columns().iter().map(|column| (column.id, column.origin)).collect();
    assert!(origins.contains(&(256, Origin::Template)) && origins.contains(&(256, Origin::Own)), "{origins:?}");
    assert!(derived.indexes.iter().all(|index| index.flags.contains(IndexFlags::DERIVED)));
    let of_template = schema.table("Template").unwrap();
    assert_ne!(derived.indexes[0].root, of_template.indexes[0].root);
    assert_eq!(derived.indexes[0].segments.as_ref().map(Vec::len), Ok(1));
}

#[test]
fn damage_to_the_catalog_leaves_its_shadow_and_damage_to_both_single_leaves() {
    let size = PageSize::K4;
    let sound = corpus::fixture("catdb-200.edb");
    let tables = |catalog: &Catalog| catalog.schema.tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
    let all = tables(&read(&sound));
    assert!(all.iter().any(|name| name == "HashCatNameTableSHA256"), "{all:?}");

    let mut file = sound.clone();
    database::zero(&mut file, size, 4, 0, size.bytes());
    let catalog = read(&file);
    assert_eq!((tables(&catalog), catalog.source), (all.clone(), CatalogSource::Shadow));
    assert_eq!(catalog.faults[0].to_string(), "page 4 is blank");

    database::zero(&mut file, size, 24, 0, size.bytes());
    let catalog = read(&file);
    assert_eq!((tables(&catalog), catalog.source), (all, CatalogSource::Leaves));
}
