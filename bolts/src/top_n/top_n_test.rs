//! Tuples in, rankings out.

use quickcheck::quickcheck;

use super::*;
use crate::testing::{Bench, HandClock, block_on, context_at};

type Seconds = u64;

struct Test {
    bolt: TopN<u64, u64>,
    bench: Bench<Ranking<u64>>,
    clock: Arc<HandClock>,
}

impl Test {
    fn new(mut bolt: TopN<u64, u64>, task: usize) -> Self {
        let clock = HandClock::new();
        block_on(bolt.prepare(&context_at(&clock, task))).expect("prepared");
        Self { bolt, bench: Bench::new(), clock }
    }

    fn count(&mut self, tuples: &[u64]) {
        for n in tuples {
            block_on(self.bolt.execute(*n, &self.bench.emitter())).expect("counted");
        }
    }

    /// What the tick at this moment emits, if anything.
    fn tick(&mut self, at: Seconds) -> Option<Ranking<u64>> {
        self.clock.set(Duration::from_secs(at));
        let before = self.bench.emitted().len();
        block_on(self.bolt.tick(&self.bench.emitter())).expect("ticked");
        self.bench.emitted().get(before).cloned()
    }
}

fn top(ranking: Option<Ranking<u64>>) -> Option<Vec<(u64, u64)>> {
    ranking.map(|ranking| ranking.top.iter().map(|ranked| (ranked.key, ranked.count)).collect())
}

fn last_three_seconds(n: usize) -> TopN<u64, u64> {
    TopN::new(n, |n| *n).over(Duration::from_secs(3), 3)
}

#[test]
fn the_ranking_is_told_when_it_changes() {
    let mut test = Test::new(last_three_seconds(2), 0);
    assert_eq!(test.tick(0), None, "there is nothing yet");
    test.count(&[7, 5, 7, 9, 5, 1]);
    assert_eq!(top(test.tick(0)), Some(vec![(5, 2), (7, 2)]));
    assert_eq!(test.tick(1), None);
    test.count(&[9]);
    assert_eq!(test.tick(1), None, "9 has 2 as well, but comes after 7");
    test.count(&[9]);
    assert_eq!(top(test.tick(2)), Some(vec![(9, 3), (5, 2)]));
    assert_eq!(top(test.tick(3)), Some(vec![(9, 2)]), "the first second has left");
    let end = test.tick(4).expect("empty again");
    assert_eq!((end.start, end.end, end.top.len()), (2_000, 5_000, 0));
    assert_eq!(test.tick(9), None);
}

#[test]
fn event_time_moves_with_tuples_alone() {
    let bolt = last_three_seconds(3).event_time(|n| (*n as i64) * 100);
    let mut test = Test::new(bolt, 0);
    test.count(&[10, 31, 11, 39]);
    assert_eq!(top(test.tick(100)), Some(vec![(10, 1), (11, 1), (31, 1)]));
    test.count(&[40, 10]);
    assert_eq!(top(test.tick(100)), Some(vec![(31, 1), (39, 1), (40, 1)]));
    assert_eq!(test.bolt.late.get(), 1);
}

#[test]
fn a_ranking_waits_for_those_that_are_behind() {
    let bolt = last_three_seconds(3)
        .event_time(|n| (*n as i64) * 100)
        .disorder(Duration::from_millis(1_500));
    let mut test = Test::new(bolt, 0);
    test.count(&[10, 31, 39, 20]);
    let first = test.tick(0).expect("a ranking");
    assert_eq!((first.start, first.end, top(Some(first))), (-1_000, 2_000, Some(vec![(10, 1)])));
    test.count(&[55, 38, 21]);
    assert_eq!(top(test.tick(0)), Some(vec![(10, 1), (20, 1), (21, 1)]));
    block_on(test.bolt.finish(&test.bench.emitter())).expect("finished");
    let last = test.bench.emitted().pop();
    assert_eq!(last.as_ref().map(|ranking| ranking.end), Some(6_000));
    assert_eq!(top(last), Some(vec![(31, 1), (38, 1), (39, 1)]));
    assert_eq!(test.bolt.late.get(), 0);
    let mut bolt = last_three_seconds(3).disorder(Duration::from_secs(100_001));
    let refused = block_on(bolt.prepare(&context_at(&HandClock::new(), 0)));
    let error = refused.expect_err("refused").to_string();
    assert!(error.contains("a disorder of 100001 slots; make it at most 100000"), "{error}");
}

#[test]
fn a_part_repeats_itself_once_a_slot() {
    let mut test = Test::new(last_three_seconds(2).for_merge(), 3);
    test.count(&[7]);
    assert_eq!(test.tick(0).map(|ranking| ranking.task), Some(3));
    assert_eq!(test.tick(0), None);
    assert_eq!(top(test.tick(1)), Some(vec![(7, 1)]));
}

#[test]
fn a_window_that_is_none_is_refused_by_name() {
    for (window, slots) in [(60, 0), (0, 1), (10, 3), (5, 6)] {
        let mut bolt = TopN::new(1, |n: &u64| *n).over(Duration::from_millis(window), slots);
        let refused = block_on(bolt.prepare(&context_at(&HandClock::new(), 0)));
        let error = refused.expect_err("refused").to_string();
        assert!(error.ends_with("make the window a multiple of its slots, at least 1 ms each"));
    }
}

quickcheck! {
    /// Three tasks and a merger against one task that counts everything.
    fn the_merged_ranking_is_that_of_one_task(steps: Vec<(u8, u8)>, n: u8) -> bool {
        let n = usize::from(n % 5);
        let mut parts = [0, 1, 2].map(|task| Test::new(last_three_seconds(n).for_merge(), task));
        let (mut whole, mut merge) = (Test::new(last_three_seconds(n), 0), MergeTop::new(n));
        let (bench, mut at) = (Bench::new(), 0);
        for (step, key) in steps {
            at += u64::from(step % 2);
            let key = u64::from(key % 9);
            parts[key as usize % 3].clock.set(Duration::from_secs(at));
            whole.clock.set(Duration::from_secs(at));
            parts[key as usize % 3].count(&[key]);
            whole.count(&[key]);
        }
        for ranking in parts.iter_mut().filter_map(|part| part.tick(at)) {
            block_on(merge.execute(ranking, &bench.emitter())).expect("merged");
        }
        block_on(merge.tick(&bench.emitter())).expect("ticked");
        top(bench.emitted().pop()) == top(whole.tick(at))
    }
}

#[test]
fn a_task_that_stayed_behind_counts_no_more() {
    let (mut merge, bench) = (MergeTop::new(5), Bench::new());
    for (task, end, key) in [(0, 3_000, 'a'), (1, 5_000, 'b'), (2, 6_000, 'c')] {
        let top = vec![Ranked { key, count: 1 }];
        let ranking = Ranking { task, start: end - 3_000, end, top };
        block_on(merge.execute(ranking, &bench.emitter())).expect("merged");
    }
    for _ in 0..2 {
        block_on(merge.tick(&bench.emitter())).expect("ticked");
    }
    let keys: Vec<_> = bench.emitted().into_iter().map(|ranking| ranking.top).collect();
    let ranked = |key| Ranked { key, count: 1 };
    assert_eq!(keys, [[ranked('b'), ranked('c')]]);
}
