//! Bolts that wait work on several tuples at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tormenta::{Options, Topology, prelude::*, testkit::Capture};

use crate::support::{
    Seen, Slow, cluster, failures, feed_of, full_batches, in_order, ms, of, run_to_end, sorted,
    wait,
};

/// Waits, notes how many wait at the same time, and emits several copies.
#[derive(Clone)]
struct Waiter {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    time: fn(u64) -> Duration,
    copies: u64,
    cx: Option<Context>,
}

impl Waiter {
    fn new(time: fn(u64) -> Duration, copies: u64) -> Self {
        Self { now: Arc::default(), most: Arc::default(), time, copies, cx: None }
    }
}

impl Bolt for Waiter {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let time = (self.time)(n);
        self.cx.as_ref().expect("it was prepared").sleep(time).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        for _ in 0..self.copies {
            out.emit(n).await?;
        }
        assert_ne!(n, 1_000_013, "told to panic");
        if n == 1_000_005 { Err(Error::msg("five")) } else { Ok(()) }
    }
}

#[test]
fn up_to_n_tuples_are_executed_at_the_same_time() {
    for (ordered, n, each) in [(true, 8, 20), (false, 8, 20), (true, 32, 500), (false, 32, 500)] {
        let (feed, capture) = (feed_of(0..320u64), Capture::new());
        let waiter =
            if each == 20 { Waiter::new(|_| ms(20), 1) } else { Waiter::new(|_| ms(500), 1) };
        let most = waiter.most.clone();
        let mut t = Topology::new("concurrent");
        let numbers = t.spout("numbers", feed.spout());
        let bolt = t.bolt("waiter", waiter, numbers.shuffle());
        let bolt = if ordered { bolt.concurrent(n) } else { bolt.concurrent_unordered(n) };
        let _ = t.bolt("sink", capture.bolt(), bolt.shuffle());
        let summary = run_to_end(full_batches(t, 1, true));
        assert_eq!(most.load(Ordering::SeqCst), n, "ordered {ordered}");
        assert_eq!((feed.acked().len(), sorted(&capture).len()), (320, 320));
        let ideal = (320 / n as u64 * each) as f64 / 1e3;
        assert!(summary.seconds <= 1.6 * ideal, "{} s, ideal {ideal} s", summary.seconds);
    }
}

#[test]
fn outputs_leave_in_the_order_of_the_inputs() {
    for (copies, seed) in [(1, 1), (3, 2), (50, 3)] {
        for sink_time in [0, 10] {
            let (feed, seen) = (feed_of(0..60u64), Seen::default());
            let waiter = Waiter::new(|n| ms(n * 7 % 23), copies);
            let mut t = Topology::new("ordered");
            let numbers = t.spout("numbers", feed.spout());
            let waiter = t.bolt("waiter", waiter, numbers.shuffle()).concurrent(5);
            let time = if sink_time == 0 { |_, _| ms(0) } else { |_, _| ms(10) };
            let slow = t.bolt("slow", Slow::new(time), waiter.by(|n| n));
            let note = seen.clone();
            let sink = tormenta::bolts::func(async move |n: u64, _: &Emitter<()>| {
                note.add(n);
                Ok(())
            });
            let _ = t.bolt("sink", sink, slow.by(|n| n));
            run_to_end(cluster(t, seed, true));
            let expected = (0..60).flat_map(|n| vec![n; copies as usize]);
            assert_eq!(seen.all(), expected.collect::<Vec<u64>>(), "{copies} copies, {sink_time}");
            assert_eq!(feed.acked().len(), 60);
        }
    }
}

