//! What codes and JET errors mean, as text and as the page `docs/findings.md`.

use std::io::{self, Write};

use anstyle::Style;
use ese_core::finding::Code;
use ese_core::jet::JetError;

const BOLD: Style = Style::new().bold();

/// All codes, a line each.
pub(crate) fn list(out: &mut dyn Write) -> io::Result<()> {
    for code in Code::ALL {
        let info = code.info();
        writeln!(out, "{BOLD}{:<20}{BOLD:#} {:<8} {}", info.name, info.severity, info.meaning)?;
    }
    writeln!(out, "\nNext: catdb-cli explain CODE")
}

/// One code.
pub(crate) fn code(out: &mut dyn Write, code: Code) -> io::Result<()> {
    let info = code.info();
    writeln!(out, "{BOLD}{}{BOLD:#} ({})\n", info.name, info.severity)?;
    writeln!(out, "{}", info.meaning)?;
    if let Some(jet) = info.jet {
        writeln!(out, "Windows calls it {jet}{}.", jet.meaning().map_or_else(String::new, |text| format!(": {text}")))?;
    }
    writeln!(out, "\n{}", info.next.advice)?;
    writeln!(out, "\nNext: {}", command(code))
}

/// One JET error, and the findings that stand for it.
pub(crate) fn jet(out: &mut dyn Write, error: JetError) -> io::Result<()> {
    writeln!(out, "{BOLD}{error}{BOLD:#}\n")?;
    writeln!(out, "{}", error.meaning().unwrap_or("An error of the JET API; its name says what is known of it."))?;
    let codes: Vec<&str> =
        Code::ALL.iter().filter(|code| code.info().jet == Some(error)).map(|code| code.name()).collect();
    if codes.is_empty() {
        return writeln!(out, "\nNext: catdb-cli verify FILE");
    }
    writeln!(out, "Findings that stand for it: {}", codes.join(", "))?;
    writeln!(out, "\nNext: catdb-cli explain {}", codes[0])
}

/// The page `docs/findings.md`.
pub(crate) fn markdown(out: &mut dyn Write, codes: &[Code]) -> io::Result<()> {
    writeln!(out, "# Findings\n")?;
    writeln!(out, "Made by `catdb-cli explain --format markdown` from the table in `ese-core/src/finding/code.rs`.")?;
    writeln!(out, "A code is never renamed. The severity is the default; a finding says its own.\n")?;
    writeln!(
        out,
        "| code | severity | JET error | checks | meaning | what to do | next |\n|---|---|---|---|---|---|---|"
    )?;
    for code in codes {
        let info = code.info();
        let jet = info.jet.map_or_else(|| "-".to_owned(), |jet| jet.to_string());
        let next = command(*code);
        writeln!(
            out,
            "| `{}` | {} | {jet} | {} | {} | {} | `{next}` |",
            info.name, info.severity, info.checks, info.meaning, info.next.advice
        )?;
    }
    Ok(())
}

/// The next command, with words in place of the input, the page and the line.
fn command(code: Code) -> String {
    code.info().next.command.replace("{file}", "FILE").replace("{pgno}", "PGNO").replace("{line}", "LINE")
}
