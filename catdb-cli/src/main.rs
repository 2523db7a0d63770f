//! `catdb-cli`: verifies, reads and explains catdb and other ESE databases.
//!
//! Exit codes: 0 as asked and nothing wrong; 1 findings at or above `--fail-on`, something that could not be read, or
//! nothing found; 2 the command could not do its work;
//! 130 interrupted. A reader that closes the pipe early is no failure: exit 0.

mod catdb;
mod cli;
mod command;
mod export;
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
        Command::Tables(args) => command::tables::run(&args, cli.quiet, &interrupt),
        Command::Schema(args) => command::schema::run(&args),
        Command::Export(args) => command::export::run(&args, cli.quiet, &interrupt),
        Command::Entries(args) => command::entries::run(&args, cli.quiet, &interrupt),
        Command::Lookup(args) => command::lookup::run(&args, &interrupt),
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
