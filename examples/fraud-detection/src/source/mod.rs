//! Where transactions come from: a spout over the generator or a file.
//!
//! It paces them, merges them with chargebacks, and gives each its turn. It replays by itself what
//! failed, and stops when the ledger cannot take any more.

mod chargebacks;
mod fields;
mod origin;
mod plain;
mod records;
mod rows;
mod table;
mod trees;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tormenta::prelude::*;

pub use chargebacks::Chargebacks;
pub use origin::{Halt, Input, Limits, Origin, Pace, Transactions};
pub use rows::{Format, Rows};
pub use table::{OpenError, RowError};

use crate::{
    order::Order,
    rules::Crowd,
    tx::{Chargeback, Entry, Swiped, Truth, Tx},
};
use trees::Trees;

/// Attempts of one transaction before the run gives up.
const ATTEMPTS_MAX: u32 = 5;

/// The spout. One task: the order of the transactions is what makes decisions reproducible.
pub struct Source {
    origin: Origin,
    pace: Pace,
    limits: Limits,
    halt: Halt,
    input: Input,
    running: Option<Running>,
}

struct Running {
    cx: Context,
    transactions: Transactions,
    chargebacks: Option<Chargebacks>,
    start: Duration,
    /// When the pace began: later than the start where there was something to catch up with.
    paced_from: Option<Duration>,
    order: Order,
    crowd: Crowd,
    /// Read, and not emitted yet because it is not due.
    next: Option<(Tx, Truth)>,
    /// The latest time of all transactions that were read, in seconds since 1970.
    time: i64,
    transactions_emitted: u64,
    trees: Trees,
    has_ended: bool,
    input: Input,
}

impl Source {
    /// A source that `halt` stops, and whose progress is in `input`.
    #[must_use]
    pub fn new(origin: Origin, pace: Pace, limits: Limits, halt: Halt, input: Input) -> Self {
        Self { origin, pace, limits, halt, input, running: None }
    }
}

/// A task opens its own.
impl Clone for Source {
    fn clone(&self) -> Self {
        let (halt, input) = (self.halt.clone(), self.input.clone());
        Self::new(self.origin.clone(), self.pace, self.limits, halt, input)
    }
}

impl Spout for Source {
    type Output = Entry;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if cx.tasks() > 1 {
            return Err(Error::msg("the source has one task: it keeps the order"));
        }
        self.running = Some(Running {
            cx: cx.clone(),
            transactions: self.origin.open()?,
            chargebacks: self.origin.open_chargebacks()?,
            start: cx.now(),
            paced_from: None,
            order: Order::new(self.limits.keys_max.max(Limits::KEYS_MIN)),
            crowd: Crowd::default(),
            next: None,
            time: i64::MIN,
            transactions_emitted: 0,
            trees: Trees::default(),
            has_ended: false,
            input: self.input.clone(),
        });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(Entry, u64)>> {
        let Some(running) = &mut self.running else { return Err(Error::msg("not prepared")) };
        if let Some(why) = self.halt.reason() {
            return Err(Error::msg(why));
        }
        if let Some(entry) = running.trees.again() {
            add(&self.input.counters().replayed, 1);
            let seq = entry.turn().seq;
            return Ok(Some((entry, seq)));
        }
        if !running.fill(&self.pace, self.limits, &self.input)? {
            if running.trees.is_empty() {
                return Ok(None);
            }
            // Dropped, and called anew, when something is acked or has failed.
            return std::future::pending().await;
        }
        if let Some(chargeback) = running.due_chargeback(&self.input)? {
            return Ok(Some(running.emit_chargeback(chargeback, &self.input)));
        }
        let due = match self.pace.per_second {
            Some(rate) => running.wait(rate, &self.pace).await,
            None => running.cx.now(),
        };
        Ok(running.emit(due, &self.input))
    }

    fn acked(&mut self, seq: u64) {
        if let Some(running) = &mut self.running
            && let Some(Entry::Swipe(_)) = running.trees.close(seq)
        {
            add(&self.input.counters().acked, 1);
        }
    }

