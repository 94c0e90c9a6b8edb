//! Sixty-four neighbouring slots of a ledger. Pure.

use tormenta_dsl::{Grove, engine::bits};

use super::ledger::FIRST_EDGE;
use crate::clock::Nanos;

/// When a tree was opened, and in which epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) at: Nanos,
    pub(super) epoch: u32,
}

/// Slots that are used one after the other, and anew when all have been used and have ended.
///
/// What the trees have in common is kept once: the generation, when they were opened if it was all
/// at once, and that the first edge is all that is open, if it is.
#[derive(Debug)]
pub(super) struct Block {
    /// Which slots hold an open tree.
    open: u64,
    generation: u32,
    /// Slots that were used, from the first on.
    used: usize,
    opened: Opened,
    /// When each tree was opened, where they differ.
    times: Slots<Opened>,
    /// XOR of the ids of the open edges of each tree, where it is not the first edge in all.
    values: Slots<u64>,
}

/// A value for each slot, used or not, where one for all of them is not enough. The memory is kept
/// when the block is free.
#[derive(Debug)]
struct Slots<T> {
    each: Option<Box<[T; Grove::SLOTS]>>,
    are_used: bool,
}

impl<T: Copy> Slots<T> {
    fn used(&self) -> Option<&[T; Grove::SLOTS]> {
        self.each.as_deref().filter(|_| self.are_used)
    }

    fn used_mut(&mut self) -> Option<&mut [T; Grove::SLOTS]> {
        self.each.as_deref_mut().filter(|_| self.are_used)
    }

    /// All of them, which have been `so_far`.
    fn each_mut(&mut self, so_far: T) -> &mut [T; Grove::SLOTS] {
        let each = self.each.get_or_insert_with(|| Box::new([so_far; Grove::SLOTS]));
        if !self.are_used {
            self.are_used = true;
            **each = [so_far; Grove::SLOTS];
        }
        each
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { each: None, are_used: false }
    }
}

impl Block {
    /// A free block.
    pub(super) fn new() -> Self {
        Self {
            open: 0,
            generation: 1,
            used: 0,
            opened: Opened::default(),
            times: Slots::default(),
            values: Slots::default(),
        }
    }

    /// How often the block has been free.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Slots that were used.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Whether no tree can be opened here any more.
    pub(super) fn is_used_up(&self) -> bool {
        self.used == Grove::SLOTS
    }

    /// Gives up the slots that were not used.
    pub(super) fn use_up(&mut self) {
        self.used = Grove::SLOTS;
    }

    /// Whether the block can be used anew.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0 && self.is_used_up()
    }

    /// Makes the block free, with this generation.
    pub(super) fn free(&mut self, generation: u32) {
        debug_assert!(self.is_over());
        (self.generation, self.used) = (generation, 0);
        (self.times.are_used, self.values.are_used) = (false, false);
    }

    /// Opens trees, up to `count`, each with its first edge. Returns how many.
    pub(super) fn open(&mut self, count: usize, opened: Opened) -> usize {
        let slots = self.used..(self.used + count).min(Grove::SLOTS);
        let taken = slots.len();
        if taken == 0 {
            return 0;
        }
        if self.used == 0 {
            self.opened = opened;
        } else if self.times.are_used || opened != self.opened {
            self.times.each_mut(self.opened)[slots].fill(opened);
        }
        self.open |= (u64::MAX >> (Grove::SLOTS - taken)) << self.used;
        self.used += taken;
        taken
    }

    /// Which slots hold an open tree.
    pub(super) fn open_trees(&self) -> u64 {
        self.open
    }

    /// Whether there is an open tree in this slot.
    pub(super) fn is_open(&self, slot: usize) -> bool {
        self.open >> slot & 1 == 1
    }

    /// When the tree in this slot was opened.
    pub(super) fn opened(&self, slot: usize) -> Opened {
        self.times.used().map_or(self.opened, |times| times[slot])
    }

    /// When all of the trees were opened, if it was at once.
    pub(super) fn opened_at_once(&self) -> Option<Opened> {
        (!self.times.are_used).then_some(self.opened)
    }

    /// Ends a tree.
    pub(super) fn close(&mut self, slot: usize) {
        self.open &= !(1 << slot);
    }

    /// Adds an edge to an open tree. Only bits of the mask count.
    pub(super) fn grow(&mut self, slot: usize, edge: u64, mask: u64) {
        self.values.each_mut(FIRST_EDGE)[slot] ^= edge & mask;
    }

    /// XORs ids of edges into an open tree. Returns whether it has no open edge then; such a tree
    /// has ended. Only bits of the mask count.
    pub(super) fn xor(&mut self, slot: usize, xor: u64, mask: u64) -> bool {
        let is_complete = if !self.values.are_used && xor == FIRST_EDGE {
            true
        } else {
            let value = &mut self.values.each_mut(FIRST_EDGE)[slot];
            *value ^= xor & mask;
            *value == 0
        };
        if is_complete {
            self.close(slot);
        }
        is_complete
    }

    /// Consumes the first edge of those of these trees that are open. Returns which of them have
    /// no open edge then; such trees have ended.
    pub(super) fn consume_first(&mut self, trees: u64) -> u64 {
        let trees = trees & self.open;
        let complete = match self.values.used_mut() {
            None => trees,
            Some(values) => bits(trees).fold(0, |complete, slot| {
                values[slot] ^= FIRST_EDGE;
                complete | u64::from(values[slot] == 0) << slot
            }),
        };
        self.open &= !complete;
        complete
    }
}
