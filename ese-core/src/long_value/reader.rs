//! The chunks of one long value, in order (spec 07 section 3).

use crate::compress::{DecompressError, decompress};
use crate::format::long_value::{LongValueRoot, RootLengthError, chunk_size};
use crate::format::{LongValueId, LongValueKey, Pgno};
use crate::source::Pages;
use crate::tree::{Cursor, TreeFault};

/// Why a long value, or a part of it, cannot be read. Offsets and sizes are in bytes of the decompressed value.
#[derive(Debug, thiserror::Error)]
pub enum LongValueError {
    /// The tree has no root for it.
    #[error("long value {id}: expected a root in the tree, found none")]
    NoRoot {
        /// The long value.
        id: LongValueId,
    },
    /// Its root does not say how long it is.
    #[error("long value {id}: {error}")]
    Root {
        /// The long value.
        id: LongValueId,
        /// What is wrong.
        #[source]
        error: RootLengthError,
    },
    /// A chunk is missing: the next one begins later, or there is none.
    #[error("long value {id}: expected a chunk at byte {offset} of {size}, found {}", ChunkFound(.found))]
    NoChunk {
        /// The long value.
        id: LongValueId,
        /// Where the chunk should begin.
        offset: u32,
        /// Size of the whole value.
        size: u32,
        /// Where the next one begins; `None` if there is none.
        found: Option<u32>,
    },
    /// A chunk begins inside the one before.
    #[error("long value {id}: expected a chunk at byte {expected}, found one at {found}")]
    Misplaced {
        /// The long value.
        id: LongValueId,
        /// Where the next chunk should begin.
        expected: u32,
        /// Where it begins.
        found: u32,
    },
    /// A chunk begins behind the end of the value.
    #[error("long value {id}: expected its end at byte {size}, found a chunk at byte {found}")]
    BehindEnd {
        /// The long value.
        id: LongValueId,
        /// Size of the whole value.
        size: u32,
        /// Where the chunk begins.
        found: u32,
    },
    /// A chunk is longer than the rest of the value, or shorter once it is decompressed.
    #[error("long value {id}: expected {expected} bytes in the chunk at byte {offset}, found {found}")]
    ChunkSize {
        /// The long value.
        id: LongValueId,
        /// Where the chunk begins.
        offset: u32,
        /// Its size by the root.
        expected: usize,
        /// Its size.
        found: usize,
    },
    /// A chunk cannot be decompressed.
    #[error("long value {id}: chunk at byte {offset}: {error}")]
    Decompress {
        /// The long value.
        id: LongValueId,
        /// Where the chunk begins.
        offset: u32,
        /// What is wrong.
        #[source]
        error: DecompressError,
    },
    /// It is encrypted: nobody but its writer can read it.
    #[error("long value {id} is encrypted")]
    Encrypted {
        /// The long value.
        id: LongValueId,
    },
    /// A part of the tree cannot be read.
    #[error("long value {id}: {fault}")]
    Tree {
        /// The long value.
        id: LongValueId,
        /// What is wrong.
        #[source]
        fault: TreeFault,
    },
}

/// How a message speaks of the chunk that was found.
struct ChunkFound<'a>(&'a Option<u32>);

impl std::fmt::Display for ChunkFound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(offset) => write!(f, "the next one at {offset}"),
            None => f.write_str("no more"),
        }
    }
}

/// The long values of one table.
pub struct LongValues<'s> {
    cursor: Cursor<'s>,
    chunk_size: u32,
    /// The chunk that came last, as it stands.
    stored: Vec<u8>,
    decompressed: Vec<u8>,
}

impl<'s> LongValues<'s> {
    /// The long values in the tree with its root at `root`; `chunk_max` is `LVChunkMax` of the table in the catalog.
    #[must_use]
    pub fn new(pages: Pages<'s>, root: Pgno, chunk_max: Option<u32>) -> LongValues<'s> {
        LongValues {
            chunk_size: chunk_size(pages.size(), chunk_max),
            cursor: Cursor::new(pages, root),
            stored: Vec::new(),
            decompressed: Vec::new(),
        }
    }

    /// The long value `id`, to be read from its first byte.
    ///
    /// ```no_run
    /// # use ese_core::format::{LongValueId, PageSize, Pgno};
    /// # use ese_core::long_value::LongValues;
    /// # use ese_core::source::{MemorySource, Pages};
    /// # let bytes = Vec::new();
    /// # let source = MemorySource(&bytes);
    /// let mut values = LongValues::new(Pages::new(&source, PageSize::K4), Pgno(51), None);
    /// let mut value = values.open(LongValueId(1))?;
    /// let mut whole = Vec::new();
    /// while let Some(chunk) = value.next_chunk() {
    ///     whole.extend_from_slice(chunk?.bytes);
    /// }
    /// # Ok::<(), ese_core::long_value::LongValueError>(())
    /// ```
    ///
    /// # Errors
    /// [`LongValueError`] if its root is missing or malformed, or if the way to it cannot be read.
    pub fn open(&mut self, id: LongValueId) -> Result<LongValueReader<'_, 's>, LongValueError> {
        self.open_in(ChunkForm::Decompressed, id)
    }

    /// The long value `id` with its chunks as they stand, compressed or encrypted: what there is to keep of one that nobody
    /// here can decode.
    ///
    /// # Errors
    /// [`LongValueError`] as above.
    pub fn open_as_stored(&mut self, id: LongValueId) -> Result<LongValueReader<'_, 's>, LongValueError> {
        self.open_in(ChunkForm::AsStored, id)
    }

    fn open_in(&mut self, form: ChunkForm, id: LongValueId) -> Result<LongValueReader<'_, 's>, LongValueError> {
        let tree = |fault| LongValueError::Tree { id, fault };
        self.cursor.seek(&LongValueKey::Root(id).to_vec()).map_err(tree)?;
        let root = loop {
            let Some(found) = self.cursor.next_node() else { return Err(LongValueError::NoRoot { id }) };
            let found = found.map_err(tree)?;
            match LongValueKey::read(&found.node.key) {
                Ok(LongValueKey::Root(found_id)) if found_id == id && !found.node.is_deleted() => {
                    break LongValueRoot::read(found.node.data).map_err(|error| LongValueError::Root { id, error })?;
                }
                Ok(key) if key.id() > id => return Err(LongValueError::NoRoot { id }),
                _ => {}
            }
        };
        Ok(LongValueReader { values: self, id, root, form, end: 0, state: State::Before })
    }

    /// Copies the next live chunk of `id` and gives its offset; `None` if the next node is of another long value.
    fn next_chunk_of(&mut self, id: LongValueId) -> Result<Option<u32>, TreeFault> {
        while let Some(found) = self.cursor.next_node() {
            let node = found?.node;
            match LongValueKey::read(&node.key) {
                Ok(LongValueKey::Chunk { id: of, offset }) if of == id && !node.is_deleted() => {
                    self.stored.clear();
                    self.stored.extend_from_slice(node.data);
                    return Ok(Some(offset));
                }
                Ok(key) if key.id() > id => break,
                _ => {}
            }
        }
        Ok(None)
    }
}

/// What the bytes of chunks are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChunkForm {
    Decompressed,
    AsStored,
}

