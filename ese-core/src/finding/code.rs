//! The table of codes: name, severity, JET error, rules, meaning and next step of every finding.
//!
//! `docs/findings.md` and `catdb-cli explain` are made from it. A code is never renamed once it is published.

use std::fmt;

use super::Severity;
use crate::jet::JetError;

/// What to do about a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextStep {
    /// Advice, as a sentence.
    pub advice: &'static str,
    /// The command to run next; `{file}` and `{pgno}` stand for the input and the page.
    pub command: &'static str,
}

/// What a code stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeInfo {
    /// Its published name: `page-checksum`.
    pub name: &'static str,
    /// Its weight, where nothing special applies.
    pub severity: Severity,
    /// The JET error that stands for it.
    pub jet: Option<JetError>,
    /// Ids of the checks in the specification that report it.
    pub checks: &'static str,
    /// What it means, as a sentence.
    pub meaning: &'static str,
    /// What to do.
    pub next: NextStep,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $jet:expr, $checks:literal, $meaning:literal, $advice:literal, $command:literal;)*) => {
        /// The kinds of findings, in the order in which they are listed at one offset.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// What the code stands for.
            #[must_use]
            pub const fn info(self) -> &'static CodeInfo {
                match self {
                    $(Code::$variant => &CodeInfo {
                        name: $name,
                        severity: Severity::$severity,
                        jet: $jet,
                        checks: $checks,
                        meaning: $meaning,
                        next: NextStep { advice: $advice, command: $command },
                    },)*
                }
            }
        }
    };
}

const READ_VERIFY: Option<JetError> = Some(JetError::READ_VERIFY_FAILURE);
const SECONDARY_INDEX: Option<JetError> = Some(JetError::SECONDARY_INDEX_CORRUPTED);
const CORRUPTED: Option<JetError> = Some(JetError::DATABASE_CORRUPTED);

