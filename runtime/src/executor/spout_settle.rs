//! How a spout hears what became of its tuples: acks, failures, deadlines, dead letters.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::Ordering,
};

use tormenta_dsl::{BadInput, Error, Failure, Spout, Streams, record::Record};

use super::{
    guard::message,
    spout_stage::{SpoutStage, Told},
    spout_trees::{Copy, Ended, Tree, Trees},
};
use crate::{
    clock::{Nanos, nanos},
    limits,
    report::{DeadLetter, Phase},
};

impl<S: Spout> SpoutStage<S> {
    pub(super) fn settle_batch(&self, spout: &mut S) {
        let mut trees = self.trees.borrow_mut();
        self.parts.output.forget_epoch();
        self.parts.stats.emitted.set(self.parts.output.emitted());
        if trees.batch_len() == 0 {
            self.may_be_slow.set(!self.parts.settings.tracked); // nobody knows how long it took
            return;
        }
        let now = self.parts.shared.now();
        let mut acks = self.parts.shared.acks.borrow_mut();
        let Some(own) = &mut acks.own else { return };
        let slow = (limits::SLOW_TUPLE.as_nanos() as Nanos) * trees.batch_len() as Nanos;
        self.may_be_slow.set(now - own.now >= slow);
        let mut count = Count::default();
        let latency = &self.parts.stats.latency;
        trees.settle(own, now, latency, |ended| count.end(spout, ended, self));
        drop(acks);
        self.tell_acked(spout, &mut trees, &mut count, now);
        self.publish(&count, &trees);
        drop(trees);
        self.raise();
        self.restarts.set(0);
    }

    pub(super) fn drain_acks(&self, spout: &mut S) {
        #[cfg(feature = "planted-bugs")]
        crate::faults::may_break(crate::faults::Breach::Spout);
        if self.parts.acks.is_empty() {
            return;
        }
        let now = self.parts.shared.now();
        let mut count = Count::default();
        let mut trees = self.trees.borrow_mut();
        while let Some(mut batch) = self.parts.acks.try_recv() {
            loop {
                let latency = &self.parts.stats.latency;
                trees.apply(&mut batch, now, latency, |ended| count.end(spout, ended, self));
                self.tell_acked(spout, &mut trees, &mut count, now);
                if batch.is_taken() {
                    break;
                }
            }
            self.parts.inbox.recycle(batch);
            self.applied.set(self.applied.get() + 1);
        }
        self.publish(&count, &trees);
        drop(trees);
        self.raise();
    }

    /// Tells the spout which trees completed, with one guard for all of them.
    fn tell_acked(
        &self,
        spout: &mut S,
        trees: &mut Trees<S::Output, S::Id>,
        count: &mut Count,
        now: Nanos,
    ) {
        count.acked += trees.acked.len() as u64;
        let mut ids = trees.acked.drain(..);
        if self.panic.borrow().is_none() {
            let _inside = self.enter(Phase::Acked, now);
            let tell = || ids.by_ref().for_each(|id| spout.acked(id));
            if let Err(panic) = catch_unwind(AssertUnwindSafe(tell)) {
                *self.panic.borrow_mut() = Some(panic);
            }
        }
        self.untold.borrow_mut().extend(ids.map(Told::Acked));
        self.drop_spent(trees);
    }

    /// Drops the copies that nobody needs any more, also those after one that panics.
    fn drop_spent(&self, trees: &mut Trees<S::Output, S::Id>) {
        while !trees.spent.is_empty() {
            self.guarded("dropped", || {
                while let Some(copy) = trees.spent.pop() {
                    drop(copy);
                }
            });
        }
    }

