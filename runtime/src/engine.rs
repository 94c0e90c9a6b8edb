//! A running topology, whatever drives its cores: threads, or a simulation.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tormenta_dsl::{
    Error, Plan, Settings, Topology, error::Place, plan::ComponentKind, plan::PlanErrors,
};

use crate::{
    acker::acks::AckInbox,
    build::{AckEnd, Component, Info, Local, Wiring},
    clock::{Clock, Nanos},
    drain::{Command, Seen},
    executor::{
        core::Planted,
        shared::{Bell, Control, EngineShared, Epochs},
        signal::WakeCell,
        user_code::At,
    },
    letter_file::DeadLetterFile,
    limits,
    metrics::{Metrics, task::TaskStats},
    placement::Placement,
    planted,
    report::{OnLetter, Phase, Reports},
    rng::Rng,
    watchdog::{Blocked, Watchdog},
};

/// What an engine is given besides the topology.
pub(crate) struct Setup {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) cores: usize,
    pub(crate) fuse: bool,
    pub(crate) batch_tuples: usize,
    pub(crate) batches_per_turn: usize,
    pub(crate) on_letter: Option<OnLetter>,
    pub(crate) letter_file: Option<DeadLetterFile>,
}

impl Setup {
    pub(crate) fn new(clock: Clock, seed: u64, cores: usize) -> Self {
        Self {
            clock,
            seed,
            cores,
            fuse: true,
            batch_tuples: limits::BATCH_TUPLES,
            batches_per_turn: limits::BATCHES_PER_TURN,
            on_letter: None,
            letter_file: None,
        }
    }
}

/// A topology that was built.
pub(crate) struct Built {
    pub(crate) handle: Handle,
    /// The loops of each core.
    pub(crate) cores: Vec<Vec<Planted>>,
}

/// A running topology as its controller sees it.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<EngineShared>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) placement: Arc<Placement>,
    /// The component at each position of the topological order.
    pub(crate) order: Arc<Vec<usize>>,
}

/// Validates a topology and makes its loops.
pub(crate) fn build(topology: Topology<Local>, setup: Setup) -> Result<Built, PlanErrors> {
    let (plan, components) = topology.into_parts()?;
    let placement = Placement::new(&plan, setup.cores.max(1), setup.fuse);
    let names: Vec<Arc<str>> = components.iter().map(|c| c.name.clone()).collect();
    let mut number = 0;
    let stats: Vec<Vec<Arc<TaskStats>>> = plan
        .components
        .iter()
        .enumerate()
        .map(|(index, c)| {
            let place = |task| Place { component: names[index].clone(), task };
            let keys = Arc::default();
            let stats = |task| {
                number += 1;
                TaskStats::new(number - 1, index, place(task), Arc::clone(&keys))
            };
            (0..c.settings.tasks).map(stats).collect()
        })
        .collect();
    let wakes = wakes(&plan, &placement);
    let order = order(&plan);
    let (inboxes, mut receivers) = inboxes(&plan, &wakes);
    let mut components: Vec<Box<dyn Component>> =
        components.into_iter().map(|component| component.task.0).collect();
    for (index, component) in components.iter_mut().enumerate() {
        let position = order.iter().position(|c| *c == index).unwrap_or(order.len());
        let config = plan.config.iter().chain(&plan.components[index].settings.config);
        component.open(Info {
            index,
            position,
            settings: plan.components[index].settings.clone(),
            config: config.map(|(key, value)| (key.clone(), value.clone())).collect(),
            stats: stats[index].clone(),
            wakes: wakes[index].clone(),
            inboxes: std::mem::take(&mut receivers[index]),
            feedback: plan.edges.iter().filter(|e| e.target == index).map(|e| e.feedback).collect(),
        });
    }
    let plan = Arc::new(plan);
    let shared = Arc::new(EngineShared {
        topology: plan.name.as_str().into(),
        plan: plan.clone(),
        clock: setup.clock,
        control: Control::default(),
        epochs: Epochs::default(),
        reports: Reports::new(setup.on_letter, setup.letter_file),
        bell: Bell::default(),
        objects: tormenta_dsl::Shared::default(),
        inboxes,
        tasks: stats.iter().flatten().cloned().collect(),
        loops: std::sync::Mutex::default(),
        is_broken: AtomicBool::new(false),
        batch_tuples: setup.batch_tuples,
        batches_per_turn: setup.batches_per_turn,
    });
    let fused = &placement.fused;
    let wiring = Wiring { plan: &plan, fused, components, stats, wakes: wakes.clone() };
    let cores = plant(wiring, &placement, &shared, Rng::new(setup.seed));
    let (placement, order) = (Arc::new(placement), Arc::new(order));
    Ok(Built { handle: Handle { shared, plan, placement, order }, cores })
}

