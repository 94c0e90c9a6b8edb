//! A few of many tuples.

use std::{fmt, sync::Arc};

use tormenta_dsl::{Bolt, Context, Counter, Emitter, Error, KeyHasher, Result, Streams};

/// Passes on every nth tuple, or a fraction of the keys. The others are done.
///
/// Nothing is random: the same tuples in the same order give the same sample, and
/// [`keys`](Sample::keys) takes all tuples of a key or none, in every task and every run.
///
/// **At least once.** What was taken and fails further down is taken again, so none of the sample
/// is lost. For `keys` that is so by itself. [`every`](Sample::every) takes every replay
/// ([`Emitter::is_replay`]) and does not count it, since most of them were taken the first time:
/// so failures do not change which other tuples are taken. A tuple that failed before it came here,
/// or on another way, may be one too many; the counter `replays` has how many there were in all.
///
/// ```
/// use tormenta_bolts::{Sample, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("sample");
/// # let words = t.feedback::<Word>("words");
///
/// let few = t.bolt("few", Sample::every(100), words.shuffle());
/// let tenth = Sample::keys(0.1, 7, |word: &Word, key| { key.add(&word.word); });
/// let tenth = t.bolt("tenth", tenth, words.shuffle()).tasks(4);
/// ```
pub struct Sample<T> {
    choice: Choice<T>,
    replays: Counter,
}

enum Choice<T> {
    /// Every so many, and how many came since the last.
    Every(u64, u64),
    Keys {
        fraction: f64,
        seed: u64,
        key: Arc<AddKey<T>>,
    },
}

type AddKey<T> = dyn Fn(&T, &mut KeyHasher) + Send + Sync;

impl<T: Streams> Sample<T> {
    /// The first of each `n` tuples of a task; `n` is at least one.
    ///
    /// ```
    /// let few = tormenta_bolts::Sample::<u64>::every(100);
    /// ```
    #[must_use]
    pub fn every(n: u64) -> Self {
        Self { choice: Choice::Every(n, 0), replays: Counter::default() }
    }

    /// All tuples of a fraction of the keys, from 0 to 1. Another seed chooses other keys; with the
    /// same seed a larger fraction has all keys of a smaller one, and more.
    ///
    /// ```
    /// use tormenta_bolts::Sample;
    ///
    /// let tenth = Sample::keys(0.1, 7, |n: &u64, key| { key.add(n); });
    /// ```
    #[must_use]
    pub fn keys(
        fraction: f64,
        seed: u64,
        key: impl Fn(&T, &mut KeyHasher) + Send + Sync + 'static,
    ) -> Self {
        let choice = Choice::Keys { fraction, seed, key: Arc::new(key) };
        Self { choice, replays: Counter::default() }
    }

    #[inline]
    fn takes(&mut self, tuple: &T, is_replay: bool) -> bool {
        match &mut self.choice {
            Choice::Every(..) if is_replay => {
                self.replays.add(1);
                true
            }
            Choice::Every(n, since) => {
                let is_first = *since == 0;
                *since = (*since + 1) % *n;
                is_first
            }
            Choice::Keys { fraction, seed, key } => {
                let mut hasher = KeyHasher::new();
                // The seed in front, so that the choice has nothing to do with the groupings.
                hasher.add(&*seed);
                key(tuple, &mut hasher);
                is_below(hasher.hash(), *fraction)
            }
        }
    }
}

/// Whether a hash is in the first part of all of them.
fn is_below(hash: u64, fraction: f64) -> bool {
    // The upper 53 bits are what an f64 can tell apart, so that 1 takes all and 0 none.
    ((hash >> 11) as f64) < fraction * (1u64 << 53) as f64
}

impl<T> Clone for Sample<T> {
    fn clone(&self) -> Self {
        let choice = match &self.choice {
            Choice::Every(n, since) => Choice::Every(*n, *since),
            Choice::Keys { fraction, seed, key } => {
                Choice::Keys { fraction: *fraction, seed: *seed, key: key.clone() }
            }
        };
        Self { choice, replays: self.replays.clone() }
    }
}

