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
    values: Vec<u64>,
    meta: Vec<Meta>,
    free: Vec<u32>,
    open: usize,
    /// Which bits of edge ids count: all of them, except where a test wants collisions.
    mask: u64,
}

#[derive(Debug, Clone, Copy)]
struct Meta {
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
            values: Vec::new(),
            meta: Vec::new(),
            free: Vec::new(),
            open: 0,
            mask: u64::MAX,
        }
    }

    /// A ledger that sees only the low `bits` of edge ids.
    #[cfg(test)]
    pub(crate) fn with_id_bits(owner: usize, bits: u32) -> Self {
        Self { mask: (1 << bits) - 1, ..Self::new(owner) }
    }

    /// Number of open trees.
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    /// Opens a tree with no edges yet.
    #[inline]
    pub(crate) fn open(&mut self, epoch: u64, now: Nanos, replayed: bool) -> Root {
        let slot = match self.free.pop() {
            Some(slot) => slot as usize,
            None => self.grow(),
        };
        let meta = &mut self.meta[slot];
        meta.epoch = epoch as u32;
        meta.opened = now;
        self.values[slot] = 0;
        self.open += 1;
        Root::tracked(self.owner, slot, meta.generation, replayed)
    }

    #[cold]
    fn grow(&mut self) -> usize {
        self.values.push(0);
        self.meta.push(Meta { generation: 1, epoch: CLOSED, opened: 0 });
        self.values.len() - 1
    }

    /// Adds an edge to a tree that this task is still working on: nothing can complete.
    #[inline]
    pub(crate) fn grow_tree(&mut self, root: Root, edge: u64) {
        debug_assert!(self.is_current(root), "{root:?} is being worked on");
        self.values[root.slot()] ^= edge & self.mask;
    }

    /// Whether the tree is open.
    #[inline]
    pub(crate) fn is_current(&self, root: Root) -> bool {
        self.meta.get(root.slot()).is_some_and(|meta| {
            let same = meta.generation == root.generation() || planted!(StaleGeneration);
            same && meta.epoch != CLOSED
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
        self.values[slot] ^= xor & self.mask;
        if self.values[slot] != 0 {
            return Applied::Open;
        }
        let opened = self.meta[slot].opened;
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
        let meta = &mut self.meta[slot];
        // Generation zero never occurs, so that no root of slot zero looks like "no root".
        meta.generation = (meta.generation + 1) % Root::GENERATIONS;
        meta.generation += u32::from(meta.generation == 0);
        meta.epoch = CLOSED;
        self.free.push(slot as u32);
        self.open -= 1;
    }

    /// The open trees that began before this epoch, or before this time.
    pub(crate) fn overdue(&self, epoch: Option<u64>, opened: Option<Nanos>) -> Vec<Root> {
        let is_overdue = |meta: &Meta| {
            epoch.is_some_and(|epoch| u64::from(meta.epoch) < epoch)
                || opened.is_some_and(|opened| meta.opened < opened)
        };
        let open = self.meta.iter().enumerate().filter(|(_, meta)| meta.epoch != CLOSED);
        open.filter(|(_, meta)| is_overdue(meta))
            .map(|(slot, meta)| Root::tracked(self.owner, slot, meta.generation, false))
            .collect()
    }
}
