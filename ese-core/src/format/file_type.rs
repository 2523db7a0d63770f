//! Which file of the engine's family this is (spec 01 section 2; headers of the others: spec 09 sections 2, 3, 7).
//!
//! Decides by content alone, never by a name. It does not say that the file is sound: a database is one as soon as it
//! has the magic, while the others must prove it with the checksum of their header.

use std::fmt;

use super::header::{DatabaseHeader, MAGIC, VERSION_STREAMING};
use super::plain_sum;
use super::stored::stored;

/// Bytes of the header of a log, a checkpoint, a snapshot and a snapshot's checkpoint.
const LOG_HEADER_SIZE: usize = 4096;

/// Bytes of the header of a flush map.
const FLUSH_MAP_HEADER_SIZE: usize = 8192;

/// `le_filetype`: stands at one and the same offset in all headers of the family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileType {
    /// 0: written by an engine that did not know the field yet.
    Unknown,
    /// 1.
    Database,
    /// 2: streaming file beside a database of old Exchange.
    StreamingFile,
    /// 3: transaction log.
    Log,
    /// 4: where recovery starts in the logs.
    Checkpoint,
    /// 5: temporary database.
    TemporaryDatabase,
    /// 7: which version of each page was written last.
    FlushMap,
    /// 10: pages kept to take a database back in time.
    Snapshot,
    /// 11: how far that has come.
    SnapshotCheckpoint,
    /// Any other number.
    Other(u32),
}

impl FileType {
    /// The type a stored number means.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Unknown,
            1 => Self::Database,
            2 => Self::StreamingFile,
            3 => Self::Log,
            4 => Self::Checkpoint,
            5 => Self::TemporaryDatabase,
            7 => Self::FlushMap,
            10 => Self::Snapshot,
            11 => Self::SnapshotCheckpoint,
            other => Self::Other(other),
        }
    }
}

stored! {
    FileType: 4, |bytes| FileType::from_code(u32::from_le_bytes(bytes));
}

/// In words, so that "this is a ..., not a database" reads well.
impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Database => "database",
            Self::StreamingFile => "streaming file",
            Self::Log => "transaction log",
            Self::Checkpoint => "checkpoint",
            Self::TemporaryDatabase => "temporary database",
            Self::FlushMap => "flush map",
            Self::Snapshot => "revert snapshot",
            Self::SnapshotCheckpoint => "revert checkpoint",
            Self::Other(code) => return write!(f, "unknown ({code})"),
        })
    }
}

/// The kind of file that begins with `start`; `None` if it does not begin with an ESE header that can be told.
///
/// Give it the first 8192 bytes: with fewer, a flush map is not recognised. Ask it before choosing a header copy: the
/// header of a log or checkpoint passes for a database header of 4096 bytes if only its checksum is looked at. A
/// database whose first header copy lost its magic gives `None`; its second copy may still tell.
#[must_use]
pub fn kind_of_file(start: &[u8]) -> Option<FileType> {
    let header = DatabaseHeader::from_slot(start);
    let file_type = header.file_type();
    if header.magic() == MAGIC {
        return Some(match file_type {
            FileType::TemporaryDatabase | FileType::StreamingFile => file_type,
            _ if header.version() == VERSION_STREAMING => FileType::StreamingFile,
            _ => FileType::Database,
        });
    }
    let size = match file_type {
        FileType::Log | FileType::Checkpoint | FileType::Snapshot | FileType::SnapshotCheckpoint => LOG_HEADER_SIZE,
        FileType::FlushMap => FLUSH_MAP_HEADER_SIZE,
        _ => return None,
    };
    let slot = start.get(..size)?;
    (header.checksum() == plain_sum(slot)).then_some(file_type)
}

#[cfg(test)]
mod tests {
    use super::super::header::samples::{put, seal};
    use super::*;
    use proptest::prelude::*;

    /// Where all headers keep their type.
    const FILE_TYPE: usize = 667;

    fn sealed(size: usize, code: u32) -> Vec<u8> {
        let mut bytes = vec![0; size];
        put(&mut bytes, FILE_TYPE, code);
        seal(&mut bytes);
        bytes
    }

    #[test]
    fn the_magic_alone_makes_a_database() {
        let mut bytes = vec![0; 8];
        put(&mut bytes, 4, MAGIC);
        assert_eq!(kind_of_file(&bytes), Some(FileType::Database));
        assert_eq!(kind_of_file(&bytes[..7]), None);
    }

    #[test]
    fn temporary_databases_and_streaming_files_have_the_magic_too() {
        for (offset, value, kind) in [
            (FILE_TYPE, 5, FileType::TemporaryDatabase),
            (FILE_TYPE, 2, FileType::StreamingFile),
            (8, 0x623, FileType::StreamingFile),
            (8, 0x620, FileType::Database),
            (FILE_TYPE, 1, FileType::Database),
        ] {
            let mut bytes = vec![0; 4096];
            put(&mut bytes, 4, MAGIC);
            put(&mut bytes, offset, value);
            assert_eq!(kind_of_file(&bytes), Some(kind), "{value} at {offset}");
        }
    }

    #[test]
    fn files_without_the_magic_are_told_by_type_and_checksum() {
        for (size, code, kind) in [
            (4096, 3, FileType::Log),
            (4096, 4, FileType::Checkpoint),
            (8192, 7, FileType::FlushMap),
            (4096, 10, FileType::Snapshot),
            (4096, 11, FileType::SnapshotCheckpoint),
        ] {
            let mut bytes = sealed(size, code);
            assert_eq!(kind_of_file(&bytes), Some(kind));
            assert_eq!(kind_of_file(&bytes[..size - 1]), None);
            bytes[size - 1] ^= 1;
            assert_eq!(kind_of_file(&bytes), None, "{kind} with a damaged header");
        }
    }

    #[test]
    fn other_types_without_the_magic_are_nothing_we_know() {
        for code in [0, 1, 2, 5, 6, 8, 9, 12, u32::MAX] {
            assert_eq!(kind_of_file(&sealed(8192, code)), None);
        }
        assert_eq!(kind_of_file(&[]), None);
        assert_eq!(kind_of_file(&[0; 65536]), None);
    }

    proptest! {
        #[test]
        fn bytes_that_mean_nothing_have_no_kind(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            prop_assert_eq!(kind_of_file(&bytes), None);
        }
    }
}
