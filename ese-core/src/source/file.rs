//! Positioned reads of a file: the default, since a failing sector is then an error and not a signal.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{ByteSource, ReadError};

/// A file, opened for reading only.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// What the operating system says; `IsADirectory` for a directory, `InvalidInput` for a pipe or a device without
    /// a length.
    pub fn open(path: &Path) -> io::Result<FileSource> {
        // A pipe would block in `open`, a directory would open and fail later: ask before.
        let kind = std::fs::metadata(path)?;
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() && !is_block_device(&kind) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file, found a special file"));
        }
        FileSource::new(File::open(path)?)
    }

    /// A source over a file that is open already.
    ///
    /// # Errors
    /// If its length cannot be found.
    pub fn new(file: File) -> io::Result<FileSource> {
        let metadata = file.metadata()?;
        let len = if metadata.is_file() { metadata.len() } else { io::Seek::seek(&mut &file, io::SeekFrom::End(0))? };
        Ok(FileSource { len, modified: metadata.modified().ok().filter(|_| metadata.is_file()), file })
    }
}

#[cfg(unix)]
fn is_block_device(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_block_device(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn read_exact_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buf, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buf.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buf, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                buf = &mut buf[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}

impl ByteSource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let len = buf.len();
        read_exact_at(&self.file, buf, offset).map_err(|error| ReadError { offset, len, error })
    }

    fn changed(&self) -> Option<String> {
        let now = self.file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        if now.len() != self.len {
            return Some(format!("its length was {} bytes when it was opened and is {} now", self.len, now.len()));
        }
        (self.modified.is_some() && now.modified().ok() != self.modified)
            .then(|| "it was written to after it was opened".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_shrinks_is_a_read_error_and_a_change() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 8192]).unwrap();
        let source = FileSource::open(file.path()).unwrap();
        let mut buf = [0; 4096];
        source.read_at(4096, &mut buf).unwrap();
        assert_eq!((buf, source.changed()), ([7; 4096], None));
        file.as_file().set_len(6000).unwrap();
        let error = source.read_at(4096, &mut buf).unwrap_err();
        assert!(error.is_past_end(), "{error}");
        assert_eq!(error.offset, 4096);
        assert!(source.changed().unwrap().contains("6000 now"));
    }

    #[test]
    fn a_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(FileSource::open(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
