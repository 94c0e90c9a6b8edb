//! Tickets: how held tuples come back to the loop of the task that held them.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tormenta_dsl::{
    Epoch, Root,
    engine::{Outcome, Roots, Settle, Tracker},
    ticket::{Age, Hold},
};

use super::{shared::LoopShared, signal::WakeCell};
use crate::{clock::Clock, planted};

/// A ticket, what became of it, and whether that was before it expired.
type Entry<O> = (Hold, Outcome<O>, bool);

/// Settled tickets of one task, from any thread.
pub(crate) struct Settled<O> {
    queue: Mutex<VecDeque<Entry<O>>>,
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
    pub(crate) fn take(&self) -> VecDeque<Entry<O>> {
        let taken = std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        self.waiting.fetch_sub(taken.len(), Ordering::AcqRel);
        taken
    }
}

impl<O: Send> Settle<O> for Settled<O> {
    fn settle(&self, hold: Hold, outcome: Outcome<O>) {
        self.held.fetch_sub(hold.sets, Ordering::Relaxed);
        let in_time = hold.age.settle();
        let is_lost = matches!(&outcome, Outcome::Ack(outputs) if !outputs.is_empty());
        if !in_time && !is_lost {
            return; // it expired before, and nothing came of it
        }
        self.given.fetch_add(1, Ordering::SeqCst);
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back((hold, outcome, in_time));
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
        let edges: Vec<(Root, u64)> = roots.iter().map(|root| self.grow(*root)).collect();
        self.held.fetch_add(1, Ordering::Relaxed);
        let age = Age::new(self.shared.now() / 1_000_000);
        let hold = Hold::one(edges.into(), epoch.cloned(), age);
        if let Some(aging) = &self.aging {
            aging.add(&hold);
        }
        hold
    }

    fn grow(&self, root: Root) -> (Root, u64) {
        if planted!(HoldWithoutEdge) && !root.is_provisional() {
            return (root, 0);
        }
        self.shared.acks.borrow_mut().grow(root)
    }

    fn open(&self, first: Root, count: usize) -> Option<(Root, usize, u64)> {
        self.shared.acks.borrow_mut().open_some(first, count)
    }

    fn begin_set(&self) -> Option<Arc<Age>> {
        self.held.fetch_add(1, Ordering::Relaxed);
        let aging = self.aging.as_ref()?;
        let age = Age::new(self.shared.now() / 1_000_000);
        aging.add_set(&age);
        Some(age)
    }

    fn add_to_set(&self, age: &Arc<Age>, root: Root) {
        if let Some(aging) = &self.aging {
            aging.add_to_set(age, root);
        }
    }
}

/// Holds of a task with a `hold_timeout`.
#[derive(Default)]
pub(crate) struct Aging {
    holds: RefCell<Vec<(Weak<Age>, Vec<Root>)>>,
    /// Sets of holds. They grow, so they are found by where their age is, which stays there until
    /// they are settled.
    sets: RefCell<HashMap<usize, (Arc<Age>, Roots)>>,
}

impl Aging {
    fn add(&self, hold: &Hold) {
        let roots = hold.edges.iter().map(|(root, _)| *root).collect();
        self.holds.borrow_mut().push((Arc::downgrade(&hold.age), roots));
    }

    fn add_set(&self, age: &Arc<Age>) {
        let set = (age.clone(), Roots::new());
        self.sets.borrow_mut().insert(Arc::as_ptr(age) as usize, set);
    }

    fn add_to_set(&self, age: &Arc<Age>, root: Root) {
        if let Some((_, roots)) = self.sets.borrow_mut().get_mut(&(Arc::as_ptr(age) as usize)) {
            roots.push(root, 0);
        }
    }

    /// The trees of holds that nobody touched since `before_ms`, and how many tuples that is. Each
    /// is reported once.
    pub(crate) fn expire(&self, before_ms: u64) -> (Vec<Root>, usize) {
        let (mut expired, mut tuples) = (Vec::new(), 0);
        self.holds.borrow_mut().retain(|(age, roots)| {
            let Some(age) = age.upgrade() else { return false };
            if age.is_settled() {
                return false;
            }
            if age.touched_ms() >= before_ms {
                return true;
            }
            if age.settle() {
                tuples += usize::from(age.count_failure() && !roots.is_empty());
                expired.extend(roots);
            }
            false
        });
        self.sets.borrow_mut().retain(|_, (age, roots)| {
            if !age.is_settled() && age.touched_ms() < before_ms && !roots.is_empty() {
                // The set may get more, with a life of their own: what is there is given up.
                tuples += roots.len();
                expired.extend(roots.iter().map(|(root, _)| root));
                roots.clear();
                age.touch(before_ms.saturating_add(1));
            }
            !age.is_settled()
        });
        (expired, tuples)
    }
}
