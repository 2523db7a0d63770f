//! Reads and verifies ESE (JET Blue) databases: `catdb`, SRUM, Windows Search, Active Directory, Exchange.
//!
//! Start with [`verify::Verifier`] to find out whether a file is sound, and with [`mod@format`] to look at its bytes.
//!
//! ```
//! use ese_core::source::MemorySource;
//! use ese_core::verify::{Level, Verdict, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = catdb_test_data::database::tiny(ese_core::format::PageSize::K4, 8);
//! let source = MemorySource(&bytes); // or FileSource::open(path)?
//! let report = Verifier::new(&source).level(Level::Pages).run()?;
//! for finding in report.findings() {
//!     println!("{:#x} {} {}", finding.offset, finding.code, finding.message);
//! }
//! assert_eq!(report.verdict(), Verdict::Intact);
//! # Ok(())
//! # }
//! ```
//!
//! The modules, from the file to the report:
//!
//! | module | what |
//! |---|---|
//! | [`source`] | bytes from memory, files, maps; a failing read keeps its offset |
//! | [`mod@format`] | header, pages, tags, nodes, extents: views over bytes, total over any |
//! | [`checksum`] | page and header checksums, and the bit that corrects one |
//! | [`database`] | what a programmer meets first: tables, rows, values |
//! | [`compress`] | values that the engine stored compressed |
//! | [`tree`] | pages that can be trusted, and the space that the database owns |
//! | [`catalog`] | tables, columns, indexes, and where their trees begin |
//! | [`check`] | the rules of the format |
//! | [`finding`], [`jet`] | what is wrong, as data, and how Windows calls it |
//! | [`inspect`] | looking at pages, nodes and records: what stands where, and what it means |
//! | [`key`] | values as key bytes, and which keys a record has |
//! | [`long_value`] | values of long columns, from the record or from their tree |
//! | [`record`] | records: fixed, variable and tagged columns |
//! | [`sort`] | more records than memory, in order |
//! | [`value`] | bytes of a column as numbers, text, times, GUIDs |
//! | [`verify`] | all checks over a file, in parallel, as one report |

#![deny(missing_docs)]

pub mod catalog;
pub mod check;
pub mod checksum;
pub mod compress;
pub mod database;
pub mod finding;
pub mod format;
pub mod inspect;
pub mod jet;
pub mod key;
pub mod long_value;
pub mod record;
pub mod sort;
pub mod source;
pub mod tree;
pub mod value;
pub mod verify;
