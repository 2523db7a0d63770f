//! The bytes of the file format: every offset, flag and limit, each once, beside the structure it belongs to.
//!
//! Views borrow bytes and are total: any bytes give a view or a typed error, and nothing here panics, reads a file,
//! or judges. Spec 01 (header), 02 (pages), 04 (extents).

mod geometry;
mod node;
pub mod page;
pub mod page_sums;
mod space;
mod tag;

pub use geometry::{Dbtime, HEADER_SLOTS, Objid, PGNO_DATABASE_ROOT, PageSize, Pgno};
pub use node::{CHILD_BYTES, Node, NodeError, NodeKey};
pub use page::{Page, PageFlags, WrongPageLength};
pub use space::{Extent, Pool, RootHeader, SPACE_HEADER_BYTES, SpaceFlags, SpaceHeader};
pub use tag::{LineError, NodeFlags, TAG_BYTES, Tag};
