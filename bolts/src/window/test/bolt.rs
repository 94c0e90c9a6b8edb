//! The bolt around the windows: late tuples, holds, aggregates.

use super::super::{Count, Max, Mean, Min, Top, WindowOutput, Windowed, Windows};
use super::*;
use crate::testing::{Bench, Settled, block_on, context};
use std::time::Duration;
use tormenta_dsl::Bolt;

type Out<V> = WindowOutput<i64, V, i64>;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Time and key are digits of the number: `time * 10 + key`.
fn time(n: &i64) -> i64 {
    n / 10
}

fn key(n: &i64) -> i64 {
    n % 10
}

fn result<V>(key: i64, start: i64, end: i64, firing: Firing, value: V) -> Windowed<i64, V> {
    Windowed { key, start, end, firing, value }
}

#[test]
fn a_tuple_is_held_until_no_window_needs_it() {
    let windows = Windows::tumbling(ms(10)).event_time(time).by(key).lateness(ms(5));
    let (mut bolt, bench) = (windows.aggregate(Count::new()), OutBench::<u64>::new());
    block_on(bolt.prepare(&context(0, 1))).expect("prepared");
    let mut send = |tuple: i64, tree| {
        block_on(bolt.execute(tuple, &bench.0.emitter_of(tree))).expect("no error");
    };
    send(11, 1);
    send(52, 2);
    assert!(bench.0.settled().is_empty());
    send(101, 3); // fires the first window
    assert_eq!(bench.0.settled(), [], "the lateness is not over");
    send(91, 4); // late, but in time to fire again
    send(151, 5);
    assert_eq!(bench.0.settled(), [Settled::Acked(1)], "one set for all of the window");
    send(61, 6); // too late
    let on_time = [
        result(1, 0, 10, Firing::OnTime, 1),
        result(2, 0, 10, Firing::OnTime, 1),
        result(1, 0, 10, Firing::Late, 2),
    ];
    let (mut results, late) = bench.taken();
    results[..2].sort_by_key(|result| result.key);
    assert_eq!(results, on_time);
    assert_eq!(late, [61]);
    block_on(bolt.finish(&bench.0.emitter())).expect("no error");
    assert_eq!(bench.taken().0[3..], [result(1, 10, 20, Firing::OnTime, 2)]);
    drop(bolt);
    assert_eq!(bench.0.settled(), [Settled::Acked(1), Settled::Acked(3)]);
}

#[test]
fn what_is_held_fails_with_its_task() {
    let windows = Windows::session(ms(10)).event_time(time).by(key);
    let (mut bolt, bench) = (windows.aggregate(Count::new()), OutBench::<u64>::new());
    block_on(bolt.prepare(&context(0, 1))).expect("prepared");
    block_on(bolt.execute(11, &bench.0.emitter_of(1))).expect("no error");
    drop(bolt);
    assert_eq!(bench.0.settled(), [Settled::Dropped(1)]);
}

#[test]
fn aggregates_are_exact() {
    let aggregate = (
        (Count::<i64>::new(), Sum::of(|n: &i64| *n)),
        (Min::of(|n: &i64| *n), Max::of(|n: &i64| *n)),
        Mean::of(|n: &i64| *n),
        Top::of(2, |n: &i64| n % 3),
    );
    let (mut one, mut other) = (aggregate.first(&i64::MAX), aggregate.first(&4));
    aggregate.combine(&mut one, &i64::MAX);
    aggregate.combine(&mut other, &5);
    aggregate.combine(&mut other, &-i64::MAX);
    aggregate.combine(&mut other, &-i64::MAX);
    aggregate.merge(&mut one, other);
    let ((count, sum), extremes, mean, top) = aggregate.result(&one);
    assert_eq!((count, sum, extremes), (6, 9, (-i64::MAX, i64::MAX)));
    assert_eq!((mean, top), (1.5, vec![(1, 3), (-1, 2)]));
    let sum = Sum::of(|n: &i64| *n);
    let mut most = sum.first(&i64::MAX);
    sum.combine(&mut most, &1);
    assert_eq!(sum.result(&most), i64::MAX, "the largest that fits");
}

#[test]
fn nonsense_is_refused_before_it_runs() {
    let windows = Windows::sliding(ms(5), ms(9)).event_time(time).by(key);
    let mut bolt = windows.aggregate(Count::new());
    let error = block_on(bolt.prepare(&context(0, 1))).expect_err("refused");
    assert_eq!(error.to_string(), "windows of 5 ms every 9 leave gaps: at most every 5");
    let mut bolt = Windows::tumbling(ms(5)).event_time(|n: &i64| *n).aggregate(Count::new());
    let bench = Bench::<WindowOutput<(), u64, i64>>::staging();
    let error = block_on(bolt.execute(i64::MAX, &bench.emitter())).expect_err("refused");
    assert!(error.is_poison(), "{error}");
}

/// A bench that tells the two streams apart.
struct OutBench<V>(Bench<Out<V>>)
where
    V: Clone + Send + serde::Serialize + serde::de::DeserializeOwned + 'static;

impl OutBench<u64> {
    fn new() -> Self {
        Self(Bench::staging())
    }

    fn taken(&self) -> (Vec<Windowed<i64, u64>>, Vec<i64>) {
        let (mut results, mut late) = (Vec::new(), Vec::new());
        for output in self.0.staged() {
            match output {
                WindowOutput::Results(result) => results.push(result),
                WindowOutput::Late(tuple) => late.push(tuple),
            }
        }
        (results, late)
    }
}
