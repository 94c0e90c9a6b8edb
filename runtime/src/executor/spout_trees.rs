//! The trees of one task that has its own: from emitted to acked, failed, replayed or given up.
//!
//! Pure.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    num::NonZeroU32,
    rc::Rc,
    sync::{Mutex, PoisonError},
};

use tormenta_dsl::{Failure, Grove, Retry, Root, record::Record};

use super::kept::Kept;
use crate::{
    acker::{
        acks::{AckBatch, Fail, Own},
        ledger::{Applied, Completed, Ledger},
    },
    clock::{Nanos, nanos},
    metrics::Histogram,
    planted,
};

/// The trees of one spout task, or those of the results of a bolt's task, that have not ended.
///
/// Copies are kept apart from ids, so that spouts which replay by themselves pay nothing for them.
pub(crate) struct Trees<O, Id> {
    ledger: Rc<RefCell<Ledger>>,
    retry: Option<Retry>,
    /// Whether another attempt is still possible.
    replays: bool,
    /// Ids of the batch that is being filled, in the order of their provisional roots.
    ids: Vec<Id>,
    /// Copies of the batch's tuples; empty where the engine does not replay.
    copies: Vec<Copy<O>>,
    /// What is kept of trees that have a ledger entry, by block.
    open: Vec<Kept<O, Id>>,
    /// Failed tuples that wait for their next attempt, by the time at which it is due.
    waiting: BTreeMap<(Nanos, u64), (Id, Copy<O>)>,
    sequence: u64,
    /// Ids of trees that completed and that the spout has not been told of.
    pub(crate) acked: Vec<Id>,
    /// Copies that nobody needs any more. To drop them is code of the user, which may panic, so
    /// that waits until the books are in order.
    pub(crate) spent: Vec<Copy<O>>,
}

/// What is remembered of a tuple whose tree ended without success.
pub(crate) struct Tree<O, Id> {
    pub(crate) id: Id,
    /// The tuple, where the engine replays it.
    pub(crate) copy: Option<Copy<O>>,
}

/// A tuple that can be emitted again, and the number of attempts made.
#[derive(Clone)]
pub(crate) struct Copy<O> {
    pub(crate) tuple: O,
    pub(crate) attempts: u32,
    /// The number of the only task that gets it, plus one.
    only: Option<NonZeroU32>,
}

impl<O> Copy<O> {
    /// One whose first attempt begins.
    pub(crate) fn new(tuple: O) -> Self {
        Self { tuple, attempts: 1, only: None }
    }

    /// The number of the only task that gets it, in each attempt.
    pub(crate) fn only(&self) -> Option<usize> {
        self.only.map(|number| number.get() as usize - 1)
    }

    fn aim(&mut self, task: usize) {
        // No topology has as many tasks, so this is nobody still.
        let number = u32::try_from(task).unwrap_or(u32::MAX);
        self.only = NonZeroU32::new(number.saturating_add(1));
    }
}

/// Groves that are acked before the spout is told, so that their ids are still at hand.
const GROVES_AT_ONCE: usize = 64;

/// How a tree ended without success, or one attempt at it.
pub(crate) enum Ended<O, Id> {
    Failed(Id, Failure),
    /// It will be emitted again.
    Retrying,
    /// Given up; counts as acked.
    Dead {
        tree: Tree<O, Id>,
        why: Failure,
        tuple: Option<Record>,
    },
}

impl<O, Id> Trees<O, Id> {
    pub(crate) fn new(ledger: Rc<RefCell<Ledger>>, retry: Option<Retry>) -> Self {
        Self {
            ledger,
            retry,
            replays: true,
            ids: Vec::new(),
            copies: Vec::new(),
            open: Vec::new(),
            waiting: BTreeMap::new(),
            sequence: 0,
            acked: Vec::new(),
            spent: Vec::new(),
        }
    }

    /// From when on failed tuples are given up: a bolt that has finished must not get another.
    pub(crate) fn set_replays(&mut self, replays: bool) {
        self.replays = replays;
    }

    /// Whether the engine keeps copies and replays them.
    pub(crate) fn replays(&self) -> bool {
        self.retry.is_some()
    }

    /// Trees that have a ledger entry.
    pub(crate) fn pending(&self) -> usize {
        self.ledger.borrow().len()
    }

    /// How many more trees can have a ledger entry, at least.
    pub(crate) fn room(&self) -> usize {
        self.ledger.borrow().room()
    }

    /// Tuples that wait for their next attempt.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When the next attempt is due.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// A tuple whose next attempt is due.
    pub(crate) fn take_due(&mut self, now: Nanos) -> Option<(Id, Copy<O>)> {
        let entry = self.waiting.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Whether anything waits for another attempt.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The ids of the batch, to add some and [put them back](Trees::put_ids).
    pub(crate) fn take_ids(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.ids)
    }

