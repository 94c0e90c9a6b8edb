//! Flow control: bounded at every moment, by count and by time, and nobody waits for a slow
//! neighbour.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tormenta::{
    LocalCluster, Topology,
    bolts::{filter, flat_map, func},
    prelude::*,
    testkit::Capture,
};

use crate::support::{
    Seen, Slow, cluster, failures, feed_of, full_batches, in_order, ms, of, run_on, run_to_end,
};

/// An endless spout that notes how many of its tuples are open at most.
#[derive(Clone, Default)]
struct Counted {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    emitted: Arc<AtomicUsize>,
}

impl Spout for Counted {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        let n = self.emitted.fetch_add(1, Ordering::SeqCst) as u64;
        Ok(Some((n, n)))
    }

    fn acked(&mut self, _id: u64) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn failed(&mut self, _id: u64, _why: Failure) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn pending_max_is_respected_at_every_moment() {
    for (fuse, pending_max) in [(true, 1), (false, 1), (true, 10), (false, 10), (false, 100)] {
        let spout = Counted::default();
        let most = spout.most.clone();
        let mut t = Topology::new("pending");
        let numbers = t.spout("numbers", spout).pending_max(pending_max);
        let slow = t.bolt("slow", Slow::new(|n, _| ms(n % 3)), numbers.shuffle());
        let _ = t.bolt("picky", picky(), slow.by(|n| n)).tasks(2);
        let mut cluster = full_batches(t, 1, fuse);
        for _ in 0..4000 {
            assert!(cluster.turn());
            assert!(cluster.metrics().components[0].pending <= pending_max as u64);
        }
        let most = most.load(Ordering::SeqCst);
        assert!(most <= pending_max, "{most} of {pending_max}, fuse {fuse}");
        assert!(most == pending_max || fuse, "all of it is used: {most}");
    }
}

fn picky() -> impl Bolt<Input = u64, Output = u64> {
    func(async |n: u64, out: &Emitter<u64>| match n % 7 {
        0 => Err(Error::msg("seven")),
        _ => out.emit(n).await,
    })
}

/// Behind a bolt that takes 10 ms a tuple.
fn behind_a_slow_bolt(fuse: bool, tasks: usize) -> (LocalCluster, Counted) {
    let spout = Counted::default();
    let mut t = Topology::new("slow");
    let numbers = t.spout("numbers", spout.clone());
    let slow = t.bolt("slow", Slow::new(|_, _| ms(10)), numbers.shuffle()).tasks(tasks);
    let _ = t.bolt("sink", Slow::new(|_, _| ms(0)), slow.by(|n| n)).tasks(2);
    (full_batches(t, 1, fuse), spout)
}

#[test]
fn behind_a_slow_bolt_latency_and_pending_stay_small() {
    for (fuse, tasks) in [(true, 1), (false, 1), (false, 3)] {
        let (mut cluster, spout) = behind_a_slow_bolt(fuse, tasks);
        cluster.advance(Duration::from_secs(1));
        let (emitted, rate) = (spout.emitted.load(Ordering::SeqCst), 100 * tasks);
        assert!(emitted <= 4 * rate, "it slows within a second: {emitted}, fuse {fuse}");
        let mut most = 0;
        for _ in 0..59 {
            cluster.advance(Duration::from_secs(1));
            most = most.max(spout.open.load(Ordering::SeqCst));
        }
        assert!(most <= 100 * tasks, "pending stays small: {most}, fuse {fuse}");
        let latency = cluster.metrics().complete_latency;
        assert!(latency.p99 <= 2e6, "p99 {} us, fuse {fuse}", latency.p99);
        let executed = cluster.metrics().components[1].executed as usize;
        assert!(executed >= 55 * rate, "it is kept busy: {executed} in a minute, fuse {fuse}");
    }
}

#[test]
fn one_slow_task_does_not_take_what_its_siblings_could() {
    for full in [true, false] {
        let feed = feed_of(0..20_000u64);
        let mut t = Topology::new("siblings");
        let numbers = t.spout("numbers", feed.spout());
        // One task needs 10 ms a tuple, the others a tenth of one: together 30 a millisecond.
        let time = |_, task| if task == 0 { ms(10) } else { Duration::from_micros(100) };
        let seen = Seen::default();
        let uneven = Noting { seen: seen.clone(), slow: Slow::new(time), task: 0 };
        let _ = t.bolt("uneven", uneven, numbers.shuffle()).tasks(4);
        let mut cluster = if full { full_batches(t, 1, false) } else { cluster(t, 1, false) };
        let summary = run_on(&mut cluster);
        assert_eq!(feed.acked().len(), 20_000);
        let slow = seen.all().iter().filter(|task| **task == 0).count();
        assert!(slow <= 400, "the slow task took {slow} of 20,000");
        assert!(summary.seconds <= 3.0, "{} s instead of 0.67, full {full}", summary.seconds);
    }
}

/// Notes the task of each tuple.
#[derive(Clone)]
struct Noting {
    seen: Seen<usize>,
    slow: Slow,
    task: usize,
}

impl Bolt for Noting {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task();
        self.slow.prepare(cx).await
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.seen.add(self.task);
        self.slow.execute(n, out).await
    }
}