/// Where a reader stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The cursor gives the next chunk.
    Before,
    /// The chunk with this offset is at hand: it was reported to come too late.
    Late(u32),
    /// All is read, or nothing more can be.
    Done,
}

/// One chunk of a long value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk<'a> {
    /// Where it begins in the value.
    pub offset: u32,
    /// Its bytes, decompressed unless they were asked for as stored.
    pub bytes: &'a [u8],
}

/// Reads one long value, chunk by chunk.
pub struct LongValueReader<'v, 's> {
    values: &'v mut LongValues<'s>,
    id: LongValueId,
    root: LongValueRoot,
    form: ChunkForm,
    /// Where the next chunk should begin.
    end: u32,
    state: State,
}

impl<'v, 's> LongValueReader<'v, 's> {
    /// Which long value it is.
    #[must_use]
    pub fn id(&self) -> LongValueId {
        self.id
    }

    /// The same from its first byte, as [`LongValues::open_as_stored`] gives it.
    ///
    /// # Errors
    /// [`LongValueError`] as there.
    pub fn restart_as_stored(self) -> Result<LongValueReader<'v, 's>, LongValueError> {
        self.values.open_as_stored(self.id)
    }

    /// What its root says; the size is a promise.
    #[must_use]
    pub fn root(&self) -> LongValueRoot {
        self.root
    }

    /// The next chunk, or what keeps it from being read; `None` behind the last one.
    ///
    /// Goes on behind an error: a chunk that is missing or broken costs no other. Each chunk begins where the one before
    /// ended, or an error tells what is missing.
    pub fn next_chunk(&mut self) -> Option<Result<Chunk<'_>, LongValueError>> {
        let id = self.id;
        if self.state == State::Done {
            return None;
        }
        if self.root.is_encrypted() && self.form == ChunkForm::Decompressed {
            self.state = State::Done;
            return Some(Err(LongValueError::Encrypted { id }));
        }
        let found = match std::mem::replace(&mut self.state, State::Before) {
            State::Late(offset) => Some(offset),
            _ => match self.values.next_chunk_of(id) {
                Ok(found) => found,
                Err(fault) => return Some(Err(LongValueError::Tree { id, fault })),
            },
        };
        let (expected, size) = (self.end, self.root.size);
        let Some(offset) = found else {
            self.state = State::Done;
            return (expected < size).then_some(Err(LongValueError::NoChunk { id, offset: expected, size, found }));
        };
        if offset >= size {
            return Some(Err(LongValueError::BehindEnd { id, size, found: offset }));
        }
        if offset < expected {
            return Some(Err(LongValueError::Misplaced { id, expected, found: offset }));
        }
        if offset > expected {
            self.state = State::Late(offset);
            self.end = offset;
            return Some(Err(LongValueError::NoChunk { id, offset: expected, size, found }));
        }
        let wanted = self.values.chunk_size.min(size - offset);
        self.end = offset + wanted;
        let LongValues { stored, decompressed, .. } = &mut *self.values;
        let read = match self.form {
            ChunkForm::AsStored => Ok(&stored[..]),
            ChunkForm::Decompressed => read_chunk(id, offset, stored, wanted as usize, decompressed),
        };
        Some(read.map(|bytes| Chunk { offset, bytes }))
    }
}

/// The `wanted` bytes of the chunk with `data`, decompressed into `out` if need be.
fn read_chunk<'d>(
    id: LongValueId,
    offset: u32,
    data: &'d [u8],
    wanted: usize,
    out: &'d mut Vec<u8>,
) -> Result<&'d [u8], LongValueError> {
    if data.len() == wanted {
        return Ok(data);
    }
    if data.len() > wanted {
        return Err(LongValueError::ChunkSize { id, offset, expected: wanted, found: data.len() });
    }
    decompress(data, wanted, out).map_err(|error| LongValueError::Decompress { id, offset, error })?;
    if out.len() != wanted {
        return Err(LongValueError::ChunkSize { id, offset, expected: wanted, found: out.len() });
    }
    Ok(out)
}
