//! What a window bolt emits.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tormenta_dsl::{
    Outlet, PortInfo, Source, Stream, Streams, Tuple,
    engine::Batch,
    record::{Record, RecordError, Schema},
};

use super::Firing;

/// The result of one window of one key.
///
/// ```
/// use tormenta_bolts::window::{Firing, Windowed};
///
/// let result = Windowed {
///     key: "#en".to_owned(),
///     start: 0,
///     end: 3_600_000,
///     firing: Firing::OnTime,
///     value: 12_u64,
/// };
/// assert_eq!(result.value, 12);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Windowed<K, V> {
    /// The key; `()` where there is none.
    pub key: K,
    /// The first moment of the window, in milliseconds of event time. Of a session the time of
    /// its first tuple; of a window of so many tuples, how many tuples of the key came before.
    pub start: i64,
    /// The first moment after the window. Of a session the gap after its last tuple; of a window
    /// of so many tuples, how many tuples of the key there are up to its end.
    pub end: i64,
    /// Whether it was complete as far as the watermark told, or is changed by a late tuple.
    pub firing: Firing,
    /// What the aggregate made of its tuples.
    pub value: V,
}

impl<K, V> Tuple for Windowed<K, V>
where
    K: Clone + Send + Serialize + for<'de> Deserialize<'de> + 'static,
    V: Clone + Send + Serialize + for<'de> Deserialize<'de> + 'static,
{
    fn schema() -> Arc<Schema> {
        let fields = [
            ("key", std::any::type_name::<K>()),
            ("start", "i64"),
            ("end", "i64"),
            ("firing", "Firing"),
            ("value", std::any::type_name::<V>()),
        ];
        Arc::new(Schema::new("Windowed", &fields))
    }
}

/// The streams of a window bolt: [`results` and `late`](WindowPorts).
#[derive(Clone, Debug, PartialEq)]
pub enum WindowOutput<K, V, I> {
    /// A window fired.
    Results(Windowed<K, V>),
    /// A tuple came when nothing could use it any more. It is not in any result.
    Late(I),
}

/// The streams of [`WindowOutput`].
#[derive(Clone)]
pub struct WindowPorts<K, V, I> {
    /// The windows that fired.
    pub results: Stream<Windowed<K, V>>,
    /// The tuples that came too late. If nobody reads them they only count: the metrics of the
    /// bolt have a counter `late`.
    pub late: Stream<I>,
}

impl<K, V, I> Streams for WindowOutput<K, V, I>
where
    K: Clone + Send + Serialize + for<'de> Deserialize<'de> + 'static,
    V: Clone + Send + Serialize + for<'de> Deserialize<'de> + 'static,
    I: Tuple,
{
    type Ports = WindowPorts<K, V, I>;
    type Outlets = (Outlet<Windowed<K, V>>, Outlet<I>);

    fn ports(source: Source) -> Self::Ports {
        WindowPorts { results: Stream::new(source, 0), late: Stream::new(source, 1) }
    }

    fn infos() -> Vec<PortInfo> {
        vec![
            PortInfo { name: "results", schema: Windowed::<K, V>::schema() },
            PortInfo { name: "late", schema: I::schema() },
        ]
    }

    fn port(&self) -> usize {
        match self {
            Self::Results(_) => 0,
            Self::Late(_) => 1,
        }
    }

    fn dispatch(staged: &mut Batch<Self>, (results, late): &mut Self::Outlets) {
        let epoch = staged.epoch.take();
        // A run of tuples of one port is handed on together; the order stays.
        let mut run = 0;
        staged.take_each(|anchors, root, edge, value| {
            if value.port() != run {
                run = value.port();
                results.end_run(epoch.as_ref());
                late.end_run(epoch.as_ref());
            }
            match value {
                Self::Results(result) => results.push(anchors, root, edge, result),
                Self::Late(tuple) => late.push(anchors, root, edge, tuple),
            }
        });
        results.end_run(epoch.as_ref());
        late.end_run(epoch.as_ref());
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        match self {
            Self::Results(result) => Tuple::to_record(result),
            Self::Late(tuple) => Tuple::to_record(tuple),
        }
    }
}
