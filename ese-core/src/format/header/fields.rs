//! The fields of `DBFILEHDR`: offset, type, name and meaning of each, written once (spec 01 section 10; layout: structs
//! table).
//!
//! One list makes the getters of [`DatabaseHeader`] and the table that [`DatabaseHeader::fields`] shows; its order is
//! that of `esentutl /mh`, not that of the bytes. Reserved bytes have no entry.

use super::{BackupType, DatabaseHeader, FieldValue, Shadowing};
use crate::format::db_state::DbState;
use crate::format::file_type::FileType;
use crate::format::geometry::{Dbtime, Objid, Pgno};
use crate::format::log_position::{BackupInfo, LogPosition};
use crate::format::signature::Signature;
use crate::format::stored::Stored;
use crate::format::time::LogTime;

/// Offset of the flags, which two fields read.
const FLAGS: u16 = 208;

/// What [`DatabaseHeader::fields`] needs to know of a field.
pub(super) struct FieldSpec {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) offset: u16,
    #[cfg(test)]
    pub(super) size: usize,
    pub(super) read: fn(&DatabaseHeader) -> FieldValue,
}

/// For each `name: type as variant @ offset, label;` a getter and a row of the table.
macro_rules! header_fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty as $variant:ident @ $offset:expr, $label:literal;)*) => {
        impl DatabaseHeader {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(&self) -> $type {
                    const OFFSET: u16 = $offset;
                    const { assert!(OFFSET as usize + <$type>::SIZE <= DatabaseHeader::SIZE) };
                    <$type>::read(&self.bytes, usize::from(OFFSET))
                }
            )*
        }

        /// All fields in the order of `esentutl /mh`.
        pub(super) const FIELDS: &[FieldSpec] = &[
            $(FieldSpec {
                name: stringify!($name),
                label: $label,
                offset: $offset,
                #[cfg(test)]
                size: <$type>::SIZE,
                read: |header| FieldValue::$variant(header.$name()),
            },)*
        ];
    };
}

