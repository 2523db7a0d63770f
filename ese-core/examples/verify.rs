//! Whether a database is sound, and where it is not.
//!
//!     cargo run -p ese-core --example verify -- catdb

use std::error::Error;
use std::process::ExitCode;

use ese_core::source::FileSource;
use ese_core::verify::{Level, Verdict, Verifier};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which database?")?;
    let source = FileSource::open(path.as_ref())?;

    // An error is a file that is no database. A damaged database is a report.
    let report = Verifier::new(&source).level(Level::Full).run()?;
    for finding in report.findings() {
        println!("{:#x}: {}: {}", finding.offset, finding.code, finding.message);
        if let Some(jet) = finding.jet {
            println!("    Windows says {jet}");
        }
    }
    for skipped in &report.not_checked {
        println!("not known: {}, because {}", skipped.what, skipped.why);
    }
    Ok(match report.verdict() {
        Verdict::Damaged => ExitCode::FAILURE,
        Verdict::Warnings | Verdict::Intact => ExitCode::SUCCESS,
    })
}
