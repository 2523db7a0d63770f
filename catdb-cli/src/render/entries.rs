//! The answers of `entries` and `lookup`: entries as lines of text, CSV or JSON, and what became of a question.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::json::{TOOL, Tool};
use super::{counted, shown, shown_text};
use crate::catdb::{Algorithm, Confidence, Detected, Entry};
use crate::export::{csv, json_text};

const LOOKUP_SCHEMA: &str = "catdb.lookup/1";

/// `{"table":...,"algorithm":...,"hash":...,"catalogs":[...]}` in place of what `line` holds.
pub(crate) fn jsonl(line: &mut Vec<u8>, entry: &Entry) {
    line.clear();
    line.extend_from_slice(b"{\"table\":");
    json_text::text(line, &entry.table);
    line.extend_from_slice(b",\"algorithm\":");
    match entry.algorithm {
        Some(algorithm) => json_text::text(line, algorithm.name()),
        None => line.extend_from_slice(b"null"),
    }
    line.extend_from_slice(b",\"hash\":\"");
    json_text::hex(line, &entry.hash);
    line.extend_from_slice(b"\",\"catalogs\":[");
    for (place, name) in entry.catalogs.iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        json_text::text(line, name);
    }
    line.extend_from_slice(b"]}\n");
}

/// The names of the columns of [`csv()`].
pub(crate) const CSV_HEADER: &[u8] = b"table,algorithm,hash,catalogs\n";

/// A line of CSV in place of what `line` holds; names are separated by `|`, which no file name has.
pub(crate) fn csv(line: &mut Vec<u8>, entry: &Entry) {
    line.clear();
    csv::text(line, &entry.table);
    line.push(b',');
    line.extend_from_slice(entry.algorithm.map_or("", Algorithm::name).as_bytes());
    line.push(b',');
    json_text::hex(line, &entry.hash);
    line.push(b',');
    csv::text(line, &entry.catalogs.join("|"));
    line.push(b'\n');
}

/// A line for people in place of what `line` holds.
pub(crate) fn text(line: &mut Vec<u8>, entry: &Entry) {
    line.clear();
    json_text::hex(line, &entry.hash);
    line.extend_from_slice(b"  ");
    line.extend_from_slice(shown_text(&entry.catalogs.join(", ")).as_bytes());
    line.push(b'\n');
}

/// The last line for people: how many, and what the database is.
pub(crate) fn summary(out: &mut dyn Write, path: &Path, entries: u64, detected: &Detected) -> io::Result<()> {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{} entries", super::grouped(entries)) };
    let profile = detected.profile();
    writeln!(out, "{}: {entries}; {} ({})", shown(path), detected.id(), profile.title)?;
    if let Detected::Known { absent, .. } = detected {
        for table in absent {
            writeln!(out, "  the table {table} is absent")?;
        }
    }
    if profile.confidence == Confidence::Published {
        writeln!(out, "  how its entries read is known from published readers, not from a file of our own")?;
    }
    Ok(())
}

/// One hash that was looked for.
#[derive(Serialize)]
pub(crate) struct Question {
    /// How it was computed: `given`, `flat` (of all bytes), `authenticode` (of a program without its signature).
    pub(crate) rule: &'static str,
    pub(crate) algorithm: &'static str,
    pub(crate) hash: String,
    pub(crate) found: Vec<Answer>,
}

/// An entry with that hash.
#[derive(Serialize)]
pub(crate) struct Answer {
    table: String,
    pgno: u32,
    line: u32,
    catalogs: Vec<String>,
}

impl From<Entry> for Answer {
    fn from(entry: Entry) -> Answer {
        Answer { table: entry.table, pgno: entry.pgno, line: entry.line, catalogs: entry.catalogs }
    }
}

/// What was asked, and the answer.
#[derive(Serialize)]
pub(crate) struct LookupDocument {
    schema: &'static str,
    tool: Tool,
    database: String,
    generation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// What is odd about the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
    found: bool,
    hashes: Vec<Question>,
}

impl LookupDocument {
    pub(crate) fn new(
        database: &Path,
        file: Option<&Path>,
        generation: &str,
        remark: Option<String>,
    ) -> LookupDocument {
        let name = |path: &Path| path.to_string_lossy().into_owned();
        LookupDocument {
            schema: LOOKUP_SCHEMA,
            tool: TOOL,
            database: name(database),
            generation: generation.to_owned(),
            file: file.map(name),
            remark,
            found: false,
            hashes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, question: Question) {
        self.found |= !question.found.is_empty();
        self.hashes.push(question);
    }

    pub(crate) fn is_found(&self) -> bool {
        self.found
    }

    /// For people.
    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let what = self.file.as_deref().unwrap_or("the hash");
        let names = self.hashes.iter().flat_map(|question| &question.found).map(|answer| answer.catalogs.len());
        match names.sum::<usize>() {
            _ if !self.found => writeln!(out, "{}: NOT FOUND in {}", shown_text(what), shown_text(&self.database))?,
            names => {
                let names = counted(names as u64, "catalog name");
                writeln!(out, "{}: FOUND in {}: {names}", shown_text(what), shown_text(&self.database))?;
            }
        }
        for question in &self.hashes {
            let found = if question.found.is_empty() { "not there" } else { "there" };
            writeln!(out, "  {:12}  {:6}  {}  {found}", question.rule, question.algorithm, question.hash)?;
            for answer in &question.found {
                let Answer { table, pgno, line, catalogs } = answer;
                writeln!(out, "      table {}, page {pgno}, line {line}", shown_text(table))?;
                for name in catalogs {
                    writeln!(out, "      {}", shown_text(name))?;
                }
            }
        }
        match &self.remark {
            Some(remark) => writeln!(out, "  {remark}"),
            None => Ok(()),
        }
    }
}
