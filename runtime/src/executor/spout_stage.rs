//! One task of a spout: the loop that asks for tuples and owns their trees.

use std::{
    any::Any,
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
};

use tormenta_dsl::{
    Context, Error, Failure, Settings, Spout, emitter::Output, engine::Flush, spout::Routing,
};

use super::{
    filling::Filling,
    guard::{Guarded, Running},
    shared::LoopShared,
    spout_trees::Trees,
    user_code::Inside,
};
use crate::{
    acker::acks::{AckBatch, AckInbox},
    channel::queue::Receiver,
    clock::{Alarm, Nanos},
    limits,
    metrics::task::TaskStats,
    planted,
    report::Phase,
};

/// What a stage is made from.
pub(crate) struct SpoutParts<S: Spout> {
    pub(crate) prototype: S,
    pub(crate) output: Rc<Output<S::Output>>,
    pub(crate) inbox: AckInbox,
    pub(crate) acks: Receiver<AckBatch>,
    pub(crate) shared: Rc<LoopShared>,
    pub(crate) stats: Arc<TaskStats>,
    pub(crate) settings: Settings,
    pub(crate) config: BTreeMap<String, String>,
}

/// One task of a spout: everything that survives a restart of the user's code.
pub(crate) struct SpoutStage<S: Spout> {
    pub(super) parts: SpoutParts<S>,
    pub(super) trees: RefCell<Trees<S::Output, S::Id>>,
    pub(super) cx: Context,
    /// Whether `next` has said that there will never be another tuple, or has failed.
    pub(super) ended: Cell<bool>,
    pub(super) active: Cell<bool>,
    /// Ack batches applied, and not yet reported as done.
    pub(super) applied: Cell<u64>,
    pub(super) next_check: Cell<Nanos>,
    pub(super) alarm: RefCell<Alarm>,
    /// Batches since everything was flushed.
    pub(super) turns: Cell<usize>,
    pub(super) restarts: Cell<u32>,
    /// Whether the spout got past `prepare`. One that never does must not be tried for ever.
    pub(super) is_prepared: Cell<bool>,
    /// A panic of the user's code that was told how a tree ended, and what it was not told yet.
    pub(super) panic: RefCell<Option<Box<dyn Any + Send>>>,
    pub(super) untold: RefCell<Vec<Told<S::Id>>>,
    /// Panics, each of them a duty until the next spout has taken over, and those not done yet.
    pub(super) takeovers: Arc<AtomicU64>,
    pub(super) not_taken: Cell<u64>,
    /// What the user's code was asked last.
    pub(super) phase: Cell<Phase>,
    /// Tuples that `next` is asked for before they are handed on: fewer where it is slow.
    fill_max: Cell<usize>,
    /// Whether a batch took so long that `next` may be slow.
    pub(super) may_be_slow: Cell<bool>,
}

/// What a spout is told about a tuple.
pub(super) enum Told<Id> {
    Acked(Id),
    Failed(Id, Failure),
}

/// Why no more tuples were taken for now.
enum Filled {
    /// The batch is full: go on.
    Full,
    /// The spout has nothing at the moment, or may not be asked.
    Wait,
}

impl<S: Spout> SpoutStage<S> {
    /// The guarded loop of a task.
    pub(crate) fn start(parts: SpoutParts<S>, trees: Trees<S::Output, S::Id>) -> Guarded {
        let cx = parts.shared.context(&parts.stats, parts.settings.tasks, parts.config.clone());
        parts.stats.duty.watch(parts.inbox.given.clone());
        let takeovers = Arc::<AtomicU64>::default();
        parts.stats.duty.watch(takeovers.clone());
        let stage = Rc::new(Self {
            cx,
            trees: RefCell::new(trees),
            ended: Cell::new(false),
            active: Cell::new(true),
            applied: Cell::new(0),
            next_check: Cell::new(0),
            alarm: RefCell::default(),
            turns: Cell::new(0),
            restarts: Cell::new(0),
            is_prepared: Cell::new(false),
            panic: RefCell::default(),
            untold: RefCell::default(),
            takeovers,
            not_taken: Cell::new(0),
            phase: Cell::new(Phase::Prepare),
            fill_max: Cell::new(usize::MAX),
            may_be_slow: Cell::new(true),
            parts,
        });
        let first = stage.clone().boxed();
        Guarded::new(first, move |panic| {
            stage.panicked(&panic);
            stage.clone().boxed()
        })
    }

