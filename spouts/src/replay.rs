//! A recorded stream at the speed at which it happened.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tormenta_dsl::{Context, Error, Failure, Result, Spout, spout::Routing};

/// No sleep is longer, so that no sum of times overflows. Who is not due then sleeps again.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// A spout that holds every tuple of another one back until its time has come.
///
/// The first tuple goes at once; one with an event time `d` later goes `d / speed` later in engine
/// time. A tuple from before the one that was emitted last, or one that was held up by slow bolts,
/// goes at once, and what was late is caught up. A pause by deactivation moves everything behind
/// it.
///
/// Event times are milliseconds, in any era. It waits in engine time: in a `LocalCluster` a year
/// passes at once. With several tasks all keep to the first tuple that any of them sees.
///
/// **Guarantee**: that of the spout inside, which is told what became of its tuples.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Topology, Tuple, doc::NoEngine};
/// use tormenta_spouts::{CsvRows, Replayed};
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe { card: u64, unix_time: i64 }
///
/// let mut t = Topology::<NoEngine>::new("fraud");
/// let recorded = CsvRows::<Swipe>::at("swipes.csv");
/// let swipes = Replayed::new(recorded, |swipe| swipe.unix_time * 1_000).speed(60.0);
/// let swipes = t.spout("swipes", swipes); // a recorded hour a minute
/// ```
pub struct Replayed<S: Spout, F> {
    spout: S,
    event_time: F,
    speed: Option<f64>,
    /// Where all tasks begin.
    begin: Arc<OnceLock<Pacing>>,
    running: Option<Running<S>>,
}

struct Running<S: Spout> {
    cx: Context,
    held: Option<(S::Output, S::Id, i64)>,
    ended: bool,
    /// All pauses so far, and since when there is one.
    paused: Duration,
    pause: Option<Duration>,
}

/// When a tuple is due. Pure: time is an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pacing {
    /// Engine time of the first tuple, and its event time.
    start: Duration,
    first_ms: i64,
    speed: f64,
}

impl Pacing {
    fn due(self, event_ms: i64) -> Duration {
        let after_ms = i128::from(event_ms) - i128::from(self.first_ms);
        if after_ms <= 0 {
            return self.start;
        }
        let after = Duration::try_from_secs_f64(after_ms as f64 / 1_000.0 / self.speed);
        self.start.saturating_add(after.unwrap_or(Duration::MAX))
    }
}

impl<S, F> Replayed<S, F>
where
    S: Spout,
    F: Fn(&S::Output) -> i64 + Clone + Send + 'static,
{
    /// Replays `spout` at its original speed. `event_time` says when a tuple happened, in
    /// milliseconds.
    ///
    /// ```
    /// use tormenta_spouts::{Replayed, Sequence};
    ///
    /// let seconds = Replayed::new(Sequence::up_to(60), |n| *n as i64 * 1_000);
    /// ```
    #[must_use]
    pub fn new(spout: S, event_time: F) -> Self {
        Self { spout, event_time, speed: Some(1.0), begin: Arc::default(), running: None }
    }

    /// So many times faster than it happened, or slower if less than one. A speed that is not
    /// positive is an error when the topology starts.
    ///
    /// ```
    /// # use tormenta_spouts::{Replayed, Sequence};
    /// let fast = Replayed::new(Sequence::up_to(60), |n| *n as i64 * 1_000).speed(10.0);
    /// ```
    #[must_use]
    pub fn speed(self, times: f64) -> Self {
        Self { speed: Some(times), ..self }
    }

    /// As fast as the tuples are read.
    ///
    /// ```
    /// # use tormenta_spouts::{Replayed, Sequence};
    /// let flat_out = Replayed::new(Sequence::up_to(60), |n| *n as i64 * 1_000).flat_out();
    /// ```
    #[must_use]
    pub fn flat_out(self) -> Self {
        Self { speed: None, ..self }
    }
}

/// A clone begins anew, at the same moment as the original.
impl<S: Spout, F: Clone> Clone for Replayed<S, F> {
    fn clone(&self) -> Self {
        Self {
            spout: self.spout.clone(),
            event_time: self.event_time.clone(),
            speed: self.speed,
            begin: self.begin.clone(),
            running: None,
        }
    }
}

impl<S: Spout + std::fmt::Debug, F> std::fmt::Debug for Replayed<S, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayed")
            .field("spout", &self.spout)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

