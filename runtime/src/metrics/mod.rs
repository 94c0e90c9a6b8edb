//! Exact counters and latency histograms.
//!
//! Each task counts for itself, a batch at a time; readers see sums that are at most one batch
//! behind. Nothing is sampled.

mod histogram;
mod snapshot;
pub(crate) mod task;

pub use histogram::Histogram;
pub use snapshot::{ComponentMetrics, Latency, Metrics};
