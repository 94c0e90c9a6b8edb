//! Each key once.

mod seen;

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use tormenta_dsl::{Bolt, Context, Counter, Emitter, Error, Free, Result, Tuple};

use crate::when::{When, ms};
use seen::{Met, Seen};

/// Keys that are remembered at most, unless set.
pub const DEDUP_KEYS_MAX: usize = 1_000_000;

/// Emits the first tuple of each key and drops the repeats of the next ten minutes, or of another
/// window.
///
/// **Exact.** A tuple is a repeat if one of the same key passed less than the window before. A
/// repeat does not make the window longer. Time is when a tuple arrives, or
/// [`event_time`](Dedup::event_time): there the newest tuple of the task moves time on, and one
/// that is a whole window or more behind it passes if its key is not remembered, since nobody
/// knows any more; the counter `late` has it.
///
/// **Bounded.** It remembers at most a million keys, or [`keys_max`](Dedup::keys_max). One more,
/// and the oldest is forgotten before its time, so that a repeat of it would pass: the counter
/// `forgotten` says how often, `repeats` how many were dropped. Group the stream by the same key.
///
/// **At least once.** A key is remembered when its tuple passes here, not when the tree completes.
/// So a repeat that is a *replay* ([`Emitter::is_replay`]) passes, and the counter `replays` has
/// it: what fails further down is never lost, and may be seen twice there. Replays are known of
/// spouts that are `.replaying(..)`, and of those that say so ([`Spout::is_replay`]), as `Tail`
/// does. A client that sends again what it was told has failed cannot be told from one that
/// repeats itself: declare `HttpBodies` `.replaying(..)` in front of a `Dedup`.
///
/// **What it is not.** Keys are in memory: a task that restarts has seen nothing.
///
/// [`Spout::is_replay`]: tormenta_dsl::Spout::is_replay
///
/// ```
/// use std::time::Duration;
/// use tormenta_bolts::{Dedup, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("new-words");
/// # let words = t.feedback::<Word>("words");
///
/// let dedup = Dedup::by(|word: &Word| word.word.clone()).within(Duration::from_secs(3_600));
/// let new = t.bolt("new", dedup, words.by(|word| &word.word)).tasks(2);
/// ```
pub struct Dedup<T, K> {
    key: Arc<dyn Fn(&T) -> K + Send + Sync>,
    when: When<T>,
    within: Duration,
    keys_max: usize,
    seen: Seen<K>,
    counters: Counters,
    cx: Option<Context>,
}

#[derive(Clone, Default)]
struct Counters {
    repeats: Counter,
    replays: Counter,
    late: Counter,
    forgotten: Counter,
}

impl<T, K: Hash + Eq + Clone> Dedup<T, K> {
    /// Tuples with equal keys are repeats of each other.
    ///
    /// ```
    /// let dedup = tormenta_bolts::Dedup::by(|n: &u64| *n);
    /// ```
    #[must_use]
    pub fn by(key: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        Self {
            key: Arc::new(key),
            when: When::Arrival,
            within: Duration::from_secs(600),
            keys_max: DEDUP_KEYS_MAX,
            seen: Seen::new(0, 0),
            counters: Counters::default(),
            cx: None,
        }
    }

    /// How long a key is remembered after its tuple passed. Whole milliseconds, at least one.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The time of a tuple, in milliseconds since the epoch or since any other moment.
    #[must_use]
    pub fn event_time(mut self, time: impl Fn(&T) -> i64 + Send + Sync + 'static) -> Self {
        self.when = When::event(time);
        self
    }

    /// How many keys a task remembers at most, at least one.
    #[must_use]
    pub fn keys_max(mut self, keys: usize) -> Self {
        self.keys_max = keys;
        self
    }

    fn passes(&mut self, tuple: &T, is_replay: bool) -> bool {
        let time = self.when.of(tuple, self.cx.as_ref());
        match self.seen.meet((self.key)(tuple), time) {
            Met::First => {}
            Met::FirstForgetting => self.counters.forgotten.add(1),
            Met::Late => self.counters.late.add(1),
            Met::Repeat if is_replay => self.counters.replays.add(1),
            Met::Repeat => {
                self.counters.repeats.add(1);
                return false;
            }
        }
        true
    }
}

