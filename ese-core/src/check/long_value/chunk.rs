//! Rules over one chunk: L5 to L10, L12 and L21.

use super::reports::{Report, Rule};
use super::{LongValueTreeChecker, Place};
use crate::compress::{DecompressError, decompress, decompressed_size};
use crate::finding::{Code, Finding};
use crate::format::Node;
use crate::format::long_value::{LongValueId, LongValueRoot, OFFSET_BYTES, encryption};

/// What is wrong with the data of a chunk.
struct Fault {
    rule: Rule,
    code: Code,
    /// First wrong byte of the data.
    at: usize,
    message: String,
    compared: Option<(u64, u64)>,
}

impl Fault {
    fn sizes(rule: Rule, at: usize, message: String, expected: usize, found: usize) -> Fault {
        Fault { rule, code: Code::LvChunk, at, message, compared: Some((expected as u64, found as u64)) }
    }
}

impl LongValueTreeChecker<'_> {
    pub(super) fn chunk(
        &mut self,
        place: Place<'_>,
        node: &Node<'_>,
        id: LongValueId,
        offset: u32,
        findings: &mut Vec<Finding>,
    ) {
        self.summary.chunks += 1;
        let offset_at = node.key.suffix.len().saturating_sub(OFFSET_BYTES);
        let is_aligned = offset.is_multiple_of(self.chunk_size);
        if !is_aligned {
            let step = self.chunk_size;
            let message = format!("long value {id}: chunk offset: expected a multiple of {step}, found {offset}");
            let report = place.report(node.key.suffix, offset_at, message);
            self.reports.add(Rule::L6, Code::LvChunk, report, findings);
        }
        let after_gap = std::mem::take(&mut self.after_gap);
        let Some(open) = self.open.as_mut().filter(|open| open.id == id) else {
            return self.chunk_without_root(place, node, id, after_gap, findings);
        };
        let Some(root) = open.root else { return };
        if !is_aligned {
            // Nobody knows which chunk it is: most likely the one that is due.
            open.end = open.end.saturating_add(self.chunk_size.into());
            open.is_whole = false;
            return;
        }
        let begin = u64::from(offset);
        let mut report = None;
        // What lies in a gap is unknown; from there on offsets follow each other again.
        if root.is_live() && begin != open.end && !after_gap {
            let message = format!("long value {id}: chunk offset: expected {}, found {offset}", open.end);
            report = Some(place.report(node.key.suffix, offset_at, message).compared(open.end, begin));
            open.is_whole = false;
        }
        let wanted = self.chunk_size.min(root.size.saturating_sub(offset)) as usize;
        open.end = begin + wanted as u64;
        let fault = self.data_fault(node.data, wanted, root, id);
        if let (true, Some(open)) = (fault.is_some(), &mut self.open) {
            open.is_whole = false;
        }
        if let Some(report) = report {
            self.reports.add(Rule::L7, Code::LvChunk, report, findings);
        }
        if let Some(Fault { rule, code, at, message, compared }) = fault {
            let report = Report { compared, ..place.report(node.data, at, message) };
            self.reports.add(rule, code, report, findings);
        }
    }

    /// L5: a chunk of an id whose root did not come.
    fn chunk_without_root(
        &mut self,
        place: Place<'_>,
        node: &Node<'_>,
        id: LongValueId,
        after_gap: bool,
        findings: &mut Vec<Finding>,
    ) {
        if self.rootless.replace(id) == Some(id) || after_gap {
            return;
        }
        let message = format!("long value {id}: expected its root before its chunks, found none");
        self.reports.add(Rule::L5, Code::LvRoot, place.report(node.key.suffix, 0, message), findings);
    }

    /// L8 to L10, L12 and L21: `data` are a chunk of `wanted` bytes.
    fn data_fault(&mut self, data: &[u8], wanted: usize, root: LongValueRoot, id: LongValueId) -> Option<Fault> {
        let (live, found) = (root.is_live(), data.len());
        if root.is_encrypted() {
            let (least, most) = (encryption::LEAST, encryption::size(wanted));
            let fits = (least..=most).contains(&found) && found % encryption::BLOCK_BYTES == encryption::BEYOND_BLOCKS;
            let message = format!(
                "long value {id}: encrypted chunk: expected {least} to {most} bytes, whole blocks and one, found {found}"
            );
            return (!fits).then(|| Fault::sizes(Rule::L21, 0, message, most, found));
        }
        if found >= wanted {
            let message = format!("long value {id}: chunk: expected at most {wanted} bytes, found {found}");
            return (live && found > wanted).then(|| Fault::sizes(Rule::L9, wanted, message, wanted, found));
        }
        let wrong_size = |size| {
            let message = format!("long value {id}: chunk: expected {wanted} bytes decompressed, found {size}");
            (live && size != wanted).then(|| Fault::sizes(Rule::L10, 0, message, wanted, size))
        };
        match decompress(data, wanted, &mut self.decompressed) {
            Ok(_) => wrong_size(self.decompressed.len()),
            Err(DecompressError::TooLarge { size, .. }) => wrong_size(size),
            Err(DecompressError::Unsupported(_)) => {
                self.summary.undecodable += 1;
                wrong_size(decompressed_size(data).unwrap_or(wanted))
            }
            Err(DecompressError::Scrubbed) => {
                let message = format!("long value {id}: chunk: expected data, found that they were scrubbed");
                live.then_some(Fault { rule: Rule::L12, code: Code::LvChunk, at: 0, message, compared: None })
            }
            Err(error) => {
                let at = if let DecompressError::Broken { at, .. } = error { at } else { 0 };
                let message = format!("long value {id}: chunk: {error}");
                Some(Fault { rule: Rule::L8, code: Code::LvCompression, at, message, compared: None })
            }
        }
    }
}
