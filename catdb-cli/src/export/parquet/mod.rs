//! Parquet: a file for each table, in row groups of bounded size, for DuckDB and pandas.
//!
//! Columns that may have several values are lists. What a column cannot hold - a value that does not decode, several
//! values where one was declared, a long value - is in the column `_rest`, a JSON object by column name; the column itself
//! is NULL there. Times are cut to microseconds, which is the finest unit that spans all years; unsigned 64-bit numbers and
//! GUIDs have types of their own.

mod column;

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use ese_core::value::Value;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use column::{Column, Kind, Sign, list};

use super::file_name::FileNames;
use super::json_text::{self, JsonCells};
use super::rest::{REST, Rest};
use super::row::Cell;
use super::{ExportError, Extras, LongSource, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm, staging};

/// A row group ends with this many bytes of values, or places for values: that bounds memory.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
const GROUP_PLACES: usize = 4 * 1024 * 1024;

/// The sink.
pub(crate) struct ParquetSink {
    folder: PathBuf,
    extras: Extras,
    input_sha256: Option<String>,
    names: FileNames,
    cells: JsonCells,
    rest: Rest,
    text: Vec<u8>,
    current: Option<Current>,
}

struct Current {
    table: TableInfo,
    keys: Vec<String>,
    name: String,
    writer: SerializedFileWriter<BufWriter<File>>,
    /// The table's columns, then the others.
    columns: Vec<Column>,
    rows: u64,
    group_rows: usize,
    group_bytes: usize,
}

impl Current {
    /// Writes the row group.
    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        let mut group: SerializedRowGroupWriter<'_, _> = self.writer.next_row_group()?;
        for column in &mut self.columns {
            column.pad(self.group_rows);
            if let Some(mut to) = group.next_column()? {
                column.write(&mut to)?;
                to.close()?;
            }
        }
        group.close()?;
        (self.group_rows, self.group_bytes) = (0, 0);
        Ok(())
    }

    /// Puts a value into column `place`, for the row being written.
    fn put(&mut self, place: usize, value: &Value<'_>) {
        if let Some(column) = self.columns.get_mut(place) {
            column.pad(self.group_rows);
            self.group_bytes += column.push(self.group_rows, Some(value)).unwrap_or_default();
        }
    }
}

impl ParquetSink {
    pub(crate) fn new(folder: PathBuf, form: ValueForm, extras: Extras, input_sha256: Option<String>) -> ParquetSink {
        let (names, cells, text) = (FileNames::default(), JsonCells::new(form), Vec::new());
        let rest = Rest::new(folder.clone());
        ParquetSink { folder, extras, input_sha256, names, cells, rest, text, current: None }
    }

    /// Columns that are not the table's.
    fn own_columns(&self) -> Vec<(&'static str, Kind)> {
        let of = |wanted: bool, columns: &'static [(&'static str, Kind)]| if wanted { columns } else { &[] };
        const NUMBER: Kind = Kind::Int(32, Sign::Unsigned);
        const SOURCE: &[(&str, Kind)] = &[("_pgno", NUMBER), ("_line", NUMBER), ("_status", Kind::Text)];
        [
            &[(REST, Kind::Text)],
            of(self.extras.deleted, &[("_deleted", Kind::Bool)]),
            of(self.extras.provenance, SOURCE),
            of(self.extras.keys, &[("_keys", Kind::Text)]),
        ]
        .concat()
    }

    fn properties(&self, table: &TableInfo) -> WriterProperties {
        let mut metadata = vec![KeyValue::new("catdb.table".to_owned(), table.name.clone())];
        if let Some(hash) = &self.input_sha256 {
            metadata.push(KeyValue::new("catdb.input_sha256".to_owned(), hash.clone()));
        }
        WriterProperties::builder()
            .set_created_by(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(metadata))
            .build()
    }

    /// The cell in its column, or in `rest` if it does not fit.
    fn cell(
        &mut self,
        current: &mut Current,
        place: usize,
        cell: Cell<'_>,
        source: &mut dyn LongSource,
    ) -> Result<(), ExportError> {
        let (Some(info), Some(column)) = (current.table.columns.get(place), current.columns.get_mut(place)) else {
            return Ok(());
        };
        let row = current.group_rows;
        column.pad(row);
        let mut fits = cell.is_held() && (column.list || cell.len() == 1);
        if fits {
            for stored in cell.values() {
                let bytes = stored.held().unwrap_or_default();
                let decoded = match self.cells.form {
                    ValueForm::Typed => self.cells.decode(info, bytes, stored.fault).ok(),
                    ValueForm::Raw => Some(Value::Binary(bytes)),
                };
                fits &= decoded.is_some();
                current.group_bytes += column.push(row, decoded.as_ref()).unwrap_or_default();
            }
        }
        if !fits {
            let key = current.keys.get(place).map_or("", String::as_str);
            self.rest.add((key, info), cell, &mut self.cells, source)?;
        }
        Ok(())
    }
}

