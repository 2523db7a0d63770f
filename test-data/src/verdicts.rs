//! Damages of the large corpora, each with what the engine's own integrity check says of it: a sound database, a few
//! patches, a verdict.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::corpus;

/// What the engine makes of a damage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Expect {
    /// It reports an error.
    Damaged,
    /// It crashes or hangs.
    EngineFailed,
    /// Bytes that nothing uses were changed: there is nothing to report.
    Clean,
    /// It says nothing, though a byte in use was changed.
    Either,
}

/// One damage.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in the collection.
    pub id: String,
    /// The database it was done to: `kitchen-4k.edb`.
    pub base: String,
    /// The kind of damage: `zero-page`.
    pub kind: String,
    /// The page it was done to; 0 and -1 are the two header copies.
    pub pgno: i64,
    /// What kind of page that is: `leaf+index`.
    pub page: String,
    /// What was done, in words.
    pub what: String,
    /// The engine's complaints.
    pub complaints: Vec<String>,
    /// What the engine makes of it.
    pub expect: Expect,
    patches: Vec<Patch>,
    truncate_to: Option<usize>,
}

#[derive(Clone, Debug)]
struct Patch {
    offset: usize,
    bytes: Bytes,
}

#[derive(Clone, Debug)]
enum Bytes {
    New(Vec<u8>),
    Zero(usize),
    Copy { from: usize, len: usize },
}

impl Case {
    fn read(line: &str) -> Case {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Case {
            id: text(&case["id"]),
            base: text(&case["base"]),
            kind: text(&case["kind"]),
            pgno: case["target"]["pgno"].as_i64().expect("a page number"),
            page: text(&case["target"]["page"]),
            what: text(&case["target"]["what"]),
            complaints: list(&case["verdict"]["lines"]).iter().map(text).collect(),
            expect: match case["expect"].as_str() {
                Some("damaged") => Expect::Damaged,
                Some("engine-failed") => Expect::EngineFailed,
                Some("clean") => Expect::Clean,
                _ => Expect::Either,
            },
            patches: list(&case["patches"]).iter().map(Patch::read).collect(),
            truncate_to: size(&case["truncate_to"]),
        }
    }

    /// The damaged file, made from the sound one.
    #[must_use]
    pub fn apply(&self, base: &[u8]) -> Vec<u8> {
        let mut file = base.to_vec();
        for Patch { offset, bytes } in &self.patches {
            let at = *offset;
            match bytes {
                Bytes::New(new) => file[at..at + new.len()].copy_from_slice(new),
                Bytes::Zero(len) => file[at..at + len].fill(0),
                Bytes::Copy { from, len } => file[at..at + len].copy_from_slice(&base[*from..from + len]),
            }
        }
        file.truncate(self.truncate_to.unwrap_or(file.len()));
        file
    }
}

impl Patch {
    fn read(patch: &Value) -> Patch {
        let bytes = match (patch["new"].as_str(), size(&patch["zero"])) {
            (Some(digits), _) => Bytes::New(unhex(digits)),
            (None, Some(len)) => Bytes::Zero(len),
            (None, None) => Bytes::Copy {
                from: size(&patch["copy_from"]).expect("a source"),
                len: size(&patch["len"]).expect("a length"),
            },
        };
        Patch { offset: size(&patch["offset"]).expect("an offset"), bytes }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn size(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|size| usize::try_from(size).ok())
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// All cases, by the database they damage, in the order of the collection.
///
/// # Panics
/// If the collection in `shared` cannot be read.
#[must_use]
pub fn cases(shared: &Path) -> BTreeMap<String, Vec<Case>> {
    let lines = String::from_utf8(corpus::unpack(&shared.join("engine/verdicts/visible.jsonl.gz"))).expect("UTF-8");
    let mut cases: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in lines.lines().map(Case::read) {
        cases.entry(case.base.clone()).or_default().push(case);
    }
    cases
}

/// The sound database that cases with this `base` damage.
///
/// # Panics
/// If it is not in `shared`.
#[must_use]
pub fn base(shared: &Path, base: &str) -> Vec<u8> {
    corpus::unpack(&shared.join("engine/db").join(format!("{base}.gz")))
}
