//! The space that the database root owns: which pages of the file belong to the database at all (spec 04 sections 2-4).

use std::collections::HashSet;

use super::reader::{PageFault, TrustedPages};
use crate::format::{Extent, PGNO_DATABASE_ROOT, PageFlags, Pgno, Pool, RootHeader};
use crate::source::Pages;

/// The pages that the database owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnedSpace {
    /// The last page of the last owned extent.
    pub last: Pgno,
    /// The last owned page that is not set aside as "beyond the end of the file" (shelved).
    pub last_in_file: Pgno,
}

/// Why the owned space is not known.
#[derive(Debug, thiserror::Error)]
pub enum SpaceFault {
    /// A page that is needed cannot be had.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// A page is no part of a space tree of the database root.
    #[error("page {pgno}: expected {expected}")]
    NotSpace {
        /// The page.
        pgno: Pgno,
        /// What it should be.
        expected: &'static str,
    },
}

impl SpaceFault {
    /// The page that is needed and lies behind the end of the file, if that is what is wrong.
    #[must_use]
    pub fn beyond_file(&self) -> Option<Pgno> {
        match self {
            SpaceFault::Page(PageFault::NotInFile { pgno, last }) => Some(*pgno).filter(|pgno| pgno > last),
            _ => None,
        }
    }
}

/// Reads the extents that the database root owns.
///
/// # Errors
/// [`SpaceFault`] if the root or any page of its two space trees cannot be read: then nobody can say where the
/// database ends.
pub fn database_space(pages: Pages<'_>) -> Result<OwnedSpace, SpaceFault> {
    let mut trusted = TrustedPages::new(pages);
    let root = trusted.get(PGNO_DATABASE_ROOT)?;
    let not_root = |expected| SpaceFault::NotSpace { pgno: PGNO_DATABASE_ROOT, expected };
    let header = RootHeader::read(root.external_header()).and_then(|root| root.space);
    let header = header.ok_or_else(|| not_root("the root of the database with its space header"))?;
    let owned_root = header.oe_root().ok_or_else(|| not_root("a space header with multiple extents"))?;
    let mut last = Pgno::NONE;
    for_each_extent(&mut trusted, owned_root, |extent| last = last.max(extent.last))?;
    if last.is_none() {
        return Err(SpaceFault::NotSpace { pgno: owned_root, expected: "at least one owned extent" });
    }
    let mut shelved = HashSet::new();
    for_each_extent(&mut trusted, owned_root.next(), |extent| {
        if extent.pool == Pool::Shelved {
            shelved.insert(extent.last);
        }
    })?;
    let mut last_in_file = last;
    while !last_in_file.is_none() && shelved.contains(&last_in_file) {
        last_in_file = Pgno(last_in_file.0 - 1);
    }
    Ok(OwnedSpace { last, last_in_file })
}

/// Calls `visit` for every live extent of the space tree at `root`.
fn for_each_extent(
    trusted: &mut TrustedPages<'_>,
    root: Pgno,
    mut visit: impl FnMut(Extent),
) -> Result<(), SpaceFault> {
    let mut seen = HashSet::new();
    let mut open = vec![root];
    while let Some(pgno) = open.pop() {
        let not_space = |expected| SpaceFault::NotSpace { pgno, expected };
        if !seen.insert(pgno) {
            return Err(not_space("each page of a space tree once"));
        }
        let page = trusted.get(pgno)?;
        if !page.flags().contains(PageFlags::SPACE_TREE) {
            return Err(not_space("a page of a space tree"));
        }
        let leaf = page.is_leaf();
        for node in page.nodes() {
            let node = node.map_err(|_| not_space("nodes that lie inside the page"))?;
            if !leaf {
                open.push(node.child().ok_or_else(|| not_space("child page numbers of 4 bytes"))?);
            } else if !node.is_deleted() {
                visit(Extent::read(&node).ok_or_else(|| not_space("extents with a key of 4 or 5 bytes"))?);
            }
        }
    }
    Ok(())
}
