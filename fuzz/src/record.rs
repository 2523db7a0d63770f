//! The target `record`: one record, on pages of each size. Every part of it lies inside it, and reading ends.

use std::hint::black_box;

use catdb_test_data::corpus;
use ese_core::format::{ColumnKind, ColumnType, PageSize, Pgno};
use ese_core::record::{Record, Stored};
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;
use ese_core::value::Value;

/// Leaves of each database that records are taken from.
const RECORDS_MOST: usize = 40;

pub(crate) fn run(bytes: &[u8]) {
    for size in [PageSize::K4, PageSize::K32] {
        let Ok(record) = Record::new(bytes, size) else { continue };
        for id in 0..=record.last_fixed() + 1 {
            plain(bytes, record.fixed(id, usize::from(id) * 4, 4).ok());
        }
        for id in ColumnKind::FIXED_LAST..=record.last_variable() + 1 {
            plain(bytes, record.variable(id).ok());
        }
        let Ok(fields) = record.tagged() else { continue };
        for field in fields.flatten() {
            let mut values = 0;
            for value in field.values() {
                values += 1;
                assert!(values <= bytes.len() + 1, "more values than bytes");
                let Ok(value) = value else { continue };
                assert_eq!(value.sequence, values);
                inside(bytes, value.bytes);
                decoded(value.bytes);
            }
        }
    }
}

fn plain(record: &[u8], stored: Option<Stored<'_>>) {
    if let Some(value) = stored.and_then(Stored::value) {
        inside(record, value);
        decoded(value);
    }
}

/// Values are not copied: each is a part of the record.
fn inside(record: &[u8], value: &[u8]) {
    let (outer, inner) = (record.as_ptr_range(), value.as_ptr_range());
    assert!(value.is_empty() || outer.start <= inner.start && inner.end <= outer.end);
}

/// Any bytes are a value of a type, or an error; a value shows itself.
fn decoded(bytes: &[u8]) {
    let mut text = String::new();
    for column_type in ColumnType::ALL {
        for code_page in [0, 932, 1200, 1252] {
            let alone = Value::decode(column_type, code_page, bytes);
            let reused = Value::decode_with(column_type, code_page, bytes, &mut text);
            match (&alone, &reused) {
                (Ok(alone), Ok(reused)) => assert_eq!(alone.to_string(), reused.to_string()),
                (Err(alone), Err(reused)) => assert_eq!(alone, reused),
                _ => unreachable!("one of two ways to decode fails"),
            }
        }
    }
    black_box(bytes);
}

/// Records of the engine's own databases: the first of the catalog and of each table.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(), vec![0, 127, 4, 0], vec![1, 128, 9, 0, 1, 0, 0, 0, 0, 1, 0, b'x']];
    for path in corpus::databases(&corpus::folder()) {
        let file = corpus::unpack(&path);
        let source = MemorySource(&file);
        let Ok(header) = ese_core::verify::open_header(&source, &()) else { continue };
        let pages = Pages::new(&source, header.page_size);
        let schema = ese_core::catalog::Catalog::read(pages).schema;
        for root in schema.tables.iter().map(|table| table.root).chain([Pgno(4)]) {
            let mut cursor = Cursor::new(pages, root);
            for _ in 0..RECORDS_MOST / schema.tables.len().max(1) {
                let Some(Ok(found)) = cursor.next_node() else { break };
                seeds.push(found.node.data.to_vec());
            }
        }
    }
    seeds
}

/// A record has no checksum.
pub(crate) fn seal(_: &mut [u8]) {}
