//! Code of users that runs while tuples are handed on: keys, groupings, direct tasks.

use tormenta::{
    KeyHasher, LocalCluster, Topology,
    bolts::map,
    prelude::*,
    testkit::{Capture, Feed},
};

use super::support::{cluster, feed_of, of, run_on, run_to_end, sorted};

/// Numbers by a key that panics for one of them, and all of them to somebody else.
fn keyed(feed: &Feed<u64>, fuse: bool, behind_a_bolt: bool) -> (LocalCluster, [Capture<u64>; 2]) {
    let (keyed, plain) = (Capture::new(), Capture::new());
    let mut t = Topology::new("keys");
    let numbers = t.spout("numbers", feed.spout()).replaying(Retry::default());
    let key = |n: &u64, key: &mut KeyHasher| {
        assert_ne!(*n, 5, "no key");
        key.add(n);
    };
    let (to_plain, to_keyed) = match behind_a_bolt {
        true => {
            let mapped = t.bolt("map", map(|n: u64| n), numbers.shuffle());
            (mapped.shuffle(), mapped.by_key(key))
        }
        false => (numbers.shuffle(), numbers.by_key(key)),
    };
    t.bolt("plain", plain.bolt(), to_plain);
    t.bolt("keyed", keyed.bolt(), to_keyed).tasks(2);
    (cluster(t, 1, fuse), [keyed, plain])
}

#[test]
fn a_key_that_panics_fails_its_tuple_and_the_rest_goes_on() {
    for (fuse, behind_a_bolt) in [(false, false), (false, true), (true, false), (true, true)] {
        let feed = feed_of(0..10u64);
        let (mut c, [keyed, plain]) = keyed(&feed, fuse, behind_a_bolt);
        let summary = run_on(&mut c);
        assert_eq!(feed.acked().len(), 10, "nine went through and one is a dead letter");
        let numbers = of(&summary, "numbers");
        assert_eq!((numbers.dead_letters, numbers.failed - numbers.replayed), (1, 0));
        let mut seen = sorted(&keyed);
        seen.dedup();
        assert_eq!(seen, [0, 1, 2, 3, 4, 6, 7, 8, 9], "fuse {fuse}, bolt {behind_a_bolt}");
        assert!(plain.taken().len() >= 9);
        let restarts = summary.metrics.sum(|c| c.restarts);
        assert!(restarts <= 6, "one for each panic: {restarts}");
    }
}

#[derive(Clone)]
struct Direct(usize);

impl Bolt for Direct {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit_direct(self.0, n).await
    }
}

#[test]
fn a_direct_emit_to_a_task_that_is_not_there_fails() {
    for (tasks, fuse) in [(2, false), (1, false), (1, true)] {
        let (feed, capture) = (feed_of(0..3u64), Capture::new());
        let mut t = Topology::new("direct");
        let numbers = t.spout("numbers", feed.spout());
        let direct = t.bolt("direct", Direct(7), numbers.shuffle());
        t.bolt("sink", capture.bolt(), direct.direct()).tasks(tasks);
        run_to_end(cluster(t, 1, fuse));
        assert_eq!(capture.taken(), Vec::<u64>::new());
        assert_eq!(feed.failed().len(), 3);
        let why = feed.failed()[0].1.to_string();
        assert!(why.contains("task 7") && why.contains("direct"), "{why}");
    }
}
