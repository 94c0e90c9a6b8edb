//! Tuples of two streams in, pairs and acks out.

use quickcheck::quickcheck;

use super::*;
use crate::testing::{Bench, HandClock, Settled, block_on, context_at};

type Number = Join<u64, u64, u64>;

struct Test {
    join: Number,
    bench: Bench<Joined<u64, u64>>,
    clock: Arc<HandClock>,
    trees: u64,
}

impl Test {
    fn new(mut join: Number) -> Self {
        let clock = HandClock::new();
        block_on(join.prepare(&context_at(&clock, 0))).expect("prepared");
        Self { join, bench: Bench::new(), clock, trees: 0 }
    }

    fn left(&mut self, n: u64) {
        self.execute(JoinInput::Left(n));
    }

    fn right(&mut self, n: u64) {
        self.execute(JoinInput::Right(n));
    }

    fn execute(&mut self, input: JoinInput<u64, u64>) {
        self.trees += 1;
        block_on(self.join.execute(input, &self.bench.emitter_of(self.trees))).expect("no error");
    }

    fn replay(&mut self, input: JoinInput<u64, u64>) {
        self.trees += 1;
        let out = self.bench.emitter_of_replay(self.trees);
        block_on(self.join.execute(input, &out)).expect("no error");
    }

    fn tick(&mut self, at: u64) {
        self.clock.set(Duration::from_secs(at));
        block_on(self.join.tick(&self.bench.emitter())).expect("no error");
    }

    fn finish(&mut self) {
        block_on(self.join.finish(&self.bench.emitter())).expect("no error");
    }

    fn joined(&self) -> Vec<(Option<u64>, Option<u64>)> {
        self.bench.emitted().into_iter().map(|joined| (joined.left, joined.right)).collect()
    }

    /// The trees that were acked, in order; none has failed.
    fn acked(&self) -> Vec<u64> {
        let settled = self.bench.settled().into_iter();
        let mut acked: Vec<u64> = settled
            .map(|settled| match settled {
                Settled::Acked(tree) => tree,
                failed => panic!("{failed:?}"),
            })
            .collect();
        acked.sort_unstable();
        acked
    }
}

/// Numbers with the same last digit belong together.
fn digit(n: &u64) -> u64 {
    n % 10
}

#[test]
fn everybody_is_held_until_the_bound_has_passed() {
    let mut test = Test::new(Join::inner(digit, digit).within(Duration::from_secs(5)));
    test.left(11);
    test.left(12);
    assert_eq!((test.joined(), test.acked()), (vec![], vec![]));
    test.right(21);
    assert_eq!((test.joined(), test.acked()), (vec![(Some(11), Some(21))], vec![]));
    test.right(31);
    assert_eq!(test.joined()[1..], [(Some(11), Some(31))], "met ones can be met again");
    test.tick(5);
    assert!(test.acked().is_empty());
    test.tick(6);
    assert_eq!(test.acked(), [1, 2, 3, 4], "the time bound of all has passed");
    test.right(22);
    assert_eq!(test.joined().len(), 2, "what is kept is for replays");
}

#[test]
fn who_is_met_is_acked_if_that_is_wanted() {
    let join = Join::inner(digit, digit).within(Duration::from_secs(5)).ack_when_met();
    let mut test = Test::new(join);
    test.left(11);
    test.left(12);
    test.right(21);
    assert_eq!(test.acked(), [1, 3]);
    test.right(31);
    assert_eq!(test.joined()[1..], [(Some(11), Some(31))], "met ones can be met again");
    assert_eq!(test.acked(), [1, 3, 4]);
    test.tick(6);
    assert_eq!(test.acked(), [1, 2, 3, 4]);
}

fn in_event_time() -> Number {
    let time = |n: &u64| (n / 10) as i64;
    Join::full(digit, digit).event_time(time, time).within(Duration::from_millis(5))
}

/// Both of a pair come again when their bound is long over, one after the other.
#[test]
fn late_replays_wait_for_each_other_and_meet_what_is_kept() {
    let mut test = Test::new(in_event_time());
    test.left(101);
    test.right(111);
    test.left(9_002);
    assert_eq!(test.acked(), [1, 2]);
    test.tick(9);
    test.replay(JoinInput::Left(101));
    assert_eq!(test.joined()[1..], [(Some(101), Some(111))], "it is kept for ten seconds");
    test.tick(18);
    test.replay(JoinInput::Left(101));
    assert_eq!(test.joined()[2..], [(Some(101), Some(111))], "and again if somebody asks");
    test.tick(40);
    assert_eq!(test.acked(), [1, 2, 4, 5], "a replay waits for ten seconds");
    assert_eq!(test.join.work.right.len(), 0);
    test.replay(JoinInput::Right(111));
    test.tick(45);
    test.replay(JoinInput::Left(101));
    assert_eq!(test.joined()[3..], [(Some(101), Some(111))], "they wait for each other");
    test.tick(50);
    assert_eq!(test.acked(), [1, 2, 4, 5], "for ten seconds more, since it was asked for");
    test.tick(55);
    assert_eq!(test.acked(), [1, 2, 4, 5, 6, 7]);
    assert_eq!((test.join.work.late.get(), test.join.work.replays.get()), (0, 4));
}

#[test]
fn a_replay_that_nobody_meets_is_alone_when_its_time_is_up() {
    let mut test = Test::new(in_event_time());
    test.left(9_002);
    test.replay(JoinInput::Right(101));
    test.tick(9);
    assert_eq!(test.joined(), []);
    test.tick(10);
    assert_eq!((test.joined(), test.acked()), (vec![(None, Some(101))], vec![2]));
}

