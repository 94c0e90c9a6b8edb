//! One task to one task is first in, first out, over all streams and ports.

use tormenta::{Simulation, Topology, bolts::func, prelude::*};

use crate::support::{Seen, cluster_with, feed_of, in_order, run_to_end};

#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Even {
    n: u64,
}

#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Odd {
    n: u64,
}

/// What one bolt emits, and what another reads.
#[derive(Streams, Clone, Debug)]
enum Either {
    Even(Even),
    Odd(Odd),
}

impl Either {
    fn n(&self) -> u64 {
        match self {
            Self::Even(Even { n }) | Self::Odd(Odd { n }) => *n,
        }
    }
}

/// Runs of one to five even numbers, then of odd ones; half of the numbers is their name.
fn sorted_out() -> impl Bolt<Input = u64, Output = Either> {
    func(async |n: u64, out: &Emitter<Either>| {
        for copy in 0..4 {
            let n = 4 * n + copy;
            let either = if n % 7 < 3 { Either::Even(Even { n }) } else { Either::Odd(Odd { n }) };
            out.emit(either).await?;
        }
        Ok(())
    })
}

fn simulations() -> impl Iterator<Item = Simulation> {
    (0..24).map(|seed| {
        let mut simulation = Simulation::new(seed);
        simulation.fuse = seed % 2 == 0;
        simulation.batch_tuples = [1, 2, 8, 256][seed as usize % 4];
        simulation
    })
}

#[test]
fn ports_to_the_same_reader_keep_their_order() {
    for simulation in simulations() {
        let (feed, seen) = (feed_of(0..100u64), Seen::default());
        let note = seen.clone();
        let sink = func(async move |either: Either, _: &Emitter<()>| {
            note.add(either.n());
            Ok(())
        });
        let mut t = Topology::new("ports");
        let numbers = t.spout("numbers", feed.spout());
        let out = t.bolt("out", sorted_out(), numbers.shuffle());
        let reads = [out.even.shuffle().to(Either::Even), out.odd.shuffle().to(Either::Odd)];
        let _ = t.bolt("sink", sink, reads);
        run_to_end(cluster_with(t, simulation));
        assert_eq!(seen.all(), (0..400).collect::<Vec<u64>>());
        assert_eq!(feed.acked().len(), 100);
    }
}

#[test]
fn each_port_has_its_own_readers() {
    for simulation in simulations() {
        let (feed, evens, odds) = (feed_of(0..100u64), Seen::default(), Seen::default());
        let (note_even, note_odd) = (evens.clone(), odds.clone());
        let mut t = Topology::new("ports");
        let numbers = t.spout("numbers", feed.spout());
        let out = t.bolt("out", sorted_out(), numbers.shuffle());
        let even = func(async move |even: Even, _: &Emitter<()>| {
            note_even.add(even.n);
            Ok(())
        });
        let odd = func(async move |odd: Odd, _: &Emitter<()>| {
            note_odd.add(odd.n);
            Ok(())
        });
        let _ = t.bolt("even", even, out.even.shuffle());
        let _ = t.bolt("odd", odd, out.odd.by(|odd| &odd.n)).fuse(false);
        run_to_end(cluster_with(t, simulation));
        assert_eq!(evens.all(), (0..400).filter(|n| n % 7 < 3).collect::<Vec<u64>>());
        assert_eq!(odds.all(), (0..400).filter(|n| n % 7 >= 3).collect::<Vec<u64>>());
        assert_eq!(feed.acked().len(), 100);
    }
}

#[test]
fn two_edges_from_one_stream_to_one_bolt_keep_their_order() {
    for simulation in simulations() {
        let (feed, seen) = (feed_of(0..100u64), Seen::default());
        let note = seen.clone();
        let sink = func(async move |either: Either, _: &Emitter<()>| {
            note.add((either.n(), matches!(either, Either::Odd(_))));
            Ok(())
        });
        let mut t = Topology::new("edges");
        let numbers = t.spout("numbers", feed.spout());
        let first = numbers.shuffle().to(|n| Either::Even(Even { n }));
        let second = numbers.by(|n| n).to(|n| Either::Odd(Odd { n }));
        let _ = t.bolt("sink", sink, [first, second]);
        run_to_end(cluster_with(t, simulation));
        let expected = (0..100).flat_map(|n| [(n, false), (n, true)]);
        assert_eq!(seen.all(), expected.collect::<Vec<_>>());
        assert_eq!(feed.acked().len(), 100);
    }
}

/// Several tasks, several hops: each pair of tasks keeps its order.
#[test]
fn every_pair_of_tasks_keeps_its_order() {
    for simulation in simulations() {
        let (feed, seen) = (feed_of(0..300u64), Seen::default());
        let mut t = Topology::new("pairs");
        let numbers = t.spout("numbers", feed.spout()).tasks(2);
        let tag = Tag::default();
        let tagged = t.bolt("tag", tag, numbers.shuffle()).tasks(3);
        let note = Note { seen: seen.clone(), task: 0 };
        let _ = t.bolt("note", note, tagged.by(|tagged| &tagged.n)).tasks(2);
        run_to_end(cluster_with(t, simulation));
        let seen = seen.all();
        assert_eq!(in_order(seen.iter().map(|(_, tagged)| tagged.n).collect()).len(), 300);
        for (reader, from) in (0..2).flat_map(|reader| (0..3).map(move |from| (reader, from))) {
            let pair = seen.iter().filter(|(task, tagged)| (*task, tagged.from) == (reader, from));
            assert!(pair.map(|(_, tagged)| tagged.number).is_sorted());
        }
    }
}

#[derive(Tuple, Clone, Debug, Serialize, Deserialize)]
struct Tagged {
    n: u64,
    from: u64,
    number: u64,
}

/// Numbers what leaves each task.
#[derive(Clone, Default)]
struct Tag {
    task: u64,
    sent: u64,
}

impl Bolt for Tag {
    type Input = u64;
    type Output = Tagged;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task() as u64;
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<Tagged>) -> Result {
        self.sent += 1;
        out.emit(Tagged { n, from: self.task, number: self.sent }).await
    }
}

/// Notes what comes to each task.
#[derive(Clone)]
struct Note {
    seen: Seen<(u64, Tagged)>,
    task: u64,
}

impl Bolt for Note {
    type Input = Tagged;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.task = cx.task() as u64;
        Ok(())
    }

    async fn execute(&mut self, tagged: Tagged, _out: &Emitter<()>) -> Result {
        self.seen.add((self.task, tagged));
        Ok(())
    }
}
