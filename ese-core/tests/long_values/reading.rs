//! Reading one long value of a tree that was made here, whole and damaged.

use catdb_test_data::database;
use catdb_test_data::page_builder::PageBuilder;
use ese_core::compress::DecompressError;
use ese_core::format::long_value::{LongValueId, RootLengthError};
use ese_core::format::{PageSize, Pgno, ReferenceError};
use ese_core::long_value::{LongValueError, LongValues, ValueBuffer, ValueError};
use ese_core::record::{TaggedValue, ValueForm};
use ese_core::source::{MemorySource, Pages};

use crate::trees::*;

const SIZE: PageSize = PageSize::K4;
const ID: LongValueId = LongValueId(7);
/// Root of a long value tree that is a parent of leaves.
const ROOT: u32 = 0x2885;
/// The page of the root of the tree.
const ROOT_AT: Pgno = Pgno(1);
/// The page of the first leaf.
const FIRST_LEAF: u32 = 2;

/// A file whose pages are a long value tree with one node on each leaf.
fn file(nodes: &[KeyData]) -> Vec<u8> {
    let mut root = PageBuilder::leaf(SIZE, ROOT_AT.0).flags(ROOT).tag0(&[0; 16]);
    let mut leaves = Vec::new();
    for (pgno, (i, node)) in (FIRST_LEAF..).zip(nodes.iter().enumerate()) {
        let separator = nodes.get(i + 1).map_or(&[][..], |(key, _)| key);
        root = root.node(separator, &pgno.to_le_bytes());
        leaves.extend(page(SIZE, pgno, std::slice::from_ref(node)));
    }
    [database::header(SIZE), database::header(SIZE), root.build(), leaves].concat()
}

/// What reading the long value [`ID`] gives: chunks as offset and length, errors as they are.
fn read(file: &[u8]) -> Vec<Result<(u32, usize), LongValueError>> {
    let source = MemorySource(file);
    let mut values = LongValues::new(Pages::new(&source, SIZE), ROOT_AT, None);
    let mut value = match values.open(ID) {
        Ok(value) => value,
        Err(error) => return vec![Err(error)],
    };
    let mut found = Vec::new();
    while let Some(chunk) = value.next_chunk() {
        found.push(chunk.map(|chunk| (chunk.offset, chunk.bytes.len())));
    }
    found
}

/// [`read`], with errors as text.
fn told(nodes: &[KeyData]) -> Vec<String> {
    let text = |(offset, len)| format!("{offset}+{len}");
    read(&file(nodes)).into_iter().map(|read| read.map_or_else(|error| error.to_string(), text)).collect()
}

/// The long value, between two others.
fn nodes() -> Vec<KeyData> {
    [5, ID.0, 9].iter().flat_map(|id| value(SIZE, *id, 10_000)).collect()
}

#[test]
fn chunks_come_in_order_and_end_with_the_value() {
    assert_eq!(told(&nodes()), ["0+4014", "4014+4014", "8028+1972"]);
    assert_eq!(told(&value(SIZE, ID.0, 0)), Vec::<String>::new());
}

#[test]
fn a_root_that_is_missing_or_malformed_is_an_error() {
    let mut missing = nodes();
    missing.remove(4);
    assert_eq!(told(&missing), ["long value 0x7: expected a root in the tree, found none"]);
    assert_eq!(told(&nodes()[..4]), ["long value 0x7: expected a root in the tree, found none"]);
    let mut malformed = nodes();
    malformed[4].1.pop();
    assert!(matches!(read(&file(&malformed))[..], [Err(LongValueError::Root { id: ID, error: RootLengthError(7) })]));
}

#[test]
fn a_missing_chunk_costs_no_other() {
    let mut middle = nodes();
    middle.remove(6);
    let gap = "long value 0x7: expected a chunk at byte 4014 of 10000, found the next one at 8028";
    assert_eq!(told(&middle), ["0+4014", gap, "8028+1972"]);
    let mut last = nodes();
    last.remove(7);
    let gap = "long value 0x7: expected a chunk at byte 8028 of 10000, found no more";
    assert_eq!(told(&last), ["0+4014", "4014+4014", gap]);
}

#[test]
fn chunks_that_do_not_fit_are_errors() {
    let mut changed = nodes();
    changed[6] = chunk(ID.0, 4013, &[0; 4014]);
    changed.insert(8, chunk(ID.0, 12042, b"behind the end"));
    assert_eq!(
        told(&changed),
        [
            "0+4014",
            "long value 0x7: expected a chunk at byte 4014, found one at 4013",
            "long value 0x7: expected a chunk at byte 4014 of 10000, found the next one at 8028",
            "8028+1972",
            "long value 0x7: expected its end at byte 10000, found a chunk at byte 12042",
        ]
    );
    let mut long = nodes();
    long[7].1.push(0);
    let error = "long value 0x7: expected 1972 bytes in the chunk at byte 8028, found 1973";
    assert_eq!(told(&long), ["0+4014", "4014+4014", error]);
    let mut scrubbed = nodes();
    scrubbed[6].1 = b"\x20LLLL".to_vec();
    let found = read(&file(&scrubbed));
    let error = DecompressError::Scrubbed;
    assert!(matches!(found[1], Err(LongValueError::Decompress { id: ID, offset: 4014, error: e }) if e == error));
    assert!(found[2].is_ok());
}

