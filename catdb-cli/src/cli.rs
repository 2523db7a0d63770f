//! What can be typed: arguments, options, help. No work is done here.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use ese_core::format::Pgno;

use crate::catdb::Algorithm;
use crate::export::wanted::Condition;

/// Verifies, reads and explains catdb and other ESE (JET Blue) databases. Inputs are never changed.
#[derive(Debug, Parser)]
#[command(name = "catdb-cli", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// No progress and no remarks on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

const EXAMPLES: &str = "Examples:
  catdb-cli verify catdb
  catdb-cli verify --recursive --format json catroot2/ > report.json
  catdb-cli export SRUDB.dat --out srum --format parquet
  catdb-cli lookup --db catdb --file ntfs.sys

Exit codes: 0 nothing wrong, 1 something found, 2 could not do it, 130 interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find damage, and say where: page, byte offset, JET error, table
    Verify(VerifyArgs),
    /// Show both header copies: state, versions, times and counters
    Info(InfoArgs),
    /// Show a page, a node, a tree, the catalog or the space of a database as it stands, damaged or not
    Dump(DumpArgs),
    /// List the tables of a database with their rows
    Tables(TablesArgs),
    /// Show columns and indexes of every table
    Schema(SchemaArgs),
    /// Write tables as JSON Lines, CSV, SQLite or Parquet
    Export(ExportArgs),
    /// List what a catdb holds: hashes, and the catalogs that name them
    Entries(EntriesArgs),
    /// Say which catalogs of a catdb name a file
    Lookup(LookupArgs),
    /// Say what a finding or a JET error means, and what to do next
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli verify catdb
  catdb-cli verify --format json --sha256 --fail-on warning catdb > report.json")]
pub(crate) struct VerifyArgs {
    /// Databases; `-` reads one from standard input; folders with --recursive
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How far to look
    #[arg(long, value_enum, default_value_t = LevelArg::Full)]
    pub(crate) level: LevelArg,
    /// How to answer
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
    /// Look through folders for databases, by content
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Show every finding, not only the first twenty (text)
    #[arg(long)]
    pub(crate) all: bool,
    /// Show the bytes around each finding (text)
    #[arg(long)]
    pub(crate) hex: bool,
    /// Add the SHA-256 of each input
    #[arg(long)]
    pub(crate) sha256: bool,
    /// Map files into memory: faster on some disks, but a failing sector then ends the program
    #[arg(long)]
    pub(crate) mmap: bool,
    /// Threads to use (default: all cores); the report does not depend on it
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Folder for temporary files, where something to be compared does not fit in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) tmpdir: Option<PathBuf>,
    /// Findings to keep for each file; more are only counted
    #[arg(long, value_name = "N", default_value_t = ese_core::verify::DEFAULT_MAX_FINDINGS)]
    pub(crate) max_findings: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli info catdb
  catdb-cli info --format json catdb")]
