//! Trees that stand side by side in a ledger.

use crate::Root;

/// Up to 64 neighbouring trees of one spout task, in two words.
///
/// The slots of a ledger come in blocks of 64, of which a grove names some. What hundreds of trees
/// have in common, their first edge being consumed, is said once for each block: whether all the
/// trees of the block are meant, or every third one, because the others went to another task.
///
/// ```
/// use tormenta_dsl::{Grove, Root};
///
/// let root = |slot| Root::tracked(0, slot, 1, false);
/// let mut grove = Grove::of(root(64));
/// assert!(grove.join(Grove::of(root(67))));
/// assert!(!grove.join(Grove::of(root(67))), "it has that one");
/// assert!(!grove.join(Grove::of(root(128))), "another block");
/// assert_eq!(grove.roots().collect::<Vec<_>>(), [root(64), root(67)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grove {
    /// The tree in the first slot of the block, or the one that could be there.
    block: Root,
    /// Which slots of the block are meant: the lowest bit is the first.
    trees: u64,
}

impl Grove {
    /// Slots of a block.
    pub const SLOTS: usize = 64;

    /// One tree.
    #[must_use]
    #[inline]
    pub fn of(root: Root) -> Self {
        Self { block: root.block(), trees: 1 << (root.slot() % Self::SLOTS) }
    }

    /// Trees that come one [after](Root::nth_after) the other.
    #[inline]
    pub fn of_run(first: Root, count: usize) -> impl Iterator<Item = Self> {
        let (mut root, mut left) = (first, count);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let from = root.slot() % Self::SLOTS;
            let taken = left.min(Self::SLOTS - from);
            let grove = Self { block: root.block(), trees: (u64::MAX >> (64 - taken)) << from };
            (root, left) = (root.nth_after(taken), left - taken);
            Some(grove)
        })
    }

    /// Adds other trees of the same block, if they are none of these. False if they are not added.
    #[inline]
    pub fn join(&mut self, other: Self) -> bool {
        let joins = self.block == other.block && self.trees & other.trees == 0;
        if joins {
            self.trees |= other.trees;
        }
        joins
    }

    /// Adds these trees to a list: to its last grove, where that is possible.
    #[inline]
    pub fn add_to(self, groves: &mut Vec<Self>) {
        if !groves.last_mut().is_some_and(|last| last.join(self)) {
            groves.push(self);
        }
    }

    /// Number of trees.
    #[must_use]
    #[inline]
    pub fn count(self) -> usize {
        self.trees.count_ones() as usize
    }

    /// The trees. Their roots do not say whether they were replayed.
    pub fn roots(self) -> impl Iterator<Item = Root> {
        bits(self.trees).map(move |bit| self.block.nth_after(bit))
    }

    /// The root of the tree in the first slot of the block.
    #[must_use]
    #[inline]
    pub fn block(self) -> Root {
        self.block
    }

    /// Which slots of the block are meant: the lowest bit is the first.
    #[must_use]
    #[inline]
    pub fn trees(self) -> u64 {
        self.trees
    }
}

/// Where the ones of a word are, from the lowest on.
#[inline]
pub fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word > 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn root(slot: usize) -> Root {
        Root::tracked(2, slot, 5, false)
    }

    quickcheck! {
        fn a_run_is_its_trees(first: u8, count: u8) -> bool {
            let (first, count) = (usize::from(first), usize::from(count));
            let groves: Vec<_> = Grove::of_run(root(first), count).collect();
            let blocks = groves.windows(2).all(|two| two[0].block() != two[1].block());
            let roots = groves.iter().flat_map(|grove| grove.roots());
            let counts = groves.iter().map(|grove| grove.count()).sum::<usize>();
            blocks && counts == count && roots.eq((first..first + count).map(root))
        }

        fn a_list_has_every_tree_that_was_added(slots: Vec<u8>) -> bool {
            let mut groves = Vec::new();
            slots.iter().for_each(|slot| Grove::of(root((*slot).into())).add_to(&mut groves));
            let mut all: Vec<_> = groves.iter().flat_map(|grove| grove.roots()).collect();
            let mut expected: Vec<_> = slots.iter().map(|slot| root((*slot).into())).collect();
            all.sort_unstable();
            expected.sort_unstable();
            all == expected
        }
    }
}
