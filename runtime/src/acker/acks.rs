//! What one loop owes to the ledgers: edges that grew, edges that were consumed, failures.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta_dsl::{Epoch, Failure, Grove, Root, engine::Roots, record::Record};

use super::{
    consumed::{Consumed, add},
    ledger::{FIRST_EDGE, Ledger, Run},
};
use crate::{
    channel::queue::{Pool, Receiver, Sender, queue},
    clock::Nanos,
    executor::signal::WakeCell,
    limits, planted,
    rng::Rng,
};

/// Acks for the trees of one spout task, in the order in which they must be applied.
#[derive(Default)]
pub(crate) struct AckBatch {
    pub(crate) fails: Vec<(Root, Box<Fail>)>,
    /// Edges that grew, then edges that were consumed.
    pub(crate) xors: Vec<(Root, u64)>,
    /// Trees whose first edge was consumed, after all of that.
    groves: Vec<Grove>,
    /// How many of them were taken.
    taken: usize,
    /// Keeps the epoch of the acked tuples alive until the ledger has seen the acks.
    pub(crate) epoch: Option<Epoch>,
}

impl AckBatch {
    /// Some groves that were not taken yet.
    pub(crate) fn take_groves(&mut self, count: usize) -> &[Grove] {
        let from = self.taken;
        self.taken = (from + count).min(self.groves.len());
        &self.groves[from..self.taken]
    }

    /// Whether all groves were taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.taken == self.groves.len()
    }
}

/// Why a tuple failed, and the tuple where a copy was kept.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) why: Failure,
    pub(crate) tuple: Option<Record>,
}

/// Where the acks for one spout task go.
#[derive(Clone)]
pub(crate) struct AckInbox {
    queue: Sender<AckBatch>,
    pool: Pool<AckBatch>,
    wake: Arc<WakeCell>,
    /// Batches sent, for the question whether all is quiet.
    pub(crate) given: Arc<AtomicU64>,
}

impl AckInbox {
    pub(crate) fn new(wake: Arc<WakeCell>) -> (Self, Receiver<AckBatch>) {
        let (queue, receiver) = queue();
        let pool = Pool::new(limits::RECYCLED_BATCHES);
        (Self { queue, pool, wake, given: Arc::default() }, receiver)
    }

    fn send(&self, batch: AckBatch) {
        if planted!(DropAcks, 64) {
            return;
        }
        self.given.fetch_add(1, Ordering::SeqCst);
        if self.queue.send(batch) {
            self.wake.wake();
        }
    }

    /// Gives back a batch that was applied.
    pub(crate) fn recycle(&self, mut batch: AckBatch) {
        batch.fails.clear();
        batch.xors.clear();
        batch.groves.clear();
        batch.taken = 0;
        batch.epoch = None;
        self.pool.give(batch);
    }
}

/// The debts of one loop, shared by all stages that are fused into it.
pub(crate) struct Acks {
    rng: Rng,
    owners: Vec<Owed>,
    unsent: usize,
    /// The oldest epoch of any tuple that an unsent ack is about.
    epoch: Option<Epoch>,
    /// The batch that this loop's own spout is filling, if it has one.
    pub(crate) own: Option<Own>,
}

struct Owed {
    inbox: AckInbox,
    fails: Vec<(Root, Box<Fail>)>,
    grown: Vec<(Root, u64)>,
    consumed: Vec<(Root, u64)>,
    groves: Vec<Grove>,
}

/// Trees that began in this loop and may end in it, before they ever get a ledger entry.
pub(crate) struct Own {
    pub(crate) ledger: Rc<RefCell<Ledger>>,
    /// Epoch and time for trees that do need an entry.
    pub(crate) epoch: u64,
    pub(crate) now: Nanos,
    /// Ledger entries of the batch's tuples, where they have one: tuple after tuple in runs, or
    /// else each by itself.
    pub(crate) runs: Vec<Run>,
    pub(crate) roots: Vec<Root>,
    /// Tuples of the batch that failed, by index.
    pub(crate) failed: Vec<(usize, Box<Fail>)>,
}

impl Acks {
    pub(crate) fn new(inboxes: &[AckInbox], rng: Rng) -> Self {
        let owed = |inbox: &AckInbox| Owed {
            inbox: inbox.clone(),
            fails: Vec::new(),
            grown: Vec::new(),
            consumed: Vec::new(),
            groves: Vec::new(),
        };
        Self { rng, owners: inboxes.iter().map(owed).collect(), unsent: 0, epoch: None, own: None }
    }

    /// Makes a tree one edge longer. Returns the tree's lasting name and the id of the edge.
    #[inline(always)]
    pub(crate) fn grow(&mut self, root: Root) -> (Root, u64) {
        if root.is_provisional() {
            let Some(own) = &mut self.own else {
                unreachable!("a provisional root never leaves the loop of its spout");
            };
            return own.grow(root, &mut self.rng);
        }
        let edge = self.rng.next();
        self.grow_by(root, edge);
        (root, edge)
    }

    /// Makes a tree that has a ledger entry longer by this edge.
    #[inline(always)]
    pub(crate) fn grow_by(&mut self, root: Root, edge: u64) {
        add(&mut self.owners[root.owner()].grown, root, edge);
        self.unsent += 1;
    }

