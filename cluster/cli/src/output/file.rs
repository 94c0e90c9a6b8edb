//! A file that is written whole or not at all.
//!
//! ```text
//!   t.tsv.partial   written, then synced
//!   t.tsv           the old one, until the new one is renamed over it
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::exit::{Code, Failure, Outcome};

/// A file that is being written. If it is not published, it never was.
#[derive(Debug)]
pub(crate) struct WholeFile {
    /// As the user called it.
    name: PathBuf,
    path: PathBuf,
    /// `None` where there is nothing to rename: a device, a pipe.
    draft: Option<PathBuf>,
    file: BufWriter<File>,
}

impl WholeFile {
    /// Begins a file that will stand at `path`, before any work is done for it.
    pub(crate) fn create(name: &Path) -> Outcome<Self> {
        let shown = name.display();
        let path = match fs::metadata(name) {
            Ok(about) if about.is_dir() => {
                let message = format!("`{shown}` is a directory; name a file in it");
                return Err(Failure::failed(message));
            }
            Ok(about) if !about.is_file() => return Self::direct(name),
            // Through a link, so that it is still one afterwards.
            Ok(_) => fs::canonicalize(name).map_err(|e| cannot(name, "find", &e))?,
            Err(_) => name.to_owned(),
        };
        let Some(file_name) = path.file_name() else {
            return Err(Failure::failed(format!("`{shown}` has no file name at its end")));
        };
        let mut draft = file_name.to_owned();
        draft.push(".partial");
        let draft = path.with_file_name(draft);
        let options = OpenOptions::new().write(true).create(true).truncate(false).to_owned();
        let file = options.open(&draft).map_err(|error| cannot_create(name, &error))?;
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            let message = format!("`{shown}` is being written by somebody else");
            return Err(Failure::new(Code::Conflict, message));
        }
        file.set_len(0).map_err(|error| cannot(name, "empty", &error))?;
        let (name, draft, file) = (name.to_owned(), Some(draft), BufWriter::new(file));
        Ok(Self { name, path, draft, file })
    }

    fn direct(name: &Path) -> Outcome<Self> {
        let file = OpenOptions::new().write(true).open(name);
        let file = BufWriter::new(file.map_err(|error| cannot(name, "open", &error))?);
        Ok(Self { name: name.to_owned(), path: name.to_owned(), draft: None, file })
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.file.write_all(bytes).map_err(|error| cannot(&self.name, "write", &error))
    }

    /// Puts the file in its place. On return it is there, and stays there if the power fails.
    pub(crate) fn publish(mut self) -> Outcome<()> {
        let failed = |error: io::Error| cannot(&self.name, "write", &error);
        self.file.flush().map_err(failed)?;
        let Some(draft) = &self.draft else { return Ok(()) };
        self.file.get_ref().sync_all().map_err(failed)?;
        fs::rename(draft, &self.path).map_err(failed)?;
        self.draft = None;
        // The name is an entry of the directory, which is a file of its own.
        #[cfg(unix)]
        File::open(directory(&self.path)).and_then(|it| it.sync_all()).map_err(failed)?;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            let _ = fs::remove_file(draft);
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

fn cannot_create(name: &Path, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::NotFound {
        return cannot(name, "create", error);
    }
    let (name, directory) = (name.display(), directory(name).display());
    let message = format!("create `{name}`: the directory `{directory}` does not exist; create it");
    Failure::new(Code::NotFound, message)
}

fn cannot(name: &Path, doing: &str, error: &io::Error) -> Failure {
    let fix = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room or name another place. Nothing was written"
        }
        io::ErrorKind::PermissionDenied => "; name a place where you may write",
        _ => "",
    };
    Failure::failed(format!("{doing} `{}`: {error}{fix}", name.display()))
}
