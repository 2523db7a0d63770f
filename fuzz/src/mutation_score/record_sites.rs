//! The bytes of a record that are no value of a user: header, NULL bits, end offsets, tagged entries, references; of the
//! rows of the catalog the values too.

use ese_core::catalog::{Table, bootstrap_layout};
use ese_core::format::record::{
    END_MASK, END_NULL, ENTRY_BYTES, ENTRY_DERIVED, ENTRY_EXTENDED, ENTRY_NULL, OFFSET_ENTRY_WORD, OFFSET_FIXED_END,
    OFFSET_LAST_FIXED, OFFSET_LAST_VARIABLE, RECORD_HEADER_BYTES, VALUE_MASK, VALUE_SEPARATED, VALUE_WORD_BYTES,
    entry_mask,
};
use ese_core::format::{ColumnFlags, ColumnKind, ColumnType, Node, TaggedFlags};
use ese_core::record::{Column, Record, TableLayout, TaggedField, ValueForm};

use super::effect::Effect;
use super::sites::{PageSites, Role};

/// What the sites of a record depend on.
#[derive(Clone, Copy)]
pub(super) struct RecordContext<'t> {
    pub(super) table: Option<&'t Table>,
    pub(super) is_catalog: bool,
    pub(super) deleted: bool,
}

impl RecordContext<'_> {
    fn name(&self) -> &'static str {
        if self.is_catalog { "catalog record" } else { "record" }
    }

    /// The role of what means something as long as the row is there.
    fn role(&self) -> Role {
        if self.deleted { Role::Always(Effect::Nothing("data of a deleted entry")) } else { Role::MEANING }
    }

    fn layout(&self) -> &TableLayout {
        match self.table {
            Some(table) if !self.is_catalog => &table.layout,
            _ => bootstrap_layout(),
        }
    }

    /// True if anything but the record itself tells whether the column has a value.
    fn is_known_elsewhere(&self, column: Option<&Column>) -> bool {
        let (Some(column), Some(table), false) = (column, self.table, self.is_catalog) else { return true };
        let required = ColumnFlags::NOT_NULL | ColumnFlags::VERSION | ColumnFlags::AUTOINCREMENT;
        let fields = table.indexes.iter().flat_map(|index| [&index.segments, &index.conditions]);
        let mut fields = fields.flatten().flatten();
        column.flags.intersects(required) || fields.any(|field| field.column_id == column.id)
    }

    fn null_role(&self, column: Option<&Column>) -> Role {
        match column {
            _ if self.deleted => self.role(),
            Some(column) if column.column_type == ColumnType::Nil => {
                Role::Always(Effect::Nothing("NULL bit of a deleted column"))
            }
            _ if self.is_known_elsewhere(column) => Role::MEANING,
            _ => Role::Always(Effect::Content("whether a column that no index has is NULL")),
        }
    }
}

/// The sites of the record in `node`.
pub(super) fn record_sites(sites: &mut PageSites<'_, '_>, node: &Node<'_>, context: RecordContext<'_>) {
    let at = sites.page.offset_of(node.data);
    let Ok(record) = Record::new(node.data, sites.page.size()) else { return };
    let (name, role) = (context.name(), context.role());
    let mut byte = |offset: usize, field: &str| {
        sites.add(at + offset..at + offset + 1, 0xFF, &format!("{name}: {field}"), role);
    };
    byte(OFFSET_LAST_FIXED, "highest fixed id");
    byte(OFFSET_LAST_VARIABLE, "highest variable id");
    byte(OFFSET_FIXED_END, "end of fixed data");
    byte(OFFSET_FIXED_END + 1, "end of fixed data");
    null_bits(sites, &record, at, context);
    end_offsets(sites, &record, at, context);
    if let Ok(fields) = record.tagged() {
        for field in fields.flatten() {
            tagged_field(sites, &field, at, context);
        }
    }
    if context.is_catalog {
        catalog_values(sites, &record, context);
    }
}

fn null_bits(sites: &mut PageSites<'_, '_>, record: &Record<'_>, at: usize, context: RecordContext<'_>) {
    let map = record.null_bits();
    let map_at = at + record.fixed_end() - map.len();
    for bit in 0..8 * map.len() {
        let id = u16::try_from(bit + 1).unwrap_or(u16::MAX);
        let byte = map_at + bit / 8..map_at + bit / 8 + 1;
        let spare = id > record.last_fixed();
        let role =
            if spare { context.role() } else { context.null_role(context.layout().fixed(id).map(|found| found.0)) };
        let field = if spare { "NULL bits behind the last" } else { "NULL bit" };
        sites.add(byte, 1 << (bit % 8), &format!("{}: {field}", context.name()), role);
    }
}