    /// Opens the trees of a batch, if it is what the loop's own spout emitted, one tuple after the
    /// other. False if it is not.
    pub(crate) fn open_batch(&mut self, roots: &mut Roots) -> bool {
        let (Some(own), Some((first, _))) = (&mut self.own, roots.run()) else { return false };
        let is_next = first.index() == own.in_runs() || planted!(GuessedBatch);
        if !first.is_provisional() || first.is_many() || !is_next || !own.roots.is_empty() {
            return false;
        }
        let (mut left, replayed) = (roots.len(), first.is_replayed());
        roots.clear();
        while left > 0 {
            let run = own.ledger.borrow_mut().open_run(left, own.epoch, own.now, replayed);
            roots.push_run(run.first, run.count, FIRST_EDGE);
            own.runs.push(run);
            left -= run.count;
        }
        true
    }

    /// Opens the trees of some tuples of the batch that the loop's own spout is filling, from
    /// `first` on, if those before them have entries in runs. Returns the name of the first, how
    /// many follow it, and the edge of each.
    pub(crate) fn open_some(&mut self, first: Root, count: usize) -> Option<(Root, usize, u64)> {
        let own = self.own.as_mut().filter(|own| own.roots.is_empty())?;
        if !first.is_provisional() || first.is_many() || first.index() != own.in_runs() {
            return None;
        }
        let replayed = first.is_replayed();
        let run = own.ledger.borrow_mut().open_run(count, own.epoch, own.now, replayed);
        own.runs.push(run);
        Some((run.first, run.count, FIRST_EDGE))
    }

    /// Takes note of edges that were consumed, all their children being accounted for.
    pub(crate) fn consume(&mut self, consumed: &mut Consumed) {
        for (root, edge) in consumed.edges.drain(..) {
            self.unsent += 1;
            add(&mut self.owners[root.owner()].consumed, root, edge);
        }
        for grove in consumed.groves.drain(..) {
            self.unsent += grove.count();
            grove.add_to(&mut self.owners[grove.block().owner()].groves);
        }
    }

    /// Takes note that a tuple failed.
    pub(crate) fn fail(&mut self, root: Root, why: Failure, tuple: Option<Record>) {
        if root.is_none() || planted!(FailForgotten, 16) {
            return;
        }
        let fail = Box::new(Fail { why, tuple });
        if root.is_provisional() {
            if let (Some(own), false) = (&mut self.own, planted!(FusedFailureIgnored)) {
                own.failed.push((root.index(), fail));
            }
            return;
        }
        self.owners[root.owner()].fails.push((root, fail));
        self.unsent += 1;
    }

    /// Sends everything, if there is enough of it or the loop is about to wait. `epoch` is the
    /// oldest of the tuples that the acks since the last call are about.
    pub(crate) fn flush(&mut self, epoch: Option<&Epoch>, all: bool) {
        if let (Some(epoch), true) = (epoch, self.unsent > 0) {
            Epoch::lower(&mut self.epoch, epoch);
        }
        if self.unsent == 0 || (!all && self.unsent < limits::ACK_BATCH) {
            return;
        }
        self.unsent = 0;
        let epoch = self.epoch.take();
        for owed in &mut self.owners {
            if let Some(mut batch) = owed.take() {
                batch.epoch.clone_from(&epoch);
                owed.inbox.send(batch);
            }
        }
    }
}

impl Owed {
    fn take(&mut self) -> Option<AckBatch> {
        let has_edges = !self.grown.is_empty() || !self.consumed.is_empty();
        if !has_edges && self.fails.is_empty() && self.groves.is_empty() {
            return None;
        }
        let mut batch = self.inbox.pool.take();
        let (first, second) = if planted!(AckBeforeChildren) {
            let roots = self.groves.drain(..).flat_map(Grove::roots);
            self.consumed.extend(roots.map(|root| (root, FIRST_EDGE)));
            (&mut self.consumed, &mut self.grown)
        } else {
            (&mut self.grown, &mut self.consumed)
        };
        if first.is_empty() {
            std::mem::swap(&mut batch.xors, second);
        } else {
            batch.xors.append(first);
            batch.xors.append(second);
        }
        std::mem::swap(&mut batch.fails, &mut self.fails);
        std::mem::swap(&mut batch.groves, &mut self.groves);
        Some(batch)
    }
}

impl Own {
    pub(crate) fn new(ledger: Rc<RefCell<Ledger>>) -> Self {
        let (runs, roots, failed) = (Vec::new(), Vec::new(), Vec::new());
        Self { ledger, epoch: 0, now: 0, runs, roots, failed }
    }

    /// Whether no tuple of the batch has a ledger entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.roots.is_empty()
    }

    /// Tuples of the batch that have a ledger entry in runs.
    fn in_runs(&self) -> usize {
        self.runs.iter().map(|run| run.count).sum()
    }

    /// Takes the entries out, tuple by tuple.
    pub(crate) fn take_roots(&mut self) -> Vec<Root> {
        let roots = self.runs.drain(..).flat_map(Run::roots);
        roots.chain(std::mem::take(&mut self.roots)).collect()
    }

    #[inline(always)]
    fn grow(&mut self, root: Root, rng: &mut Rng) -> (Root, u64) {
        if !self.runs.is_empty() {
            return self.grow_after_runs(root, rng);
        }
        let (index, mut ledger) = (root.index(), self.ledger.borrow_mut());
        if index >= self.roots.len() {
            self.roots.resize(index + 1, Root::NONE);
        }
        if self.roots[index].is_none() {
            self.roots[index] = ledger.open(self.epoch, self.now, root.is_replayed());
            return (self.roots[index], FIRST_EDGE);
        }
        let edge = rng.next();
        ledger.grow_tree(self.roots[index], edge);
        (self.roots[index], edge)
    }

    /// Where a batch went down one edge as a whole, and now goes down another one.
    #[inline(never)]
    fn grow_after_runs(&mut self, root: Root, rng: &mut Rng) -> (Root, u64) {
        self.roots = self.take_roots();
        self.grow(root, rng)
    }
}
