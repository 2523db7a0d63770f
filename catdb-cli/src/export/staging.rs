//! Outputs that are there whole or not at all: a folder beside the one that was asked for, renamed when all is in it.
//!
//! Never replaces anything: a folder that has something in it is refused, before the work and again by the rename.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder in the making. Dropped before [`publish`](Self::publish), it is removed with all that is in it.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: TempDir,
    target: PathBuf,
}

impl Staging {
    /// Begins an output that will be the folder `target`.
    pub(crate) fn new(target: &Path) -> io::Result<Staging> {
        match fs::read_dir(target).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".catdb-export-");
        open_to_umask(&mut builder);
        Ok(Staging { folder: builder.tempdir_in(parent)?, target: target.to_owned() })
    }

    /// The folder to write into.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name. Its files are synced already.
    pub(crate) fn publish(self) -> io::Result<()> {
        sync_folder(self.folder.path())?;
        // Succeeds over an empty folder and over nothing.
        fs::rename(self.folder.path(), &self.target)?;
        let moved = self.folder.keep();
        sync_folder(moved.parent().unwrap_or(&self.target))
    }
}

/// A temporary folder is private; this one becomes the output, and is as open as any folder that the user makes.
#[cfg(unix)]
fn open_to_umask(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o777));
}

#[cfg(not(unix))]
fn open_to_umask(_: &mut tempfile::Builder<'_, '_>) {}

/// Makes sure that the files in `folder` are found there.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A new file for writing; one that exists is an error.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_appears_whole_or_not_at_all() {
        let world = tempfile::tempdir().unwrap();
        let target = world.path().join("out");
        let entries = || fs::read_dir(world.path()).unwrap().count();
        let staging = Staging::new(&target).unwrap();
        create(&staging.folder().join("a")).unwrap();
        assert!(create(&staging.folder().join("a")).is_err(), "nothing is overwritten");
        assert!(!target.exists());
        drop(staging);
        assert_eq!(entries(), 0, "nothing is left behind");

        let staging = Staging::new(&target).unwrap();
        create(&staging.folder().join("a")).unwrap();
        staging.publish().unwrap();
        assert!(target.join("a").is_file());
        assert_eq!(entries(), 1);
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let world = tempfile::tempdir().unwrap();
        let target = world.path().join("out");
        let early = Staging::new(&target).unwrap();
        fs::create_dir(&target).unwrap();
        Staging::new(&target).unwrap();
        fs::write(target.join("mine"), b"mine").unwrap();
        assert_eq!(Staging::new(&target).unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
        assert!(early.publish().is_err(), "also when it came in the meantime");
        assert_eq!(fs::read(target.join("mine")).unwrap(), b"mine");
        assert!(Staging::new(&target.join("mine")).is_err(), "a file is no folder");
    }
}
