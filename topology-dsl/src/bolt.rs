//! Where tuples are worked on.

use std::time::Duration;

use crate::{Context, Emitter, Free, Result, Retry, Streams, keyed::Stores};

/// A processor of tuples. One trait for all of them.
///
/// The value given to the builder is a prototype: every task works on a clone of its own, and a
/// task whose bolt panicked gets a fresh one. The bolt's futures stay on one core, so they may
/// hold an `Rc` across an await.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Result};
///
/// #[derive(Clone)]
/// struct Evens;
///
/// impl Bolt for Evens {
///     type Input = u64;
///     type Output = u64;
///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
///         if n % 2 == 0 {
///             out.emit(n).await?; // anchored to `n` by itself
///         }
///         Ok(()) // Ok acks; Err fails; a panic fails and restarts the task
///     }
/// }
/// ```
#[allow(async_fn_in_trait, reason = "a component stays on its core: its futures need no Send")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no bolt",
    label = "this value is no `Bolt`",
    note = "a bolt implements `Bolt`, `Clone`, `Send` and owns what it needs"
)]
pub trait Bolt: Clone + Send + 'static {
    /// What it reads: a tuple, or for several streams an enum with `derive(Streams)` whose
    /// variants are bound by constructor, see [`Edge::to`](crate::Edge::to).
    type Input: Streams;
    /// What it emits: a tuple, an enum with one variant for each stream, or `()`.
    type Output: Streams;

    /// Names the keyed state of this bolt, so that the engine can give it a store.
    ///
    /// ```
    /// # use tormenta_dsl::{Keyed, Stores};
    /// # struct Count { counts: Keyed<String, u64> }
    /// # impl Count {
    /// fn state<S: Stores>(&mut self, stores: &mut S) {
    ///     stores.keyed("counts", &mut self.counts);
    /// }
    /// # }
    /// ```
    fn state<S: Stores>(&mut self, stores: &mut S) {
        let _ = stores;
    }

    /// Opens what the bolt needs. Called once for every clone, before anything else. Acquire
    /// things here and never in the constructor: the prototype may be built on another machine.
    ///
    /// # Errors
    /// Ends the topology with this error. What was emitted meanwhile fails.
    async fn prepare(&mut self, cx: &Context) -> Result {
        let _ = cx;
        Ok(())
    }

    /// Works on one tuple.
    ///
    /// # Errors
    /// Fails the tuple, and with it the tree it belongs to.
    async fn execute(&mut self, tuple: Self::Input, out: &Emitter<Self::Output>) -> Result;

    /// How often [results](Emitter::emit_result) that fail are emitted again, where the user of
    /// this bolt does not set it. A bolt that emits none has none.
    fn retry(&self) -> Option<Retry> {
        None
    }

    /// The interval between ticks that this bolt needs, where its user sets none.
    fn tick_interval(&self) -> Option<Duration> {
        None
    }

    /// Called at the interval set by [`tick`](crate::BoltHandle::tick), between two tuples. Ticks
    /// do not pile up: at most one is waiting.
    ///
    /// # Errors
    /// Reported; nothing fails.
    async fn tick(&mut self, out: &Emitter<Self::Output, Free>) -> Result {
        let _ = out;
        Ok(())
    }

    /// Polled while there is nothing to execute: the place to wait for what comes from elsewhere,
    /// such as another process, and to emit what it sends for tuples that are held.
    ///
    /// Must be **cancel safe**: its future is dropped as soon as there is something else to do, and
    /// called anew when that is done. It is called anew at once where it returns, so it awaits
    /// something. Not called before `prepare` has returned, nor after `finish`.
    ///
    /// ```
    /// use std::{future::poll_fn, task::Poll};
    /// use tormenta_dsl::{Bolt, Emitter, Free, Result, Ticket};
    ///
    /// /// Says for each tuple that nothing came after it.
    /// #[derive(Default)]
    /// struct Pauses { last: Option<Ticket<String>> }
    /// # impl Clone for Pauses { fn clone(&self) -> Self { Self::default() } }
    ///
    /// impl Bolt for Pauses {
    ///     type Input = u64;
    ///     type Output = String;
    ///     async fn execute(&mut self, _: u64, out: &Emitter<String>) -> Result {
    ///         self.last.replace(out.hold()).map(Ticket::ack);
    ///         Ok(())
    ///     }
    ///     async fn idle(&mut self, out: &Emitter<String, Free>) -> Result {
    ///         if let Some(ticket) = self.last.take() {
    ///             let emitted = out.emit_for([&ticket], "nothing more".to_owned());
    ///             ticket.ack();
    ///             emitted.await?;
    ///         }
    ///         poll_fn(|_| Poll::Pending).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Reported; nothing fails.
    async fn idle(&mut self, out: &Emitter<Self::Output, Free>) -> Result {
        let _ = out;
        std::future::pending().await
    }

    /// Whether it expects to settle tuples that it holds without more input, because another thread
    /// or process works on them. Asked before each call of [`idle`](Bolt::idle), which is called
    /// anew when holds were settled meanwhile.
    ///
    /// While it says so the end waits: what fails is still replayed, and nobody finishes. So it
    /// must not say so for ever.
    fn is_working(&self) -> bool {
        false
    }

    /// The inputs have ended. The last chance to emit, and the moment to settle held tickets. Not
    /// called when the topology ends for another reason: what is held fails then.
    ///
    /// # Errors
    /// Ends the topology with this error; tickets that are still held fail.
    async fn finish(&mut self, out: &Emitter<Self::Output, Free>) -> Result {
        let _ = out;
        Ok(())
    }
}
