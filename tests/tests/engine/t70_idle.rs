//! What a bolt does while there is nothing to execute.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tormenta::{
    LocalCluster, Phase, Simulation, Topology,
    bolts::func,
    prelude::*,
    testkit::{Capture, Feed},
};

use crate::support::{Seen, cluster, feed_of, ms, run_on};

/// Holds what it is given, and works on one tuple after the other while nothing comes.
#[derive(Default)]
struct Elsewhere {
    held: VecDeque<(u64, Ticket<u64>)>,
    refused: Seen<u64>,
    cx: Option<Context>,
}

impl Clone for Elsewhere {
    fn clone(&self) -> Self {
        Self { refused: self.refused.clone(), ..Self::default() }
    }
}

impl Bolt for Elsewhere {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.held.push_back((n, out.hold()));
        Ok(())
    }

    /// 10 ms a tuple. The sevens fail at first.
    async fn idle(&mut self, out: &Emitter<u64, Free>) -> Result {
        let cx = self.cx.clone().expect("it was prepared");
        cx.sleep(ms(10)).await;
        let Some((n, ticket)) = self.held.pop_front() else {
            cx.sleep(Duration::from_secs(3600)).await;
            return Ok(());
        };
        if n % 10 == 7 && !self.refused.all().contains(&n) {
            self.refused.add(n);
            ticket.fail("a seven");
            return Ok(());
        }
        let emitted = out.emit_for([&ticket], n);
        ticket.ack();
        emitted.await
    }

    fn is_working(&self) -> bool {
        !self.held.is_empty()
    }
}

/// Fused and not: everything comes out without more input, and what fails at the very end is
/// replayed, because the end waits for work that goes on elsewhere.
#[test]
fn work_that_goes_on_elsewhere_is_waited_for() {
    for seed in 0..40 {
        let (feed, arrived) = (Feed::<u64>::new(), Capture::new());
        let bolt = Elsewhere::default();
        let refused = bolt.refused.clone();
        let mut t = Topology::new("idle");
        let numbers = t.spout("numbers", feed.spout()).replaying(Retry::default());
        let elsewhere = t.bolt("elsewhere", bolt, numbers.shuffle());
        t.bolt("arrived", arrived.bolt(), elsewhere.shuffle());
        let mut simulation = Simulation::new(seed);
        simulation.fuse = seed % 2 == 0;
        let mut cluster = LocalCluster::new(t, simulation).expect("sound");
        for n in 0..20 {
            feed.push(n);
        }
        feed.end();
        let summary = cluster.run();
        let mut arrived = arrived.taken();
        arrived.sort_unstable();
        assert_eq!(arrived, (0..20).collect::<Vec<u64>>(), "seed {seed}");
        assert_eq!(refused.all().len(), 2, "seed {seed}");
        assert_eq!((summary.error, summary.dead_letters.len()), (None, 0), "seed {seed}");
        assert_eq!(feed.acked().len(), 20, "seed {seed}");
    }
}

/// What comes while it is idle goes first, and the idle that was dropped begins anew.
#[test]
fn input_comes_before_what_is_idle() {
    let (feed, arrived) = (Feed::<u64>::new(), Capture::new());
    let mut t = Topology::new("idle");
    let numbers = t.spout("numbers", feed.spout());
    let elsewhere = t.bolt("elsewhere", Elsewhere::default(), numbers.shuffle());
    t.bolt("arrived", arrived.bolt(), elsewhere.shuffle());
    let mut cluster = LocalCluster::new(t, Simulation::new(1)).expect("sound");
    for n in 0..5 {
        feed.push(n);
        cluster.advance(ms(6)); // it never has 10 ms for itself
    }
    assert!(arrived.taken().is_empty());
    cluster.advance(ms(100));
    assert_eq!(arrived.taken(), [0, 1, 2, 3, 4]);
}

/// An error of idle is reported, and the task goes on.
#[test]
fn an_error_while_idle_fails_nothing() {
    #[derive(Clone)]
    struct Complains(Option<Context>, u32);

    impl Bolt for Complains {
        type Input = u64;
        type Output = u64;

        async fn prepare(&mut self, cx: &Context) -> Result {
            self.0 = Some(cx.clone());
            Ok(())
        }

        async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
            out.emit(n).await
        }

        async fn idle(&mut self, _: &Emitter<u64, Free>) -> Result {
            let cx = self.0.clone().expect("it was prepared");
            cx.sleep(ms(5)).await;
            self.1 += 1;
            if self.1 == 1 {
                return Err(Error::msg("bored"));
            }
            cx.sleep(Duration::from_secs(3600)).await;
            Ok(())
        }
    }

    let feed = Feed::<u64>::new();
    let mut t = Topology::new("idle");
    let numbers = t.spout("numbers", feed.spout());
    let complains = t.bolt("complains", Complains(None, 0), numbers.shuffle());
    t.bolt("sink", func(async |_: u64, _: &Emitter<()>| Ok(())), complains.shuffle());
    let mut cluster = LocalCluster::new(t, Simulation::new(1)).expect("sound");
    cluster.advance(ms(50));
    feed.push(1);
    feed.end();
    let summary = cluster.run();
    let told: Vec<_> = summary.errors.iter().map(|error| error.error.as_str()).collect();
    assert_eq!(told, ["idle: bored"]);
    assert_eq!(feed.acked().len(), 1);
}

/// Gives its tickets away, to whoever settles them.
#[derive(Clone, Default)]
struct GivesAway(Arc<Mutex<Vec<Ticket<()>>>>);

impl Bolt for GivesAway {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, _: u64, out: &Emitter<()>) -> Result {
        self.0.lock().expect("no panic").push(out.hold());
        Ok(())
    }

    fn is_working(&self) -> bool {
        !self.0.lock().expect("no panic").is_empty()
    }
}

/// Who has no `idle` is asked again as well, or the end would never come.
#[test]
fn work_that_is_done_elsewhere_is_noticed() {
    for fuse in [true, false] {
        let (feed, bolt) = (feed_of([1u64, 2]), GivesAway::default());
        let tickets = bolt.0.clone();
        let mut t = Topology::new("idle");
        let numbers = t.spout("numbers", feed.spout());
        t.bolt("gives-away", bolt, numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(10));
        let held = std::mem::take(&mut *tickets.lock().expect("no panic"));
        assert_eq!(held.len(), 2);
        held.into_iter().for_each(Ticket::ack);
        let summary = run_on(&mut cluster);
        assert_eq!((feed.acked().len(), summary.error), (2, None));
    }
}

/// A panic is told of what it was in.
#[test]
fn a_panic_while_idle_is_told_as_one() {
    #[derive(Clone)]
    struct Panics(Seen<()>);

    impl Bolt for Panics {
        type Input = u64;
        type Output = ();

        async fn execute(&mut self, _: u64, _: &Emitter<()>) -> Result {
            Ok(())
        }

        async fn idle(&mut self, _: &Emitter<(), Free>) -> Result {
            self.0.add(());
            assert!(self.0.len() > 1, "bored");
            std::future::pending().await
        }
    }

    let feed = feed_of([1u64]);
    let mut t = Topology::new("idle");
    let numbers = t.spout("numbers", feed.spout());
    t.bolt("panics", Panics(Seen::default()), numbers.shuffle());
    let summary = run_on(&mut cluster(t, 1, true));
    let told = summary.errors.iter().map(|error| (error.phase, error.error.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [(Some(Phase::Idle), "panicked: bored")]);
    assert_eq!(feed.acked().len(), 1);
}
