//! What trees own: the space header of a root, its trees of owned (OE) and available (AE) extents, their split buffers
//! (spec 04 sections 1 to 3).
//!
//! Lenient: what cannot be read is a [`SpaceFault`], and the rest is read all the same. It never reads a page of a space
//! tree twice, for whichever tree, nor keeps more than [`EXTENTS_MOST`] extents, whatever the file says; it judges nothing.

mod fault;
mod read;

use std::collections::HashSet;

use super::list::TreeList;
use crate::format::catalog::DATABASE_TREE;
use crate::format::{Extent, Pgno, Pool, SpaceHeader};
use crate::source::Pages;

pub use fault::{SpaceFault, SpaceFaultKind};
pub use read::EXTENTS_MOST;
use read::SpaceReader;

/// Where something stands: a page, a line if there is one, and the offset of the byte in the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The page.
    pub pgno: Pgno,
    /// The line; 0 for tag 0 and for the header of the page.
    pub line: u16,
    /// The first byte, counted from the start of the page.
    pub at: u16,
}

/// An extent, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtentAt {
    /// The pages.
    pub extent: Extent,
    /// The data of its node (the number of pages), or its field of the space header or of the split buffer.
    pub place: Place,
    /// The node is flagged with a version, which no space tree has.
    pub versioned: bool,
}

impl ExtentAt {
    /// First and last page; `None` for an empty extent, one that begins before page 1, or one of an unknown pool.
    #[must_use]
    pub fn range(&self) -> Option<(Pgno, Pgno)> {
        let is_known = !matches!(self.extent.pool, Pool::Unknown(_));
        self.extent.first().filter(|_| is_known).map(|first| (first, self.extent.last))
    }
}

/// A part of the space of a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SpacePart {
    /// The space header.
    Header,
    /// The owned extents.
    Owned,
    /// The available extents.
    Available,
}

/// Pages that are set aside for the time when a space tree itself has to split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SplitBuffer {
    /// Which of the two space trees they are for.
    pub part: SpacePart,
    /// The two extents; unused ones are empty.
    pub extents: [ExtentAt; 2],
}

/// The space of one tree.
#[derive(Debug, Default)]
pub struct TreeSpace {
    /// The space header; `None` if it cannot be read.
    pub header: Option<SpaceHeader>,
    /// Bits of an extended root header that nobody knows.
    pub unknown_flags: u8,
    /// Where the space header stands.
    pub header_place: Place,
    /// Owned extents, in the order of their nodes; the one of a space header without space trees.
    pub owned: Vec<ExtentAt>,
    /// Available extents, in the order of their nodes; the runs of the map of a space header without space trees.
    pub available: Vec<ExtentAt>,
    /// Split buffers of OE and AE.
    pub split_buffers: Vec<SplitBuffer>,
    /// Pages of OE and AE, in the order in which they were met.
    pub pages: Vec<Pgno>,
    /// What is not known.
    pub faults: Vec<SpaceFault>,
    owned_is_known: bool,
    available_is_known: bool,
}

impl TreeSpace {
    /// True if `part` could be read as a whole, and all its extents make sense.
    #[must_use]
    pub fn is_known(&self, part: SpacePart) -> bool {
        match part {
            SpacePart::Header => self.header.is_some(),
            SpacePart::Owned => self.owned_is_known,
            SpacePart::Available => self.available_is_known,
        }
    }

    /// Settles what is known once all is read.
    fn settle(mut self) -> TreeSpace {
        let is_known = |part| {
            let concerns = |fault: &SpaceFault| fault.part == part || fault.part == SpacePart::Header;
            let is_hint = |found: &ExtentAt| found.extent.pool == Pool::Continuous && found.extent.count == 0;
            let makes_sense = |found: &ExtentAt| found.range().is_some() || is_hint(found);
            !self.faults.iter().any(|fault| concerns(fault) && !fault.is_harmless())
                && self.extents(part).iter().all(makes_sense)
        };
        let (owned, available) = (is_known(SpacePart::Owned), is_known(SpacePart::Available));
        (self.owned_is_known, self.available_is_known) = (owned, available);
        self
    }

