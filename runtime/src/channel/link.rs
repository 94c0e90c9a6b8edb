//! Credit: how much one task may have under way to another.
//!
//! Both sides only ever write a counter of their own, and both counters only grow, so a message
//! can neither be lost nor be counted twice. The receiver also sets the window, from how long a
//! tuple takes it: a slow task gets a short queue.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::super::executor::signal::WakeCell;
use crate::{clock::Nanos, limits, planted};

/// The credit between one sending and one receiving task.
pub(crate) struct Link {
    sent: Aligned<AtomicU64>,
    consumed: Aligned<AtomicU64>,
    window: AtomicUsize,
    pace: AtomicUsize,
    /// Whether the sender waits for credit.
    waiting: AtomicBool,
    pub(crate) sender: std::sync::Arc<WakeCell>,
}

/// Tuples in front of a task, whatever their type.
pub(crate) trait Queue: Send + Sync + std::fmt::Debug {
    /// Tuples that were sent and are not done with.
    fn tuples(&self) -> usize;
}

/// Keeps the counters of the two sides on cache lines of their own.
#[repr(align(128))]
#[derive(Default)]
struct Aligned<T>(T);

impl Link {
    pub(crate) fn new(sender: std::sync::Arc<WakeCell>) -> Self {
        Self {
            sent: Aligned::default(),
            consumed: Aligned::default(),
            window: AtomicUsize::new(limits::LINK_TUPLES_FIRST),
            pace: AtomicUsize::new(limits::LINK_TUPLES_FIRST),
            waiting: AtomicBool::new(false),
            sender,
        }
    }

    /// Tuples under way.
    pub(crate) fn backlog(&self) -> usize {
        let consumed = self.consumed.0.load(Ordering::SeqCst);
        self.sent.0.load(Ordering::Relaxed).saturating_sub(consumed) as usize
    }

    /// Tuples that may be under way.
    pub(crate) fn window(&self) -> usize {
        self.window.load(Ordering::Relaxed)
    }

    /// Tuples that the receiver works off in the time that one of them should wait at most.
    pub(crate) fn pace(&self) -> usize {
        self.pace.load(Ordering::Relaxed)
    }

    /// Tuples that may be sent now.
    pub(crate) fn credit(&self) -> usize {
        self.window().saturating_sub(self.backlog())
    }

    /// The sender sent this many. Only it calls this.
    pub(crate) fn add_sent(&self, tuples: usize) {
        let sent = self.sent.0.load(Ordering::Relaxed);
        self.sent.0.store(sent + tuples as u64, Ordering::Release);
    }

    /// The sender will wait; true if there is no credit and it will be woken.
    pub(crate) fn wait_for_credit(&self) -> bool {
        self.waiting.store(true, Ordering::SeqCst);
        if self.backlog() <= self.window() / 2 {
            self.waiting.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    /// The receiver consumed this many. Only it calls this.
    pub(crate) fn add_consumed(&self, tuples: usize) {
        let leak = if planted!(CreditLeak) { tuples.min(1) } else { 0 };
        let consumed = self.consumed.0.load(Ordering::Relaxed);
        self.consumed.0.store(consumed + (tuples - leak) as u64, Ordering::SeqCst);
        // Half the window at a time, so that the two do not wake each other for every batch.
        if self.waiting.load(Ordering::SeqCst)
            && self.backlog() <= self.window() / 2
            && self.waiting.swap(false, Ordering::SeqCst)
        {
            self.sender.wake();
        }
    }

    pub(crate) fn set_window(&self, window: Window) {
        self.window.store(window.tuples, Ordering::Relaxed);
        self.pace.store(window.pace, Ordering::Relaxed);
    }
}

/// How much a task takes from each of its senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Tuples that may be under way.
    pub(crate) tuples: usize,
    /// Tuples that it works off in the time that one of them should wait at most.
    pub(crate) pace: usize,
}

/// Finds the window from what tuples cost. Pure.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Smoothed time for one tuple, in nanoseconds; `None` before the first batch.
    tuple_ns: Option<f64>,
    window: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { tuple_ns: None, window: limits::LINK_TUPLES_FIRST }
    }
}

impl Pace {
    /// Whether tuples take so long that a stamp for each does not matter. Nothing is known before
    /// the first batch, so that is taken for slow.
    pub(crate) fn is_slow(&self) -> bool {
        self.tuple_ns.is_none_or(|ns| ns >= limits::SLOW_TUPLE.as_nanos() as f64)
    }

    /// The window that was found last.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// Takes note that a batch of so many tuples took so long; returns the window for each link.
    pub(crate) fn observe(&mut self, tuples: usize, took: Nanos) -> Window {
        let now = took as f64 / tuples.max(1) as f64;
        // An eighth of each new batch: a hiccup does not close the window, a slow task does.
        let tuple_ns = self.tuple_ns.map_or(now, |before| before + (now - before) / 8.0);
        self.tuple_ns = Some(tuple_ns);
        let fits = limits::QUEUE_TIME_MAX.as_nanos() as f64 / tuple_ns.max(0.01);
        let pace = (fits as usize).clamp(1, limits::LINK_TUPLES_MAX);
        // Grow by doubling only, so that trust is earned; shrink at once.
        self.window = pace.min(self.window * 2);
        Window { tuples: self.window, pace }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_task_gets_a_short_queue_and_a_fast_one_a_long_queue() {
        let (mut slow, mut fast) = (Pace::default(), Pace::default());
        let (mut short, mut long) = (0, 0);
        for _ in 0..20 {
            short = slow.observe(4, 40_000_000).tuples;
            long = fast.observe(256, 2_560).tuples;
        }
        assert_eq!(short, 10);
        assert_eq!(long, limits::LINK_TUPLES_MAX);
    }

    #[test]
    fn credit_comes_back_when_tuples_are_consumed() {
        let link = Link::new(std::sync::Arc::default());
        link.set_window(Window { tuples: 10, pace: 10 });
        link.add_sent(10);
        assert_eq!(link.credit(), 0);
        assert!(link.wait_for_credit());
        link.add_consumed(5);
        assert_eq!(link.credit(), 5);
        assert!(!link.wait_for_credit());
    }
}
