//! The engine's own benchmark: what a topology costs, through the public API only.
//!
//! Every figure is taken beside a reference: a hand-written loop that moves the same tuples with
//! the same guarantees and knows nothing of topologies, in turns with the engine, because the
//! speed of a shared machine drifts. Two-thread figures also carry a ping-pong, the time that two
//! cores need to see each other's writes, since that alone can change them threefold.

mod hop;
mod machine;
mod measure;
mod reference;
mod sentences;
mod windows;
mod workload;

use serde::Serialize;

pub(crate) use machine::name as machine_name;
pub(crate) use measure::{NAMES, Plan, run};

/// One row of the table. Field names are a public contract.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The workload.
    pub(crate) name: &'static str,
    /// `fused` or `handover`; for latencies also how the reader waits.
    pub(crate) mode: &'static str,
    /// Whether tuples are tracked.
    pub(crate) acked: bool,
    /// Threads that run loops.
    pub(crate) threads: usize,
    /// Tuples at the sink, a second, median of the runs.
    pub(crate) tuples_per_second: f64,
    /// Length of one run, median.
    pub(crate) seconds: f64,
    /// Processor time of one run, median.
    pub(crate) cpu_seconds: f64,
    /// Heap allocations for each tuple at the sink.
    pub(crate) allocations_per_tuple: Option<f64>,
    /// What acks cost: the difference to the same workload without them.
    pub(crate) ack_ns_per_tuple: Option<f64>,
    /// Time between two cores, the slower of before and after.
    pub(crate) ping_pong_ns: Option<f64>,
    /// Tormenta's rate over the reference loop's, median of the pairs.
    pub(crate) reference_ratio: Option<f64>,
    /// From emit to the sink, or to the end of the tree.
    pub(crate) latency_us: Option<Quantiles>,
    /// What went wrong, if the checks at the end did not hold.
    pub(crate) error: Option<String>,
}

/// A latency.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Row {
    /// The row for people.
    pub(crate) fn cells(&self) -> Vec<String> {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let latency = self.latency_us.map_or_else(
            || "-".to_owned(),
            |l| format!("{:.1} / {:.1} / {:.0}", l.p50, l.p99, l.max),
        );
        vec![
            self.name.to_owned(),
            self.mode.to_owned(),
            if self.acked { "acked" } else { "unacked" }.to_owned(),
            self.threads.to_string(),
            rate(self.tuples_per_second),
            format!("{:.2}", self.cpu_seconds),
            number(self.allocations_per_tuple, 3),
            number(self.ack_ns_per_tuple, 1),
            number(self.ping_pong_ns, 0),
            number(self.reference_ratio, 2),
            latency,
            self.error.clone().unwrap_or_default(),
        ]
    }

    /// The heads of [`cells`](Row::cells).
    pub(crate) const HEADS: [&'static str; 12] = [
        "workload",
        "mode",
        "acks",
        "threads",
        "tuples/s",
        "cpu s",
        "allocs",
        "ack ns",
        "ping ns",
        "ref",
        "p50 / p99 / max us",
        "",
    ];
}

fn rate(per_second: f64) -> String {
    if per_second >= 1e6 {
        format!("{:.1} M", per_second / 1e6)
    } else {
        format!("{per_second:.0}")
    }
}
