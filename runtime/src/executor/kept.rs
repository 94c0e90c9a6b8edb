//! What is kept of the trees of a block of the ledger: ids, and copies of tuples. Pure.

use tormenta_dsl::{Grove, engine::bits};

use super::spout_trees::{Copy, Tree};

/// What is kept of the trees of one block, by slot.
pub(super) struct Kept<O, Id> {
    ids: Slots<Id>,
    /// Copies of the tuples; none where the engine does not replay.
    copies: Slots<Copy<O>>,
}

impl<O, Id> Kept<O, Id> {
    /// Keeps ids and copies of neighbours, from this slot on. There are as many copies as ids, or
    /// none.
    pub(super) fn put(
        &mut self,
        from: usize,
        ids: impl ExactSizeIterator<Item = Id>,
        copies: impl ExactSizeIterator<Item = Copy<O>>,
    ) {
        self.ids.put(from, ids);
        self.copies.put(from, copies);
    }

    /// Takes out what is kept of one tree.
    pub(super) fn take(&mut self, slot: usize) -> Option<Tree<O, Id>> {
        let copy = self.copies.take(slot);
        self.ids.take(slot).map(|id| Tree { id, copy })
    }

    /// Adds the ids of some trees to those of trees that are complete, and their copies to those
    /// that nobody needs any more.
    pub(super) fn complete(&mut self, trees: u64, acked: &mut Vec<Id>, spent: &mut Vec<Copy<O>>) {
        self.ids.take_each(trees, acked);
        self.copies.take_each(trees, spent);
    }
}

impl<O, Id> Default for Kept<O, Id> {
    fn default() -> Self {
        Self { ids: Slots::default(), copies: Slots::default() }
    }
}

/// Values of a block's slots.
///
/// Mostly those of a whole block come and go together, and are moved as one. The memory is kept.
struct Slots<T> {
    /// All of them, or none.
    whole: Vec<T>,
    /// Each by itself, if they are not whole.
    each: Vec<Option<T>>,
}

impl<T> Slots<T> {
    fn put(&mut self, from: usize, mut values: impl ExactSizeIterator<Item = T>) {
        if values.len() == Grove::SLOTS {
            return self.whole.extend(values);
        }
        if self.each.len() < from && values.len() > 0 {
            self.each.resize_with(from, || None);
        }
        let present = self.each.iter_mut().skip(from);
        present.zip(values.by_ref()).for_each(|(slot, value)| *slot = Some(value));
        self.each.extend(values.map(Some));
    }

    fn take(&mut self, slot: usize) -> Option<T> {
        self.break_up();
        self.each.get_mut(slot)?.take()
    }

    fn take_each(&mut self, slots: u64, into: &mut Vec<T>) {
        if slots == u64::MAX && !self.whole.is_empty() {
            return into.append(&mut self.whole);
        }
        self.break_up();
        if !self.each.is_empty() {
            into.extend(bits(slots).filter_map(|slot| self.each.get_mut(slot)?.take()));
        }
    }

    /// From now on, each goes by itself.
    fn break_up(&mut self) {
        if !self.whole.is_empty() {
            self.each.clear();
            self.each.extend(self.whole.drain(..).map(Some));
        }
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { whole: Vec::new(), each: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// Slots are used one after the other; what was put in comes out once.
        fn what_is_put_is_taken(steps: Vec<(u8, u64)>) -> bool {
            let (mut slots, mut model) = (Slots::default(), BTreeMap::new());
            let (mut used, mut next) = (0, 0_u32);
            steps.into_iter().all(|(count, mask)| {
                if used == 64 && model.is_empty() {
                    used = 0;
                }
                let count = if count % 3 > 0 { usize::from(count % 20) } else { 64 };
                let count = count.min(64 - used);
                slots.put(used, next..next + count as u32);
                model.extend((used..).zip(next..next + count as u32));
                (used, next) = (used + count, next + count as u32);
                // Masks of every kind, and often that of all.
                let masks = [u64::MAX, mask, mask & (mask >> 3), 1 << (mask % 64)];
                let mask = masks[mask as usize % 4];
                let mut taken = Vec::new();
                slots.take_each(mask, &mut taken);
                let expected = model.extract_if(.., |slot, _| mask >> slot & 1 == 1);
                taken == expected.map(|(_, value)| value).collect::<Vec<_>>()
            })
        }
    }
}
