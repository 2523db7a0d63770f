//! `le_dbstate`: in which state a database was left (spec 01 section 6).
//!
//! Names what is stored; whether that state is lawful or what to do about it is for the checks.

use std::fmt;

use super::stored::stored;

/// State of a database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DbState {
    /// 1: made, never attached.
    JustCreated,
    /// 2: in use, or not shut down: what was committed may be only in the logs.
    DirtyShutdown,
    /// 3: everything is in the file.
    CleanShutdown,
    /// 4: the format is being converted.
    BeingConverted,
    /// 5: detached by force (old).
    ForceDetach,
    /// 6: pages are being replaced by those of another copy.
    IncrementalReseed,
    /// 7: as dirty, after pages were replaced: needs all its required logs.
    DirtyAndPatched,
    /// 8: being taken back to a snapshot.
    Reverting,
    /// Any other number.
    Unknown(u32),
}

impl DbState {
    /// The state a stored number means.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::JustCreated,
            2 => Self::DirtyShutdown,
            3 => Self::CleanShutdown,
            4 => Self::BeingConverted,
            5 => Self::ForceDetach,
            6 => Self::IncrementalReseed,
            7 => Self::DirtyAndPatched,
            8 => Self::Reverting,
            other => Self::Unknown(other),
        }
    }

    /// A stable name for reports and data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JustCreated => "just-created",
            Self::DirtyShutdown => "dirty-shutdown",
            Self::CleanShutdown => "clean-shutdown",
            Self::BeingConverted => "being-converted",
            Self::ForceDetach => "force-detach",
            Self::IncrementalReseed => "incremental-reseed",
            Self::DirtyAndPatched => "dirty-and-patched",
            Self::Reverting => "reverting",
            Self::Unknown(_) => "unknown",
        }
    }

    /// True if nothing is left to do: the file alone is the whole database.
    #[must_use]
    pub const fn is_clean(self) -> bool {
        matches!(self, Self::CleanShutdown)
    }
}

stored! {
    DbState: 4, |bytes| DbState::from_code(u32::from_le_bytes(bytes));
}

/// The name; with the number where the state is unknown.
impl fmt::Display for DbState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Self::Unknown(code) = self { write!(f, " ({code})") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_states_have_names_of_their_own() {
        let names = (1..=8).map(|code| DbState::from_code(code).to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(
            names,
            "just-created dirty-shutdown clean-shutdown being-converted force-detach incremental-reseed \
             dirty-and-patched reverting"
        );
    }

    #[test]
    fn a_number_that_is_no_state_is_kept() {
        assert_eq!(DbState::from_code(0), DbState::Unknown(0));
        assert_eq!(DbState::from_code(9).to_string(), "unknown (9)");
    }

    #[test]
    fn only_clean_shutdown_is_clean() {
        assert_eq!((0..10).filter(|code| DbState::from_code(*code).is_clean()).collect::<Vec<_>>(), [3]);
    }
}