    fn failed(&mut self, seq: u64, why: Failure) {
        let Some(running) = &mut self.running else { return };
        let failures = running.trees.fail(seq);
        if let Failure::Panic(..) = why {
            // With the task went what it knew of its cards: it would decide otherwise now.
            self.halt.because(format_args!(
                "a rule panicked, and what it remembered is gone ({why:?}); run it again with the \
                 same ledger"
            ));
        } else if failures >= ATTEMPTS_MAX {
            self.halt.because(format_args!("transaction {seq} failed {failures} times: {why:?}"));
        }
    }
}

/// A source that is cut off leaves word of what it has read and does not know to be decided.
impl Drop for Running {
    fn drop(&mut self) {
        let left = self.trees.left().filter_map(|entry| match entry {
            Entry::Swipe(swiped) => Some((swiped.turn.seq, swiped.tx.id.clone())),
            Entry::Chargeback(_) => None,
        });
        self.input.leave(left.collect());
    }
}

impl Running {
    /// Has the next transaction at hand; false when there is none.
    fn fill(&mut self, pace: &Pace, limits: Limits, input: &Input) -> Result<bool> {
        let is_late = pace.duration.is_some_and(|limit| self.cx.now() >= self.start + limit);
        if is_late || pace.limit.is_some_and(|limit| self.transactions_emitted >= limit) {
            self.has_ended = true;
        }
        while self.next.is_none() && !self.has_ended {
            match self.transactions.next() {
                Some(Ok((tx, truth))) => {
                    if tx.time <= limits.time_max {
                        self.time = self.time.max(tx.time);
                    }
                    self.next = Some((tx, truth));
                }
                Some(Err(why)) => self.refuse(why, input)?,
                None => self.has_ended = true,
            }
        }
        Ok(!self.has_ended)
    }

    /// A chargeback that was reported before the transaction at hand.
    fn due_chargeback(&mut self, input: &Input) -> Result<Option<Chargeback>> {
        while let Some(chargebacks) = &mut self.chargebacks {
            match chargebacks.due(self.time) {
                Some(Ok(chargeback)) => return Ok(Some(chargeback)),
                Some(Err(why)) => self.refuse(why, input)?,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Reports a row that makes no sense, and goes on if that is possible.
    fn refuse(&self, why: RowError, input: &Input) -> Result {
        match why {
            RowError::Refused(why) => {
                input.refuse(&why);
                self.cx.report(&Error::msg(why));
                Ok(())
            }
            RowError::Broken(why) => Err(Error::msg(why)),
        }
    }

    /// Waits until the next transaction is due. Latencies count from then on, not from when it
    /// was taken: who is slow must not look fast.
    async fn wait(&mut self, rate: f64, pace: &Pace) -> Duration {
        let number = self.transactions_emitted.saturating_sub(pace.caught_up);
        let now = self.cx.now();
        if self.transactions_emitted < pace.caught_up {
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

    fn emit(&mut self, due: Duration, input: &Input) -> Option<(Entry, u64)> {
        let (tx, truth) = self.next.take()?;
        let turn = self.order.turn(tx.card, tx.terminal, self.trees.done_to());
        let (size, due_ns) = (self.crowd.size_of(&tx), due.as_nanos() as u64);
        self.transactions_emitted += 1;
        input.counters().transactions.store(self.transactions_emitted, Ordering::Relaxed);
        Some(self.keep(Entry::Swipe(Swiped { turn, tx, size, truth, due_ns }), input))
    }

    fn emit_chargeback(&mut self, mut chargeback: Chargeback, input: &Input) -> (Entry, u64) {
        let (card, terminal) = (chargeback.card, chargeback.terminal);
        chargeback.turn = self.order.turn(card, terminal, self.trees.done_to());
        add(&input.counters().chargebacks, 1);
        self.keep(Entry::Chargeback(chargeback), input)
    }

    fn keep(&mut self, entry: Entry, input: &Input) -> (Entry, u64) {
        self.trees.open(entry.clone());
        let [cards, terminals] = self.order.forgotten();
        input.counters().cards_forgotten.store(cards, Ordering::Relaxed);
        input.counters().terminals_forgotten.store(terminals, Ordering::Relaxed);
        let seq = entry.turn().seq;
        (entry, seq)
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}
