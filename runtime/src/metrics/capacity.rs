//! How busy a task has been of late.
//!
//! The task leaves a mark now and then, beside the counter of its time. A reader takes the
//! difference to the older of the last two marks, so every reader sees the same, whoever else
//! looks, and how often.

use std::sync::{Mutex, PoisonError};

use crate::{clock::Nanos, limits};

/// The last two marks of a task. Locked by the task once in a window.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    marks: Mutex<[Mark; 2]>,
}

/// How much time a task had spent at a moment.
#[derive(Debug, Default, Clone, Copy)]
struct Mark {
    at: Nanos,
    busy: Nanos,
}

fn window() -> Nanos {
    limits::CAPACITY_WINDOW.as_nanos() as Nanos
}

impl Busy {
    /// Leaves a mark; says when the next one is due.
    #[cold]
    pub(crate) fn mark(&self, now: Nanos, busy: Nanos) -> Nanos {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        *marks = [marks[1], Mark { at: now, busy }];
        now + window()
    }

    /// The share of the last window or two that the task was busy, given the time that it has
    /// spent up to now.
    pub(crate) fn share(&self, now: Nanos, busy: Nanos) -> f64 {
        let marks = *self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        // A task that has nothing to do leaves no marks: what is older than two windows is past.
        let old = marks.iter().find(|mark| now <= mark.at + 2 * window());
        match old {
            Some(mark) if now > mark.at => {
                (busy - mark.busy.min(busy)) as f64 / (now - mark.at) as f64
            }
            Some(_) => 0.0,
            None => {
                let since = busy - marks[1].busy.min(busy);
                since as f64 / (now - marks[1].at).max(1) as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn it_forgets_what_is_long_ago() {
        let busy = Busy::default();
        assert!((busy.share(4 * SECOND, 3 * SECOND) - 0.75).abs() < 1e-9);
        assert_eq!(busy.mark(10 * SECOND, 9 * SECOND), 20 * SECOND);
        assert_eq!(busy.mark(20 * SECOND, 9 * SECOND), 30 * SECOND);
        assert!(busy.share(22 * SECOND, 9 * SECOND) < 1e-9, "it rests since 10 s");
        assert!((busy.share(25 * SECOND, 12 * SECOND) - 0.2).abs() < 1e-9);
        assert!(busy.share(1_000 * SECOND, 12 * SECOND) < 0.01);
    }

    quickcheck! {
        /// A task that is busy for the same share all along has that capacity at any moment.
        fn a_steady_share_is_found(percent: u8, batches: Vec<u8>) -> bool {
            let share = f64::from(percent % 101) / 100.0;
            let (busy, mut next, mut now) = (Busy::default(), 0, 0);
            let spent = |now: Nanos| (now as f64 * share) as Nanos;
            batches.iter().all(|seconds| {
                now += (u64::from(*seconds % 15) + 1) * SECOND;
                if now >= next {
                    next = busy.mark(now, spent(now));
                }
                (busy.share(now + SECOND, spent(now + SECOND)) - share).abs() < 1e-3
            })
        }
    }
}
