//! Where tuples come from.

use crate::{Context, Failure, Result, Streams};

/// A source of tuples.
///
/// A spout *returns* tuples instead of emitting them, one at a time and only when there is room.
/// With each it gives an id, by which it is told later that the tuple's whole tree was processed
/// or that it failed. A spout that cannot replay by itself is declared with
/// [`replaying`](crate::SpoutHandle::replaying), and the engine keeps a copy until the tree ends.
///
/// ```
/// use tormenta_dsl::{Result, Spout};
///
/// /// Counts up.
/// #[derive(Clone)]
/// struct Numbers { next: u64, end: u64 }
///
/// impl Spout for Numbers {
///     type Output = u64;
///     type Id = u64;
///     async fn next(&mut self) -> Result<Option<(u64, u64)>> {
///         if self.next == self.end {
///             return Ok(None);
///         }
///         self.next += 1;
///         Ok(Some((self.next, self.next)))
///     }
/// }
/// ```
#[allow(async_fn_in_trait, reason = "a component stays on its core: its futures need no Send")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no spout",
    label = "this value is no `Spout`",
    note = "a spout implements `Spout`, `Clone`, `Send` and owns what it needs"
)]
pub trait Spout: Clone + Send + 'static {
    /// What it emits: a tuple, or an enum with one variant for each stream.
    type Output: Streams;
    /// What it calls a tuple that is under way.
    type Id: Send + 'static;

    /// Opens what the spout needs. Called once in every task, before anything else.
    ///
    /// # Errors
    /// Ends the topology with this error.
    async fn prepare(&mut self, cx: &Context) -> Result {
        let _ = cx;
        Ok(())
    }

    /// The next tuple and its id; `None` when there will never be another.
    ///
    /// Called only when there is room for the tuple. Must be **cancel safe**: while it waits, its
    /// future may be dropped to deliver acks, to drain or to deactivate, and is then called anew.
    ///
    /// # Errors
    /// [`Error::poison`](crate::Error::poison) gives up a piece of the input that is no tuple, best
    /// as a [`BadInput`](crate::BadInput): it becomes a dead letter, and `next` is called
    /// again for what comes after it.
    ///
    /// Any other error ends this task: what it emitted is still processed, then the topology ends
    /// with the error. What can be retried is the spout's own business.
    async fn next(&mut self) -> Result<Option<(Self::Output, Self::Id)>>;

    /// Whether the tuple with this id, which `next` has just returned, was emitted before.
    ///
    /// For spouts that replay by themselves what has [`failed`](Spout::failed), so that
    /// [`Emitter::is_replay`](crate::Emitter::is_replay) tells bolts: those that drop repeats would
    /// drop the replay otherwise. What the engine replays it knows itself.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use tormenta_dsl::{Failure, Result, Spout};
    ///
    /// /// Hands out jobs, each until it succeeds.
    /// #[derive(Clone)]
    /// struct Jobs { waiting: Vec<u64>, failed: HashSet<u64> }
    ///
    /// impl Spout for Jobs {
    ///     type Output = u64;
    ///     type Id = u64;
    ///     async fn next(&mut self) -> Result<Option<(u64, u64)>> {
    ///         match self.waiting.pop() {
    ///             Some(job) => Ok(Some((job, job))),
    ///             None => std::future::pending().await,
    ///         }
    ///     }
    ///     fn is_replay(&self, job: &u64) -> bool {
    ///         self.failed.contains(job)
    ///     }
    ///     fn failed(&mut self, job: u64, _why: Failure) {
    ///         self.failed.insert(job);
    ///         self.waiting.push(job);
    ///     }
    /// }
    /// ```
    #[inline]
    fn is_replay(&self, id: &Self::Id) -> bool {
        let _ = id;
        false
    }

    /// Which tasks the tuple with this id, which `next` has just returned, goes to, and whether the
    /// spout wants to know.
    ///
    /// ```
    /// use tormenta_dsl::{Result, Spout, spout::Routing};
    ///
    /// /// Counts the tuples that each task gets, for the first thousand.
    /// #[derive(Clone, Default)]
    /// struct Numbers { next: u64, gets: std::collections::BTreeMap<usize, u64> }
    ///
    /// impl Spout for Numbers {
    ///     type Output = u64;
    ///     type Id = u64;
    ///     async fn next(&mut self) -> Result<Option<(u64, u64)>> {
    ///         self.next += 1;
    ///         Ok(Some((self.next, self.next)))
    ///     }
    ///     fn routing(&self, n: &u64) -> Routing {
    ///         if *n < 1_000 { Routing::Told } else { Routing::Grouped }
    ///     }
    ///     fn told(&mut self, tasks: &[usize]) {
    ///         tasks.iter().for_each(|task| *self.gets.entry(*task).or_default() += 1);
    ///     }
    /// }
    /// ```
    #[inline]
    fn routing(&self, id: &Self::Id) -> Routing {
        let _ = id;
        Routing::Grouped
    }

    /// The [numbers](crate::Plan::number_of) of the tasks that got the tuple that `next` has just
    /// returned and whose [`routing`](Spout::routing) is [`Routing::Told`].
    fn told(&mut self, tasks: &[usize]) {
        let _ = tasks;
    }

    /// The whole tree of this tuple was processed.
    fn acked(&mut self, id: Self::Id) {
        let _ = id;
    }

    /// The tree of this tuple failed.
    fn failed(&mut self, id: Self::Id, why: Failure) {
        let _ = (id, why);
    }

    /// The topology was activated again.
    fn activated(&mut self) {}

    /// The topology was deactivated: `next` will not be called until it is activated.
    fn deactivated(&mut self) {}
}

/// Which tasks a tuple of a spout goes to.
///
/// ```
/// use tormenta_dsl::spout::Routing;
///
/// assert_eq!(Routing::default(), Routing::Grouped);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// As the groupings of its readers say, a batch at a time.
    #[default]
    Grouped,
    /// As the groupings say, by itself, and the spout is [told](Spout::told).
    Told,
    /// To the task of this [number](crate::Plan::number_of) alone, which must read the stream by
    /// `direct()`: the tuple fails if it does not.
    Only(usize),
}
