//! Counts over the last so many slots of time. Pure.
//!
//! ```text
//!   slot   ..  5   6   7   8          a window of three slots, when 8 is the newest
//!                 [a2][b1][a1]  ->    totals a3 b1
//!             [b2][a2][b1] a1   ->    totals a2 b3: the same with one slot ahead of the window
//! ```
//!
//! Every slot remembers its own counts, so that they can be taken off again when it leaves. Slots
//! ahead of the window are counted in, but not yet shown: who comes late still finds its slot
//! before the window has come so far.

use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use super::Ranked;

#[derive(Clone, Debug)]
pub(super) struct Slots<K> {
    /// As many as the window has, and those ahead of it, the newest last. Empty before the first
    /// tuple.
    slots: VecDeque<HashMap<K, u64>>,
    slots_max: usize,
    ahead: usize,
    newest: i64,
    /// The counts of the slots in the window.
    totals: HashMap<K, u64>,
}

impl<K: Hash + Ord + Clone> Slots<K> {
    /// A window of so many slots, that stays so many behind the newest.
    pub(super) fn new(slots_max: usize, ahead: usize) -> Self {
        Self { slots: VecDeque::new(), slots_max, ahead, newest: 0, totals: HashMap::new() }
    }

    /// Counts a key in a slot. False if the slot is before the window.
    #[inline]
    pub(super) fn add(&mut self, slot: i64, key: K) -> bool {
        self.advance(slot);
        let age = usize::try_from(self.newest.saturating_sub(slot)).unwrap_or(usize::MAX);
        let Some(index) = self.slots.len().checked_sub(age.saturating_add(1)) else {
            return false;
        };
        *self.slots[index].entry(key.clone()).or_default() += 1;
        if index < self.slots_max {
            *self.totals.entry(key).or_default() += 1;
        }
        true
    }

    /// Moves on until the newest slot is `slot`. True if the totals have changed by that.
    pub(super) fn advance(&mut self, slot: i64) -> bool {
        if self.slots.is_empty() {
            self.newest = slot;
            self.slots.resize_with(self.slots_max.saturating_add(self.ahead), HashMap::new);
        }
        let steps = slot.saturating_sub(self.newest).max(0);
        self.newest = self.newest.max(slot);
        let steps = usize::try_from(steps).unwrap_or(usize::MAX).min(self.slots.len());
        let mut has_changed = false;
        for _ in 0..steps {
            let oldest = self.slots.pop_front().unwrap_or_default();
            self.slots.push_back(HashMap::new());
            has_changed |= !oldest.is_empty();
            for (key, count) in oldest {
                self.take_off(&key, count);
            }
            has_changed |= self.take_in();
        }
        has_changed
    }

    /// Moves on until no slot is ahead of the window.
    pub(super) fn catch_up(&mut self) {
        self.advance(self.newest.saturating_add(i64::try_from(self.ahead).unwrap_or(i64::MAX)));
    }

    /// Adds the slot that has come into the window, if it was ahead of it.
    fn take_in(&mut self) -> bool {
        if self.ahead == 0 {
            return false;
        }
        let slot = &self.slots[self.slots_max - 1];
        for (key, count) in slot {
            *self.totals.entry(key.clone()).or_default() += count;
        }
        !slot.is_empty()
    }

    fn take_off(&mut self, key: &K, count: u64) {
        if let Some(total) = self.totals.get_mut(key) {
            *total -= count;
            if *total == 0 {
                self.totals.remove(key);
            }
        }
    }

    /// The newest slot of the window, if there is any.
    pub(super) fn newest(&self) -> Option<i64> {
        let ahead = i64::try_from(self.ahead).unwrap_or(i64::MAX);
        (!self.slots.is_empty()).then(|| self.newest.saturating_sub(ahead))
    }

    /// The `n` keys with the largest totals, equal ones in the order of the keys.
    pub(super) fn top(&self, n: usize) -> Vec<Ranked<K>> {
        let mut all: Vec<(&K, u64)> = self.totals.iter().map(|(key, n)| (key, *n)).collect();
        if n < all.len() {
            all.select_nth_unstable_by(n, by_rank);
            all.truncate(n);
        }
        all.sort_unstable_by(by_rank);
        all.into_iter().map(|(key, count)| Ranked { key: key.clone(), count }).collect()
    }
}

fn by_rank<K: Ord>(a: &(&K, u64), b: &(&K, u64)) -> Ordering {
    b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    /// Counts everything that ever came, anew: what is in the window that stays `ahead` behind the
    /// newest, and was not before the window of that time when it came.
    fn naive(events: &[(i64, u8)], window: i64, ahead: i64, n: usize) -> Vec<(u8, u64)> {
        let newest = events.iter().map(|(slot, _)| *slot).max().unwrap_or(0) - ahead;
        let mut counts = BTreeMap::<u8, u64>::new();
        let mut seen = i64::MIN;
        for (slot, key) in events {
            seen = seen.max(*slot);
            let is_in = *slot > newest - window && *slot <= newest;
            if *slot > seen - ahead - window && is_in {
                *counts.entry(*key).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
        counts.truncate(n);
        counts
    }

    quickcheck! {
        /// In any order of times.
        fn the_top_is_that_of_the_window(
            steps: Vec<(i8, u8, u8)>, window: u8, ahead: u8, n: u8
        ) -> bool {
            let (window, ahead) = (1 + i64::from(window % 5), i64::from(ahead % 4));
            let n = usize::from(n % 6);
            let mut slots = Slots::new(window as usize, ahead as usize);
            let (mut events, mut at) = (Vec::new(), 0);
            steps.into_iter().all(|(step, back, key)| {
                at += i64::from(step % 4).max(-1);
                let slot = at - i64::from(back % 8);
                events.push((slot, key % 7));
                slots.add(slot, key % 7);
                let top = slots.top(n);
                top.iter().map(|r| (r.key, r.count)).eq(naive(&events, window, ahead, n))
            })
        }
    }

    #[test]
    fn a_window_moves_without_tuples_too() {
        let mut slots = Slots::new(3, 0);
        assert!(slots.add(10, 'a') && slots.add(12, 'b'));
        assert!(!slots.add(9, 'c'), "before the window");
        assert!(slots.advance(13), "10 leaves");
        assert!(!slots.advance(14), "11 was empty");
        assert_eq!(slots.top(9), [Ranked { key: 'b', count: 1 }]);
        assert!(slots.advance(i64::MAX));
        assert!(slots.top(9).is_empty() && slots.totals.is_empty());
        assert!(!slots.add(i64::MIN, 'd'));
    }

    #[test]
    fn what_is_ahead_is_shown_in_the_end() {
        let mut slots = Slots::new(2, 3);
        assert!(slots.add(10, 'a') && slots.add(13, 'b') && slots.add(12, 'c'));
        assert_eq!((slots.newest(), slots.top(9)), (Some(10), vec![Ranked { key: 'a', count: 1 }]));
        slots.catch_up();
        let top: Vec<_> = slots.top(9).into_iter().map(|ranked| ranked.key).collect();
        assert_eq!((slots.newest(), top), (Some(13), vec!['b', 'c']));
    }
}