#[test]
fn encrypted_values_are_told_apart() {
    let mut encrypted = nodes();
    encrypted[4].1.push(1);
    assert_eq!(told(&encrypted), ["long value 0x7 is encrypted"]);
}

#[test]
fn what_nobody_can_decode_can_be_had_as_it_stands() {
    let mut encrypted = nodes();
    encrypted[4].1.push(1);
    encrypted[6].1 = b"\x30 not for us".to_vec();
    let file = file(&encrypted);
    let source = MemorySource(&file);
    let mut values = LongValues::new(Pages::new(&source, SIZE), ROOT_AT, None);
    let decoded = values.open(ID).unwrap();
    assert_eq!(decoded.id(), ID);
    let mut stored = decoded.restart_as_stored().unwrap();
    assert_eq!(stored.next_chunk().unwrap().unwrap().bytes, encrypted[5].1);
    assert_eq!(stored.next_chunk().unwrap().unwrap().bytes, encrypted[6].1);
    assert_eq!(stored.next_chunk().unwrap().unwrap().bytes, encrypted[7].1);
    assert!(stored.next_chunk().is_none());
}

#[test]
fn a_page_that_cannot_be_read_is_an_error_and_the_next_chunk_follows() {
    let mut damaged = file(&nodes());
    database::zero(&mut damaged, SIZE, FIRST_LEAF + 6, 0, 4096);
    let found = read(&damaged);
    assert!(matches!(found[1], Err(LongValueError::Tree { id: ID, .. })));
    assert!(matches!(found[2], Err(LongValueError::NoChunk { offset: 4014, found: Some(8028), .. })));
    assert!(matches!(found[3], Ok((8028, 1972))));
    assert_eq!(found.len(), 4);
}

#[test]
fn a_size_that_a_root_states_takes_no_memory() {
    let mut nodes = vec![root(ID.0, 1, 0x7FFF_FFFF)];
    nodes.push(chunk(ID.0, 0, &[1; 4014]));
    let found = read(&file(&nodes));
    assert!(matches!(found[..], [Ok((0, 4014)), Err(LongValueError::NoChunk { offset: 4014, found: None, .. })]));
}

#[test]
fn values_of_records_come_in_all_forms() {
    let file = file(&nodes());
    let source = MemorySource(&file);
    let mut values = LongValues::new(Pages::new(&source, SIZE), ROOT_AT, None);
    let mut buffer = ValueBuffer::default();
    let mut read = |form, bytes: &[u8], most| {
        let value = TaggedValue { sequence: 1, form, bytes };
        buffer.read(&value, most, SIZE, Some(&mut values)).map(<[u8]>::to_vec)
    };
    assert_eq!(read(ValueForm::Intrinsic, b"plain", 9).unwrap(), b"plain");
    assert_eq!(read(ValueForm::Intrinsic, b"plain", 2).unwrap(), b"pl");
    let seven_bit = [0x16, 0xE1, 0x70, 0x38, 0x1C, 0x0E, 0x87, 0xC5, 0x62];
    assert_eq!(read(ValueForm::Compressed, &seven_bit, 3).unwrap(), b"a\0a");
    assert_eq!(read(ValueForm::Separated, &[7, 0, 0, 0], 5000).unwrap().len(), 5000);
    assert_eq!(read(ValueForm::Separated, &[7, 0, 0, 0], usize::MAX).unwrap().len(), 10_000);
    assert!(matches!(read(ValueForm::Compressed, b"\xFF", 9), Err(ValueError::Decompress(_))));
    assert!(matches!(read(ValueForm::Encrypted, b"x", 9), Err(ValueError::Encrypted)));
    let none = ReferenceError::Zero;
    assert!(matches!(read(ValueForm::Separated, &[0; 4], 9), Err(ValueError::Reference(error)) if error == none));
    assert!(matches!(read(ValueForm::Separated, &[8, 0, 0, 0], 9), Err(ValueError::LongValue(_))));
    let value = TaggedValue { sequence: 1, form: ValueForm::Separated, bytes: &[7, 0, 0, 0] };
    assert!(matches!(buffer.read(&value, 9, SIZE, None), Err(ValueError::NoTree { id: ID })));
}

#[test]
fn what_was_read_before_an_error_can_be_had() {
    let mut nodes = nodes();
    nodes.remove(6);
    let file = file(&nodes);
    let source = MemorySource(&file);
    let mut values = LongValues::new(Pages::new(&source, SIZE), ROOT_AT, None);
    let value = TaggedValue { sequence: 1, form: ValueForm::Separated, bytes: &[7, 0, 0, 0] };
    let mut buffer = ValueBuffer::default();
    assert_eq!(buffer.read(&value, 4014, SIZE, Some(&mut values)).unwrap().len(), 4014);
    assert!(buffer.read(&value, 4015, SIZE, Some(&mut values)).is_err());
    assert_eq!(buffer.partial().len(), 4014);
}
