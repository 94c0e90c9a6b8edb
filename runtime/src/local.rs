//! Runs a topology in this process, on threads.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use serde::Serialize;
use tormenta_dsl::{Plan, Topology, plan::PlanErrors};

use crate::{
    build::Local,
    clock::{Clock, Nanos},
    drain::{Command, Drain},
    engine::{Built, Handle, Setup, build},
    executor::{
        core::{Core, Planted},
        guard::message,
        panics::{self, At},
    },
    letter_file::DeadLetterFile,
    metrics::Metrics,
    placement::Placement,
    report::{Cause, DeadLetter, OnLetter, ReportedError},
    watch::Watch,
    watchdog::Watchdog,
};

/// How a topology runs in this process.
#[derive(Default)]
#[non_exhaustive]
pub struct Options {
    /// Threads that share the loops; as many as the machine has processors unless set.
    pub cores: Option<usize>,
    /// Never fuse, so that every task has a loop of its own.
    pub unfused: bool,
    /// What edge ids are drawn from; different for each run unless set.
    pub seed: Option<u64>,
    /// How long the end of the topology may take; 30 s unless set.
    pub drain_timeout: Option<Duration>,
    /// How long an idle core looks for work before it parks; unless set, the longer it was busy
    /// the longer, from 20 to 200 us.
    pub spin: Option<Duration>,
    /// Called for every dead letter.
    pub on_dead_letter: Option<OnLetter>,
    /// The file that gets every dead letter.
    pub dead_letters: Option<DeadLetterFile>,
}

/// A topology that is running in this process.
///
/// Dropping it stops the topology without draining it.
pub struct Running {
    handle: Handle,
    cores: Vec<JoinHandle<()>>,
    controller: Option<JoinHandle<()>>,
    asked: Arc<Asked>,
    started: Nanos,
}

/// What a topology did, when it has ended.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Time from start to end, in seconds.
    pub seconds: f64,
    /// Counters and latencies.
    pub metrics: Metrics,
    /// The latest errors that components reported.
    pub errors: Vec<ReportedError>,
    /// The latest tuples that were given up, and inputs that are none.
    pub dead_letters: Vec<DeadLetter>,
    /// Why the topology ended before its inputs did.
    pub error: Option<String>,
    /// Of what kind that is.
    pub cause: Option<Cause>,
    /// Tasks that did not let go in time: what they held has failed.
    pub cut_off: Vec<String>,
}

/// Why a topology did not run, or did not run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The topology has mistakes.
    Plan(PlanErrors),
    /// A component ended it.
    Failed(String),
    /// The end took longer than it may: these tasks held on.
    CutOff(Vec<String>),
    /// The machine refused a thread.
    Thread(std::io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(errors) => errors.fmt(f),
            Self::Failed(why) => f.write_str(why),
            Self::CutOff(tasks) if tasks.is_empty() => {
                f.write_str("the topology was stopped before it had drained")
            }
            Self::CutOff(tasks) => {
                write!(f, "the topology did not drain in time: {}", tasks.join("; "))
            }
            Self::Thread(_) => f.write_str("start a thread"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(source) => Some(source),
            _ => None,
        }
    }
}

impl Summary {
    /// The summary, or why the topology did not run to its end.
    ///
    /// # Errors
    /// When a component ended the topology, or when it had to be cut off.
    pub fn into_result(self) -> Result<Self, RunError> {
        if let Some(error) = self.error {
            return Err(RunError::Failed(error));
        }
        if !self.cut_off.is_empty() {
            return Err(RunError::CutOff(self.cut_off));
        }
        Ok(self)
    }
}

