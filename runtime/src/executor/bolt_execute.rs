//! How a stage executes a batch: tuple after tuple, with the user's failures kept to each.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context as Waking, Poll},
};

use tormenta_dsl::{
    Bolt, Error, Failure, Result, Root, Streams,
    engine::{Anchors, Batch, Flush, Roots},
};

use super::{
    bolt_stage::{BoltStage, Ended, OwnDuty},
    inlet::Inlet,
    user_code::Inside,
};
use crate::{
    clock::{Alarm, Nanos, nanos},
    limits, planted,
    report::Phase,
};

impl<B: Bolt> BoltStage<B> {
    pub(super) async fn execute_batch(&self, bolt: &mut B) -> Result<(), Ended> {
        let shared = &self.parts.shared;
        let started = shared.now();
        if let Some(work) = &*self.work.borrow() {
            self.parts.output.lower(work.batch.epoch.as_ref());
            let is_turn = self.parts.crew.is_turn(work.number) || planted!(OutOfTurn);
            self.parts.output.set_closed(!is_turn);
        }
        let mut batch = self.take_batch();
        self.waited.set(0);
        self.execute_each(bolt, &mut batch, started).await?;
        let mut executed = None;
        poll_fn(|cx| {
            let flushed = self.poll_flush(cx, Flush::Full);
            if flushed.is_pending() {
                executed.get_or_insert_with(|| shared.now());
            }
            flushed
        })
        .await;
        self.parts.output.forget_epoch();
        let now = shared.now();
        // To wait for a reader is no work.
        let busy = (executed.unwrap_or(now) - started).saturating_sub(self.waited.get());
        self.parts.stats.worked(busy, now);
        self.end_batch(batch, now - started);
        self.restarts.set(0);
        Ok(())
    }

    pub(super) fn take_batch(&self) -> Batch<B::Input> {
        let mut work = self.work.borrow_mut();
        work.as_mut().map(|work| std::mem::take(&mut work.batch)).unwrap_or_default()
    }

    /// Gives back buffer and credit.
    pub(super) fn end_batch(&self, batch: Batch<B::Input>, took: Nanos) {
        let Some(mut work) = self.work.take() else { return };
        self.parts.crew.pass_turn(work.number);
        self.parts.output.set_closed(false);
        work.batch = batch;
        let stats = &self.parts.stats;
        let miscounted = usize::from(planted!(Miscounted, 64));
        stats.executed.add((work.tuples() - miscounted) as u64);
        stats.acked.set(stats.executed.get().saturating_sub(stats.failed.get()));
        // The clones of a task work side by side, and each needs a tuple to work on. Who waits for
        // credit is woken at half the window, so that is what all of them need.
        let clones = self.parts.settings.concurrency.limit();
        let mut window = self.pace.borrow_mut().observe(work.tuples() * clones, took);
        if clones > 1 {
            window.tuples = window.tuples.max(2 * clones);
        }
        let duties = self.parts.inlet.consumed(work, window);
        self.unflushed.set(self.unflushed.get() + duties);
    }

