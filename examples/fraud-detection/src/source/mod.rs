//! Where transactions come from: a spout over the generator or a file.
//!
//! It paces them, numbers them, and says of each which one of the same card came before it. It
//! replays by itself what failed, and stops when the ledger cannot take any more.

mod rows;

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tormenta::prelude::*;

pub use rows::{Format, OpenError, RowError, Rows};

use crate::{
    generator::Generator,
    tx::{Swiped, Truth, Tx},
};

/// Attempts of one transaction before the run gives up.
const ATTEMPTS_MAX: u32 = 5;

/// Where transactions come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The generator with this seed.
    Generated {
        /// Decides everything.
        seed: u64,
    },
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// What its columns are.
        format: Format,
    },
}

impl Origin {
    /// All its transactions, from the first one on. Each call gives the same ones.
    ///
    /// # Errors
    /// When the file cannot be opened or lacks a column.
    pub fn open(&self) -> Result<Transactions, OpenError> {
        Ok(match self {
            Self::Generated { seed } => Transactions::Generated(Box::new(Generator::new(*seed))),
            Self::File { path, format } => Transactions::Rows(Box::new(Rows::open(path, *format)?)),
        })
    }
}

/// The transactions of an [`Origin`].
pub enum Transactions {
    /// Made up.
    Generated(Box<Generator>),
    /// Read.
    Rows(Box<Rows>),
}

impl Iterator for Transactions {
    type Item = Result<(Tx, Truth), RowError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Generated(generator) => generator.next().map(Ok),
            Self::Rows(rows) => rows.next(),
        }
    }
}

/// How fast transactions come, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Transactions a second; as fast as they are taken unless set.
    pub per_second: Option<f64>,
    /// No more than so many.
    pub limit: Option<u64>,
    /// None after this.
    pub duration: Option<Duration>,
    /// The first so many come as fast as they are taken: they are in the ledger already, and only
    /// the memory of the rules has to be built up again.
    pub caught_up: u64,
}

/// Stops the source from elsewhere, with a reason.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<OnceLock<String>>);

impl Halt {
    /// Stops the source. The first reason counts.
    pub fn because(&self, why: impl std::fmt::Display) {
        let _ = self.0.set(why.to_string());
    }

    /// Why the source was stopped.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// What the source has read so far, for whoever watches.
#[derive(Clone, Debug, Default)]
pub struct Input(Arc<[AtomicU64; 2]>);

impl Input {
    /// Transactions.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Rows that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0[1].load(Ordering::Relaxed)
    }
}

/// The spout. One task: the order of the transactions is what makes decisions reproducible.
pub struct Source {
    origin: Origin,
    pace: Pace,
    halt: Halt,
    input: Input,
    running: Option<Running>,
}

struct Running {
    cx: Context,
    transactions: Transactions,
    start: Duration,
    /// When the pace began: later than the start where there was something to catch up with.
    paced_from: Option<Duration>,
    /// The number of the last transaction of each card.
    last: HashMap<u64, u64>,
    /// Read, and not emitted yet because it is not due.
    next: Option<(Tx, Truth)>,
    seq: u64,
    /// Transactions whose trees are open, from number `acked_to + 1` on. `None` where one is done.
    open: VecDeque<Option<(Swiped, u32)>>,
    acked_to: u64,
    again: VecDeque<u64>,
    has_ended: bool,
}

impl Source {
    /// A source that `halt` stops, and whose progress is in `input`.
    #[must_use]
    pub fn new(origin: Origin, pace: Pace, halt: Halt, input: Input) -> Self {
        Self { origin, pace, halt, input, running: None }
    }
}

/// A task opens its own.
impl Clone for Source {
    fn clone(&self) -> Self {
        let (halt, input) = (self.halt.clone(), self.input.clone());
        Self::new(self.origin.clone(), self.pace, halt, input)
    }
}

