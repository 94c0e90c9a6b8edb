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
    Anchored, Bolt, Context, Emitter, Failure, Free, Settings,
    emitter::Output,
    engine::{Anchors, Batch, Flush},
    record::Record,
};

use super::{
    crew::Crew,
    guard::{Guarded, Running},
    inlet::{Inlet, Work},
    results::Results,
    settle::{Aging, Settled},
    shared::LoopShared,
    user_code::Inside,
};
use crate::{
    acker::consumed::Consumed,
    channel::link::Pace,
    clock::{Alarm, Nanos, nanos},
    limits,
    memory::MemoryStores,
    metrics::task::TaskStats,
    report::Phase,
};

/// What a stage is made from.
pub(crate) struct BoltParts<B: Bolt> {
    pub(crate) prototype: B,
    pub(crate) inlet: Inlet<B::Input>,
    pub(crate) output: Rc<Output<B::Output>>,
    pub(crate) settled: Arc<Settled<B::Output>>,
    /// What the task answers for, if it does.
    pub(crate) results: Option<Rc<Results<B::Output>>>,
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
    pub(super) anchored: Emitter<B::Output, Anchored>,
    pub(super) free: Emitter<B::Output, Free>,
    pub(super) cx: Context,
    /// The batch at hand. Its tuples are elsewhere while the loop is at work on them.
    pub(super) work: RefCell<Option<Work<B::Input>>>,
    /// Whether user code is at work on a tuple.
    pub(super) executing: Cell<bool>,
    /// The edges of the tuple, where it has several.
    pub(super) anchors: RefCell<Anchors>,
    pub(super) copy: RefCell<Option<Record>>,
    /// Edges that were consumed, and whose children have not all left the stage yet.
    pub(super) done: RefCell<Consumed>,
    /// Duties that are fulfilled but for the flush.
    pub(super) unflushed: Cell<u64>,
    /// Duties that the stage gave itself: ticks, and the finish.
    pub(super) own_duties: Arc<AtomicU64>,
    pub(super) pace: RefCell<Pace>,
    pub(super) next_tick: Cell<Nanos>,
    /// Whether there was a tick since the last batch.
    pub(super) has_ticked: Cell<bool>,
    pub(super) next_expiry: Cell<Nanos>,
    alarm: RefCell<Alarm>,
    turns: Cell<usize>,
    pub(super) restarts: Cell<u32>,
    pub(super) finished: Cell<bool>,
    /// The duty that the stage gave itself and is at.
    pub(super) at_duty: Cell<Option<OwnDuty>>,
    /// When that began, while it does not wait for a reader; zero otherwise.
    pub(super) own_since: Arc<AtomicU64>,
    /// Time that the batch at hand has waited for readers.
    pub(super) waited: Cell<Nanos>,
    /// When the present interval of error reports began, and how many it has had.
    pub(super) reported: Cell<(Nanos, u32)>,
    /// Emitted tuples that are in the counter, which clones of a bolt share.
    emitted: Cell<u64>,
    /// Whether the bolt says that it works on tuples elsewhere.
    is_working: Cell<bool>,
    /// Whether holds were settled since it was asked.
    pub(super) has_settled: Cell<bool>,
    /// Whether the loop is in code for when there is nothing to execute.
    pub(super) idling: Cell<bool>,
}

/// What a stage does of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnDuty {
    Tick,
    Finish,
}

#[derive(Clone, Copy)]
enum Event {
    Batch,
    Tick,
    Finish,
    Stop,
}

/// Why the user's code is started anew, or not.
#[derive(PartialEq, Eq)]
pub(super) enum Ended {
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

