//! What was seen most, lately: a ranking over a window that rolls on in slots.

mod merge;
mod ranking;
mod slots;
#[cfg(test)]
mod top_n_test;

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tormenta_dsl::{Bolt, Context, Counter, Emitter, Error, Free, Result, Tuple};

use crate::when::{When, ms};

pub use merge::MergeTop;
pub use ranking::{Ranked, Ranking};
use slots::Slots;

/// Slots that a window may stay behind.
const AHEAD_MAX: i64 = 100_000;

/// What can be ranked.
pub trait RankKey: Hash + Ord + Clone + Send + Serialize + DeserializeOwned + 'static {}

impl<K: Hash + Ord + Clone + Send + Serialize + DeserializeOwned + 'static> RankKey for K {}

/// Ranks the keys that were seen most over the last minute, or another window, and emits the
/// ranking at a tick when it has changed.
///
/// **The window** is made of slots, of a second each unless [`over`](TopN::over) says otherwise:
/// the slot that has begun, and those before it. When a slot begins, the oldest leaves. Within
/// that the counts are exact, and keys with equal counts are in the order of the keys. Time is
/// when a tuple arrives, or [`event_time`](TopN::event_time): there the newest tuple of the task
/// moves the window, and a tuple from before it is not counted, except by the counter `late`.
///
/// **Several tasks** rank their own keys: group the stream by the key, say
/// [`for_merge`](TopN::for_merge) and let one [`MergeTop`] read them all.
///
/// **At least once.** A tuple is acked when it is counted, and counts in every ranking that is made
/// after that and whose window it belongs to. So a tuple that failed before it came here, and is
/// replayed, is missing only where the ranking was made without it. Where rankings shall wait for
/// replays, say how far behind they may be: [`disorder`](TopN::disorder). A replay of a tuple that
/// was counted, because it failed elsewhere, is counted again. What is emitted is anchored to
/// nothing, and a task that restarts begins with an empty window: to count exactly what was seen,
/// and whatever dies, take [`Windows`](crate::window::Windows) with `Top`, which hold their tuples.
///
/// Memory is a count for each different key of each slot. It ticks every second unless its user
/// sets another interval.
///
/// ```
/// use std::time::Duration;
/// use tormenta_bolts::{MergeTop, TopN, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("trends");
/// # let words = t.feedback::<Word>("words");
///
/// let top = TopN::new(10, |word: &Word| word.word.clone()).over(Duration::from_secs(300), 30);
/// let ranking = t.bolt("top", top.clone(), words.global()); // one task: that is all
///
/// let parts = t.bolt("parts", top.for_merge(), words.by(|word| &word.word)).tasks(4);
/// let ranking = t.bolt("ranking", MergeTop::new(10), parts.global());
/// ```
pub struct TopN<T, K> {
    n: usize,
    key: Arc<dyn Fn(&T) -> K + Send + Sync>,
    when: When<T>,
    window: Duration,
    slots_max: usize,
    disorder: Duration,
    is_part: bool,
    slots: Slots<K>,
    slot_ms: i64,
    /// Whether something was counted or left since the last look.
    has_changed: bool,
    last: Vec<Ranked<K>>,
    last_slot: Option<i64>,
    late: Counter,
    cx: Option<Context>,
}

impl<T, K: RankKey> TopN<T, K> {
    /// The `n` keys that were seen most over the last minute, in slots of a second.
    ///
    /// ```
    /// use tormenta_bolts::{TopN, Word};
    ///
    /// let top = TopN::new(10, |word: &Word| word.word.clone());
    /// ```
    #[must_use]
    pub fn new(n: usize, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Self {
        Self {
            n,
            key: Arc::new(key),
            when: When::Arrival,
            window: Duration::from_secs(60),
            slots_max: 60,
            disorder: Duration::ZERO,
            is_part: false,
            slots: Slots::new(0, 0),
            slot_ms: 1,
            has_changed: false,
            last: Vec::new(),
            last_slot: None,
            late: Counter::default(),
            cx: None,
        }
    }

    /// The length of the window and the number of its slots, each of whole milliseconds. It is an
    /// error when the topology starts if they are none.
    #[must_use]
    pub fn over(mut self, window: Duration, slots: usize) -> Self {
        (self.window, self.slots_max) = (window, slots);
        self
    }

    /// The time of a tuple, in milliseconds since the epoch or since any other moment.
    #[must_use]
    pub fn event_time(mut self, time: impl Fn(&T) -> i64 + Send + Sync + 'static) -> Self {
        self.when = When::event(time);
        self
    }

    /// How much earlier than the newest tuple another one may be, so that all its rankings have it:
    /// the window stays so far behind the newest tuple, in whole slots, until the inputs end. As
    /// much as a replay needs to come again, in event time; at most 100,000 slots. None unless set,
    /// and of no use without [`event_time`](TopN::event_time).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tormenta_bolts::TopN;
    ///
    /// let top = TopN::new(10, |n: &u64| *n % 100)
    ///     .event_time(|n| *n as i64)
    ///     .disorder(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn disorder(mut self, disorder: Duration) -> Self {
        self.disorder = disorder;
        self
    }

