//! What flows through a tortured topology.
//!
//! A tuple says where in the expected trees of its roots it belongs, so that whoever receives it
//! can tell whether it should be there, and what it must emit.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tormenta_dsl::{Edge, Stream, Streams, Tuple};

/// One root that a tuple belongs to, and which emission of its expected tree the tuple is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) root: u32,
    pub(crate) emission: u16,
}

/// The emission of a root that a tuple is merely anchored to.
pub(crate) const NO_EMISSION: u16 = u16::MAX;

/// The roots of a tuple. Only what was merged under several tickets has more than one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Parts {
    One(Part),
    Many(Arc<[Part]>),
}

impl Parts {
    pub(crate) fn of(parts: &[Part]) -> Self {
        match parts {
            [one] => Self::One(*one),
            many => Self::Many(many.into()),
        }
    }

    pub(crate) fn all(&self) -> &[Part] {
        match self {
            Self::One(part) => std::slice::from_ref(part),
            Self::Many(parts) => parts,
        }
    }
}

/// The one tuple type of all tortured topologies.
#[derive(Tuple, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The sending task, numbered over all components.
    pub(crate) from: u16,
    /// Counts what that task emitted; zero where no order is promised.
    pub(crate) seq: u32,
    pub(crate) key: u64,
    pub(crate) parts: Parts,
}

/// The output of a component with two streams.
#[derive(Streams, Clone, Debug)]
pub(crate) enum Out {
    X(Item),
    Y(Item),
}

/// The input of a component that reads up to four streams.
#[derive(Streams, Clone, Debug)]
pub(crate) enum In {
    A(Item),
    B(Item),
    C(Item),
    D(Item),
}

/// Streams that a component may read at most.
pub(crate) const SLOTS: usize = 4;

/// What a component reads: one stream as it is, or several through constructors.
pub(crate) trait Input: Streams + Sized {
    /// Binds the edge that is read through this slot.
    fn bind(edge: Edge<Item>, slot: usize) -> Edge<Self>;

    /// The slot and the tuple.
    fn open(self) -> (usize, Item);
}

impl Input for Item {
    fn bind(edge: Edge<Item>, _slot: usize) -> Edge<Self> {
        edge
    }

    fn open(self) -> (usize, Item) {
        (0, self)
    }
}

impl Input for In {
    fn bind(edge: Edge<Item>, slot: usize) -> Edge<Self> {
        edge.to([Self::A, Self::B, Self::C, Self::D][slot])
    }

    fn open(self) -> (usize, Item) {
        match self {
            Self::A(item) => (0, item),
            Self::B(item) => (1, item),
            Self::C(item) => (2, item),
            Self::D(item) => (3, item),
        }
    }
}

/// What a component emits: nothing, one stream, or two.
pub(crate) trait Output: Streams {
    /// The tuple as an output on this port.
    fn wrap(port: usize, item: Item) -> Self;

    /// The handles, by port.
    fn streams(ports: &Self::Ports) -> Vec<Stream<Item>>;
}

impl Output for () {
    fn wrap(_port: usize, _item: Item) {
        unreachable!("the shapes have no emission on a port that does not exist")
    }

    fn streams((): &()) -> Vec<Stream<Item>> {
        Vec::new()
    }
}

impl Output for Item {
    fn wrap(_port: usize, item: Item) -> Self {
        item
    }

    fn streams(stream: &Stream<Item>) -> Vec<Stream<Item>> {
        vec![*stream]
    }
}

impl Output for Out {
    fn wrap(port: usize, item: Item) -> Self {
        if port == 0 { Self::X(item) } else { Self::Y(item) }
    }

    fn streams(ports: &OutPorts) -> Vec<Stream<Item>> {
        vec![ports.x, ports.y]
    }
}
