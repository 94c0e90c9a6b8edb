//! The lines that are under way, and up to where all are acked.
//!
//! Pure: time is an argument. Lines are acked in any order; the place moves past a line only when
//! everything before it is acked too.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use tormenta_dsl::text::Line;

use super::place::Place;

/// The wait before a failed line is emitted again: first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(10));

/// Lines under way. One knows them by their numbers, which only grow.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// The number of the first entry.
    first: u64,
    lines: VecDeque<Entry>,
    /// Failed lines by the time at which they are due.
    again: BTreeSet<(Duration, u64)>,
}

#[derive(Debug)]
struct Entry {
    line: Line,
    /// Its end.
    end: Place,
    is_acked: bool,
    fails: u32,
}

impl Open {
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A line is emitted; its number.
    pub(crate) fn emit(&mut self, line: Line, end: Place) -> u64 {
        self.lines.push_back(Entry { line, end, is_acked: false, fails: 0 });
        self.first + self.lines.len() as u64 - 1
    }

    /// A line was acked. The place before which all are, if it moved.
    pub(crate) fn ack(&mut self, number: u64) -> Option<Place> {
        self.entry(number)?.is_acked = true;
        let mut moved = None;
        while self.lines.front().is_some_and(|entry| entry.is_acked) {
            self.first += 1;
            moved = self.lines.pop_front().map(|entry| entry.end);
        }
        moved
    }

    /// A line failed. It is due again after a while.
    pub(crate) fn fail(&mut self, number: u64, now: Duration) {
        let Some(entry) = self.entry(number) else { return };
        let wait = BACKOFF.0.saturating_mul(1 << entry.fails.min(20)).min(BACKOFF.1);
        entry.fails += 1;
        self.again.insert((now + wait, number));
    }

    /// Whether a line has failed before.
    pub(crate) fn has_failed(&self, number: u64) -> bool {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.lines.get(index)).is_some_and(|entry| entry.fails > 0)
    }

    /// When the next failed line is due.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.again.first().map(|(due, _)| *due)
    }

    /// A failed line that is due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<(Line, u64)> {
        let (due, number) = *self.again.first()?;
        if due > now {
            return None;
        }
        self.again.pop_first();
        let line = self.entry(number)?.line.clone();
        Some((line, number))
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.lines.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn place(offset: u64) -> Place {
        Place { offset, ..Place::default() }
    }

    quickcheck! {
        /// In whatever order lines are acked, the place is the end of the longest acked beginning.
        fn the_place_is_the_acked_prefix(order: Vec<u8>) -> bool {
            let mut open = Open::default();
            let mut acked = [false; 40];
            let numbers: Vec<u64> = (0..40).map(|n| open.emit(Line::new("x"), place(n))).collect();
            let mut reached = None;
            order.into_iter().map(|n| usize::from(n % 40)).all(|index| {
                if let Some(moved) = open.ack(numbers[index]) {
                    reached = Some(moved.offset);
                }
                acked[index] = true;
                let prefix = acked.iter().take_while(|acked| **acked).count() as u64;
                reached == prefix.checked_sub(1) && open.len() as u64 == 40 - prefix
            })
        }
    }

    #[test]
    fn failed_lines_come_again_later_each_time() {
        let mut open = Open::default();
        let number = open.emit(Line::new("x"), place(1));
        let mut now = Duration::ZERO;
        for wait_ms in [10, 20, 40] {
            open.fail(number, now);
            assert_eq!(open.due(), Some(now + Duration::from_millis(wait_ms)));
            assert_eq!(open.take_due(now), None);
            now += Duration::from_millis(wait_ms);
            assert_eq!(open.take_due(now).map(|(_, again)| again), Some(number));
            assert_eq!(open.take_due(now), None);
        }
        assert_eq!(open.ack(number), Some(place(1)));
        open.fail(number, now);
        assert_eq!((open.due(), open.ack(number), open.ack(99)), (None, None, None));
    }
}