    /// The extents of `part`; of the header none.
    #[must_use]
    pub fn extents(&self, part: SpacePart) -> &[ExtentAt] {
        match part {
            SpacePart::Header => &[],
            SpacePart::Owned => &self.owned,
            SpacePart::Available => &self.available,
        }
    }

    /// Where `pgno` would stand among the owned extents, which ascend in sound trees: in the first that ends behind it,
    /// else in the last one, else on the root of OE or in the space header.
    #[must_use]
    pub fn owned_place(&self, pgno: Pgno) -> Place {
        let behind = self.owned.partition_point(|found| found.extent.last < pgno);
        let extent = self.owned.get(behind).or(self.owned.last()).map(|found| found.place);
        let root = || self.header.and_then(|header| header.oe_root());
        extent.or_else(|| root().map(|pgno| Place { pgno, ..Place::default() })).unwrap_or(self.header_place)
    }

    /// Extents that are free: the available ones but for those set aside as beyond the end of the file, and the split
    /// buffers.
    pub fn free(&self) -> impl Iterator<Item = &ExtentAt> {
        let available = self.available.iter().filter(|found| found.extent.pool != Pool::Shelved);
        available.chain(self.split_buffers.iter().flat_map(|buffer| &buffer.extents))
    }

    /// What the tree owns in all, if it is the database.
    fn database_end(&self) -> Option<OwnedSpace> {
        let last = self.owned.iter().map(|found| found.extent.last).max()?;
        let shelved = self.available.iter().filter(|found| found.extent.pool == Pool::Shelved);
        let shelved: HashSet<Pgno> = shelved.map(|found| found.extent.last).collect();
        let mut last_in_file = last;
        while !last_in_file.is_none() && shelved.contains(&last_in_file) {
            last_in_file = Pgno(last_in_file.0 - 1);
        }
        Some(OwnedSpace { last, last_in_file })
    }
}

/// The space of all trees of a list.
#[derive(Debug, Default)]
pub struct Space {
    /// By the places of the trees in [`TreeList::trees`].
    pub trees: Vec<TreeSpace>,
}

impl Space {
    /// Reads the space of every tree of `list`.
    #[must_use]
    pub fn read(pages: Pages<'_>, list: &TreeList) -> Space {
        let mut reader = SpaceReader::new(pages);
        let trees = list.trees().iter().map(|tree| reader.read(tree.objid, tree.root)).collect();
        Space { trees }
    }

    /// Where the space of the database ends.
    ///
    /// # Errors
    /// The [`SpaceFault`] that keeps it from being known.
    pub fn database_end(&self) -> Result<OwnedSpace, &SpaceFault> {
        static EMPTY: SpaceFault =
            SpaceFault { part: SpacePart::Owned, place: OE_OF_DATABASE, kind: SpaceFaultKind::Empty };
        let Some(database) = self.trees.first() else { return Err(&EMPTY) };
        match database.faults.iter().find(|fault| !fault.is_harmless()) {
            Some(fault) => Err(fault),
            None => database.database_end().ok_or(&EMPTY),
        }
    }
}

/// Where the owned extents of the database begin.
const OE_OF_DATABASE: Place = Place { pgno: Pgno(DATABASE_TREE.root.0 + 1), line: 0, at: 0 };

/// The pages that the database owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnedSpace {
    /// The last page of the last owned extent.
    pub last: Pgno,
    /// The last owned page that is not set aside as "beyond the end of the file" (shelved).
    pub last_in_file: Pgno,
}

/// Reads where the space of the database ends, without its catalog.
///
/// # Errors
/// [`SpaceFault`] if the root or any page of its two space trees cannot be read: then nobody can say where the
/// database ends.
pub fn database_space(pages: Pages<'_>) -> Result<OwnedSpace, SpaceFault> {
    let mut space = SpaceReader::new(pages).read(DATABASE_TREE.objid, DATABASE_TREE.root);
    match space.faults.iter().position(|fault| !fault.is_harmless()) {
        Some(first) => Err(space.faults.swap_remove(first)),
        None => space.database_end().ok_or(SpaceFault {
            part: SpacePart::Owned,
            place: OE_OF_DATABASE,
            kind: SpaceFaultKind::Empty,
        }),
    }
}
