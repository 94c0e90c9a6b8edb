//! Every root that was emitted ends once: acked, failed, or given up.

use std::time::Duration;

use tormenta_dsl::Failure;

use super::{at_least_once, reasons};
use crate::torture::world::{Log, Me, RootState, World};

const NAME: &str = "ends";

/// The spout is told that a tree is complete, or that a tuple was given up.
pub(crate) fn on_acked(world: &World, me: Me, root: u32, now: Duration) {
    let log = &mut *world.log();
    log.event(4, me.index, u64::from(root), now);
    let dead = std::mem::take(&mut log.dead_next);
    if dead {
        log.tasks[me.index].dead += 1;
        end(log, world, me, root, RootState::Dead, now);
        reasons::on_dead(log, world, root);
    } else {
        log.tasks[me.index].acked += 1;
        end(log, world, me, root, RootState::Acked, now);
        at_least_once::on_acked(log, world, root);
    }
}

/// The spout is told that a tree failed.
pub(crate) fn on_failed(world: &World, me: Me, root: u32, why: &Failure, now: Duration) {
    let log = &mut *world.log();
    log.event(5, me.index, u64::from(root), now);
    log.tasks[me.index].failed += 1;
    end(log, world, me, root, RootState::Failed, now);
    reasons::on_failed(log, world, root, why, now);
}

fn end(log: &mut Log, world: &World, me: Me, root: u32, state: RootState, now: Duration) {
    let before = log.roots[root as usize].state;
    if before != RootState::Open {
        log.violation(NAME, format!("root {root} is {before:?} and becomes {state:?}"));
    }
    if world.source_of(root) != me.component {
        log.violation(NAME, format!("root {root} ended at another spout, {me:?}"));
    }
    log.roots[root as usize].state = state;
    log.progress = now;
    let outstanding = &mut log.tasks[me.index].outstanding;
    *outstanding = outstanding.saturating_sub(1);
}

/// At the end no root is open.
pub(crate) fn judge(log: &mut Log, world: &World) {
    let open = |root: &u32| {
        let is_tracked = world.spec.source(world.source_of(*root)).tracked;
        is_tracked && log.roots[*root as usize].state == RootState::Open
    };
    let open: Vec<u32> = (0..world.spec.roots()).filter(open).collect();
    if let Some(first) = open.first() {
        log.violation(NAME, format!("{} roots never ended, the first is {first}", open.len()));
    }
}
