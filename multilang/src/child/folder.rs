//! A folder that goes away with the child it was made for.

use std::{
    fs::DirBuilder,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new folder among the temporary ones, which nobody else may enter.
    pub(super) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("tormenta-child-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let mut builder = DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Of a process that had this number before, and was killed.
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(why),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // what is left there does no harm
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
}
