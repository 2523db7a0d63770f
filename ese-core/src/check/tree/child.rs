//! The children of internal pages: what the page table knows of each, held against the pointer to it (T1 to T9, T19, T24).

use crate::finding::{Code, Severity};
use crate::format::page::offset;
use crate::format::{Dbtime, PageFlags, Pgno};
use crate::tree::{PageEntry, PageState};

use super::{Uniqueness, Walk};

/// A line of an internal page.
pub(super) struct Child {
    pub(super) line: usize,
    pub(super) pgno: Pgno,
    /// Where its number stands in the page.
    pub(super) at: usize,
    pub(super) lower: Vec<u8>,
    pub(super) upper: Option<Vec<u8>>,
}

/// What is wrong with a child, if it cannot be gone on with.
pub(super) enum Refusal {
    /// The child is a page of the tree, but cannot be read.
    Unreadable,
    /// The pointer leads astray.
    Astray,
}

impl Walk<'_> {
    /// A child: T1 to T9, T24. What is wrong with the pointer is reported where it stands; what is wrong with the page, on
    /// the page.
    pub(super) fn admit(&mut self, child: &Child, parent: Pgno, parent_of_leaf: bool) -> Result<PageEntry, Refusal> {
        let (pgno, line) = (child.pgno, child.line);
        let table = self.context.table;
        let Some(entry) = table.get(pgno) else {
            if self.context.ownership.last_owned().is_some_and(|last| table.last() < pgno && pgno <= last) {
                // The file ends before the space that the database owns, which is one finding for all such pages.
                self.context.sink.follow(Pgno::NONE, 1);
                return Err(Refusal::Unreadable);
            }
            let text = format!("line {line}: expected a child page from 1 to {}, found {pgno}", table.last());
            self.report(Code::BtreePgno, "T1", parent, child.at, text, |mut finding| {
                finding.detail.pages = vec![pgno];
                finding.line(line).compared(table.last().0, pgno.0)
            });
            return Err(Refusal::Astray);
        };
        if !entry.state().is_usable() {
            if entry.state() == PageState::Blank {
                self.blank(pgno);
            }
            // Only that it was reached counts; which tree a page is of that cannot be read, it cannot say.
            let _ = table.claim(pgno, self.tree.claimant);
            return Err(Refusal::Unreadable);
        }
        if entry.objid() != self.tree.objid {
            self.foreign(child, parent, entry);
            return Err(Refusal::Astray);
        }
        let kind = PageFlags::SPACE_TREE;
        if (entry.flags() ^ self.tree.kind).intersects(kind) || table.claim(pgno, self.tree.claimant).is_err() {
            self.shared(child, parent);
            return Err(Refusal::Astray);
        }
        self.note_dbtime(pgno, entry);
        if entry.flags().intersects(PageFlags::EMPTY | PageFlags::PRE_INIT) {
            self.flagged_empty(pgno, entry);
            return Err(Refusal::Unreadable);
        }
        if entry.flags().contains(PageFlags::ROOT) {
            let text = format!("flags 0x{:x}: expected no root below page {parent}, found one", entry.flags().bits());
            self.report(Code::BtreeKind, "T7", pgno, offset::FLAGS, text, |finding| finding);
        }
        self.kind_agrees(pgno, entry);
        self.child_is_as_unique(pgno, entry);
        let is_leaf = entry.flags().contains(PageFlags::LEAF);
        if is_leaf != parent_of_leaf {
            let text = format!(
                "flags 0x{:x}: expected {} below page {parent}, found {}",
                entry.flags().bits(),
                if parent_of_leaf { "a leaf" } else { "an internal page" },
                if is_leaf { "a leaf" } else { "an internal page" }
            );
            self.report(Code::BtreeKind, "T9", pgno, offset::FLAGS, text, |finding| finding);
            return Err(Refusal::Unreadable);
        }
        Ok(entry)
    }

    /// T3. On space trees S3 says it.
    pub(super) fn blank(&self, pgno: Pgno) {
        if self.tree.kind.contains(PageFlags::SPACE_TREE) {
            return;
        }
        let text = format!("page {pgno}: expected a page of the tree, found only zeros");
        self.report(Code::PageBlankInUse, "T3", pgno, 0, text, |finding| finding);
    }

    /// T8 on a page that says it is empty.
    pub(super) fn flagged_empty(&self, pgno: Pgno, entry: PageEntry) {
        let text = format!("flags 0x{:x}: expected a page in use, found one flagged empty", entry.flags().bits());
        self.report(Code::BtreeEmpty, "T8", pgno, offset::FLAGS, text, |finding| finding);
    }

    /// T4: at fault is the page, if the space of the tree says that it should be there, and else the pointer.
    fn foreign(&self, child: &Child, parent: Pgno, entry: PageEntry) {
        let expected = self.tree.objid;
        let owner = self.context.ownership.owner(child.pgno);
        if owner.is_none() || owner != usize::try_from(self.tree.claimant.0).ok() {
            let text = format!(
                "line {}: expected a child of tree {expected}, found page {} of tree {}",
                child.line,
                child.pgno,
                entry.objid()
            );
            self.report(Code::BtreeObjid, "T4", parent, child.at, text, |mut finding| {
                finding.detail.pages = vec![child.pgno];
                finding.line(child.line).compared(expected.0, entry.objid().0)
            });
            return;
        }
        // It was reached all the same: it is not one of those that nothing uses.
        let _ = self.context.table.claim(child.pgno, self.tree.claimant);
        let text = format!(
            "objid: expected {expected}, as line {} of page {parent} says, found {}",
            child.line,
            entry.objid()
        );
        self.report(Code::BtreeObjid, "T4", child.pgno, offset::OBJID, text, |mut finding| {
            finding.detail.pages = vec![parent];
            finding.compared(expected.0, entry.objid().0)
        });
    }

    /// T2.
    fn shared(&self, child: &Child, parent: Pgno) {
        let text =
            format!("line {}: expected each page once in a tree, found page {} named again", child.line, child.pgno);
        self.report(Code::BtreeShared, "T2", parent, child.at, text, |mut finding| {
            finding.detail.pages = vec![child.pgno];
            finding.line(child.line)
        });
    }

    /// T5, and T24 for the flags of a deleted tree, of trees that there are no more, and of the record format.
    pub(super) fn kind_agrees(&self, pgno: Pgno, entry: PageEntry) {
        let flags = entry.flags();
        let found = flags & PageFlags::KIND;
        if found != self.tree.kind {
            let text = format!(
                "flags 0x{:x}: expected the kind bits 0x{:x} of the tree, found 0x{:x}",
                flags.bits(),
                self.tree.kind.bits(),
                found.bits()
            );
            self.report(Code::BtreeKind, "T5", pgno, offset::FLAGS, text, |finding| {
                finding.compared(self.tree.kind.bits(), found.bits())
            });
        }
        if flags.contains(PageFlags::FDP_DELETED) {
            let text = format!("flags 0x{:x}: expected a live tree, found the flag of a deleted one", flags.bits());
            self.report(Code::BtreeKind, "T24", pgno, offset::FLAGS, text, |finding| finding);
        }
        if flags.intersects(PageFlags::OBSOLETE_100 | PageFlags::OBSOLETE_200) {
            let text = format!("flags 0x{:x}: expected none of a streaming file's trees, found one", flags.bits());
            self.report(Code::BtreeKind, "T24", pgno, offset::FLAGS, text, |finding| finding);
        }
        if !flags.contains(PageFlags::NEW_RECORD_FORMAT) {
            let text = format!(
                "flags 0x{:x}: expected the flag of the record format, found none: older records cannot be read",
                flags.bits()
            );
            // A database from before 2000 is old, not damaged.
            self.report(Code::BtreeKind, "T24", pgno, offset::FLAGS, text, |mut finding| {
                finding.severity = finding.severity.min(Severity::Warning);
                finding
            });
        }
    }

    /// T6 below the root.
    fn child_is_as_unique(&self, pgno: Pgno, entry: PageEntry) {
        let non_unique = entry.flags().contains(PageFlags::NON_UNIQUE);
        if non_unique != (self.uniqueness == Uniqueness::NonUnique) {
            let text = format!(
                "flags 0x{:x}: expected keys to be {}, as on the root, found the other",
                entry.flags().bits(),
                self.uniqueness.name()
            );
            self.report(Code::BtreeKind, "T6", pgno, offset::FLAGS, text, |finding| finding);
        }
    }

    /// T19, counted; and a dbtime that no database gives.
    pub(super) fn note_dbtime(&mut self, pgno: Pgno, entry: PageEntry) {
        let dbtime = entry.dbtime();
        if self.context.dbtime.is_some_and(|header| dbtime > header) {
            self.out.dbtime.add(pgno, dbtime);
        }
        if dbtime == Dbtime::default() {
            let text = "dbtime: expected that of a change, found 0".to_owned();
            self.report(Code::DbtimeOdd, "T19", pgno, offset::DBTIME, text, |finding| finding);
        }
    }
}
