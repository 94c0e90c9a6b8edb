//! Tumbling and sliding windows.

use quickcheck::{TestResult, quickcheck};

use super::*;
use crate::window::{
    machine::{Lengths, Machine},
    panes::Panes,
};

/// All tuples that were not late, with their number.
struct Oracle {
    lengths: Lengths,
    watermark: i64,
    tuples: Vec<(i64, u8, i64)>,
    /// Those that some window still needs.
    kept: Vec<i64>,
}

impl Oracle {
    /// Starts of all windows that a moment is in.
    fn windows(&self, time: i64) -> Vec<i64> {
        let Lengths { width, slide, .. } = self.lengths;
        let near = (time - width) / slide - 2..=time / slide + 2;
        near.map(|n| n * slide).filter(|start| *start <= time && time < start + width).collect()
    }

    fn is_final(&self, time: i64) -> bool {
        let last = self.windows(time).into_iter().max().expect("no gaps") + self.lengths.width;
        last + self.lengths.lateness <= self.watermark
    }

    fn sum(&self, key: u8, start: i64) -> i64 {
        let inside = |time: i64| start <= time && time < start + self.lengths.width;
        let tuples = self.tuples.iter().filter(|(time, k, _)| *k == key && inside(*time));
        tuples.map(|(_, _, n)| n).sum()
    }

    /// Whether it was in time, and the windows it fired again.
    fn add(&mut self, time: i64, key: u8, n: i64) -> (bool, Vec<Told>) {
        if self.is_final(time) {
            return (false, Vec::new());
        }
        self.tuples.push((time, key, n));
        self.kept.push(n);
        let ends = self.windows(time).into_iter().map(|start| (start, start + self.lengths.width));
        let lateness = self.lengths.lateness;
        let again =
            ends.filter(|(_, end)| *end <= self.watermark && end + lateness > self.watermark);
        (true, sorted(again.map(|(start, end)| (key, start, end, true, self.sum(key, start)))))
    }

    fn advance(&mut self, watermark: i64) -> (Vec<Told>, Vec<i64>) {
        let passed = self.watermark..watermark;
        let mut fired = Vec::new();
        for (time, key, _) in &self.tuples {
            for start in self.windows(*time) {
                let end = start + self.lengths.width;
                if passed.start < end && end <= passed.end {
                    fired.push((*key, start, end, false, self.sum(*key, start)));
                }
            }
        }
        self.watermark = watermark.max(self.watermark);
        fired.sort_unstable();
        fired.dedup();
        let times: std::collections::BTreeMap<i64, i64> =
            self.tuples.iter().map(|(time, _, n)| (*n, *time)).collect();
        let kept = std::mem::take(&mut self.kept).into_iter();
        let (done, kept): (Vec<_>, _) = kept.partition(|n| self.is_final(times[n]));
        self.kept = kept;
        (fired, sorted::<i64>(done))
    }
}

fn agrees(lengths: Lengths, events: Vec<(u8, i8, bool)>) -> TestResult {
    let mut panes = Panes::<u8, _, Vec<i64>>::start(sum(), &lengths);
    let (watermark, tuples, kept) = (-1_000, Vec::new(), Vec::new());
    let mut oracle = Oracle { lengths, watermark, tuples, kept };
    let (mut now, mut fired, mut done) = (0, Vec::new(), Vec::new());
    for (n, (key, step, moves)) in (1..).zip(events) {
        let time = now + i64::from(step);
        let expected = oracle.add(time, key % 3, n);
        let taken = panes.add(time, key % 3, &n, &mut fired, &mut done);
        let is_taken = taken.map(|kept| kept.push(n)).is_some();
        let seen = (is_taken, told::<super::super::Sum<fn(&i64) -> i64, i64>>(&mut fired));
        if seen != expected {
            return TestResult::error(format!("tuple {n} at {time}: {seen:?} not {expected:?}"));
        }
        if moves {
            now += i64::from(step.unsigned_abs());
            let watermark = (now - i64::from(key / 4)).max(oracle.watermark);
            panes.advance(watermark, &mut fired, &mut done);
            let seen = (
                told::<super::super::Sum<fn(&i64) -> i64, i64>>(&mut fired),
                sorted(done.drain(..).flatten()),
            );
            let expected = oracle.advance(watermark);
            if seen != expected {
                let message = format!("watermark {watermark}: {seen:?} not {expected:?}");
                return TestResult::error(message);
            }
        }
    }
    panes.finish(&mut fired, &mut done);
    let all = told::<super::super::Sum<fn(&i64) -> i64, i64>>(&mut fired);
    let (expected, kept) = oracle.advance(1 << 40);
    TestResult::from_bool(all == expected && sorted(done.into_iter().flatten()) == kept)
}

quickcheck! {
    fn tumbling_is_as_the_list_says(
        width: u8, lateness: u8, events: Vec<(u8, i8, bool)>
    ) -> TestResult {
        let width = i64::from(width % 60) + 1;
        let lateness = i64::from(lateness % 80);
        agrees(Lengths { width, slide: width, unit: "ms", lateness }, events)
    }

    fn sliding_is_as_the_list_says(
        width: u8, slide: u8, lateness: u8, events: Vec<(u8, i8, bool)>
    ) -> TestResult {
        let width = i64::from(width % 60) + 1;
        let slide = i64::from(slide) % width + 1;
        let lateness = i64::from(lateness % 80);
        agrees(Lengths { width, slide, unit: "ms", lateness }, events)
    }
}

#[test]
fn lengths_that_make_no_sense_are_named() {
    let check = |width, slide| Lengths { width, slide, unit: "ms", lateness: 0 }.check();
    assert_eq!(check(0, 0), Err("windows of 0 ms every 0: at least 1 ms".into()));
    let gaps = "windows of 5 ms every 9 leave gaps: at most every 5";
    assert_eq!(check(5, 9), Err(gaps.into()));
    assert!(check(9, 5).is_ok() && check(i64::MAX, 1).is_err());
}
