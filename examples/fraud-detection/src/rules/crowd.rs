//! What everybody pays: quantiles of all amounts of late.
//!
//! A large amount is large beside what others pay, not beside a constant. The quantiles are those
//! of *all* payments, frauds included: the decisions come too late to leave them out, and one
//! fraud in a hundred moves the middle of the others by nothing.

use super::goods::Goods;
use crate::tx::Tx;

/// Payments after which the older half counts half.
const MEMORY: u32 = 262_144;

/// The quantiles are looked up once in so many payments.
const LOOKED_UP_EVERY: u32 = 256;

/// Buckets of one octave: an amount is known to within 1.6 %.
const STEPS_LOG2: u32 = 6;
const STEPS: u64 = 1 << STEPS_LOG2;

/// The largest amount that is told apart, in cents.
const CENTS_MAX: u64 = (1 << 40) - 1;

/// Of so many payments one is larger than [`Usual::most`].
const ONE_IN: u64 = 500;

/// What is believed before anything was seen: mean and spread of the square root of an amount in
/// cents, over all cards and payments; how many payments this belief is worth, and after how many
/// it is dropped.
const GUESS: (f32, f32) = (65.0, 37.0);
const GUESS_PAYMENTS: f32 = 1_000.0;
const GUESSED_UNTIL: u32 = 40 * LOOKED_UP_EVERY;

/// Amounts that are usual, as square roots of cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Usual {
    /// Half of all payments are smaller.
    pub middle: f32,
    /// All but one in 500 are smaller.
    pub most: f32,
}

impl Usual {
    /// Where an amount lies: 0 in the middle, 1 where only one in 500 is larger.
    ///
    /// ```
    /// use tormenta_fraud::Usual;
    ///
    /// let usual = Usual { middle: 60.0, most: 160.0 };
    /// assert_eq!([3_600, 25_600].map(|cents| usual.place_of(cents)), [0.0, 1.0]);
    /// ```
    #[must_use]
    pub fn place_of(self, cents: u64) -> f32 {
        ((cents as f32).sqrt() - self.middle) / (self.most - self.middle).max(1.0)
    }
}

/// How large an amount is beside others.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Among all payments: 0 in the middle, 1 where one in 500 is larger.
    pub place: f32,
    /// Among those for the same kind of goods, if that is known, how rare it is: see
    /// [`Goods::pay`].
    pub rarity: Option<f32>,
}

/// Counts amounts. Of bounded size: some 10 KB, and 18 for each of at most 64 kinds of goods.
///
/// Whoever knows the order of all payments keeps one of it; in the topology, that is the source.
///
/// ```
/// use tormenta_fraud::Crowd;
///
/// let mut crowd = Crowd::default();
/// let sizes: Vec<_> = (0..100_000).map(|n| crowd.pay(n % 1_000)).collect();
/// let usual = crowd.usual();
/// assert!(sizes[99_999] > 0.95 && sizes[99_500].abs() < 0.05);
/// assert!((usual.middle.powi(2) - 500.0).abs() < 20.0);
/// assert!((usual.most.powi(2) - 998.0).abs() < 20.0);
/// ```
#[derive(Clone, Debug)]
pub struct Crowd {
    counts: Vec<u32>,
    payments: u32,
    usual: Usual,
    /// Whether the guess counts.
    is_guessed: bool,
    goods: Goods,
}

impl Default for Crowd {
    fn default() -> Self {
        let mut crowd = Self::without_guess();
        for (bucket, payments) in guess() {
            crowd.counts[bucket] += payments;
            crowd.payments += payments;
        }
        crowd.is_guessed = true;
        crowd.look_up();
        crowd
    }
}

/// A bell, in steps of a tenth of its spread: payments by bucket.
fn guess() -> impl Iterator<Item = (usize, u32)> {
    (-17..=32).map(|step| {
        let z = step as f32 / 10.0;
        let share = (-z * z / 2.0).exp() / 25.066_28;
        let cents = (GUESS.0 + z * GUESS.1).powi(2) as u64;
        (bucket(cents), (GUESS_PAYMENTS * share).round() as u32)
    })
}

