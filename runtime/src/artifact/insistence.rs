//! How much somebody insists on the end of a topology. Pure.
//!
//! The first signal drains it, the second cuts it off. But one wish may come as several signals:
//! `timeout` sends one to the process and then one to its group, and a supervisor may do the same.
//! Nobody means two wishes within half a second, so what follows a signal that soon belongs to it.

use std::time::Duration;

/// Signals that come within this time after one that counted are the same wish.
const ONE_WISH: Duration = Duration::from_millis(500);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To read nothing more, and to process what was read.
    Drain,
    /// To give up what is under way.
    Cut,
    /// To leave the process, whatever still runs.
    Leave,
}

/// The signals so far.
#[derive(Debug, Default)]
pub(super) struct Insistence {
    wishes: u32,
    last: Option<Duration>,
}

impl Insistence {
    /// A signal came. `None` where it is the one before once more.
    pub(super) fn signal(&mut self, now: Duration) -> Option<Wish> {
        if self.last.is_some_and(|last| now.saturating_sub(last) < ONE_WISH) {
            return None;
        }
        // Counted from the first signal of a wish, so that a key that repeats itself gets through.
        self.last = Some(now);
        self.wishes = self.wishes.saturating_add(1);
        Some(match self.wishes {
            1 => Wish::Drain,
            2 => Wish::Cut,
            _ => Wish::Leave,
        })
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn wishes(at_ms: &[u64]) -> Vec<Option<Wish>> {
        let mut insistence = Insistence::default();
        at_ms.iter().map(|ms| insistence.signal(Duration::from_millis(*ms))).collect()
    }

    #[test]
    fn who_insists_is_heard() {
        let all = [Wish::Drain, Wish::Cut, Wish::Leave, Wish::Leave].map(Some);
        assert_eq!(wishes(&[0, 500, 1_000, 60_000]), all);
    }

    #[test]
    fn signals_that_come_together_are_one_wish() {
        let (drain, cut) = (Some(Wish::Drain), Some(Wish::Cut));
        assert_eq!(wishes(&[2_000, 2_000, 2_001, 2_499]), [drain, None, None, None]);
        assert_eq!(wishes(&[2_000, 2_000, 3_000, 3_000]), [drain, None, cut, None]);
    }

    quickcheck! {
        /// As if every signal were looked at with all those before it at hand.
        fn a_wish_begins_half_a_second_after_the_one_before(pauses_ms: Vec<u16>) -> bool {
            let mut now = 0;
            let times: Vec<u64> = pauses_ms.iter().map(|pause| {
                now += u64::from(*pause) % 800;
                now
            }).collect();
            let mut counted: Vec<u64> = Vec::new();
            for time in &times {
                if counted.iter().all(|before| time - before >= 500) {
                    counted.push(*time);
                }
            }
            let found = wishes(&times);
            let heard = times.iter().zip(&found).filter(|(_, wish)| wish.is_some());
            heard.map(|(time, _)| *time).eq(counted)
        }
    }
}
