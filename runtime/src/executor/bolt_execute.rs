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
    bolt_stage::{BoltStage, Ended},
    inlet::Inlet,
};
use crate::{
    clock::{Alarm, Nanos},
    limits, planted,
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
        self.execute_each(bolt, &mut batch).await?;
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.parts.output.forget_epoch();
        let took = shared.now() - started;
        self.end_batch(batch, took);
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
        stats.execute_ns.add(took);
        let miscounted = usize::from(planted!(Miscounted, 64));
        stats.executed.add((work.tuples() - miscounted) as u64);
        stats.acked.set(stats.executed.get() - stats.failed.get());
        // The clones of a task work side by side, and each needs a tuple to work on.
        let clones = self.parts.settings.concurrency.limit();
        let mut window = self.pace.borrow_mut().observe(work.tuples() * clones, took);
        window.tuples = window.tuples.max(clones);
        let duties = self.parts.inlet.consumed(work, window);
        self.unflushed.set(self.unflushed.get() + duties);
    }

    /// Executes tuple after tuple. What a panic leaves goes back to where it was taken from.
    pub(super) async fn execute_each(
        &self,
        bolt: &mut B,
        batch: &mut Batch<B::Input>,
    ) -> Result<(), Ended> {
        let mut rest = Rest::new(self, batch);
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        self.executing.set(true);
        while let Some(tuple) = rest.begin_next() {
            let mut execute = pin!(bolt.execute(tuple, &self.anchored));
            // Most executes do not wait: the real waker is fetched for those that do.
            let result = match execute.as_mut().poll(&mut noop) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    rest.ack_before();
                    match self.execute_slowly(execute).await {
                        Ok(result) => result,
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
        let limit = limit.map_or(Nanos::MAX, |limit| limit.as_nanos() as Nanos);
        let mut due = shared.now().saturating_add(limit);
        self.parts.stats.duty.set_executing_since(Some(shared.now()));
        let mut alarm = Alarm::default();
        let result = poll_fn(|cx| {
            let number = self.work.borrow().as_ref().and_then(|work| work.number);
            self.parts.output.set_closed(!self.parts.crew.is_turn(number));
            if let Poll::Ready(result) = execute.as_mut().poll(cx) {
                return Poll::Ready(Ok(result));
            }
            if shared.engine.control.are_bolts_stopped() {
                return Poll::Ready(Err(Failure::Stopped));
            }
            if self.parts.output.take_has_waited() && !planted!(ReaderMakesStuck) {
                due = shared.now().saturating_add(limit); // to wait for a reader is no failure
            }
            self.take_settled();
            let _ = self.poll_flush(cx, Flush::All);
            if shared.now() >= due {
                return Poll::Ready(Err(Failure::Stuck(self.parts.stats.place.clone())));
            }
            alarm.set(&shared.timers, due, cx);
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
            self.parts.shared.engine.report(&place, why);
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
        self.parts.stats.failed.add(1);
        // What is left may be of a replayed tuple that did not fail.
        let copy = self.copy.take().filter(|_| root.is_replayed());
        if root.is_many() {
            let anchors = self.anchors.borrow();
            self.parts.shared.fail(anchors.iter().map(|(root, _)| *root), why, copy.as_ref());
        } else {
            self.parts.shared.fail([root], why, copy.as_ref());
        }
    }

    pub(super) fn panicked(&self, message: &str) {
        let place = self.parts.stats.place.clone();
        self.parts.shared.engine.report(&place, &Error::msg(format!("panicked: {message}")));
        self.count_restart();
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
    /// The first tuple whose ack is not accounted for yet.
    owed: usize,
}

impl<'a, B: Bolt> Rest<'a, B> {
    fn new(stage: &'a BoltStage<B>, batch: &'a mut Batch<B::Input>) -> Self {
        let Batch { values, roots, anchors, .. } = batch;
        let run = roots.run().filter(|(first, _)| !first.is_many() && !first.is_replayed());
        if let Some((first, _)) = run {
            stage.parts.output.set_root_before(first);
        }
        let (values, is_plain) = (values.drain(..), run.is_some());
        Self { stage, values, roots, anchors, is_plain, owed: 0 }
    }

    /// The next tuple. Nothing else outlives the call: what stays in the frame of an async
    /// function is written to memory and read back, tuple by tuple.
    #[inline(always)]
    fn begin_next(&mut self) -> Option<B::Input> {
        let output = &self.stage.parts.output;
        if self.is_plain {
            output.set_next_root();
        } else {
            let begun = self.begun();
            if begun == self.roots.len() {
                return None;
            }
            let (root, _) = self.roots.get(begun);
            output.set_root(root);
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

    /// Acks what is owed before tuple `end`. Inside a fused loop nothing counted it as an edge.
    fn ack(&mut self, end: usize) {
        if self.owed < end && !matches!(self.stage.parts.inlet, Inlet::Slot(_)) {
            let mut done = self.stage.done.borrow_mut();
            done.add_batch(self.roots, self.anchors, self.owed..end);
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
            self.ack(begun);
        }
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
