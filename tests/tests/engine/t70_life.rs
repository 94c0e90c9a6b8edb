//! The life of a topology: drain, rest, errors.

use std::time::Duration;

use tormenta::{
    Simulation, Topology,
    prelude::*,
    spouts::Sequence,
    testkit::{Capture, Feed},
};

use crate::{
    support::{
        Seen, Slow, cluster, cluster_with, feed_of, in_order, ms, of, push_all, run_on, run_to_end,
    },
    t70_finish::Diary,
};

#[test]
fn a_drain_finishes_what_is_pending_and_takes_no_more() {
    for fuse in [true, false] {
        let (feed, capture) = (Feed::<u64>::new(), Capture::new());
        push_all(&feed, 0..1000);
        let mut t = Topology::new("drain");
        let numbers = t.spout("numbers", feed.spout());
        let slow = t.bolt("slow", Slow::new(|_, _| ms(3)), numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), slow.by(|n| n));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(100));
        cluster.drain();
        let summary = run_on(&mut cluster);
        let c = of(&summary, "numbers").clone();
        assert!(c.emitted < 1000 && c.acked == c.emitted && c.failed == 0, "{c:?}");
        assert_eq!(capture.taken().len() as u64, c.emitted);
        assert!(summary.into_result().is_ok());
    }
}

/// Waits for ever at number 5, and holds number 3.
#[derive(Clone)]
struct Stubborn(Option<Context>, Seen<std::sync::Arc<Ticket<()>>>);

impl Bolt for Stubborn {
    type Input = u64;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.0 = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<()>) -> Result {
        match n {
            3 => self.1.add(std::sync::Arc::new(out.hold())),
            5 => self.0.as_ref().expect("it was prepared").sleep(ms(1_000_000)).await,
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn a_drain_that_takes_too_long_names_who_holds_what() {
    for fuse in [true, false] {
        let feed = feed_of(0..10u64);
        let mut t = Topology::new("stubborn");
        let numbers = t.spout("numbers", feed.spout());
        let stubborn = t.bolt("stubborn", Stubborn(None, Seen::default()), numbers.shuffle());
        let _ = stubborn.execute_timeout(Duration::from_secs(100_000));
        let mut simulation = Simulation::new(1);
        simulation.fuse = fuse;
        simulation.drain_timeout = Duration::from_secs(7);
        let mut cluster = cluster_with(t, simulation);
        cluster.advance(ms(10));
        cluster.drain();
        let summary = run_on(&mut cluster);
        let [who] = &summary.cut_off[..] else { panic!("{:?}", summary.cut_off) };
        assert!(
            who.starts_with("`stubborn[0]` executing for ") && who.contains("holds 1 tuple"),
            "{who}"
        );
        let c = of(&summary, "numbers");
        assert_eq!(c.acked + c.failed, c.emitted);
        assert_eq!(in_order(feed.acked()).iter().filter(|n| [3, 5].contains(*n)).count(), 0);
        assert!(summary.seconds < 60.0, "it ends at the limit, not at {}", summary.seconds);
        let why = summary.into_result().expect_err("it was cut off").to_string();
        assert!(why.contains("did not drain in time") && why.contains("stubborn"), "{why}");
    }
}

#[test]
fn a_deactivated_spout_rests_until_it_is_activated() {
    for fuse in [true, false] {
        let capture = Capture::new();
        let mut t = Topology::new("rest");
        let numbers = t.spout("numbers", Sequence::endless().rate(1000.0));
        let _ = t.bolt("sink", capture.bolt(), numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(100));
        let before = capture.taken().len();
        assert!((95..=105).contains(&before), "{before}");
        cluster.deactivate();
        cluster.advance(ms(500));
        assert!(capture.taken().len() <= before + 1);
        cluster.activate();
        cluster.advance(ms(100));
        let after = capture.taken().len();
        assert!((before + 90..=before + 110).contains(&after), "{before} {after}");
        cluster.deactivate();
        cluster.drain();
        assert!(run_on(&mut cluster).into_result().is_ok(), "a resting spout drains");
    }
}

/// Ends with an error after so many numbers.
#[derive(Clone)]
struct Failing(u64, u64);

impl Spout for Failing {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        if self.0 == self.1 {
            return Err(Error::msg("unexpected end of file").context("read `swipes.gz`"));
        }
        self.0 += 1;
        Ok(Some((self.0, self.0)))
    }
}

#[test]
fn an_error_of_a_spout_ends_the_run_after_what_was_emitted() {
    for (fuse, seed) in [(true, 1), (false, 2), (true, 3), (false, 4)] {
        let (capture, seen) = (Capture::new(), Seen::default());
        let mut t = Topology::new("error");
        let failing = t.spout("failing", Failing(0, 100));
        let endless = t.spout("endless", Sequence::endless().rate(100_000.0));
        let slow = Slow::new(|_, _| ms(1));
        let slow = t.bolt("slow", slow, [failing.shuffle(), endless.shuffle()]).tasks(2);
        let _ = t.bolt("sink", capture.bolt(), slow.shuffle());
        let _ = t.bolt("diary", Diary::new("diary", &seen), failing.shuffle());
        let summary = run_to_end(cluster(t, seed, fuse));
        for name in ["failing", "endless"] {
            let c = of(&summary, name);
            assert_eq!((c.acked, c.failed), (c.emitted, 0), "{name}");
        }
        assert_eq!(of(&summary, "failing").emitted, 100);
        let emitted = summary.metrics.components[..2].iter().map(|c| c.emitted).sum::<u64>();
        assert_eq!(capture.taken().len() as u64, emitted);
        assert!(seen.all().iter().all(|(_, what, _)| *what != "finish"), "it broke off");
        let why = summary.into_result().expect_err("it failed").to_string();
        assert_eq!(why, "failing: read `swipes.gz`: unexpected end of file");
    }
}
