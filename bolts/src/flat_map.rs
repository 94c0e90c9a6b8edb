//! Any number of tuples for one.

use std::marker::PhantomData;

use tormenta_dsl::{Bolt, Emitter, Result, Streams};

/// A bolt that emits every element of `f(tuple)`.
///
/// ```
/// use tormenta_bolts::flat_map;
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("digits");
/// # let numbers = t.feedback::<u64>("numbers");
///
/// let digits = flat_map(|n: u64| n.to_string().into_bytes());
/// let digits = t.bolt("digits", digits, numbers.shuffle());
/// ```
pub fn flat_map<F, I, S>(f: F) -> FlatMap<F, I, S>
where
    F: FnMut(I) -> S + Clone + Send + 'static,
    I: Streams,
    S: IntoIterator<Item: Streams> + 'static,
{
    FlatMap { f, types: PhantomData }
}

/// Turns each tuple into several. Made by [`flat_map`].
pub struct FlatMap<F, I, S> {
    f: F,
    types: PhantomData<fn(I) -> S>,
}

impl<F: Clone, I, S> Clone for FlatMap<F, I, S> {
    fn clone(&self) -> Self {
        Self { f: self.f.clone(), types: PhantomData }
    }
}

impl<F, I, S> std::fmt::Debug for FlatMap<F, I, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlatMap").finish_non_exhaustive()
    }
}

impl<F, I, S> Bolt for FlatMap<F, I, S>
where
    F: FnMut(I) -> S + Clone + Send + 'static,
    I: Streams,
    S: IntoIterator<Item: Streams> + 'static,
{
    type Input = I;
    type Output = S::Item;

    #[inline]
    async fn execute(&mut self, tuple: I, out: &Emitter<S::Item>) -> Result {
        for output in (self.f)(tuple) {
            out.emit(output).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on};

    #[test]
    fn every_tuple_becomes_as_many_as_it_likes() {
        let (mut below, bench) = (flat_map(|n: u64| 0..n), Bench::new());
        for n in [2, 0, 3] {
            block_on(below.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [0, 1, 0, 1, 2]);
    }
}
