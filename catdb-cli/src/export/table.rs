//! What a sink knows of a table: names and types, as plain data.

use std::collections::HashSet;

use ese_core::format::{ColumnFlags, ColumnType};

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) id: u16,
    pub(crate) column_type: ColumnType,
    pub(crate) code_page: u32,
    /// Most bytes of a value; 0 is no limit.
    pub(crate) max_len: u32,
    pub(crate) flags: ColumnFlags,
}

impl ColumnInfo {
    /// True if its values are written as lists, however many there are.
    pub(crate) fn is_list(&self) -> bool {
        self.flags.contains(ColumnFlags::MULTI_VALUED)
    }
}

/// One column of an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IndexColumn {
    /// Place in [`TableInfo::columns`].
    pub(crate) column: usize,
    pub(crate) descending: bool,
}

/// An index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IndexInfo {
    pub(crate) name: String,
    pub(crate) primary: bool,
    pub(crate) unique: bool,
    pub(crate) columns: Vec<IndexColumn>,
}

impl IndexInfo {
    /// Its columns in `table`: `+name` ascending, `-name` descending.
    pub(crate) fn key(&self, table: &TableInfo) -> Vec<String> {
        let segments = self.columns.iter().map(|segment| {
            let name = table.columns.get(segment.column).map_or("", |column| &column.name);
            format!("{}{name}", if segment.descending { '-' } else { '+' })
        });
        segments.collect()
    }
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TableInfo {
    pub(crate) name: String,
    /// In the order of rows' cells.
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) indexes: Vec<IndexInfo>,
}

impl TableInfo {
    /// The name that each column has in outputs, the same in all formats: its own, but a name that is empty or begins with
    /// `_` comes behind `column:` (names with `_` are ours), and one that a column before has already gets a number. Case
    /// tells no names apart in SQL, and a NUL is `_` there.
    pub(crate) fn column_keys(&self) -> Vec<String> {
        let fold = |name: &str| name.replace('\0', "_").to_lowercase();
        let mut taken = HashSet::new();
        let keys = self.columns.iter().map(|column| {
            let plain = !column.name.is_empty() && !column.name.starts_with(['_', '\0']);
            let wanted = if plain { column.name.clone() } else { format!("column:{}", column.name) };
            unique(&wanted, &mut taken, fold)
        });
        keys.collect()
    }
}

/// `wanted`, or `wanted~2`, `wanted~3`...: the first that is not taken.
pub(crate) fn unique(wanted: &str, taken: &mut HashSet<String>, fold: impl Fn(&str) -> String) -> String {
    let mut name = wanted.to_owned();
    let mut number = 1_u64;
    while !taken.insert(fold(&name)) {
        number += 1;
        name = format!("{wanted}~{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::testing::{column, table};
    use super::*;

    #[test]
    fn no_two_columns_share_a_key_and_none_begins_with_an_underscore() {
        let names = ["a", "A", "_source", "", "a", "column:_source", "\0rest", "x_", "x\0"];
        let table = table("t", names.iter().map(|name| column(name, ColumnType::Long)).collect());
        let expected =
            ["a", "A~2", "column:_source", "column:", "a~3", "column:_source~2", "column:\0rest", "x_", "x\0~2"];
        assert_eq!(table.column_keys(), expected);
    }
}
