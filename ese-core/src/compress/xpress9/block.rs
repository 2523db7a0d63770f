//! The body of an XPRESS9 block: state, tables, items (spec 07 section 4.4).
//!
//! Items follow each other until the block's size is reached; then all of its bits must be used. Matches may reach
//! into earlier blocks of the value, never before its start.

use super::{
    super::{DecompressError, Fault, output::Output},
    Header, Shape,
    bits::Bits,
    code::Code,
    wide,
};

/// Recent distances that a block can have.
const RECENT_MAX: usize = 4;
/// Symbols of the code for literals and matches.
const SHORT_SYMBOLS: usize = 704;
/// Those of them that are literals.
const LITERALS: u16 = 256;
/// Bits of the other symbols that hold a length.
const LENGTH_BITS: u32 = 4;
/// What these bits hold if the length goes on in a symbol of the other code.
const LENGTH_GOES_ON: u16 = 15;
/// Symbols of the code for long lengths.
const LONG_SYMBOLS: usize = 256;
/// Those of them that are lengths; the others say how many bits follow.
const LONG_LENGTHS: u16 = 232;

/// Decodes a body into `out`, which has room for exactly the block's data.
pub(super) fn decode(header: &Header, mut bits: Bits<'_>, out: &mut Output<'_>) -> Result<(), DecompressError> {
    let mut recent = Recent::read(&header.shape, &mut bits)?;
    let items = Code::read(&mut bits, SHORT_SYMBOLS, "a literal or match")?;
    let lengths = Code::read(&mut bits, LONG_SYMBOLS, "a long length")?;
    let tables_bits = bits.taken();
    if tables_bits != header.tables_bits {
        let fault = Fault::value("the stated length of the tables", header.tables_bits, tables_bits, tables_bits);
        return Err(bits.broken(fault));
    }
    while out.left() > 0 {
        let symbol = items.symbol(&mut bits)?;
        if let Ok(literal) = u8::try_from(symbol) {
            out.literals(&[literal], 1);
            recent.after_match = false;
            continue;
        }
        let symbol = symbol - LITERALS;
        let mut length = usize::from(symbol & LENGTH_GOES_ON);
        if symbol & LENGTH_GOES_ON == LENGTH_GOES_ON {
            length += long_length(&lengths, &mut bits)?;
        }
        let (distance, shortest) = distance(&header.shape, &mut recent, &mut bits, usize::from(symbol >> LENGTH_BITS))?;
        out.repeat(distance, length + shortest).map_err(|fault| bits.broken(fault))?;
        recent.after_match = true;
    }
    if bits.left() > 0 {
        return Err(bits.broken(Fault::value("the number of unused bits", bits.left(), 0, 0)));
    }
    Ok(())
}

fn long_length(lengths: &Code, bits: &mut Bits<'_>) -> Result<usize, DecompressError> {
    let symbol = lengths.symbol(bits)?;
    Ok(match symbol.checked_sub(LONG_LENGTHS) {
        None => usize::from(symbol),
        Some(more) => usize::from(LONG_LENGTHS) - 1 + wide(bits.with_leading_one(more.into(), "a long length")?),
    })
}

/// The distance of a match of class `class`, and the length that such matches have at least.
fn distance(
    shape: &Shape,
    recent: &mut Recent,
    bits: &mut Bits<'_>,
    class: usize,
) -> Result<(usize, usize), DecompressError> {
    match class.checked_sub(shape.recent) {
        None => Ok((recent.recall(class).map_err(|fault| bits.broken(fault))?, shape.recent_min)),
        Some(more) => {
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            let distance = wide(bits.with_leading_one(more, "the distance of a match")?);
            recent.remember(distance);
            Ok((distance, shape.pointer_min))
        }
    }
}

/// The distances of the last matches, the latest first.
#[derive(Debug)]
struct Recent {
    distances: [usize; RECENT_MAX],
    /// Those of them that are in use.
    count: usize,
    /// True if the last item was a match: the next one will not be a match at the same distance.
    after_match: bool,
}

impl Recent {
    fn read(shape: &Shape, bits: &mut Bits<'_>) -> Result<Recent, DecompressError> {
        let name = "a recent distance";
        let mut recent = Recent { distances: [0; RECENT_MAX], count: shape.recent, after_match: false };
        if recent.count > 0 {
            recent.after_match = bits.bit(name)? == 1;
        }
        for distance in recent.distances.iter_mut().take(recent.count) {
            let log2 = bits.number(5, name)?;
            if log2 >= shape.window {
                let fault = Fault::value("the logarithm of a recent distance", log2, 0, shape.window - 1);
                return Err(bits.broken(fault));
            }
            *distance = wide(bits.with_leading_one(log2, name)?);
        }
        Ok(recent)
    }

    fn in_use(&mut self) -> &mut [usize] {
        self.distances.get_mut(..self.count).unwrap_or_default()
    }

    /// Moves a distance to the front; `number` does not count the first one after a match.
    fn recall(&mut self, number: usize) -> Result<usize, Fault> {
        let number = number + usize::from(self.after_match);
        let most = self.count.saturating_sub(1);
        match self.in_use().get_mut(..=number) {
            Some(moved) => {
                moved.rotate_right(1);
                Ok(moved.first().copied().unwrap_or_default())
            }
            None => Err(Fault::value("the number of a recent distance", number, 0, most)),
        }
    }

    fn remember(&mut self, distance: usize) {
        let in_use = self.in_use();
        if let Some(oldest) = in_use.last_mut() {
            *oldest = distance;
            in_use.rotate_right(1);
        }
    }
}
