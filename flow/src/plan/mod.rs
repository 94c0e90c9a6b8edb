//! From what was declared to what is known to fit together.
//!
//! ```text
//!   declared -> graph: names become edges, in an order that leads forward
//!            -> shapes: what each stream has, and whether the fields that are named are there
//!            -> Flow -> topology: the components of the engine
//! ```

mod graph;
mod inputs;
mod lasting;
mod shapes;
mod site;
mod view;

pub(crate) use graph::Wire;
pub(crate) use inputs::Inputs;
pub(crate) use site::{Input, Site, group, slot};
pub(crate) use view::View;

use tormenta::Stream;

use crate::{
    read::{
        declared::{Declared, Made},
        notes::{Notes, Span},
        reads::{Grouping, Side},
    },
    row::Row,
    shape::{Shape, Slot},
};

/// A component that fits: it knows what it emits for what it reads, and declares itself.
pub(crate) trait Part {
    /// Its streams. What is wrong with the inputs is noted; `None` if nothing can be said then.
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>>;

    /// Declares it, and gives its streams in the order of [`streams`](Part::streams).
    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>>;

    /// Whether the next run goes on where this one ended, and reads nothing twice.
    fn goes_on(&self) -> bool {
        false
    }

    /// Whether the next run takes the place of what this one has written.
    fn begins_anew(&self) -> bool {
        false
    }
}

/// A stream of a component.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

impl Out {
    /// The only stream, or the one that is meant where none is named.
    pub(crate) fn main(shape: Shape) -> Self {
        Self { name: "default", shape }
    }

    /// The stream of what a bolt could do nothing with.
    pub(crate) fn rejected(shape: Shape) -> Self {
        Self { name: "rejected", shape }
    }
}

/// An edge whose two ends are known.
#[derive(Debug, Clone)]
pub(crate) struct Joint {
    /// Index of the component that emits.
    pub(crate) source: usize,
    /// Index of its stream.
    pub(crate) stream: usize,
    pub(crate) deal: Dealt,
    pub(crate) feedback: bool,
    pub(crate) side: Option<Side>,
    /// How the rows are seen, unless it is as they are.
    pub(crate) view: Option<View>,
}

/// How tuples are dealt over the tasks of the reader.
#[derive(Debug, Clone)]
pub(crate) enum Dealt {
    Keyless(Grouping),
    By(Vec<Slot>),
    PartialBy(Vec<Slot>),
}

/// A component that is known to fit.
pub(crate) struct Planned {
    pub(crate) name: String,
    /// Where it is named.
    pub(crate) header: Span,
    pub(crate) made: Made,
    pub(crate) joints: Vec<Joint>,
    /// The shapes of what it reads, as many as joints.
    pub(crate) inputs: Vec<Shape>,
    pub(crate) outs: Vec<Out>,
}

/// The components, in an order in which all edges but feedback lead forward; fewer if there are
/// mistakes.
pub(crate) fn plan(declared: Vec<Declared>, notes: &mut Notes) -> Vec<Planned> {
    let wires = graph::wires(&declared, notes);
    let order = graph::order(&declared, &wires, notes);
    let planned = shapes::plan(declared, &wires, &order, notes);
    lasting::check(&planned, notes);
    planned
}
