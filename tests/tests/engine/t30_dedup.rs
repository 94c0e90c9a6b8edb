//! Replays are known as such, so that bolts which drop repeats lose nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tormenta::{
    Simulation, Topology, bolts::Dedup, prelude::*, spouts::Replayed, testkit::Capture,
};

use crate::support::*;

/// A number and whether it was a replay, each time that it was executed.
type Executed = Seen<(u64, bool)>;

/// Passes numbers on, but fails each of these the first time that it comes.
#[derive(Clone)]
struct Once {
    fails: BTreeSet<u64>,
    executed: Executed,
}

impl Once {
    fn new(fails: impl IntoIterator<Item = u64>) -> (Self, Executed) {
        let executed = Executed::default();
        (Self { fails: fails.into_iter().collect(), executed: executed.clone() }, executed)
    }
}

impl Bolt for Once {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.executed.add((n, out.is_replay()));
        if self.fails.remove(&n) {
            return Err(Error::msg("the first time"));
        }
        out.emit(n).await
    }
}

/// Emits numbers, and again by itself what failed.
#[derive(Clone)]
struct Own {
    fresh: std::ops::Range<u64>,
    again: Vec<u64>,
    open: usize,
    attempts: BTreeMap<u64, u32>,
}

impl Own {
    fn up_to(end: u64) -> Self {
        Self { fresh: 0..end, again: Vec::new(), open: 0, attempts: BTreeMap::new() }
    }
}

impl Spout for Own {
    type Output = u64;
    type Id = u64;

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        let Some(n) = self.again.pop().or_else(|| self.fresh.next()) else {
            if self.open == 0 {
                return Ok(None);
            }
            return std::future::pending().await;
        };
        self.open += 1;
        *self.attempts.entry(n).or_default() += 1;
        Ok(Some((n, n)))
    }

    fn is_replay(&self, n: &u64) -> bool {
        self.attempts[n] > 1
    }

    fn acked(&mut self, _: u64) {
        self.open -= 1;
    }

    fn failed(&mut self, n: u64, _: Failure) {
        self.open -= 1;
        self.again.push(n);
    }
}

fn simulations() -> impl Iterator<Item = Simulation> {
    (0..20).map(|seed| {
        let mut simulation = Simulation::new(seed);
        simulation.fuse = seed % 2 == 0;
        simulation.batch_tuples = [1, 8, 512][seed as usize % 3];
        simulation
    })
}

/// All numbers below 90, of which every third is a repeat of the one before.
fn numbers() -> Vec<u64> {
    (0..90).map(|n| if n % 3 == 2 { n - 1 } else { n }).collect()
}

fn distinct(numbers: &[u64]) -> BTreeSet<u64> {
    numbers.iter().copied().collect()
}

/// What fails behind a `Dedup` comes again, and passes it; what does not fail passes once.
#[test]
fn a_replay_is_no_repeat() {
    for simulation in simulations() {
        let (seed, tasks) = (simulation.seed, 1 + simulation.seed as usize % 3);
        let failing: BTreeSet<u64> = (0..90).filter(|n| n % 4 == 0).collect();
        let (once, _) = Once::new(failing.clone());
        let (feed, capture) = (feed_of(numbers()), Capture::new());
        let mut t = Topology::new("dedup");
        let all = t.spout("numbers", feed.spout()).replaying(Retry::default());
        let dedup = Dedup::by(|n: &u64| *n).within(Duration::from_secs(3_600));
        let new = t.bolt("new", dedup, all.by(|n| n)).tasks(tasks);
        let once = t.bolt("once", once, new.global());
        t.bolt("kept", capture.bolt(), once.shuffle());
        let summary = run_to_end(cluster_with(t, simulation));
        let kept = sorted(&capture);
        let expected = distinct(&numbers());
        assert_eq!(distinct(&kept), expected, "seed {seed}: none is lost");
        assert_eq!(kept.len(), expected.len(), "seed {seed}: none passes twice");
        let counters = &of(&summary, "new").counters;
        let fell = failing.intersection(&expected).count() as u64;
        assert_eq!((counters["replays"], counters["repeats"]), (fell, 30), "seed {seed}");
        assert_eq!(feed.acked().len(), 90);
    }
}

fn attempts_of(executed: &Executed) -> BTreeMap<u64, Vec<bool>> {
    let mut attempts = BTreeMap::<u64, Vec<bool>>::new();
    executed.all().into_iter().for_each(|(n, replay)| attempts.entry(n).or_default().push(replay));
    attempts
}

/// How a bolt passes a tuple on.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Ticket,
    /// Anchored to two tickets.
    Joint,
}

#[derive(Clone)]
struct Pass(Way);

impl Bolt for Pass {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        match self.0 {
            Way::Plain => out.emit(n).await?,
            Way::Ticket => out.hold().finish([n]),
            Way::Joint => {
                let (one, other) = (out.hold(), out.hold());
                out.emit_for([&one, &other], n).await?;
                one.ack();
                other.ack();
            }
        }
        Ok(())
    }
}

/// What is emitted for a replay is one too, whatever way it goes, and nothing else is.
#[test]
fn replays_are_told_from_first_attempts() {
    let ways = [Way::Plain, Way::Ticket, Way::Joint];
    for (way, simulation) in ways.into_iter().flat_map(|way| simulations().map(move |s| (way, s))) {
        let seed = simulation.seed;
        let (once, executed) = Once::new((0..60).filter(|n| n % 5 < 2));
        let mut t = Topology::new("replays");
        let own = t.spout("own", Own::up_to(40));
        let fed = t.spout("fed", feed_of(40..60u64).spout()).replaying(Retry::default());
        let pass = t.bolt("pass", Pass(way), [own.by(|n| n), fed.by(|n| n)]).tasks(2);
        t.bolt("once", once, pass.global());
        run_to_end(cluster_with(t, simulation));
        let attempts = attempts_of(&executed);
        assert_eq!(attempts.len(), 60);
        for (n, replays) in attempts {
            let expected: &[bool] = if n % 5 < 2 { &[false, true] } else { &[false] };
            assert_eq!(replays, expected, "{n} on the way {way:?}, seed {seed}");
        }
    }
}

/// A spout around another one says what that says.
#[test]
fn a_spout_that_replays_by_itself_loses_nothing_to_a_dedup() {
    for simulation in simulations() {
        let (once, _) = Once::new(0..40);
        let capture = Capture::new();
        let mut t = Topology::new("own");
        let own = t.spout("own", Replayed::new(Own::up_to(40), |n| *n as i64).speed(2.0));
        let dedup = Dedup::by(|n: &u64| *n).within(Duration::from_secs(3_600));
        let new = t.bolt("new", dedup, own.by(|n| n));
        let once = t.bolt("once", once, new.shuffle());
        t.bolt("kept", capture.bolt(), once.shuffle());
        let summary = run_to_end(cluster_with(t, simulation));
        assert_eq!(sorted(&capture), (0..40).collect::<Vec<_>>());
        assert_eq!(of(&summary, "new").counters["replays"], 40);
    }
}
