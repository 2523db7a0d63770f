//! Inputs that cannot be worked on: one clear line, and the command to run next.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use ese_core::database::OpenError;
use ese_core::verify::VerifyError;

use super::{shell_word, shown, shown_text};

const LABEL: Style = AnsiColor::Red.on_default().bold();

/// Why an input was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The reason, as a sentence.
    pub(crate) reason: String,
    /// The command to run next.
    pub(crate) next: String,
}

impl Refusal {
    /// The operating system would not open it.
    pub(crate) fn not_opened(path: &Path, error: &io::Error) -> Refusal {
        let word = shell_word(path);
        let next = match error.kind() {
            io::ErrorKind::IsADirectory => format!("catdb-cli verify --recursive {word}"),
            io::ErrorKind::NotFound => format!(
                "ls {}",
                shell_word(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
            ),
            _ => format!("ls -l {word}"),
        };
        let reason = match error.kind() {
            io::ErrorKind::IsADirectory => "expected a file, found a folder".to_owned(),
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => format!("cannot be opened: {error}"),
        };
        Refusal { reason, next }
    }

    /// A folder without a database.
    pub(crate) fn nothing_in_folder(path: &Path) -> Refusal {
        Refusal { reason: "no ESE database in this folder".to_owned(), next: format!("ls -lR {}", shell_word(path)) }
    }

    /// It opened, but there is nothing to judge.
    pub(crate) fn not_verified(path: &Path, error: &VerifyError) -> Refusal {
        let word = shell_word(path);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let next = match error {
            VerifyError::Empty => format!("ls -l {word}"),
            VerifyError::NotEse => format!("file {word}"),
            VerifyError::OtherKind(_) => format!("catdb-cli verify --recursive {}", shell_word(folder)),
            VerifyError::Read(_) => format!("ddrescue {word} copy.edb copy.map && catdb-cli verify copy.edb"),
            VerifyError::Cancelled => format!("catdb-cli verify {word}"),
        };
        Refusal { reason: error.to_string(), next }
    }

    /// It could not be opened as a database.
    pub(crate) fn of_database(path: &Path, error: &OpenError) -> Refusal {
        match error {
            OpenError::File(error) => Refusal::not_opened(path, error),
            OpenError::NotADatabase(error) => Refusal::not_verified(path, error),
        }
    }

    /// The output cannot be made at `path`.
    pub(crate) fn no_output(path: &Path, error: &io::Error) -> Refusal {
        let word = shell_word(path);
        let (reason, next) = match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => (
                format!("expected a new or an empty folder for the output, found something in {}", shown(path)),
                format!("ls -la {word}"),
            ),
            _ => (format!("the output cannot be made at {}: {error}", shown(path)), format!("ls -ld {word}")),
        };
        Refusal { reason, next }
    }

    /// Standard output is one stream, and the format is not.
    #[cfg(any(feature = "sqlite", feature = "parquet"))]
    pub(crate) fn not_a_stream() -> Refusal {
        let reason = "expected --format jsonl or csv for standard output, found one that needs a folder".to_owned();
        Refusal { reason, next: "catdb-cli export --help".to_owned() }
    }

    /// CSV has one header, and there are several tables in the database at `path`.
    pub(crate) fn one_table(path: &Path, tables: usize) -> Refusal {
        let reason = format!("expected one table for CSV on standard output, found {tables}: choose one with --table");
        Refusal { reason, next: format!("catdb-cli tables {}", shell_word(path)) }
    }

    /// There is no such table in the database at `path`.
    pub(crate) fn no_table(path: &Path, name: &str) -> Refusal {
        let reason = format!("expected a table {}, found none of that name", shown_text(name));
        Refusal { reason, next: format!("catdb-cli tables --system {}", shell_word(path)) }
    }

    /// No table of the database at `path` has the columns that `--where` asks for.
    pub(crate) fn no_column(path: &Path, columns: &str) -> Refusal {
        let reason = format!("expected a table with {}, found none", shown_text(columns));
        Refusal { reason, next: format!("catdb-cli schema {}", shell_word(path)) }
    }

    /// It is a database, but no catdb.
    pub(crate) fn no_catdb(path: &Path) -> Refusal {
        let reason = "expected the tables of a catdb, found others".to_owned();
        Refusal { reason, next: format!("catdb-cli tables {}", shell_word(path)) }
    }

    /// On standard error, where the answer is for a program.
    pub(crate) fn tell(&self, path: &Path) -> io::Result<()> {
        let mut out = anstream::stderr().lock();
        writeln!(out, "catdb-cli: {}: {}\n\nNext: {}", shown(path), self.reason, self.next)
    }

    /// In place of a verdict.
    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path) -> io::Result<()> {
        writeln!(out, "{}: {LABEL}UNREADABLE{LABEL:#}: {}", shown(path), self.reason)?;
        writeln!(out, "\nNext: {}", self.next)
    }
}
