//! What a table is to hold: columns, indexes, rows.
//!
//! Plain data with builder methods; nothing here knows pages. Spec 05 sections 4 to 6, 08 section 1.

use super::space_builder::Space;
use super::tree_builder::KeyPrefix;

/// Column flag: NULL is refused.
pub const NOT_NULL: u32 = 0x1;
/// Column flag: each of several values is indexed.
pub const MULTI_VALUED: u32 = 0x8;
/// Index flag: keys are unique.
pub const UNIQUE: u32 = 0x1;
/// Index flag: keys of nothing but NULLs are entered.
pub const ALL_NULLS: u32 = 0x2;
/// Index flag: a NULL in the first segment is entered.
pub const FIRST_NULL: u32 = 0x4;
/// Index flag: NULLs in other segments are entered.
pub const SOME_NULLS: u32 = 0x8;
/// Index flags of an index that enters every record.
pub const ANY_NULLS: u32 = ALL_NULLS | FIRST_NULL | SOME_NULLS;

/// Table flags: fixed schema and template.
const TEMPLATE: u32 = 0x6000_0000;
/// Table flag: has a template.
const DERIVED: u32 = 0x1000_0000;
const COLUMN_OF_TEMPLATE: u32 = 0x100;
const INDEX_OF_TEMPLATE: u32 = 0x100;
const INDEX_DERIVED: u32 = 0x200;

/// Type of a column, with the code page of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names are those of spec 05 section 6
pub enum Type {
    Bit,
    UnsignedByte,
    Short,
    Long,
    Currency,
    Single,
    Double,
    DateTime,
    Binary,
    Text(u32),
    LongBinary,
    LongText(u32),
    UnsignedLong,
    LongLong,
    Guid,
    UnsignedShort,
    UnsignedLongLong,
}

impl Type {
    /// The number in the catalog, and the size that the catalog states (0 for long columns).
    pub(crate) fn number_and_size(self) -> (u32, u32) {
        match self {
            Type::Bit => (1, 1),
            Type::UnsignedByte => (2, 1),
            Type::Short => (3, 2),
            Type::Long => (4, 4),
            Type::Currency => (5, 8),
            Type::Single => (6, 4),
            Type::Double => (7, 8),
            Type::DateTime => (8, 8),
            Type::Binary => (9, 255),
            Type::Text(_) => (10, 255),
            Type::LongBinary => (11, 0),
            Type::LongText(_) => (12, 0),
            Type::UnsignedLong => (14, 4),
            Type::LongLong => (15, 8),
            Type::Guid => (16, 16),
            Type::UnsignedShort => (17, 2),
            Type::UnsignedLongLong => (18, 8),
        }
    }

    /// True for the types that may be moved to the long value tree.
    pub(crate) fn is_long(self) -> bool {
        matches!(self, Type::LongBinary | Type::LongText(_))
    }

    pub(crate) fn code_page(self) -> u32 {
        match self {
            Type::Text(page) | Type::LongText(page) => page,
            _ => 0,
        }
    }
}

/// Where a column or an index is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// In the table itself.
    Own,
    /// In the template of the table.
    Template,
}

/// A column; its id follows from the order in which columns of its kind were added.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Bytes at most; of a fixed column, exactly.
    pub(crate) size: u32,
    pub(crate) flags: u32,
    pub(crate) default: Option<Vec<u8>>,
    pub(crate) origin: Origin,
}

impl Column {
    pub(crate) fn is_fixed(&self) -> bool {
        self.id < 128
    }
}

/// A segment: the place of its column, and the direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) column: usize,
    pub(crate) descending: bool,
}

/// A primary or secondary index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) flags: u32,
    pub(crate) segments: Vec<Segment>,
    pub(crate) origin: Origin,
}

/// The value of a column in a row, in storage form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Not set.
    Null,
    /// One value.
    One(Vec<u8>),
    /// Two or more values of a tagged column.
    Many(Vec<Vec<u8>>),
}

