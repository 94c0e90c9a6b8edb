//! The ledger: a file with one line for each decision, for other systems to read.
//!
//! ```text
//!   {"id":"g1-0","verdict":"approve","score":0.41,"reasons":[],"rules":1,"latency_us":38}
//! ```
//!
//! **One line for each transaction, whatever dies.** Tuples come at least once, and a run that was
//! killed is started again from the beginning of its input. The ledger makes one of many: when it
//! is opened it cuts off a line that was torn, remembers the ids of all others, and takes no
//! decision twice. A decision is acked when the operating system has its line.
//!
//! **What survives what.** A killed process loses nothing that was acked. A machine that loses its
//! power loses what the operating system had not written yet, unless the ledger was opened with
//! [`Fsync::Always`]. In either case the next run makes the same decisions again and adds those
//! that are missing.

mod book;
mod read;

use std::{
    collections::HashSet,
    fmt,
    fs::{File, OpenOptions, TryLockError},
    hash::{BuildHasherDefault, Hasher},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

pub use book::{Book, Books, Glance, Seen};
pub use read::{Audit, audit};

use crate::{rules::VERSION, tx::Decided};

/// Characters of an error that are shown, where it may quote what was read.
const ERROR_SHOWN: usize = 80;

/// When the operating system is told to write what it was given to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// When the run ends.
    #[default]
    AtEnd,
    /// Before any decision is acked.
    Always,
}

/// Why the ledger does not take any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// Its directory does not exist.
    Missing(String),
    /// Somebody else writes it.
    Busy(String),
    /// Everything else.
    Failed(String),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(text) | Self::Busy(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for LedgerError {}

type Ids = HashSet<u128, BuildHasherDefault<Taken>>;

/// What became of a decision that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the ledger now.
    New,
    /// The ledger had one with its id when it was opened.
    Held,
    /// One with its id was added since.
    Repeated,
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    fsync: Fsync,
    /// The ids that it held when it was opened, as 128 bits each: that two of a billion ids share
    /// them has a chance of 1 to 10^21.
    held: Ids,
    /// The ids that were added since it was opened.
    added: Ids,
    /// Lines that the operating system does not have yet.
    lines: Vec<u8>,
    /// Bytes of whole lines in the file; `None` where it is no file but a pipe or a device.
    length: Option<u64>,
    cut: u64,
    error: Option<LedgerError>,
}

/// A line, as far as opening needs it.
#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

