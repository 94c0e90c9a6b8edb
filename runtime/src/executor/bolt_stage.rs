//! One task of a bolt: the loop around the user's code.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as Waking, Poll},
    time::Duration,
};

use tormenta_dsl::{
    Anchored, Bolt, Context, Emitter, Error, Failure, Free, Result, Root, Settings, Streams,
    emitter::Output,
    engine::{Anchors, Envelope, Flush},
    record::Record,
};

use super::{
    crew::Crew,
    guard::{Guarded, Running},
    inlet::{Inlet, Work},
    settle::{Aging, Settled},
    shared::LoopShared,
};
use crate::{
    channel::link::Pace,
    clock::{Alarm, Nanos},
    limits,
    memory::MemoryStores,
    metrics::task::TaskStats,
    planted,
};

/// What a stage is made from.
pub(crate) struct BoltParts<B: Bolt> {
    pub(crate) prototype: B,
    pub(crate) inlet: Inlet<B::Input>,
    pub(crate) output: Rc<Output<B::Output>>,
    pub(crate) settled: Arc<Settled<B::Output>>,
    pub(crate) aging: Option<Rc<Aging>>,
    pub(crate) shared: Rc<LoopShared>,
    pub(crate) stats: Arc<TaskStats>,
    pub(crate) settings: Settings,
    pub(crate) config: BTreeMap<String, String>,
    /// Position of the component in topological order.
    pub(crate) position: usize,
    pub(crate) crew: Rc<Crew>,
}

/// One task of a bolt: everything that survives a restart of the user's code.
pub(crate) struct BoltStage<B: Bolt> {
    pub(super) parts: BoltParts<B>,
    anchored: Emitter<B::Output, Anchored>,
    pub(super) free: Emitter<B::Output, Free>,
    pub(super) cx: Context,
    /// The batch at hand. Its tuples are elsewhere while the loop is at work on them.
    work: RefCell<Option<Work<B::Input>>>,
    /// Whether user code is at work on a tuple, and the edge that the tuple is.
    executing: Cell<bool>,
    edge: Cell<u64>,
    /// The edges of the tuple, where it has several.
    anchors: RefCell<Anchors>,
    copy: RefCell<Option<Record>>,
    /// Edges that were consumed, and whose children have not all left the stage yet.
    pub(super) done: RefCell<Vec<(Root, u64)>>,
    /// Duties that are fulfilled but for the flush.
    pub(super) unflushed: Cell<u64>,
    /// Duties that the stage gave itself: ticks, and the finish.
    own_duties: Arc<AtomicU64>,
    pace: RefCell<Pace>,
    next_tick: Cell<Nanos>,
    next_expiry: Cell<Nanos>,
    alarm: RefCell<Alarm>,
    turns: Cell<usize>,
    restarts: Cell<u32>,
    finished: Cell<bool>,
}

enum Event {
    Batch,
    Tick,
    Finish,
    Stop,
}

/// Why the user's code is started anew, or not.
#[derive(PartialEq, Eq)]
enum Ended {
    Stopped,
    Stuck,
}

impl<B: Bolt> BoltStage<B> {
    /// The guarded loop of a task.
    pub(crate) fn start(parts: BoltParts<B>) -> Guarded {
        let stage = Rc::new(Self::new(parts));
        let first = stage.clone().boxed();
        Guarded::new(first, move |panic| {
            stage.panicked(&panic);
            stage.clone().boxed()
        })
    }

    fn new(parts: BoltParts<B>) -> Self {
        let cx = parts.shared.context(&parts.stats, parts.settings.tasks, parts.config.clone());
        let now = parts.shared.now();
        let after = |wait: Option<Duration>| {
            wait.map_or(Nanos::MAX, |wait| now + wait.as_nanos() as Nanos)
        };
        let own_duties = Arc::<AtomicU64>::default();
        parts.stats.duty.watch(own_duties.clone());
        parts.stats.duty.watch(parts.settled.given.clone());
        if let Inlet::Mailbox(mailbox) = &parts.inlet {
            parts.stats.duty.watch(mailbox.given());
        }
        Self {
            anchored: parts.output.emitter(),
            free: parts.output.emitter(),
            cx,
            work: RefCell::default(),
            executing: Cell::new(false),
            edge: Cell::new(0),
            anchors: RefCell::default(),
            copy: RefCell::default(),
            done: RefCell::default(),
            unflushed: Cell::new(0),
            own_duties,
            pace: RefCell::default(),
            next_tick: Cell::new(after(parts.settings.tick)),
            next_expiry: Cell::new(after(parts.settings.hold_timeout)),
            alarm: RefCell::default(),
            turns: Cell::new(parts.shared.engine.batches_per_turn),
            restarts: Cell::new(0),
            finished: Cell::new(false),
            parts,
        }
    }

