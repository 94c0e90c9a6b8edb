//! Counts over the last so many slots of time. Pure.
//!
//! ```text
//!   slot   ..  5   6   7   8          a window of three slots, when 8 is the newest
//!                 [a2][b1][a1]  ->    totals a3 b1
//! ```
//!
//! Every slot remembers its own counts, so that they can be taken off again when it leaves.

use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use super::Ranked;

#[derive(Clone, Debug)]
pub(super) struct Slots<K> {
    /// As many as the window has, the newest last. Empty before the first tuple.
    slots: VecDeque<HashMap<K, u64>>,
    slots_max: usize,
    newest: i64,
    totals: HashMap<K, u64>,
}

impl<K: Hash + Ord + Clone> Slots<K> {
    pub(super) fn new(slots_max: usize) -> Self {
        Self { slots: VecDeque::new(), slots_max, newest: 0, totals: HashMap::new() }
    }

    /// Counts a key in a slot. False if the slot is before the window.
    #[inline]
    pub(super) fn add(&mut self, slot: i64, key: K) -> bool {
        self.advance(slot);
        let age = self.newest.saturating_sub(slot);
        let Some(index) =
            usize::try_from(age).ok().and_then(|age| self.slots_max.checked_sub(age + 1))
        else {
            return false;
        };
        *self.slots[index].entry(key.clone()).or_default() += 1;
        *self.totals.entry(key).or_default() += 1;
        true
    }

    /// Moves the window on until its newest slot is `slot`. True if it took counts away.
    pub(super) fn advance(&mut self, slot: i64) -> bool {
        if self.slots.is_empty() {
            self.newest = slot;
            self.slots.resize_with(self.slots_max, HashMap::new);
        }
        let steps = slot.saturating_sub(self.newest).max(0);
        self.newest = self.newest.max(slot);
        let steps = usize::try_from(steps).unwrap_or(usize::MAX).min(self.slots_max);
        let mut has_changed = false;
        for _ in 0..steps {
            let oldest = self.slots.pop_front().unwrap_or_default();
            self.slots.push_back(HashMap::new());
            has_changed |= !oldest.is_empty();
            for (key, count) in oldest {
                self.take_off(&key, count);
            }
        }
        has_changed
    }

    fn take_off(&mut self, key: &K, count: u64) {
        if let Some(total) = self.totals.get_mut(key) {
            *total -= count;
            if *total == 0 {
                self.totals.remove(key);
            }
        }
    }

    /// The newest slot, if there is any.
    pub(super) fn newest(&self) -> Option<i64> {
        (!self.slots.is_empty()).then_some(self.newest)
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

    /// Counts everything that ever came, anew.
    fn naive(events: &[(i64, u8)], window: i64, n: usize) -> Vec<(u8, u64)> {
        let newest = events.iter().map(|(slot, _)| *slot).max().unwrap_or(0);
        let mut counts = BTreeMap::<u8, u64>::new();
        let mut seen = i64::MIN;
        for (slot, key) in events {
            seen = seen.max(*slot);
            if *slot > seen - window && *slot > newest - window {
                *counts.entry(*key).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
        counts.truncate(n);
        counts
    }

    quickcheck! {
        fn the_top_is_that_of_the_window(steps: Vec<(i8, u8)>, window: u8, n: u8) -> bool {
            let (window, n) = (1 + i64::from(window % 5), usize::from(n % 6));
            let (mut slots, mut events, mut at) = (Slots::new(window as usize), Vec::new(), 0);
            steps.into_iter().all(|(step, key)| {
                at += i64::from(step % 4);
                events.push((at, key % 7));
                slots.add(at, key % 7);
                let top = slots.top(n);
                top.iter().map(|r| (r.key, r.count)).eq(naive(&events, window, n))
            })
        }
    }

    #[test]
    fn a_window_moves_without_tuples_too() {
        let mut slots = Slots::new(3);
        assert!(slots.add(10, 'a') && slots.add(12, 'b'));
        assert!(!slots.add(9, 'c'), "before the window");
        assert!(slots.advance(13), "10 leaves");
        assert!(!slots.advance(14), "11 was empty");
        assert_eq!(slots.top(9), [Ranked { key: 'b', count: 1 }]);
        assert!(slots.advance(i64::MAX));
        assert!(slots.top(9).is_empty() && slots.totals.is_empty());
        assert!(!slots.add(i64::MIN, 'd'));
    }
}
