//! `catdb-cli`: verifies, reads and explains catdb and other ESE databases.
//!
//! Exit codes: 0 as asked and nothing wrong; 1 findings at or above `--fail-on`; 2 the command could not do its work;
//! 130 interrupted. A reader that closes the pipe early is no failure: exit 0.

// The commands over tables use these three; until then only their tests do.
#[allow(dead_code)]
mod catdb;
mod cli;
mod command;
#[allow(dead_code)]
mod export;
#[allow(dead_code)]
mod file_hash;
mod input;
mod interrupt;
mod render;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use command::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.write_global();
    let interrupt = interrupt::install();
    let outcome = match cli.command {
        Command::Verify(args) => command::verify::run(&args, cli.quiet, &interrupt),
        Command::Info(args) => command::info::run(&args),
        Command::Dump(args) => command::dump::run(&args),
        Command::Explain(args) => command::explain::run(&args),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Outcome::Fine.into(),
        Err(error) => {
            eprintln!("catdb-cli: cannot write the answer: {error}");
            Outcome::Failed.into()
        }
    }
}
