//! The check of indexes: rules I1 to I14 (spec 08 section 5).
//!
//! Keys of all rows are made anew and summed, and so are the stored entries: equal sums mean that nothing is missing, extra
//! or wrong, in any order and without memory ([`KeyWorker`]). Only where sums differ, and where Unicode text keeps keys
//! from being computed, [`ExactPass`] sorts both sides and says which entry it is. Nothing here judges what a page or a
//! record looks like; what cannot be read is a gap, and what follows from it is counted, never reported.

mod definition;
mod doubtful;
mod exact;
mod report;
mod sum;
mod values;
mod worker;

pub use definition::{Collation, DefinitionProblem, Primary, TableIndex, TableKeys};
pub use doubtful::DoubtfulRows;
pub use exact::{ExactPass, ExactReport, TextCount};
pub use report::FINDINGS_MOST;
pub use sum::EntrySum;
pub use values::{ColumnValues, ValueBuffer};
pub use worker::{KeyWorker, RowHealth};
