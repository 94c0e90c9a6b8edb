//! Two streams become one: tuples of the same key that are close in time.

mod half;
#[cfg(test)]
mod join_test;
mod meeting;
mod streams;

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use tormenta_dsl::{Bolt, Context, Emitter, Error, Free, Result, Tuple};

use crate::when::{When, ms};
use meeting::Work;
pub use streams::{JoinInput, JoinPorts, Joined};

/// Tuples that wait at most, unless set.
pub const JOIN_PENDING_MAX: usize = 100_000;

/// Joins two streams: emits every pair of a left and a right tuple that have the same key and are
/// at most a minute apart, or another [time bound](Join::within).
///
/// | | a tuple that meets none |
/// |---|---|
/// | [`inner`](Join::inner) | is dropped when its time bound has passed |
/// | [`left`](Join::left) | is emitted alone then, if it is a left one |
/// | [`full`](Join::full) | is emitted alone then |
///
/// **Time** is when a tuple arrives, or [`event_time`](Join::event_time). The time bound of a
/// tuple has passed when a tuple, of either stream, came that is further ahead than that, and than
/// the [`disorder`](Join::disorder) that there may be; at the latest when the inputs end. A tuple
/// that comes after its own bound still meets those that wait, but does not wait itself: the
/// counter `late` has it.
///
/// **At least once.** Tuples are held until their time bound has passed, and a pair is anchored to
/// both. So if a pair fails further down, or the task restarts, both tuples come again, and by then
/// their bound may have passed. Therefore a tuple is kept for ten seconds after its bound, or for
/// [`replays_within`](Join::replays_within), and a replay ([`Emitter::is_replay`]) meets those that
/// are kept as well, and waits for as long after its own bound. So every pair that was told gets
/// through, as long as its tuples are replayed and come again no further apart than that; it may
/// get through more than once. A tuple that failed *before* it was here meets those of the other
/// side that are still kept, which a restart forgets; an outer join may have told by then that they
/// are alone. By arrival, the time of a replay is that of its own arrival. The counter `replays`
/// has how many came.
///
/// A spout must have as many pending as its share of what is held, or the join starves; it reports
/// that if it takes event time. [`ack_when_met`](Join::ack_when_met) holds less.
///
/// **Memory** is bounded: at most 100,000 tuples wait or are kept, or
/// [`pending_max`](Join::pending_max). One more, and those that are only kept are forgotten; where
/// there are none, the oldest is treated as if its time bound had passed: the counter `evicted` has
/// it.
///
/// Group both streams by the key, so that a task sees both sides of it.
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// use std::time::Duration;
/// use serde::{Deserialize, Serialize};
/// use tormenta_bolts::{Join, JoinInput};
/// use tormenta_dsl::{Topology, Tuple, doc::NoEngine};
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Order { id: u64, at: i64 }
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Payment { order: u64, at: i64 }
/// # let mut t = Topology::<NoEngine>::new("paid");
/// # let (orders, payments) = (t.feedback::<Order>("orders"), t.feedback::<Payment>("payments"));
///
/// let join = Join::left(|order: &Order| order.id, |payment: &Payment| payment.order)
///     .event_time(|order| order.at, |payment| payment.at)
///     .within(Duration::from_secs(600));
/// let paid = t.bolt("paid", join, [
///     orders.by(|order| &order.id).to(JoinInput::Left),
///     payments.by(|payment| &payment.order).to(JoinInput::Right),
/// ]).tasks(2);
/// ```
pub struct Join<L: Tuple, R: Tuple, K> {
    emits_left: bool,
    emits_right: bool,
    left_key: Arc<dyn Fn(&L) -> K + Send + Sync>,
    right_key: Arc<dyn Fn(&R) -> K + Send + Sync>,
    left_when: When<L>,
    right_when: When<R>,
    within: Duration,
    disorder: Duration,
    replays_within: Duration,
    acks_met: bool,
    pending_max: usize,
    work: Work<L, R, K>,
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone> Join<L, R, K> {
    /// Pairs alone, of tuples whose keys are equal.
    ///
    /// ```
    /// let join = tormenta_bolts::Join::inner(|n: &u64| n % 10, |text: &String| text.len() as u64);
    /// ```
    #[must_use]
    pub fn inner(
        left: impl Fn(&L) -> K + Send + Sync + 'static,
        right: impl Fn(&R) -> K + Send + Sync + 'static,
    ) -> Self {
        Self {
            emits_left: false,
            emits_right: false,
            left_key: Arc::new(left),
            right_key: Arc::new(right),
            left_when: When::Arrival,
            right_when: When::Arrival,
            within: Duration::from_secs(60),
            disorder: Duration::ZERO,
            replays_within: Duration::from_secs(10),
            acks_met: false,
            pending_max: JOIN_PENDING_MAX,
            work: Work::new(),
        }
    }

    /// Pairs, and left tuples that met no right one.
    ///
    /// ```
    /// let join = tormenta_bolts::Join::left(|n: &u64| *n, |n: &u64| *n);
    /// ```
    #[must_use]
    pub fn left(
        left: impl Fn(&L) -> K + Send + Sync + 'static,
        right: impl Fn(&R) -> K + Send + Sync + 'static,
    ) -> Self {
        Self { emits_left: true, ..Self::inner(left, right) }
    }

    /// Pairs, and tuples of both streams that met none of the other.
    ///
    /// ```
    /// let join = tormenta_bolts::Join::full(|n: &u64| *n, |n: &u64| *n);
    /// ```
    #[must_use]
    pub fn full(
        left: impl Fn(&L) -> K + Send + Sync + 'static,
        right: impl Fn(&R) -> K + Send + Sync + 'static,
    ) -> Self {
        Self { emits_left: true, emits_right: true, ..Self::inner(left, right) }
    }

    /// How far apart two tuples may be to be a pair. Whole milliseconds.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The times of the tuples, in milliseconds since the epoch or since any other moment.
    #[must_use]
    pub fn event_time(
        mut self,
        left: impl Fn(&L) -> i64 + Send + Sync + 'static,
        right: impl Fn(&R) -> i64 + Send + Sync + 'static,
    ) -> Self {
        (self.left_when, self.right_when) = (When::event(left), When::event(right));
        self
    }

    /// How much earlier than the largest time of both streams a tuple may be, so that all its
    /// pairs are found. As much as one stream may be behind the other. None unless set.
    #[must_use]
    pub fn disorder(mut self, disorder: Duration) -> Self {
        self.disorder = disorder;
        self
    }

    /// How long a tuple is kept for replays, and a replay waits, after their time bound has passed:
    /// engine time, in whole milliseconds. As long as the replays of two tuples that failed
    /// together may be apart, which is the longest back-off of their spouts. Ten seconds unless
    /// set. With zero a replay that is late meets only those that wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tormenta_bolts::Join;
    ///
    /// let join = Join::inner(|n: &u64| *n, |n: &u64| *n).replays_within(Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn replays_within(mut self, time: Duration) -> Self {
        self.replays_within = time;
        self
    }

