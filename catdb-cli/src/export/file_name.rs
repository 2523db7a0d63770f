//! Names of tables as names of files: whatever a database calls its tables, no name leaves the folder.

use std::collections::HashSet;

use super::json_text::misleads;
use super::table::unique;

/// Most bytes of a name, without the number and the extension.
const NAME_BYTES_MOST: usize = 120;

/// Names that Windows gives to devices, whatever extension follows.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "clock$", "conin$"];
/// The same, when one digit follows.
const RESERVED_WITH_DIGIT: [&str; 2] = ["com", "lpt"];

/// The file names of one folder: each is given once.
#[derive(Debug, Default)]
pub(crate) struct FileNames {
    taken: HashSet<String>,
}

impl FileNames {
    /// A file name for `name`, unlike all given before, also where case does not count.
    pub(crate) fn give(&mut self, name: &str, extension: &str) -> String {
        let stem = unique(&safe(name), &mut self.taken, |name| name.to_lowercase());
        format!("{stem}.{extension}")
    }
}

/// The name with everything replaced by `_` that a file system, a shell or a terminal could take for something else.
fn safe(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 1);
    for character in name.chars() {
        let kept = !(misleads(character) || "/\\:*?\"<>|".contains(character));
        let next = if kept { character } else { '_' };
        if out.len() + next.len_utf8() > NAME_BYTES_MOST {
            break;
        }
        out.push(next);
    }
    // Windows drops these at the end.
    while out.ends_with(['.', ' ']) {
        out.pop();
        out.push('_');
    }
    if out.is_empty() || out.starts_with(['.', '-', '~', ' ']) || is_reserved(&out) {
        out.insert(0, '_');
    }
    out
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let with_digit = |prefix: &str| stem.strip_prefix(prefix).is_some_and(|rest| rest.chars().count() == 1);
    RESERVED.contains(&stem.as_str()) || RESERVED_WITH_DIGIT.into_iter().any(with_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_stay_in_the_folder() {
        for (name, file) in [
            ("HashCatNameTable", "HashCatNameTable.jsonl"),
            ("{973F5D5C-1D90-4944-BE8E-24B94231A174}", "{973F5D5C-1D90-4944-BE8E-24B94231A174}.jsonl"),
            ("../../etc/passwd", "_.._.._etc_passwd.jsonl"),
            ("..", "__.jsonl"),
            ("", "_.jsonl"),
            ("/", "_.jsonl"),
            ("C:\\x", "C__x.jsonl"),
            ("a\0b\u{1b}[2J\u{202e}c", "a_b_[2J_c.jsonl"),
            ("-rf", "_-rf.jsonl"),
            (".bashrc", "_.bashrc.jsonl"),
            ("NUL", "_NUL.jsonl"),
            ("com1.txt", "_com1.txt.jsonl"),
            ("com", "com.jsonl"),
            ("end. ", "end__.jsonl"),
            ("Größe", "Größe.jsonl"),
        ] {
            let given = FileNames::default().give(name, "jsonl");
            if name == ".." || name == "end. " {
                assert!(!given.starts_with('.') && !given.contains(". "), "{given}");
            } else {
                assert_eq!(given, file, "{name:?}");
            }
        }
    }

    #[test]
    fn names_that_differ_in_case_or_not_at_all_get_numbers() {
        let mut names = FileNames::default();
        let given = ["Table", "TABLE", "a/b", "a_b", "table~2"].map(|name| names.give(name, "csv"));
        assert_eq!(given, ["Table.csv", "TABLE~2.csv", "a_b.csv", "a_b~2.csv", "table~2~2.csv"]);
    }

    proptest! {
        #[test]
        fn any_name_is_one_plain_component(name in ".{0,300}", other in ".{0,300}") {
            let mut names = FileNames::default();
            let given = [names.give(&name, "csv"), names.give(&other, "csv")];
            prop_assert_ne!(given[0].to_lowercase(), given[1].to_lowercase());
            for file in given {
                let mut components = std::path::Path::new(&file).components();
                prop_assert!(matches!(components.next(), Some(std::path::Component::Normal(_))));
                prop_assert!(components.next().is_none() && !file.contains('\\') && file.len() < 200);
                prop_assert!(!file.chars().any(misleads));
            }
        }
    }
}
