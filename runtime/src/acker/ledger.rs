//! The ledger of one spout task: which of its trees are still open. Pure.
//!
//! Storm's acker, without the acker: every edge of a tree has a random id, which is XORed into
//! the tree's entry when the edge is made and again when it is consumed. When the value is zero,
//! all edges were consumed - or 2^-64 of bad luck. The entry is found by slot, not by hashing, and
//! the slot's generation tells late acks of an earlier tree from those of the present one.
//!
//! Invariants
//! * a slot is free, or open with the generation that its root carries;
//! * a tree ends once: completing, failing and closing all raise the generation;
//! * an edge is XORed in before the edge it grew from is XORed out. The senders see to it.

use tormenta_dsl::Root;

use crate::{clock::Nanos, planted};

/// The open trees of one spout task.
#[derive(Debug)]
pub(crate) struct Ledger {
    owner: usize,
    slots: Vec<Slot>,
    free: Vec<u32>,
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
        Self { owner, slots: Vec::new(), free: Vec::new(), open: 0, mask: u64::MAX }
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

    /// Opens a tree with no edges yet.
    #[inline]
    pub(crate) fn open(&mut self, epoch: u64, now: Nanos, replayed: bool) -> Root {
        self.open_with(epoch, now, replayed, 0)
    }

    /// Opens a tree with one edge.
    #[inline]
    pub(crate) fn open_with(&mut self, epoch: u64, now: Nanos, replayed: bool, edge: u64) -> Root {
        let slot = match self.free.pop() {
            Some(slot) => slot as usize,
            None => self.grow(),
        };
        let entry = &mut self.slots[slot];
        entry.epoch = epoch as u32;
        entry.opened = now;
        entry.value = edge & self.mask;
        self.open += 1;
        Root::tracked(self.owner, slot, entry.generation, replayed)
    }

    #[cold]
    fn grow(&mut self) -> usize {
        self.slots.push(Slot { value: 0, generation: 1, epoch: CLOSED, opened: 0 });
        self.slots.len() - 1
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

    /// Ends the tree if it has no open edge.
    #[inline]
    pub(crate) fn settle(&mut self, root: Root) -> Applied {
        self.apply(root, 0)
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
        self.free.push(slot as u32);
        self.open -= 1;
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
