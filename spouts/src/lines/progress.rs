//! How far the reading is.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::sources::Source;

/// How far a [`Lines`](crate::Lines) spout and all its tasks are. Shared; cheap to ask.
///
/// ```
/// use tormenta_spouts::Lines;
///
/// let lines = Lines::at("war-and-peace.txt");
/// let progress = lines.progress();
/// // Nothing is looked at before the topology starts.
/// assert_eq!((progress.bytes_read(), progress.bytes_total()), (0, None));
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    /// The same files in the same order for every task: the first to look decides.
    sources: OnceLock<Arc<[Source]>>,
}

impl Progress {
    /// Bytes read so far, as they stand in the files: packed ones count as packed.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::Progress::default().bytes_read(), 0);
    /// ```
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Size of all the files. Unknown before the files were looked for, and for standard input and
    /// pipes.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::Progress::default().bytes_total(), None);
    /// ```
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.sources.get()?.iter().map(Source::bytes).sum()
    }

    /// Number of files, once they were looked for.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::Progress::default().files(), None);
    /// ```
    #[must_use]
    pub fn files(&self) -> Option<usize> {
        self.sources.get().map(|sources| sources.len())
    }

    /// The file with this number, which is [`Line::file`](crate::Line::file). Standard input is
    /// `-`.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::Progress::default().file(0), None);
    /// ```
    #[must_use]
    pub fn file(&self, number: u32) -> Option<&Path> {
        Some(self.sources.get()?.get(number as usize)?.path())
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sources(&self) -> Option<&Arc<[Source]>> {
        self.sources.get()
    }

    /// Keeps these sources unless others were kept before; returns those that are kept.
    pub(crate) fn keep(&self, sources: Vec<Source>) -> &Arc<[Source]> {
        self.sources.get_or_init(|| sources.into())
    }
}
