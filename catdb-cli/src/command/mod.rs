//! One file for each command: takes arguments, calls the library, hands the result to a renderer.

pub(crate) mod dump;
pub(crate) mod entries;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod info;
pub(crate) mod lookup;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod verify;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use ese_core::database::{Database, Table};

use crate::interrupt::{EXIT_INTERRUPTED, Interrupt};
use crate::render::refusal::Refusal;

/// How a command ended; the worst of several counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    /// As asked, and nothing wrong.
    Fine,
    /// Something was found.
    Found,
    /// The work could not be done.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Found => 1,
            Outcome::Failed => 2,
            Outcome::Interrupted => EXIT_INTERRUPTED,
        })
    }
}

/// Tells why the input at `path` was refused, unless it is only that the user wants no more.
fn refused(refusal: &Refusal, path: &Path, interrupt: &Interrupt) -> io::Result<Outcome> {
    if interrupt.is_set() { Ok(Outcome::Interrupted) } else { refusal.tell(path).map(|()| Outcome::Failed) }
}

/// The tables of the database at `path` that are called as in `names`, each once; all but those of the engine if none is
/// named, and those too with `system`.
fn chosen_tables<'d>(
    database: &'d Database,
    path: &Path,
    names: &[String],
    system: bool,
) -> Result<Vec<Table<'d>>, Refusal> {
    if let Some(name) = names.iter().find(|name| database.table(name).is_none()) {
        return Err(Refusal::no_table(path, name));
    }
    let named = |table: &Table<'_>| names.iter().any(|name| name.eq_ignore_ascii_case(table.name()));
    let chosen = |table: &Table<'_>| {
        if names.is_empty() { system || !table.schema().is_system() } else { named(table) }
    };
    Ok(database.tables().filter(chosen).collect())
}
