//! Ends that did not come, or came too early.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tormenta::{
    Options, Simulation, Topology,
    bolts::func,
    prelude::*,
    testkit::{Capture, Feed},
};

use super::support::{
    Seen, Slow, cluster, cluster_with, feed_of, ms, of, pause, push_all, run_on, run_to_end,
    sorted, until, wait,
};

/// Looks something up in a thread of its own.
#[derive(Clone)]
struct LookUp;

impl Bolt for LookUp {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, id: u64, out: &Emitter<u64>) -> Result {
        let ticket = out.hold();
        std::thread::spawn(move || {
            pause(ms(100));
            ticket.finish([id * 2]);
        });
        Ok(())
    }
}

#[test]
fn tickets_in_threads_are_waited_for_at_the_end() {
    let (feed, capture) = (feed_of(0..10u64), Capture::new());
    let mut t = Topology::new("look-up");
    let numbers = t.spout("numbers", feed.spout());
    let looked = t.bolt("look-up", LookUp, numbers.shuffle());
    t.bolt("sink", capture.bolt(), looked.shuffle());
    let summary = wait(tormenta::start(t, Options::default()).expect("it starts"));
    assert_eq!(feed.acked().len(), 10, "{summary:?}");
    assert_eq!(sorted(&capture), (0..10).map(|id| id * 2).collect::<Vec<_>>());
}

/// Keeps its tickets and never settles them.
#[derive(Clone)]
struct Hoard(Seen<Arc<Ticket<u64>>>);

impl Bolt for Hoard {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, _: u64, out: &Emitter<u64>) -> Result {
        self.0.add(Arc::new(out.hold()));
        Ok(())
    }
}

#[test]
fn a_ticket_that_nobody_settles_is_named_at_the_limit() {
    let feed = feed_of(0..3u64);
    let mut t = Topology::new("hoard");
    let numbers = t.spout("numbers", feed.spout());
    t.bolt("hoard", Hoard(Seen::default()), numbers.shuffle());
    let mut simulation = Simulation::new(1);
    simulation.drain_timeout = ms(5_000);
    let summary = run_to_end(cluster_with(t, simulation));
    assert!(summary.cut_off.iter().any(|who| who.contains("holds 3")), "{:?}", summary.cut_off);
    assert!(summary.into_result().is_err());
}

#[test]
fn a_replay_that_waits_is_made_although_the_topology_was_deactivated() {
    let feed = Feed::<u64>::new();
    let mut t = Topology::new("deactivate");
    let retry = Retry { backoff_min: ms(1_000), ..Retry::default() };
    let numbers = t.spout("numbers", feed.spout()).replaying(retry);
    t.bolt("fails", func(async |_: u64, _: &Emitter<()>| Err(Error::msg("no"))), numbers.shuffle());
    let mut c = cluster(t, 1, false);
    feed.push(7);
    c.settle();
    c.deactivate();
    c.settle();
    c.drain();
    let summary = run_on(&mut c);
    assert_eq!(summary.cut_off, Vec::<String>::new());
    assert_eq!(of(&summary, "numbers").dead_letters, 1);
}

/// Panics after some tuples; the second time its prepare waits.
#[derive(Clone)]
struct PanicsOnce {
    n: u64,
    lives: Arc<AtomicUsize>,
}

impl Spout for PanicsOnce {
    type Output = u64;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        if self.lives.fetch_add(1, Ordering::SeqCst) > 0 {
            cx.sleep(Duration::from_secs(100)).await;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        assert_ne!(self.n, 5, "told to");
        self.n += 1;
        Ok(Some((self.n, self.n)))
    }
}

#[test]
fn a_spout_that_is_cut_while_it_is_prepared_anew() {
    let mut t = Topology::new("anew");
    let numbers = t.spout("numbers", PanicsOnce { n: 0, lives: Arc::default() });
    t.bolt("sink", func(async |_: u64, _: &Emitter<()>| Ok(())), numbers.shuffle());
    let mut simulation = Simulation::new(1);
    simulation.fuse = false;
    simulation.drain_timeout = ms(1_000);
    let mut c = cluster_with(t, simulation);
    c.advance(ms(100));
    c.drain();
    let summary = run_on(&mut c);
    let numbers = of(&summary, "numbers");
    assert_eq!((numbers.restarts, numbers.acked + numbers.failed), (1, numbers.emitted));
}

#[test]
fn a_dead_letter_handler_that_panics_costs_nothing_but_its_letter() {
    let feed = feed_of(0..20u64);
    let mut t = Topology::new("letters");
    let numbers = t.spout("numbers", feed.spout());
    let poison = func(async |n: u64, _: &Emitter<()>| match n {
        3 => Err(Error::poison(std::fmt::Error)),
        _ => Ok(()),
    });
    t.bolt("poison", poison, numbers.shuffle());
    let mut simulation = Simulation::new(1);
    simulation.fuse = false;
    simulation.on_dead_letter = Some(Box::new(|_| panic!("disk full")));
    let summary = run_to_end(cluster_with(t, simulation));
    assert_eq!(feed.acked().len(), 20, "{:?}", feed.failed());
    assert!(summary.errors.iter().any(|error| error.error.contains("disk full")));
}

/// Has no interval.
#[derive(Clone)]
struct BadInterval;

impl Bolt for BadInterval {
    type Input = u64;
    type Output = ();

    fn tick_interval(&self) -> Option<Duration> {
        panic!("no interval")
    }

