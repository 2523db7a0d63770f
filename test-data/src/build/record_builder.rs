//! Records from column values, and back for the rows that a damage edits.
//!
//! It never looks up a catalog: callers say how long fixed columns are and which columns are long. Spec 06 sections 1,
//! 3 and 4.

use ese_core::format::PageSize;

use super::long_values::LongValues;
use super::page_fill::to_u16;
use super::spec::{Origin, TableSpec, Type, Value};

/// Fills the bytes of NULL fixed columns, as every engine since 2012.
const NULL_FILL: u8 = 0x2A;
const ENTRY: usize = 4;
const NULL_END: u16 = 0x8000;
const DERIVED: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const LONG: u8 = 0x01;
const SEPARATED: u8 = 0x04;
const MULTIPLE: u8 = 0x08;
const TWO: u8 = 0x10;

/// A tagged column of a record: id, extended byte, data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tagged {
    pub(crate) id: u16,
    pub(crate) origin: Origin,
    pub(crate) extended: u8,
    pub(crate) data: Vec<u8>,
}

/// A record taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Parts {
    /// Length and value of columns 1, 2 ...
    pub(crate) fixed: Vec<(usize, Option<Vec<u8>>)>,
    /// Values of columns 128, 129 ...
    pub(crate) variable: Vec<Option<Vec<u8>>>,
    pub(crate) tagged: Vec<Tagged>,
}

impl Parts {
    /// The bytes of the record.
    pub(crate) fn encode(&self, size: PageSize) -> Vec<u8> {
        let mut record = Vec::new();
        self.encode_into(&mut record, size);
        record
    }

    /// The same into a buffer, whose content goes.
    pub(crate) fn encode_into(&self, record: &mut Vec<u8>, size: PageSize) {
        record.clear();
        record.extend([to_u8(self.fixed.len()), to_u8(127 + self.variable.len()), 0, 0]);
        let mut nulls = vec![0xFF_u8; self.fixed.len().div_ceil(8)];
        for (i, (len, value)) in self.fixed.iter().enumerate() {
            match value {
                Some(value) => {
                    assert_eq!(value.len(), *len, "bytes of fixed column {}", i + 1);
                    record.extend_from_slice(value);
                    nulls[i / 8] &= !(1 << (i % 8));
                }
                None => record.resize(record.len() + len, NULL_FILL),
            }
        }
        record.extend(nulls);
        let end = to_u16(record.len());
        record[2..4].copy_from_slice(&end.to_le_bytes());
        let mut end = 0;
        for value in &self.variable {
            end += value.as_ref().map_or(0, Vec::len);
            let null = if value.is_none() { NULL_END } else { 0 };
            record.extend((to_u16(end) | null).to_le_bytes());
        }
        self.variable.iter().flatten().for_each(|value| record.extend_from_slice(value));
        encode_tagged(record, &self.tagged, size);
    }

    /// Takes a record of this builder apart; `fixed` are the lengths of the table's fixed columns.
    pub(crate) fn decode(record: &[u8], fixed: &[usize], size: PageSize) -> Parts {
        let word = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        let (last_fixed, last_variable) = (usize::from(record[0]), usize::from(record[1]));
        let end = usize::from(word(2));
        let nulls = &record[end - last_fixed.div_ceil(8)..end];
        let mut at = 4;
        let fixed = fixed.iter().take(last_fixed).enumerate().map(|(i, len)| {
            let value = record[at..at + len].to_vec();
            at += len;
            (*len, (nulls[i / 8] & (1 << (i % 8)) == 0).then_some(value))
        });
        let fixed = fixed.collect();
        let data = end + 2 * (last_variable - 127);
        let mut start = data;
        let mut variable = Vec::new();
        for i in 0..last_variable - 127 {
            let end_word = word(end + 2 * i);
            let stop = data + usize::from(end_word & 0x7FFF);
            variable.push((end_word & NULL_END == 0).then(|| record[start..stop].to_vec()));
            start = stop;
        }
        Parts { fixed, variable, tagged: decode_tagged(&record[start..], size) }
    }
}

fn to_u8(value: usize) -> u8 {
    u8::try_from(value).expect("a column number fits a byte")
}

fn is_large(size: PageSize) -> bool {
    size.bytes() > 8192
}

fn encode_tagged(record: &mut Vec<u8>, fields: &[Tagged], size: PageSize) {
    let has_byte = |field: &Tagged| is_large(size) || field.extended != 0;
    let mut at = ENTRY * fields.len();
    for field in fields {
        let mut mark = if has_byte(field) && !is_large(size) { EXTENDED } else { 0 };
        if field.origin == Origin::Template {
            mark |= DERIVED;
        }
        record.extend(field.id.to_le_bytes());
        record.extend((to_u16(at) | mark).to_le_bytes());
        at += usize::from(has_byte(field)) + field.data.len();
    }
    for field in fields {
        if has_byte(field) {
            record.push(field.extended);
        }
        record.extend_from_slice(&field.data);
    }
}

