//! Results: a bolt answers for what it makes of many tuples, and lets those go afterwards.

use std::{collections::BTreeMap, time::Duration};

use tormenta::{
    DeadLetter, Holds, Retry, Simulation, Topology,
    bolts::{
        map,
        window::{Count, Windowed, Windows},
    },
    prelude::*,
    testkit::{BoltTest, Feed},
};
use tormenta_runtime::faults;

use crate::support::{
    Seen, Slow, cluster, cluster_with, failures, feed_of, in_order, ms, of, push_all, run_on,
    run_to_end,
};

/// The sum of every ten numbers.
#[derive(Clone, Default)]
pub(crate) struct Tens {
    sum: u64,
    held: Holds<u64>,
}

impl Tens {
    async fn conclude<A>(&mut self, out: &Emitter<u64, A>) -> Result {
        if !self.held.is_empty() {
            out.emit_result(std::mem::take(&mut self.sum)).await?;
            out.ack_after_results(self.held.take());
        }
        Ok(())
    }
}

impl Bolt for Tens {
    type Input = u64;
    type Output = u64;

    fn retry(&self) -> Option<Retry> {
        Some(Retry::default())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        self.sum += n;
        out.hold_into(&mut self.held);
        if self.held.len() == 10 { self.conclude(out).await } else { Ok(()) }
    }

    async fn finish(&mut self, out: &Emitter<u64, Free>) -> Result {
        self.conclude(out).await
    }
}

/// Where results go: what happens there depends on how often they came.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) seen: Seen<u64>,
    fate: fn(u64, usize) -> Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    Fails,
    Poison,
    Panics,
}

impl Sink {
    pub(crate) fn new(fate: fn(u64, usize) -> Fate) -> Self {
        Self { seen: Seen::default(), fate }
    }
}

impl Bolt for Sink {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, sum: u64, _out: &Emitter<()>) -> Result {
        let before = self.seen.all().iter().filter(|seen| **seen == sum).count();
        self.seen.add(sum);
        match (self.fate)(sum, before) {
            Fate::Fine => Ok(()),
            Fate::Fails => Err(Error::msg("not now")),
            Fate::Poison => Err(Error::poison("never")),
            Fate::Panics => panic!("not like this"),
        }
    }
}

fn sums(of: std::ops::Range<u64>) -> Vec<u64> {
    in_order(of.collect::<Vec<_>>().chunks(10).map(|tens| tens.iter().sum()).collect())
}

/// The topology of most tests here: numbers, their tens, a sink.
fn tens(numbers: u64, sink: &Sink, tasks: usize) -> (Topology, Feed<u64>) {
    let feed = feed_of(0..numbers);
    let mut t = Topology::new("results");
    let numbers = t.spout("numbers", feed.spout());
    let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
    let _ = t.bolt("sink", sink.clone(), tens.by(|n| n)).tasks(tasks);
    (t, feed)
}

#[test]
fn a_result_that_fails_is_emitted_again_and_its_inputs_are_not() {
    for (fuse, tasks, seed) in [(true, 1, 1), (false, 1, 2), (false, 3, 3)] {
        let sink = Sink::new(|sum, before| match (sum % 3, before) {
            (0, 0) => Fate::Fails,
            (1, 0) => Fate::Panics,
            (1, 1) => Fate::Fails,
            _ => Fate::Fine,
        });
        let (t, feed) = tens(1_000, &sink, tasks);
        let summary = run_to_end(cluster(t, seed, fuse));
        let mut seen = in_order(sink.seen.all());
        assert!(seen.len() > 150, "some came several times");
        seen.dedup();
        assert_eq!(seen, sums(0..1_000), "and all of them came");
        assert_eq!(in_order(feed.acked()), (0..1_000).collect::<Vec<_>>());
        let (numbers, tens) = (of(&summary, "numbers"), of(&summary, "tens"));
        assert_eq!((numbers.emitted, numbers.failed, tens.pending, tens.held), (1_000, 0, 0, 0));
        assert_eq!((tens.replayed as usize, tens.dead_letters), (sink.seen.len() - 100, 0));
    }
}

