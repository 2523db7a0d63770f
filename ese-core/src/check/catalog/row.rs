//! What a row says by itself: C2, and the parts of C3, C9, C10, C11 and C17 that need no other row.

use std::fmt::Display;

use crate::catalog::{CatalogRow, key_of, var_seg_mac};
use crate::format::catalog::{
    CATALOG_COLUMNS, DELETED_COLUMN_PREFIX, KEY_ID, MSYS_OBJECTS, MSYS_OBJECTS_SHADOW, OBJID_LEAST, RowType,
    TableFlags, column,
};
use crate::format::record::SHORT_VALUE_MOST;
use crate::format::{
    ColumnFlags, ColumnKind, ColumnType, IndexFlags, KEY_MOST_DEFAULT, KeyFieldList, PageSize, TupleLimits,
    key_most_limit, parse_key_fields,
};
use crate::record::Stored;

use super::report::{Fault, hex};

/// Everything that is wrong with `row` alone. Values that cannot be read at all are for the record check.
pub(super) fn faults(row: &CatalogRow, size: PageSize) -> Vec<Fault> {
    let mut faults = Vec::new();
    row_is_whole(row, &mut faults);
    match row.row_type() {
        Some(RowType::Table) => table(row, &mut faults),
        Some(RowType::Column) => Described::read(row).check(row, &mut faults),
        Some(RowType::Index) => index(row, size, &mut faults),
        Some(RowType::LongValue | RowType::Callback) | None => {}
    }
    faults
}

fn expected(what: &str, expected: impl Display, found: impl Display) -> String {
    format!("{what}: expected {expected}, found {found}")
}

/// C2; of C3 the root flag.
fn row_is_whole(row: &CatalogRow, faults: &mut Vec<Fault>) {
    let mut bad = |rule, column, message| faults.push(Fault::of_row(rule, column, message));
    for required in CATALOG_COLUMNS.into_iter().filter(|column| column.required) {
        if matches!(row.stored(required), Some(Stored::Absent | Stored::Null)) {
            bad("C2", required, expected(required.name, "a value", "none"));
        }
    }
    if let Some(objid) = row.objid_table().filter(|objid| *objid < OBJID_LEAST) {
        bad("C2", column::OBJID_TABLE, expected("ObjidTable", format!("{OBJID_LEAST} or more"), objid));
    }
    if let (Some(number), None) = (row.short(column::TYPE), row.row_type()) {
        bad("C2", column::TYPE, expected("Type", "1 to 5", number));
    }
    if row.id() == Some(0) {
        bad("C2", column::ID, expected("Id", "1 or more", 0));
    }
    if let Some(key) = key_of(row, KEY_ID).filter(|key| *key != row.key) {
        // The first value that the key does not agree with.
        let column = KEY_ID.iter().scan(0, |end, column| {
            *end += 1 + column.column_type.fixed_size()?;
            Some((*end, *column))
        });
        let wrong = column.into_iter().find(|(end, _)| row.key.get(..*end) != key.get(..*end));
        let text = expected("key", hex(&key), hex(&row.key));
        bad("C2", wrong.map_or(column::OBJID_TABLE, |(_, column)| column), text);
    }
    let is_table = row.row_type() == Some(RowType::Table);
    match row.stored(column::ROOT_FLAG) {
        Some(Stored::Absent | Stored::Null) if is_table => {
            bad("C3", column::ROOT_FLAG, expected("RootFlag", "the flag of a table", "none"));
        }
        Some(Stored::Value(bytes)) if is_table && bytes == [0] => {
            bad("C3", column::ROOT_FLAG, expected("RootFlag", "the flag of a table", 0));
        }
        Some(Stored::Value(bytes)) if !is_table && row.row_type().is_some() => {
            bad("C3", column::ROOT_FLAG, expected("RootFlag", "nothing", hex(bytes)));
        }
        _ => {}
    }
}