    /// Runs the user's code for a tuple that the engine keeps. It is no code of the spout, which
    /// goes on if it panics.
    fn guarded<T>(&self, done: &str, user_code: impl FnOnce() -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(user_code));
        outcome.map_err(|panic| self.report_copy(done, &message(&*panic))).ok()
    }

    /// A clone of a copy that is emitted again. If that panics, this attempt has failed.
    pub(super) fn clone_copy(&self, tuple: &S::Output) -> Result<S::Output, Failure> {
        catch_unwind(AssertUnwindSafe(|| tuple.clone())).map_err(|panic| {
            let message = message(&*panic);
            self.report_copy("cloned", &message);
            Failure::Panic(self.parts.stats.place.clone(), message)
        })
    }

    #[cold]
    fn report_copy(&self, done: &str, message: &str) {
        let why = format!("the copy of a tuple panicked when it was {done}: {message}");
        self.parts.shared.engine.report(&self.parts.stats.place, None, &Error::msg(why));
    }

    /// Tells the spout how a tree ended. If it panics, the next one is told the rest.
    #[inline]
    pub(super) fn tell(&self, spout: &mut S, told: Told<S::Id>) {
        if self.panic.borrow().is_some() {
            return self.untold.borrow_mut().push(told);
        }
        let _inside = self.enter(Phase::Acked, self.parts.shared.now());
        let outcome = catch_unwind(AssertUnwindSafe(|| match told {
            Told::Acked(id) => spout.acked(id),
            Told::Failed(id, why) => spout.failed(id, why),
        }));
        if let Err(panic) = outcome {
            *self.panic.borrow_mut() = Some(panic);
        }
    }

    /// Tells a new spout what the last one did not live to hear.
    pub(super) fn tell_rest(&self, spout: &mut S) {
        for told in self.untold.take() {
            self.tell(spout, told);
        }
        self.raise();
    }

    /// Lets a panic go on, now that the books are in order.
    pub(super) fn raise(&self) {
        let panic = self.panic.take();
        if let Some(panic) = panic {
            self.phase.set(Phase::Acked);
            resume_unwind(panic);
        }
    }

    /// Shows what has ended. A tree that failed and is to be replayed is open no more, and shall
    /// not be overlooked: that the spout has more to emit is shown before it.
    fn publish(&self, count: &Count, trees: &Trees<S::Output, S::Id>) {
        let stats = &self.parts.stats;
        if trees.has_waiting() {
            stats.duty.exhausted.store(false, Ordering::SeqCst);
        }
        stats.acked.add(count.acked);
        stats.failed.add(count.failed);
        stats.dead_letters.add(count.dead);
        stats.pending.show(trees.pending() as u64);
    }

    /// Once an epoch: fails what was lost, and what is too old where age matters.
    pub(super) fn check_deadlines(&self, spout: &mut S) {
        let now = self.parts.shared.now();
        if now < self.next_check.get() {
            return;
        }
        let timeout = self.parts.settings.message_timeout.map(nanos);
        let step = timeout.map_or(Nanos::MAX, |t| (t / 4).max(1_000_000));
        self.next_check.set(now + step.min(limits::EPOCH.as_nanos() as Nanos));
        // Also where nothing is open: it is what forgets the epochs that have passed.
        let floor = self.parts.shared.engine.epochs.floor(now);
        let mut trees = self.trees.borrow_mut();
        if trees.pending() == 0 {
            return;
        }
        let mut count = Count::default();
        trees.fail_overdue(Some(floor), None, &Failure::Lost, now, |ended| {
            count.end(spout, ended, self);
        });
        if let Some(timeout) = timeout {
            let before = Some(now.saturating_sub(timeout));
            trees.fail_overdue(None, before, &Failure::TimedOut, now, |ended| {
                count.end(spout, ended, self);
            });
        }
        self.publish(&count, &trees);
        drop(trees);
        self.raise();
    }

    /// The topology stops: what is open fails, so that every tuple has ended one way.
    /// A spout that is not prepared is not told.
    pub(super) fn abandon(&self, mut spout: Option<&mut S>) {
        let mut trees = self.trees.borrow_mut();
        let mut count = Count::default();
        trees.fail_all(|ended| match &mut spout {
            Some(spout) => count.end(&mut **spout, ended, self),
            None => count.failed += 1,
        });
        // Their attempts were counted when they failed.
        for id in trees.abandon_waiting() {
            if let Some(spout) = &mut spout {
                self.tell(spout, Told::Failed(id, Failure::Stopped));
            }
        }
        self.drop_spent(&mut trees);
        self.parts.stats.emitted.set(self.parts.output.emitted());
        self.publish(&count, &trees);
        drop(trees);
        self.raise();
    }

    fn dead_letter(&self, tree: &Tree<S::Output, S::Id>, why: &Failure, tuple: Option<Record>) {
        let place = why.place();
        let shown = |copy: &Copy<S::Output>| self.guarded("shown", || copy.tuple.to_record().ok());
        let root = || tree.copy.as_ref().and_then(shown).flatten();
        let letter = DeadLetter {
            spout: self.parts.stats.place.component.to_string(),
            component: place.map(|place| place.component.to_string()),
            task: place.map(|place| place.task),
            error: why.to_string(),
            attempts: tree.copy.as_ref().map_or(1, |copy| copy.attempts),
            tuple: tuple.or_else(root),
            input: None,
        };
        self.parts.shared.engine.give_up(&self.parts.stats.place, Phase::Acked, &letter);
    }

    /// The spout could not make a tuple of a piece of its input.
    #[cold]
    pub(super) fn give_up(&self, why: &Error) {
        let stats = &self.parts.stats;
        stats.dead_letters.add(1);
        let letter = DeadLetter {
            spout: stats.place.component.to_string(),
            component: Some(stats.place.component.to_string()),
            task: Some(stats.place.task),
            error: why.chain(),
            attempts: 0,
            tuple: None,
            input: BadInput::find(why).map(|bad| bad.input().clone()),
        };
        self.parts.shared.engine.give_up(&stats.place, Phase::Next, &letter);
    }
}

/// Ends of trees, counted for one batch.
#[derive(Default)]
struct Count {
    acked: u64,
    failed: u64,
    dead: u64,
}

impl Count {
    #[inline]
    fn end<S: Spout>(
        &mut self,
        spout: &mut S,
        ended: Ended<S::Output, S::Id>,
        stage: &SpoutStage<S>,
    ) {
        match ended {
            Ended::Failed(id, why) => {
                self.failed += 1;
                stage.tell(spout, Told::Failed(id, why));
            }
            Ended::Retrying => self.failed += 1,
            Ended::Dead { tree, why, tuple } => {
                self.acked += 1;
                self.dead += 1;
                stage.dead_letter(&tree, &why, tuple);
                stage.tell(spout, Told::Acked(tree.id));
                stage.guarded("dropped", || drop(tree.copy));
            }
        }
    }
}
