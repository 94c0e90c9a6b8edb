//! The ledger of one spout task: which of its trees are still open. Pure.
//!
//! Storm's acker, without the acker: every edge of a tree has an id, which is XORed into the
//! tree's entry when the edge is made and again when it is consumed. When the value is zero, all
//! edges were consumed - or 2^-64 of bad luck. The entry is found by slot, not by hashing, and the
//! slot's generation tells late acks of an earlier tree from those of the present one.
//!
//! A tree has one first edge, so that edge needs no id of chance: it is [`FIRST_EDGE`] in every
//! tree. Slots are used in turn, the one that has been free for longest first. So trees that were
//! opened one after the other mostly have neighbouring slots, and where their first edge is all
//! there is, acks for hundreds of them are one [`Run`].
//!
//! Invariants
//! * a slot is free, or open with the generation that its root carries;
//! * a tree ends once: completing, failing and closing all raise the generation;
//! * an edge is XORed in before the edge it grew from is XORed out. The senders see to it.

use std::{collections::VecDeque, ops::Range};

use tormenta_dsl::Root;

use crate::{clock::Nanos, planted};

/// The id of the edge that a tree begins with. All others are random.
pub(crate) const FIRST_EDGE: u64 = 1;

/// Slots that are added at a time.
const SLOTS_ADDED: usize = 64;

/// Trees whose roots come [one after the other](Root::nth_after).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: Root,
    pub(crate) count: usize,
}

impl Run {
    pub(crate) fn roots(self) -> impl Iterator<Item = Root> {
        (0..self.count).map(move |n| self.first.nth_after(n))
    }
}

/// The open trees of one spout task.
#[derive(Debug)]
pub(crate) struct Ledger {
    owner: usize,
    slots: Vec<Slot>,
    /// Free slots: those that are used next, those after them, and those that became free last.
    next: Range<usize>,
    free: VecDeque<Range<usize>>,
    freed: Range<usize>,
    open: usize,
    /// Which bits of edge ids count: all of them, except where a test wants collisions.
    mask: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// XOR of the ids of the open edges.
    value: u64,
    generation: u32,
    /// Epoch of the tree; `CLOSED` while the slot is free.
    epoch: u32,
    /// When the tree was opened.
    opened: Nanos,
}

const CLOSED: u32 = u32::MAX;

/// What an ack did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The tree had ended before.
    Stale,
    /// The tree has more edges.
    Open,
    /// That was the last edge. The slot is free again; the tree was opened at this time.
    Complete { slot: usize, opened: Nanos },
}

impl Ledger {
    pub(crate) fn new(owner: usize) -> Self {
        Self {
            owner,
            slots: Vec::new(),
            next: 0..0,
            free: VecDeque::new(),
            freed: 0..0,
            open: 0,
            mask: u64::MAX,
        }
    }

    /// A ledger that sees only the low `bits` of edge ids.
    #[cfg(test)]
    pub(crate) fn with_id_bits(owner: usize, bits: u32) -> Self {
        Self { mask: (1 << bits) - 1, ..Self::new(owner) }
    }

    /// Number of slots, open and free.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Number of open trees.
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    /// Opens a tree with its first edge.
    #[inline]
    pub(crate) fn open(&mut self, epoch: u64, now: Nanos, replayed: bool) -> Root {
        self.open_run(1, epoch, now, replayed).first
    }

    /// Opens as many trees, up to `count` and at least one, as can have roots that come one after
    /// the other.
    #[inline]
    pub(crate) fn open_run(&mut self, count: usize, epoch: u64, now: Nanos, replayed: bool) -> Run {
        if self.next.is_empty() {
            self.refill();
        }
        let (slot, end) = (self.next.start, self.next.end.min(self.next.start + count));
        let generation = self.slots[slot].generation;
        let opened = Slot { value: FIRST_EDGE, generation, epoch: epoch as u32, opened: now };
        let of_one_generation =
            self.slots[slot..end].iter_mut().take_while(|free| free.generation == generation);
        let count = of_one_generation.map(|free| *free = opened).count();
        self.next.start += count;
        self.open += count;
        Run { first: Root::tracked(self.owner, slot, generation, replayed), count }
    }