/// Starts a topology on the threads of this process.
///
/// It runs until its spouts have ended or somebody stops it; in either case what was emitted is
/// processed first.
///
/// # Errors
/// When the topology has mistakes (all are named), or a thread cannot be started.
pub fn start(topology: Topology<Local>, options: Options) -> Result<Running, RunError> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let cores = options.cores.unwrap_or_else(processors).max(1);
    let seed = options.seed.unwrap_or_else(random_seed);
    panics::install_hook();
    let mut setup = Setup::new(Clock::real(), seed, cores);
    setup.fuse = !options.unfused;
    setup.on_letter = options.on_dead_letter;
    setup.letter_file = options.dead_letters;
    let Built { handle, cores } = build(topology, setup).map_err(RunError::Plan)?;
    // With one processor, whoever could bring work waits for the one that spins.
    let spin = if processors() > 1 { options.spin } else { Some(Duration::ZERO) };
    let threads: Result<Vec<_>, _> = cores
        .into_iter()
        .enumerate()
        .filter(|(_, loops)| !loops.is_empty())
        .map(|(index, loops)| spawn_core(index, &handle, loops, spin))
        .collect();
    let asked = Arc::<Asked>::default();
    let limit = options.drain_timeout.unwrap_or(Duration::from_secs(30));
    let started = handle.shared.clock.now();
    handle.shared.bell.connect(asked.clone());
    let controller = spawn_controller(&handle, &asked, limit);
    let mut running = Running { handle, cores: Vec::new(), controller: None, asked, started };
    running.cores = threads.map_err(RunError::Thread)?;
    running.controller = Some(controller.map_err(RunError::Thread)?);
    Ok(running)
}

/// Runs a topology to its end.
///
/// # Errors
/// As [`start`] and [`Summary::into_result`].
pub fn run(topology: Topology<Local>) -> Result<Summary, RunError> {
    start(topology, Options::default())?.wait().into_result()
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

fn spawn_core(
    index: usize,
    handle: &Handle,
    loops: Vec<Planted>,
    spin: Option<Duration>,
) -> std::io::Result<JoinHandle<()>> {
    let shared = handle.shared.clone();
    let spin = spin.map(|spin| spin.as_nanos() as Nanos);
    std::thread::Builder::new().name(format!("tormenta-core-{index}")).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ran =
            runtime.map_err(|why| (Cause::Failed, format!("start the runtime of a core: {why}")));
        panics::be_quiet();
        let ran = ran.and_then(|runtime| {
            // User code has guards of its own, but for what runs while loops are made.
            let run = || {
                let entered = panics::enter(At::Engine);
                let core = Core::new(&shared, loops);
                drop(entered);
                runtime.block_on(core.run(spin));
            };
            catch_unwind(AssertUnwindSafe(run)).map_err(|panic| core_panicked(&*panic))
        });
        if let Err((cause, why)) = ran {
            shared.break_off(cause, why);
        }
    })
}

fn core_panicked(panic: &(dyn Any + Send)) -> (Cause, String) {
    if let Some(bug) = panics::bug(panic) {
        return (Cause::Bug, bug);
    }
    let at = panics::take_origin().map(|origin| format!(" ({})", origin.at));
    let (message, at) = (message(panic), at.unwrap_or_default());
    (Cause::Failed, format!("a core panicked, and its tasks are gone: {message}{at}"))
}

fn spawn_controller(
    handle: &Handle,
    asked: &Arc<Asked>,
    limit: Duration,
) -> std::io::Result<JoinHandle<()>> {
    let (handle, asked) = (handle.clone(), asked.clone());
    std::thread::Builder::new()
        .name("tormenta-control".into())
        .spawn(move || control(&handle, &asked, Drain::new(limit)))
}

