//! Where nothing goes wrong, nothing fails, and everything happens exactly once.

use tormenta_runtime::Summary;

use super::reasons;
use crate::torture::world::{Log, RootState, World};

const NAME: &str = "calm";

pub(crate) fn judge(log: &mut Log, world: &World, summary: &Summary) {
    if !world.spec.faults.none() || reasons::may_fail_anyway(&world.spec) {
        return;
    }
    let bad = summary.metrics.sum(|c| c.failed + c.replayed + c.dead_letters + c.restarts);
    if bad > 0 {
        log.violation(NAME, format!("{bad} failures, replays, dead letters and restarts"));
    }
    if let Some(error) = summary.errors.first() {
        log.violation(NAME, format!("an error was reported: {}", error.error));
    }
    let stride = world.shapes.stride;
    for root in 0..world.spec.roots() {
        if log.roots[root as usize].state == RootState::Unborn {
            continue;
        }
        let nodes = world.shapes.of(root).nodes.len();
        let first = root as usize * stride;
        let node = log.seen[first..first + nodes].iter().position(|seen| *seen != 1);
        if let Some(node) = node {
            let seen = log.seen[first + node];
            log.violation(NAME, format!("root {root}: node {node} was executed {seen} times"));
        }
    }
}
