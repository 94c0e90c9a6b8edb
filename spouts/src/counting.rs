//! Counts for one task: which numbers are its own, and when each may go.

use std::time::Duration;

use tormenta_dsl::{Context, Error, Result};

use crate::pace::Pace;

/// No sleep is longer, so that no sum of times overflows. Who is not due then sleeps again.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// What [`Sequence`](crate::Sequence) and [`Generator`](crate::Generator) have in common.
///
/// The numbers are dealt over the tasks: task `t` of `n` counts `t`, `t + n`, `t + 2n`, and so on.
/// A rate is kept by all of them together without a word between them, because the schedule hangs
/// on the number and not on who counts it.
#[derive(Clone, Debug)]
pub(crate) struct Counting {
    limit: u64,
    per_second: Option<f64>,
    per_task: bool,
    /// The number that comes next.
    next: u64,
    step: u64,
    /// Numbers below this can go without a look at the clock.
    ready: u64,
    clock: Option<Clock>,
}

/// Present once the task runs.
#[derive(Clone)]
struct Clock {
    cx: Context,
    pace: Option<Pace>,
    paused: Option<Duration>,
}

impl Counting {
    pub(crate) fn up_to(limit: u64) -> Self {
        Self { limit, per_second: None, per_task: false, next: 0, step: 1, ready: 0, clock: None }
    }

    pub(crate) fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn rate(self, per_second: f64) -> Self {
        let per_second = Some(per_second);
        Self { per_second, ..self }
    }

    pub(crate) fn per_task(self) -> Self {
        let per_task = true;
        Self { per_task, ..self }
    }

    pub(crate) fn prepare(&mut self, cx: &Context) -> Result {
        (self.next, self.step) =
            if self.per_task { (0, 1) } else { (cx.task() as u64, cx.tasks() as u64) };
        let pace = match self.per_second {
            None => None,
            Some(rate) => Some(Pace::new(rate, cx.now()).ok_or_else(|| no_rate(cx, rate))?),
        };
        self.ready = if pace.is_none() { self.limit } else { 0 };
        self.clock = Some(Clock { cx: cx.clone(), pace, paused: None });
        Ok(())
    }

    /// The next number, once it is due. Cancel safe: nothing changes before the last wait is over.
    pub(crate) async fn next(&mut self) -> Result<Option<u64>> {
        if self.next >= self.ready && !self.wait().await? {
            return Ok(None);
        }
        Ok(self.ready())
    }

    /// The next number, if it can go without a look at the clock.
    #[inline]
    pub(crate) fn ready(&mut self) -> Option<u64> {
        let number = self.next;
        (number < self.ready).then(|| {
            self.next = number.saturating_add(self.step);
            number
        })
    }

    /// Waits until the next number is due; false when there is none.
    #[cold]
    async fn wait(&mut self) -> Result<bool> {
        let Some(Clock { cx, pace, .. }) = &self.clock else {
            return Err(Error::msg("the spout was not prepared"));
        };
        let Some(pace) = pace.filter(|_| self.next < self.limit) else {
            return Ok(false);
        };
        let due = pace.due(self.next);
        let mut now = cx.now();
        while now < due {
            cx.sleep((due - now).min(SLEEP_MAX)).await;
            now = cx.now();
        }
        // The schedule is rounded: what was waited for is due, whatever the quota says.
        let quota = pace.quota(now).max(self.next.saturating_add(1));
        self.ready = quota.min(self.limit);
        Ok(true)
    }

    pub(crate) fn deactivated(&mut self) {
        if let Some(clock) = &mut self.clock {
            clock.paused = Some(clock.cx.now());
        }
    }

    /// What would have been due during a pause is not made up for.
    pub(crate) fn activated(&mut self) {
        let Some(clock) = &mut self.clock else { return };
        if let (Some(pace), Some(paused)) = (&mut clock.pace, clock.paused.take()) {
            pace.shift(clock.cx.now().saturating_sub(paused));
        }
    }
}

