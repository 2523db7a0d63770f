//! What can be typed: arguments, options, help. No work is done here.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ese_core::format::Pgno;

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

Exit codes: 0 nothing wrong, 1 something found, 2 could not do it, 130 interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find damage, and say where: page, byte offset, JET error, table
    Verify(VerifyArgs),
    /// Show both header copies: state, versions, times and counters
    Info(InfoArgs),
    /// Show a page, a node, a tree, the catalog or the space of a database as it stands, damaged or not
    Dump(DumpArgs),
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
