//! The fields of a page header by name, for showing (spec 02 sections 2, 3 and 6).
//!
//! Only names and order: where the fields stand is said in `page` and `page_sums`. Nothing here judges a value.

use byteorder::{ByteOrder, LittleEndian};

use super::header::{Field, FieldValue};
use super::page::{Page, PageFlags, offset};
use super::page_sums::{OFFSET_BLOCK_SUMS, OFFSET_CHECKSUM, SUM_BYTES};
use super::space;
use super::tag::NodeFlags;

/// Bytes of the XOR word, behind which old pages have their number.
const XOR_BYTES: usize = 4;
const BLOCK_SUMS: [(&str, &str); 3] = [
    ("checksum_block_1", "checksum of block 1"),
    ("checksum_block_2", "checksum of block 2"),
    ("checksum_block_3", "checksum of block 3"),
];

impl Page<'_> {
    /// All fields of the header in the order of their offsets, but for the reserved bytes: those have no values.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        let u64_at = |at: usize| self.bytes().get(at..at + SUM_BYTES).map_or(0, LittleEndian::read_u64);
        let u32_at = |at: usize| self.bytes().get(at..at + XOR_BYTES).map_or(0, LittleEndian::read_u32);
        let field =
            |name, label, at: usize, value| Field { name, label, offset: u32::try_from(at).unwrap_or(0), value };
        let number = |n: u16| FieldValue::U32(u32::from(n));
        let count = |n: usize| FieldValue::U32(u32::try_from(n).unwrap_or(u32::MAX));
        let is_large = self.size().is_large();
        let mut fields = Vec::with_capacity(16);
        if self.flags().contains(PageFlags::ECC) || is_large {
            let sum = FieldValue::Hex64(u64_at(OFFSET_CHECKSUM));
            fields.push(field("checksum", "checksum (XOR, then ECC)", OFFSET_CHECKSUM, sum));
        } else {
            let at = OFFSET_CHECKSUM + XOR_BYTES;
            let sum = FieldValue::Hex32(u32_at(OFFSET_CHECKSUM));
            fields.push(field("checksum", "checksum (XOR)", OFFSET_CHECKSUM, sum));
            fields.push(field("pgno", "page number", at, FieldValue::Pgno(super::Pgno(u32_at(at)))));
        }
        fields.extend([
            field("dbtime", "dbtime", offset::DBTIME, FieldValue::Dbtime(self.dbtime())),
            field("pgno_prev", "pgnoPrev", offset::PGNO_PREV, FieldValue::Pgno(self.pgno_prev())),
            field("pgno_next", "pgnoNext", offset::PGNO_NEXT, FieldValue::Pgno(self.pgno_next())),
            field("objid", "objidFDP", offset::OBJID, FieldValue::Objid(self.objid())),
            field("cb_free", "cbFree", offset::CB_FREE, number(self.cb_free())),
            field(
                "cb_uncommitted_free",
                "cbUncommittedFree",
                offset::CB_UNCOMMITTED_FREE,
                number(self.cb_uncommitted_free()),
            ),
            field("ib_mic_free", "ibMicFree", offset::IB_MIC_FREE, number(self.ib_mic_free())),
            field("itag_mic_free", "itagMicFree", offset::ITAG_STATE, count(self.tag_count())),
            field("reserved_tags", "reserved tags", offset::ITAG_STATE, count(self.reserved_tags())),
            field("flags", "fFlags", offset::FLAGS, FieldValue::Hex32(self.flags().bits())),
        ]);
        if is_large {
            let blocks = BLOCK_SUMS.into_iter().zip((OFFSET_BLOCK_SUMS..).step_by(SUM_BYTES));
            fields.extend(blocks.map(|((name, label), at)| field(name, label, at, FieldValue::Hex64(u64_at(at)))));
            let own = self.pgno_field().unwrap_or_default();
            fields.push(field("pgno", "pgno", offset::PGNO, FieldValue::Pgno(own)));
        }
        fields.into_iter()
    }
}

/// Names of flags, as the documents of this project spell them: in kebab case.
macro_rules! flag_names {
    ($($flags:ty),*) => {
        $(impl $flags {
            /// The names of the flags that are set, in kebab case, lowest bit first; unknown bits in hex.
            #[must_use]
            pub fn names(self) -> Vec<String> {
                let named = self.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-"));
                let mut names: Vec<String> = named.collect();
                let known = <$flags>::FLAGS.iter().filter(|flag| flag.is_named());
                let known = known.fold(0, |bits, flag| bits | flag.value().bits());
                let unknown = self.bits() & !known;
                if unknown != 0 {
                    names.push(format!("0x{unknown:x}"));
                }
                names
            }
        })*
    };
}

use super::catalog::TableFlags;
use super::column::ColumnFlags;
use super::index::{IndexFlags, SegmentFlags};
use super::record::TaggedFlags;
use bitflags::Flags;

flag_names!(PageFlags, NodeFlags, space::SpaceFlags, TableFlags, ColumnFlags, IndexFlags, SegmentFlags, TaggedFlags);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_by_offset_and_each_format_has_its_own() {
        let mut bytes = vec![0; 4096];
        bytes[4] = 7;
        let page = Page::new(&bytes).unwrap();
        let fields: Vec<Field> = page.fields().collect();
        assert!(fields.is_sorted_by_key(|field| field.offset));
        assert_eq!((fields[1].name, fields[1].value), ("pgno", FieldValue::Pgno(crate::format::Pgno(7))));
        let bytes = vec![0; 32768];
        let last = Page::new(&bytes).unwrap().fields().last().unwrap();
        assert_eq!((last.name, last.offset), ("pgno", 64));
    }

    #[test]
    fn flags_have_names_and_unknown_bits_are_shown() {
        let flags = PageFlags::from_bits_retain(0x8010_2803);
        assert_eq!(flags.names(), ["root", "leaf", "new-record-format", "ecc", "0x80100000"]);
        assert_eq!(ColumnFlags::from_bits_retain(0x4001).names(), ["not-null", "0x4000"]);
        assert!(NodeFlags::empty().names().is_empty());
    }
}