fn no_rate(cx: &Context, rate: f64) -> Error {
    let name = cx.component();
    Error::msg(format!(
        "`{name}` has the rate {rate}; a rate is a positive number of tuples a second"
    ))
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock")
            .field("pace", &self.pace)
            .field("paused", &self.paused)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualTimer, block_on, context, poll_once};

    fn drain(counting: &mut Counting) -> Vec<u64> {
        std::iter::from_fn(|| block_on(counting.next()).expect("no error")).collect()
    }

    #[test]
    fn numbers_are_dealt_over_the_tasks() {
        let timer = ManualTimer::new();
        for (task, expected) in [(0, vec![0, 3, 6]), (1, vec![1, 4]), (2, vec![2, 5])] {
            let mut counting = Counting::up_to(7);
            counting.prepare(&context(task, 3, &timer)).expect("prepared");
            assert_eq!(drain(&mut counting), expected);
            assert!(drain(&mut counting).is_empty(), "the end stays the end");
        }
    }

    #[test]
    fn every_task_can_count_all_by_itself() {
        let timer = ManualTimer::new();
        let mut counting = Counting::up_to(3).per_task();
        counting.prepare(&context(1, 3, &timer)).expect("prepared");
        assert_eq!(drain(&mut counting), [0, 1, 2]);
    }

    #[test]
    fn a_rate_is_kept_and_made_up_for() {
        let timer = ManualTimer::new();
        let mut counting = Counting::up_to(u64::MAX).rate(10.0);
        counting.prepare(&context(0, 1, &timer)).expect("prepared");
        assert_eq!(block_on(counting.next()).expect("due"), Some(0));
        assert!(poll_once(counting.next()).is_none(), "1 is due at 100 ms");
        timer.advance(Duration::from_millis(100));
        assert_eq!(block_on(counting.next()).expect("due"), Some(1));
        timer.advance(Duration::from_millis(300));
        for number in 2..=4 {
            assert_eq!(block_on(counting.next()).expect("due"), Some(number));
        }
        assert!(poll_once(counting.next()).is_none());
    }

    #[test]
    fn a_cancelled_wait_skips_nothing() {
        let timer = ManualTimer::new();
        let mut counting = Counting::up_to(100).rate(1.0);
        counting.prepare(&context(0, 1, &timer)).expect("prepared");
        let mut numbers = Vec::new();
        for _ in 0..50 {
            for _ in 0..3 {
                if let Some(number) = poll_once(counting.next()) {
                    numbers.push(number.expect("no error").expect("not the end"));
                }
            }
            timer.advance(Duration::from_millis(700));
        }
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        assert_eq!(numbers.len(), 35);
    }

    #[test]
    fn all_tasks_together_keep_the_rate() {
        let timer = ManualTimer::new();
        let mut tasks: Vec<_> = (0..4).map(|_| Counting::up_to(u64::MAX).rate(100.0)).collect();
        for (task, counting) in tasks.iter_mut().enumerate() {
            counting.prepare(&context(task, 4, &timer)).expect("prepared");
        }
        timer.advance(Duration::from_millis(995));
        let mut count = 0;
        for counting in &mut tasks {
            while poll_once(counting.next()).is_some() {
                count += 1;
            }
        }
        assert_eq!(count, 100);
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let timer = ManualTimer::new();
        let mut counting = Counting::up_to(u64::MAX).rate(1.0);
        counting.prepare(&context(0, 1, &timer)).expect("prepared");
        assert_eq!(block_on(counting.next()).expect("due"), Some(0));
        counting.deactivated();
        timer.advance(Duration::from_secs(60));
        counting.activated();
        assert!(poll_once(counting.next()).is_none());
        timer.advance(Duration::from_secs(1));
        assert_eq!(block_on(counting.next()).expect("due"), Some(1));
        assert!(poll_once(counting.next()).is_none());
    }

    #[test]
    fn a_rate_that_is_none_is_an_error_with_a_name() {
        let mut counting = Counting::up_to(1).rate(f64::NAN);
        let error = counting.prepare(&context(0, 1, &ManualTimer::new()));
        let text = error.expect_err("refused").to_string();
        assert!(text.contains("`test` has the rate NaN"), "{text}");
    }
}
