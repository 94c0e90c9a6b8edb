//! Failed tuples come again, as often as they may, and then become dead letters.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tormenta::{
    Options, Simulation, Topology, Watch,
    bolts::func,
    prelude::*,
    start,
    testkit::{Capture, Feed},
};

use crate::support::{
    Seen, cluster, cluster_with, failures, feed_of, in_order, ms, of, run_on, run_to_end, sorted,
    wait,
};

fn retry(attempts_max: u32) -> Retry {
    Retry { attempts_max, backoff_min: ms(10), backoff_max: ms(30) }
}

/// Notes when it sees each number, and fails for as long as it is told.
#[derive(Clone)]
struct Failing {
    seen: Seen<(u64, Duration)>,
    fails: fn(u64, usize) -> Result,
    cx: Option<Context>,
}

impl Failing {
    /// `fails` is given the number and the attempt, from 1.
    fn new(fails: fn(u64, usize) -> Result) -> Self {
        Self { seen: Seen::default(), fails, cx: None }
    }
}

impl Bolt for Failing {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        let now = self.cx.as_ref().expect("it was prepared").now();
        self.seen.add((n, now));
        let attempt = self.seen.all().iter().filter(|(seen, _)| *seen == n).count();
        (self.fails)(n, attempt)?;
        out.emit(n).await
    }
}

#[test]
fn failed_tuples_are_replayed_with_back_off_until_they_succeed() {
    for fuse in [true, false] {
        let (feed, capture) = (feed_of(0..20u64), Capture::new());
        let failing = Failing::new(|n, attempt| match attempt as u64 <= n % 4 {
            true => Err(Error::msg("not yet")),
            false => Ok(()),
        });
        let seen = failing.seen.clone();
        let mut t = Topology::new("replay");
        let numbers = t.spout("numbers", feed.spout()).replaying(retry(5));
        let failing = t.bolt("failing", failing, numbers.shuffle());
        let _ = t.bolt("sink", capture.bolt(), failing.by(|n| n)).tasks(2);
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(sorted(&capture), (0..20).collect::<Vec<u64>>());
        assert_eq!(in_order(feed.acked()), (0..20).collect::<Vec<u64>>());
        assert!(feed.failed().is_empty(), "failures are the engine's business");
        let times = |n| seen.all().iter().filter(|(s, _)| *s == n).map(|(_, at)| *at).collect();
        let times: Vec<Duration> = times(3);
        assert_eq!(times, [ms(0), ms(10), ms(30), ms(60)], "10, 20, then at most 30 ms");
        let c = of(&summary, "numbers");
        assert_eq!((c.emitted, c.acked, c.failed, c.replayed, c.dead_letters), (50, 20, 30, 30, 0));
    }
}

#[test]
fn what_never_succeeds_becomes_a_dead_letter() {
    for fuse in [true, false] {
        let feed = feed_of(0..3u64);
        let failing = Failing::new(|n, _| match n {
            1 => Err(Error::msg("disk is full").context("write `1`")),
            _ => Ok(()),
        });
        let mut t = Topology::new("dead");
        let numbers = t.spout("numbers", feed.spout()).replaying(retry(3));
        let plus = func(async |n: u64, out: &Emitter<u64>| out.emit(n).await);
        let plus = t.bolt("plus", plus, numbers.shuffle());
        let _ = t.bolt("failing", failing, plus.by(|n| n)).tasks(2);
        let letters = Arc::new(Mutex::new(Vec::new()));
        let mut simulation = Simulation::new(1);
        simulation.fuse = fuse;
        let told = letters.clone();
        simulation.on_dead_letter = Some(Box::new(move |letter| {
            told.lock().expect("nobody panics").push(letter.clone());
        }));
        let summary = run_to_end(cluster_with(t, simulation));
        assert_eq!(in_order(feed.acked()), [0, 1, 2], "a dead letter is acked");
        let [letter] = &summary.dead_letters[..] else { panic!("{:?}", summary.dead_letters) };
        assert_eq!((letter.spout.as_str(), letter.attempts), ("numbers", 3));
        assert_eq!(letter.component.as_deref(), Some("failing"));
        assert_eq!(letter.task, Some(tormenta::KeyGroup::of(&1u64).owner(2)));
        assert!(letter.error.ends_with("failed: write `1`: disk is full"), "{}", letter.error);
        let tuple = letter.tuple.as_ref().expect("a replayed tuple is kept");
        assert_eq!(tuple.to::<u64>().expect("it is a number"), 1);
        assert_eq!(letters.lock().expect("nobody panics").len(), 1);
        let c = of(&summary, "numbers");
        assert_eq!((c.emitted, c.acked, c.failed, c.replayed, c.dead_letters), (5, 3, 2, 2, 1));
    }
}

