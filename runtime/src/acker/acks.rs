//! What one loop owes to the ledgers: edges that grew, edges that were consumed, failures.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta_dsl::{Epoch, Failure, Root, engine::Envelope, record::Record};

use super::ledger::Ledger;
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
    /// Keeps the epoch of the acked tuples alive until the ledger has seen the acks.
    pub(crate) epoch: Option<Epoch>,
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
    pool: Pool<Vec<(Root, u64)>>,
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

    /// Gives back the buffer of a batch that was applied.
    pub(crate) fn recycle(&self, mut xors: Vec<(Root, u64)>) {
        xors.clear();
        self.pool.give(xors);
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
}

/// Trees that began in this loop and may end in it, before they ever get a ledger entry.
pub(crate) struct Own {
    pub(crate) ledger: Rc<RefCell<Ledger>>,
    /// Epoch and time for trees that do need an entry.
    pub(crate) epoch: u64,
    pub(crate) now: Nanos,
    /// Ledger entries of the batch's tuples, where they have one.
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
        };
        Self { rng, owners: inboxes.iter().map(owed).collect(), unsent: 0, epoch: None, own: None }
    }

    /// Makes a tree one edge longer. Returns the tree's lasting name and the id of the edge.
    #[inline(always)]
    pub(crate) fn grow(&mut self, root: Root) -> (Root, u64) {
        let edge = self.rng.next();
        (self.grow_by(root, edge), edge)
    }

    #[inline(always)]
    pub(crate) fn grow_by(&mut self, root: Root, edge: u64) -> Root {
        if root.is_provisional() {
            let Some(own) = &mut self.own else {
                unreachable!("a provisional root never leaves the loop of its spout");
            };
            return own.grow(root, edge);
        }
        let owed = &mut self.owners[root.owner()];
        add(&mut owed.grown, root, edge);
        self.unsent += 1;
        root
    }

    /// Gives every tuple of a batch its edge, where the batch is all that the loop's own spout
    /// has emitted: opens all their trees at once. False if it is not.
    pub(crate) fn grow_batch<T>(&mut self, envelopes: &mut [Envelope<T>]) -> bool {
        let Some(own) = &mut self.own else { return false };
        // Each and every one: a fused bolt may emit none for one root and two for the next, so
        // that the first and the last look right and those in between are not.
        let is_own = |(index, envelope): (usize, &Envelope<T>)| {
            let root = envelope.root;
            root.is_provisional() && !root.is_many() && root.index() == index
        };
        let mut indexed = envelopes.iter().enumerate();
        let are_own = if planted!(GuessedBatch) {
            indexed.next().is_some_and(is_own) && indexed.last().is_none_or(is_own)
        } else {
            indexed.all(is_own)
        };
        if !own.roots.is_empty() || !are_own {
            return false;
        }
        let mut ledger = own.ledger.borrow_mut();
        for envelope in envelopes {
            envelope.edge = self.rng.next();
            let replayed = envelope.root.is_replayed();
            envelope.root = ledger.open_with(own.epoch, own.now, replayed, envelope.edge);
            own.roots.push(envelope.root);
        }
        true
    }

    /// Takes note of edges that were consumed, all their children being accounted for.
    pub(crate) fn consume(&mut self, done: &mut Vec<(Root, u64)>) {
        self.unsent += done.len();
        for (root, edge) in done.drain(..) {
            add(&mut self.owners[root.owner()].consumed, root, edge);
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
        if self.fails.is_empty() && self.grown.is_empty() && self.consumed.is_empty() {
            return None;
        }
        let mut xors = self.inbox.pool.take();
        let (first, second) = if planted!(AckBeforeChildren) {
            (&mut self.consumed, &mut self.grown)
        } else {
            (&mut self.grown, &mut self.consumed)
        };
        if xors.is_empty() && first.is_empty() {
            std::mem::swap(&mut xors, second);
        } else {
            xors.append(first);
            xors.append(second);
        }
        Some(AckBatch { fails: std::mem::take(&mut self.fails), xors, epoch: None })
    }
}

impl Own {
    pub(crate) fn new(ledger: Rc<RefCell<Ledger>>) -> Self {
        Self { ledger, epoch: 0, now: 0, roots: Vec::new(), failed: Vec::new() }
    }

    #[inline(always)]
    fn grow(&mut self, root: Root, edge: u64) -> Root {
        let mut ledger = self.ledger.borrow_mut();
        let index = root.index();
        if index == self.roots.len() {
            // Tuples that leave the loop do so in order, most of the time.
            self.roots.push(ledger.open(self.epoch, self.now, root.is_replayed()));
        } else if index > self.roots.len() {
            self.roots.resize(index + 1, Root::NONE);
        }
        if self.roots[index].is_none() {
            self.roots[index] = ledger.open(self.epoch, self.now, root.is_replayed());
        }
        ledger.grow_tree(self.roots[index], edge);
        self.roots[index]
    }
}

/// Neighbours of one tree are one entry.
#[inline]
pub(crate) fn add(list: &mut Vec<(Root, u64)>, root: Root, edge: u64) {
    match list.last_mut() {
        Some(last) if last.0 == root => last.1 ^= edge,
        _ => list.push((root, edge)),
    }
}
