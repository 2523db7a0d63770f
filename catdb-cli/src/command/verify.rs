//! `verify`: finds damage and says where.

use std::io::{self, Write};
use std::path::Path;

use ese_core::source::ByteSource;
use ese_core::verify::{Level, Verdict, Verifier, VerifyError};

use super::Outcome;
use crate::cli::{FailOn, LevelArg, ReportFormat, VerifyArgs};
use crate::input::{self, Access};
use crate::interrupt::Interrupt;
use crate::render::progress::Bar;
use crate::render::refusal::Refusal;
use crate::render::{json, text};

/// What became of one input.
pub(crate) struct Verified<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: Option<u64>,
    pub(crate) sha256: Option<String>,
    pub(crate) result: Result<ese_core::verify::Report, Refusal>,
}

pub(crate) fn run(args: &VerifyArgs, quiet: bool, interrupt: &Interrupt) -> io::Result<Outcome> {
    let paths = if args.recursive { input::expand(&args.files, interrupt) } else { args.files.clone() };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let mut worst = Outcome::Fine;
    let mut document = json::VerifyDocument::new();
    if args.format == ReportFormat::Jsonl {
        json::write_line(&mut out, &json::VerifyDocument::new())?;
    }
    for path in &paths {
        let source = open(path, args, interrupt);
        let verified = verify(path, source.as_deref(), args, quiet, interrupt);
        if interrupt.is_set() {
            return Ok(Outcome::Interrupted);
        }
        worst = worst.max(outcome(&verified, args.fail_on));
        match args.format {
            ReportFormat::Text => {
                let look = text::Look { all: args.all, hex: source.as_deref().ok().filter(|_| args.hex) };
                text::verdict(&mut out, &verified, &look)?;
            }
            ReportFormat::Json => document.add(&verified),
            ReportFormat::Jsonl => json::write_lines(&mut out, &verified)?,
        }
        out.flush()?;
    }
    if args.format == ReportFormat::Json {
        json::write_document(&mut out, &document)?;
    }
    out.flush()?;
    Ok(worst)
}

fn open(path: &Path, args: &VerifyArgs, interrupt: &Interrupt) -> Result<Box<dyn ByteSource>, Refusal> {
    let access = if args.mmap { Access::Map } else { Access::Read };
    input::open(path, access, interrupt).map_err(|error| {
        if args.recursive && path.is_dir() {
            Refusal::nothing_in_folder(path)
        } else {
            Refusal::not_opened(path, &error)
        }
    })
}

fn verify<'a>(
    path: &'a Path,
    source: Result<&dyn ByteSource, &Refusal>,
    args: &VerifyArgs,
    quiet: bool,
    interrupt: &Interrupt,
) -> Verified<'a> {
    let source = match source {
        Ok(source) => source,
        Err(refusal) => return Verified { path, bytes: None, sha256: None, result: Err(refusal.clone()) },
    };
    let bar = Bar::new(path, quiet, interrupt);
    let result = Verifier::new(source)
        .level(match args.level {
            LevelArg::Checksum => Level::Checksum,
            LevelArg::Pages => Level::Pages,
            LevelArg::Full => Level::Full,
        })
        .threads(args.threads)
        .max_findings(args.max_findings)
        .temporary_folder(args.tmpdir.as_deref())
        .progress(&bar)
        .run();
    bar.finish();
    let sha256 = args.sha256.then(|| input::sha256(source, interrupt)).flatten();
    let result = result.map_err(|error: VerifyError| Refusal::not_verified(path, &error));
    Verified { path, bytes: Some(source.len()), sha256, result }
}

fn outcome(verified: &Verified<'_>, fail_on: FailOn) -> Outcome {
    match &verified.result {
        Err(_) => Outcome::Failed,
        Ok(report) => match (report.verdict(), fail_on) {
            (Verdict::Damaged, _) | (Verdict::Warnings, FailOn::Warning) => Outcome::Found,
            (Verdict::Warnings, FailOn::Error) | (Verdict::Intact, _) => Outcome::Fine,
        },
    }
}
