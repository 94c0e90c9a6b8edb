//! What the spouts and bolts of a world saw, told to the oracles while it happens.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tormenta_runtime::Rng;

use super::{
    item::SLOTS,
    shape::Shapes,
    spec::{Fault, Spec},
};
use crate::oracle::{Keys, Orders, Violation};

/// A world: what was drawn, and what has happened.
pub(crate) struct World {
    pub(crate) spec: Spec,
    pub(crate) shapes: Shapes,
    /// Number of the first task of each component.
    pub(crate) first_task: Vec<usize>,
    /// The link that each component reads through each slot.
    pub(crate) slots: Vec<[Option<usize>; SLOTS]>,
    /// Roots emitted so far.
    pub(crate) born: AtomicU32,
    /// By task: tuples emitted, and copies of them handed to readers.
    pub(crate) emitted: Vec<AtomicU64>,
    pub(crate) transferred: Vec<AtomicU64>,
    log: Mutex<Log>,
}

/// A task of a component.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Me {
    pub(crate) component: usize,
    pub(crate) task: usize,
    /// Its number over all components.
    pub(crate) index: usize,
}

/// Everything that changes.
pub(crate) struct Log {
    pub(crate) rng: Rng,
    /// Hash of all events so far, and how many there were.
    pub(crate) trace: u64,
    pub(crate) events: u64,
    /// When something last got further.
    pub(crate) progress: Duration,
    pub(crate) roots: Vec<RootLog>,
    /// How often each node of each root was executed with success.
    pub(crate) seen: Vec<u8>,
    pub(crate) tasks: Vec<TaskLog>,
    /// By component: tuples that were emitted towards it.
    pub(crate) inbound: Vec<u64>,
    pub(crate) orders: Orders,
    pub(crate) keys: Keys,
    /// By spout: dead letters, and those among them whose acks have not come yet.
    pub(crate) letters: Vec<(u64, u64)>,
    pub(crate) injected: [u64; Fault::COUNT],
    pub(crate) violations: Vec<Violation>,
    /// A root whose story is to be told, and its story.
    pub(crate) watched: Option<u32>,
    pub(crate) story: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RootState {
    #[default]
    Unborn,
    Open,
    Acked,
    Failed,
    Dead,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RootLog {
    pub(crate) state: RootState,
    /// Kinds of fault that hit a tuple anchored to it.
    pub(crate) touched: u16,
    pub(crate) born: Duration,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct TaskLog {
    pub(crate) prepared: u64,
    pub(crate) executed: u64,
    pub(crate) succeeded: u64,
    pub(crate) ticks: u64,
    pub(crate) last_tick: Duration,
    pub(crate) finished: u64,
    /// Counts what the task emitted in order.
    pub(crate) seq: u32,
    /// Spouts: roots handed out, roots that have not ended, and how they ended.
    pub(crate) next: u32,
    pub(crate) outstanding: usize,
    pub(crate) acked: u64,
    pub(crate) failed: u64,
    pub(crate) dead: u64,
    pub(crate) inactive: bool,
    pub(crate) resume_at: Duration,
}

/// A root, and the node of it that a tuple is; none where it is only anchored.
pub(crate) type Visit = (u32, Option<u16>);

impl World {
    pub(crate) fn new(spec: Spec) -> Self {
        let shapes = Shapes::new(&spec);
        let mut first_task = vec![0];
        for component in &spec.components {
            first_task.push(first_task[first_task.len() - 1] + component.tasks);
        }
        let tasks = first_task[spec.components.len()];
        let roots = spec.roots() as usize;
        let log = Log {
            rng: Rng::new(spec.seed ^ 0x5eed),
            trace: 0,
            events: 0,
            progress: Duration::ZERO,
            roots: vec![RootLog::default(); roots],
            seen: vec![0; roots * shapes.stride],
            tasks: vec![TaskLog::default(); tasks],
            inbound: vec![0; spec.components.len()],
            orders: Orders::new(tasks),
            keys: Keys::new(spec.links.len()),
            letters: vec![(0, 0); spec.sources()],
            injected: [0; Fault::COUNT],
            violations: Vec::new(),
            watched: None,
            story: Vec::new(),
        };
        let link = |target| std::array::from_fn(|slot| spec.link(target, slot));
        let slots = (0..spec.components.len()).map(link).collect();
        let counts = || (0..tasks).map(|_| AtomicU64::new(0)).collect();
        Self {
            first_task,
            slots,
            born: AtomicU32::new(0),
            emitted: counts(),
            transferred: counts(),
            log: Mutex::new(log),
            shapes,
            spec,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn me(&self, component: usize, task: usize) -> Me {
        Me { component, task, index: self.first_task[component] + task }
    }

    /// The component of a task.
    pub(crate) fn component_of(&self, index: usize) -> usize {
        self.first_task.partition_point(|first| *first <= index) - 1
    }

    /// The spout of a root.
    pub(crate) fn source_of(&self, root: u32) -> usize {
        let is_before = |source: &usize| self.spec.source(*source).first <= root;
        (0..self.spec.sources()).take_while(is_before).last().unwrap_or(0)
    }

    /// Counts a tuple that is emitted right now.
    pub(crate) fn count_emit(&self, me: Me, copies: u64) {
        self.emitted[me.index].fetch_add(1, Ordering::Relaxed);
        self.transferred[me.index].fetch_add(copies, Ordering::Relaxed);
    }
}

impl Log {
    /// Adds an event to the trace.
    pub(crate) fn event(&mut self, kind: u8, who: usize, what: u64, now: Duration) {
        let word = (u64::from(kind) << 56) ^ ((who as u64) << 40) ^ what;
        let word = word.wrapping_add((now.as_nanos() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.trace = (self.trace.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        self.events += 1;
    }

    /// Tells what happened to a root, if somebody wants to know.
    pub(crate) fn tell(&mut self, root: u32, what: impl FnOnce() -> String) {
        if self.watched == Some(root) {
            self.story.push(what());
        }
    }

    /// Takes note that a fault hits these roots.
    pub(crate) fn touch(&mut self, fault: Fault, roots: impl IntoIterator<Item = u32>) {
        self.injected[fault as usize] += 1;
        for root in roots {
            self.tell(root, || format!("  hit by {}", fault.name()));
            self.roots[root as usize].touched |= fault.bit();
        }
    }

    /// Whether a fault of this kind strikes now.
    pub(crate) fn strikes(&mut self, spec: &Spec, fault: Fault) -> bool {
        let rate = spec.faults.rate(fault);
        rate > 0 && self.rng.one_in(rate)
    }
}
