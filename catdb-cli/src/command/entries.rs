//! `entries`: what a catdb holds, hash by hash.

use std::io::{self, Write};

use super::{Outcome, refused};
use crate::catdb::{Catdb, Entry};
use crate::cli::{EntriesArgs, EntriesFormat};
use crate::export::fault::Faults;
use crate::export::read;
use crate::input;
use crate::interrupt::Interrupt;
use crate::render::refusal::Refusal;
use crate::render::{entries, faults as render_faults};

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

pub(crate) fn run(args: &EntriesArgs, quiet: bool, interrupt: &Interrupt) -> io::Result<Outcome> {
    let path = &args.file;
    let database = match input::database(path, interrupt) {
        Ok(database) => database,
        Err(refusal) => return refused(&refusal, path, interrupt),
    };
    let Some(catdb) = Catdb::open(&database) else {
        return Refusal::no_catdb(path).tell(path).map(|()| Outcome::Failed);
    };
    let mut faults = Faults::default();
    read::catalog_faults(&database, &mut faults);
    let mut out = io::BufWriter::with_capacity(BLOCK, io::stdout().lock());
    let write = match args.format {
        EntriesFormat::Text => entries::text,
        EntriesFormat::Csv => entries::csv,
        EntriesFormat::Jsonl => entries::jsonl,
    };
    if args.format == EntriesFormat::Csv {
        out.write_all(entries::CSV_HEADER)?;
    }
    let (mut count, mut line) = (0, Vec::new());
    let mut visit = |entry: &Entry| -> io::Result<()> {
        if interrupt.is_set() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let names = |wanted: &String| entry.catalogs.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        if args.catalog.as_ref().is_none_or(names) {
            count += 1;
            write(&mut line, entry);
            out.write_all(&line)?;
        }
        Ok(())
    };
    let done = match &args.hash {
        Some(hash) => catdb.find(hash, &mut faults).iter().try_for_each(visit),
        None => catdb.for_each(&mut faults, &mut visit),
    };
    if interrupt.is_set() {
        return Ok(Outcome::Interrupted);
    }
    done?;
    if args.format == EntriesFormat::Text {
        entries::summary(&mut out, path, count, &catdb.detected)?;
    }
    out.flush()?;
    if !quiet {
        render_faults::tell(&faults)?;
    }
    Ok(if faults.is_empty() { Outcome::Fine } else { Outcome::Found })
}
