//! Records: the columns of one row, as they lie in the data of a leaf node (spec 06).
//!
//! The reader is lenient: it gives every column whose own bounds are sound, whatever the others look like, and a
//! [`RecordError`] with the offset of the wrong byte for the rest. It never copies a byte, never decodes or decompresses
//! a value, and judges nothing: `check::record` does.

mod error;
mod layout;
mod table;
mod tagged;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{RecordError, RecordFault};
pub use layout::{Record, Stored};
pub(crate) use table::RequiredColumns;
pub use table::{Column, FixedPlace, TableLayout};
pub use tagged::{Origin, TaggedField, TaggedFields, TaggedValue, ValueForm};
