//! Changes one metadata byte of a sound database at a time, makes the checksum right, and counts what `verify` sees.
//!
//! The last line is the score: the share of the changes of meaning that show as an error or a warning. Ends with 1 if it
//! is below `--least`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use catdb_fuzz::mutation_score::{self, Base, Plan};
use catdb_test_data::corpus;
use clap::Parser;

/// Counts which changes of one byte the verifier sees.
#[derive(Parser)]
struct Options {
    /// Sound databases, plain or gzipped; those of test-data if none is named
    #[arg(value_name = "FILE")]
    bases: Vec<PathBuf>,
    /// Changes of each field, over all databases
    #[arg(long, value_name = "N", default_value_t = 100)]
    per_field: usize,
    /// Number from which all changes follow
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Databases verified at once
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// Least score in percent
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    least: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut bases = Vec::new();
    for path in &options.bases {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let bytes = if path.extension().is_some_and(|extension| extension == "gz") {
            corpus::unpack(path)
        } else {
            match std::fs::read(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    eprintln!("error: {}: {error}", path.display());
                    return ExitCode::from(2);
                }
            }
        };
        bases.push(Base { name, bytes });
    }
    if bases.is_empty() {
        bases = mutation_score::fixtures();
    }
    let plan = Plan { per_field: options.per_field, seed: options.seed, threads: options.threads };
    match mutation_score::run(&bases, plan) {
        Ok(score) => {
            print!("{score}");
            if score.percent() < options.least { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
