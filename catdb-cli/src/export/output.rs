//! Where the text of rows goes: a buffer that is emptied now and then, in the middle of a long value too.

use std::fs::File;
use std::io::{self, Write};

use super::ExportError;

/// Bytes of values that rows are to hold for sinks that write to an [`Output`]: what is longer goes through in pieces.
pub(crate) const HELD_MOST: usize = 1 << 20;

/// Bytes gathered before they are written.
const BLOCK: usize = 256 * 1024;

/// A buffer to append to.
pub(crate) trait Output {
    /// What is appended goes here.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called between pieces: may empty the buffer.
    fn relieve(&mut self) -> Result<(), ExportError>;
}

/// All of it, in memory.
impl Output for Vec<u8> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }

    fn relieve(&mut self) -> Result<(), ExportError> {
        Ok(())
    }
}

/// Where blocks go.
pub(crate) enum Target {
    File(File),
    Stream(Box<dyn Write>),
}

/// Writes in blocks.
pub(crate) struct BlockWriter {
    buffer: Vec<u8>,
    target: Option<Target>,
}

impl BlockWriter {
    pub(crate) fn new() -> BlockWriter {
        BlockWriter { buffer: Vec::with_capacity(BLOCK + BLOCK / 4), target: None }
    }

    /// What is written from now on goes to `target`.
    pub(crate) fn begin(&mut self, target: Target) {
        self.target = Some(target);
    }

    /// All that was written is with the target; a file is synced, and done with.
    pub(crate) fn end(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        if let Some(Target::File(file)) = &self.target {
            file.sync_all()?;
            self.target = None;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let written: io::Result<()> = match &mut self.target {
            Some(Target::File(file)) => file.write_all(&self.buffer),
            Some(Target::Stream(stream)) => stream.write_all(&self.buffer).and_then(|()| stream.flush()),
            None => return Err(ExportError::NoTable),
        };
        self.buffer.clear();
        Ok(written?)
    }
}

impl Output for BlockWriter {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    fn relieve(&mut self) -> Result<(), ExportError> {
        if self.buffer.len() >= BLOCK { self.flush() } else { Ok(()) }
    }
}
