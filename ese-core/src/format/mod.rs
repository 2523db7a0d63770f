//! The bytes of the file format: every offset, flag and limit, each once, beside the structure it belongs to.
//!
//! Views borrow bytes and are total: any bytes give a view or a typed error, and nothing here panics, reads a file,
//! or judges. Spec 01 (header), 02 (pages), 04 (extents).

mod column;
mod geometry;
mod index;

pub use column::{CODE_PAGE_UNICODE, ColumnFlags, ColumnKind, ColumnType, UnknownColumnType};
pub use geometry::{Dbtime, HEADER_SLOTS, Objid, PGNO_DATABASE_ROOT, PageSize, Pgno};
pub use index::{
    IndexFlags, KEY_MOST_DEFAULT, KEY_MOST_LARGEST, KeyField, KeyFieldError, KeyFieldList, SEGMENTS_MOST, SegmentFlags,
    TUPLE_LENGTHS, TupleLimits, TupleLimitsError, key_most_limit, parse_key_fields,
};
