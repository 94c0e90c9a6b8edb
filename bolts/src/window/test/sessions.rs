//! Session windows.

use quickcheck::{TestResult, quickcheck};

use super::*;
use crate::window::{
    machine::{Lengths, Machine},
    sessions::Sessions,
};

/// All tuples that were not late. Sessions are computed from them, and are known by their bounds.
struct Oracle {
    gap: i64,
    lateness: i64,
    watermark: i64,
    /// Time, key, number.
    tuples: Vec<(i64, u8, i64)>,
    /// Key, start and end of what has fired, as it was then.
    fired: Vec<(u8, i64, i64)>,
}

impl Oracle {
    /// Start, end and numbers of the sessions of a key that are not final.
    fn sessions(&self, key: u8) -> Vec<(i64, i64, Vec<i64>)> {
        let times = sorted(self.tuples.iter().filter(|t| t.1 == key).map(|t| (t.0, t.2)));
        let mut sessions: Vec<(i64, i64, Vec<i64>)> = Vec::new();
        for (time, n) in times {
            match sessions.last_mut().filter(|last| time < last.1) {
                Some(last) => {
                    last.1 = time + self.gap;
                    last.2.push(n);
                }
                None => sessions.push((time, time + self.gap, vec![n])),
            }
        }
        sessions
    }

    fn add(&mut self, time: i64, key: u8, n: i64) -> (bool, Vec<Told>) {
        let joins = |s: &(i64, i64, Vec<i64>)| s.0 < time + self.gap && time < s.1;
        let is_late = time + self.gap + self.lateness <= self.watermark;
        if is_late && !self.sessions(key).iter().any(joins) {
            return (false, Vec::new());
        }
        self.tuples.push((time, key, n));
        let all = self.sessions(key);
        let (start, end, numbers) = all.into_iter().find(|s| s.2.contains(&n)).expect("its own");
        if end > self.watermark {
            return (true, Vec::new());
        }
        self.fired.push((key, start, end));
        (true, vec![(key, start, end, true, numbers.iter().sum())])
    }

    fn advance(&mut self, watermark: i64) -> (Vec<Told>, Vec<i64>) {
        self.watermark = watermark.max(self.watermark);
        let (mut told, mut done) = (Vec::new(), Vec::new());
        for key in 0..3 {
            for (start, end, numbers) in self.sessions(key) {
                let session = (key, start, end);
                if end <= self.watermark && !self.fired.contains(&session) {
                    self.fired.push(session);
                    told.push((key, start, end, false, numbers.iter().sum()));
                }
                if end + self.lateness <= self.watermark {
                    self.tuples.retain(|(_, _, n)| !numbers.contains(n));
                    self.fired.retain(|fired| *fired != session);
                    done.extend(numbers);
                }
            }
        }
        (sorted(told), sorted(done))
    }
}

quickcheck! {
    fn sessions_are_as_the_list_says(
        gap: u8, lateness: u8, events: Vec<(u8, i8, bool)>
    ) -> TestResult {
        let (gap, lateness) = (i64::from(gap % 40) + 1, i64::from(lateness % 80));
        let lengths = Lengths { width: gap, slide: gap, unit: "ms", lateness };
        let mut sessions = Sessions::<u8, _, Vec<i64>>::start(sum(), &lengths);
        let (tuples, fired) = (Vec::new(), Vec::new());
        let mut oracle = Oracle { gap, lateness, watermark: -1_000, tuples, fired };
        let (mut now, mut fired, mut done) = (0, Vec::new(), Vec::new());
        for (n, (key, step, moves)) in (1..).zip(events) {
            let (time, key) = (now + i64::from(step / 2), key % 3);
            let expected = oracle.add(time, key, n);
            let taken = sessions.add(time, key, &n, &mut fired, &mut done);
            let is_taken = taken.map(|kept| kept.push(n)).is_some();
            let seen = (is_taken, told::<Sum<fn(&i64) -> i64, i64>>(&mut fired));
            if seen != expected {
                return TestResult::error(format!("{n} at {time}: {seen:?} not {expected:?}"));
            }
            if moves {
                now += i64::from(step.unsigned_abs());
                let watermark = now.max(oracle.watermark);
                if watermark >= sessions.due() || step % 2 == 0 {
                    sessions.advance(watermark, &mut fired, &mut done);
                    let told = told::<Sum<fn(&i64) -> i64, i64>>(&mut fired);
                    let seen = (told, sorted(done.drain(..).flatten()));
                    let expected = oracle.advance(watermark);
                    if seen != expected {
                        let message = format!("at {watermark}: {seen:?} not {expected:?}");
                        return TestResult::error(message);
                    }
                }
            }
        }
        sessions.finish(&mut fired, &mut done);
        let all = told::<Sum<fn(&i64) -> i64, i64>>(&mut fired);
        let (expected, kept) = oracle.advance(1 << 40);
        TestResult::from_bool(all == expected && sorted(done.into_iter().flatten()) == kept)
    }
}
