//! A small world for each test: a folder of its own, inputs in it, and the program run over them.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each test file uses its part

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use tempfile::TempDir;

/// A folder with inputs.
pub(crate) struct World {
    folder: TempDir,
}

/// What a run printed, and its exit code.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl World {
    pub(crate) fn new() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    /// Adds an input.
    pub(crate) fn with(self, name: &str, bytes: &[u8]) -> World {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, to be run in the folder.
    pub(crate) fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::cargo_bin("catdb-cli").unwrap();
        command.current_dir(self.folder.path()).args(args);
        command
    }

    /// Runs the program, and holds it to the first promise: no input changes, and nothing appears beside it.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with_input(args, b"")
    }

    pub(crate) fn run_with_input(&self, args: &[&str], stdin: &[u8]) -> Run {
        let before = self.contents();
        let run: Run = self.command(args).write_stdin(stdin).output().unwrap().into();
        assert!(self.contents() == before, "{args:?} changed an input or left a file behind");
        run
    }

    /// Every file of the folder with its bytes.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        found
    }
}
