//! Where the text of rows goes: a buffer that is emptied now and then, in the middle of a long value too.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::file_name::FileNames;
use super::{ExportError, staging};

/// Bytes of values that rows are to hold for sinks that write to an [`Output`]: what is longer goes through in pieces.
pub(crate) const TEXT_HELD_MOST: usize = 1 << 20;

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

/// Writes tables in blocks: each to a file of its own, or all to one stream.
pub(crate) struct BlockWriter {
    buffer: Vec<u8>,
    target: Target,
}

enum Target {
    Folder {
        folder: PathBuf,
        extension: &'static str,
        names: FileNames,
        /// That of the table.
        file: Option<File>,
    },
    Stream(Box<dyn Write>),
}

impl BlockWriter {
    /// Writes files with this extension into `folder`.
    pub(crate) fn files(folder: PathBuf, extension: &'static str) -> BlockWriter {
        BlockWriter::new(Target::Folder { folder, extension, names: FileNames::default(), file: None })
    }

    /// Writes to `stream`.
    pub(crate) fn stream(stream: Box<dyn Write>) -> BlockWriter {
        BlockWriter::new(Target::Stream(stream))
    }

    fn new(target: Target) -> BlockWriter {
        BlockWriter { buffer: Vec::with_capacity(BLOCK + BLOCK / 4), target }
    }

    /// Begins a table; gives the name of its file, if it gets one.
    pub(crate) fn begin_table(&mut self, table: &str) -> Result<Option<String>, ExportError> {
        let Target::Folder { folder, extension, names, file } = &mut self.target else { return Ok(None) };
        let name = names.give(table, extension);
        *file = Some(staging::create(&folder.join(&name))?);
        Ok(Some(name))
    }

    /// Ends the table: all that was written is with its file, which is synced, or with the stream.
    pub(crate) fn end_table(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        if let Target::Folder { file: Some(file), .. } = &self.target {
            file.sync_all()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let written = match &mut self.target {
            Target::Folder { file: Some(file), .. } => file.write_all(&self.buffer),
            Target::Folder { file: None, .. } => return Err(ExportError::NoTable),
            Target::Stream(stream) => stream.write_all(&self.buffer).and_then(|()| stream.flush()),
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
