//! Results in seeded worlds: whoever is acked was in a result that is complete, or given up.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tormenta::{Holds, LocalCluster, Retry, Simulation, Topology, Tuple, prelude::*};
use tormenta_runtime::{Rng, faults};

use crate::support::{Seen, cluster_with, feed_of, ms};

const INPUTS: u64 = 300;

#[derive(Tuple, Clone, Debug, Serialize, Deserialize)]
struct Group {
    numbers: Vec<u64>,
}

/// What a seed decided.
#[derive(Clone, Copy, Debug)]
struct World {
    size: usize,
    /// Groups of groups.
    levels: usize,
    tasks: usize,
    /// One in so many: errors, poison and panics where groups are made and where they go.
    errors: usize,
    poison: usize,
    panics: usize,
    naps: usize,
    /// The sink holds what it gets, and lets some of it expire.
    holds: bool,
    losses: bool,
    cut: bool,
}

impl World {
    fn draw(rng: &mut Rng) -> Self {
        let mut rate = |often: usize| if rng.one_in(3) { often + rng.below(60) } else { 0 };
        let (errors, poison, panics, naps) = (rate(3), rate(20), rate(30), rate(2));
        Self {
            size: 1 + rng.below(20),
            levels: 1 + rng.below(2),
            tasks: 1 + rng.below(3),
            errors,
            poison,
            panics,
            naps,
            holds: rng.one_in(4),
            losses: rng.one_in(5),
            cut: rng.one_in(6),
        }
    }
}

/// Whom the fates strike.
#[derive(Clone)]
struct Fates(World, Arc<Mutex<Rng>>);

impl Fates {
    fn strikes(&self, one_in: usize) -> bool {
        one_in > 0 && self.1.lock().unwrap_or_else(PoisonError::into_inner).one_in(one_in)
    }

    async fn strike(&self, cx: Option<&Context>) -> Result {
        if let (Some(cx), true) = (cx, self.strikes(self.0.naps)) {
            cx.sleep(ms(3)).await;
        }
        assert!(!self.strikes(self.0.panics), "struck");
        if self.strikes(self.0.poison) {
            return Err(Error::poison("struck"));
        }
        if self.strikes(self.0.errors) { Err(Error::msg("struck")) } else { Ok(()) }
    }
}

/// Makes one group of many.
#[derive(Clone)]
struct Gather {
    fates: Fates,
    cx: Option<Context>,
    numbers: Vec<u64>,
    held: Holds<Group>,
}

impl Gather {
    fn new(fates: &Fates) -> Self {
        Self { fates: fates.clone(), cx: None, numbers: Vec::new(), held: Holds::new() }
    }

    async fn conclude<A>(&mut self, out: &Emitter<Group, A>) -> Result {
        if self.held.is_empty() {
            return Ok(());
        }
        out.emit_result(Group { numbers: std::mem::take(&mut self.numbers) }).await?;
        out.ack_after_results(self.held.take());
        Ok(())
    }
}

impl Bolt for Gather {
    type Input = Group;
    type Output = Group;

    fn retry(&self) -> Option<Retry> {
        Some(Retry::default())
    }

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, group: Group, out: &Emitter<Group>) -> Result {
        self.fates.strike(self.cx.as_ref()).await?;
        self.numbers.extend(group.numbers);
        out.hold_into(&mut self.held);
        if self.held.len() >= self.fates.0.size { self.conclude(out).await } else { Ok(()) }
    }

    async fn finish(&mut self, out: &Emitter<Group, Free>) -> Result {
        self.conclude(out).await
    }
}

/// Where the groups go.
#[derive(Clone)]
struct Sink {
    fates: Fates,
    cx: Option<Context>,
    done: Seen<u64>,
    held: Vec<(Vec<u64>, Held)>,
}

/// A clone of a bolt holds nothing.
struct Held(Option<Ticket<()>>);

impl Clone for Held {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Sink {
    fn finish_all(&mut self) {
        for (numbers, mut held) in self.held.drain(..) {
            let Some(ticket) = held.0.take() else { continue };
            if self.fates.strikes(self.fates.0.errors) {
                ticket.fail("struck");
                continue;
            }
            numbers.into_iter().for_each(|n| self.done.add(n));
            ticket.ack();
        }
    }
}

impl Bolt for Sink {
    type Input = Group;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, group: Group, out: &Emitter<()>) -> Result {
        self.fates.strike(self.cx.as_ref()).await?;
        if self.fates.0.holds {
            self.held.push((group.numbers, Held(Some(out.hold()))));
            if self.held.len() > 3 {
                self.finish_all();
            }
        } else {
            group.numbers.into_iter().for_each(|n| self.done.add(n));
        }
        Ok(())
    }