fn plant(
    mut wiring: Wiring<'_>,
    placement: &Placement,
    shared: &EngineShared,
    mut rng: Rng,
) -> Vec<Vec<Planted>> {
    let mut cores: Vec<Vec<Planted>> = (0..placement.cores).map(|_| Vec::new()).collect();
    for each in &placement.loops {
        let (component, task) = each.stages[0];
        let seed = wiring.loop_of(component, task);
        let wake = wiring.wakes[component][task].clone();
        shared.control.register(wake.clone());
        cores[each.core].push(Planted { seed, wake, rng: rng.fork() });
    }
    cores
}

/// Topological order, with components that only feedback leads to at the end.
fn order(plan: &Plan) -> Vec<usize> {
    let mut order = plan.topological_order();
    let rest: Vec<usize> = (0..plan.components.len()).filter(|c| !order.contains(c)).collect();
    order.extend(rest);
    order
}

/// For each component and task the waker of the loop it runs in.
fn wakes(plan: &Plan, placement: &Placement) -> Vec<Vec<Arc<WakeCell>>> {
    let tasks = plan.components.iter().map(|component| component.settings.tasks);
    let mut wakes: Vec<Vec<Arc<WakeCell>>> =
        tasks.map(|tasks| (0..tasks).map(|_| Arc::default()).collect()).collect();
    for each in &placement.loops {
        let (component, task) = each.stages[0];
        let head = wakes[component][task].clone();
        for (component, task) in &each.stages {
            wakes[*component][*task] = head.clone();
        }
    }
    wakes
}

/// Numbers whatever has trees of its own, and gives each an inbox for acks: spout tasks, and for
/// each clone of a bolt that answers for results.
fn inboxes(plan: &Plan, wakes: &[Vec<Arc<WakeCell>>]) -> (Vec<AckInbox>, Vec<Vec<AckEnd>>) {
    let mut inboxes = Vec::new();
    let mut receivers: Vec<Vec<AckEnd>> = (0..plan.components.len()).map(|_| Vec::new()).collect();
    for (index, component) in plan.components.iter().enumerate() {
        let settings = &component.settings;
        let clones = match component.kind {
            ComponentKind::Spout => 1,
            ComponentKind::Bolt if settings.retry.is_some() => settings.concurrency.limit(),
            ComponentKind::Bolt => 0,
        };
        for wake in wakes[index].iter().flat_map(|wake| std::iter::repeat_n(wake, clones)) {
            let (inbox, receiver) = AckInbox::new(wake.clone());
            receivers[index].push((inboxes.len(), inbox.clone(), receiver));
            inboxes.push(inbox);
        }
    }
    (inboxes, receivers)
}

/// How long user code of a component may keep its thread.
fn patience(settings: &Settings) -> Nanos {
    settings.execute_timeout.unwrap_or(limits::BLOCKED_AFTER).as_nanos() as Nanos
}

impl Handle {
    pub(crate) fn metrics(&self) -> Metrics {
        let clones =
            |task: &TaskStats| self.plan.components[task.component].settings.concurrency.limit();
        let tasks = self.shared.tasks.iter().map(|task| (&**task, clones(task)));
        Metrics::read(tasks, self.shared.clock.now())
    }

    /// Whether every spout has said that it will emit nothing more.
    pub(crate) fn is_exhausted(&self) -> bool {
        let kind = |task: &TaskStats| self.plan.components[task.component].kind;
        let mut spouts = self.shared.tasks.iter().filter(|task| kind(task) == ComponentKind::Spout);
        spouts.all(|task| task.duty.exhausted.load(Ordering::SeqCst))
    }

    /// What a controller has to know to decide what comes next.
    pub(crate) fn look(&self) -> Seen {
        let tasks = &self.shared.tasks;
        let is_spout =
            |task: &TaskStats| self.plan.components[task.component].kind == ComponentKind::Spout;
        let bolts = || tasks.iter().filter(|task| !is_spout(task));
        let all_stopped = bolts().all(|task| task.duty.stopped.load(Ordering::SeqCst));
        // Bolts that have stopped take nothing in, not even what became of their results.
        let at_work = || tasks.iter().filter(|task| !all_stopped || is_spout(task));
        // All `done` before all `given`: see `Duty`.
        let done: u64 = at_work().map(|task| task.duty.done()).sum();
        // Before `exhausted`: a tree that is open no more because it will be replayed was shown
        // after its spout had said that there is more to come. A replay counts as `given` before
        // its spout says that there is nothing more, and that is looked at last.
        let pending: u64 = tasks.iter().map(|task| task.pending.seen()).sum();
        let exhausted = self.is_exhausted();
        let unfinished = bolts().filter(|task| !task.duty.finished.load(Ordering::SeqCst));
        let position = |task: &Arc<TaskStats>| {
            self.order.iter().position(|c| *c == task.component).unwrap_or(self.order.len())
        };
        let finished_below = unfinished.map(position).min().unwrap_or(self.order.len());
        let bolts_stopped = all_stopped || self.shared.is_broken.load(Ordering::SeqCst);
        let given: u64 = at_work().map(|task| task.duty.given()).sum();
        let held: usize = tasks.iter().map(|task| task.duty.held.load(Ordering::SeqCst)).sum();
        let failed = self.shared.reports.fatal_error().is_some();
        let own_since = tasks.iter().filter_map(|task| task.duty.own_since()).min();
        Seen {
            exhausted,
            quiet: done == given,
            lost: pending > 0 && held == 0 && !planted!(LostAtTheEnd),
            failed,
            finished_below,
            components: self.order.len(),
            bolts_stopped,
            held: held > 0,
            own_since: own_since.map(Duration::from_nanos),
        }
    }

