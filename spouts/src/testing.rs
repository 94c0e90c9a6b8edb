//! A context, a clock and an executor, each as small as a test can do with.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context as Waking, Poll, Waker},
    time::Duration,
};

use tormenta_dsl::{Context, Counters, Parts, Shared, Timer, error::Place};

/// Time that only the test moves.
#[derive(Default)]
pub(crate) struct ManualTimer(Mutex<Duration>);

impl ManualTimer {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().expect("no test panics while it holds the clock") += by;
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no test panics while it holds the clock")
    }

    fn sleep_until(self: Arc<Self>, until: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::poll_fn(move |_| {
            if self.now() < until { Poll::Pending } else { Poll::Ready(()) }
        }))
    }
}

pub(crate) fn context(task: usize, tasks: usize, timer: &Arc<ManualTimer>) -> Context {
    Context::new(Parts {
        topology: "test".into(),
        place: Place { component: "test".into(), task },
        tasks,
        config: Arc::new(BTreeMap::new()),
        counters: Counters::default(),
        shared: Shared::default(),
        timer: timer.clone(),
        report: Arc::new(|_, _| {}),
        drain: Arc::new(|| {}),
    })
}

/// Polls a future once and drops it: what an engine does to a spout that it cancels.
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Waking::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Polls a future until it is done.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Waking::from_waker(Waker::noop())) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}
