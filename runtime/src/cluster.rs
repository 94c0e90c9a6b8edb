//! A topology inside a test: virtual time, one seed, no threads.

#[cfg(all(test, feature = "planted-bugs"))]
#[path = "cluster_test.rs"]
mod tests;

use std::{sync::atomic::Ordering, time::Duration};

use tormenta_dsl::{Plan, Topology, plan::PlanErrors};

use crate::{
    build::Local,
    clock::{Clock, Nanos},
    drain::{Command, Drain},
    engine::{Built, Handle, Setup, build},
    executor::{core::Core, panics},
    local::Summary,
    metrics::Metrics,
    report::{DeadLetter, OnLetter, ReportedError},
    rng::Rng,
};

/// Settings of a [`LocalCluster`].
#[non_exhaustive]
pub struct Simulation {
    /// Decides edge ids and the order in which loops run.
    pub seed: u64,
    /// Cores that the loops are spread over.
    pub cores: usize,
    /// Whether the planner may fuse.
    pub fuse: bool,
    /// Tuples that travel together; small numbers explore more interleavings.
    pub batch_tuples: usize,
    /// How long the end may take, in virtual time.
    pub drain_timeout: Duration,
    /// Called for every dead letter.
    pub on_dead_letter: Option<OnLetter>,
}

impl Simulation {
    /// The default settings with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            cores: 2,
            fuse: true,
            batch_tuples: 8,
            drain_timeout: Duration::from_secs(3600),
            on_dead_letter: None,
        }
    }
}

/// A whole engine on the thread of a test.
///
/// The loops are the ones that run in production; only the clock is virtual, and which loop runs
/// next is drawn from the seed, so that one number replays everything. Time moves when nothing
/// else can, so user code must wait with [`Context::sleep`](tormenta_dsl::Context::sleep).
pub struct LocalCluster {
    handle: Handle,
    cores: Vec<Core>,
    drain: Drain,
    rng: Rng,
}

impl LocalCluster {
    /// Builds a topology; nothing runs yet.
    ///
    /// # Errors
    /// All mistakes of the topology.
    pub fn new(topology: Topology<Local>, simulation: Simulation) -> Result<Self, PlanErrors> {
        panics::install_hook();
        let mut rng = Rng::new(simulation.seed);
        let mut setup = Setup::new(Clock::simulated(), rng.next(), simulation.cores);
        setup.fuse = simulation.fuse;
        setup.batch_tuples = simulation.batch_tuples;
        setup.batches_per_turn = 1;
        setup.on_letter = simulation.on_dead_letter;
        let Built { handle, cores } = build(topology, setup)?;
        let cores = cores.into_iter().map(|loops| Core::new(&handle.shared, loops)).collect();
        Ok(Self { handle, cores, drain: Drain::new(simulation.drain_timeout), rng })
    }

    /// Polls one loop, chosen by the seed. False if none has anything to do.
    pub fn step(&mut self) -> bool {
        let first = self.rng.below(self.cores.len());
        let count = self.cores.len();
        (0..count).any(|i| self.cores[(first + i) % count].poll_one(&mut self.rng))
    }

    /// Runs until nothing has anything to do at this moment.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Moves time forward, running whatever becomes due on the way.
    pub fn advance(&mut self, by: Duration) {
        let until = self.now() + by;
        self.settle();
        while self.next_due().is_some_and(|due| Duration::from_nanos(due) <= until) {
            self.advance_to_next();
            self.settle();
        }
        self.handle.shared.clock.advance_to(until.as_nanos() as Nanos);
        self.fire();
        self.settle();
    }

    /// Runs to the end of all inputs, or of a drain that was asked for.
    ///
    /// Returns early, with the topology still running, if nothing will ever happen again.
    pub fn run(&mut self) -> Summary {
        while !self.drain.is_ended() && self.turn() {}
        self.settle();
        self.summary()
    }

    /// Asks for the end: spouts emit nothing more.
    pub fn drain(&mut self) {
        if let Some(command) = self.drain.ask(self.now()) {
            self.handle.obey(command);
        }
    }

    /// Whether the topology has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.drain.is_ended()
    }

    /// One step of the loops, of the controller, or of time; for tests that look on. False if
    /// there is none.
    pub fn turn(&mut self) -> bool {
        if self.step() {
            return true;
        }
        if self.handle.shared.is_broken.load(Ordering::SeqCst) && !self.drain.cut {
            self.handle.shared.control.drain();
            let command = self.drain.cut();
            self.handle.shared.reports.set_cut_off(self.handle.unfinished());
            self.handle.obey(command);
            return true;
        }
        let may_end = !self.drain.is_running() || self.handle.is_exhausted();
        let command = may_end.then(|| self.drain.step(self.handle.look(), self.now()));
        if let Some(command) = command.flatten() {
            if self.drain.cut && command == Command::StopBolts {
                self.handle.shared.reports.set_cut_off(self.handle.unfinished());
            }
            self.handle.obey(command);
            return true;
        }
        let deadline = self.drain.deadline().map(|deadline| deadline.as_nanos() as Nanos);
        let Some(due) = self.next_due().into_iter().chain(deadline).min() else { return false };
        self.handle.shared.clock.advance_to(due);
        self.fire();
        true
    }

    fn next_due(&self) -> Option<Nanos> {
        self.cores.iter().filter_map(|core| core.timers.next_due()).min()
    }

    fn advance_to_next(&mut self) {
        if let Some(due) = self.next_due() {
            self.handle.shared.clock.advance_to(due);
            self.fire();
        }
    }

    fn fire(&self) {
        let now = self.handle.shared.clock.now();
        self.cores.iter().for_each(|core| core.timers.fire(now));
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.handle.shared.clock.now())
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.handle.plan
    }

    /// Which task runs where, one line a loop.
    #[must_use]
    pub fn placement(&self) -> String {
        self.handle.placement.describe(&self.handle.plan)
    }

    /// Counters and latencies so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }

    /// The latest errors that components reported.
    #[must_use]
    pub fn errors(&self) -> Vec<ReportedError> {
        self.handle.shared.reports.errors()
    }

    /// The latest tuples that were given up.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.handle.shared.reports.letters()
    }

    /// Has spouts emit again.
    pub fn activate(&self) {
        self.handle.shared.control.set_active(true);
    }

    /// Has spouts emit nothing for now.
    pub fn deactivate(&self) {
        self.handle.shared.control.set_active(false);
    }

    /// What the topology did so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let reports = &self.handle.shared.reports;
        let (cause, error) = reports.fatal_error().unzip();
        Summary {
            seconds: self.now().as_secs_f64(),
            metrics: self.metrics(),
            errors: reports.errors(),
            dead_letters: reports.letters(),
            error,
            cause,
            cut_off: reports.cut_off(),
        }
    }
}
