//! The counters of one task. Only the task writes them; anybody may read.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use tormenta_dsl::{Counters, error::Place};

use super::{Histogram, capacity::Busy, keys::KeySamples};
use crate::{channel::link::Queue, clock::Nanos};

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

    /// Sets it, for those who conclude something from it: see [`seen`](Self::seen).
    pub(crate) fn show(&self, n: u64) {
        self.0.store(n, Ordering::Release);
    }

    /// What was shown. All that its task did before is to be seen as well.
    pub(crate) fn seen(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What one task did and what it has in hand.
#[derive(Debug)]
pub(crate) struct TaskStats {
    /// Number of the task, counted over all components.
    pub(crate) number: usize,
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
    busy: Busy,
    /// When the next mark of `busy` is due.
    next_mark: Tally,
    /// The links that lead to this task.
    queues: Mutex<Vec<Arc<dyn Queue>>>,
    /// One for all tasks of the component.
    pub(crate) keys: Arc<KeySamples>,
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
    /// When the tick or the finish that is running began, one for each clone of the bolt; zero
    /// where there is none, or where it waits for a reader.
    own_since: Mutex<Vec<Arc<AtomicU64>>>,
}

impl TaskStats {
    pub(crate) fn new(
        number: usize,
        component: usize,
        place: Place,
        keys: Arc<KeySamples>,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
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
            busy: Busy::default(),
            next_mark: Tally::default(),
            queues: Mutex::default(),
            keys,
        })
    }

    /// The task has spent so much time on a batch that it ended now.
    #[inline]
    pub(crate) fn worked(&self, busy: Nanos, now: Nanos) {
        self.execute_ns.add(busy);
        if now >= self.next_mark.get() {
            self.next_mark.set(self.busy.mark(now, self.execute_ns.get()));
        }
    }

    /// The share of the last ten or twenty seconds that the task was busy, where `clones` work
    /// side by side.
    pub(crate) fn capacity(&self, now: Nanos, clones: usize) -> f64 {
        // What is not at its end yet counts as well, where it is known.
        let since = self.duty.executing_since.load(Ordering::Relaxed);
        let running = if since > 0 { now.saturating_sub(since) } else { 0 };
        let share = self.busy.share(now, self.execute_ns.get() + running);
        (share / clones as f64).clamp(0.0, 1.0)
    }

    /// Adds a link that leads to this task.
    pub(crate) fn add_queue(&self, queue: Arc<dyn Queue>) {
        self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(queue);
    }

    /// Tuples that were sent to this task and that it is not done with.
    pub(crate) fn queued(&self) -> u64 {
        let queues = self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        queues.iter().map(|queue| queue.tuples() as u64).sum()
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

    /// Times the ticks and the finish of one clone.
    pub(crate) fn watch_own(&self, since: Arc<AtomicU64>) {
        self.own_since.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(since);
    }

    /// When the oldest tick or finish began that is running and waits for no reader.
    pub(crate) fn own_since(&self) -> Option<Nanos> {
        let all = self.own_since.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.iter().map(|since| since.load(Ordering::SeqCst)).filter(|since| *since > 0).min()
    }

    pub(crate) fn set_executing_since(&self, since: Option<Nanos>) {
        self.executing_since.store(since.map_or(0, |now| now.max(1)), Ordering::Relaxed);
    }
}
