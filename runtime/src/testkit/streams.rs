//! A spout that is fed by hand, and a bolt that keeps what it reads.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use tormenta_dsl::{Bolt, Emitter, Failure, Result, Spout, Streams};

/// The test's end of a fed stream.
///
/// ```
/// use tormenta_runtime::{LocalCluster, Simulation, Topology, testkit::{Capture, Feed}};
///
/// let (feed, capture) = (Feed::<u64>::new(), Capture::new());
/// let mut t = Topology::new("demo");
/// let numbers = t.spout("numbers", feed.spout());
/// t.bolt("kept", capture.bolt(), numbers.shuffle());
/// let mut cluster = LocalCluster::new(t, Simulation::new(7)).expect("a sound topology");
/// feed.push(1);
/// feed.push(2);
/// cluster.settle();
/// assert_eq!(capture.taken(), [1, 2]);
/// assert_eq!(feed.acked(), [0, 1]); // every tuple has a number
/// ```
pub struct Feed<T>(Arc<Mutex<Fed<T>>>);

struct Fed<T> {
    waiting: VecDeque<(u64, T)>,
    next: u64,
    ended: bool,
    acked: Vec<u64>,
    failed: Vec<(u64, Failure)>,
    wakers: Vec<Waker>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Fed {
            waiting: VecDeque::new(),
            next: 0,
            ended: false,
            acked: Vec::new(),
            failed: Vec::new(),
            wakers: Vec::new(),
        })))
    }
}

impl<T> Feed<T> {
    /// A feed with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The spout that emits what is pushed. Its clones share the feed.
    #[must_use]
    pub fn spout(&self) -> FeedSpout<T> {
        FeedSpout(self.0.clone())
    }

    /// Pushes a tuple; returns its number, counted from zero.
    pub fn push(&self, tuple: T) -> u64 {
        let mut fed = lock(&self.0);
        let number = fed.next;
        fed.next += 1;
        fed.waiting.push_back((number, tuple));
        wake(&mut fed);
        number
    }

    /// Says that there will be no more.
    pub fn end(&self) {
        let mut fed = lock(&self.0);
        fed.ended = true;
        wake(&mut fed);
    }

    /// Numbers of the tuples that were acked, in the order of their acks.
    #[must_use]
    pub fn acked(&self) -> Vec<u64> {
        lock(&self.0).acked.clone()
    }

    /// Numbers of the tuples that failed, and why.
    #[must_use]
    pub fn failed(&self) -> Vec<(u64, Failure)> {
        lock(&self.0).failed.clone()
    }
}

fn lock<T>(fed: &Mutex<Fed<T>>) -> MutexGuard<'_, Fed<T>> {
    fed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake<T>(fed: &mut Fed<T>) {
    fed.wakers.drain(..).for_each(Waker::wake);
}

/// See [`Feed::spout`].
pub struct FeedSpout<T>(Arc<Mutex<Fed<T>>>);

impl<T> Clone for FeedSpout<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Streams> Spout for FeedSpout<T> {
    type Output = T;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(T, u64)>> {
        let next = std::future::poll_fn(|cx| {
            let mut fed = lock(&self.0);
            if let Some((number, tuple)) = fed.waiting.pop_front() {
                return Poll::Ready(Some((tuple, number)));
            }
            if fed.ended {
                return Poll::Ready(None);
            }
            if !fed.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                fed.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        });
        Ok(next.await)
    }

    fn acked(&mut self, id: u64) {
        lock(&self.0).acked.push(id);
    }

    fn failed(&mut self, id: u64, why: Failure) {
        lock(&self.0).failed.push((id, why));
    }
}

/// Keeps what a bolt reads, for the test to look at.
pub struct Capture<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Capture<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Capture<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Streams> Capture<T> {
    /// Nothing captured yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bolt that captures. Its clones share what is captured.
    #[must_use]
    pub fn bolt(&self) -> Self {
        self.clone()
    }

    /// What was captured, in the order of arrival. It stays.
    #[must_use]
    pub fn taken(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T: Streams> Bolt for Capture<T> {
    type Input = T;
    type Output = ();

    async fn execute(&mut self, tuple: T, _out: &Emitter<()>) -> Result {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tuple);
        Ok(())
    }
}