#[test]
fn inputs_are_acked_when_their_result_is_complete_and_not_before() {
    for fuse in [true, false] {
        let feed = Feed::new();
        push_all(&feed, 0..100u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
        let _ = t.bolt("keeper", Keeper::default(), tens.by(|n| n)).hold_timeout(ms(900));
        let mut cluster = cluster(t, 1, fuse);
        cluster.advance(ms(500));
        let metrics = cluster.metrics();
        assert_eq!(metrics.component("tens").expect("there").pending, 10, "fuse {fuse}");
        assert_eq!(metrics.component("numbers").expect("there").pending, 100);
        assert!(feed.acked().is_empty());
        // What is held too long fails, three times. Then the results are dead letters.
        cluster.advance(ms(9_000));
        feed.end();
        let summary = run_on(&mut cluster);
        assert_eq!(summary.dead_letters.len(), 10);
        let letter = &summary.dead_letters[0];
        assert_eq!((letter.spout.as_str(), letter.attempts), ("tens", 3));
        assert_eq!(letter.component.as_deref(), Some("keeper"));
        assert_eq!(in_order(feed.acked()), (0..100).collect::<Vec<_>>());
    }
}

/// Holds for ever.
#[derive(Clone, Default)]
pub(crate) struct Keeper(Holds<()>);

impl Bolt for Keeper {
    type Input = u64;
    type Output = ();

    async fn execute(&mut self, _: u64, out: &Emitter<()>) -> Result {
        out.hold_into(&mut self.0);
        Ok(())
    }

    async fn finish(&mut self, _: &Emitter<(), Free>) -> Result {
        self.0.take().fail("it was never good enough");
        Ok(())
    }
}

#[test]
fn a_result_that_is_given_up_is_a_dead_letter_and_lets_its_inputs_go() {
    for fuse in [true, false] {
        let sink = Sink::new(|sum, _| match sum {
            45 => Fate::Poison,
            145 => Fate::Fails,
            _ => Fate::Fine,
        });
        let (t, feed) = tens(95, &sink, 1);
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!(in_order(feed.acked()), (0..95).collect::<Vec<_>>());
        let mut letters: Vec<_> = summary.dead_letters.iter().collect();
        letters.sort_by_key(|letter| letter.attempts);
        let of = |letter: &DeadLetter| {
            let tuple = letter.tuple.as_ref().map(ToString::to_string).unwrap_or_default();
            (letter.attempts, letter.error.clone(), tuple)
        };
        assert_eq!(letters.len(), 2);
        assert!(of(letters[0]).1.contains("never") && of(letters[0]).2.contains("45"));
        let (attempts, error, tuple) = of(letters[1]);
        assert!(attempts == 3 && error.contains("not now") && tuple.contains("145"), "{tuple}");
        assert_eq!(sink.seen.len(), 10 + 2);
    }
}

#[test]
fn a_result_that_is_lost_is_emitted_again() {
    for seed in 1..=5 {
        let sink = Sink::new(|_, _| Fate::Fine);
        let feed = feed_of(0..2_000u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle()); // fused: only results travel
        let _ = t.bolt("sink", sink.clone(), tens.by(|n| n)).tasks(2);
        faults::lose_batches(2, 5, 4);
        let mut cluster = cluster(t, seed, true);
        let summary = run_on(&mut cluster);
        faults::lose_batches(0, 0, 0);
        let mut seen = in_order(sink.seen.all());
        seen.dedup();
        assert_eq!(seen, sums(0..2_000));
        assert_eq!(in_order(feed.acked()), (0..2_000).collect::<Vec<_>>());
        assert!(of(&summary, "tens").replayed > 0, "something was lost");
        assert!(summary.seconds < 10.0, "noticed within seconds: {}", summary.seconds);
    }
}

#[test]
fn a_topology_that_is_cut_off_fails_the_inputs_of_open_results() {
    for fuse in [true, false] {
        let feed = feed_of(0..40u64);
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
        let slow = Slow::new(|_, _| Duration::from_secs(3_600));
        let _ = t.bolt("slow", slow, tens.by(|n| n)).execute_timeout(Duration::from_secs(7_200));
        let mut simulation = Simulation::new(1);
        (simulation.fuse, simulation.drain_timeout) = (fuse, ms(900));
        let mut cluster = cluster_with(t, simulation);
        cluster.advance(ms(500));
        cluster.drain();
        let summary = run_on(&mut cluster);
        assert!(!summary.cut_off.is_empty());
        let emitted = of(&summary, "numbers").emitted;
        assert!(emitted >= 16, "{emitted}");
        assert_eq!((feed.acked().len(), feed.failed().len() as u64), (0, emitted));
    }
}

#[test]
fn results_of_results_finish_one_after_the_other() {
    for (fuse, seed) in [(true, 1), (false, 2)] {
        let feed = feed_of(0..995u64);
        let sink = Sink::new(|_, before| if before == 0 { Fate::Fails } else { Fate::Fine });
        let mut t = Topology::new("results");
        let numbers = t.spout("numbers", feed.spout());
        let tens = t.bolt("tens", Tens::default(), numbers.shuffle());
        let hundreds = t.bolt("hundreds", Tens::default(), tens.shuffle());
        let pass = t.bolt("pass", map(|n: u64| n), hundreds.shuffle());
        let _ = t.bolt("sink", sink.clone(), pass.shuffle());
        let summary = run_to_end(cluster(t, seed, fuse));
        let numbers: Vec<u64> = (0..995).collect();
        let expected: Vec<u64> = numbers.chunks(100).map(|some| some.iter().sum()).collect();
        let mut seen = in_order(sink.seen.all());
        seen.dedup();
        assert_eq!(seen, in_order(expected));
        assert_eq!(in_order(feed.acked()), numbers);
        assert!(of(&summary, "tens").replayed == 0 && of(&summary, "hundreds").replayed == 10);
    }
}

#[test]
fn each_clone_of_a_bolt_answers_for_its_own_results() {
    let sink = Sink::new(|_, before| if before == 0 { Fate::Fails } else { Fate::Fine });
    let feed = feed_of(0..1_000u64);
    let mut t = Topology::new("results");
    let numbers = t.spout("numbers", feed.spout());
    let tens = t.bolt("tens", Tens::default(), numbers.shuffle()).concurrent(3).tasks(2);
    let _ = t.bolt("sink", sink.clone(), tens.by(|n| n));
    let summary = run_to_end(cluster(t, 4, false));
    assert_eq!(in_order(feed.acked()), (0..1_000).collect::<Vec<_>>());
    let sum: u64 =
        sink.seen.all().into_iter().collect::<std::collections::BTreeSet<_>>().iter().sum();
    assert!(sum <= (0..1_000).sum() && of(&summary, "tens").pending == 0);
    assert!(of(&summary, "tens").replayed > 0);
}

#[test]
fn a_bolt_without_retry_has_no_results() {
    let func = tormenta::bolts::func(async |n: u64, out: &Emitter<u64>| out.emit_result(n).await);
    let mut test = BoltTest::new(func).input(1);
    assert!(test.errors()[0].contains("`retry`"), "{:?}", test.errors());
    let mut test = BoltTest::new(Tens::default());
    (0..10).for_each(|n| test.execute(n));
    assert_eq!((test.outputs(), test.acked()), (vec![45], 10));
}

#[test]
fn no_window_is_missing_where_its_reader_fails() {
    for (fuse, tasks, seed) in [(true, 1, 1), (false, 1, 2), (false, 3, 3)] {
        let feed = feed_of(0..5_000u64);
        let windows = Windows::sliding(ms(1_000), ms(250))
            .event_time(|n: &u64| *n as i64)
            .by(|n: &u64| n % 7)
            .aggregate(Count::default());
        let sink = Fussy::default();
        let mut t = Topology::new("windows");
        let numbers = t.spout("numbers", feed.spout());
        let by_key = numbers.by_key(|n, hasher| {
            hasher.add(&(n % 7));
        });
        let counts = t.bolt("counts", windows, by_key).tasks(tasks);
        let _ = t.bolt("sink", sink.clone(), counts.results.shuffle());
        let summary = run_to_end(cluster(t, seed, fuse));
        let counts = sink.done.all().into_iter().map(|w| ((w.key, w.start), w.value));
        let counts: BTreeMap<_, _> = counts.collect();
        let mut expected = BTreeMap::new();
        for n in 0..5_000i64 {
            for window in (n / 250 - 3)..=(n / 250) {
                *expected.entry((n as u64 % 7, window * 250)).or_insert(0u64) += 1;
            }
        }
        assert_eq!(counts, expected, "fuse {fuse}");
        assert_eq!(in_order(feed.acked()), (0..5_000).collect::<Vec<_>>());
        assert_eq!(failures(&feed), []);
        assert!(of(&summary, "counts").replayed > 50);
    }
}

/// Refuses every third window, once.
#[derive(Clone, Default)]
struct Fussy {
    refused: Seen<(u64, i64)>,
    done: Seen<Windowed<u64, u64>>,
}

impl Bolt for Fussy {
    type Input = Windowed<u64, u64>;
    type Output = ();

    async fn execute(&mut self, window: Self::Input, _out: &Emitter<()>) -> Result {
        let name = (window.key, window.start);
        if (window.key + window.start as u64).is_multiple_of(3)
            && !self.refused.all().contains(&name)
        {
            self.refused.add(name);
            return Err(Error::msg("not at first"));
        }
        self.done.add(window);
        Ok(())
    }
}

#[test]
fn results_hold_no_one_up_for_longer_than_their_attempts() {
    let sink = Sink::new(|sum, _| if sum == 45 { Fate::Fails } else { Fate::Fine });
    let (t, feed) = tens(10_000, &sink, 1);
    let summary = run_to_end(cluster(t, 1, true));
    assert_eq!(feed.acked().len(), 10_000);
    assert!(summary.seconds < 1.0 && Duration::from_secs(1) > ms(0));
}
