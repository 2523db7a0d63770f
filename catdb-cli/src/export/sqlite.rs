//! SQLite: one file, a table for each table, indexes over the columns of its indexes.
//!
//! Loads in one transaction by prepared statements, without a journal: the file has no name yet, so that what is half
//! done is thrown away as a whole. SQLite keeps a type for each value: what does not decode is a BLOB in its column, and
//! several values are a JSON array. No constraint is made: a damaged table must load too.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ese_core::format::ColumnType;
use ese_core::value::{DateTime, Guid, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::json_text::{self, JsonCells};
use super::rest::{REST, Rest};
use super::row::{Cell, Content, Stored};
use super::table::{ColumnInfo, unique};
use super::{ExportError, Extras, LongSource, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm};

/// Name of the file.
pub(crate) const FILE_NAME: &str = "export.sqlite";

/// SQLite takes 2,000 columns in a table; the columns behind these share one, as a JSON object.
const COLUMNS_MOST: usize = 1_900;

/// The sink.
pub(crate) struct SqliteSink {
    connection: Connection,
    path: PathBuf,
    extras: Extras,
    binder: Binder,
    rest: Rest,
    /// Names of tables and indexes, which share one space.
    taken: HashSet<String>,
    current: Option<Current>,
}

/// Binds values to parameters.
struct Binder {
    cells: JsonCells,
    /// One value that is written as text.
    text: Vec<u8>,
}

struct Current {
    table: TableInfo,
    /// As SQL has it, in quotes.
    name: String,
    keys: Vec<String>,
    insert: String,
    rows: u64,
}

impl SqliteSink {
    /// Begins the file in `folder`.
    pub(crate) fn new(folder: &Path, form: ValueForm, extras: Extras) -> Result<SqliteSink, ExportError> {
        let path = folder.join(FILE_NAME);
        super::staging::create(&path)?;
        let connection = Connection::open(&path)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        let binder = Binder { cells: JsonCells::new(form), text: Vec::new() };
        let (rest, taken) = (Rest::new(folder.to_owned()), HashSet::new());
        Ok(SqliteSink { connection, path, extras, binder, rest, taken, current: None })
    }

    /// Names of the columns that are not the table's, in their order.
    fn extra_columns(&self) -> Vec<&'static str> {
        let of = |wanted: bool, names: &'static [&'static str]| if wanted { names } else { &[] };
        [
            &[REST],
            of(self.extras.deleted, &["_deleted"]),
            of(self.extras.provenance, &["_pgno", "_line", "_status"]),
            of(self.extras.keys, &["_keys"]),
        ]
        .concat()
    }

    fn create_indexes(&mut self, current: &Current) -> Result<(), ExportError> {
        for index in &current.table.indexes {
            let columns: Option<Vec<String>> = index
                .columns
                .iter()
                .map(|segment| {
                    let key = current.keys.get(segment.column).filter(|_| segment.column < COLUMNS_MOST)?;
                    Some(format!("{}{}", identifier(key), if segment.descending { " DESC" } else { "" }))
                })
                .collect();
            let Some(columns) = columns.filter(|columns| !columns.is_empty()) else { continue };
            let wanted = format!("{}.{}", current.table.name, index.name);
            let name = unique(&plain(&wanted), &mut self.taken, |name| name.to_ascii_lowercase());
            let sql = format!("CREATE INDEX {} ON {} ({})", identifier(&name), current.name, columns.join(", "));
            self.connection.execute_batch(&sql)?;
        }
        Ok(())
    }
}

/// A name that SQLite takes: none of its own, and without NUL.
fn plain(name: &str) -> String {
    let name = name.replace('\0', "_");
    if name.is_empty() || name.to_ascii_lowercase().starts_with("sqlite_") { format!("_{name}") } else { name }
}

/// A name in quotes; nothing in it ends them.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "_").replace('"', "\"\""))
}

/// The type that the column is declared with.
fn declared(column: &ColumnInfo, form: ValueForm) -> &'static str {
    if form == ValueForm::Raw || column.is_list() {
        return "TEXT";
    }
    match column.column_type {
        ColumnType::Bit
        | ColumnType::UnsignedByte
        | ColumnType::Short
        | ColumnType::UnsignedShort
        | ColumnType::Long
        | ColumnType::UnsignedLong
        | ColumnType::LongLong => "INTEGER",
        // No type: an INTEGER column would round what is beyond its range.
        ColumnType::UnsignedLongLong => "",
        ColumnType::IeeeSingle | ColumnType::IeeeDouble => "REAL",
        // Exact decimals stay text: no column affinity makes doubles of them.
        ColumnType::Currency | ColumnType::DateTime | ColumnType::Guid | ColumnType::Text | ColumnType::LongText => {
            "TEXT"
        }
        ColumnType::Binary | ColumnType::LongBinary | ColumnType::Nil | ColumnType::Streaming => "BLOB",
    }
}

