//! Lost, stuck, too old, never prepared: each fault has its own words.

use std::time::Duration;

use tormenta::{Topology, bolts::func, prelude::*, testkit::Capture};
use tormenta_runtime::faults;

use crate::support::{
    Seen, Slow, cluster, failures, feed_of, in_order, ms, of, run_on, run_to_end, sorted,
};

#[test]
fn a_lost_batch_is_noticed_and_only_its_trees_fail() {
    let (feed, capture) = (feed_of(0..200u64), Capture::new());
    let mut t = Topology::new("lost");
    let numbers = t.spout("numbers", feed.spout());
    let slow = t.bolt("slow", Slow::new(|_, _| ms(30)), numbers.shuffle()).tasks(2);
    let _ = t.bolt("sink", capture.bolt(), slow.by(|n| n)).tasks(2);
    faults::lose_batches(1, 4, 3);
    let mut cluster = cluster(t, 1, false);
    let summary = run_on(&mut cluster);
    assert_eq!(faults::losses_left(), 0);
    faults::lose_batches(0, 0, 0);
    let lost = feed.failed();
    assert!(!lost.is_empty() && lost.iter().all(|(_, why)| *why == Failure::Lost), "{lost:?}");
    assert_eq!(feed.acked().len() + lost.len(), 200);
    let mut arrived = capture.taken();
    arrived.extend(lost.iter().map(|(n, _)| n));
    assert_eq!(in_order(arrived), (0..200).collect::<Vec<u64>>());
    assert!(summary.seconds < 10.0, "noticed within seconds: {}", summary.seconds);
}

#[test]
fn a_lost_batch_is_replayed() {
    let (feed, capture) = (feed_of(0..200u64), Capture::new());
    let mut t = Topology::new("lost");
    let numbers = t.spout("numbers", feed.spout()).replaying(Retry::default());
    let plus = func(async |n: u64, out: &Emitter<u64>| out.emit(n).await);
    let plus = t.bolt("plus", plus, numbers.by(|n| n)).tasks(2);
    let _ = t.bolt("sink", capture.bolt(), plus.by(|n| n)).tasks(2);
    faults::lose_batches(2, 5, 4);
    let mut cluster = cluster(t, 1, false);
    let summary = run_on(&mut cluster);
    faults::lose_batches(0, 0, 0);
    assert_eq!(in_order(feed.acked()), (0..200).collect::<Vec<u64>>());
    assert!(of(&summary, "numbers").replayed > 0);
    let mut arrived = sorted(&capture);
    arrived.dedup();
    assert_eq!(arrived, (0..200).collect::<Vec<u64>>(), "at least once");
}

/// Waiting is not failure: an hour in a queue loses nothing.
#[test]
fn what_waits_is_not_lost() {
    for fuse in [true, false] {
        let feed = feed_of(0..400u64);
        let mut t = Topology::new("waits");
        let numbers = t.spout("numbers", feed.spout());
        let slow = t.bolt("slow", Slow::new(|_, _| ms(9000)), numbers.shuffle());
        let _ = t.bolt("sink", Capture::new().bolt(), slow.by(|n| n));
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!((feed.acked().len(), feed.failed().len()), (400, 0));
        assert!(summary.seconds >= 3600.0);
    }
}

#[test]
fn an_execute_that_takes_too_long_is_stuck_and_its_task_restarts() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..20u64), Capture::new());
        let mut t = Topology::new("stuck");
        let numbers = t.spout("numbers", feed.spout());
        let slow = Slow::new(|n, _| if n == 5 { Duration::from_secs(3600) } else { ms(1) });
        let slow = t.bolt("slow", slow, numbers.shuffle()).execute_timeout(ms(500));
        let _ = t.bolt("sink", capture.bolt(), slow.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(failures(&feed), [(5, "`slow[0]` is stuck".to_owned())]);
        assert_eq!(capture.taken(), (0..20).filter(|n| *n != 5).collect::<Vec<u64>>());
        assert_eq!(of(&summary, "slow").restarts, 1);
        assert!(summary.seconds < 1.0);
    }
}

#[test]
fn a_tree_that_is_too_old_times_out_if_that_was_asked_for() {
    for fuse in [true, false] {
        let feed = feed_of(0..10u64);
        let mut t = Topology::new("timeout");
        let numbers = t.spout("numbers", feed.spout()).message_timeout(ms(2000));
        let held = Seen::default();
        let keep = held.clone();
        let hold = func(async move |n: u64, out: &Emitter<u64>| {
            if n.is_multiple_of(2) {
                keep.add(std::sync::Arc::new(out.hold()));
            }
            Ok(())
        });
        let _ = t.bolt("hold", hold, numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(1900));
        assert_eq!((feed.acked().len(), feed.failed().len()), (5, 0));
        cluster.advance(ms(800));
        let expected = [0, 2, 4, 6, 8].map(|n| (n, "the message timeout passed".to_owned()));
        assert_eq!(failures(&feed), expected);
        let summary = run_on(&mut cluster);
        assert_eq!((of(&summary, "numbers").acked, of(&summary, "numbers").failed), (5, 5));
    }
}

/// Cannot be prepared.
#[derive(Clone)]
struct Unready;

impl Bolt for Unready {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, _cx: &Context) -> Result {
        Err(Error::msg("no such file").context("open `out.txt`"))
    }

    async fn execute(&mut self, _n: u64, _out: &Emitter<()>) -> Result {
        unreachable!("it was never prepared")
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        unreachable!("it was never prepared")
    }
}

#[test]
fn a_bolt_that_cannot_be_prepared_ends_the_run_with_its_error() {
    for (fuse, replaying) in [(true, true), (true, false), (false, true), (false, false)] {
        let feed = feed_of(0..100u64);
        let mut t = Topology::new("unready");
        let numbers = t.spout("numbers", feed.spout());
        let numbers = if replaying { numbers.replaying(Retry::default()) } else { numbers };
        let _ = t.bolt("sink", Unready, numbers.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert!(feed.acked().is_empty(), "nothing was processed");
        assert_eq!(feed.failed().len() as u64, of(&summary, "numbers").emitted);
        assert!(summary.dead_letters.is_empty(), "{:?}", summary.dead_letters.first());
        let why = summary.into_result().expect_err("it failed").to_string();
        assert_eq!(why, "sink: prepare: open `out.txt`: no such file");
    }
}
