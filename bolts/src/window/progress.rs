//! How far event time has come. Pure.
//!
//! The watermark says that no tuple before it is expected any more. Every origin (a spout task)
//! makes progress of its own: the largest time seen from it, less the disorder that it may have.
//! The watermark is the smallest progress of all origins that are not idle, and never falls. An
//! origin counts from its first tuple on.

/// The watermark of one task.
#[derive(Debug)]
pub(super) struct Progress {
    disorder: i64,
    origins: Vec<Origin>,
    /// The origin that the last tuple came from: its index, its name, the largest time seen from
    /// it unless it is to be looked at, and whether it was heard of since.
    last: usize,
    last_name: usize,
    last_max: i64,
    is_last_heard: bool,
    watermark: i64,
}

#[derive(Debug)]
struct Origin {
    name: usize,
    /// The largest time; none is larger than what can be seen while it is idle.
    max: i64,
    is_idle: bool,
    /// Whether it was heard of since the last look, and when that look was.
    is_heard: bool,
    heard_ms: i64,
}

/// Before any event.
pub(super) const BEGINNING: i64 = i64::MIN;

impl Progress {
    pub(super) fn new(disorder: i64) -> Self {
        Self {
            disorder,
            origins: Vec::new(),
            last: 0,
            last_name: 0,
            last_max: BEGINNING,
            is_last_heard: false,
            watermark: BEGINNING,
        }
    }

    /// A tuple of this time came. Returns the watermark if it may have changed.
    #[inline]
    pub(super) fn observe(&mut self, origin: usize, time: i64) -> Option<i64> {
        if origin == self.last_name && time <= self.last_max {
            self.is_last_heard = true;
            return None;
        }
        self.observe_news(origin, time)
    }

    #[inline(never)]
    fn observe_news(&mut self, name: usize, time: i64) -> Option<i64> {
        self.note_heard();
        if self.origins.get(self.last).is_none_or(|last| last.name != name) {
            let known = self.origins.iter().position(|origin| origin.name == name);
            self.last = known.unwrap_or_else(|| {
                let (is_idle, is_heard) = (false, true);
                self.origins.push(Origin {
                    name,
                    max: time,
                    is_idle,
                    is_heard,
                    heard_ms: i64::MIN,
                });
                self.origins.len() - 1
            });
        }
        let origin = &mut self.origins[self.last];
        origin.max = origin.max.max(time);
        (origin.is_idle, origin.is_heard) = (false, true);
        (self.last_name, self.last_max) = (name, origin.max);
        self.raise()
    }

    fn note_heard(&mut self) {
        if std::mem::take(&mut self.is_last_heard) {
            self.origins[self.last].is_heard = true;
        }
    }

    fn raise(&mut self) -> Option<i64> {
        let busy = self.origins.iter().filter(|origin| !origin.is_idle);
        let slowest = busy.map(|origin| origin.max).min()?;
        let watermark = slowest.saturating_sub(self.disorder);
        if watermark <= self.watermark {
            return None;
        }
        self.watermark = watermark;
        Some(watermark)
    }

    /// Looks who was silent for `idle_ms`, at a time that only grows. Returns the watermark if it
    /// has changed.
    pub(super) fn look(&mut self, now_ms: i64, idle_ms: i64) -> Option<i64> {
        self.note_heard();
        self.last_max = BEGINNING; // who is idle now must be looked at when it comes back
        for origin in &mut self.origins {
            if std::mem::take(&mut origin.is_heard) || origin.heard_ms == i64::MIN {
                origin.heard_ms = now_ms;
            } else if now_ms.saturating_sub(origin.heard_ms) >= idle_ms {
                origin.is_idle = true;
            }
        }
        self.raise()
    }

    /// Whether tuples have come, and none come any more.
    pub(super) fn is_idle(&self) -> bool {
        !self.origins.is_empty() && self.origins.iter().all(|origin| origin.is_idle)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// The smallest of the largest, less the disorder, and never less than before.
        fn the_watermark_is_the_least_progress(events: Vec<(u8, i16)>, disorder: u8) -> bool {
            let (mut progress, mut max) = (Progress::new(disorder.into()), BTreeMap::new());
            let mut watermark = BEGINNING;
            events.into_iter().all(|(origin, time)| {
                let (origin, time) = (usize::from(origin % 3), i64::from(time));
                let told = progress.observe(origin, time);
                let largest = max.entry(origin).or_insert(time);
                *largest = time.max(*largest);
                let least = max.values().min().copied().unwrap_or(BEGINNING);
                let expected = watermark.max(least - i64::from(disorder));
                let is_news = expected > watermark;
                watermark = expected;
                told == is_news.then_some(expected)
            })
        }
    }

    #[test]
    fn who_is_idle_holds_nobody_back() {
        let mut progress = Progress::new(5);
        assert_eq!(progress.observe(1, 100), Some(95));
        assert_eq!(progress.observe(2, 20), None, "the watermark never falls");
        assert_eq!(progress.observe(1, 200), None, "the second is behind");
        assert_eq!(progress.look(1_000, 50), None);
        assert_eq!(progress.observe(1, 300), None);
        assert_eq!(progress.look(1_050, 50), Some(295), "the second was silent");
        assert_eq!(progress.observe(2, 150), None, "and is back, behind the watermark");
        assert_eq!(progress.observe(1, 400), None);
        assert_eq!(progress.observe(2, 390), Some(385));
        assert!(!progress.is_idle());
        progress.look(2_000, 50);
        progress.look(3_000, 50);
        assert!(progress.is_idle());
    }
}
