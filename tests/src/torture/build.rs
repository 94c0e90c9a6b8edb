//! From a spec to a topology for the engine.

use std::sync::Arc;

use tormenta_dsl::{
    Concurrency, Edge, Stream,
    grouping::{Grouping, Kind},
};
use tormenta_runtime::{Local, Topology};

use super::{
    children::custom_choice,
    item::{In, Input, Item, Out, Output},
    source::Source,
    spec::{Link, Role, SourceSpec, WorkerSpec},
    worker::Worker,
    world::World,
};

/// The streams of one component, by port.
type Ports = Vec<Stream<Item>>;

/// Declares the topology of a world.
pub(crate) fn build(world: &Arc<World>) -> Topology {
    let mut t = Topology::new(format!("torture-{}", world.spec.seed));
    let mut ports: Vec<Ports> = Vec::new();
    let mut loops: Vec<(usize, usize, tormenta_dsl::Feedback<Item, Local>)> = Vec::new();
    for (index, component) in world.spec.components.iter().enumerate() {
        let streams = match &component.role {
            Role::Source(source) if component.ports == 1 => {
                declare_source::<Item>(&mut t, world, index, source)
            }
            Role::Source(source) => declare_source::<Out>(&mut t, world, index, source),
            Role::Worker(worker) => {
                let edges = edges(&mut t, world, index, &ports, &mut loops);
                declare(&mut t, world, index, worker, edges)
            }
        };
        ports.push(streams);
    }
    for (source, port, feedback) in loops {
        feedback.from(&ports[source][port]);
    }
    t
}

fn edges(
    t: &mut Topology,
    world: &Arc<World>,
    target: usize,
    ports: &[Ports],
    loops: &mut Vec<(usize, usize, tormenta_dsl::Feedback<Item, Local>)>,
) -> Vec<(usize, Edge<Item>)> {
    let links = world.spec.links.iter().enumerate().filter(|(_, link)| link.target == target);
    let mut edges = Vec::new();
    for (index, link) in links {
        let stream = if link.feedback {
            let feedback = t.feedback::<Item>(&format!("again-{index}"));
            let stream = *feedback;
            loops.push((link.source, link.port, feedback));
            stream
        } else {
            ports[link.source][link.port]
        };
        edges.push((link.slot, group(index, link, &stream)));
    }
    edges
}

fn group(index: usize, link: &Link, stream: &Stream<Item>) -> Edge<Item> {
    match link.grouping {
        Kind::Shuffle => stream.shuffle(),
        Kind::None => stream.none(),
        Kind::LocalOrShuffle => stream.local_or_shuffle(),
        Kind::By => stream.by(|item| &item.key),
        Kind::PartialBy => stream.partial_by(|item| &item.key),
        Kind::All => stream.all(),
        Kind::Global => stream.global(),
        Kind::Direct => stream.direct(),
        Kind::Custom => stream.custom(Pick { link: index }),
    }
}

/// Sends tuples where their shapes say.
#[derive(Clone)]
struct Pick {
    link: usize,
}

impl Grouping<Item> for Pick {
    fn choose(&mut self, item: &Item, tasks: usize, chosen: &mut Vec<usize>) {
        custom_choice(self.link, &item.parts, tasks, chosen);
    }
}

fn declare_source<O: Output>(
    t: &mut Topology,
    world: &Arc<World>,
    index: usize,
    source: &SourceSpec,
) -> Ports {
    let component = &world.spec.components[index];
    let spout = Source::<O>::new(world.clone(), index);
    let mut handle =
        t.spout(&format!("c{index}"), spout).tasks(component.tasks).pending_max(source.pending_max);
    if let Some(retry) = source.retry {
        handle = handle.replaying(retry);
    }
    if !source.tracked {
        handle = handle.untracked();
    }
    if let Some(timeout) = source.message_timeout {
        handle = handle.message_timeout(timeout);
    }
    if component.blocking {
        handle = handle.blocking();
    }
    O::streams(&handle)
}

fn declare(
    t: &mut Topology,
    world: &Arc<World>,
    index: usize,
    worker: &WorkerSpec,
    edges: Vec<(usize, Edge<Item>)>,
) -> Ports {
    match (worker.plain_input, world.spec.components[index].ports) {
        (true, 0) => declare_worker::<Item, ()>(t, world, index, worker, edges),
        (true, 1) => declare_worker::<Item, Item>(t, world, index, worker, edges),
        (true, _) => declare_worker::<Item, Out>(t, world, index, worker, edges),
        (false, 0) => declare_worker::<In, ()>(t, world, index, worker, edges),
        (false, 1) => declare_worker::<In, Item>(t, world, index, worker, edges),
        (false, _) => declare_worker::<In, Out>(t, world, index, worker, edges),
    }
}

fn declare_worker<I: Input, O: Output>(
    t: &mut Topology,
    world: &Arc<World>,
    index: usize,
    worker: &WorkerSpec,
    edges: Vec<(usize, Edge<Item>)>,
) -> Ports {
    let component = &world.spec.components[index];
    let edges: Vec<Edge<I>> = edges.into_iter().map(|(slot, edge)| I::bind(edge, slot)).collect();
    let bolt = Worker::<I, O>::new(world.clone(), index);
    let mut handle =
        t.bolt(&format!("c{index}"), bolt, edges).tasks(component.tasks).fuse(component.fuse);
    handle = match worker.concurrency {
        Concurrency::One => handle,
        Concurrency::Ordered(n) => handle.concurrent(n),
        Concurrency::Unordered(n) => handle.concurrent_unordered(n),
    };
    if let Some(interval) = worker.tick {
        handle = handle.tick(interval);
    }
    if let Some(timeout) = worker.execute_timeout {
        handle = handle.execute_timeout(timeout);
    }
    if let Some(timeout) = worker.hold_timeout {
        handle = handle.hold_timeout(timeout);
    }
    if component.blocking {
        handle = handle.blocking();
    }
    O::streams(&handle)
}
