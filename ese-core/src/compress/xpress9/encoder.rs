//! A writer of XPRESS9 for tests: any items, any shape, both forms of tables.
//!
//! It searches for no matches: a test says what the items are, so that all of them occur. It shares no code with the
//! decoder, not even the numbers.

/// What a test wishes to have written; distances and numbers are fitted to what is possible.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Literal(u8),
    Pointer { distance: u32, longer: u32 },
    Recent { number: u32, longer: u32 },
}

/// How a test wishes to have it written.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) recent: u32,
    pub(super) pointer_min: u32,
    pub(super) recent_min: u32,
    /// Coded tables with choices that depend on this number; stored tables without.
    pub(super) coded: Option<u64>,
}

/// Bits, the least significant first.
#[derive(Default)]
pub(super) struct BitWriter {
    pub(super) bytes: Vec<u8>,
    pub(super) len: u32,
}

impl BitWriter {
    pub(super) fn number(&mut self, value: u32, count: u32) {
        for place in 0..count {
            if self.len.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::try_from(value >> place & 1).unwrap() << (self.len % 8);
            self.len += 1;
        }
    }

    /// A code word, its most significant bit first.
    pub(super) fn word(&mut self, (word, length): (u32, u32)) {
        for place in (0..length).rev() {
            self.number(word >> place & 1, 1);
        }
    }
}

/// Pseudo-random choices.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A complete value behind the scheme byte and the data that it stands for; a block for each list of items.
pub(super) fn value(form: &Form, blocks: &[Vec<Item>]) -> (Vec<u8>, Vec<u8>) {
    let mut data = Vec::new();
    let mut stream = Vec::new();
    for (index, items) in (0..).zip(blocks) {
        let before = data.len();
        let (body, tables) = body(form, items, &mut data);
        let size = u32::try_from(data.len() - before).unwrap();
        stream.extend(block(form, size, &body, tables, index));
    }
    let mut value = crc32c(&data).to_le_bytes().to_vec();
    value.extend(stream);
    (value, data)
}

/// A block with its header.
pub(super) fn block(form: &Form, size: u32, body: &BitWriter, tables: u32, index: u32) -> Vec<u8> {
    let flags = tables | (form.recent / 2) << 16 | (form.pointer_min - 3) << 18 | (form.recent_min - 2) << 19;
    let fields = [0x4E86_D72A, size, 256 + body.len, flags, 0, 0x1234_5678, index];
    let mut block: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
    block.extend(crc32c(&block).to_le_bytes());
    block.extend(&body.bytes);
    block
}

pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A symbol of one of the two codes, or bits as they are.
enum Piece {
    Short(u32),
    Long(u32),
    Bits(u32, u32),
}

fn body(form: &Form, items: &[Item], data: &mut Vec<u8>) -> (BitWriter, u32) {
    let mut recent: Vec<u32> = (1..=form.recent).collect();
    let mut bits = BitWriter::default();
    if form.recent > 0 {
        bits.number(0, 1);
        for distance in &recent {
            with_leading_one(&mut bits, 5, *distance);
        }
    }
    let pieces = pieces(form, items, &mut recent, data);
    let used = |long: bool| {
        let symbols = pieces.iter().filter_map(move |piece| match piece {
            Piece::Short(symbol) if !long => Some(*symbol),
            Piece::Long(symbol) if long => Some(*symbol),
            _ => None,
        });
        symbols.collect()
    };
    let mut dice = form.coded.map(Dice);
    let short = table(&mut bits, &mut dice, 704, used(false));
    let long = table(&mut bits, &mut dice, 256, used(true));
    let tables = bits.len;
    for piece in &pieces {
        match *piece {
            Piece::Short(symbol) => bits.word(short[usize::try_from(symbol).unwrap()]),
            Piece::Long(symbol) => bits.word(long[usize::try_from(symbol).unwrap()]),
            Piece::Bits(value, count) => bits.number(value, count),
        }
    }
    (bits, tables)
}

fn with_leading_one(bits: &mut BitWriter, width: u32, value: u32) {
    bits.number(value.ilog2(), width);
    bits.number(value, value.ilog2());
}

fn pieces(form: &Form, items: &[Item], recent: &mut Vec<u32>, data: &mut Vec<u8>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut after_match = false;
    for item in items {
        let produced = u32::try_from(data.len()).unwrap();
        let possible = recent.iter().enumerate().skip(usize::from(after_match)).filter(|(_, far)| **far <= produced);
        let possible: Vec<usize> = possible.map(|(place, _)| place).collect();
        let (distance, length) = match *item {
            Item::Recent { number, longer } if !possible.is_empty() => {
                let place = possible[usize::try_from(number).unwrap() % possible.len()];
                let class = u32::try_from(place).unwrap() - u32::from(after_match);
                let length_bits = length(&mut pieces, class, longer);
                pieces.extend(length_bits);
                let distance = recent.remove(place);
                recent.insert(0, distance);
                (distance, longer + form.recent_min)
            }
            Item::Pointer { distance, longer } if produced > 0 => {
                let distance = distance % produced + 1;
                let length_bits = length(&mut pieces, form.recent + distance.ilog2(), longer);
                pieces.extend(length_bits);
                pieces.push(Piece::Bits(distance, distance.ilog2()));
                recent.insert(0, distance);
                recent.truncate(usize::try_from(form.recent).unwrap());
                (distance, longer + form.pointer_min)
            }
            Item::Literal(byte) => {
                pieces.push(Piece::Short(byte.into()));
                data.push(byte);
                after_match = false;
                continue;
            }
            Item::Recent { .. } | Item::Pointer { .. } => continue,
        };
        for _ in 0..length {
            data.push(data[data.len() - usize::try_from(distance).unwrap()]);
        }
        after_match = true;
    }
    if data.is_empty() {
        pieces.push(Piece::Short(0));
        data.push(0);
    }
    pieces
}

