//! Windows: results over stretches of event time, over sessions, and over numbers of tuples.
//!
//! | windows | end |
//! |---|---|
//! | [`Windows::tumbling`] | one after the other, aligned to the epoch |
//! | [`Windows::sliding`] | every so often; they overlap |
//! | [`Windows::session`] | when their key was silent for so long |
//! | [`Windows::of_count`] | after so many tuples of their key |
//!
//! A window fires when the watermark has passed its end. The watermark is the largest event time
//! seen, less the [disorder](Windows::disorder) allowed, of the slowest input, where every task of
//! a spout is an input. Late tuples fire their window again during its
//! [lateness](Windows::lateness), and are a stream of their own after that.
//!
//! Inputs are held until no window needs them and the results so far are complete, so what a window
//! has seen is replayed if its task restarts before that. A result that fails is
//! [emitted again](tormenta_dsl::Emitter::emit_result).

mod aggregate;
mod aggregates;
mod bolt;
mod builder;
mod counts;
mod machine;
mod output;
mod panes;
mod progress;
mod sessions;
#[cfg(test)]
mod test;

use std::time::Duration;

pub use aggregate::Aggregate;
pub use aggregates::{Count, Max, Mean, Min, Sum, Top};
pub use bolt::WindowBolt;
pub use builder::{
    CountBolt, IDLE_AFTER, KeyOf, Numbers, Of, Pauses, SessionBolt, SpanBolt, Spans, TimeOf,
    Unkeyed, Untimed, Windows,
};
pub use machine::Firing;
pub use output::{WindowOutput, WindowPorts, Windowed};

/// So many hours.
///
/// ```
/// assert_eq!(tormenta_bolts::window::hours(2).as_secs(), 7_200);
/// ```
#[must_use]
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(3_600))
}

/// So many minutes.
///
/// ```
/// assert_eq!(tormenta_bolts::window::minutes(2).as_secs(), 120);
/// ```
#[must_use]
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

/// So many seconds.
///
/// ```
/// assert_eq!(tormenta_bolts::window::seconds(2).as_millis(), 2_000);
/// ```
#[must_use]
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
