//! What a bolt must emit, by the shapes of the roots it has at hand.

use tormenta_dsl::{Concurrency, grouping::Kind};

use super::{
    item::{Item, NO_EMISSION, Part, Parts},
    shape::{self, EMITS, emit_port},
    world::{Log, Me, Visit, World},
};

/// A tuple to emit, and where.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) port: usize,
    /// The task that a direct emit names.
    pub(crate) direct: usize,
    pub(crate) copies: u64,
    pub(crate) item: Item,
}

impl World {
    /// What these visits of a bolt lead to. `in_order`: the tuples are emitted in this order.
    pub(crate) fn children(
        &self,
        log: &mut Log,
        me: Me,
        visits: &[Visit],
        in_order: bool,
        children: &mut Vec<Child>,
    ) {
        let unordered =
            matches!(self.spec.worker(me.component).concurrency, Concurrency::Unordered(_));
        for place in 0..EMITS {
            let Some(parts) = self.parts(visits, place) else { continue };
            let port = emit_port(place);
            let copies = self.copies(log, (me.component, port), &parts);
            let task = &mut log.tasks[me.index];
            let seq = if in_order && !unordered {
                task.seq += 1;
                task.seq
            } else {
                0
            };
            let key = u64::from(parts.all()[0].root % 13);
            let item = Item { from: me.index as u16, seq, key, parts };
            let direct = shape::named_task(&self.spec, me.component, place);
            children.push(Child { port, direct, copies, item });
        }
    }

    fn parts(&self, visits: &[Visit], place: usize) -> Option<Parts> {
        let emission = |(root, node): &Visit| {
            node.and_then(|node| self.shapes.of(*root).nodes[usize::from(node)].emits[place])
        };
        if let [visit] = visits {
            let emission = emission(visit)?;
            return Some(Parts::One(Part { root: visit.0, emission }));
        }
        let part = |visit: &Visit| Part {
            root: visit.0,
            emission: emission(visit).unwrap_or(NO_EMISSION),
        };
        let parts: Vec<Part> = visits.iter().map(part).collect();
        parts.iter().any(|part| part.emission != NO_EMISSION).then(|| Parts::of(&parts))
    }

    /// How many copies of what leaves through a port readers will get.
    pub(crate) fn copies(&self, log: &mut Log, from: (usize, usize), parts: &Parts) -> u64 {
        let links = self.spec.links.iter().enumerate();
        let mut all = 0;
        for (index, link) in links.filter(|(_, link)| (link.source, link.port) == from) {
            let chosen = self.tasks_chosen(index, parts);
            log.inbound[link.target] += chosen;
            all += chosen;
        }
        all
    }

    fn tasks_chosen(&self, index: usize, parts: &Parts) -> u64 {
        let link = &self.spec.links[index];
        let tasks = self.spec.components[link.target].tasks;
        match link.grouping {
            Kind::All => tasks as u64,
            Kind::Custom => {
                let mut chosen = Vec::new();
                custom_choice(index, parts, tasks, &mut chosen);
                chosen.len() as u64
            }
            _ => 1,
        }
    }
}

/// What the custom grouping of a link chooses.
pub(crate) fn custom_choice(link: usize, parts: &Parts, tasks: usize, chosen: &mut Vec<usize>) {
    for part in parts.all().iter().filter(|part| part.emission != NO_EMISSION) {
        let class = shape::class_of(part.root);
        for task in shape::custom_tasks(class, part.emission, link, tasks) {
            if !chosen.contains(&task) {
                chosen.push(task);
            }
        }
    }
}