impl Value {
    /// A number of type Long.
    #[must_use]
    pub fn long(value: i32) -> Value {
        Value::One(value.to_le_bytes().to_vec())
    }

    /// Bytes, or text of code page 1252 (ASCII).
    #[must_use]
    pub fn bytes(value: impl AsRef<[u8]>) -> Value {
        Value::One(value.as_ref().to_vec())
    }

    /// Text of code page 1200.
    #[must_use]
    pub fn utf16(value: &str) -> Value {
        Value::One(utf16(value))
    }

    /// Several numbers of type Long.
    #[must_use]
    pub fn longs(values: &[i32]) -> Value {
        Value::Many(values.iter().map(|value| value.to_le_bytes().to_vec()).collect())
    }

    pub(crate) fn first(&self) -> Option<&[u8]> {
        match self {
            Value::Null => None,
            Value::One(value) => Some(value),
            Value::Many(values) => values.first().map(Vec::as_slice),
        }
    }
}

pub(crate) fn utf16(value: &str) -> Vec<u8> {
    value.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A table to be built. Columns first, then indexes, then rows.
#[derive(Clone, Debug)]
pub struct TableSpec {
    pub(crate) name: String,
    pub(crate) flags: u32,
    pub(crate) density: u32,
    pub(crate) columns: Vec<Column>,
    pub(crate) template: Option<String>,
    pub(crate) primary: Option<Index>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) rows: Vec<Vec<Value>>,
    pub(crate) space: Space,
    pub(crate) spare: u32,
    pub(crate) separate_above: usize,
    pub(crate) prefix: KeyPrefix,
    pub(crate) max_nodes: usize,
}

impl TableSpec {
    /// A table without columns.
    #[must_use]
    pub fn new(name: &str) -> TableSpec {
        TableSpec {
            name: name.to_owned(),
            flags: 0,
            density: 80,
            columns: Vec::new(),
            template: None,
            primary: None,
            indexes: Vec::new(),
            rows: Vec::new(),
            space: Space::Multiple,
            spare: 0,
            separate_above: 1023,
            prefix: KeyPrefix::Whole,
            max_nodes: usize::MAX,
        }
    }

    /// Makes the table, columns and indexes so far, a template; it has no rows.
    #[must_use]
    pub fn into_template(mut self) -> TableSpec {
        self.flags |= TEMPLATE;
        self.columns.iter_mut().for_each(|column| column.flags |= COLUMN_OF_TEMPLATE);
        self.primary.iter_mut().chain(&mut self.indexes).for_each(|index| index.flags |= INDEX_OF_TEMPLATE);
        self
    }

    /// A table that takes columns and indexes from this template and may have more of its own.
    #[must_use]
    pub fn derive(&self, name: &str) -> TableSpec {
        let mut table = TableSpec { template: Some(self.name.clone()), flags: DERIVED, ..self.clone().renamed(name) };
        table.columns.iter_mut().for_each(|column| column.origin = Origin::Template);
        for index in table.primary.iter_mut().chain(&mut table.indexes) {
            index.flags = index.flags & !INDEX_OF_TEMPLATE | INDEX_DERIVED;
            index.origin = Origin::Template;
        }
        table
    }

    /// Changes the name: a second table of the same kind.
    #[must_use]
    pub fn renamed(mut self, name: &str) -> TableSpec {
        name.clone_into(&mut self.name);
        self
    }

    /// Adds a fixed column (ids from 1).
    #[must_use]
    pub fn fixed(self, name: &str, ty: Type, flags: u32) -> TableSpec {
        self.column(1, name, ty, flags)
    }

    /// Adds a variable column (ids from 128).
    #[must_use]
    pub fn variable(self, name: &str, ty: Type, flags: u32) -> TableSpec {
        self.column(128, name, ty, flags)
    }

    /// Adds a tagged column (ids from 256).
    #[must_use]
    pub fn tagged(self, name: &str, ty: Type, flags: u32) -> TableSpec {
        self.column(256, name, ty, flags)
    }

