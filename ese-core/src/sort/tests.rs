use proptest::prelude::*;

use super::*;

/// The records of `sorter`, in the order in which it gives them.
fn sorted(sorter: ExternalSorter) -> Vec<Vec<u8>> {
    let mut sorted = sorter.finish().unwrap();
    let mut records = Vec::new();
    while let Some(record) = sorted.next_record().unwrap() {
        records.push(record.to_vec());
    }
    assert!(sorted.next_record().unwrap().is_none());
    records
}

fn sorter_of<R: AsRef<[u8]>>(memory: usize, records: impl IntoIterator<Item = R>) -> ExternalSorter {
    let mut sorter = ExternalSorter::new(SortLimits::memory(memory));
    for record in records {
        sorter.push(record.as_ref()).unwrap();
        assert!(sorter.arena.allocated() + sorter.limits.part() <= sorter.limits.bytes());
    }
    sorter
}

/// Records that differ late or early, long and short, some equal: a simple generator, so that there can be many.
fn many(count: u64, longest: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(move |i| {
        let mix = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) % (count * 3 / 4).max(1);
        let mut record = b"a common start"[..usize::try_from(mix % 15).unwrap()].to_vec();
        record.extend(mix.to_be_bytes());
        record.resize(record.len() + usize::try_from(mix * 7 % longest).unwrap(), 0xA5);
        record
    })
}

#[test]
fn records_that_fit_memory_never_reach_a_file() {
    let mut expected: Vec<_> = many(2000, 30).collect();
    let sorter = sorter_of(1 << 20, &expected);
    assert_eq!((sorter.len(), sorter.spilled(), sorter.is_empty()), (2000, 0, false));
    expected.sort();
    assert_eq!(sorted(sorter), expected);
}

#[test]
fn records_that_do_not_fit_memory_are_merged_from_runs() {
    for (count, longest) in [(20_000, 30), (3000, 2100)] {
        let mut expected: Vec<_> = many(count, longest).collect();
        let sorter = sorter_of(MEMORY_LEAST, &expected);
        assert!(sorter.spilled() > 0);
        assert!(sorter.runs.runs().len() > 1, "{}", sorter.runs.runs().len());
        expected.sort();
        assert!(sorted(sorter) == expected);
    }
}

#[test]
fn more_runs_than_buffers_are_merged_in_passes() {
    let mut expected: Vec<_> = many(20_000, 500).collect();
    let sorter = sorter_of(0, &expected);
    assert!(sorter.runs.runs().len() > 2 * PARTS_LEAST);
    expected.sort();
    assert!(sorted(sorter) == expected);
}

#[test]
fn no_records_and_empty_records_are_sorted_too() {
    assert_eq!(sorted(ExternalSorter::new(SortLimits::memory(0))), Vec::<Vec<u8>>::new());
    assert_eq!(sorted(sorter_of(0, [&b""[..], b"\0", b""])), [&b""[..], b"", b"\0"]);
}

#[test]
fn the_longest_record_is_taken_and_a_longer_one_refused() {
    let mut sorter = ExternalSorter::new(SortLimits::memory(0));
    let most = sorter.limits.record_most();
    for byte in (0..40).rev() {
        sorter.push(&vec![byte; most]).unwrap();
    }
    let error = sorter.push(&vec![0; most + 1]).unwrap_err();
    assert!(matches!(error, SortError::RecordTooLong { found, .. } if found == most + 1));
    let firsts: Vec<_> = sorted(sorter).iter().map(|record| record[0]).collect();
    assert_eq!(firsts, (0..40).collect::<Vec<u8>>());
}

#[test]
fn a_folder_that_is_not_there_is_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut sorter = ExternalSorter::new(SortLimits { memory: 0, folder: Some(missing.clone()) });
    let error = many(20_000, 30).find_map(|record| sorter.push(&record).err()).unwrap();
    assert!(matches!(error, SortError::Create { folder, .. } if folder == missing));
}

#[test]
fn nothing_stays_behind_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SortLimits { memory: 0, folder: Some(folder.path().to_owned()) };
    let mut sorter = ExternalSorter::new(limits);
    many(20_000, 30).for_each(|record| sorter.push(&record).unwrap());
    assert!(sorter.spilled() > 0);
    assert_eq!(sorted(sorter).len(), 20_000);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_is_that_of_a_plain_sort(
        mut records in prop::collection::vec(prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..40), 0..400),
        repeat in 1usize..40,
    ) {
        // Repeated records fill more than the least memory in some of the cases.
        let all = records.iter().cycle().take(records.len() * repeat);
        let sorter = sorter_of(0, all);
        let found = sorted(sorter);
        records.sort();
        let expected: Vec<_> = records.iter().flat_map(|record| std::iter::repeat_n(record, repeat)).collect();
        prop_assert!(found.iter().eq(expected));
    }
}
