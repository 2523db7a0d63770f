//! Parquet: a file for each table, in row groups of bounded size, for DuckDB and pandas.
//!
//! Columns that may have several values are lists. What a column cannot hold - a value that does not decode, several
//! values where one was declared - is in the column `_rest`, a JSON object by column name; the column itself is NULL
//! there. Times are cut to microseconds, which is the finest unit that spans all years; unsigned 64-bit numbers and
//! GUIDs have types of their own.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use ese_core::format::ColumnType;
use ese_core::value::{Currency, Value};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::file_name::FileNames;
use super::json_text::{self, TypedCells};
use super::rest::{REST, Rest};
use super::row::Cell;
use super::{ExportError, Extras, LongSource, Row, RowState, TableInfo, TableOutput, TableSink, ValueForm, staging};

/// A row group ends with this many bytes of values, or places for values: that bounds memory.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
const GROUP_PLACES: usize = 4 * 1024 * 1024;

/// Bytes and digits of a Currency: more digits than 8 bytes are allowed to have.
const DECIMAL_BYTES: usize = 16;
const DECIMAL_DIGITS: i32 = 19;
const GUID_BYTES: usize = 16;

/// Definition levels: of a value in a plain column, of a value and of NULL inside a list.
const PLAIN_VALUE: i16 = 1;
const LIST_VALUE: i16 = 3;
const LIST_NULL: i16 = 2;

/// The sink.
pub(crate) struct ParquetSink {
    folder: PathBuf,
    form: ValueForm,
    extras: Extras,
    input_sha256: Option<String>,
    names: FileNames,
    cells: TypedCells,
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

/// How the values of a column lie in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bool,
    Int(i8, Sign),
    Float,
    Double,
    Decimal,
    Time,
    Guid,
    Text,
    Binary,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    Signed,
    Unsigned,
}

impl Kind {
    fn of(column_type: ColumnType) -> Kind {
        match column_type {
            ColumnType::Bit => Kind::Bool,
            ColumnType::UnsignedByte => Kind::Int(8, Sign::Unsigned),
            ColumnType::Short => Kind::Int(16, Sign::Signed),
            ColumnType::UnsignedShort => Kind::Int(16, Sign::Unsigned),
            ColumnType::Long => Kind::Int(32, Sign::Signed),
            ColumnType::UnsignedLong => Kind::Int(32, Sign::Unsigned),
            ColumnType::LongLong => Kind::Int(64, Sign::Signed),
            ColumnType::UnsignedLongLong => Kind::Int(64, Sign::Unsigned),
            ColumnType::IeeeSingle => Kind::Float,
            ColumnType::IeeeDouble => Kind::Double,
            ColumnType::Currency => Kind::Decimal,
            ColumnType::DateTime => Kind::Time,
            ColumnType::Guid => Kind::Guid,
            ColumnType::Text | ColumnType::LongText => Kind::Text,
            ColumnType::Binary | ColumnType::LongBinary | ColumnType::Nil | ColumnType::Streaming => Kind::Binary,
        }
    }

    /// Physical type, logical type, and bytes where the physical type asks for them.
    fn types(self) -> (Physical, Option<LogicalType>, i32) {
        let fixed = |bytes: usize| i32::try_from(bytes).unwrap_or_default();
        match self {
            Kind::Bool => (Physical::BOOLEAN, None, 0),
            Kind::Int(64, sign) => (Physical::INT64, Some(LogicalType::integer(64, sign == Sign::Signed)), 0),
            Kind::Int(bits, sign) => (Physical::INT32, Some(LogicalType::integer(bits, sign == Sign::Signed)), 0),
            Kind::Float => (Physical::FLOAT, None, 0),
            Kind::Double => (Physical::DOUBLE, None, 0),
            Kind::Decimal => {
                let scale = i32::try_from(Currency::SCALE).unwrap_or_default();
                let logical = LogicalType::decimal(scale, DECIMAL_DIGITS);
                (Physical::FIXED_LEN_BYTE_ARRAY, Some(logical), fixed(DECIMAL_BYTES))
            }
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)), 0),
            Kind::Guid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), fixed(GUID_BYTES)),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), 0),
            Kind::Binary => (Physical::BYTE_ARRAY, None, 0),
        }
    }

    fn schema(self, name: &str) -> Result<Type, ParquetError> {
        let (physical, logical, bytes) = self.types();
        let builder = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_length(bytes)
            .with_logical_type(logical);
        match self {
            Kind::Decimal => builder
                .with_precision(DECIMAL_DIGITS)
                .with_scale(i32::try_from(Currency::SCALE).unwrap_or_default())
                .build(),
            _ => builder.build(),
        }
    }

    fn buffer(self) -> Buffer {
        match self {
            Kind::Bool => Buffer::Bool(Vec::new()),
            Kind::Int(64, _) | Kind::Time => Buffer::Int64(Vec::new()),
            Kind::Int(..) => Buffer::Int32(Vec::new()),
            Kind::Float => Buffer::Float(Vec::new()),
            Kind::Double => Buffer::Double(Vec::new()),
            Kind::Decimal | Kind::Guid => Buffer::Fixed(Bytes::default()),
            Kind::Text | Kind::Binary => Buffer::Bytes(Bytes::default()),
        }
    }
}

/// Values of the group so far. Emptied, and not freed, by each group.
#[derive(Debug)]
enum Buffer {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Fixed(Bytes),
    Bytes(Bytes),
}

/// Byte strings, one behind the other.
#[derive(Debug, Default)]
struct Bytes {
    data: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Bytes {
    fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.ends.push(self.data.len());
    }

