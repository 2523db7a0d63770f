//! Reference counts: the sum over all references, and the merge where sums differ (L14 to L20).

use ese_core::check::long_value::{
    Completeness, LongValueTreeChecker, RecordPlace, ReferenceKey, ReferenceList, ReferenceMerge, ReferenceSum,
    ReferenceTally, tree_missing,
};
use ese_core::finding::{Code, Finding, Severity};
use ese_core::format::{DbState, LongValueId, PageSize, Pgno};
use ese_core::sort::SortLimits;
use proptest::prelude::*;

use crate::trees::*;

const BOTH: [PageSize; 2] = [PageSize::K4, PageSize::K32];
const WIDE: u64 = 0x8000_0000_8000_0005;

/// Offset of the data of the first root of a page with a 32-bit id.
fn data_at(size: PageSize) -> usize {
    (if size.is_large() { 80 } else { 40 }) + 2 + 4
}

fn place(pgno: u32, line: u16) -> RecordPlace {
    RecordPlace { pgno: Pgno(pgno), line, at: 300 + line }
}

/// The page that a gap is laid to.
const GAP: Pgno = Pgno(900);

/// What the merge says of the references (id, page of the record) and the parts of a tree.
fn merge_in(
    size: PageSize,
    state: DbState,
    completeness: Completeness,
    references: &[(u64, u32)],
    parts: &[Part],
) -> (Vec<Finding>, ReferenceTally) {
    let mut list = ReferenceList::new(SortLimits::memory(0));
    for (line, (id, pgno)) in (1..).zip(references) {
        list.add(LongValueId(*id), place(*pgno, line)).unwrap();
    }
    let mut merge = ReferenceMerge::new(list, completeness, size, state).unwrap();
    let mut findings = Vec::new();
    walk(size, parts, |node| match node {
        Some((page, pgno, node)) => merge.node(page, pgno, node, &mut findings).unwrap(),
        None => merge.gap(GAP),
    });
    let (tally, _) = merge.finish(&mut findings).unwrap();
    (findings, tally)
}

fn merge(size: PageSize, references: &[(u64, u32)], parts: &[Part]) -> (Vec<Finding>, ReferenceTally) {
    merge_in(size, DbState::CleanShutdown, Completeness::Complete, references, parts)
}

/// One finding of this code.
#[track_caller]
fn expect(findings: &[Finding], code: Code, expected: Essence) {
    assert_eq!(findings.iter().map(|f| (f.code, essence(f))).collect::<Vec<_>>(), [(code, expected)]);
    assert_eq!(findings[0].severity, code.info().severity);
}

#[test]
fn counts_that_agree_say_nothing() {
    for size in BOTH {
        let nodes = vec![root(3, 2, 0), root(7, 1, 0), root(WIDE, 3, 0)];
        let references = [(WIDE, 9), (3, 2), (WIDE, 9), (7, 4), (3, 5), (WIDE, 1)];
        let (findings, tally) = merge(size, &references, &one_each(nodes));
        assert_eq!((findings, tally), (vec![], ReferenceTally::default()));
    }
}

#[test]
fn l14_references_without_root() {
    for size in BOTH {
        let nodes = vec![root(3, 1, 0), root(7, 1, 0)];
        for missing in [2, 4, 8, WIDE] {
            // Line 2 refers first; the finding stands for both.
            let references = [(3, 50), (missing, 51), (missing, 51), (7, 50)];
            let (findings, tally) = merge(size, &references, &one_each(nodes.clone()));
            expect(&findings, Code::LvMissing, ("L14", 51, 2, 302, 1));
            assert_eq!(tally.missing, 2);
        }
    }
}

#[test]
fn l14_is_one_finding_a_page() {
    let references: Vec<_> = (1..2000u32).map(|id| (u64::from(id), 5 + id % 3)).collect();
    let (findings, tally) = merge(PageSize::K4, &references, &[]);
    let counts: Vec<_> = findings.iter().map(|f| (f.pgno.unwrap().0, f.detail.count.unwrap())).collect();
    assert_eq!((counts, tally.missing), (vec![(5, 666), (6, 667), (7, 666)], 1999));
}