impl Ledger {
    /// Opens or begins a ledger.
    ///
    /// # Errors
    /// When it cannot be opened or is being written by somebody else, or when a line of it is no
    /// decision: then it is another file, and left as it is.
    pub fn open(path: &Path, fsync: Fsync) -> Result<Self, LedgerError> {
        let shown = path.display();
        let failed = |doing: &str, error: io::Error| {
            LedgerError::Failed(format!("{doing} the ledger `{shown}`: {error}"))
        };
        let is_file = path.metadata().map_or(true, |about| about.is_file());
        if path.is_dir() {
            let text = format!("the ledger `{shown}` is a directory; name a file in it");
            return Err(LedgerError::Failed(text));
        }
        let options = OpenOptions::new().read(is_file).append(true).create(true).to_owned();
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LedgerError::Missing(format!(
                "create the ledger `{shown}`: its directory does not exist; make it first"
            )),
            _ => failed("open", error),
        })?;
        let mut ledger = Self {
            path: path.to_owned(),
            file,
            fsync,
            held: Ids::default(),
            added: Ids::default(),
            lines: Vec::new(),
            length: None,
            cut: 0,
            error: None,
        };
        if is_file {
            if let Err(TryLockError::WouldBlock) = ledger.file.try_lock() {
                let text = format!("the ledger `{shown}` is being written by somebody else");
                return Err(LedgerError::Busy(text));
            }
            ledger.load().map_err(|error| failed("read", error))?;
        }
        Ok(ledger)
    }

    /// Remembers the ids of all lines, and cuts off the last one if it is torn.
    fn load(&mut self) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 20, &self.file);
        let (mut line, mut number, mut length) = (Vec::new(), 0u64, 0u64);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            number += 1;
            if read == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                self.cut = read as u64;
                break;
            }
            let parsed: Id<'_> = serde_json::from_slice(&line).map_err(|error| {
                // It may quote the line, which may be of any length.
                let why: String = error.to_string().escape_debug().take(ERROR_SHOWN).collect();
                let text = format!("line {number} is no decision ({why}); name another file");
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?;
            self.held.insert(xxh3_128(parsed.id.as_bytes()));
            length += read as u64;
        }
        if self.cut > 0 {
            self.file.set_len(length)?;
        }
        self.length = Some(length);
        Ok(())
    }

    /// Decisions that it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len() + self.added.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of a torn line that were cut off when it was opened.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.cut
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn unwritten_bytes(&self) -> usize {
        self.lines.len()
    }

    /// Adds a decision, unless it holds one with this id. The line is in the hands of the operating
    /// system only after [`write`](Self::write).
    pub fn add(&mut self, decided: &Decided, latency_us: u64) -> Added {
        let id = xxh3_128(&decided.id);
        if self.held.contains(&id) {
            return Added::Held;
        }
        if !self.added.insert(id) {
            return Added::Repeated;
        }
        line(decided, latency_us, &mut self.lines);
        Added::New
    }

    /// Gives all lines to the operating system.
    ///
    /// # Errors
    /// When it does not take them. The file then ends with its last whole line, and the ledger
    /// takes nothing more: who goes on would not know what is missing.
    pub fn write(&mut self) -> Result<(), LedgerError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let written = self.file.write_all(&self.lines).and_then(|()| match self.fsync {
            Fsync::Always => self.file.sync_data(),
            Fsync::AtEnd => Ok(()),
        });
        if let Err(error) = written {
            return Err(self.fail(error));
        }
        if let Some(length) = &mut self.length {
            *length += self.lines.len() as u64;
        }
        self.lines.clear();
        Ok(())
    }

    /// Writes everything, to the disk.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn close(&mut self) -> Result<(), LedgerError> {
        self.write()?;
        if self.length.is_some()
            && let Err(error) = self.file.sync_all()
        {
            return Err(self.fail(error));
        }
        Ok(())
    }

    fn fail(&mut self, error: io::Error) -> LedgerError {
        if let Some(length) = self.length {
            // What is torn would be cut off by the next run as well.
            let _ = self.file.set_len(length);
        }
        let fix = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "; make room and run it again: what it holds stays, the rest is decided anew"
            }
            _ => "",
        };
        let text = format!("write the ledger `{}`: {error}{fix}", self.path.display());
        self.error.insert(LedgerError::Failed(text)).clone()
    }
}

/// Writes the line of a decision.
fn line(decided: &Decided, latency_us: u64, into: &mut Vec<u8>) {
    use crate::tx::Verdict;
    let decision = &decided.decision;
    let verdict = match decision.verdict {
        Verdict::Approve => "approve",
        Verdict::Challenge => "challenge",
        Verdict::Decline => "decline",
    };
    // Writing to a vector cannot fail.
    into.extend_from_slice(b"{\"id\":");
    let _ = serde_json::to_writer(&mut *into, &String::from_utf8_lossy(&decided.id));
    let (whole, part) = (decision.score / 100, decision.score % 100);
    let _ = write!(into, ",\"verdict\":\"{verdict}\",\"score\":{whole}.{part:02},\"reasons\":[");
    for (index, (rule, _)) in decision.reasons.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(into, "{comma}\"{}\"", rule.words());
    }
    let _ = writeln!(into, "],\"rules\":{VERSION},\"latency_us\":{latency_us}}}");
}

/// Ids are hashed before they come here.
#[derive(Clone, Copy, Debug, Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}