    /// All of them, sharing one allocation.
    fn take(&mut self) -> Vec<ByteArray> {
        let whole = ByteArray::from(std::mem::take(&mut self.data));
        let mut start = 0;
        let cut = |end: usize| {
            let piece = whole.slice(start, end - start);
            start = end;
            piece
        };
        self.ends.drain(..).map(cut).collect()
    }
}

impl Buffer {
    /// Takes a value if it is of the buffer's type. Gives its bytes.
    fn push(&mut self, value: &Value<'_>) -> Option<usize> {
        match (self, value) {
            (Buffer::Bool(to), Value::Bool(value)) => to.push(*value),
            (Buffer::Int32(to), Value::U8(value)) => to.push((*value).into()),
            (Buffer::Int32(to), Value::I16(value)) => to.push((*value).into()),
            (Buffer::Int32(to), Value::U16(value)) => to.push((*value).into()),
            (Buffer::Int32(to), Value::I32(value)) => to.push(*value),
            (Buffer::Int32(to), Value::U32(value)) => to.push(value.cast_signed()),
            (Buffer::Int64(to), Value::I64(value)) => to.push(*value),
            (Buffer::Int64(to), Value::U64(value)) => to.push(value.cast_signed()),
            (Buffer::Int64(to), Value::DateTime(value)) => to.push(value.unix_micros()),
            (Buffer::Float(to), Value::F32(value)) => to.push(*value),
            (Buffer::Double(to), Value::F64(value)) => to.push(*value),
            (Buffer::Fixed(to), Value::Currency(value)) => to.push(&i128::from(value.0).to_be_bytes()),
            (Buffer::Fixed(to), Value::Guid(value)) => to.push(&value.big_endian()),
            (Buffer::Bytes(to), Value::Text(value)) => {
                to.push(value.as_bytes());
                return Some(value.len());
            }
            (Buffer::Bytes(to), Value::Binary(bytes)) => {
                to.push(bytes);
                return Some(bytes.len());
            }
            _ => return None,
        }
        Some(GUID_BYTES)
    }
}

/// One column of the file.
struct Column {
    list: bool,
    buffer: Buffer,
    definition: Vec<i16>,
    repetition: Vec<i16>,
    /// Rows that it has values or NULLs for.
    rows: usize,
}

impl Column {
    fn new(kind: Kind, list: bool) -> Column {
        Column { list, buffer: kind.buffer(), definition: Vec::new(), repetition: Vec::new(), rows: 0 }
    }

    /// NULL for each row up to `rows` that has nothing yet.
    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        self.definition.resize(self.definition.len() + missing, 0);
        if self.list {
            self.repetition.resize(self.repetition.len() + missing, 0);
        }
        self.rows += missing;
    }

    /// A value of row number `row`, or NULL in its place. False if the column does not take it.
    fn push(&mut self, row: usize, value: Option<&Value<'_>>) -> Option<usize> {
        let bytes = match value {
            Some(value) => self.buffer.push(value)?,
            None => 0,
        };
        let first = self.rows == row;
        let (present, absent) = if self.list { (LIST_VALUE, LIST_NULL) } else { (PLAIN_VALUE, 0) };
        self.definition.push(if value.is_some() { present } else { absent });
        if self.list {
            self.repetition.push(i16::from(!first));
        }
        self.rows = row + 1;
        Some(bytes)
    }

    fn write<'a>(&mut self, to: &mut SerializedColumnWriter<'a>) -> Result<(), ParquetError> {
        let levels = (&self.definition[..], self.list.then_some(&self.repetition[..]));
        match &mut self.buffer {
            Buffer::Bool(values) => batch::<BoolType>(to, values, levels)?,
            Buffer::Int32(values) => batch::<Int32Type>(to, values, levels)?,
            Buffer::Int64(values) => batch::<Int64Type>(to, values, levels)?,
            Buffer::Float(values) => batch::<FloatType>(to, values, levels)?,
            Buffer::Double(values) => batch::<DoubleType>(to, values, levels)?,
            Buffer::Fixed(bytes) => {
                let mut values: Vec<FixedLenByteArray> = bytes.take().into_iter().map(Into::into).collect();
                batch::<FixedLenByteArrayType>(to, &mut values, levels)?;
            }
            Buffer::Bytes(bytes) => batch::<ByteArrayType>(to, &mut bytes.take(), levels)?,
        }
        self.definition.clear();
        self.repetition.clear();
        self.rows = 0;
        Ok(())
    }
}

fn batch<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: (&[i16], Option<&[i16]>),
) -> Result<(), ParquetError> {
    to.typed::<T>().write_batch(values, Some(levels.0), levels.1)?;
    values.clear();
    Ok(())
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
        let (names, cells, text) = (FileNames::default(), TypedCells::default(), Vec::new());
        let rest = Rest::new(folder.clone(), form);
        ParquetSink { folder, form, extras, input_sha256, names, cells, rest, text, current: None }
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
                let decoded = match self.form {
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

/// A list as readers of Parquet expect it: an optional group of a repeated group of optional elements.
fn list(name: &str, kind: Kind) -> Result<Type, ParquetError> {
    let element = Arc::new(kind.schema("element")?);
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
    Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated.build()?)])
        .build()
}

impl TableSink for ParquetSink {
    fn begin_table(&mut self, table: &TableInfo) -> Result<(), ExportError> {
        // DuckDB tells no names apart by case.
        let keys = table.column_keys(str::to_lowercase);
        let mut fields: Vec<TypePtr> = Vec::new();
        let mut columns = Vec::new();
        for (key, info) in keys.iter().zip(&table.columns) {
            let (kind, is_list) = match self.form {
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
