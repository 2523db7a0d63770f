//! The page check: rules P1 to P19 of spec 02 section 8, for pages whose checksum holds and that are not blank.
//!
//! Each rule reports at most once a page: the first line that breaks it, and how many do. A rule that can only fail
//! because an earlier one did is left out, so that one cause gives one finding.

use super::start_of;
use crate::finding::{Code, Finding};
use crate::format::page::offset;
use crate::format::{Node, NodeError, Page, PageFlags, Pgno, TAG_BYTES, Tag};

/// Least size of a line other than tag 0: the suffix size (2), one byte of key, one of data. A node with an empty key
/// on an internal page has the suffix size and a child (4).
const MIN_LINE: usize = 4;
/// Least size of the last node of an internal page, whose key may be empty.
const MIN_INTERNAL_UNBOUNDED: usize = 6;
/// A prefix of 0 or 1 bytes saves nothing and is never written.
const MIN_PREFIX: usize = 2;
/// More reserved tags than this were never written by any engine.
const MAX_RESERVED_TAGS: usize = 1;

/// Room that is used again for every page.
#[derive(Debug, Default)]
pub struct PageChecker {
    /// (offset, end, line) of every line with bytes.
    extents: Vec<(usize, usize, usize)>,
}

impl PageChecker {
    /// Checks one page and appends what is wrong to `findings`. `pgno` is the page's place in the file.
    pub fn check(&mut self, page: Page<'_>, pgno: Pgno, findings: &mut Vec<Finding>) {
        let mut report = PageReport { page, pgno, findings };
        flags_agree(&mut report);
        large_header_names_the_page(&mut report);
        space_fields_are_in_range(&mut report);
        if !tag_array_fits(&mut report) {
            return;
        }
        if lines_lie_in_bounds(&mut report) && self.lines_do_not_overlap(&mut report) {
            sizes_add_up(&mut report);
        }
        nodes_are_whole_and_ordered(&mut report);
    }

    /// P14: no two lines share bytes; empty lines aside.
    fn lines_do_not_overlap(&mut self, report: &mut PageReport<'_, '_>) -> bool {
        self.extents.clear();
        self.extents
            .extend(report.tags().filter(|(_, tag)| tag.size > 0).map(|(line, tag)| (tag.offset, tag.end(), line)));
        self.extents.sort_unstable();
        let mut overlaps = Overlaps::default();
        // The line that reaches furthest so far: a long line can cover several that follow.
        let mut furthest = (0, 0);
        for &(start, end, line) in &self.extents {
            if start < furthest.0 {
                overlaps.add(line, furthest.1, start);
            }
            furthest = furthest.max((end, line));
        }
        let Some((line, other, start)) = overlaps.first else { return true };
        let at = report.page.header_len() + start;
        let text = format!("line {line} begins inside line {other}, at byte {start} behind the header");
        report.add(Code::PageOverlap, "P14", at, text, |f| {
            let mut f = f.line(line);
            f.detail.count = Some(overlaps.count);
            f
        });
        false
    }
}

/// The pair of lines to report, and how many there are.
#[derive(Default)]
struct Overlaps {
    first: Option<(usize, usize, usize)>,
    count: u64,
}

impl Overlaps {
    fn add(&mut self, line: usize, other: usize, start: usize) {
        self.first.get_or_insert((line, other, start));
        self.count += 1;
    }
}

/// A page under check, and where its findings go.
struct PageReport<'p, 'f> {
    page: Page<'p>,
    pgno: Pgno,
    findings: &'f mut Vec<Finding>,
}

impl<'p> PageReport<'p, '_> {
    fn add(
        &mut self,
        code: Code,
        rule: &'static str,
        at: usize,
        message: impl Into<String>,
        fill: impl FnOnce(Finding) -> Finding,
    ) {
        let finding = Finding::on_page(code, self.pgno, self.page.size(), at, message).rule(rule);
        self.findings.push(fill(finding));
    }

    /// "field: expected at most X, found Y".
    fn at_most(&mut self, rule: &'static str, at: usize, field: &str, found: usize, limit: usize, limit_name: &str) {
        if found > limit {
            let text = format!("{field}: expected at most {limit} ({limit_name}), found {found}");
            self.add(Code::PageFreeSpace, rule, at, text, |f| f.compared(limit, found));
        }
    }

    fn flags_finding(&mut self, rule: &'static str, message: String) {
        let found = self.page.flags().bits();
        self.add(Code::PageFlags, rule, offset::FLAGS, message, |mut f| {
            f.detail.found = Some(found.into());
            f
        });
    }

    /// All tags that the page says it has and that its size has room for.
    fn tags(&self) -> impl Iterator<Item = (usize, Tag)> + 'p {
        let page = self.page;
        (0..page.tag_count()).map_while(move |line| page.tag(line).map(|tag| (line, tag)))
    }
}

