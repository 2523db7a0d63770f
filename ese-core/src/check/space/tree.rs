//! The space of one tree held against itself: S1 to S6 and S12.

use std::collections::HashMap;

use super::{Runs, SpaceCheck, ranges};
use crate::finding::{Code, Finding, Severity};
use crate::format::space::offset as header_offset;
use crate::format::{AVAILABLE_LAST_LEAST, EXTENT_LAST_MOST, PageFlags, Pgno, Pool, SpaceFlags};
use crate::tree::{ExtentAt, PageFault, Place, SpaceFaultKind, SpacePart, TreeInfo, TreeSpace, TrustedPages};

/// The rule that a fault breaks, if it is for this check to report. A page that cannot be read, or whose nodes cannot be
/// taken apart, has findings of its own.
pub(super) fn fault_finding(kind: &SpaceFaultKind) -> Option<(Code, &'static str)> {
    match kind {
        SpaceFaultKind::Page(PageFault::Blank { .. } | PageFault::NotInFile { .. }) => Some((Code::SpaceRoot, "S3")),
        SpaceFaultKind::Page(PageFault::Read { .. } | PageFault::Checksum { .. })
        | SpaceFaultKind::Node(_)
        | SpaceFaultKind::TooMany => None,
        SpaceFaultKind::ForeignRoot { .. }
        | SpaceFaultKind::NoHeader { .. }
        | SpaceFaultKind::NoExtent { .. }
        | SpaceFaultKind::Single => Some((Code::SpaceHeader, "S1")),
        SpaceFaultKind::NotSpaceTree { .. }
        | SpaceFaultKind::OtherTree { .. }
        | SpaceFaultKind::RootFlag { .. }
        | SpaceFaultKind::Again { .. }
        | SpaceFaultKind::Depth
        | SpaceFaultKind::Link { .. }
        | SpaceFaultKind::Empty => Some((Code::SpaceRoot, "S3")),
        SpaceFaultKind::NoChild { .. } | SpaceFaultKind::NotExtent { .. } => Some((Code::SpaceExtent, "S4")),
        SpaceFaultKind::NoSplitBuffer { .. } => Some((Code::SpaceSplitBuffer, "S12")),
    }
}

/// The space of one tree under check.
pub(super) struct TreeCheck<'c, 'a> {
    pub(super) check: &'c SpaceCheck<'a>,
    pub(super) number: usize,
    pub(super) tree: &'a TreeInfo,
    pub(super) space: &'a TreeSpace,
    pub(super) findings: &'c mut Vec<Finding>,
    /// Where in `findings` those of a kind on a page are.
    pub(super) reported: HashMap<(Code, Pgno), usize>,
}

impl TreeCheck<'_, '_> {
    /// Reports what is wrong at `place`; of one kind on one page the first, and how many there are.
    fn add(&mut self, code: Code, rule: &'static str, place: Place, text: &str) -> Option<&mut Finding> {
        if let Some(finding) = self.reported.get(&(code, place.pgno)).and_then(|at| self.findings.get_mut(*at)) {
            finding.detail.count = Some(finding.detail.count.unwrap_or(1) + 1);
            return None;
        }
        let text = format!("{}: {text}", self.tree.label());
        self.reported.insert((code, place.pgno), self.findings.len());
        self.findings.push(self.check.finding(code, rule, self.tree, place, text));
        self.findings.last_mut()
    }

    fn header_place(&self, field: usize) -> Place {
        let place = self.space.header_place;
        Place { at: place.at.saturating_add(u16::try_from(field).unwrap_or(0)), ..place }
    }

    /// S1: the values of the header are ones that the engine writes.
    pub(super) fn header_is_lawful(&mut self) {
        let Some(header) = self.space.header else { return };
        let place = self.header_place(header_offset::FLAGS);
        let flags = header.flags;
        let odd = flags.difference(SpaceFlags::all());
        if !odd.is_empty() || flags.contains(SpaceFlags::V2) && !flags.contains(SpaceFlags::MULTIPLE) {
            let text = format!("space header: expected flags 0, 1, 2, 3, 5 or 7, found 0x{:x}", flags.bits());
            self.add(Code::SpaceHeader, "S1", place, &text);
        }
        if self.space.unknown_flags != 0 {
            let at = self.space.header_place.at.saturating_sub(1);
            let text = format!("tag 0 of the root: nobody knows the flags 0x{:x}", self.space.unknown_flags);
            self.add(Code::SpaceHeader, "S1", Place { at, ..self.space.header_place }, &text);
        }
        if let Some(i) = header.zero.iter().position(|byte| *byte != 0) {
            let place = self.header_place(header_offset::ZERO + i);
            let text =
                format!("space header: expected three bytes of zeros behind the flags, found {:x?}", header.zero);
            if let Some(finding) = self.add(Code::SpaceHeader, "S1", place, &text) {
                // Nothing reads them.
                finding.severity = Severity::Warning;
            }
        }
    }

