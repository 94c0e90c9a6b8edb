//! Results: tuples that a bolt makes of many, and answers for itself.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as Waking, Poll},
};

use crate::{Emit, Emitter, Epoch, Error, Holds, Result, Root, Streams, emitter::Output};

/// What the engine does for the results of one task.
pub trait Results<O: Streams> {
    /// Begins a tree for a result, of which a copy is kept. Its root and epoch; `None` while there
    /// is no room, and the task is polled again when there may be.
    fn begin(&self, result: &O) -> Option<(Root, Epoch)>;

    /// Acks these when every result that was begun so far has ended.
    fn ack_after(&self, holds: Holds<O>);
}

impl<O: Streams, A> Emitter<O, A> {
    /// Emits a result: a tuple with a tree of its own. This task answers for it as a spout would:
    /// it keeps a copy, emits that again if the tree fails, and makes a dead letter of it when all
    /// [attempts](crate::Bolt::retry) have failed.
    ///
    /// For what is made of very many tuples. Anchored to all of them, it would have an edge in each
    /// of their trees; and if it failed, all of them would be replayed to a bolt that no longer
    /// waits for them. Those that it was made of are held, and let go by
    /// [`ack_after_results`](Emitter::ack_after_results): if the process dies before, they are
    /// replayed.
    ///
    /// ```
    /// use tormenta_dsl::{Bolt, Emitter, Free, Holds, Result, Retry};
    ///
    /// /// Emits the sum of every thousand numbers. A sum that fails is emitted again.
    /// #[derive(Clone, Default)]
    /// struct Sum { sum: u64, held: Holds<u64> }
    ///
    /// impl Bolt for Sum {
    ///     type Input = u64;
    ///     type Output = u64;
    ///     fn retry(&self) -> Option<Retry> {
    ///         Some(Retry::default())
    ///     }
    ///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
    ///         self.sum += n;
    ///         out.hold_into(&mut self.held);
    ///         if self.held.len() == 1_000 {
    ///             out.emit_result(std::mem::take(&mut self.sum)).await?;
    ///             out.ack_after_results(self.held.take());
    ///         }
    ///         Ok(())
    ///     }
    ///     async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
    ///         out.emit_result(self.sum).await?;
    ///         out.ack_after_results(self.held.take());
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the bolt has no [`retry`](crate::Bolt::retry).
    pub fn emit_result(&self, value: O) -> EmitResult<'_, O> {
        let mut emit = EmitResult { output: &self.output, state: State::Waits(value) };
        emit.begin();
        emit
    }

    /// Acks held tuples when every result that this task has emitted so far is complete, or was
    /// given up.
    ///
    /// Until then nothing is lost with the process: the trees of these tuples stay open. In a bolt
    /// that has no [`retry`](crate::Bolt::retry) there are no results, so they are acked at once.
    pub fn ack_after_results(&self, holds: Holds<O>) {
        match &self.output.results {
            Some(results) => results.ack_after(holds),
            None => holds.ack(),
        }
    }
}

/// An emit of a result, to be awaited as [`Emit`] is. It may have been refused, or have to wait
/// until another result has ended.
#[must_use = "a result that is not awaited may not have been emitted"]
pub struct EmitResult<'a, O: Streams> {
    output: &'a Output<O>,
    state: State<'a, O>,
}

enum State<'a, O: Streams> {
    /// There is no room for another result.
    Waits(O),
    Emitted(Emit<'a, O>),
    Refused,
}

impl<O: Streams> EmitResult<'_, O> {
    fn begin(&mut self) {
        let output = self.output;
        let Some(results) = &output.results else { return self.state = State::Refused };
        let State::Waits(value) = &self.state else { return };
        let Some((root, epoch)) = results.begin(value) else { return };
        output.lower(Some(&epoch));
        let emitted = State::Emitted(Emit::when_full(output));
        if let State::Waits(value) = std::mem::replace(&mut self.state, emitted) {
            output.stage(root, 0, value);
            self.state = State::Emitted(Emit::when_full(output));
        }
    }
}

impl<O: Streams> Future for EmitResult<'_, O> {
    type Output = Result;

    fn poll(self: Pin<&mut Self>, cx: &mut Waking<'_>) -> Poll<Result> {
        let this = self.get_mut();
        this.begin();
        match &mut this.state {
            State::Waits(_) => {
                this.output.has_waited.set(true); // for others, as one who waits for a reader
                Poll::Pending
            }
            State::Emitted(emit) => Pin::new(emit).poll(cx),
            State::Refused => Poll::Ready(Err(Error::msg(
                "`emit_result` in a bolt without `retry`: it answers for no results",
            ))),
        }
    }
}

// Nothing in it is pinned.
impl<O: Streams> Unpin for EmitResult<'_, O> {}
