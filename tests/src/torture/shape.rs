//! The tree that every root must have: which component executes what, and what it emits.
//!
//! Groupings may choose tasks as they like, so a node of a shape is "this component executes this
//! emission through this slot", except where the grouping leaves no choice: then the task is part
//! of the node. Roots of one spout and one class have the same shape.

use std::ops::Range;

use tormenta_dsl::grouping::Kind;

use super::spec::{CLASSES, FAN, Link, PORTS, Spec};

/// Nodes at which a shape stops growing.
const NODES: usize = 9;

/// A task that the grouping is free to choose.
const ANY: u8 = u8::MAX;

/// Emissions that a component may make for one input.
pub(crate) const EMITS: usize = PORTS * FAN;

#[derive(Debug, Default)]
pub(crate) struct Shape {
    emissions: Vec<Range<u16>>,
    readers: Vec<Reader>,
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
struct Reader {
    link: u8,
    task: u8,
    node: u16,
}

/// One execute that must happen.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) component: u8,
    hops: u8,
    /// The emission on each port, in order; see [`emit_port`].
    pub(crate) emits: [Option<u16>; EMITS],
}

/// All shapes of a world.
#[derive(Debug)]
pub(crate) struct Shapes {
    /// First root, and shapes by class, of each spout.
    sources: Vec<(u32, [Shape; CLASSES])>,
    /// Most nodes of any shape.
    pub(crate) stride: usize,
}

/// The port of the emission in this place of [`Node::emits`].
pub(crate) fn emit_port(place: usize) -> usize {
    place / FAN
}

/// The task that a direct emit names; the spouts, and whatever goes through tickets, name none.
pub(crate) fn direct_task(spec: &Spec, link: &Link, place: usize) -> usize {
    let names =
        !spec.is_source(link.source) && spec.worker(link.source).work == super::spec::Work::Plain;
    if names { named_task(spec, link.source, place) } else { 0 }
}

/// What a bolt names in its direct emits: a task that all who read them so have.
pub(crate) fn named_task(spec: &Spec, component: usize, place: usize) -> usize {
    let direct = |link: &&Link| link.source == component && matches!(link.grouping, Kind::Direct);
    let tasks = spec.links.iter().filter(direct).map(|link| spec.components[link.target].tasks);
    (component * 7 + place * 3) % tasks.min().unwrap_or(1)
}

/// The tasks that the custom grouping of the tortured topologies chooses: none, one, or two.
pub(crate) fn custom_tasks(class: usize, emission: u16, link: usize, tasks: usize) -> Vec<usize> {
    let hash = (class * 31 + usize::from(emission) * 17 + link * 13) ^ 0x55;
    let first = hash % tasks;
    match hash / 7 % 5 {
        0 => Vec::new(),
        1 if tasks > 1 => vec![first, (first + 1) % tasks],
        _ => vec![first],
    }
}

/// The class of a root.
pub(crate) fn class_of(root: u32) -> usize {
    (root.wrapping_mul(0x9e37_79b9) >> 16) as usize % CLASSES
}

impl Shapes {
    pub(crate) fn new(spec: &Spec) -> Self {
        let sources: Vec<(u32, [Shape; CLASSES])> = (0..spec.sources())
            .map(|source| {
                let shapes = std::array::from_fn(|class| Shape::new(spec, source, class));
                (spec.source(source).first, shapes)
            })
            .collect();
        let shapes = sources.iter().flat_map(|(_, shapes)| shapes);
        let stride = shapes.map(|shape| shape.nodes.len()).max().unwrap_or(0);
        Self { sources, stride }
    }

    /// The shape of a root.
    pub(crate) fn of(&self, root: u32) -> &Shape {
        let source = self.sources.partition_point(|(first, _)| *first <= root) - 1;
        &self.sources[source].1[class_of(root)]
    }
}

impl Shape {
    fn new(spec: &Spec, source: usize, class: usize) -> Self {
        let mut shape = Self::default();
        shape.emit(spec, class, (source, root_port(spec, source, class), 0), 0);
        let mut next = 0;
        while next < shape.nodes.len() && shape.nodes.len() < NODES {
            shape.grow(spec, class, next);
            next += 1;
        }
        shape
    }

    fn grow(&mut self, spec: &Spec, class: usize, node: usize) {
        let Node { component, hops, .. } = self.nodes[node];
        let source = usize::from(component);
        let component = &spec.components[source];
        for port in 0..component.ports {
            let fed_back =
                spec.links.iter().any(|l| l.source == source && l.port == port && l.feedback);
            if fed_back && hops >= component.hops[class] {
                continue;
            }
            for ordinal in 0..usize::from(component.fan[class][port]) {
                let place = port * FAN + ordinal;
                let hops = hops + u8::from(fed_back);
                let emission = self.emit(spec, class, (source, port, place), hops);
                self.nodes[node].emits[place] = Some(emission);
            }
        }
    }

    /// Adds an emission and the nodes that execute it.
    fn emit(
        &mut self,
        spec: &Spec,
        class: usize,
        (source, port, place): (usize, usize, usize),
        hops: u8,
    ) -> u16 {
        let emission = self.emissions.len() as u16;
        let first = self.readers.len() as u16;
        for (index, link) in spec.links.iter().enumerate() {
            if (link.source, link.port) != (source, port) {
                continue;
            }
            for task in tasks(spec, class, emission, (index, link), place) {
                let (link, node) = (index as u8, self.nodes.len() as u16);
                self.readers.push(Reader { link, task, node });
                let component = spec.links[index].target as u8;
                self.nodes.push(Node { component, hops, emits: [None; EMITS] });
            }
        }
        self.emissions.push(first..self.readers.len() as u16);
        emission
    }

    /// The node at which a task executes an emission that it read through a link.
    pub(crate) fn node(&self, emission: u16, link: usize, task: usize) -> Option<u16> {
        let range = self.emissions.get(usize::from(emission))?;
        let readers = &self.readers[usize::from(range.start)..usize::from(range.end)];
        let found = readers.iter().find(|reader| {
            usize::from(reader.link) == link
                && (reader.task == ANY || usize::from(reader.task) == task)
        });
        found.map(|reader| reader.node)
    }
}

/// The port through which a spout emits the roots of a class.
pub(crate) fn root_port(spec: &Spec, source: usize, class: usize) -> usize {
    class % spec.components[source].ports
}

fn tasks(
    spec: &Spec,
    class: usize,
    emission: u16,
    (index, link): (usize, &Link),
    place: usize,
) -> Vec<u8> {
    let tasks = spec.components[link.target].tasks;
    match link.grouping {
        Kind::All => (0..tasks as u8).collect(),
        Kind::Global => vec![0],
        Kind::Direct => vec![direct_task(spec, link, place) as u8],
        Kind::Custom => {
            custom_tasks(class, emission, index, tasks).into_iter().map(|task| task as u8).collect()
        }
        _ => vec![ANY],
    }
}
