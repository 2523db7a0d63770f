//! How a caller follows a long run, and ends it.

/// A part of a run that has a progress of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Both headers are bad: the page size is looked for.
    Probe,
    /// The catalog and the space trees are read.
    Catalog,
    /// Every page is read once, in file order.
    Pages,
    /// Trees are walked, with their rows, long values and index entries.
    Trees,
}

impl Phase {
    /// A word or two for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Probe => "finding the page size",
            Phase::Catalog => "reading the catalog",
            Phase::Pages => "checking pages",
            Phase::Trees => "checking trees",
        }
    }
}

/// What a caller hears while it waits. Called from several threads at once; `()` hears nothing and never cancels.
pub trait Progress: Sync {
    /// A phase begins; `total` is its size in bytes.
    fn begin(&self, _phase: Phase, _total: u64) {}

    /// `bytes` more are done.
    fn advance(&self, _bytes: u64) {}

    /// True to end the run; asked at least once every 256 KiB.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Progress for () {}
