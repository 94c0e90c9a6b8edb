//! How windows are described.

use std::{fmt, hash::Hash, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tormenta_dsl::{Holds, Tuple};

use super::{
    Aggregate, WindowBolt, WindowOutput, counts::Counts, machine::Lengths, panes::Panes,
    sessions::Sessions,
};

/// Windows: how long they are, what time and key a tuple has, and how late it may be.
///
/// [`aggregate`](Windows::aggregate) makes a bolt of them, which has two streams: `results` and
/// `late`. The stream is to be grouped [`by`](tormenta_dsl::Stream::by) the same key as here.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_bolts::window::{Count, Windows, hours, minutes};
/// # extern crate tormenta_dsl as tormenta;
/// use tormenta_dsl::{Topology, Tuple, doc::NoEngine};
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Edit { time: i64, channel: String }
/// # let mut t = Topology::<NoEngine>::new("edits");
/// # let edits = t.feedback::<Edit>("edits");
///
/// let per_hour = Windows::tumbling(hours(1))
///     .event_time(|edit: &Edit| edit.time)
///     .by(|edit: &Edit| edit.channel.clone())
///     .lateness(minutes(5))
///     .aggregate(Count::new());
/// let per_hour = t.bolt("per_hour", per_hour, edits.by(|edit| &edit.channel)).tasks(2);
/// ```
#[derive(Clone, Debug)]
pub struct Windows<S, T = Untimed, B = Unkeyed> {
    pub(super) shape: S,
    time: T,
    key: B,
    pub(super) policy: Policy,
}

/// What holds for all kinds of windows.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) disorder: Duration,
    pub(super) lateness: Duration,
    pub(super) idle: Duration,
    pub(super) holds: bool,
}

/// How long an input may be silent before it is idle, unless [set](Windows::idle_after).
pub const IDLE_AFTER: Duration = Duration::from_secs(60);

/// Windows of a fixed length of event time.
#[derive(Clone, Debug)]
pub struct Spans {
    width: Duration,
    slide: Duration,
}

/// Windows that end with a pause.
#[derive(Clone, Debug)]
pub struct Pauses {
    gap: Duration,
}

/// Windows of a number of tuples.
#[derive(Clone, Debug)]
pub struct Numbers {
    width: u64,
    slide: u64,
}

/// Tuples have no time.
#[derive(Clone, Copy, Debug)]
pub struct Untimed;

/// Tuples have no key: a task has one window at a time for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Unkeyed;

/// A function of a tuple: its time, or its key.
#[derive(Clone)]
pub struct Of<F>(F);

impl<F> fmt::Debug for Of<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Of(..)")
    }
}

/// Gives tuples their time.
pub trait TimeOf<I>: Clone + Send + 'static {
    /// The time of a tuple in milliseconds.
    fn time(&self, tuple: &I) -> i64;
}

impl<I> TimeOf<I> for Untimed {
    fn time(&self, _tuple: &I) -> i64 {
        0
    }
}

impl<I, F: Fn(&I) -> i64 + Clone + Send + 'static> TimeOf<I> for Of<F> {
    #[inline]
    fn time(&self, tuple: &I) -> i64 {
        (self.0)(tuple)
    }
}

/// Gives tuples their key.
pub trait KeyOf<I>: Clone + Send + 'static {
    /// The type of the key.
    type Key: Hash + Eq + Clone + Send + Serialize + DeserializeOwned + 'static;

    /// The key of a tuple.
    fn key(&self, tuple: &I) -> Self::Key;
}

impl<I> KeyOf<I> for Unkeyed {
    type Key = ();

    #[inline]
    fn key(&self, _tuple: &I) {}
}

impl<I, K, F> KeyOf<I> for Of<F>
where
    K: Hash + Eq + Clone + Send + Serialize + DeserializeOwned + 'static,
    F: Fn(&I) -> K + Clone + Send + 'static,
{
    type Key = K;

    #[inline]
    fn key(&self, tuple: &I) -> K {
        (self.0)(tuple)
    }
}

impl Windows<Spans> {
    /// Windows of this length, one after the other, aligned to the epoch. Whole milliseconds.
    ///
    /// ```
    /// use tormenta_bolts::window::{Windows, hours};
    ///
    /// let hourly = Windows::tumbling(hours(1));
    /// ```
    #[must_use]
    pub fn tumbling(width: Duration) -> Self {
        Self::sliding(width, width)
    }

    /// Windows of this length that begin at every multiple of `slide`, which is at most the
    /// length. Also called hopping. Whole milliseconds.
    ///
    /// ```
    /// use tormenta_bolts::window::{Windows, minutes};
    ///
    /// let last_hour_every_five_minutes = Windows::sliding(minutes(60), minutes(5));
    /// ```
    #[must_use]
    pub fn sliding(width: Duration, slide: Duration) -> Self {
        Self::new(Spans { width, slide })
    }
}

impl Windows<Pauses> {
    /// Windows that end when a key was silent for `gap`. Whole milliseconds.
    ///
    /// ```
    /// use tormenta_bolts::window::{Windows, minutes};
    ///
    /// let visits = Windows::session(minutes(30));
    /// ```
    #[must_use]
    pub fn session(gap: Duration) -> Self {
        Self::new(Pauses { gap })
    }
}

impl Windows<Numbers> {
    /// Windows of `n` tuples of a key. Such windows have no time, so no tuple is late.
    ///
    /// ```
    /// use tormenta_bolts::window::Windows;
    ///
    /// let hundreds = Windows::of_count(100);
    /// let last_hundred_every_ten = Windows::of_count(100).every(10);
    /// ```
    #[must_use]
    pub fn of_count(n: u64) -> Self {
        Self::new(Numbers { width: n, slide: n })
    }

