//! Fused equals unfused, in everything that a user can see.

use std::collections::BTreeMap;

use quickcheck::{QuickCheck, TestResult};
use tormenta::{LocalCluster, Simulation, Topology, prelude::*};
use tormenta_runtime::Rng;

use crate::support::{Seen, feed_of, in_order, run_to_end};

/// What travels: a number, and who emitted it as which of its tuples.
#[derive(Tuple, Clone, Debug, Serialize, Deserialize)]
struct Item {
    n: u64,
    from: u64,
    number: u64,
}

/// How a bolt behaves.
#[derive(Clone, Debug)]
struct Nature {
    copies: u64,
    salt: u64,
    fails: u64,
    panics: u64,
    holds: bool,
}

#[derive(Clone)]
struct Actor {
    nature: Nature,
    index: u64,
    task: u64,
    world: World,
    held: Held,
}

/// What was seen: reader, reading task, tuple.
#[derive(Clone, Default)]
struct World {
    seen: Seen<(u64, u64, Item)>,
    sent: Seen<(u64, u64)>,
}

#[derive(Default)]
struct Held(Vec<(u64, Ticket<Item>)>);

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Actor {
    fn item(&self, n: u64) -> Item {
        let me = self.index * 100 + self.task;
        self.world.sent.add((me, n));
        Item { n, from: me, number: self.world.sent.len() as u64 }
    }
}

impl Bolt for Actor {
    type Input = Item;
    type Output = Item;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task() as u64;
        Ok(())
    }

    async fn execute(&mut self, item: Item, out: &Emitter<Item>) -> Result {
        let n = item.n;
        self.world.seen.add((self.index, self.task, item));
        let nature = self.nature.clone();
        for copy in 0..(n + nature.salt) % (nature.copies + 1) {
            let item = self.item(n * 3 + copy);
            out.emit(item).await?;
        }
        assert!(n % nature.panics != nature.panics - 1, "told to panic");
        if n % nature.fails == nature.fails - 1 {
            return Err(Error::msg("told to fail"));
        }
        if nature.holds && n.is_multiple_of(2) {
            self.held.0.push((n, out.hold()));
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<Item, Free>) -> Result {
        for (n, ticket) in std::mem::take(&mut self.held.0) {
            out.emit_for([&ticket], self.item(n + 1)).await?;
            ticket.ack();
        }
        Ok(())
    }
}

/// Everything that must be the same.
#[derive(Debug, PartialEq)]
struct Outcome {
    seen: Vec<(u64, u64)>,
    acked: Vec<u64>,
    failed: Vec<u64>,
    counts: Vec<[u64; 7]>,
}

/// Draws a topology from a seed: the same one every time.
fn draw(seed: u64, world: &World) -> (Topology, tormenta::testkit::Feed<Item>) {
    let mut rng = Rng::new(seed);
    let feed = feed_of((0..60).map(|n| Item { n, from: 0, number: n }));
    let mut t = Topology::new("drawn");
    let tasks = 1 + rng.below(2);
    let mut streams: Vec<(Stream<Item>, usize)> =
        vec![(*t.spout("spout", feed.spout()).tasks(tasks), tasks)];
    for index in 1..=2 + rng.below(5) as u64 {
        // A panic drops the tickets that its clone happens to hold: one or the other.
        let holds = rng.one_in(3);
        let nature = Nature {
            copies: rng.below(3) as u64,
            salt: rng.below(3) as u64,
            fails: 5 + rng.below(60) as u64,
            panics: if holds { u64::MAX } else { 20 + rng.below(90) as u64 },
            holds,
        };
        let (stream, before) = streams[rng.below(streams.len())];
        let tasks = if rng.one_in(2) { before } else { 1 + rng.below(3) };
        let mut edges = vec![edge(&mut rng, &stream)];
        if rng.one_in(4) {
            let (other, _) = streams[rng.below(streams.len())];
            edges.push(edge(&mut rng, &other));
        }
        let actor = Actor { nature, index, task: 0, world: world.clone(), held: Held::default() };
        let bolt = t.bolt(&format!("bolt-{index}"), actor, edges).tasks(tasks);
        streams.push((*bolt, tasks));
    }
    (t, feed)
}

fn edge(rng: &mut Rng, stream: &Stream<Item>) -> tormenta::Edge<Item> {
    match rng.below(8) {
        0..=3 => stream.shuffle(),
        4 => stream.by(|item| &item.n),
        5 => stream.all(),
        6 => stream.local_or_shuffle(),
        _ => stream.global(),
    }
}

/// Runs a drawn topology. The order of each pair of tasks is checked on the way.
fn outcome(seed: u64, fuse: bool, batch_tuples: usize) -> (Outcome, bool) {
    let world = World::default();
    let (t, feed) = draw(seed, &world);
    let mut simulation = Simulation::new(seed);
    simulation.fuse = fuse;
    simulation.batch_tuples = batch_tuples;
    let cluster = LocalCluster::new(t, simulation).expect("a sound topology");
    let summary = run_to_end(cluster);
    let mut last = BTreeMap::new();
    let mut ordered = true;
    for (reader, task, item) in world.seen.all() {
        let before = last.insert((reader, task, item.from), item.number);
        ordered &= item.from == 0 || before.is_none_or(|before| before <= item.number);
    }
    let counts =
        summary.metrics.components.iter().map(|c| {
            [c.emitted, c.transferred, c.executed, c.acked, c.failed, c.pending, c.restarts]
        });
    let seen = world.seen.all().into_iter().map(|(reader, _, item)| (reader, item.n));
    let outcome = Outcome {
        seen: in_order(seen.collect()),
        acked: in_order(feed.acked()),
        failed: in_order(feed.failed().into_iter().map(|(n, _)| n).collect()),
        counts: counts.collect(),
    };
    (outcome, ordered)
}

fn fused_equals_unfused(seed: u64) -> TestResult {
    let batch_tuples = [1, 4, 8, 256][seed as usize % 4];
    let (fused, order_fused) = outcome(seed, true, batch_tuples);
    let (unfused, order_unfused) = outcome(seed, false, batch_tuples);
    if !(order_fused && order_unfused) {
        return TestResult::error(format!("out of order: {order_fused} {order_unfused}"));
    }
    assert_eq!(fused, unfused, "seed {seed}");
    assert_eq!(fused.acked.len() + fused.failed.len(), 60, "seed {seed}");
    TestResult::passed()
}

#[test]
fn fused_equals_unfused_for_any_topology() {
    QuickCheck::new().tests(300).quickcheck(fused_equals_unfused as fn(u64) -> TestResult);
}
