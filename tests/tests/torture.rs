//! The seeded worlds, as a test. `cargo run --release -p tormenta-tests --bin torture` runs more.

use std::collections::BTreeSet;

use tormenta_runtime::planted::Bug;
use tormenta_tests::torture::{Totals, torture};

/// Worlds that every run of the tests goes through.
const SEEDS: u64 = 2_000;

/// Seeds within which every planted bug must be found.
const BUG_SEEDS: u64 = 2_000;

/// A seed that found each bug when it was last looked for, so that it need not be looked for. The
/// engine has had the last ones: they are the regression tests of what the worlds found.
const FOUND: [(Bug, u64); 25] = [
    (Bug::OneIdForTwoAnchors, 0),
    (Bug::AckBeforeChildren, 0),
    (Bug::LostFlush, 0),
    (Bug::StaleGeneration, 5),
    (Bug::CreditLeak, 2),
    (Bug::FailForgotten, 0),
    (Bug::DropAcks, 0),
    (Bug::TickLost, 105),
    (Bug::HoldWithoutEdge, 0),
    (Bug::PanicAcks, 1),
    (Bug::RetryForgotten, 4),
    (Bug::FusedFailureIgnored, 6),
    (Bug::EpochDropped, 0),
    (Bug::OverflowSilent, 30),
    (Bug::WrongLane, 3),
    (Bug::CreditIgnored, 65),
    (Bug::Overtaking, 0),
    (Bug::Miscounted, 0),
    (Bug::GuessedBatch, 0),
    (Bug::IdleEpoch, 1),
    (Bug::ReaderMakesStuck, 38),
    (Bug::OutOfTurn, 594),
    (Bug::UnboundedRetries, 5),
    (Bug::LostAtTheEnd, 9),
    (Bug::StoppedStageAcks, 6),
];

fn run(seeds: std::ops::Range<u64>) -> Totals {
    let mut totals = Totals::default();
    for seed in seeds {
        let report = torture(seed, None);
        totals.add(&report);
        let broken = report.violations;
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}\n`torture --seed {seed}` replays it");
    }
    totals
}

#[test]
fn no_promise_is_broken_in_the_first_half() {
    run(0..SEEDS / 2);
}

#[test]
fn no_promise_is_broken_in_the_second_half_and_everything_is_covered() {
    let totals = run(SEEDS / 2..SEEDS);
    let features = [
        "diamond",
        "two spouts joined",
        "feedback loop",
        "fused loop",
        "never fused",
        "holds",
        "holds within execute",
        "ticks",
        "ordered concurrency",
        "unordered concurrency",
        "replaying",
        "untracked",
        "dead letters",
        "deactivated",
        "drained early",
        "cut off",
        "slow task",
        "nothing goes wrong",
        "pending_max below 5",
        "hold timeout",
        "message timeout",
        "two streams out",
        "blocking",
        "all",
        "by",
        "custom",
        "direct",
        "global",
        "local or shuffle",
        "none",
        "partial by",
        "shuffle",
    ];
    let missing: Vec<&str> =
        features.into_iter().filter(|name| !totals.coverage.contains_key(name)).collect();
    assert!(missing.is_empty(), "no world had {missing:?}");
    let idle: Vec<_> = totals.faults.iter().filter(|(_, (times, _))| *times == 0).collect();
    assert!(idle.is_empty(), "these faults never struck: {idle:?}");
    assert!(totals.roots >= 800 * totals.seeds, "worlds have about a thousand roots each");
}

#[test]
fn one_seed_is_one_world() {
    for seed in 0..20 {
        let (first, second) = (torture(seed, None), torture(seed, None));
        assert_eq!(first.trace, second.trace, "seed {seed} went two ways");
        assert_eq!(first.events, second.events);
    }
}

#[test]
fn every_planted_bug_is_found() {
    let known: BTreeSet<String> = FOUND.iter().map(|(bug, _)| format!("{bug:?}")).collect();
    assert_eq!(known.len(), Bug::ALL.len(), "a bug has no line in the table");
    for (bug, seed) in FOUND {
        let finds = |seed: u64| !torture(seed, Some(bug)).violations.is_empty();
        // A change of the engine may move a bug to another seed.
        let found = finds(seed) || (0..BUG_SEEDS).any(finds);
        assert!(found, "nobody noticed {bug:?} ({}) in {BUG_SEEDS} worlds", bug.what());
    }
}
