//! A sample of the mutation score; `cargo run --release -p catdb-fuzz --bin mutation_score` runs it at length.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has to stop

use std::num::NonZeroUsize;

use catdb_fuzz::mutation_score::{self, Effect, Plan};

/// Least share of the changes of meaning that have to show, in percent.
const LEAST: f64 = 98.0;

#[test]
fn changes_of_meaning_show_and_others_raise_no_false_alarm() {
    let bases = mutation_score::fixtures();
    let plan = |seed, threads| Plan { per_field: 3, seed, threads: NonZeroUsize::new(threads).unwrap() };
    let score = mutation_score::run(&bases, plan(1, 2)).expect("sound databases");
    assert!(score.of_meaning().1 > 250, "{score}");
    assert!(score.percent() >= LEAST, "{score}");
    let false_alarms = score.rows().filter(|(effect, field, row)| {
        // What makes no difference to a row may still break the order of entries, or a rule that asks for zeros.
        let is_neutral = ["free bytes", "tag: top bits of the size", "tag: top bits of the offset"].contains(field)
            || field.starts_with("header: flag");
        matches!(effect, Effect::Nothing(_)) && is_neutral && row.errors + row.warnings > 0
    });
    assert_eq!(false_alarms.count(), 0, "{score}");
}
