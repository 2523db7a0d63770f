//! The database header, `DBFILEHDR`: what a database says of itself (spec 01 sections 2, 3 and 5 to 10).
//!
//! Any bytes are a header: what a field holds may be nonsense, but reading it cannot fail. Nothing here judges a value
//! or decides which of the two copies counts; [`super::HeaderCopies`] does that.

mod fields;

use std::fmt;

use super::db_state::DbState;
use super::file_type::FileType;
use super::geometry::{Dbtime, Objid, PageSize, Pgno};
use super::log_position::{BackupInfo, LogPosition};
use super::signature::Signature;
use super::stored::{part, stored};
use super::time::LogTime;

/// What the magic field of every database header holds; also where its checksum starts from.
pub const MAGIC: u32 = super::XOR_SEED;

/// Format version of every database since Windows 2000.
pub const VERSION: u32 = 0x620;

/// Format version of streaming files of old Exchange.
pub const VERSION_STREAMING: u32 = 0x623;

/// Update levels of version 0x620 that were met in real files or are on record, ascending.
pub const KNOWN_UPDATES: [u32; 9] = [9, 11, 17, 20, 110, 180, 200, 290, 300];

/// The bit of [`DatabaseHeader::flags`] that turns the second header copy off, if one believes it.
const SHADOWING_OFF: u32 = 0x0000_0001;

/// One header, copied out of its slot. Fields behind the end of a short slot read as zero.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseHeader {
    bytes: [u8; DatabaseHeader::SIZE],
}

impl DatabaseHeader {
    /// Bytes of the header in its newest form; the rest of the slot is zero.
    pub const SIZE: usize = 748;

    /// The header at the start of `slot`.
    #[must_use]
    pub fn from_slot(slot: &[u8]) -> Self {
        Self { bytes: part(slot, 0) }
    }

    /// The page size the header asks for: 0 stands for 4096. `None` if it is not one of the five sizes.
    #[must_use]
    pub fn page_size(&self) -> Option<PageSize> {
        match self.page_size_field() {
            0 => Some(PageSize::K4),
            bytes => PageSize::from_bytes(usize::try_from(bytes).ok()?),
        }
    }

    /// True if the update level is one of [`KNOWN_UPDATES`].
    #[must_use]
    pub fn has_known_update(&self) -> bool {
        KNOWN_UPDATES.contains(&self.update_major())
    }

    /// All fields, in the order and with the words of `esentutl /mh`.
    ///
    /// Consecutive fields with the same label stand on one line there.
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        fields::FIELDS.iter().map(|spec| Field {
            name: spec.name,
            label: spec.label,
            offset: u32::from(spec.offset),
            value: (spec.read)(self),
        })
    }
}

impl fmt::Debug for DatabaseHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields().map(|field| (field.name, field.value))).finish()
    }
}

/// One field of a header, for showing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// A stable key for data formats, in snake case.
    pub name: &'static str,
    /// What `esentutl` calls it.
    pub label: &'static str,
    /// Its offset in the header, in bytes.
    pub offset: u32,
    /// What it holds.
    pub value: FieldValue,
}

/// The value of a field; the variant says how it wants to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldValue {
    /// A count or a version.
    U32(u32),
    /// A count that is stored with a sign.
    I32(i32),
    /// Bits, a magic or a checksum.
    Hex32(u32),
    /// Bits, or a version in two halves.
    Hex64(u64),
    /// A database time.
    Dbtime(Dbtime),
    /// The number of a log file; 0 for none.
    Generation(i32),
    /// A page number; 0 for none.
    Pgno(Pgno),
    /// The id of a tree.
    Objid(Objid),
    /// A calendar time.
    Time(LogTime),
    /// A place in the logs.
    Position(LogPosition),
    /// An identity.
    Signature(Signature),
    /// What is known of a backup.
    Backup(BackupInfo),
    /// How a backup was made.
    BackupType(BackupType),
    /// The state of the database.
    State(DbState),
    /// The type of the file.
    FileType(FileType),
    /// Whether a second copy of the header is kept.
    Shadowing(Shadowing),
}

/// Numbers as `esentutl` shows them: dbtimes and generations in decimal and hexadecimal; times in ISO 8601.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U32(value) => value.fmt(f),
            Self::I32(value) => value.fmt(f),
            Self::Hex32(value) => write!(f, "0x{value:x}"),
            Self::Hex64(value) => write!(f, "0x{value:x}"),
            Self::Dbtime(Dbtime(value)) => write!(f, "{value} (0x{value:x})"),
            Self::Generation(value) => write!(f, "{value} (0x{value:x})"),
            Self::Pgno(value) => value.fmt(f),
            Self::Objid(value) => value.fmt(f),
            Self::Time(value) => value.fmt(f),
            Self::Position(value) => value.fmt(f),
            Self::Signature(value) => value.fmt(f),
            Self::Backup(value) => value.fmt(f),
            Self::BackupType(value) => value.fmt(f),
            Self::State(value) => value.fmt(f),
            Self::FileType(value) => value.fmt(f),
            Self::Shadowing(value) => value.fmt(f),
        }
    }
}

/// How a backup was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BackupType {
    /// 0: page by page, through the engine.
    Normal,
    /// 1: from a snapshot of the volume.
    OsSnapshot,
    /// 2: from a snapshot of the engine.
    Snapshot,
    /// Any other number.
    Unknown(u32),
}

impl BackupType {
    /// The type a stored number means.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Normal,
            1 => Self::OsSnapshot,
            2 => Self::Snapshot,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for BackupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::OsSnapshot => f.write_str("OSSnapshot"),
            Self::Snapshot => f.write_str("Snapshot"),
            Self::Unknown(code) => write!(f, "unknown ({code})"),
        }
    }
}

/// Whether a second copy of the header is kept. Only what the flag says: a file with the flag set was seen with an
/// equal second copy all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shadowing {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl fmt::Display for Shadowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "Yes",
            Self::Off => "No",
        })
    }
}

stored! {
    BackupType: 4, |bytes| BackupType::from_code(u32::from_le_bytes(bytes));
    Shadowing: 4, |bytes| match u32::from_le_bytes(bytes) & SHADOWING_OFF {
        0 => Shadowing::On,
        _ => Shadowing::Off,
    };
}

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
