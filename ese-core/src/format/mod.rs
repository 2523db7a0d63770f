//! The bytes of the file format: every offset, flag and limit, each once, beside the structure it belongs to.
//!
//! Views borrow bytes and are total: any bytes give a view or a typed error, and nothing here panics, reads a file,
//! or judges. Spec 01 (header), 02 (pages), 04 (extents).

pub mod catalog;
mod column;
mod db_state;
mod file_type;
mod geometry;
mod header;
mod header_copies;
mod index;
mod log_position;
pub mod long_value;
mod node;
pub mod page;
mod page_fields;
mod page_sums;
pub mod record;
mod signature;
pub mod space;
mod stored;
mod tag;
mod time;

pub use column::{CODE_PAGE_UNICODE, ColumnFlags, ColumnKind, ColumnType, UnknownColumnType};
pub use db_state::DbState;
pub use file_type::{FileType, kind_of_file};
pub use geometry::{Dbtime, HEADER_SLOTS, Objid, PGNO_DATABASE_ROOT, PageSize, Pgno};
pub use header::{
    BackupType, DatabaseHeader, Field, FieldValue, KNOWN_UPDATES, MAGIC, Shadowing, VERSION, VERSION_STREAMING,
};
pub use header_copies::{Copies, HeaderCopies, HeaderCopy, HeaderFault, Used};
pub use index::{
    IndexFlags, KEY_MOST_DEFAULT, KEY_MOST_LARGEST, KeyField, KeyFieldError, KeyFieldList, LC_MAP_DEFAULT, LcMapFlags,
    SEGMENTS_MOST, SegmentFlags, TUPLE_LENGTHS, TupleLimits, TupleLimitsError, key_most_limit, parse_key_fields,
};
pub use log_position::{BackupInfo, LogPosition};
pub use long_value::{LongValueId, LongValueKey, LongValueKeyError, LongValueRoot, ReferenceError};
pub use node::{CHILD_BYTES, Node, NodeError, NodeKey};
pub use page::{Page, PageFlags, WrongPageLength};
pub use page_sums::{
    BIT_FLAG_ECC, BLOCKS_MAX, FLAG_ECC, OFFSET_BLOCK_SUMS, OFFSET_CHECKSUM, OFFSET_FLAGS, SUM_BYTES, SUMS_END,
    XOR_SEED, plain_sum,
};
pub use record::TaggedFlags;
pub use signature::Signature;
pub use space::{
    AVAILABLE_LAST_LEAST, EXTENT_LAST_MOST, Extent, Pool, RootHeader, SPACE_HEADER_BYTES, SpaceFlags, SpaceHeader,
};
pub use tag::{LineError, NodeFlags, TAG_BYTES, Tag};
pub use time::LogTime;
