//! What metrics say about queues, about who is busy, and about keys.

use std::time::Duration;

use tormenta::{
    KeyGroup, Topology,
    metrics::HotKey,
    testkit::{Capture, Feed},
};

use crate::support::{Slow, cluster, feed_of, full_batches, ms, of, push_all, run_on, run_to_end};

#[test]
fn what_waits_in_front_of_a_task_is_its_queue() {
    let feed = feed_of(0..1000u64);
    let mut t = Topology::new("queue");
    let numbers = t.spout("numbers", feed.spout());
    let slow = t.bolt("slow", Slow::new(|_, _| ms(10)), numbers.shuffle()).tasks(2);
    let _ = t.bolt("sink", Slow::new(|_, _| ms(0)), slow.by(|n| n));
    let mut cluster = full_batches(t, 1, false);
    assert_eq!(cluster.metrics().sum(|c| c.queued), 0);
    let mut most = 0;
    for _ in 0..20 {
        cluster.advance(ms(100));
        let metrics = cluster.metrics();
        let (numbers, slow) = (&metrics.components[0], &metrics.components[1]);
        assert!(slow.queued <= numbers.transferred - slow.executed, "{slow:?}");
        assert_eq!((numbers.queued, metrics.components[2].queued), (0, 0));
        most = most.max(slow.queued);
    }
    assert!((4..=128).contains(&most), "{most} tuples waited at most");
    let summary = run_on(&mut cluster);
    assert_eq!(summary.metrics.sum(|c| c.queued), 0);
}

/// Half of the time, all of the time, and none of it for one who waits for a reader.
#[test]
fn capacity_is_the_share_of_time_that_a_task_is_busy() {
    for fuse in [true, false] {
        let feed = Feed::<u64>::new();
        let mut t = Topology::new("half");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("half", Slow::new(|_, _| ms(10)), numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        let capacity = |c: &tormenta::LocalCluster| c.metrics().components[1].capacity;
        for n in 0..2_000 {
            feed.push(n);
            cluster.advance(ms(20));
        }
        assert!((0.48..0.52).contains(&capacity(&cluster)), "{}", capacity(&cluster));
        push_all(&feed, 0..3_000);
        cluster.advance(Duration::from_secs(25));
        assert!(capacity(&cluster) > 0.95, "{}", capacity(&cluster));
        cluster.advance(Duration::from_secs(3_600));
        assert!(capacity(&cluster) < 0.02, "{}", capacity(&cluster));
    }
}

#[test]
fn to_wait_for_a_reader_is_not_to_be_busy() {
    for pass_on in [1, 50] {
        let mut t = Topology::new("reader");
        let numbers = t.spout("numbers", feed_of(0..5_000u64).spout());
        let pass = tormenta::bolts::flat_map(move |n: u64| vec![n; pass_on]);
        let pass = t.bolt("pass", pass, numbers.shuffle());
        let slow = t.bolt("slow", Slow::new(|_, _| ms(10)), pass.by(|n| n));
        let slow = slow.concurrent_unordered(4);
        let _ = t.bolt("sink", Capture::<u64>::new().bolt(), slow.shuffle());
        let mut cluster = full_batches(t, 1, false);
        cluster.advance(Duration::from_secs(10));
        let metrics = cluster.metrics();
        let [_, pass, slow, _] = &metrics.components[..] else { panic!("{metrics:?}") };
        assert!(pass.capacity < 0.05, "{pass:?}");
        assert!((0.9..=1.0).contains(&slow.capacity), "{slow:?}");
        assert!(slow.execute_seconds > 30.0 && pass.execute_seconds < 0.5, "four at a time");
    }
}

#[test]
fn a_key_that_is_sent_too_often_shows() {
    // Nine of ten are the same.
    let number = |n: u64| if n.is_multiple_of(10) { n } else { 7 };
    for (seed, full) in [(1, false), (2, true)] {
        let mut t = Topology::new("hot");
        let numbers = t.spout("numbers", feed_of((0..20_000).map(number)).spout());
        let spread = t.bolt("spread", Slow::new(|_, _| ms(0)), numbers.shuffle()).tasks(2);
        let keyed = t.bolt("keyed", Slow::new(|_, _| ms(0)), spread.by(|n| n)).tasks(5);
        let _ = t.bolt("sink", Capture::<u64>::new().bolt(), keyed.shuffle());
        let cluster = if full { full_batches(t, seed, true) } else { cluster(t, seed, true) };
        let summary = run_to_end(cluster);
        assert!(of(&summary, "spread").hot_keys.is_empty());
        let group = KeyGroup::of(&7u64);
        let Some(HotKey { key_group, task, share }) = of(&summary, "keyed").hot_keys.first() else {
            panic!("nothing is hot: {:?}", summary.metrics)
        };
        assert_eq!((*key_group, *task), (group.number(), group.owner(5)));
        assert!((0.75..=1.0).contains(share), "{share}");
        let json = serde_json::to_value(&summary.metrics).expect("numbers and text");
        let keyed = &json["components"][2];
        assert_eq!(keyed["hot_keys"][0]["key_group"], group.number());
        assert_eq!((&keyed["queued"], keyed["capacity"].is_f64()), (&0.into(), true));
        assert!(json["components"][1].get("hot_keys").is_none());
    }
}

#[test]
fn keys_that_are_all_alike_are_not_hot() {
    let mut t = Topology::new("alike");
    let numbers = t.spout("numbers", feed_of(0..50_000u64).spout());
    let _ = t.bolt("keyed", Slow::new(|_, _| ms(0)), numbers.by(|n| n)).tasks(3);
    let summary = run_to_end(cluster(t, 1, true));
    assert_eq!(of(&summary, "keyed").hot_keys, []);
}
