//! The name of a tuple tree.

use std::fmt;

use crate::Grove;

/// Names the tree that a tuple belongs to.
///
/// Sixty-four bits say where the tree's ledger entry is, so that an ack finds it without hashing:
///
/// ```text
///  63    62           61        60 .. 48     47 .. 23    22 .. 0
/// +----+------------+----------+------------+-----------+------------+
/// |many| provisional| replayed | spout task | slot      | generation |
/// +----+------------+----------+------------+-----------+------------+
/// ```
///
/// * zero: the tuple is not tracked.
/// * `many`: the tuple has several anchors; the rest is an index into its batch's anchor table.
/// * `provisional`: the tree has not left the loop of its spout yet; the rest is its index in the
///   batch that the spout is filling. Most trees of a fused topology end this way and never cost
///   a ledger entry.
/// * `replayed`: this is not the first attempt, so tasks keep a copy in case it becomes a dead
///   letter. First attempts pay one test of this bit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Root(u64);

const SLOTS: usize = 1 << 25;
const SLOT_SHIFT: u32 = 23;
const MANY: u64 = 1 << 63;
const PROVISIONAL: u64 = 1 << 62;
const REPLAYED: u64 = 1 << 61;

impl Root {
    /// Spout tasks that one process can number.
    pub const OWNERS_MAX: usize = 1 << 13;
    /// Slots that the ledger of one spout task can have. The last block of all that there are
    /// numbers for stays unused, so that what comes [after](Root::nth_after) a slot is never the
    /// first one of another task.
    pub const SLOTS_MAX: usize = SLOTS - Grove::SLOTS;
    /// The edge that every tree begins with. The ids of all others are random.
    pub const FIRST_EDGE: u64 = 1;
    /// Generations before a slot's numbers repeat. Zero is never used.
    pub const GENERATIONS: u32 = 1 << SLOT_SHIFT;
    /// The root of tuples that nobody tracks.
    pub const NONE: Root = Root(0);
    /// A root that no tuple ever has.
    pub(crate) const NEVER: Root = Root(u64::MAX);

    /// The tree in `slot` of the ledger of spout task `owner`.
    #[must_use]
    pub fn tracked(owner: usize, slot: usize, generation: u32, replayed: bool) -> Self {
        debug_assert!(owner < Self::OWNERS_MAX && slot < Self::SLOTS_MAX);
        debug_assert!(generation > 0 && generation < Self::GENERATIONS);
        let replayed = if replayed { REPLAYED } else { 0 };
        Self((owner as u64) << 48 | (slot as u64) << SLOT_SHIFT | u64::from(generation) | replayed)
    }

    /// The tree with this index in the batch that its spout is filling.
    #[must_use]
    #[inline]
    pub fn provisional(index: usize, replayed: bool) -> Self {
        Self(PROVISIONAL | index as u64 | if replayed { REPLAYED } else { 0 })
    }

    /// A tuple whose anchors stand at `index` of its batch's anchor table.
    #[must_use]
    pub fn many(index: usize, replayed: bool) -> Self {
        Self(MANY | index as u64 | if replayed { REPLAYED } else { 0 })
    }

    /// Whether nobody tracks this tuple.
    #[must_use]
    #[inline]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the tree has not left its spout's loop yet.
    #[must_use]
    #[inline]
    pub fn is_provisional(self) -> bool {
        self.0 & PROVISIONAL != 0
    }

    /// Whether the tuple has several anchors.
    #[must_use]
    #[inline]
    pub fn is_many(self) -> bool {
        self.0 & MANY != 0
    }

    /// Whether this is not the first attempt.
    #[must_use]
    #[inline]
    pub fn is_replayed(self) -> bool {
        self.0 & REPLAYED != 0
    }

    /// Index of a provisional root in its batch, or of a `many` root in its anchor table.
    #[must_use]
    #[inline]
    pub fn index(self) -> usize {
        (self.0 & (REPLAYED - 1)) as usize
    }

    /// The spout task that owns the tree.
    #[must_use]
    #[inline]
    pub fn owner(self) -> usize {
        (self.0 >> 48) as usize & (Self::OWNERS_MAX - 1)
    }

    /// The tree's slot in its owner's ledger.
    #[must_use]
    #[inline]
    pub fn slot(self) -> usize {
        (self.0 >> SLOT_SHIFT) as usize & (SLOTS - 1)
    }

    /// The root that comes `n` steps after this one: `n` slots further in the same ledger, with
    /// the same generation; or, of a provisional root or one of `many`, that of the index `n`
    /// further. After no root comes none.
    #[must_use]
    #[inline]
    pub fn nth_after(self, n: usize) -> Self {
        self.plus(n as u64 * self.step())
    }

    /// How many steps this root comes after `first`, see [`nth_after`](Root::nth_after).
    #[must_use]
    #[inline]
    pub(crate) fn steps_from(self, first: Self) -> usize {
        (self.0.wrapping_sub(first.0) / first.step().max(1)) as usize
    }

    /// What lies between this root and the next.
    #[inline]
    pub(crate) fn step(self) -> u64 {
        if self.is_none() {
            0
        } else if self.is_provisional() || self.is_many() {
            1
        } else {
            1 << SLOT_SHIFT
        }
    }

    pub(crate) fn before(self, distance: u64) -> Self {
        Self(self.0.wrapping_sub(distance))
    }

    #[inline]
    pub(crate) fn plus(self, distance: u64) -> Self {
        Self(self.0.wrapping_add(distance))
    }

    /// The root of the first slot of this one's block, never one of a replay: see [`Grove`].
    #[must_use]
    #[inline]
    pub(crate) fn block(self) -> Self {
        const IN_BLOCK: u64 = (Grove::SLOTS as u64 - 1) << SLOT_SHIFT;
        Self(self.0 & !(IN_BLOCK | REPLAYED))
    }

    /// How often the slot had been used.
    #[must_use]
    #[inline]
    pub fn generation(self) -> u32 {
        self.0 as u32 & (Self::GENERATIONS - 1)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            f.write_str("none")
        } else if self.is_many() {
            write!(f, "many#{}", self.index())
        } else if self.is_provisional() {
            write!(f, "new#{}", self.index())
        } else {
            write!(f, "{}:{}.{}", self.owner(), self.slot(), self.generation())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_packing() {
        let root =
            Root::tracked(Root::OWNERS_MAX - 1, Root::SLOTS_MAX - 1, Root::GENERATIONS - 1, true);
        assert_eq!(root.owner(), Root::OWNERS_MAX - 1);
        assert_eq!(root.slot(), Root::SLOTS_MAX - 1);
        assert_eq!(root.generation(), Root::GENERATIONS - 1);
        assert!(root.is_replayed() && !root.is_many() && !root.is_provisional());
        assert_eq!(Root::provisional(7, true).index(), 7);
        assert_eq!(Root::many(9, false).index(), 9);
        assert!(Root::NONE.is_none());
    }
}