    /// Reports the tasks whose user code keeps its thread for too long. Says when to look again.
    pub(crate) fn watch(&self, watchdog: &mut Watchdog) -> Nanos {
        let limits = self.plan.components.iter().map(|component| patience(&component.settings));
        let shortest = limits.min().unwrap_or(Nanos::MAX);
        let settings =
            |at: At| &self.plan.components[self.shared.tasks[at.task()].component].settings;
        let limit = |at: At| match at.phase() {
            // To wait for its input is what such a spout is for.
            Phase::Next if settings(at).blocking => Nanos::MAX,
            _ => patience(settings(at)),
        };
        let now = self.shared.clock.now();
        let (blocked, next) = watchdog.look(now, shortest, self.shared.looks(), limit);
        for Blocked { at, since } in blocked {
            let (phase, seconds) = (at.phase(), (now - since) as f64 / 1e9);
            let mend = match settings(at).blocking {
                true => "",
                false => {
                    ", and nothing else runs on its core: let it await, or declare it `blocking`"
                }
            };
            let why = format!("stuck: `{phase}` has not returned for {seconds:.1} s{mend}");
            self.shared.report(&self.shared.tasks[at.task()].place, Some(phase), &Error::msg(why));
        }
        next
    }

    /// Does what the drain machine says.
    pub(crate) fn obey(&self, command: Command) {
        let control = &self.shared.control;
        match command {
            Command::Drain => control.drain(),
            Command::FinishBelow(position) => control.finish_below(position),
            Command::StopBolts => control.stop_bolts(),
            Command::StopSpouts => control.stop_spouts(),
        }
    }

    /// Tasks that still hold tickets or are executing, for people who wait for the end.
    pub(crate) fn holders(&self) -> Vec<String> {
        let now = self.shared.clock.now();
        let looks = self.shared.looks();
        self.shared.tasks.iter().filter_map(|task| self.holder(task, now, &looks)).collect()
    }

    fn holder(
        &self,
        task: &TaskStats,
        now: Nanos,
        looks: &[Option<(At, Nanos)>],
    ) -> Option<String> {
        let seconds = |since: Nanos| now.saturating_sub(since) as f64 / 1e9;
        let is_own = |look: &&(At, Nanos)| look.0.task() == task.number;
        let blocking = looks.iter().flatten().find(is_own);
        let blocking = blocking
            .filter(|(_, since)| seconds(*since) >= limits::BLOCKED_NAMED_AFTER.as_secs_f64());
        let held = task.duty.held.load(Ordering::Relaxed);
        let since = task.duty.executing_since.load(Ordering::Relaxed);
        let executing = match (blocking, task.duty.own_since()) {
            (Some((at, since)), _) => {
                Some(format!("blocks in `{}` for {:.1} s", at.phase(), seconds(*since)))
            }
            _ if since > 0 => Some(format!("executing for {:.1} s", seconds(since))),
            (None, Some(since)) => Some(format!("in a tick or finish for {:.1} s", seconds(since))),
            (None, None) => None,
        };
        let plural = if held == 1 { "" } else { "s" };
        let held = (held > 0).then(|| format!("holds {held} tuple{plural}"));
        let what: Vec<String> = executing.into_iter().chain(held).collect();
        (!what.is_empty()).then(|| format!("{} {}", task.place, what.join(", ")))
    }

    /// Tasks that keep the topology from ending: those that hold on, or else those behind.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let holders = self.holders();
        if !holders.is_empty() {
            return holders;
        }
        let late = |task: &TaskStats| {
            let is_spout = self.plan.components[task.component].kind == ComponentKind::Spout;
            let position = self.order.iter().position(|c| *c == task.component);
            let is_asked = position.is_some_and(|p| self.shared.control.shall_finish(p));
            let (done, given) = (task.duty.done(), task.duty.given());
            let what = if is_spout {
                (!task.duty.exhausted.load(Ordering::SeqCst)).then_some("has not ended")
            } else if is_asked && !task.duty.finished.load(Ordering::SeqCst) {
                Some("has not finished")
            } else {
                (done != given).then_some("has work left")
            };
            what.map(|what| format!("{} {what}", task.place))
        };
        self.shared.tasks.iter().filter_map(|task| late(task)).collect()
    }
}
