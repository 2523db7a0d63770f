//! How results look: text for people, JSON for scripts. Nothing here decides anything.

pub(crate) mod dump;
pub(crate) mod entries;
pub(crate) mod explain;
pub(crate) mod faults;
pub(crate) mod header;
mod hex_view;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod refusal;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod text;

use ese_core::finding::Finding;

use crate::export::json_text::misleads;

/// `1022` as `1,022`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 page`, `2 pages`.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", grouped(number))
}

/// The command to run next about a finding in the file at `path`. Where it wants a line and the finding has none, the
/// whole page is shown; where it wants a page and there is none, the header.
fn next_command(finding: &Finding, path: &std::path::Path) -> String {
    let command = finding.code.info().next.command;
    let command = match (finding.pgno, finding.detail.line) {
        (None, _) if command.contains("{pgno}") => "catdb-cli info {file}".to_owned(),
        (Some(pgno), None) => command.replace("node {pgno}:{line}", "page {pgno}").replace("{pgno}", &pgno.to_string()),
        (pgno, line) => command
            .replace("{pgno}", &pgno.unwrap_or_default().to_string())
            .replace("{line}", &line.unwrap_or_default().to_string()),
    };
    command.replace("{file}", &shell_word(path))
}

/// A path as an argument that can be pasted into a shell; control characters never reach the terminal.
pub(crate) fn shell_word(path: &std::path::Path) -> String {
    let text = shown(path);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A path for people: control characters are shown, not sent.
pub(crate) fn shown(path: &std::path::Path) -> String {
    shown_text(&path.to_string_lossy())
}

/// Text of a database for people: what could steer a terminal or turn text round is shown, not sent.
pub(crate) fn shown_text(text: &str) -> String {
    text.chars().flat_map(|c| if misleads(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ese_core::finding::Code;
    use ese_core::format::{PageSize, Pgno};
    use std::path::Path;

    #[test]
    fn numbers_are_grouped_by_three() {
        let texts: Vec<String> = [0, 999, 1000, 4_194_304].into_iter().map(grouped).collect();
        assert_eq!(texts, ["0", "999", "1,000", "4,194,304"]);
        assert_eq!((counted(1, "page"), counted(2, "page")), ("1 page".to_owned(), "2 pages".to_owned()));
    }

    #[test]
    fn the_next_command_names_the_line_where_there_is_one_and_else_the_page() {
        let path = Path::new("a b");
        let finding = Finding::on_page(Code::PageNode, Pgno(7), PageSize::K4, 0, "");
        assert_eq!(next_command(&finding, path), "catdb-cli dump 'a b' page 7");
        assert_eq!(next_command(&finding.line(3), path), "catdb-cli dump 'a b' node 7:3");
        let finding = Finding::in_file(Code::PageChecksum, 0, "");
        assert_eq!(next_command(&finding, path), "catdb-cli info 'a b'");
    }

    #[test]
    fn paths_can_be_pasted_and_cannot_control_the_terminal() {
        assert_eq!(shell_word(Path::new("/a/catdb")), "/a/catdb");
        assert_eq!(shell_word(Path::new("it's")), r"'it'\''s'");
        assert_eq!(shown(Path::new("a\u{1b}[31m")), "a\\u{1b}[31m");
    }
}
