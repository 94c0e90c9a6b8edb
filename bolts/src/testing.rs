//! What stands in for an engine: an emitter that remembers, a context, stores and an executor.

use std::{
    any::Any,
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context as Waking, Poll, Waker},
    time::Duration,
};

use tormenta_dsl::{
    Context, Counters, Emitter, Epoch, Holds, Keyed, Outlets, Parts, Root, Shared, StateKey,
    StateValue, Stores, Streams, Timer,
    emitter::Output,
    engine::{Batch, Flush, Outcome, PortWiring, Results, Router, Settle, Tracker},
    error::Place,
    ticket::{Age, Hold},
};

/// Gives out emitters and remembers what became of everything.
pub(crate) struct Bench<O: Streams> {
    output: Rc<Output<O>>,
    emitted: Rc<RefCell<Vec<O>>>,
    settled: Arc<Settlements>,
}

/// What became of a ticket of the tree with this number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Acked(u64),
    Failed(u64, String),
    Dropped(u64),
}

/// Every result is complete as soon as it is emitted.
struct Complete;

impl<O: Streams> Results<O> for Complete {
    fn begin(&self, _result: &O) -> Option<(Root, Epoch)> {
        Some((Root::NONE, Epoch::new(0)))
    }

    fn ack_after(&self, holds: Holds<O>) {
        holds.ack();
    }
}

impl<O: Streams> Bench<O> {
    pub(crate) fn new() -> Self {
        let emitted = Rc::default();
        let settled = Arc::<Settlements>::default();
        let router: Box<dyn Router<O>> = Box::new(Remember(Rc::clone(&emitted)));
        let wiring =
            PortWiring { routers: vec![Box::new(router) as Box<dyn Any>], interleave: false };
        // `()` has no port that could be wired.
        let ports = if O::infos().is_empty() { Vec::new() } else { vec![wiring] };
        let output = Output::new(
            O::Outlets::wire(ports),
            64,
            Rc::new(Edges),
            settled.clone(),
            Some(Rc::new(Complete)),
        );
        Self { output, emitted, settled }
    }

    /// A bench whose outputs stay staged: for several streams.
    pub(crate) fn staging() -> Self {
        let (emitted, settled) = (Rc::default(), Arc::<Settlements>::default());
        let outlets = O::Outlets::wire(Vec::new());
        let output = Output::new(
            outlets,
            usize::MAX,
            Rc::new(Edges),
            settled.clone(),
            Some(Rc::new(Complete)),
        );
        Self { output, emitted, settled }
    }

    /// What was staged since the beginning.
    pub(crate) fn staged(&self) -> Vec<O> {
        self.output.staged_mut().values.clone()
    }

    pub(crate) fn emitter<A>(&self) -> Emitter<O, A> {
        self.output.emitter()
    }

    /// An emitter for a tuple of this tree.
    pub(crate) fn emitter_of(&self, tree: u64) -> Emitter<O> {
        self.output.set_root(Root::tracked(0, tree as usize, 1, false));
        self.output.emitter()
    }

    /// An emitter for a tuple of this tree, which is a second or later attempt.
    pub(crate) fn emitter_of_replay(&self, tree: u64) -> Emitter<O> {
        self.output.set_root(Root::tracked(0, tree as usize, 1, true));
        self.output.emitter()
    }

    pub(crate) fn emitted(&self) -> Vec<O> {
        self.output.dispatch();
        self.emitted.borrow().clone()
    }

    pub(crate) fn settled(&self) -> Vec<Settled> {
        self.settled.0.lock().expect("no test panics here").clone()
    }
}

struct Remember<O>(Rc<RefCell<Vec<O>>>);

impl<O> Router<O> for Remember<O> {
    fn accept(&mut self, batch: &mut Batch<O>) {
        self.0.borrow_mut().extend(batch.values.drain(..));
    }

    fn room(&self) -> usize {
        usize::MAX
    }

    fn poll_flush(&mut self, _cx: &mut Waking<'_>, _flush: Flush) -> Poll<()> {
        Poll::Ready(())
    }
}

struct Edges;

impl Tracker for Edges {
    fn hold(&self, roots: &[Root], epoch: Option<&Epoch>) -> Hold {
        let edges = roots.iter().map(|root| (*root, 7)).collect();
        Hold::one(edges, epoch.cloned(), Age::new(0))
    }

    fn grow(&self, root: Root) -> (Root, u64) {
        (root, 7)
    }

    fn open(&self, _first: Root, _count: usize) -> Option<(Root, usize, u64)> {
        None
    }

    fn begin_set(&self) -> Option<Arc<Age>> {
        None
    }

    fn add_to_set(&self, _age: &Arc<Age>, _root: Root) {}
}

#[derive(Default)]
struct Settlements(Mutex<Vec<Settled>>);

impl<O: Streams> Settle<O> for Settlements {
    fn settle(&self, hold: Hold, outcome: Outcome<O>) {
        let tree = hold.roots().next().map_or(0, |root| root.slot() as u64);
        let settled = match outcome {
            Outcome::Ack(_) => Settled::Acked(tree),
            Outcome::Fail(why) => Settled::Failed(tree, why),
            Outcome::Drop => Settled::Dropped(tree),
        };
        self.0.lock().expect("no test panics here").push(settled);
    }

    fn now_ms(&self) -> u64 {
        0
    }
}

/// Keyed state in a map.
pub(crate) struct TestStores;

impl Stores for TestStores {
    fn keyed<K: StateKey, V: StateValue>(&mut self, _name: &str, keyed: &mut Keyed<K, V>) {
        keyed.attach(Box::new(HashMap::new()));
    }
}

/// Time that stands still.
struct Noon;

impl Timer for Noon {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(self: Arc<Self>, _until: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// Time that a test moves by hand. Who sleeps moves it, and wakes at once.
#[derive(Default)]
pub(crate) struct HandClock(Mutex<Duration>);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn set(&self, now: Duration) {
        *self.0.lock().expect("no test panics here") = now;
    }
}

impl Timer for HandClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panics here")
    }

    fn sleep_until(self: Arc<Self>, until: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.set(until.max(self.now()));
        Box::pin(std::future::ready(()))
    }
}

pub(crate) fn context(task: usize, tasks: usize) -> Context {
    timed_context(task, tasks, Arc::new(Noon))
}

/// A task with this clock.
pub(crate) fn context_at(clock: &Arc<HandClock>, task: usize) -> Context {
    timed_context(task, task + 1, clock.clone())
}

fn timed_context(task: usize, tasks: usize, timer: Arc<dyn Timer>) -> Context {
    Context::new(Parts {
        topology: "test".into(),
        place: Place { component: "test".into(), task },
        tasks,
        config: Arc::new(BTreeMap::new()),
        counters: Counters::default(),
        shared: Shared::default(),
        timer,
        report: Arc::new(|_, _| {}),
        drain: Arc::new(|| {}),
    })
}

/// Polls a future until it is done.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let polled = future.as_mut().poll(&mut Waking::from_waker(Waker::noop()));
        if let Poll::Ready(output) = polled {
            return output;
        }
    }
}
