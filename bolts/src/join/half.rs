//! One side of a join: the tuples that may still be met by one of the other side. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// When a tuple was, and a number that tells those of one moment apart.
pub(super) type Moment = (i64, u64);

/// A tuple that waits.
#[derive(Debug)]
pub(super) struct Waiting<T, H> {
    pub(super) tuple: T,
    /// What holds it; nothing once it was met.
    pub(super) hold: Option<H>,
}

pub(super) struct Half<K, T, H> {
    by_key: HashMap<K, BTreeMap<Moment, Waiting<T, H>>>,
    by_age: BTreeMap<Moment, K>,
}

impl<K: Hash + Eq + Clone, T, H> Half<K, T, H> {
    pub(super) fn new() -> Self {
        Self { by_key: HashMap::new(), by_age: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    pub(super) fn add(&mut self, key: K, moment: Moment, waiting: Waiting<T, H>) {
        self.by_key.entry(key.clone()).or_default().insert(moment, waiting);
        self.by_age.insert(moment, key);
    }

    /// Those of a key that are at most `within` from this time, the oldest first.
    pub(super) fn near(
        &mut self,
        key: &K,
        time: i64,
        within: i64,
    ) -> impl Iterator<Item = &mut Waiting<T, H>> {
        let first = (time.saturating_sub(within), 0);
        let last = (time.saturating_add(within), u64::MAX);
        let same_key = self.by_key.get_mut(key).into_iter();
        same_key.flat_map(move |waiting| waiting.range_mut(first..=last).map(|(_, w)| w))
    }

    /// When the oldest was.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.by_age.first_key_value().map(|(moment, _)| *moment)
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Waiting<T, H>> {
        let (moment, key) = self.by_age.pop_first()?;
        let same_key = self.by_key.get_mut(&key)?;
        let oldest = same_key.remove(&moment);
        if same_key.is_empty() {
            self.by_key.remove(&key);
        }
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_near_on_both_sides_and_the_oldest_leaves_first() {
        let mut half = Half::new();
        for (number, (key, time)) in
            [('a', 10), ('b', 12), ('a', 15), ('a', 5), ('a', 16), ('a', 4)].into_iter().enumerate()
        {
            half.add(key, (time, number as u64), Waiting { tuple: time, hold: Some(()) });
        }
        let near: Vec<_> = half.near(&'a', 10, 5).map(|waiting| waiting.tuple).collect();
        assert_eq!(near, [5, 10, 15]);
        assert_eq!(half.near(&'c', 10, 5).count(), 0);
        assert_eq!(half.near(&'a', i64::MAX, i64::MAX).count(), 5);
        assert_eq!((half.oldest(), half.len()), (Some((4, 5)), 6));
        let left: Vec<_> = std::iter::from_fn(|| half.pop_oldest()).map(|w| w.tuple).collect();
        assert_eq!(left, [4, 5, 10, 12, 15, 16]);
        assert!(half.by_key.is_empty() && half.oldest().is_none());
    }
}