impl<S, F> Spout for Replayed<S, F>
where
    S: Spout,
    F: Fn(&S::Output) -> i64 + Clone + Send + 'static,
{
    type Output = S::Output;
    type Id = S::Id;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if let Some(speed) = self.speed
            && !(speed.is_finite() && speed > 0.0)
        {
            let name = cx.component();
            return Err(Error::msg(format!(
                "`{name}` has the speed {speed}; a speed is a positive number, and `flat_out` \
                 waits for nothing"
            )));
        }
        self.running = Some(Running {
            cx: cx.clone(),
            held: None,
            ended: false,
            paused: Duration::ZERO,
            pause: None,
        });
        self.spout.prepare(cx).await
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(S::Output, S::Id)>> {
        let Some(speed) = self.speed else {
            return self.spout.next().await;
        };
        let Some(running) = &mut self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        if running.held.is_none() {
            if running.ended {
                return Ok(None);
            }
            // Nothing is changed before the wait of the spout inside is over.
            let Some((tuple, id)) = self.spout.next().await? else {
                running.ended = true;
                return Ok(None);
            };
            let event_ms = (self.event_time)(&tuple);
            running.held = Some((tuple, id, event_ms));
        }
        if let Some((_, _, first_ms)) = running.held {
            let start = running.cx.now().saturating_sub(running.paused);
            let pacing = self.begin.get_or_init(|| Pacing { start, first_ms, speed });
            let due = pacing.due(first_ms).saturating_add(running.paused);
            let mut now = running.cx.now();
            while now < due {
                running.cx.sleep((due - now).min(SLEEP_MAX)).await;
                now = running.cx.now();
            }
        }
        Ok(running.held.take().map(|(tuple, id, _)| (tuple, id)))
    }

    fn is_replay(&self, id: &S::Id) -> bool {
        self.spout.is_replay(id)
    }

    fn routing(&self, id: &S::Id) -> Routing {
        self.spout.routing(id)
    }

    fn told(&mut self, tasks: &[usize]) {
        self.spout.told(tasks);
    }

    fn acked(&mut self, id: S::Id) {
        self.spout.acked(id);
    }

    fn failed(&mut self, id: S::Id, why: Failure) {
        self.spout.failed(id, why);
    }

    fn activated(&mut self) {
        if let Some(running) = &mut self.running
            && let Some(since) = running.pause.take()
        {
            running.paused += running.cx.now().saturating_sub(since);
        }
        self.spout.activated();
    }

    fn deactivated(&mut self) {
        if let Some(running) = &mut self.running {
            running.pause = Some(running.cx.now());
        }
        self.spout.deactivated();
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::{
        Sequence,
        testing::{ManualTimer, block_on, context, poll_once},
    };

    const SECOND: Duration = Duration::from_secs(1);

    quickcheck! {
        fn due_times_are_event_times_scaled(first: i32, events: Vec<i32>, speed: u8) -> bool {
            let speed = f64::from(speed) / 8.0 + 0.125;
            let pacing = Pacing { start: SECOND, first_ms: i64::from(first), speed };
            events.into_iter().all(|event| {
                let after = (f64::from(event) - f64::from(first)).max(0.0) / speed / 1_000.0;
                let due = (pacing.due(i64::from(event)) - SECOND).as_secs_f64();
                (due - after).abs() < 1e-6
            })
        }
    }

    #[test]
    fn no_event_time_overflows() {
        let pacing = Pacing { start: SECOND, first_ms: i64::MIN, speed: 1e-300 };
        assert_eq!(pacing.due(i64::MAX), Duration::MAX);
        assert_eq!(pacing.due(i64::MIN), SECOND);
    }

    type Recorded = Replayed<Sequence, fn(&u64) -> i64>;

    /// The times of the recorded numbers: 0, 1, 0.5 and 3 s after some moment.
    fn recorded() -> Recorded {
        Replayed::new(Sequence::up_to(4), |n| {
            1_577_836_800_000 + [0, 1_000, 500, 3_000][*n as usize]
        })
    }

    /// When the tuples of one task came, in tenths of seconds, polled once a tenth.
    fn times(spout: &mut Recorded, clock: &Arc<ManualTimer>, tenths: u64) -> Vec<(u64, u64)> {
        let mut times = Vec::new();
        for tenth in 0..tenths {
            while let Some(Some((n, ()))) = poll_once(spout.next()).map(|next| next.expect("ok")) {
                times.push((n, tenth));
            }
            clock.advance(SECOND / 10);
        }
        times
    }

    #[test]
    fn tuples_come_as_they_happened() {
        for (speed, expected) in [
            (1.0, [(0, 0), (1, 10), (2, 10), (3, 30)]),
            (2.0, [(0, 0), (1, 5), (2, 5), (3, 15)]),
            (0.5, [(0, 0), (1, 20), (2, 20), (3, 60)]),
        ] {
            let clock = ManualTimer::new();
            let mut spout = recorded().speed(speed);
            block_on(spout.prepare(&context(0, 1, &clock))).expect("prepared");
            assert_eq!(times(&mut spout, &clock, 100), expected);
        }
        let clock = ManualTimer::new();
        let mut spout = recorded().flat_out();
        block_on(spout.prepare(&context(0, 1, &clock))).expect("prepared");
        assert_eq!(times(&mut spout, &clock, 1).len(), 4);
    }

    #[test]
    fn a_pause_moves_what_is_behind_it() {
        let clock = ManualTimer::new();
        let mut spout = recorded();
        block_on(spout.prepare(&context(0, 1, &clock))).expect("prepared");
        assert_eq!(times(&mut spout, &clock, 5), [(0, 0)]);
        spout.deactivated();
        clock.advance(SECOND * 60);
        spout.activated();
        assert_eq!(times(&mut spout, &clock, 100), [(1, 5), (2, 5), (3, 25)]);
    }

    #[test]
    fn tasks_begin_together() {
        let clock = ManualTimer::new();
        let prototype = recorded();
        let (mut first, mut second) = (prototype.clone(), prototype.clone());
        block_on(first.prepare(&context(0, 2, &clock))).expect("prepared");
        block_on(second.prepare(&context(1, 2, &clock))).expect("prepared");
        assert_eq!(times(&mut first, &clock, 1), [(0, 0)]);
        assert_eq!(times(&mut second, &clock, 50), [(1, 9), (3, 29)]);
    }

    #[test]
    fn a_speed_that_is_none_is_refused() {
        let mut spout = recorded().speed(0.0);
        let error = block_on(spout.prepare(&context(0, 1, &ManualTimer::new())));
        assert!(error.expect_err("refused").to_string().contains("has the speed 0"));
    }
}
