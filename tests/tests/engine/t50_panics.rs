//! A panic stays where it is: it fails one tuple, restarts one task, and touches nobody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tormenta::{Topology, prelude::*, testkit::Capture};

use crate::support::{
    Seen, cluster, failures, feed_of, in_order, ms, of, push_all, run_to_end, sorted,
};

/// Counts its clones and what each of them executes; panics at some numbers.
#[derive(Clone)]
struct Fragile {
    panics_at: fn(u64) -> bool,
    prepared: Seen<Duration>,
    executed: Vec<u64>,
    cx: Option<Context>,
}

impl Fragile {
    fn new(panics_at: fn(u64) -> bool) -> Self {
        Self { panics_at, prepared: Seen::default(), executed: Vec::new(), cx: None }
    }
}

impl Bolt for Fragile {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.prepared.add(cx.now());
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        assert!(!(self.panics_at)(n), "told to panic at {n}");
        self.executed.push(n);
        out.emit(n).await
    }
}

#[test]
fn a_panic_fails_its_tuple_and_nothing_else() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..50u64), Capture::new());
        let before = Fragile::new(|_| false);
        let after = Fragile::new(|_| false);
        let fragile = Fragile::new(|n| n % 10 == 3);
        let clones = [&before, &fragile, &after].map(|bolt| bolt.prepared.clone());
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", feed.spout());
        let before = t.bolt("before", before, numbers.shuffle());
        let fragile = t.bolt("fragile", fragile, before.shuffle());
        let after = t.bolt("after", after, fragile.shuffle());
        let _ = t.bolt("sink", capture.bolt(), after.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        let expected: Vec<u64> = (0..50).filter(|n| n % 10 != 3).collect();
        assert_eq!(capture.taken(), expected, "in order, fuse {fuse}");
        assert_eq!(in_order(feed.acked()), expected);
        let why = |n| (n, format!("`fragile[0]` panicked: told to panic at {n}"));
        assert_eq!(failures(&feed), [3, 13, 23, 33, 43].map(why));
        assert_eq!(clones.each_ref().map(Seen::len), [1, 6, 1], "only one task is restarted");
        assert_eq!(of(&summary, "fragile").restarts, 5);
        assert_eq!((summary.errors.len(), of(&summary, "before").restarts), (5, 0));
        assert!(summary.into_result().is_ok());
    }
}

#[test]
fn restarts_back_off_while_nothing_succeeds() {
    for fuse in [true, false] {
        let fragile = Fragile::new(|n| n < 6 || n == 20);
        let prepared = fragile.prepared.clone();
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", feed_of(0..30u64).spout());
        let _ = t.bolt("fragile", fragile, numbers.shuffle());
        run_to_end(cluster(t, 1, fuse));
        let times = prepared.all();
        let waits: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 10].map(ms), "fuse {fuse}");
    }
}

/// One panic in ten tuples must not slow a task down as ten in a row do.
#[test]
fn a_tuple_that_succeeds_ends_the_back_off() {
    for fuse in [true, false] {
        let fragile = Fragile::new(|n| n % 10 == 3);
        let prepared = fragile.prepared.clone();
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", feed_of(0..200u64).spout());
        let _ = t.bolt("fragile", fragile, numbers.shuffle());
        run_to_end(crate::support::full_batches(t, 1, fuse));
        assert_eq!(prepared.all(), (0..21).map(|i| ms(10 * i)).collect::<Vec<_>>(), "fuse {fuse}");
    }
}

/// Panics in one of its methods, the first time.
#[derive(Clone)]
struct Once {
    method: &'static str,
    left: Arc<AtomicU64>,
    calls: Seen<&'static str>,
}

impl Once {
    fn new(method: &'static str, times: u64) -> Self {
        Self { method, left: Arc::new(AtomicU64::new(times)), calls: Seen::default() }
    }

    fn at(&self, method: &'static str) {
        self.calls.add(method);
        let left = self.left.load(Ordering::SeqCst);
        if self.method == method && left > 0 {
            self.left.store(left - 1, Ordering::SeqCst);
            panic!("told to panic in {method}");
        }
    }
}

impl Bolt for Once {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, _cx: &Context) -> Result {
        self.at("prepare");
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.at("execute");
        out.emit(n).await
    }

    async fn tick(&mut self, _out: &Emitter<u64, Free>) -> Result {
        self.at("tick");
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.at("finish");
        out.emit_free(999).await
    }
}

#[test]
fn a_bolt_may_panic_in_prepare_and_in_tick() {
    for (fuse, method) in [(true, "prepare"), (false, "prepare"), (true, "tick"), (false, "tick")] {
        let (feed, capture) = (tormenta::testkit::Feed::<u64>::new(), Capture::new());
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", feed.spout());
        let once = t.bolt("once", Once::new(method, 3), numbers.shuffle()).tick(ms(7));
        let _ = t.bolt("sink", capture.bolt(), once.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        push_all(&feed, 0..20);
        cluster.advance(ms(500));
        push_all(&feed, 20..40);
        feed.end();
        let summary = crate::support::run_on(&mut cluster);
        assert_eq!(sorted(&capture), (0..40).chain([999]).collect::<Vec<u64>>(), "{method}");
        assert_eq!((feed.acked().len(), of(&summary, "once").restarts), (40, 3), "{method}");
        assert!(summary.seconds < 1.0, "{method} ends in {}", summary.seconds);
        assert!(summary.into_result().is_ok());
    }
}

#[test]
fn a_panic_in_finish_ends_the_run_with_an_error_and_is_not_repeated() {
    for fuse in [true, false] {
        let once = Once::new("finish", u64::MAX);
        let calls = once.calls.clone();
        let mut t = Topology::new("panics");
        let numbers = t.spout("numbers", feed_of(0..5u64).spout());
        let _ = t.bolt("once", once, numbers.shuffle());
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(calls.all().iter().filter(|call| **call == "finish").count(), 1);
        assert!(summary.error.is_some_and(|error| error.contains("once")));
    }
}