impl Crowd {
    fn without_guess() -> Self {
        let (counts, usual, goods) = (vec![0; BUCKETS], Usual::default(), Goods::default());
        Self { counts, payments: 0, usual, is_guessed: false, goods }
    }

    /// Counts a transaction, and tells how large its amount is beside those before it.
    pub fn size_of(&mut self, tx: &Tx) -> Size {
        let rarity = tx.category.and_then(|kind| self.goods.pay(kind, tx.cents));
        Size { place: self.pay(tx.cents), rarity }
    }

    /// Counts a payment, and tells how large it is beside those before it: 0 lies in the middle,
    /// and only one in 500 payments is larger than 1.
    pub fn pay(&mut self, cents: u64) -> f32 {
        let size = self.usual.place_of(cents);
        self.counts[bucket(cents)] += 1;
        self.payments += 1;
        if self.payments.is_multiple_of(LOOKED_UP_EVERY) {
            if self.is_guessed && self.payments >= GUESSED_UNTIL {
                self.is_guessed = false;
                for (bucket, payments) in guess() {
                    self.counts[bucket] -= payments;
                    self.payments -= payments;
                }
            }
            if self.payments >= 2 * MEMORY {
                self.counts.iter_mut().for_each(|count| *count /= 2);
                self.payments = self.counts.iter().sum();
            }
            self.look_up();
        }
        size
    }

    /// What is usual, as of the last few hundred payments.
    #[must_use]
    pub fn usual(&self) -> Usual {
        self.usual
    }

    fn look_up(&mut self) {
        let payments = u64::from(self.payments);
        let larger = [payments / 2, payments / ONE_IN];
        let [middle, most] = larger.map(|larger| self.with_larger(larger));
        self.usual = Usual { middle, most };
    }

    /// The root of the amount above which so many payments lie.
    fn with_larger(&self, larger: u64) -> f32 {
        let mut seen = 0;
        let above = |count: &u32| {
            seen += u64::from(*count);
            seen > larger
        };
        let index = self.counts.iter().rposition(above).unwrap_or(0);
        (upper(index) as f32).sqrt()
    }
}

/// How many buckets there are.
pub(super) const BUCKETS: usize = ((40 - STEPS_LOG2 as usize) + 1) * STEPS as usize;

/// Buckets of equal width up to 2^7 cents, then 64 for each doubling.
pub(super) fn bucket(cents: u64) -> usize {
    let cents = cents.min(CENTS_MAX);
    let octave = (cents | STEPS).ilog2() - STEPS_LOG2;
    (u64::from(octave) * STEPS + (cents >> octave)) as usize
}

/// The largest amount of a bucket, in cents.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let octave = (bucket / STEPS).saturating_sub(1);
    ((bucket - octave * STEPS + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn an_amount_lies_in_its_bucket(cents: u64) -> bool {
            let cents = cents % CENTS_MAX;
            let index = bucket(cents);
            cents <= upper(index) && (index == 0 || cents > upper(index - 1))
        }

        /// By sorting all amounts.
        fn quantiles_are_those_of_the_sorted_amounts(amounts: Vec<u16>) -> bool {
            let amounts: Vec<_> = amounts.into_iter().map(u64::from).collect();
            if amounts.is_empty() {
                return true;
            }
            let mut crowd = Crowd::without_guess();
            amounts.iter().for_each(|cents| { crowd.pay(*cents); });
            crowd.look_up();
            let mut sorted = amounts.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            let root = |larger: usize| (upper(bucket(sorted[larger])) as f32).sqrt();
            let (middle, most) = (root(sorted.len() / 2), root(sorted.len() / ONE_IN as usize));
            crowd.usual == Usual { middle, most }
        }
    }

    #[test]
    fn the_largest_amount_has_the_last_bucket() {
        assert_eq!((bucket(u64::MAX), bucket(CENTS_MAX)), (BUCKETS - 1, BUCKETS - 1));
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut crowd = Crowd::default();
        (0..5 * MEMORY).for_each(|n| {
            crowd.pay(if n < MEMORY { 1_000 } else { 100_000 });
        });
        let middle = crowd.usual().middle.powi(2);
        assert!((99_000.0..102_000.0).contains(&middle), "{middle}");
    }
}
