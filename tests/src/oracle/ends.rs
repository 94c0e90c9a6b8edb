//! Every root that was emitted ends once: acked, failed, or given up.

use std::time::Duration;

use tormenta_dsl::Failure;
use tormenta_runtime::DeadLetter;

use super::{at_least_once, reasons};
use crate::torture::{
    spec::Fault,
    world::{Log, Me, RootState, World},
};

const NAME: &str = "ends";

/// A tuple is given up. Its spout will hear that it is acked.
pub(crate) fn on_dead_letter(world: &World, letter: &DeadLetter) {
    let log = &mut *world.log();
    let source = letter.spout.trim_start_matches('c').parse::<usize>();
    match source.ok().and_then(|source| log.letters.get_mut(source)) {
        Some((all, unheard)) => (*all, *unheard) = (*all + 1, *unheard + 1),
        None => log.violation(NAME, format!("a dead letter of `{}`", letter.spout)),
    }
}

/// Whether an ack is about a tuple that was given up: it comes right after the dead letter. Only a
/// spout that panics hears it later, after others; then it is one whose tree is not complete.
fn is_dead(log: &mut Log, world: &World, me: Me, root: u32) -> bool {
    let unheard = log.letters[me.component].1;
    if unheard == 0 {
        return false;
    }
    let is_late = world.spec.faults.has(Fault::SpoutPanic);
    if is_late && at_least_once::missing(log, world, root).is_none() {
        return false;
    }
    log.letters[me.component].1 -= 1;
    true
}

/// The spout is told that a tree is complete, or that a tuple was given up.
pub(crate) fn on_acked(world: &World, me: Me, root: u32, now: Duration) {
    let log = &mut *world.log();
    log.event(4, me.index, u64::from(root), now);
    if is_dead(log, world, me, root) {
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
    log.tell(root, || format!("{now:?} {why}"));
    let fault = match why {
        Failure::TimedOut => Some(Fault::MessageTimeout),
        Failure::Overflow(_) => Some(Fault::Overflow),
        Failure::Stopped => Some(Fault::Cut),
        _ => None,
    };
    if let Some(fault) = fault {
        log.injected[fault as usize] += 1;
    }
    end(log, world, me, root, RootState::Failed, now);
    reasons::on_failed(log, world, root, why, now);
}

fn end(log: &mut Log, world: &World, me: Me, root: u32, state: RootState, now: Duration) {
    let before = log.roots[root as usize].state;
    log.tell(root, || format!("{now:?} {before:?} becomes {state:?}"));
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
