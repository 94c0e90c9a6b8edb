//! Runs the command and looks at what it says.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// The command, with nothing of the environment that changes what it says.
pub(crate) fn tormenta<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tormenta"));
    command.args(words).stdin(Stdio::null()).env_remove("NO_COLOR").env_remove("TORMENTA_LOG");
    command
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!err.contains("panicked"), "{err}");
        Self { code: output.status.code(), out: output.stdout, err }
    }
}

impl Said {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// The one JSON value on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the command said all this to people, and nothing to programs.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out(), "");
        for text in says {
            assert!(self.err.contains(text), "`{text}` is not in: {}", self.err);
        }
    }
}

/// Runs the command to its end.
pub(crate) fn said<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Said {
    tormenta(words).output().expect("it starts").into()
}

/// `tormenta demo word-count` with these words.
pub(crate) fn count<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Said {
    let words = words.into_iter().map(|word| word.as_ref().to_owned());
    said(["demo", "word-count"].map(Into::into).into_iter().chain(words))
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

pub(crate) fn file(directory: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).expect("written");
    path
}

/// Names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("text")
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort_unstable();
    names
}

/// An artifact: the project that `tormenta new` writes, built as an example of this package.
pub(crate) fn artifact() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_tormenta")).parent().expect("a directory");
    built.join("examples/hello")
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.expect("kill starts").success());
}
