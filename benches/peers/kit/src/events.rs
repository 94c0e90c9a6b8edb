//! The events of W4, and what their windows must amount to.

/// Width of a window, in milliseconds of event time.
pub const WINDOW_MS: u64 = 1000;
/// Events in a millisecond of event time, over all sources.
pub const EVENTS_PER_MS: u64 = 1000;
const KEYS: u32 = 1000;

/// The part of all events that one source emits: `index`, `index + sources`, ..
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Number of the source.
    pub index: u64,
    /// Number of sources.
    pub sources: u64,
}

impl Share {
    /// Number of the event that this source emits as its `n`th, counted from 0.
    #[inline]
    #[must_use]
    pub fn event(self, n: u64) -> u64 {
        n * self.sources + self.index
    }
}

/// Key of an event.
#[inline]
#[must_use]
pub fn key(event: u64) -> u64 {
    u64::from((event as u32).wrapping_mul(2_654_435_761) % KEYS)
}

/// Time of an event, in milliseconds.
#[inline]
#[must_use]
pub fn time(event: u64) -> u64 {
    event / EVENTS_PER_MS
}

/// What each event of a key in a window adds to the checksum.
#[inline]
#[must_use]
pub fn weight(key: u64, window_start: u64) -> u64 {
    (key + 1) * (window_start / WINDOW_MS + 1)
}
