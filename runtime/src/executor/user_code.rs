//! Which user code a loop is in, and since when: written by the loop, read by the watchdog.
//!
//! User code that never waits keeps its core, and nothing on that core could notice it. So a loop
//! leaves a note when it enters user code, which another thread reads. That costs two relaxed
//! stores a batch, and the moment is a stamp that the batch has anyhow. Only where tuples are slow
//! is every tuple stamped.
//!
//! A fused reader runs inside the user code that emits to it. Its note covers the one of the
//! emitter until it returns.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::panics::{self, Entered};
use crate::{
    clock::{Clock, Nanos},
    report::Phase,
};

/// What one loop has to say about itself.
#[derive(Default)]
pub(crate) struct UserCode {
    /// Zero, or an [`At`].
    at: AtomicUsize,
    /// Written before `at`, so that a reader never takes an old moment for a new note.
    since: AtomicU64,
}

/// A task and a phase of its user code, in one word that is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(usize);

impl At {
    pub(crate) fn new(task: usize, phase: Phase) -> Self {
        Self(task * Phase::ALL.len() + phase as usize + 1)
    }

    /// Number of the task, counted over all components.
    pub(crate) fn task(self) -> usize {
        (self.0 - 1) / Phase::ALL.len()
    }

    pub(crate) fn phase(self) -> Phase {
        Phase::ALL[(self.0 - 1) % Phase::ALL.len()]
    }
}

impl UserCode {
    /// The loop enters user code, until the note is dropped.
    #[inline]
    pub(crate) fn enter<'a>(&'a self, at: At, now: Nanos, clock: &'a Clock) -> Inside<'a> {
        let outer = self.at.load(Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.at.store(at.0, Ordering::Release);
        Inside { code: self, outer, clock, _entered: panics::enter(panics::At::UserCode) }
    }

    /// Where the loop is, and since when.
    pub(crate) fn look(&self) -> Option<(At, Nanos)> {
        let at = self.at.load(Ordering::Acquire);
        (at > 0).then(|| (At(at), self.since.load(Ordering::Relaxed)))
    }
}

/// The note that a loop is in user code. Never kept while the loop waits.
pub(crate) struct Inside<'a> {
    code: &'a UserCode,
    outer: usize,
    clock: &'a Clock,
    _entered: Entered,
}

impl Inside<'_> {
    /// The next tuple of a slow task: what came before it has returned.
    pub(crate) fn step(&self) {
        self.code.since.store(self.clock.now(), Ordering::Relaxed);
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.outer > 0 {
            // The emitter around it is not to blame for the time that the reader took.
            self.code.since.store(self.clock.now(), Ordering::Relaxed);
        }
        self.code.at.store(self.outer, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_and_phase_has_a_word_of_its_own() {
        for task in [0, 1, 77] {
            for phase in Phase::ALL {
                let at = At::new(task, phase);
                assert_eq!((at.task(), at.phase(), at.0 > 0), (task, phase, true));
            }
        }
    }

    #[test]
    fn a_fused_reader_covers_its_emitter_and_then_clears_it_of_blame() {
        let (clock, code) = (Clock::simulated(), UserCode::default());
        let (outer, inner) = (At::new(1, Phase::Execute), At::new(2, Phase::Execute));
        assert_eq!(code.look(), None);
        let emitter = code.enter(outer, 10, &clock);
        let reader = code.enter(inner, 20, &clock);
        assert_eq!(code.look(), Some((inner, 20)));
        clock.advance_to(50);
        reader.step();
        assert_eq!(code.look(), Some((inner, 50)));
        clock.advance_to(90);
        drop(reader);
        assert_eq!(code.look(), Some((outer, 90)));
        drop(emitter);
        assert_eq!(code.look(), None);
    }
}
