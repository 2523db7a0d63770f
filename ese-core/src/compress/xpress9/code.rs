//! The prefix codes of an XPRESS9 block and how their lengths are written (spec 07 section 4.4).
//!
//! A code is canonical, so that its lengths say all. It must be complete, or have one symbol only: then no bits can
//! lead nowhere. Lengths are limited, and with them the work for a symbol.

use super::{
    super::{DecompressError, Fault},
    bits::Bits,
};

/// The longest code word, in bits.
const LENGTH_MAX: usize = 27;
/// Lengths from 0 to this one.
const LENGTHS: usize = LENGTH_MAX + 1;

/// Symbols of the code in which lengths are written; those below the first of these are lengths.
mod helper {
    /// Zeros up to the next row.
    pub(super) const FILL: u16 = 28;
    /// A number of zeros.
    pub(super) const ZEROS: u16 = 29;
    /// The last length that was not zero.
    pub(super) const AGAIN: u16 = 30;
    /// The length one row before.
    pub(super) const ROW: u16 = 31;
    /// The length one row before, plus one.
    pub(super) const ROW_PLUS_ONE: u16 = 32;
    /// Number of symbols.
    pub(super) const COUNT: usize = 33;
    /// The longest word of this code, in bits.
    pub(super) const LENGTH_MAX: u32 = 8;
    /// What counts as the length before the first.
    pub(super) const LENGTH_BEFORE: u32 = 4;
    /// What [`AGAIN`] means before there was a length.
    pub(super) const AGAIN_BEFORE: u8 = 8;
    /// The fewest zeros that [`ZEROS`] stands for.
    pub(super) const ZEROS_MIN: usize = 5;
}

/// Symbols that make a row: lengths may refer to the row before, and zeros end with one. Tables are whole rows.
const ROW: usize = 16;

/// A prefix code, ready to decode.
#[derive(Debug)]
pub(super) struct Code {
    /// Number of symbols by length of their words; none has length 0.
    counts: [u32; LENGTHS],
    /// The symbols in the order of their words.
    symbols: Vec<u16>,
    /// What is missing if the bits end inside a word.
    name: &'static str,
}

impl Code {
    /// Reads the lengths of `count` symbols and makes the code.
    pub(super) fn read(bits: &mut Bits<'_>, count: usize, name: &'static str) -> Result<Code, DecompressError> {
        const STORED: u32 = 0;
        const CODED: u32 = 1;
        let form = bits.number(3, "the form of a table")?;
        let lengths = match form {
            STORED => stored_lengths(count),
            CODED => coded_lengths(bits, count)?,
            _ => return Err(bits.broken(Fault::value("the form of a table", form, STORED, CODED))),
        };
        Code::from_lengths(bits, &lengths, name)
    }

    fn from_lengths(bits: &Bits<'_>, lengths: &[u8], name: &'static str) -> Result<Code, DecompressError> {
        // All words of LENGTH_MAX bits; a shorter word takes the place of those that begin with it.
        const ALL_WORDS: u64 = 1 << LENGTH_MAX;
        let mut counts = [0; LENGTHS];
        let mut symbols = Vec::with_capacity(lengths.len());
        let mut words = 0;
        for (length, of_length) in counts.iter_mut().enumerate().skip(1) {
            for (symbol, _) in (0u16..).zip(lengths).filter(|(_, found)| usize::from(**found) == length) {
                symbols.push(symbol);
                *of_length += 1;
                words += ALL_WORDS >> length;
            }
        }
        if words == ALL_WORDS || symbols.len() == 1 {
            Ok(Code { counts, symbols, name })
        } else {
            Err(bits.broken(Fault::value("the number of words that a table uses", words, ALL_WORDS, ALL_WORDS)))
        }
    }

    /// The next symbol.
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u16, DecompressError> {
        if let [only] = *self.symbols {
            self.skip_only_word(bits)?;
            return Ok(only);
        }
        // Of the current length: the word that was read, the first word, and the number of its symbol.
        let (mut word, mut first_word, mut first_symbol) = (0u32, 0u32, 0u32);
        for count in self.counts.into_iter().skip(1) {
            word |= bits.bit(self.name)?;
            let behind_first = word.saturating_sub(first_word);
            if behind_first < count {
                let symbol = usize::try_from(first_symbol + behind_first).ok().and_then(|at| self.symbols.get(at));
                return symbol.copied().ok_or_else(|| bits.broken(Fault::Missing(self.name)));
            }
            first_symbol += count;
            first_word = (first_word + count) << 1;
            word <<= 1;
        }
        Err(bits.broken(Fault::Missing(self.name)))
    }

