//! Windows against oracles that keep every tuple in a list and compute everything anew.

mod bolt;
mod counts;
mod sessions;
mod spans;

use super::{
    Aggregate, Firing, Sum,
    machine::{AllFired, Inputs},
};

/// What came in: a number, so that the oracle can tell tuples apart.
pub(super) type Value = i64;

/// The numbers of the tuples that are kept.
impl Inputs for Vec<i64> {
    fn absorb(&mut self, mut other: Self) {
        self.append(&mut other);
    }
}

pub(super) fn sum() -> Sum<fn(&Value) -> i64, Value> {
    Sum::of((|n: &Value| *n) as fn(&Value) -> i64)
}

/// A window that fired: key, start, end, whether it is a late firing, sum.
pub(super) type Told = (u8, i64, i64, bool, i64);

/// What has fired, in an order that does not depend on hashing.
pub(super) fn told<A: Aggregate<Out = i64>>(fired: &mut AllFired<u8, A>) -> Vec<Told> {
    let told = fired.drain(..);
    let mut told: Vec<Told> =
        told.map(|f| (f.key, f.start, f.end, f.firing == Firing::Late, f.value)).collect();
    told.sort_unstable();
    told
}

pub(super) fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort_unstable();
    all
}