    /// S1 on the first field, where it tells the size of the first extent: that extent begins with the root. Nothing but
    /// the header tells which of its two meanings the field has, and no reader needs it.
    pub(super) fn first_field_agrees(&mut self) {
        let Some(header) = self.space.header.filter(|header| header.oe_root().is_some()) else { return };
        if !self.space.is_known(SpacePart::Owned) || self.space.owned.is_empty() {
            return;
        }
        let owned = &self.space.owned;
        let (field, text) = if header.flags.contains(SpaceFlags::V2) {
            let is_lawful = owned.len() > 1;
            let text = format!("space header: expected flag 0x4 with a second extent only, found {}", owned.len());
            (header_offset::FLAGS, Some(text).filter(|_| !is_lawful))
        } else {
            let first = owned.iter().find(|found| found.range().is_some_and(|(first, _)| first == self.tree.root));
            // An extent that does not begin where it should has findings of its own.
            let Some(count) = first.map(|found| found.extent.count) else { return };
            // The extents of the database may have grown together.
            let is_lawful = header.cpg == count || self.number == 0 && header.cpg < count;
            let text = format!("space header: expected {count} pages in the first extent, found {}", header.cpg);
            (header_offset::CPG, Some(text).filter(|_| !is_lawful))
        };
        let Some(text) = text else { return };
        let place = self.header_place(field);
        if let Some(finding) = self.add(Code::SpaceHeader, "S1", place, &text) {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }

    /// S1: a tree without space trees never had any. That of owned pages would lie behind the root.
    pub(super) fn single_extent_has_no_space_tree(&mut self) {
        let Some(header) = self.space.header.filter(|header| header.oe_root().is_none() && header.cpg > 1) else {
            return;
        };
        let mut reader = TrustedPages::new(self.check.pages);
        let Ok(page) = reader.get(self.tree.root.next()) else { return };
        let of_space = PageFlags::ROOT | PageFlags::SPACE_TREE;
        if page.objid() == self.tree.objid && page.flags().contains(of_space) {
            let text = format!(
                "space header: expected flag 0x1, as page {} is a space tree of the tree, found flags 0x{:x}",
                self.tree.root.next(),
                header.flags.bits()
            );
            self.add(Code::SpaceHeader, "S1", self.header_place(header_offset::FLAGS), &text);
        }
    }

    /// S2.
    pub(super) fn header_names_the_parent(&mut self) {
        let Some(header) = self.space.header.filter(|header| header.parent != self.tree.parent) else { return };
        let (expected, found) = (self.tree.parent, header.parent);
        let text = format!("space header: expected parent {expected}, found {found}");
        let place = self.header_place(header_offset::PARENT);
        if let Some(finding) = self.add(Code::SpaceParent, "S2", place, &text) {
            (finding.detail.expected, finding.detail.found) = (Some(expected.0.into()), Some(found.0.into()));
        }
    }

    /// S3, and what else could not be read of the space trees.
    pub(super) fn space_trees_are_whole(&mut self) {
        for fault in &self.space.faults {
            let Some((code, rule)) = fault_finding(&fault.kind) else { continue };
            // The root of a tree that is not there, or that of another tree, is for the walk of the tree to report.
            let is_root = fault.part == SpacePart::Header && matches!(fault.kind, SpaceFaultKind::Page(_));
            let is_foreign = matches!(fault.kind, SpaceFaultKind::ForeignRoot { .. }) && self.number > 0;
            let is_cut = fault.beyond_file().is_some_and(|pgno| self.check.is_cut_off(pgno));
            if is_cut || is_foreign || is_root && self.number > 0 {
                continue;
            }
            self.add(code, rule, fault.place, &fault.to_string());
        }
    }

    /// S4.
    pub(super) fn extents_are_lawful(&mut self) {
        if self.space.header.is_none_or(|header| header.oe_root().is_none()) {
            return;
        }
        for part in [SpacePart::Owned, SpacePart::Available] {
            for found in self.space.extents(part) {
                if let Some(wrong) = unlawful(found, part) {
                    self.add(Code::SpaceExtent, "S4", found.place, &format!("{} extent: {wrong}", part_name(part)));
                }
            }
        }
    }

    /// S5.
    pub(super) fn extents_do_not_overlap(&mut self, part: SpacePart) {
        let mut ranges: Vec<(Pgno, Pgno, Place)> = ranges(self.space.extents(part).iter()).collect();
        ranges.sort_unstable();
        let mut furthest: Option<(Pgno, Pgno, Place)> = None;
        for range in ranges {
            if let Some(before) = furthest.filter(|before| range.0 <= before.1) {
                // The later node is the one that reaches back.
                let (wrong, other) = if before.2 > range.2 { (before, range) } else { (range, before) };
                let text = format!(
                    "{} extent {} to {}: expected no page of another one, found {} to {} (page {}, line {})",
                    part_name(part),
                    wrong.0,
                    wrong.1,
                    other.0,
                    other.1,
                    other.2.pgno,
                    other.2.line
                );
                self.add(Code::SpaceOverlap, "S5", wrong.2, &text);
            }
            if furthest.is_none_or(|before| range.1 > before.1) {
                furthest = Some(range);
            }
        }
    }

    /// S6.
    pub(super) fn available_is_owned(&mut self) {
        if !self.space.is_known(SpacePart::Owned) {
            return;
        }
        let owned = Runs::of(self.space.owned.iter());
        let available = self.space.available.iter().filter(|found| found.extent.pool != Pool::Shelved);
        for (first, last, place) in ranges(available) {
            let Some(gap) = owned.first_gap(first, last) else { continue };
            let text =
                format!("available extent {first} to {last}: expected owned pages, found page {gap}, which is not");
            if let Some(finding) = self.add(Code::SpaceAvailNotOwned, "S6", place, &text) {
                finding.detail.pages = vec![gap];
            }
        }
    }

    /// S12.
    pub(super) fn split_buffers_are_owned(&mut self) {
        let holder = self.check.list.parent_of(self.number).unwrap_or(self.number);
        let Some((holder, its)) = self.check.tree(holder) else { return };
        for buffer in &self.space.split_buffers {
            for found in buffer.extents.iter().filter(|found| found.extent.count == 0 && !found.extent.last.is_none()) {
                let (part, last) = (part_name(buffer.part), found.extent.last);
                let text =
                    format!("split buffer of the {part} extents: expected zeros if unused, found last page {last}");
                if let Some(finding) = self.add(Code::SpaceSplitBuffer, "S12", found.place, &text) {
                    finding.severity = finding.severity.min(Severity::Warning);
                }
            }
            for found in buffer.extents.iter().filter(|found| found.extent.count > 0) {
                let wrong = match found.range() {
                    None => unlawful(found, SpacePart::Owned),
                    Some((first, last)) if its.is_known(SpacePart::Owned) => Runs::of(its.owned.iter())
                        .first_gap(first, last)
                        .map(|gap| format!("expected pages of {}, found page {gap}, which is none", holder.label())),
                    Some(_) => None,
                };
                if let Some(wrong) = wrong {
                    let text = format!("split buffer of the {} extents: {wrong}", part_name(buffer.part));
                    self.add(Code::SpaceSplitBuffer, "S12", found.place, &text);
                }
            }
        }
    }
}

fn part_name(part: SpacePart) -> &'static str {
    match part {
        SpacePart::Header | SpacePart::Owned => "owned",
        SpacePart::Available => "available",
    }
}

/// What is wrong with an extent by itself.
fn unlawful(found: &ExtentAt, part: SpacePart) -> Option<String> {
    let extent = found.extent;
    let least = if part == SpacePart::Available { AVAILABLE_LAST_LEAST } else { Pgno(1) };
    if found.versioned {
        return Some("expected no flag for versions, found it".to_owned());
    }
    match (part, extent.pool) {
        (_, Pool::Unknown(pool)) => return Some(format!("expected pool 1 or 2 in a key of 5 bytes, found {pool}")),
        (SpacePart::Available, _) | (_, Pool::General) => {}
        _ => return Some("expected a key of 4 bytes, found one with a pool".to_owned()),
    }
    if extent.last < least || extent.last > EXTENT_LAST_MOST {
        return Some(format!("expected a last page from {least} to {EXTENT_LAST_MOST}, found {}", extent.last));
    }
    match extent.pool {
        Pool::Continuous if extent.count == 0 => None,
        Pool::Shelved if extent.count != 1 => Some(format!("expected 1 page beyond the end, found {}", extent.count)),
        _ if extent.first().is_none() => {
            Some(format!("expected 1 to {} pages that end with page {0}, found {1}", extent.last, extent.count))
        }
        _ => None,
    }
}
