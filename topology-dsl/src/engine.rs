//! What an engine implements, and what travels between it and the language.
//!
//! ```text
//!   emit --> stage --> dispatch --> Router --> Lanes --> mailbox of the target task
//!            (Batch)   by port      grouping   engine: edge ids, credit, links
//!   '---------------- this crate ----------'  '---------- the engine ----------'
//! ```
//!
//! Types survive the waist because [`Engine`] is a static trait with generic methods: the builder
//! hands it every spout, bolt and edge with its full type, and the engine erases them itself.

use std::{
    any::Any,
    sync::Arc,
    task::{Context as Waking, Poll},
};

use crate::{
    Bolt, Edge, Epoch, KeyGroup, Root, Settings, Spout,
    ticket::{Age, Hold},
};
pub use crate::{grove::bits, results::Results, roots::Roots};

/// This file, as panics name it: an engine tells by it what is code of the language.
#[doc(hidden)]
pub const FILE: &str = file!();

/// An engine: something that can be given typed components.
pub trait Engine: Sized + 'static {
    /// A component in the engine's own form.
    type Task: 'static;

    /// Takes a spout.
    fn spout<S: Spout>(prototype: S) -> Self::Task;

    /// Takes a bolt and the edges it reads.
    fn bolt<B: Bolt>(prototype: B, edges: Vec<Edge<B::Input>>) -> Self::Task;
}

/// The trees that one tuple is anchored to, with one edge of its own in each.
pub type Anchors = Box<[(Root, u64)]>;

/// Tuples on their way, the unit in which the machine moves them.
///
/// The edge of a tuple is zero where none is counted: inside a fused loop, and for untracked
/// tuples. While a tuple is staged, its edge is the task that a direct emit names.
#[derive(Debug)]
pub struct Batch<T> {
    /// The tuples, in the order of their emission.
    pub values: Vec<T>,
    /// The trees that they belong to, as many; or where to find them in `anchors`.
    pub roots: Roots,
    /// Anchors of the tuples that have more than one.
    pub anchors: Vec<Anchors>,
    /// The oldest epoch inside.
    pub epoch: Option<Epoch>,
}

impl<T> Batch<T> {
    /// An empty batch that allocates when it is first used.
    #[must_use]
    pub fn new() -> Self {
        Self { values: Vec::new(), roots: Roots::new(), anchors: Vec::new(), epoch: None }
    }

    /// Number of tuples.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no tuple.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Forgets everything but the allocation.
    pub fn clear(&mut self) {
        self.values.clear();
        self.roots.clear();
        self.anchors.clear();
        self.epoch = None;
    }

    /// Makes the batch as old as `epoch` if it is younger.
    pub fn lower(&mut self, epoch: Option<&Epoch>) {
        if let Some(epoch) = epoch {
            Epoch::lower(&mut self.epoch, epoch);
        }
    }

    /// Adds a tuple.
    #[inline(always)]
    pub fn push(&mut self, root: Root, edge: u64, value: T) {
        self.values.push(value);
        self.roots.push(root, edge);
    }

    /// Adds a tuple whose anchors, if it has several, stand in the table of another batch.
    pub fn push_from(&mut self, anchors: &[Anchors], root: Root, edge: u64, value: T) {
        let root = if root.is_many() {
            self.anchors.push(anchors[root.index()].clone());
            Root::many(self.anchors.len() - 1, root.is_replayed())
        } else {
            root
        };
        self.push(root, edge, value);
    }

    /// Takes all tuples out of another batch, which is empty then.
    pub fn append(&mut self, batch: &mut Self) {
        self.lower(batch.epoch.as_ref());
        if self.values.is_empty() {
            std::mem::swap(&mut self.values, &mut batch.values);
            std::mem::swap(&mut self.roots, &mut batch.roots);
            std::mem::swap(&mut self.anchors, &mut batch.anchors);
        } else if batch.anchors.is_empty() {
            self.values.append(&mut batch.values);
            self.roots.append(&mut batch.roots);
        } else {
            batch.take_each(|anchors, root, edge, value| {
                self.push_from(anchors, root, edge, value);
            });
        }
        batch.clear();
    }

    /// Takes the tuples out, one after the other, each with its root and its edge. The table of
    /// anchors comes with each.
    #[inline]
    pub fn take_each(&mut self, mut take: impl FnMut(&[Anchors], Root, u64, T)) {
        for (index, value) in self.values.drain(..).enumerate() {
            let (root, edge) = self.roots.get(index);
            take(&self.anchors, root, edge, value);
        }
        self.clear();
    }
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a flush goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Hand staged tuples on; ship only batches that are full.
    Full,
    /// Ship everything: the task is about to wait.
    All,
}