    /// Puts the ids of the batch back.
    pub(crate) fn put_ids(&mut self, ids: Vec<Id>) {
        self.ids = ids;
    }

    /// Keeps a copy of the tuple that is added next.
    pub(crate) fn keep(&mut self, tuple: O) {
        self.copies.push(Copy::new(tuple));
    }

    /// The tuple that was added last goes to this task alone, in each attempt.
    pub(crate) fn aim_last(&mut self, task: usize) {
        if let Some(copy) = self.copies.last_mut() {
            copy.aim(task);
        }
    }

    /// Adds a tuple that can be emitted again.
    pub(crate) fn add_copy(&mut self, id: Id, copy: Copy<O>) -> Root {
        let replayed = copy.attempts > 1;
        self.copies.push(copy);
        self.ids.push(id);
        Root::provisional(self.ids.len() - 1, replayed)
    }

    /// Opens a tree for a tuple that is in no batch. There must be [room](Trees::room).
    pub(crate) fn open_one(&mut self, id: Id, copy: Copy<O>, epoch: u64, now: Nanos) -> Root {
        let mut ledger = self.ledger.borrow_mut();
        let root = ledger.open(epoch, now, copy.attempts > 1);
        if self.open.len() < ledger.blocks() {
            self.open.resize_with(ledger.blocks(), Kept::default);
        }
        let (block, slot) = (root.slot() / Grove::SLOTS, root.slot() % Grove::SLOTS);
        self.open[block].put(slot, std::iter::once(id), std::iter::once(copy));
        root
    }

    /// Number of tuples in the batch.
    pub(crate) fn batch_len(&self) -> usize {
        self.ids.len()
    }

    /// The batch has gone through the loop of the spout: what did not leave it has ended.
    #[inline]
    pub(crate) fn settle(
        &mut self,
        own: &mut Own,
        now: Nanos,
        latency: &Mutex<Histogram>,
        ended: impl FnMut(Ended<O, Id>),
    ) {
        let before = self.acked.len();
        if !own.failed.is_empty() {
            self.settle_some_failed(own, now, ended);
        } else if own.is_empty() {
            self.spent.append(&mut self.copies);
            if self.acked.is_empty() {
                std::mem::swap(&mut self.acked, &mut self.ids);
            } else {
                self.acked.append(&mut self.ids);
            }
        } else {
            self.settle_each(own);
        }
        let mut latency = latency.lock().unwrap_or_else(PoisonError::into_inner);
        latency.record(now - own.now, (self.acked.len() - before) as u64);
        own.runs.clear();
        own.roots.clear();
    }

    /// Nothing failed; some tuples, or all, are on their way elsewhere.
    fn settle_each(&mut self, own: &Own) {
        let blocks = self.ledger.borrow().blocks();
        if self.open.len() < blocks {
            self.open.resize_with(blocks, Kept::default);
        }
        // No ack of these was applied since they were opened: this loop does that later.
        let (mut ids, mut copies) = (self.ids.drain(..), self.copies.drain(..));
        for grove in own.runs.iter().flat_map(|run| Grove::of_run(run.first, run.count)) {
            let first = grove.block().slot() + grove.trees().trailing_zeros() as usize;
            let (ids, copies) = (ids.by_ref().take(grove.count()), copies.by_ref());
            let copies = copies.take(grove.count());
            self.open[first / Grove::SLOTS].put(first % Grove::SLOTS, ids, copies);
        }
        let roots = own.roots.iter().copied().chain(std::iter::repeat(Root::NONE));
        for (id, root) in ids.zip(roots) {
            let copy = copies.next();
            if root.is_none() {
                self.acked.push(id);
                self.spent.extend(copy);
                continue;
            }
            let (block, slot) = (root.slot() / Grove::SLOTS, root.slot() % Grove::SLOTS);
            self.open[block].put(slot, std::iter::once(id), copy.into_iter());
        }
    }

    #[cold]
    fn settle_some_failed(
        &mut self,
        own: &mut Own,
        now: Nanos,
        mut ended: impl FnMut(Ended<O, Id>),
    ) {
        let mut failed: BTreeMap<usize, Box<Fail>> = BTreeMap::new();
        for (index, fail) in own.failed.drain(..) {
            failed.entry(index).or_insert(fail);
        }
        let (roots, mut kept) = (own.take_roots(), Vec::new());
        let mut copies = std::mem::take(&mut self.copies).into_iter();
        for (index, id) in std::mem::take(&mut self.ids).into_iter().enumerate() {
            let copy = copies.next();
            let root = roots.get(index).copied().unwrap_or(Root::NONE);
            let Some(fail) = failed.remove(&index) else {
                kept.push(root);
                self.ids.push(id);
                self.copies.extend(copy);
                continue;
            };
            self.ledger.borrow_mut().fail(root);
            ended(self.fail_tree(Tree { id, copy }, *fail, now));
        }
        own.roots = kept;
        self.settle_each(own);
    }