/// A spout that is never out of breath must not keep the rare tuple that passes a filter.
#[test]
fn a_rare_tuple_leaves_a_busy_loop() {
    for filter_fused in [true, false] {
        let (spout, capture) = (Counted::default(), Capture::new());
        let mut t = Topology::new("rare");
        let numbers = t.spout("numbers", spout.clone());
        let rare = filter(|n: &u64| n.is_multiple_of(1000));
        let rare = t.bolt("rare", rare, numbers.shuffle()).fuse(filter_fused);
        let _ = t.bolt("sink", capture.bolt(), rare.shuffle()).fuse(false);
        let mut cluster = cluster(t, 1, true);
        while spout.emitted.load(Ordering::SeqCst) < 4000 {
            assert!(cluster.step());
        }
        assert!(capture.taken().len() >= 2, "{:?}", capture.taken());
    }
}

/// A port whose reader is slow must not keep what goes to another.
#[test]
fn a_slow_port_does_not_hold_up_another() {
    #[derive(Streams, Clone)]
    enum Speed {
        Slow(u64),
        Fast(u64),
    }
    let fast = Capture::new();
    let mut t = Topology::new("ports");
    let numbers = t.spout("numbers", feed_of(0..40u64).spout());
    let deal = func(async |n: u64, out: &Emitter<Speed>| {
        for copy in 0..20 {
            out.emit(Speed::Slow(100 * n + copy)).await?;
        }
        out.emit(Speed::Fast(n)).await
    });
    let deal = t.bolt("deal", deal, numbers.by(|n| n));
    let _ = t.bolt("slow", Slow::new(|_, _| ms(10)), deal.slow.by(|n| n));
    let _ = t.bolt("fast", fast.bolt(), deal.fast.by(|n| n));
    let mut cluster = full_batches(t, 1, false);
    let mut seen = 0;
    while !cluster.has_ended() && cluster.turn() {
        let emitted = cluster.metrics().components[1].executed as usize;
        seen = fast.taken().len();
        assert!(seen + 30 >= emitted, "{seen} of {emitted} have arrived");
    }
    assert_eq!(seen, 40);
}

/// A loop that halves numbers until they are one.
#[test]
fn a_feedback_loop_works_and_ends() {
    for (fuse, seed) in [(true, 1), (false, 2), (true, 3)] {
        let (feed, ones) = (feed_of(1..=500u64), Capture::new());
        let mut t = Topology::new("loop");
        let numbers = t.spout("numbers", feed.spout());
        let again = t.feedback::<u64>("again");
        let halve = func(async |n: u64, out: &Emitter<Halved>| match n {
            1 => out.emit(Halved::One(n)).await,
            n => out.emit(Halved::More(n / 2)).await,
        });
        let halve = t.bolt("halve", halve, [numbers.shuffle(), again.shuffle()]).tasks(2);
        again.from(&halve.more);
        let _ = t.bolt("ones", ones.bolt(), halve.one.shuffle());
        let summary = run_to_end(cluster(t, seed, fuse));
        assert_eq!((ones.taken().len(), in_order(feed.acked()).len()), (500, 500));
        let hops: u64 = (1..=500u64).map(|n| u64::from(n.ilog2()) + 1).sum();
        assert_eq!(of(&summary, "halve").executed, hops);
    }
}

#[derive(Streams, Clone)]
enum Halved {
    One(u64),
    More(u64),
}

#[test]
fn a_loop_that_grows_overflows_and_does_not_hang() {
    for fuse in [true, false] {
        let feed = feed_of([5, 10, 10]);
        let mut t = Topology::new("explosion");
        let numbers = t.spout("numbers", feed.spout());
        let again = t.feedback::<u64>("again");
        let double = flat_map(|n: u64| vec![n.saturating_sub(1); if n == 0 { 0 } else { 2 }]);
        let double = t.bolt("double", double, [numbers.shuffle(), again.shuffle()]);
        let last = t.bolt("last", filter(|_: &u64| true), double.shuffle()).fuse(fuse);
        again.from(&last);
        tormenta_runtime::faults::limit_feedback(200);
        run_to_end(cluster(t, 1, fuse));
        tormenta_runtime::faults::limit_feedback(0);
        assert_eq!(feed.acked().len() + feed.failed().len(), 3);
        let why = "a feedback edge from `last[0]` overflowed".to_owned();
        if fuse {
            assert_eq!(failures(&feed), [(1, why.clone()), (2, why)]);
        }
    }
}

/// What goes on circling, although its tree has failed, must not keep new tuples out.
#[test]
fn a_loop_that_never_ends_does_not_starve_new_input() {
    for (fuse, full) in [(true, true), (false, true), (true, false), (false, false)] {
        let (feed, done) = (feed_of(0..200u64), Capture::new());
        let mut t = Topology::new("circle");
        let numbers = t.spout("numbers", feed.spout());
        let again = t.feedback::<u64>("again");
        let circle = func(async |n: u64, out: &Emitter<Halved>| {
            if n >= 20 {
                return out.emit(Halved::One(n)).await;
            }
            out.emit(Halved::More(n)).await?;
            Err(Error::msg("its tree has failed"))
        });
        let circle = t.bolt("circle", circle, [numbers.shuffle(), again.shuffle()]);
        again.from(&circle.more);
        let _ = t.bolt("done", done.bolt(), circle.one.shuffle());
        let mut cluster = if full { full_batches(t, 1, fuse) } else { cluster(t, 1, fuse) };
        for _ in 0..50_000 {
            assert!(cluster.step(), "it goes on for ever");
        }
        let all = (done.taken().len(), feed.failed().len());
        assert_eq!(all, (180, 20), "fuse {fuse}, full {full}");
    }
}
