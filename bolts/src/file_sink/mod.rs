//! Tuples to files that grow, are put aside when they are full or old, and are synced when asked.

#[cfg(test)]
mod file_sink_test;
mod log_file;
#[cfg(test)]
mod log_file_test;
mod rotation;
pub(crate) mod rows;
mod work;

use std::{fmt, path::PathBuf, time::Duration};

use tormenta_dsl::{Bolt, Context, Emitter, Error, Free, Result, Streams, Tuple};

use crate::{format::Format, line_file::path_of_task};
use log_file::{LogFile, Shape};
pub use rotation::Fsync;
use rotation::Rotation;
use work::{BUFFER_BYTES, Owners, Work};

/// How often it writes, where its user sets no ticks.
const TICK: Duration = Duration::from_millis(100);

/// Writes one line a tuple to a file that grows: as JSON, as CSV, or as its user likes.
///
/// Unlike a [`LineFile`](crate::LineFile), which stands when it is complete, this one can be read
/// while it is written and goes on where the last run ended: what a crash left of a last line is
/// cut off, unless [`truncate`](FileSink::truncate) begins anew.
///
/// **A tuple is acked when its line is safe**, and what that means is for [`Fsync`] to say. Until
/// then it is held. Where writing or syncing fails - the disk is full - all tuples that are held
/// fail with the error and the file is cut back to the lines of those that were acked. The next
/// tuples are tried again. Nothing that was acked is lost; a tuple that failed and is replayed
/// has one line, unless the process died in between.
///
/// **Rotation.** A file that is full ([`rotate_at`](FileSink::rotate_at)) or old
/// ([`rotate_every`](FileSink::rotate_every)) is put aside: `events.csv` becomes
/// `events-000001.csv`, numbered on from what is there, and a new `events.csv` begins. What was
/// put aside is synced, unless it is never, and not touched again.
///
/// It collects 64 KiB and writes when they are full, or at a tick, ten times a second unless its
/// user sets another interval. Until the first tick it deals with every tuple by itself. Writing
/// and syncing block for as long as the disk takes; declare it `.blocking()` where it is slow.
///
/// **One task, one file.** With several tasks, put `{task}` into the name.
///
/// ```
/// use std::time::Duration;
/// use tormenta_bolts::{FileSink, Fsync, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let counts = t.feedback::<WordCount>("counts");
///
/// let json = FileSink::json("counts-{task}.jsonl")
///     .fsync(Fsync::Interval(Duration::from_secs(1)))
///     .rotate_at(64 << 20);
/// t.bolt("json", json, counts.shuffle()).tasks(2);
///
/// let csv = FileSink::csv("counts.csv").rotate_every(Duration::from_secs(3_600));
/// t.bolt("csv", csv, counts.global()).blocking();
/// ```
pub struct FileSink<T> {
    path: PathBuf,
    format: Format<T>,
    shape: Shape,
    fsync: Fsync,
    rotation: Rotation,
    is_append: bool,
    work: Option<Work>,
}