    /// A single symbol takes as many bits as its length says, and their values do not matter.
    fn skip_only_word(&self, bits: &mut Bits<'_>) -> Result<(), DecompressError> {
        let length = self.counts.iter().take_while(|count| **count == 0).count();
        (0..length).try_for_each(|_| bits.bit(self.name).map(|_| ()))
    }
}

/// The nearly equal lengths of a table that is not written at all.
fn stored_lengths(count: usize) -> Vec<u8> {
    let short = count.checked_ilog2().unwrap_or_default();
    let of_short = (2usize << short).saturating_sub(count);
    let short = u8::try_from(short).unwrap_or(u8::MAX);
    (0..count).map(|symbol| if symbol < of_short { short } else { short.saturating_add(1) }).collect()
}

/// Lengths that are written in a code of their own.
fn coded_lengths(bits: &mut Bits<'_>, count: usize) -> Result<Vec<u8>, DecompressError> {
    let helper_lengths = helper_lengths(bits)?;
    let helper = Code::from_lengths(bits, &helper_lengths, "a length in a table")?;
    let mut lengths: Vec<u8> = Vec::with_capacity(count);
    let mut again = helper::AGAIN_BEFORE;
    while lengths.len() < count {
        let symbol = helper.symbol(bits)?;
        let length = match symbol {
            helper::FILL => {
                lengths.resize((lengths.len() / ROW + 1) * ROW, 0);
                continue;
            }
            helper::ZEROS => {
                let zeros = zeros(bits, lengths.len())?;
                lengths.resize(lengths.len() + zeros, 0);
                continue;
            }
            helper::AGAIN => again,
            helper::ROW => match row_before(bits, &lengths)? {
                0 => return Err(bits.broken(Fault::Missing("a length other than 0 one row before"))),
                length => length,
            },
            helper::ROW_PLUS_ONE => row_before(bits, &lengths)?.saturating_add(1),
            plain => u8::try_from(plain).unwrap_or(u8::MAX),
        };
        if usize::from(length) > LENGTH_MAX {
            return Err(bits.broken(Fault::value("a length in a table", usize::from(length), 0, LENGTH_MAX)));
        }
        if length > 0 {
            again = length;
        }
        lengths.push(length);
    }
    Ok(lengths)
}

fn helper_lengths(bits: &mut Bits<'_>) -> Result<[u8; helper::COUNT], DecompressError> {
    let name = "a length of the tables' own code";
    let mut lengths = [0; helper::COUNT];
    let mut before = helper::LENGTH_BEFORE;
    for length in &mut lengths {
        if bits.bit(name)? == 1 {
            // The length before is left out, since it would have been written as a 0 bit.
            let other = bits.number(3, name)?;
            before = other + u32::from(other >= before);
        }
        *length = u8::try_from(before.min(helper::LENGTH_MAX)).unwrap_or_default();
    }
    Ok(lengths)
}

/// The number of zeros behind `done` lengths. They must leave something of the row where they begin: zeros to its end
/// are written as [`helper::FILL`].
fn zeros(bits: &mut Bits<'_>, done: usize) -> Result<usize, DecompressError> {
    let name = "a number of zeros in a table";
    let most = ROW - 1 - done % ROW;
    let mut number = |width| bits.number(width, name).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let more = number(2)?;
    let mut zeros = helper::ZEROS_MIN + more;
    if more == 3 {
        loop {
            let more = number(3)?;
            zeros += more;
            if more < 7 || zeros > most {
                break;
            }
        }
    }
    if zeros > most {
        return Err(bits.broken(Fault::value(name, zeros, helper::ZEROS_MIN, most)));
    }
    Ok(zeros)
}

/// The length one row before the next one.
fn row_before(bits: &Bits<'_>, lengths: &[u8]) -> Result<u8, DecompressError> {
    let length = lengths.len().checked_sub(ROW).and_then(|at| lengths.get(at));
    length.copied().ok_or_else(|| bits.broken(Fault::Missing("a row before this length")))
}
