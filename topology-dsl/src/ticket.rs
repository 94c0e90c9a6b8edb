//! Ownership is the ack.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    Epoch, Grove, Root, Streams,
    engine::{Anchors, Outcome, Settle},
};

/// The right, and the duty, to complete a tuple.
///
/// [`Emitter::hold`](crate::Emitter::hold) makes one. It can be kept in the bolt, moved into a
/// spawned future or to another thread. `ack`, `fail` and `finish` consume it, so a tuple cannot
/// be acked twice; dropping it fails the tuple, so it cannot be forgotten.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Result};
/// # async fn look_up(id: u64) -> Result<u64> { Ok(id) }
///
/// #[derive(Clone)]
/// struct LookUp;
///
/// impl Bolt for LookUp {
///     type Input = u64;
///     type Output = u64;
///     async fn execute(&mut self, id: u64, out: &Emitter<u64>) -> Result {
///         let ticket = out.hold();
///         std::thread::spawn(move || ticket.finish([id * 2])); // any thread, any time
///         Ok(())
///     }
/// }
/// ```
#[must_use = "dropping a ticket fails its tuple; call `ack`, `fail` or `finish`"]
pub struct Ticket<O: Streams = ()> {
    /// `None` once settled.
    hold: Option<Hold>,
    settle: Arc<dyn Settle<O>>,
}

/// What a ticket or a set of [`Holds`](crate::Holds) holds, as the engine knows it.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The trees, with the edge to the holder in each.
    pub edges: Anchors,
    /// Trees whose [first edge](Root::FIRST_EDGE) is the one to the holder.
    pub groves: Vec<Grove>,
    /// Tuples that are held.
    pub tuples: usize,
    /// Tickets, or sets, that this was made from.
    pub sets: usize,
    /// Keeps the epoch of the tuple alive.
    pub epoch: Option<Epoch>,
    /// Shared with the engine, which looks for holds that are too old.
    pub age: Arc<Age>,
    /// That of the first ticket of the tuple, where this is a later one.
    pub first: Option<Arc<Age>>,
}

impl Hold {
    /// One tuple, held by a ticket.
    #[must_use]
    pub fn one(edges: Anchors, epoch: Option<Epoch>, age: Arc<Age>) -> Self {
        Self { edges, groves: Vec::new(), tuples: 1, sets: 1, epoch, age, first: None }
    }

    /// How many tuples fail with it that did not count as failed before. A tuple that nobody tracks
    /// does not count: it has no tree that could fail.
    #[must_use]
    pub fn count_failures(&self) -> usize {
        let is_tracked = !self.edges.is_empty() || !self.groves.is_empty();
        let is_first = is_tracked && self.first.as_ref().unwrap_or(&self.age).count_failure();
        if is_first { self.tuples } else { 0 }
    }

    /// The trees.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        let in_groves = self.groves.iter().flat_map(|grove| grove.roots());
        self.edges.iter().map(|(root, _)| *root).chain(in_groves)
    }
}

/// When a ticket was last touched, and whether it is settled.
#[derive(Debug, Default)]
pub struct Age {
    touched_ms: AtomicU64,
    settled: AtomicBool,
    /// Whether its tuple counts as failed.
    failed: AtomicBool,
}

impl Age {
    /// A ticket that was made now.
    #[must_use]
    pub fn new(now_ms: u64) -> Arc<Self> {
        Arc::new(Self { touched_ms: AtomicU64::new(now_ms), ..Self::default() })
    }

    /// Engine time of the last touch, in milliseconds.
    #[must_use]
    pub fn touched_ms(&self) -> u64 {
        self.touched_ms.load(Ordering::Relaxed)
    }

    /// Touches it.
    pub fn touch(&self, now_ms: u64) {
        self.touched_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Settles it; false if it was settled before.
    pub fn settle(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
    }

    /// Its tuple counts as failed; false if it did before.
    pub fn count_failure(&self) -> bool {
        !self.failed.swap(true, Ordering::Relaxed)
    }

    /// Whether it is settled.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }
}

impl<O: Streams> Ticket<O> {
    /// A ticket for `hold` that reports to `settle`.
    pub fn new(hold: Hold, settle: Arc<dyn Settle<O>>) -> Self {
        Self { hold: Some(hold), settle }
    }

    /// Whether the task that settles with this took the ticket.
    pub(crate) fn is_of(&self, settle: &Arc<dyn Settle<O>>) -> bool {
        Arc::ptr_eq(&self.settle, settle)
    }

    /// The tuple is done.
    pub fn ack(self) {
        self.end(Outcome::Ack(Vec::new()));
    }

    /// The tuple failed; its tree fails with this reason.
    pub fn fail(self, reason: impl std::fmt::Display) {
        self.end(Outcome::Fail(reason.to_string()));
    }

    /// The tuple is done and these are its outputs, anchored to it. For work that was spawned
    /// and has no emitter at hand.
    pub fn finish(self, outputs: impl IntoIterator<Item = O>) {
        self.end(Outcome::Ack(outputs.into_iter().collect()));
    }

    /// Says that the holder is alive, so that `hold_timeout` starts anew.
    pub fn touch(&self) {
        if let Some(hold) = &self.hold {
            hold.age.touch(self.settle.now_ms());
        }
    }

    fn end(mut self, outcome: Outcome<O>) {
        if let Some(hold) = self.hold.take() {
            self.settle.settle(hold, outcome);
        }
    }

    pub(crate) fn anchor(&self, anchors: &mut Vec<Root>) {
        if let Some(hold) = &self.hold {
            anchors.extend(hold.edges.iter().map(|(root, _)| *root));
        }
    }

    pub(crate) fn epoch(&self) -> Option<&Epoch> {
        self.hold.as_ref().and_then(|hold| hold.epoch.as_ref())
    }
}

impl<O: Streams> Drop for Ticket<O> {
    fn drop(&mut self) {
        if let Some(hold) = self.hold.take() {
            self.settle.settle(hold, Outcome::Drop);
        }
    }
}

impl<O: Streams> std::fmt::Debug for Ticket<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ticket").field(&self.hold.as_ref().map(|hold| &hold.edges)).finish()
    }
}