impl<T: Streams> FileSink<T> {
    /// One [`Record`](tormenta_dsl::record::Record) a line.
    ///
    /// ```
    /// let sink = tormenta_bolts::FileSink::<u64>::lines("numbers.log");
    /// ```
    #[must_use]
    pub fn lines(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::record(), Shape::default())
    }

    /// What the closure adds to the line. It must not add an end of line.
    ///
    /// ```
    /// use tormenta_bolts::{FileSink, WordCount};
    ///
    /// let sink = FileSink::lines_with("counts.tsv", WordCount::tsv);
    /// ```
    #[must_use]
    pub fn lines_with(
        path: impl Into<PathBuf>,
        write: impl Fn(&T, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        Self::new(path.into(), Format::with(write), Shape::default())
    }

    /// One JSON object a line. Bytes that are UTF-8 are text.
    ///
    /// ```
    /// let sink = tormenta_bolts::FileSink::<u64>::json("numbers.jsonl"); // {"value":7}
    /// ```
    #[must_use]
    pub fn json(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::fallible(rows::json), Shape::default())
    }

    /// Comma-separated values after a line with the names of the fields, quoted where they must
    /// be. What is nested is JSON in its field. To append, the whole file is read once: only that
    /// tells an end of line from one inside quotes.
    ///
    /// ```
    /// let sink = tormenta_bolts::FileSink::<u64>::csv("numbers.csv");
    /// ```
    #[must_use]
    pub fn csv(path: impl Into<PathBuf>) -> Self
    where
        T: Tuple,
    {
        let shape = Shape { header: rows::csv_header::<T>(), is_quoted: true };
        Self::new(path.into(), Format::fallible(rows::csv), shape)
    }

    /// When the disk is told to keep what it has, and tuples are acked. [`Fsync::Never`] unless
    /// set.
    #[must_use]
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// Puts a file aside that would be larger than this, in bytes. A line that is longer has a
    /// file for itself.
    #[must_use]
    pub fn rotate_at(mut self, bytes: u64) -> Self {
        self.rotation.bytes_max = Some(bytes);
        self
    }

    /// Puts a file aside so long after its first line, or after it was opened with lines in it.
    #[must_use]
    pub fn rotate_every(mut self, age: Duration) -> Self {
        self.rotation.age_max = Some(age);
        self
    }

    /// Begins anew in place of going on with what is there.
    #[must_use]
    pub fn truncate(mut self) -> Self {
        self.is_append = false;
        self
    }

    fn new(path: PathBuf, format: Format<T>, shape: Shape) -> Self {
        let (fsync, rotation) = (Fsync::default(), Rotation::default());
        Self { path, format, shape, fsync, rotation, is_append: true, work: None }
    }
}

impl<T: Streams> Bolt for FileSink<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let path = path_of_task(&self.path, cx)?;
        let is_ours = cx.shared(Owners::default).claim(&path, cx)?;
        let log = LogFile::open(&path, &self.shape, self.is_append || is_ours)?;
        self.work = Some(Work::new(log, cx));
        Ok(())
    }

    async fn execute(&mut self, tuple: T, out: &Emitter<()>) -> Result {
        let work = self.work.as_mut().ok_or_else(|| Error::msg("the bolt was not prepared"))?;
        work.is_idle = false;
        work.line.clear();
        self.format.line(&tuple, &mut work.line)?;
        if work.is_full(&self.rotation, work.line.len()) {
            work.rotate(self.fsync)?;
        }
        if work.log.lines_bytes() == 0 && work.lines.is_empty() {
            work.born = work.cx.now();
        }
        work.lines.extend_from_slice(&work.line);
        if !work.may_wait(self.fsync) {
            return work.secure(self.fsync);
        }
        if work.lines.len() >= BUFFER_BYTES {
            work.write()?; // safe only when it is synced
        }
        work.held.push(out.hold());
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        match self.fsync {
            Fsync::Interval(interval) => Some(interval.clamp(Duration::from_millis(1), TICK)),
            _ => Some(TICK),
        }
    }

    async fn tick(&mut self, _out: &Emitter<(), Free>) -> Result {
        let Some(work) = &mut self.work else { return Ok(()) };
        work.is_ticking = true;
        let was_idle = std::mem::replace(&mut work.is_idle, true);
        let is_due = match self.fsync {
            Fsync::Never | Fsync::Each => true,
            Fsync::Tuples(_) => was_idle,
            Fsync::Interval(interval) => work.cx.now().saturating_sub(work.synced) >= interval,
        };
        if work.is_full(&self.rotation, 0) {
            return work.rotate(self.fsync);
        }
        if work.held.is_empty() {
            return Ok(());
        }
        if is_due { work.secure(self.fsync) } else { work.write() }
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        let Some(mut work) = self.work.take() else { return Ok(()) };
        work.secure(self.fsync)?;
        work.cx.shared(Owners::default).release(&path_of_task(&self.path, &work.cx)?);
        Ok(())
    }
}

impl<T> Clone for FileSink<T> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            format: self.format.clone(),
            shape: self.shape.clone(),
            fsync: self.fsync,
            rotation: self.rotation,
            is_append: self.is_append,
            work: None,
        }
    }
}

impl<T> fmt::Debug for FileSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FileSink");
        debug.field("path", &self.path).field("fsync", &self.fsync).finish_non_exhaustive()
    }
}