#[test]
fn what_is_quick_overtakes_where_order_does_not_matter() {
    let (feed, capture) = (feed_of(0..8u64), Capture::new());
    let mut t = Topology::new("unordered");
    let numbers = t.spout("numbers", feed.spout());
    let waiter = Waiter::new(|n| ms(100 - 10 * n), 1);
    let waiter = t.bolt("waiter", waiter, numbers.shuffle()).concurrent_unordered(8);
    let _ = t.bolt("sink", capture.bolt(), waiter.shuffle());
    run_to_end(cluster(t, 1, true));
    assert_eq!(capture.taken(), [7, 6, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn errors_and_panics_stay_with_their_tuples() {
    for ordered in [true, false] {
        let (feed, capture) = (feed_of(1_000_000..1_000_030u64), Capture::new());
        let waiter = Waiter::new(|n| ms(n % 5), 1);
        let mut t = Topology::new("faults");
        let numbers = t.spout("numbers", feed.spout());
        let bolt = t.bolt("waiter", waiter, numbers.shuffle());
        let bolt = if ordered { bolt.concurrent(4) } else { bolt.concurrent_unordered(4) };
        let _ = t.bolt("sink", capture.bolt(), bolt.by(|n| n));
        let summary = run_to_end(cluster(t, 1, true));
        let failed: Vec<u64> = failures(&feed).into_iter().map(|(n, _)| n).collect();
        assert_eq!(failed, [5, 13]);
        assert_eq!(feed.acked().len(), 28);
        let c = of(&summary, "waiter");
        assert_eq!((c.executed, c.acked, c.failed, c.restarts), (30, 28, 2, 1));
        let _ = in_order(capture.taken());
    }
}

/// Notes the name of the thread it is on.
#[derive(Clone)]
struct Threads(Seen<Option<String>>);

impl Bolt for Threads {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, _n: u64, _out: &Emitter<()>) -> Result {
        self.0.add(std::thread::current().name().map(str::to_owned));
        Ok(())
    }
}

#[test]
fn a_bolt_that_blocks_has_threads_of_its_own() {
    let (blocking, other) = (Seen::default(), Seen::default());
    let mut t = Topology::new("threads");
    let numbers = t.spout("numbers", feed_of(0..1000u64).spout());
    let slow = t.bolt("blocking", Threads(blocking.clone()), numbers.shuffle()).tasks(2);
    let _ = slow.blocking();
    let _ = t.bolt("other", Threads(other.clone()), numbers.by(|n| n)).tasks(4);
    let mut options = Options::default();
    options.cores = Some(2);
    assert!(wait(tormenta::start(t, options).expect("a sound topology")).into_result().is_ok());
    let names = |seen: &Seen<Option<String>>| {
        let mut names = in_order(seen.all());
        names.dedup();
        names
    };
    let (blocking, other) = (names(&blocking), names(&other));
    assert_eq!((blocking.len(), other.len()), (2, 2));
    assert!(blocking.iter().all(|name| !other.contains(name)), "{blocking:?} {other:?}");
}

/// Every clone has a state of its own, so every clone ticks and finishes.
#[derive(Clone)]
struct Clones {
    seen: Seen<(usize, &'static str)>,
    next: Arc<AtomicUsize>,
    number: usize,
    sum: u64,
    cx: Option<Context>,
}

impl Bolt for Clones {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.number = self.next.fetch_add(1, Ordering::SeqCst);
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _out: &Emitter<u64>) -> Result {
        self.cx.as_ref().expect("it was prepared").sleep(ms(1 + n % 3)).await;
        self.sum += n;
        Ok(())
    }

    async fn tick(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.seen.add((self.number, "tick"));
        out.emit_free(std::mem::take(&mut self.sum)).await
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.seen.add((self.number, "finish"));
        out.emit_free(std::mem::take(&mut self.sum)).await
    }
}

#[test]
fn every_clone_ticks_and_finishes() {
    for ordered in [true, false] {
        let (feed, sums, seen) = (feed_of(1..=200u64), Capture::new(), Seen::default());
        let clones =
            Clones { seen: seen.clone(), next: Arc::default(), number: 0, sum: 0, cx: None };
        let mut t = Topology::new("clones");
        let numbers = t.spout("numbers", feed.spout());
        let bolt = t.bolt("clones", clones, numbers.shuffle()).tick(ms(10));
        let bolt = if ordered { bolt.concurrent(4) } else { bolt.concurrent_unordered(4) };
        let _ = t.bolt("sums", sums.bolt(), bolt.global());
        let summary = run_to_end(cluster(t, 1, true));
        assert_eq!(sums.taken().iter().sum::<u64>(), 200 * 201 / 2, "no clone keeps a number");
        let of_clone = |number, what| seen.all().iter().filter(|e| **e == (number, what)).count();
        for number in 0..4 {
            assert_eq!(of_clone(number, "finish"), 1);
            assert!((7..=12).contains(&of_clone(number, "tick")), "100 ms: {:?}", seen.all());
        }
        let ticks = (0..4).map(|number| of_clone(number, "tick")).sum::<usize>();
        assert_eq!(of(&summary, "clones").ticks as usize, ticks);
    }
}

/// A clone that is done with its tuple gets another, however long its neighbours need.
#[test]
fn uneven_tuples_leave_no_clone_idle() {
    for full in [true, false] {
        // Eight clones; 40 of 400 take 800 ms, the others 10: 35.6 s of work.
        let feed = feed_of(0..400u64);
        let waiter = Waiter::new(|n| if n.is_multiple_of(10) { ms(800) } else { ms(10) }, 0);
        let mut t = Topology::new("uneven");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("waiter", waiter, numbers.shuffle()).concurrent_unordered(8);
        let summary = run_to_end(if full { full_batches(t, 1, true) } else { cluster(t, 1, true) });
        assert_eq!(feed.acked().len(), 400);
        assert!(summary.seconds <= 1.25 * 4.45, "{} s instead of 4.45", summary.seconds);
    }
}