#[test]
fn l14_on_very_many_pages_is_counted_in_the_end() {
    let references: Vec<_> = (1..3000u32).map(|id| (u64::from(id), id)).collect();
    let (findings, _) = merge(PageSize::K4, &references, &[]);
    assert_eq!(findings.len(), 1000);
    assert_eq!(findings.iter().map(|f| f.detail.count.unwrap()).sum::<u64>(), 2999);
}

#[test]
fn l15_references_to_what_is_being_deleted() {
    for size in BOTH {
        let (findings, tally) = merge(size, &[(3, 50)], &one_each(vec![root(3, u32::MAX, 9)]));
        expect(&findings, Code::LvMissing, ("L15", 50, 1, 301, 1));
        assert_eq!(tally, ReferenceTally { missing: 1, ..ReferenceTally::default() });
    }
}

#[test]
fn l16_counts_that_are_too_low() {
    for size in BOTH {
        for count in [0, 1] {
            let (findings, tally) = merge(size, &[(3, 50), (3, 51)], &one_each(vec![root(3, count, 9)]));
            expect(&findings, Code::LvRefcountLow, ("L16", 10, 1, data_at(size), 1));
            assert_eq!((findings[0].detail.expected, findings[0].detail.found), (Some(2), Some(count.into())));
            assert_eq!(tally, ReferenceTally { low: 1, ..ReferenceTally::default() });
        }
    }
}

#[test]
fn l17_counts_that_are_too_high_and_l18_orphans() {
    for size in BOTH {
        let parts = one_each(vec![root(3, 2, 9)]);
        let (findings, tally) = merge(size, &[(3, 50)], &parts);
        expect(&findings, Code::LvRefcountHigh, ("L17", 10, 1, data_at(size), 1));
        assert_eq!(tally.high, 1);
        let (findings, tally) = merge(size, &[], &parts);
        expect(&findings, Code::LvOrphan, ("L18", 10, 1, data_at(size), 1));
        assert_eq!(tally.orphans, 1);
        // Records that could not be read may refer to it.
        let partial = merge_in(size, DbState::CleanShutdown, Completeness::Partial, &[(3, 50)], &parts);
        assert_eq!(partial, (vec![], ReferenceTally::default()));
    }
}

#[test]
fn l19_is_one_finding_a_tree() {
    for size in BOTH {
        let nodes = vec![root(2, 1, 0), root(3, 0, 9), root(4, u32::MAX, 9), root(5, 0, 9)];
        let (findings, tally) = merge(size, &[(2, 50)], &one_each(nodes));
        expect(&findings, Code::LvDead, ("L19", 11, 1, data_at(size), 3));
        assert_eq!(tally.dead, 3);
    }
}

#[test]
fn l20_no_tree_at_all() {
    let finding = tree_missing(PageSize::K4, DbState::CleanShutdown, place(50, 3), 17);
    assert_eq!((finding.code, essence(&finding)), (Code::LvMissing, ("L20", 50, 3, 303, 17)));
}

#[test]
fn roots_in_a_gap_are_not_missing() {
    let size = PageSize::K4;
    let mut parts = one_each(vec![root(3, 1, 0), root(5, 1, 0), root(7, 1, 0)]);
    parts[1] = Part::Gap;
    let (findings, _) = merge(size, &[(2, 50), (3, 50), (5, 50), (7, 50), (8, 51)], &parts);
    assert_eq!(findings.iter().map(|f| essence(f).1).collect::<Vec<_>>(), [50, 51]);
    assert_eq!(findings[0].detail.line, Some(1));
    parts.push(Part::Gap);
    let (findings, _) = merge(size, &[(3, 50), (7, 50), (8, 51)], &parts);
    assert_eq!(findings, []);
}

