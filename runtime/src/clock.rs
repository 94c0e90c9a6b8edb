//! Time, injected: real for workers, moved by hand for tests.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tormenta_dsl::Timer;

use crate::executor::signal::CoreSignal;

/// Nanoseconds since the engine started.
pub(crate) type Nanos = u64;

/// Where the engine reads the time.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The machine's monotonic clock.
    Real(Instant),
    /// A number that a test moves.
    Virtual(Arc<AtomicU64>),
}

/// A duration in nanoseconds; the longest time there is where it does not fit.
pub(crate) fn nanos(duration: std::time::Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    pub(crate) fn simulated() -> Self {
        Self::Virtual(Arc::default())
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match self {
            Self::Real(start) => start.elapsed().as_nanos() as Nanos,
            Self::Virtual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Moves virtual time forward; real time moves by itself.
    pub(crate) fn advance_to(&self, now: Nanos) {
        if let Self::Virtual(time) = self {
            time.fetch_max(now, Ordering::Relaxed);
        }
    }
}

/// The timers of one core.
pub(crate) struct Timers {
    pub(crate) clock: Clock,
    signal: Arc<CoreSignal>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<(Nanos, u64), Waker>,
    next: u64,
}

impl Timers {
    pub(crate) fn new(clock: Clock, signal: Arc<CoreSignal>) -> Arc<Self> {
        Arc::new(Self { clock, signal, waiting: Mutex::default() })
    }

    /// The moment at which the next timer is due.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.lock().wakers.first_key_value().map(|((due, _), _)| *due)
    }

    /// Wakes everybody whose moment has come.
    pub(crate) fn fire(&self, now: Nanos) {
        loop {
            let mut waiting = self.lock();
            let Some(entry) = waiting.wakers.first_entry() else { return };
            if entry.key().0 > now {
                return;
            }
            let waker = entry.remove();
            drop(waiting);
            waker.wake();
        }
    }

    /// A future that is ready at `due`.
    pub(crate) fn sleep(self: &Arc<Self>, due: Nanos) -> Sleep {
        Sleep { timers: self.clone(), due, entry: None }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, due: Nanos, waker: Waker) -> (Nanos, u64) {
        let mut waiting = self.lock();
        waiting.next += 1;
        let entry = (due, waiting.next);
        waiting.wakers.insert(entry, waker);
        let first = waiting.wakers.first_key_value().map(|(key, _)| *key) == Some(entry);
        drop(waiting);
        if first {
            // The core may be parked until a later moment.
            self.signal.notify();
        }
        entry
    }
}

impl Timer for Timers {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.now())
    }

    fn sleep_until(self: Arc<Self>, until: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.sleep(until.as_nanos() as Nanos))
    }
}

/// Waits for a moment in engine time.
pub(crate) struct Sleep {
    timers: Arc<Timers>,
    due: Nanos,
    entry: Option<((Nanos, u64), Waker)>,
}

impl Sleep {
    /// The moment it waits for.
    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    fn forget(&mut self) {
        if let Some((entry, _)) = self.entry.take() {
            self.timers.lock().wakers.remove(&entry);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.timers.clock.now() >= self.due {
            self.forget();
            return Poll::Ready(());
        }
        if self.entry.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.forget();
        let entry = self.timers.register(self.due, cx.waker().clone());
        self.entry = Some((entry, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Wakes a loop at the moments that it asks for, one at a time.
#[derive(Default)]
pub(crate) struct Alarm(Option<Sleep>);

impl Alarm {
    /// Wakes the loop at `due`, unless it is woken before and asks for another moment.
    pub(crate) fn set(&mut self, timers: &Arc<Timers>, due: Nanos, cx: &mut Context<'_>) {
        if due == Nanos::MAX {
            self.0 = None;
            return;
        }
        if self.0.as_ref().is_none_or(|sleep| sleep.due() != due) {
            self.0 = Some(timers.sleep(due));
        }
        let is_due = |sleep: &mut Sleep| Pin::new(sleep).poll(cx).is_ready();
        if self.0.as_mut().is_some_and(is_due) {
            self.0 = None;
            cx.waker().wake_by_ref();
        }
    }
}
