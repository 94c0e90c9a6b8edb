//! No more than so many tuples a second.

use std::{fmt, marker::PhantomData, time::Duration};

use tormenta_dsl::{Bolt, Context, Counter, Emitter, Error, Result, Streams};

/// Passes on at most so many tuples a second, and as many at once as a burst allows.
///
/// A tuple that comes too early waits, and everything behind it: nothing is lost, and the spout is
/// slowed down. With [`or_drop`](RateLimit::or_drop) it is done instead, and the counter `dropped`
/// has it. The rate is that of a task: two tasks let twice as many through.
///
/// **At least once.** With `or_drop` too, what passed and fails further down passes again: a replay
/// ([`Emitter::is_replay`]) waits for its turn and is not dropped, since most of them passed the
/// first time. So nothing that passed is lost, and the rate is kept; the counter `replays` has how
/// many passed so.
///
/// ```
/// use tormenta_bolts::{RateLimit, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("slow");
/// # let words = t.feedback::<Word>("words");
///
/// let slow = t.bolt("slow", RateLimit::per_second(100).burst(10), words.shuffle());
/// let some = t.bolt("some", RateLimit::per_second(5).or_drop(), words.shuffle());
/// ```
pub struct RateLimit<T> {
    rate: u64,
    burst: u64,
    drops: bool,
    bucket: Bucket,
    dropped: Counter,
    replays: Counter,
    cx: Option<Context>,
    tuple: PhantomData<fn(T) -> T>,
}

impl<T: Streams> RateLimit<T> {
    /// At most so many tuples a second, at least one, one at a time.
    ///
    /// ```
    /// let slow = tormenta_bolts::RateLimit::<u64>::per_second(100);
    /// ```
    #[must_use]
    pub fn per_second(rate: u64) -> Self {
        Self {
            rate,
            burst: 1,
            drops: false,
            bucket: Bucket::new(rate, 1),
            dropped: Counter::default(),
            replays: Counter::default(),
            cx: None,
            tuple: PhantomData,
        }
    }

    /// How many may pass at once after a pause, at least one.
    #[must_use]
    pub fn burst(mut self, tuples: u64) -> Self {
        self.burst = tuples;
        self
    }

    /// Drops what comes too early, in place of waiting; replays wait.
    #[must_use]
    pub fn or_drop(mut self) -> Self {
        self.drops = true;
        self
    }
}

/// Tuples that may pass, in time: a token is the time between two tuples. Pure.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    token_ns: u64,
    full_ns: u64,
    /// What is in it, and when that was so.
    level_ns: u64,
    at_ns: u64,
}

impl Bucket {
    /// A full one.
    fn new(rate: u64, burst: u64) -> Self {
        let token_ns = 1_000_000_000 / rate.clamp(1, 1_000_000_000);
        let full_ns = token_ns.saturating_mul(burst.max(1));
        Self { token_ns, full_ns, level_ns: full_ns, at_ns: 0 }
    }

    /// Takes a token, or says how long to wait for one.
    fn take(&mut self, now: Duration) -> Option<Duration> {
        let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let passed = now_ns.saturating_sub(self.at_ns);
        self.level_ns = self.level_ns.saturating_add(passed).min(self.full_ns);
        self.at_ns = self.at_ns.max(now_ns);
        if let Some(rest) = self.level_ns.checked_sub(self.token_ns) {
            self.level_ns = rest;
            return None;
        }
        Some(Duration::from_nanos(self.token_ns - self.level_ns))
    }
}

impl<T> Clone for RateLimit<T> {
    fn clone(&self) -> Self {
        let (dropped, replays) = (self.dropped.clone(), self.replays.clone());
        Self { dropped, replays, cx: self.cx.clone(), ..*self }
    }
}

impl<T> fmt::Debug for RateLimit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RateLimit");
        debug.field("rate", &self.rate).field("burst", &self.burst).finish_non_exhaustive()
    }
}

