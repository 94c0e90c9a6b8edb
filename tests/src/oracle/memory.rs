//! Everything is bounded: open trees, and what waits in front of a slow task.

use crate::torture::{
    spec::Fault,
    world::{Log, Me, World},
};

const NAME: &str = "memory";

/// The engine asks a spout for a tuple: there must be room for its tree.
pub(crate) fn on_next(log: &mut Log, world: &World, me: Me) {
    let task = &log.tasks[me.index];
    let limit = world.spec.source(me.component).pending_max;
    if task.outstanding >= limit {
        let what = format!("{me:?} has {} trees open and is asked for more", task.outstanding);
        return log.violation(NAME, what);
    }
    if task.inactive {
        log.violation(NAME, format!("{me:?} is asked for a tuple while it is inactive"));
    }
}

/// What waits for a bolt that always takes its time is bounded by that time.
pub(crate) fn on_execute(log: &mut Log, world: &World, me: Me) {
    let spec = &world.spec;
    let Some((1, longest)) = spec.worker(me.component).naps else { return };
    if spec.faults.has(Fault::LostBatch) || spec.faults.has(Fault::Overflow) {
        return; // what vanished cannot be told from what waits
    }
    let tasks = world.first_task[me.component]..world.first_task[me.component + 1];
    let count = tasks.len() as u64;
    let executed: u64 = log.tasks[tasks].iter().map(|task| task.executed).sum();
    let waiting = log.inbound[me.component].saturating_sub(executed);
    let senders: u64 = spec
        .links
        .iter()
        .filter(|link| link.target == me.component && !link.feedback)
        .map(|link| spec.components[link.source].tasks as u64)
        .sum();
    let shortest = (longest.as_micros() as u64 / 2).max(1);
    // A tuple should wait for 100 ms at most, and a crew works off as many as it has clones.
    let crew = spec.worker(me.component).concurrency.limit() as u64;
    let window = (crew * 100_000 / shortest).max(64);
    // A tuple that fails before its bolt has slept makes the bolt look faster than it is.
    let fails_fast = [Fault::Error, Fault::Poison, Fault::Panic];
    let is_steady = !fails_fast.iter().any(|fault| spec.faults.has(*fault));
    let window = if is_steady { window } else { 3 * window };
    let has_loop = spec.links.iter().any(|link| link.target == me.component && link.feedback);
    let limit = senders * count * (window + 64);
    if !has_loop && waiting > limit {
        log.violation(NAME, format!("{waiting} tuples wait for {me:?}, at most {limit} should"));
    }
}
