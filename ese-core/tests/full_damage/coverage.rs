//! Every code of findings and every rule of the specification has a damage, here or in the tests of its family.

use std::collections::BTreeSet;

use ese_core::finding::Code;

use super::table;

/// Tests that damage each rule of one family, and look at its check alone.
const FAMILIES: &[&str] = &[
    include_str!("../page_damage/files.rs"),
    include_str!("../page_damage/pages.rs"),
    include_str!("../space/damage.rs"),
    include_str!("../catalog_check/damage.rs"),
    include_str!("../long_values/rules.rs"),
    include_str!("../long_values/counts.rs"),
    include_str!("../../src/check/record/tests.rs"),
];

/// Rules that no finding carries, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("T12", "an empty key in the middle of a page is out of order there: P18"),
    ("T16", "bounds that are kept (T14, T15) keep the order between leaves"),
    ("T20", "says that nothing is to be checked"),
    ("T21", "is S9"),
    ("T22", "is S8"),
    ("C15", "the indexes of the catalog are checked as all indexes: I5 to I7"),
    ("C16", "a lost tree is found with leaked space"),
    ("R16", "is I3"),
    ("L13", "is R13"),
    ("I1", "is found with the rows of the catalog: C9, C10"),
    ("I2", "is T5 and T6"),
    ("I9", "is P18, and T14 and T15"),
    ("I10", "collated text: held against the engine's verdicts in verdicts_full.rs"),
    ("I11", "the same"),
    ("I12", "the same; that it is said once is held in collation.rs"),
    ("I13", "the same"),
    ("I14", "no database with an index that is still being built can be made here"),
];

fn is_named_in_a_family(what: &str) -> bool {
    let word = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == what);
    FAMILIES.iter().any(|text| word(text))
}

#[test]
fn every_code_has_a_damage() {
    let covered: BTreeSet<Code> = table().map(|damage| damage.code).collect();
    let elsewhere = |code: &Code| is_named_in_a_family(&format!("{code:?}"));
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !covered.contains(code) && !elsewhere(code)).collect();
    // A file that is no database at all is an error of the run; indexes over collated text have a test of their own.
    assert_eq!(missing, [&Code::DbNotEse, &Code::IdxUnverifiable]);
}

#[test]
fn every_rule_has_a_damage_or_a_reason() {
    let families = [('T', 1..=24), ('S', 1..=12), ('C', 2..=17), ('R', 1..=17), ('L', 1..=21), ('I', 1..=14)];
    let rules = families.into_iter().flat_map(|(letter, numbers)| numbers.map(move |n| format!("{letter}{n}")));
    for rule in rules {
        let here = table().any(|damage| damage.rule == rule);
        let reason = WITHOUT.iter().find(|(without, _)| *without == rule);
        assert!(here || is_named_in_a_family(&rule) || reason.is_some(), "{rule} has neither damage nor reason");
        assert!(!here || reason.is_none(), "{rule} has a damage: {reason:?} is no longer true");
    }
}