fn decode_tagged(bytes: &[u8], size: PageSize) -> Vec<Tagged> {
    let mask = if is_large(size) { 0x7FFF } else { 0x1FFF };
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    if bytes.is_empty() {
        return Vec::new();
    }
    let count = usize::from(word(2) & mask) / ENTRY;
    let start = |i: usize| if i == count { bytes.len() } else { usize::from(word(ENTRY * i + 2) & mask) };
    let field = |i: usize| {
        let has_byte = is_large(size) || word(ENTRY * i + 2) & EXTENDED != 0;
        let data = &bytes[start(i)..start(i + 1)];
        let (extended, data) = if has_byte { (data[0], &data[1..]) } else { (0, data) };
        let origin = if word(ENTRY * i + 2) & DERIVED == 0 { Origin::Own } else { Origin::Template };
        Tagged { id: word(ENTRY * i), origin, extended, data: data.to_vec() }
    };
    (0..count).map(field).collect()
}

/// The record of `row`; long values above the table's limit go to `long_values`.
pub(crate) fn encode_row(table: &TableSpec, row: &[Value], size: PageSize, long_values: &mut LongValues) -> Vec<u8> {
    let mut parts = Parts::default();
    for (column, value) in table.columns.iter().zip(row) {
        match column.id {
            1..=127 => parts.fixed.push((column.size as usize, stored(value, column.default.as_ref()))),
            128..=255 => parts.variable.push(stored(value, column.default.as_ref())),
            _ => {
                let values = match value {
                    Value::Null => continue,
                    Value::One(value) => std::slice::from_ref(value),
                    Value::Many(values) => values,
                };
                let (extended, data) = tagged_value(column.ty, values, table.separate_above, size, long_values);
                parts.tagged.push(Tagged { id: column.id, origin: column.origin, extended, data });
            }
        }
    }
    // One fixed column that is set brings all of them; variable ones go up to the last that is set.
    if parts.fixed.iter().all(|(_, value)| value.is_none()) {
        parts.fixed.clear();
    }
    let last = parts.variable.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    parts.variable.truncate(last);
    parts.encode(size)
}

fn stored(value: &Value, default: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    match value {
        Value::Null => default.cloned(),
        Value::One(value) => Some(value.clone()),
        Value::Many(_) => unreachable!("several values in a column that is not tagged"),
    }
}

/// Extended byte and data of a tagged column.
fn tagged_value(
    ty: Type,
    values: &[Vec<u8>],
    limit: usize,
    size: PageSize,
    long_values: &mut LongValues,
) -> (u8, Vec<u8>) {
    let long = if ty.is_long() { LONG } else { 0 };
    let separate = |value: &Vec<u8>| ty.is_long() && value.len() > limit;
    match values {
        [value] if separate(value) => (long | SEPARATED, long_values.add(value)),
        [value] => (long, value.clone()),
        [first, second] if long == 0 && !is_large(size) => {
            (MULTIPLE | TWO, [&[to_u8(first.len())], &first[..], &second[..]].concat())
        }
        values => {
            let mut words = Vec::new();
            let mut data = Vec::new();
            for value in values {
                let mark = if separate(value) { 0x8000 } else { 0 };
                words.extend((to_u16(2 * values.len() + data.len()) | mark).to_le_bytes());
                data.extend(if separate(value) { long_values.add(value) } else { value.clone() });
            }
            words.extend(data);
            (long | MULTIPLE, words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_catdb_is_that_of_the_spec() {
        let names = [b"N\0T\x005\0.\0C\0A\0T\0\0\0".to_vec(), b"S\0P\x002\0.\0C\0A\0T\0\0\0".to_vec()];
        let mut long_values = LongValues::new(PageSize::K4, super::super::store::Format::Level20);
        let (extended, data) = tagged_value(Type::Text(1200), &names, 1023, PageSize::K4, &mut long_values);
        let hash = [0x5A; 20].to_vec();
        let parts = Parts {
            fixed: vec![],
            variable: vec![Some(hash)],
            tagged: vec![Tagged { id: 256, origin: Origin::Own, extended, data }],
        };
        let record = parts.encode(PageSize::K4);
        assert_eq!(record[..6], [0x00, 0x80, 0x04, 0x00, 0x14, 0x00]);
        assert_eq!(record[26..32], [0x00, 0x01, 0x04, 0x40, 0x18, 0x10]);
        assert_eq!(Parts::decode(&record, &[], PageSize::K4), parts);
    }
}
