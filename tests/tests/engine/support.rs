//! What the tests of the engine have in common.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use tormenta::{
    LocalCluster, Running, Simulation, Streams, Summary, Topology,
    metrics::ComponentMetrics,
    prelude::*,
    testkit::{Capture, Feed},
};

/// So many milliseconds.
pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Things seen, by whoever has a clone.
pub(crate) struct Seen<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Seen<T> {
    pub(crate) fn add(&self, item: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A feed of these tuples, and no more.
pub(crate) fn feed_of<T>(tuples: impl IntoIterator<Item = T>) -> Feed<T> {
    let feed = Feed::new();
    push_all(&feed, tuples);
    feed.end();
    feed
}

pub(crate) fn push_all<T>(feed: &Feed<T>, tuples: impl IntoIterator<Item = T>) {
    for tuple in tuples {
        feed.push(tuple);
    }
}

/// A simulated cluster of this topology.
pub(crate) fn cluster(topology: Topology, seed: u64, fuse: bool) -> LocalCluster {
    let mut simulation = Simulation::new(seed);
    simulation.fuse = fuse;
    cluster_with(topology, simulation)
}

/// A simulated cluster of this topology, with the batches of production.
pub(crate) fn full_batches(topology: Topology, seed: u64, fuse: bool) -> LocalCluster {
    let mut simulation = Simulation::new(seed);
    simulation.fuse = fuse;
    simulation.batch_tuples = tormenta::limits::BATCH_TUPLES;
    cluster_with(topology, simulation)
}

pub(crate) fn cluster_with(topology: Topology, simulation: Simulation) -> LocalCluster {
    LocalCluster::new(topology, simulation).unwrap_or_else(|why| panic!("{why}"))
}

/// Runs to the end, which must come.
pub(crate) fn run_to_end(mut cluster: LocalCluster) -> Summary {
    run_on(&mut cluster)
}

/// Runs to the end, which must come, and keeps the cluster.
pub(crate) fn run_on(cluster: &mut LocalCluster) -> Summary {
    const TURNS_MAX: usize = 3_000_000;
    for _ in 0..TURNS_MAX {
        if cluster.has_ended() || !cluster.turn() {
            break;
        }
    }
    assert!(cluster.has_ended(), "no end at {:?}: {:?}", cluster.now(), cluster.metrics());
    cluster.settle();
    cluster.summary()
}

/// Waits for a topology on threads, but not for ever.
pub(crate) fn wait(running: Running) -> Summary {
    let (done, end) = mpsc::channel();
    let watch = running.watch();
    std::thread::spawn(move || drop(done.send(running.wait())));
    let limit = Duration::from_secs(30);
    end.recv_timeout(limit).unwrap_or_else(|_| {
        panic!("no end in {limit:?}: {:?}, {:?}", watch.holders(), watch.metrics())
    })
}

/// Waits until something is true, but not for ever.
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..60_000 {
        if is_true() {
            return;
        }
        pause(ms(1));
    }
    panic!("never: {what}");
}

#[expect(clippy::disallowed_methods, reason = "real threads take real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The metrics of one component.
pub(crate) fn of<'a>(summary: &'a Summary, name: &str) -> &'a ComponentMetrics {
    summary.metrics.component(name).unwrap_or_else(|| panic!("no component `{name}`"))
}

/// What is captured, sorted.
pub(crate) fn sorted<T: Streams + Ord>(capture: &Capture<T>) -> Vec<T> {
    in_order(capture.taken())
}

pub(crate) fn in_order<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// Numbers that failed, with the failure in words.
pub(crate) fn failures<T>(feed: &Feed<T>) -> Vec<(u64, String)> {
    let failed = feed.failed().into_iter();
    in_order(failed.map(|(number, why)| (number, why.to_string())).collect())
}

/// Works on each number for as long as a function says, and passes it on.
#[derive(Clone)]
pub(crate) struct Slow {
    time: fn(u64, usize) -> Duration,
    cx: Option<Context>,
}

impl Slow {
    /// `time` is given the number and the task.
    pub(crate) fn new(time: fn(u64, usize) -> Duration) -> Self {
        Self { time, cx: None }
    }
}

impl Bolt for Slow {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        let cx = self.cx.as_ref().expect("it was prepared");
        let time = (self.time)(n, cx.task());
        if !time.is_zero() {
            cx.sleep(time).await;
        }
        out.emit(n).await
    }
}