codes! {
    DbNotEse "db-not-ese" Error None, "-",
        "Neither header copy nor any page is that of an ESE database.",
        "Check that this is the right file: a database has the magic ef cd ab 89 at byte 4.",
        "catdb-cli info {file}";
    DbDirty "db-dirty" Warning Some(JetError::DATABASE_DIRTY_SHUTDOWN), "H6",
        "The database was not shut down cleanly: committed changes may be only in its log files.",
        "Copy the log files (*.log, *.chk) from the folder of the database beside your copy before anything else is done with it.",
        "catdb-cli info {file}";
    DbTruncated "db-truncated" Error Some(JetError::FILE_IO_BEYOND_EOF), "H8 S11",
        "The file ends before the space that the database owns, or inside a page.",
        "Look for a complete copy: what lay behind the end is not in this file.",
        "catdb-cli info {file}";
    DbSlack "db-slack" Info None, "S11",
        "Pages behind the space that the database owns; whatever stands there belongs to no table.",
        "Nothing to do: the engine extends files ahead of need.",
        "catdb-cli explain db-slack";
    DbRepairedBefore "db-repaired-before" Info None, "header",
        "The database was repaired before (esentutl /p): rows may be missing without a trace.",
        "Compare the content with what should be there.",
        "catdb-cli info {file}";
    DbReadError "db-read-error" Error Some(JetError::DISK_IO), "-",
        "The operating system could not read these bytes.",
        "Copy the disk with a tool that retries and skips bad sectors, then verify the copy.",
        "ddrescue {file} copy.edb copy.map && catdb-cli verify copy.edb";
    DbChanged "db-changed" Error None, "-",
        "The file changed while it was read: the findings belong to no single state of it.",
        "Stop the program that writes the file, or take a snapshot, and verify a copy.",
        "cp {file} copy.edb && catdb-cli verify copy.edb";
    HdrPrimaryBad "hdr-primary-bad" Warning READ_VERIFY, "H1",
        "The first header copy is damaged; the second is good and was used.",
        "No data is lost: the engine takes the second copy and repairs the first when it opens the database.",
        "catdb-cli info {file}";
    HdrShadowBad "hdr-shadow-bad" Warning READ_VERIFY, "H1",
        "The second header copy is damaged; the first is good and was used.",
        "No data is lost: the engine repairs the second copy when it opens the database.",
        "catdb-cli info {file}";
    HdrBothBad "hdr-both-bad" Error READ_VERIFY, "H1",
        "Both header copies are damaged; the page size was found from the pages, state and version are unknown.",
        "The engine refuses the file as it is, yet its pages can be read: keep it, and look for a copy with a sound header.",
        "catdb-cli info {file}";
    HdrCopiesDiffer "hdr-copies-differ" Warning None, "H2",
        "Both header copies are sound but not equal: a write was interrupted. The first was used.",
        "Compare both copies.",
        "catdb-cli info {file}";
    HdrMagic "hdr-magic" Error Some(JetError::INVALID_DATABASE_VERSION), "H3",
        "The header has a right checksum but not the magic number of ESE.",
        "Look at the header as it stands.",
        "catdb-cli info {file}";
    HdrVersion "hdr-version" Error Some(JetError::INVALID_DATABASE_VERSION), "H4",
        "The format version is none that is known.",
        "Look at the header as it stands; pages were read as far as they make sense.",
        "catdb-cli info {file}";
    HdrVersionNew "hdr-version-new" Info None, "H4",
        "The update level of the format is above those known when this program was made.",
        "Nothing to do; if findings look odd, look for a newer version of this program.",
        "catdb-cli info {file}";
    HdrPageSize "hdr-page-size" Error Some(JetError::PAGE_SIZE_MISMATCH), "H5",
        "The page size in the header is not one of the format, or not that of the pages.",
        "Look at the header as it stands; the pages were read with the size found from them.",
        "catdb-cli info {file}";
    HdrFiletype "hdr-filetype" Error Some(JetError::INVALID_DATABASE_VERSION), "H7",
        "The header belongs to another kind of ESE file than a database.",
        "Check that this is the right file.",
        "catdb-cli info {file}";
    HdrState "hdr-state" Error CORRUPTED, "H6",
        "The database state is none that exists, or contradicts the rest of the header.",
        "Look at the header as it stands.",
        "catdb-cli info {file}";
    HdrRequiredLogs "hdr-required-logs" Warning None, "H9",
        "The database is clean and yet asks for log files.",
        "Look at the required generations in the header, and keep the log files.",
        "catdb-cli info {file}";
    HdrTime "hdr-time" Info None, "H10",
        "A time in the header is not a possible time.",
        "Nothing to do.",
        "catdb-cli info {file}";
    PageChecksum "page-checksum" Error READ_VERIFY, "02-6",
        "The stored and the computed checksum of the page differ, and no single bit explains it: its content cannot be trusted.",
        "Work on a copy. Check the disk, look for an older copy of the file, and look at what stands there.",
        "catdb-cli dump {file} page {pgno}";
    PageEcc "page-ecc" Warning READ_VERIFY, "02-6.4",
        "One bit of the page is flipped; the checksum says which, and with it flipped back the page is sound.",
        "No data is lost: a reader that corrects gets the page. Check the memory and the disk of the machine.",
        "catdb-cli dump {file} page {pgno}";
    PageNumber "page-number" Error Some(JetError::READ_PGNO_VERIFY_FAILURE), "02-6.6 P19",
        "The page is sound but belongs to another place in the file.",
        "A write went to the wrong place: the page that was here is lost, the other one may be old.",
        "catdb-cli dump {file} page {pgno}";
    PageBlankInUse "page-blank-in-use" Error Some(JetError::PAGE_NOT_INITIALIZED), "T3",
        "The page is blank, and a tree needs what was on it: a write never came, or its place was wiped.",
        "Look for an older copy of the file: what was on the page is not in this one.",
        "catdb-cli dump {file} page {pgno}";
    PageFreeSpace "page-free-space" Error CORRUPTED, "P1 P2 P3 P15",
        "The fields that count the free space of the page do not add up.",
        "Look at the header of the page.",
        "catdb-cli dump {file} page {pgno}";
    PageTags "page-tags" Error CORRUPTED, "P4 P11 P12 P13",
        "The tag array, or the place of a line, is outside its bounds.",
        "Look at the tags of the page.",
        "catdb-cli dump {file} page {pgno}";
    PageOverlap "page-overlap" Error CORRUPTED, "P14",
        "Two lines of the page share bytes.",
        "Look at the tags of the page.",
        "catdb-cli dump {file} page {pgno}";
    PageFlags "page-flags" Error CORRUPTED, "P5 P6 P7 P8 P10",
        "The flags of the page contradict each other or its content.",
        "Look at the header of the page.",
        "catdb-cli dump {file} page {pgno}";
    PageFlagsUnknown "page-flags-unknown" Warning None, "02-3",
        "The page has flags that nobody knows.",
        "Look at the header of the page.",
        "catdb-cli dump {file} page {pgno}";
    RepairFlag "repair-flag" Error CORRUPTED, "P9",
        "The page was written by a repair that did not finish.",
        "Do not trust the tree of this page; look for a copy from before the repair.",
        "catdb-cli dump {file} page {pgno}";
    PageNode "page-node" Error CORRUPTED, "P16 P17",
        "Prefix, suffix, key or data of a node lie outside the node, or are missing.",
        "Look at the line of the page.",
        "catdb-cli dump {file} node {pgno}:{line}";
    PageOrder "page-order" Error CORRUPTED, "P18",
        "Keys on the page are out of order: searches miss entries.",
        "Look at the lines of the page.",
        "catdb-cli dump {file} page {pgno}";
    PageReserved "page-reserved" Warning None, "P19",
        "Reserved bytes of the page header are not zero.",
        "Nothing to do; the engine ignores them.",
        "catdb-cli dump {file} page {pgno}";
    BtreePgno "btree-pgno" Error CORRUPTED, "T1",
        "A page of a tree names a child outside the file.",
        "Look at the line: the rows below it cannot be reached by key.",
        "catdb-cli dump {file} node {pgno}:{line}";
    BtreeShared "btree-shared" Error CORRUPTED, "T2",
        "A page is named twice: by two parents, or by one of its own descendants.",
        "Look at the tree.",
        "catdb-cli dump {file} page {pgno}";
    BtreeObjid "btree-objid" Error CORRUPTED, "T4",
        "A tree names a page that says it belongs to another one.",
        "Look at the page and at the one that names it.",
        "catdb-cli dump {file} page {pgno}";
    BtreeKind "btree-kind" Error CORRUPTED, "T5 T6 T7 T9 T24",
        "The flags of a page do not fit its tree, or its level in the tree.",
        "Look at the header of the page.",
        "catdb-cli dump {file} page {pgno}";
    BtreeEmpty "btree-empty" Error CORRUPTED, "T8",
        "A page inside a tree is empty, or is flagged so.",
        "Look at the page: rows may be gone.",
        "catdb-cli dump {file} page {pgno}";
    BtreeDepth "btree-depth" Error CORRUPTED, "T10",
        "The tree is deeper than any real one: its pages form a loop.",
        "Look at the tree.",
        "catdb-cli dump {file} page {pgno}";
    BtreeSeparator "btree-separator" Error CORRUPTED, "T11 T13 T23",
        "A line of an internal page is no separator with a child.",
        "Look at the line: searches may miss what lies below it.",
        "catdb-cli dump {file} node {pgno}:{line}";
    BtreeBounds "btree-bounds" Error CORRUPTED, "T14 T15",
        "A key lies outside the bounds that the parent gives its page: searches miss it.",
        "Look at the page and at the one above it.",
        "catdb-cli dump {file} node {pgno}:{line}";
    BtreeLink "btree-link" Error Some(JetError::BAD_PAGE_LINK), "T17 T18",
        "A page does not name its neighbours on the same level: scans go astray.",
        "No row is lost to a reader that follows parents.",
        "catdb-cli dump {file} page {pgno}";
    DbtimeBehind "dbtime-behind" Error Some(JetError::DB_TIME_CORRUPTED), "T19",
        "Pages are newer than the header: the header is from before their last change.",
        "Look for the log files: the header does not know of changes that its pages have.",
        "catdb-cli info {file}";
    DbtimeOdd "dbtime-odd" Warning None, "T19",
        "A page has a dbtime that no database gives.",
        "Look at the header of the page.",
        "catdb-cli dump {file} page {pgno}";
    SpaceHeader "space-header" Error CORRUPTED, "S1",
        "The root of a tree has no space header, or one with values that none has.",
        "Look at the space of the tree.",
        "catdb-cli dump {file} space";
    SpaceParent "space-parent" Error CORRUPTED, "S2",
        "The space header of a tree names another parent than the tree that its space was cut from.",
        "Look at the space of the tree.",
        "catdb-cli dump {file} space";
    SpaceRoot "space-root" Error CORRUPTED, "S3",
        "A page of the trees that list the extents of a tree is missing, or is no such page.",
        "Do not let anything write to the database: nobody knows which of its pages are free.",
        "catdb-cli dump {file} space";
    SpaceExtent "space-extent" Error CORRUPTED, "S4",
        "An entry of the trees that list extents is no extent.",
        "Look at the space of the tree.",
        "catdb-cli dump {file} space";
    SpaceOverlap "space-overlap" Error CORRUPTED, "S5",
        "Two extents of one tree share pages.",
        "Look at the space of the tree.",
        "catdb-cli dump {file} space";
    SpaceOwnedTwice "space-owned-twice" Error CORRUPTED, "S7",
        "The extents of two trees contradict each other: both own the same pages, or a tree owns what its parent does not.",
        "Do not let anything write to the database: one tree would overwrite the other.",
        "catdb-cli dump {file} space";
    SpaceAvailNotOwned "space-avail-not-owned" Error CORRUPTED, "S6",
        "A tree lists pages as free that it does not own.",
        "Do not let anything write to the database: pages of another tree could be given out as free.",
        "catdb-cli dump {file} space";
    SpaceUsedPageFree "space-used-page-free" Error CORRUPTED, "S8 T22",
        "A page in use is listed as free: the next write can destroy it.",
        "Do not let anything write to the database.",
        "catdb-cli dump {file} space";
    SpacePageNotOwned "space-page-not-owned" Error CORRUPTED, "S9 T21",
        "A page in use is not among those that its tree owns.",
        "Do not let anything write to the database: the page could be given to another tree.",
        "catdb-cli dump {file} space";
    SpaceSplitBuffer "space-split-buffer" Warning None, "S12",
        "The pages set aside for a split of a space tree are none that the tree could use.",
        "Look at the space of the tree; compacting the database makes it anew.",
        "catdb-cli dump {file} space";
    SpaceLeaked "space-leaked" Info None, "S10 C16",
        "Pages that a tree owns and nothing uses.",
        "Nothing is lost but room; compacting the database gives it back.",
        "catdb-cli dump {file} space";
    CatalogRow "catalog-row" Error CORRUPTED, "C2 C3 C4 C6 C7 C8 C9 C10 C11 C14 C17",
        "A row of the catalog contradicts itself, or other rows.",
        "Compare the row with the one of the shadow catalog, and look for a copy of the file in which both are right.",
        "catdb-cli dump {file} node {pgno}:{line}";
    CatalogShadowDiffers "catalog-shadow-differs" Error CORRUPTED, "C12",
        "The catalog and its shadow disagree in what changes the meaning of data, or one of them lacks a row.",
        "Look at both rows: which of them is right, the data they describe can tell.",
        "catdb-cli dump {file} node {pgno}:{line}";
    CatalogShadowMinor "catalog-shadow-minor" Warning None, "C12",
        "The catalog and its shadow differ in a field that changes nothing.",
        "Nothing to do; no reader goes by this field.",
        "catdb-cli dump {file} node {pgno}:{line}";
    CatalogOdd "catalog-odd" Warning None, "C10 C14",
        "The catalog can be read, but the engine never writes it so.",
        "Nothing is lost; find out which program wrote the file.",
        "catdb-cli dump {file} node {pgno}:{line}";
    CatalogShadowMissing "catalog-shadow-missing" Warning None, "C13",
        "The shadow catalog has no rows: if the catalog is damaged, nothing stands in for it.",
        "Some files are so by design; keep a copy of the file.",
        "catdb-cli dump {file} catalog";
    CatalogLost "catalog-lost" Error CORRUPTED, "05-8",
        "The catalog cannot be read as a whole: tables and columns are known from its shadow, or from single pages.",
        "Work on a copy, look for an older copy of the file, and see which tables are still known.",
        "catdb-cli dump {file} catalog";
    CatalogOrphan "catalog-orphan" Error CORRUPTED, "C5",
        "The catalog names a tree that is not there: its root page is none, or belongs to another tree.",
        "Look at the row, and at the page that it names.",
        "catdb-cli dump {file} catalog";
    RecordFormat "record-format" Error CORRUPTED, "R1 R2 R3 R5 R7 R9 R10 R11 R12",
        "The header of a record, or a place that it gives for a column or a value, is impossible: columns of it are lost or read wrong.",
        "Work on a copy, and look at the record; the other columns of it can be read where their own places are sound.",
        "catdb-cli dump {file} node {pgno}:{line}";
    RecordColumn "record-column" Error CORRUPTED, "R4 R8 R14 R15",
        "A record does not fit its table: a column that the catalog does not have, a value of the wrong size, or none where there must be one. As an info: a value of a column that was deleted.",
        "Look at the record beside the columns of its table: either of the two may be damaged.",
        "catdb-cli dump {file} node {pgno}:{line}";
    RecordOdd "record-odd" Warning None, "R5 R6 R17",
        "A record can be read, but the engine never writes one like it.",
        "Compare the values of the record with what should be there.",
        "catdb-cli dump {file} node {pgno}:{line}";
    RecordKey "record-key" Error CORRUPTED, "R16 I3 I4 I10 I11",
        "The primary key of a row is not that of its columns: searches miss the row, or find it under a wrong key.",
        "Look at the row; either its key or one of its columns is damaged.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvMissing "lv-missing" Error CORRUPTED, "L13 L14 L15 L20 R13",
        "A record refers to a long value that is not there.",
        "Work on a copy, and look for the value in an older one; the other columns of the record can be read.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvChunk "lv-chunk" Error CORRUPTED, "L1 L6 L7 L9 L10 L11 L12 L21",
        "A chunk of a long value is missing, misplaced or has a wrong size, or all chunks together have.",
        "The value is damaged; look at its nodes, and for an older copy of the file.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvRoot "lv-root" Error CORRUPTED, "L2 L3 L4 L5",
        "The root of a long value is malformed, stands at the wrong place, or is missing.",
        "The value is damaged; look at its nodes, and for an older copy of the file.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvRefcountLow "lv-refcount-low" Error CORRUPTED, "L16",
        "More records refer to a long value than it counts: it will be deleted while it is still in use.",
        "Do not let the engine write to the file before its content is exported.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvRefcountHigh "lv-refcount-high" Warning None, "L17",
        "A long value counts more references than there are: it will never be deleted.",
        "No data is lost; compaction writes a right count.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvOrphan "lv-orphan" Warning None, "L18",
        "No record refers to a long value that counts references: it takes up space, or its record is lost.",
        "If no rows are missing, compaction drops it.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvDead "lv-dead" Info None, "L19",
        "Long values that nobody refers to wait for their deletion.",
        "Nothing to do; compaction drops them.",
        "catdb-cli dump {file} node {pgno}:{line}";
    LvCompression "lv-compression" Error Some(JetError::DECOMPRESSION_FAILED), "L8",
        "A compressed value, in a record or in a chunk of a long value, cannot be decompressed.",
        "The value is damaged; look at its nodes, and for an older copy of the file.",
        "catdb-cli dump {file} node {pgno}:{line}";
    IdxEntryMissing "idx-entry-missing" Error SECONDARY_INDEX, "I5",
        "A row has no entry in an index of its table: searches by that index miss it.",
        "The row itself is there; building the index anew mends it.",
        "catdb-cli dump {file} node {pgno}:{line}";
    IdxEntryExtra "idx-entry-extra" Error SECONDARY_INDEX, "I6",
        "An index has an entry that no row of its table asks for: searches lead to nothing, or a row was lost.",
        "Look whether the row that the entry names should exist.",
        "catdb-cli dump {file} node {pgno}:{line}";
    IdxEntryWrong "idx-entry-wrong" Error SECONDARY_INDEX, "I7 I10 I11",
        "An entry of an index has another key, or leads to another row, than the rows of the table say.",
        "The rows themselves are there; building the index anew mends it.",
        "catdb-cli dump {file} node {pgno}:{line}";
    IdxDuplicateKey "idx-duplicate-key" Error Some(JetError::KEY_DUPLICATE), "I8",
        "Two entries of a unique index have equal keys: one of the two rows has to go before the index can be built anew.",
        "Compare the two rows.",
        "catdb-cli dump {file} node {pgno}:{line}";
    IdxUnverifiable "idx-unverifiable" Info None, "I12 I13",
        "Keys of an index were compared only in part: they hold text sorted by Windows' tables, or values that cannot be read here.",
        "Nothing to do; number, shape and rows of the entries were checked.",
        "catdb-cli dump {file} catalog";
}

impl Code {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The code of a published name.
    ///
    /// ```
    /// use ese_core::finding::Code;
    /// assert_eq!(Code::from_name("page-ecc"), Some(Code::PageEcc));
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name_a_meaning_and_a_command() {
        for (i, code) in Code::ALL.iter().enumerate() {
            let info = code.info();
            assert_eq!(Code::from_name(info.name), Some(*code));
            assert!(Code::ALL[..i].iter().all(|other| other.name() != info.name));
            assert!(info.meaning.ends_with('.') && info.next.advice.ends_with('.'), "{code}");
            assert!(!info.next.command.is_empty(), "{code}");
        }
    }

    #[test]
    fn errors_of_the_engine_have_its_number() {
        assert_eq!(Code::PageChecksum.info().jet, Some(JetError(-1018)));
        assert_eq!(Code::PageOverlap.info().jet, Some(JetError(-1206)));
        assert_eq!(Code::DbDirty.info().jet, Some(JetError(-550)));
    }
}
