//! When a child that ended is started again. Pure: the time is an argument.

use std::time::Duration;

/// The first wait, and the longest: those of a task that panicked.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// A child that lived for so long was well: the first wait comes again.
const STEADY: Duration = Duration::from_secs(1);

/// How often a child ended lately.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    ended: u32,
    began: Duration,
}

impl Restarts {
    pub(crate) fn begin(&mut self, now: Duration) {
        self.began = now;
    }

    /// A child ended. Says when the next one is due.
    pub(crate) fn end(&mut self, now: Duration) -> Duration {
        if now.saturating_sub(self.began) >= STEADY {
            self.ended = 0;
        }
        let wait = BACKOFF.0.saturating_mul(1 << self.ended.min(20)).min(BACKOFF.1);
        self.ended = self.ended.saturating_add(1);
        now + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_is_forgotten() {
        let at = Duration::from_millis;
        let mut restarts = Restarts::default();
        restarts.begin(at(0));
        let waits: Vec<_> = (0..12).map(|_| restarts.end(at(0))).collect();
        assert_eq!(waits[..4], [at(10), at(20), at(40), at(80)]);
        assert_eq!(waits[11], at(5_000));
        restarts.begin(at(1_000));
        assert_eq!(restarts.end(at(2_000)), at(2_010));
    }
}
