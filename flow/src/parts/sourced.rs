//! Rows that know which of several streams they come from, for programs that are told.

use std::{cell::RefCell, sync::Arc};

use tormenta::{
    Edge, PortInfo, Source, Streams, Tuple,
    engine::Batch,
    record::{Record, RecordError, Schema},
};

use crate::{row::Row, shape::Shape};

/// A row, and the position of its stream among those that are read.
#[derive(Clone, Debug)]
pub(crate) struct Sourced {
    port: usize,
    row: Row,
}

/// Streams that can be told apart: a constructor has no place for a number but in its type.
pub(crate) const SOURCES_MAX: usize = 16;

const FROM: [fn(Row) -> Sourced; SOURCES_MAX] = [
    from::<0>, from::<1>, from::<2>, from::<3>, from::<4>, from::<5>, from::<6>, from::<7>,
    from::<8>, from::<9>, from::<10>, from::<11>, from::<12>, from::<13>, from::<14>, from::<15>,
];

fn from<const PORT: usize>(row: Row) -> Sourced {
    Sourced { port: PORT, row }
}

/// The edges, each with its position.
pub(crate) fn sourced(edges: Vec<Edge<Row>>) -> Vec<Edge<Sourced>> {
    edges.into_iter().zip(FROM).map(|(edge, from)| edge.to(from)).collect()
}

thread_local! {
    /// The schemas of the streams that are asked about on this thread.
    static READ: RefCell<Vec<Arc<Schema>>> = const { RefCell::new(Vec::new()) };
}

/// Has [`Streams::infos`] answer with these shapes meanwhile.
pub(crate) fn reading<R>(shapes: &[Shape], work: impl FnOnce() -> R) -> R {
    let schemas = shapes.iter().map(|shape| Arc::clone(&shape.schema())).collect();
    let before = READ.replace(schemas);
    let result = work();
    READ.set(before);
    result
}

/// It is read, and never emitted.
impl Streams for Sourced {
    type Ports = ();
    type Outlets = ();

    fn ports(_source: Source) {}

    fn infos() -> Vec<PortInfo> {
        let info = |schema: &Arc<Schema>| PortInfo { name: "default", schema: schema.clone() };
        READ.with_borrow(|schemas| schemas.iter().map(info).collect())
    }

    fn port(&self) -> usize {
        self.port
    }

    fn dispatch(staged: &mut Batch<Self>, (): &mut ()) {
        staged.clear();
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        Tuple::to_record(&self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Kind;

    #[test]
    fn each_stream_has_its_shape_for_as_long_as_it_is_asked() {
        let shapes = [Shape::of([("a", Kind::Text)]), Shape::of([("n", Kind::Int)])];
        reading(&shapes, || {
            let infos = Sourced::infos();
            assert_eq!(infos[1].schema.to_string(), "Row(n: int)");
        });
        assert!(Sourced::infos().is_empty());
        let row = Row::new(shapes[1].schema(), vec![7.into()]);
        assert_eq!(FROM.map(|from| from(row.clone()).port()), std::array::from_fn(|port| port));
    }
}
