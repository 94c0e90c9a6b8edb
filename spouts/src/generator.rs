//! Tuples from a closure.

use tormenta_dsl::{Context, Result, Spout, Streams};

use crate::counting::Counting;

/// A spout that makes tuple `n` with `make(n)`, for `n` from zero.
///
/// As long as the closure only looks at its number, the same tuples come in every run. With
/// several tasks the numbers are dealt over them; each task works on a clone of the closure.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Topology, Tuple, doc::NoEngine};
/// use tormenta_spouts::generate;
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe { card: u64, cents: u64 }
///
/// let mut t = Topology::<NoEngine>::new("fraud");
/// let swipes = generate(|n| Swipe { card: n % 100, cents: 100 + n * 7919 % 5_000 });
/// let swipes = t.spout("swipes", swipes.rate(5_000.0).limit(1_000_000));
/// ```
pub fn generate<T, F>(make: F) -> Generator<F>
where
    T: Streams,
    F: FnMut(u64) -> T + Clone + Send + 'static,
{
    let counting = Counting::up_to(u64::MAX);
    Generator { counting, make }
}

/// Makes tuples from numbers. Made by [`generate`].
#[derive(Clone, Debug)]
pub struct Generator<F> {
    counting: Counting,
    make: F,
}

impl<F> Generator<F> {
    /// Ends after `tuples`, counted over all tasks.
    ///
    /// ```
    /// let squares = tormenta_spouts::generate(|n| n * n).limit(10);
    /// ```
    #[must_use]
    pub fn limit(self, tuples: u64) -> Self {
        let counting = self.counting.limit(tuples);
        Self { counting, ..self }
    }

    /// So many tuples a second, over all tasks: see [`Sequence::rate`](crate::Sequence::rate).
    ///
    /// ```
    /// let squares = tormenta_spouts::generate(|n| n * n).rate(1_000.0);
    /// ```
    #[must_use]
    pub fn rate(self, per_second: f64) -> Self {
        let counting = self.counting.rate(per_second);
        Self { counting, ..self }
    }

    /// Every task makes all the tuples, each at the full rate.
    ///
    /// ```
    /// let squares = tormenta_spouts::generate(|n| n * n).limit(10).per_task();
    /// ```
    #[must_use]
    pub fn per_task(self) -> Self {
        let counting = self.counting.per_task();
        Self { counting, ..self }
    }
}

impl<T, F> Spout for Generator<F>
where
    T: Streams,
    F: FnMut(u64) -> T + Clone + Send + 'static,
{
    type Output = T;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.counting.prepare(cx)
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(T, ())>> {
        let number = match self.counting.ready() {
            Some(number) => Some(number),
            None => self.counting.next().await?,
        };
        Ok(number.map(|number| ((self.make)(number), ())))
    }

    fn activated(&mut self) {
        self.counting.activated();
    }

    fn deactivated(&mut self) {
        self.counting.deactivated();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualTimer, block_on, context};

    #[test]
    fn makes_tuples_of_its_own_numbers() {
        let mut made = Vec::new();
        for task in 0..2 {
            let mut squares = generate(|n| n * n).limit(5);
            block_on(squares.prepare(&context(task, 2, &ManualTimer::new()))).expect("prepared");
            while let Some((square, ())) = block_on(squares.next()).expect("no error") {
                made.push(square);
            }
        }
        assert_eq!(made, [0, 4, 16, 1, 9]);
    }
}