impl TableSink for SqliteSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        let keys: Vec<String> = table.column_keys();
        let name = unique(&plain(&table.name), &mut self.taken, |name| name.to_ascii_lowercase());
        let mut columns: Vec<String> = std::iter::zip(&keys, &table.columns)
            .take(COLUMNS_MOST)
            .map(|(key, column)| format!("{} {}", identifier(key), declared(column, self.binder.cells.form)))
            .collect();
        columns.extend(self.extra_columns().iter().map(|name| (*name).to_owned()));
        let name = identifier(&name);
        self.connection.execute_batch(&format!("CREATE TABLE {name} ({})", columns.join(", ")))?;
        let insert = format!("INSERT INTO {name} VALUES ({})", vec!["?"; columns.len()].join(","));
        self.binder.cells.kept_raw = 0;
        self.rest.begin_table(&table.name);
        self.current = Some(Current { table: table.clone(), name, keys, insert, rows: 0 });
        Ok(())
    }

    fn row(&mut self, row: &Row, source: &mut dyn LongSource) -> Result<(), ExportError> {
        let current = self.current.as_mut().ok_or(ExportError::NoTable)?;
        let mut statement = self.connection.prepare_cached(&current.insert)?;
        statement.clear_bindings();
        self.rest.clear();
        for (place, cell) in row.cells() {
            let (Some(column), Some(key)) = (current.table.columns.get(place), current.keys.get(place)) else {
                continue;
            };
            if place < COLUMNS_MOST && cell.is_held() {
                self.binder.bind_cell(&mut statement, place + 1, column, cell, source)?;
            } else {
                self.rest.add((key, column), cell, &mut self.binder.cells, source)?;
            }
        }
        let mut next = current.keys.len().min(COLUMNS_MOST) + 1;
        if let Some(rest) = self.rest.close() {
            bind(&mut statement, next, ValueRef::Text(rest))?;
        }
        next += 1;
        if self.extras.deleted {
            bind(&mut statement, next, ValueRef::Integer(i64::from(row.state == RowState::Deleted)))?;
            next += 1;
        }
        if self.extras.provenance {
            if let Some(provenance) = row.provenance {
                bind(&mut statement, next, ValueRef::Integer(provenance.pgno.into()))?;
                bind(&mut statement, next + 1, ValueRef::Integer(provenance.line.into()))?;
                bind(&mut statement, next + 2, ValueRef::Text(provenance.status.as_bytes()))?;
            }
            next += 3;
        }
        if self.extras.keys {
            let text = &mut self.binder.text;
            text.clear();
            json_text::keys(text, row, &current.table);
            bind(&mut statement, next, ValueRef::Text(text))?;
        }
        statement.raw_execute()?;
        current.rows += 1;
        Ok(())
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        let current = self.current.take().ok_or(ExportError::NoTable)?;
        self.create_indexes(&current)?;
        let (file, kept_raw) = (Some(FILE_NAME.to_owned()), self.binder.cells.kept_raw);
        Ok(TableOutput { file, rows: current.rows, kept_raw, value_files: self.rest.end_table()? })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.connection.flush_prepared_statement_cache();
        self.connection.execute_batch("COMMIT")?;
        // Opened for writing, because some systems sync nothing else.
        std::fs::OpenOptions::new().append(true).open(&self.path)?.sync_all()?;
        Ok(())
    }
}

fn bind(statement: &mut CachedStatement<'_>, place: usize, value: ValueRef<'_>) -> Result<(), ExportError> {
    Ok(statement.raw_bind_parameter(place, ToSqlOutput::Borrowed(value))?)
}

impl Binder {
    /// A cell whose values are all held.
    fn bind_cell(
        &mut self,
        statement: &mut CachedStatement<'_>,
        place: usize,
        column: &ColumnInfo,
        cell: Cell<'_>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        let Binder { cells, text } = self;
        text.clear();
        if let Some(Stored { content: Content::Held(bytes), fault }) = cells.single(column, cell) {
            match cells.decode(column, bytes, fault) {
                Ok(value) => return bind_value(statement, place, text, &value),
                Err(_) => cells.kept_raw += 1,
            }
            return bind(statement, place, ValueRef::Blob(bytes));
        }
        cells.cell(text, column, cell, source)?;
        bind(statement, place, ValueRef::Text(text))
    }
}

