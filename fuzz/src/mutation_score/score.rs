//! What came of the mutations, by field and by what the changes do.

use std::collections::BTreeMap;
use std::fmt;

use ese_core::finding::Severity;
use ese_core::format::Pgno;

use super::Effect;

/// Survivors that a row names.
const NAMED: usize = 4;

/// What came of one mutation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) effect: Effect,
    /// The weightiest new finding.
    pub(super) seen: Option<Severity>,
}

/// A mutation that no error or warning shows.
#[derive(Clone, Debug)]
pub struct Survivor {
    /// The database.
    pub base: String,
    /// The page.
    pub pgno: Pgno,
    /// The byte of the page.
    pub at: usize,
    /// What stood there.
    pub before: u8,
    /// What stands there now.
    pub after: u8,
}

/// Mutations of one field that do the same.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// All of them.
    pub mutations: u64,
    /// Those that show as an error.
    pub errors: u64,
    /// Those that show as a warning, and no error.
    pub warnings: u64,
    /// Those that show as information alone.
    pub infos: u64,
    /// The first of those that show as no more than information.
    pub survivors: Vec<Survivor>,
}

impl Row {
    /// Those that show as no more than information.
    #[must_use]
    pub fn survived(&self) -> u64 {
        self.mutations - self.errors - self.warnings
    }
}

/// The result of a run.
#[derive(Clone, Debug, Default)]
pub struct Score {
    rows: BTreeMap<(Effect, String), Row>,
}

impl Score {
    pub(super) fn add(&mut self, field: &str, outcome: Outcome, survivor: impl FnOnce() -> Survivor) {
        let row = self.rows.entry((outcome.effect, field.to_owned())).or_default();
        row.mutations += 1;
        match outcome.seen {
            Some(Severity::Error) => row.errors += 1,
            Some(Severity::Warning) => row.warnings += 1,
            Some(Severity::Info) => row.infos += 1,
            None => {}
        }
        if outcome.seen < Some(Severity::Warning) && row.survivors.len() < NAMED {
            row.survivors.push(survivor());
        }
    }

    /// The rows: by what the changes do, then by field.
    pub fn rows(&self) -> impl Iterator<Item = (Effect, &str, &Row)> {
        self.rows.iter().map(|((effect, field), row)| (*effect, field.as_str(), row))
    }

    /// Of the changes of meaning, those that were seen, and all.
    #[must_use]
    pub fn of_meaning(&self) -> (u64, u64) {
        let rows = self.rows().filter(|(effect, _, _)| *effect == Effect::Meaning);
        rows.fold((0, 0), |(seen, all), (_, _, row)| (seen + row.mutations - row.survived(), all + row.mutations))
    }

    /// The share of the changes of meaning that were seen, in percent; 100 if there was none.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (seen, all) = self.of_meaning();
        if all == 0 {
            return 100.0;
        }
        // Counts of a run stay far below what a double holds exactly.
        #[allow(clippy::cast_precision_loss)] // counts of changes are far below 2^53
        let percent = 100.0 * seen as f64 / all as f64;
        percent
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = None;
        for (effect, field, row) in self.rows() {
            if heading != Some(effect) {
                heading = Some(effect);
                match effect {
                    Effect::Meaning => writeln!(f, "changes of meaning")?,
                    Effect::Content(why) => writeln!(f, "\nanother value of a user, not in the score: {why}")?,
                    Effect::Nothing(why) => writeln!(f, "\nthe same, not in the score: {why}")?,
                }
                writeln!(
                    f,
                    "{:52} {:>7} {:>7} {:>7} {:>6} {:>8}",
                    "field", "changes", "error", "warning", "info", "survived"
                )?;
            }
            let Row { mutations, errors, warnings, infos, .. } = row;
            writeln!(f, "{field:52} {mutations:7} {errors:7} {warnings:7} {infos:6} {:8}", row.survived())?;
            if effect == Effect::Meaning {
                for Survivor { base, pgno, at, before, after } in &row.survivors {
                    writeln!(f, "    {base}: page {pgno} byte {at}: {before:02x} -> {after:02x}")?;
                }
            }
        }
        let (seen, all) = self.of_meaning();
        writeln!(f, "\nscore: {seen} of {all} changes of meaning seen, {:.2} %", self.percent())
    }
}
