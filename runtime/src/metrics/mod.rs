//! Exact counters and latency histograms.
//!
//! Each task counts for itself, a batch at a time; readers see sums that are at most one batch
//! behind. Only hot keys are sampled.

pub(crate) mod capacity;
mod histogram;
pub(crate) mod keys;
mod snapshot;
mod table;
pub(crate) mod task;

pub use histogram::Histogram;
pub use keys::HotKey;
pub use snapshot::{ComponentMetrics, Latency, Metrics};
