//! Many held tuples, in as little memory as they need.

use std::{fmt, sync::Arc};

use crate::{
    Epoch, Grove, Root, Streams,
    engine::{Outcome, Settle},
    ticket::{Age, Hold},
};

/// A set of held tuples that are settled together: many [`Ticket`](crate::Ticket)s in one.
///
/// [`Emitter::hold_into`](crate::Emitter::hold_into) adds the tuple being executed. The law is that
/// of tickets: `ack` completes all of them, `fail` fails all of them, dropping the set fails all of
/// them, and a `hold_timeout` fails what was not touched for so long. Adding to a set does not
/// touch what is in it already.
///
/// Neighbours are merged. Tuples that come straight from their spout take two words for every 64
/// that the spout emitted in a row, however many of these are held; a tuple that reached the bolt
/// through another one, or that has several anchors, takes two words of its own. A tuple that is
/// added in order costs neither an allocation nor an ack.
///
/// A clone is an empty set: held tuples are never copied.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Free, Holds, Result};
///
/// /// Emits the sum of every thousand numbers, and acks them then.
/// #[derive(Clone, Default)]
/// struct Sum { sum: u64, held: Holds<u64> }
///
/// impl Bolt for Sum {
///     type Input = u64;
///     type Output = u64;
///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
///         self.sum += n;
///         out.hold_into(&mut self.held);
///         if self.held.len() == 1_000 {
///             out.emit_free(std::mem::take(&mut self.sum)).await?;
///             self.held.take().ack();
///         }
///         Ok(())
///     }
///     async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
///         out.emit_free(self.sum).await?;
///         self.held.take().ack();
///         Ok(())
///     }
/// }
/// ```
pub struct Holds<O: Streams = ()> {
    /// The tree that comes after the last one of the open run.
    pub(crate) next: Root,
    first: Root,
    /// Runs that have ended, and single trees.
    groves: Vec<Grove>,
    /// What is held by another edge than the first of its tree.
    edges: Vec<(Root, u64)>,
    /// Tuples with several anchors have several of `edges`, but count once.
    surplus: usize,
    sets: usize,
    epoch: Option<Epoch>,
    /// Where it waits for results.
    parked: Option<usize>,
    pub(crate) ages: Vec<Arc<Age>>,
    settle: Option<Arc<dyn Settle<O>>>,
}

impl<O: Streams> Holds<O> {
    /// An empty set.
    ///
    /// ```
    /// let holds = tormenta_dsl::Holds::<u64>::new();
    /// assert!(holds.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            next: Root::NONE,
            first: Root::NONE,
            groves: Vec::new(),
            edges: Vec::new(),
            surplus: 0,
            sets: 0,
            epoch: None,
            parked: None,
            ages: Vec::new(),
            settle: None,
        }
    }

    /// Number of tuples. Those that nobody tracks are not held, and do not count.
    #[must_use]
    pub fn len(&self) -> usize {
        let in_groves: usize = self.groves.iter().map(|grove| grove.count()).sum();
        in_groves + self.open_run() + self.edges.len() - self.surplus
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets == 0
    }

    /// The memory that it takes for what it holds, in words, without what is reserved.
    #[must_use]
    pub fn words(&self) -> usize {
        2 * (self.groves.len() + self.edges.len() + 1)
    }

    /// Sets that were merged into this one.
    #[must_use]
    pub fn sets(&self) -> usize {
        self.sets
    }

    /// The set waits for results of a task at this position of the topology, and is given nothing
    /// more. It does not expire any more: its holder can do nothing for it. For engines: see
    /// [`Epoch`].
    pub fn park(&mut self, position: usize) {
        self.ages.drain(..).for_each(|age| {
            age.settle();
        });
        if let (Some(epoch), None) = (&self.epoch, self.parked) {
            epoch.park(position);
            self.parked = Some(position);
        }
    }

    /// All of them, in a set of their own; this one is empty then.
    #[must_use = "dropping a set fails its tuples; call `ack` or `fail`"]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Adds all tuples of another set.
    pub fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            std::mem::swap(self, &mut other);
            return;
        }
        other.end_run();
        self.end_run();
        self.groves.append(&mut other.groves);
        self.edges.append(&mut other.edges);
        self.surplus += std::mem::take(&mut other.surplus);
        self.sets += std::mem::take(&mut other.sets);
        self.ages.append(&mut other.ages);
        if let Some(epoch) = other.epoch.take() {
            Epoch::lower(&mut self.epoch, &epoch);
        }
        other.settle = None;
    }

    /// All of the tuples are done.
    pub fn ack(mut self) {
        self.end(Outcome::Ack(Vec::new()));
    }

    /// All of the tuples failed; their trees fail with this reason.
    pub fn fail(mut self, reason: impl fmt::Display) {
        self.end(Outcome::Fail(reason.to_string()));
    }

    /// Says that the holder is alive, so that `hold_timeout` starts anew for all of them.
    pub fn touch(&self) {
        if let Some(settle) = &self.settle {
            self.ages.iter().for_each(|age| age.touch(settle.now_ms()));
        }
    }

    /// Whether the set has been told where it is settled.
    pub(crate) fn is_new(&self) -> bool {
        self.settle.is_none()
    }

    pub(crate) fn begin(&mut self, settle: Arc<dyn Settle<O>>) {
        self.settle = Some(settle);
        self.sets = 1;
    }

    pub(crate) fn lower(&mut self, epoch: Option<&Epoch>) {
        if let Some(epoch) = epoch {
            Epoch::lower(&mut self.epoch, epoch);
        }
    }

    /// Adds a tuple with its one edge to the holder.
    pub(crate) fn push(&mut self, root: Root, edge: u64) {
        if edge != Root::FIRST_EDGE {
            self.edges.push((root, edge));
        } else if root == self.next {
            self.next = root.nth_after(1);
        } else {
            self.end_run();
            (self.first, self.next) = (root, root.nth_after(1));
        }
    }

    /// Adds a tuple with several anchors.
    pub(crate) fn push_many(&mut self, edges: impl Iterator<Item = (Root, u64)>) {
        let before = self.edges.len();
        self.edges.extend(edges);
        self.surplus += (self.edges.len() - before).saturating_sub(1);
    }

    fn open_run(&self) -> usize {
        if self.first.is_none() { 0 } else { self.next.steps_from(self.first) }
    }

    fn end_run(&mut self) {
        Grove::of_run(self.first, self.open_run()).for_each(|run| run.add_to(&mut self.groves));
        (self.first, self.next) = (Root::NONE, Root::NONE);
    }

    fn end(&mut self, outcome: Outcome<O>) {
        let Some(settle) = self.settle.take() else { return };
        if let (Some(epoch), Some(position)) = (&self.epoch, self.parked.take()) {
            epoch.unpark(position);
        }
        self.end_run();
        let tuples = self.len();
        let hold = Hold {
            edges: std::mem::take(&mut self.edges).into(),
            groves: std::mem::take(&mut self.groves),
            tuples,
            sets: std::mem::take(&mut self.sets),
            epoch: self.epoch.take(),
            age: Age::new(0),
            first: None,
        };
        self.ages.drain(..).for_each(|age| {
            age.settle();
        });
        settle.settle(hold, outcome);
    }
}

impl<O: Streams> Drop for Holds<O> {
    fn drop(&mut self) {
        self.end(Outcome::Drop);
    }
}

impl<O: Streams> Default for Holds<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O: Streams> Clone for Holds<O> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<O: Streams> fmt::Debug for Holds<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holds({} tuples)", self.len())
    }
}
