//! `schema`: columns and indexes of each table.

use std::io::{self, Write};

use super::{Outcome, chosen_tables};
use crate::cli::{DocumentFormat, SchemaArgs};
use crate::export::fault::Faults;
use crate::export::read;
use crate::input;
use crate::interrupt::Interrupt;
use crate::render::schema::{Detail, SchemaDocument};
use crate::render::{faults as render_faults, json};

pub(crate) fn run(args: &SchemaArgs) -> io::Result<Outcome> {
    let path = &args.file;
    let database = match input::database(path, &Interrupt::default()) {
        Ok(database) => database,
        Err(refusal) => return refusal.tell(path).map(|()| Outcome::Failed),
    };
    let tables = match chosen_tables(&database, path, &args.tables, args.system) {
        Ok(tables) => tables,
        Err(refusal) => return refusal.tell(path).map(|()| Outcome::Failed),
    };
    let detail = if args.report { Detail::ForSharing } else { Detail::Full };
    let mut document = SchemaDocument::new(path, database.pages().size().bytes(), detail);
    for table in tables {
        document.add(table, detail);
    }
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    match args.format {
        DocumentFormat::Text => document.text(&mut out)?,
        DocumentFormat::Json => json::write_document(&mut out, &document)?,
    }
    out.flush()?;
    let mut faults = Faults::default();
    read::catalog_faults(&database, &mut faults);
    render_faults::tell(&faults)?;
    Ok(if faults.is_empty() { Outcome::Fine } else { Outcome::Found })
}