    fn new(mut parts: BoltParts<B>) -> Self {
        let tick = parts.settings.tick.or_else(|| parts.prototype.tick_interval());
        parts.settings.tick = tick;
        let cx = parts.shared.context(&parts.stats, parts.settings.tasks, parts.config.clone());
        let now = parts.shared.now();
        let after = |wait: Option<Duration>| {
            wait.map_or(Nanos::MAX, |wait| now.saturating_add(nanos(wait)))
        };
        let own_duties = Arc::<AtomicU64>::default();
        parts.stats.duty.watch(own_duties.clone());
        let own_since = Arc::<AtomicU64>::default();
        parts.stats.duty.watch_own(own_since.clone());
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
            anchors: RefCell::default(),
            copy: RefCell::default(),
            done: RefCell::default(),
            unflushed: Cell::new(0),
            own_duties,
            pace: RefCell::default(),
            next_tick: Cell::new(after(parts.settings.tick)),
            has_ticked: Cell::new(false),
            next_expiry: Cell::new(after(parts.settings.hold_timeout)),
            alarm: RefCell::default(),
            turns: Cell::new(parts.shared.engine.batches_per_turn),
            restarts: Cell::new(0),
            finished: Cell::new(false),
            at_duty: Cell::new(None),
            own_since,
            waited: Cell::new(0),
            reported: Cell::default(),
            emitted: Cell::new(0),
            is_working: Cell::new(false),
            has_settled: Cell::new(false),
            idling: Cell::new(false),
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
        self.set_working(false);
        self.back_off().await;
        if self.parts.shared.engine.control.are_bolts_stopped() {
            return Ended::Stopped;
        }
        let mut bolt = {
            let _inside = self.enter(Phase::Prepare, self.parts.shared.now());
            let mut bolt = self.parts.prototype.clone();
            bolt.state(&mut MemoryStores);
            bolt
        };
        match self.waiting(Phase::Prepare, pin!(bolt.prepare(&self.cx))).await {
            Some(Ok(())) => {}
            Some(Err(why)) => {
                let place = &self.parts.stats.place;
                self.parts.shared.engine.fail(place, Phase::Prepare, &why.context("prepare"));
                return self.refuse_everything().await;
            }
            None => return Ended::Stopped,
        }
        loop {
            match self.next_event_or_idle(&mut bolt).await {
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
            self.waiting(Phase::Prepare, pin!(self.parts.shared.timers.sleep(due))).await;
        }
    }

    /// Enters user code, until the note is dropped.
    #[inline]
    pub(super) fn enter(&self, phase: Phase, now: Nanos) -> Inside<'_> {
        self.parts.shared.enter(&self.parts.stats, phase, now)
    }

