//! One side of a join: the tuples that may still be met by one of the other side. Pure.
//!
//! ```text
//!   add --> waits, by age --its bound has passed--> kept, for replays --its time is up--> gone
//! ```

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
};

/// When a tuple was, and a number that tells those of one moment apart.
pub(super) type Moment = (i64, u64);

/// A tuple that waits, or is kept.
#[derive(Debug)]
pub(super) struct Waiting<T, H> {
    pub(super) tuple: T,
    /// What holds it; nothing once it is done.
    pub(super) hold: Option<H>,
    pub(super) is_met: bool,
    /// It comes of a second or later attempt.
    pub(super) is_replay: bool,
    /// Until when it is kept, in engine time; nothing while it waits.
    pub(super) until: Option<i64>,
}

pub(super) struct Half<K, T, H> {
    by_key: HashMap<K, BTreeMap<Moment, Waiting<T, H>>>,
    /// Those that wait.
    by_age: BTreeMap<Moment, K>,
    /// Those that are kept, with the time up to which they were when they came here.
    kept: VecDeque<(i64, Moment, K)>,
}

impl<K: Hash + Eq + Clone, T, H> Half<K, T, H> {
    pub(super) fn new() -> Self {
        Self { by_key: HashMap::new(), by_age: BTreeMap::new(), kept: VecDeque::new() }
    }

    /// How many wait or are kept.
    pub(super) fn len(&self) -> usize {
        self.by_age.len() + self.kept.len()
    }

    pub(super) fn add(&mut self, key: K, moment: Moment, waiting: Waiting<T, H>) {
        self.by_key.entry(key.clone()).or_default().insert(moment, waiting);
        self.by_age.insert(moment, key);
    }

    /// Those of a key that wait and are at most `within` from this time, the oldest first. Those
    /// that are kept as well, if somebody asks `for_replay`.
    pub(super) fn near(
        &mut self,
        key: &K,
        time: i64,
        within: i64,
        for_replay: bool,
    ) -> impl Iterator<Item = &mut Waiting<T, H>> {
        let first = (time.saturating_sub(within), 0);
        let last = (time.saturating_add(within), u64::MAX);
        let same_key = self.by_key.get_mut(key).into_iter();
        let near = same_key.flat_map(move |waiting| waiting.range_mut(first..=last));
        near.map(|(_, waiting)| waiting).filter(move |w| for_replay || w.until.is_none())
    }

    /// When the oldest was that waits.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.by_age.first_key_value().map(|(moment, _)| *moment)
    }

    /// The oldest waits no longer, but is kept up to a time that is not before that of others.
    pub(super) fn keep_oldest(&mut self, until: i64) -> Option<&mut Waiting<T, H>> {
        let (moment, key) = self.by_age.pop_first()?;
        self.kept.push_back((until, moment, key.clone()));
        let oldest = self.by_key.get_mut(&key)?.get_mut(&moment)?;
        oldest.until = Some(until);
        Some(oldest)
    }

    /// Forgets the oldest of those that wait.
    pub(super) fn pop_oldest(&mut self) -> Option<Waiting<T, H>> {
        let (moment, key) = self.by_age.pop_first()?;
        self.remove(moment, &key)
    }

    /// Up to when the first of those was kept that are kept.
    pub(super) fn first_kept(&self) -> Option<i64> {
        self.kept.front().map(|(until, ..)| *until)
    }

    /// Forgets the first of those that are kept, unless it was asked for in the meantime and is
    /// kept for longer. None are left behind whose time was up before `now`.
    pub(super) fn pop_kept(&mut self, now: i64) -> Option<Waiting<T, H>> {
        while self.first_kept().is_some_and(|until| until <= now) {
            let (_, moment, key) = self.kept.pop_front()?;
            let kept = self.by_key.get(&key)?.get(&moment)?;
            match kept.until {
                Some(until) if until > now => self.kept.push_back((until, moment, key)),
                _ => return self.remove(moment, &key),
            }
        }
        None
    }

    fn remove(&mut self, moment: Moment, key: &K) -> Option<Waiting<T, H>> {
        let same_key = self.by_key.get_mut(key)?;
        let removed = same_key.remove(&moment);
        if same_key.is_empty() {
            self.by_key.remove(key);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(tuple: i64) -> Waiting<i64, ()> {
        Waiting { tuple, hold: Some(()), is_met: false, is_replay: false, until: None }
    }

    fn half() -> Half<char, i64, ()> {
        let mut half = Half::new();
        for (number, (key, time)) in
            [('a', 10), ('b', 12), ('a', 15), ('a', 5), ('a', 16), ('a', 4)].into_iter().enumerate()
        {
            half.add(key, (time, number as u64), waiting(time));
        }
        half
    }

    #[test]
    fn near_is_near_on_both_sides_and_the_oldest_leaves_first() {
        let mut half = half();
        let near: Vec<_> = half.near(&'a', 10, 5, false).map(|waiting| waiting.tuple).collect();
        assert_eq!(near, [5, 10, 15]);
        assert_eq!(half.near(&'c', 10, 5, false).count(), 0);
        assert_eq!(half.near(&'a', i64::MAX, i64::MAX, false).count(), 5);
        assert_eq!((half.oldest(), half.len()), (Some((4, 5)), 6));
        let left: Vec<_> = std::iter::from_fn(|| half.pop_oldest()).map(|w| w.tuple).collect();
        assert_eq!(left, [4, 5, 10, 12, 15, 16]);
        assert!(half.by_key.is_empty() && half.oldest().is_none());
    }

    #[test]
    fn those_that_are_kept_are_found_by_replays_and_leave_in_time() {
        let mut half = half();
        let kept: Vec<_> = (100..103).map(|at| half.keep_oldest(at).map(|w| w.tuple)).collect();
        assert_eq!(kept, [Some(4), Some(5), Some(10)]);
        assert_eq!(half.near(&'a', 10, 5, false).count(), 1);
        assert_eq!(half.near(&'a', 10, 5, true).count(), 3);
        assert_eq!((half.oldest(), half.first_kept(), half.len()), (Some((12, 1)), Some(100), 6));
        half.near(&'a', 4, 0, true).for_each(|kept| kept.until = Some(200));
        let left: Vec<_> = std::iter::from_fn(|| half.pop_kept(101)).map(|w| w.tuple).collect();
        assert_eq!(left, [5], "4 was asked for, 10 has time left");
        let left: Vec<_> = std::iter::from_fn(|| half.pop_kept(i64::MAX)).collect();
        let left: Vec<_> = left.into_iter().map(|kept| kept.tuple).collect();
        assert_eq!((left, half.len()), (vec![10, 4], 3));
    }
}
