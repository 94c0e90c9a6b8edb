//! Windows in the engine: nothing is lost, and the slowest input tells the time.

use std::{collections::BTreeMap, time::Duration};

use tormenta::{
    Retry, Topology,
    bolts::window::{Aggregate, Count, Firing, Windowed, Windows},
    testkit::{Capture, Feed},
};

use crate::support::{
    Seen, cluster, feed_of, full_batches, in_order, ms, of, push_all, run_to_end,
};

/// Counts, and panics once at a tuple.
#[derive(Clone)]
struct Fragile {
    at: u64,
    panicked: Seen<()>,
}

impl Aggregate for Fragile {
    type In = u64;
    type State = u64;
    type Out = u64;

    fn first(&self, n: &u64) -> u64 {
        let mut count = 0;
        self.combine(&mut count, n);
        count
    }

    fn combine(&self, count: &mut u64, n: &u64) {
        if *n == self.at && self.panicked.len() == 0 {
            self.panicked.add(());
            panic!("once");
        }
        *count += 1;
    }

    fn merge(&self, count: &mut u64, other: u64) {
        *count += other;
    }

    fn result(&self, count: &u64) -> u64 {
        *count
    }
}

type Counted = Windowed<u64, u64>;

/// The last result of every window: key and start, and count.
fn final_counts(results: Vec<Counted>) -> BTreeMap<(u64, i64), u64> {
    results.into_iter().map(|window| ((window.key, window.start), window.value)).collect()
}

#[test]
fn a_window_whose_task_restarts_is_computed_anew() {
    const TUPLES: u64 = 5_000;
    for (fuse, tasks, seed) in [(true, 1, 1), (false, 1, 2), (false, 3, 3)] {
        let (feed, results, late) = (feed_of(0..TUPLES), Capture::new(), Capture::<u64>::new());
        let aggregate = Fragile { at: 1_234, panicked: Seen::default() };
        let windows = Windows::tumbling(ms(1_000))
            .event_time(|n: &u64| *n as i64)
            .by(|n: &u64| n % 7)
            .lateness(Duration::from_secs(60)) // replays are late
            .aggregate(aggregate);
        let mut t = Topology::new("windows");
        let retry = Retry { attempts_max: 3, ..Retry::default() };
        let numbers = t.spout("numbers", feed.spout()).replaying(retry);
        let counts = t
            .bolt(
                "counts",
                windows,
                numbers.by_key(|n, hasher| {
                    hasher.add(&(n % 7));
                }),
            )
            .tasks(tasks);
        let _ = t.bolt("results", results.bolt(), counts.results.global());
        let _ = t.bolt("late", late.bolt(), counts.late.global());
        let summary = run_to_end(full_batches(t, seed, fuse));
        assert_eq!(in_order(feed.acked()), (0..TUPLES).collect::<Vec<_>>());
        assert!(late.taken().is_empty() && of(&summary, "numbers").replayed > 0);
        let mut expected = BTreeMap::new();
        for n in 0..TUPLES {
            *expected.entry((n % 7, n as i64 / 1_000 * 1_000)).or_insert(0) += 1;
        }
        assert_eq!(final_counts(results.taken()), expected, "fuse {fuse}, {tasks} tasks");
    }
}

#[test]
fn the_slowest_input_tells_the_time() {
    for seed in 0..4 {
        let (fast, slow, results) = (Feed::<u64>::new(), Feed::<u64>::new(), Capture::new());
        let windows = Windows::tumbling(ms(100))
            .event_time(|n: &u64| *n as i64)
            .idle_after(ms(400))
            .aggregate(Count::new());
        let mut t = Topology::new("windows");
        let a = t.spout("fast", fast.spout());
        let b = t.spout("slow", slow.spout());
        let counts = t.bolt("counts", windows, [a.shuffle(), b.shuffle()]);
        let _ = t.bolt("results", results.bolt(), counts.results.global());
        let mut cluster = cluster(t, seed, true);
        slow.push(0);
        cluster.advance(ms(10));
        push_all(&fast, (0..1_000).step_by(10));
        cluster.advance(ms(100));
        assert!(results.taken().is_empty() && fast.acked().is_empty(), "one input is at 0");
        slow.push(250);
        cluster.advance(ms(100));
        let told = |windows: Vec<Windowed<(), u64>>| {
            windows.iter().map(|w| (w.start, w.value, w.firing)).collect::<Vec<_>>()
        };
        let first_two = [(0, 11, Firing::OnTime), (100, 10, Firing::OnTime)];
        assert_eq!(told(results.taken()), first_two);
        assert_eq!((fast.acked().len(), slow.acked().len()), (20, 1));
        cluster.advance(ms(300));
        fast.push(1_000);
        cluster.advance(ms(350));
        assert_eq!(results.taken().len(), 10, "the slow one is idle");
        assert_eq!(fast.acked().len(), 100, "and what nothing needs is acked");
    }
}
