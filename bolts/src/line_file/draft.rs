//! A file that is complete or not there.
//!
//! ```text
//!   counts.tsv.partial   written, a piece at a time
//!   counts.tsv           the old file, until the new one is renamed over it, whole and synced
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tormenta_dsl::{Error, Result};

/// A file that is being written beside the place where it will stand.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    draft: PathBuf,
    path: PathBuf,
    /// Bytes of the pieces that were written whole.
    bytes: u64,
    /// A piece was begun and not finished.
    torn: bool,
    /// The first error: something that should be in the file is not.
    lost: Option<String>,
}

impl Draft {
    /// Begins a file that will stand at `path`.
    ///
    /// # Errors
    /// When it can already be seen that it never will.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let path = destination(path)?;
        let draft = draft_path(&path)?;
        // Not truncated before it is ours: another process may be writing it.
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&draft);
        let file = opened.map_err(|error| cannot_create(&draft, error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let draft = draft.display();
                return Err(Error::msg(format!("`{draft}` is being written by somebody else")));
            }
            // Some file systems have no locks. The lock is a courtesy, not a promise.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let mut draft = Self { file, draft, path, bytes: 0, torn: true, lost: None };
        draft.mend().map_err(|error| draft.failed("empty", error))?;
        Ok(draft)
    }

    /// Adds a piece: all of it or, on an error, nothing. On return the operating system has it.
    pub(crate) fn append(&mut self, piece: &[u8]) -> Result {
        let written = self.mend().and_then(|()| {
            self.torn = true;
            self.file.write_all(piece)
        });
        if let Err(error) = written {
            let error = self.failed("write to", error);
            self.lost.get_or_insert_with(|| error.chain());
            return Err(error);
        }
        self.torn = false;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Puts the file in its place. On return it is there, and stays there if the power fails.
    ///
    /// # Errors
    /// When it is not complete, or the operating system refuses. The draft is left as it is.
    pub(crate) fn publish(&mut self) -> Result {
        self.mend().map_err(|error| self.failed("cut", error))?;
        self.file.sync_all().map_err(|error| self.failed("sync", error))?;
        let (draft, path) = (self.draft.display(), self.path.display());
        if let Some(lost) = &self.lost {
            return Err(Error::msg(format!(
                "`{path}` is not complete and not put in its place, see `{draft}`: {lost}"
            )));
        }
        fs::rename(&self.draft, &self.path)
            .map_err(|error| Error::from(error).context(format!("rename `{draft}` to `{path}`")))?;
        // The name is an entry of the directory, which is a file of its own.
        #[cfg(unix)]
        File::open(directory(&self.path)).and_then(|directory| directory.sync_all()).map_err(
            |error| Error::from(error).context(format!("sync the directory of `{path}`")),
        )?;
        Ok(())
    }

    /// Cuts off what a failed write left behind.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::Start(self.bytes))?;
            self.torn = false;
        }
        Ok(())
    }

    fn failed(&self, doing: &str, error: io::Error) -> Error {
        Error::from(error).context(format!("{doing} `{}`", self.draft.display()))
    }
}

/// Where the file will stand. A link is followed, so that it is still one afterwards.
fn destination(path: &Path) -> Result<PathBuf> {
    let Ok(about) = fs::metadata(path) else {
        return Ok(path.to_owned());
    };
    let name = path.display();
    if about.is_dir() {
        return Err(Error::msg(format!("`{name}` is a directory; name a file in it")));
    }
    if !about.is_file() {
        return Err(Error::msg(format!(
            "`{name}` is a pipe or a device, and a finished file would take its place; use \
             `Print` and redirect its output"
        )));
    }
    fs::canonicalize(path).map_err(|e| Error::from(e).context(format!("follow `{name}`")))
}

fn draft_path(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        let path = path.display();
        return Err(Error::msg(format!("`{path}` has no file name at its end")));
    };
    let mut name = name.to_owned();
    name.push(".partial");
    Ok(path.with_file_name(name))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn cannot_create(draft: &Path, error: io::Error) -> Error {
    let directory = directory(draft);
    if error.kind() == io::ErrorKind::NotFound {
        let (draft, directory) = (draft.display(), directory.display());
        let why = format!(
            "`{draft}` cannot be created: the directory `{directory}` does not exist; create it"
        );
        return io::Error::new(io::ErrorKind::NotFound, why).into();
    }
    Error::from(error).context(format!("create `{}`", draft.display()))
}

#[cfg(all(test, target_os = "linux"))]
impl Draft {
    pub(super) fn on_a_full_disk() -> Self {
        let draft = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&draft).expect("linux has one");
        let path = PathBuf::from("/dev/full");
        Self { file, draft, path, bytes: 0, torn: false, lost: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn the_old_file_stands_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("counts.tsv");
        fs::write(&path, "old\n").expect("written");
        let mut draft = Draft::create(&path).expect("created");
        for piece in ["new\n", "whole\n"] {
            draft.append(piece.as_bytes()).expect("appended");
            assert_eq!(text(&path), "old\n");
        }
        draft.publish().expect("published");
        assert_eq!(text(&path), "new\nwhole\n");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
    }

    #[test]
    fn what_an_earlier_run_left_behind_is_overwritten() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        fs::write(dir.path().join("a.partial"), "from a run that was killed\n").expect("written");
        let mut draft = Draft::create(&path).expect("created");
        draft.append(b"new\n").expect("appended");
        draft.publish().expect("published");
        assert_eq!(text(&path), "new\n");
    }

    #[test]
    fn half_a_piece_is_cut_off() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        let mut draft = Draft::create(&path).expect("created");
        draft.append(b"one\n").expect("appended");
        // What a write does that fails in the middle.
        draft.torn = true;
        draft.file.write_all(b"tw").expect("written");
        draft.append(b"three\n").expect("appended");
        draft.publish().expect("published");
        assert_eq!(text(&path), "one\nthree\n");
    }

    #[test]
    fn two_writers_of_one_file_are_one_too_many() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        let first = Draft::create(&path).expect("created");
        let error = Draft::create(&path).expect_err("refused").to_string();
        assert!(error.ends_with("a.partial` is being written by somebody else"), "{error}");
        drop(first);
        Draft::create(&path).expect("free again");
    }

    #[test]
    fn places_where_no_file_can_stand_are_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let lost = dir.path().join("lost").join("a");
        for (path, problem) in [
            (lost.as_path(), "lost` does not exist; create it"),
            (dir.path(), "` is a directory; name a file in it"),
            (Path::new("/dev/null"), "`/dev/null` is a pipe or a device"),
            (Path::new("/"), "`/` is a directory"),
        ] {
            let error = Draft::create(path).expect_err("refused").to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_still_one_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, link) = (dir.path().join("a"), dir.path().join("link"));
        fs::write(&path, "old").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        Draft::create(&link).and_then(|mut draft| draft.publish()).expect("published");
        assert_eq!(text(&path), "");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named() {
        let mut draft = Draft::on_a_full_disk();
        let error = draft.append(b"x").expect_err("full").to_string();
        assert!(error.starts_with("write to `/dev/full`: No space left"), "{error}");
    }
}
