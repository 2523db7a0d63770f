//! JET error numbers and names: how Windows spells what went wrong.
//!
//! Only the numbers and names of the engine; which finding stands for which error is said in `finding`.

mod table;

use std::fmt;

/// Code, name, meaning (empty where the name says it).
type Entry = (i32, &'static str, &'static str);

/// An error of the JET API: a negative number.
///
/// ```
/// use ese_core::jet::JetError;
/// assert_eq!(JetError::READ_VERIFY_FAILURE.to_string(), "JET_errReadVerifyFailure (-1018)");
/// assert_eq!(JetError(-7).to_string(), "unknown JET error (-7)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JetError(pub i32);

impl JetError {
    /// A sibling link is wrong.
    pub const BAD_PAGE_LINK: JetError = JetError(-327);
    /// A page is newer than the database says it can be.
    pub const DB_TIME_CORRUPTED: JetError = JetError(-344);
    /// Not shut down cleanly.
    pub const DATABASE_DIRTY_SHUTDOWN: JetError = JetError(-550);
    /// The checksum of a page does not match.
    pub const READ_VERIFY_FAILURE: JetError = JetError(-1018);
    /// A page that should hold data is blank.
    pub const PAGE_NOT_INITIALIZED: JetError = JetError(-1019);
    /// The operating system failed to read.
    pub const DISK_IO: JetError = JetError(-1022);
    /// A page carries the number of another.
    pub const READ_PGNO_VERIFY_FAILURE: JetError = JetError(-1118);
    /// The structure is inconsistent.
    pub const DATABASE_CORRUPTED: JetError = JetError(-1206);
    /// The format version is unknown.
    pub const INVALID_DATABASE_VERSION: JetError = JetError(-1209);
    /// The page size is not a lawful one.
    pub const PAGE_SIZE_MISMATCH: JetError = JetError(-1213);
    /// A secondary index does not match its table.
    pub const SECONDARY_INDEX_CORRUPTED: JetError = JetError(-1414);
    /// A key of a unique index exists already.
    pub const KEY_DUPLICATE: JetError = JetError(-1605);
    /// A compressed value cannot be decompressed.
    pub const DECOMPRESSION_FAILED: JetError = JetError(-1620);
    /// The file ends too early.
    pub const FILE_IO_BEYOND_EOF: JetError = JetError(-4001);

    /// The public name, if there is one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.1)
    }

    /// What it means, in a few words; `None` where the name has to do.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.2).filter(|text| !text.is_empty())
    }

    fn entry(self) -> Option<&'static Entry> {
        table::TABLE.iter().find(|entry| entry.0 == self.0)
    }

    /// The error that `text` names: `JET_errReadVerifyFailure` in any case.
    #[must_use]
    pub fn from_name(text: &str) -> Option<JetError> {
        table::TABLE.iter().find(|entry| entry.1.eq_ignore_ascii_case(text)).map(|entry| JetError(entry.0))
    }
}

impl fmt::Display for JetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name().unwrap_or("unknown JET error"), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_one_to_one_where_the_engine_has_them_so() {
        assert!(table::TABLE.windows(2).all(|pair| pair[0].0 >= pair[1].0), "sorted");
        for (code, name, _) in table::TABLE {
            assert_eq!(JetError::from_name(name), Some(JetError(*code)));
            assert!(JetError(*code).name().is_some());
        }
        assert_eq!(JetError::from_name("jet_errdatabasecorrupted"), Some(JetError::DATABASE_CORRUPTED));
    }

    #[test]
    fn the_constants_have_the_names_that_windows_prints() {
        let names = [
            (JetError::DB_TIME_CORRUPTED, "JET_errDbTimeCorrupted"),
            (JetError::DATABASE_DIRTY_SHUTDOWN, "JET_errDatabaseDirtyShutdown"),
            (JetError::READ_VERIFY_FAILURE, "JET_errReadVerifyFailure"),
            (JetError::PAGE_NOT_INITIALIZED, "JET_errPageNotInitialized"),
            (JetError::DISK_IO, "JET_errDiskIO"),
            (JetError::BAD_PAGE_LINK, "JET_errBadPageLink"),
            (JetError::DB_TIME_CORRUPTED, "JET_errDbTimeCorrupted"),
            (JetError::READ_PGNO_VERIFY_FAILURE, "JET_errReadPgnoVerifyFailure"),
            (JetError::DATABASE_CORRUPTED, "JET_errDatabaseCorrupted"),
            (JetError::INVALID_DATABASE_VERSION, "JET_errInvalidDatabaseVersion"),
            (JetError::PAGE_SIZE_MISMATCH, "JET_errPageSizeMismatch"),
            (JetError::SECONDARY_INDEX_CORRUPTED, "JET_errSecondaryIndexCorrupted"),
            (JetError::KEY_DUPLICATE, "JET_errKeyDuplicate"),
            (JetError::FILE_IO_BEYOND_EOF, "JET_errFileIOBeyondEOF"),
        ];
        for (error, name) in names {
            assert_eq!(error.name(), Some(name));
        }
    }
}
