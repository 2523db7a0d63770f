//! Writing, salvage, repair and log recovery of ESE databases.
//!
//! The reader ([`ese-core`](../ese_core/index.html)) comes first; this crate has no content yet. What it will hold
//! stands on that reader, never reads a file by itself, and never changes an input: every operation writes a new file.

#![deny(missing_docs)]
