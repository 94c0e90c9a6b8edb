//! An async closure as a bolt.

use std::marker::PhantomData;

use tormenta_dsl::{Bolt, Emitter, Result, Streams};

/// A bolt that calls `f` for every tuple. Every task works on a clone of the closure, and what it
/// captured with `move` is its state.
///
/// ```
/// use tormenta_bolts::{Line, Word, func};
/// use tormenta_dsl::Emitter;
///
/// let split = func(async |line: Line, out: &Emitter<Word>| {
///     for word in line.words() {
///         out.emit(Word { word }).await?;
///     }
///     Ok(())
/// });
///
/// let mut seen = 0;
/// let number = func(async move |_: Line, out: &Emitter<u64>| {
///     seen += 1;
///     out.emit(seen).await
/// });
/// ```
pub fn func<F, I, O>(f: F) -> Func<F, I, O>
where
    F: AsyncFnMut(I, &Emitter<O>) -> Result + Clone + Send + 'static,
    I: Streams,
    O: Streams,
{
    Func { f, types: PhantomData }
}

/// Calls an async closure. Made by [`func`].
pub struct Func<F, I, O> {
    f: F,
    types: PhantomData<fn(I) -> O>,
}

impl<F: Clone, I, O> Clone for Func<F, I, O> {
    fn clone(&self) -> Self {
        Self { f: self.f.clone(), types: PhantomData }
    }
}

impl<F, I, O> std::fmt::Debug for Func<F, I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Func").finish_non_exhaustive()
    }
}

impl<F, I, O> Bolt for Func<F, I, O>
where
    F: AsyncFnMut(I, &Emitter<O>) -> Result + Clone + Send + 'static,
    I: Streams,
    O: Streams,
{
    type Input = I;
    type Output = O;

    #[inline]
    async fn execute(&mut self, tuple: I, out: &Emitter<O>) -> Result {
        (self.f)(tuple, out).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on};

    #[test]
    fn a_closure_has_state_and_every_clone_its_own() {
        let mut sum = 0;
        let prototype = func(async move |n: u64, out: &Emitter<u64>| {
            sum += n;
            out.emit(sum).await
        });
        for _ in 0..2 {
            let (mut bolt, bench) = (prototype.clone(), Bench::<u64>::new());
            for n in [3, 4] {
                block_on(bolt.execute(n, &bench.emitter())).expect("no error");
            }
            assert_eq!(bench.emitted(), [3, 7]);
        }
    }
}
