//! Indexes over collated text, as the engine wrote them: what can be said of their keys without Windows' tables.

use catdb_test_data::{corpus, database};
use ese_core::finding::Code;
use ese_core::format::PageSize;
use ese_core::source::{MemorySource, Pages};
use ese_core::tree::Cursor;

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
        let root = unverifiable[0].pgno.unwrap();
        let (pgno, at) = {
            let source = MemorySource(&file);
            let mut cursor = Cursor::new(Pages::new(&source, size), root);
            let first = cursor.next_node().unwrap().unwrap();
            (first.leaf.pgno, first.leaf.page.offset_of(first.node.data) - 1)
        };
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
