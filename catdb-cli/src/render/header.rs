//! The answer of `info`: both header copies side by side, in the order of `esentutl /mh`; JSON schema `catdb.info/1`.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use ese_core::format::{Copies, Field, FieldValue, HeaderCopy, Used};
use ese_core::verify::OpenedHeader;
use serde::Serialize;

use super::json::{TOOL, Tool};
use super::refusal::Refusal;
use super::{counted, shell_word, shown};

const BOLD: Style = Style::new().bold();
const WRONG: Style = AnsiColor::Red.on_default();

/// Writes both copies for people.
pub(crate) fn text(out: &mut dyn Write, path: &Path, bytes: u64, opened: &OpenedHeader) -> io::Result<()> {
    let copies = &opened.copies;
    let pages = opened.page_size.last_pgno(bytes);
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}: ESE database, {}, {} of {} bytes",
        shown(path),
        counted(bytes, "byte"),
        counted(pages.0.into(), "page"),
        opened.page_size
    )?;
    writeln!(out, "  Header: {}", which(copies.copies))?;
    for (name, copy) in [("first", &copies.first), ("second", &copies.second)] {
        match &copy.fault {
            None => writeln!(out, "  {name} copy at offset 0x{:x}: valid", copy.offset)?,
            Some(fault) => writeln!(out, "  {name} copy at offset 0x{:x}: {WRONG}bad{WRONG:#}, {fault}", copy.offset)?,
        }
    }
    if let Some(error) = &opened.read_error {
        writeln!(out, "  {WRONG}{error}{WRONG:#}")?;
    }
    let used = copies.used_copy().unwrap_or(&copies.first);
    writeln!(out)?;
    let fields: Vec<Field> = used.header.fields().collect();
    for line in fields.chunk_by(|a, b| a.label == b.label) {
        let values: Vec<String> = line.iter().map(|field| person(field.value)).collect();
        writeln!(out, "  {:>40}: {}", line[0].label, values.join(", "))?;
    }
    differences(out, &copies.first, &copies.second)?;
    writeln!(out, "\nNext: catdb-cli verify {}", shell_word(path))
}

fn which(copies: Copies) -> String {
    match copies {
        Copies::Equal => "both copies are valid and equal; the first is shown".to_owned(),
        Copies::Differ { offset } => {
            format!(
                "both copies are valid but differ, first at byte {offset}: a write was interrupted; the first is shown"
            )
        }
        Copies::FirstBad => "the first copy is bad; the second is shown".to_owned(),
        Copies::SecondBad => "the second copy is bad; the first is shown".to_owned(),
        Copies::BothBad => {
            "both copies are bad; the first is shown as it stands, the page size is that of the pages".to_owned()
        }
    }
}

/// The fields in which the copies differ.
fn differences(out: &mut dyn Write, first: &HeaderCopy, second: &HeaderCopy) -> io::Result<()> {
    let mut pairs = first.header.fields().zip(second.header.fields()).filter(|(a, b)| a.value != b.value).peekable();
    if pairs.peek().is_some() {
        writeln!(out, "\n  Fields that differ (offset in the header, first copy, second copy):")?;
    }
    for (a, b) in pairs {
        writeln!(out, "  {:>40}: +{}: {} | {}", a.name, a.offset, a.value, b.value)?;
    }
    Ok(())
}

/// A value for people: what was never set is "none" and not a row of zeros.
fn person(value: FieldValue) -> String {
    match value {
        FieldValue::Position(position) if position.is_none() => "none".to_owned(),
        FieldValue::Signature(signature) if signature.is_none() => "none".to_owned(),
        FieldValue::Backup(backup) if backup.is_none() => "none".to_owned(),
        other => other.to_string(),
    }
}

/// Both copies for scripts.
#[derive(Serialize)]
pub(crate) struct InfoDocument {
    schema: &'static str,
    tool: Tool,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(flatten)]
    info: Option<Info>,
}

/// What both documents say of a header, that of `info` and that of `dump header`.
#[derive(Serialize)]
pub(crate) struct Info {
    bytes: u64,
    page_size: usize,
    pages: u32,
    used: &'static str,
    copies: [CopyEntry; 2],
}

#[derive(Serialize)]
struct CopyEntry {
    offset: u64,
    valid: bool,
    fault: Option<String>,
    fields: Vec<FieldEntry>,
}

#[derive(Serialize)]
struct FieldEntry {
    name: &'static str,
    label: &'static str,
    offset: u32,
    value: serde_json::Value,
}

impl InfoDocument {
    pub(crate) fn new(path: &Path, bytes: u64, opened: &OpenedHeader) -> InfoDocument {
        InfoDocument { info: Some(Info::new(bytes, opened)), ..InfoDocument::empty(path) }
    }

    pub(crate) fn refused(path: &Path, refusal: &Refusal) -> InfoDocument {
        let (error, next) = (Some(refusal.reason.clone()), Some(refusal.next.clone()));
        InfoDocument { error, next, ..InfoDocument::empty(path) }
    }

    fn empty(path: &Path) -> InfoDocument {
        let path = path.to_string_lossy().into_owned();
        InfoDocument { schema: "catdb.info/1", tool: TOOL, path, error: None, next: None, info: None }
    }
}

impl Info {
    pub(crate) fn new(bytes: u64, opened: &OpenedHeader) -> Info {
        let copies = &opened.copies;
        Info {
            bytes,
            page_size: opened.page_size.bytes(),
            pages: opened.page_size.last_pgno(bytes).0,
            used: match copies.used() {
                Used::First => "first",
                Used::Second => "second",
                Used::Neither => "neither",
            },
            copies: [CopyEntry::new(&copies.first), CopyEntry::new(&copies.second)],
        }
    }
}

impl CopyEntry {
    fn new(copy: &HeaderCopy) -> CopyEntry {
        CopyEntry {
            offset: copy.offset,
            valid: copy.fault.is_none(),
            fault: copy.fault.map(|fault| fault.to_string()),
            fields: copy.header.fields().map(FieldEntry::new).collect(),
        }
    }
}

impl FieldEntry {
    fn new(field: Field) -> FieldEntry {
        FieldEntry { name: field.name, label: field.label, offset: field.offset, value: value(field.value) }
    }
}

/// Numbers as numbers, everything else as text; a time or place that was never set is null.
pub(super) fn value(value: FieldValue) -> serde_json::Value {
    match value {
        FieldValue::U32(n) | FieldValue::Hex32(n) => n.into(),
        FieldValue::I32(n) | FieldValue::Generation(n) => n.into(),
        FieldValue::Hex64(n) => n.into(),
        FieldValue::Dbtime(dbtime) => dbtime.0.into(),
        FieldValue::Pgno(pgno) => pgno.0.into(),
        FieldValue::Objid(objid) => objid.0.into(),
        FieldValue::Time(time) if time.is_never() => serde_json::Value::Null,
        FieldValue::Position(position) if position.is_none() => serde_json::Value::Null,
        FieldValue::Signature(signature) if signature.is_none() => serde_json::Value::Null,
        FieldValue::Backup(backup) if backup.is_none() => serde_json::Value::Null,
        other => other.to_string().into(),
    }
}
