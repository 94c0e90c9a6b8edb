//! The shell: looks at files, reads them, and writes checkpoints.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use tormenta_dsl::{Error, Result};

use super::{
    follow::Seen,
    place::{FileId, HEAD_BYTES, Head},
};

/// Names that end so are packed: the bytes in them are not those of the log.
const PACKED: [&str; 4] = ["gz", "zst", "xz", "bz2"];

/// The file that is open, and what is known of its beginning.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) file: File,
    pub(crate) id: FileId,
}

pub(crate) fn id(about: &Metadata) -> FileId {
    FileId { device: about.dev(), inode: about.ino() }
}

/// All files that may be the one that is read or come after it. `current` is looked at through its
/// handle, whatever became of its name. The neighbours of the path are listed only if `all`.
pub(crate) fn look(
    path: &Path,
    current: Option<&Current>,
    head: Head,
    all: bool,
) -> Result<Vec<Seen>> {
    let mut seen = Vec::new();
    let live = match fs::metadata(path) {
        Ok(about) if about.is_file() => Some(about),
        Ok(_) => return Err(Error::msg(format!("`{}` is no file", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot("look at", path, error)),
    };
    let live_id = live.as_ref().map(id);
    if let Some(current) = current {
        let about = current.file.metadata().map_err(|e| cannot("look at", path, e))?;
        let is_live = live_id == Some(current.id);
        let matches = begins(&current.file, head).map_err(|e| cannot("read", path, e))?;
        seen.push(Seen { matches, ..a_file(&about, is_live) });
    }
    if let Some(about) = &live
        && current.is_none_or(|current| current.id != id(about))
    {
        let matches = File::open(path).and_then(|file| begins(&file, head)).unwrap_or(false);
        seen.push(Seen { matches, ..a_file(about, true) });
    }
    if all {
        for neighbour in neighbours(path)? {
            let Ok(file) = File::open(&neighbour) else { continue };
            let Ok(about) = file.metadata() else { continue };
            if about.is_file() && seen.iter().all(|known| known.id != id(&about)) {
                let matches = begins(&file, head).unwrap_or(false);
                seen.push(Seen { matches, ..a_file(&about, false) });
            }
        }
    }
    Ok(seen)
}

fn a_file(about: &Metadata, is_live: bool) -> Seen {
    let seconds = u64::try_from(about.mtime()).unwrap_or(0);
    let nanos = u32::try_from(about.mtime_nsec()).unwrap_or(0);
    let modified = Duration::new(seconds, nanos);
    Seen { id: id(about), bytes: about.len(), modified, is_live, matches: false }
}

fn begins(file: &File, head: Head) -> io::Result<bool> {
    Ok(head.begins(&first_bytes(file, head.bytes)?))
}

/// At most so many bytes from the beginning of a file.
pub(crate) fn first_bytes(file: &File, bytes: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; bytes.min(HEAD_BYTES)];
    let filled = read_at(file, &mut head, 0)?;
    head.truncate(filled);
    Ok(head)
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Opens the file with this id, under whatever name it has among the path and its neighbours.
pub(crate) fn open(path: &Path, wanted: FileId) -> Result<Option<Current>> {
    for name in std::iter::once(path.to_owned()).chain(neighbours(path)?) {
        let Ok(file) = File::open(&name) else { continue };
        if file.metadata().is_ok_and(|about| id(&about) == wanted) {
            return Ok(Some(Current { file, id: wanted }));
        }
    }
    Ok(None)
}

/// The files beside the path whose names begin with its name, as rotated logs are called:
/// `app.log.1`, `app.log-20261120`.
fn neighbours(path: &Path) -> Result<Vec<PathBuf>> {
    let name = path.file_name().unwrap_or_default();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot("look into", folder, error)),
    };
    let is_neighbour = |other: &OsStr| {
        let (other, name) = (other.as_encoded_bytes(), name.as_encoded_bytes());
        other.len() > name.len()
            && other.starts_with(name)
            && !other[name.len()].is_ascii_alphanumeric()
    };
    let is_packed = |path: &PathBuf| {
        path.extension().and_then(OsStr::to_str).is_some_and(|end| PACKED.contains(&end))
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let rotated = names.filter(|path| path.file_name().is_some_and(is_neighbour));
    Ok(rotated.filter(|path| !is_packed(path)).collect())
}

/// The text of a file, if there is one.
pub(crate) fn read_checkpoint(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read the checkpoint", path, error)),
    }
}

/// Puts a text into a file as a whole: whoever looks finds the old one or the new one, also after a
/// loss of power.
pub(crate) fn write_checkpoint(path: &Path, text: &str) -> Result {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| cannot("write the checkpoint", path, error))
}

pub(crate) fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::from(error).context(format!("cannot {what} `{}`", path.display()))
}
