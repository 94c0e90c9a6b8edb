//! What the machine is and does at the moment.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Processor time of this process, user and system, in seconds.
pub(super) fn cpu_seconds() -> f64 {
    // utime and stime are the 14th and 15th fields, counted behind the name in parentheses.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field: usize| {
        behind_name.split_whitespace().nth(field).and_then(|ticks| ticks.parse::<f64>().ok())
    };
    const TICKS_PER_SECOND: f64 = 100.0; // what Linux shows in /proc, whatever it uses inside
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / TICKS_PER_SECOND
}

/// The processor and the number of threads it runs.
pub(crate) fn name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |m| m.trim_start_matches([' ', '\t', ':']));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {threads} processors")
}

const ROUNDS: u64 = 1_000;
const SERIES: usize = 60;

/// Round trip of a value between two threads that spin on it, in nanoseconds: the median of many
/// short series by one pair of threads. The first ones pass while the two are still on the same
/// processor, and an interruption spoils one or two.
pub(super) fn ping_pong() -> f64 {
    let lines = Arc::new((Line(AtomicU64::new(0)), Line(AtomicU64::new(0))));
    let echo = lines.clone();
    let thread = std::thread::spawn(move || {
        for round in 1..=ROUNDS * SERIES as u64 {
            wait_for(&echo.0.0, round);
            echo.1.0.store(round, Ordering::Release);
        }
    });
    let mut series = [0.0; SERIES];
    let mut round = 0;
    for nanoseconds in &mut series {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            round += 1;
            lines.0.0.store(round, Ordering::Release);
            wait_for(&lines.1.0, round);
        }
        *nanoseconds = start.elapsed().as_nanos() as f64 / ROUNDS as f64;
    }
    let _ = thread.join();
    series.sort_by(f64::total_cmp);
    series[SERIES / 2]
}

#[repr(align(128))]
struct Line(AtomicU64);

/// Spins, but gives way now and then: with one processor the other side would never run.
fn wait_for(line: &AtomicU64, value: u64) {
    let mut spins = 0u32;
    while line.load(Ordering::Acquire) != value {
        spins += 1;
        if spins.is_multiple_of(10_000) {
            std::thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

/// Time since the first call, for stamps that travel with tuples.
pub(super) fn now() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}
