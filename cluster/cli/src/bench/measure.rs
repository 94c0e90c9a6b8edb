//! Runs workloads and references in turns, and makes rows of what they did.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tormenta::{Histogram, LocalCluster, Options, Simulation, Summary, Topology, metrics::Latency};

use super::{
    Quantiles, Row, hop, machine, reference, windows,
    workload::{
        Checks, CountOwned, DropCounts, Flip, Numbers, Sentences, SplitOwned, Sum, Until,
        W3_FAN_OUT,
    },
};

/// What to measure, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Only workloads whose name is among these; all if empty.
    pub(crate) only: Vec<String>,
    /// Length of one run.
    pub(crate) run: Duration,
    /// Pairs of a run and its reference.
    pub(crate) pairs: usize,
}

/// A workload in one of its modes.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    handover: bool,
    acked: bool,
}

/// Names of the workloads, in the order of the table.
pub(crate) const NAMES: [&str; 8] =
    ["w1", "w2", "w3", "w4", "fan-out", "hop", "slow-bolt", "low-rate"];

/// Measures everything in the plan and gives each row away as soon as it is known.
pub(crate) fn run(plan: &Plan, mut give: impl FnMut(Row)) {
    let wanted = |name: &str| plan.only.is_empty() || plan.only.iter().any(|only| only == name);
    for name in ["w1", "w2", "w3", "w4"].into_iter().filter(|name| wanted(name)) {
        for handover in [false, true] {
            let [acked, unacked] = throughput(plan, name, handover);
            give(acked);
            give(unacked);
        }
    }
    if wanted("fan-out") {
        throughput(plan, "fan-out", false).into_iter().for_each(&mut give);
    }
    if wanted("hop") {
        for mode in ["same-core", "parked", "spinning"] {
            give(latency(plan, mode));
        }
    }
    if wanted("slow-bolt") {
        give(slow_bolt());
    }
    if wanted("low-rate") {
        give(low_rate(plan));
    }
}

/// One run: rate, processor time, and what was wrong with it.
struct Run {
    rate: f64,
    seconds: f64,
    cpu: f64,
    summary: Option<Summary>,
    error: Option<String>,
}

impl Run {
    fn failed(error: String) -> Self {
        Self { rate: 0.0, seconds: 0.0, cpu: 0.0, summary: None, error: Some(error) }
    }
}

/// The rows of a workload with and without acks, measured in turns with the reference.
fn throughput(plan: &Plan, name: &'static str, handover: bool) -> [Row; 2] {
    let case = |acked| Case { name, handover, acked };
    let ping = machine::ping_pong();
    let (mut acked, mut unacked, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        let run = run_once(case(true), plan.run);
        if let Some(reference) = reference_rate(case(true), plan.run) {
            ratios.push(run.rate / reference);
        }
        acked.push(run);
        unacked.push(run_once(case(false), plan.run));
    }
    let ping = ping.max(machine::ping_pong());
    let rate = |runs: &[Run]| median(runs.iter().map(|run| run.rate).collect());
    let ack_ns = 1e9 / rate(&acked).unwrap_or(f64::NAN) - 1e9 / rate(&unacked).unwrap_or(f64::NAN);
    let row = |runs: Vec<Run>, case: Case| Row {
        name,
        mode: if handover { "handover" } else { "fused" },
        acked: case.acked,
        threads: if handover { 2 } else { 1 },
        tuples_per_second: rate(&runs).unwrap_or(0.0),
        seconds: median(runs.iter().map(|run| run.seconds).collect()).unwrap_or(0.0),
        cpu_seconds: median(runs.iter().map(|run| run.cpu).collect()).unwrap_or(0.0),
        allocations_per_tuple: Some(allocations(case)),
        ack_ns_per_tuple: case.acked.then_some(ack_ns),
        ping_pong_ns: handover.then_some(ping),
        reference_ratio: if case.acked { median(ratios.clone()) } else { None },
        latency_us: runs
            .iter()
            .filter_map(|run| run.summary.as_ref())
            .map(|summary| quantiles(summary.metrics.complete_latency))
            .next_back()
            .filter(|_| case.acked),
        error: runs.into_iter().find_map(|run| run.error),
    };
    [row(acked, case(true)), row(unacked, case(false))]
}

