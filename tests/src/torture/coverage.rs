//! Which features a world had.

use tormenta_dsl::{Concurrency, grouping::Kind};

use super::{
    draw_links::leads_to,
    spec::{Action, Fault, Role, SourceSpec, Spec, Work, WorkerSpec},
    world::World,
};

/// What was drawn.
pub(crate) fn features(spec: &Spec, placement: String) -> Vec<&'static str> {
    let mut features = graph(spec);
    features.extend(settings(spec));
    if placement.lines().any(|line| line.contains(" > ")) {
        features.push("fused loop");
    }
    if spec.faults.none() {
        features.push("nothing goes wrong");
    }
    if !spec.fuse {
        features.push("never fused");
    }
    if spec.batch_tuples == 1 {
        features.push("batches of one");
    }
    let acts = |wanted| spec.actions.iter().any(|(_, action)| *action == wanted);
    if acts(Action::Deactivate) {
        features.push("deactivated");
    }
    if acts(Action::Drain) {
        features.push("drained early");
    }
    features
}

/// What happened.
pub(crate) fn add_events(world: &World, drained: bool, features: &mut Vec<&'static str>) {
    let log = world.log();
    let spec = &world.spec;
    if spec.faults.has(Fault::Cut) && drained {
        features.push("cut off");
    }
    if log.tasks.iter().any(|task| task.dead > 0) {
        features.push("dead letters");
    }
    if log.tasks.iter().any(|task| task.ticks > 0) {
        features.push("ticks");
    }
}

fn graph(spec: &Spec) -> Vec<&'static str> {
    let mut features = Vec::new();
    let all = || 0..spec.components.len();
    let reads = |target: usize| {
        let links = spec.links.iter().filter(move |link| link.target == target && !link.feedback);
        links.map(|link| link.source)
    };
    let reaches = |from: usize, to: usize| from == to || leads_to(&spec.links, from, to);
    let has_diamond = |target: usize| {
        let pairs = || reads(target).enumerate();
        pairs().any(|(i, a)| {
            pairs().any(|(j, b)| i < j && all().any(|top| reaches(top, a) && reaches(top, b)))
        })
    };
    let joins =
        |target: usize| (0..spec.sources()).all(|source| leads_to(&spec.links, source, target));
    if all().any(has_diamond) {
        features.push("diamond");
    }
    if spec.sources() == 2 && all().any(joins) {
        features.push("two spouts joined");
    }
    if spec.links.iter().any(|link| link.feedback) {
        features.push("feedback loop");
    }
    if spec.components.iter().any(|component| component.ports == 2) {
        features.push("two streams out");
    }
    let grouping = |kind| spec.links.iter().any(|link| link.grouping == kind);
    let names = [
        (Kind::Shuffle, "shuffle"),
        (Kind::None, "none"),
        (Kind::LocalOrShuffle, "local or shuffle"),
        (Kind::By, "by"),
        (Kind::PartialBy, "partial by"),
        (Kind::All, "all"),
        (Kind::Global, "global"),
        (Kind::Direct, "direct"),
        (Kind::Custom, "custom"),
    ];
    features.extend(names.into_iter().filter(|(kind, _)| grouping(*kind)).map(|(_, name)| name));
    features
}

fn settings(spec: &Spec) -> Vec<&'static str> {
    let worker = |test: fn(&WorkerSpec) -> bool| {
        spec.components.iter().any(|c| matches!(&c.role, Role::Worker(worker) if test(worker)))
    };
    let spout =
        |test: fn(&SourceSpec) -> bool| (0..spec.sources()).any(|index| test(spec.source(index)));
    let found = [
        ("blocking", spec.components.iter().any(|c| c.blocking)),
        ("several tasks", spec.components.iter().any(|c| c.tasks > 1)),
        ("several tasks of a spout", (0..spec.sources()).any(|c| spec.components[c].tasks > 1)),
        ("untracked", spout(|s| !s.tracked)),
        ("replaying", spout(|s| s.retry.is_some())),
        ("pending_max below 5", spout(|s| s.pending_max < 5)),
        ("message timeout", spout(|s| s.message_timeout.is_some())),
        ("ordered concurrency", worker(|w| matches!(w.concurrency, Concurrency::Ordered(_)))),
        ("unordered concurrency", worker(|w| matches!(w.concurrency, Concurrency::Unordered(_)))),
        ("holds", worker(|w| matches!(w.work, Work::Hold { .. }))),
        ("holds within execute", worker(|w| w.work == Work::HoldWithin)),
        ("hold timeout", worker(|w| w.hold_timeout.is_some())),
        ("slow task", worker(|w| w.naps.is_some())),
    ];
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
}
