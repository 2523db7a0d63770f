//! One column of a Parquet file: its type, and the values of a row group in memory.

use std::sync::Arc;

use ese_core::format::ColumnType;
use ese_core::value::{Currency, Value};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::Type;

/// Bytes and digits of a Currency: more digits than 8 bytes are allowed to have.
const DECIMAL_BYTES: usize = 16;
const DECIMAL_DIGITS: i32 = 19;
const GUID_BYTES: usize = 16;

/// Definition levels: of a value in a plain column, of a value and of NULL inside a list.
const PLAIN_VALUE: i16 = 1;
const LIST_VALUE: i16 = 3;
const LIST_NULL: i16 = 2;

/// How the values of a column lie in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
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
pub(super) enum Sign {
    Signed,
    Unsigned,
}

impl Kind {
    pub(super) fn of(column_type: ColumnType) -> Kind {
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

    pub(super) fn schema(self, name: &str) -> Result<Type, ParquetError> {
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
pub(super) struct Column {
    pub(super) list: bool,
    buffer: Buffer,
    definition: Vec<i16>,
    repetition: Vec<i16>,
    /// Rows that it has values or NULLs for.
    rows: usize,
}

impl Column {
    pub(super) fn new(kind: Kind, list: bool) -> Column {
        Column { list, buffer: kind.buffer(), definition: Vec::new(), repetition: Vec::new(), rows: 0 }
    }

    /// NULL for each row up to `rows` that has nothing yet.
    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        self.definition.resize(self.definition.len() + missing, 0);
        if self.list {
            self.repetition.resize(self.repetition.len() + missing, 0);
        }
        self.rows += missing;
    }

    /// A value of row number `row`, or NULL in its place. Gives its bytes; `None` if the column does not take it.
    pub(super) fn push(&mut self, row: usize, value: Option<&Value<'_>>) -> Option<usize> {
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

    pub(super) fn write<'a>(&mut self, to: &mut SerializedColumnWriter<'a>) -> Result<(), ParquetError> {
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

/// A list as readers of Parquet expect it: an optional group of a repeated group of optional elements.
pub(super) fn list(name: &str, kind: Kind) -> Result<Type, ParquetError> {
    let element = Arc::new(kind.schema("element")?);
    let repeated = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
    Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated.build()?)])
        .build()
}
