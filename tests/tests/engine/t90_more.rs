//! Bugs that were, and that belong to no promise of their own.

use tormenta::{
    LocalCluster, Options, Simulation, Topology,
    bolts::func,
    prelude::*,
    spouts::Sequence,
    testkit::{Capture, Feed},
};

use crate::support::{
    Seen, Slow, cluster, feed_of, in_order, ms, of, pause, push_all, run_on, run_to_end, until,
    wait,
};

/// Clones that wait for their turn must see that all is over.
#[test]
fn an_ordered_crew_is_cut() {
    for unfused in [true, false] {
        let mut t = Topology::new("crew");
        let numbers = t.spout("numbers", Sequence::endless());
        let slow = Slow::new(|n, _| if n % 50 == 0 { ms(100_000) } else { ms(1) });
        let slow = t.bolt("slow", slow, numbers.shuffle()).concurrent(8);
        let _ = t.bolt("sink", Slow::new(|_, _| ms(5)), slow.by(|n| n));
        let mut options = Options::default();
        options.unfused = unfused;
        options.cores = Some(2);
        let running = tormenta::start(t, options).expect("a sound topology");
        pause(ms(50));
        running.cut();
        let summary = wait(running);
        let c = &summary.metrics.components[0];
        assert_eq!(c.acked + c.failed, c.emitted, "{c:?}");
    }
}

/// A held tuple whose execute then fails, fails once, and its late ticket hurts nobody.
#[test]
fn a_tuple_may_be_held_and_fail_at_once() {
    for (fuse, replaying) in [(true, true), (true, false), (false, true), (false, false)] {
        let feed = feed_of(0..50u64);
        let tries = Seen::default();
        let note = tries.clone();
        let odd = func(async move |n: u64, out: &Emitter<u64>| {
            note.add(n);
            let ticket = out.hold();
            out.emit(n).await?;
            if n.is_multiple_of(3) && note.all().iter().filter(|seen| **seen == n).count() == 1 {
                drop(ticket);
                return Err(Error::msg("first attempt"));
            }
            ticket.finish([n + 1000]);
            Ok(())
        });
        let capture = Capture::new();
        let mut t = Topology::new("both");
        let numbers = t.spout("numbers", feed.spout());
        let numbers = if replaying { numbers.replaying(Retry::default()) } else { numbers };
        let odd = t.bolt("odd", odd, numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), odd.by(|n| n));
        let summary = run_to_end(cluster(t, 5, fuse));
        let c = of(&summary, "numbers");
        assert_eq!((c.acked + c.failed, c.failed, c.pending), (c.emitted, 17, 0));
        let failed = if replaying { 0 } else { 17 };
        assert_eq!((feed.acked().len(), feed.failed().len()), (50 - failed, failed));
        let c = of(&summary, "odd");
        assert_eq!((c.failed, c.acked, c.held), (17, c.executed - 17, 0), "fuse {fuse}");
    }
}

/// Replays go on while the inputs have ended, and the finish waits for them.
#[test]
fn the_finish_waits_for_replays() {
    for (fuse, seed) in [(true, 1), (false, 2), (true, 3), (false, 4)] {
        let (feed, events) = (feed_of(0..30u64), Seen::default());
        let sink = Last { events: events.clone(), tries: Seen::default() };
        let mut t = Topology::new("late");
        let numbers = t.spout("numbers", feed.spout()).replaying(Retry::default());
        let pass = t.bolt("pass", Slow::new(|_, _| ms(0)), numbers.shuffle()).tasks(2);
        let _ = t.bolt("last", sink, pass.global());
        run_to_end(cluster(t, seed, fuse));
        let events = events.all();
        assert_eq!((events.len(), events.last()), (61, Some(&u64::MAX)));
        assert_eq!(feed.acked().len(), 30);
    }
}

/// Fails each number once; notes executes, and the finish as the largest number.
#[derive(Clone)]
struct Last {
    events: Seen<u64>,
    tries: Seen<u64>,
}

impl Bolt for Last {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, n: u64, _out: &Emitter<()>) -> Result {
        self.events.add(n);
        if self.tries.all().contains(&n) {
            return Ok(());
        }
        self.tries.add(n);
        Err(Error::msg("not yet"))
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.events.add(u64::MAX);
        Ok(())
    }
}

/// A ticket of a fused bolt is settled by another thread while its spout is busy with others.
#[test]
fn a_ticket_is_taken_back_while_the_spout_is_busy() {
    #[derive(Streams, Clone)]
    enum Kind {
        Rare(u64),
        Common(u64),
    }
    let (kept, mut first) = (Seen::default(), true);
    let keep = kept.clone();
    let mut t = Topology::new("busy");
    let numbers = t.spout("numbers", Sequence::endless());
    let deal = func(async move |n: u64, out: &Emitter<Kind>| {
        let kind = if std::mem::take(&mut first) { Kind::Rare(n) } else { Kind::Common(n) };
        out.emit(kind).await
    });
    let deal = t.bolt("deal", deal, numbers.shuffle());
    let rare = func(async move |_: u64, out: &Emitter<u64>| {
        keep.add(std::sync::Arc::new(std::sync::Mutex::new(Some(out.hold()))));
        Ok(())
    });
    let rare = t.bolt("rare", rare, deal.rare.shuffle());
    let told = Capture::new();
    let _ = t.bolt("told", told.bolt(), rare.shuffle());
    let _ = t.bolt("common", Slow::new(|_, _| ms(0)), deal.common.shuffle());
    let running = tormenta::start(t, Options::default()).expect("a sound topology");
    until("held", || kept.len() == 1);
    let ticket = kept.all()[0].lock().expect("nobody panics").take().expect("it is there");
    ticket.finish([7]);
    until("told", || told.taken() == [7]);
    running.drain();
    assert!(wait(running).into_result().is_ok());
}

/// One seed is one run: everything that happens is the same.
#[test]
fn a_seed_replays_everything() {
    let run = |seed| {
        let (feed, capture) = (feed_of(0..300u64), Capture::new());
        let mut t = Topology::new("seeded");
        let numbers = t.spout("numbers", feed.spout()).tasks(2);
        let slow = Slow::new(|n, task| ms(n % 3 + task as u64));
        let slow = t.bolt("slow", slow, numbers.shuffle()).tasks(3);
        let _ = t.bolt("sink", capture.bolt(), slow.by(|n| n)).tasks(2);
        let cluster = LocalCluster::new(t, Simulation::new(seed)).expect("a sound topology");
        let summary = run_to_end(cluster);
        (capture.taken(), feed.acked(), summary.seconds.to_bits())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
}

/// A finish that never ends is cut at the limit, in virtual time as well.
#[test]
fn a_finish_that_never_ends_is_cut_at_the_limit() {
    #[derive(Clone)]
    struct Endless;
    impl Bolt for Endless {
        type Input = u64;
        type Output = ();
        async fn execute(&mut self, _n: u64, _out: &Emitter<()>) -> Result {
            Ok(())
        }
        async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
            std::future::pending().await
        }
    }
    for fuse in [true, false] {
        let feed = Feed::<u64>::new();
        push_all(&feed, 0..10);
        let mut t = Topology::new("endless");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("endless", Endless, numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        cluster.settle();
        cluster.drain();
        let summary = run_on(&mut cluster);
        assert_eq!(in_order(feed.acked()).len(), 10);
        let why = summary.into_result().expect_err("it was cut off").to_string();
        assert!(why.contains("`endless[0]`"), "{why}");
    }
}
