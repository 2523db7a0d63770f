//! Indexes over collated text, as the engine wrote them: what can be said of their keys without Windows' tables. Damaged
//! entries of such indexes are among the cases of `verdicts_full.rs`.

use std::collections::BTreeSet;

use catdb_test_data::corpus;
use ese_core::finding::Code;

use super::base::verify;

#[test]
fn an_index_over_collated_text_is_named_once() {
    for name in ["kitchen-4k-b.edb", "kitchen-32k-w10.edb"] {
        let report = verify(&corpus::fixture(name));
        let unverifiable: Vec<_> = report.findings().iter().filter(|f| f.code == Code::IdxUnverifiable).collect();
        let objects: BTreeSet<_> = unverifiable.iter().map(|f| f.object.as_ref().unwrap().objid).collect();
        assert!(!objects.is_empty(), "{name}");
        assert_eq!(objects.len(), unverifiable.len(), "{name}: one for each index");
    }
}
