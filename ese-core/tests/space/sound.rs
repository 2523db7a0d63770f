//! Sound databases: no finding, and sums that add up.

use std::collections::BTreeMap;

use catdb_test_data::corpus;
use ese_core::check::space::Shutdown;
use ese_core::finding::{Code, Severity};
use ese_core::format::{Pgno, Pool};
use ese_core::source::MemorySource;
use ese_core::tree::SpacePart;

use super::{Examined, brief};

/// The one file of the corpus that is cut: it owns 254 pages and has 70.
const CUT: &str = "corpus/ual/server2022/Current.mdb.gz";
/// Root and index of a table that was never finished: the catalog does not name it, and 10 pages are leaked.
const WITH_DEAD_TABLE: &str = "corpus/srum/win1";

#[test]
fn nothing_is_said_of_sound_databases() {
    let Some(shared) = corpus::shared() else { return };
    let mut seen = 0;
    for folder in ["engine/db", "engine/crash", "corpus"] {
        for path in corpus::databases(&shared.join(folder)) {
            let name = path.strip_prefix(&shared).unwrap().display().to_string();
            let file = corpus::unpack(&path);
            let source = MemorySource(&file);
            let examined = Examined::new(&source);
            seen += 1;
            assert!(examined.list.left_out().is_empty(), "{name}: {:?}", examined.list.left_out());
            assert_eq!(examined.check().unread().count(), 0, "{name}");
            let findings = examined.findings();
            let context = || format!("{name}: {:?} {}", examined.shutdown, brief(&findings));
            if name == CUT {
                let [finding] = &findings[..] else { panic!("{}", context()) };
                assert_eq!((finding.code, finding.severity), (Code::DbTruncated, Severity::Error), "{}", context());
                assert_eq!((finding.detail.expected, finding.detail.found), (Some(254), Some(70)));
                continue;
            }
            if examined.shutdown == Shutdown::Dirty {
                println!("{}", context());
                assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{}", context());
            } else {
                let known = |code| name.starts_with(WITH_DEAD_TABLE) && code == Code::SpaceLeaked;
                assert!(findings.iter().all(|finding| known(finding.code)), "{}", context());
            }
        }
    }
    assert_eq!(seen, 65);
}

#[test]
fn a_root_that_the_catalog_does_not_name_is_told() {
    let Some(shared) = corpus::shared() else { return };
    let file = corpus::unpack(&shared.join("corpus/srum/win11-22000/clean/SRUDB.dat.gz"));
    let source = MemorySource(&file);
    let examined = Examined::new(&source);
    let check = examined.check();
    let mut roots = Vec::new();
    let mut trusted = ese_core::tree::TrustedPages::new(examined.pages);
    for pgno in (1..=examined.pages.last().0).map(Pgno) {
        let Ok(page) = trusted.get(pgno) else { continue };
        if page.is_root() && !page.flags().contains(ese_core::format::PageFlags::SPACE_TREE) {
            roots.extend(check.unnamed_root(pgno, page.objid()));
        }
    }
    assert_eq!(roots.iter().map(|root| root.detail.found).collect::<Vec<_>>(), [Some(15), Some(16)]);
    assert_eq!(roots[0].detail.rule, Some("C16"));
    let leaked = check.leaked(examined.unreached());
    assert_eq!((leaked.len(), leaked[0].detail.count, leaked[0].detail.pages[0]), (1, Some(10), Pgno(63)));
}

#[test]
fn every_page_is_owned_once_and_used_or_free_once() {
    let Some(shared) = corpus::shared() else { return };
    for path in corpus::databases(&shared.join("engine/db")) {
        let name = path.display();
        let file = corpus::unpack(&path);
        let source = MemorySource(&file);
        let examined = Examined::new(&source);
        let Examined { list, space, ownership, .. } = &examined;
        let end = ownership.last_owned().unwrap();
        let (mut used, mut free) = (BTreeMap::<usize, u64>::new(), BTreeMap::<usize, u64>::new());
        for pgno in (1..=end.0).map(Pgno) {
            let owner = ownership.owner(pgno).unwrap_or_else(|| panic!("{name}: nobody owns page {pgno}"));
            let side = if ownership.is_available(pgno) { &mut free } else { &mut used };
            *side.entry(owner).or_default() += 1;
            assert_eq!(ownership.is_in_use(pgno), !ownership.is_available(pgno));
        }
        assert_eq!((ownership.owner(end.next()), ownership.is_in_use(end.next())), (None, false), "{name}");
        for (number, tree) in list.trees().iter().enumerate() {
            let its = &space.trees[number];
            let label = || format!("{name}: {}", tree.label());
            let pages = |part| its.extents(part).iter().map(|found| u64::from(found.extent.count)).sum::<u64>();
            let of_children: u64 = (0..list.trees().len())
                .filter(|child| list.parent_of(*child) == Some(number))
                .flat_map(|child| &space.trees[child].owned)
                .map(|found| u64::from(found.extent.count))
                .sum();
            let sum = |side: &BTreeMap<usize, u64>| side.get(&number).copied().unwrap_or(0);
            assert_eq!(pages(SpacePart::Owned), sum(&used) + sum(&free) + of_children, "{}", label());
            let kept = its.split_buffers.iter().flat_map(|buffer| buffer.extents).map(|found| found.extent.count);
            assert_eq!(sum(&free), pages(SpacePart::Available) + u64::from(kept.sum::<u32>()), "{}", label());
            let walked = examined.reached[number].len() + its.pages.len() + 1;
            assert_eq!(sum(&used), walked as u64, "{}", label());
            assert!(its.available.iter().all(|found| found.extent.pool == Pool::General), "{}", label());
        }
    }
}
