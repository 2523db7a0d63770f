//! Indexes over collated text, as the engine wrote them: what can be said of their keys without Windows' tables.

use catdb_test_data::{corpus, database};
use ese_core::finding::Code;
use ese_core::format::{Page, PageFlags, PageSize, Pgno};

use super::base::verify;

#[test]
fn an_index_over_collated_text_is_named_once_and_a_key_that_does_not_end_is_found() {
    for (name, size) in [("kitchen-4k-b.edb", PageSize::K4), ("kitchen-32k-w10.edb", PageSize::K32)] {
        let mut file = corpus::fixture(name);
        let report = verify(&file);
        let unverifiable: Vec<_> = report.findings().iter().filter(|f| f.code == Code::IdxUnverifiable).collect();
        assert!(!unverifiable.is_empty(), "{name}");
        let mut objects: Vec<_> = unverifiable.iter().map(|f| f.object.as_ref().unwrap().objid).collect();
        objects.sort_unstable();
        objects.dedup();
        assert_eq!(objects.len(), unverifiable.len(), "{name}: one for each index");
        // The end of the first segment is no longer one.
        let objid = objects[0];
        let last = u32::try_from(file.len() / size.bytes()).unwrap() - 2;
        let is_leaf = |page: &Page<'_>| page.is_leaf() && page.flags() & PageFlags::KIND == PageFlags::INDEX;
        let (pgno, at) = (4..=last)
            .find_map(|pgno| {
                let page = Page::new(database::page(&file, size, pgno)).ok().filter(is_leaf)?;
                let node = page.nodes().flatten().next().filter(|_| page.objid() == objid)?;
                Some((Pgno(pgno), page.offset_of(node.data) - 1))
            })
            .unwrap();
        database::patch_page(&mut file, size, pgno.0, |page| page[at] ^= 0x05);
        let damaged = verify(&file);
        let new: Vec<_> = damaged.findings().iter().filter(|f| !report.findings().contains(f)).collect();
        assert_eq!(
            new.iter().map(|f| (f.code, f.pgno)).collect::<Vec<_>>(),
            [(Code::IdxEntryWrong, Some(pgno))],
            "{name}"
        );
    }
}