#[test]
fn a_root_that_cannot_be_read_is_there_all_the_same() {
    let mut nodes = vec![root(3, 1, 0)];
    nodes[0].1.pop();
    let (findings, _) = merge(PageSize::K4, &[(3, 50), (3, 50)], &one_each(nodes.clone()));
    assert_eq!(findings, []);
    assert!(!check(PageSize::K4, &one_each(nodes)).1.agrees_with(&ReferenceSum::default()));
}

#[test]
fn roots_that_cannot_be_or_come_too_late_are_left_to_their_own_rules() {
    let nodes = vec![root(0, 9, 0), root(3, 1, 0), root(2, 9, 0), root(3, 9, 0), root(u64::MAX, 9, 0)];
    let (findings, tally) = merge(PageSize::K4, &[(3, 50)], &one_each(nodes.clone()));
    assert_eq!((findings, tally), (vec![], ReferenceTally::default()));
    let mut findings = Vec::new();
    let key = ReferenceKey::default();
    let mut checker = LongValueTreeChecker::new(PageSize::K4, None, DbState::CleanShutdown, &key);
    walk(PageSize::K4, &one_each(nodes), |node| {
        if let Some((page, pgno, node)) = node {
            checker.node(page, pgno, node, &mut findings);
        }
    });
    let mut references = ReferenceSum::default();
    references.add(&key, LongValueId(3));
    assert!(checker.finish(&mut findings).agrees_with(&references));
    findings.sort_by(Finding::cmp_in_report);
    assert_eq!(findings.iter().map(|f| f.detail.rule.unwrap()).collect::<Vec<_>>(), ["L2", "L4", "L4", "L2"]);
}

#[test]
fn a_dirty_database_explains_counts() {
    let nodes = vec![root(3, 2, 0), root(4, 1, 0), root(5, 1, 0), root(6, u32::MAX, 0)];
    let references = [(2, 50), (3, 50), (5, 50), (5, 50), (6, 50)];
    let partial = Completeness::Complete;
    let (findings, _) = merge_in(PageSize::K4, DbState::DirtyShutdown, partial, &references, &one_each(nodes));
    let mut rules: Vec<_> = findings.iter().map(|f| f.detail.rule.unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["L14", "L15", "L16", "L17", "L18"]);
    assert!(findings.iter().all(|f| f.severity == Severity::Warning));
}

proptest! {
    #[test]
    fn sums_agree_just_where_the_merge_finds_nothing(
        counts in prop::collection::vec(0u32..4, 1..20),
        mut references in prop::collection::vec(0u64..20, 0..30),
        honest in any::<bool>(), cut in any::<prop::sample::Index>(),
    ) {
        if honest {
            let all = (0u64..).zip(&counts).flat_map(|(id, count)| std::iter::repeat_n(id, *count as usize));
            references = all.collect();
            let middle = cut.index(references.len() + 1);
            references.rotate_left(middle);
        }
        let key = ReferenceKey::default();
        let nodes = (1u64..).zip(&counts).map(|(id, count)| root(id, *count, 0)).collect();
        let parts = [Part::Page(10, nodes)];
        // Two halves, as two threads would sum them up.
        let (left, right) = references.split_at(references.len() / 2);
        let sum = |ids: &[u64]| {
            let mut sum = ReferenceSum::default();
            ids.iter().for_each(|id| sum.add(&key, LongValueId(id + 1)));
            sum
        };
        let mut both = sum(right);
        both.merge(&sum(left));
        prop_assert_eq!(both.references(), references.len() as u64);
        let mut roots = ReferenceSum::default();
        (1u64..).zip(&counts).for_each(|(id, count)| roots.add_times(&key, LongValueId(id), *count));
        let places: Vec<_> = references.iter().map(|id| (id + 1, 50)).collect();
        let (findings, tally) = merge(PageSize::K4, &places, &parts);
        let silent = ReferenceTally { dead: tally.dead, ..ReferenceTally::default() } == tally;
        prop_assert_eq!(roots == both, silent);
        prop_assert_eq!(silent, findings.iter().all(|finding| finding.code == Code::LvDead));
        prop_assert!(!honest || silent);
    }
}
