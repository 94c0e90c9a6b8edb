//! A file that lines are added to, and that ends with a whole one.
//!
//! ```text
//!   |---- kept ----|---- whole ----|- torn -|
//!        acked        written, may    what a failed write left:
//!                     still fail      cut off before the next one
//! ```
//!
//! After an error everything that was not [kept](LogFile::keep) is cut off: its tuples fail.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tormenta_dsl::{Error, Result};

use super::rotation::{aside, number_of};

/// Bytes that are read at a time in search of the last whole line.
pub(super) const LOOK_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    path: PathBuf,
    /// What every file begins with.
    header: Vec<u8>,
    /// Bytes of whole pieces.
    bytes: u64,
    /// Of these, those whose tuples were acked.
    kept: u64,
    /// Whether there may be more in the file than `kept` or `bytes`.
    is_torn: bool,
    /// Number of the file that was last put aside.
    number: u64,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
    #[cfg(test)]
    pub(super) syncs: u64,
}

/// What goes wrong next.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The disk is full after so many bytes.
    Full(usize),
    Sync,
}

/// What lines look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) header: Vec<u8>,
    /// Whether an end of line inside of double quotes is none.
    pub(super) is_quoted: bool,
}

impl LogFile {
    /// Opens a file to add to it, or to begin it anew.
    ///
    /// # Errors
    /// When there can be no file, or somebody else writes it.
    pub(super) fn open(path: &Path, shape: &Shape, is_append: bool) -> Result<Self> {
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            let path = path.display();
            return Err(Error::msg(format!("`{path}` is no file; name one that is or can be")));
        }
        let failed = |doing: &str, error| context(doing, path, error);
        let opened =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = opened.map_err(|error| failed("create", error))?;
        // Some file systems have no locks. The lock is a courtesy, not a promise.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let path = path.display();
            return Err(Error::msg(format!("`{path}` is being written by somebody else")));
        }
        let found = if is_append { whole_bytes(&mut file, shape.is_quoted) } else { Ok(0) };
        let bytes = found.map_err(|error| failed("read", error))?;
        let number = last_number(path).map_err(|error| failed("list the directory of", error))?;
        let mut log = Self {
            file,
            path: path.to_owned(),
            header: shape.header.clone(),
            bytes,
            kept: bytes,
            is_torn: true,
            number,
            #[cfg(test)]
            fault: None,
            #[cfg(test)]
            syncs: 0,
        };
        log.mend().map_err(|error| failed("cut the torn last line of", error))?;
        log.begin().map_err(|error| failed("write to", error))?;
        sync_directory(path)?;
        Ok(log)
    }

    /// Bytes of the lines, without the header.
    pub(super) fn lines_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.header.len() as u64)
    }

    /// Adds whole lines. On return the operating system has them.
    ///
    /// # Errors
    /// The disk is full, for one. All that was not kept is cut off, now or before the next write.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result {
        let written = self.mend().and_then(|()| self.put(lines));
        written.map_err(|error| self.fail("write to", error))
    }

    /// Tells the disk to keep what was written.
    ///
    /// # Errors
    /// As [`write`](LogFile::write): what the disk did with it, nobody knows then.
    pub(super) fn sync(&mut self) -> Result {
        let synced = self.mend().and_then(|()| self.sync_data());
        synced.map_err(|error| self.fail("sync", error))
    }

    /// The tuples of all that was written will be acked, so nothing of it will be cut off.
    pub(super) fn keep(&mut self) {
        self.kept = self.bytes;
    }

    /// Puts the file aside under the next number, and begins a new one. All that is in it must be
    /// kept.
    ///
    /// # Errors
    /// When the operating system refuses. The file goes on then.
    pub(super) fn rotate(&mut self) -> Result {
        let mut number = self.number + 1;
        while aside(&self.path, number).exists() {
            number += 1;
        }
        let (path, aside) = (self.path.clone(), aside(&self.path, number));
        let failed = |error| context("begin the next file after", &path, error);
        self.mend().map_err(|error| self.fail("cut", error))?;
        fs::rename(&self.path, &aside).map_err(failed)?;
        let opened = OpenOptions::new().create_new(true).read(true).write(true).open(&self.path);
        let file = opened.inspect_err(|_| drop(fs::rename(&aside, &path))).map_err(failed)?;
        let _ = file.try_lock();
        (self.file, self.number) = (file, number);
        (self.bytes, self.kept) = (0, 0);
        sync_directory(&path)?;
        self.begin().map_err(|error| self.fail("write to", error))
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.bytes == 0 && !self.header.is_empty() {
            let header = self.header.clone();
            self.put(&header)?;
            self.keep();
        }
        Ok(())
    }

    fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        self.is_torn = true;
        #[cfg(test)]
        if let Some(Fault::Full(room)) = self.fault {
            self.file.write_all(&piece[..room.min(piece.len())])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all(piece)?;
        self.is_torn = false;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(Fault::Sync) = self.fault {
            return Err(io::Error::other("the disk is gone"));
        }
        #[cfg(test)]
        {
            self.syncs += 1;
        }
        self.file.sync_data()
    }

    /// Cuts off what was not written whole, and a lost header is written again.
    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.bytes)?;
            self.file.seek(SeekFrom::Start(self.bytes))?;
            self.is_torn = false;
            self.begin()?;
        }
        Ok(())
    }

    fn fail(&mut self, doing: &str, error: io::Error) -> Error {
        self.bytes = self.kept;
        self.is_torn = true;
        // If even that fails, it is tried again before the next write.
        let _ = self.file.set_len(self.bytes);
        context(doing, &self.path, error)
    }
}

fn context(doing: &str, path: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        let (path, directory) = (path.display(), directory(path).display());
        let why = format!(
            "`{path}` cannot be created: the directory `{directory}` does not exist; create it"
        );
        return io::Error::new(io::ErrorKind::NotFound, why).into();
    }
    Error::from(error).context(format!("{doing} `{}`", path.display()))
}

/// A name is an entry of its directory, which is a file of its own.
fn sync_directory(path: &Path) -> Result {
    #[cfg(unix)]
    File::open(directory(path))
        .and_then(|directory| directory.sync_all())
        .map_err(|error| context("sync the directory of", path, error))?;
    Ok(())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The largest number among the files that were put aside before.
fn last_number(path: &Path) -> io::Result<u64> {
    let mut last = 0;
    for entry in fs::read_dir(directory(path))? {
        last = last.max(number_of(path, &entry?.file_name()).unwrap_or(0));
    }
    Ok(last)
}

/// Bytes up to the end of the last whole line.
fn whole_bytes(file: &mut File, is_quoted: bool) -> io::Result<u64> {
    if is_quoted { whole_bytes_quoted(file) } else { whole_bytes_plain(file) }
}

fn whole_bytes_plain(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut piece = vec![0; LOOK_BYTES];
    while end > 0 {
        let start = end.saturating_sub(LOOK_BYTES as u64);
        let piece = &mut piece[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// From the beginning: only that tells which quotes open.
fn whole_bytes_quoted(file: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; LOOK_BYTES];
    let (mut at, mut whole, mut is_inside) = (0, 0, false);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(whole);
        }
        for byte in &piece[..read] {
            at += 1;
            match byte {
                b'"' => is_inside = !is_inside,
                b'\n' if !is_inside => whole = at,
                _ => {}
            }
        }
    }
}