impl Spout for Source {
    type Output = Swiped;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if cx.tasks() > 1 {
            return Err(Error::msg("the source has one task: it keeps the order"));
        }
        self.running = Some(Running {
            cx: cx.clone(),
            transactions: self.origin.open()?,
            start: cx.now(),
            paced_from: None,
            last: HashMap::new(),
            next: None,
            seq: 0,
            open: VecDeque::new(),
            acked_to: 0,
            again: VecDeque::new(),
            has_ended: false,
        });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(Swiped, u64)>> {
        let Some(running) = &mut self.running else { return Err(Error::msg("not prepared")) };
        if let Some(why) = self.halt.reason() {
            return Err(Error::msg(why));
        }
        if let Some(swiped) = running.replay() {
            let seq = swiped.seq;
            return Ok(Some((swiped, seq)));
        }
        if !running.fill(&self.pace, &self.input)? {
            if running.open.is_empty() {
                return Ok(None);
            }
            // Dropped, and called anew, when something is acked or has failed.
            return std::future::pending().await;
        }
        let due = match self.pace.per_second {
            Some(rate) => running.wait(rate, &self.pace).await,
            None => running.cx.now(),
        };
        let swiped = running.emit(due);
        self.input.0[0].store(running.seq, Ordering::Relaxed);
        Ok(swiped.map(|swiped| (swiped, running.seq)))
    }

    fn acked(&mut self, seq: u64) {
        if let Some(running) = &mut self.running {
            running.close(seq);
        }
    }

    fn failed(&mut self, seq: u64, why: Failure) {
        let Some(running) = &mut self.running else { return };
        let index = (seq - running.acked_to - 1) as usize;
        let Some(Some((_, attempts))) = running.open.get_mut(index) else { return };
        *attempts += 1;
        if let Failure::Panic(..) = why {
            // With the task went what it knew of its cards: it would decide otherwise now.
            self.halt.because(format_args!(
                "a rule panicked, and what it remembered is gone ({why:?}); run it again with the \
                 same ledger"
            ));
        } else if *attempts >= ATTEMPTS_MAX {
            self.halt.because(format_args!("transaction {seq} failed {attempts} times: {why:?}"));
        }
        running.again.push_back(seq);
    }
}

impl Running {
    /// Has the next transaction at hand; false when there is none.
    fn fill(&mut self, pace: &Pace, input: &Input) -> Result<bool> {
        let is_late = pace.duration.is_some_and(|limit| self.cx.now() >= self.start + limit);
        if is_late || pace.limit.is_some_and(|limit| self.seq >= limit) {
            self.has_ended = true;
        }
        while self.next.is_none() && !self.has_ended {
            match self.transactions.next() {
                Some(Ok(next)) => self.next = Some(next),
                Some(Err(RowError::Refused(why))) => {
                    input.0[1].fetch_add(1, Ordering::Relaxed);
                    self.cx.report(&Error::msg(why));
                }
                Some(Err(RowError::Broken(why))) => return Err(Error::msg(why)),
                None => self.has_ended = true,
            }
        }
        Ok(!self.has_ended)
    }

    /// Waits until the next transaction is due. Latencies count from then on, not from when it
    /// was taken: who is slow must not look fast.
    async fn wait(&mut self, rate: f64, pace: &Pace) -> Duration {
        let number = self.seq.saturating_sub(pace.caught_up);
        let now = self.cx.now();
        if self.seq < pace.caught_up {
            return now;
        }
        let after = Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX);
        let from = *self.paced_from.get_or_insert(now);
        let due = from.saturating_add(after);
        if now < due {
            self.cx.sleep((due - now).min(Duration::from_secs(3_600))).await;
        }
        due
    }

    fn emit(&mut self, due: Duration) -> Option<Swiped> {
        let (tx, truth) = self.next.take()?;
        self.seq += 1;
        let before = self.last.insert(tx.card, self.seq).unwrap_or(0);
        let due_ns = due.as_nanos() as u64;
        let swiped = Swiped { seq: self.seq, before, tx, truth, due_ns };
        self.open.push_back(Some((swiped.clone(), 0)));
        Some(swiped)
    }

    fn replay(&mut self) -> Option<Swiped> {
        let seq = self.again.pop_front()?;
        let index = (seq - self.acked_to - 1) as usize;
        self.open.get(index)?.as_ref().map(|(swiped, _)| swiped.clone())
    }

    fn close(&mut self, seq: u64) {
        let index = (seq - self.acked_to - 1) as usize;
        if let Some(open) = self.open.get_mut(index) {
            *open = None;
        }
        while let Some(None) = self.open.front() {
            self.open.pop_front();
            self.acked_to += 1;
        }
    }
}