/// Of C3 the id, of C11 the flag.
fn table(row: &CatalogRow, faults: &mut Vec<Fault>) {
    if let (Some(objid), Some(id)) = (row.objid_table(), row.id())
        && objid.0 != id
    {
        faults.push(Fault::of_row("C3", column::ID, expected("Id", format!("that of the table, {objid}"), id)));
    }
    let (Some(flags), Some(template)) = (row.long(column::FLAGS), row.stored(column::TEMPLATE_TABLE)) else { return };
    let is_derived = TableFlags::from_bits_retain(flags).contains(TableFlags::DERIVED);
    match (is_derived, template.value()) {
        (true, None) => {
            let text = expected("TemplateTable", "the name of a table", "none though the table is derived");
            faults.push(Fault::of_row("C11", column::FLAGS, text));
        }
        (false, Some(_)) => {
            let text = expected("Flags", "the flag of a derived table", format!("0x{flags:x}"));
            faults.push(Fault::of_row("C11", column::FLAGS, text));
        }
        _ => {}
    }
}

/// A column row, as far as it can be read.
struct Described {
    id: Option<u32>,
    kind: Option<ColumnKind>,
    number: Option<u32>,
    column_type: Option<ColumnType>,
    flags: Option<ColumnFlags>,
    len: Option<u32>,
}

impl Described {
    fn read(row: &CatalogRow) -> Described {
        let number = row.long(column::COLTYP_OR_PGNO_FDP);
        let low = |flags: u32| u16::try_from(flags & u32::from(u16::MAX)).ok();
        Described {
            id: row.id(),
            kind: row.id().and_then(|id| u16::try_from(id).ok()).and_then(ColumnKind::of),
            number,
            column_type: number.and_then(|number| ColumnType::try_from(number).ok()),
            flags: row.long(column::FLAGS).and_then(low).map(ColumnFlags::from_bits_retain),
            len: row.long(column::SPACE_USAGE),
        }
    }

    fn check(&self, row: &CatalogRow, faults: &mut Vec<Fault>) {
        self.type_and_length(faults);
        let mut bad = |column, message| faults.push(Fault::of_row("C17", column, message));
        if let (Some(flags), Some(default)) = (self.flags, row.stored(column::DEFAULT_VALUE))
            && !flags.contains(ColumnFlags::USER_DEFINED_DEFAULT)
        {
            match (flags.contains(ColumnFlags::DEFAULT), default.value()) {
                (true, None) => bad(column::FLAGS, expected("DefaultValue", "a value as the flag says", "none")),
                (false, Some(value)) => {
                    bad(column::DEFAULT_VALUE, expected("DefaultValue", "none without its flag", hex(value)));
                }
                _ => {}
            }
        }
        if let (Some(kind), Some(offset)) = (self.kind, row.stored(column::RECORD_OFFSET)) {
            match (kind == ColumnKind::Fixed, offset.value()) {
                (true, None) => {
                    bad(column::RECORD_OFFSET, expected("RecordOffset", "the place of a fixed column", "none"));
                }
                (false, Some(value)) => {
                    bad(column::RECORD_OFFSET, expected("RecordOffset", "none but for fixed columns", hex(value)));
                }
                _ => {}
            }
        }
        if let (Some(column_type), Some(name), Some(table), Some(id)) =
            (self.column_type, row.name(), row.objid_table(), self.id)
        {
            let stub = format!("{DELETED_COLUMN_PREFIX}{table}_{id}");
            match (column_type == ColumnType::Nil, name == stub) {
                (true, false) => {
                    bad(column::NAME, expected("Name", format!("{stub:?} for a deleted column"), format!("{name:?}")));
                }
                (false, true) => {
                    let text = expected("ColtypOrPgnoFDP", "0 for a column with this name", column_type.number());
                    bad(column::COLTYP_OR_PGNO_FDP, text);
                }
                _ => {}
            }
        }
    }