fn end_offsets(sites: &mut PageSites<'_, '_>, record: &Record<'_>, at: usize, context: RecordContext<'_>) {
    let words: Vec<u16> = record.end_words().collect();
    let end_at = at + record.fixed_end();
    let column = |index: usize| {
        let id = usize::from(ColumnKind::FIXED_LAST) + 1 + index;
        context.layout().variable(u16::try_from(id).unwrap_or(u16::MAX))
    };
    for (index, word) in words.iter().enumerate() {
        let word_at = end_at + 2 * index;
        let known = [index, index + 1].iter().any(|index| context.is_known_elsewhere(column(*index)));
        let role = match words.get(index + 1) {
            Some(next) if !known && !context.deleted && word & END_NULL == 0 && next & END_NULL == 0 => {
                let low = index.checked_sub(1).and_then(|before| words.get(before)).map_or(0, |word| word & END_MASK);
                Role::EndOffset { word_at, low, high: next & END_MASK }
            }
            _ => context.role(),
        };
        sites.word(word_at, END_MASK, &format!("{}: end offset", context.name()), role);
        let role = context.null_role(column(index));
        sites.word(word_at, END_NULL, &format!("{}: end offset, NULL", context.name()), role);
    }
}

fn tagged_field(sites: &mut PageSites<'_, '_>, field: &TaggedField<'_>, at: usize, context: RecordContext<'_>) {
    let (name, role) = (context.name(), context.role());
    let size = sites.page.size();
    let entry = at + field.entry_at;
    let word = entry + OFFSET_ENTRY_WORD;
    sites.add(entry..word, 0xFF, &format!("{name}: tagged entry, id"), role);
    sites.word(word, entry_mask(size), &format!("{name}: tagged entry, offset"), role);
    sites.word(word, ENTRY_DERIVED, &format!("{name}: tagged entry, derived"), role);
    if !size.is_large() {
        sites.word(word, ENTRY_EXTENDED, &format!("{name}: tagged entry, extended"), role);
        sites.word(word, ENTRY_NULL, &format!("{name}: tagged entry, NULL"), role);
    }
    debug_assert_eq!(entry + ENTRY_BYTES, word + 2);
    let bytes_at = at + field.bytes_at;
    if field.extended {
        let extended = bytes_at - 1..bytes_at;
        for bit in (0..8).map(|bit| 1u8 << bit) {
            let flag = TaggedFlags::from_bits_retain(bit);
            let flag = flag.iter_names().next().map_or("unknown", |(name, _)| name);
            let column = context.layout().tagged(field.id, field.origin);
            let role = match TaggedFlags::from_bits_retain(bit) {
                TaggedFlags::COMPRESSED if !context.deleted && !context.is_known_elsewhere(column) => {
                    Role::Compressed { is_now: field.flags.contains(TaggedFlags::COMPRESSED) }
                }
                _ => role,
            };
            sites.add(extended.clone(), bit, &format!("{name}: extended byte, {flag}"), role);
        }
    }
    if field.null {
        return;
    }
    let values: Vec<_> = field.values().flatten().collect();
    if field.flags.contains(TaggedFlags::TWO_VALUES) {
        sites.add(bytes_at..bytes_at + 1, 0xFF, &format!("{name}: first of two values"), role);
    } else if field.flags.contains(TaggedFlags::MULTI_VALUED) {
        let words = field.bytes.as_chunks::<VALUE_WORD_BYTES>().0;
        let words: Vec<u16> = words.iter().take(values.len()).map(|word| u16::from_le_bytes(*word)).collect();
        let offsets: Vec<u16> = words.iter().map(|word| word & VALUE_MASK).collect();
        let separated = |index: usize| words.get(index).is_some_and(|word| word & VALUE_SEPARATED != 0);
        for index in 0..values.len() {
            let word = bytes_at + VALUE_WORD_BYTES * index;
            let known = context.is_known_elsewhere(context.layout().tagged(field.id, field.origin));
            let of_word = match index.checked_sub(1).and_then(|before| offsets.get(before)) {
                Some(low) if !known && !context.deleted && !separated(index) && !separated(index - 1) => {
                    let end = u16::try_from(field.bytes.len()).unwrap_or(u16::MAX);
                    Role::EndOffset { word_at: word, low: *low, high: offsets.get(index + 1).copied().unwrap_or(end) }
                }
                _ => role,
            };
            sites.word(word, VALUE_MASK, &format!("{name}: offset of one of several values"), of_word);
            sites.word(word, VALUE_SEPARATED, &format!("{name}: one of several values, separated"), role);
        }
    }
    for value in values.iter().filter(|value| value.form == ValueForm::Separated) {
        let at = sites.page.offset_of(value.bytes);
        sites.add(at..at + value.bytes.len(), 0xFF, &format!("{name}: reference to a long value"), role);
    }
}

fn catalog_values(sites: &mut PageSites<'_, '_>, record: &Record<'_>, context: RecordContext<'_>) {
    let layout = bootstrap_layout();
    for column in layout.columns() {
        let value = match ColumnKind::of(column.id) {
            Some(ColumnKind::Fixed) => {
                let place = layout.fixed(column.id).map(|(_, place)| place);
                place.and_then(|place| record.fixed(column.id, place.offset, place.len).ok()?.value())
            }
            Some(ColumnKind::Variable) => record.variable(column.id).ok().and_then(|stored| stored.value()),
            _ => record.tagged().ok().and_then(|fields| Some(fields.find(column.id, column.origin).ok()??.bytes)),
        };
        let Some(value) = value else { continue };
        let at = sites.page.offset_of(value);
        debug_assert!(at >= RECORD_HEADER_BYTES);
        sites.add(at..at + value.len(), 0xFF, &format!("catalog value: {}", column.name), context.role());
    }
}
