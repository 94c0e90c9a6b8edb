//! Follows a file that grows.
//!
//! ```text
//!   files.rs (shell)   what is there, bytes, checkpoints
//!   follow.rs          which file is next, and from where
//!   open.rs            lines under way, and up to where all are acked
//!   place.rs           how that is written down
//! ```

mod files;
mod follow;
mod open;
mod place;
mod reading;
#[cfg(test)]
mod tail_test;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tormenta_dsl::{Context, Error, Failure, Result, Spout, text::Line};

use open::Open;
use place::Place;
use reading::Reading;

/// Lines that may be under way. A topology that does not ack would fill the memory.
const OPEN_MAX: usize = 1 << 22;

/// No sleep is longer.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// Emits the lines of a file as they are written, like `tail -F`.
///
/// It waits for a file that does not exist yet, and for the end of a line that is half written.
/// It survives **rotation** in both manners: after a rename it reads the old file to its end, waits
/// until it was quiet for a second ([`linger`](Tail::linger)), since its writer may have it open,
/// and goes on with what was renamed later and then with the new file; after a copy and truncation
/// (`copytruncate`) it reads the rest in the copy and the file from its beginning. Rotated files
/// are looked for in the same directory under names that begin with the name of the file
/// (`app.log.1`); packed ones are not read. What cannot be found any more is reported as an error
/// of the component, and counted in `rotations_lost`.
///
/// **Guarantee**: at least once, without `.replaying(..)`: a line that fails is emitted again after
/// a back-off (10 ms, doubled up to 10 s), until it is acked. With `.replaying(..)` the engine does
/// that, and gives up when its attempts are used up. With a [`checkpoint`](Tail::checkpoint) it
/// holds for crashes of the process too: the place is moved over a line only when all lines up to
/// it are acked, so that a restart repeats some lines and leaves out none. It must not be declared
/// `.untracked()`.
///
/// Not seen is a file that was truncated and has grown beyond the old place between two looks with
/// the same first 1,024 bytes as before; nor text that was written, copied and truncated away
/// between two looks at an empty file; nor text that was copied and truncated away while no process
/// was looking, if the copy was packed or removed: the last is reported.
///
/// One task reads, however many there are. It looks every 100 ms in engine time
/// ([`poll`](Tail::poll)), and reads as `Lines` does: a file system that blocks for long wants
/// `.blocking()`. Lines are bytes, without their ends; `number` counts from the beginning of a
/// file.
///
/// ```
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_spouts::Tail;
///
/// let mut t = Topology::<NoEngine>::new("alerts");
/// let log = Tail::at("/var/log/app.log").checkpoint("app.place");
/// let lines = t.spout("log", log);
/// ```
#[derive(Debug)]
pub struct Tail {
    settings: Settings,
    /// Tells apart the spouts that a task had, when one takes over after a panic.
    spouts: Arc<AtomicU64>,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Settings {
    path: PathBuf,
    checkpoint: Option<PathBuf>,
    from_end: bool,
    poll: Duration,
    linger: Duration,
    save_every: Duration,
    line_bytes_max: usize,
}

struct Running {
    cx: Context,
    spout: u64,
    /// `None` in all tasks but the first.
    reading: Option<Reading>,
    open: Open,
    /// What is to be written down.
    unsaved: Option<Place>,
    save_due: Duration,
}

impl Tail {
    /// Follows the file at this path, from its beginning.
    ///
    /// ```
    /// let log = tormenta_spouts::Tail::at("/var/log/app.log");
    /// ```
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let settings = Settings {
            path: path.into(),
            checkpoint: None,
            from_end: false,
            poll: Duration::from_millis(100),
            linger: Duration::from_secs(1),
            save_every: Duration::from_secs(1),
            line_bytes_max: crate::Lines::LINE_BYTES_MAX,
        };
        Self { settings, spouts: Arc::default(), running: None }
    }

    /// Keeps the place in this file, and begins there if it exists. It is replaced as a whole and
    /// synced, at most once a second and at the end. Each `Tail` needs its own.
    ///
    /// ```
    /// let log = tormenta_spouts::Tail::at("/var/log/app.log").checkpoint("app.place");
    /// ```
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.checkpoint = Some(path.into());
        self
    }

    /// Without a checkpoint, leaves out what is in the file when the topology starts.
    ///
    /// ```
    /// let log = tormenta_spouts::Tail::at("/var/log/app.log").from_end();
    /// ```
    #[must_use]
    pub fn from_end(mut self) -> Self {
        self.settings.from_end = true;
        self
    }

    /// How often to look for more, 100 ms unless set.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let log = tormenta_spouts::Tail::at("app.log").poll(Duration::from_millis(10));
    /// ```
    #[must_use]
    pub fn poll(mut self, every: Duration) -> Self {
        self.settings.poll = every.max(Duration::from_millis(1));
        self
    }

    /// For how long a renamed file must be quiet before it is left, one second unless set.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let log = tormenta_spouts::Tail::at("app.log").linger(Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn linger(mut self, quiet: Duration) -> Self {
        self.settings.linger = quiet;
        self
    }

    /// How often the checkpoint is written at most, once a second unless set. It costs a sync of
    /// the disk each time; what was acked since the last one is repeated after a crash.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let log = tormenta_spouts::Tail::at("app.log").save_every(Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn save_every(mut self, every: Duration) -> Self {
        self.settings.save_every = every;
        self
    }

    /// Bytes that a line may have: see [`Lines::line_bytes_max`](crate::Lines::line_bytes_max).
    ///
    /// ```
    /// let log = tormenta_spouts::Tail::at("app.log").line_bytes_max(64 << 10);
    /// ```
    #[must_use]
    pub fn line_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.line_bytes_max = bytes;
        self
    }
}