/// P5 to P10, unknown bits.
fn flags_agree(report: &mut PageReport<'_, '_>) {
    let page = report.page;
    let flags = page.flags();
    let has = |bits| flags.contains(bits);
    if page.tag_count() == 0 && !flags.intersects(PageFlags::EMPTY | PageFlags::PRE_INIT) {
        report.flags_finding(
            "P5",
            format!("flags 0x{:x}: expected tags, or the flag empty or pre-init; found no tag", flags.bits()),
        );
    }
    if has(PageFlags::EMPTY | PageFlags::PRE_INIT) {
        report.flags_finding("P6", format!("flags 0x{:x}: empty and pre-init exclude each other", flags.bits()));
    } else if has(PageFlags::PRE_INIT) {
        pre_init_page_is_untouched(report);
    }
    let (space, index, lv) = (has(PageFlags::SPACE_TREE), has(PageFlags::INDEX), has(PageFlags::LONG_VALUE));
    // A page of a space tree keeps the kind of the tree whose space it describes, so only these two exclude each other.
    if index && lv {
        let space = if space { " (and space tree)" } else { "" };
        report.flags_finding(
            "P8",
            format!("flags 0x{:x}: expected one kind of tree, found index and long value{space}", flags.bits()),
        );
    }
    if has(PageFlags::REPAIR) {
        let text = format!("flags 0x{:x}: the page was written by a repair that did not finish", flags.bits());
        report.add(Code::RepairFlag, "P9", offset::FLAGS, text, |f| f);
    }
    if has(PageFlags::LEAF | PageFlags::PARENT_OF_LEAF) {
        report.flags_finding("P10", format!("flags 0x{:x}: leaf and parent of leaf exclude each other", flags.bits()));
    }
    if flags.unknown() != 0 {
        let text = format!("flags 0x{:x}: nobody knows the bits 0x{:x}", flags.bits(), flags.unknown());
        report.add(Code::PageFlagsUnknown, "02-3", offset::FLAGS, text, |mut f| {
            f.detail.found = Some(flags.bits().into());
            f
        });
    }
}

/// P7: a page that was allocated and never filled has nothing on it.
fn pre_init_page_is_untouched(report: &mut PageReport<'_, '_>) {
    let page = report.page;
    let flags = page.flags();
    let allowed = PageFlags::PRE_INIT | PageFlags::NEW_RECORD_FORMAT | PageFlags::ECC | PageFlags::FLUSH_TYPE;
    let odd = flags.difference(allowed);
    if page.tag_count() != 0
        || !page.pgno_prev().is_none()
        || !page.pgno_next().is_none()
        || !flags.contains(PageFlags::NEW_RECORD_FORMAT)
        || !odd.is_empty()
    {
        let text = format!(
            "flags 0x{:x}: a pre-initialised page has no tags, no siblings and no other flags; found {} tags, siblings {} and {}",
            flags.bits(),
            page.tag_count(),
            page.pgno_prev(),
            page.pgno_next()
        );
        report.flags_finding("P7", text);
    }
}

/// P19: the number in the header of a large page is that of its place, and the reserved bytes are zero.
fn large_header_names_the_page(report: &mut PageReport<'_, '_>) {
    let Some(found) = report.page.pgno_field() else { return };
    let pgno = report.pgno;
    if found != pgno {
        let text = format!("page number in the header: expected {pgno}, found {found}");
        report.add(Code::PageNumber, "P19", offset::PGNO, text, |f| f.compared(pgno.0, found.0));
    }
    if let Some(at) = report.page.reserved().iter().position(|byte| *byte != 0) {
        let text = "reserved bytes of the page header: expected zeros".to_owned();
        report.add(Code::PageReserved, "P19", offset::RESERVED + at, text, |f| f);
    }
}