    async fn execute(&mut self, _: u64, _: &Emitter<()>) -> Result {
        Ok(())
    }
}

#[test]
fn a_panic_while_a_loop_is_made_ends_the_topology() {
    let feed = feed_of(0..3u64);
    let mut t = Topology::new("interval");
    let numbers = t.spout("numbers", feed.spout());
    t.bolt("bad", BadInterval, numbers.shuffle());
    let summary = wait(tormenta::start(t, Options::default()).expect("it starts"));
    let error = summary.error.expect("it failed");
    assert!(error.contains("no interval"), "{error}");
}

#[test]
fn a_tick_that_never_comes() {
    let feed = feed_of(0..3u64);
    let mut t = Topology::new("never");
    let numbers = t.spout("numbers", feed.spout());
    let sink = func(async |_: u64, _: &Emitter<()>| Ok(()));
    t.bolt("sink", sink, numbers.shuffle()).tick(Duration::MAX);
    let summary = run_to_end(cluster(t, 1, false));
    assert_eq!((feed.acked().len(), of(&summary, "sink").ticks), (3, 0));
}

/// Needs longer for a tick than lies between two.
#[derive(Clone)]
struct SlowTick(Option<Context>);

impl Bolt for SlowTick {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit(n).await
    }

    async fn tick(&mut self, _: &Emitter<u64, Free>) -> Result {
        self.0.as_ref().expect("it was prepared").sleep(ms(150)).await;
        Ok(())
    }
}

#[test]
fn a_tick_that_takes_longer_than_its_interval_does_not_starve_the_input() {
    for fuse in [false, true] {
        let (feed, capture) = (Feed::<u64>::new(), Capture::new());
        let mut t = Topology::new("slow-tick");
        let numbers = t.spout("numbers", feed.spout());
        let ticking = t.bolt("tick", SlowTick(None), numbers.shuffle()).tick(ms(100));
        t.bolt("sink", capture.bolt(), ticking.shuffle());
        let mut c = cluster(t, 1, fuse);
        c.advance(ms(120));
        push_all(&feed, 0..10);
        feed.end();
        let summary = run_on(&mut c);
        assert_eq!(capture.taken().len(), 10);
        assert!(summary.seconds < 5.0, "{}", summary.seconds);
    }
}

/// Panics while it waits.
#[derive(Clone)]
struct SleepThenPanic(Option<Context>);

impl Bolt for SleepThenPanic {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _: &Emitter<()>) -> Result {
        if n == 0 {
            self.0.as_ref().expect("it was prepared").sleep(ms(20)).await;
            panic!("told to");
        }
        Ok(())
    }
}

#[test]
fn nobody_executes_after_a_panic() {
    let feed = Feed::<u64>::new();
    let mut t = Topology::new("holders");
    let numbers = t.spout("numbers", feed.spout());
    t.bolt("panics", SleepThenPanic(None), numbers.shuffle());
    let running = tormenta::start(t, Options::default()).expect("it starts");
    feed.push(0);
    until("it failed", || feed.failed().len() == 1);
    feed.push(1);
    until("it was acked", || feed.acked().len() == 1);
    pause(ms(100));
    assert_eq!(running.holders(), Vec::<String>::new());
    feed.end();
    wait(running);
}

/// Fewer clones can be prepared than there are.
#[derive(Clone)]
struct Few {
    left: Arc<AtomicUsize>,
    slow: Slow,
}

impl Bolt for Few {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.slow.prepare(cx).await?;
        let take = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            cx.sleep(ms(15)).await;
            return Err(Error::msg("too many connections"));
        }
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.slow.execute(n, out).await
    }
}

#[test]
fn one_clone_of_an_ordered_crew_that_is_not_prepared() {
    let (feed, capture) = (feed_of(0..20u64), Capture::new());
    let mut t = Topology::new("few");
    let numbers = t.spout("numbers", feed.spout());
    let few = Few { left: Arc::new(AtomicUsize::new(2)), slow: Slow::new(|_, _| ms(10)) };
    let few = t.bolt("few", few, numbers.shuffle()).concurrent(3);
    t.bolt("sink", capture.bolt(), few.shuffle());
    let summary = run_to_end(cluster(t, 1, false));
    assert!(summary.error.is_some_and(|error| error.contains("too many connections")));
    assert_eq!(feed.acked().len() + feed.failed().len(), 20);
}

#[test]
fn a_crew_whose_first_tuples_all_fail() {
    for ordered in [true, false] {
        let feed = feed_of(0..2u64);
        let mut t = Topology::new("fails");
        let numbers = t.spout("numbers", feed.spout());
        let fails = t.bolt("fails", Fails(None), numbers.shuffle());
        let _ = if ordered { fails.concurrent(2) } else { fails.concurrent_unordered(2) };
        let mut c = cluster(t, 1, false);
        while !c.has_ended() && c.turn() {
            assert_eq!(c.metrics().component("fails").expect("it is there").acked, 0);
        }
        assert!(c.has_ended());
        assert_eq!(feed.failed().len(), 2);
    }
}

/// Fails everything, the first number late.
#[derive(Clone)]
struct Fails(Option<Context>);

impl Bolt for Fails {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, _: &Emitter<u64>) -> Result {
        if n == 0 {
            self.0.as_ref().expect("it was prepared").sleep(ms(10)).await;
        }
        Err(Error::msg("no"))
    }
}
