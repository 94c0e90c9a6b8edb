//! Which keys a component is sent most, from samples.
//!
//! A grouping by key hashes every tuple anyhow. It tells the hash of one tuple in each batch, which
//! stands for the whole batch. What is counted is the key group, one of 4,096: a number that
//! anybody can compute from a key, and few enough to be counted one by one.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;
use tormenta_dsl::key::{KEY_GROUPS, KeyGroup};

use crate::limits;

/// A group of keys that a component is sent more than its share of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HotKey {
    /// Number of the key group: that of [`KeyGroup::of`](tormenta_dsl::key::KeyGroup::of) for each
    /// key in it.
    pub key_group: u16,
    /// The task that it goes to.
    pub task: usize,
    /// Its share of the tuples that are sent by key, from 0 to 1. An estimate: one tuple of each
    /// batch is looked at.
    pub share: f64,
}

/// Samples of the keys that are sent to one component, by whatever task.
#[derive(Debug, Default)]
pub(crate) struct KeySamples {
    /// Allocated with the first sample: most components are not fed by key.
    groups: OnceLock<Box<[AtomicU64]>>,
    samples: AtomicU64,
}

impl KeySamples {
    /// Counts a sample that stands for so many tuples.
    pub(crate) fn add(&self, group: KeyGroup, tuples: usize) {
        let groups =
            self.groups.get_or_init(|| (0..KEY_GROUPS).map(|_| AtomicU64::new(0)).collect());
        groups[usize::from(group.number())].fetch_add(tuples as u64, Ordering::Relaxed);
        let samples = self.samples.fetch_add(1, Ordering::Relaxed) + 1;
        if samples.is_multiple_of(limits::KEY_SAMPLES) {
            halve(groups);
        }
    }

    /// The groups that have more than a hundredth, forty times what they would have were all
    /// alike: the largest shares first.
    pub(crate) fn hot(&self, tasks: usize) -> Vec<HotKey> {
        let Some(groups) = self.groups.get() else { return Vec::new() };
        let mut counts: Vec<(u64, u16)> =
            groups.iter().map(|count| count.load(Ordering::Relaxed)).zip(0..).collect();
        let total = counts.iter().map(|(count, _)| count).sum::<u64>().max(1);
        counts.retain(|(count, _)| *count * 100 > total);
        counts.sort_unstable_by_key(|(count, group)| (std::cmp::Reverse(*count), *group));
        counts.truncate(limits::HOT_KEYS_NAMED);
        let hot = |(count, key_group): (u64, u16)| HotKey {
            key_group,
            task: usize::from(key_group) * tasks / KEY_GROUPS as usize,
            share: count as f64 / total as f64,
        };
        counts.into_iter().map(hot).collect()
    }
}

/// What is long ago counts less and less. A sample that comes meanwhile may count half.
#[cold]
fn halve(groups: &[AtomicU64]) {
    for count in groups {
        count.fetch_sub(count.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    #[test]
    fn nothing_is_hot_where_all_are_alike() {
        let samples = KeySamples::default();
        assert!(samples.hot(4).is_empty());
        (0..KEY_GROUPS as u64).for_each(|key| samples.add(KeyGroup::of(&key), 10));
        assert!(samples.hot(4).is_empty(), "{:?}", samples.hot(4));
    }

    #[test]
    fn what_was_hot_long_ago_is_forgotten() {
        let samples = KeySamples::default();
        let (old, new) = (KeyGroup::of("old"), KeyGroup::of("new"));
        (0..1000).for_each(|_| samples.add(old, 1));
        (0..8 * limits::KEY_SAMPLES).for_each(|_| samples.add(new, 1));
        let hot = samples.hot(3);
        assert_eq!((hot.len(), hot[0].key_group), (1, new.number()));
        assert_eq!(hot[0].task, new.owner(3));
    }

    quickcheck! {
        /// As a sum over a map would say.
        fn shares_are_those_of_the_samples(keys: Vec<(u8, u8)>) -> bool {
            let (samples, mut naive) = (KeySamples::default(), BTreeMap::<u16, u64>::new());
            for (key, tuples) in &keys {
                samples.add(KeyGroup::of(key), usize::from(*tuples));
                *naive.entry(KeyGroup::of(key).number()).or_default() += u64::from(*tuples);
            }
            let total: u64 = naive.values().sum();
            let mut shares: Vec<u64> =
                naive.values().copied().filter(|count| count * 100 > total).collect();
            shares.sort_unstable_by(|a, b| b.cmp(a));
            let hot = samples.hot(7);
            hot.len() == shares.len().min(limits::HOT_KEYS_NAMED)
                && hot.iter().zip(shares).all(|(hot, count)| {
                    naive[&hot.key_group] == count
                        && (hot.share - count as f64 / total as f64).abs() < 1e-12
                })
        }
    }
}