    async fn tick(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.finish_all();
        Ok(())
    }

    async fn finish(&mut self, _out: &Emitter<(), Free>) -> Result {
        self.finish_all();
        Ok(())
    }
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
}

fn run(seed: u64) -> (World, u64) {
    let mut rng = Rng::new(seed ^ 0x0052_6573_756c_7473);
    let world = World::draw(&mut rng);
    let fates = Fates(world, Arc::new(Mutex::new(rng.fork())));
    let (done, dead) = (Seen::<u64>::default(), Seen::<u64>::default());
    let feed = feed_of((0..INPUTS).map(|n| Group { numbers: vec![n] }));
    let retry = Retry { attempts_max: 20, ..Retry::default() };
    let mut t = Topology::new("worlds");
    let source = t.spout("source", feed.spout()).replaying(retry);
    let gather = t.bolt("gather", Gather::new(&fates), source.shuffle()).tasks(world.tasks);
    let sink = Sink { fates: fates.clone(), cx: None, done: done.clone(), held: Vec::new() };
    let last = if world.levels == 2 {
        *t.bolt("again", Gather::new(&fates), gather.shuffle())
    } else {
        *gather
    };
    let sink = t.bolt("sink", sink, last.shuffle()).tasks(world.tasks).tick(ms(40));
    let _ = if world.holds { sink.hold_timeout(ms(700)) } else { sink };
    let mut simulation = Simulation::new(seed);
    (simulation.cores, simulation.fuse) = (1 + rng.below(3), !rng.one_in(3));
    simulation.batch_tuples = 1 + rng.below(16);
    if world.cut {
        simulation.drain_timeout = ms(1 + rng.below(60) as u64);
    }
    let given_up = dead.clone();
    simulation.on_dead_letter = Some(Box::new(move |letter| {
        let tuple = letter.tuple.as_ref().map(ToString::to_string).unwrap_or_default();
        numbers(&tuple).into_iter().for_each(|n| given_up.add(n));
    }));
    if world.losses {
        faults::lose_batches(2, 5, 3);
    }
    let mut cluster = cluster_with(t, simulation);
    let drain_at = if world.cut { rng.below(4_000) } else { usize::MAX };
    let acked = watch(&mut cluster, seed, drain_at, || (feed.acked(), done.all(), dead.all()));
    faults::lose_batches(0, 0, 0);
    assert!(cluster.has_ended(), "seed {seed}: no end: {world:?}: {:?}", cluster.metrics());
    let metrics = cluster.metrics();
    if !world.cut {
        assert_eq!((acked, feed.failed().len()), (INPUTS as usize, 0), "seed {seed}: {world:?}");
    }
    for component in &metrics.components {
        assert_eq!((component.pending, component.held), (0, 0), "seed {seed}: {component:?}");
    }
    (world, metrics.sum(|c| c.replayed))
}

/// Runs to the end, and looks after each step whether any tuple was acked too early.
fn watch(
    cluster: &mut LocalCluster,
    seed: u64,
    drain_at: usize,
    look: impl Fn() -> (Vec<u64>, Vec<u64>, Vec<u64>),
) -> usize {
    let (mut known, mut is_fine) = (0, BTreeSet::new());
    for turn in 0..1_000_000 {
        if turn == drain_at {
            cluster.drain();
        }
        if cluster.has_ended() || !cluster.turn() {
            break;
        }
        let (acked, done, dead) = look();
        if acked.len() == known {
            continue;
        }
        is_fine.extend(done.into_iter().chain(dead));
        for number in &acked[known..] {
            assert!(is_fine.contains(number), "seed {seed}: {number} was acked too early");
        }
        known = acked.len();
    }
    assert!(cluster.now() < Duration::from_secs(600), "seed {seed}: it took {:?}", cluster.now());
    cluster.settle();
    known
}

#[test]
fn nobody_is_acked_before_the_results_it_is_in() {
    let (mut replayed, mut cuts) = (0, 0);
    for seed in 0..300 {
        let (world, again) = run(seed);
        replayed += again;
        cuts += usize::from(world.cut);
    }
    assert!(replayed > 1_000 && cuts > 20, "{replayed} replays, {cuts} cuts");
}
