//! Tickets: how held tuples come back to the loop of the task that held them.

use std::{
    collections::VecDeque,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tormenta_dsl::{
    Epoch, Root,
    engine::{Outcome, Settle, Tracker},
    ticket::{Age, Hold},
};

use super::{shared::LoopShared, signal::WakeCell};
use crate::{clock::Clock, planted};

/// Settled tickets of one task, from any thread.
pub(crate) struct Settled<O> {
    queue: Mutex<VecDeque<(Hold, Outcome<O>)>>,
    waiting: AtomicUsize,
    pub(crate) given: Arc<AtomicU64>,
    held: Arc<AtomicUsize>,
    wake: Arc<WakeCell>,
    clock: Clock,
}

impl<O> Settled<O> {
    pub(crate) fn new(wake: Arc<WakeCell>, held: Arc<AtomicUsize>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            given: Arc::default(),
            held,
            wake,
            clock,
        })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Everything that was settled so far.
    pub(crate) fn take(&self) -> VecDeque<(Hold, Outcome<O>)> {
        let taken = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        self.waiting.fetch_sub(taken.len(), Ordering::AcqRel);
        taken
    }
}

impl<O: Send> Settle<O> for Settled<O> {
    fn settle(&self, hold: Hold, outcome: Outcome<O>) {
        self.held.fetch_sub(1, Ordering::Relaxed);
        if !hold.age.settle() {
            return; // it expired before
        }
        self.given.fetch_add(1, Ordering::SeqCst);
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back((hold, outcome));
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.wake.wake();
    }

    fn now_ms(&self) -> u64 {
        self.clock.now() / 1_000_000
    }
}

/// Makes holds for one task.
pub(crate) struct Holder {
    shared: Rc<LoopShared>,
    held: Arc<AtomicUsize>,
    /// Holds that may expire; empty where nothing does.
    aging: Option<Rc<Aging>>,
}

impl Holder {
    pub(crate) fn new(
        shared: Rc<LoopShared>,
        held: Arc<AtomicUsize>,
        aging: Option<Rc<Aging>>,
    ) -> Rc<Self> {
        Rc::new(Self { shared, held, aging })
    }
}

impl Tracker for Holder {
    fn hold(&self, roots: &[Root], epoch: Option<&Epoch>) -> Hold {
        let mut acks = self.shared.acks.borrow_mut();
        let grow = |root: &Root| {
            if planted!(HoldWithoutEdge) && !root.is_provisional() {
                return (*root, 0);
            }
            acks.grow(*root)
        };
        let edges: Vec<(Root, u64)> = roots.iter().map(grow).collect();
        self.held.fetch_add(1, Ordering::Relaxed);
        let age = Age::new(self.shared.now() / 1_000_000);
        let hold = Hold { edges: edges.into(), epoch: epoch.cloned(), age };
        if let Some(aging) = &self.aging {
            aging.add(&hold);
        }
        hold
    }
}

/// Holds of a task with a `hold_timeout`.
#[derive(Default)]
pub(crate) struct Aging {
    holds: std::cell::RefCell<Vec<(Weak<Age>, Vec<Root>)>>,
}

impl Aging {
    fn add(&self, hold: &Hold) {
        let roots = hold.edges.iter().map(|(root, _)| *root).collect();
        self.holds.borrow_mut().push((Arc::downgrade(&hold.age), roots));
    }

    /// The trees of holds that nobody touched since `before_ms`. Each is reported once.
    pub(crate) fn expire(&self, before_ms: u64) -> Vec<Root> {
        let mut expired = Vec::new();
        self.holds.borrow_mut().retain(|(age, roots)| {
            let Some(age) = age.upgrade() else { return false };
            if age.is_settled() {
                return false;
            }
            if age.touched_ms() >= before_ms {
                return true;
            }
            if age.settle() {
                expired.extend(roots);
            }
            false
        });
        expired
    }
}
