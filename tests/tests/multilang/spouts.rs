//! Spouts in other languages.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex},
};

use tormenta::{bolts::func, multilang::ShellSpout, prelude::*, record::Record, testkit::Capture};

use crate::{child, errors, folder};

/// It replays what fails, dies once, goes on where it was, and ends when all is acked.
#[test]
fn a_spout_replays_and_survives_its_own_death() {
    let Some(command) = child("numbers.py") else { return };
    let (_folder, path) = folder();
    let arrived = Capture::<u64>::new();
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let mut t = Topology::new("numbers");
    let numbers = ShellSpout::new(command)
        .env("TROUBLE", path.display().to_string())
        .conf("end", 5_000)
        .emits::<u64>();
    let numbers = t.spout("numbers", numbers);
    let picky = func(async move |n: u64, out: &Emitter<u64>| {
        if n % 10 == 3 && seen.lock().unwrap().insert(n) {
            return Err(Error::msg("the first time"));
        }
        out.emit(n).await
    });
    let picky = t.bolt("picky", picky, numbers.shuffle());
    t.bolt("arrived", arrived.bolt(), picky.shuffle());
    let summary = tormenta::run(t).expect("it runs to its end");
    let arrived: BTreeSet<u64> = arrived.taken().into_iter().collect();
    assert_eq!(arrived, (0..5_000).collect());
    let told = errors(&summary);
    assert!(told.contains("ended with exit status: 7"), "{told}");
    let done = std::fs::read_to_string(path.join("done")).expect("it wrote what was acked");
    let done: BTreeSet<u64> = done.lines().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(done.len(), 5_000);
    let spout = summary.metrics.component("numbers").expect("it is there");
    assert_eq!(spout.counters["child_restarts"], 1);
    assert!(spout.counters["replayed"] > 0);
}

#[test]
fn a_spout_has_several_streams_and_an_end() {
    let Some(command) = child("lines.py") else { return };
    let (odd, even) = (Capture::<Record>::new(), Capture::<Record>::new());
    let mut t = Topology::new("streams");
    let numbers = ShellSpout::new(command).outputs([("odd", vec!["n: u64"]), ("even", vec!["n"])]);
    let numbers = t.spout("numbers", numbers);
    t.bolt("odd", odd.bolt(), numbers[0].shuffle());
    t.bolt("even", even.bolt(), numbers[1].shuffle());
    let summary = tormenta::run(t).expect("it runs to its end");
    assert_eq!(errors(&summary), "");
    let letters: Vec<_> = summary.dead_letters.iter().map(|letter| letter.error.clone()).collect();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("field `n: u64` of `odd` cannot be \"no number\""), "{letters:?}");
    assert_eq!((odd.taken().len(), even.taken().len()), (500, 500));
}