    /// Holds a tuple only until it meets its first: for many tuples within the time bound, and for
    /// spouts that answer when they are acked. A pair is anchored to those of its two that are
    /// held. If it fails after its other tuple has been forgotten, it is lost; and so are the later
    /// pairs of a tuple that was met when the task restarts.
    ///
    /// ```
    /// let join = tormenta_bolts::Join::inner(|n: &u64| *n, |n: &u64| *n).ack_when_met();
    /// ```
    #[must_use]
    pub fn ack_when_met(mut self) -> Self {
        self.acks_met = true;
        self
    }

    /// How many tuples of both streams wait or are kept in a task at most, at least one.
    #[must_use]
    pub fn pending_max(mut self, tuples: usize) -> Self {
        self.pending_max = tuples;
        self
    }
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone> Clone for Join<L, R, K> {
    /// Held tuples are never copied.
    fn clone(&self) -> Self {
        Self {
            emits_left: self.emits_left,
            emits_right: self.emits_right,
            left_key: self.left_key.clone(),
            right_key: self.right_key.clone(),
            left_when: self.left_when.clone(),
            right_when: self.right_when.clone(),
            within: self.within,
            disorder: self.disorder,
            replays_within: self.replays_within,
            acks_met: self.acks_met,
            pending_max: self.pending_max,
            work: Work::new(),
        }
    }
}

impl<L: Tuple, R: Tuple, K> fmt::Debug for Join<L, R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Join");
        debug.field("within", &self.within).field("pending_max", &self.pending_max);
        debug.finish_non_exhaustive()
    }
}

impl<L: Tuple, R: Tuple, K: Hash + Eq + Clone + Send + 'static> Bolt for Join<L, R, K> {
    type Input = JoinInput<L, R>;
    type Output = Joined<L, R>;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if self.pending_max == 0 {
            return Err(Error::msg(format!(
                "`{}` lets no tuple wait for another; give it a `pending_max` above zero",
                cx.component()
            )));
        }
        self.work.late = cx.counter("late");
        self.work.evicted = cx.counter("evicted");
        self.work.replays = cx.counter("replays");
        self.work.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, input: JoinInput<L, R>, out: &Emitter<Joined<L, R>>) -> Result {
        match input {
            JoinInput::Left(tuple) => self.arrive_left(tuple, out).await,
            JoinInput::Right(tuple) => self.arrive_right(tuple, out).await,
        }
    }

    /// A quarter of the time bound, at most a second.
    fn tick_interval(&self) -> Option<Duration> {
        Some((self.within / 4).clamp(Duration::from_millis(10), Duration::from_secs(1)))
    }

    async fn tick(&mut self, out: &Emitter<Joined<L, R>, Free>) -> Result {
        match self.left_when.now(self.work.cx.as_ref()) {
            Some(now) => self.advance(now.saturating_sub(ms(self.disorder)), out).await?,
            None => self.complain(),
        }
        self.forget(out).await
    }

    async fn finish(&mut self, out: &Emitter<Joined<L, R>, Free>) -> Result {
        self.end(out).await
    }
}
