//! What could not be read, for people: on standard error, beside an answer that goes elsewhere.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{counted, shown_text};
use crate::export::fault::{Fault, Faults};

/// Faults shown; more are only counted.
const SHOWN: usize = 20;
const LABEL: Style = AnsiColor::Red.on_default();

/// Tells all faults, if there are any.
pub(crate) fn tell(faults: &Faults) -> io::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    write(&mut anstream::stderr().lock(), faults)
}

fn write(out: &mut dyn Write, faults: &Faults) -> io::Result<()> {
    for fault in faults.first.iter().take(SHOWN) {
        writeln!(out, "{LABEL}lost{LABEL:#}  {}", line(fault))?;
    }
    writeln!(out, "{} could not be read whole: what is there was taken", counted(faults.count, "place"))
}

/// `Table, page 5, line 7, column c: what is wrong`
fn line(fault: &Fault) -> String {
    let mut text = shown_text(&fault.table);
    // Most messages begin with their page.
    let says_page = fault.message.starts_with("page ");
    if let Some(pgno) = fault.pgno.filter(|_| !says_page) {
        text.push_str(&format!(", page {pgno}"));
    }
    if let Some(line) = fault.line.filter(|_| !says_page) {
        text.push_str(&format!(", line {line}"));
    }
    if let Some(column) = &fault.column {
        text.push_str(&format!(", column {}", shown_text(column)));
    }
    format!("{text}: {}", shown_text(&fault.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ese_core::format::Pgno;

    #[test]
    fn a_fault_says_where_it_is_once() {
        let value = Fault::of_value("T\u{1b}", (Pgno(5), 7), Some("c"), "gone".to_owned());
        assert_eq!(line(&value), "T\\u{1b}, page 5, line 7, column c: gone");
        let page = Fault::of_table("T", Some(Pgno(5)), "page 5: its checksum fails".to_owned());
        assert_eq!(line(&page), "T: page 5: its checksum fails");
    }
}
