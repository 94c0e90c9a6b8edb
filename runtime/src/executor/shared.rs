//! What all loops of an engine share, and what the stages of one loop share.

use std::{
    any::Any,
    cell::RefCell,
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tormenta_dsl::{
    Epoch, Error, Failure, Parts, Plan, Root, Shared,
    engine::{Anchors, Batch},
    error::Place,
    record::Record,
};

use super::{
    guard::message,
    signal::WakeCell,
    user_code::{At, Inside, UserCode},
};
use crate::{
    acker::acks::{AckInbox, Acks},
    clock::{Clock, Nanos, Timers},
    limits,
    local::Asked,
    metrics::task::TaskStats,
    report::{Cause, DeadLetter, Phase, Reports},
    rng::Rng,
};

/// What all loops of an engine share.
pub(crate) struct EngineShared {
    pub(crate) topology: Arc<str>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) clock: Clock,
    pub(crate) control: Control,
    pub(crate) epochs: Epochs,
    pub(crate) reports: Reports,
    pub(crate) bell: Bell,
    pub(crate) objects: Shared,
    pub(crate) inboxes: Vec<AckInbox>,
    pub(crate) tasks: Vec<Arc<TaskStats>>,
    /// What each loop is at, once it has started.
    pub(crate) loops: Mutex<Vec<Arc<UserCode>>>,
    /// A core has gone with its tasks, which will never say that they have stopped.
    pub(crate) is_broken: AtomicBool,
    pub(crate) batch_tuples: usize,
    /// Batches that a loop works on before it lets others run.
    pub(crate) batches_per_turn: usize,
}

impl EngineShared {
    pub(crate) fn report(&self, place: &Place, phase: Option<Phase>, error: &Error) {
        self.reports.error(self.clock.now(), place, phase, &error.chain());
    }

    /// Ends the topology with an error: what was emitted is still processed.
    pub(crate) fn fail(&self, place: &Place, phase: Phase, error: &Error) {
        self.reports.fatal(self.clock.now(), place, phase, error);
        self.control.drain();
        self.bell.ring();
    }

    /// Ends the topology at once: some of the engine is gone, and its tasks with it.
    #[cold]
    pub(crate) fn break_off(&self, cause: Cause, why: String) {
        self.reports.set_fatal(cause, why);
        self.is_broken.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Writes a dead letter, and tells whoever is to be told.
    pub(crate) fn give_up(&self, place: &Place, phase: Phase, letter: &DeadLetter) {
        // What was given up would be nowhere.
        if let Err(why) = self.reports.dead_letter(letter) {
            self.fail(place, phase, &why);
        }
        // Somebody else's code, in the middle of our books.
        let tell = || self.reports.tell_letter(letter);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(tell)) {
            let why = format!("`on_dead_letter` panicked: {}", message(&*panic));
            self.report(place, None, &Error::msg(why));
        }
    }

    /// What each loop is at.
    pub(crate) fn looks(&self) -> Vec<Option<(At, Nanos)>> {
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.iter().map(|user_code| user_code.look()).collect()
    }
}

/// What the controller asks of all loops.
#[derive(Default)]
pub(crate) struct Control {
    inactive: AtomicBool,
    draining: AtomicBool,
    stop_bolts: AtomicBool,
    stop_spouts: AtomicBool,
    /// Components whose position in topological order is below this shall finish.
    finish_below: AtomicUsize,
    wakes: Mutex<Vec<Arc<WakeCell>>>,
}

