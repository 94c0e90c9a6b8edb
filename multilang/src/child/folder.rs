//! A folder that goes away with the child it was made for, or with the next engine if this one is
//! killed.

use std::{
    fs::{DirBuilder, File, TryLockError},
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
                Err(why) if tries < TRIES && is_taken(&why) => {}
                Err(why) => return Err(why),
            }
        }
    }

    fn make() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // The child may work in another directory than this process.
        let beside = std::path::absolute(std::env::temp_dir())?;
        let path = beside.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        let lock = File::create_new(path.join(LOCK))?;
        // Who has swept it meanwhile has held the lock, and has removed it with the folder.
        match lock.try_lock() {
            Ok(()) if path.join(LOCK).exists() => Ok(Self { path, _lock: lock }),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(io::ErrorKind::NotFound.into()),
            Err(TryLockError::Error(why)) => Err(why),
        }
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

fn is_taken(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound)
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
