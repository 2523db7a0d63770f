//! No false alarm.

use std::collections::BTreeSet;

use catdb_test_data::corpus;
use ese_core::finding::{Code, Severity};

use super::check_file;

/// File, code, and why it is there.
const EXPLAINED: [(&str, Code, &str); 3] = [
    ("corpus/file-history/Catalog1.edb.gz", Code::CatalogShadowMissing, "its shadow has no rows, as its README says"),
    (
        "engine/crash/insert-4k/a.edb.gz",
        Code::CatalogShadowDiffers,
        "dirty: of a new table only the shadow was written",
    ),
    ("engine/crash/lv-32k/a.edb.gz", Code::CatalogRow, "dirty: the row of a new table was written to MSysObjids alone"),
];

#[test]
fn no_intact_database_has_a_finding_that_is_not_explained() {
    let Some(shared) = corpus::shared() else { return };
    let mut seen: BTreeSet<(String, Code)> = BTreeSet::new();
    let mut files = 0;
    for folder in ["engine/db", "engine/crash", "corpus"] {
        for path in corpus::databases(&shared.join(folder)) {
            let name = path.strip_prefix(&shared).unwrap().to_str().unwrap().to_owned();
            let outcome = check_file(&corpus::unpack(&path));
            assert_eq!(outcome.consequences, [], "{name}");
            for finding in outcome.findings {
                println!("{name}: {} {} {}", finding.severity, finding.code, finding.message);
                assert_eq!(finding.severity, Severity::Warning, "{name}: {}", finding.message);
                seen.insert((name.clone(), finding.code));
            }
            files += 1;
        }
    }
    assert_eq!(files, 65);
    let explained = EXPLAINED.map(|(name, code, _)| (name.to_owned(), code));
    assert_eq!(seen, BTreeSet::from(explained));
}
