//! What a task of a file sink has at hand: its file, the lines and the tuples that wait.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tormenta_dsl::{Context, Error, Result, Ticket};

use super::{
    log_file::LogFile,
    rotation::{Fsync, Rotation},
};

/// Bytes that are collected before they are written.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Tuples that wait at most until their lines are safe.
const HELD_MAX: usize = 16_384;

/// What a task works with.
pub(super) struct Work {
    pub(super) log: LogFile,
    pub(super) cx: Context,
    /// When the first line of the file came, and when it was last synced.
    pub(super) born: Duration,
    pub(super) synced: Duration,
    pub(super) is_ticking: bool,
    /// Whether no tuple came since the last tick.
    pub(super) is_idle: bool,
    pub(super) line: Vec<u8>,
    /// Lines that are not written yet.
    pub(super) lines: Vec<u8>,
    /// Tuples whose lines are not safe yet.
    pub(super) held: Vec<Ticket>,
}

impl Work {
    pub(super) fn new(log: LogFile, cx: &Context) -> Self {
        Self {
            log,
            cx: cx.clone(),
            born: cx.now(),
            synced: cx.now(),
            is_ticking: false,
            is_idle: false,
            line: Vec::new(),
            lines: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Whether a tuple may wait for others, the lines of which are collected.
    pub(super) fn may_wait(&self, fsync: Fsync) -> bool {
        let waiting = self.held.len() + 1;
        let has_room = self.lines.len() < BUFFER_BYTES && waiting < HELD_MAX;
        match fsync {
            Fsync::Never => self.is_ticking && has_room,
            Fsync::Tuples(n) => self.is_ticking && waiting < n.min(HELD_MAX),
            Fsync::Interval(_) => self.is_ticking && waiting < HELD_MAX,
            Fsync::Each => false,
        }
    }

    /// Whether the file is to be put aside before another `more` bytes are added.
    pub(super) fn is_full(&self, rotation: &Rotation, more: usize) -> bool {
        let bytes = self.log.lines_bytes() + self.lines.len() as u64;
        let age = self.cx.now().saturating_sub(self.born);
        rotation.is_due(bytes, more as u64, age)
    }

    /// Writes what was collected, so that the operating system has it.
    pub(super) fn write(&mut self) -> Result {
        if self.lines.is_empty() {
            return Ok(());
        }
        let written = self.log.write(&self.lines);
        self.lines.clear();
        written.inspect_err(|error| self.fail(error))
    }

    /// Makes all lines safe and acks their tuples.
    pub(super) fn secure(&mut self, fsync: Fsync) -> Result {
        self.write()?;
        if fsync != Fsync::Never {
            self.log.sync().inspect_err(|error| self.fail(error))?;
            self.synced = self.cx.now();
        }
        self.log.keep();
        self.held.drain(..).for_each(Ticket::ack);
        Ok(())
    }

    pub(super) fn rotate(&mut self, fsync: Fsync) -> Result {
        self.secure(fsync)?;
        self.log.rotate()
    }

    fn fail(&mut self, error: &Error) {
        self.lines.clear();
        self.held.drain(..).for_each(|ticket| ticket.fail(error));
    }
}

/// Which task of the worker writes which file. One that is restarted goes on with its file, even
/// if that was begun anew: the lines of the tuples that it acked are in it.
#[derive(Default)]
pub(super) struct Owners(Mutex<BTreeMap<PathBuf, String>>);

impl Owners {
    /// Whether the task had the file before.
    pub(super) fn claim(&self, path: &PathBuf, cx: &Context) -> Result<bool> {
        let task = format!("{}/{}[{}]", cx.topology(), cx.component(), cx.task());
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match owners.get(path) {
            Some(owner) if *owner == task => Ok(true),
            Some(owner) => {
                let path = path.display();
                Err(Error::msg(format!("`{path}` is being written by `{owner}`")))
            }
            None => {
                owners.insert(path.clone(), task);
                Ok(false)
            }
        }
    }

    pub(super) fn release(&self, path: &PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}
