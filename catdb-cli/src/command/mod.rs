//! One file for each command: takes arguments, calls the library, hands the result to a renderer.

pub(crate) mod dump;
pub(crate) mod explain;
pub(crate) mod info;
pub(crate) mod verify;

use std::process::ExitCode;

use crate::interrupt::EXIT_INTERRUPTED;

/// How a command ended; the worst of several counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    /// As asked, and nothing wrong.
    Fine,
    /// Something was found.
    Found,
    /// The work could not be done.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Found => 1,
            Outcome::Failed => 2,
            Outcome::Interrupted => EXIT_INTERRUPTED,
        })
    }
}
