//! What an answer means, and how long to wait before the next attempt. Pure.

use std::time::Duration;

/// How often a request is sent, and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) attempts_max: u32,
    /// For one attempt, from the connection to the end of the answer.
    pub(super) timeout: Duration,
    /// Before the second attempt; doubled for each one after.
    pub(super) backoff: Duration,
    pub(super) backoff_max: Duration,
}

/// What to make of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// The server, or what is in front of it, may think otherwise later.
    Retry,
    /// It never will.
    Reject,
}

/// What a status code means for the request.
pub(super) fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Done,
        // Too slow, too early, too many: about the moment, not about the request.
        408 | 425 | 429 => Verdict::Retry,
        500..=599 => Verdict::Retry,
        _ => Verdict::Reject,
    }
}

impl Patience {
    /// How long to wait when so many attempts have failed; nothing if that was the last.
    pub(super) fn pause_after(&self, failed: u32) -> Option<Duration> {
        if failed >= self.attempts_max {
            return None;
        }
        let doubled = 1u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(self.backoff.saturating_mul(doubled).min(self.backoff_max))
    }

    /// The longest that all attempts can take.
    pub(super) fn total(&self) -> Duration {
        let pauses: Duration = (1..self.attempts_max).filter_map(|n| self.pause_after(n)).sum();
        self.timeout.saturating_mul(self.attempts_max).saturating_add(pauses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let patience = Patience {
            attempts_max: 5,
            timeout: Duration::from_secs(1),
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_millis(300),
        };
        let pauses: Vec<_> = (1..=5).map(|n| patience.pause_after(n)).collect();
        let expected = [Some(100), Some(200), Some(300), Some(300), None];
        assert_eq!(pauses, expected.map(|ms| ms.map(Duration::from_millis)));
        assert_eq!(patience.total(), Duration::from_millis(5_900));
        let endless = Patience { attempts_max: u32::MAX, ..patience };
        assert_eq!(endless.pause_after(200), Some(Duration::from_millis(300)));
    }

    #[test]
    fn a_status_is_about_the_moment_or_about_the_request() {
        for (status, expected) in [
            (200, Verdict::Done),
            (204, Verdict::Done),
            (302, Verdict::Reject),
            (400, Verdict::Reject),
            (404, Verdict::Reject),
            (408, Verdict::Retry),
            (429, Verdict::Retry),
            (500, Verdict::Retry),
            (503, Verdict::Retry),
        ] {
            assert_eq!(verdict(status), expected, "{status}");
        }
    }
}
