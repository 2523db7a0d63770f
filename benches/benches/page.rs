//! What one page costs: its checksum, and the page check beside it, on leaves of a real database.

use std::hint::black_box;

use catdb_test_data::corpus;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ese_core::check::page::PageChecker;
use ese_core::checksum;
use ese_core::format::{HEADER_SLOTS, Page, PageSize, Pgno};

/// The pages in use of a fixture.
fn pages(name: &str, size: PageSize) -> Vec<(Pgno, Vec<u8>)> {
    let slots = usize::try_from(HEADER_SLOTS).unwrap_or(0);
    let file = corpus::fixture(name);
    let numbered = file.chunks_exact(size.bytes()).skip(slots).map(<[u8]>::to_vec).zip(1..);
    numbered.map(|(page, pgno)| (Pgno(pgno), page)).filter(|(_, page)| page.iter().any(|byte| *byte != 0)).collect()
}

fn page(criterion: &mut Criterion) {
    for (name, size) in [("kitchen-4k-b.edb", PageSize::K4), ("kitchen-32k-w10.edb", PageSize::K32)] {
        let pages = pages(name, size);
        let mut group = criterion.benchmark_group(format!("page/{size}"));
        group.throughput(Throughput::Bytes(pages.len() as u64 * size.as_u64()));
        group.bench_function("checksum", |bencher| {
            bencher.iter(|| pages.iter().for_each(|(pgno, page)| _ = black_box(checksum::verify(page, *pgno))));
        });
        group.bench_function("check", |bencher| {
            let (mut checker, mut findings) = (PageChecker::default(), Vec::new());
            bencher.iter(|| {
                for (pgno, bytes) in &pages {
                    if let Ok(page) = Page::new(bytes) {
                        checker.check(page, *pgno, &mut findings);
                    }
                }
                black_box(findings.len())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, page);
criterion_main!(benches);
