//! The catalog: which tables, columns and indexes a database has, and where their trees begin (spec 05).
//!
//! [`Catalog::read`] never gives up: it takes MSysObjects, its shadow, or single leaves, and says which. It reads with the
//! schema that stands in `format::catalog` and judges nothing.

mod bootstrap;
mod index;
mod read;
mod row;
mod schema;
#[cfg(test)]
pub(crate) mod testing;

pub use bootstrap::{CODE_PAGE, key_of, layout as bootstrap_layout};
pub use index::{Index, IndexFault};
pub(crate) use index::{find as find_column, var_seg_mac};
pub use read::{Catalog, CatalogFault, CatalogSource};
pub(crate) use row::stored as stored_value;
pub use row::{CatalogRow, RowPlace};
pub use schema::{LongValueTree, Schema, Table};
