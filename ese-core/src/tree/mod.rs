//! Trees: pages that can be trusted, and walks over them without recursion (spec 03, spec 04).
//!
//! Reading only. A page that cannot be had is a [`PageFault`] that the walk reports and steps over; nothing here judges.

mod cursor;
mod levels;
mod list;
mod ownership;
mod page_set;
mod page_table;
mod reader;
mod space;

pub use cursor::{Cursor, DEPTH_MOST, Leaf, LeafNode, TreeFault};
pub use levels::{LevelPage, LevelWalk};
pub use list::{LeftOut, TreeInfo, TreeKind, TreeList};
pub use ownership::{Conflict, ConflictKind, Ownership};
pub use page_set::PageSet;
pub use page_table::{Claimant, PageEntry, PageState, PageTable};
pub use reader::{PageFault, TrustedPages};
pub use space::{
    EXTENTS_MOST, ExtentAt, OwnedSpace, Place, Space, SpaceFault, SpaceFaultKind, SpacePart, SplitBuffer, TreeSpace,
    database_space,
};
