//! A tuple every so often.

use std::time::Duration;

use tormenta_dsl::{Context, Error, Result, Spout};

/// No sleep is longer, so that no sum of times overflows. Who is not due then sleeps again.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// Emits a number every `period`: how many periods have passed since the start, from one.
///
/// Tick `k` is due `k * period` after the start, so that nothing drifts. Ticks that could not be
/// emitted in time, because the bolts behind were slow or the topology was deactivated, are left
/// out and not made up for: their numbers are missing, and the counter `ticks_missed` has them. For
/// a load that does catch up there is [`Sequence::rate`](crate::Sequence::rate).
///
/// It waits in engine time: in a `LocalCluster` an hour passes at once. One task ticks, however
/// many there are.
///
/// **Guarantee**: a tick that fails is gone, unless the spout is declared `.replaying(..)`.
///
/// ```
/// use std::time::Duration;
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_spouts::Timer;
///
/// let mut t = Topology::<NoEngine>::new("reports");
/// let minutes = t.spout("minutes", Timer::every(Duration::from_secs(60)));
/// let thrice = t.spout("thrice", Timer::every(Duration::from_millis(10)).times(3));
/// ```
#[derive(Clone)]
pub struct Timer {
    period: Duration,
    times: u64,
    beat: Beat,
    running: Option<Running>,
}

/// Which tick is next. Pure: time is an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Beat {
    start: Duration,
    /// The last tick that was emitted.
    last: u64,
}

#[derive(Clone)]
struct Running {
    cx: Context,
    /// Whether this task is the one that ticks.
    ticks: bool,
    emitted: u64,
}

impl Beat {
    /// The tick that is due, the latest if there are several.
    fn due(self, now: Duration, period: Duration) -> Option<u64> {
        let passed = now.saturating_sub(self.start).as_nanos() / period.as_nanos();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        (passed > self.last).then_some(passed)
    }

    /// How long until the next one, where none is due.
    fn wait(self, now: Duration, period: Duration) -> Duration {
        let after = period.as_nanos().saturating_mul(u128::from(self.last) + 1);
        let passed = now.saturating_sub(self.start).as_nanos();
        let nanos = after.saturating_sub(passed).min(SLEEP_MAX.as_nanos());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Timer {
    /// A tick every `period`, without end. The first is due after one period. A period of zero is
    /// an error when the topology starts.
    ///
    /// ```
    /// let timer = tormenta_spouts::Timer::every(std::time::Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn every(period: Duration) -> Self {
        Self { period, times: u64::MAX, beat: Beat::default(), running: None }
    }

    /// Ends after so many ticks.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let once = tormenta_spouts::Timer::every(Duration::from_secs(5)).times(1);
    /// ```
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer")
            .field("period", &self.period)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl Spout for Timer {
    type Output = u64;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        if self.period.is_zero() {
            let name = cx.component();
            return Err(Error::msg(format!(
                "`{name}` has the period 0; a period is a positive duration"
            )));
        }
        self.beat = Beat { start: cx.now(), last: 0 };
        self.running = Some(Running { cx: cx.clone(), ticks: cx.task() == 0, emitted: 0 });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(u64, ())>> {
        let Some(running) = &mut self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        if !running.ticks || running.emitted >= self.times {
            return Ok(None);
        }
        loop {
            let now = running.cx.now();
            if let Some(tick) = self.beat.due(now, self.period) {
                let missed = tick - self.beat.last - 1;
                if missed > 0 {
                    running.cx.counter("ticks_missed").add(missed);
                }
                self.beat.last = tick;
                running.emitted += 1;
                return Ok(Some((tick, ())));
            }
            running.cx.sleep(self.beat.wait(now, self.period)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::testing::{ManualTimer, block_on, context, poll_once};

    const SECOND: Duration = Duration::from_secs(1);

    quickcheck! {
        /// Looked at at any times, the ticks are the periods that have passed, each once at most.
        fn ticks_are_periods(period: u16, steps: Vec<u16>) -> bool {
            let period = Duration::from_micros(u64::from(period) + 1);
            let (mut beat, mut now) = (Beat { start: SECOND, last: 0 }, SECOND);
            steps.into_iter().all(|step| {
                now += Duration::from_micros(u64::from(step));
                let passed = ((now - SECOND).as_micros() / period.as_micros()) as u64;
                let before = beat.last;
                let due = beat.due(now, period);
                beat.last = due.unwrap_or(before);
                due == (passed > before).then_some(passed)
                    && beat.due(now, period).is_none()
                    && beat.due(now + beat.wait(now, period), period) == Some(passed + 1)
            })
        }
    }

    #[test]
    fn ticks_come_in_time_and_end() {
        let clock = ManualTimer::new();
        let mut timer = Timer::every(SECOND).times(3);
        block_on(timer.prepare(&context(0, 2, &clock))).expect("prepared");
        let mut ticks = Vec::new();
        for _ in 0..80 {
            while let Some(Some((tick, ()))) = poll_once(timer.next()).map(|next| next.expect("ok"))
            {
                ticks.push((tick, clock_now(&clock)));
            }
            clock.advance(SECOND / 10);
        }
        let expected = [(1, SECOND), (2, SECOND * 2), (3, SECOND * 3)];
        assert_eq!(ticks, expected);
        assert_eq!(block_on(timer.next()).expect("ok"), None);
        let mut other = Timer::every(SECOND);
        block_on(other.prepare(&context(1, 2, &clock))).expect("prepared");
        assert_eq!(block_on(other.next()).expect("ok"), None);
    }

    fn clock_now(clock: &ManualTimer) -> Duration {
        tormenta_dsl::Timer::now(clock)
    }

    #[test]
    fn what_was_missed_is_counted_and_not_made_up_for() {
        let clock = ManualTimer::new();
        let cx = context(0, 1, &clock);
        let mut timer = Timer::every(SECOND);
        block_on(timer.prepare(&cx)).expect("prepared");
        clock.advance(SECOND * 5 + SECOND / 2);
        assert_eq!(block_on(timer.next()).expect("ok"), Some((5, ())));
        assert!(poll_once(timer.next()).is_none());
        assert_eq!(cx.counter("ticks_missed").get(), 4);
        clock.advance(SECOND / 2);
        assert_eq!(block_on(timer.next()).expect("ok"), Some((6, ())));
    }

    #[test]
    fn a_period_of_nothing_is_refused() {
        let error =
            block_on(Timer::every(Duration::ZERO).prepare(&context(0, 1, &ManualTimer::new())));
        assert!(error.expect_err("refused").to_string().contains("`test` has the period 0"));
    }
}
