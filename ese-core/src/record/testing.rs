//! Builds records for tests, written from the specification (06 section 1), with numbers of its own.

use super::Origin;
use crate::format::PageSize;

/// A record under construction; a sound one as long as it is given what a sound one holds.
#[derive(Clone, Debug)]
pub(crate) struct RecordBuilder {
    size: PageSize,
    fixed: Vec<u8>,
    last_fixed: u8,
    null_bits: u128,
    variable: Vec<Option<Vec<u8>>>,
    tagged: Vec<(u16, u16, Vec<u8>)>,
}

impl RecordBuilder {
    /// A record for pages of `size` without any column.
    pub(crate) fn new(size: PageSize) -> RecordBuilder {
        RecordBuilder {
            size,
            fixed: Vec::new(),
            last_fixed: 0,
            null_bits: !0,
            variable: Vec::new(),
            tagged: Vec::new(),
        }
    }

    /// Adds the next fixed column.
    pub(crate) fn fixed(mut self, bytes: &[u8]) -> RecordBuilder {
        self.fixed.extend_from_slice(bytes);
        self.null_bits &= !(1 << self.last_fixed);
        self.last_fixed += 1;
        self
    }

    /// Adds the next fixed column as NULL.
    pub(crate) fn fixed_null(mut self, size: usize) -> RecordBuilder {
        self.fixed.extend(vec![0x2A; size]);
        self.last_fixed += 1;
        self
    }

    /// Adds the next variable column.
    pub(crate) fn variable(mut self, bytes: &[u8]) -> RecordBuilder {
        self.variable.push(Some(bytes.to_vec()));
        self
    }

    /// Adds the next variable column as NULL.
    pub(crate) fn variable_null(mut self) -> RecordBuilder {
        self.variable.push(None);
        self
    }

    /// Adds a tagged column of the table itself that has the plain value `bytes`.
    pub(crate) fn tagged(self, id: u16, bytes: &[u8]) -> RecordBuilder {
        if self.size.is_large() { self.flagged(id, Origin::Own, 0, bytes) } else { self.entry(id, 0, bytes) }
    }

    /// Adds a tagged column with an extended byte.
    pub(crate) fn flagged(self, id: u16, origin: Origin, flags: u8, bytes: &[u8]) -> RecordBuilder {
        let derived = if origin == Origin::Template { 0x8000 } else { 0 };
        let word = if self.size.is_large() { derived } else { derived | 0x4000 };
        self.entry(id, word, &[&[flags], bytes].concat())
    }

    /// Adds a tagged column with the high bits of its word and all its data as they are to stand.
    pub(crate) fn entry(mut self, id: u16, word: u16, data: &[u8]) -> RecordBuilder {
        self.tagged.push((id, word, data.to_vec()));
        self
    }

    /// The bytes of the record.
    pub(crate) fn build(&self) -> Vec<u8> {
        let bit_map = usize::from(self.last_fixed).div_ceil(8);
        let fixed_end = u16::try_from(4 + self.fixed.len() + bit_map).unwrap();
        let mut record = vec![self.last_fixed, 127 + u8::try_from(self.variable.len()).unwrap()];
        record.extend(fixed_end.to_le_bytes());
        record.extend(&self.fixed);
        record.extend(&self.null_bits.to_le_bytes()[..bit_map]);
        let mut end = 0;
        for column in &self.variable {
            end += u16::try_from(column.as_ref().map_or(0, Vec::len)).unwrap();
            record.extend((end | if column.is_none() { 0x8000 } else { 0 }).to_le_bytes());
        }
        record.extend(self.variable.iter().flatten().flatten());
        let mut offset = u16::try_from(4 * self.tagged.len()).unwrap();
        for (id, word, data) in &self.tagged {
            record.extend(id.to_le_bytes());
            record.extend((word | offset).to_le_bytes());
            offset += u16::try_from(data.len()).unwrap();
        }
        record.extend(self.tagged.iter().flat_map(|(_, _, data)| data));
        record
    }
}

/// The bytes of hexadecimal digits; anything else is ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