    /// C10, but for what lies around the column.
    fn type_and_length(&self, faults: &mut Vec<Fault>) {
        let mut bad = |column, message| faults.push(Fault::of_row("C10", column, message));
        let (Some(id), Some(number)) = (self.id, self.number) else { return };
        // C2 has reported an id of 0.
        let Some(kind) = self.kind else {
            if id != 0 {
                bad(column::ID, expected("Id", format!("at most {}", u16::MAX), id));
            }
            return;
        };
        let Some(column_type) = self.column_type else {
            bad(column::COLTYP_OR_PGNO_FDP, expected("column type", "0 to 18", number));
            return;
        };
        let is_lawful = match kind {
            ColumnKind::Fixed => !column_type.is_long() && column_type != ColumnType::Streaming,
            ColumnKind::Variable => {
                matches!(column_type, ColumnType::Nil | ColumnType::Binary | ColumnType::Text)
            }
            ColumnKind::Tagged => true,
        };
        if !is_lawful {
            let allowed = match kind {
                ColumnKind::Fixed => "one of a limited length",
                ColumnKind::Variable | ColumnKind::Tagged => "Binary or Text",
            };
            bad(column::COLTYP_OR_PGNO_FDP, expected("column type", allowed, column_type.name()));
            return;
        }
        let Some(len) = self.len else { return };
        let found = usize::try_from(len).unwrap_or(usize::MAX);
        let is_short = matches!(column_type, ColumnType::Binary | ColumnType::Text);
        if let Some(size) = column_type.fixed_size().filter(|size| *size != found) {
            bad(column::SPACE_USAGE, expected("length", format!("{size} for {}", column_type.name()), len));
        } else if is_short && found > SHORT_VALUE_MOST {
            bad(column::SPACE_USAGE, expected("length", format!("at most {SHORT_VALUE_MOST}"), len));
        }
    }
}

/// C9 and I1 (spec 08 section 5): what makes an index unusable whatever the table has.
fn index(row: &CatalogRow, size: PageSize, faults: &mut Vec<Fault>) {
    let mut bad = |column, message| faults.push(Fault::of_row("C9", column, message));
    let Some(bits) = row.long(column::FLAGS) else { return };
    let flags = IndexFlags::from_bits_retain(bits);
    let unknown = flags.iter_names().fold(bits, |rest, (_, flag)| rest & !flag.bits());
    if unknown != 0 {
        bad(column::FLAGS, expected("Flags", "flags that are known", format!("0x{unknown:x}")));
    }
    match row.stored(column::KEY_FLD_IDS) {
        Some(Stored::Absent | Stored::Null) => {
            bad(column::KEY_FLD_IDS, expected("KeyFldIDs", "the segments of the index", "none"));
        }
        Some(Stored::Value(bytes)) => {
            if let Err(error) = parse_key_fields(bytes, flags, KeyFieldList::Segments) {
                bad(column::KEY_FLD_IDS, format!("KeyFldIDs: {error}"));
            }
        }
        None => {}
    }
    if let Some(bytes) = row.bytes(column::CONDITIONAL_COLUMNS)
        && let Err(error) = parse_key_fields(bytes, flags, KeyFieldList::Conditions)
    {
        bad(column::CONDITIONAL_COLUMNS, format!("ConditionalColumns: {error}"));
    }
    if let Some(bytes) = row.bytes(column::TUPLE_LIMITS)
        && let Err(error) = TupleLimits::parse(bytes)
    {
        bad(column::TUPLE_LIMITS, format!("TupleLimits: {error}"));
    }
    let limit = key_most_limit(size).max(KEY_MOST_DEFAULT);
    let key_most = row.short(column::KEY_MOST).map_or(KEY_MOST_DEFAULT, usize::from);
    if key_most == 0 || key_most > limit {
        bad(column::KEY_MOST, expected("KeyMost", format!("1 to {limit}"), key_most));
    }
    match row.bytes(column::VAR_SEG_MAC).map(var_seg_mac) {
        Some(Err(error)) => bad(column::VAR_SEG_MAC, error.to_string()),
        Some(Ok(most)) if most == 0 || usize::from(most) > key_most => {
            bad(column::VAR_SEG_MAC, expected("VarSegMac", format!("1 to {key_most}"), most));
        }
        _ => {}
    }
}

/// True for the rows by which the catalog describes itself: their `RecordOffset` is the same in every row, and wrong.
pub(super) fn describes_catalog(row: &CatalogRow) -> bool {
    row.objid_table().is_some_and(|objid| [MSYS_OBJECTS.objid, MSYS_OBJECTS_SHADOW.objid].contains(&objid))
}