impl TableSink for ParquetSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        let keys = table.column_keys();
        let mut fields: Vec<TypePtr> = Vec::new();
        let mut columns = Vec::new();
        for (key, info) in keys.iter().zip(&table.columns) {
            let (kind, is_list) = match self.cells.form {
                ValueForm::Typed => (Kind::of(info.column_type), info.is_list()),
                ValueForm::Raw => (Kind::Binary, true),
            };
            fields.push(Arc::new(if is_list { list(key, kind)? } else { kind.schema(key)? }));
            columns.push(Column::new(kind, is_list));
        }
        for (name, kind) in self.own_columns() {
            fields.push(Arc::new(kind.schema(name)?));
            columns.push(Column::new(kind, false));
        }
        let schema = Arc::new(Type::group_type_builder("row").with_fields(fields).build()?);
        let name = self.names.give(&table.name, "parquet");
        let file = BufWriter::new(staging::create(&self.folder.join(&name))?);
        let writer = SerializedFileWriter::new(file, schema, Arc::new(self.properties(table)))?;
        self.cells.kept_raw = 0;
        self.rest.begin_table(&table.name);
        let table = table.clone();
        self.current = Some(Current { table, keys, name, writer, columns, rows: 0, group_rows: 0, group_bytes: 0 });
        Ok(())
    }

    fn row(&mut self, row: &Row, source: &mut dyn LongSource) -> Result<(), ExportError> {
        let mut current = self.current.take().ok_or(ExportError::NoTable)?;
        self.rest.clear();
        for (place, cell) in row.cells() {
            self.cell(&mut current, place, cell, source)?;
        }
        let mut next = current.table.columns.len();
        if let Some(rest) = self.rest.close() {
            current.put(next, &Value::Binary(rest));
        }
        next += 1;
        if self.extras.deleted {
            current.put(next, &Value::Bool(row.state == RowState::Deleted));
            next += 1;
        }
        if self.extras.provenance {
            if let Some(provenance) = row.provenance {
                current.put(next, &Value::U32(provenance.pgno));
                current.put(next + 1, &Value::U32(provenance.line));
                current.put(next + 2, &Value::Text(provenance.status.into()));
            }
            next += 3;
        }
        if self.extras.keys {
            self.text.clear();
            json_text::keys(&mut self.text, row, &current.table);
            current.put(next, &Value::Binary(&self.text));
        }
        current.rows += 1;
        current.group_rows += 1;
        let places = current.group_rows.saturating_mul(current.columns.len());
        if current.group_bytes >= GROUP_BYTES || places >= GROUP_PLACES {
            current.end_group()?;
        }
        self.current = Some(current);
        Ok(())
    }

    fn end_table(&mut self) -> Result<TableOutput, ExportError> {
        let mut current = self.current.take().ok_or(ExportError::NoTable)?;
        current.end_group()?;
        let file = current.writer.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let (file, kept_raw) = (Some(current.name), self.cells.kept_raw);
        Ok(TableOutput { file, rows: current.rows, kept_raw, value_files: self.rest.end_table()? })
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LongBytes, column, every_type, faulty_row, full_row, table};
    use super::*;
    use ese_core::format::ColumnType;
    use std::collections::BTreeMap;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    fn export(table: &TableInfo, extras: Extras, rows: &[Row]) -> SerializedFileReader<File> {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = ParquetSink::new(folder.path().to_owned(), ValueForm::Typed, extras, Some("00ff".to_owned()));
        sink.begin_table(table).unwrap();
        rows.iter().for_each(|row| sink.row(row, &mut LongBytes::default()).unwrap());
        let output = sink.end_table().unwrap();
        sink.finish().unwrap();
        assert_eq!(output.rows, rows.len() as u64);
        SerializedFileReader::new(File::open(folder.path().join(output.file.unwrap())).unwrap()).unwrap()
    }

    #[test]
    fn every_type_comes_back_as_what_it_is() {
        let extras = Extras { provenance: true, keys: true, deleted: true };
        let reader = export(&every_type(), extras, &[full_row(), Row::default(), faulty_row()]);
        let rows: Vec<BTreeMap<String, String>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().get_column_iter().map(|(name, field)| (name.clone(), field.to_string())).collect())
            .collect();
        for (column, expected) in [
            ("Bit", "true"),
            ("Short", "-2"),
            ("Long", "[53, -87]"),
            ("UnsignedLong", "4294967295"),
            ("UnsignedLongLong", "18446744073709551615"),
            ("LongText", "\"\""),
            ("DateTime", "1970-01-01 12:00:00.000000 +00:00"),
            ("_pgno", "36"),
            ("_rest", "null"),
        ] {
            assert_eq!(rows[0][column], expected, "{column}");
        }
        let nulls = |row: &BTreeMap<String, String>| row.values().filter(|text| *text == "null").count();
        assert_eq!(nulls(&rows[1]), rows[1].len() - 2, "all but _deleted and _keys");
        let third = reader.get_row_iter(None).unwrap().nth(2).unwrap().unwrap();
        let rest = third.get_string(every_type().columns.len()).unwrap();
        let rest: serde_json::Value = serde_json::from_str(rest).unwrap();
        assert_eq!(rest["Short"]["hex"], "010203");
        assert_eq!(rest["Long"][0], 53);
        assert_eq!(rows[2]["Long"], "[53, null]");
    }

    #[test]
    fn the_file_says_what_it_was_made_of() {
        let reader = export(&every_type(), Extras::default(), &[]);
        let metadata = reader.metadata().file_metadata();
        let pairs: Vec<_> = metadata
            .key_value_metadata()
            .unwrap()
            .iter()
            .map(|pair| (pair.key.as_str(), pair.value.as_deref()))
            .collect();
        assert_eq!(pairs, [("catdb.table", Some("Every/type")), ("catdb.input_sha256", Some("00ff"))]);
    }

    #[test]
    fn several_values_where_one_was_declared_are_kept_whole() {
        let mut row = Row::default();
        row.begin_cell(0);
        row.push(&[1]);
        row.push(&[2]);
        let reader = export(&table("t", vec![column("a", ColumnType::UnsignedByte)]), Extras::default(), &[row]);
        let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
        assert_eq!(row.get_string(1).unwrap(), r#"{"a":[1,2]}"#);
        assert!(row.get_ubyte(0).is_err(), "NULL");
    }

    #[test]
    fn wide_tables_make_small_groups() {
        let wide: Vec<_> = (0..65_000).map(|i| column(&format!("c{i}"), ColumnType::UnsignedByte)).collect();
        let rows: Vec<Row> = (0..70_u8)
            .map(|i| {
                let mut row = Row::default();
                row.begin_cell(usize::from(i) * 900);
                row.push(&[i]);
                row
            })
            .collect();
        let reader = export(&table("wide", wide), Extras::default(), &rows);
        assert_eq!(reader.num_row_groups(), 2);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 70);
    }
}
