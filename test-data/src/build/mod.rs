//! Whole, sound databases by code: tables, indexes, long values, catalogs, space, header.
//!
//! [`DatabaseBuilder`] makes one in memory and says where everything is, [`Built`] damages it under right checksums,
//! [`write_large`] streams one of any size to a file. Facts of the format are written here a second time, from the
//! specification, so that a wrong one in `ese-core` makes a test fail; nothing here is used by the product.

mod built;
mod catalog_rows;
mod contents;
mod database_builder;
mod key_builder;
mod large;
mod layout;
mod long_values;
pub(crate) mod page_fill;
mod page_image;
mod record_builder;
mod space_builder;
mod spec;
mod store;
mod system_tables;
mod tree_builder;
mod writer;

pub use built::{Built, Catalog, Place};
pub use catalog_rows::{CatalogRow, RowKind};
pub use database_builder::{DatabaseBuilder, Slack, State, SystemTables};
pub use large::{LargeShape, LargeSummary, write_large};
pub use layout::{Tree, TreeKind};
pub use long_values::chunk_size;
pub use page_image::{Node, PageImage};
pub use space_builder::{Pages, Space};
pub use spec::{ALL_NULLS, ANY_NULLS, FIRST_NULL, MULTI_VALUED, NOT_NULL, SOME_NULLS, TableSpec, Type, UNIQUE, Value};
pub use store::{Format, Sums};
pub use tree_builder::KeyPrefix;
pub use writer::Shadow;