    /// Executes tuple after tuple. What a panic leaves goes back to where it was taken from.
    pub(super) async fn execute_each(
        &self,
        bolt: &mut B,
        batch: &mut Batch<B::Input>,
        started: Nanos,
    ) -> Result<(), Ended> {
        let mut rest = Rest::new(self, batch, started);
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        self.executing.set(true);
        while let Some(tuple) = rest.begin_next() {
            let mut execute = pin!(bolt.execute(tuple, &self.anchored));
            // Most executes do not wait: the real waker is fetched for those that do.
            let result = match execute.as_mut().poll(&mut noop) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    rest.leave();
                    match self.execute_slowly(execute).await {
                        Ok(result) => {
                            rest.enter_again();
                            result
                        }
                        Err(why) => {
                            self.executing.set(false);
                            rest.skip_ack();
                            self.fail_current(&why);
                            return Err(Ended::Stuck);
                        }
                    }
                }
            };
            if let Err(why) = result {
                rest.skip_ack();
                self.fail_with(&why);
            }
        }
        self.executing.set(false);
        Ok(())
    }

    /// Goes on with an execute that has to wait, but not for ever.
    #[cold]
    pub(super) async fn execute_slowly<F>(
        &self,
        mut execute: Pin<&mut F>,
    ) -> Result<F::Output, Failure>
    where
        F: Future<Output = Result>,
    {
        let shared = &self.parts.shared;
        let limit = self.parts.settings.execute_timeout;
        let limit = limit.map_or(Nanos::MAX, nanos);
        let mut due = shared.now().saturating_add(limit);
        self.parts.stats.duty.set_executing_since(Some(shared.now()));
        let mut alarm = Alarm::default();
        // The first poll was elsewhere: if it waited for a reader, that is still to be seen.
        let mut waits_since = self.parts.output.take_has_waited().then(|| shared.now());
        let result = poll_fn(|cx| {
            let number = self.work.borrow().as_ref().and_then(|work| work.number);
            self.parts.output.set_closed(!self.parts.crew.is_turn(number));
            let now = shared.now();
            if let Some(since) = waits_since.take() {
                self.waited.set(self.waited.get() + (now - since));
            }
            let inside = self.enter(Phase::Execute, now);
            if let Poll::Ready(result) = execute.as_mut().poll(cx) {
                return Poll::Ready(Ok(result));
            }
            drop(inside);
            if shared.engine.control.are_bolts_stopped() {
                return Poll::Ready(Err(Failure::Stopped));
            }
            if self.parts.output.take_has_waited() && !planted!(ReaderMakesStuck) {
                due = shared.now().saturating_add(limit); // to wait for a reader is no failure
                waits_since = Some(shared.now());
            }
            self.take_results();
            self.take_settled();
            let expiry = self.expire_due();
            let _ = self.poll_flush(cx, Flush::All);
            if shared.now() >= due {
                return Poll::Ready(Err(Failure::Stuck(self.parts.stats.place.clone())));
            }
            alarm.set(&shared.timers, due.min(expiry).min(self.results_due()), cx);
            Poll::Pending
        })
        .await;
        self.parts.stats.duty.set_executing_since(None);
        result
    }

    /// Takes note of the tuple that is executed next.
    #[inline(always)]
    pub(super) fn begin(&self, root: Root, tuple: &B::Input, anchors: &[Anchors]) {
        self.parts.output.set_root(root);
        if root.is_many() || root.is_replayed() {
            self.begin_specially(root, tuple, anchors);
        }
    }

    #[cold]
    fn begin_specially(&self, root: Root, tuple: &B::Input, anchors: &[Anchors]) {
        if root.is_many() {
            let anchors = &anchors[root.index()];
            let roots = anchors.iter().map(|(root, _)| *root);
            self.parts.output.set_anchors(roots, root.is_replayed());
            self.anchors.borrow_mut().clone_from(anchors);
        }
        if root.is_replayed() {
            *self.copy.borrow_mut() = tuple.to_record().ok();
        }
    }

    #[cold]
    pub(super) fn fail_with(&self, why: &Error) {
        let place = self.parts.stats.place.clone();
        if self.may_report() {
            self.parts.shared.engine.report(&place, Some(Phase::Execute), why);
        }
        let failure = if why.is_poison() {
            Failure::Poison(place, why.chain())
        } else {
            Failure::Error(place, why.chain())
        };
        self.fail_current(&failure);
    }

    /// The first errors of an interval are reported; after those, failures only count.
    fn may_report(&self) -> bool {
        let (since, reported) = self.reported.get();
        let now = self.parts.shared.now();
        if now >= since + limits::ERROR_INTERVAL.as_nanos() as Nanos {
            self.reported.set((now, 1));
            return true;
        }
        self.reported.set((since, reported + 1));
        reported < limits::ERRORS_PER_INTERVAL
    }

    pub(super) fn fail_current(&self, why: &Failure) {
        let root = self.parts.output.root();
        if self.parts.output.count_failure() {
            self.parts.stats.failed.add(1);
        }
        // What is left may be of a replayed tuple that did not fail.
        let copy = self.copy.take().filter(|_| root.is_replayed());
        if root.is_many() {
            let anchors = self.anchors.borrow();
            self.parts.shared.fail(anchors.iter().map(|(root, _)| *root), why, copy.as_ref());
        } else {
            self.parts.shared.fail([root], why, copy.as_ref());
        }
    }

    /// Fails the trees of the tuples at whose key or grouping user code panicked.
    fn fail_broken(&self, why: &Failure) {
        let broken = self.parts.output.take_broken();
        self.parts.shared.fail_batch(&broken, why);
    }

    pub(super) fn panicked(&self, message: &str) {
        let place = self.parts.stats.place.clone();
        let phase = match self.at_duty.get() {
            _ if self.executing.get() => Phase::Execute,
            _ if self.idling.take() => Phase::Idle,
            Some(OwnDuty::Tick) => Phase::Tick,
            Some(OwnDuty::Finish) => Phase::Finish,
            None => Phase::Prepare,
        };
        let why = Error::msg(format!("panicked: {message}"));
        self.parts.shared.engine.report(&place, Some(phase), &why);
        self.count_restart();
        self.parts.stats.duty.set_executing_since(None);
        self.fail_broken(&Failure::Panic(place.clone(), message.to_owned()));
        self.break_own_duty_off();
        if !self.executing.replace(false) {
            return;
        }
        if planted!(PanicAcks) {
            return;
        }
        self.fail_current(&Failure::Panic(place, message.to_owned()));
    }

    pub(super) fn count_restart(&self) {
        self.restarts.set(self.restarts.get() + 1);
        self.parts.stats.restarts.add(1);
    }
}

