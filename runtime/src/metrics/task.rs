//! The counters of one task. Only the task writes them; anybody may read.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use tormenta_dsl::{Counters, error::Place};

use super::Histogram;
use crate::clock::Nanos;

/// A counter with one writer.
#[derive(Default, Debug)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        // One writer: a load and a store are enough, and cost no locked instruction.
        self.0.store(self.0.load(Ordering::Relaxed) + n, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one task did and what it has in hand.
#[derive(Debug)]
pub(crate) struct TaskStats {
    pub(crate) component: usize,
    pub(crate) place: Place,
    pub(crate) emitted: Tally,
    pub(crate) transferred: Tally,
    pub(crate) executed: Tally,
    pub(crate) acked: Tally,
    pub(crate) failed: Tally,
    pub(crate) replayed: Tally,
    pub(crate) dead_letters: Tally,
    pub(crate) pending: Tally,
    pub(crate) restarts: Tally,
    pub(crate) ticks: Tally,
    pub(crate) execute_ns: Tally,
    pub(crate) latency: Mutex<Histogram>,
    pub(crate) counters: Counters,
    pub(crate) duty: Duty,
}

/// What a task still has to do, for whoever waits until all is quiet.
///
/// `given` grows when something is put in front of the task, `done` when the task has dealt with
/// it *and* with what followed from it. Both only grow, so reading all `done` before all `given`
/// and finding them equal proves that nothing was under way in between.
#[derive(Debug, Default)]
pub(crate) struct Duty {
    /// Batches, acks and settled tickets: one counter for each of the queues.
    pub(crate) given: Mutex<Vec<Arc<AtomicU64>>>,
    pub(crate) done: AtomicU64,
    /// A spout that will emit nothing more, unless a tree fails.
    pub(crate) exhausted: AtomicBool,
    /// `finish` was called and has returned.
    pub(crate) finished: AtomicBool,
    /// The loop has ended.
    pub(crate) stopped: AtomicBool,
    /// Tickets that are not settled.
    pub(crate) held: Arc<AtomicUsize>,
    /// When the execute that is running began, if it has waited at all; zero otherwise.
    pub(crate) executing_since: AtomicU64,
}

impl TaskStats {
    pub(crate) fn new(component: usize, place: Place) -> Arc<Self> {
        Arc::new(Self {
            component,
            place,
            emitted: Tally::default(),
            transferred: Tally::default(),
            executed: Tally::default(),
            acked: Tally::default(),
            failed: Tally::default(),
            replayed: Tally::default(),
            dead_letters: Tally::default(),
            pending: Tally::default(),
            restarts: Tally::default(),
            ticks: Tally::default(),
            execute_ns: Tally::default(),
            latency: Mutex::default(),
            counters: Counters::default(),
            duty: Duty::default(),
        })
    }
}

impl Duty {
    /// Counts what is put into a queue of this task.
    pub(crate) fn watch(&self, given: Arc<AtomicU64>) {
        self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(given);
    }

    pub(crate) fn add_done(&self, n: u64) {
        self.done.fetch_add(n, Ordering::SeqCst);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    pub(crate) fn given(&self) -> u64 {
        let given = self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        given.iter().map(|count| count.load(Ordering::SeqCst)).sum()
    }

    pub(crate) fn set_executing_since(&self, since: Option<Nanos>) {
        self.executing_since.store(since.map_or(0, |now| now.max(1)), Ordering::Relaxed);
    }
}
