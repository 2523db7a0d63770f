//! Which keys a record has: the examples of spec 08 sections 4.2 to 4.4, what the engine's source says beyond them,
//! and a slow enumeration that knows nothing of the real one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::testing::{
    Made, Of, Record, Seg, UNREADABLE, conditions, definition, down, exact, hex, index, index_with_flags, keys, record,
    tuple_index, up, utf16,
};
use super::super::{DefinitionError, IndexDefinition, KeyColumn, Segment};
use super::*;
use crate::format::{ColumnType, KeyField, TupleLimits};

const LONG: Of = Of::Sized(ColumnType::Long);
const NONE: IndexFlags = IndexFlags::empty();

fn long(number: i32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn numbers(numbers: &[i32]) -> Vec<Vec<u8>> {
    numbers.iter().copied().map(long).collect()
}

#[test]
fn each_value_of_a_multi_valued_column_has_its_key() {
    let ix_mv = index(NONE, &[up(LONG).multi()]);
    let values = Record(vec![numbers(&[0x1d, 0x40, 0xe3, 0xf3])]);
    assert_eq!(keys(&ix_mv, &values), exact(&["7f8000001d", "7f80000040", "7f800000e3", "7f800000f3"]));
    assert_eq!(keys(&ix_mv, &Record(vec![vec![]])), exact(&["00"]));
}

#[test]
fn equal_keys_of_a_record_are_entered_once() {
    let ix_mvt = index(NONE, &[up(Of::Ascii).multi()]);
    let values = Record(vec![texts(&["Ab", "b", "aB", "ab", "B"])]);
    assert_eq!(keys(&ix_mvt, &values), exact(&["7f414200", "7f4200"]));
}

#[test]
fn a_column_with_several_values_but_without_the_flag_gives_its_first() {
    let values = Record(vec![numbers(&[7, 8])]);
    assert_eq!(keys(&index(NONE, &[up(LONG)]), &values), exact(&["7f80000007"]));
    let primary = index(IndexFlags::PRIMARY, &[up(LONG).multi()]);
    assert_eq!(keys(&primary, &values), exact(&["7f80000007"]));
}

#[test]
fn a_cross_product_has_all_combinations() {
    let ix_cross = index(IndexFlags::CROSS_PRODUCT, &[up(Of::Ascii).multi(), up(LONG).multi()]);
    let values = Record(vec![texts(&["95180,", "Po"]), numbers(&[15, -130])]);
    assert_eq!(
        keys(&ix_cross, &values),
        exact(&[
            "7f39353138302c00 7f7fffff7e",
            "7f39353138302c00 7f8000000f",
            "7f504f00 7f7fffff7e",
            "7f504f00 7f8000000f"
        ])
    );
    // A column without values takes part with one NULL.
    let values = Record(vec![texts(&["Po"]), vec![]]);
    assert_eq!(keys(&ix_cross, &values), exact(&["7f504f00 00"]));
    let values = Record(vec![vec![], numbers(&[1, 2])]);
    assert_eq!(keys(&ix_cross, &values), exact(&["00 7f80000001", "00 7f80000002"]));
}

#[test]
fn values_of_a_nested_table_go_together_and_missing_ones_are_null() {
    let ix_nest = index(IndexFlags::NESTED_TABLE, &[up(Of::Ascii).multi(), down(LONG).multi()]);
    let values = Record(vec![texts(&["P", "Do", "Z"]), vec![hex("64051c07")]]);
    assert_eq!(keys(&ix_nest, &values), exact(&["7f444f00 ff", "7f5000 8078e3fa9b", "7f5a00 ff"]));
    let values = Record(vec![vec![], vec![hex("d8fdffff"), hex("edffffff"), hex("01c50700")]]);
    assert_eq!(keys(&ix_nest, &values), exact(&["00 807ff83afe", "00 8080000012", "00 8080000227"]));
}

#[test]
fn a_nested_table_ends_where_the_null_rules_refuse_a_key() {
    let segments = [up(Of::Ascii).multi(), up(LONG).multi()];
    let flags = IndexFlags::NESTED_TABLE | IndexFlags::ALLOW_FIRST_NULL;
    let values = Record(vec![texts(&["a"]), numbers(&[1, 2, 3])]);
    assert_eq!(keys(&index_with_flags(flags, &segments), &values).len(), 3);
    let values = Record(vec![texts(&["a", "b", "c"]), numbers(&[1])]);
    assert_eq!(keys(&index_with_flags(flags, &segments), &values), exact(&["7f4100 7f80000001"]));
}

#[test]
fn without_either_flag_only_the_first_multi_valued_segment_moves() {
    let ix_two = index(NONE, &[up(Of::Sized(ColumnType::Short)), up(LONG).multi(), up(Of::Ascii).multi()]);
    let values = Record(vec![vec![hex("0500")], numbers(&[1, 2]), texts(&["a", "b"])]);
    assert_eq!(keys(&ix_two, &values), exact(&["7f8005 7f80000001 7f4100", "7f8005 7f80000002 7f4100"]));
}

#[test]
fn the_null_rules_decide_on_each_kind_of_null() {
    let segments = [up(LONG), up(LONG)];
    let (one, none) = (Some(long(1)), None);
    for (nulls, asks) in [
        ([none.clone(), none.clone()], IndexFlags::ALLOW_ALL_NULLS),
        ([none.clone(), one.clone()], IndexFlags::ALLOW_FIRST_NULL),
        ([one.clone(), none.clone()], IndexFlags::ALLOW_SOME_NULLS),
    ] {
        for bits in 0..8u32 {
            let flags = IndexFlags::from_bits_retain(bits << 1);
            let made = keys(&index_with_flags(flags, &segments), &record(&nulls));
            assert_eq!(made.len(), usize::from(flags.contains(asks)), "{nulls:?} {flags:?}");
        }
        let primary = index_with_flags(IndexFlags::PRIMARY, &segments);
        assert_eq!(keys(&primary, &record(&nulls)).len(), 1);
    }
    // Length 0 is a value.
    let sparse = index_with_flags(NONE, &[up(Of::Ascii)]);
    assert_eq!(keys(&sparse, &record(&[Some(vec![])])), exact(&["40"]));
}

#[test]
fn null_segments_are_told_even_where_no_key_is_entered() {
    let strict = index_with_flags(IndexFlags::NO_NULL_SEGMENT, &[up(LONG), up(LONG)]);
    let count = |values: &[Option<Vec<u8>>]| {
        for_each_key(&strict, &mut record(values), &mut KeyScratch::default(), |_, _| {}).unwrap()
    };
    assert_eq!(count(&[Some(long(1)), None]), RecordKeys { entered: 0, has_null: true });
    assert_eq!(count(&[Some(long(1)), Some(long(2))]), RecordKeys { entered: 1, has_null: false });
}

#[test]
fn all_conditions_must_hold() {
    // Column 1 NULL, column 2 not.
    let conditions = conditions("20000001 00008000", &[1, 2]);
    let ix_condn = IndexKey::new(IndexDefinition { conditions, ..definition(NONE, &[up(LONG)]) }).unwrap();
    let made = |first: Option<Vec<u8>>, second| keys(&ix_condn, &record(&[Some(long(1)), first, second]));
    assert_eq!(made(None, Some(vec![])), exact(&["7f80000001"]));
    assert_eq!(made(None, None), []);
    assert_eq!(made(Some(long(1)), Some(vec![])), []);
}

#[test]
fn pieces_of_a_text_have_their_keys() {
    let tup_txt = tuple_index([3, 10, 32767, 1, 0], &[up(Of::Ascii)]);
    let of = |text: &str| {
        let mut made = keys(&tup_txt, &record(&[Some(text.into())]));
        made.sort();
        made
    };
    assert_eq!(of("Gipoji"), exact(&["7f4749504f4a4900", "7f49504f4a4900", "7f4f4a4900", "7f504f4a4900"]));
    assert_eq!(of("La"), []);
    assert_eq!(keys(&tup_txt, &record(&[None])), []);
    assert_eq!(of("aAaA"), exact(&["7f41414100", "7f4141414100"]));
}

#[test]
fn each_value_of_a_multi_valued_column_is_cut_into_pieces() {
    let tup_mvt = tuple_index([3, 6, 32767, 3, 0], &[up(Of::Ascii).multi()]);
    let expected = exact(&["7f2046453000", "7f4920423100", "7f494c4f20464500", "7f574543494c4f00", "7f5a494b49204200"]);
    assert_eq!(keys(&tup_mvt, &Record(vec![texts(&["wecilo Fe0", "ziki B1"])])), expected);
    assert_eq!(keys(&tup_mvt, &Record(vec![texts(&["wecilo Fe0", "no", "ziki B1"])])), expected);
}

#[test]
fn the_limit_of_pieces_counts_pieces_from_the_start_that_is_set() {
    let tuples = tuple_index([2, 2, 2, 3, 1], &[up(Of::Binary)]);
    let made = keys(&tuples, &record(&[Some(vec![1, 2, 3, 4, 5, 6, 7, 8, 9])]));
    assert_eq!(made, exact(&["7f0203000000000000 02", "7f0506000000000000 02"]));
}

#[test]
fn pieces_of_unicode_text_are_patterns() {
    let tuples = tuple_index([3, 4, 10, 2, 0], &[up(Of::Unicode), up(LONG)]);
    let odd = [utf16("abcdef"), vec![0x67]].concat();
    let made = keys(&tuples, &record(&[Some(odd), Some(long(9))]));
    let piece = |text| Made::Pattern(vec![], vec![Some(utf16(text)), Some(long(9))]);
    assert_eq!(made, [piece("abcd"), piece("cdef")]);
}

#[test]
fn a_shortest_piece_that_the_default_key_cannot_take_gives_no_key() {
    let text = record(&[Some(utf16(&"x".repeat(300)))]);
    let made = |shortest| keys(&tuple_index([shortest, 255, 32767, 1, 0], &[up(Of::Unicode)]), &text);
    assert_eq!(made(127), [Made::Pattern(vec![], vec![Some(utf16(&"x".repeat(127)))])]);
    assert_eq!(made(128), []);
}

#[test]
fn tuples_of_several_columns_end_with_their_texts() {
    let segments = [up(Of::Ascii).multi(), up(LONG).multi()];
    let values = Record(vec![texts(&["abc", "no", "def"]), numbers(&[1, 2])]);
    for (flags, expected) in [
        (
            IndexFlags::CROSS_PRODUCT,
            &["41424300 7f80000001", "41424300 7f80000002", "44454600 7f80000001", "44454600 7f80000002"][..],
        ),
        (IndexFlags::NESTED_TABLE, &["41424300 7f80000001", "44454600 00"]),
        (NONE, &["41424300 7f80000001", "44454600 7f80000001"]),
    ] {
        let tuple = Some(TupleLimits { shortest: 3, longest: 3, pieces_most: 9, increment: 1, start: 0 });
        let tuples = IndexKey::new(IndexDefinition { tuple, ..definition(flags, &segments) }).unwrap();
        let expected: Vec<_> = expected.iter().map(|key| Made::Exact([vec![0x7F], hex(key)].concat())).collect();
        assert_eq!(keys(&tuples, &values), expected, "{flags:?}");
    }
}

#[test]
fn further_values_of_a_further_segment_are_optional_behind_tuples() {
    let segments = [up(Of::Ascii), up(LONG).multi()];
    let values = Record(vec![texts(&["abcd"]), numbers(&[1, 2])]);
    let tuples = tuple_index([3, 3, 32767, 1, 0], &segments);
    assert_eq!(
        keys(&tuples, &values),
        [
            Made::Exact(hex("7f41424300 7f80000001")),
            Made::Optional(hex("7f41424300 7f80000002")),
            Made::Exact(hex("7f42434400 7f80000001")),
            Made::Optional(hex("7f42434400 7f80000002")),
        ]
    );
    // The limit of pieces ends the text: updates go on too.
    let limited = tuple_index([3, 3, 1, 1, 0], &segments);
    assert_eq!(keys(&limited, &values), exact(&["7f41424300 7f80000001", "7f41424300 7f80000002"]));
    // What is required once is required.
    let equal = Record(vec![texts(&["abc"]), numbers(&[1, 1])]);
    assert_eq!(keys(&tuples, &equal), exact(&["7f41424300 7f80000001"]));
}

#[test]
fn a_value_that_cannot_be_read_or_has_a_wrong_size_leaves_nothing_handed_over() {
    let errors = |index: &IndexKey, mut values: Record| {
        let outcome = for_each_key(index, &mut values, &mut KeyScratch::default(), |_, _| panic!("a key came"));
        outcome.unwrap_err()
    };
    let multi = index(NONE, &[up(LONG).multi()]);
    let unreadable = Record(vec![vec![long(1), vec![0; UNREADABLE]]]);
    assert_eq!(errors(&multi, unreadable), KeyError::Value(ColumnRef(0)));
    let wrong = WrongSize { expected: 4, found: 3 };
    let short = Record(vec![vec![long(1), vec![0; 3]]]);
    assert_eq!(errors(&multi, short), KeyError::Size { column: ColumnRef(0), wrong });
    let single = index(NONE, &[up(LONG)]);
    assert_eq!(errors(&single, record(&[Some(vec![0; 3])])), KeyError::Size { column: ColumnRef(0), wrong });
}

#[test]
fn a_cross_product_beyond_the_limit_is_refused() {
    let cross = index(IndexFlags::CROSS_PRODUCT, &[up(LONG).multi(), up(LONG).multi(), up(LONG).multi()]);
    let many: Vec<_> = (0..100).map(long).collect();
    let mut values = Record(vec![many.clone(), many.clone(), many]);
    let refused = for_each_key(&cross, &mut values, &mut KeyScratch::default(), |_, _| {});
    assert_eq!(
        refused,
        Err(KeyError::TooMany { keys: KEYS_PER_RECORD_MOST + 1, bytes: 15 * (KEYS_PER_RECORD_MOST + 1) })
    );
}

#[test]
fn pieces_beyond_the_limit_of_bytes_are_refused() {
    let tuple = TupleLimits { shortest: 3, longest: 3, pieces_most: u32::MAX, increment: 1, start: 0 };
    let tuples = IndexDefinition {
        key_most: Some(2000),
        tuple: Some(tuple),
        ..definition(NONE, &[up(Of::Ascii), up(Of::Binary)])
    };
    let tuples = IndexKey::new(tuples).unwrap();
    let mut values = record(&[Some(vec![b'x'; 100_000]), Some(vec![1; 2000])]);
    let refused = for_each_key(&tuples, &mut values, &mut KeyScratch::default(), |_, _| {});
    let keys = KEY_BYTES_PER_RECORD_MOST / 2000 + 1;
    assert_eq!(refused, Err(KeyError::TooMany { keys, bytes: 2000 * keys }));
}

#[test]
fn definitions_that_no_key_can_be_made_of_are_refused() {
    let segments = |number| definition(NONE, &vec![up(LONG); number]);
    let refused = |definition| IndexKey::new(definition).unwrap_err();
    assert_eq!(refused(segments(0)), DefinitionError::Segments { found: 0 });
    assert_eq!(refused(segments(17)), DefinitionError::Segments { found: 17 });
    let key_most = |key_most| IndexDefinition { key_most: Some(key_most), ..segments(16) };
    assert_eq!(refused(key_most(0)), DefinitionError::KeyMost { found: 0 });
    assert_eq!(refused(key_most(2001)), DefinitionError::KeyMost { found: 2001 });
    let var_seg_mac = |bytes| IndexDefinition { var_seg_mac: Some(bytes), ..key_most(300) };
    assert_eq!(refused(var_seg_mac(0)), DefinitionError::VarSegMac { key_most: 300, found: 0 });
    assert_eq!(refused(var_seg_mac(301)), DefinitionError::VarSegMac { key_most: 300, found: 301 });
    let tuple = TupleLimits { shortest: 3, longest: 3, pieces_most: 1, increment: 1, start: 0 };
    assert_eq!(refused(IndexDefinition { tuple: Some(tuple), ..segments(1) }), DefinitionError::TupleSegment);
    let conditions = conditions("20000001", &[1]);
    let primary = IndexDefinition { conditions, ..definition(IndexFlags::PRIMARY, &[up(LONG)]) };
    assert_eq!(refused(primary), DefinitionError::PartialPrimary);
    for found in [ColumnType::Nil, ColumnType::Streaming] {
        let field = KeyField { column_id: 3, flags: Default::default() };
        let column = KeyColumn { column: ColumnRef(0), column_type: found, code_page: 0, flags: Default::default() };
        assert_eq!(Segment::new(field, column, NONE), Err(DefinitionError::Column { column_id: 3, found }));
    }
}

/// The choices of values that section 4.3 asks for, written down from its text.
fn choices(flags: IndexFlags, multi_valued: &[bool], counts: &[usize]) -> Vec<Vec<usize>> {
    let several = |place: usize| if multi_valued[place] { counts[place].max(1) } else { 1 };
    let places = 0..counts.len();
    if flags.contains(IndexFlags::NESTED_TABLE) {
        let longest = places.clone().map(several).max().unwrap_or(1);
        let pick = |turn| places.clone().map(|place| if multi_valued[place] { turn } else { 1 }).collect();
        (1..=longest).map(pick).collect()
    } else if flags.contains(IndexFlags::CROSS_PRODUCT) {
        places.fold(vec![vec![]], |choices, place| {
            let extend =
                |choice: Vec<usize>| (1..=several(place)).map(move |itag| [choice.clone(), vec![itag]].concat());
            choices.into_iter().flat_map(extend).collect()
        })
    } else {
        let first = multi_valued.iter().position(|multi_valued| *multi_valued);
        let longest = first.map_or(1, several);
        let pick = |turn| places.clone().map(|place| if Some(place) == first { turn } else { 1 }).collect();
        (1..=longest).map(pick).collect()
    }
}

fn any_values() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let value = prop::collection::vec(0..3u8, 0..3);
    prop::collection::vec(prop::collection::vec(value, 0..4), 1..4)
}

