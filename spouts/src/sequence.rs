//! Numbers.

use tormenta_dsl::{Context, Result, Spout};

use crate::counting::Counting;

/// Counts up from zero.
///
/// With several tasks the numbers are dealt over them: task 1 of 4 counts 1, 5, 9, and so on.
///
/// ```
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_spouts::Sequence;
///
/// let mut t = Topology::<NoEngine>::new("load");
/// let million = t.spout("million", Sequence::up_to(1_000_000)).tasks(4);
/// let steady = t.spout("steady", Sequence::endless().rate(2_500.0));
/// ```
#[derive(Clone, Debug)]
pub struct Sequence {
    counting: Counting,
}

impl Sequence {
    /// The `n` numbers from zero: `0, 1, .., n - 1`.
    ///
    /// ```
    /// let thousand = tormenta_spouts::Sequence::up_to(1_000);
    /// ```
    #[must_use]
    pub fn up_to(n: u64) -> Self {
        let counting = Counting::up_to(n);
        Self { counting }
    }

    /// Numbers without end.
    ///
    /// ```
    /// let clock = tormenta_spouts::Sequence::endless().rate(1.0);
    /// ```
    #[must_use]
    pub fn endless() -> Self {
        Self::up_to(u64::MAX)
    }

    /// So many numbers a second, over all tasks together. Number `k` is due `k / per_second` after
    /// the start: nothing drifts, and who was held up catches up. A pause by deactivation is not
    /// made up for.
    ///
    /// A rate that is not positive is an error when the topology starts.
    ///
    /// ```
    /// let steady = tormenta_spouts::Sequence::endless().rate(2_500.0);
    /// ```
    #[must_use]
    pub fn rate(self, per_second: f64) -> Self {
        let counting = self.counting.rate(per_second);
        Self { counting }
    }

    /// Every task counts all the numbers, each at the full rate.
    ///
    /// ```
    /// let each = tormenta_spouts::Sequence::up_to(1_000).per_task();
    /// ```
    #[must_use]
    pub fn per_task(self) -> Self {
        let counting = self.counting.per_task();
        Self { counting }
    }
}

impl Spout for Sequence {
    type Output = u64;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.counting.prepare(cx)
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(u64, ())>> {
        let number = match self.counting.ready() {
            Some(number) => Some(number),
            None => self.counting.next().await?,
        };
        Ok(number.map(|number| (number, ())))
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
    fn counts_from_zero_and_ends() {
        let mut sequence = Sequence::up_to(2);
        block_on(sequence.prepare(&context(0, 1, &ManualTimer::new()))).expect("prepared");
        for expected in [Some((0, ())), Some((1, ())), None, None] {
            assert_eq!(block_on(sequence.next()).expect("no error"), expected);
        }
    }

    #[test]
    fn a_spout_that_was_not_prepared_says_so() {
        let error = block_on(Sequence::up_to(2).next()).expect_err("refused");
        assert_eq!(error.to_string(), "the spout was not prepared");
    }
}
