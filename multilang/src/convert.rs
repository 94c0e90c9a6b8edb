//! Between the tuples of a topology and the records that a child reads and writes.

use std::{
    any::Any,
    borrow::Cow,
    task::{Context as Waking, Poll},
};

use tormenta_dsl::{
    Outlet, Outlets, PortInfo, Source, Stream, Streams, Tuple,
    engine::{Batch, Flush, PortWiring},
    record::{Record, RecordError},
};

/// What can be made of a record that a child emits.
///
/// Every [`Tuple`] is, so a child emits typed tuples as they are: `.emits::<Word>()`. An enum of
/// several streams says which variant belongs to which port:
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// use tormenta_dsl::{Streams, record::{Record, RecordError}};
/// use tormenta_multilang::{ShellBolt, ShellOutput};
///
/// #[derive(Streams, Clone)]
/// enum Score { Alert(String), Clean(u64) }
///
/// impl ShellOutput for Score {
///     fn from_record(port: usize, record: Record) -> Result<Self, RecordError> {
///         Ok(match port {
///             0 => Self::Alert(record.to()?),
///             _ => Self::Clean(record.to()?),
///         })
///     }
/// }
///
/// let score = ShellBolt::<u64>::new(["python3", "score.py"]).emits::<Score>();
/// ```
pub trait ShellOutput: Streams {
    /// The tuple that leaves through this port, the position of its stream.
    ///
    /// # Errors
    /// When the record does not fit the type. What the child anchored it to fails.
    fn from_record(port: usize, record: Record) -> Result<Self, RecordError>;
}

impl<T: Tuple> ShellOutput for T {
    fn from_record(_port: usize, record: Record) -> Result<Self, RecordError> {
        let mut record = Some(record);
        // A record need not be read field by field to become one.
        if let Some(same) = (&mut record as &mut dyn Any).downcast_mut::<Option<Self>>()
            && let Some(same) = same.take()
        {
            return Ok(same);
        }
        record.map_or_else(
            || Err(RecordError::Missing { field: String::new() }),
            |record| record.to(),
        )
    }
}

/// A tuple as a record.
pub(crate) fn record_of<I: Streams>(tuple: &I) -> Result<Cow<'_, Record>, RecordError> {
    match (tuple as &dyn Any).downcast_ref::<Record>() {
        Some(record) => Ok(Cow::Borrowed(record)),
        None => tuple.to_record().map(Cow::Owned),
    }
}

/// A record on one of `N` streams, 1 to 8. The streams of a component that emits it are an array:
///
/// ```
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_multilang::{ShellBolt, ShellSpout};
///
/// let mut t = Topology::<NoEngine>::new("two");
/// let lines = t.spout("lines", ShellSpout::new(["python3", "lines.py"]));
/// let parse = ShellBolt::new(["python3", "parse.py"])
///     .outputs([("rows", vec!["id: u64", "name"]), ("bad", vec!["line"])]);
/// let parse = t.bolt("parse", parse, lines.shuffle());
/// let rows = parse[0].shuffle();
/// let bad = parse[1].global();
/// # let _ = (rows, bad);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Records<const N: usize> {
    /// The position of its stream, below `N`.
    pub port: usize,
    /// The tuple.
    pub record: Record,
}

/// What the streams are called in plans. Their own names are known when the topology runs.
const NAMES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];

impl<const N: usize> Streams for Records<N> {
    type Ports = [Stream<Record>; N];
    type Outlets = RecordOutlets;

    fn ports(source: Source) -> Self::Ports {
        std::array::from_fn(|port| Stream::new(source, port))
    }

    fn infos() -> Vec<PortInfo> {
        const { assert!(N >= 1 && N <= NAMES.len(), "1 to 8 streams") };
        let info = |&name| PortInfo { name, schema: <Record as Tuple>::schema() };
        NAMES[..N].iter().map(info).collect()
    }

    fn port(&self) -> usize {
        self.port
    }

    fn dispatch(staged: &mut Batch<Self>, RecordOutlets(outlets): &mut RecordOutlets) {
        let epoch = staged.epoch.take();
        // A run of tuples of one port is handed on together; the order stays.
        let mut run = 0;
        staged.take_each(|anchors, root, edge, value| {
            if value.port != run {
                outlets[run].end_run(epoch.as_ref());
                run = value.port;
            }
            outlets[run].push(anchors, root, edge, value.record);
        });
        outlets[run].end_run(epoch.as_ref());
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        Ok(self.record.clone())
    }
}

impl<const N: usize> ShellOutput for Records<N> {
    fn from_record(port: usize, record: Record) -> Result<Self, RecordError> {
        Ok(Self { port, record })
    }
}

/// The sending ends of [`Records`].
pub struct RecordOutlets(Vec<Outlet<Record>>);

impl Outlets for RecordOutlets {
    fn wire(ports: Vec<PortWiring>) -> Self {
        Self(ports.into_iter().map(|port| Outlet::wire(vec![port])).collect())
    }

    fn room(&self) -> usize {
        self.0.iter().map(Outlets::room).min().unwrap_or(usize::MAX)
    }

    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        // All of them, also where one has no room.
        let pending = self
            .0
            .iter_mut()
            .filter_map(|outlet| outlet.poll_flush(cx, flush).is_pending().then_some(()));
        if pending.count() > 0 { Poll::Pending } else { Poll::Ready(()) }
    }

    fn aim(&mut self, port: usize, task: usize) {
        if let Some(outlet) = self.0.get_mut(port) {
            outlet.aim(0, task);
        }
    }

    fn told(&self, port: usize, tasks: &mut Vec<usize>) {
        if let Some(outlet) = self.0.get(port) {
            outlet.told(0, tasks);
        }
    }
}
