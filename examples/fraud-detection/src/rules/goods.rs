//! What is usual for a kind of goods: petrol costs what it costs, and a flight something else.
//!
//! Where transactions say what was bought, an amount is compared with those for the same kind, of
//! all cards. It is enough to count them: what is rare for a kind is rare whether it is large or
//! small, and no kind needs numbers of its own that somebody would have to set. As in
//! [`Crowd`](super::Crowd), frauds are counted too, and labels are not read.

use std::collections::HashMap;

use super::crowd::{BUCKETS, bucket};

/// Kinds that are told apart. Whatever comes after them is of no known kind.
const KINDS_MAX: usize = 64;

/// Payments of a kind before anything is rare.
const KNOWN: u32 = 50;

/// Payments of a kind after which the older half counts half.
const MEMORY: u32 = 65_536;

/// Counts the amounts of each kind. 18 KB a kind.
///
/// ```
/// use tormenta_fraud::Goods;
///
/// let mut goods = Goods::default();
/// let petrol = 7;
/// (0..1_000).for_each(|n| { goods.pay(petrol, 5_000 + n); });
/// let rarity = [5_500, 40_000, 900].map(|cents| goods.pay(petrol, cents).unwrap_or(0.0));
/// assert!(rarity[0].abs() < 1.0 && rarity[1] > 6.0 && rarity[2] < -6.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Goods(HashMap<u32, Amounts>);

impl Goods {
    /// Counts a payment, and tells how rare it is beside those of its kind before it: the natural
    /// logarithm of "one in so many is as large", or its negative where it is rarer for one to be
    /// as small. 0 while there are few. `None` where there are too many kinds.
    pub fn pay(&mut self, kind: u32, cents: u64) -> Option<f32> {
        if !self.0.contains_key(&kind) && self.0.len() >= KINDS_MAX {
            return None;
        }
        let amounts = self.0.entry(kind).or_default();
        let bucket = bucket(cents);
        let rarity = amounts.rarity(bucket);
        amounts.add(bucket);
        Some(rarity)
    }
}

/// How many payments there were in each bucket, and in all buckets below it.
#[derive(Clone, Debug)]
struct Amounts {
    counts: Vec<u32>,
    /// A binary indexed tree over the counts: a sum takes as many steps as its index has bits.
    tree: Vec<u32>,
    payments: u32,
}

impl Default for Amounts {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], tree: vec![0; BUCKETS + 1], payments: 0 }
    }
}

impl Amounts {
    fn rarity(&self, bucket: usize) -> f32 {
        if self.payments < KNOWN {
            return 0.0;
        }
        // Those in the same bucket are on both sides: a price that many pay is not rare.
        let smaller = self.below(bucket + 1);
        let larger = self.payments - self.below(bucket);
        // As if there were one more on either side: nobody knows what will come.
        let rare = |beyond: u32| ((self.payments + 2) as f32 / (beyond + 1) as f32).ln();
        if larger <= smaller { rare(larger) } else { -rare(smaller) }
    }

    fn add(&mut self, bucket: usize) {
        if self.payments >= 2 * MEMORY {
            let halved: Vec<_> = self.counts.iter().map(|count| count / 2).collect();
            *self = Self::default();
            halved.into_iter().enumerate().for_each(|(bucket, count)| self.count(bucket, count));
        }
        self.count(bucket, 1);
    }

    fn count(&mut self, bucket: usize, payments: u32) {
        self.counts[bucket] += payments;
        self.payments += payments;
        let mut node = bucket + 1;
        while node < self.tree.len() {
            self.tree[node] += payments;
            node += node & node.wrapping_neg();
        }
    }

    /// Payments in the buckets before this one.
    fn below(&self, bucket: usize) -> u32 {
        let (mut node, mut sum) = (bucket, 0);
        while node > 0 {
            sum += self.tree[node];
            node &= node - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// By looking at all amounts.
        fn rarity_is_what_was_paid(amounts: Vec<u16>, next: u16) -> bool {
            let mut goods = Goods::default();
            let amounts: Vec<u64> = (0..60).chain(amounts.into_iter().map(u64::from)).collect();
            amounts.iter().for_each(|cents| { goods.pay(1, *cents); });
            let at = bucket(u64::from(next));
            let beyond = |is_beyond: fn(usize, usize) -> bool| {
                amounts.iter().filter(|cents| is_beyond(bucket(**cents), at)).count()
            };
            let (larger, smaller) = (beyond(|a, b| a >= b), beyond(|a, b| a <= b));
            let rare = |count: usize| ((amounts.len() + 2) as f32 / (count + 1) as f32).ln();
            let expected = if larger <= smaller { rare(larger) } else { -rare(smaller) };
            goods.pay(1, next.into()) == Some(expected)
        }
    }

    #[test]
    fn what_is_long_ago_counts_less_and_kinds_are_bounded() {
        let mut goods = Goods::default();
        (0..4 * MEMORY).for_each(|n| {
            goods.pay(1, if n < MEMORY { 90_000 } else { 1_000 });
        });
        let rarity = goods.pay(1, 50_000).unwrap_or(0.0);
        assert!((1.5..3.5).contains(&rarity), "{rarity}");
        assert!((2..=KINDS_MAX as u32).all(|kind| goods.pay(kind, 5) == Some(0.0)));
        assert_eq!(goods.pay(9_999, 5), None);
    }
}
