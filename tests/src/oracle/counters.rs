//! The metrics equal what was seen, exactly.

use std::sync::atomic::Ordering;

use tormenta_runtime::{Summary, metrics::ComponentMetrics};

use crate::torture::{
    spec::{Fault, Work},
    world::{Log, TaskLog, World},
};

const NAME: &str = "counters";

pub(crate) fn judge(log: &mut Log, world: &World, summary: &Summary) {
    if world.spec.faults.has(Fault::Cut) {
        return;
    }
    for component in 0..world.spec.components.len() {
        let Some(metrics) = summary.metrics.components.get(component) else {
            log.violation(NAME, format!("component {component} has no metrics"));
            continue;
        };
        let sums = Sums::of(log, world, component);
        let wrong = if world.spec.is_source(component) {
            wrong_at_spout(log, world, component, metrics, &sums)
        } else {
            wrong_at_bolt(metrics, &sums, may_refuse(world, component))
        };
        for (counter, is, should) in wrong {
            let what = format!("component {component}: `{counter}` is {is}, should be {should}");
            log.violation(NAME, what);
        }
    }
    let acked: u64 = log.tasks.iter().map(|task| task.acked + task.dead).sum();
    let letters: u64 = log.letters.iter().map(|(all, _)| all).sum();
    let acked = acked.saturating_sub(letters);
    let latencies = summary.metrics.complete_latency.count;
    if latencies != acked {
        log.violation(NAME, format!("{latencies} latencies for {acked} complete trees"));
    }
}

/// What the tasks of a component saw.
struct Sums {
    task: TaskLog,
    emitted: u64,
    transferred: u64,
    restarts: u64,
}

impl Sums {
    fn of(log: &Log, world: &World, component: usize) -> Self {
        let range = world.first_task[component]..world.first_task[component + 1];
        let tasks = &log.tasks[range.clone()];
        let sum = |count: fn(&TaskLog) -> u64| tasks.iter().map(count).sum::<u64>();
        let load = |counts: &[std::sync::atomic::AtomicU64]| {
            counts[range.clone()].iter().map(|count| count.load(Ordering::Relaxed)).sum()
        };
        let clones = if world.spec.is_source(component) {
            1
        } else {
            world.spec.worker(component).concurrency.limit()
        };
        let prepared = sum(|task| task.prepared);
        Self {
            task: TaskLog {
                executed: sum(|task| task.executed),
                succeeded: sum(|task| task.succeeded),
                ticks: sum(|task| task.ticks),
                acked: sum(|task| task.acked),
                failed: sum(|task| task.failed),
                dead: sum(|task| task.dead),
                ..TaskLog::default()
            },
            emitted: load(&world.emitted),
            transferred: load(&world.transferred),
            restarts: prepared.saturating_sub((tasks.len() * clones) as u64),
        }
    }
}

type Wrong = Vec<(&'static str, u64, u64)>;

/// Whether tuples of a bolt may fail after they were executed, because their tickets do.
fn may_refuse(world: &World, component: usize) -> bool {
    let holds = matches!(world.spec.worker(component).work, Work::Hold { .. } | Work::HoldWithin);
    let faults = [
        Fault::DroppedTicket,
        Fault::RefusedTicket,
        Fault::ForgottenTicket,
        Fault::Panic,
        Fault::Stall,
    ];
    holds && faults.into_iter().any(|fault| world.spec.faults.has(fault))
}

fn wrong_at_bolt(metrics: &ComponentMetrics, sums: &Sums, may_refuse: bool) -> Wrong {
    let mut failed = sums.task.executed - sums.task.succeeded;
    let mut acked = sums.task.succeeded;
    if may_refuse {
        // Which of them is for a test of its own; each of them counts once.
        failed = failed.max(metrics.failed);
        acked = sums.task.executed.saturating_sub(failed);
    }
    only_wrong([
        ("emitted", metrics.emitted, sums.emitted),
        ("transferred", metrics.transferred, sums.transferred),
        ("executed", metrics.executed, sums.task.executed),
        ("acked", metrics.acked, acked),
        ("failed", metrics.failed, failed),
        ("ticks", metrics.ticks, sums.task.ticks),
        ("restarts", metrics.restarts, sums.restarts),
    ])
}

fn wrong_at_spout(
    log: &Log,
    world: &World,
    component: usize,
    metrics: &ComponentMetrics,
    sums: &Sums,
) -> Wrong {
    let source = world.spec.source(component);
    let attempts = sums.emitted + metrics.replayed;
    let acked = if source.tracked { sums.task.acked + sums.task.dead } else { 0 };
    let failed = if source.tracked { attempts - acked } else { 0 };
    let mut wrong = only_wrong([
        ("emitted", metrics.emitted, attempts),
        ("acked", metrics.acked, acked),
        ("failed", metrics.failed, failed),
        ("dead_letters", metrics.dead_letters, log.letters[component].0),
        ("restarts", metrics.restarts, sums.restarts),
    ]);
    if source.retry.is_none() {
        wrong.extend(only_wrong([
            ("replayed", metrics.replayed, 0),
            ("transferred", metrics.transferred, sums.transferred),
            ("failed", metrics.failed, sums.task.failed),
        ]));
    }
    wrong
}

fn only_wrong<const N: usize>(counts: [(&'static str, u64, u64); N]) -> Wrong {
    counts.into_iter().filter(|(_, is, should)| is != should).collect()
}
