//! What a node means on its page.

use crate::format::long_value::RootLengthError;
use crate::format::{Extent, LongValueId, LongValueKey, LongValueKeyError, LongValueRoot, Node, Page, Pgno};
use crate::record::{Record, RecordError, TableLayout};

/// What the leaves of a tree hold.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'l> {
    /// Extents: a space tree.
    Extents,
    /// Long values.
    LongValues,
    /// Entries of a secondary index.
    Entries,
    /// Records, with the columns of their table if the catalog knows it.
    Records(Option<&'l TableLayout>),
}

/// What a node means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning<'a, 'l> {
    /// On an internal page: the way to a page.
    Child(Pgno),
    /// Pages that a tree owns, or that are free in it.
    Extent(Extent),
    /// The root of a long value.
    LongValueRoot {
        /// Its id.
        id: LongValueId,
        /// What its data say.
        root: Result<LongValueRoot, RootLengthError>,
    },
    /// A piece of a long value.
    LongValueChunk {
        /// Whose it is.
        id: LongValueId,
        /// Where in the value it begins, in bytes.
        offset: u32,
    },
    /// A key that no node of a long value tree has.
    NoLongValue(LongValueKeyError),
    /// An entry of an index; its data are the key of the row.
    Entry {
        /// The key of the row in the tree of the table.
        bookmark: &'a [u8],
    },
    /// A row.
    Record {
        /// Its columns.
        record: Result<Record<'a>, RecordError>,
        /// Those of its table.
        layout: Option<&'l TableLayout>,
    },
    /// It has not the form of what should be there: a child, an extent.
    Malformed(&'static str),
}

impl<'l> Contents<'l> {
    /// What `node` of `page` means.
    #[must_use]
    pub fn meaning<'a>(&self, page: Page<'a>, node: &Node<'a>) -> Meaning<'a, 'l> {
        if !page.is_leaf() {
            return node.child().map_or(Meaning::Malformed("no child page number of 4 bytes"), Meaning::Child);
        }
        match self {
            Contents::Extents => Extent::read(node).map_or(Meaning::Malformed("no extent"), Meaning::Extent),
            Contents::LongValues => match LongValueKey::read(&node.key) {
                Ok(LongValueKey::Root(id)) => Meaning::LongValueRoot { id, root: LongValueRoot::read(node.data) },
                Ok(LongValueKey::Chunk { id, offset }) => Meaning::LongValueChunk { id, offset },
                Err(error) => Meaning::NoLongValue(error),
            },
            Contents::Entries => Meaning::Entry { bookmark: node.data },
            Contents::Records(layout) => {
                Meaning::Record { record: Record::new(node.data, page.size()), layout: *layout }
            }
        }
    }
}
