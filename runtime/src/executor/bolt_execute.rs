//! How a stage executes a batch: tuple after tuple, with the user's failures kept to each.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context as Waking, Poll},
};

use tormenta_dsl::{
    Bolt, Error, Failure, Result, Streams,
    engine::{Anchors, Envelope, Flush},
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
        let (mut envelopes, anchors) = self.take_batch();
        self.execute_each(bolt, &mut envelopes, &anchors).await?;
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.parts.output.forget_epoch();
        let took = shared.now() - started;
        self.end_batch(envelopes, took);
        self.restarts.set(0);
        Ok(())
    }

    pub(super) fn take_batch(&self) -> (Vec<Envelope<B::Input>>, Vec<Anchors>) {
        let mut work = self.work.borrow_mut();
        let batch = work.as_mut().map(|work| &mut work.batch);
        batch
            .map(|b| (std::mem::take(&mut b.envelopes), std::mem::take(&mut b.anchors)))
            .unwrap_or_default()
    }

    /// Gives back buffer and credit.
    pub(super) fn end_batch(&self, envelopes: Vec<Envelope<B::Input>>, took: Nanos) {
        let Some(mut work) = self.work.take() else { return };
        self.parts.crew.pass_turn(work.number);
        self.parts.output.set_closed(false);
        work.batch.envelopes = envelopes;
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
        envelopes: &mut Vec<Envelope<B::Input>>,
        anchors: &[Anchors],
    ) -> Result<(), Ended> {
        let tuples = envelopes.len();
        let mut rest = Rest { stage: self, envelopes: envelopes.drain(..), anchors, tuples };
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        self.executing.set(true);
        while let Some(tuple) = rest.begin_next() {
            let mut execute = pin!(bolt.execute(tuple, &self.anchored));
            // Most executes do not wait: the real waker is fetched for those that do.
            let result = match execute.as_mut().poll(&mut noop) {
                Poll::Ready(result) => result,
                Poll::Pending => match self.execute_slowly(execute).await {
                    Ok(result) => result,
                    Err(why) => {
                        self.executing.set(false);
                        self.fail_current(&why);
                        return Err(Ended::Stuck);
                    }
                },
            };
            match result {
                Ok(()) => self.ack_current(),
                Err(why) => self.fail_with(&why),
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
    pub(super) fn begin(&self, envelope: &Envelope<B::Input>, anchors: &[Anchors]) {
        self.edge.set(envelope.edge);
        self.parts.output.set_root(envelope.root);
        if envelope.root.is_many() || envelope.root.is_replayed() {
            self.begin_specially(envelope, anchors);
        }
    }

    #[cold]
    pub(super) fn begin_specially(&self, envelope: &Envelope<B::Input>, anchors: &[Anchors]) {
        let root = envelope.root;
        if root.is_many() {
            let anchors = &anchors[root.index()];
            let roots = anchors.iter().map(|(root, _)| *root);
            self.parts.output.set_anchors(roots, root.is_replayed());
            self.anchors.borrow_mut().clone_from(anchors);
        }
        if root.is_replayed() {
            *self.copy.borrow_mut() = envelope.value.to_record().ok();
        }
    }

    #[inline(always)]
    pub(super) fn ack_current(&self) {
        let root = self.parts.output.root();
        if root.is_provisional() || root.is_none() || matches!(self.parts.inlet, Inlet::Slot(_)) {
            return; // nothing counted it as an edge
        }
        let mut done = self.done.borrow_mut();
        if root.is_many() {
            done.extend(self.anchors.borrow().iter());
        } else {
            crate::acker::acks::add(&mut done, root, self.edge.get());
        }
    }

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
            return self.ack_current();
        }
        self.fail_current(&Failure::Panic(place, message.to_owned()));
    }

    pub(super) fn count_restart(&self) {
        self.restarts.set(self.restarts.get() + 1);
        self.parts.stats.restarts.add(1);
    }
}

/// Tuples of a batch that are not begun yet. When user code panics or gets stuck, they go back.
struct Rest<'a, B: Bolt> {
    stage: &'a BoltStage<B>,
    envelopes: std::vec::Drain<'a, Envelope<B::Input>>,
    anchors: &'a [Anchors],
    /// Number of tuples at first.
    tuples: usize,
}

impl<B: Bolt> Rest<'_, B> {
    /// The next tuple. Nothing of its envelope outlives the call: what stays in the frame of an
    /// async function is written to memory and read back, tuple by tuple.
    #[inline(always)]
    fn begin_next(&mut self) -> Option<B::Input> {
        let envelope = self.envelopes.next()?;
        self.stage.begin(&envelope, self.anchors);
        Some(envelope.value)
    }
}

impl<B: Bolt> Drop for Rest<'_, B> {
    fn drop(&mut self) {
        if self.tuples - self.envelopes.len() > 1 {
            self.stage.restarts.set(0); // some tuple went well, or failed without ending the task
        }
        if self.envelopes.len() == 0 {
            return;
        }
        if let Some(work) = &mut *self.stage.work.borrow_mut() {
            work.batch.envelopes.extend(self.envelopes.by_ref());
            work.batch.anchors = self.anchors.to_vec();
        }
    }
}