fn bind_value(
    statement: &mut CachedStatement<'_>,
    place: usize,
    text: &mut Vec<u8>,
    value: &Value<'_>,
) -> Result<(), ExportError> {
    let mut time = [0; DateTime::TEXT_BYTES];
    let mut guid = [0; Guid::TEXT_BYTES];
    let value = match value {
        Value::Null => ValueRef::Null,
        Value::Bool(value) => ValueRef::Integer((*value).into()),
        Value::U8(value) => ValueRef::Integer((*value).into()),
        Value::I16(value) => ValueRef::Integer((*value).into()),
        Value::U16(value) => ValueRef::Integer((*value).into()),
        Value::I32(value) => ValueRef::Integer((*value).into()),
        Value::U32(value) => ValueRef::Integer((*value).into()),
        Value::I64(value) => ValueRef::Integer(*value),
        Value::F32(value) if value.is_finite() => ValueRef::Real((*value).into()),
        Value::F64(value) if value.is_finite() => ValueRef::Real(*value),
        Value::DateTime(value) => ValueRef::Text(value.write_text(&mut time).as_bytes()),
        Value::Guid(value) => ValueRef::Text(value.write_text(&mut guid).as_bytes()),
        Value::Text(value) => ValueRef::Text(value.as_bytes()),
        Value::Binary(bytes) => ValueRef::Blob(bytes),
        Value::U64(value) if i64::try_from(*value).is_ok() => ValueRef::Integer(value.cast_signed()),
        // SQLite stores no number like it: as text, exactly.
        Value::U64(_) | Value::Currency(_) | Value::F32(_) | Value::F64(_) => {
            json_text::value(text, value);
            ValueRef::Text(
                text.trim_ascii().strip_prefix(b"\"").map_or(text, |rest| rest.strip_suffix(b"\"").unwrap_or(rest)),
            )
        }
    };
    bind(statement, place, value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LongBytes, column, every_type, faulty_row, full_row, table};
    use super::*;

    fn export(tables: &[(TableInfo, Vec<Row>)], extras: Extras) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = SqliteSink::new(folder.path(), ValueForm::Typed, extras).unwrap();
        for (table, rows) in tables {
            sink.begin_table(table).unwrap();
            rows.iter().for_each(|row| sink.row(row, &mut LongBytes::default()).unwrap());
            assert_eq!(sink.end_table().unwrap().rows, rows.len() as u64);
        }
        sink.finish().unwrap();
        drop(sink);
        let connection = Connection::open(folder.path().join(FILE_NAME)).unwrap();
        (folder, connection)
    }

    fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_type_loads_as_what_it_is() {
        let rows = vec![full_row(), Row::default(), faulty_row()];
        let (_folder, db) = export(&[(every_type(), rows)], Extras { provenance: true, keys: true, deleted: true });
        let value = |column: &str| {
            one::<String>(
                &db,
                &format!("SELECT typeof(\"{column}\") || ' ' || \"{column}\" FROM \"Every/type\" WHERE rowid = 1"),
            )
        };
        for (column, expected) in [
            ("Bit", "integer 1"),
            ("Short", "integer -2"),
            ("Long", "text [53,-87]"),
            ("Currency", "text 1.2345"),
            ("IEEESingle", "real 1.5"),
            ("IEEEDouble", "text NaN"),
            ("DateTime", "text 1970-01-01T12:00:00Z"),
            ("LongLong", "integer -9223372036854775808"),
            ("UnsignedLongLong", "text 18446744073709551615"),
            ("LongText", "text "),
            ("_pgno", "integer 36"),
            ("_keys", "text []"),
        ] {
            assert_eq!(value(column), expected, "{column}");
        }
        assert_eq!(one::<Vec<u8>>(&db, "SELECT \"Binary\" FROM \"Every/type\" WHERE rowid = 1"), [0, 0xAB]);
        assert_eq!(one::<i64>(&db, "SELECT count(*) FROM \"Every/type\" WHERE LongText IS NULL"), 2);
        assert_eq!(one::<String>(&db, "SELECT typeof(Short) FROM \"Every/type\" WHERE rowid = 3"), "blob");
        let index = one::<String>(&db, "SELECT sql FROM sqlite_master WHERE type = 'index'");
        assert!(index.contains("\"Short\" DESC"), "{index}");
        assert_eq!(one::<String>(&db, "PRAGMA integrity_check"), "ok");
    }

    #[test]
    fn hostile_names_are_names_and_nothing_else() {
        let names =
            ["a\"); DROP TABLE \"x", "A\"); DROP TABLE \"x", "sqlite_master", "sqlite_master", "", "n\0l", "\0rest"];
        let tables: Vec<(TableInfo, Vec<Row>)> = names
            .iter()
            .map(|name| (table(name, vec![column(name, ColumnType::Long), column(name, ColumnType::Bit)]), vec![]))
            .collect();
        let (_folder, db) = export(&tables, Extras::default());
        assert_eq!(one::<i64>(&db, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"), 7);
    }

    #[test]
    fn a_table_without_columns_and_one_with_too_many_load() {
        let wide: Vec<ColumnInfo> = (0..5_000).map(|i| column(&format!("c{i}"), ColumnType::UnsignedByte)).collect();
        let mut row = Row::default();
        for place in [0, COLUMNS_MOST - 1, COLUMNS_MOST, 4_999] {
            row.begin_cell(place);
            row.push(&[7]);
        }
        let (_folder, db) = export(
            &[(table("none", vec![]), vec![Row::default()]), (table("wide", wide), vec![row])],
            Extras::default(),
        );
        assert_eq!(one::<i64>(&db, "SELECT count(*) FROM none"), 1);
        assert_eq!(one::<String>(&db, "SELECT _rest FROM wide"), r#"{"c1900":7,"c4999":7}"#);
        assert_eq!(one::<i64>(&db, "SELECT c1899 FROM wide"), 7);
    }
}
