//! The keys that passed lately. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// When a key passed, and a number that tells those of one moment apart.
type Passed = (i64, u64);

#[derive(Clone, Debug)]
pub(super) struct Seen<K> {
    within: i64,
    keys_max: usize,
    /// The largest time so far.
    now: i64,
    number: u64,
    by_key: HashMap<K, Passed>,
    by_age: BTreeMap<Passed, K>,
}

/// What a tuple is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    First,
    /// The first, and the oldest key had to make room for it.
    FirstForgetting,
    /// So old that its key is not remembered.
    Late,
    Repeat,
}

impl<K: Hash + Eq + Clone> Seen<K> {
    pub(super) fn new(within: i64, keys_max: usize) -> Self {
        let (by_key, by_age) = (HashMap::new(), BTreeMap::new());
        Self { within, keys_max, now: i64::MIN, number: 0, by_key, by_age }
    }

    #[inline]
    pub(super) fn meet(&mut self, key: K, time: i64) -> Met {
        self.forget_until(time);
        if self.by_key.contains_key(&key) {
            return Met::Repeat;
        }
        if self.is_over(time) {
            return Met::Late;
        }
        let is_full = self.by_key.len() >= self.keys_max;
        if is_full && let Some((_, oldest)) = self.by_age.pop_first() {
            self.by_key.remove(&oldest);
        }
        self.number += 1;
        self.by_key.insert(key.clone(), (time, self.number));
        self.by_age.insert((time, self.number), key);
        if is_full { Met::FirstForgetting } else { Met::First }
    }

    /// Moves time on, and forgets what is over then.
    pub(super) fn forget_until(&mut self, time: i64) {
        self.now = self.now.max(time);
        while let Some(oldest) = self.by_age.first_entry()
            && oldest.key().0.saturating_add(self.within) <= self.now
        {
            self.by_key.remove(&oldest.remove());
        }
    }

    fn is_over(&self, time: i64) -> bool {
        time.saturating_add(self.within) <= self.now
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_key.len(), self.by_age.len());
        self.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// Against a list of all that ever passed.
        fn a_repeat_is_one_of_what_passed_lately(steps: Vec<(i8, u8)>, within: u8) -> bool {
            let within = i64::from(within % 16) + 1;
            let mut seen = Seen::new(within, usize::MAX);
            let (mut passed, mut at, mut now) = (Vec::<(i64, u8)>::new(), 0, i64::MIN);
            steps.into_iter().all(|(step, key)| {
                at += i64::from(step % 5);
                now = at.max(now);
                let key = key % 6;
                let is_repeat = passed.iter().any(|(t, k)| *k == key && t + within > now);
                if !is_repeat {
                    passed.push((at, key));
                }
                (seen.meet(key, at) == Met::Repeat) == is_repeat
            })
        }

        /// At the bound it remembers the keys that passed last, and counts those it forgot.
        fn the_bound_is_never_passed(keys: Vec<u8>, keys_max: u8) -> bool {
            let keys_max = usize::from(keys_max % 7) + 1;
            let (mut seen, mut kept) = (Seen::new(1_000, keys_max), Vec::new());
            keys.into_iter().enumerate().all(|(at, key)| {
                let key = key % 12;
                let expected = match (kept.contains(&key), kept.len() == keys_max) {
                    (true, _) => Met::Repeat,
                    (false, true) => Met::FirstForgetting,
                    (false, false) => Met::First,
                };
                if expected == Met::FirstForgetting {
                    kept.remove(0);
                }
                if expected != Met::Repeat {
                    kept.push(key);
                }
                seen.meet(key, at as i64 / 100) == expected && seen.len() == kept.len()
            })
        }
    }
}
