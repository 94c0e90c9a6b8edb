//! Faults that the simulated world injects below the engine.

use std::cell::RefCell;

use crate::rng::Rng;

struct Losses {
    rng: Rng,
    one_in: usize,
    left: usize,
}

thread_local! {
    static LOSSES: RefCell<Option<Losses>> = const { RefCell::new(None) };
}

/// Loses one batch in `one_in` on its way between loops, at most `left` in all; none with 0.
pub fn lose_batches(seed: u64, one_in: usize, left: usize) {
    let losses = (one_in > 0).then(|| Losses { rng: Rng::new(seed), one_in, left });
    LOSSES.with_borrow_mut(|state| *state = losses);
}

/// Batches that were lost since they were last asked for to be lost may still be lost.
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