    fn boxed(self: Rc<Self>) -> Running {
        Box::pin(async move {
            self.run().await;
            self.parts.stats.duty.stopped.store(true, Ordering::SeqCst);
        })
    }

    async fn run(&self) {
        let shared = &self.parts.shared;
        self.back_off().await;
        if !self.is_prepared.replace(false) && shared.engine.control.are_spouts_stopped() {
            return self.abandon(None);
        }
        let mut spout = {
            let _inside = self.enter(Phase::Prepare, shared.now());
            self.parts.prototype.clone()
        };
        match self.waiting(pin!(spout.prepare(&self.cx))).await {
            Some(Ok(())) => self.is_prepared.set(true),
            Some(Err(why)) => self.end(Phase::Prepare, Some(why.context("prepare"))),
            None => return self.abandon(None),
        }
        self.tell_rest(&mut spout);
        // What the last spout had begun to emit needs its entries before acks come in for it.
        self.settle(&mut spout).await;
        self.applied.set(self.applied.get() + self.not_taken.take());
        loop {
            self.trees.borrow_mut().set_replays(!shared.engine.control.is_finishing());
            self.drain_acks(&mut spout);
            self.check_deadlines(&mut spout);
            if shared.engine.control.are_spouts_stopped() {
                return self.abandon(Some(&mut spout));
            }
            self.follow_activation(&mut spout);
            let filled = self.fill(&mut spout);
            self.settle(&mut spout).await;
            match filled {
                Filled::Full => self.yield_turn().await,
                Filled::Wait => self.wait(&mut spout).await,
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

    /// Enters user code, until the note is dropped.
    #[inline]
    pub(super) fn enter(&self, phase: Phase, now: Nanos) -> Inside<'_> {
        self.phase.set(phase);
        self.parts.shared.enter(&self.parts.stats, phase, now)
    }

    /// Waits for `prepare`, while the stages that are fused into this loop go on. `None` if the
    /// engine stops.
    async fn waiting<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            // First of all: a spout that is ready at once still hears what became of its tuples.
            let inside = self.enter(Phase::Prepare, self.parts.shared.now());
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(ready));
            }
            drop(inside);
            if self.parts.shared.engine.control.are_spouts_stopped() {
                return Poll::Ready(None);
            }
            let _ = self.poll_flush(cx, Flush::All);
            Poll::Pending
        })
        .await
    }

    /// Whether tuples that failed may be emitted again: also by a spout that was deactivated and is
    /// drained, or their trees would never end.
    fn may_replay(&self) -> bool {
        self.active.get() || self.parts.shared.engine.control.is_draining()
    }

    /// Whether the spout may be asked for more tuples.
    fn may_ask(&self) -> bool {
        !self.ended.get() && self.active.get() && !self.parts.shared.engine.control.is_draining()
    }

    /// Takes tuples for as long as there are any and there is room, at most a batch.
    fn fill(&self, spout: &mut S) -> Filled {
        let started = self.start_batch();
        let (limit, pending_max) = (self.parts.output.room(), self.parts.settings.pending_max);
        let free = self.room();
        let mut room = limit.min(self.trees.borrow().room());
        if self.may_replay() {
            let open = self.trees.borrow().pending();
            room -= self.fill_replays(pending_max.saturating_sub(open).min(room));
        }
        room = room.min(free).min(self.fill_max.get());
        if room == 0 {
            let full = self.trees.borrow().batch_len() > 0;
            return if full { Filled::Full } else { Filled::Wait };
        }
        if !self.may_ask() {
            return Filled::Wait;
        }
        let mut noop = Waking::from_waker(std::task::Waker::noop());
        let mut trees = self.trees.borrow_mut();
        let mut staged = self.parts.output.staged_mut();
        let mut filling = Filling::new(&mut trees, &mut staged, self.parts.settings.tracked);
        let _inside = self.enter(Phase::Next, started);
        for _ in 0..room {
            // A future that has to wait is dropped and made again by `wait`: it is cancel safe.
            let Poll::Ready(next) = pin!(spout.next()).poll(&mut noop) else {
                return Filled::Wait;
            };
            match next {
                Ok(Some((value, id))) if spout.routing(&id) != Routing::Grouped => {
                    drop(filling);
                    drop((staged, trees));
                    self.stage_alone(spout, value, id);
                    return Filled::Full;
                }
                Ok(Some((value, id))) if spout.is_replay(&id) => filling.push_replay(value, id),
                Ok(Some((value, id))) => filling.push(value, id),
                Err(why) if why.is_poison() => self.give_up(&why),
                other => {
                    self.end(Phase::Next, other.err());
                    return Filled::Wait;
                }
            }
        }
        if self.may_be_slow.take() || self.fill_max.get() < usize::MAX {
            self.limit_fill(room, self.parts.shared.now() - started);
        }
        Filled::Full
    }

    /// A spout that needs long for each tuple is asked for fewer at a time, so that tuples do not
    /// wait for those after them, and that it is known how long the present one takes.
    #[cold]
    fn limit_fill(&self, tuples: usize, took: Nanos) {
        let each = took / tuples.max(1) as Nanos;
        let slow = each >= limits::SLOW_TUPLE.as_nanos() as Nanos;
        let fits = limits::SLOW_FILL.as_nanos() as Nanos / each.max(1);
        self.fill_max.set(if slow { fits.max(1) as usize } else { usize::MAX });
    }

    fn start_batch(&self) -> Nanos {
        let shared = &self.parts.shared;
        let now = shared.now();
        let epoch = shared.engine.epochs.current(now);
        self.parts.output.lower(Some(&epoch));
        if let Some(own) = &mut shared.acks.borrow_mut().own {
            own.now = now;
            own.epoch = epoch.number();
        }
        now
    }

    fn fill_replays(&self, room: usize) -> usize {
        let now = self.parts.shared.now();
        for taken in 0..room {
            let mut trees = self.trees.borrow_mut();
            let Some((id, mut copy)) = trees.take_due(now) else { return taken };
            copy.attempts += 1;
            let (tuple, only) = (self.clone_copy(&copy.tuple), copy.only());
            self.parts.stats.replayed.add(1);
            let root = trees.add_copy(id, copy);
            drop(trees);
            match tuple {
                Ok(tuple) => self.parts.output.stage(root, 0, tuple),
                Err(why) => {
                    self.parts.shared.fail([root], &why, None);
                    continue;
                }
            }
            if only.is_some() {
                self.parts.output.dispatch_last(only, &mut Vec::new());
            }
        }
        room
    }

    /// The spout has no more. If it failed, what it emitted is still processed, then the topology
    /// ends with the error.
    fn end(&self, phase: Phase, why: Option<Error>) {
        if let Some(why) = why {
            self.parts.shared.engine.fail(&self.parts.stats.place, phase, &why);
        }
        self.ended.set(true);
    }

    /// Hands the batch on; what went through the whole loop meanwhile has ended.
    async fn settle(&self, spout: &mut S) {
        poll_fn(|cx| self.poll_flush(cx, Flush::Full)).await;
        self.settle_batch(spout);
    }

    fn poll_flush(&self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        let flushed = self.parts.output.poll_flush(cx, flush);
        if flushed.is_ready() {
            let mut acks = self.parts.shared.acks.borrow_mut();
            acks.flush(self.parts.output.epoch().as_ref(), flush == Flush::All);
        }
        flushed
    }

    fn follow_activation(&self, spout: &mut S) {
        let active = self.parts.shared.engine.control.is_active();
        if active != self.active.get() {
            self.active.set(active);
            let _inside = self.enter(Phase::Next, self.parts.shared.now());
            if active { spout.activated() } else { spout.deactivated() }
        }
    }

    /// Lets other loops of the core have their turn. Now and then batches leave that are not full:
    /// a spout that is never out of breath must not keep a rare tuple.
    async fn yield_turn(&self) {
        let turns = self.turns.get() + 1;
        self.turns.set(turns % self.parts.shared.engine.batches_per_turn);
        let mut yielded = false;
        poll_fn(|cx| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            if self.turns.get() == 0 {
                let _ = self.poll_flush(cx, Flush::All);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Waits for the next tuple, an ack, a deadline or a word of the controller.
    async fn wait(&self, spout: &mut S) {
        let next = {
            let may_ask = self.may_ask() && self.room() > 0;
            let mut next = pin!(spout.next());
            poll_fn(|cx| {
                if may_ask {
                    let _inside = self.enter(Phase::Next, self.parts.shared.now());
                    if let Poll::Ready(next) = next.as_mut().poll(cx) {
                        return Poll::Ready(Some(next));
                    }
                }
                let flushed = self.poll_flush(cx, Flush::All).is_ready();
                if self.is_interrupted(may_ask) {
                    return Poll::Ready(None);
                }
                self.report_duties(flushed);
                let due = self.next_due();
                self.alarm.borrow_mut().set(&self.parts.shared.timers, due, cx);
                Poll::Pending
            })
            .await
        };
        match next {
            Some(Ok(Some((value, id)))) => {
                self.start_batch();
                match spout.routing(&id) {
                    Routing::Grouped => self.stage_one(spout, value, id),
                    _ => self.stage_alone(spout, value, id),
                }
                self.settle(spout).await;
            }
            Some(Err(why)) if why.is_poison() => self.give_up(&why),
            Some(other) => self.end(Phase::Next, other.err()),
            None => {}
        }
    }

    fn stage_one(&self, spout: &S, value: S::Output, id: S::Id) {
        let mut trees = self.trees.borrow_mut();
        let mut staged = self.parts.output.staged_mut();
        let mut filling = Filling::new(&mut trees, &mut staged, self.parts.settings.tracked);
        if spout.is_replay(&id) {
            filling.push_replay(value, id);
        } else {
            filling.push(value, id);
        }
    }

    /// Stages a tuple that the spout has something to say or to hear about, and hands it on, after
    /// all that was staged before.
    #[cold]
    fn stage_alone(&self, spout: &mut S, value: S::Output, id: S::Id) {
        let (routing, mut told) = (spout.routing(&id), Vec::new());
        self.stage_one(spout, value, id);
        let only = match routing {
            Routing::Only(task) => Some(task),
            Routing::Grouped | Routing::Told => None,
        };
        if let Some(task) = only {
            self.trees.borrow_mut().aim_last(task);
        }
        self.parts.output.dispatch_last(only, &mut told);
        if routing == Routing::Told {
            let _inside = self.enter(Phase::Next, self.parts.shared.now());
            spout.told(&told);
        }
    }

    fn is_interrupted(&self, may_ask: bool) -> bool {
        let control = &self.parts.shared.engine.control;
        let now = self.parts.shared.now();
        !self.parts.acks.is_empty()
            || control.are_spouts_stopped()
            || control.is_active() != self.active.get()
            || may_ask != (self.may_ask() && self.room() > 0)
            || self.next_due() <= now
    }

    /// How many new tuples there is room for. Those that wait for a replay have their room.
    fn room(&self) -> usize {
        let trees = self.trees.borrow();
        let waiting = if planted!(UnboundedRetries) { 0 } else { trees.waiting() };
        let allowed = self.parts.settings.pending_max.saturating_sub(trees.pending() + waiting);
        allowed.min(trees.room())
    }

    /// Says what is done, and whether anything more will come.
    fn report_duties(&self, flushed: bool) {
        if !flushed {
            return;
        }
        let duty = &self.parts.stats.duty;
        let draining = self.parts.shared.engine.control.is_draining();
        let exhausted = (self.ended.get() || draining) && !self.trees.borrow().has_waiting();
        // Before `done`: whoever sees that the failure of a tree was dealt with must also see
        // that there is a tuple to be replayed.
        let was_exhausted = duty.exhausted.swap(exhausted, Ordering::SeqCst);
        let applied = self.applied.take();
        if applied > 0 {
            duty.add_done(applied);
        }
        if exhausted != was_exhausted {
            self.parts.shared.engine.bell.ring();
        }
    }

    fn next_due(&self) -> Nanos {
        let trees = self.trees.borrow();
        let may_replay = self.may_replay() && trees.pending() < self.parts.settings.pending_max;
        let retry = trees.next_due().filter(|_| may_replay).unwrap_or(Nanos::MAX);
        let check = if trees.pending() > 0 { self.next_check.get() } else { Nanos::MAX };
        retry.min(check)
    }

    fn panicked(&self, message: &str) {
        let place = &self.parts.stats.place;
        let why = Error::msg(format!("panicked: {message}"));
        self.parts.shared.engine.report(place, Some(self.phase.get()), &why);
        // A key or a grouping that panicked: the trees of those tuples fail.
        let (broken, place) = (self.parts.output.take_broken(), place.clone());
        self.parts.shared.fail_batch(&broken, &Failure::Panic(place, message.to_owned()));
        self.restarts.set(self.restarts.get() + 1);
        self.parts.stats.restarts.add(1);
        self.takeovers.fetch_add(1, Ordering::SeqCst);
        self.not_taken.set(self.not_taken.get() + 1);
    }
}
