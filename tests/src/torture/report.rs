//! What is said about one world, and about many.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use serde::Serialize;
use tormenta_runtime::planted::Bug;

use super::{drive::torture, spec::Fault, world::World};
use crate::oracle::Violation;

/// What became of one seed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Roots that were emitted.
    pub roots: u64,
    /// Events that were seen.
    pub events: u64,
    /// Hash of all events, in their order.
    pub trace: u64,
    /// Virtual time that passed.
    pub virtual_seconds: f64,
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// What happened to the root that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<String>,
    /// What the world had.
    #[serde(skip)]
    pub features: Vec<&'static str>,
    /// Faults that struck, by kind.
    #[serde(skip)]
    pub faults: Vec<(&'static str, u64)>,
}

impl Report {
    pub(crate) fn new(world: &World, features: Vec<&'static str>, now: Duration) -> Self {
        let log = world.log();
        Self {
            seed: world.spec.seed,
            roots: u64::from(world.born.load(std::sync::atomic::Ordering::Relaxed)),
            events: log.events,
            trace: log.trace,
            virtual_seconds: now.as_secs_f64(),
            violations: log.violations.clone(),
            story: log.story.clone(),
            features,
            faults: Fault::ALL.iter().map(|f| (f.name(), log.injected[*f as usize])).collect(),
        }
    }
}

/// What became of many seeds.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Seeds that ran.
    pub seeds: u64,
    /// Roots that were emitted.
    pub roots: u64,
    /// Events that were seen.
    pub events: u64,
    /// Virtual time that passed.
    pub virtual_seconds: f64,
    /// Seeds that broke a promise.
    pub failed_seeds: Vec<u64>,
    /// Hash of the traces of all seeds, in their order.
    pub trace: String,
    /// Worlds that had each feature.
    pub coverage: BTreeMap<&'static str, u64>,
    /// Faults that struck, and worlds in which they did.
    pub faults: BTreeMap<&'static str, (u64, u64)>,
    #[serde(skip)]
    hash: u64,
}

impl Totals {
    /// Adds one seed.
    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.roots += report.roots;
        self.events += report.events;
        self.virtual_seconds += report.virtual_seconds;
        self.hash = (self.hash.rotate_left(7) ^ report.trace).wrapping_mul(0x517c_c1b7_2722_0a95);
        self.trace = format!("{:016x}", self.hash);
        if !report.violations.is_empty() {
            self.failed_seeds.push(report.seed);
        }
        for feature in &report.features {
            *self.coverage.entry(feature).or_default() += 1;
        }
        for (fault, count) in &report.faults {
            let total = self.faults.entry(fault).or_default();
            total.0 += count;
            total.1 += u64::from(*count > 0);
        }
    }

    /// Coverage as a table for people.
    #[must_use]
    pub fn coverage_table(&self) -> String {
        let mut table = format!("{:<28}{:>8} of {} worlds\n", "feature", "worlds", self.seeds);
        for (feature, worlds) in &self.coverage {
            let _ = writeln!(table, "{feature:<28}{worlds:>8}");
        }
        let _ = writeln!(table, "{:<28}{:>8}{:>10}", "fault", "worlds", "times");
        for (fault, (times, worlds)) in &self.faults {
            let _ = writeln!(table, "{fault:<28}{worlds:>8}{times:>10}");
        }
        table
    }
}

/// The planted bug of this name.
#[must_use]
pub fn bug_named(name: &str) -> Option<Bug> {
    Bug::ALL.into_iter().find(|bug| format!("{bug:?}").eq_ignore_ascii_case(name))
}

/// Looks for every planted bug; a Markdown table, and the bugs that nobody found.
#[must_use]
pub fn bug_table(seeds: u64) -> (String, Vec<Bug>) {
    let mut table =
        "| bug | what it does | first seed | found by |\n|---|---|---|---|\n".to_owned();
    let mut hidden = Vec::new();
    for bug in Bug::ALL {
        let found = (0..seeds).map(|seed| torture(seed, Some(bug)));
        let found = found.into_iter().find(|report| !report.violations.is_empty());
        let (seed, oracle) = match &found {
            Some(report) => (report.seed.to_string(), report.violations[0].oracle),
            None => ("-".to_owned(), "nobody"),
        };
        let _ = writeln!(table, "| `{bug:?}` | {} | {seed} | {oracle} |", bug.what());
        if found.is_none() {
            hidden.push(bug);
        }
    }
    (table, hidden)
}
