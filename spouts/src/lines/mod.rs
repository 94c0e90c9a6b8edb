//! The lines of files.
//!
//! ```text
//!   named --> sources --> open (unpack) --> chunks ---> splitter --> lines
//!             sources.rs  open.rs           chunks.rs   split.rs     reading.rs
//!             inputs.rs                     pool.rs
//!                                           feed.rs
//! ```
//!
//! What comes before the splitter also serves [`CsvRows`](crate::CsvRows), and all of it
//! [`JsonLines`](crate::JsonLines).
//!
//! Lines are slices of the chunk that was read: on the way to the words of a line nothing is
//! allocated and nothing is copied, except for the one line that crosses the border of two chunks.

pub(crate) mod chunks;
pub(crate) mod feed;
pub(crate) mod inputs;
#[cfg(test)]
mod lines_test;
pub(crate) mod open;
pub(crate) mod pool;
mod progress;
pub(crate) mod reading;
pub(crate) mod sources;
pub(crate) mod split;

use std::{path::PathBuf, sync::Arc};

use tormenta_dsl::{Context, Error, Result, Spout, text::Line};

pub use progress::Progress;

use chunks::Chunks;
use inputs::Inputs;
use reading::Reading;

/// Emits the lines of files, directories, patterns and standard input.
///
/// | what is named | what is read |
/// |---|---|
/// | `notes.txt` | the file |
/// | `logs` | every file below the directory that is not hidden, sorted by name |
/// | `logs/**/*.gz` | every file that the pattern matches, sorted by name |
/// | `-` | standard input |
///
/// **Packed files** are unpacked, whatever their name: gzip (of any number of members) and, with
/// the feature `zstd`, zstd. They are known by their first bytes. **Lines** end at `\n` or `\r\n`,
/// and the last one needs no end. They are bytes; nothing has to be UTF-8.
///
/// **With several tasks** the files are dealt over them: file `i` belongs to task `i % tasks`. One
/// file is never read by two tasks.
///
/// **Reading blocks**, for as long as a file system takes for 256 KiB. Where files come over a
/// network or from a tired disk, declare the spout `.blocking()`, which gives it a thread of its
/// own. Standard input and pipes are read by a thread anyhow, so that acks need not wait for a key
/// to be pressed.
///
/// **Mistakes** are found before the first line: a missing file, an empty directory, a pattern
/// that matches nothing, a name that ends in `.gz` over something that is not. A packed file that
/// is torn fails after all its whole lines were delivered.
///
/// ```
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_spouts::Lines;
///
/// let mut t = Topology::<NoEngine>::new("word-count");
/// let books = t.spout("books", Lines::at("books/*.txt.gz")).tasks(2);
/// let typed = t.spout("typed", Lines::stdin());
/// ```
pub struct Lines {
    inputs: Inputs,
    line_bytes_max: usize,
    /// Present once the task runs.
    reading: Option<Reading>,
}

impl Lines {
    /// Bytes that a line may have unless [`line_bytes_max`](Lines::line_bytes_max) says otherwise:
    /// 16 MiB, more than any line that was meant to be one.
    pub const LINE_BYTES_MAX: usize = 16 << 20;

    /// The lines of one file, directory or pattern, or of standard input (`-`).
    ///
    /// ```
    /// let lines = tormenta_spouts::Lines::at("/var/log/**/*.log");
    /// ```
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::of([path])
    }

    /// The lines of several, in this order.
    ///
    /// ```
    /// let lines = tormenta_spouts::Lines::of(["1901.gz", "1902.gz"]);
    /// ```
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { inputs: Inputs::of(paths), line_bytes_max: Self::LINE_BYTES_MAX, reading: None }
    }

    /// The lines of standard input.
    ///
    /// ```
    /// let lines = tormenta_spouts::Lines::stdin();
    /// ```
    #[must_use]
    pub fn stdin() -> Self {
        Self::at("-")
    }

    /// Bytes that a line may have; a longer one is an error that names it. A line is held in memory
    /// as a whole, so this is what bounds the memory of a task.
    ///
    /// ```
    /// let lines = tormenta_spouts::Lines::at("dump.json").line_bytes_max(1 << 30);
    /// ```
    #[must_use]
    pub fn line_bytes_max(self, bytes: usize) -> Self {
        let line_bytes_max = bytes;
        Self { line_bytes_max, ..self }
    }

    /// How far all tasks of this spout are, for as long as somebody wants to know.
    ///
    /// ```
    /// use tormenta_spouts::Lines;
    ///
    /// let lines = Lines::at("war-and-peace.txt");
    /// let progress = lines.progress();
    /// assert_eq!(progress.bytes_read(), 0);
    /// ```
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.inputs.progress.clone()
    }

    /// Looks for everything that is named and opens it, as the tasks will do.
    ///
    /// ```
    /// let error = tormenta_spouts::Lines::at("lost.txt").check().unwrap_err();
    /// assert!(error.to_string().starts_with("`lost.txt` does not exist"));
    /// ```
    ///
    /// # Errors
    /// When something cannot be read: names all that is missing, and what to do about it.
    pub fn check(&self) -> Result {
        self.inputs.check()
    }
}

/// A clone starts from the beginning. Its progress is counted together with the original's.
impl Clone for Lines {
    fn clone(&self) -> Self {
        Self { inputs: self.inputs.clone(), line_bytes_max: self.line_bytes_max, reading: None }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("named", &self.inputs.named)
            .field("line_bytes_max", &self.line_bytes_max)
            .finish_non_exhaustive()
    }
}

impl Spout for Lines {
    type Output = Line;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let chunks = Chunks::new(self.inputs.mine(cx)?, self.inputs.progress.clone());
        let reading = Reading::new(chunks, self.line_bytes_max);
        self.reading = Some(reading);
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Line, ())>> {
        let Some(reading) = &mut self.reading else {
            return Err(Error::msg("the spout was not prepared"));
        };
        loop {
            if let Some(line) = reading.line()? {
                return Ok(Some((line, ())));
            }
            if !reading.more().await? {
                return Ok(None);
            }
        }
    }
}
