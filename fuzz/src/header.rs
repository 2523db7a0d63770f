//! The target `header`: a file as it begins.

use std::hint::black_box;

use catdb_test_data::{corpus, database};
use ese_core::check;
use ese_core::format::{Copies, DatabaseHeader, HeaderCopies, PageSize, kind_of_file};

pub(crate) fn run(bytes: &[u8]) {
    black_box(kind_of_file(bytes));
    let start = &bytes[..bytes.len().min(PageSize::K32.bytes())];
    let slot_at = |size: PageSize| {
        let rest = bytes.get(size.bytes()..)?;
        Some(rest[..rest.len().min(size.bytes())].to_vec())
    };
    let copies = HeaderCopies::judge(start, slot_at);
    hold_together(&copies, bytes);
    for size in PageSize::ALL {
        let copies = HeaderCopies::judge_as(size, start, &slot_at(size).unwrap_or_default());
        hold_together(&copies, bytes);
    }
}

/// What is true of every pair of copies.
fn hold_together(copies: &HeaderCopies, bytes: &[u8]) {
    let used = copies.used_copy();
    assert_eq!(used.is_none(), copies.copies == Copies::BothBad);
    assert_eq!(used.map(|copy| copy.judged_as), copies.page_size());
    if let Some(copy) = used {
        assert_eq!(copy.fault, None, "a copy in use has no fault");
        assert_eq!(copy.header.page_size(), Some(copy.judged_as));
    }
    for copy in [&copies.first, &copies.second] {
        show(&copy.header);
        black_box(copy.fault.map(|fault| fault.to_string()));
    }
    let page_size = copies.page_size().unwrap_or(copies.first.judged_as);
    for finding in check::header::check(copies, page_size, bytes.len() as u64) {
        assert!(!finding.message.is_empty());
        assert!(finding.offset <= (bytes.len() as u64).max(2 * page_size.as_u64()), "{finding:?}");
    }
}

fn show(header: &DatabaseHeader) {
    for field in header.fields() {
        assert!(usize::try_from(field.offset).is_ok_and(|at| at < DatabaseHeader::SIZE));
        assert!(!field.value.to_string().is_empty(), "{}", field.name);
    }
    black_box((header.has_known_update(), format!("{header:?}")));
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for size in PageSize::ALL {
        let slot = database::header(size);
        let sound = slot.repeat(2);
        for damaged in [&[0][..], &[1], &[0, 1]] {
            let mut seed = sound.clone();
            damaged.iter().for_each(|slot| seed[slot * size.bytes() + size.bytes() / 2] ^= 1);
            seeds.push(seed);
        }
        seeds.extend([sound, slot]);
    }
    seeds.extend((0..=12).map(other_kind));
    seeds.extend(corpus::databases(&corpus::folder()).iter().map(|path| {
        let mut file = corpus::unpack(path);
        file.truncate(2 * PageSize::K32.bytes());
        file
    }));
    seeds
}

/// The header of a file of the engine with type `code`, which has no magic.
fn other_kind(code: u8) -> Vec<u8> {
    let mut slot = database::header(PageSize::K8);
    let header = DatabaseHeader::from_slot(&slot);
    for (name, value) in [("magic", [0; 4]), ("file_type", [code, 0, 0, 0])] {
        let at = header.fields().find(|field| field.name == name).and_then(|field| usize::try_from(field.offset).ok());
        at.into_iter().for_each(|at| slot[at..][..value.len()].copy_from_slice(&value));
    }
    database::seal_header(&mut slot);
    slot
}

pub(crate) fn seal(bytes: &mut [u8]) {
    let size = DatabaseHeader::from_slot(bytes).page_size().unwrap_or(PageSize::K4);
    bytes.chunks_exact_mut(size.bytes()).take(2).for_each(database::seal_header);
}
