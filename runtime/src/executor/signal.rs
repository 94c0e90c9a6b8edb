//! How one core tells another that there is work, without a system call while it is awake.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

/// Says "look for work" to a core. A core that is awake reads a flag; one that is parked is woken.
#[derive(Default)]
pub(crate) struct CoreSignal {
    work: AtomicBool,
    parked: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl CoreSignal {
    pub(crate) fn notify(&self) {
        self.work.store(true, Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst) && self.parked.swap(false, Ordering::SeqCst) {
            let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(driver) = driver {
                driver.wake();
            }
        }
    }

    /// Whether there may be work; forgets that there was.
    pub(crate) fn take_work(&self) -> bool {
        self.work.load(Ordering::Relaxed) && self.work.swap(false, Ordering::SeqCst)
    }

    /// Announces that the core is about to park. False if there is work after all.
    pub(crate) fn park(&self, driver: &Waker) -> bool {
        *self.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(driver.clone());
        self.parked.store(true, Ordering::SeqCst);
        // Whoever notifies after this line sees `parked`; whoever did before is seen here.
        if self.work.load(Ordering::SeqCst) {
            self.parked.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    pub(crate) fn unpark(&self) {
        self.parked.store(false, Ordering::SeqCst);
    }
}

/// The waker of one loop.
pub(crate) struct LoopWaker {
    ready: AtomicBool,
    core: Arc<CoreSignal>,
}

impl LoopWaker {
    /// A loop that wants to be polled at once.
    pub(crate) fn new(core: Arc<CoreSignal>) -> Arc<Self> {
        Arc::new(Self { ready: AtomicBool::new(true), core })
    }

    pub(crate) fn take_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed) && self.ready.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

impl Wake for LoopWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.ready.swap(true, Ordering::SeqCst) {
            self.core.notify();
        }
    }
}

/// The waker of a loop that is not running yet. Until it is, there is nobody to wake: a loop looks
/// at everything when it starts.
#[derive(Default)]
pub(crate) struct WakeCell(OnceLock<Waker>);

impl WakeCell {
    pub(crate) fn set(&self, waker: Waker) {
        let _ = self.0.set(waker);
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.0.get() {
            waker.wake_by_ref();
        }
    }
}