/// Which lanes the tuples of a batch go to.
#[derive(Debug, Clone, Copy)]
pub enum Picks<'a> {
    /// The whole batch to one lane.
    One(usize),
    /// Tuple `i` to lane `picks[i]`.
    Each(&'a [u32]),
    /// Pairs of tuple and lane, sorted by tuple; a tuple may have several lanes or none.
    Pairs(&'a [(u32, u32)]),
    /// Every tuple to every lane.
    All,
}

/// The engine's end of an edge for one sending task: one lane for each target task.
pub trait Lanes<I> {
    /// Number of target tasks, at least one.
    fn count(&self) -> usize;

    /// Tuples that were sent down a lane and are not consumed yet.
    fn backlog(&self, lane: usize) -> usize;

    /// Tuples that may be under way down a lane. What is sent beyond that has to wait.
    fn window(&self, lane: usize) -> usize;

    /// Tuples that the target of a lane works off in the time that one of them should wait at
    /// most: all targets count as quick until they are known.
    fn pace(&self, lane: usize) -> usize;

    /// Whether the target task is in this process.
    fn is_local(&self, lane: usize) -> bool;

    /// The [number](crate::Plan::number_of) of the target task of a lane. That of the lane, unless
    /// the engine counts its tasks.
    fn number(&self, lane: usize) -> usize {
        lane
    }

    /// How many tuples may be staged before they are handed on: fewer where a reader is slow, so
    /// that they do not grow old before they are even sent.
    fn room(&self) -> usize;

    /// Takes note of the key group of one tuple of a batch of so many that a grouping by key deals
    /// out. For metrics; nothing unless the engine wants to know.
    fn sample(&mut self, _group: KeyGroup, _tuples: usize) {}

    /// Takes all tuples out of `batch`. Never refuses: what cannot leave yet waits inside, and
    /// [`poll_flush`](Lanes::poll_flush) says so.
    fn accept(&mut self, batch: &mut Batch<I>, picks: Picks<'_>);

    /// Ships what may be shipped; ready when no more is waiting than `flush` allows.
    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()>;

    /// Fails the trees of a tuple that cannot be handed on.
    fn fail(&mut self, anchors: &[Anchors], root: Root, why: &str);
}

/// One edge of one sending task: the grouping in front of the engine's lanes.
pub trait Router<T> {
    /// Takes all tuples out of `batch`.
    fn accept(&mut self, batch: &mut Batch<T>);

    /// See [`Lanes::room`].
    fn room(&self) -> usize;

    /// See [`Lanes::poll_flush`].
    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()>;

    /// Adds the [numbers](Lanes::number) of the tasks that got the batch that was taken last, if
    /// that was a single tuple. Nothing, unless the router knows.
    fn told(&self, _tasks: &mut Vec<usize>) {}

    /// Takes all tuples out of `batch` for the task of this number alone. False, and nothing is
    /// taken, where that task does not read them by a direct grouping.
    fn accept_only(&mut self, _batch: &mut Batch<T>, _task: usize) -> bool {
        false
    }

    /// Fails the tuples of `batch`, which can be handed to nobody.
    fn refuse(&mut self, batch: &mut Batch<T>, _why: &str) {
        batch.clear();
    }
}

/// The engine's answer to "who reads this port?", asked once when a task is wired.
///
/// The routers are `Box<dyn Router<T>>` in a box, where `T` is the type of the port.
pub struct PortWiring {
    /// One router for each edge that reads the port.
    pub routers: Vec<Box<dyn Any>>,
    /// Whether two of the edges lead to the same component, so that tuples must be handed on one
    /// by one to keep their order.
    pub interleave: bool,
}

/// What the engine does for the emitter of one task.
pub trait Tracker {
    /// Makes the current tuple one edge longer, an edge to the holder, and returns it.
    fn hold(&self, roots: &[Root], epoch: Option<&Epoch>) -> Hold;

    /// Makes a tree one edge longer, an edge to the holder. Returns its lasting name and the edge.
    fn grow(&self, root: Root) -> (Root, u64);

    /// Gives lasting names to the trees of the loop's own spout, from `first` on: to `count` of
    /// them, or to fewer. Returns the name of the first, how many have names that come
    /// [after](Root::nth_after) it, and the edge that each has to the holder. `None` where that
    /// can only be done one by one.
    fn open(&self, first: Root, count: usize) -> Option<(Root, usize, u64)>;

    /// A set of held tuples begins. Where holds expire, it has an age.
    fn begin_set(&self) -> Option<Arc<Age>>;

    /// The set with this age holds this tree as well.
    fn add_to_set(&self, age: &Arc<Age>, root: Root);
}

/// Where settled tickets go. Tickets are `Send`, so this may be called from any thread.
pub trait Settle<O>: Send + Sync {
    /// Takes the outcome of a ticket.
    fn settle(&self, hold: Hold, outcome: Outcome<O>);

    /// The time for [`Ticket::touch`](crate::Ticket::touch), in milliseconds of engine time.
    fn now_ms(&self) -> u64;
}

/// What became of a ticket.
#[derive(Debug)]
pub enum Outcome<O> {
    /// Acked, after emitting these outputs anchored to it.
    Ack(Vec<O>),
    /// Failed with a reason.
    Fail(String),
    /// Dropped without a word.
    Drop,
}

/// A component as the builder recorded it.
pub struct Component<E: Engine> {
    /// Name, unique in the topology.
    pub name: Arc<str>,
    /// What its author set.
    pub settings: Settings,
    /// The component in the engine's form.
    pub task: E::Task,
}
