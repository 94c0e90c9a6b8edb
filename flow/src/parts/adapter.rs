//! Typed spouts as spouts of rows.

use tormenta::{Context, Failure, Result, Spout, spout::Routing};

use crate::row::Row;

/// A spout that makes a row of each tuple of another, and leaves the rest to it.
#[derive(Clone)]
pub(crate) struct Mapped<S, F> {
    spout: S,
    map: F,
}

impl<S, F> Mapped<S, F>
where
    S: Spout,
    F: Fn(S::Output) -> Row + Clone + Send + 'static,
{
    pub(crate) fn new(spout: S, map: F) -> Self {
        Self { spout, map }
    }
}

impl<S, F> Spout for Mapped<S, F>
where
    S: Spout,
    F: Fn(S::Output) -> Row + Clone + Send + 'static,
{
    type Output = Row;
    type Id = S::Id;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.spout.prepare(cx).await
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Row, S::Id)>> {
        Ok(self.spout.next().await?.map(|(tuple, id)| ((self.map)(tuple), id)))
    }

    fn is_replay(&self, id: &S::Id) -> bool {
        self.spout.is_replay(id)
    }

    fn routing(&self, id: &S::Id) -> Routing {
        self.spout.routing(id)
    }

    fn told(&mut self, tasks: &[usize]) {
        self.spout.told(tasks);
    }

    fn acked(&mut self, id: S::Id) {
        self.spout.acked(id);
    }

    fn failed(&mut self, id: S::Id, why: Failure) {
        self.spout.failed(id, why);
    }

    fn activated(&mut self) {
        self.spout.activated();
    }

    fn deactivated(&mut self) {
        self.spout.deactivated();
    }
}
