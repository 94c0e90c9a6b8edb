//! A folder that goes away with the child it was made for, or with the next engine if this one is
//! killed.

use std::{
    fs::{DirBuilder, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::orphans::{self, LOCK, PREFIX};

/// Folders that are tried, where others sweep them away as soon as they are made.
const TRIES: usize = 100;

pub(super) struct Folder {
    path: PathBuf,
    /// Held for as long as this process lives.
    _lock: File,
}

impl Folder {
    /// A new folder among the temporary ones, which nobody else may enter. The first one sweeps up
    /// what other engines have left.
    pub(super) fn new() -> io::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::make() {
                Ok(folder) => {
                    orphans::sweep_once(&folder.path);
                    return Ok(folder);
                }
                // Of a process that had this number before, and was killed; or taken for that by
                // somebody who sweeps.
                Err(io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) if tries < TRIES => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    fn make() -> Result<Self, io::ErrorKind> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{PREFIX}{}-{number}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|why| why.kind())?;
        let lock = File::create_new(path.join(LOCK)).map_err(|why| why.kind())?;
        // Who has swept it meanwhile has held the lock, and has removed it with the folder.
        if lock.try_lock().is_err() || !path.join(LOCK).exists() {
            return Err(io::ErrorKind::NotFound);
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes which process the child is, for who sweeps if it outlives this process.
    pub(super) fn remember(&self, child: u32) {
        if let Err(why) = orphans::write(&self.path, child) {
            tracing::debug!(%why, "which process a child is could not be noted");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path); // what is left there does no harm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_new_and_go_away() {
        let (one, two) = (Folder::new().expect("made"), Folder::new().expect("made"));
        assert_ne!(one.path(), two.path());
        let path = one.path().to_owned();
        std::fs::write(path.join("17"), "").expect("written");
        drop(one);
        assert!(!path.exists() && two.path().is_dir());
    }

    #[test]
    fn a_folder_in_use_is_not_swept() {
        let (one, two) = (Folder::new().expect("made"), Folder::new().expect("made"));
        orphans::sweep(one.path());
        assert!(one.path().is_dir() && two.path().is_dir());
    }
}
