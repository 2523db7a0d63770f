//! Damages of whole databases, each with the one finding that it gives, at its byte: one cause, one finding.
//!
//! The databases are built for the purpose, on a small and a large page size; every damage leaves all checksums right and
//! goes through the whole verifier. What else may be said beside the finding is listed with each damage, and has to be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has to stop

mod base;
mod catalog;
mod collation;
mod coverage;
mod indexes;
mod long_values;
mod records;
mod space;
mod trees;

use base::{Base, sound, verify};
use ese_core::finding::{Code, Finding};
use ese_core::format::PageSize;
use ese_core::verify::Report;

/// A damage with a name, and the finding that it must give.
struct Damage {
    name: &'static str,
    code: Code,
    rule: &'static str,
    /// What is said beside it, each at least once.
    also: &'static [Code],
    /// Returns where the finding has to be.
    provoke: fn(&mut Base) -> u64,
}

const fn damage(name: &'static str, code: Code, rule: &'static str, provoke: fn(&mut Base) -> u64) -> Damage {
    Damage { name, code, rule, also: &[], provoke }
}

impl Damage {
    const fn also(mut self, also: &'static [Code]) -> Damage {
        self.also = also;
        self
    }
}

fn table() -> impl Iterator<Item = &'static Damage> {
    let families = [trees::TABLE, space::TABLE, catalog::TABLE, records::TABLE, long_values::TABLE, indexes::TABLE];
    families.into_iter().flatten()
}

/// The findings, a line each.
fn brief(report: &Report) -> String {
    let line =
        |f: &Finding| format!("\n  {} {} at {} ({:?}): {}", f.severity, f.code, f.offset, f.detail.rule, f.message);
    report.findings().iter().map(line).collect()
}

/// What is wrong with the report of a damage; `None` if nothing is.
fn complaint(damage: &Damage, size: PageSize) -> Option<String> {
    let mut base = sound(size);
    let offset = (damage.provoke)(&mut base);
    let report = verify(&base.built.bytes);
    let (found, beside): (Vec<&Finding>, Vec<&Finding>) =
        report.findings().iter().partition(|finding| !damage.also.contains(&finding.code));
    let is_it = |f: &&Finding| (f.code, f.offset, f.detail.rule) == (damage.code, offset, Some(damage.rule));
    let all_said = damage.also.iter().all(|code| beside.iter().any(|finding| finding.code == *code));
    let right = matches!(&found[..], [one] if is_it(one) && one.severity == damage.code.info().severity);
    (!right || !all_said).then(|| {
        let Damage { name, code, rule, also, .. } = damage;
        format!("{name}, {size}: expected {code} ({rule}) at {offset} and {also:?}, found {}", brief(&report))
    })
}

#[test]
fn every_damage_gives_one_finding_at_its_byte() {
    let only = std::env::var("DAMAGE").ok();
    let chosen = |damage: &&Damage| only.as_ref().is_none_or(|only| damage.name.contains(only.as_str()));
    let complaints: Vec<String> = table()
        .filter(chosen)
        .flat_map(|damage| [PageSize::K4, PageSize::K32].into_iter().filter_map(|size| complaint(damage, size)))
        .collect();
    assert!(complaints.is_empty(), "{} damages:\n{}", complaints.len(), complaints.join("\n"));
}