    #[cold]
    fn refill(&mut self) {
        self.next = match self.free.pop_front() {
            Some(free) => free,
            None if !self.freed.is_empty() => std::mem::take(&mut self.freed),
            None => self.grow(),
        };
    }

    fn grow(&mut self) -> Range<usize> {
        let first = self.slots.len();
        let slots = (first + SLOTS_ADDED).min(Root::SLOTS_MAX);
        let free = Slot { value: 0, generation: 1, epoch: CLOSED, opened: 0 };
        self.slots.resize(slots, free);
        first..slots
    }

    /// Adds an edge to a tree that this task is still working on: nothing can complete.
    #[inline]
    pub(crate) fn grow_tree(&mut self, root: Root, edge: u64) {
        debug_assert!(self.is_current(root), "{root:?} is being worked on");
        self.slots[root.slot()].value ^= edge & self.mask;
    }

    /// Whether the tree is open.
    #[inline]
    pub(crate) fn is_current(&self, root: Root) -> bool {
        self.slots.get(root.slot()).is_some_and(|slot| {
            let same = slot.generation == root.generation() || planted!(StaleGeneration);
            same && slot.epoch != CLOSED
        })
    }

    /// XORs an ack into its tree.
    #[inline]
    pub(crate) fn apply(&mut self, root: Root, xor: u64) -> Applied {
        if !self.is_current(root) {
            return Applied::Stale;
        }
        let slot = root.slot();
        let entry = &mut self.slots[slot];
        entry.value ^= xor & self.mask;
        if entry.value != 0 {
            return Applied::Open;
        }
        let opened = entry.opened;
        self.free_slot(slot);
        Applied::Complete { slot, opened }
    }

    /// Consumes the first edge of every tree of a run; says which are complete.
    #[inline]
    pub(crate) fn apply_run(&mut self, run: Run, mut complete: impl FnMut(usize, Nanos)) {
        let first = run.first.slot();
        for slot in first..first + run.count {
            let Some(entry) = self.slots.get_mut(slot) else { return };
            if entry.generation != run.first.generation() && !planted!(StaleGeneration) {
                continue;
            }
            if entry.value == FIRST_EDGE & self.mask && entry.epoch != CLOSED {
                let opened = entry.opened;
                self.free_slot(slot);
                complete(slot, opened);
            } else if entry.epoch != CLOSED {
                entry.value ^= FIRST_EDGE & self.mask;
            }
        }
    }

    /// Ends a tree that failed. `None` if it had ended before.
    pub(crate) fn fail(&mut self, root: Root) -> Option<usize> {
        if !self.is_current(root) {
            return None;
        }
        self.free_slot(root.slot());
        Some(root.slot())
    }

    #[inline]
    fn free_slot(&mut self, slot: usize) {
        let entry = &mut self.slots[slot];
        // Generation zero never occurs, so that no root of slot zero looks like "no root".
        entry.generation = (entry.generation + 1) % Root::GENERATIONS;
        entry.generation += u32::from(entry.generation == 0);
        entry.epoch = CLOSED;
        self.open -= 1;
        if self.freed.end == slot {
            self.freed.end += 1;
        } else {
            self.free_apart(slot);
        }
    }

    /// The slot is no neighbour of the last one that became free.
    #[cold]
    fn free_apart(&mut self, slot: usize) {
        let freed = std::mem::replace(&mut self.freed, slot..slot + 1);
        if !freed.is_empty() {
            self.free.push_back(freed);
        }
    }

    /// The open trees that began before this epoch, or before this time.
    pub(crate) fn overdue(&self, epoch: Option<u64>, opened: Option<Nanos>) -> Vec<Root> {
        let is_overdue = |slot: &Slot| {
            epoch.is_some_and(|epoch| u64::from(slot.epoch) < epoch)
                || opened.is_some_and(|opened| slot.opened < opened)
        };
        let open = self.slots.iter().enumerate().filter(|(_, slot)| slot.epoch != CLOSED);
        open.filter(|(_, slot)| is_overdue(slot))
            .map(|(index, slot)| Root::tracked(self.owner, index, slot.generation, false))
            .collect()
    }
}