/// P1 to P3.
fn space_fields_are_in_range(report: &mut PageReport<'_, '_>) {
    let page = report.page;
    let data = page.body().len();
    let free = usize::from(page.cb_free());
    report.at_most("P1", offset::CB_FREE, "cbFree", free, data, "data bytes of the page");
    let uncommitted = usize::from(page.cb_uncommitted_free());
    report.at_most("P2", offset::CB_UNCOMMITTED_FREE, "cbUncommittedFree", uncommitted, free, "cbFree");
    let mic_free = usize::from(page.ib_mic_free());
    // A tag array that does not fit is P4's.
    match data.checked_sub(page.tag_count() * TAG_BYTES) {
        Some(limit) => {
            report.at_most("P3", offset::IB_MIC_FREE, "ibMicFree", mic_free, limit, "start of the tag array")
        }
        None => report.at_most("P3", offset::IB_MIC_FREE, "ibMicFree", mic_free, data, "data bytes of the page"),
    }
}

/// P4: the tag array is clear of the header, and leaves each line a few bytes. False if lines cannot be trusted at all.
fn tag_array_fits(report: &mut PageReport<'_, '_>) -> bool {
    let page = report.page;
    let (count, data) = (page.tag_count(), page.body().len());
    let array = count * TAG_BYTES;
    let fits = count < data / TAG_BYTES && array + 1 < data && data - array >= count.saturating_sub(1) * MIN_LINE;
    if !fits {
        let text = format!(
            "number of tags: expected less than {} (half of what the page can hold), found {count}",
            data / (TAG_BYTES + MIN_LINE) + 1
        );
        report
            .add(Code::PageTags, "P4", offset::ITAG_STATE, text, |f| f.compared(data / (TAG_BYTES + MIN_LINE), count));
        return false;
    }
    let reserved = page.reserved_tags();
    if reserved > MAX_RESERVED_TAGS {
        let text = format!("number of reserved tags: expected 0 or 1, found {reserved}");
        report.add(Code::PageTags, "P4", offset::ITAG_STATE, text, |f| f.compared(MAX_RESERVED_TAGS, reserved));
    }
    true
}

/// P11 to P13: each line has a size that a node can have, and lies between the header and the start of free space.
fn lines_lie_in_bounds(report: &mut PageReport<'_, '_>) -> bool {
    let page = report.page;
    let count = page.tag_count();
    let mic_free = usize::from(page.ib_mic_free());
    let limit = page.body().len() - count * TAG_BYTES;
    let mut broken: [Option<(usize, Tag, u64)>; 3] = [None; 3];
    let mut note = |rule: usize, line, tag| {
        broken[rule].get_or_insert((line, tag, 0)).2 += 1;
    };
    for (line, tag) in report.tags() {
        // A line without bytes has no place: whatever was there before stands in its tag.
        if tag.size > 0 && tag.end() > limit {
            note(2, line, tag);
        } else if tag.size > 0 && tag.end() > mic_free {
            note(1, line, tag);
        }
        if line >= page.first_line() && tag.size < least_size(page, line) {
            note(0, line, tag);
        }
    }
    for (rule, what) in broken.iter().zip(["P11", "P12", "P13"]) {
        let Some((line, tag, lines)) = *rule else { continue };
        let text = match what {
            "P11" => format!("line {line}: expected at least {} bytes, found {}", least_size(page, line), tag.size),
            "P12" => format!(
                "line {line}: expected to end at or before ibMicFree ({mic_free}), found {} bytes at {}",
                tag.size, tag.offset
            ),
            _ => format!(
                "line {line}: expected to end before the tag array ({limit}), found {} bytes at {}",
                tag.size, tag.offset
            ),
        };
        report.add(Code::PageTags, what, page.tag_offset(line), text, |f| {
            let mut f = f.line(line).compared(
                if what == "P11" { least_size(page, line) } else { mic_free.min(limit) },
                if what == "P11" { tag.size } else { tag.end() },
            );
            f.detail.count = Some(lines);
            f
        });
    }
    // A small node spoils its own line only; lines outside their bounds make overlaps and sums meaningless.
    broken[1].is_none() && broken[2].is_none()
}

fn least_size(page: Page<'_>, line: usize) -> usize {
    if !page.is_leaf() && line + 1 == page.tag_count() { MIN_INTERNAL_UNBOUNDED } else { MIN_LINE }
}

/// P15: sizes of all lines + free bytes + tag array = data bytes of the page.
fn sizes_add_up(report: &mut PageReport<'_, '_>) {
    let page = report.page;
    let data = page.body().len();
    let lines: usize = report.tags().map(|(_, tag)| tag.size).sum();
    let array = page.tag_count() * TAG_BYTES;
    let free = usize::from(page.cb_free());
    // P1 has reported a cbFree that no page can have.
    if free <= data && lines + free + array != data {
        let text = format!(
            "free space: expected cbFree {} ({data} data bytes, less {lines} in lines and {array} of tags), found {free}",
            data.saturating_sub(lines + array)
        );
        report.add(Code::PageFreeSpace, "P15", offset::CB_FREE, text, |f| {
            f.compared(data.saturating_sub(lines + array), free)
        });
    }
}

