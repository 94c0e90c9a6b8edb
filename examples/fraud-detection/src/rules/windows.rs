//! Velocity: how often and for how much a card was used in the last minute, hour, day.

use serde::{Deserialize, Serialize};

use std::collections::VecDeque;

/// Lengths of the windows, in seconds: 1 min, 10 min, 1 h, 24 h.
pub const SPANS_S: [i64; 4] = [60, 600, 3_600, 86_400];

/// Uses of one card that are remembered. Beyond, the windows say "at least".
pub(super) const USES_MAX: usize = 256;

/// Sliding windows over the uses of one card.
///
/// Each window holds the uses in `(now - span, now]`. All four share one list: a window is the
/// number of uses at its end, which moves forward as time does, so a use costs a constant number
/// of steps however many there were.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Windows {
    /// Time and cents, oldest first. Times never fall.
    uses: VecDeque<(i64, u64)>,
    counts: [u32; 4],
    sums: [u64; 4],
}

impl Windows {
    /// Adds a use. `time` must not be before the last one: the card has clamped it.
    pub fn add(&mut self, time: i64, cents: u64) {
        if self.uses.len() == USES_MAX {
            self.drop_oldest();
        }
        self.uses.push_back((time, cents));
        for (index, span) in SPANS_S.into_iter().enumerate() {
            self.counts[index] += 1;
            self.sums[index] = self.sums[index].saturating_add(cents);
            self.shrink(index, time.saturating_sub(span));
        }
        while self.uses.len() > self.counts[3] as usize {
            self.uses.pop_front();
        }
    }

    /// Uses in each window.
    #[must_use]
    pub fn counts(&self) -> [u32; 4] {
        self.counts
    }

    /// Cents in each window.
    #[must_use]
    pub fn sums(&self) -> [u64; 4] {
        self.sums
    }

    /// Lets go of what is not after `limit`.
    fn shrink(&mut self, index: usize, limit: i64) {
        while self.counts[index] > 0 {
            let oldest = self.uses.len() - self.counts[index] as usize;
            let (time, cents) = self.uses[oldest];
            if time > limit {
                break;
            }
            self.counts[index] -= 1;
            self.sums[index] = self.sums[index].saturating_sub(cents);
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, cents)) = self.uses.pop_front() else { return };
        for index in 0..SPANS_S.len() {
            if self.counts[index] as usize > self.uses.len() {
                self.counts[index] -= 1;
                self.sums[index] = self.sums[index].saturating_sub(cents);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// By looking at all uses every time.
        fn windows_agree_with_a_naive_count(gaps: Vec<(u16, u16, bool)>) -> bool {
            let (mut windows, mut uses, mut now) = (Windows::default(), Vec::new(), 1_000_000i64);
            gaps.into_iter().all(|(gap, cents, far)| {
                now += i64::from(gap) % if far { 50_000 } else { 90 };
                windows.add(now, u64::from(cents));
                uses.push((now, u64::from(cents)));
                let known = &uses[uses.len().saturating_sub(USES_MAX)..];
                SPANS_S.iter().enumerate().all(|(index, span)| {
                    let inside = || known.iter().filter(|(time, _)| *time > now - span);
                    let sum: u64 = inside().map(|(_, cents)| cents).sum();
                    windows.counts()[index] as usize == inside().count()
                        && windows.sums()[index] == sum
                })
            })
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut windows = Windows::default();
        (0..10_000).for_each(|_| windows.add(5, 2));
        assert_eq!((windows.uses.len(), windows.counts()), (USES_MAX, [USES_MAX as u32; 4]));
        assert_eq!(windows.sums(), [2 * USES_MAX as u64; 4]);
    }
}