    /// A window ends every `n` tuples, from the first full one on; at most their length.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.shape.slide = n;
        self
    }
}

impl<S> Windows<S> {
    fn new(shape: S) -> Self {
        let (disorder, lateness) = (Duration::ZERO, Duration::ZERO);
        let policy = Policy { disorder, lateness, idle: IDLE_AFTER, holds: true };
        Self { shape, time: Untimed, key: Unkeyed, policy }
    }
}

impl<S, B> Windows<S, Untimed, B> {
    /// The time of a tuple, in milliseconds since the epoch or since any other moment.
    #[must_use]
    pub fn event_time<I, F: Fn(&I) -> i64>(self, time: F) -> Windows<S, Of<F>, B> {
        let Self { shape, key, policy, .. } = self;
        Windows { shape, time: Of(time), key, policy }
    }
}

impl<S, T> Windows<S, T, Unkeyed> {
    /// The key of a tuple: every key has windows of its own.
    #[must_use]
    pub fn by<I, K, F: Fn(&I) -> K>(self, key: F) -> Windows<S, T, Of<F>> {
        let Self { shape, time, policy, .. } = self;
        Windows { shape, time, key: Of(key), policy }
    }
}

impl<S, T, B> Windows<S, T, B> {
    /// How much earlier than the largest time seen from its input a tuple may be and still be on
    /// time. Windows fire so much later. None unless set.
    #[must_use]
    pub fn disorder(mut self, disorder: Duration) -> Self {
        self.policy.disorder = disorder;
        self
    }

    /// How much longer a window that has fired is kept. A tuple that comes meanwhile fires it
    /// again, as [late](super::Firing::Late). None unless set.
    #[must_use]
    pub fn lateness(mut self, lateness: Duration) -> Self {
        self.policy.lateness = lateness;
        self
    }

    /// How long an input, that is a spout task, may be silent before the others no longer wait
    /// for it; [`IDLE_AFTER`] unless set, `Duration::MAX` for ever.
    #[must_use]
    pub fn idle_after(mut self, idle: Duration) -> Self {
        self.policy.idle = idle;
        self
    }

    /// Acks a tuple when it has been added to its window, in place of holding it until no window
    /// needs it any more. For windows with more tuples than a spout should have pending. Windows
    /// that are open when their task restarts or the topology is stopped are lost then.
    #[must_use]
    pub fn ack_on_arrival(mut self) -> Self {
        self.policy.holds = false;
        self
    }
}

/// What the windows of a bolt keep: its inputs.
type Inputs<B, A> = Holds<Output<B, A>>;
pub(super) type Output<B, A> = WindowOutput<Key<B, A>, <A as Aggregate>::Out, <A as Aggregate>::In>;
pub(super) type Key<B, A> = <B as KeyOf<<A as Aggregate>::In>>::Key;

/// Bolts of the three kinds of windows.
pub type SpanBolt<T, B, A> = WindowBolt<Panes<Key<B, A>, A, Inputs<B, A>>, T, B, A>;
/// See [`SpanBolt`].
pub type SessionBolt<T, B, A> = WindowBolt<Sessions<Key<B, A>, A, Inputs<B, A>>, T, B, A>;
/// See [`SpanBolt`].
pub type CountBolt<B, A> = WindowBolt<Counts<Key<B, A>, A, Inputs<B, A>>, Untimed, B, A>;

impl<F, B> Windows<Spans, Of<F>, B> {
    /// Makes a bolt that folds every window of every key into one result.
    ///
    /// Lengths that make no sense are an error when the topology starts.
    #[must_use]
    pub fn aggregate<A>(self, aggregate: A) -> SpanBolt<Of<F>, B, A>
    where
        A: Aggregate<In: Tuple>,
        Of<F>: TimeOf<A::In>,
        B: KeyOf<A::In>,
    {
        let Spans { width, slide } = self.shape;
        let lengths = Lengths { width: ms(width), slide: ms(slide), unit: "ms", lateness: 0 };
        WindowBolt::new(lengths, self.policy, self.time, self.key, aggregate)
    }
}

impl<F, B> Windows<Pauses, Of<F>, B> {
    /// Makes a bolt that folds every session of every key into one result.
    ///
    /// A gap that makes no sense is an error when the topology starts.
    #[must_use]
    pub fn aggregate<A>(self, aggregate: A) -> SessionBolt<Of<F>, B, A>
    where
        A: Aggregate<In: Tuple>,
        Of<F>: TimeOf<A::In>,
        B: KeyOf<A::In>,
    {
        let gap = ms(self.shape.gap);
        let lengths = Lengths { width: gap, slide: gap, unit: "ms", lateness: 0 };
        WindowBolt::new(lengths, self.policy, self.time, self.key, aggregate)
    }
}

impl<B> Windows<Numbers, Untimed, B> {
    /// Makes a bolt that folds every window of every key into one result.
    ///
    /// Numbers that make no sense are an error when the topology starts.
    #[must_use]
    pub fn aggregate<A>(self, aggregate: A) -> CountBolt<B, A>
    where
        A: Aggregate<In: Tuple>,
        B: KeyOf<A::In>,
    {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let (width, slide) = (number(self.shape.width), number(self.shape.slide));
        let lengths = Lengths { width, slide, unit: "tuples", lateness: 0 };
        WindowBolt::new(lengths, self.policy, self.time, self.key, aggregate)
    }
}

/// Whole milliseconds; nothing is longer than what fits.
pub(super) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
