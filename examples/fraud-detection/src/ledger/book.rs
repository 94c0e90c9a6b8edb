//! The sink: counts decisions, and enters them into the ledger.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tormenta::prelude::*;

use super::{Added, Ledger, LedgerError};
use crate::{
    source::Halt,
    tally::Tally,
    tx::{Decided, Decision, Verdict},
};

/// Lines are written one by one unless they come faster than this; then together. A call of the
/// operating system for each of a hundred thousand decisions a second would cost half a core.
const WRITE_EVERY: Duration = Duration::from_micros(100);

/// Bytes of lines that are collected at most.
const LINES_BYTES: usize = 32 * 1024;

/// What came of a run. Shared by the sink and by whoever watches.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    tally: Tally,
    seen: Seen,
    /// Decisions that the ledger held when it was opened, and those whose id came before in this
    /// run.
    held: u64,
    repeated: u64,
    /// Lines that were entered by this run.
    entered: u64,
    /// The last transaction that was declined.
    declined: Option<(Bytes, Decision)>,
    ledger: Option<Ledger>,
}

/// A look at a run, cheap enough to be had often.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// Transactions that were decided, each counted once.
    pub decided: u64,
    /// Decisions by verdict: approve, challenge, decline.
    pub verdicts: [u64; 3],
    /// Decisions that were counted or entered beyond the first for one transaction.
    pub duplicated: u64,
    /// From when a transaction was due to when its decision was final, in nanoseconds: half of
    /// them, and 99 of 100, took no longer.
    pub latency_ns: [u64; 2],
    /// The last transaction that was declined, and why.
    pub declined: Option<(Bytes, Decision)>,
}

impl Books {
    /// Books that enter decisions into a ledger as well.
    #[must_use]
    pub fn with(ledger: Option<Ledger>) -> Self {
        Self(Arc::new(Mutex::new(State { ledger, ..State::default() })))
    }

    /// What was decided so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    /// Transactions that were decided so far, each counted once.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.lock().seen.len()
    }

    /// Transactions whose id was in the ledger when it was opened.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.lock().held
    }

    /// Transactions with an id that another one of this run had before, where there is a ledger.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.lock().repeated
    }

    /// Whether the transaction with this number is decided.
    #[must_use]
    pub fn is_decided(&self, seq: u64) -> bool {
        self.lock().seen.contains(seq)
    }

    /// What is to be seen from outside.
    #[must_use]
    pub fn glance(&self) -> Glance {
        let state = self.lock();
        let verdicts = [Verdict::Approve, Verdict::Challenge, Verdict::Decline];
        let verdicts = verdicts.map(|verdict| state.tally.count(verdict));
        let decided = state.seen.len();
        let counted = state.tally.decisions().max(state.entered + state.held + state.repeated);
        Glance {
            decided,
            verdicts,
            duplicated: counted.saturating_sub(decided),
            latency_ns: [0.5, 0.99].map(|share| state.tally.latency.quantile(share)),
            declined: state.declined.clone(),
        }
    }

    /// Closes the ledger. A run that was cut off has decisions that no sink has written; they are
    /// as good as any.
    ///
    /// # Errors
    /// As [`Ledger::write`].
    pub fn close(&self) -> std::result::Result<(), LedgerError> {
        self.lock().ledger.as_mut().map_or(Ok(()), Ledger::close)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of the transactions that were decided: a bit each.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    bits: Vec<u64>,
    count: u64,
}

impl Seen {
    /// Notes a number; false if it was noted before.
    pub fn insert(&mut self, seq: u64) -> bool {
        let (word, bit) = ((seq / 64) as usize, 1 << (seq % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    /// Whether a number was noted.
    #[must_use]
    pub fn contains(&self, seq: u64) -> bool {
        let word = self.bits.get((seq / 64) as usize);
        word.is_some_and(|word| word & (1 << (seq % 64)) != 0)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The sink. One task, because a file has one end.
pub struct Book {
    books: Books,
    halt: Halt,
    cx: Option<Context>,
    /// Decisions whose lines are not written yet, and when they were due.
    held: Vec<(Ticket<()>, u64)>,
    written_at: Duration,
}

impl Book {
    /// A sink that keeps these books. `halt` stops the source when the ledger is full.
    #[must_use]
    pub fn new(books: Books, halt: Halt) -> Self {
        Self { books, halt, cx: None, held: Vec::new(), written_at: Duration::ZERO }
    }

    fn now(&self) -> Duration {
        self.cx.as_ref().map_or(Duration::ZERO, Context::now)
    }

    /// Writes what was collected and settles what waits for it.
    fn write(&mut self, write: impl Fn(&mut Ledger) -> Result<(), LedgerError>) -> Result {
        let books = self.books.clone();
        let mut state = books.lock();
        let Some(ledger) = &mut state.ledger else { return Ok(()) };
        if let Err(error) = write(ledger) {
            self.halt.because(&error);
            self.held.drain(..).for_each(|(ticket, _)| ticket.fail(&error));
            return Err(error.into());
        }
        self.written_at = self.now();
        let now_ns = self.written_at.as_nanos() as u64;
        for (ticket, due_ns) in self.held.drain(..) {
            state.tally.latency.record(now_ns.saturating_sub(due_ns), 1);
            ticket.ack();
        }
        Ok(())
    }
}

/// Tickets are not copied.
impl Clone for Book {
    fn clone(&self) -> Self {
        Self::new(self.books.clone(), self.halt.clone())
    }
}

impl Bolt for Book {
    type Input = Decided;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, decided: Decided, out: &Emitter<()>) -> Result {
        let now = self.now();
        let latency_ns = (now.as_nanos() as u64).saturating_sub(decided.due_ns);
        let mut state = self.books.lock();
        let is_new = state.seen.insert(decided.seq);
        if is_new {
            state.tally.add(&decided.decision, decided.truth);
            if decided.decision.verdict == Verdict::Decline {
                state.declined = Some((Bytes::clone(&decided.id), decided.decision));
            }
        }
        let Some(ledger) = &mut state.ledger else {
            state.tally.latency.record(latency_ns, 1);
            return Ok(());
        };
        let added = ledger.add(&decided, latency_ns / 1_000);
        match added {
            Added::New => {}
            // An attempt after the first is no other transaction.
            _ if !is_new => return Ok(()),
            Added::Held => {
                state.held += 1;
                return Ok(());
            }
            Added::Repeated => {
                state.repeated += 1;
                return Ok(());
            }
        }
        let is_full = ledger.unwritten_bytes() >= LINES_BYTES;
        state.entered += 1;
        drop(state);
        self.held.push((out.hold(), decided.due_ns));
        if is_full || now.saturating_sub(self.written_at) >= WRITE_EVERY {
            return self.write(Ledger::write);
        }
        Ok(())
    }

    async fn tick(&mut self, _out: &Emitter<(), Free>) -> Result {
        if self.held.is_empty() { Ok(()) } else { self.write(Ledger::write) }
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.write(Ledger::close)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn a_number_is_noted_once(numbers: Vec<u16>) -> bool {
            let (mut seen, mut model) = (Seen::default(), BTreeSet::new());
            numbers.into_iter().all(|n| {
                let (was, is_next) = (model.contains(&n), model.contains(&n.wrapping_add(1)));
                seen.contains(u64::from(n)) == was
                    && seen.contains(u64::from(n.wrapping_add(1))) == is_next
                    && seen.insert(u64::from(n)) == model.insert(n)
                    && seen.len() == model.len() as u64
            })
        }
    }
}