pub(crate) struct InfoArgs {
    /// A database; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub(crate) format: DocumentFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli dump catdb page 31
  catdb-cli dump catdb node 31:4
  catdb-cli dump catdb tree MSysObjects.Name
  catdb-cli dump --format json catdb catalog")]
pub(crate) struct DumpArgs {
    /// A database; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What to show
    #[command(subcommand)]
    pub(crate) view: DumpView,
    /// How to answer
    #[arg(long, global = true, value_enum, default_value_t = DocumentFormat::Text)]
    pub(crate) format: DocumentFormat,
    /// Keys and values in full length, and all columns of each record
    #[arg(long, global = true)]
    pub(crate) full: bool,
    /// All pages and extents, not only the first of them
    #[arg(long, global = true)]
    pub(crate) all: bool,
    /// And the bytes themselves
    #[arg(long, global = true)]
    pub(crate) hex: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DumpView {
    /// Both header copies, as `catdb-cli info` shows them (esentutl /mh)
    Header,
    /// One page: checksum, owner, header, tags, a line for each node, and what is wrong with it (esentutl /mp)
    Page {
        /// The page, 1-based: 31 or 0x1f
        #[arg(value_parser = page_number)]
        pgno: Pgno,
    },
    /// One node in all detail, a record column by column (esentutl /mn)
    Node {
        /// The page and the line on it: 31:4 or 0x1f:4; line 0 is tag 0
        #[arg(value_name = "PGNO:LINE", value_parser = node_place)]
        place: NodePlace,
    },
    /// The shape of one tree: its levels and its pages
    Tree {
        /// A table, `TABLE.INDEX`, `TABLE.LV` or `database`; an objid or a root page (31, 0x1f, root:31)
        #[arg(value_name = "TREE")]
        tree: String,
    },
    /// Tables, columns and indexes, and where their trees begin (esentutl /mm)
    Catalog,
    /// Which pages each tree owns and which of them are free (esentutl /ms)
    Space,
}

/// A line of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NodePlace {
    pub(crate) pgno: Pgno,
    pub(crate) line: usize,
}

/// A number in decimal, or in hex behind `0x`.
pub(crate) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn page_number(text: &str) -> Result<Pgno, String> {
    number(text).map(Pgno).ok_or_else(|| "expected a page number such as 31 or 0x1f".to_owned())
}

fn node_place(text: &str) -> Result<NodePlace, String> {
    let parts = text.split_once(':').and_then(|(pgno, line)| Some((number(pgno)?, number(line)?)));
    let place = parts.and_then(|(pgno, line)| Some(NodePlace { pgno: Pgno(pgno), line: usize::try_from(line).ok()? }));
    place.ok_or_else(|| "expected a page and a line such as 31:4 or 0x1f:4".to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli tables SRUDB.dat
  catdb-cli tables --system --format json catdb")]
pub(crate) struct TablesArgs {
    /// A database; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub(crate) format: DocumentFormat,
    /// The tables of the engine too
    #[arg(long)]
    pub(crate) system: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli schema catdb
  catdb-cli schema --report catdb > schema-to-share.txt")]
pub(crate) struct SchemaArgs {
    /// A database; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub(crate) format: DocumentFormat,
    /// Only this table; may be given again
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// The tables of the engine too
    #[arg(long)]
    pub(crate) system: bool,
    /// For sharing: names and types only, no default values, pages, ids or file name
    #[arg(long)]
    pub(crate) report: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli export SRUDB.dat --out srum --format csv
  catdb-cli export catdb --out - --table HashCatNameTable --where HashCatNameTable_CatNameCol=NT5.CAT

What could not be read is told on standard error and in manifest.json, with page and line; the exit code is then 1.")]
pub(crate) struct ExportArgs {
    /// A database; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// A folder, new or empty; `-` writes JSON Lines, or one table as CSV, to standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Only this table; may be given again
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// Only rows with this value (as it is shown; binary as hex); all must hold if given again
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub(crate) conditions: Vec<Condition>,
    /// By type, or the stored bytes as hex
    #[arg(long, value_enum, default_value_t = ValuesArg::Typed)]
    pub(crate) values: ValuesArg,
    /// Add page and line of each row
    #[arg(long)]
    pub(crate) provenance: bool,
    /// Add the stored keys of each row in all indexes
    #[arg(long)]
    pub(crate) keys: bool,
    /// Add rows that are flagged deleted, marked
    #[arg(long)]
    pub(crate) deleted: bool,
    /// The tables of the engine too
    #[arg(long)]
    pub(crate) system: bool,
    /// Add the SHA-256 of the input to manifest.json; Parquet files always have it
    #[arg(long)]
    pub(crate) sha256: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli entries --format csv catdb > entries.csv
  catdb-cli entries --catalog NT5.CAT catdb")]
pub(crate) struct EntriesArgs {
    /// A catdb; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to answer
    #[arg(long, value_enum, default_value_t = EntriesFormat::Text)]
    pub(crate) format: EntriesFormat,
    /// Only this hash, in hex
    #[arg(long, value_name = "HEX", value_parser = hash)]
    pub(crate) hash: Option<Hash>,
    /// Only entries that name this catalog; upper and lower case are the same
    #[arg(long, value_name = "NAME")]
    pub(crate) catalog: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli lookup --db catdb --file ntfs.sys
  catdb-cli lookup --db catdb --hash 000249383abef50b18d569d2242adddcc5a6402f

Exit code 0 if a catalog names it, 1 if none does.")]
#[command(group = ArgGroup::new("what").required(true).args(["hash", "file"]))]
pub(crate) struct LookupArgs {
    /// A catdb
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
    /// A SHA-1 or SHA-256, in hex
    #[arg(long, value_name = "HEX", value_parser = hash)]
    pub(crate) hash: Option<Hash>,
    /// A file, by its own hashes: of all bytes, and of a program without its signature
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub(crate) format: DocumentFormat,
}

/// The bytes of a hash.
pub(crate) type Hash = Box<[u8]>;

/// A hash in hex.
fn hash(text: &str) -> Result<Hash, String> {
    let bytes = hex::decode(text).map_err(|error| format!("expected hex digits: {error}"))?;
    match Algorithm::of_size(bytes.len()) {
        Some(_) => Ok(bytes.into()),
        None => Err(format!("expected 40 digits (SHA-1) or 64 (SHA-256), found {}", text.len())),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  catdb-cli explain page-checksum
  catdb-cli explain -- -1018")]
pub(crate) struct ExplainArgs {
    /// A finding code, a JET error number or name, or an HRESULT such as 0x8e5e03fa; all codes if left out
    #[arg(value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) code: Option<String>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes this the choice for all output; `auto` also honours NO_COLOR and CLICOLOR.
    fn choice(self) -> anstream::ColorChoice {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }

    pub(crate) fn write_global(self) {
        self.choice().write_global();
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LevelArg {
    /// Header, and the checksum of every page
    Checksum,
    /// And the structure of each page
    Pages,
    /// And trees, space, catalog, records, long values and indexes
    Full,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// One document
    Json,
    /// One finding a line
    Jsonl,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// For people
    Text,
    /// One document
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A JSON object a line, a file for each table
    Jsonl,
    /// For people and spreadsheets, a file for each table
    Csv,
    /// One database
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// A file for each table
    #[cfg(feature = "parquet")]
    Parquet,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ValuesArg {
    /// Numbers, text, times in UTC, GUIDs; binary as hex
    Typed,
    /// The stored bytes of each value as hex
    Raw,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum EntriesFormat {
    /// For people
    Text,
    /// For spreadsheets
    Csv,
    /// A JSON object a line
    Jsonl,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For people
    Text,
    /// As docs/findings.md has it
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FailOn {
    /// Damage
    Error,
    /// Damage or warnings
    Warning,
}
