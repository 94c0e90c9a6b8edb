//! Drives one bolt by hand.

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as Waking, Poll, Waker},
    time::Duration,
};

use tormenta_dsl::{
    Anchored, Bolt, Context, Counters, Emitter, Epoch, Error, Free, Parts, Root, Shared, Streams,
    emitter::Output,
    engine::{Outcome, Results, Settle, Tracker},
    error::Place,
    streams::Outlets,
    ticket::{Age, Hold},
};

use crate::{
    clock::{Clock, Timers},
    memory::MemoryStores,
};

/// A bolt under test: give it tuples, look at what it emits, acks and fails.
///
/// Time is virtual and moves when the bolt waits. Nothing is stubbed but the engine around it.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Result};
/// use tormenta_runtime::testkit::BoltTest;
///
/// #[derive(Clone)]
/// struct Halve;
/// impl Bolt for Halve {
///     type Input = u64;
///     type Output = u64;
///     async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
///         if n % 2 == 1 {
///             return Err(tormenta_dsl::Error::msg("odd"));
///         }
///         out.emit(n / 2).await
///     }
/// }
///
/// let mut test = BoltTest::new(Halve).input(8).input(3);
/// assert_eq!(test.outputs(), [4]);
/// assert_eq!(test.acked(), 1);
/// assert_eq!(test.errors(), ["odd"]);
/// ```
pub struct BoltTest<B: Bolt> {
    bolt: B,
    output: Rc<Output<B::Output>>,
    anchored: Emitter<B::Output, Anchored>,
    free: Emitter<B::Output, Free>,
    settled: Arc<Settlements<B::Output>>,
    holds: Rc<Holds>,
    timers: Arc<Timers>,
    config: BTreeMap<String, String>,
    prepared: bool,
    acked: u64,
    errors: Vec<String>,
    outputs: Vec<B::Output>,
    counters: Counters,
    reported: Arc<Mutex<Vec<String>>>,
}

struct Settlements<O> {
    /// Number of tuples, and what became of them.
    queue: Mutex<VecDeque<(u64, Outcome<O>)>>,
    clock: Clock,
}

impl<O: Send> Settle<O> for Settlements<O> {
    fn settle(&self, hold: Hold, outcome: Outcome<O>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back((hold.tuples as u64, outcome));
    }

    fn now_ms(&self) -> u64 {
        self.clock.now() / 1_000_000
    }
}

/// Notices whether the tuple at hand is being held.
#[derive(Default)]
struct Holds(Cell<u64>);

impl Tracker for Holds {
    fn hold(&self, roots: &[Root], epoch: Option<&Epoch>) -> Hold {
        self.0.set(self.0.get() + 1);
        let edges = roots.iter().map(|root| (*root, self.0.get())).collect();
        Hold::one(edges, epoch.cloned(), Age::new(0))
    }

    fn grow(&self, root: Root) -> (Root, u64) {
        self.0.set(self.0.get() + 1);
        (root, self.0.get())
    }

    fn open(&self, _first: Root, _count: usize) -> Option<(Root, usize, u64)> {
        None
    }

    fn begin_set(&self) -> Option<Arc<Age>> {
        None
    }

    fn add_to_set(&self, _age: &Arc<Age>, _root: Root) {}
}

/// Every result is complete as soon as it is emitted.
struct Complete;

impl<O: Streams> Results<O> for Complete {
    fn begin(&self, _result: &O) -> Option<(Root, Epoch)> {
        Some((Root::NONE, Epoch::new(0)))
    }

    fn ack_after(&self, holds: tormenta_dsl::Holds<O>) {
        holds.ack();
    }
}

impl<B: Bolt> BoltTest<B> {
    /// A test of this bolt.
    #[must_use]
    pub fn new(bolt: B) -> Self {
        let clock = Clock::simulated();
        let timers = Timers::new(clock.clone(), Arc::default());
        let settled = Arc::new(Settlements { queue: Mutex::default(), clock });
        let outlets = <B::Output as tormenta_dsl::Streams>::Outlets::wire(Vec::new());
        let holds = Rc::<Holds>::default();
        let results = bolt.retry().map(|_| Rc::new(Complete) as Rc<dyn Results<B::Output>>);
        let output = Output::new(outlets, usize::MAX, holds.clone(), settled.clone(), results);
        Self {
            bolt,
            anchored: output.emitter(),
            free: output.emitter(),
            output,
            settled,
            holds,
            timers,
            config: BTreeMap::new(),
            prepared: false,
            acked: 0,
            errors: Vec::new(),
            outputs: Vec::new(),
            counters: Counters::default(),
            reported: Arc::default(),
        }
    }

