//! Some of the tuples.

use std::marker::PhantomData;

use tormenta_dsl::{Bolt, Emitter, Result, Streams};

/// A bolt that emits the tuples for which `keep` is true. The others are done.
///
/// ```
/// use tormenta_bolts::{Word, filter};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("long-words");
/// # let words = t.feedback::<Word>("words");
///
/// let long = t.bolt("long", filter(|word: &Word| word.word.len() > 9), words.shuffle());
/// ```
pub fn filter<F, T>(keep: F) -> Filter<F, T>
where
    F: FnMut(&T) -> bool + Clone + Send + 'static,
    T: Streams,
{
    Filter { keep, tuple: PhantomData }
}

/// Keeps some tuples. Made by [`filter`].
pub struct Filter<F, T> {
    keep: F,
    tuple: PhantomData<fn(T) -> T>,
}

impl<F: Clone, T> Clone for Filter<F, T> {
    fn clone(&self) -> Self {
        Self { keep: self.keep.clone(), tuple: PhantomData }
    }
}

impl<F, T> std::fmt::Debug for Filter<F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}

impl<F, T> Bolt for Filter<F, T>
where
    F: FnMut(&T) -> bool + Clone + Send + 'static,
    T: Streams,
{
    type Input = T;
    type Output = T;

    #[inline]
    async fn execute(&mut self, tuple: T, out: &Emitter<T>) -> Result {
        if (self.keep)(&tuple) {
            out.emit(tuple).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on};

    #[test]
    fn only_what_is_wanted_passes() {
        let (mut even, bench) = (filter(|n: &u64| n.is_multiple_of(2)), Bench::new());
        for n in 0..5 {
            block_on(even.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [0, 2, 4]);
    }
}