    fn column(mut self, first: u16, name: &str, ty: Type, flags: u32) -> TableSpec {
        // Tagged ids of a derived table begin anew, the others continue.
        let counted = |column: &&Column| column.id < 256 || column.origin == Origin::Own;
        let before = self.columns.iter().filter(counted).map(|column| column.id).filter(|id| match first {
            1 => *id < 128,
            128 => (128..256).contains(id),
            _ => *id >= 256,
        });
        let id = before.max().map_or(first, |id| id + 1);
        let size = ty.number_and_size().1;
        self.columns.push(Column { id, name: name.to_owned(), ty, size, flags, default: None, origin: Origin::Own });
        self
    }

    /// Gives the last column a default, in storage form.
    #[must_use]
    pub fn default_value(mut self, value: &[u8]) -> TableSpec {
        let column = self.columns.last_mut().expect("a column before its default");
        column.flags |= 0x10;
        column.default = Some(value.to_vec());
        self
    }

    /// Makes the primary index `primary` of `segments`: names of columns with `+` or `-` before them.
    #[must_use]
    pub fn primary(mut self, segments: &[&str]) -> TableSpec {
        let flags = 0x20 | UNIQUE | ANY_NULLS;
        self.primary =
            Some(Index { name: "primary".to_owned(), flags, segments: self.segments(segments), origin: Origin::Own });
        self
    }

    /// Adds a secondary index.
    #[must_use]
    pub fn index(mut self, name: &str, flags: u32, segments: &[&str]) -> TableSpec {
        let segments = self.segments(segments);
        let several = segments.iter().any(|segment| self.columns[segment.column].flags & MULTI_VALUED != 0);
        let flags = if several { flags | 0x80 } else { flags };
        self.indexes.push(Index { name: name.to_owned(), flags, segments, origin: Origin::Own });
        self
    }

    fn segments(&self, segments: &[&str]) -> Vec<Segment> {
        let parse = |text: &&str| {
            let (descending, name) = match text.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, text.strip_prefix('+').unwrap_or(text)),
            };
            let column = self.columns.iter().position(|column| column.name == name).expect("a column of the table");
            Segment { column, descending }
        };
        segments.iter().map(parse).collect()
    }

    /// Adds a row: a value for each column, in the order in which columns were added. Where values for the last columns
    /// are missing, the row is written as if those columns had been added later.
    ///
    /// # Panics
    /// If there are more values than columns.
    #[must_use]
    pub fn row(mut self, values: Vec<Value>) -> TableSpec {
        assert!(values.len() <= self.columns.len(), "more values than columns in {}", self.name);
        self.rows.push(values);
        self
    }

    /// Adds rows.
    #[must_use]
    pub fn rows(self, rows: impl IntoIterator<Item = Vec<Value>>) -> TableSpec {
        rows.into_iter().fold(self, TableSpec::row)
    }

    /// How each tree of the table keeps its space; multiple extents unless told otherwise.
    #[must_use]
    pub fn space(mut self, space: Space) -> TableSpec {
        self.space = space;
        self
    }

    /// Free pages at the end of each tree of the table.
    #[must_use]
    pub fn spare(mut self, pages: u32) -> TableSpec {
        self.spare = pages;
        self
    }

    /// Long values of more bytes than this go to the long value tree; 1023 as the engine does.
    #[must_use]
    pub fn separate_above(mut self, bytes: usize) -> TableSpec {
        self.separate_above = bytes;
        self
    }

    /// How leaves hold their keys; whole unless told otherwise.
    #[must_use]
    pub fn key_prefix(mut self, prefix: KeyPrefix) -> TableSpec {
        self.prefix = prefix;
        self
    }

    /// Nodes that a page takes at most (internal pages at least 3): deep trees from few rows.
    #[must_use]
    pub fn max_nodes_per_page(mut self, nodes: usize) -> TableSpec {
        self.max_nodes = nodes;
        self
    }
}
