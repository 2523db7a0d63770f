//! What a catdb is, on top of an ESE database: its generations as data, and how its entries read.
//!
//! A generation is known by the tables and columns that are there, never by the name of a file. Nothing here opens a
//! database: it works on names, types and values that others read. Spec 14, section 0.

mod entry;
mod profile;

#[allow(unused_imports)] // as in main.rs
pub(crate) use entry::{NameFault, catalog_names};
#[allow(unused_imports)]
pub(crate) use profile::{Algorithm, Confidence, Detected, Encoding, Profile, Role, detect, profiles};