impl<T: Streams> Bolt for RateLimit<T> {
    type Input = T;
    type Output = T;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if self.rate == 0 || self.burst == 0 {
            return Err(Error::msg(format!(
                "`{}` lets {} tuples a second pass, {} at once; make both at least one",
                cx.component(),
                self.rate,
                self.burst
            )));
        }
        self.bucket = Bucket { at_ns: 0, ..Bucket::new(self.rate, self.burst) };
        self.dropped = cx.counter("dropped");
        self.replays = cx.counter("replays");
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, tuple: T, out: &Emitter<T>) -> Result {
        if let Some(cx) = &self.cx {
            let may_drop = self.drops && !out.is_replay();
            while let Some(wait) = self.bucket.take(cx.now()) {
                if may_drop {
                    self.dropped.add(1);
                    return Ok(());
                }
                cx.sleep(wait).await;
            }
            self.replays.add(u64::from(out.is_replay()));
        }
        out.emit(tuple).await
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::testing::{Bench, HandClock, block_on, context_at};

    quickcheck! {
        /// In any span of time no more pass than the burst and what the rate allows, and a tuple
        /// that waits as long as it is told passes then.
        fn no_span_has_more_than_it_may(pauses: Vec<u16>, rate: u16, burst: u8) -> bool {
            let (rate, burst) = (1 + u64::from(rate % 2_000), 1 + u64::from(burst % 20));
            let (mut bucket, mut passed, mut now) = (Bucket::new(rate, burst), Vec::new(), 0);
            for pause in pauses {
                now += u64::from(pause) * 1_000;
                if let Some(wait) = bucket.take(Duration::from_nanos(now)) {
                    now += wait.as_nanos() as u64;
                    if bucket.take(Duration::from_nanos(now)).is_some() {
                        return false;
                    }
                }
                passed.push(now);
            }
            let token = 1_000_000_000 / rate;
            (0..passed.len()).all(|first| (first..passed.len()).all(|last| {
                let allowed = burst + (passed[last] - passed[first]) / token;
                (last - first + 1) as u64 <= allowed
            }))
        }
    }

    fn prepared(mut limit: RateLimit<u64>, clock: &std::sync::Arc<HandClock>) -> RateLimit<u64> {
        block_on(limit.prepare(&context_at(clock, 0))).expect("prepared");
        limit
    }

    #[test]
    fn tuples_wait_for_their_turn() {
        let (clock, bench) = (HandClock::new(), Bench::new());
        let mut limit = prepared(RateLimit::per_second(10).burst(2), &clock);
        for n in 0..7 {
            block_on(limit.execute(n, &bench.emitter())).expect("no error");
        }
        let now = limit.cx.as_ref().map(Context::now);
        assert_eq!(now, Some(Duration::from_millis(500)));
        assert_eq!(bench.emitted(), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn or_are_dropped() {
        let (clock, bench) = (HandClock::new(), Bench::new());
        let mut limit = prepared(RateLimit::per_second(10).or_drop(), &clock);
        for n in 0..30 {
            clock.set(Duration::from_millis(n * 50));
            block_on(limit.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), (0..30).step_by(2).collect::<Vec<_>>());
        assert_eq!(limit.dropped.get(), 15);
    }

    #[test]
    fn a_replay_waits_where_others_are_dropped() {
        let (clock, bench) = (HandClock::new(), Bench::new());
        let mut limit = prepared(RateLimit::per_second(10).or_drop(), &clock);
        for (n, is_replay) in [(0, false), (1, false), (0, true), (1, true), (2, false)] {
            let out = if is_replay { bench.emitter_of_replay(n) } else { bench.emitter_of(n) };
            block_on(limit.execute(n, &out)).expect("no error");
        }
        assert_eq!(bench.emitted(), [0, 0, 1]);
        assert_eq!((limit.dropped.get(), limit.replays.get()), (2, 2));
        let now = limit.cx.as_ref().map(Context::now);
        assert_eq!(now, Some(Duration::from_millis(200)), "the rate is kept");
    }

    #[test]
    fn a_rate_of_none_is_refused() {
        let clock = HandClock::new();
        let refused = block_on(RateLimit::<u64>::per_second(0).prepare(&context_at(&clock, 0)));
        let error = refused.expect_err("refused").to_string();
        let expected = "`test` lets 0 tuples a second pass, 1 at once; make both at least one";
        assert_eq!(error, expected);
    }
}
