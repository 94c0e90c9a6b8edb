//! Replays that come late: what an undisturbed run tells is told, whatever fails and when.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tormenta::{
    LocalCluster, Simulation, Topology,
    bolts::{Join, JoinInput, Joined, RateLimit, Sample, TopN, func},
    prelude::*,
    testkit::{Capture, Feed},
};

use crate::support::*;

/// Numbers that look random.
fn dice(seed: u64) -> impl FnMut() -> u64 + Clone + Send {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }
}

/// Keeps what it reads, but fails one in four of it as long as it may, and until all is `calm`:
/// what fails when the bolts before have finished cannot come again.
fn flaky<T: Tuple>(
    seed: u64,
    fails_max: u32,
    calm: &Seen<()>,
) -> (impl Bolt<Input = T, Output = T> + use<T>, Seen<T>) {
    let (kept, mut dice, mut fails) = (Seen::default(), dice(seed), fails_max);
    let (seen, calm) = (kept.clone(), calm.clone());
    let sink = func(async move |tuple: T, out: &Emitter<T>| {
        if fails > 0 && calm.len() == 0 && dice().is_multiple_of(4) {
            fails -= 1;
            return Err(Error::msg("not now"));
        }
        kept.add(tuple.clone());
        out.emit(tuple).await
    });
    (sink, seen)
}

fn simulation(seed: u64) -> Simulation {
    let mut simulation = Simulation::new(seed);
    simulation.fuse = seed.is_multiple_of(2);
    simulation.batch_tuples = [1, 8, 512][seed as usize % 3];
    simulation
}

fn patient() -> Retry {
    Retry { attempts_max: 1_000, backoff_min: ms(3), backoff_max: ms(400) }
}

/// A tuple of the joins: its key, its time, and the number that it is.
type Event = JoinInput<u64, u64>;

fn key(n: &u64) -> u64 {
    n % 4
}

fn time(n: &u64) -> i64 {
    ((n >> 8) & 0xffff) as i64
}

const WITHIN_MS: u64 = 6;

/// Events in order of their times.
fn events(seed: u64) -> Vec<Event> {
    let (mut dice, mut at) = (dice(seed ^ 7), 0);
    let event = |index: u64| {
        at += dice() % 4;
        let n = (index << 24) | (at << 8) | (dice() % 4);
        if dice().is_multiple_of(2) { JoinInput::Left(n) } else { JoinInput::Right(n) }
    };
    (0..400).map(event).collect()
}

/// What the join must tell: by trying all pairs.
fn all_pairs(events: &[Event]) -> BTreeSet<Joined<u64, u64>> {
    let of = |is_left: bool| {
        events.iter().filter_map(move |event| match event {
            JoinInput::Left(n) if is_left => Some(*n),
            JoinInput::Right(n) if !is_left => Some(*n),
            _ => None,
        })
    };
    let is_pair = |l: u64, r: u64| key(&l) == key(&r) && time(&l).abs_diff(time(&r)) <= WITHIN_MS;
    let mut joined = BTreeSet::new();
    for l in of(true) {
        joined.extend(of(false).filter(|r| is_pair(l, *r)).map(|r| (Some(l), Some(r))));
    }
    let met: BTreeSet<u64> = joined.iter().flat_map(|(l, r)| [*l, *r]).flatten().collect();
    joined.extend(of(true).filter(|n| !met.contains(n)).map(|n| (Some(n), None)));
    joined.extend(of(false).filter(|n| !met.contains(n)).map(|n| (None, Some(n))));
    joined.into_iter().map(|(left, right)| Joined { left, right }).collect()
}

/// What fails on the way of a join.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Trouble {
    Nothing,
    /// Pairs, behind the join.
    Behind,
    /// Pairs behind it, and tuples in front of it.
    Around,
    /// Pairs behind it, and the join restarts in the middle of it.
    Restart,
}

type Key = Arc<dyn Fn(&u64) -> u64 + Send + Sync>;

fn full(key: Key) -> Join<u64, u64, u64> {
    let same = key.clone();
    Join::full(move |n| key(n), move |n| same(n))
}

fn inner(key: Key) -> Join<u64, u64, u64> {
    let same = key.clone();
    Join::inner(move |n| key(n), move |n| same(n))
}

/// Lets time pass between the events, so that replays come late.
fn feed_slowly(cluster: &mut LocalCluster, feed: &Feed<Event>, events: &[Event]) {
    for chunk in events.chunks(5) {
        push_all(feed, chunk.iter().cloned());
        cluster.advance(ms(4));
    }
}