/// Writes the symbol of a match; returns what says its length beyond that.
fn length(pieces: &mut Vec<Piece>, class: u32, longer: u32) -> Vec<Piece> {
    pieces.push(Piece::Short(256 + 16 * class + longer.min(15)));
    match longer {
        0..15 => vec![],
        15..247 => vec![Piece::Long(longer - 15)],
        _ => {
            let rest = longer - 246;
            vec![Piece::Long(232 + rest.ilog2()), Piece::Bits(rest, rest.ilog2())]
        }
    }
}

/// Writes a table that has words for all the `used` of `count` symbols; returns the words.
fn table(bits: &mut BitWriter, dice: &mut Option<Dice>, count: usize, used: Vec<u32>) -> Vec<(u32, u32)> {
    let Some(dice) = dice else {
        bits.number(0, 3);
        let short = count.ilog2();
        let lengths: Vec<u32> = (0..count).map(|at| short + u32::from(at >= (2 << short) - count)).collect();
        return words(&lengths);
    };
    let mut symbols: Vec<usize> = used.into_iter().map(|symbol| usize::try_from(symbol).unwrap()).collect();
    for _ in 0..dice.below(60) {
        // Often neighbours, so that rows resemble each other.
        let near = symbols.last().copied().unwrap_or(count / 2) + [1, 16, 17, 100][dice.below(4)];
        symbols.push(near % count);
    }
    symbols.push(dice.below(count));
    symbols.sort_unstable();
    symbols.dedup();
    let mut lengths = vec![0; count];
    for (symbol, length) in symbols.iter().zip(complete_code(dice, symbols.len(), 27)) {
        lengths[*symbol] = length;
    }
    bits.number(1, 3);
    coded_lengths(bits, dice, &lengths);
    words(&lengths)
}

/// Lengths of a complete code, or any length for a single symbol.
fn complete_code(dice: &mut Dice, count: usize, most: u32) -> Vec<u32> {
    if count == 1 {
        return vec![1 + u32::try_from(dice.below(usize::try_from(most).unwrap())).unwrap()];
    }
    let mut lengths = vec![0];
    while lengths.len() < count {
        // A long word now and then, else a short one, so that the limit is reached but there is always room.
        let shortest = (0..lengths.len()).min_by_key(|at| lengths[*at]).unwrap();
        let at = if dice.below(3) == 0 { lengths.len() - 1 } else { shortest };
        let at = if lengths[at] < most { at } else { shortest };
        lengths[at] += 1;
        lengths.push(lengths[at]);
    }
    lengths
}

fn words(lengths: &[u32]) -> Vec<(u32, u32)> {
    let mut words = vec![(0, 0); lengths.len()];
    let mut next = 0;
    for length in 1..=27 {
        next <<= 1;
        for (word, _) in words.iter_mut().zip(lengths).filter(|(_, found)| **found == length) {
            *word = (next, length);
            next += 1;
        }
    }
    words
}

fn coded_lengths(bits: &mut BitWriter, dice: &mut Dice, lengths: &[u32]) {
    let helper = complete_code(dice, 33, 8);
    let mut before = 4;
    for length in &helper {
        if *length == before {
            bits.number(0, 1);
        } else {
            bits.number(1, 1);
            bits.number(length - u32::from(*length > before), 3);
            before = *length;
        }
    }
    let helper = words(&helper);
    let (mut at, mut again) = (0, 8);
    while at < lengths.len() {
        let length = lengths[at];
        let row_before = at.checked_sub(16).map(|at| lengths[at]);
        let to_row = 16 - at % 16;
        let zeros = lengths[at..at + to_row].iter().take_while(|length| **length == 0).count();
        let mut ways = vec![usize::try_from(length).unwrap()];
        if zeros == to_row {
            ways.push(28);
        } else if zeros >= 5 {
            ways.push(29);
        }
        if length == again {
            ways.push(30);
        }
        if row_before == Some(length) && length > 0 {
            ways.push(31);
        }
        if row_before.is_some_and(|before| before + 1 == length) {
            ways.push(32);
        }
        let way = ways[dice.below(ways.len())];
        bits.word(helper[way]);
        at += match way {
            28 => to_row,
            29 => {
                let more = u32::try_from(zeros).unwrap() - 5;
                bits.number(more.min(3), 2);
                if more >= 3 {
                    bits.number((more - 3).min(7), 3);
                }
                if more == 10 {
                    bits.number(0, 3);
                }
                zeros
            }
            _ => 1,
        };
        if length > 0 {
            again = length;
        }
    }
}