    fn boxed(self: Rc<Self>) -> Running {
        Box::pin(async move {
            while self.run().await == Ended::Stuck {
                self.count_restart();
            }
            self.stop();
        })
    }

    /// Runs a clone of the prototype until the engine stops or the clone gets stuck.
    async fn run(&self) -> Ended {
        self.back_off().await;
        let mut bolt = self.parts.prototype.clone();
        bolt.state(&mut MemoryStores);
        if let Err(why) = bolt.prepare(&self.cx).await {
            let (now, place) = (self.parts.shared.now(), &self.parts.stats.place);
            let why = why.context("prepare").chain();
            self.parts.shared.engine.reports.fatal(now, place, &why);
            return self.refuse_everything().await;
        }
        loop {
            match self.next_event().await {
                Event::Batch => {
                    if self.execute_batch(&mut bolt).await == Err(Ended::Stuck) {
                        return Ended::Stuck;
                    }
                }
                Event::Tick => self.tick(&mut bolt).await,
                Event::Finish => self.finish(&mut bolt).await,
                Event::Stop => return Ended::Stopped,
            }
        }
    }

    async fn back_off(&self) {
        let restarts = self.restarts.get();
        if restarts > 0 {
            let (first, longest) = limits::RESTART_BACKOFF;
            let wait = first.saturating_mul(1 << (restarts - 1).min(20)).min(longest);
            let due = self.parts.shared.now() + wait.as_nanos() as Nanos;
            self.waiting(pin!(self.parts.shared.timers.sleep(due))).await;
        }
    }