    /// Emits once a slot even if nothing changed, so that a [`MergeTop`] that was restarted knows
    /// everything again after a slot.
    #[must_use]
    pub fn for_merge(mut self) -> Self {
        self.is_part = true;
        self
    }

    #[inline]
    fn count(&mut self, tuple: &T) {
        let slot = self.when.of(tuple, self.cx.as_ref()).div_euclid(self.slot_ms);
        if self.slots.add(slot, (self.key)(tuple)) {
            self.has_changed = true;
        } else {
            self.late.add(1);
        }
    }

    /// The ranking, if there is news.
    fn news(&mut self) -> Option<Ranking<K>> {
        if let Some(now) = self.when.now(self.cx.as_ref()) {
            self.has_changed |= self.slots.advance(now.div_euclid(self.slot_ms));
        }
        let newest = self.slots.newest()?;
        let is_due = self.is_part && self.last_slot != Some(newest);
        if !std::mem::take(&mut self.has_changed) && !is_due {
            return None;
        }
        let top = self.slots.top(self.n);
        if top == self.last && !is_due {
            return None;
        }
        self.last.clone_from(&top);
        self.last_slot = Some(newest);
        let task = self.cx.as_ref().map_or(0, |cx| cx.task() as u64);
        let end = newest.saturating_add(1).saturating_mul(self.slot_ms);
        let width = self.slot_ms.saturating_mul(i64::try_from(self.slots_max).unwrap_or(i64::MAX));
        Some(Ranking { task, start: end.saturating_sub(width), end, top })
    }
}

impl<T, K: Clone> Clone for TopN<T, K> {
    fn clone(&self) -> Self {
        Self {
            n: self.n,
            key: self.key.clone(),
            when: self.when.clone(),
            window: self.window,
            slots_max: self.slots_max,
            disorder: self.disorder,
            is_part: self.is_part,
            slots: self.slots.clone(),
            slot_ms: self.slot_ms,
            has_changed: self.has_changed,
            last: self.last.clone(),
            last_slot: self.last_slot,
            late: self.late.clone(),
            cx: self.cx.clone(),
        }
    }
}

impl<T, K> fmt::Debug for TopN<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TopN");
        debug.field("n", &self.n).field("window", &self.window).finish_non_exhaustive()
    }
}

impl<T: Tuple, K: RankKey> Bolt for TopN<T, K> {
    type Input = T;
    type Output = Ranking<K>;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let slots = i64::try_from(self.slots_max).unwrap_or(i64::MAX);
        let window = ms(self.window);
        if slots == 0 || window < slots || window % slots != 0 {
            return Err(Error::msg(format!(
                "`{}` ranks over {window} ms in {slots} slots; make the window a multiple of its \
                 slots, at least 1 ms each",
                cx.component()
            )));
        }
        self.slot_ms = window / slots;
        let (disorder, is_event) = (ms(self.disorder), self.when.now(Some(cx)).is_none());
        let ahead = disorder / self.slot_ms + i64::from(disorder % self.slot_ms > 0);
        if ahead > AHEAD_MAX {
            return Err(Error::msg(format!(
                "`{}` waits for a disorder of {ahead} slots; make it at most {AHEAD_MAX}, or the \
                 slots longer",
                cx.component()
            )));
        }
        let ahead = if is_event { usize::try_from(ahead).unwrap_or(0) } else { 0 };
        self.slots = Slots::new(self.slots_max, ahead);
        self.late = cx.counter("late");
        self.cx = Some(cx.clone());
        Ok(())
    }

    #[inline]
    async fn execute(&mut self, tuple: T, _out: &Emitter<Ranking<K>>) -> Result {
        self.count(&tuple);
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    async fn tick(&mut self, out: &Emitter<Ranking<K>, Free>) -> Result {
        if let Some(ranking) = self.news() {
            out.emit_free(ranking).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<Ranking<K>, Free>) -> Result {
        if self.slots.newest().is_some() {
            self.slots.catch_up();
            self.has_changed = true;
        }
        self.tick(out).await
    }
}
