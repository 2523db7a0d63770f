//! Changes to an input, drawn from a seeded generator: the same seed makes the same inputs on every machine.
//!
//! Knows that fields are aligned, that pages begin at multiples of 2048 with a header and end with tags, and which
//! numbers lie at the edges of types and masks. It does not know the format otherwise.

/// A generator of numbers (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let number = self.next().checked_rem(limit as u64).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// Inputs do not grow beyond this many bytes.
const MAX_LEN: usize = 1 << 20;
/// Longest run that is copied, filled, cut off or appended at once.
const MAX_RUN: usize = 8192;
/// All page sizes are multiples of it.
const SMALLEST_PAGE: usize = 2048;
/// Bytes at the start and at the end of a page where its header and its first tags lie.
const EDGE: usize = 96;

const BYTES: [u8; 10] = [0, 1, 2, 4, 0x20, 0x7F, 0x80, 0x82, 0xBD, 0xFF];
const WORDS: [u16; 16] =
    [0, 1, 2, 4, 5, 40, 80, 0x0FFF, 0x1000, 0x1FFF, 0x2000, 0x4000, 0x7FFF, 0x8000, 0x8001, 0xFFFF];
const LONGS: [u32; 20] = [
    0,
    1,
    2,
    3,
    4,
    2048,
    4096,
    8192,
    16384,
    32768,
    0xFFFF,
    0x1_0000,
    0x2802,
    0x2823,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0x89AB_CDEF,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// A change to an input; the last argument is another input.
type Change<Bytes> = fn(&mut Bytes, &mut Rng, &[u8]);
/// Changes that leave the length as it is.
const CHANGES: [Change<[u8]>; 7] = [flip_bit, set_byte, set_word, set_long, nudge, copy_block, fill_block];
/// Changes of the length.
const RESIZES: [Change<Vec<u8>>; 2] = [truncate, extend];

/// Makes one to six changes; `donor` is another input, to copy blocks from.
pub(crate) fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng, donor: &[u8]) {
    for _ in 0..=rng.below(6) {
        match rng.below(10) {
            0 => rng.pick(&RESIZES)(bytes, rng, donor),
            _ => rng.pick(&CHANGES)(bytes, rng, donor),
        }
    }
}

/// A place below `len`, half of the time where a page of some size would have its header or its tags.
fn place(len: usize, rng: &mut Rng) -> usize {
    if rng.coin() {
        return rng.below(len);
    }
    let page = rng.below(len / SMALLEST_PAGE + 1) * SMALLEST_PAGE;
    let at = if rng.coin() { page + rng.below(EDGE) } else { page + SMALLEST_PAGE - 1 - rng.below(EDGE) };
    at.min(len.saturating_sub(1))
}

/// Writes `value` at a place that is a multiple of its length.
fn overwrite(bytes: &mut [u8], rng: &mut Rng, value: &[u8]) {
    let at = place(bytes.len(), rng) / value.len() * value.len();
    if let Some(field) = bytes.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

fn flip_bit(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let (at, bit) = (place(bytes.len(), rng), rng.below(8));
    bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
}

fn set_byte(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let value = rng.pick(&BYTES);
    overwrite(bytes, rng, &[value]);
}

fn set_word(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let value = rng.pick(&WORDS);
    overwrite(bytes, rng, &value.to_le_bytes());
}

fn set_long(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let value = rng.pick(&LONGS);
    overwrite(bytes, rng, &value.to_le_bytes());
}

/// Makes a field of two bytes a little larger or smaller: the errors that look most like the truth.
fn nudge(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let at = place(bytes.len(), rng) / 2 * 2;
    if let Some(field) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        let step = rng.pick(&[1, 2, 4, u16::MAX, u16::MAX - 1, u16::MAX - 3]);
        *field = u16::from_le_bytes(*field).wrapping_add(step).to_le_bytes();
    }
}

/// Copies a block from the input itself, or from the other one, to where page borders often lie.
fn copy_block(bytes: &mut [u8], rng: &mut Rng, donor: &[u8]) {
    let from = if rng.coin() { bytes.to_vec() } else { donor.to_vec() };
    let align = rng.pick(&[1, 4, SMALLEST_PAGE]);
    let [source, target] = [from.len(), bytes.len()].map(|len| place(len, rng) / align * align);
    let len = if align == SMALLEST_PAGE { MAX_RUN } else { rng.below(MAX_RUN) };
    let places = bytes.iter_mut().skip(target).take(len);
    places.zip(from.iter().skip(source)).for_each(|(to, from)| *to = *from);
}

fn fill_block(bytes: &mut [u8], rng: &mut Rng, _: &[u8]) {
    let (at, len, value) = (place(bytes.len(), rng), rng.below(MAX_RUN), rng.pick(&BYTES));
    bytes.iter_mut().skip(at).take(len).for_each(|byte| *byte = value);
}

fn truncate(bytes: &mut Vec<u8>, rng: &mut Rng, _: &[u8]) {
    let less = if rng.coin() { rng.below(MAX_RUN) } else { rng.below(bytes.len()) };
    bytes.truncate(bytes.len() - less.min(bytes.len()));
}

fn extend(bytes: &mut Vec<u8>, rng: &mut Rng, donor: &[u8]) {
    let more = rng.below(MAX_RUN);
    if rng.coin() {
        bytes.resize(bytes.len() + more, 0);
    } else {
        let start = place(donor.len(), rng);
        bytes.extend(donor.iter().skip(start).take(more));
    }
    bytes.truncate(MAX_LEN);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(seed: u64) -> Vec<Vec<u8>> {
        let mut rng = Rng::new(seed);
        let mutant = |start: &Vec<u8>| {
            let mut bytes = start.clone();
            mutate(&mut bytes, &mut rng, &[0xAA; 10_000]);
            bytes
        };
        [Vec::new(), vec![1], vec![2; 3], vec![3; 5000]].iter().cycle().take(400).map(mutant).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_another_seed_others() {
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
    }

    #[test]
    fn every_change_changes_something() {
        let start: Vec<u8> = (0..=250).cycle().take(20_000).collect();
        let by = |change: &dyn Fn(&mut Vec<u8>, &mut Rng)| {
            let (mut bytes, mut rng) = (start.clone(), Rng::new(1));
            (0..5).for_each(|_| change(&mut bytes, &mut rng));
            bytes
        };
        for (index, change) in CHANGES.iter().enumerate() {
            let bytes = by(&|bytes, rng| change(bytes, rng, &[0xAA; 10_000]));
            assert!(bytes != start && bytes.len() == start.len(), "change {index}");
        }
        for (index, resize) in RESIZES.iter().enumerate() {
            let bytes = by(&|bytes, rng| resize(bytes, rng, &[0xAA; 10_000]));
            assert_ne!(bytes.len(), start.len(), "resize {index}");
        }
    }
}