impl<T, K: Clone> Clone for Dedup<T, K> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            when: self.when.clone(),
            within: self.within,
            keys_max: self.keys_max,
            seen: self.seen.clone(),
            counters: self.counters.clone(),
            cx: self.cx.clone(),
        }
    }
}

impl<T, K> fmt::Debug for Dedup<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Dedup");
        debug.field("within", &self.within).field("keys_max", &self.keys_max);
        debug.finish_non_exhaustive()
    }
}

impl<T, K> Bolt for Dedup<T, K>
where
    T: Tuple,
    K: Hash + Eq + Clone + Send + 'static,
{
    type Input = T;
    type Output = T;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let within = ms(self.within);
        if within == 0 || self.keys_max == 0 {
            return Err(Error::msg(format!(
                "`{}` remembers {} keys for {within} ms; make it at least one for 1 ms",
                cx.component(),
                self.keys_max
            )));
        }
        self.seen = Seen::new(within, self.keys_max);
        self.counters = Counters {
            repeats: cx.counter("repeats"),
            replays: cx.counter("replays"),
            late: cx.counter("late"),
            forgotten: cx.counter("forgotten"),
        };
        self.cx = Some(cx.clone());
        Ok(())
    }

    #[inline]
    async fn execute(&mut self, tuple: T, out: &Emitter<T>) -> Result {
        if self.passes(&tuple, out.is_replay()) {
            out.emit(tuple).await?;
        }
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    /// Frees the memory of old keys when no tuples come.
    async fn tick(&mut self, _out: &Emitter<T, Free>) -> Result {
        if let Some(now) = self.when.now(self.cx.as_ref()) {
            self.seen.forget_until(now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, HandClock, block_on, context_at};

    #[test]
    fn repeats_are_dropped_for_as_long_as_asked() {
        let (clock, bench) = (HandClock::new(), Bench::new());
        let mut dedup = Dedup::by(|n: &u64| n % 10).within(Duration::from_secs(5));
        block_on(dedup.prepare(&context_at(&clock, 0))).expect("prepared");
        for (at, n) in [(0, 1), (1, 11), (4, 21), (4, 2), (5, 31), (6, 12), (9, 41), (10, 51)] {
            clock.set(Duration::from_secs(at));
            block_on(dedup.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [1, 2, 31, 51]);
        assert_eq!(dedup.counters.repeats.get(), 4);
        clock.set(Duration::from_secs(60));
        block_on(dedup.tick(&bench.emitter())).expect("no error");
        assert_eq!(dedup.seen.len(), 0);
    }

    #[test]
    fn the_bound_is_kept_and_counted() {
        let bench = Bench::new();
        let mut dedup = Dedup::by(|n: &u64| *n).keys_max(2);
        block_on(dedup.prepare(&context_at(&HandClock::new(), 0))).expect("prepared");
        for n in [1, 2, 3, 2, 1] {
            block_on(dedup.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [1, 2, 3, 1]);
        assert_eq!((dedup.counters.forgotten.get(), dedup.seen.len()), (2, 2));
    }

    #[test]
    fn event_time_counts_who_comes_too_late_to_tell() {
        let bench = Bench::new();
        let mut dedup = Dedup::by(|n: &u64| n % 10)
            .event_time(|n| (*n / 10) as i64)
            .within(Duration::from_millis(5));
        block_on(dedup.prepare(&context_at(&HandClock::new(), 0))).expect("prepared");
        for n in [101, 91, 152, 91] {
            block_on(dedup.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [101, 152, 91]);
        assert_eq!(dedup.counters.late.get(), 1);
    }

    #[test]
    fn nothing_to_remember_is_refused() {
        let mut dedup = Dedup::by(|n: &u64| *n).within(Duration::from_micros(10));
        let refused = block_on(dedup.prepare(&context_at(&HandClock::new(), 0)));
        let error = refused.expect_err("refused").to_string();
        assert_eq!(error, "`test` remembers 1000000 keys for 0 ms; make it at least one for 1 ms");
    }
}
