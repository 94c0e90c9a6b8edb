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

/// What a child has emitted counts, however soon after it exits.
#[test]
fn what_is_emitted_before_an_exit_counts() {
    for name in ["exits.py", "hasty.py"] {
        let Some(command) = child(name) else { return };
        let arrived = Capture::<u64>::new();
        let mut t = Topology::new("exits");
        let numbers = t.spout("numbers", ShellSpout::new(command).emits::<u64>());
        t.bolt("arrived", arrived.bolt(), numbers.shuffle());
        let summary = tormenta::run(t).expect("it runs to its end");
        assert_eq!(errors(&summary), "", "{name}");
        let arrived: BTreeSet<u64> = arrived.taken().into_iter().collect();
        assert_eq!(arrived, (0..3).collect(), "{name}");
    }
}

/// A child that emits without end in one call waits for its readers, and is not read ahead of.
#[test]
fn a_flood_waits_in_the_pipe() {
    let Some(command) = child("flood.py") else { return };
    let (_folder, path) = folder();
    let written = path.join("written");
    let (arrived, seen) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (count, at_100) = (arrived.clone(), seen.clone());
    let mut t = Topology::new("flood");
    let flood = ShellSpout::new(command).env("TROUBLE", path.display().to_string());
    let flood = t.spout("flood", flood.emits::<String>()).pending_max(10);
    let slow = func(async move |_: String, _: &Emitter<()>| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count <= 100 {
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        if *count == 100 {
            let written = std::fs::read_to_string(&written).unwrap_or_default();
            *at_100.lock().unwrap() = written.parse().unwrap_or(0);
        }
        Ok(())
    });
    t.bolt("slow", slow, flood.shuffle());
    tormenta::run(t).expect("it runs to its end");
    let (arrived, seen) = (*arrived.lock().unwrap(), *seen.lock().unwrap());
    assert_eq!(arrived, 100_000);
    assert!(seen < 20_000, "{seen} were read while 100 were emitted");
}
