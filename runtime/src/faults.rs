//! Faults that the simulated world injects below the engine.

use std::cell::{Cell, RefCell};

use crate::{limits, rng::Rng};

struct Losses {
    rng: Rng,
    one_in: usize,
    left: usize,
}

thread_local! {
    static LOSSES: RefCell<Option<Losses>> = const { RefCell::new(None) };
    static FEEDBACK_MAX: Cell<usize> = const { Cell::new(0) };
    static BREAKS: Cell<Option<Breach>> = const { Cell::new(None) };
}

/// Loses one batch in `one_in` on its way between loops, at most `left` in all; none with 0.
pub fn lose_batches(seed: u64, one_in: usize, left: usize) {
    let losses = (one_in > 0).then(|| Losses { rng: Rng::new(seed), one_in, left });
    LOSSES.with_borrow_mut(|state| *state = losses);
}

/// Code of the engine itself that can be made to panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// A spout's loop, when it takes in acks.
    Spout,
    /// A bolt's loop, before it looks for input.
    Bolt,
}

/// Has the engine panic in its own code, once; never with `None`.
pub fn break_at(breach: Option<Breach>) {
    BREAKS.set(breach);
}

pub(crate) fn may_break(breach: Breach) {
    if BREAKS.get() == Some(breach) {
        BREAKS.set(None);
        panic!("told to break");
    }
}

/// Batches that may still be lost.
#[must_use]
pub fn losses_left() -> usize {
    LOSSES.with_borrow(|state| state.as_ref().map_or(0, |losses| losses.left))
}

pub(crate) fn loses_batch() -> bool {
    LOSSES.with_borrow_mut(|state| {
        let Some(losses) = state else { return false };
        let lost = losses.left > 0 && losses.rng.one_in(losses.one_in);
        losses.left -= usize::from(lost);
        lost
    })
}

/// Lets feedback edges overflow after so many tuples; as in production with 0.
pub fn limit_feedback(tuples_max: usize) {
    FEEDBACK_MAX.set(tuples_max);
}

pub(crate) fn feedback_tuples_max() -> usize {
    match FEEDBACK_MAX.get() {
        0 => limits::FEEDBACK_TUPLES_MAX,
        tuples_max => tuples_max,
    }
}