#[test]
fn replays_that_wait_are_done_at_the_end() {
    let mut test = Test::new(in_event_time());
    test.left(9_002);
    for replay in [JoinInput::Right(101), JoinInput::Left(203), JoinInput::Right(213)] {
        test.replay(replay);
    }
    test.finish();
    let alone = [(Some(9_002), None), (None, Some(101))];
    assert_eq!(
        (&test.joined()[..1], &test.joined()[1..]),
        (&[(Some(203), Some(213))][..], &alone[..])
    );
    assert_eq!(test.acked(), [1, 2, 3, 4]);
}

#[test]
fn outer_joins_tell_who_met_none() {
    let within = Duration::from_secs(5);
    for (join, alone) in [
        (Join::inner(digit, digit), vec![]),
        (Join::left(digit, digit), vec![(Some(2), None)]),
        (Join::full(digit, digit), vec![(Some(2), None), (None, Some(3))]),
    ] {
        let mut test = Test::new(join.within(within));
        test.left(1);
        test.right(1);
        test.left(2);
        test.right(3);
        test.tick(60);
        assert_eq!(test.joined()[0], (Some(1), Some(1)));
        assert_eq!(test.joined()[1..], alone);
        assert_eq!(test.acked(), [1, 2, 3, 4]);
    }
}

#[test]
fn the_bound_lets_go_of_the_oldest() {
    let mut test = Test::new(Join::left(digit, digit).pending_max(2));
    for n in 1..=3 {
        test.left(n);
    }
    test.right(1);
    assert_eq!(test.joined(), [(Some(1), None), (Some(2), None)]);
    assert_eq!((test.join.work.evicted.get(), test.acked()), (2, vec![1, 2]));
    test.finish();
    assert_eq!(test.joined()[2..], [(Some(3), None)]);
    assert_eq!(test.acked(), [1, 2, 3, 4]);
}

#[test]
fn what_is_only_kept_makes_room_first() {
    let mut test = Test::new(in_event_time().pending_max(3));
    for n in [11, 12, 103, 104] {
        test.left(n);
    }
    assert_eq!((test.join.work.evicted.get(), test.join.work.left.len()), (0, 3));
    test.replay(JoinInput::Left(15));
    assert_eq!(test.joined(), [11, 12].map(|n| (Some(n), None)));
    test.left(106);
    assert_eq!((test.join.work.evicted.get(), test.join.work.left.len()), (1, 3));
    test.left(107);
    assert_eq!((test.join.work.evicted.get(), test.join.work.left.len()), (2, 3));
    assert_eq!(test.joined()[2..], [15, 103].map(|n| (Some(n), None)));
}

#[test]
fn who_comes_after_its_bound_does_not_wait() {
    let time = |n: &u64| (n / 10) as i64;
    let join = Join::full(digit, digit).event_time(time, time).within(Duration::from_millis(5));
    let mut test = Test::new(join);
    test.left(200);
    test.right(140);
    test.right(151);
    assert_eq!(test.joined(), [(None, Some(140))]);
    assert_eq!(test.join.work.late.get(), 1);
    test.left(161);
    assert_eq!(test.joined()[1..], [(Some(161), Some(151))]);
}

#[test]
fn a_clone_holds_nothing_and_dropping_fails_what_waits() {
    let mut test = Test::new(Join::inner(digit, digit));
    test.left(1);
    assert_eq!(test.join.clone().work.left.len(), 0);
    test.join = Join::inner(digit, digit);
    assert_eq!(test.bench.settled(), [Settled::Dropped(1)]);
}

/// Key, time, and a name.
type Event = (u64, i64, u64);

/// Every left one with every right one.
fn naive(left: &[Event], right: &[Event], within: i64) -> Vec<Joined<u64, u64>> {
    let is_pair = |l: &Event, r: &Event| l.0 == r.0 && (l.1 - r.1).abs() <= within;
    let mut joined = Vec::new();
    for l in left {
        let mut others = right.iter().filter(|r| is_pair(l, r)).peekable();
        if others.peek().is_none() {
            joined.push(Joined { left: Some(l.2), right: None });
        }
        joined.extend(others.map(|r| Joined { left: Some(l.2), right: Some(r.2) }));
    }
    let alone = right.iter().filter(|r| !left.iter().any(|l| is_pair(l, r)));
    joined.extend(alone.map(|r| Joined { left: None, right: Some(r.2) }));
    joined.sort_unstable();
    joined
}

quickcheck! {
    /// As long as the disorder is what was said, the result is that of all tuples at once, and
    /// every tuple is acked once.
    fn the_full_join_is_that_of_all(
        steps: Vec<(bool, u8, u8, u8)>, within: u8, disorder: u8
    ) -> bool {
        let (within, disorder) = (u64::from(within % 8), u64::from(disorder % 6));
        // A number is its key, its time and its name.
        let (key, time) = (|n: &u64| n % 4, |n: &u64| ((n >> 8) & 0xffff) as i64);
        let mut test = Test::new(
            Join::full(key, key)
                .event_time(time, time)
                .within(Duration::from_millis(within))
                .disorder(Duration::from_millis(disorder)),
        );
        let (mut left, mut right, mut base) = (Vec::new(), Vec::new(), 0);
        for (index, (is_left, step, jitter, key_of)) in steps.into_iter().enumerate() {
            base += u64::from(step % 4);
            let at = base + u64::from(jitter) % (disorder + 1);
            let n = ((index as u64) << 24) | (at << 8) | u64::from(key_of % 4);
            let event = (key(&n), time(&n), n);
            if is_left {
                left.push(event);
                test.left(n);
            } else {
                right.push(event);
                test.right(n);
            }
        }
        test.finish();
        let mut joined = test.bench.emitted();
        joined.sort_unstable();
        let all: Vec<u64> = (1..=test.trees).collect();
        joined == naive(&left, &right, within as i64) && test.acked() == all
    }
}
