//! Tuples to a file.

mod draft;
#[cfg(test)]
mod line_file_test;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tormenta_dsl::{Bolt, Context, Emitter, Error, Free, Result, Streams, Ticket};

use crate::format::Format;
use draft::Draft;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Tuples that are held at most until their lines are written.
const HELD_MAX: usize = 4096;

/// Writes one line a tuple to a file that is complete or not there.
///
/// **Crash-safe.** The lines go to `<path>.partial`. When the inputs have ended, that file is
/// synced and renamed to `<path>`: until then the old file stands, from then on the whole new one,
/// whatever happens in between. A run that dies leaves only the `.partial`, which the next run
/// overwrites. A link is followed.
///
/// **Each run begins anew**, and takes the place of what the last one wrote. That loses lines
/// behind a source that reads nothing twice, such as a `Tail` with a checkpoint: a
/// [`FileSink`](crate::FileSink) goes on with its file.
///
/// **A tuple is acked when its line is written**, that is, when the operating system has it. Where
/// writing fails - the disk is full - the tuples of the lost lines fail and the file is cut back to
/// its last whole line. Later lines are tried again and acked, but the file stays a `.partial` and
/// the end is an error: the sink cannot know whether what was lost came again.
///
/// It collects 64 KiB and writes when they are full, or at a tick, ten times a second unless its
/// user sets another interval. Until the first tick it writes every line by itself. Writing blocks
/// for as long as the file system takes; on a slow one declare it `.blocking()`.
///
/// **One task, one file.** With several tasks, put `{task}` into the name.
///
/// ```
/// use tormenta_bolts::{LineFile, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let counts = t.feedback::<WordCount>("counts");
///
/// let file = LineFile::at("counts.tsv").with(WordCount::tsv);
/// t.bolt("file", file, counts.global());
///
/// let parts = LineFile::at("part-{task}.txt"); // as records: {word: b"storm", count: 3}
/// t.bolt("parts", parts, counts.shuffle()).tasks(4);
/// ```
pub struct LineFile<T> {
    path: PathBuf,
    format: Format<T>,
    /// Present once the task runs.
    draft: Option<OpenDraft>,
    /// Whether somebody ticks.
    ticking: bool,
    /// Lines that are not written yet, and the tuples that wait for it.
    lines: Vec<u8>,
    held: Vec<Ticket>,
}

impl<T: Streams> LineFile<T> {
    /// Writes to this file, each tuple as a [`Record`](tormenta_dsl::record::Record).
    ///
    /// ```
    /// let file = tormenta_bolts::LineFile::<u64>::at("numbers.txt");
    /// ```
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::new(path.into(), Format::record())
    }

    /// Writes what the closure adds to the line.
    ///
    /// ```
    /// use tormenta_bolts::{LineFile, Word};
    ///
    /// let file = LineFile::at("words.txt").with(|word: &Word, line| {
    ///     line.extend_from_slice(&word.word);
    /// });
    /// ```
    #[must_use]
    pub fn with(self, write: impl Fn(&T, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self::new(self.path, Format::with(write))
    }

    fn new(path: PathBuf, format: Format<T>) -> Self {
        let (lines, held) = (Vec::new(), Vec::new());
        Self { path, format, draft: None, ticking: false, lines, held }
    }

    /// Writes what was collected and settles the tuples that wait for it.
    fn write(&mut self) -> Result {
        if self.lines.is_empty() {
            return Ok(());
        }
        let written = match &self.draft {
            Some(draft) => draft.append(&self.lines),
            None => Err(Error::msg("the bolt was not prepared")),
        };
        self.lines.clear();
        match &written {
            Ok(()) => self.held.drain(..).for_each(Ticket::ack),
            Err(error) => self.held.drain(..).for_each(|ticket| ticket.fail(error)),
        }
        written
    }
}

impl<T> Clone for LineFile<T> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            format: self.format.clone(),
            draft: None,
            ticking: false,
            lines: Vec::new(),
            held: Vec::new(),
        }
    }
}

impl<T> std::fmt::Debug for LineFile<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T: Streams> Bolt for LineFile<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let path = path_of_task(&self.path, cx)?;
        self.draft = Some(Drafts::open(&cx.shared(Drafts::default), path, cx)?);
        Ok(())
    }

    async fn execute(&mut self, tuple: T, out: &Emitter<()>) -> Result {
        self.format.line(&tuple, &mut self.lines)?;
        let room = self.lines.len() < BUFFER_BYTES && self.held.len() < HELD_MAX;
        if self.ticking && room {
            self.held.push(out.hold());
            return Ok(());
        }
        self.write()
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(100))
    }

    async fn tick(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.ticking = true;
        self.write()
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.write()?;
        self.draft.take().map_or(Ok(()), OpenDraft::publish)
    }
}

/// The name of this task's file.
pub(crate) fn path_of_task(path: &Path, cx: &Context) -> Result<PathBuf> {
    let name = path.to_str().filter(|name| name.contains("{task}"));
    match name {
        Some(name) => Ok(name.replace("{task}", &cx.task().to_string()).into()),
        None if cx.tasks() == 1 => Ok(path.to_owned()),
        None => Err(Error::msg(format!(
            "`{}` has {} tasks and one file, `{}`; put `{{task}}` into the name, or give it one \
             task",
            cx.component(),
            cx.tasks(),
            path.display()
        ))),
    }
}

/// The files of a worker, and who writes each. A task that is restarted goes on with its file: the
/// lines of the tuples that it acked before are in it.
#[derive(Default)]
struct Drafts(Mutex<BTreeMap<PathBuf, Owned>>);

struct Owned {
    owner: String,
    draft: Arc<Mutex<Draft>>,
}

/// A file that one task writes.
struct OpenDraft {
    path: PathBuf,
    draft: Arc<Mutex<Draft>>,
    drafts: Arc<Drafts>,
}

impl Drafts {
    fn open(drafts: &Arc<Self>, path: PathBuf, cx: &Context) -> Result<OpenDraft> {
        let owner = format!("{}/{}[{}]", cx.topology(), cx.component(), cx.task());
        let mut open = lock(&drafts.0);
        let draft = match open.get(&path) {
            Some(owned) if owned.owner == owner => owned.draft.clone(),
            Some(Owned { owner, .. }) => {
                let path = path.display();
                return Err(Error::msg(format!("`{path}` is being written by `{owner}`")));
            }
            None => {
                let draft = Arc::new(Mutex::new(Draft::create(&path)?));
                let owned = Owned { owner, draft: draft.clone() };
                open.insert(path.clone(), owned);
                draft
            }
        };
        drop(open);
        Ok(OpenDraft { path, draft, drafts: drafts.clone() })
    }
}

impl OpenDraft {
    fn append(&self, lines: &[u8]) -> Result {
        lock(&self.draft).append(lines)
    }

    fn publish(self) -> Result {
        lock(&self.drafts.0).remove(&self.path);
        lock(&self.draft).publish()
    }
}

/// No code of the user runs under these locks, so that no panic leaves anything half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