/// P16 to P18: every node can be taken apart, has a key and data, and keys ascend.
fn nodes_are_whole_and_ordered(report: &mut PageReport<'_, '_>) {
    let page = report.page;
    let last_line = page.tag_count().saturating_sub(1);
    let by_key_and_data = page.is_leaf() && page.flags().contains(PageFlags::NON_UNIQUE);
    let prefix_is_lost = page.tag(0).is_some_and(|tag| tag.size > 0) && page.line(0).is_err();
    let mut worst = NodeFaults::default();
    let mut before: Option<Node<'_>> = None;
    for node in page.nodes() {
        let node = match node {
            Ok(node) => node,
            // P12 and P13 have reported what is wrong with the line itself, or with the prefix of the page.
            Err(NodeError::Line(_)) => continue,
            Err(NodeError::PrefixTooLong { .. }) if prefix_is_lost => continue,
            Err(error) => {
                worst.malformed(page, error.line(), "P16", error.to_string());
                continue;
            }
        };
        let unbounded = !page.is_leaf() && node.line == last_line && node.key.is_empty();
        if let Some((rule, text)) = incomplete(&node, unbounded) {
            worst.malformed(page, node.line, rule, text);
        } else if !unbounded {
            if let Some(before) = before.filter(|before| !ascends(before, &node, by_key_and_data)) {
                worst.disordered.add(node.line, "P18", order_message(&before, &node));
            }
            before = Some(node);
        }
    }
    worst.malformed.report(report, Code::PageNode);
    worst.disordered.report(report, Code::PageOrder);
}

/// P16 and P17 on a node that could be taken apart: the rule it breaks, and how.
fn incomplete(node: &Node<'_>, unbounded: bool) -> Option<(&'static str, String)> {
    let line = node.line;
    let compressed = node.flags.contains(crate::format::NodeFlags::COMPRESSED);
    if compressed && node.key.prefix.len() < MIN_PREFIX {
        let found = node.key.prefix.len();
        Some(("P16", format!("node at line {line}: expected a prefix of {MIN_PREFIX} bytes or more, found {found}")))
    } else if node.key.is_empty() && !unbounded {
        Some(("P17", format!("node at line {line}: expected a key, found none")))
    } else if node.data.is_empty() {
        Some(("P17", format!("node at line {line}: expected data behind the key, found none")))
    } else {
        None
    }
}

fn ascends(before: &Node<'_>, node: &Node<'_>, by_key_and_data: bool) -> bool {
    match before.key.cmp(&node.key) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => by_key_and_data && before.data < node.data,
        std::cmp::Ordering::Greater => false,
    }
}

fn order_message(before: &Node<'_>, node: &Node<'_>) -> String {
    let relation = if before.key == node.key { "equal to" } else { "below" };
    format!(
        "keys: expected line {} above line {}, found key {} {relation} {}",
        node.line,
        before.line,
        start_of(node.key.prefix.iter().chain(node.key.suffix)),
        start_of(before.key.prefix.iter().chain(before.key.suffix))
    )
}

#[derive(Default)]
struct NodeFaults {
    malformed: Fault,
    disordered: Fault,
}

impl NodeFaults {
    /// Notes a node whose parts do not fit, unless P11 has reported that its line is too short for any node.
    fn malformed(&mut self, page: Page<'_>, line: usize, rule: &'static str, message: String) {
        if page.tag(line).is_some_and(|tag| tag.size >= least_size(page, line)) {
            self.malformed.add(line, rule, message);
        }
    }
}

/// The first line that breaks a rule, and how many do.
#[derive(Default)]
struct Fault {
    first: Option<(usize, &'static str, String)>,
    lines: u64,
}

impl Fault {
    fn add(&mut self, line: usize, rule: &'static str, message: String) {
        self.first.get_or_insert((line, rule, message));
        self.lines += 1;
    }

    fn report(self, report: &mut PageReport<'_, '_>, code: Code) {
        let Some((line, rule, message)) = self.first else { return };
        let at = report.page.tag(line).map_or(0, |tag| report.page.header_len() + tag.offset);
        report.add(code, rule, at, message, |f| {
            let mut f = f.line(line);
            f.detail.count = Some(self.lines);
            f
        });
    }
}