header_fields! {
    /// Attributes; 0 for a database.
    attributes: i32 as I32 @ 12, "File Type";
    /// Type of the file; stands at the same offset in all headers of the engine's files.
    file_type: FileType as FileType @ 667, "File Type";
    /// The stored checksum of the slot.
    checksum: u32 as Hex32 @ 0, "Checksum";
    /// Must be [`MAGIC`](crate::format::MAGIC).
    magic: u32 as Hex32 @ 4, "Format ulMagic";
    /// Format version: [`VERSION`](crate::format::VERSION) or [`VERSION_STREAMING`](crate::format::VERSION_STREAMING).
    version: u32 as Hex32 @ 8, "Format ulVersion";
    /// Update level of the format that older engines cannot read.
    update_major: u32 as U32 @ 232, "Format ulVersion";
    /// Update level of the format that older engines can read.
    update_minor: u32 as U32 @ 644, "Format ulVersion";
    /// Highest format of an engine that ever attached the database.
    attached_by: u32 as U32 @ 648, "Format ulVersion";
    /// Format version at creation.
    create_version: u32 as Hex32 @ 340, "Created ulVersion";
    /// Update level at creation.
    create_update: u32 as U32 @ 344, "Created ulVersion";
    /// Identity of the database; its time is that of creation.
    db_signature: Signature as Signature @ 24, "DB Signature";
    /// Page size in bytes as stored: 0 stays 0. See [`DatabaseHeader::page_size`].
    page_size_field: u32 as U32 @ 236, "cbDbPage";
    /// The highest dbtime given out.
    dbtime: Dbtime as Dbtime @ 16, "dbtime";
    /// State in which the database was left.
    state: DbState as State @ 52, "State";
    /// First log that recovery needs.
    gen_min_required: i32 as Generation @ 296, "Log Required";
    /// Last log that recovery needs.
    gen_max_required: i32 as Generation @ 300, "Log Required";
    /// First log needed as it was before redo began; 0 if redo did not change it.
    gen_min_required_pre_redo: i32 as Generation @ 684, "Log Required";
    /// Last log with changes of this database: without it committed data are lost.
    gen_max_committed: i32 as Generation @ 416, "Log Committed";
    /// The log that recovery was working on.
    gen_recovering: i32 as Generation @ 536, "Log Recovering";
    /// First log needed for a clean state, flush map aside.
    gen_min_consistent: i32 as Generation @ 640, "Log Consistent";
    /// The same as it was before redo began; 0 if redo did not change it.
    gen_min_consistent_pre_redo: i32 as Generation @ 680, "Log Consistent";
    /// When the last committed log was made.
    gen_max_committed_time: LogTime as Time @ 348, "GenMax Creation";
    /// When the last required log was made.
    gen_max_required_time: LogTime as Time @ 672, "Gen. Max. Req. Creation Time";
    /// Whether a second copy of the header is kept, as far as the flags say.
    shadowing: Shadowing as Shadowing @ FLAGS, "Shadowed";
    /// Highest id given to a tree.
    objid_last: Objid as Objid @ 212, "Last Objid";
    /// Dbtime of the last scrub.
    scrub_dbtime: Dbtime as Dbtime @ 280, "Scrub Dbtime";
    /// Time of the last scrub.
    scrub_time: LogTime as Time @ 288, "Scrub Date";
    /// How often the database was repaired: rows may be missing without a trace.
    repair_count: u32 as U32 @ 240, "Repair Count";
    /// Time of the last repair.
    repair_time: LogTime as Time @ 244, "Repair Date";
    /// Repairs before the last defragmentation.
    repair_count_old: u32 as U32 @ 364, "Old Repair Count";
    /// Where in the logs the database was last consistent.
    last_consistent: LogPosition as Position @ 56, "Last Consistent";
    /// When that was.
    last_consistent_time: LogTime as Time @ 64, "Last Consistent";
    /// Where in the logs it was last attached.
    last_attach: LogPosition as Position @ 80, "Last Attach";
    /// When that was.
    last_attach_time: LogTime as Time @ 72, "Last Attach";
    /// Where in the logs it was last detached.
    last_detach: LogPosition as Position @ 96, "Last Detach";
    /// When that was.
    last_detach_time: LogTime as Time @ 88, "Last Detach";
    /// Where in the logs it was last attached again after a stop that kept attachments.
    last_reattach: LogPosition as Position @ 572, "Last ReAttach";
    /// When that was.
    last_reattach_time: LogTime as Time @ 564, "Last ReAttach";
    /// Number of the database in its instance.
    dbid: u32 as U32 @ 104, "Dbid";
    /// Identity of the log stream it belongs to.
    log_signature: Signature as Signature @ 108, "Log Signature";
    /// Major version of the system that last sorted text in it.
    os_major: u32 as U32 @ 216, "OS Version";
    /// Minor version of that system.
    os_minor: u32 as U32 @ 220, "OS Version";
    /// Build of that system.
    os_build: u32 as U32 @ 224, "OS Version";
    /// Service pack of that system.
    os_service_pack: i32 as I32 @ 228, "OS Version";
    /// Version of its sort tables in two halves; all ones where each index keeps its own.
    sort_version: u64 as Hex64 @ 508, "OS Version";
    /// Flags of the database; the high byte collects who attached it.
    flags: u32 as Hex32 @ FLAGS, "Flags";
    /// How often pages were replaced by those of another copy.
    reseed_count: u32 as U32 @ 476, "Reseed Count";
    /// When last.
    reseed_time: LogTime as Time @ 480, "Reseed Date";
    /// How often before the last defragmentation.
    reseed_count_old: u32 as U32 @ 488, "Old Reseed Count";
    /// Pages replaced in this way.
    patch_count: u32 as U32 @ 492, "Patch Count";
    /// When last.
    patch_time: LogTime as Time @ 496, "Patch Date";
    /// Pages replaced before the last defragmentation.
    patch_count_old: u32 as U32 @ 504, "Old Patch Count";
    /// Last full backup.
    backup_full_previous: BackupInfo as Backup @ 136, "Previous Full Backup";
    /// How it was made.
    backup_full_previous_type: BackupType as BackupType @ 356, "Previous Full Backup";
    /// Last incremental backup since.
    backup_incremental_previous: BackupInfo as Backup @ 160, "Previous Incremental Backup";
    /// How it was made.
    backup_incremental_previous_type: BackupType as BackupType @ 360, "Previous Incremental Backup";
    /// Last copy backup.
    backup_copy_previous: BackupInfo as Backup @ 420, "Previous Copy Backup";
    /// How it was made.
    backup_copy_previous_type: BackupType as BackupType @ 468, "Previous Copy Backup";
    /// Last differential backup.
    backup_differential_previous: BackupInfo as Backup @ 444, "Previous Differential Backup";
    /// How it was made.
    backup_differential_previous_type: BackupType as BackupType @ 472, "Previous Differential Backup";
    /// The full backup this file is part of.
    backup_full_current: BackupInfo as Backup @ 184, "Current Full Backup";
    /// The volume snapshot this file is part of.
    backup_snapshot_current: BackupInfo as Backup @ 316, "Current Shadow copy backup";
    /// Pages converted by an upgrade from version 5.5 of Exchange.
    upgrade_55_pages: i32 as I32 @ 304, "cpgUpgrade55Format";
    /// Free pages met by that upgrade.
    upgrade_free_pages: i32 as I32 @ 308, "cpgUpgradeFreePages";
    /// Space pages met by that upgrade.
    upgrade_space_map_pages: i32 as I32 @ 312, "cpgUpgradeSpaceMapPages";
    /// Where in the logs the file last changed its size.
    last_resize: LogPosition as Position @ 656, "Last Resize";
    /// How often the file grew.
    extend_count: u32 as U32 @ 540, "Extend Count";
    /// When last.
    extend_time: LogTime as Time @ 544, "Extend Date";
    /// How often the file shrank.
    shrink_count: u32 as U32 @ 552, "Shrink Count";
    /// When last.
    shrink_time: LogTime as Time @ 556, "Shrink Date";
    /// How often ranges were given back to the file system.
    trim_count: u32 as U32 @ 580, "Trim Count";
    /// Flipped bits that the engine met and set right.
    ecc_fixed_count: u32 as U32 @ 368, "ECC Fix Success Count";
    /// When last.
    ecc_fixed_time: LogTime as Time @ 372, "Last ECC Fix Success Date";
    /// Such bits before the last repair.
    ecc_fixed_count_old: u32 as U32 @ 380, "Old ECC Fix Success Count";
    /// Pages that stayed wrong after a bit was set right.
    ecc_failed_count: u32 as U32 @ 384, "ECC Fix Error Count";
    /// When last.
    ecc_failed_time: LogTime as Time @ 388, "Last ECC Fix Error Date";
    /// Such pages before the last repair.
    ecc_failed_count_old: u32 as U32 @ 396, "Old ECC Fix Error Count";
    /// Pages the engine read with a wrong checksum.
    bad_checksum_count: u32 as U32 @ 400, "Bad Checksum Error Count";
    /// When last.
    bad_checksum_time: LogTime as Time @ 404, "Last Bad Checksum Error Date";
    /// Such pages before the last repair.
    bad_checksum_count_old: u32 as U32 @ 412, "Old bad Checksum Error Count";
    /// When the engine last finished reading the whole file.
    scan_finished_time: LogTime as Time @ 516, "Last Database Maintenance Finish Date";
    /// When the reading that is under way began.
    scan_started_time: LogTime as Time @ 524, "Current Database Maintenance Start Date";
    /// Last page of the unbroken range it has read.
    scan_highest_continuous: Pgno as Pgno @ 532, "Highest Continuous Database Maintenance Page";
    /// Highest page it has read.
    scan_highest: Pgno as Pgno @ 652, "Highest Database Maintenance Page";
    /// Made anew at each write of this header; the flush map repeats it.
    db_header_flush: Signature as Signature @ 584, "Database Header Flush Signature";
    /// Made anew at each write of the flush map's header, repeated here.
    flush_map_header_flush: Signature as Signature @ 612, "Flush Map Header Flush Signature";
    /// The same of the revert snapshot.
    snapshot_header_flush: Signature as Signature @ 688, "RBS Header Flush Signature";
    /// How often the database was taken back to a snapshot.
    revert_count: u32 as U32 @ 716, "Revert Count";
    /// When that was last done.
    revert_from_time: LogTime as Time @ 720, "Revert From Date";
    /// To which time.
    revert_to_time: LogTime as Time @ 728, "Revert To Date";
    /// Pages that changed by it.
    revert_page_count: u32 as U32 @ 736, "Revert Page Count";
    /// Last commit in the logs before it.
    last_commit_before_revert: LogPosition as Position @ 740, "Last Commit Before Revert";
}