    /// Applies acks of other loops, or some of them where they are many: for as long as any are
    /// left, it is to be called again, and the spout told meanwhile. `ended` may run code of the
    /// user, and that may look at the latencies.
    pub(crate) fn apply(
        &mut self,
        acks: &mut AckBatch,
        now: Nanos,
        latency: &Mutex<Histogram>,
        mut ended: impl FnMut(Ended<O, Id>),
    ) {
        for (root, fail) in acks.fails.drain(..) {
            if let Some(tree) = self.take_failed(root) {
                ended(self.fail_tree(tree, *fail, now));
            }
        }
        let mut latency = latency.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger.borrow_mut();
        // Neighbours were mostly opened together: one value of the histogram for each run.
        let (mut since, mut count) = (0, 0);
        let mut complete = |(block, trees, opened): Completed| {
            if opened != since {
                if count > 0 {
                    latency.record(now - since, count);
                }
                (since, count) = (opened, 0);
            }
            count += u64::from(trees.count_ones());
            self.open[block].complete(trees, &mut self.acked, &mut self.spent);
        };
        for (root, xor) in acks.xors.drain(..) {
            if let Applied::Complete { slot, opened } = ledger.apply(root, xor) {
                complete((slot / Grove::SLOTS, 1 << (slot % Grove::SLOTS), opened));
            }
        }
        for grove in acks.take_groves(GROVES_AT_ONCE) {
            ledger.apply_grove(*grove, &mut complete);
        }
        if count > 0 {
            latency.record(now - since, count);
        }
    }

    /// Fails every open tree from before an epoch, or from before a time.
    pub(crate) fn fail_overdue(
        &mut self,
        epoch: Option<u64>,
        opened: Option<Nanos>,
        why: &Failure,
        now: Nanos,
        mut ended: impl FnMut(Ended<O, Id>),
    ) {
        let overdue = self.ledger.borrow().overdue(epoch, opened);
        for root in overdue {
            if let Some(tree) = self.take_failed(root) {
                ended(self.fail_tree(tree, Fail { why: why.clone(), tuple: None }, now));
            }
        }
    }

    /// Fails everything for good: the topology stops.
    pub(crate) fn fail_all(&mut self, mut ended: impl FnMut(Ended<O, Id>)) {
        self.retry = None;
        let stopped = Failure::Stopped;
        // Of the batch that a panic interrupted, nothing is open under its own name yet.
        for id in self.ids.drain(..) {
            ended(Ended::Failed(id, stopped.clone()));
        }
        self.spent.append(&mut self.copies);
        self.fail_overdue(Some(u64::MAX), None, &stopped, 0, &mut ended);
    }

    /// Tuples whose attempts failed, but that were to be replayed when the topology stopped.
    pub(crate) fn abandon_waiting(&mut self) -> Vec<Id> {
        let waiting = std::mem::take(&mut self.waiting).into_values();
        let (ids, copies): (Vec<_>, Vec<_>) = waiting.unzip();
        self.spent.extend(copies);
        ids
    }

    fn take_failed(&mut self, root: Root) -> Option<Tree<O, Id>> {
        let slot = self.ledger.borrow_mut().fail(root)?;
        self.open.get_mut(slot / Grove::SLOTS)?.take(slot % Grove::SLOTS)
    }

    fn fail_tree(&mut self, tree: Tree<O, Id>, fail: Fail, now: Nanos) -> Ended<O, Id> {
        let Fail { why, tuple } = fail;
        if matches!(why, Failure::Poison(..)) {
            return Ended::Dead { tree, why, tuple };
        }
        let Some(retry) = self.retry else {
            self.spent.extend(tree.copy);
            return Ended::Failed(tree.id, why);
        };
        let Some(copy) = tree.copy else { return Ended::Failed(tree.id, why) };
        if copy.attempts >= retry.attempts_max || !self.replays {
            return Ended::Dead { tree: Tree { id: tree.id, copy: Some(copy) }, why, tuple };
        }
        if planted!(RetryForgotten, 16) {
            return Ended::Retrying;
        }
        let due = now.saturating_add(nanos(retry.backoff(copy.attempts)));
        self.sequence += 1;
        self.waiting.insert((due, self.sequence), (tree.id, copy));
        Ended::Retrying
    }
}
