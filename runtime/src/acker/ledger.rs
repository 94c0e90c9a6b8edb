//! The ledger of one spout task: which of its trees are still open. Pure.
//!
//! Storm's acker, without the acker: every edge of a tree has an id, which is XORed into the
//! tree's value when the edge is made and again when it is consumed. When the value is zero, all
//! edges were consumed - or 2^-64 of bad luck. The value is found by slot, not by hashing, and the
//! generation of the slot's [block](Block) tells late acks of an earlier tree from those of the
//! present one.
//!
//! A tree has one first edge, so that edge needs no id of chance: it is [`FIRST_EDGE`] in every
//! tree. Trees that were opened one after the other have neighbouring slots, and where their first
//! edge is all there is, they are a bit each: no value is written when they are opened, and acks
//! for 64 of them are one [`Grove`].
//!
//! Invariants
//! * a slot is free, or open with the generation that its root carries;
//! * a block is used anew, with the next generation, when all its slots were used and have ended;
//! * a tree ends once: completing, failing and closing all clear its bit;
//! * an edge is XORed in before the edge it grew from is XORed out. The senders see to it.

use std::{collections::VecDeque, ops::Range};

use tormenta_dsl::{Grove, Root, engine::bits};

use super::block::{Block, Opened};
use crate::{clock::Nanos, planted};

/// The id of the edge that a tree begins with. All others are random.
pub(crate) const FIRST_EDGE: u64 = Root::FIRST_EDGE;

/// Blocks that are added at a time. They are used in turn, so the more there are, the longer it
/// takes until generations repeat.
const BLOCKS_ADDED: usize = 16;

/// All blocks that there are numbers for.
const BLOCKS_MAX: usize = Root::SLOTS_MAX / Grove::SLOTS;

/// Trees that are worth a block of their own. Fewer go where there is room, and have times of
/// their own there.
const BLOCK_WORTH: usize = Grove::SLOTS / 4;

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
    blocks: Vec<Block>,
    /// The block that has slots which were not used yet.
    filling: Option<usize>,
    /// Free blocks: those that are used next, those after them, and those that became free last.
    next: Range<usize>,
    free: VecDeque<Range<usize>>,
    freed: Range<usize>,
    /// Blocks that are not free.
    busy: usize,
    /// Open trees.
    open: usize,
    /// Which bits of edge ids count: all of them, except where a test wants collisions.
    mask: u64,
}

/// What an ack did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The tree had ended before.
    Stale,
    /// The tree has more edges.
    Open,
    /// That was the last edge. The slot is free; the tree was opened at this time.
    Complete { slot: usize, opened: Nanos },
}

/// Trees of one block that are complete: the block, which of its slots, and when they were opened.
pub(crate) type Completed = (usize, u64, Nanos);

impl Ledger {
    pub(crate) fn new(owner: usize) -> Self {
        Self {
            owner,
            blocks: Vec::new(),
            filling: None,
            next: 0..0,
            free: VecDeque::new(),
            freed: 0..0,
            busy: 0,
            open: 0,
            mask: u64::MAX,
        }
    }

    /// A ledger that sees only the low `bits` of edge ids.
    #[cfg(test)]
    pub(crate) fn with_id_bits(owner: usize, bits: u32) -> Self {
        Self { mask: (1 << bits) - 1, ..Self::new(owner) }
    }

    /// Number of blocks, open and free.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Number of open trees.
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    /// How many more trees can be opened, at least. Where old trees keep many blocks from being
    /// used anew, that may be fewer than there are numbers for.
    pub(crate) fn room(&self) -> usize {
        ((BLOCKS_MAX - self.busy) * BLOCK_WORTH).saturating_sub(Grove::SLOTS)
    }

    /// Opens a tree with its first edge.
    #[inline]
    pub(crate) fn open(&mut self, epoch: u64, now: Nanos, replayed: bool) -> Root {
        self.open_run(1, epoch, now, replayed).first
    }

    /// Opens as many trees, up to `count` and at least one, as can have roots that come one after
    /// the other.
    pub(crate) fn open_run(&mut self, count: usize, epoch: u64, now: Nanos, replayed: bool) -> Run {
        let opened = Opened { at: now, epoch: epoch as u32 };
        if count >= BLOCK_WORTH
            && let Some(filling) = self.filling.take()
        {
            self.blocks[filling].use_up();
            self.free_if_over(filling);
        }
        let first = self.filling.take().unwrap_or_else(|| self.take_free());
        let (slot, generation) = (self.blocks[first].used(), self.blocks[first].generation());
        let (mut last, mut taken) = (first, self.blocks[first].open(count, opened));
        // A run goes on in the blocks that follow.
        while taken < count
            && self.next.start == last + 1
            && self.next.start < self.next.end
            && self.blocks[last + 1].generation() == generation
        {
            last = self.take_free();
            taken += self.blocks[last].open(count - taken, opened);
        }
        if !self.blocks[last].is_used_up() {
            self.filling = Some(last);
        }
        self.open += taken;
        let first = first * Grove::SLOTS + slot;
        Run { first: Root::tracked(self.owner, first, generation, replayed), count: taken }
    }

