//! The checks: one file for each family, one function for each thing that must hold.
//!
//! A check reports findings and never decides what happens next; it reads nothing but what it is given.

pub mod catalog;
pub mod header;
pub mod index;
pub mod long_value;
pub mod page;
pub mod record;
pub mod space;
pub mod tree;

use std::fmt::Write;

use crate::finding::Severity;
use crate::format::DbState;

/// How a database was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown {
    /// All its pages are from one moment.
    Clean,
    /// Some pages were written and others not yet: what contradicts each other between pages may be no damage.
    Dirty,
}

impl Shutdown {
    /// How a database in `state` was left. A state that does not exist excuses nothing.
    #[must_use]
    pub const fn of(state: DbState) -> Shutdown {
        match state {
            DbState::DirtyShutdown | DbState::IncrementalReseed | DbState::DirtyAndPatched | DbState::Reverting => {
                Shutdown::Dirty
            }
            DbState::JustCreated
            | DbState::CleanShutdown
            | DbState::BeingConverted
            | DbState::ForceDetach
            | DbState::Unknown(_) => Shutdown::Clean,
        }
    }

    /// The most that a contradiction between pages can weigh.
    #[must_use]
    pub const fn heaviest(self) -> Severity {
        match self {
            Shutdown::Clean => Severity::Error,
            Shutdown::Dirty => Severity::Warning,
        }
    }
}

/// The first bytes of a key in hex, for messages.
pub(crate) fn start_of<'k>(key: impl IntoIterator<Item = &'k u8>) -> String {
    const SHOWN: usize = 16;
    let mut text = String::new();
    for (place, byte) in key.into_iter().take(SHOWN + 1).enumerate() {
        let _ = if place < SHOWN { write!(text, "{byte:02x}") } else { write!(text, "...") };
    }
    text
}
