//! One task to one task is FIFO over all its streams, replays excepted.

use super::reasons;
use crate::torture::{
    item::Item,
    world::{Log, Me, World},
};

const NAME: &str = "order";

/// The latest number that each task got from each other one, feedback apart.
pub(crate) struct Orders {
    tasks: usize,
    latest: Vec<u32>,
}

impl Orders {
    pub(crate) fn new(tasks: usize) -> Self {
        Self { tasks, latest: vec![0; tasks * tasks * 2] }
    }
}

pub(crate) fn on_execute(log: &mut Log, world: &World, me: Me, link: usize, item: &Item) {
    if item.seq == 0 {
        return;
    }
    let feedback = usize::from(world.spec.links[link].feedback);
    let from = usize::from(item.from);
    let place = (me.index * log.orders.tasks + from) * 2 + feedback;
    let latest = log.orders.latest[place];
    if item.seq > latest {
        log.orders.latest[place] = item.seq;
        return;
    }
    // The same tuple again through another link is no disorder.
    if item.seq == latest || is_replay(log, world, item) {
        return;
    }
    let what = format!("{me:?} got number {} of task {from} after {latest}", item.seq);
    log.violation(NAME, what);
}

/// Whether this is a spout's tuple that may have been emitted again.
fn is_replay(log: &Log, world: &World, item: &Item) -> bool {
    let source = world.component_of(usize::from(item.from));
    if !world.spec.is_source(source) || world.spec.source(source).retry.is_none() {
        return false;
    }
    let touched = item.parts.all().iter().any(|part| log.roots[part.root as usize].touched != 0);
    touched || reasons::may_fail_anyway(&world.spec)
}