#[test]
fn poison_is_a_dead_letter_at_once() {
    for (fuse, replaying) in [(true, true), (true, false), (false, true), (false, false)] {
        let feed = feed_of(0..3u64);
        let failing = Failing::new(|n, _| match n {
            1 => Err(Error::poison("no replay can help")),
            _ => Ok(()),
        });
        let seen = failing.seen.clone();
        let mut t = Topology::new("poison");
        let numbers = t.spout("numbers", feed.spout());
        let numbers = if replaying { numbers.replaying(retry(3)) } else { numbers };
        let _ = t.bolt("failing", failing, numbers.by(|n| n)).tasks(2);
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!((seen.len(), in_order(feed.acked())), (3, vec![0, 1, 2]));
        let [letter] = &summary.dead_letters[..] else { panic!("{:?}", summary.dead_letters) };
        assert!(letter.error.contains("no replay can help"));
        assert_eq!((letter.attempts, letter.tuple.is_some()), (1, replaying));
    }
}

/// A dead letter holds its own tuple, not that of a replay before it.
#[test]
fn a_dead_letter_holds_its_own_tuple() {
    for fuse in [true, false] {
        let feed = tormenta::testkit::Feed::<u64>::new();
        let failing = Failing::new(|n, attempt| match (n, attempt) {
            (1, 1) => Err(Error::msg("once")),
            (2, _) => Err(Error::poison("two")),
            _ => Ok(()),
        });
        let mut t = Topology::new("letters");
        let numbers = t.spout("numbers", feed.spout()).replaying(retry(3));
        let _ = t.bolt("failing", failing, numbers.by(|n| n));
        let mut cluster = cluster(t, 1, fuse);
        feed.push(1);
        cluster.advance(ms(100));
        feed.push(2);
        feed.end();
        let summary = run_on(&mut cluster);
        let tuple = summary.dead_letters[0].tuple.as_ref().expect("the spout kept a copy");
        assert_eq!(tuple.to::<u64>().expect("it is a number"), 2);
    }
}

#[test]
fn a_spout_that_replays_by_itself_is_told_why() {
    for fuse in [true, false] {
        let feed = feed_of(0..3u64);
        let failing = Failing::new(|n, _| match n {
            1 => Err(Error::msg("one")),
            _ => Ok(()),
        });
        let mut t = Topology::new("told");
        let numbers = t.spout("numbers", feed.spout());
        let _ = t.bolt("failing", failing, numbers.by(|n| n)).tasks(3);
        let summary = run_to_end(cluster(t, 1, fuse));
        let task = tormenta::KeyGroup::of(&1u64).owner(3);
        assert_eq!(failures(&feed), [(1, format!("`failing[{task}]` failed: one"))]);
        assert_eq!(in_order(feed.acked()), [0, 2]);
        assert!(summary.dead_letters.is_empty());
    }
}

/// Tuples that wait for another attempt count as pending: memory is bounded.
#[test]
fn what_waits_for_a_replay_has_its_place_among_the_pending() {
    for fuse in [true, false] {
        let failing = Failing::new(|_, _| Err(Error::msg("never")));
        let seen = failing.seen.clone();
        let mut t = Topology::new("bounded");
        let endless = Retry { attempts_max: 100, backoff_min: ms(1000), backoff_max: ms(1000) };
        let numbers = t.spout("numbers", tormenta::spouts::Sequence::endless());
        let numbers = numbers.replaying(endless).pending_max(50);
        let _ = t.bolt("failing", failing, numbers.shuffle());
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(900));
        assert_eq!(seen.len(), 50);
        cluster.advance(ms(1000));
        assert_eq!(seen.len(), 100, "the same fifty");
        assert_eq!(in_order(seen.all()).last().map(|(n, _)| *n), Some(49));
    }
}

/// Whoever is told of a dead letter may look at the metrics, as somebody would who writes a report.
#[test]
fn metrics_can_be_read_where_a_tuple_is_given_up() {
    for unfused in [false, true] {
        let (watch, looked) = (Arc::new(OnceLock::<Watch>::new()), Seen::default());
        let (theirs, looks) = (watch.clone(), looked.clone());
        let mut options = Options::default();
        (options.unfused, options.cores) = (unfused, Some(1));
        options.on_dead_letter = Some(Box::new(move |_| {
            looks.add(theirs.get().map(|watch| watch.metrics().components.len()));
        }));
        let feed = Feed::<u64>::new();
        let mut t = Topology::new("looks");
        let numbers = t.spout("numbers", feed.spout());
        let poison = func(async |_: u64, _: &Emitter<()>| Err(Error::poison("no")));
        t.bolt("poison", poison, numbers.shuffle());
        let running = start(t, options).expect("it runs");
        watch.set(running.watch()).ok();
        feed.push(1u64);
        feed.end();
        assert_eq!(wait(running).error, None);
        assert_eq!(looked.all(), [Some(2)]);
    }
}
