//! The results of one bolt task: trees that it answers for as a spout does for its own.
//!
//! ```text
//!   begin --> staged --> readers --acks--> inbox --> complete --> holds that waited are acked
//!     ^                                      |
//!     '------- again, after a wait ------- failed --> dead letter, when all attempts are used
//! ```

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tormenta_dsl::{Epoch, Error, Failure, Holds, Retry, Root, Streams, engine};

use super::{
    guard::message,
    in_order::InOrder,
    shared::LoopShared,
    spout_trees::{Copy, Ended, Trees},
};
use crate::{
    acker::{
        acks::{AckBatch, AckInbox},
        consumed::Consumed,
        ledger::Ledger,
    },
    build::AckEnd,
    channel::queue::Receiver,
    clock::Nanos,
    limits,
    metrics::{Histogram, task::TaskStats},
    report::{DeadLetter, Phase},
};

/// A result that is emitted again.
pub(super) type Again<O> = (Root, Result<O, Failure>);

/// The results of one task that are not complete.
pub(crate) struct Results<O: Streams> {
    inbox: AckInbox,
    acks: Receiver<AckBatch>,
    shared: Rc<LoopShared>,
    stats: Arc<TaskStats>,
    /// Of the component, in topological order.
    position: usize,
    trees: RefCell<Trees<O, u64>>,
    order: RefCell<InOrder<Holds<O>>>,
    /// First edges of trees. They are consumed when what was emitted has left the task.
    pub(super) begun: RefCell<Consumed>,
    /// The time that is taken for now, until what was emitted leaves.
    moment: RefCell<Option<(Nanos, Epoch)>>,
    next_check: Cell<Nanos>,
    /// Results that wait for another attempt are a duty, so that nobody takes that for quiet.
    duties: Arc<AtomicU64>,
    is_waiting: Cell<bool>,
    /// Trees of this task that its counter knows of.
    pending: Cell<u64>,
    latency: Mutex<Histogram>,
}

impl<O: Streams> Results<O> {
    pub(crate) fn new(
        (owner, inbox, acks): AckEnd,
        retry: Retry,
        shared: Rc<LoopShared>,
        stats: Arc<TaskStats>,
        position: usize,
    ) -> Rc<Self> {
        let ledger = Rc::new(RefCell::new(Ledger::new(owner)));
        let duties = Arc::<AtomicU64>::default();
        stats.duty.watch(inbox.given.clone());
        stats.duty.watch(duties.clone());
        Rc::new(Self {
            inbox,
            acks,
            shared,
            stats,
            position,
            trees: RefCell::new(Trees::new(ledger, Some(retry))),
            order: RefCell::default(),
            begun: RefCell::default(),
            moment: RefCell::default(),
            next_check: Cell::new(0),
            duties,
            is_waiting: Cell::new(false),
            pending: Cell::new(0),
            latency: Mutex::default(),
        })
    }

    /// Takes in what was acked and failed, and acks what waited for it. Results that are due go to
    /// `again`, with the epoch that they belong to. Returns the duties that are fulfilled but for
    /// the flush.
    pub(super) fn take_in(&self, may_replay: bool, mut again: impl FnMut(&Epoch, Again<O>)) -> u64 {
        if self.acks.is_empty() && self.pending.get() == 0 && !self.is_waiting.get() {
            return 0;
        }
        let now = self.shared.now();
        let mut trees = self.trees.borrow_mut();
        trees.set_replays(may_replay);
        let mut done = 0;
        while let Some(mut batch) = self.acks.try_recv() {
            loop {
                trees.apply(&mut batch, now, &self.latency, |ended| self.ended(ended));
                if batch.is_taken() {
                    break;
                }
            }
            self.inbox.recycle(batch);
            done += 1;
        }
        self.fail_lost(&mut trees, now);
        let mut order = self.order.borrow_mut();
        trees.acked.drain(..).for_each(|number| order.end(number));
        drop(order);
        self.drop_spent(&mut trees);
        while let Some((number, mut copy)) = trees.take_due(now) {
            copy.attempts += 1;
            let tuple = self.guarded("cloned", || copy.tuple.clone());
            self.stats.replayed.add(1);
            let (now, epoch) = self.moment();
            let root = trees.open_one(number, copy, epoch.number(), now);
            self.begun.borrow_mut().add_opened(root, 1);
            let failed = |why| Failure::Panic(self.stats.place.clone(), why);
            again(&epoch, (root, tuple.map_err(failed)));
        }
        done += self.follow(&trees);
        drop(trees);
        self.release();
        done
    }

    /// When there is something to do though no ack comes.
    pub(super) fn next_due(&self) -> Nanos {
        let retry = self.trees.borrow().next_due().unwrap_or(Nanos::MAX);
        let check = if self.pending.get() > 0 { self.next_check.get() } else { Nanos::MAX };
        retry.min(check)
    }

    /// What was emitted has left: nothing keeps the epoch that it was given.
    pub(super) fn forget_moment(&self) {
        self.moment.take();
    }

    /// The topology stops: what waited for results fails.
    pub(super) fn abandon(&self) -> u64 {
        let mut trees = self.trees.borrow_mut();
        trees.fail_all(|_| {});
        trees.abandon_waiting();
        self.drop_spent(&mut trees);
        let done = self.follow(&trees);
        drop(trees);
        let waiting: Vec<_> = self.order.borrow_mut().take_all().collect();
        for holds in waiting {
            self.count_held(&holds);
            holds.fail("the topology stops before the results of this tuple were complete");
        }
        done
    }

