//! W4: events per key and second of event time, counted.
//!
//! Event `i` has the key `(i * 2654435761 mod 2^32) mod 1000` and the time `i / 1000` ms, where `i`
//! counts the events of all source tasks together.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tormenta::{
    Topology,
    bolts::window::{Count, Windowed, Windows, seconds},
    prelude::*,
};

use super::workload::{Checks, Numbers};

const KEYS: u32 = 1_000;
const EVENTS_PER_MS: u64 = 1_000;
const WINDOW_MS: u64 = 1_000;

/// Trees of one source task that may be pending: all that two windows hold.
const PENDING_MAX: usize = 2_000_000;

/// An event.
#[derive(Tuple, Clone, Copy, Serialize, Deserialize)]
struct Event {
    key: u32,
    time: i64,
}

impl Event {
    #[inline]
    fn number(i: u64) -> Self {
        let key = (i as u32).wrapping_mul(2_654_435_761) % KEYS;
        Self { key, time: (i / EVENTS_PER_MS) as i64 }
    }
}

/// Emits the share of one task of all events.
#[derive(Clone)]
struct Events {
    numbers: Numbers,
    next: u64,
    tasks: u64,
}

impl Spout for Events {
    type Output = Event;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        (self.next, self.tasks) = (cx.task() as u64, cx.tasks() as u64);
        self.numbers.prepare(cx).await
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Event, u64)>> {
        let Some((_, id)) = self.numbers.next().await? else { return Ok(None) };
        let event = Event::number(self.next);
        self.next += self.tasks;
        Ok(Some((event, id)))
    }

    #[inline]
    fn acked(&mut self, id: u64) {
        self.numbers.acked(id);
    }
}

/// What the events of every source task must amount to, and what the windows did.
#[derive(Default)]
pub(super) struct WindowChecks {
    /// Number of the event that would have been next, and number of tasks.
    sources: Mutex<Vec<(u64, u64)>>,
    counted_sum: AtomicU64,
}

impl Drop for Events {
    fn drop(&mut self) {
        let checks = self.numbers.checks();
        let mut sources = checks.windows.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.extend((self.tasks > 0).then_some((self.next, self.tasks)));
    }
}

/// Adds up the counts; each counts more in a later window and with a larger key.
#[derive(Clone)]
struct Counted {
    checks: Arc<Checks>,
    count: u64,
    sum: u64,
}

fn weight(key: u32, second: u64) -> u64 {
    (u64::from(key) + 1) * (second + 1)
}

impl Bolt for Counted {
    type Input = Windowed<u32, u64>;
    type Output = ();

    #[inline]
    async fn execute(&mut self, window: Windowed<u32, u64>, _out: &Emitter<()>) -> Result {
        self.count += window.value;
        let second = window.start as u64 / WINDOW_MS;
        self.sum = self.sum.wrapping_add(window.value * weight(window.key, second));
        Ok(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.checks.windows.counted_sum.fetch_add(self.sum, Ordering::Relaxed);
        self.checks.sunk.fetch_add(self.count, Ordering::Relaxed);
    }
}

impl WindowChecks {
    /// Whether every event is in the window of its key, once.
    pub(super) fn verify(&self) -> Result<(), String> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut expected = 0u64;
        for (end, tasks) in sources.iter() {
            for i in (end % tasks..*end).step_by(*tasks as usize) {
                let Event { key, time } = Event::number(i);
                expected = expected.wrapping_add(weight(key, time as u64 / WINDOW_MS));
            }
        }
        if self.counted_sum.load(Ordering::Relaxed) == expected {
            Ok(())
        } else {
            Err("the checksum of the windows is wrong".to_owned())
        }
    }
}

/// Source, windows, sink: in one loop, or with a hand-over before the windows.
pub(super) fn topology(numbers: Numbers, handover: bool, acked: bool) -> Topology {
    let checks = numbers.checks();
    let mut t = Topology::new("w4");
    let events = t.spout("events", Events { numbers, next: 0, tasks: 0 });
    let events = events.pending_max(PENDING_MAX);
    let events = if acked { events } else { events.untracked() };
    let windows = Windows::tumbling(seconds(1))
        .event_time(|event: &Event| event.time)
        .by(|event: &Event| event.key)
        .aggregate(Count::new());
    let windows = t.bolt("per_second", windows, events.by(|event| &event.key)).fuse(!handover);
    let counted = Counted { checks, count: 0, sum: 0 };
    t.bolt("sum", counted, windows.results.shuffle());
    t
}
