//! `export`: tables as files of other formats, or as JSON Lines on standard output.

use std::io::{self, Write};
use std::path::Path;

use ese_core::database::{Database, DeletedRows, Table};
use ese_core::format::Pgno;
use ese_core::verify::Progress;

use super::{Outcome, chosen_tables, refused};
use crate::cli::{ExportArgs, ExportFormat, ValuesArg};
use crate::export::csv::CsvSink;
use crate::export::fault::Faults;
use crate::export::jsonl::{JsonlSink, TableKey};
use crate::export::keys::SecondaryKeys;
use crate::export::long::TableLongValues;
use crate::export::manifest::Manifest;
use crate::export::output::BlockWriter;
#[cfg(feature = "parquet")]
use crate::export::parquet::ParquetSink;
use crate::export::read::{self, TableRows};
#[cfg(feature = "sqlite")]
use crate::export::sqlite::SqliteSink;
use crate::export::staging::Staging;
use crate::export::wanted::Filter;
use crate::export::{ExportError, Extras, Row, TableInfo, TableOutput, TableSink, ValueForm};
use crate::input;
use crate::interrupt::Interrupt;
use crate::render::progress::Bar;
use crate::render::refusal::Refusal;
use crate::render::{counted, faults as render_faults, shown};

/// The name that stands for standard output.
const STDOUT: &str = "-";

/// Why an export ends early.
enum Stop {
    Refused(Refusal),
    Interrupted,
    Failed(io::Error),
}

