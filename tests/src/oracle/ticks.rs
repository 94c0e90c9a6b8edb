//! A tick that is due is delivered before the next batch, however many tuples wait.

use std::time::Duration;

use tormenta_dsl::Concurrency;

use crate::torture::{
    spec::Fault,
    world::{Log, Me, World},
};

const NAME: &str = "ticks";

pub(crate) fn on_tick(world: &World, me: Me, now: Duration) {
    let log = &mut *world.log();
    log.event(3, me.index, 0, now);
    log.tasks[me.index].ticks += 1;
    log.tasks[me.index].last_tick = now;
    if world.spec.worker(me.component).tick.is_none() {
        log.violation(NAME, format!("{me:?} never asked for ticks"));
    }
}

/// Checks bolts that nothing but their own work can delay: those that emit nothing.
pub(crate) fn on_execute(log: &mut Log, world: &World, me: Me, now: Duration) {
    let (spec, worker) = (&world.spec, world.spec.worker(me.component));
    let Some(interval) = worker.tick else { return };
    let delays = [Fault::Panic, Fault::Stall].iter().any(|fault| spec.faults.has(*fault));
    let is_last = spec.components[me.component].ports == 0;
    if !is_last || delays || worker.concurrency != Concurrency::One {
        return;
    }
    let nap = worker.naps.map_or(Duration::ZERO, |(_, longest)| longest);
    // What filled up while there was no credit leaves as one batch with what came then.
    let batch = nap * (3 * spec.batch_tuples as u32 + 1);
    let late = now.saturating_sub(log.tasks[me.index].last_tick);
    if late > interval + batch + Duration::from_millis(1) {
        let what = format!("{me:?} executes, and its last tick of {interval:?} is {late:?} ago");
        log.violation(NAME, what);
    }
}