    /// Once an epoch: fails what was lost.
    fn fail_lost(&self, trees: &mut Trees<O, u64>, now: Nanos) {
        if now < self.next_check.get() || trees.pending() == 0 {
            return;
        }
        self.next_check.set(now + limits::EPOCH.as_nanos() as Nanos);
        let floor = self.shared.engine.epochs.floor_of_results(now, self.position);
        trees.fail_overdue(Some(floor), None, &Failure::Lost, now, |ended| self.ended(ended));
    }

    fn ended(&self, ended: Ended<O, u64>) {
        match ended {
            Ended::Retrying => {}
            Ended::Failed(number, _) => self.order.borrow_mut().end(number),
            Ended::Dead { tree, why, tuple } => {
                let copy = tree.copy.as_ref();
                let shown = |copy: &Copy<O>| self.guarded("shown", || copy.tuple.to_record().ok());
                let place = why.place();
                let letter = DeadLetter {
                    spout: self.stats.place.component.to_string(),
                    component: place.map(|place| place.component.to_string()),
                    task: place.map(|place| place.task),
                    error: why.to_string(),
                    attempts: copy.map_or(1, |copy| copy.attempts),
                    tuple: tuple.or_else(|| copy.and_then(|copy| shown(copy).ok().flatten())),
                    input: None,
                };
                self.stats.dead_letters.add(1);
                self.shared.engine.give_up(&self.stats.place, Phase::Acked, &letter);
                let _ = self.guarded("dropped", || drop(tree.copy));
                self.order.borrow_mut().end(tree.id);
            }
        }
    }

    /// Acks what has no result left to wait for.
    fn release(&self) {
        loop {
            // Whoever is told of an ack may do as he likes, so nothing is borrowed.
            let Some(holds) = self.order.borrow_mut().take() else { return };
            self.count_held(&holds);
            holds.ack();
        }
    }

    /// While they waited they did not count as held: a result that is open is what counts then.
    fn count_held(&self, holds: &Holds<O>) {
        self.stats.duty.held.fetch_add(holds.sets(), Ordering::Relaxed);
    }

    /// Lets others know what there is. Returns the duties that are fulfilled but for the flush.
    fn follow(&self, trees: &Trees<O, u64>) -> u64 {
        // First that there is something to come, then that a tree is open no more: nobody shall
        // overlook what waits in between.
        let is_waiting = trees.has_waiting();
        let was_waiting = self.is_waiting.replace(is_waiting);
        if is_waiting && !was_waiting {
            self.duties.fetch_add(1, Ordering::SeqCst);
        }
        let (pending, before) = (trees.pending() as u64, self.pending.get());
        if pending != before {
            // Clones of a bolt have one counter.
            self.stats.pending.show(self.stats.pending.get() + pending - before);
            self.pending.set(pending);
        }
        u64::from(was_waiting && !is_waiting)
    }

    fn moment(&self) -> (Nanos, Epoch) {
        let mut moment = self.moment.borrow_mut();
        let new = || {
            let now = self.shared.now();
            (now, self.shared.engine.epochs.current(now))
        };
        moment.get_or_insert_with(new).clone()
    }

    /// Runs the user's code for a result that the engine keeps.
    fn guarded<T>(&self, done: &str, user_code: impl FnOnce() -> T) -> Result<T, String> {
        catch_unwind(AssertUnwindSafe(user_code)).map_err(|panic| {
            let message = message(&*panic);
            let why = format!("the copy of a result panicked when it was {done}: {message}");
            self.shared.engine.report(&self.stats.place, None, &Error::msg(why));
            message
        })
    }

    /// Drops the copies that nobody needs any more, also those after one that panics.
    fn drop_spent(&self, trees: &mut Trees<O, u64>) {
        while !trees.spent.is_empty() {
            let _ = self.guarded("dropped", || {
                while let Some(copy) = trees.spent.pop() {
                    drop(copy);
                }
            });
        }
    }
}

/// Where the engine breaks nobody stops the task.
impl<O: Streams> Drop for Results<O> {
    fn drop(&mut self) {
        for holds in self.order.take().take_all() {
            self.count_held(&holds);
        }
    }
}

impl<O: Streams> engine::Results<O> for Results<O> {
    fn begin(&self, result: &O) -> Option<(Root, Epoch)> {
        if self.trees.borrow().room() == 0 {
            return None;
        }
        let copy = Copy::new(result.clone());
        let (now, epoch) = self.moment();
        let number = self.order.borrow_mut().begin();
        let mut trees = self.trees.borrow_mut();
        let root = trees.open_one(number, copy, epoch.number(), now);
        self.begun.borrow_mut().add_opened(root, 1);
        self.follow(&trees);
        Some((root, epoch))
    }

    fn ack_after(&self, mut holds: Holds<O>) {
        if holds.is_empty() {
            return holds.ack();
        }
        let held: &AtomicUsize = &self.stats.duty.held;
        held.fetch_sub(holds.sets(), Ordering::Relaxed);
        holds.park(self.position);
        self.order.borrow_mut().wait(holds);
        self.release();
    }
}