impl From<ExportError> for Stop {
    fn from(error: ExportError) -> Stop {
        match error {
            ExportError::Io(error) => Stop::Failed(error),
            ExportError::Interrupted => Stop::Interrupted,
            error => Stop::Failed(io::Error::other(error)),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Failed(error)
    }
}

pub(crate) fn run(args: &ExportArgs, quiet: bool, interrupt: &Interrupt) -> io::Result<Outcome> {
    match export(args, quiet, interrupt) {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Refused(refusal)) => refused(&refusal, &args.file, interrupt),
        Err(Stop::Interrupted) => Ok(Outcome::Interrupted),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn export(args: &ExportArgs, quiet: bool, interrupt: &Interrupt) -> Result<Outcome, Stop> {
    let path = &args.file;
    let database = input::database(path, interrupt).map_err(Stop::Refused)?;
    let tables = tables(&database, args).map_err(Stop::Refused)?;
    let to_stdout = args.out.as_os_str() == STDOUT;
    if to_stdout && args.format == ExportFormat::Csv && tables.len() > 1 {
        return Err(Stop::Refused(Refusal::one_table(path, tables.len())));
    }
    let staging = match to_stdout {
        true => None,
        false => Some(Staging::new(&args.out).map_err(|error| Stop::Refused(Refusal::no_output(&args.out, &error)))?),
    };
    let folder = staging.as_ref().map(Staging::folder);
    let input_sha256 = if wants_sha256(args) { input::sha256(database.source(), interrupt) } else { None };
    let mut sink = sink(args, folder, tables.len(), input_sha256.as_deref())?;
    let mut manifest = Manifest::new(format_name(args.format), form(args), input_sha256);
    let mut faults = Faults::default();
    read::catalog_faults(&database, &mut faults);
    let bar = Bar::new(path, quiet, interrupt);
    bar.start("exporting", database.source().len());
    let (mut rows, mut kept_raw) = (0, 0);
    let files = tables.len() as u64;
    for (table, info) in tables {
        let output = one_table(args, &database, (table, &info), &mut *sink, &bar, &mut faults)?;
        rows += output.rows;
        kept_raw += output.kept_raw;
        manifest.add(&info, output);
    }
    sink.finish()?;
    drop(sink);
    bar.finish();
    let outcome = if faults.is_empty() { Outcome::Fine } else { Outcome::Found };
    if !quiet {
        render_faults::tell(&faults)?;
        if kept_raw > 0 {
            writeln!(io::stderr(), "{} not decoded, and kept as bytes", counted(kept_raw, "value"))?;
        }
    }
    if let Some(staging) = staging {
        manifest.set_faults(faults);
        manifest.write(staging.folder())?;
        staging.publish()?;
        if !quiet {
            let (tables, rows) = (counted(files, "table"), counted(rows, "row"));
            writeln!(anstream::stdout(), "{}: {tables}, {rows}", shown(&args.out))?;
        }
    }
    Ok(outcome)
}

/// The tables that are wanted: by name, and with the columns that conditions are about.
fn tables<'d>(database: &'d Database, args: &ExportArgs) -> Result<Vec<(Table<'d>, TableInfo)>, Refusal> {
    let chosen = chosen_tables(database, &args.file, &args.tables, args.system)?;
    let with_columns = chosen.into_iter().map(|table| (table, read::table_info(table)));
    let tables: Vec<_> = with_columns.filter(|(_, info)| Filter::new(&args.conditions, info).is_some()).collect();
    if tables.is_empty() && !args.conditions.is_empty() {
        let columns: Vec<&str> = args.conditions.iter().map(|condition| condition.column.as_str()).collect();
        return Err(Refusal::no_column(&args.file, &columns.join(" and ")));
    }
    Ok(tables)
}

fn one_table(
    args: &ExportArgs,
    database: &Database,
    (table, info): (Table<'_>, &TableInfo),
    sink: &mut dyn TableSink,
    bar: &Bar<'_>,
    faults: &mut Faults,
) -> Result<TableOutput, Stop> {
    let deleted = if args.deleted { DeletedRows::Include } else { DeletedRows::Skip };
    let mut rows = TableRows::new(table, deleted, bar);
    let mut filter = Filter::new(&args.conditions, info).filter(|_| !args.conditions.is_empty());
    let mut keys = match args.keys {
        true => Some(SecondaryKeys::read(database, table, faults).map_err(io::Error::other)?),
        false => None,
    };
    let primary = info.indexes.iter().position(|index| index.primary);
    let page = database.pages().size().as_u64();
    let (mut row, mut key, mut last) = (Row::new(sink.held_most()), Vec::new(), Pgno::NONE);
    let mut long_values = TableLongValues::new(table, bar);
    sink.begin_table(info)?;
    while let Some(pgno) = rows.next_row(&mut row, keys.is_some().then_some(&mut key), faults) {
        if bar.cancelled() {
            return Err(Stop::Interrupted);
        }
        if pgno != last {
            last = pgno;
            bar.advance(page);
        }
        if let Some(filter) = &mut filter
            && !filter.admits(info, &row, &mut long_values)?
        {
            continue;
        }
        if let Some(keys) = &mut keys {
            if let Some(primary) = primary {
                row.push_key(primary, &key);
            }
            keys.add_to(&mut row, &key).map_err(io::Error::other)?;
        }
        sink.row(&row, &mut long_values)?;
    }
    if bar.cancelled() {
        return Err(Stop::Interrupted);
    }
    Ok(sink.end_table()?)
}

fn form(args: &ExportArgs) -> ValueForm {
    match args.values {
        ValuesArg::Typed => ValueForm::Typed,
        ValuesArg::Raw => ValueForm::Raw,
    }
}

/// Whether the hash of the input goes into the output.
fn wants_sha256(args: &ExportArgs) -> bool {
    match args.format {
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => true,
        _ => args.sha256,
    }
}

fn format_name(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Csv => "csv",
        #[cfg(feature = "sqlite")]
        ExportFormat::Sqlite => "sqlite",
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => "parquet",
    }
}

/// The sink that writes into `folder`, or to standard output where there is none.
#[cfg_attr(not(feature = "parquet"), allow(unused_variables))] // the hash is for Parquet alone
fn sink(
    args: &ExportArgs,
    folder: Option<&Path>,
    tables: usize,
    input_sha256: Option<&str>,
) -> Result<Box<dyn TableSink>, Stop> {
    let extras = Extras { provenance: args.provenance, keys: args.keys, deleted: args.deleted };
    let form = form(args);
    let writer = |extension| match folder {
        Some(folder) => BlockWriter::files(folder.to_owned(), extension),
        None => BlockWriter::stream(Box::new(io::stdout().lock())),
    };
    let named = if folder.is_none() && tables > 1 { TableKey::Named } else { TableKey::Unnamed };
    Ok(match (args.format, folder) {
        (ExportFormat::Jsonl, _) => Box::new(JsonlSink::new(writer("jsonl"), named, form, extras)),
        (ExportFormat::Csv, _) => Box::new(CsvSink::new(writer("csv"), form, extras)),
        #[cfg(feature = "sqlite")]
        (ExportFormat::Sqlite, Some(folder)) => Box::new(SqliteSink::new(folder, form, extras)?),
        #[cfg(feature = "parquet")]
        (ExportFormat::Parquet, Some(folder)) => {
            Box::new(ParquetSink::new(folder.to_owned(), form, extras, input_sha256.map(str::to_owned)))
        }
        #[cfg(any(feature = "sqlite", feature = "parquet"))]
        (_, None) => return Err(Stop::Refused(Refusal::not_a_stream())),
    })
}