fn reference_rate(case: Case, limit: Duration) -> Option<f64> {
    match (case.name, case.handover) {
        ("w1", false) => Some(reference::fused(limit, 1)),
        ("w2", false) => Some(reference::fused(limit, 2)),
        ("w1" | "w2", true) => Some(reference::handover(limit)),
        _ => None,
    }
}

/// Tuples at the sink for each one that is emitted.
fn fan_out(case: Case) -> u64 {
    match case.name {
        "w3" => W3_FAN_OUT,
        "fan-out" => 4,
        _ => 1,
    }
}

fn topology(case: Case, until: Until, checks: &Arc<Checks>) -> Topology {
    let mut t = Topology::new(case.name);
    let fuse = !case.handover;
    let numbers = Numbers::new(until, checks);
    if case.name == "w4" {
        return windows::topology(numbers, case.handover, case.acked);
    }
    match case.name {
        "w3" => {
            // Over two threads the words go by key from every task to every task.
            let tasks = if case.handover { 2 } else { 1 };
            let lines = t.spout("sentences", Sentences(numbers)).tasks(tasks);
            let lines = if case.acked { lines } else { lines.untracked() };
            let split = t.bolt("split", SplitOwned, lines.shuffle()).tasks(tasks);
            let counts = split.by(|word| &word.word);
            let count = t.bolt("count", CountOwned::default(), counts).tasks(tasks);
            t.bolt("drop", DropCounts(Sum::new(0, checks)), count.shuffle()).tasks(tasks);
        }
        name => {
            let source = t.spout("numbers", numbers);
            let source = if case.acked { source } else { source.untracked() };
            match name {
                "w1" => {
                    t.bolt("sum", Sum::new(0, checks), source.shuffle()).fuse(fuse);
                }
                "w2" => {
                    let flip = t.bolt("flip", Flip, source.shuffle());
                    t.bolt("sum", Sum::new(1, checks), flip.shuffle()).fuse(fuse);
                }
                _ => {
                    for reader in 0..4 {
                        let sum = Sum::new(0, checks);
                        t.bolt(&format!("sum-{reader}"), sum, source.shuffle()).fuse(fuse);
                    }
                }
            }
        }
    }
    t
}

fn run_once(case: Case, limit: Duration) -> Run {
    let checks = Arc::<Checks>::default();
    let topology = topology(case, Until::Time(limit), &checks);
    let before = machine::cpu_seconds();
    let summary = match tormenta::start(topology, options(2)) {
        Ok(running) => running.wait(),
        Err(why) => {
            return Run::failed(why.to_string());
        }
    };
    let cpu = machine::cpu_seconds() - before;
    let sunk = checks.sunk.load(std::sync::atomic::Ordering::Relaxed);
    let error = summary.error.clone();
    let sums = !matches!(case.name, "w3" | "w4");
    let error = error.or(checks.verify(fan_out(case), case.acked, sums).err());
    let error = error.or_else(|| checks.windows.verify().err().filter(|_| case.name == "w4"));
    let seconds = summary.seconds;
    Run { rate: sunk as f64 / seconds, seconds, cpu, summary: Some(summary), error }
}

fn options(cores: usize) -> Options {
    let mut options = Options::default();
    options.cores = Some(cores);
    options
}