/// A batch that is being executed. When user code panics or gets stuck, the tuples that are not
/// begun yet go back.
struct Rest<'a, B: Bolt> {
    stage: &'a BoltStage<B>,
    values: std::vec::Drain<'a, B::Input>,
    roots: &'a mut Roots,
    anchors: &'a [Anchors],
    /// Whether every root comes after the one before, and needs no more than to be named.
    is_plain: bool,
    /// Whether every tuple is an edge of its tree: inside a fused loop nothing counts them.
    is_counted: bool,
    /// Whether tuples are slow, so that each is stamped.
    is_slow: bool,
    inside: Option<Inside<'a>>,
    /// The first tuple whose ack is not accounted for yet.
    owed: usize,
}

impl<'a, B: Bolt> Rest<'a, B> {
    fn new(stage: &'a BoltStage<B>, batch: &'a mut Batch<B::Input>, started: Nanos) -> Self {
        let Batch { values, roots, anchors, .. } = batch;
        let is_slow = stage.pace.borrow().is_slow();
        let run = roots.run().filter(|(first, _)| !first.is_many() && !first.is_replayed());
        let run = run.filter(|_| !is_slow);
        let inside = Some(stage.enter(Phase::Execute, started));
        // Inside a fused loop what stands there counts as no edge.
        let is_counted = !matches!(stage.parts.inlet, Inlet::Slot(_));
        match run {
            Some((first, edge)) => {
                let edge = if is_counted && !first.is_none() { edge } else { 0 };
                stage.parts.output.begin_run(first, roots.len(), edge);
            }
            None => stage.parts.output.begin_list(),
        }
        let (values, is_plain) = (values.drain(..), run.is_some());
        Self { stage, values, roots, anchors, is_plain, is_counted, is_slow, inside, owed: 0 }
    }

    /// The present execute waits.
    #[cold]
    fn leave(&mut self) {
        self.inside = None;
        self.ack_before();
    }

    /// The present execute has waited, and is done.
    #[cold]
    fn enter_again(&mut self) {
        self.inside = Some(self.stage.enter(Phase::Execute, self.stage.parts.shared.now()));
    }

    /// The next tuple. Nothing else outlives the call: what stays in the frame of an async
    /// function is written to memory and read back, tuple by tuple.
    #[inline(always)]
    fn begin_next(&mut self) -> Option<B::Input> {
        let output = &self.stage.parts.output;
        if self.is_plain {
            output.set_next_root();
        } else {
            if output.take_is_lent() {
                self.skip_ack();
            }
            let begun = self.begun();
            if begun == self.roots.len() {
                return None;
            }
            if self.is_slow
                && let Some(inside) = &self.inside
            {
                inside.step();
            }
            let (root, edge) = self.roots.get(begun);
            output.set_root(root);
            output.set_edge(if self.is_counted { edge } else { 0 });
            if root.is_many() || root.is_replayed() {
                return self.begin_specially(root);
            }
        }
        // Moved once, from the batch to where it is executed: nobody looks at it in between.
        self.values.next()
    }

    #[cold]
    #[inline(never)]
    fn begin_specially(&mut self, root: Root) -> Option<B::Input> {
        let tuple = self.values.next()?;
        self.stage.begin(root, &tuple, self.anchors);
        Some(tuple)
    }

    /// Tuples that were begun. The last of them is the present one.
    #[inline]
    fn begun(&self) -> usize {
        self.roots.len() - self.values.len()
    }

    /// Acks what was executed before the present tuple.
    fn ack_before(&mut self) {
        self.ack(self.begun().saturating_sub(1));
    }

    /// The present tuple failed: it is not acked, those before it are.
    #[cold]
    fn skip_ack(&mut self) {
        self.ack_before();
        self.owed = self.begun();
    }

    /// Acks what is owed before tuple `end`, but for what is held from now on.
    fn ack(&mut self, end: usize) {
        if self.owed < end && self.is_counted {
            let mut done = self.stage.done.borrow_mut();
            let owed = self.owed..end;
            if self.is_plain {
                let kept = |kept| done.add_batch(self.roots, self.anchors, kept);
                self.stage.parts.output.kept(owed, kept);
            } else {
                done.add_batch(self.roots, self.anchors, owed);
            }
        }
        self.owed = self.owed.max(end);
    }
}

impl<B: Bolt> Drop for Rest<'_, B> {
    fn drop(&mut self) {
        let begun = self.begun();
        if begun > 1 {
            self.stage.restarts.set(0); // some tuple went well, or failed without ending the task
        }
        if self.stage.executing.get() && !planted!(PanicAcks) {
            self.ack_before();
        } else {
            if !self.is_plain && self.stage.parts.output.take_is_lent() {
                self.skip_ack();
            }
            self.ack(begun);
        }
        let mut done = self.stage.done.borrow_mut();
        self.stage.parts.output.take_unused(|first, count| done.add_opened(first, count));
        drop(done);
        if self.values.len() == 0 {
            return;
        }
        if let Some(work) = &mut *self.stage.work.borrow_mut() {
            work.batch.values.extend(self.values.by_ref());
            work.batch.roots = self.roots.split_off(begun);
            work.batch.anchors = self.anchors.to_vec();
        }
    }
}