/// Steps the drain machine until the topology has ended, and looks out for code that is stuck.
fn control(handle: &Handle, asked: &Asked, mut drain: Drain) {
    let mut pause = None;
    let mut watchdog = Watchdog::default();
    let mut next_look = handle.watch(&mut watchdog);
    while !drain.is_ended() {
        let look_in = next_look.saturating_sub(handle.shared.clock.now());
        let look_in = Duration::from_nanos(look_in);
        let request = asked.wait(pause.unwrap_or(look_in).min(look_in));
        if handle.shared.clock.now() >= next_look {
            next_look = handle.watch(&mut watchdog);
        }
        let now = Duration::from_nanos(handle.shared.clock.now());
        let seen = handle.look();
        let is_broken = handle.shared.is_broken.load(Ordering::SeqCst);
        let request = if is_broken { Request::Cut } else { request };
        let command = match request {
            Request::Drain if drain.is_running() => drain.ask(now),
            Request::Cut if !drain.cut => {
                handle.shared.control.drain();
                Some(drain.cut())
            }
            _ => drain.step(seen, now),
        };
        if drain.cut && command == Some(Command::StopBolts) {
            handle.shared.reports.set_cut_off(handle.unfinished());
        }
        let stepped = command.is_some();
        if let Some(command) = command {
            handle.obey(command);
        }
        // Look again at once after a step, and less and less often while nothing changes.
        let next = pause.map_or(Duration::from_micros(50), |pause: Duration| pause * 2);
        let next = next.min(Duration::from_millis(5));
        // While a spout may emit there is nothing to wait for but the bell.
        let is_idle = drain.is_running() && !seen.exhausted;
        pause = match (is_idle, stepped) {
            (true, _) => None,
            (false, true) => Some(Duration::from_micros(50)),
            (false, false) => Some(next),
        };
    }
}

impl Running {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.handle.plan
    }

    /// Which task runs where.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        &self.handle.placement
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

    /// The latest tuples that were given up, and inputs that are none.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.handle.shared.reports.letters()
    }

    /// Has spouts emit again.
    pub fn activate(&self) {
        self.handle.shared.control.set_active(true);
    }

    /// Has spouts emit nothing for now. Bolts go on.
    pub fn deactivate(&self) {
        self.handle.shared.control.set_active(false);
    }

    /// Ends the topology: spouts emit nothing more, what they emitted is processed.
    pub fn drain(&self) {
        self.asked.ask(Request::Drain);
    }

    /// Ends the topology at once: what is under way fails.
    pub fn cut(&self) {
        self.asked.ask(Request::Cut);
    }

    /// A handle that can end the topology while somebody waits for it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.asked.clone())
    }

    /// A handle that can look at the topology while somebody waits for it.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.handle.clone())
    }

    /// Who holds tuples or is executing for long.
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        self.handle.holders()
    }

    /// Whether the topology has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.cores.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end.
    #[must_use]
    pub fn wait(mut self) -> Summary {
        self.join();
        let shared = &self.handle.shared;
        let (cause, error) = shared.reports.fatal_error().unzip();
        Summary {
            seconds: (shared.clock.now() - self.started) as f64 / 1e9,
            metrics: self.handle.metrics(),
            errors: shared.reports.errors(),
            dead_letters: shared.reports.letters(),
            error,
            cause,
            cut_off: shared.reports.cut_off(),
        }
    }

    fn join(&mut self) {
        for thread in self.cores.drain(..).chain(self.controller.take()) {
            if thread.join().is_err() {
                self.handle
                    .shared
                    .reports
                    .set_fatal(Cause::Bug, "a thread of the engine panicked".into());
                self.asked.ask(Request::Cut);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.controller.is_some() {
            self.cut();
            self.join();
        }
    }
}

/// Ends a topology from elsewhere, such as a signal handler.
#[derive(Clone)]
pub struct Stopper(Arc<Asked>);

impl Stopper {
    /// See [`Running::drain`].
    pub fn drain(&self) {
        self.0.ask(Request::Drain);
    }

    /// See [`Running::cut`].
    pub fn cut(&self) {
        self.0.ask(Request::Cut);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Request {
    #[default]
    Nothing,
    Drain,
    Cut,
}

/// What somebody asked of the controller, and the bell that wakes it.
#[derive(Default)]
pub(crate) struct Asked {
    state: Mutex<(Request, bool)>,
    bell: Condvar,
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, (Request, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, request: Request) {
        let mut state = self.lock();
        *state = (state.0.max(request), true);
        drop(state);
        self.bell.notify_all();
    }

    /// Wakes the controller to have a look.
    pub(crate) fn ring(&self) {
        self.ask(Request::Nothing);
    }

    /// Waits until somebody asks, or for a while.
    fn wait(&self, pause: Duration) -> Request {
        let mut state = self.lock();
        if !state.1 {
            let waited = self.bell.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.1 = false;
        state.0
    }
}
