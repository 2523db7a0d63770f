//! The target `catalog`: what a whole file says of its tables. Any file gives a schema, the same every time, in which
//! columns, indexes and layouts agree.

use std::hint::black_box;

use ese_core::catalog::Catalog;
use ese_core::format::ColumnKind;
use ese_core::source::{MemorySource, Pages};
use ese_core::verify::open_header;

pub(crate) fn run(bytes: &[u8]) {
    let source = MemorySource(bytes);
    let Ok(header) = open_header(&source, &()) else { return };
    let pages = Pages::new(&source, header.page_size);
    let catalog = Catalog::read(pages);
    assert_eq!(format!("{:?}", catalog.schema), format!("{:?}", Catalog::read(pages).schema));
    assert!(catalog.schema.tables.is_sorted_by(|a, b| a.objid < b.objid), "each table once");
    for table in &catalog.schema.tables {
        let columns = table.layout.columns();
        for column in columns {
            let place = table.layout.place_of(column.id, column.origin);
            assert!(place.is_none_or(|place| columns.get(place).is_some()));
            assert!(ColumnKind::of(column.id).is_some());
        }
        for index in &table.indexes {
            for (place, _) in index.columns(&table.layout) {
                assert!(place.is_none_or(|place| place < columns.len()));
            }
            match index.key(&table.layout) {
                Ok(key) => assert!(!key.segments().is_empty()),
                Err(fault) => assert!(!fault.to_string().is_empty()),
            }
        }
        assert!(table.indexes.is_sorted_by_key(|index| index.objid));
        black_box((table.primary_index(), table.is_system()));
        assert!(catalog.schema.table(&table.name).is_some());
    }
    assert!(catalog.is_complete || !catalog.faults.is_empty() || catalog.rows.is_empty());
}
