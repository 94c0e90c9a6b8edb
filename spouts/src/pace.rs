//! When a number is due.

use std::time::Duration;

/// A schedule by count: number `n` is due `n / rate` after the start, however late the numbers
/// before it were. So the rate holds over any length of time, and who fell behind catches up.
///
/// Pure: time is an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    per_second: f64,
    start: Duration,
}

impl Pace {
    /// A schedule that starts now; `None` if the rate is no positive number.
    pub(crate) fn new(per_second: f64, now: Duration) -> Option<Self> {
        (per_second.is_finite() && per_second > 0.0).then_some(Self { per_second, start: now })
    }

    /// When `number` is due.
    pub(crate) fn due(&self, number: u64) -> Duration {
        let after = Duration::try_from_secs_f64(number as f64 / self.per_second);
        self.start.saturating_add(after.unwrap_or(Duration::MAX))
    }

    /// All numbers below this are due.
    pub(crate) fn quota(&self, now: Duration) -> u64 {
        match now.checked_sub(self.start) {
            Some(passed) => ((passed.as_secs_f64() * self.per_second) as u64).saturating_add(1),
            None => 0,
        }
    }

    /// Makes everything later by the length of a pause.
    pub(crate) fn shift(&mut self, pause: Duration) {
        self.start = self.start.saturating_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(per_second: f64) -> Pace {
        Pace::new(per_second, SECOND).expect("a sound rate")
    }

    #[test]
    fn the_first_number_is_due_at_once() {
        assert_eq!(pace(10.0).due(0), SECOND);
        assert_eq!(pace(10.0).quota(SECOND), 1);
        assert_eq!(pace(10.0).quota(Duration::ZERO), 0);
    }

    #[test]
    fn a_million_numbers_do_not_drift() {
        for per_second in [0.3, 3.0, 1_000.0, 333_333.3, 10_000_000.0] {
            let due = pace(per_second).due(1_000_000) - SECOND;
            let exact = 1_000_000.0 / per_second;
            assert!((due.as_secs_f64() - exact).abs() < 1e-6 * exact, "{per_second}");
        }
    }

    #[test]
    fn quota_and_due_agree_up_to_rounding() {
        for per_second in [0.7, 3.0, 999.9, 1_000_000.0] {
            let pace = pace(per_second);
            for number in (0..10_000).step_by(7) {
                let quota = pace.quota(pace.due(number));
                assert!(quota.abs_diff(number + 1) <= 1, "{per_second}: {number} {quota}");
            }
        }
    }

    #[test]
    fn rates_that_are_none_are_refused() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Pace::new(per_second, SECOND).is_none());
        }
    }

    #[test]
    fn a_rate_too_slow_for_the_clock_waits_for_ever() {
        let pace = pace(1e-300);
        assert_eq!(pace.due(1), Duration::MAX);
        assert_eq!(pace.quota(SECOND * 1_000_000), 1);
    }
}
