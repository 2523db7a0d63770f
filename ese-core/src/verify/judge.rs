//! One page against its checksum: sound, blank, correctable, or damaged, and the finding that says so.

use crate::check::page::PageChecker;
use crate::checksum::{self, BadSums, BlockSums, Cause, Correction, PageSum};
use crate::finding::{Code, Finding, Severity};
use crate::format::{Page, PageFlags, PageSize, Pgno};
use crate::jet::JetError;
use crate::tree::PageState;

/// Judges pages; keeps room for the corrected copy of one.
#[derive(Default)]
pub(super) struct PageJudge {
    corrected: Vec<u8>,
    trial: Vec<Finding>,
}

impl PageJudge {
    /// The page judged last with its bits flipped back, if it was [`PageState::Correctable`].
    pub(super) fn corrected(&self) -> &[u8] {
        &self.corrected
    }

    /// Judges the checksum of `bytes`, the page at `pgno` of a file whose last page is `last`.
    pub(super) fn judge(
        &mut self,
        bytes: &[u8],
        pgno: Pgno,
        last: Pgno,
        checker: &mut PageChecker,
        findings: &mut Vec<Finding>,
    ) -> PageState {
        let bad = match checksum::verify(bytes, pgno) {
            PageSum::Good => return PageState::Good,
            PageSum::Blank => return PageState::Blank,
            PageSum::Bad(bad) => bad,
        };
        let Some(size) = PageSize::from_bytes(bytes.len()) else { return PageState::Bad };
        let finding = match bad.cause() {
            Cause::FlippedBits(bits) if self.correction_is_sound(bytes, pgno, checker) => {
                findings.extend(correctable(pgno, size, &bad, &bits));
                return PageState::Correctable;
            }
            Cause::OtherPage(other) if !other.is_none() && other <= last => wrong_place(pgno, size, &bad, other),
            Cause::FlippedBits(_) | Cause::OtherPage(_) | Cause::Unknown => uncorrectable(pgno, size, &bad, bytes),
        };
        findings.push(finding);
        PageState::Bad
    }

    /// True if the corrected page passes the page check: the second half of the rule of spec 02 section 6.4.
    fn correction_is_sound(&mut self, bytes: &[u8], pgno: Pgno, checker: &mut PageChecker) -> bool {
        self.corrected.clear();
        self.corrected.extend_from_slice(bytes);
        if checksum::correct(&mut self.corrected, pgno).is_none() {
            return false;
        }
        let Ok(page) = Page::new(&self.corrected) else { return false };
        self.trial.clear();
        checker.check(page, pgno, &mut self.trial);
        self.trial.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// One warning for each flipped bit.
fn correctable(pgno: Pgno, size: PageSize, bad: &BadSums, bits: &Correction) -> impl Iterator<Item = Finding> {
    bits.bits().map(move |bit| {
        let at = usize::try_from(bit / 8).unwrap_or(0);
        let text = format!(
            "bit {} of byte {at} of the page is flipped (bit {bit} of the page); the checksum corrects it",
            bit % 8
        );
        let mut finding = Finding::on_page(Code::PageEcc, pgno, size, at, text).rule("02-6.4");
        finding.detail.bits = vec![bit];
        with_sums(finding, bad)
    })
}

fn uncorrectable(pgno: Pgno, size: PageSize, bad: &BadSums, bytes: &[u8]) -> Finding {
    let wrong: Vec<(usize, &BlockSums)> = bad.blocks().iter().enumerate().filter(|(_, block)| !block.agree()).collect();
    let mut text = match wrong.first() {
        Some((_, block)) => {
            format!("checksum: stored 0x{:016x}, computed 0x{:016x}", block.stored.to_u64(), block.computed.to_u64())
        }
        None => "checksum: the flag of the ECC format is missing on a large page".to_owned(),
    };
    if bad.blocks().len() > 1 {
        let numbers: Vec<String> = wrong.iter().map(|(index, _)| index.to_string()).collect();
        text += &format!(" (block {} of {})", numbers.join(", "), bad.blocks().len());
    }
    // Pages of the old format have one word; beside it stands the page number.
    let has_ecc = Page::new(bytes).is_ok_and(|page| page.flags().contains(PageFlags::ECC));
    if let Some(word) = only_word(&wrong).filter(|_| has_ecc) {
        text += word;
    }
    with_sums(Finding::on_page(Code::PageChecksum, pgno, size, bad.offset(), text).rule("02-6.6"), bad)
}

/// Where exactly one of the two words disagrees, the stored word itself may be what is damaged.
fn only_word(wrong: &[(usize, &BlockSums)]) -> Option<&'static str> {
    let [(_, block)] = wrong else { return None };
    if block.stored.second == block.computed.second {
        Some("; only the XOR word disagrees: the stored word itself may be what is damaged")
    } else if block.stored.xor == block.computed.xor {
        Some("; only the ECC word disagrees: the stored word itself may be what is damaged")
    } else {
        None
    }
}

fn wrong_place(pgno: Pgno, size: PageSize, bad: &BadSums, other: Pgno) -> Finding {
    let text = format!("page number: expected {pgno}, found a sound page {other}");
    let mut finding =
        Finding::on_page(Code::PageNumber, pgno, size, bad.offset(), text).rule("02-6.6").compared(pgno.0, other.0);
    // The engine takes the number into the checksum, so a reader gets the checksum error.
    finding.jet = Some(JetError::READ_VERIFY_FAILURE);
    finding.detail.pages = vec![other];
    with_sums(finding, bad)
}

fn with_sums(mut finding: Finding, bad: &BadSums) -> Finding {
    finding.detail.stored = bad.blocks().iter().map(|block| block.stored.to_u64()).collect();
    finding.detail.computed = bad.blocks().iter().map(|block| block.computed.to_u64()).collect();
    finding
}