proptest! {
    #[test]
    fn the_keys_of_any_record_are_those_of_all_choices_of_its_values(
        values in any_values(), kinds in prop::collection::vec(any::<(bool, bool, bool)>(), 4),
        mode in prop_oneof![Just(NONE), Just(IndexFlags::CROSS_PRODUCT), Just(IndexFlags::NESTED_TABLE)],
        high: bool,
    ) {
        let flags = if high { mode | IndexFlags::NULLS_HIGH } else { mode };
        let segments: Vec<Seg> = values.iter().zip(&kinds).map(|(_, (is_text, descends, multi_valued))| {
            let of = if *is_text { Of::Ascii } else { Of::Binary };
            let segment = if *descends { down(of) } else { up(of) };
            if *multi_valued { segment.multi() } else { segment }
        }).collect();
        let multi_valued: Vec<bool> = kinds.iter().map(|kind| kind.2).take(values.len()).collect();
        let counts: Vec<usize> = values.iter().map(Vec::len).collect();
        let chosen = |choice: &Vec<usize>| {
            let value = |(column, itag): (&Vec<Vec<u8>>, &usize)| column.get(itag - 1).cloned();
            record(&values.iter().zip(choice).map(value).collect::<Vec<_>>())
        };
        // With one value in each column there is one key, which other tests know.
        let single = index(flags & IndexFlags::NULLS_HIGH, &segments);
        let expected: BTreeSet<Made> =
            choices(mode, &multi_valued, &counts).iter().flat_map(|choice| keys(&single, &chosen(choice))).collect();
        let made = keys(&index(flags, &segments), &Record(values.clone()));
        prop_assert!(made.is_sorted());
        prop_assert_eq!(made, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn pieces_of_any_text_are_those_of_a_loop_over_its_bytes(
        text in "[a-c]{0,30}", shortest in 2..6u32, more in 0..6u32, most in 1..12u32, increment in 1..5u32,
        start in 0..6u32,
    ) {
        let longest = shortest + more;
        let mut expected = BTreeSet::new();
        for turn in 0..most {
            let at = (start + turn * increment) as usize;
            let piece: String = text.chars().skip(at).take(longest as usize).collect();
            if piece.len() < shortest as usize {
                break;
            }
            expected.insert(Made::Exact([&[0x7F], piece.to_uppercase().as_bytes(), &[0]].concat()));
        }
        let tuples = tuple_index([shortest, longest, most, increment, start], &[up(Of::Ascii)]);
        let made = keys(&tuples, &record(&[Some(text.into_bytes())]));
        prop_assert_eq!(made, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_record_of_any_index_has_keys_of_lawful_length_or_an_error(
        kinds in prop::collection::vec((0..5usize, any::<bool>(), any::<bool>()), 1..4),
        values in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..4), 4),
        flags: u32, key_most in 1..40u16, tuple in prop::option::of((2..4u32, 0..4u32, 1..9u32, 1..3u32, 0..3u32)),
    ) {
        let flags = IndexFlags::from_bits_retain(flags);
        let segments: Vec<Seg> = kinds.iter().map(|(of, descends, multi_valued)| {
            let of = [Of::Ascii, Of::Binary, Of::FixedBinary, Of::Unicode, LONG][*of];
            let segment = if *descends { down(of) } else { up(of) };
            if *multi_valued { segment.multi() } else { segment }
        }).collect();
        let tuple = tuple.map(|(shortest, more, pieces_most, increment, start)| TupleLimits {
            shortest, longest: shortest + more, pieces_most, increment, start,
        });
        let key_most = Some(key_most);
        let Ok(index) = IndexKey::new(IndexDefinition { key_most, tuple, ..definition(flags, &segments) }) else {
            return Ok(());
        };
        let mut made = 0;
        let outcome = for_each_key(&index, &mut Record(values), &mut KeyScratch::default(), |key, _| {
            let known = match key {
                KeyView::Exact(key) => key,
                KeyView::Pattern(pattern) => pattern.known(),
            };
            assert!(known.len() <= index.limits().key_most);
            made += 1;
        });
        prop_assert_eq!(outcome.map_or(0, |counted| counted.entered), made);
    }
}
