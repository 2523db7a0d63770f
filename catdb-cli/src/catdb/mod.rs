//! What a catdb is, on top of an ESE database: its generations as data, and how its entries read.
//!
//! A generation is known by the tables and columns that are there, never by the name of a file. Profiles and
//! names work on plain data; `entries` alone reads a database. Spec 14, section 0.

mod entries;
mod entry;
mod profile;

pub(crate) use entries::{Catdb, Entry};
pub(crate) use profile::{Algorithm, Confidence, Detected};
