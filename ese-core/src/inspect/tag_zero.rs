//! What tag 0 of a page holds (spec 02 section 5, 04 sections 1 and 2).

use crate::format::{Extent, LineError, Page, PageFlags, RootHeader};

/// What tag 0 holds.
#[derive(Clone, Copy, Debug)]
pub enum TagZero<'a> {
    /// Nothing.
    Empty,
    /// On the root of a tree: where its space is.
    SpaceHeader(RootHeader),
    /// On the root of a space tree: pages for the time when it splits.
    SplitBuffer([Extent; 2]),
    /// Elsewhere: the part that keys of the page share.
    Prefix(&'a [u8]),
    /// On a root: bytes of no such form.
    Malformed(&'a [u8]),
    /// It lies outside its bounds, or the page has no tags.
    Unreadable(LineError),
}

impl<'a> TagZero<'a> {
    /// What tag 0 of `page` holds.
    #[must_use]
    pub fn of(page: Page<'a>) -> TagZero<'a> {
        match page.line(0) {
            Err(error) => TagZero::Unreadable(error),
            Ok([]) => TagZero::Empty,
            Ok(bytes) if !page.is_root() => TagZero::Prefix(bytes),
            Ok(bytes) if page.flags().contains(PageFlags::SPACE_TREE) => {
                Extent::read_split_buffer(bytes).map_or(TagZero::Malformed(bytes), TagZero::SplitBuffer)
            }
            Ok(bytes) => RootHeader::read(bytes).map_or(TagZero::Malformed(bytes), TagZero::SpaceHeader),
        }
    }
}
