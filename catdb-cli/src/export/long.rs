//! Long values that rows do not hold: read piece by piece, as text or as bytes.

use ese_core::database::Table;
use ese_core::long_value::LongValues;
use ese_core::value::{TextDecoder, ValueError};
use ese_core::verify::Progress;

use super::row::{LongForm, LongRef, Stored};
use super::{ColumnInfo, ExportError};

/// Takes the pieces of a value.
pub(crate) type Visit<'v, T> = dyn FnMut(&T) -> Result<(), ExportError> + 'v;

/// Where the bytes of long values come from.
pub(crate) trait LongSource {
    /// Hands all bytes of `long` to `visit`, piece by piece.
    fn read(&mut self, long: LongRef, visit: &mut Visit<'_, [u8]>) -> Result<(), ExportError>;
}

/// What a long value is shown as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    Text,
    Binary,
    /// As bytes, because it does not decode: why.
    Undecoded(String),
}

impl Shown {
    /// What `long`, of `column`, is shown as. Text is read whole for that: once some of it is written, it is too late.
    pub(crate) fn of(
        column: &ColumnInfo,
        long: LongRef,
        stored: Stored<'_>,
        source: &mut dyn LongSource,
    ) -> Result<Shown, ExportError> {
        if let Some(fault) = stored.fault {
            return Ok(Shown::Undecoded(fault.to_owned()));
        }
        if column.column_type.is_text() {
            return match text(column.code_page, long, source, &mut |_| Ok(())) {
                Err(ExportError::Value(error)) => Ok(Shown::Undecoded(error.to_string())),
                read => read.map(|()| Shown::Text),
            };
        }
        let found = usize::try_from(long.bytes).unwrap_or(usize::MAX);
        let type_name = column.column_type.name();
        let error = match column.column_type.fixed_size() {
            Some(expected) => ValueError::WrongSize { type_name, expected, found },
            None if column.column_type.is_binary() => return Ok(Shown::Binary),
            None => ValueError::NoValues { type_name, found },
        };
        Ok(Shown::Undecoded(error.to_string()))
    }
}

/// Hands the text of `long` to `visit`, piece by piece: each is of whole characters.
pub(crate) fn text(
    code_page: u32,
    long: LongRef,
    source: &mut dyn LongSource,
    visit: &mut Visit<'_, str>,
) -> Result<(), ExportError> {
    let mut decoder = TextDecoder::new(code_page)?;
    let mut piece = String::new();
    source.read(long, &mut |bytes| {
        piece.clear();
        decoder.push(bytes, &mut piece)?;
        visit(&piece)
    })?;
    piece.clear();
    decoder.finish(&mut piece)?;
    visit(&piece)
}

/// The long values of a table.
pub(crate) struct TableLongValues<'d, 'p> {
    values: Option<LongValues<'d>>,
    progress: &'p dyn Progress,
}

impl<'d, 'p> TableLongValues<'d, 'p> {
    /// Reading ends as soon as `progress` is cancelled.
    pub(crate) fn new(table: Table<'d>, progress: &'p dyn Progress) -> TableLongValues<'d, 'p> {
        TableLongValues { values: table.long_values(), progress }
    }
}

impl LongSource for TableLongValues<'_, '_> {
    fn read(&mut self, long: LongRef, visit: &mut Visit<'_, [u8]>) -> Result<(), ExportError> {
        let changed = || ExportError::Changed(long.id);
        let values = self.values.as_mut().ok_or_else(changed)?;
        let opened = match long.form {
            LongForm::Decoded => values.open(long.id),
            LongForm::AsStored => values.open_as_stored(long.id),
        };
        let mut reader = opened.map_err(|_| changed())?;
        let mut left = long.bytes;
        while left > 0 {
            if self.progress.cancelled() {
                return Err(ExportError::Interrupted);
            }
            let chunk = reader.next_chunk().and_then(Result::ok).ok_or_else(changed)?;
            left = left.checked_sub(chunk.bytes.len() as u64).ok_or_else(changed)?;
            visit(chunk.bytes)?;
        }
        Ok(())
    }
}