/// A clone begins where the checkpoint says.
impl Clone for Tail {
    fn clone(&self) -> Self {
        let (settings, spouts) = (self.settings.clone(), self.spouts.clone());
        Self { settings, spouts, running: None }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

/// The spout that emitted a line, and the number of the line there.
type LineId = (u64, u64);

impl Running {
    /// Writes the place down, if it moved and it is time.
    fn save(&mut self, settings: &Settings, now: Option<Duration>) {
        let Some(checkpoint) = settings.checkpoint.as_ref().filter(|_| self.unsaved.is_some())
        else {
            return;
        };
        if now.is_some_and(|now| now < self.save_due) {
            return;
        }
        let text = place::write(&settings.path, self.unsaved.as_ref());
        match files::write_checkpoint(checkpoint, &text) {
            Ok(()) => self.unsaved = None,
            // The old one stays: more would be repeated, nothing is left out.
            Err(error) => self.cx.report(&error),
        }
        if let Some(now) = now {
            self.save_due = now.saturating_add(settings.save_every);
        }
    }

    async fn next(&mut self, settings: &Settings) -> Result<Option<(Line, LineId)>> {
        let spout = self.spout;
        loop {
            if self.open.due().is_some()
                && let Some((line, number)) = self.open.take_due(self.cx.now())
            {
                return Ok(Some((line, (spout, number))));
            }
            let Some(reading) = &mut self.reading else { return Ok(None) };
            if let Some((line, end)) = reading.line(settings)? {
                if self.open.len() >= OPEN_MAX {
                    return Err(Error::msg(format!(
                        "{OPEN_MAX} lines are not acked; a `Tail` needs a smaller `pending_max` \
                         and must not be `untracked`"
                    )));
                }
                let number = self.open.emit(line.clone(), end);
                return Ok(Some((line, (spout, number))));
            }
            let more = reading.more(settings, &self.cx)?;
            let now = self.cx.now();
            self.save(settings, Some(now));
            if !more {
                let again = self.open.due().map(|due| due.saturating_sub(now));
                let wait = settings.poll.min(again.unwrap_or(SLEEP_MAX)).min(SLEEP_MAX);
                self.cx.sleep(wait).await;
            }
        }
    }
}

impl Spout for Tail {
    type Output = Line;
    type Id = LineId;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let spout = self.spouts.fetch_add(1, Ordering::Relaxed);
        let mut running = Running {
            cx: cx.clone(),
            spout,
            reading: None,
            open: Open::default(),
            unsaved: None,
            save_due: cx.now(),
        };
        if cx.task() == 0 {
            if !self.settings.path.exists() {
                let path = self.settings.path.display();
                cx.report(&Error::msg(format!(
                    "`{path}` does not exist; its lines are read as soon as it does"
                )));
            }
            let (reading, begin) = Reading::begin(&self.settings, cx)?;
            running.reading = Some(reading);
            if let Some(checkpoint) = &self.settings.checkpoint {
                // Also finds out now whether it can be written.
                files::write_checkpoint(
                    checkpoint,
                    &place::write(&self.settings.path, begin.as_ref()),
                )?;
            }
        }
        self.running = Some(running);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(Line, LineId)>> {
        let Some(running) = &mut self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        running.next(&self.settings).await
    }

    fn is_replay(&self, id: &LineId) -> bool {
        self.running.as_ref().is_some_and(|running| running.open.has_failed(id.1))
    }

    fn acked(&mut self, id: LineId) {
        let Some(running) = self.running.as_mut().filter(|running| running.spout == id.0) else {
            return;
        };
        if let Some(place) = running.open.ack(id.1) {
            running.unsaved = Some(place);
        }
    }

    fn failed(&mut self, id: LineId, why: Failure) {
        let Some(running) = self.running.as_mut().filter(|running| running.spout == id.0) else {
            return;
        };
        if why != Failure::Stopped {
            running.open.fail(id.1, running.cx.now());
        }
    }

    fn deactivated(&mut self) {
        if let Some(running) = &mut self.running {
            running.save(&self.settings, None);
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            running.save(&self.settings, None);
        }
    }
}
