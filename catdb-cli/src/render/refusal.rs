//! Inputs that cannot be worked on: one clear line, and the command to run next.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use ese_core::verify::VerifyError;

use super::{shell_word, shown};

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

    /// In place of a verdict.
    pub(crate) fn write(&self, out: &mut dyn Write, path: &Path) -> io::Result<()> {
        writeln!(out, "{}: {LABEL}UNREADABLE{LABEL:#}: {}", shown(path), self.reason)?;
        writeln!(out, "\nNext: {}", self.next)
    }
}
