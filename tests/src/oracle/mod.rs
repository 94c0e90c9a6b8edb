//! What must hold, one promise a file.
//!
//! An oracle looks at what happens while it happens, or at the end of a world. It never looks into
//! the engine: it knows what was drawn, what the components saw, and what the metrics say.

pub(crate) mod at_least_once;
pub(crate) mod calm;
pub(crate) mod counters;
pub(crate) mod drain;
pub(crate) mod ends;
pub(crate) mod grouping;
pub(crate) mod memory;
pub(crate) mod order;
pub(crate) mod progress;
pub(crate) mod reasons;
pub(crate) mod ticks;

use std::time::Duration;

use tormenta_runtime::Summary;

pub(crate) use self::{grouping::Keys, order::Orders};
use crate::torture::{
    item::{Item, NO_EMISSION},
    world::{Log, Me, Visit, World},
};

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The oracle that noticed.
    pub oracle: &'static str,
    /// What it saw.
    pub what: String,
}

/// Violations that are kept of one world; the first is what matters.
const KEPT: usize = 8;

impl Log {
    /// Takes note that a promise was broken.
    pub(crate) fn violation(&mut self, oracle: &'static str, what: String) {
        if self.violations.len() < KEPT {
            self.violations.push(Violation { oracle, what });
        }
    }
}

/// A bolt begins to execute a tuple. Finds out which nodes that is.
pub(crate) fn on_execute(
    log: &mut Log,
    world: &World,
    me: Me,
    slot: usize,
    item: &Item,
    now: Duration,
    visits: &mut Vec<Visit>,
) {
    let first = item.parts.all()[0];
    log.event(2, me.index, (u64::from(first.root) << 16) | u64::from(first.emission), now);
    log.progress = now;
    log.tasks[me.index].executed += 1;
    let Some(link) = world.slots[me.component][slot] else {
        return log.violation("grouping", format!("{me:?} reads no slot {slot}"));
    };
    for part in item.parts.all() {
        let shape = world.shapes.of(part.root);
        let is_node = part.emission != NO_EMISSION;
        let node = is_node.then(|| shape.node(part.emission, link, me.task)).flatten();
        visits.push((part.root, node));
        log.tell(part.root, || {
            let (who, link) = ((me.component, me.task), &world.spec.links[link]);
            let (from, roots) = (item.from, item.parts.all().len());
            format!(
                "{now:?} {who:?} executes {part:?}, node {node:?}, of {roots} roots, {:?} from \
                 component {} (task {from})",
                link.grouping, link.source
            )
        });
    }
    grouping::on_execute(log, world, me, link, item, visits);
    order::on_execute(log, world, me, link, item);
    ticks::on_execute(log, world, me, now);
    memory::on_execute(log, world, me);
}

/// The world has ended: what must hold of the whole of it.
pub(crate) fn judge(world: &World, summary: &Summary, drained: bool) {
    let log = &mut *world.log();
    drain::judge(log, world, summary, drained);
    counters::judge(log, world, summary);
    calm::judge(log, world, summary);
}
