//! What the engine keeps of tuples in order to replay them is of types of the user: to clone it, to
//! drop it and to show it runs code that may panic. Every tuple ends in one way all the same.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta::{
    Topology,
    bolts::func,
    prelude::*,
    record::{Record, RecordError, Schema},
};

use crate::support::{Seen, cluster, in_order, ms, of, run_to_end};

/// What panics, at which number, and how often it still does.
#[derive(Default)]
struct Bomb(Mutex<HashMap<(&'static str, u64), u32>>);

impl Bomb {
    fn strike(&self, what: &'static str, n: u64) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = left.get_mut(&(what, n)).filter(|left| **left > 0)
            && !std::thread::panicking()
        {
            *left -= 1;
            panic!("a bomb: {what} {n}");
        }
    }
}

/// A number whose kept copy is fragile. What is emitted again is a clone of that, and is not.
#[derive(Serialize, Deserialize)]
struct Fragile {
    n: u64,
    clones: u32,
    #[serde(skip)]
    bomb: Arc<Bomb>,
}

impl Fragile {
    fn strike(&self, what: &'static str) {
        if self.clones == 1 {
            self.bomb.strike(what, self.n);
        }
    }
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        self.strike("clone");
        Self { n: self.n, clones: self.clones + 1, bomb: self.bomb.clone() }
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.strike("drop");
    }
}

impl Tuple for Fragile {
    fn schema() -> Arc<Schema> {
        Arc::new(Schema::new("Fragile", &[("n", "u64"), ("clones", "u32")]))
    }

    fn to_record(&self) -> std::result::Result<Record, RecordError> {
        self.strike("record");
        Record::of(Self::schema(), self)
    }
}

/// Emits forty of them.
#[derive(Clone)]
struct Numbers {
    next: Arc<AtomicU64>,
    bomb: Arc<Bomb>,
    told: Seen<(bool, u64)>,
}

impl Spout for Numbers {
    type Output = Fragile;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(Fragile, u64)>> {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        let fragile = Fragile { n, clones: 0, bomb: self.bomb.clone() };
        Ok((n < 40).then_some((fragile, n)))
    }

    fn acked(&mut self, n: u64) {
        self.told.add((true, n));
    }

    fn failed(&mut self, n: u64, _why: Failure) {
        self.told.add((false, n));
    }
}

/// Runs the forty through a bolt that gives the threes up and fails the fives at first. Gives the
/// number of attempts of each dead letter, and the errors.
fn ends(bombs: &[(&'static str, u64, u32)], seed: u64, fuse: bool) -> (Vec<u32>, Vec<String>) {
    let bomb =
        Bomb(Mutex::new(bombs.iter().map(|(what, n, times)| ((*what, *n), *times)).collect()));
    let told = Seen::default();
    let spout = Numbers { next: Arc::default(), bomb: Arc::new(bomb), told: told.clone() };
    let mut t = Topology::new("copies");
    let retry = Retry { attempts_max: 3, backoff_min: ms(10), backoff_max: ms(30) };
    let numbers = t.spout("numbers", spout).replaying(retry);
    let picky = func(async |fragile: Fragile, _: &Emitter<()>| match fragile.n % 10 {
        3 => Err(Error::poison("a three")),
        5 if fragile.clones == 0 => Err(Error::msg("a five")),
        _ => Ok(()),
    });
    t.bolt("picky", picky, numbers.shuffle());
    let summary = run_to_end(cluster(t, seed, fuse));
    let acked: Vec<_> = (0..40).map(|n| (true, n)).collect();
    assert_eq!(in_order(told.all()), acked, "{bombs:?} {seed} {fuse}");
    assert_eq!((summary.error.clone(), of(&summary, "numbers").restarts), (None, 0));
    let dead = summary.dead_letters.iter().map(|letter| letter.attempts).collect();
    let errors = summary.errors.iter().map(|error| error.error.clone());
    (in_order(dead), errors.filter(|error| error.contains("bomb")).collect())
}

#[test]
fn without_a_bomb_nothing_is_told() {
    for fuse in [true, false] {
        assert_eq!(ends(&[], 1, fuse), (vec![1; 4], vec![]));
    }
}

#[test]
fn a_copy_that_panics_when_it_is_dropped() {
    for (seed, fuse, n) in cases([0, 3, 5, 17, 39]) {
        let (dead, errors) = ends(&[("drop", n, 1)], seed, fuse);
        let told = format!("the copy of a tuple panicked when it was dropped: a bomb: drop {n}");
        assert_eq!((dead, errors), (vec![1; 4], vec![told]), "{seed} {fuse}");
    }
    let all: Vec<_> = (0..40).map(|n| ("drop", n, 1)).collect();
    for fuse in [true, false] {
        assert_eq!(ends(&all, 7, fuse).1.len(), 40, "those after one that panics are dropped too");
    }
}

#[test]
fn a_copy_that_panics_when_it_is_shown() {
    for (seed, fuse, n) in cases([3, 13, 33]) {
        let (dead, errors) = ends(&[("record", n, 1)], seed, fuse);
        let told = format!("the copy of a tuple panicked when it was shown: a bomb: record {n}");
        assert_eq!((dead, errors), (vec![1; 4], vec![told]), "{seed} {fuse}");
    }
}

#[test]
fn a_copy_that_panics_when_it_is_cloned() {
    for (seed, fuse, n) in cases([5, 15, 35]) {
        let (dead, errors) = ends(&[("clone", n, 1)], seed, fuse);
        let told = format!("the copy of a tuple panicked when it was cloned: a bomb: clone {n}");
        assert_eq!((dead, errors), (vec![1; 4], vec![told.clone()]), "{seed} {fuse}");
        let (dead, errors) = ends(&[("clone", n, 9)], seed, fuse);
        assert_eq!((dead, errors), (vec![1, 1, 1, 1, 3], vec![told; 2]), "{seed} {fuse}");
    }
}

fn cases<const N: usize>(numbers: [u64; N]) -> impl Iterator<Item = (u64, bool, u64)> {
    let all = (0..4).flat_map(move |seed| numbers.map(|n| (seed, n)));
    all.flat_map(|(seed, n)| [(seed, true, n), (seed, false, n)])
}