    /// A free block. There is always one, see [`room`](Ledger::room).
    fn take_free(&mut self) -> usize {
        if self.next.is_empty() {
            self.refill();
        }
        self.next.start += 1;
        self.busy += 1;
        self.next.start - 1
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
        let first = self.blocks.len();
        let blocks = (first + BLOCKS_ADDED).min(BLOCKS_MAX);
        self.blocks.resize_with(blocks, Block::new);
        first..blocks
    }

    /// Adds an edge to a tree that this task is still working on: nothing can complete.
    #[inline]
    pub(crate) fn grow_tree(&mut self, root: Root, edge: u64) {
        debug_assert!(self.is_current(root), "{root:?} is being worked on");
        let (block, slot) = place(root);
        self.blocks[block].grow(slot, edge, self.mask);
    }

    /// Whether the tree is open.
    #[inline]
    pub(crate) fn is_current(&self, root: Root) -> bool {
        let (block, slot) = place(root);
        self.blocks.get(block).is_some_and(|block| is_same(block, root) && block.is_open(slot))
    }

    /// XORs an ack into its tree.
    #[inline]
    pub(crate) fn apply(&mut self, root: Root, xor: u64) -> Applied {
        if !self.is_current(root) {
            return Applied::Stale;
        }
        let (at, slot) = place(root);
        let block = &mut self.blocks[at];
        if !block.xor(slot, xor, self.mask) {
            return Applied::Open;
        }
        let opened = block.opened(slot).at;
        self.open -= 1;
        self.free_if_over(at);
        Applied::Complete { slot: root.slot(), opened }
    }

    /// Consumes the first edge of every tree of a grove; says which are complete.
    #[inline]
    pub(crate) fn apply_grove(&mut self, grove: Grove, mut complete: impl FnMut(Completed)) {
        let (at, _) = place(grove.block());
        let Some(block) = self.blocks.get_mut(at).filter(|block| is_same(block, grove.block()))
        else {
            return;
        };
        let trees = block.consume_first(grove.trees());
        self.open -= trees.count_ones() as usize;
        match block.opened_at_once() {
            Some(opened) if trees > 0 => complete((at, trees, opened.at)),
            Some(_) => {}
            None => bits(trees).for_each(|slot| complete((at, 1 << slot, block.opened(slot).at))),
        }
        self.free_if_over(at);
    }

    /// Ends a tree that failed. `None` if it had ended before.
    pub(crate) fn fail(&mut self, root: Root) -> Option<usize> {
        if !self.is_current(root) {
            return None;
        }
        let (at, slot) = place(root);
        self.blocks[at].close(slot);
        self.open -= 1;
        self.free_if_over(at);
        Some(root.slot())
    }

    #[inline]
    fn free_if_over(&mut self, at: usize) {
        if self.blocks[at].is_over() {
            self.free(at);
        }
    }

    fn free(&mut self, at: usize) {
        // Generation zero never occurs, so that no root of slot zero looks like "no root".
        let generation = (self.blocks[at].generation() + 1) % Root::GENERATIONS;
        self.blocks[at].free(generation.max(1));
        self.busy -= 1;
        if self.freed.end == at {
            self.freed.end += 1;
            return;
        }
        let freed = std::mem::replace(&mut self.freed, at..at + 1);
        if !freed.is_empty() {
            self.free.push_back(freed);
        }
    }

    /// The open trees that began before this epoch, or before this time.
    pub(crate) fn overdue(&self, epoch: Option<u64>, opened: Option<Nanos>) -> Vec<Root> {
        let is_overdue = |tree: Opened| {
            epoch.is_some_and(|epoch| u64::from(tree.epoch) < epoch)
                || opened.is_some_and(|opened| tree.at < opened)
        };
        let mut overdue = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let slots = bits(block.open_trees()).filter(|slot| is_overdue(block.opened(*slot)));
            overdue.extend(slots.map(|slot| {
                let slot = at * Grove::SLOTS + slot;
                Root::tracked(self.owner, slot, block.generation(), false)
            }));
        }
        overdue
    }
}

/// The block of a tree, and its slot there.
#[inline]
fn place(root: Root) -> (usize, usize) {
    (root.slot() / Grove::SLOTS, root.slot() % Grove::SLOTS)
}

/// Whether the root is of the present generation of its block.
#[inline]
fn is_same(block: &Block, root: Root) -> bool {
    block.generation() == root.generation() || planted!(StaleGeneration)
}
