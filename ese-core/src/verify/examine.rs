//! One page, judged as a run over the whole file would judge it, with its bytes kept for looking at.
//!
//! It never refuses a page: what cannot be read, or fails its checksum, is given as far as it is there. Spec 02.

use crate::check::page::PageChecker;
use crate::finding::Finding;
use crate::format::{Page, Pgno};
use crate::source::{PageBuf, Pages};
use crate::tree::{Ownership, PageState};

use super::judge::PageJudge;
use super::scan;

/// A page, and what a run says about it.
#[derive(Debug)]
pub struct ExaminedPage {
    /// Its number.
    pub pgno: Pgno,
    /// What became of it.
    pub state: PageState,
    /// What a run reports of its checksum and its structure.
    pub findings: Vec<Finding>,
    /// What the page check would say besides if the checksum held: a run leaves that out, because damage has damaged
    /// whatever it likes.
    pub beyond_checksum: Vec<Finding>,
    bytes: Vec<u8>,
}

impl ExaminedPage {
    /// The page, with flipped bits flipped back where that makes it sound; `None` if it could not be read.
    #[must_use]
    pub fn page(&self) -> Option<Page<'_>> {
        Page::new(&self.bytes).ok()
    }
}

/// Reads and judges page `pgno`, whose owner `ownership` knows.
///
/// ```
/// use ese_core::format::{PageSize, Pgno};
/// use ese_core::source::{MemorySource, Pages};
/// use ese_core::tree::{Ownership, PageState};
/// use ese_core::verify::examine_page;
///
/// let bytes = catdb_test_data::database::tiny(PageSize::K4, 8);
/// let source = MemorySource(&bytes);
/// let examined = examine_page(Pages::new(&source, PageSize::K4), Pgno(1), &Ownership::default());
/// assert_eq!(examined.state, PageState::Good);
/// assert!(examined.page().is_some_and(|page| page.is_root()));
/// ```
#[must_use]
pub fn examine_page(pages: Pages<'_>, pgno: Pgno, ownership: &Ownership) -> ExaminedPage {
    let mut examined = ExaminedPage {
        pgno,
        state: PageState::Unreadable,
        findings: Vec::new(),
        beyond_checksum: Vec::new(),
        bytes: Vec::new(),
    };
    let mut buf = PageBuf::default();
    let bytes = match pages.read_bytes(pgno, &mut buf) {
        Ok(bytes) => &*bytes,
        Err(error) => {
            examined.findings.push(scan::read_error(pages.size(), pgno, &error));
            return examined;
        }
    };
    let (mut judge, mut checker) = (PageJudge::default(), PageChecker::default());
    examined.state = judge.judge(bytes, pgno, pages.last(), &mut checker, &mut examined.findings);
    match examined.state {
        PageState::Good => {
            examined.state = scan::malformed_or_good(&mut checker, pgno, bytes, &mut examined.findings);
        }
        PageState::Bad => {
            scan::malformed_or_good(&mut checker, pgno, bytes, &mut examined.beyond_checksum);
        }
        PageState::Malformed | PageState::Correctable | PageState::Blank | PageState::Unreadable => {}
    }
    let is_corrected = examined.state == PageState::Correctable;
    examined.bytes = if is_corrected { judge.corrected().to_vec() } else { bytes.to_vec() };
    let in_slack = ownership.last_owned().is_some_and(|last| pgno > last);
    if in_slack {
        // A run counts such pages and reports none of them.
        examined.beyond_checksum.splice(0..0, examined.findings.drain(..));
    } else if !ownership.is_in_use(pgno) {
        examined.findings.iter_mut().for_each(scan::of_unused_page);
    }
    examined
}