/// What becomes of the events, without repeats.
fn joined(
    seed: u64,
    trouble: Trouble,
    join: impl Fn(Key) -> Join<u64, u64, u64>,
) -> BTreeSet<Joined<u64, u64>> {
    let fails = if trouble == Trouble::Nothing { 0 } else { 150 };
    let front = if trouble == Trouble::Around { 60 } else { 0 };
    let (events, feed) = (events(seed), Feed::<Event>::new());
    // A restart forgets those that are kept for tuples which were never here, so one is enough.
    let due = AtomicBool::new(trouble == Trouble::Restart);
    let keyed: Key = Arc::new(move |n| {
        if n >> 24 == 200 && due.swap(false, Ordering::Relaxed) {
            panic!("once");
        }
        key(n)
    });
    // Left and right ones take different ways, so there is some disorder.
    let join = join(keyed).event_time(time, time).within(ms(WITHIN_MS)).disorder(ms(20));
    let mut t = Topology::new("late");
    let source = t.spout("events", feed.spout()).replaying(patient());
    let calm = Seen::default();
    let (left, _) = flaky::<u64>(seed + 1, front, &calm);
    let (right, _) = flaky::<u64>(seed + 2, front, &calm);
    let left = t.bolt("left", left, source.left.by(|n| n));
    let right = t.bolt("right", right, source.right.by(|n| n));
    let by_key = |n: &u64, hasher: &mut tormenta::KeyHasher| {
        hasher.add(&key(n));
    };
    let pairs = t.bolt(
        "join",
        join,
        [left.by_key(by_key).to(JoinInput::Left), right.by_key(by_key).to(JoinInput::Right)],
    );
    let pairs = pairs.tasks(1 + seed as usize % 3);
    let (sink, kept) = flaky(seed, fails, &calm);
    t.bolt("sink", sink, pairs.global());
    let mut cluster = cluster_with(t, simulation(seed));
    feed_slowly(&mut cluster, &feed, &events);
    calm.add(());
    feed.end();
    let summary = run_to_end(cluster);
    let acked: BTreeSet<_> = feed.acked().into_iter().collect();
    assert_eq!(acked.len(), events.len(), "seed {seed}: all are acked in the end");
    if trouble != Trouble::Nothing {
        assert!(of(&summary, "join").counters["replays"] > 20, "seed {seed}");
    }
    kept.all().into_iter().collect()
}

/// Panics with what is lost and what is too much, which is shorter than both.
fn assert_told<T: Ord + std::fmt::Debug>(told: &BTreeSet<T>, expected: &BTreeSet<T>, what: &str) {
    let (lost, more): (Vec<_>, Vec<_>) =
        (expected.difference(told).collect(), told.difference(expected).collect());
    assert!(lost.is_empty() && more.is_empty(), "{what}: lost {lost:?}, too much {more:?}");
}

#[test]
fn a_pair_that_fails_is_joined_again_however_late() {
    for seed in 0..24 {
        let expected = all_pairs(&events(seed));
        let undisturbed = joined(seed, Trouble::Nothing, full);
        assert_told(&undisturbed, &expected, &format!("seed {seed}, undisturbed"));
        let told = joined(seed, Trouble::Behind, full);
        assert_told(&told, &expected, &format!("seed {seed}"));
    }
}

/// Nobody knows that a tuple is still to come, so it may be told that the other one is alone.
#[test]
fn pairs_survive_failures_in_front_of_the_join_and_its_restarts() {
    for (seed, trouble) in
        (0..16).flat_map(|seed| [(seed, Trouble::Around), (seed, Trouble::Restart)])
    {
        let mut expected = all_pairs(&events(seed));
        expected.retain(|joined| joined.left.is_some() && joined.right.is_some());
        let told = joined(seed, trouble, inner);
        assert_told(&told, &expected, &format!("seed {seed}, {trouble:?}"));
    }
}

/// Every pair is told again as long as its tuples are kept, even if they are acked at once.
#[test]
fn with_ack_when_met_a_pair_that_fails_finds_what_is_kept() {
    for seed in 0..12 {
        let expected = all_pairs(&events(seed));
        let told = joined(seed, Trouble::Behind, |key| full(key).ack_when_met());
        assert_told(&told, &expected, &format!("seed {seed}"));
    }
}

