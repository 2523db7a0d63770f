//! The header checks: H1 to H10 of spec 01 section 9, and the size of the file.

use crate::finding::{Code, Finding};
use crate::format::{
    Copies, DatabaseHeader, DbState, FieldValue, FileType, HEADER_SLOTS, HeaderCopies, HeaderCopy, HeaderFault,
    KNOWN_UPDATES, MAGIC, PageSize, VERSION,
};

/// Checks both copies, the fields of the one in use, and the length of the file in bytes.
#[must_use]
pub fn check(copies: &HeaderCopies, page_size: PageSize, file_len: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    copies_are_sound_and_equal(copies, &mut findings);
    if let Some(copy) = copies.used_copy() {
        let mut fields = Fields { copy, findings: &mut findings };
        format_is_known(&mut fields);
        state_is_known_and_clean(&mut fields);
        times_are_possible(&mut fields);
        if copy.header.repair_count() > 0 {
            let text =
                format!("repaired {} times before, last at {}", copy.header.repair_count(), copy.header.repair_time());
            fields.add(Code::DbRepairedBefore, "header", "repair_count", text);
        }
    }
    findings.extend(file_is_whole(page_size, file_len));
    findings
}

/// H1 and H2.
fn copies_are_sound_and_equal(copies: &HeaderCopies, findings: &mut Vec<Finding>) {
    let bad = |code, copy: &HeaderCopy, name: &str| {
        let fault = copy.fault.map_or_else(String::new, |fault| fault.to_string());
        let mut finding = Finding::in_file(code, copy.offset, format!("{name} header copy: {fault}")).rule("H1");
        if let Some(HeaderFault::Checksum { stored, computed }) = copy.fault {
            finding.detail.stored = vec![stored.into()];
            finding.detail.computed = vec![computed.into()];
        }
        finding
    };
    match copies.copies {
        Copies::Equal => {}
        Copies::Differ { offset } => {
            let text =
                format!("both header copies are valid but differ, first at byte {offset}; the first copy is used");
            findings
                .push(Finding::in_file(Code::HdrCopiesDiffer, copies.second.offset + offset as u64, text).rule("H2"));
        }
        Copies::FirstBad => findings.push(bad(Code::HdrPrimaryBad, &copies.first, "first")),
        Copies::SecondBad => findings.push(bad(Code::HdrShadowBad, &copies.second, "second")),
        Copies::BothBad => match page_size_fault(copies) {
            Some((copy, expected, stored)) => {
                let text = format!("page size: expected {expected}, as the pages have it, found {stored}");
                let at = copy.offset + u64::from(offset_of(&copy.header, "page_size_field"));
                findings
                    .push(Finding::in_file(Code::HdrPageSize, at, text).rule("H5").compared(expected.as_u64(), stored));
            }
            None => {
                let mut finding = bad(Code::HdrBothBad, &copies.first, "first");
                if let Some(fault) = copies.second.fault {
                    finding.message += &format!("; second: {fault}");
                }
                findings.push(finding);
            }
        },
    }
}

/// A copy whose checksum holds for the page size of the pages, but that names another.
fn page_size_fault(copies: &HeaderCopies) -> Option<(&HeaderCopy, PageSize, u32)> {
    [&copies.first, &copies.second].into_iter().find_map(|copy| match copy.fault {
        Some(HeaderFault::PageSize { expected, stored }) => Some((copy, expected, stored)),
        _ => None,
    })
}

/// The copy in use, and where findings about its fields go.
struct Fields<'a> {
    copy: &'a HeaderCopy,
    findings: &'a mut Vec<Finding>,
}

impl Fields<'_> {
    fn add(&mut self, code: Code, rule: &'static str, field: &str, text: String) {
        let at = self.copy.offset + u64::from(offset_of(&self.copy.header, field));
        self.findings.push(Finding::in_file(code, at, text).rule(rule));
    }
}

/// Byte offset in the slot of the field called `name`.
fn offset_of(header: &DatabaseHeader, name: &str) -> u32 {
    header.fields().find(|field| field.name == name).map_or(0, |field| field.offset)
}

/// H3, H4 and H7.
fn format_is_known(fields: &mut Fields<'_>) {
    let header = &fields.copy.header;
    if header.magic() != MAGIC {
        let text = format!("magic: expected 0x{MAGIC:08x}, found 0x{:08x}", header.magic());
        fields.add(Code::HdrMagic, "H3", "magic", text);
    }
    let (version, update) = (header.version(), header.update_major());
    if version != VERSION {
        let text = format!("format version: expected 0x{VERSION:x}, found 0x{version:x}");
        fields.add(Code::HdrVersion, "H4", "version", text);
    } else if KNOWN_UPDATES.iter().all(|known| *known < update) {
        let newest = KNOWN_UPDATES.iter().max().copied().unwrap_or(0);
        let text = format!("format 0x{version:x},{update}: above the newest that is known (0x{VERSION:x},{newest})");
        fields.add(Code::HdrVersionNew, "H4", "update_major", text);
    }
    let kind = header.file_type();
    if !matches!(kind, FileType::Unknown | FileType::Database) {
        fields.add(Code::HdrFiletype, "H7", "file_type", format!("file type: expected database, found {kind}"));
    }
}

/// H6 and H9.
fn state_is_known_and_clean(fields: &mut Fields<'_>) {
    let header = &fields.copy.header;
    let state = header.state();
    let (low, high) = (header.gen_min_required(), header.gen_max_required());
    match state {
        DbState::CleanShutdown if low != 0 => {
            let text = format!("clean, yet log generations {low} to {high} are required: expected none");
            fields.add(Code::HdrRequiredLogs, "H9", "gen_min_required", text);
        }
        DbState::CleanShutdown => {}
        DbState::Unknown(code) => {
            fields.add(Code::HdrState, "H6", "state", format!("database state: expected 1 to 8, found {code}"));
        }
        _ if low != 0 => {
            let text = format!(
                "state {state}: log generations {low} to {high} (hex {low:x} to {high:x}) are required to recover it"
            );
            fields.add(Code::DbDirty, "H6", "state", text);
        }
        _ => {
            fields.add(Code::DbDirty, "H6", "state", format!("state {state}: expected clean-shutdown"));
            // Every database that was left in such a state says which logs it needs.
            let text =
                format!("state {state}, yet no log generation is required: expected one that leads to a clean state");
            fields.add(Code::HdrState, "H6", "gen_min_required", text);
        }
    }
}

/// H10.
fn times_are_possible(fields: &mut Fields<'_>) {
    let header = &fields.copy.header;
    let odd = header.fields().find(|field| matches!(&field.value, FieldValue::Time(time) if !time.plausible()));
    if let Some(field) = odd {
        fields.add(Code::HdrTime, "H10", field.name, format!("{}: no possible date and time", field.label));
    }
}

/// H8.
fn file_is_whole(page_size: PageSize, file_len: u64) -> Option<Finding> {
    let rest = file_len % page_size.as_u64();
    let least = HEADER_SLOTS + 1;
    if rest != 0 {
        let text = format!("file size: expected a multiple of {page_size}, found {file_len} bytes ({rest} more)");
        Some(Finding::in_file(Code::DbTruncated, file_len - rest, text).rule("H8"))
    } else if file_len / page_size.as_u64() < least {
        let text = format!(
            "file size: expected two header copies and a page at least ({} bytes), found {file_len}",
            least * page_size.as_u64()
        );
        Some(Finding::in_file(Code::DbTruncated, file_len, text).rule("H8"))
    } else {
        None
    }
}
