//! Generations of catdb as data: `data/profiles.toml`, and which one a database is (spec 14 sections 0.2 and 5).

use ese_core::format::ColumnType;
use serde::Deserialize;

use crate::export::TableInfo;

/// The data, as built in.
const DATA: &str = include_str!("../../data/profiles.toml");

/// Name of the table of `catdb-2003`, which is also that of a generation that nobody has seen.
const TABLE_2003: &str = "HashCatNameTable";

#[derive(Deserialize)]
struct File {
    profile: Vec<Profile>,
}

/// How sure a profile is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confidence {
    /// Read off real files.
    Measured,
    /// Names as published readers have them, the rest assumed.
    Published,
}

/// How an entry reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// Each value is one name, UTF-16 with a NUL.
    #[serde(rename = "multi-value-utf16le-nul")]
    MultiValueUtf16Nul,
    /// One value, UTF-8, a `|` behind each name.
    Utf8PipeTerminated,
}

/// What a hash was computed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    Sha1,
    Sha256,
}

impl Algorithm {
    /// Its name in outputs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
        }
    }

    /// The algorithm whose hashes have `bytes` bytes.
    pub(crate) const fn of_size(bytes: usize) -> Option<Algorithm> {
        match bytes {
            20 => Some(Algorithm::Sha1),
            32 => Some(Algorithm::Sha256),
            _ => None,
        }
    }
}

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// One row for each hash.
    Entries,
    /// Made from the entries: never compared.
    Derived,
}

/// One generation: what a reader of it must know.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) confidence: Confidence,
    /// Tables of which one at least is there.
    detect_tables: Vec<String>,
    pub(crate) entry_encoding: Encoding,
    pub(crate) names_column: String,
    pub(crate) hash_column: String,
    #[serde(rename = "table")]
    pub(crate) tables: Vec<ProfileTable>,
}

/// One table of a generation.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct ProfileTable {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Of the hashes in it; none in derived tables.
    #[serde(default)]
    pub(crate) algorithms: Vec<Algorithm>,
    columns: Vec<ProfileColumn>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
struct ProfileColumn {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
}

/// All generations, oldest first.
///
/// # Errors
/// If the data that are built in cannot be read.
pub(crate) fn profiles() -> Result<Vec<Profile>, toml::de::Error> {
    toml::from_str::<File>(DATA).map(|file| file.profile)
}

/// What a database turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Detected {
    /// A generation that has a profile. Tables of it that are absent are named.
    Known { profile: Profile, absent: Vec<String> },
    /// The table of 2003 with the column type of 10: read as the profile says, which is that of 10.
    Unknown { profile: Profile },
}

impl Detected {
    /// The profile to read by.
    pub(crate) fn profile(&self) -> &Profile {
        match self {
            Detected::Known { profile, .. } | Detected::Unknown { profile } => profile,
        }
    }

    /// Its name in reports.
    pub(crate) fn id(&self) -> &str {
        match self {
            Detected::Known { profile, .. } => &profile.id,
            Detected::Unknown { .. } => "catdb-unknown",
        }
    }

    /// The tables with entries, of those in `tables`.
    pub(crate) fn entry_tables<'t>(&self, tables: &'t [TableInfo]) -> Vec<&'t TableInfo> {
        let wanted = |table: &&TableInfo| match self {
            Detected::Unknown { .. } => table.name == TABLE_2003,
            Detected::Known { profile, .. } => {
                profile.tables.iter().any(|of| of.role == Role::Entries && of.name == table.name)
            }
        };
        tables.iter().filter(wanted).collect()
    }
}

/// The generation of a database with these tables; `None` if it is no catdb.
pub(crate) fn detect(tables: &[TableInfo], profiles: &[Profile]) -> Option<Detected> {
    let table = |name: &str| tables.iter().find(|table| table.name == name);
    let fits = |profile: &&Profile| {
        profile.detect_tables.iter().any(|name| table(name).is_some_and(|table| names_type(profile, name, table)))
    };
    // Newest first: a table of a later generation decides.
    if let Some(profile) = profiles.iter().rev().find(fits) {
        let entries = profile.tables.iter().filter(|of| of.role == Role::Entries);
        let absent = entries.filter(|of| table(&of.name).is_none()).map(|of| of.name.clone()).collect();
        return Some(Detected::Known { profile: profile.clone(), absent });
    }
    let odd = table(TABLE_2003)?;
    let piped = profiles.iter().find(|profile| profile.entry_encoding == Encoding::Utf8PipeTerminated)?;
    let column = odd.columns.iter().find(|column| column.name == piped.names_column)?;
    column.column_type.is_binary().then(|| Detected::Unknown { profile: piped.clone() })
}