#[test]
fn a_sample_is_that_of_an_undisturbed_run() {
    for seed in 0..20 {
        let run = |fails| {
            let mut t = Topology::new("sample");
            let feed = feed_of(0..600u64);
            let all = t.spout("numbers", feed.spout()).replaying(patient());
            let some = t.bolt("some", Sample::every(3), all.by(|n| n)).tasks(2);
            let (sink, kept) = flaky::<u64>(seed, fails, &Seen::default());
            t.bolt("sink", sink, some.global());
            run_to_end(cluster_with(t, simulation(seed)));
            assert_eq!(feed.acked().len(), 600);
            kept.all().into_iter().collect::<BTreeSet<_>>()
        };
        let (undisturbed, told) = (run(0), run(100));
        assert!((199..=202).contains(&undisturbed.len()));
        assert_eq!(told, undisturbed, "seed {seed}");
    }
}

#[test]
fn what_passed_a_limit_gets_through_and_the_rate_is_kept() {
    for seed in 0..20 {
        let passed = Seen::<(u64, u64)>::default();
        let (feed, mut t) = (Feed::<u64>::new(), Topology::new("limit"));
        let all = t.spout("numbers", feed.spout()).replaying(patient());
        let limit = RateLimit::per_second(500).burst(3).or_drop();
        let some = t.bolt("some", limit, all.shuffle());
        let notes = Notes { passed: passed.clone(), cx: None };
        let noted = t.bolt("noted", notes, some.shuffle());
        let (sink, kept) = flaky::<u64>(seed, 60, &Seen::default());
        t.bolt("sink", sink, noted.shuffle());
        let mut cluster = cluster_with(t, simulation(seed));
        for n in 0..300 {
            feed.push(n);
            cluster.advance(ms(1));
        }
        feed.end();
        let summary = run_to_end(cluster);
        let told: BTreeSet<u64> = kept.all().into_iter().collect();
        let passed = passed.all();
        assert_eq!(told, passed.iter().map(|(n, _)| *n).collect(), "seed {seed}");
        let counters = &of(&summary, "some").counters;
        assert!(counters["dropped"] > 50 && counters["replays"] > 20, "{counters:?}");
        for (first, (_, from)) in passed.iter().enumerate() {
            for (more, (_, to)) in passed[first..].iter().enumerate() {
                assert!(more as u64 <= 3 + (to - from) / 2, "seed {seed}: {from} to {to} ms");
            }
        }
    }
}

/// Notes when numbers come.
#[derive(Clone)]
struct Notes {
    passed: Seen<(u64, u64)>,
    cx: Option<Context>,
}

impl Bolt for Notes {
    type Input = u64;
    type Output = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        let now = self.cx.as_ref().expect("it was prepared").now();
        self.passed.add((n, now.as_millis() as u64));
        out.emit(n).await
    }
}

/// Where rankings wait for replays, each of them is that of all tuples of its window.
#[test]
fn a_ranking_counts_replays_that_come_within_its_disorder() {
    const WINDOW_MS: i64 = 200;
    for seed in 0..20 {
        let (feed, ranked, mut t) = (Feed::<u64>::new(), Capture::new(), Topology::new("top"));
        let retry = Retry { attempts_max: 1_000, backoff_min: ms(3), backoff_max: ms(24) };
        let all = t.spout("numbers", feed.spout()).replaying(retry);
        let (front, _) = flaky::<u64>(seed, 80, &Seen::default());
        let front = t.bolt("front", front, all.shuffle());
        let top = TopN::new(3, key)
            .event_time(|n| (n >> 8) as i64)
            .over(ms(WINDOW_MS as u64), 10)
            .disorder(ms(400));
        let top = t.bolt("top", top, front.global()).tick(ms(30));
        t.bolt("ranked", ranked.bolt(), top.shuffle());
        let mut cluster = cluster_with(t, simulation(seed));
        let mut dice = dice(seed);
        let numbers: Vec<u64> = (0..900).map(|at| (at << 8) | (dice() % 100)).collect();
        for n in &numbers {
            feed.push(*n);
            cluster.advance(ms(1));
        }
        feed.end();
        let summary = run_to_end(cluster);
        assert_eq!(
            (of(&summary, "numbers").replayed, of(&summary, "top").counters["late"]),
            (80, 0)
        );
        let rankings = ranked.taken();
        assert!(rankings.len() > 10, "{}", rankings.len());
        for ranking in rankings {
            assert_eq!(ranking.end - ranking.start, WINDOW_MS);
            let in_window = |n: &&u64| (ranking.start..ranking.end).contains(&((**n >> 8) as i64));
            let mut counts = BTreeMap::<u64, u64>::new();
            numbers.iter().filter(in_window).for_each(|n| *counts.entry(key(n)).or_default() += 1);
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
            counts.truncate(3);
            let top: Vec<_> = ranking.top.iter().map(|ranked| (ranked.key, ranked.count)).collect();
            assert_eq!(top, counts, "seed {seed}, the window from {}", ranking.start);
        }
    }
}
