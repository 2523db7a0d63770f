//! `tables`: the tables of a database, with their rows.

use std::io::{self, Write};

use ese_core::database::{Database, DeletedRows, Table};
use ese_core::format::Pgno;
use ese_core::verify::Progress;

use super::{Outcome, refused};
use crate::cli::{DocumentFormat, TablesArgs};
use crate::export::fault::{Fault, Faults};
use crate::export::read;
use crate::input;
use crate::interrupt::Interrupt;
use crate::render::progress::Bar;
use crate::render::tables::{TableLine, TablesDocument};
use crate::render::{faults as render_faults, json, tables};

pub(crate) fn run(args: &TablesArgs, quiet: bool, interrupt: &Interrupt) -> io::Result<Outcome> {
    let path = &args.file;
    let database = match input::database(path, interrupt) {
        Ok(database) => database,
        Err(refusal) => return refused(&refusal, path, interrupt),
    };
    let mut faults = Faults::default();
    read::catalog_faults(&database, &mut faults);
    let bar = Bar::new(path, quiet, interrupt);
    bar.start("counting rows", database.source().len());
    let mut lines = Vec::new();
    for table in database.tables().filter(|table| args.system || !table.schema().is_system()) {
        lines.push(TableLine {
            table: table.name().to_owned(),
            rows: count(&database, table, &bar, &mut faults),
            columns: table.columns().count(),
            indexes: table.schema().indexes.len(),
            long_values: table.schema().long_values.is_some(),
            system: table.schema().is_system(),
            objid: table.schema().objid.0,
            pgno: table.schema().root.0,
        });
        if interrupt.is_set() {
            return Ok(Outcome::Interrupted);
        }
    }
    bar.finish();
    let outcome = if faults.is_empty() { Outcome::Fine } else { Outcome::Found };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    match args.format {
        DocumentFormat::Text => {
            tables::text(&mut out, path, &lines)?;
            out.flush()?;
            render_faults::tell(&faults)?;
        }
        DocumentFormat::Json => json::write_document(&mut out, &TablesDocument::new(path, lines, faults))?,
    }
    out.flush()?;
    Ok(outcome)
}

/// Rows of `table` that can be read, as far as nobody interrupts.
fn count(database: &Database, table: Table<'_>, bar: &Bar<'_>, faults: &mut Faults) -> u64 {
    let page = database.pages().size().as_u64();
    let (mut rows, mut last) = (0, Pgno::NONE);
    let mut scan = table.scan(DeletedRows::Skip);
    while let Some(row) = scan.next_row() {
        match row {
            Ok(row) => {
                rows += 1;
                if row.pgno != last {
                    last = row.pgno;
                    bar.advance(page);
                    if bar.cancelled() {
                        break;
                    }
                }
            }
            Err(fault) => faults.add(|| Fault::of_row(table.name(), &fault)),
        }
    }
    rows
}