impl<T> fmt::Debug for Sample<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.choice {
            Choice::Every(n, _) => f.debug_tuple("Sample").field(n).finish(),
            Choice::Keys { fraction, .. } => f.debug_tuple("Sample").field(fraction).finish(),
        }
    }
}

impl<T: Streams> Bolt for Sample<T> {
    type Input = T;
    type Output = T;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let wrong = match self.choice {
            Choice::Every(0, _) => "takes every 0th tuple; make it at least every first".to_owned(),
            Choice::Keys { fraction, .. } if !(0.0..=1.0).contains(&fraction) => {
                format!("takes a fraction of {fraction}; make it 0 to 1")
            }
            _ => {
                self.replays = cx.counter("replays");
                return Ok(());
            }
        };
        Err(Error::msg(format!("`{}` {wrong}", cx.component())))
    }

    #[inline]
    async fn execute(&mut self, tuple: T, out: &Emitter<T>) -> Result {
        if self.takes(&tuple, out.is_replay()) {
            out.emit(tuple).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on, context};

    fn sample(sample: Sample<u64>, tuples: std::ops::Range<u64>) -> Vec<u64> {
        let (mut sample, bench) = (sample, Bench::new());
        for n in tuples {
            block_on(sample.execute(n, &bench.emitter())).expect("no error");
        }
        bench.emitted()
    }

    fn keys(fraction: f64, seed: u64) -> Sample<u64> {
        Sample::keys(fraction, seed, |n: &u64, key| {
            key.add(&(n % 10_000));
        })
    }

    #[test]
    fn every_nth_is_every_nth() {
        assert_eq!(sample(Sample::every(3), 0..8), [0, 3, 6]);
        assert_eq!(sample(Sample::every(1), 0..3), [0, 1, 2]);
    }

    #[test]
    fn replays_are_taken_and_not_counted() {
        let (mut every, bench) = (Sample::every(3), Bench::new());
        block_on(every.prepare(&context(0, 1))).expect("prepared");
        for (n, is_replay) in [(0, false), (1, false), (0, true), (1, true), (2, false), (3, false)]
        {
            let out = if is_replay { bench.emitter_of_replay(n) } else { bench.emitter_of(n) };
            block_on(every.execute(n, &out)).expect("no error");
        }
        assert_eq!((bench.emitted(), every.replays.get()), (vec![0, 0, 1, 3], 2));
        let mut of_keys = keys(0.0, 3);
        block_on(of_keys.execute(7, &bench.emitter_of_replay(7))).expect("no error");
        assert_eq!(bench.emitted().len(), 4, "a key that is not taken never is");
    }

    #[test]
    fn a_fraction_of_the_keys_is_the_same_every_time() {
        let some = sample(keys(0.2, 1), 0..10_000);
        assert!((1_850..2_150).contains(&some.len()), "{}", some.len());
        assert_eq!(some, sample(keys(0.2, 1), 0..10_000));
        let again = sample(keys(0.2, 1), 10_000..20_000);
        assert!(again.iter().map(|n| n - 10_000).eq(some.iter().copied()), "all of a key or none");
        let more = sample(keys(0.3, 1), 0..10_000);
        assert!(some.iter().all(|n| more.binary_search(n).is_ok()));
        assert_ne!(some, sample(keys(0.2, 2), 0..10_000));
        assert_eq!(sample(keys(1.0, 3), 0..500).len(), 500);
        assert_eq!(sample(keys(0.0, 3), 0..500).len(), 0);
        assert!(is_below(u64::MAX, 1.0) && !is_below(0, 0.0));
    }

    #[test]
    fn samples_that_are_none_are_refused() {
        for (mut sample, end) in [
            (Sample::every(0), "at least every first"),
            (keys(1.5, 0), "takes a fraction of 1.5; make it 0 to 1"),
            (keys(f64::NAN, 0), "takes a fraction of NaN; make it 0 to 1"),
        ] {
            let error = block_on(sample.prepare(&context(0, 1))).expect_err("refused").to_string();
            assert!(error.ends_with(end), "{error}");
        }
    }
}
