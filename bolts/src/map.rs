//! One tuple for one.

use std::marker::PhantomData;

use tormenta_dsl::{Bolt, Emitter, Result, Streams};

/// A bolt that emits `f(tuple)` for every tuple.
///
/// ```
/// use tormenta_bolts::{Line, map};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # use tormenta_bolts::func;
/// # let mut t = Topology::<NoEngine>::new("lengths");
/// # let lines = t.feedback::<Line>("lines");
///
/// let lengths = map(|line: Line| line.text.len() as u64);
/// let lengths = t.bolt("lengths", lengths, lines.shuffle());
/// ```
pub fn map<F, I, O>(f: F) -> Map<F, I, O>
where
    F: FnMut(I) -> O + Clone + Send + 'static,
    I: Streams,
    O: Streams,
{
    Map { f, types: PhantomData }
}

/// Turns each tuple into another. Made by [`map`].
pub struct Map<F, I, O> {
    f: F,
    types: PhantomData<fn(I) -> O>,
}

impl<F: Clone, I, O> Clone for Map<F, I, O> {
    fn clone(&self) -> Self {
        Self { f: self.f.clone(), types: PhantomData }
    }
}

impl<F, I, O> std::fmt::Debug for Map<F, I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}

impl<F, I, O> Bolt for Map<F, I, O>
where
    F: FnMut(I) -> O + Clone + Send + 'static,
    I: Streams,
    O: Streams,
{
    type Input = I;
    type Output = O;

    #[inline]
    async fn execute(&mut self, tuple: I, out: &Emitter<O>) -> Result {
        out.emit((self.f)(tuple)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on};

    #[test]
    fn every_tuple_becomes_one() {
        let (mut halves, bench) = (map(|n: u64| n as f64 / 2.0), Bench::new());
        for n in [3, 4] {
            block_on(halves.execute(n, &bench.emitter())).expect("no error");
        }
        assert_eq!(bench.emitted(), [1.5, 2.0]);
    }
}