    /// Waits for user code, while output and acks of what was done before may leave. `None` if
    /// the engine stops meanwhile.
    pub(super) async fn waiting<F: Future>(
        &self,
        phase: Phase,
        mut future: Pin<&mut F>,
    ) -> Option<F::Output> {
        let mut alarm = Alarm::default();
        poll_fn(|cx| {
            let inside = self.enter(phase, self.parts.shared.now());
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(ready));
            }
            drop(inside);
            if self.parts.shared.engine.control.are_bolts_stopped() {
                return Poll::Ready(None);
            }
            self.note_own_duty();
            self.take_results();
            let expiry = self.expire_due();
            let _ = self.poll_flush(cx, Flush::All);
            alarm.set(&self.parts.shared.timers, expiry.min(self.results_due()), cx);
            Poll::Pending
        })
        .await
    }

    /// A bolt that cannot be prepared fails what it is sent, so that nothing waits for it.
    async fn refuse_everything(&self) -> Ended {
        loop {
            match self.next_event().await {
                Event::Batch => {
                    let tuples = self.refuse_batch();
                    // An ordered crew passes the turn on, so this waits for its own.
                    poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
                    self.end_batch(tuples, 1);
                }
                Event::Finish => self.set_finished(),
                Event::Tick => self.set_next_tick(),
                Event::Stop => return Ended::Stopped,
            }
        }
    }

    /// Waits for the next thing to do; while there is none, the bolt may do something of its own.
    async fn next_event_or_idle(&self, bolt: &mut B) -> Event {
        let mut next = pin!(self.next_event());
        loop {
            self.has_settled.set(false);
            self.set_working(!self.finished.get() && self.idle(|| bolt.is_working()));
            let mut idle = pin!(bolt.idle(&self.free));
            let turn = poll_fn(|cx| {
                if let Poll::Ready(event) = next.as_mut().poll(cx) {
                    return Poll::Ready(Ok(event));
                }
                if self.finished.get() {
                    return Poll::Pending;
                }
                if self.is_working.get() && self.has_settled.get() {
                    return Poll::Ready(Err(Ok(()))); // it may be done: it is asked again
                }
                let emitted = self.parts.output.emitted();
                let idled = self.idle(|| {
                    let _inside = self.enter(Phase::Idle, self.parts.shared.now());
                    idle.as_mut().poll(cx)
                });
                if idled.is_pending() && self.parts.output.emitted() > emitted {
                    // What it put out leaves before the task waits.
                    if let Poll::Ready(event) = next.as_mut().poll(cx) {
                        return Poll::Ready(Ok(event));
                    }
                }
                idled.map(Err)
            });
            match turn.await {
                Ok(event) => return event,
                Err(Ok(())) => {}
                Err(Err(why)) => {
                    let (engine, place) = (&self.parts.shared.engine, &self.parts.stats.place);
                    engine.report(place, Some(Phase::Idle), &why.context("idle"));
                }
            }
        }
    }

    /// Runs code of the user that is for when there is nothing to execute.
    fn idle<T>(&self, user_code: impl FnOnce() -> T) -> T {
        self.idling.set(true);
        let outcome = user_code();
        self.idling.set(false);
        outcome
    }

    /// Work that goes on elsewhere is a duty, so that nobody takes the topology for quiet.
    fn set_working(&self, is_working: bool) {
        match (self.is_working.replace(is_working), is_working) {
            (false, true) => drop(self.own_duties.fetch_add(1, Ordering::SeqCst)),
            (true, false) => self.unflushed.set(self.unflushed.get() + 1),
            _ => {}
        }
    }

    /// Waits for the next thing to do. What the stage has put out leaves before it waits.
    async fn next_event(&self) -> Event {
        poll_fn(|cx| {
            if self.work.borrow().is_some() {
                return Poll::Ready(Event::Batch);
            }
            self.take_results();
            self.take_settled();
            let due = self.due();
            // Between two ticks there is a batch, if one waits: ticks that are due all the time
            // do not keep the input waiting for ever.
            let is_another_tick = matches!(due, Some(Event::Tick)) && self.has_ticked.get();
            if let (Some(event), false) = (&due, is_another_tick) {
                return Poll::Ready(*event);
            }
            if (self.turns.get() > 0 || is_another_tick) && self.take_work() {
                self.turns.set(self.turns.get().saturating_sub(1));
                self.has_ticked.set(false);
                return Poll::Ready(Event::Batch);
            }
            if let Some(tick) = due {
                return Poll::Ready(tick);
            }
            if self.turns.get() == 0 && !self.parts.inlet.is_empty() {
                cx.waker().wake_by_ref(); // others have their turn first
            }
            self.turns.set(self.parts.shared.engine.batches_per_turn);
            let flushed = self.poll_flush(cx, self.parts.inlet.flush()).is_ready();
            if flushed {
                self.parts.output.forget_epoch();
            }
            let room = self.parts.output.room().min(self.pace.borrow().window());
            self.parts.inlet.set_idle(flushed, room);
            let due = self.next_tick.get().min(self.next_expiry.get()).min(self.results_due());
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

    /// Hands output on, then lets the acks go that depended on it.
    pub(super) fn poll_flush(&self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        let parts = &self.parts;
        let number = self.work.borrow().as_ref().and_then(|work| work.number);
        let is_stopped = || parts.shared.engine.control.are_bolts_stopped();
        if !parts.crew.is_turn(number) && !is_stopped() {
            parts.crew.wait_for_turn(cx.waker());
            return Poll::Pending;
        }
        if parts.output.poll_flush(cx, flush).is_pending() {
            return Poll::Pending;
        }
        let mut acks = parts.shared.acks.borrow_mut();
        acks.consume(&mut self.done.borrow_mut());
        if let Some(results) = &parts.results {
            acks.consume(&mut results.begun.borrow_mut());
            results.forget_moment();
        }
        acks.flush(parts.output.epoch().as_ref(), flush == Flush::All);
        let emitted = parts.output.emitted();
        parts.stats.emitted.add(emitted - self.emitted.replace(emitted));
        if flush == Flush::All && self.unflushed.get() > 0 {
            parts.stats.duty.add_done(self.unflushed.take());
        }
        Poll::Ready(())
    }

    /// Fails what was taken and not begun, because the topology is cut off.
    fn give_up_work(&self) {
        self.refuse_batch();
        *self.work.borrow_mut() = None;
    }

    /// Fails every tuple of the batch at hand. Returns the batch, empty.
    fn refuse_batch(&self) -> Batch<B::Input> {
        let mut batch = self.take_batch();
        batch.take_each(|anchors, root, _, value| {
            self.begin(root, &value, anchors);
            self.fail_current(&Failure::Stopped);
        });
        batch
    }

    /// The loop ends: what the user's code held has failed by now.
    fn stop(&self) {
        self.set_working(false);
        self.abandon_results();
        self.take_settled();
        self.give_up_work();
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        let _ = self.poll_flush(&mut noop, Flush::All);
        self.parts.inlet.set_idle(true, usize::MAX);
        if self.parts.crew.stop_one() {
            self.parts.stats.duty.stopped.store(true, Ordering::SeqCst);
        }
    }
}
