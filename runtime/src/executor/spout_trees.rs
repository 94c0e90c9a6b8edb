//! The trees of one spout task: from emitted to acked, failed, replayed or given up. Pure.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use tormenta_dsl::{Failure, Retry, Root, record::Record};

use crate::{
    acker::{
        acks::{AckBatch, Fail, Own},
        ledger::{Applied, Ledger},
    },
    clock::Nanos,
    metrics::Histogram,
};

/// The trees of one spout task that have not ended.
pub(crate) struct Trees<O, Id> {
    ledger: Rc<RefCell<Ledger>>,
    retry: Option<Retry>,
    /// Tuples of the batch that is being filled, in the order of their provisional roots.
    batch: Vec<Tree<O, Id>>,
    /// Trees that have a ledger entry, by slot.
    open: Vec<Option<Tree<O, Id>>>,
    /// Failed tuples that wait for their next attempt, by the time at which it is due.
    waiting: BTreeMap<(Nanos, u64), Tree<O, Id>>,
    sequence: u64,
}

/// What is remembered of a tuple until its tree ends.
pub(crate) struct Tree<O, Id> {
    pub(crate) id: Id,
    /// The tuple and the number of attempts made, where the engine replays it.
    pub(crate) copy: Option<Box<Copy<O>>>,
}

/// A tuple that can be emitted again.
#[derive(Clone)]
pub(crate) struct Copy<O> {
    pub(crate) tuple: O,
    pub(crate) attempts: u32,
}

/// How a tree ended, or one attempt at it.
pub(crate) enum Ended<O, Id> {
    Acked(Id),
    Failed(Id, Failure),
    /// It will be emitted again.
    Retrying,
    /// Given up; counts as acked.
    Dead { tree: Tree<O, Id>, why: Failure, tuple: Option<Record> },
}

impl<O, Id> Trees<O, Id> {
    pub(crate) fn new(ledger: Rc<RefCell<Ledger>>, retry: Option<Retry>) -> Self {
        Self {
            ledger,
            retry,
            batch: Vec::new(),
            open: Vec::new(),
            waiting: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Trees that have a ledger entry.
    pub(crate) fn pending(&self) -> usize {
        self.ledger.borrow().len()
    }

    /// When the next attempt is due.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// A tuple whose next attempt is due.
    pub(crate) fn take_due(&mut self, now: Nanos) -> Option<Tree<O, Id>> {
        let entry = self.waiting.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Whether anything waits for another attempt.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Adds a tuple to the batch; returns its root for as long as it is in this loop.
    #[inline]
    pub(crate) fn add(&mut self, tree: Tree<O, Id>) -> Root {
        let replayed = tree.copy.as_ref().is_some_and(|copy| copy.attempts > 1);
        self.batch.push(tree);
        Root::provisional(self.batch.len() - 1, replayed)
    }

    /// Number of tuples in the batch.
    pub(crate) fn batch_len(&self) -> usize {
        self.batch.len()
    }

    /// The batch has gone through the loop of the spout: what did not leave it has ended.
    #[inline]
    pub(crate) fn settle(
        &mut self,
        own: &mut Own,
        now: Nanos,
        latency: &mut Histogram,
        mut ended: impl FnMut(Ended<O, Id>),
    ) {
        if own.failed.is_empty() && own.roots.is_empty() {
            latency.record(now - own.now, self.batch.len() as u64);
            self.batch.drain(..).for_each(|tree| ended(Ended::Acked(tree.id)));
            return;
        }
        let mut failed: BTreeMap<usize, Box<Fail>> = BTreeMap::new();
        for (index, fail) in own.failed.drain(..) {
            failed.entry(index).or_insert(fail);
        }
        let mut batch = std::mem::take(&mut self.batch);
        for (index, tree) in batch.drain(..).enumerate() {
            let root = own.roots.get(index).copied().filter(|root| !root.is_none());
            match (failed.remove(&index), root) {
                (Some(fail), root) => {
                    if let Some(root) = root {
                        self.ledger.borrow_mut().fail(root);
                    }
                    ended(self.fail_tree(tree, *fail, now));
                }
                (None, None) => {
                    latency.record(now - own.now, 1);
                    ended(Ended::Acked(tree.id));
                }
                (None, Some(root)) => match self.ledger.borrow_mut().settle(root) {
                    Applied::Open => put(&mut self.open, root.slot(), tree),
                    _ => {
                        latency.record(now - own.now, 1);
                        ended(Ended::Acked(tree.id));
                    }
                },
            }
        }
        self.batch = batch;
        own.roots.clear();
    }

    /// Applies acks of other loops.
    pub(crate) fn apply(
        &mut self,
        acks: &mut AckBatch,
        now: Nanos,
        latency: &mut Histogram,
        mut ended: impl FnMut(Ended<O, Id>),
    ) {
        for (root, fail) in acks.fails.drain(..) {
            if let Some(tree) = self.take_failed(root) {
                ended(self.fail_tree(tree, *fail, now));
            }
        }
        let mut ledger = self.ledger.borrow_mut();
        for (root, xor) in &acks.xors {
            if let Applied::Complete { slot, opened } = ledger.apply(*root, *xor) {
                latency.record(now - opened, 1);
                if let Some(tree) = self.open[slot].take() {
                    ended(Ended::Acked(tree.id));
                }
            }
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
        self.fail_overdue(Some(u64::MAX), None, &stopped, 0, &mut ended);
    }

    /// Tuples whose attempts failed, but that were to be replayed when the topology stopped.
    pub(crate) fn abandon_waiting(&mut self) -> impl Iterator<Item = Tree<O, Id>> {
        std::mem::take(&mut self.waiting).into_values()
    }

    fn take_failed(&mut self, root: Root) -> Option<Tree<O, Id>> {
        let slot = self.ledger.borrow_mut().fail(root)?;
        self.open[slot].take()
    }

    fn fail_tree(&mut self, tree: Tree<O, Id>, fail: Fail, now: Nanos) -> Ended<O, Id> {
        let Fail { why, tuple } = fail;
        if matches!(why, Failure::Poison(..)) {
            return Ended::Dead { tree, why, tuple };
        }
        let (Some(retry), Some(copy)) = (self.retry, &tree.copy) else {
            return Ended::Failed(tree.id, why);
        };
        let attempts = copy.attempts;
        if attempts >= retry.attempts_max {
            return Ended::Dead { tree, why, tuple };
        }
        let due = now + retry.backoff(attempts).as_nanos() as Nanos;
        self.sequence += 1;
        self.waiting.insert((due, self.sequence), tree);
        Ended::Retrying
    }
}

fn put<T>(slots: &mut Vec<Option<T>>, slot: usize, value: T) {
    if slot >= slots.len() {
        slots.resize_with(slot + 1, || None);
    }
    slots[slot] = Some(value);
}
