//! A root that is acked was seen by every path of the graph that it should have gone through.

use crate::torture::world::{Log, Me, Visit, World};

const NAME: &str = "at least once";

/// A bolt is done with a tuple, or is about to ack its ticket.
pub(crate) fn on_done(world: &World, me: Me, visits: &[Visit], succeeds: bool) {
    if !succeeds {
        return;
    }
    let log = &mut *world.log();
    for (root, node) in visits {
        let Some(node) = node else { continue };
        log.tell(*root, || format!("  {:?} is done with node {node}", (me.component, me.task)));
        let place = *root as usize * world.shapes.stride + usize::from(*node);
        let seen = &mut log.seen[place];
        *seen = seen.saturating_add(1);
        let again = *seen > 1;
        if again && world.spec.source(world.source_of(*root)).retry.is_none() {
            let what = format!("{me:?} executed node {node} of root {root} again");
            log.violation("once without replay", what);
        }
    }
}

/// The tree of a root is complete: all of its nodes must have been executed.
pub(crate) fn on_acked(log: &mut Log, world: &World, root: u32) {
    if let Some(node) = missing(log, world, root) {
        let component = world.shapes.of(root).nodes[node].component;
        let what = format!("root {root} was acked before component {component} did node {node}");
        log.violation(NAME, what);
    }
}

/// A node of a root that was not executed yet.
pub(crate) fn missing(log: &Log, world: &World, root: u32) -> Option<usize> {
    let first = root as usize * world.shapes.stride;
    let seen = &log.seen[first..first + world.shapes.of(root).nodes.len()];
    seen.iter().position(|seen| *seen == 0)
}
