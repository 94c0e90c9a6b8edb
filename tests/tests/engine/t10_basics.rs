//! The smallest topologies: what goes in comes out, is acked once, and is counted exactly.

use tormenta::{
    Topology,
    bolts::{flat_map, func, map},
    prelude::*,
    testkit::{BoltTest, Capture, Feed},
};

use crate::support::{Seen, cluster, feed_of, in_order, of, push_all, run_to_end, sorted};

#[test]
fn what_goes_in_comes_out_and_is_acked_once() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..1000u64), Capture::new());
        let mut t = Topology::new("basic");
        let numbers = t.spout("numbers", feed.spout());
        let double = t.bolt("double", map(|n: u64| 2 * n), numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), double.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(capture.taken(), (0..1000).map(|n| 2 * n).collect::<Vec<u64>>());
        assert_eq!(in_order(feed.acked()), (0..1000).collect::<Vec<u64>>());
        assert!(feed.failed().is_empty() && summary.into_result().is_ok());
    }
}

#[test]
fn nothing_goes_in_and_it_ends() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of::<u64>([]), Capture::new());
        let mut t = Topology::new("empty");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("sink", capture.bolt(), numbers.by(|n| n)).tasks(3);
        let summary = run_to_end(cluster(t, 1, fuse));
        assert!(capture.taken().is_empty() && summary.metrics.sum(|c| c.executed) == 0);
    }
}

#[test]
fn a_spout_that_nobody_reads_is_acked() {
    let feed = feed_of(0..10u64);
    let mut t = Topology::new("alone");
    let _ = t.spout("numbers", feed.spout());
    let summary = run_to_end(cluster(t, 1, true));
    assert_eq!((feed.acked().len(), of(&summary, "numbers").acked), (10, 10));
}

/// Emits `n % 4` copies; numbers that end in 7 fail.
fn some_copies(n: u64) -> Vec<u64> {
    vec![n; (n % 4) as usize]
}

#[test]
fn counters_equal_an_oracle() {
    for fuse in [true, false] {
        let feed = feed_of(0..1000u64);
        let mut t = Topology::new("counters");
        let numbers = t.spout("numbers", feed.spout());
        let copies = t.bolt("copies", flat_map(some_copies), numbers.shuffle());
        let picky = func(async |n: u64, out: &Emitter<u64>| {
            if n % 10 == 7 {
                return Err(Error::msg("seven"));
            }
            out.emit(n).await
        });
        let picky = t.bolt("picky", picky, copies.by(|n| n)).tasks(3);
        let _ = t.bolt("all", Capture::new().bolt(), picky.all()).tasks(2);
        let summary = run_to_end(cluster(t, 2, fuse));

        let copied: Vec<u64> = (0..1000).flat_map(some_copies).collect();
        let total = copied.len() as u64;
        let sevens = copied.iter().filter(|n| *n % 10 == 7).count() as u64;
        let failed = (0..1000).filter(|n| n % 10 == 7 && n % 4 > 0).count() as u64;
        let counts = |name| {
            let c = of(&summary, name);
            [c.emitted, c.transferred, c.executed, c.acked, c.failed]
        };
        assert_eq!(counts("numbers"), [1000, 1000, 0, 1000 - failed, failed], "fuse {fuse}");
        assert_eq!(counts("copies"), [total, total, 1000, 1000, 0], "fuse {fuse}");
        let passed = total - sevens;
        assert_eq!(counts("picky"), [passed, 2 * passed, total, passed, sevens], "fuse {fuse}");
        assert_eq!(counts("all"), [0, 0, 2 * passed, 2 * passed, 0], "fuse {fuse}");
        assert_eq!(summary.metrics.complete_latency.count, 1000 - failed, "fuse {fuse}");
    }
}

#[test]
fn untracked_tuples_arrive_and_nobody_is_told() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..100u64), Capture::new());
        let mut t = Topology::new("untracked");
        let numbers = t.spout("numbers", feed.spout()).untracked();
        let picky = func(async |n: u64, out: &Emitter<u64>| {
            let ticket = out.hold();
            out.emit_for([&ticket], n).await?;
            if n.is_multiple_of(2) { Err(Error::msg("even")) } else { Ok(()) }
        });
        let picky = t.bolt("picky", picky, numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), picky.by(|n| n)).tasks(2);
        let summary = run_to_end(cluster(t, 3, fuse));
        assert_eq!(sorted(&capture), (0..100).collect::<Vec<u64>>());
        assert!(feed.acked().is_empty() && feed.failed().is_empty());
        assert_eq!((of(&summary, "numbers").emitted, of(&summary, "picky").failed), (100, 50));
    }
}

#[test]
fn several_spouts_are_told_of_their_own_tuples() {
    for fuse in [true, false] {
        let feeds = [feed_of(0..50u64), feed_of(100..130)];
        let capture = Capture::new();
        let mut t = Topology::new("two");
        let small = t.spout("small", feeds[0].spout());
        let large = t.spout("large", feeds[1].spout());
        let picky =
            func(
                async |n: u64, out: &Emitter<u64>| {
                    if n == 7 || n == 107 { Err(Error::msg("seven")) } else { out.emit(n).await }
                },
            );
        let picky = t.bolt("picky", picky, [small.shuffle(), large.shuffle()]).tasks(2);
        let _ = t.bolt("sink", capture.bolt(), picky.shuffle()).tasks(2);
        run_to_end(cluster(t, 4, fuse));
        assert_eq!(capture.taken().len(), 78);
        for (feed, total) in feeds.iter().zip([50, 30]) {
            assert_eq!(feed.acked().len(), total - 1);
            assert_eq!(feed.failed().len(), 1);
            assert_eq!(feed.failed()[0].0, 7);
        }
    }
}

/// A feed may be shared by several tasks of a spout.
#[test]
fn tasks_of_a_fed_spout_share_the_feed() {
    let (feed, capture) = (Feed::<u64>::new(), Capture::new());
    let mut t = Topology::new("shared-feed");
    let numbers = t.spout("numbers", feed.spout()).tasks(3);
    let _ = t.bolt("sink", capture.bolt(), numbers.shuffle());
    let mut cluster = cluster(t, 5, true);
    cluster.settle();
    push_all(&feed, 0..10);
    cluster.settle();
    feed.end();
    run_to_end(cluster);
    assert_eq!(sorted(&capture), (0..10).collect::<Vec<u64>>());
    assert_eq!(in_order(feed.acked()).len(), 10);
}

#[test]
fn a_bolt_is_driven_by_hand() {
    let seen = Seen::default();
    let note = seen.clone();
    let mut test = BoltTest::new(func(async move |n: u64, out: &Emitter<u64>| {
        note.add(n);
        let ticket = out.hold();
        if n == 0 {
            return Err(Error::msg("zero"));
        }
        ticket.finish([n, n + 1]);
        Ok(())
    }));
    test.execute(1);
    assert_eq!((test.outputs(), test.acked()), (vec![1, 2], 1));
    test.execute(0);
    assert_eq!(test.errors(), ["zero", "the ticket was dropped"]);
    assert_eq!(seen.all(), [1, 0]);
}