    /// Waits for something, while output and acks of what was done before may leave.
    async fn waiting<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        poll_fn(|cx| {
            let ready = future.as_mut().poll(cx);
            if ready.is_pending() {
                let _ = self.poll_flush(cx, Flush::All);
            }
            ready
        })
        .await
    }

    /// A bolt that cannot be prepared fails what it is sent, so that nothing waits for it.
    async fn refuse_everything(&self) -> Ended {
        loop {
            match self.next_event().await {
                Event::Batch => {
                    let (envelopes, anchors) = self.take_batch();
                    for envelope in envelopes {
                        self.begin(&envelope, &anchors);
                        self.fail_current(&Failure::Stopped);
                    }
                    self.end_batch(Vec::new(), 1);
                }
                Event::Finish => self.set_finished(),
                Event::Tick => self.set_next_tick(),
                Event::Stop => return Ended::Stopped,
            }
        }
    }

    /// Waits for the next thing to do. What the stage has put out leaves before it waits.
    async fn next_event(&self) -> Event {
        poll_fn(|cx| {
            if self.work.borrow().is_some() {
                return Poll::Ready(Event::Batch);
            }
            self.take_settled();
            if let Some(event) = self.due() {
                return Poll::Ready(event);
            }
            if self.turns.get() > 0 && self.take_work() {
                self.turns.set(self.turns.get() - 1);
                return Poll::Ready(Event::Batch);
            }
            if self.turns.get() == 0 && !self.parts.inlet.is_empty() {
                cx.waker().wake_by_ref(); // others have their turn first
            }
            self.turns.set(self.parts.shared.engine.batches_per_turn);
            let flushed = self.poll_flush(cx, self.parts.inlet.flush()).is_ready();
            if flushed {
                self.parts.output.forget_epoch();
            }
            self.parts.inlet.set_idle(flushed, self.parts.output.room());
            let due = self.next_tick.get().min(self.next_expiry.get());
            self.alarm.borrow_mut().set(&self.parts.shared.timers, due, cx);
            Poll::Pending
        })
        .await
    }

    fn take_work(&self) -> bool {
        let work = self.parts.inlet.take();
        let some = work.is_some();
        *self.work.borrow_mut() = work;
        some
    }

    fn due(&self) -> Option<Event> {
        let control = &self.parts.shared.engine.control;
        if control.are_bolts_stopped() {
            return Some(Event::Stop);
        }
        if !self.finished.get()
            && control.shall_finish(self.parts.position)
            && self.parts.inlet.is_empty()
        {
            return Some(Event::Finish);
        }
        let (tick, expiry) = (self.next_tick.get(), self.next_expiry.get());
        if tick.min(expiry) == Nanos::MAX {
            return None;
        }
        let now = self.parts.shared.now();
        if now >= expiry {
            self.expire(now);
        }
        (now >= tick).then_some(Event::Tick)
    }

    async fn execute_batch(&self, bolt: &mut B) -> Result<(), Ended> {
        let shared = &self.parts.shared;
        let started = shared.now();
        if let Some(work) = &*self.work.borrow() {
            self.parts.output.lower(work.batch.epoch.as_ref());
        }
        let (mut envelopes, anchors) = self.take_batch();
        let outcome = self.execute_each(bolt, &mut envelopes, &anchors).await;
        if outcome.is_err() {
            return outcome;
        }
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.parts.output.forget_epoch();
        let took = shared.now() - started;
        self.end_batch(envelopes, took);
        self.restarts.set(0);
        Ok(())
    }

    fn take_batch(&self) -> (Vec<Envelope<B::Input>>, Vec<Anchors>) {
        let mut work = self.work.borrow_mut();
        let batch = work.as_mut().map(|work| &mut work.batch);
        batch.map(|b| (std::mem::take(&mut b.envelopes), std::mem::take(&mut b.anchors)))
            .unwrap_or_default()
    }

    /// Gives back buffer and credit.
    fn end_batch(&self, envelopes: Vec<Envelope<B::Input>>, took: Nanos) {
        let Some(mut work) = self.work.take() else { return };
        self.parts.crew.pass_turn(work.number);
        work.batch.envelopes = envelopes;
        let stats = &self.parts.stats;
        stats.execute_ns.add(took);
        stats.executed.add(work.tuples() as u64);
        stats.acked.set(stats.executed.get() - stats.failed.get());
        let window = self.pace.borrow_mut().observe(work.tuples(), took);
        let duties = self.parts.inlet.consumed(work, window);
        self.unflushed.set(self.unflushed.get() + duties);
    }

    /// Executes tuple after tuple. What a panic leaves goes back to where it was taken from.
    async fn execute_each(
        &self,
        bolt: &mut B,
        envelopes: &mut Vec<Envelope<B::Input>>,
        anchors: &[Anchors],
    ) -> Result<(), Ended> {
        let mut rest = Rest { stage: self, envelopes: envelopes.drain(..), anchors };
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        self.executing.set(true);
        while let Some(envelope) = rest.envelopes.next() {
            let (root, edge) = (envelope.root, envelope.edge);
            self.begin(&envelope, anchors);
            let mut execute = pin!(bolt.execute(envelope.value, &self.anchored));
            // Most executes do not wait: the real waker is fetched for those that do.
            let result = match execute.as_mut().poll(&mut noop) {
                Poll::Ready(result) => result,
                Poll::Pending => match self.execute_slowly(execute).await {
                    Some(result) => result,
                    None => {
                        self.executing.set(false);
                        self.fail_current(&Failure::Stuck(self.parts.stats.place.clone()));
                        return Err(Ended::Stuck);
                    }
                },
            };
            match result {
                Ok(()) => self.ack(root, edge),
                Err(why) => self.fail_with(&why),
            }
        }
        self.executing.set(false);
        Ok(())
    }

    /// Goes on with an execute that has to wait. `None` if it waits for too long.
    #[cold]
    async fn execute_slowly<F>(&self, mut execute: Pin<&mut F>) -> Option<F::Output>
    where
        F: Future<Output = Result>,
    {
        let shared = &self.parts.shared;
        let limit = self.parts.settings.execute_timeout;
        let due = limit.map_or(Nanos::MAX, |limit| shared.now() + limit.as_nanos() as Nanos);
        self.parts.stats.duty.set_executing_since(Some(shared.now()));
        let mut alarm = Alarm::default();
        let result = poll_fn(|cx| {
            if let Poll::Ready(result) = execute.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            if shared.now() >= due || shared.engine.control.are_bolts_stopped() {
                return Poll::Ready(None);
            }
            self.take_settled();
            let _ = self.poll_flush(cx, Flush::All);
            alarm.set(&shared.timers, due, cx);
            Poll::Pending
        })
        .await;
        self.parts.stats.duty.set_executing_since(None);
        result
    }

    #[inline(always)]
    fn begin(&self, envelope: &Envelope<B::Input>, anchors: &[Anchors]) {
        let root = envelope.root;
        self.edge.set(envelope.edge);
        self.parts.output.set_root(root);
        if root.is_many() || root.is_replayed() {
            self.begin_specially(envelope, anchors);
        }
    }

    #[cold]
    fn begin_specially(&self, envelope: &Envelope<B::Input>, anchors: &[Anchors]) {
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
    fn ack(&self, root: Root, edge: u64) {
        if root.is_provisional() || root.is_none() {
            return; // nothing counted it as an edge
        }
        let mut done = self.done.borrow_mut();
        if root.is_many() {
            done.extend(self.anchors.borrow().iter());
        } else {
            crate::acker::acks::add(&mut done, root, edge);
        }
    }

    fn fail_with(&self, why: &Error) {
        let place = self.parts.stats.place.clone();
        let failure = if why.is_poison() {
            Failure::Poison(place, why.chain())
        } else {
            Failure::Error(place, why.chain())
        };
        self.fail_current(&failure);
    }

    fn fail_current(&self, why: &Failure) {
        let root = self.parts.output.root();
        self.parts.stats.failed.add(1);
        let copy = self.copy.take();
        if root.is_many() {
            let anchors = self.anchors.borrow();
            self.parts.shared.fail(anchors.iter().map(|(root, _)| *root), why, copy.as_ref());
        } else {
            self.parts.shared.fail([root], why, copy.as_ref());
        }
    }

    fn panicked(&self, message: &str) {
        let place = self.parts.stats.place.clone();
        self.parts.shared.engine.report(&place, &Error::msg(format!("panicked: {message}")));
        self.count_restart();
        if !self.executing.replace(false) {
            return;
        }
        if planted!(PanicAcks) {
            return self.ack(self.parts.output.root(), self.edge.get());
        }
        self.fail_current(&Failure::Panic(place, message.to_owned()));
    }

    fn count_restart(&self) {
        self.restarts.set(self.restarts.get() + 1);
        self.parts.stats.restarts.add(1);
    }

    /// Hands output on, then lets the acks go that depended on it.
    pub(super) fn poll_flush(&self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        let parts = &self.parts;
        let number = self.work.borrow().as_ref().and_then(|work| work.number);
        if !parts.crew.is_turn(number) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if parts.output.poll_flush(cx, flush).is_pending() {
            return Poll::Pending;
        }
        let mut acks = parts.shared.acks.borrow_mut();
        acks.consume(&mut self.done.borrow_mut());
        acks.flush(parts.output.epoch().as_ref(), flush == Flush::All);
        parts.stats.emitted.set(parts.output.emitted());
        if flush == Flush::All && self.unflushed.get() > 0 {
            parts.stats.duty.add_done(self.unflushed.take());
        }
        Poll::Ready(())
    }

    fn set_next_tick(&self) {
        let interval = self.parts.settings.tick.map_or(Nanos::MAX, |t| t.as_nanos() as Nanos);
        self.next_tick.set(self.parts.shared.now().saturating_add(interval));
    }

    async fn tick(&self, bolt: &mut B) {
        self.set_next_tick();
        if planted!(TickLost) && !self.parts.inlet.is_empty() {
            return;
        }
        self.begin_own_duty();
        self.parts.stats.ticks.add(1);
        let result = self.waiting(pin!(bolt.tick(&self.free))).await;
        self.end_own_duty("tick", result).await;
    }

    async fn finish(&self, bolt: &mut B) {
        self.begin_own_duty();
        let result = self.waiting(pin!(bolt.finish(&self.free))).await;
        self.end_own_duty("finish", result).await;
        self.set_finished();
    }

    fn set_finished(&self) {
        self.finished.set(true);
        if self.parts.crew.finish_one() {
            self.parts.stats.duty.finished.store(true, Ordering::SeqCst);
        }
    }

    fn begin_own_duty(&self) {
        self.own_duties.fetch_add(1, Ordering::SeqCst);
        self.parts.inlet.set_busy();
        self.parts.output.set_root(Root::NONE);
    }

    async fn end_own_duty(&self, doing: &str, result: Result) {
        if let Err(why) = result {
            let place = &self.parts.stats.place;
            self.parts.shared.engine.report(place, &why.context(doing));
        }
        self.take_settled();
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.unflushed.set(self.unflushed.get() + 1);
    }

    /// Fails the trees of tickets that were held for too long.
    fn expire(&self, now: Nanos) {
        let Some(limit) = self.parts.settings.hold_timeout else { return };
        let limit = limit.as_nanos() as Nanos;
        self.next_expiry.set(now + (limit / 4).max(1_000_000));
        let Some(aging) = &self.parts.aging else { return };
        let expired = aging.expire(now.saturating_sub(limit) / 1_000_000);
        let why = Failure::Expired(self.parts.stats.place.clone());
        self.parts.shared.fail(expired, &why, None);
    }

    /// The loop ends: what the user's code held has failed by now.
    fn stop(&self) {
        self.take_settled();
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        let _ = self.poll_flush(&mut noop, Flush::All);
        self.parts.inlet.set_idle(true, usize::MAX);
        if self.parts.crew.stop_one() {
            self.parts.stats.duty.stopped.store(true, Ordering::SeqCst);
        }
    }
}

/// Tuples of a batch that are not begun yet. When user code panics or gets stuck, they go back.
struct Rest<'a, B: Bolt> {
    stage: &'a BoltStage<B>,
    envelopes: std::vec::Drain<'a, Envelope<B::Input>>,
    anchors: &'a [Anchors],
}

impl<B: Bolt> Drop for Rest<'_, B> {
    fn drop(&mut self) {
        if self.envelopes.len() > 0 {
            if let Some(work) = &mut *self.stage.work.borrow_mut() {
                work.batch.envelopes.extend(self.envelopes.by_ref());
                work.batch.anchors = self.anchors.to_vec();
            }
        }
    }
}
