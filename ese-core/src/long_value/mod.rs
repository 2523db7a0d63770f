//! Values of long columns, put together: from the record, or chunk by chunk from the tree of long values (spec 07
//! sections 2 to 4).
//!
//! The reader gives what is there, and a typed error for what is not; it never takes memory by a size that a root
//! states, and holds one chunk at a time. What is wrong with a tree is for `check::long_value` to say.

mod reader;
mod references;
mod value;

pub use reader::{Chunk, LongValueError, LongValueReader, LongValues};
pub use references::{Reference, references};
pub use value::{ValueBuffer, ValueError, ValueStream};