    /// A setting that the bolt reads when it is prepared.
    #[must_use]
    pub fn config(mut self, key: &str, value: impl ToString) -> Self {
        self.config.insert(key.to_owned(), value.to_string());
        self
    }

    /// Executes a tuple.
    #[must_use]
    pub fn input(mut self, tuple: B::Input) -> Self {
        self.execute(tuple);
        self
    }

    /// Executes a tuple.
    pub fn execute(&mut self, tuple: B::Input) {
        self.prepare();
        self.output.set_root(Root::provisional(0, false));
        let held = self.holds.0.get();
        let result = run(&self.timers, self.bolt.execute(tuple, &self.anchored));
        match result {
            Ok(()) => self.acked += u64::from(held == self.holds.0.get()),
            Err(why) => self.errors.push(why.chain()),
        }
        self.collect();
    }

    /// Calls `tick`.
    pub fn tick(&mut self) {
        self.prepare();
        let result = run(&self.timers, self.bolt.tick(&self.free));
        self.note(result);
    }

    /// Calls `finish`.
    pub fn finish(&mut self) {
        self.prepare();
        let result = run(&self.timers, self.bolt.finish(&self.free));
        self.note(result);
    }

    /// What was emitted since this was last asked.
    #[must_use]
    pub fn outputs(&mut self) -> Vec<B::Output> {
        self.collect();
        std::mem::take(&mut self.outputs)
    }

    /// Tuples that `execute` returned `Ok` for without holding them, and tickets that were acked.
    #[must_use]
    pub fn acked(&mut self) -> u64 {
        self.collect();
        self.acked
    }

    /// Why tuples failed: errors, reasons of failed tickets, and dropped tickets.
    #[must_use]
    pub fn errors(&mut self) -> Vec<String> {
        self.collect();
        self.errors.clone()
    }

    /// Errors that the bolt reported through its context.
    #[must_use]
    pub fn reported(&self) -> Vec<String> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A counter of the bolt.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.counter(name).get()
    }

    /// The bolt itself.
    #[must_use]
    pub fn bolt(&self) -> &B {
        &self.bolt
    }

    /// Moves virtual time.
    pub fn advance(&mut self, by: Duration) {
        let now = self.timers.clock.now() + by.as_nanos() as u64;
        self.timers.clock.advance_to(now);
        self.timers.fire(now);
    }

    fn prepare(&mut self) {
        if std::mem::replace(&mut self.prepared, true) {
            return;
        }
        self.bolt.state(&mut MemoryStores);
        let reported = self.reported.clone();
        let cx = Context::new(Parts {
            topology: "test".into(),
            place: Place { component: "bolt".into(), task: 0 },
            tasks: 1,
            config: Arc::new(self.config.clone()),
            counters: self.counters.clone(),
            shared: Shared::default(),
            timer: self.timers.clone(),
            report: Arc::new(move |_, error| {
                reported.lock().unwrap_or_else(PoisonError::into_inner).push(error.chain());
            }),
            drain: Arc::new(|| {}),
        });
        let result = run(&self.timers, self.bolt.prepare(&cx));
        self.note(result);
    }

    fn note(&mut self, result: Result<(), Error>) {
        if let Err(why) = result {
            self.errors.push(why.chain());
        }
        self.collect();
    }

    fn collect(&mut self) {
        let staged = self.output.take_staged();
        self.outputs.extend(staged.values);
        let settled = {
            let mut queue = self.settled.queue.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *queue)
        };
        for (tuples, outcome) in settled {
            match outcome {
                Outcome::Ack(outputs) => {
                    self.acked += tuples;
                    self.outputs.extend(outputs);
                }
                Outcome::Fail(reason) => self.errors.push(reason),
                Outcome::Drop => self.errors.push("the ticket was dropped".to_owned()),
            }
        }
    }
}

/// Runs a future of the bolt. Time moves when it waits.
fn run<F: Future>(timers: &Arc<Timers>, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Waking::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        match timers.next_due() {
            Some(due) => {
                timers.clock.advance_to(due);
                timers.fire(due);
            }
            None => std::thread::yield_now(), // it waits for another thread
        }
    }
}
