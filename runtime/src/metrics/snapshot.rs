//! Metrics as people and programs read them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Histogram, HotKey, task::TaskStats};
use crate::clock::Nanos;

/// What a topology has done so far. Prints as a table, and as JSON with serde.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Metrics {
    /// One entry a component, in the order of the plan.
    pub components: Vec<ComponentMetrics>,
    /// From emit to the end of the tree, over all spouts.
    #[serde(rename = "complete_latency_us")]
    pub complete_latency: Latency,
}

/// What one component has done so far, over all its tasks. Field names are a public contract.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ComponentMetrics {
    /// Name of the component.
    pub name: String,
    /// Number of its tasks.
    pub tasks: usize,
    /// Tuples emitted. For spouts, every attempt counts.
    pub emitted: u64,
    /// Tuples handed to readers: one for each edge and task that a tuple went to.
    pub transferred: u64,
    /// Tuples executed.
    pub executed: u64,
    /// Tuples acked; for spouts, trees completed, dead letters included.
    pub acked: u64,
    /// Tuples failed; for spouts, trees failed.
    pub failed: u64,
    /// Attempts after the first.
    pub replayed: u64,
    /// Tuples given up.
    pub dead_letters: u64,
    /// Trees that are open.
    pub pending: u64,
    /// Restarts after panics and stuck executes.
    pub restarts: u64,
    /// Ticks delivered.
    pub ticks: u64,
    /// Time spent executing, in seconds. Time in which a task waits for its readers does not
    /// count; that of readers that are fused into its loop does.
    pub execute_seconds: f64,
    /// Tuples that were sent to the tasks and that they are not done with, at this moment. What
    /// goes to a fused reader is never queued.
    pub queued: u64,
    /// The share of the last 10 to 20 s that its busiest task was executing, from 0 to 1. Where
    /// it comes close to 1, the component is what the others wait for. Zero for spouts.
    pub capacity: f64,
    /// The largest key groups among tuples that several tasks are sent by key: at most three, and
    /// those only that are more than a hundredth of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hot_keys: Vec<HotKey>,
    /// Tickets that are not settled.
    pub held: u64,
    /// The component's own counters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// Quantiles of a latency, in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// Number of values.
    pub count: u64,
    /// Half of the values are at or below this.
    pub p50: f64,
    /// 99 % of the values are at or below this.
    pub p99: f64,
    /// 99.9 % of the values are at or below this.
    pub p999: f64,
    /// The largest value.
    pub max: f64,
}

impl From<&Histogram> for Latency {
    fn from(histogram: &Histogram) -> Self {
        let us = |ns: u64| ns as f64 / 1e3;
        Self {
            count: histogram.len(),
            p50: us(histogram.quantile(0.5)),
            p99: us(histogram.quantile(0.99)),
            p999: us(histogram.quantile(0.999)),
            max: us(histogram.max()),
        }
    }
}

impl Metrics {
    /// Adds up tasks, each given with the number of its clones.
    pub(crate) fn read<'a>(
        tasks: impl Iterator<Item = (&'a TaskStats, usize)>,
        now: Nanos,
    ) -> Self {
        let mut metrics = Self::default();
        let (mut latency, mut keys) = (Histogram::default(), Vec::new());
        for (task, clones) in tasks {
            if metrics.components.len() <= task.component {
                metrics.components.resize_with(task.component + 1, ComponentMetrics::default);
            }
            let component = &mut metrics.components[task.component];
            component.add(task);
            component.capacity = component.capacity.max(task.capacity(now, clones));
            if task.place.task == 0 {
                keys.push((task.component, task.keys.clone()));
            }
            latency.merge(&task.latency.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        }
        for (component, keys) in keys {
            let component = &mut metrics.components[component];
            component.hot_keys = keys.hot(component.tasks);
        }
        metrics.complete_latency = Latency::from(&latency);
        metrics
    }

    /// The component of this name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&ComponentMetrics> {
        self.components.iter().find(|component| component.name == name)
    }

    /// A counter, added up over all components.
    #[must_use]
    pub fn sum(&self, counter: impl Fn(&ComponentMetrics) -> u64) -> u64 {
        self.components.iter().map(counter).sum()
    }
}

impl ComponentMetrics {
    fn add(&mut self, task: &TaskStats) {
        self.name = task.place.component.to_string();
        self.tasks += 1;
        self.emitted += task.emitted.get();
        self.transferred += task.transferred.get();
        self.executed += task.executed.get();
        self.acked += task.acked.get();
        self.failed += task.failed.get();
        self.replayed += task.replayed.get();
        self.dead_letters += task.dead_letters.get();
        self.pending += task.pending.get();
        self.restarts += task.restarts.get();
        self.ticks += task.ticks.get();
        self.execute_seconds += task.execute_ns.get() as f64 / 1e9;
        self.held += task.duty.held.load(std::sync::atomic::Ordering::Relaxed) as u64;
        self.queued += task.queued();
        for (name, count) in task.counters.snapshot() {
            *self.counters.entry(name).or_default() += count;
        }
    }
}