impl Control {
    pub(crate) fn register(&self, wake: Arc<WakeCell>) {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).push(wake);
    }

    fn wake_all(&self) {
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.iter().for_each(|wake| wake.wake());
    }

    pub(crate) fn set_active(&self, active: bool) {
        self.inactive.store(!active, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn is_active(&self) -> bool {
        !self.inactive.load(Ordering::Relaxed)
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn finish_below(&self, position: usize) {
        self.finish_below.store(position, Ordering::SeqCst);
        self.wake_all();
    }

    /// Whether components are being asked to finish.
    pub(crate) fn is_finishing(&self) -> bool {
        self.finish_below.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn shall_finish(&self, position: usize) -> bool {
        position < self.finish_below.load(Ordering::Relaxed)
    }

    /// Bolts stop first, so that spouts hear what became of the last tuples.
    pub(crate) fn stop_bolts(&self) {
        self.stop_bolts.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn stop_spouts(&self) {
        self.stop_spouts.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn are_bolts_stopped(&self) -> bool {
        self.stop_bolts.load(Ordering::Relaxed)
    }

    pub(crate) fn are_spouts_stopped(&self) -> bool {
        self.stop_spouts.load(Ordering::Relaxed)
    }
}

/// Tells the controller that a spout has nothing more to emit.
#[derive(Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    controller: OnceLock<Arc<Asked>>,
}

impl Bell {
    pub(crate) fn connect(&self, controller: Arc<Asked>) {
        let _ = self.controller.set(controller.clone());
        if self.rung.load(Ordering::SeqCst) {
            controller.ring();
        }
    }

    pub(crate) fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        if let Some(controller) = self.controller.get() {
            controller.ring();
        }
    }
}

/// Epochs that may still be alive, oldest first.
#[derive(Default)]
pub(crate) struct Epochs(Mutex<VecDeque<Epoch>>);

impl Epochs {
    /// The epoch of this moment.
    pub(crate) fn current(&self, now: Nanos) -> Epoch {
        let number = now / limits::EPOCH.as_nanos() as Nanos;
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if epochs.back().is_none_or(|last| last.number() < number) {
            // Results have epochs too while all spouts sleep, and nobody asks for the floor.
            while epochs.front().is_some_and(|oldest| !oldest.is_alive()) {
                epochs.pop_front();
            }
            epochs.push_back(Epoch::new(number));
        }
        epochs[epochs.len() - 1].clone()
    }

    /// The oldest epoch that anything may belong to. What is pending from before it is lost.
    pub(crate) fn floor(&self, now: Nanos) -> u64 {
        let current = now / limits::EPOCH.as_nanos() as Nanos;
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = epochs.front() {
            if oldest.is_alive() || oldest.number() >= current {
                return oldest.number();
            }
            epochs.pop_front();
        }
        current
    }

    /// The oldest epoch that a result of a task at this position may belong to.
    pub(crate) fn floor_of_results(&self, now: Nanos, position: usize) -> u64 {
        let current = now / limits::EPOCH.as_nanos() as Nanos;
        let epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive = epochs.iter().filter(|epoch| epoch.is_alive_beyond(position));
        alive.next().map_or(current, |oldest| oldest.number().min(current))
    }
}

/// Component and task that send, and the component that reads.
type LaneKey = (usize, usize, usize);

/// What the stages of one loop share. They all run on one core.
pub(crate) struct LoopShared {
    pub(crate) engine: Arc<EngineShared>,
    pub(crate) timers: Arc<Timers>,
    pub(crate) acks: RefCell<Acks>,
    pub(crate) wake: Arc<WakeCell>,
    user_code: Arc<UserCode>,
    /// The lanes that a task has to each component it feeds, whatever the stream: tuples of
    /// different streams between the same two tasks must not overtake each other.
    lanes: RefCell<HashMap<LaneKey, Rc<dyn Any>>>,
}

impl LoopShared {
    pub(crate) fn new(
        engine: Arc<EngineShared>,
        timers: Arc<Timers>,
        wake: Arc<WakeCell>,
        rng: Rng,
    ) -> Rc<Self> {
        let acks = RefCell::new(Acks::new(&engine.inboxes, rng));
        let user_code = Arc::<UserCode>::default();
        let mut loops = engine.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.push(user_code.clone());
        drop(loops);
        Rc::new(Self { engine, timers, acks, wake, user_code, lanes: RefCell::default() })
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        self.timers.clock.now()
    }

    /// Enters user code of a task, until the note is dropped.
    #[inline]
    pub(crate) fn enter(&self, stats: &TaskStats, phase: Phase, now: Nanos) -> Inside<'_> {
        self.user_code.enter(At::new(stats.number, phase), now, &self.timers.clock)
    }

    /// The lanes from one task to one component; the first stream to ask makes them.
    pub(crate) fn lanes<T: 'static>(&self, key: LaneKey, make: impl FnOnce() -> T) -> Rc<T> {
        let mut lanes = self.lanes.borrow_mut();
        let lanes = lanes.entry(key).or_insert_with(|| Rc::new(make()));
        let Ok(lanes) = lanes.clone().downcast() else {
            unreachable!("the lanes to a component have the type of its input");
        };
        lanes
    }

    /// The context of a task of this loop.
    pub(crate) fn context(
        &self,
        stats: &Arc<TaskStats>,
        tasks: usize,
        config: std::collections::BTreeMap<String, String>,
    ) -> tormenta_dsl::Context {
        let (engine, user_code, number) =
            (self.engine.clone(), self.user_code.clone(), stats.number);
        let phase = move || {
            let (at, _) = user_code.look()?;
            (at.task() == number).then(|| at.phase())
        };
        let drained = engine.clone();
        tormenta_dsl::Context::new(Parts {
            topology: engine.topology.clone(),
            place: stats.place.clone(),
            tasks,
            config: Arc::new(config),
            counters: stats.counters.clone(),
            shared: engine.objects.clone(),
            timer: self.timers.clone(),
            report: Arc::new(move |place, error| engine.report(place, phase(), error)),
            drain: Arc::new(move || {
                drained.control.drain();
                drained.bell.ring();
            }),
        })
        .with_plan(self.engine.plan.clone())
    }

    /// Fails the trees of all tuples of a batch.
    pub(crate) fn fail_batch<T>(&self, batch: &Batch<T>, why: &Failure) {
        for (root, _) in batch.roots.iter() {
            self.fail_roots(&batch.anchors, root, why);
        }
    }

    /// Fails the trees that a root of a batch names.
    pub(crate) fn fail_roots(&self, anchors: &[Anchors], root: Root, why: &Failure) {
        if root.is_many() {
            self.fail(anchors[root.index()].iter().map(|(root, _)| *root), why, None);
        } else {
            self.fail([root], why, None);
        }
    }

    /// Fails the trees of a tuple.
    pub(crate) fn fail(
        &self,
        roots: impl IntoIterator<Item = Root>,
        why: &Failure,
        tuple: Option<&Record>,
    ) {
        let mut acks = self.acks.borrow_mut();
        for root in roots {
            acks.fail(root, why.clone(), tuple.cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_that_have_passed_are_forgotten_though_nobody_asks_for_the_floor() {
        let (epochs, second) = (Epochs::default(), limits::EPOCH.as_nanos() as Nanos);
        let held = epochs.current(3 * second);
        for number in 4..1_000 {
            drop(epochs.current(number * second));
        }
        assert_eq!(epochs.floor_of_results(1_000 * second, 0), 3);
        drop(held);
        assert_eq!(epochs.current(1_000 * second).number(), 1_000);
        assert_eq!(epochs.0.into_inner().expect("whole").len(), 1);
    }
}
