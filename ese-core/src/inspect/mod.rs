//! Looking at a database: which trees there are, who owns a page, and what a node or a column of a record means there.
//!
//! For showing, not for checking: it gives whatever can be read, in pieces that carry their place, and judges nothing. It
//! follows the specifications of what it shows: 02 for pages, 04 for extents, 06 for records, 07 for long values.

mod cells;
mod map;
mod node;
mod tag_zero;

pub use cells::{CELLS_MOST, Cell, CellContent, Which, cells};
pub use map::{DatabaseMap, PageUse, TreeUse, UseOfPages};
pub use node::{Contents, Meaning};
pub use tag_zero::TagZero;