/// Heap allocations for each tuple at the sink: the same loops on this thread, which counts them.
fn allocations(case: Case) -> f64 {
    const FEW: u64 = 20_000;
    let count = |tuples: u64| {
        let checks = Arc::<Checks>::default();
        let topology = topology(case, Until::Count(tuples), &checks);
        let mut simulation = Simulation::new(1);
        simulation.batch_tuples = tormenta::limits::BATCH_TUPLES;
        let Ok(mut cluster) = LocalCluster::new(topology, simulation) else { return 0 };
        let before = tormenta_alloc::allocations();
        cluster.run();
        tormenta_alloc::allocations() - before
    };
    // The difference of two runs leaves out what is allocated once.
    let (few, many) = (count(FEW), count(3 * FEW));
    let tasks = if case.handover && case.name == "w3" { 2 } else { 1 };
    many.saturating_sub(few) as f64 / (2 * FEW * tasks * fan_out(case)) as f64
}

/// One hop at 10,000 tuples a second.
fn latency(plan: &Plan, mode: &'static str) -> Row {
    let ages = Arc::<Mutex<Histogram>>::default();
    let every = Duration::from_micros(if mode == "parked" { 2_000 } else { 100 });
    let mut t = Topology::new("hop");
    let stamps = t.spout("stamps", hop::Stamps::new(every, plan.run));
    t.bolt("ages", hop::Ages(ages.clone()), stamps.shuffle()).fuse(mode == "same-core");
    let mut options = options(2);
    options.spin = match mode {
        "spinning" => Some(Duration::from_millis(5)),
        "parked" => Some(Duration::ZERO),
        _ => None,
    };
    let threads = if mode == "same-core" { 1 } else { 2 };
    let latency = || Latency::from(&*ages.lock().unwrap_or_else(PoisonError::into_inner));
    timed("hop", mode, threads, t, options, |_| latency())
}

/// What waits behind a bolt that needs 10 ms for each tuple.
fn slow_bolt() -> Row {
    let checks = Arc::<Checks>::default();
    let mut t = Topology::new("slow-bolt");
    let numbers = t.spout("numbers", Numbers::new(Until::Count(300), &checks));
    let slow = hop::Slow { cx: None, wait: Duration::from_millis(10) };
    t.bolt("slow", slow, numbers.shuffle()).fuse(false);
    timed("slow-bolt", "handover", 2, t, options(2), |s| s.metrics.complete_latency)
}

/// A thousand tuples a second, from emit to the end of the tree, and what waiting costs.
fn low_rate(plan: &Plan) -> Row {
    let ages = Arc::<Mutex<Histogram>>::default();
    let mut t = Topology::new("low-rate");
    let stamps = t.spout("stamps", hop::Stamps::new(Duration::from_millis(1), plan.run));
    t.bolt("ages", hop::Ages(ages), stamps.shuffle()).fuse(false);
    timed("low-rate", "handover", 2, t, options(2), |s| s.metrics.complete_latency)
}

fn timed(
    name: &'static str,
    mode: &'static str,
    threads: usize,
    topology: Topology,
    options: Options,
    latency: impl Fn(&Summary) -> Latency,
) -> Row {
    let ping = machine::ping_pong();
    let cpu = machine::cpu_seconds();
    let summary = tormenta::start(topology, options).map(tormenta::Running::wait);
    let cpu = machine::cpu_seconds() - cpu;
    let row = |seconds: f64, latency: Option<Latency>, error: Option<String>| Row {
        name,
        mode,
        acked: true,
        threads,
        tuples_per_second: latency.map_or(0.0, |latency| latency.count as f64 / seconds),
        seconds,
        cpu_seconds: cpu,
        allocations_per_tuple: None,
        ack_ns_per_tuple: None,
        ping_pong_ns: (threads > 1).then_some(ping),
        reference_ratio: None,
        latency_us: latency.map(quantiles),
        error,
    };
    match summary {
        Ok(summary) => row(summary.seconds, Some(latency(&summary)), summary.error.clone()),
        Err(why) => row(1.0, None, Some(why.to_string())),
    }
}

fn quantiles(latency: Latency) -> Quantiles {
    Quantiles { p50: latency.p50, p99: latency.p99, max: latency.max }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
