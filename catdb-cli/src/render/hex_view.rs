//! The bytes around a finding, in hex.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use ese_core::finding::Finding;
use ese_core::source::ByteSource;

const WRONG: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// Bytes of a line.
const WIDTH: usize = 16;
/// Lines before the wrong bytes, and from them on.
const BEFORE: u64 = 2;
const FROM: usize = 6;
/// A run of one byte value at least this long is worth a remark: a lost sector, or a hole.
const LONG_RUN: usize = 512;

/// Writes the bytes around `finding`, and what is remarkable about its page.
pub(super) fn write(
    out: &mut dyn Write,
    finding: &Finding,
    page_size: usize,
    source: &dyn ByteSource,
) -> io::Result<()> {
    let width = WIDTH as u64;
    let start = (finding.offset / width).saturating_sub(BEFORE) * width;
    let start = start.max(finding.page_offset.unwrap_or(0));
    let mut offset = start;
    for _ in 0..FROM + usize::try_from(BEFORE).unwrap_or(0) {
        let mut line = [0; WIDTH];
        let len = usize::try_from(source.len().saturating_sub(offset)).unwrap_or(WIDTH).min(WIDTH);
        let bytes = &mut line[..len];
        if bytes.is_empty() {
            break;
        }
        if source.read_at(offset, bytes).is_err() {
            writeln!(out, "             {offset:#010x}  (cannot be read)")?;
            break;
        }
        write_line(out, offset, bytes, finding.offset)?;
        offset += width;
    }
    if let Some(page_offset) = finding.page_offset {
        let mut page = vec![0; page_size];
        if source.read_at(page_offset, &mut page).is_ok() {
            remark_on_runs(out, &page)?;
        }
    }
    Ok(())
}

/// Writes all of `bytes`, which lie at `offset` of the file; of equal lines that follow each other only the first.
pub(super) fn whole(out: &mut dyn Write, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut before: Option<&[u8]> = None;
    let mut is_left_out = false;
    let last = bytes.len().saturating_sub(1) / WIDTH;
    for (place, line) in bytes.chunks(WIDTH).enumerate() {
        if before == Some(line) && place != last {
            if !is_left_out {
                writeln!(out, "             {FAINT}*{FAINT:#}")?;
            }
            is_left_out = true;
            continue;
        }
        is_left_out = false;
        before = Some(line);
        write_line(out, offset + (place * WIDTH) as u64, line, u64::MAX)?;
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, offset: u64, bytes: &[u8], wrong: u64) -> io::Result<()> {
    write!(out, "             {FAINT}{offset:#010x}{FAINT:#} ")?;
    for (at, byte) in (offset..).zip(bytes) {
        if at == wrong {
            write!(out, " {WRONG}{byte:02x}{WRONG:#}")?;
        } else {
            write!(out, " {byte:02x}")?;
        }
    }
    let text: String =
        bytes.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' }).collect();
    writeln!(out, "{:pad$}  {FAINT}{text}{FAINT:#}", "", pad = (WIDTH - bytes.len()) * 3)
}

/// Says where the page holds nothing but one byte value, other than free space at its end would.
fn remark_on_runs(out: &mut dyn Write, page: &[u8]) -> io::Result<()> {
    let mut start = 0;
    while start < page.len() {
        let value = page[start];
        let len = page[start..].iter().take_while(|byte| **byte == value).count();
        if len >= LONG_RUN {
            writeln!(out, "             bytes {start:#x} to {:#x} of the page are all {value:02x}", start + len - 1)?;
        }
        start += len;
    }
    Ok(())
}