/// True if the column of names has the type that the profile says.
fn names_type(profile: &Profile, name: &str, table: &TableInfo) -> bool {
    let declared = profile
        .tables
        .iter()
        .find(|of| of.name == name)
        .and_then(|of| of.columns.iter().find(|column| column.name == profile.names_column));
    let found = table.columns.iter().find(|column| column.name == profile.names_column);
    match (declared, found.map(|column| column.column_type)) {
        (Some(declared), Some(found)) => same_family(&declared.type_name, found),
        _ => false,
    }
}

/// Long or short does not matter: text is text.
fn same_family(declared: &str, found: ColumnType) -> bool {
    let declared = ColumnType::ALL.into_iter().find(|column_type| column_type.name() == declared);
    declared.is_some_and(|declared| {
        declared == found || declared.is_text() && found.is_text() || declared.is_binary() && found.is_binary()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::ColumnInfo;
    use ese_core::format::ColumnFlags;

    fn table(name: &str, names_type: ColumnType) -> TableInfo {
        let column = |name: &str, column_type| ColumnInfo {
            name: name.to_owned(),
            id: 256,
            column_type,
            code_page: 0,
            max_len: 0,
            flags: ColumnFlags::empty(),
        };
        let columns = vec![
            column("HashCatNameTable_HashCol", ColumnType::Binary),
            column("HashCatNameTable_CatNameCol", names_type),
        ];
        TableInfo { name: name.to_owned(), columns, indexes: Vec::new() }
    }

    fn detected(tables: &[TableInfo]) -> Option<Detected> {
        detect(tables, &profiles().unwrap())
    }

    #[test]
    fn the_data_that_are_built_in_can_be_read() {
        let profiles = profiles().unwrap();
        let ids: Vec<&str> = profiles.iter().map(|profile| profile.id.as_str()).collect();
        assert_eq!(ids, ["catdb-2003", "catdb-10"]);
        assert_eq!(profiles[0].confidence, Confidence::Measured);
        assert_eq!(profiles[1].confidence, Confidence::Published);
        assert_eq!(profiles[1].tables[1].algorithms, [Algorithm::Sha256]);
        for column in profiles.iter().flat_map(|profile| &profile.tables).flat_map(|table| &table.columns) {
            assert!(ColumnType::ALL.iter().any(|of| of.name() == column.type_name), "{}", column.type_name);
        }
    }

    #[test]
    fn the_tables_that_are_there_tell_the_generation() {
        let old = table("HashCatNameTable", ColumnType::Text);
        assert_eq!(detected(std::slice::from_ref(&old)).unwrap().id(), "catdb-2003");

        let new = [table("HashCatNameTableSHA256", ColumnType::LongBinary), old];
        let found = detected(&new).unwrap();
        assert_eq!(found.id(), "catdb-10");
        assert!(matches!(&found, Detected::Known { absent, .. } if absent == &["HashCatNameTableSHA1"]));
        let entries: Vec<&str> = found.entry_tables(&new).iter().map(|table| table.name.as_str()).collect();
        assert_eq!(entries, ["HashCatNameTableSHA256"]);
    }

    #[test]
    fn an_old_table_with_a_new_column_is_said_to_be_unknown() {
        let tables = [table("HashCatNameTable", ColumnType::LongBinary)];
        let found = detected(&tables).unwrap();
        assert_eq!(found.id(), "catdb-unknown");
        assert_eq!(found.profile().entry_encoding, Encoding::Utf8PipeTerminated);
        assert_eq!(found.entry_tables(&tables).len(), 1);
    }

    #[test]
    fn anything_else_is_no_catdb() {
        assert_eq!(detected(&[]), None);
        assert_eq!(detected(&[table("hashcatnametable", ColumnType::Text)]), None);
        assert_eq!(detected(&[table("HashCatNameTable", ColumnType::Long)]), None);
        let mut without = table("HashCatNameTableSHA1", ColumnType::LongBinary);
        without.columns.clear();
        assert_eq!(detected(&[without]), None);
    }

    #[test]
    fn the_size_of_a_hash_tells_its_algorithm() {
        assert_eq!(Algorithm::of_size(20), Some(Algorithm::Sha1));
        assert_eq!(Algorithm::of_size(32), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::of_size(16), None);
    }
}
