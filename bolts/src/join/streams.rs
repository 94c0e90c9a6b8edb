//! What a join reads and emits.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tormenta_dsl::{
    Outlet, PortInfo, Source, Stream, Streams, Tuple,
    engine::Batch,
    record::{Record, RecordError, Schema},
};

/// A tuple of one of the two streams: bind them with `.to(JoinInput::Left)` and
/// `.to(JoinInput::Right)`.
///
/// ```
/// use tormenta_bolts::JoinInput;
///
/// let input = JoinInput::<u64, String>::Left(7);
/// assert_eq!(input, JoinInput::Left(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinInput<L, R> {
    /// A tuple of the left stream.
    Left(L),
    /// A tuple of the right stream.
    Right(R),
}

/// The streams of a [`JoinInput`].
#[derive(Clone)]
pub struct JoinPorts<L, R> {
    /// The left tuples.
    pub left: Stream<L>,
    /// The right tuples.
    pub right: Stream<R>,
}

impl<L: Tuple, R: Tuple> Streams for JoinInput<L, R> {
    type Ports = JoinPorts<L, R>;
    type Outlets = (Outlet<L>, Outlet<R>);

    fn ports(source: Source) -> Self::Ports {
        JoinPorts { left: Stream::new(source, 0), right: Stream::new(source, 1) }
    }

    fn infos() -> Vec<PortInfo> {
        vec![
            PortInfo { name: "left", schema: L::schema() },
            PortInfo { name: "right", schema: R::schema() },
        ]
    }

    fn port(&self) -> usize {
        match self {
            Self::Left(_) => 0,
            Self::Right(_) => 1,
        }
    }

    fn dispatch(staged: &mut Batch<Self>, (left, right): &mut Self::Outlets) {
        let epoch = staged.epoch.take();
        // A run of tuples of one port is handed on together; the order stays.
        let mut run = 0;
        staged.take_each(|anchors, root, edge, value| {
            if value.port() != run {
                run = value.port();
                left.end_run(epoch.as_ref());
                right.end_run(epoch.as_ref());
            }
            match value {
                Self::Left(tuple) => left.push(anchors, root, edge, tuple),
                Self::Right(tuple) => right.push(anchors, root, edge, tuple),
            }
        });
        left.end_run(epoch.as_ref());
        right.end_run(epoch.as_ref());
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        match self {
            Self::Left(tuple) => Tuple::to_record(tuple),
            Self::Right(tuple) => Tuple::to_record(tuple),
        }
    }
}

/// Two tuples that belong together, or one that found no other.
///
/// ```
/// use tormenta_bolts::Joined;
///
/// let alone = Joined::<u64, String> { left: Some(7), right: None };
/// assert!(alone.right.is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Joined<L, R> {
    /// The left tuple. Only a full join has none, for a right one that found no left one.
    pub left: Option<L>,
    /// The right tuple. An inner join always has one.
    pub right: Option<R>,
}

impl<L: Tuple, R: Tuple> Tuple for Joined<L, R> {
    fn schema() -> Arc<Schema> {
        let (left, right) =
            (std::any::type_name::<Option<L>>(), std::any::type_name::<Option<R>>());
        Arc::new(Schema::new("Joined", &[("left", left), ("right", right)]))
    }
}
